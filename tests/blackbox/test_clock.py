#!/usr/bin/env python3
"""The clock on the wall jumps, forward and back, by an hour or by years, while things wait for a time. tools/clock.py lets
it jump in the middle of whole pipelines and releases.

The library that moves the clock cannot share a process with a sanitizer: this takes the release build, and makes it where
it is missing.
"""
import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone

import harness
from harness import JSON_TYPE, SlipwayTest, run
from receiver import Receiver, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from faults import Faults  # noqa: E402

HOUR = 3600
YEAR = 365 * 24 * HOUR
SECONDS_MAX = 30
DEPLOY = """project: jumps
stages:
  deploy: {cmd: echo deployed >> %s, environment: production}
"""
TICKS = """project: jumps
stages: {tick: {cmd: 'true', always_changed: true}}
on: {schedule: [{cron: "%s", missed: %s}]}
"""


class ClockTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.noted = os.path.join(self.folder, "noted")
        self.project = os.path.join(self.folder, "jumps")
        os.makedirs(self.project)
        self.faults = Faults(os.path.join(self.folder, "control"))

    def serve(self, *options):
        self.server, self.port = self.start(*options, LD_PRELOAD=LIBRARY, FAULT_CONTROL=self.faults.path)

    def jump(self, seconds):
        self.faults.set_clock(seconds)

    def put(self, text):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(text)

    def begin(self, text):
        self.put(text)
        return self.command("pipeline", "run", "--no-wait", folder=self.project).strip()

    def get(self, path, status=200, **more):
        return self.expect(status, self.port, path, **more)[1]

    def step(self, run_id):
        return self.get(f"/api/v1/pipeline-runs/{run_id}/steps")["steps"][0]

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def wait_until_held(self, run_id):
        self.wait_until(lambda: (self.step(run_id)["reason"] or "").startswith("waits "))

    def wait_for_run(self, run_id):
        self.wait_until(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"])
        shown = self.get(f"/api/v1/pipeline-runs/{run_id}")
        return shown["status"], shown["reason"]

    def said(self):
        if not os.path.exists(self.noted):
            return []
        with open(self.noted) as file:
            return file.read().splitlines()

    def rules(self, **rules):
        self.get("/api/v1/environments/production", method="PUT", body=json.dumps(rules), headers=JSON_TYPE)

    # steps

    def test_a_step_at_work_is_neither_given_up_nor_ended_nor_done_again(self):
        self.serve()
        run_id = self.begin(f"project: jumps\nstages:\n  slow:\n    cmd: echo begun >> {self.noted}; sleep 3; "
                            f"echo done >> {self.noted}\n    timeout-minutes: 1\n")
        self.wait_until(lambda: self.said() == ["begun"])
        for seconds in (HOUR, -HOUR, 10 * YEAR, -10 * YEAR, 0):
            self.jump(seconds)
            time.sleep(0.4)
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
        self.assertEqual((self.said(), self.step(run_id)["attempts"]), (["begun", "done"], 1))
        self.get("/api/v1/audit/verify")

    def test_a_step_that_is_to_be_tried_again_waits_no_longer(self):
        for seconds in (-HOUR, -10 * YEAR):
            with self.subTest(seconds):
                self.jump(0)
                self.serve()
                run_id = self.begin(f"project: jumps\nstages:\n  shaky:\n    cmd: echo $SLIPWAY_ATTEMPT >> {self.noted}; "
                                    "test $SLIPWAY_ATTEMPT -ge 2\n    retries: {max: 1, backoff: 2s}\n    always_changed: true\n")
                self.wait_until(lambda: self.step(run_id)["status"] == "ready" and self.step(run_id)["attempts"] == 1)
                self.jump(seconds)
                self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
                self.assertEqual(self.said(), ["1", "2"])
                os.remove(self.noted)
                self.stop(self.server)

    def test_nor_when_the_clock_is_put_back_while_no_server_runs(self):
        self.serve()
        run_id = self.begin("project: jumps\nstages:\n  shaky:\n    cmd: test $SLIPWAY_ATTEMPT -ge 2\n"
                            "    retries: {max: 1, backoff: 5s}\n")
        self.wait_until(lambda: self.step(run_id)["status"] == "ready" and self.step(run_id)["attempts"] == 1)
        self.stop(self.server)
        self.jump(-YEAR)
        self.serve()
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))

    # environments

    def test_a_window_is_looked_at_again_by_the_clock_that_was_put_right(self):
        now = datetime.now(timezone.utc)
        begin, end = now - timedelta(hours=2), now + timedelta(hours=2)
        self.serve()
        self.rules(approvals=0, windows=[f"daily {begin:%H:%M}-{end:%H:%M}"])
        self.jump(YEAR + 12 * HOUR)
        run_id = self.begin(DEPLOY % self.noted)
        self.wait_until_held(run_id)
        self.assertEqual(self.said(), [])
        self.jump(0)
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
        self.assertEqual(self.said(), ["deployed"])

    def approval(self, run_id):
        self.wait_until_held(run_id)
        listed = self.get(f"/api/v1/approvals?pipeline_run_id={run_id}")["approvals"]
        return self.get(f"/api/v1/approvals/{listed[0]['id']}")

    def decide(self, approval, status):
        answer = {"approved": True, "comment": "looked at it", "digest": approval["digest"]}
        return self.get(f"/api/v1/approvals/{approval['id']}/decide", status, method="POST", body=json.dumps(answer),
                        headers=JSON_TYPE)

    def test_an_approval_that_has_expired_stays_so(self):
        self.serve()
        run_id = self.begin(DEPLOY % self.noted)
        approval = self.approval(run_id)
        self.jump(YEAR)
        self.wait_until(lambda: self.get(f"/api/v1/approvals/{approval['id']}")["status"] == "expired")
        status, reason = self.wait_for_run(run_id)
        self.assertIn("has expired", reason)
        for seconds in (0, -YEAR):
            self.jump(seconds)
            self.assertEqual(self.get(f"/api/v1/approvals/{approval['id']}")["status"], "expired")
            self.assertEqual(self.decide(approval, 409)["error"]["message"], f"approval {approval['id']} has expired")
        self.assertEqual((status, self.said()), ("failed", []))

    def test_nor_does_one_come_back_whose_step_finds_no_room(self):
        """All slots are taken, so nobody looks at the step that waits."""
        self.serve("--steps", "1")
        run_id = self.begin(DEPLOY % self.noted)
        approval = self.approval(run_id)
        hold = os.path.join(self.folder, "hold")
        with open(hold, "w"):
            pass
        self.begin(f"project: other\nstages:\n  busy:\n    cmd: echo busy >> {self.noted}; while test -e {hold}; do sleep 0.02; done\n")
        self.wait_until(lambda: self.said() == ["busy"])
        self.jump(YEAR)
        try:
            self.wait_until(lambda: "approval.expired" in [
                one["action"] for one in self.get("/api/v1/audit?action=approval.")["events"]])
        finally:
            os.remove(hold)
        self.jump(0)
        self.decide(approval, 409)
        self.assertIn("has expired", self.wait_for_run(run_id)[1])

    def test_an_approval_that_waits_is_given_once_whatever_the_clock_says(self):
        self.serve()
        run_id = self.begin(DEPLOY % self.noted)
        approval = self.approval(run_id)
        self.jump(-10 * YEAR)
        time.sleep(0.5)
        self.decide(approval, 200)
        self.assertEqual(self.wait_for_run(run_id), ("succeeded", None))
        self.decide(approval, 409)
        self.assertEqual(self.said(), ["deployed"])

    # schedules

    def runs(self):
        listed = self.get("/api/v1/pipelines/jumps/runs")["pipeline_runs"]
        return [one["origin"]["cause"] for one in listed[::-1]]

    def to(self, hour, minute, second):
        """The clock on the wall, to this time of the day after tomorrow."""
        now = datetime.now(timezone.utc)
        then = (now + timedelta(days=2)).replace(hour=hour, minute=minute, second=second)
        self.jump(int((then - now).total_seconds()))

    def test_a_minute_starts_one_run_however_often_it_comes(self):
        self.to(3, 58, 50)
        self.serve()
        self.put(TICKS % ("0 4 * * *", "latest"))
        self.command("up", folder=self.project)
        self.to(3, 59, 58)
        self.wait_until(lambda: len(self.runs()) == 1)
        for times in ((3, 59, 58), (5, 0, 0), (3, 0, 0), (3, 59, 58), (4, 0, 30)):
            self.to(*times)
            time.sleep(2.5)
        self.assertEqual(len(self.runs()), 1, self.runs())
        self.to(3, 59, 0)
        self.jump(self.faults.ahead_seconds + 24 * HOUR)
        time.sleep(1.5)
        self.to(4, 10, 0)
        self.jump(self.faults.ahead_seconds + 24 * HOUR)
        self.wait_until(lambda: len(self.runs()) == 2)

    def test_the_minutes_of_a_jump_are_made_up_for_by_the_rule(self):
        self.to(3, 58, 50)
        self.serve()
        self.put(TICKS % ("*/10 * * * *", "all"))
        self.command("up", folder=self.project)
        self.to(4, 35, 0)
        self.wait_until(lambda: len(self.runs()) == 4)
        self.to(4, 5, 0)
        time.sleep(2.5)
        self.to(4, 45, 0)
        self.wait_until(lambda: len(self.runs()) == 5)
        self.assertEqual(len(set(self.runs())), 5)
        self.assertTrue(all(f"T04:{minute}0:00" in cause for minute, cause in enumerate(self.runs())), self.runs())

    # webhooks

    def test_what_is_to_be_told_again_is_told_however_far_the_clock_is_put_back(self):
        receiver = Receiver([503])
        try:
            self.serve("--webhook-host", "127.0.0.1")
            self.command("webhook", "add", "ci", receiver.url, "--event", "registered_model.created")
            self.get("/api/v1/models", 201, method="POST", body=json.dumps({"name": "a"}), headers=JSON_TYPE)
            receiver.wait(1)
            self.jump(-YEAR)
            receiver.wait(2)
            wait_for(lambda: self.get("/api/v1/webhooks/ci")["waiting"] == 0, "the delivery")
            self.assertEqual(len({one.id for one in receiver.heard}), 1)
        finally:
            receiver.close()


if __name__ == "__main__":
    harness.SLIPWAY, LIBRARY = harness.build_faults()
    run(ClockTest)
