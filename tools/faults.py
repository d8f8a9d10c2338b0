#!/usr/bin/env python3
"""Let the server's disk writes fail, one after the other, and look at what it does.

usage: faults.py [BINARY [LIBRARY]]     build/debug/slipway build/debug/fault.so

For each write, flush, rename and the like of a start and of a loop (register data, train, promote):
the call fails. The server must say so in a sentence and go on answering predictions; when the disk
works again, so does everything, and all that was acknowledged is there. Three kinds of failure: a
disk that stays full from that call on, one EIO, one write torn in half.
See tests/faults/fault.c and tools/scenario.py.

FAULT_STRIDE   try every how manieth call (1)
FAULT_FIRST    the first one (1)

Writes docs/results/faults.md. The last line is "N passed, N failed".
"""
import errno
import os
import shutil
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from page import Page
from scenario import (Broken, Down, Late, Refused, Server, Work, check_endpoint, check_events,
                      check_store, must)

EVER = 1 << 40
# name: how many calls fail, with which errno, torn
KINDS = {
    "full disk": (EVER, errno.ENOSPC, 0),
    "EIO": (1, errno.EIO, 0),
    "torn write": (1, errno.ENOSPC, 1),
}
STEPS = ["register", "train", "promote"]
LOOPS_PER_SERVER = 25
STATUSES = (500, 503, 507)


class Faults:
    """The numbers that fault.so reads."""

    def __init__(self, path):
        self.path = path
        self.ahead_seconds = 0
        self.set(0, 0, 0, 0)

    def write(self, *numbers):
        """In place: whoever has mapped it must see it."""
        with open(self.path, "r+b" if os.path.exists(self.path) else "w+b") as file:
            file.write(struct.pack("=12q", *numbers, self.ahead_seconds))

    def set(self, first, length, number, torn):
        self.write(0, first, length, number, torn, 0, 0, 0, 0, 0, 0)

    def set_memory(self, first, length, in_steps=0):
        """Allocation number first of those from now on fails, and length - 1 after it."""
        self.write(0, 0, 0, 0, 0, 0, 0, first, length, in_steps, 0)

    def set_clock(self, ahead_seconds):
        """The clock on the wall is so far ahead of the machine's, or behind it."""
        self.ahead_seconds = ahead_seconds
        with open(self.path, "r+b") as file:
            file.seek(88)
            file.write(struct.pack("=q", ahead_seconds))

    def memory_counts(self):
        """Allocations so far, and those that failed."""
        with open(self.path, "rb") as file:
            numbers = struct.unpack("=11q", file.read(88))
        return numbers[6], numbers[10]

    def lift(self):
        counts = self.counts()
        self.set(0, 0, 0, 0)
        return counts

    def counts(self):
        with open(self.path, "rb") as file:
            numbers = struct.unpack("=6q", file.read(48))
        return numbers[0], numbers[5]


