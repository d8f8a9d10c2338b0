#!/usr/bin/env python3
"""Let disk writes of a pipeline fail, in the server and in the shims of its steps, and look at how it ends.

usage: faults_pipeline.py [BINARY [LIBRARY]]     build/debug/slipway build/debug/fault.so

The pipeline has three steps: one prints and makes a file, one a folder and metrics, one reads both. One after the other, each call that changes files fails, in one
place at a time: the server's store, the folders of attempts (logs, records, inputs), the artifacts (outs), and all of the
data folder. Two kinds of failure: a disk that is full from that call on until there is room again, and one EIO. The server
must stay up, and nothing may be done twice. With room again the run comes to its end by itself: it has succeeded, or it has
failed and says that the disk was full; then another run of the same files succeeds, with what was done taken from the cache.

FAULT_STRIDE   try every how manieth call (1)
FAULT_FIRST    the first one (1)

Writes docs/results/faults_pipeline.md. The last line is "N passed, N failed".
"""
import errno
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash_pipeline import NOTE, Driver
from faults import EVER, STATUSES, Faults
from page import Page
from scenario import Late, Refused, Server, must

# name: how many calls fail, with which errno, and what a run that failed for it says
KINDS = {
    "full disk": (EVER, errno.ENOSPC, ("No space left on device", "disk is full")),
    "EIO": (1, errno.EIO, ("Input/output error", "disk I/O error")),
}
PLACES = {"store": "slipway.db", "attempts": "attempts/", "artifacts": "artifacts/", "all of it": ""}
PIPELINE = """project: faulty
stages:
  first:
    cmd: {note}; echo "it says so"; cat in.txt > first.txt
    deps: [in.txt]
    outs: [first.txt]
  folder:
    cmd: {note}; mkdir all; cp first.txt all/a.txt; cp first.txt all/b.txt; echo "{{\\"lines\\":" $(wc -l < first.txt) "}}" > scores.json
    deps: [first.txt]
    outs: [all]
    metrics: [scores.json]
  last:
    cmd: {note}; cat first.txt all/a.txt > last.txt
    deps: [first.txt, all]
    outs: [last.txt]
"""
FULL_SECONDS = 1.2
FELT_SECONDS_MAX = 20


