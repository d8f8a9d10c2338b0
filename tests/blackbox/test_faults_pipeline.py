#!/usr/bin/env python3
"""Some disk writes of a pipeline fail; see tools/faults_pipeline.py for all of them.

The library that makes them fail cannot share a process with a sanitizer: this takes the release build, and makes it where
it is missing.
"""
import errno
import hashlib
import os
import signal
import subprocess
import sys
import time

import harness
from harness import SlipwayTest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from faults import EVER, STATUSES, Faults  # noqa: E402
from faults_pipeline import FaultyPipeline  # noqa: E402

SECONDS_MAX = 60
FULL_SECONDS = 2.5
DISK_MIB = 96  # uploads leave 64 to the store


class FullDiskTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "full")
        self.told = os.path.join(self.folder, "told")
        self.faults = Faults(os.path.join(self.folder, "control"))
        os.makedirs(self.project)

    def serve(self, place):
        self.server, self.port = self.start(LD_PRELOAD=LIBRARY, FAULT_CONTROL=self.faults.path,
                                            FAULT_FOLDER=os.path.join(self.data, place), FAULT_PROGRAM="slipway")

    def begin(self, command, rest=""):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(f"project: full\nstages:\n  one:\n    cmd: {command}\n{rest}")
        return self.command("pipeline", "run", "--no-wait", folder=self.project).strip()

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def wait_for_run(self, run_id):
        self.wait_until(lambda: self.expect(200, self.port, f"/api/v1/pipeline-runs/{run_id}")[1]["ended_at"])
        shown = self.expect(200, self.port, f"/api/v1/pipeline-runs/{run_id}")[1]
        return shown["status"], shown["reason"]

    def attempts(self, run_id):
        shown = self.expect(200, self.port, f"/api/v1/pipeline-runs/{run_id}/steps/one")[1]
        return [one["status"] for one in shown["attempts"]]

    def tell(self, word):
        with open(self.told, "a") as file:
            file.write(word + "\n")

    def fill(self):
        self.faults.set(1, EVER, errno.ENOSPC, 0)


class FaultsTest(FullDiskTest):
    def test_at_some_calls(self):
        driver = FaultyPipeline(harness.SLIPWAY, LIBRARY)
        try:
            driver.walk(("attempts", "artifacts", "store"), lambda calls: (calls * 2 // 3,))
        finally:
            driver.close()
        self.assertEqual((driver.passed, driver.failed), (6, 0))

    def test_a_log_says_where_output_is_missing_and_the_step_goes_on(self):
        self.serve("attempts/")
        wait = "until grep -q %s " + self.told + "; do sleep 0.02; done; "
        self.tell("begin")
        run_id = self.begin(f"echo before; {wait % 'full'} echo lost; {wait % 'room'} echo after")
        self.wait_until(lambda: self.command("pipeline", "log", "full", "one") == "before\n")
        self.fill()
        self.tell("full")
        self.wait_until(lambda: self.faults.counts()[1] > 0)
        self.faults.lift()
        self.tell("room")
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
        self.assertEqual(self.command("pipeline", "log", "full", "one"),
                         "before\n\nslipway: output is missing here: No space left on device\nafter\n")

    def test_what_a_step_made_waits_for_room_and_is_not_made_again(self):
        self.serve("")
        noted = os.path.join(self.folder, "noted")
        run_id = self.begin(f"echo made >> {noted}; echo made > made.txt; until test -e {self.told}; do sleep 0.02; done",
                            "    outs: [made.txt]\n")
        self.wait_until(lambda: os.path.exists(noted))
        self.fill()
        self.tell("full")
        time.sleep(FULL_SECONDS)
        self.assertIsNone(self.server.poll())
        self.expect(200, self.port, "/healthz")
        self.faults.lift()
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
        self.assertEqual(self.attempts(run_id), ["succeeded"])
        with open(noted) as file:
            self.assertEqual(file.read(), "made\n")

    def test_a_step_that_finds_no_room_begins_when_there_is(self):
        self.serve("attempts/")
        self.fill()
        run_id = self.begin("echo done > made.txt", "    outs: [made.txt]\n")
        time.sleep(FULL_SECONDS)
        self.faults.lift()
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))

    def test_a_disk_that_does_not_work_is_the_reason_of_the_end(self):
        self.serve("artifacts/")
        run_id = self.begin(f"echo done > made.txt; echo > {self.told}; sleep 0.5", "    outs: [made.txt]\n")
        self.wait_until(lambda: os.path.exists(self.told))
        self.faults.set(1, EVER, errno.EIO, 0)
        status, reason = self.wait_for_run(run_id)
        self.faults.lift()
        self.assertEqual(status, "failed")
        self.assertRegex(reason, r'^step "one": could not .*: Input/output error$')


class SmallDiskTest(FullDiskTest):
    """A disk that is full in earnest, also for what no library sees: pages that are mapped, what the C library writes."""

    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.folder, "disk")
        self.data = os.path.join(self.disk, "data")
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", self.disk], capture_output=True,
                                 text=True, check=False)
        if mounted.returncode != 0:
            print(f"SKIP {self.id()}: {mounted.stderr.strip()}")
            self.skipTest(mounted.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)

    def tearDown(self):
        """The folder can go when nothing is on it any more."""
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=SECONDS_MAX)
            self.assertEqual(server.returncode, 0)
        self.servers = []
        subprocess.run(["umount", "-l", self.disk], check=True)
        self._cleanups.clear()
        super().tearDown()

    def fill(self):
        with open(os.path.join(self.disk, "filler"), "wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def test_a_run_ends_well_after_a_disk_was_full(self):
        self.server, self.port = self.start()
        noted = os.path.join(self.folder, "noted")
        run_id = self.begin(f"echo made >> {noted}; head -c 3000000 /dev/zero > made; until test -e {self.told}; "
                            "do sleep 0.02; done; echo said", "    outs: [made]\n  two:\n    cmd: cp made copy\n"
                            "    deps: [made]\n    outs: [copy]\n")
        made = os.path.join(self.data, "attempts", f"{run_id}-0-1", "work", "made")
        self.wait_until(lambda: os.path.exists(made) and os.path.getsize(made) == 3000000)
        self.fill()
        self.tell("full")
        time.sleep(FULL_SECONDS)
        self.assertIsNone(self.server.poll())
        answer, refused = self.ask(self.port, "/api/v1/artifacts/" + hashlib.sha256(bytes(100000)).hexdigest(), "PUT",
                                   bytes(100000))
        self.assertIn(answer.status, STATUSES)
        self.assertIn("No space left on device", refused["error"]["message"])
        os.remove(os.path.join(self.disk, "filler"))
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
        self.assertEqual(self.attempts(run_id), ["succeeded"])
        with open(noted) as file:
            self.assertEqual(file.read(), "made\n")


if __name__ == "__main__":
    harness.SLIPWAY, LIBRARY = harness.build_faults()
    run(FaultsTest, SmallDiskTest)
