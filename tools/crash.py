#!/usr/bin/env python3
"""Kill the server at every crash point and at random moments, and look at what is left.

usage: crash.py [BINARY]          build/debug/slipway: a build with crash points

A server does a loop of work: log a run, register data, train, promote, predict, roll back, deploy.
It is killed, starts again, and must have all that it acknowledged and nothing half-written; then the
step that was broken off is done again, and the rest. See src/base/crash.h and tools/scenario.py.

CRASH_POINTS   how many passes of each point to kill at, spread evenly (3; 0: all)
CRASH_RANDOM   kills at random moments (20)
CRASH_SEED     of those moments (1)

Prints a line for each kill that shows something broken, which points were reached, and as its last
line "N passed, N failed".
"""
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scenario import Broken, Down, Late, Refused, Server, Work, check_store, must

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
LINE_BYTES = 64


def source_points():
    found = subprocess.run(["grep", "-rhoE", r'CRASH_POINT\("[^"]+"\)', "src", "--include=*.c"],
                           cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r'"([^"]+)"', found))


class Driver:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.mkdtemp(prefix="slipway-crash-")
        self.log = os.path.join(self.folder, "log")
        self.data = os.path.join(self.folder, "data")
        self.passed = self.failed = self.kills = 0
        self.reached = {}  # name: kills at it
        self.bases = {}  # name: folder and a function that makes its ledger

    def close(self):
        shutil.rmtree(self.folder)

    # where loops begin

    def make_bases(self):
        """An empty folder, one of the first schema, and one where a version serves."""
        used = os.path.join(self.folder, "used")
        work = Work(1)
        server = Server(self.binary, used)
        try:
            work.set_up(server)
            check_store(server, work, used)
        finally:
            server.stop() if server.process.poll() is None else None
        old = os.path.join(self.folder, "old")
        os.mkdir(old)
        with open(os.path.join(ROOT, "src/store/schema/0001_access.sql")) as file:
            database = sqlite3.connect(os.path.join(old, "slipway.db"))
            database.executescript(file.read() + ";PRAGMA user_version = 1")
            database.close()
        self.bases = {"empty": None, "old": old, "used": used}
        self.known = work

    def begin(self, base):
        """A fresh copy of the base, and the ledger that fits."""
        shutil.rmtree(self.data, ignore_errors=True)
        if os.path.exists(self.log):
            os.remove(self.log)
        if self.bases[base]:
            shutil.copytree(self.bases[base], self.data)
        work = Work(2)
        if base == "used":
            for name in "runs", "trainings", "versions", "packages", "events":
                setattr(work, name, dict(getattr(self.known, name)))
            work.live = self.known.live
        return work

    def names(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as file:
            text = file.read()
        return [text[i:i + LINE_BYTES].rstrip() for i in range(0, len(text), LINE_BYTES)]

    # one loop

    def steps(self, base):
        return Work.STEPS if base == "used" else ["set_up"]

    def list_points(self, base):
        """The points that a loop passes when nothing kills it."""
        work = self.begin(base)
        server = Server(self.binary, self.data, SLIPWAY_CRASH_LOG=self.log)
        try:
            for step in self.steps(base):
                getattr(work, step)(server)
        finally:
            server.stop()
        return self.names()

    def run_until_killed(self, work, base, settings, moment):
        """Returns the steps that are still to do; the first was under way. A step in a child that
        dies is the server's to survive: then the server is killed a moment later."""
        steps = list(self.steps(base))
        try:
            server = Server(self.binary, self.data, **settings)
        except Down:
            return steps
        timer = threading.Timer(moment, server.process.kill) if moment is not None else None
        if timer:
            timer.start()
        try:
            while steps:
                getattr(work, steps[0])(server)
                steps.pop(0)
            server.end()
        except (Down, Refused):
            pass
        finally:
            if timer:
                timer.join()
            errors = server.kill()
        must("Sanitizer" not in errors, errors)
        return steps

    def again(self, work, steps):
        server = Server(self.binary, self.data)
        try:
            check_store(server, work, self.data)
            for step in steps:
                getattr(work, step)(server)
            check_store(server, work, self.data)
        except BaseException:
            server.kill()
            raise
        server.stop()

    def kill_once(self, base, label, moment=None, **settings):
        work = self.begin(base)
        at = label
        try:
            steps = self.run_until_killed(work, base, settings, moment)
            names = self.names()
            if moment is None:
                at = f"{label}, {names[-1] if names else 'no point'}"
                self.reached[names[-1]] = self.reached.get(names[-1], 0) + 1
            self.again(work, steps)
        except (Broken, Down, Late, Refused) as problem:
            self.failed += 1
            print(f"{base}, {at}: {type(problem).__name__}: {problem}", flush=True)
        else:
            self.passed += 1
        self.kills += 1

    # many

    def kill_at_points(self, base, per_name):
        """per_name passes of each point, the first and the last among them; 0: all."""
        passes = {}
        for number, name in enumerate(self.list_points(base), 1):
            passes.setdefault(name, []).append(number)
        for name, numbers in passes.items():
            if per_name and len(numbers) > per_name:
                last = max(1, per_name - 1)
                numbers = sorted({numbers[i * (len(numbers) - 1) // last] for i in range(per_name)})
            for number in numbers:
                self.kill_once(base, f"point {number}", SLIPWAY_CRASH=str(number),
                               SLIPWAY_CRASH_LOG=self.log)

    def kill_at_names(self, base, names):
        """The first pass of each."""
        passed = self.list_points(base)
        for name in names:
            self.kill_once(base, f"point {passed.index(name) + 1}", SLIPWAY_CRASH_LOG=self.log,
                           SLIPWAY_CRASH=str(passed.index(name) + 1))

    def kill_at_random(self, count, seed):
        draw = random.Random(seed)
        began = time.monotonic()
        self.list_points("used")
        whole = time.monotonic() - began
        for _ in range(count):
            moment = draw.random() * whole
            self.kill_once("used", f"after {moment:.3f} s", moment=moment)

    def tell(self):
        missed = source_points() - set(self.reached)
        print(f"{self.kills} kills; {len(self.reached)} of {len(source_points())} points reached")
        if missed:
            print("not reached: " + "; ".join(sorted(missed)))
        print(f"{self.passed} passed, {self.failed} failed", flush=True)


def main():
    driver = Driver(sys.argv[1] if len(sys.argv) > 1 else "build/debug/slipway")
    per_name = int(os.environ.get("CRASH_POINTS", "3"))
    try:
        driver.make_bases()
        for base in driver.bases:
            driver.kill_at_points(base, per_name)
        driver.kill_at_random(int(os.environ.get("CRASH_RANDOM", "20")),
                              int(os.environ.get("CRASH_SEED", "1")))
        driver.tell()
    finally:
        driver.close()
    return 1 if driver.failed else 0


if __name__ == "__main__":
    sys.exit(main())
