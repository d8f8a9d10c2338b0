#!/usr/bin/env python3
"""Let the server's allocations fail, one after the other, and look at what it does.

usage: memory.py [BINARY [LIBRARY]]     build/debug/slipway build/debug/fault.so

By design Slipway's own code ends the process at once, with one sentence, when memory is refused;
libraries may return an error instead. So for each allocation of a start and of each step (log a run
and send a file, register data, train, promote, roll back, deploy, predict), of which one fails or
all from that one on: the request is refused with a sentence and the server goes on, or it ends by
abort with "slipway: out of memory"; then, once memory is there again, the server (started again)
has all that was acknowledged and nothing half-written. Allocations of the steps that the server
starts fail as well: then the server must survive. See tests/faults/fault.c and tools/scenario.py.

MEMORY_STRIDE   try every how manieth allocation of the server (5)
MEMORY_STEPS    how many of each step that runs in a process of its own (100)
MEMORY_SEED     where they begin (1)

Writes docs/results/memory.md; the last line is "N passed, N failed".
"""
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenario
from faults import EVER, Driver as FaultDriver
from page import Page
from scenario import Broken, Down, Late, Refused, check_store, must

ATTEMPTS_PER_FOLDER = 40
ANSWER_SECONDS_MAX = 20
END_SECONDS_MAX = 5
LAST_WORDS = "slipway: out of memory"
# What a start that libraries could not get memory for may say: of malloc, of ld.so, of pthread_create, of SQLite.
START_SENTENCES = ("memory", "cannot create shared object descriptor", "could not start the thread", "disk i/o error")
KINDS = {"one": 1, "all from there on": EVER}
STEPS = ["log_run", "register", "train", "roll_back", "promote", "deploy", "predict"]
CHILD_STEPS = ["register", "train", "promote"]