class Driver:
    def __init__(self, binary, library):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.mkdtemp(prefix="slipway-faults-")
        self.base = os.path.join(self.folder, "base")
        self.data = os.path.join(self.folder, "data")
        self.faults = Faults(os.path.join(self.folder, "control"))
        self.settings = {"LD_PRELOAD": os.path.abspath(library), "FAULT_FOLDER": self.data,
                         "FAULT_CONTROL": self.faults.path}
        self.passed = self.failed = self.felt = self.said = 0
        self.server = self.work = None
        self.loops = 0
        self.counts = {}  # action and kind: [calls tried, felt, said in a sentence, failed]
        self.calls = (0, 0)

    def close(self):
        if self.server:
            self.server.kill()
        shutil.rmtree(self.folder)

    def start(self):
        return Server(self.binary, self.data, **self.settings)

    def make_base(self):
        work = Work(1)
        server = Server(self.binary, self.base)
        try:
            work.set_up(server)
            check_store(server, work, self.base)
        finally:
            server.stop()
        return work

    def renew(self, known):
        """A server on a fresh copy of the base; the last one's folder is looked at once more."""
        if self.server:
            self.server.stop()
            self.server = self.start()
            check_store(self.server, self.work, self.data)
            self.server.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.base, self.data)
        self.server = self.start()
        self.work = Work(2).copy_of(known)

    def measure(self):
        """How many calls a loop has, and how many a start."""
        self.faults.lift()
        self.work.seed += 1
        for step in STEPS:
            getattr(self.work, step)(self.server)
        loop = self.faults.lift()[0]
        self.server.stop()
        self.faults.lift()
        self.server = self.start()
        return loop, self.faults.lift()[0]

    # one fault

    def do(self, steps):
        while steps:
            getattr(self.work, steps[0])(self.server)
            steps.pop(0)

    def loop_with(self, kind, number):
        steps = list(STEPS)
        self.work.seed += 1
        self.work.train_seconds = 3
        self.faults.set(number, *KINDS[kind])
        try:
            self.do(steps)
        except Late:
            pass  # its end cannot be written yet
        except Refused as refused:
            self.said += 1
            must(refused.status in STATUSES and len(refused.sentence) > 10, str(refused))
        self.work.predict(self.server)
        self.felt += self.faults.lift()[1] > 0
        self.work.train_seconds = 60
        self.wait_for_trainings()
        self.do(steps)
        check_events(self.server, self.work)
        check_endpoint(self.server, self.work)

    def wait_for_trainings(self):
        deadline = time.monotonic() + 20
        for run, status in self.work.trainings.items():
            while status == "RUNNING":
                status = self.server.get("GET", f"/api/v1/runs/{run}")["status"]
                self.work.trainings[run] = status
                must(time.monotonic() < deadline, f"training {run} never ends")
                time.sleep(0.05)

    def start_with(self, kind, number):
        self.server.stop()
        self.faults.set(number, *KINDS[kind])
        try:
            self.server = None
            self.server = self.start()
        except Down as down:
            self.said += 1
            must("could not" in str(down) or "the store says" in str(down), str(down))
        self.felt += self.faults.lift()[1] > 0
        if not self.server:
            self.server = self.start()
        check_store(self.server, self.work, self.data)

    def attempt(self, known, action, kind, number):
        if self.server is None or self.loops % LOOPS_PER_SERVER == 0:
            self.renew(known)
        self.loops += 1
        row = self.counts.setdefault((action, kind), [0, 0, 0, 0])
        before = self.felt, self.said
        try:
            getattr(self, action)(kind, number)
            self.passed += 1
            row[:3] = row[0] + 1, row[1] + self.felt - before[0], row[2] + self.said - before[1]
            return
        except (Broken, Down, Late, Refused) as problem:
            self.failed += 1
            row[0], row[3] = row[0] + 1, row[3] + 1
            print(f"{action}, {kind} at call {number}: {type(problem).__name__}: {problem}",
                  flush=True)
        self.faults.lift()
        if self.server:
            errors = self.server.kill()
            print(errors[-2000:], end="", flush=True)
        self.server = None
        self.loops = 0

    def walk(self, first, stride):
        """Each kind at every stride-th call; the kinds take turns at where they begin."""
        known = self.make_base()
        self.renew(known)
        loop, start = self.measure()
        self.calls = loop, start
        print(f"{loop} calls of a loop, {start} of a start", flush=True)
        for turn, kind in enumerate(KINDS):
            begin = first + turn * stride // len(KINDS)
            for number in range(begin, start + 1, stride):
                self.attempt(known, "start_with", kind, number)
            for number in range(begin, loop + 1, stride):
                self.attempt(known, "loop_with", kind, number)
        self.renew(known)

    def tell(self):
        print(f"{self.felt} faults felt, {self.said} said")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)

    def write_page(self, stride, seconds):
        page = Page("faults", "Failing disk writes",
                    "Every call that changes the disk fails once: a disk that stays full from that call "
                    "on, one EIO, one write torn in half. The server must refuse the change in a sentence "
                    "or not need the call, answer predictions throughout, and have all that it "
                    "acknowledged when the disk works again.")
        page.say(f"{self.calls[0]} calls of a loop (register data, train, promote) and {self.calls[1]} of "
                 f"a start; every {'one' if stride == 1 else f'{stride}th'} of them was tried, in "
                 f"{seconds / 60:.0f} minutes.")
        page.table(["where", "kind", "tried", "felt", "refused in a sentence", "failed"],
                   [[action.split("_")[0], kind, *row] for (action, kind), row in self.counts.items()])
        page.write()


def main():
    arguments = sys.argv[1:] + ["build/debug/slipway", "build/debug/fault.so"][len(sys.argv) - 1:]
    driver = Driver(*arguments)
    stride = int(os.environ.get("FAULT_STRIDE", "1"))
    began = time.monotonic()
    try:
        driver.walk(int(os.environ.get("FAULT_FIRST", "1")), stride)
        driver.write_page(stride, time.monotonic() - began)
        driver.tell()
    finally:
        driver.close()
    return 1 if driver.failed else 0


if __name__ == "__main__":
    sys.exit(main())
