#!/usr/bin/env python3
"""Let the clock on the wall jump in the middle of a pipeline and of a release, and look at how they end.

usage: clock.py [BINARY [LIBRARY]]      build/debug/slipway build/debug/fault.so

The pipeline and the releases are those of tools/crash_pipeline.py and tools/crash_release.py. At random moments the clock
of all that Slipway starts is put forward or back, by minutes, an hour, a month or ten years, and right again. Each must
end as it does without: no step lost, done twice or given up, no approval asked twice, each share of a canary held for
as long as it is to be, and the audit trail whole.

CLOCK_RUNS   how many pipelines, and how many of each release (20)
CLOCK_SEED   of the moments and jumps (1)

Writes docs/results/clock.md. The last line is "N passed, N failed".
"""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash_pipeline import Driver
from crash_release import TOO_SLOW, ReleaseDriver
from faults import Faults
from page import Page
from scenario import Server, must

MINUTE, HOUR, MONTH, YEAR = 60, 3600, 31 * 86400, 365 * 86400
# A month is longer than an approval waits: what is shown of one may expire by it, so releases jump by less.
JUMPS = {"pipeline": (5 * MINUTE, HOUR, MONTH, 10 * YEAR), "release": (5 * MINUTE, HOUR)}
PAUSE_SECONDS = (0.02, 0.7)
HOLD_SECONDS = 1  # of each share


class Jumper:
    """Puts the clock forward and back until it is to stop."""

    def __init__(self, faults, draw, jumps):
        self.faults, self.draw, self.jumps = faults, draw, jumps
        self.count = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.jump, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        self.faults.set_clock(0)

    def jump(self):
        while not self.stopped.wait(self.draw.uniform(*PAUSE_SECONDS)):
            self.faults.set_clock(self.draw.choice((0, 1, -1)) * self.draw.choice(self.jumps))
            self.count += 1


class Clocked:
    """One driver whose servers have a clock that jumps."""

    def __init__(self, what, driver, library, seed):
        self.what, self.driver = what, driver
        self.draw = random.Random(seed)
        self.faults = Faults(os.path.join(driver.folder, "control"))
        self.settings = {"LD_PRELOAD": os.path.abspath(library), "FAULT_CONTROL": self.faults.path}
        self.jumps = 0

    def once(self):
        driver = self.driver
        server = Server(driver.binary, driver.data, **self.settings)
        began = time.monotonic()
        try:
            with Jumper(self.faults, self.draw, JUMPS[self.what.split(",")[0]]) as jumper:
                run = driver.order(server)
                driver.wait(server, run)
            self.jumps += jumper.count
            seconds = time.monotonic() - began
            made = driver.look(server, run)
            must(made == driver.expected, f"it made something else: {made}")
            self.check_holds(server, run, seconds)
            server.get("GET", "/api/v1/audit/verify")
        except BaseException:
            server.kill()
            raise
        server.stop()

    def check_holds(self, server, run, seconds):
        steps = server.get("GET", f"/api/v1/pipeline-runs/{run}/steps")["steps"]
        held = [one for one in steps if "canary" in one["name"] and one["status"] == "succeeded"]
        must(seconds > len(held) * HOLD_SECONDS, f"{len(held)} shares were held within {seconds:.1f} s")

    def repeat(self, count):
        self.driver.undisturbed()
        for number in range(count):
            self.driver.attempt(lambda number=number: f"{self.what}, run {number}", self.once, again=False)


def write_page(clocked, seed, seconds):
    page = Page("clock", "Clocks that jump",
                "The clock on the wall of a server and its steps is put forward and back, by five minutes to ten years, "
                "while pipelines and releases run; each must end as it does without.")
    page.say(f"Seed {seed}, {seconds / 60:.0f} minutes.")
    page.table(["what", "runs", "jumps", "failed"],
               [[one.what, one.driver.passed + one.driver.failed, one.jumps, one.driver.failed] for one in clocked])
    page.write()


def main():
    arguments = sys.argv[1:] + ["build/debug/slipway", "build/debug/fault.so"][len(sys.argv) - 1:]
    count, seed = int(os.environ.get("CLOCK_RUNS", "20")), int(os.environ.get("CLOCK_SEED", "1"))
    began = time.monotonic()
    drivers = {"pipeline": Driver(arguments[0]), "release": ReleaseDriver(arguments[0]),
               "release, too slow": ReleaseDriver(arguments[0], TOO_SLOW)}
    clocked = []
    try:
        for what, driver in drivers.items():
            clocked.append(Clocked(what, driver, arguments[1], seed))
            clocked[-1].repeat(count)
        write_page(clocked, seed, time.monotonic() - began)
    finally:
        for driver in drivers.values():
            driver.close()
    failed = sum(driver.failed for driver in drivers.values())
    print(f"{sum(driver.passed for driver in drivers.values())} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