class FaultyPipeline(Driver):
    def __init__(self, binary, library):
        super().__init__(binary)
        self.faults = Faults(os.path.join(self.folder, "control"))
        self.library = os.path.abspath(library)
        self.counts = {}  # place and kind: [calls tried, felt, runs that succeeded, that failed and said why, wrong]

    def yaml(self):
        return PIPELINE.format(note=NOTE.format(effects=self.effects))

    def start(self, place):
        self.faults.set(0, 0, 0, 0)
        return Server(self.binary, self.data, LD_PRELOAD=self.library, FAULT_CONTROL=self.faults.path,
                      FAULT_FOLDER=os.path.join(self.data, PLACES[place]), FAULT_PROGRAM=os.path.basename(self.binary))

    def measure(self, place):
        """How many calls a run has there."""
        self.begin()
        server = self.start(place)
        try:
            self.faults.lift()
            self.expected = self.look(server, self.order(server))
            return self.faults.counts()[0]
        finally:
            server.stop()

    def order_or_not(self, server):
        """Whether it was taken; a refusal says why."""
        try:
            return self.order(server)
        except Refused as refused:
            must(refused.status in STATUSES and len(refused.sentence) > 10, str(refused))
            return None

    def wait_until_felt(self, server, run):
        deadline = time.monotonic() + FELT_SECONDS_MAX
        while self.faults.counts()[1] == 0:
            if run and server.get("GET", f"/api/v1/pipeline-runs/{run}")["ended_at"]:
                return
            if time.monotonic() > deadline:
                raise Late("the call does not come")
            time.sleep(0.01)

    def run_again(self, server, failed):
        """What had succeeded in the run that failed is not done again."""
        self.check_effects()
        done = [one["name"] for one in self.steps(server, failed) if one["status"] == "succeeded"]
        os.remove(self.effects) if os.path.exists(self.effects) else None
        run = self.order(server, key="again")
        self.wait(server, run)
        self.check_effects()
        steps = self.steps(server, run)
        must(all(one["status"] == "succeeded" for one in steps), f"the run after it: {steps}")
        must(all(one["cached_from"] for one in steps if one["name"] in done), f"{done} were done again")
        made = {out["path"]: out["digest"] for one in steps for out in one["outs"]}
        must(made == self.expected, f"it made something else: {made}")

    @staticmethod
    def steps(server, run):
        return server.get("GET", f"/api/v1/pipeline-runs/{run}/steps")["steps"]

    def once(self, place, kind, number, row):
        length, code, sentences = KINDS[kind]
        server = self.start(place)
        try:
            self.faults.set(number, length, code, 0)
            self.wait_until_felt(server, self.order_or_not(server))
            time.sleep(FULL_SECONDS if length == EVER else 0)
            row[1] += self.faults.lift()[1] > 0
            must(server.process.poll() is None, "the server is gone")
            run = self.order(server)
            shown = self.wait(server, run)
            row[2] += shown["status"] == "succeeded"
            if shown["status"] == "failed":
                must(any(one in shown["reason"] for one in sentences), f"the run failed: {shown['reason']}")
                row[3] += 1
                self.run_again(server, run)
            else:
                made = self.look(server, run)
                must(made == self.expected, f"it made something else: {made}")
            server.get("GET", "/api/v1/audit/verify")
        except BaseException:
            self.faults.lift()
            print(server.kill()[-2000:], end="", flush=True)
            raise
        server.stop()

    def fail_at(self, place, kind, number):
        row, failed = self.counts.setdefault((place, kind), [0, 0, 0, 0, 0]), self.failed
        self.attempt(lambda: f"{place}, {kind} at call {number}", lambda: self.once(place, kind, number, row), again=False)
        row[0], row[4] = row[0] + 1, row[4] + self.failed - failed

    def walk(self, places, choose):
        """choose(calls): the numbers of those that fail."""
        for place in places:
            calls = self.measure(place)
            print(f"{place}: {calls} calls", flush=True)
            for kind in KINDS:
                for number in choose(calls):
                    self.fail_at(place, kind, number)

    def write_page(self, stride, seconds):
        page = Page("faults_pipeline", "Failing disk writes in a pipeline",
                    "A run of three steps; calls that change files fail, in the server and in the shims of its steps: a disk that "
                    f"is full from that call on for {FULL_SECONDS} s, or one EIO. The server must stay up, no attempt may do its "
                    "work twice, and with room again the run ends by itself: well, or saying that the disk was full.", "faults")
        page.say(f"Every {'one' if stride == 1 else f'{stride}th'} of the calls was tried, in {seconds / 60:.0f} minutes.")
        page.table(["where", "kind", "tried", "felt", "run succeeded", "run failed and said why", "wrong"],
                   [[place, kind, *row] for (place, kind), row in self.counts.items()])
        page.write()


def main():
    arguments = sys.argv[1:] + ["build/debug/slipway", "build/debug/fault.so"][len(sys.argv) - 1:]
    driver = FaultyPipeline(*arguments)
    first, stride = int(os.environ.get("FAULT_FIRST", "1")), int(os.environ.get("FAULT_STRIDE", "1"))
    began = time.monotonic()
    try:
        driver.walk(PLACES, lambda calls: range(first, calls + 1, stride))
        driver.write_page(stride, time.monotonic() - began)
    finally:
        driver.close()
    print(f"{driver.passed} passed, {driver.failed} failed", flush=True)
    return 1 if driver.failed else 0


if __name__ == "__main__":
    sys.exit(main())
