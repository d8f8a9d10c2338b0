#!/usr/bin/env python3
"""Kill the server at every crash point and at random moments, and look at what is left.

usage: crash.py [BINARY]          build/debug/slipway: a build with crash points

A server does a loop of work: log a run, register data, train, promote, predict, roll back, deploy.
It is killed, starts again, and must have all that it acknowledged and nothing half-written, and a
webhook hears of each version that was acknowledged; then the step that was broken off is done again,
and the rest. See src/base/crash.h and tools/scenario.py.
Kills at random moments go on with the folder that they left: tools/crash_life.py.

CRASH_POINTS   how many passes of each point to kill at, spread evenly (3; 0: all)
CRASH_RANDOM   kills at random moments (2000)
CRASH_SEED     of those moments (1)

Prints a line for each kill that shows something broken, writes docs/results/crash.md, and says in
its last line "N passed, N failed".
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash_life import KILLS_PER_LIFE, Lives
from crash_points import passed_points
from page import Page
from scenario import Broken, Down, Late, Listener, Refused, Server, Work, check_store, must

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


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
        self.bases = {}  # name: folder
        self.ledgers = {}  # name of a base: what was acknowledged there
        self.lives = None
        self.listener = Listener()

    def close(self):
        self.listener.close()
        shutil.rmtree(self.folder)

    # where loops begin

    def make_bases(self):
        """An empty folder, one of the first schema, and one where a version serves."""
        self.bases = {"empty": None, "old": os.path.join(self.folder, "old")}
        os.mkdir(self.bases["old"])
        with open(os.path.join(ROOT, "src/store/schema/0001_access.sql")) as file:
            database = sqlite3.connect(os.path.join(self.bases["old"], "slipway.db"))
            database.executescript(file.read() + ";PRAGMA user_version = 1")
            database.close()
        work = Work(1)
        work.listener = self.listener
        self.make_base("used", work, ["subscribe", "set_up"])

    def make_base(self, name, work, steps):
        """A copy of the data folder after these steps."""
        server = Server(self.binary, self.data)
        try:
            for step in steps:
                getattr(work, step)(server)
            check_store(server, work, self.data)
        finally:
            server.stop() if server.process.poll() is None else None
        self.bases[name] = os.path.join(self.folder, name)
        self.ledgers[name] = work
        os.rename(self.data, self.bases[name])

    def begin(self, base):
        """A fresh copy of the base, and the ledger that fits."""
        shutil.rmtree(self.data, ignore_errors=True)
        if os.path.exists(self.log):
            os.remove(self.log)
        if self.bases[base]:
            shutil.copytree(self.bases[base], self.data)
        return Work(2).copy_of(self.ledgers[base]) if base in self.ledgers else Work(2)

    def names(self):
        return passed_points(self.log)

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

    def run_until_killed(self, work, base, settings):
        """Returns the steps that are still to do; the first was under way. A step in a child that
        dies is the server's to survive: then the server is killed a moment later."""
        steps = list(self.steps(base))
        try:
            server = Server(self.binary, self.data, **settings)
        except Down:
            return steps
        try:
            while steps:
                getattr(work, steps[0])(server)
                steps.pop(0)
            server.end()
        except (Down, Refused):
            pass
        finally:
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

    def killed_at(self, point):
        names = self.names()
        must(names and (isinstance(point, int) or point in names), f"point {point} was not passed")
        return names[-1] if isinstance(point, int) else point

    def kill_once(self, base, point):
        """At the pass of that number, or the first one of that name."""
        work = self.begin(base)
        at = f"point {point}"
        try:
            steps = self.run_until_killed(work, base, {"SLIPWAY_CRASH": str(point),
                                                       "SLIPWAY_CRASH_LOG": self.log})
            name = self.killed_at(point)
            at += f", {name}"
            self.reached[name] = self.reached.get(name, 0) + 1
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
                self.kill_once(base, number)

    def kill_at_names(self, base, names):
        """The first pass of each."""
        for name in names:
            self.kill_once(base, name)

    def kill_at_random(self, count, seed):
        """Those of one folder go on with what the kill before left."""
        self.begin("used")
        self.make_base("grown", Work(2).copy_of(self.ledgers["used"]), ["register", "train", "promote"])
        self.lives = Lives(self, self.binary, self.data, seed)
        self.lives.measure(self.begin("grown"))
        self.lives.kill(count)
        self.kills += self.lives.kills()
        self.failed += self.lives.failures()
        self.passed += self.lives.kills() - self.lives.failures()

    def tell(self):
        missed = source_points() - set(self.reached)
        print(f"{self.kills} kills; {len(self.reached)} of {len(source_points())} points reached")
        if missed:
            print("not reached: " + "; ".join(sorted(missed)))
        print(f"{self.passed} passed, {self.failed} failed", flush=True)

    def write_page(self, seed, seconds):
        page = Page("crash", "Kills",
                    "A server is killed, starts again by itself, and must have all that it acknowledged "
                    "and nothing half-written; what was broken off is done again.")
        page.say(f"{self.kills} kills in {seconds / 60:.0f} minutes: {self.failed} showed something "
                 "lost, half-written, or a server that did not start.")
        page.say(f"## At random moments\n\nSeed {seed}; {self.lives.count} data folders of up to "
                 f"{KILLS_PER_LIFE} kills one after the other. A second client logs metrics throughout. "
                 f"Each folder was looked at whole at its end ({self.lives.looked_at_all}).")
        page.table(["under way", "kills", "after the answer", "before the answer", "failed"],
                   self.lives.rows())
        page.say(f"## At crash points\n\n{len(self.reached)} of the {len(source_points())} points of "
                 "the source, at the first, the last and one pass between of each loop that passes it "
                 "(an empty folder, one of the first schema, one where a version serves).")
        page.table(["point", "kills"], sorted(self.reached.items()))
        page.write()


def main():
    driver = Driver(sys.argv[1] if len(sys.argv) > 1 else "build/debug/slipway")
    per_name = int(os.environ.get("CRASH_POINTS", "3"))
    seed = int(os.environ.get("CRASH_SEED", "1"))
    began = time.monotonic()
    try:
        driver.make_bases()
        for base in list(driver.bases):
            driver.kill_at_points(base, per_name)
        driver.kill_at_random(int(os.environ.get("CRASH_RANDOM", "2000")), seed)
        driver.write_page(seed, time.monotonic() - began)
        driver.tell()
    finally:
        driver.close()
    return 1 if driver.failed else 0


if __name__ == "__main__":
    sys.exit(main())