class Driver(FaultDriver):
    def __init__(self, binary, library):
        super().__init__(binary, library)
        scenario.SECONDS_MAX = ANSWER_SECONDS_MAX
        self.rows = {}  # where and kind: [tried, felt, worked, refused, ended, failed]
        self.sizes = {}  # where: allocations when nothing fails

    # a folder, the state that a step needs

    def renew(self, known):
        if self.server:
            self.work.checked, self.work.may_litter = None, False
        super().renew(known)
        self.work.checked, self.work.may_litter = set(), True
        self.work.seed = 1000 + self.loops
        for step in "register", "train", "promote":
            getattr(self.work, step)(self.server)

    def prepare(self, step):
        """What must be so before this step does something."""
        newest = max(self.work.packages)
        if step in ("promote", "deploy") and self.work.live == newest:
            if not self.work.previous:
                self.work.train(self.server)
            else:
                self.work.roll_back(self.server)
        elif step == "roll_back" and not self.work.previous:
            if self.work.live == newest:
                self.work.train(self.server)
            self.work.deploy(self.server)
        self.work.seed += 1

    def measure_steps(self):
        for step in STEPS:
            self.prepare(step)
            for in_steps in (0, 1):
                if in_steps and step not in CHILD_STEPS:
                    continue
                if in_steps:
                    self.prepare(step)
                self.faults.set_memory(0, 0, in_steps)
                getattr(self.work, step)(self.server)
                self.sizes[step, in_steps] = self.faults.memory_counts()[0]
        self.server.stop()
        self.faults.set_memory(0, 0)
        self.server = self.start()
        self.sizes["start", 0] = self.faults.memory_counts()[0]

    # one failure

    def try_step(self, step):
        began = time.monotonic()
        try:
            getattr(self.work, step)(self.server)
            return "worked"
        except Refused as refused:
            by_gate = refused.status == 409 and refused.sentence.startswith("not promoted")
            must((refused.status in (500, 503, 507) or by_gate) and len(refused.sentence) > 10,
                 str(refused))
            return "refused"
        except Down:
            must(time.monotonic() - began < ANSWER_SECONDS_MAX - 1, "no answer, and no end")
            return "down"

    def is_gone(self):
        """Whether the server has ended, as it may: by abort, with its last words."""
        try:
            self.server.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return False
        check_end(self.server)
        return True

    def step_with(self, step, number, length, in_steps):
        self.prepare(step)
        self.faults.set_memory(number, length, in_steps)
        outcome = self.try_step(step)
        felt = self.faults.memory_counts()[1] > 0
        self.faults.set_memory(0, 0)
        ended = False
        if outcome == "down" or self.server.process.poll() is not None:
            ended = self.is_gone()
            must(not (ended and in_steps), "the server ended with a step of its own")
        if ended:
            self.server = None
            self.server = self.start()
            outcome = "ended"
        elif outcome == "down":
            outcome = "refused"  # its connection was closed, and the next one is answered
        self.wait_for_trainings()
        if outcome != "worked":
            check_store(self.server, self.work, self.data)
            getattr(self.work, step)(self.server)
        check_store(self.server, self.work, self.data)
        return felt, outcome

    def readiness(self):
        """The status; None when the server has ended, or does so now: what a thread of the background was refused
        may end it a moment after it has said where it is."""
        if self.server.process.poll() is not None:
            return None
        try:
            return self.server.ask("GET", "/readyz")[0]
        except Down:
            self.server.process.wait(END_SECONDS_MAX)
            return None

    def start_with(self, _step, number, length, _in_steps):
        self.server.stop()
        self.server = None
        self.faults.set_memory(number, length)
        outcome = "worked"
        try:
            self.server = self.start()
        except Down as down:
            outcome = "ended" if LAST_WORDS in str(down) else "refused"
            must(outcome == "ended" or any(one in str(down).lower() for one in START_SENTENCES), str(down))
        felt = self.faults.memory_counts()[1] > 0
        self.faults.set_memory(0, 0)
        status = self.server and self.readiness()
        if self.server and status is None:
            check_end(self.server)
            self.server, outcome = None, "ended"
        if self.server and status == 503:
            self.server.stop()  # it says that a model could not be loaded
            self.server, outcome = None, "refused"
        if not self.server:
            self.server = self.start()
        check_store(self.server, self.work, self.data)
        return felt, outcome

    def attempt_at(self, known, where, kind, number):
        step, in_steps = where
        if self.server is None or self.loops % ATTEMPTS_PER_FOLDER == 0:
            self.renew(known)
        self.loops += 1
        row = self.rows.setdefault((where, kind), dict.fromkeys(
            ["tried", "felt", "worked", "refused", "ended", "failed"], 0))
        row["tried"] += 1
        act = self.start_with if step == "start" else self.step_with
        try:
            felt, outcome = act(step, number, KINDS[kind], in_steps)
            row["felt"] += felt
            row[outcome] += 1
            self.passed += 1
        except (Broken, Down, Late, Refused, subprocess.TimeoutExpired) as problem:
            row["failed"] += 1
            self.failed += 1
            self.tell_failure(f"{name_of(where)}, {kind} at allocation {number}", problem)

    def tell_failure(self, what, problem):
        print(f"{what}: {type(problem).__name__}: {str(problem)[:1500]}", flush=True)
        self.faults.set_memory(0, 0)
        if self.server:
            if self.server.process.poll() is None:
                self.server.kill()
            elif not self.server.process.stderr.closed:
                print(self.server.process.communicate()[1][-1500:], flush=True)
        self.server = None

    # many

    def places(self, stride, per_child, seed):
        """Where and at which allocation; the server's own by the stride, those of a step spread
        over its whole length."""
        draw = random.Random(seed)
        for where, size in self.sizes.items():
            step = max(1, size // per_child) if where[1] else stride
            for number in range(1 + draw.randrange(step), size + 1, step):
                yield where, number

    def walk_memory(self, stride, per_child, seed):
        """The kinds take turns."""
        known = self.make_base()
        self.renew(known)
        self.measure_steps()
        kinds = list(KINDS)
        for turn, (where, number) in enumerate(self.places(stride, per_child, seed)):
            self.attempt_at(known, where, kinds[turn % len(kinds)], number)
        if self.server:
            self.renew(known)
            self.server.stop()
            self.server = None

    def write_page(self, stride, per_child, seed, seconds):
        page = Page("memory", "Failing allocations",
                    "malloc, calloc, realloc and mmap fail, once or from one call on. The request is "
                    "refused with a sentence, or the process ends at once by abort with "
                    f"\"{LAST_WORDS}\"; then all that was acknowledged is there and nothing is "
                    "half-written.")
        page.say(f"Every {stride}th allocation of the server and {per_child} of each step in a process of "
                 f"its own, seed {seed}, {seconds / 60:.0f} minutes.")
        page.table(["where", "allocations", "which fail", "tried", "felt", "worked all the same", "refused",
                    "the server ended", "failed"],
                   [[name_of(where), self.sizes[where], kind, *row.values()]
                    for (where, kind), row in self.rows.items()])
        page.write()


def name_of(where):
    return f"{where[0]}{', in its step' if where[1] else ''}"


def check_end(server):
    errors = server.process.communicate()[1]
    must(server.process.returncode == -signal.SIGABRT and errors.rstrip().endswith(LAST_WORDS),
         f"it ended with {server.process.returncode}: {errors[-1500:]}")


def main():
    arguments = sys.argv[1:] + ["build/debug/slipway", "build/debug/fault.so"][len(sys.argv) - 1:]
    driver = Driver(*arguments)
    stride = int(os.environ.get("MEMORY_STRIDE", "5"))
    per_child = int(os.environ.get("MEMORY_STEPS", "100"))
    seed = int(os.environ.get("MEMORY_SEED", "1"))
    began = time.monotonic()
    try:
        driver.walk_memory(stride, per_child, seed)
        driver.write_page(stride, per_child, seed, time.monotonic() - began)
        print(f"{driver.passed} passed, {driver.failed} failed", flush=True)
    finally:
        driver.close()
    return 1 if driver.failed else 0


if __name__ == "__main__":
    sys.exit(main())
