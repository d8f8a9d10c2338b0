#!/usr/bin/env python3
"""Releases that go to production by steps of the traffic: judged while they hold, aborted, cancelled, superseded, on a
server that is killed meanwhile.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_release_canary.py [WORD]
"""
import json
import os
import shutil
import signal
import sys
import threading
import time

from harness import Caller, SlipwayTest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from crash_points import passed_points  # noqa: E402

FILE = """project: shop
data:
  shop: {source: shop.csv, target: label%s}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0, seed: %d}, needs: [check]}
release:
  endpoint: shop
  gate: {metric: f1, margin: 0.9}
  production: {%s}
"""
PLAIN = ", columns: {note: text, kind: ignore}"
OTHER = ", columns: {note: ignore, kind: text}"  # what callers do not send
BOTH = "traffic: [10, 50], hold: 1s, abort: {requests_min: 5}"
HALF = "traffic: [50], hold: %s, abort: {requests_min: 5}"
BODY = json.dumps({"data": [{"note": "win a free phone"}]})
PREDICT = "/endpoints/shop/predict"
SECONDS_MAX = 60


class Load:
    """A client that keeps asking, until the end of a with block."""

    def __init__(self, port, body=BODY):
        self.port, self.body = port, body
        self.versions, self.wrong = [], []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        caller = Caller(self.port)
        while not self.ended.is_set():
            status, answer = caller.post(PREDICT, self.body)
            if status == 200:
                self.versions.append(answer["version"])
            else:
                self.wrong.append((status, answer))
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class CanaryTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        with open(os.path.join(self.project, "shop.csv"), "w") as file:
            file.write("note,kind,label\n")
            file.writelines(f"win a free phone {number},buy now {number},win\n"
                            f"lovely song {number},see you {number},ham\n" for number in range(40))
        self.seed = 0

    # asking

    def get(self, path, status=200, **more):
        return self.expect(status, self.port, path, **more)[1]

    def serve(self, **variables):
        self.server, self.port = self.start(**variables)

    def kill(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def begin(self, production, columns=PLAIN):
        """A run that trains another version each time."""
        self.seed += 1
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(FILE % (columns, self.seed, production))
        return self.command("pipeline", "run", "--no-wait", folder=self.project).strip()

    def steps(self, run_id):
        return {one["name"]: one for one in self.get(f"/api/v1/pipeline-runs/{run_id}/steps")["steps"]}

    def step(self, run_id, name):
        return self.steps(run_id)[f"release.{name}"]

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def wait_until_held(self, run_id, name):
        self.wait_until(lambda: self.step(run_id, name)["status"] == "running" and self.step(run_id, name)["result"])

    def wait_for_run(self, run_id):
        self.wait_until(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"])
        return self.get(f"/api/v1/pipeline-runs/{run_id}")

    def endpoint(self):
        return self.get("/api/v1/endpoints/shop")

    def live(self):
        shown = self.endpoint()
        return shown["version"], shown["candidate"] and shown["candidate"]["version"]

    def tried(self):
        listed = self.get("/api/v1/endpoints/shop/candidates")["candidates"]
        return [(one["version"], one["share"], one.get("end_reason")) for one in reversed(listed)]

    def ask_for(self, count, body=BODY):
        caller = Caller(self.port)
        return [caller.post(PREDICT, body)[1].get("version") for _ in range(count)]

    def events(self, action="release."):
        listed = self.get(f"/api/v1/audit?action={action}")["events"]
        return [one["action"] for one in sorted(listed, key=lambda one: one["id"])]

    def begin_with_a_champion(self, approvals=0):
        self.serve()
        self.command("environment", "set", "production", "--approvals", "0")
        self.release_at_once()
        self.command("environment", "set", "production", "--approvals", str(approvals))

    def release_at_once(self):
        self.assertEqual(self.wait_for_run(self.begin("approvals: 0"))["status"], "succeeded")

    # what goes well

    def test_a_release_goes_by_steps_while_a_client_keeps_asking_with_one_approval(self):
        self.begin_with_a_champion(approvals=1)
        with Load(self.port) as load:
            run_id = self.begin(BOTH)
            self.wait_until(lambda: self.step(run_id, "canary@10")["reason"] == "waits for approval 1")
            self.assertEqual(self.live(), (1, None))
            approval = self.get("/api/v1/approvals/1")
            self.assertEqual(approval["title"], "shop#2/release.production")
            self.assertEqual([one["name"] for one in approval["detail"]["steps"]][:2], ["release.staging", "release.gate"])
            self.command("approve", "shop#2", "--comment", "go")
            self.wait_until_held(run_id, "canary@10")
            self.assertEqual(self.live(), (1, 2))
            self.assertRegex(self.step(run_id, "canary@10")["reason"],
                             r"^10 % of the requests (until|and too few of them yet: waits at most until) \d{4}-.*Z$")
            shown = self.command("pipeline", "show", "shop")
            self.assertRegex(shown, r"release.canary@10 +running .* 10 % of the requests .*; (nothing was judged yet|\d+ of )")
            self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
            self.wait_until(lambda: load.versions[-1] == 2)
        self.assertEqual(load.wrong[:1], [])
        self.assertEqual(self.live(), (2, None))
        self.assertEqual(self.tried(), [(2, 10, "replaced"), (2, 50, "promoted")])
        self.assertEqual(len(self.get("/api/v1/approvals")["approvals"]), 1)
        self.assertEqual(self.events(), ["release.canary_passed"] * 2)
        deployed = self.get("/api/v1/endpoints/shop/deployments")["deployments"][0]
        self.assertEqual((deployed["reason"], deployed["comment"], deployed["gate"]["challenger"]["version"]),
                         ("promote", "pipeline run shop#2", 2))
        for name in "canary@10", "canary@50":
            step = self.step(run_id, name)
            self.assertEqual((step["status"], step["result"]["outcome"]), ("succeeded", "passed"))
            self.assertGreaterEqual(step["result"]["figures"]["requests"], 5)
            self.assertEqual(step["result"]["figures"]["errors"], 0)
        self.assertIn(" requests failed, p99 ", self.command("pipeline", "show", "shop"))
        self.assertTrue(self.get("/api/v1/audit/verify")["whole"])

    def test_the_first_version_of_an_endpoint_is_tried_beside_nothing(self):
        self.serve()
        run_id = self.begin(BOTH)
        self.wait_until(lambda: self.step(run_id, "production")["reason"] == "waits for approval 1")
        for name in "canary@10", "canary@50":
            self.assertEqual((self.step(run_id, name)["status"], self.step(run_id, name)["reason"]),
                             ("skipped", 'nothing serves at endpoint "shop" yet that it could be tried beside'))
        self.command("approve", "shop#1", "--comment", "go")
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual((self.live(), self.tried()), ((1, None), []))

    def test_without_traffic_it_passes_only_where_no_requests_are_asked_for(self):
        self.begin_with_a_champion()
        run_id = self.begin("traffic: [50], hold: 1s, wait: 1s, abort: {requests_min: 5}")
        self.assertEqual(self.wait_for_run(run_id)["reason"],
                         'step "release.canary@50": too few requests to judge by, for too long: 0 of 5 requests so far')
        self.assertEqual(self.live(), (1, None))
        run_id = self.begin("traffic: [50], hold: 1s, abort: {requests_min: 0}")
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.live(), (3, None))

    def test_too_few_requests_are_waited_for(self):
        self.begin_with_a_champion()
        run_id = self.begin(HALF % "1s")
        self.wait_until(lambda: "and too few of them yet: waits at most until" in
                        (self.step(run_id, "canary@50")["reason"] or ""))
        self.ask_for(20)
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.live(), (2, None))

    # what does not

    def expect_untouched(self, run_id, reason, events):
        ended = self.wait_for_run(run_id)
        self.assertEqual(ended["status"], "failed")
        self.assertRegex(ended["reason"], reason)
        self.assertEqual(self.live(), (1, None))
        self.assertEqual(self.step(run_id, "production")["status"], "skipped")
        self.wait_until(lambda: set(self.ask_for(10)) == {1})
        self.assertEqual(self.events(), events)

    def test_a_version_that_is_too_slow_is_aborted_and_production_is_untouched(self):
        self.begin_with_a_champion()
        with Load(self.port) as load:
            run_id = self.begin("traffic: [10, 50], hold: 30s, abort: {p99_ms_max: 0.0001, requests_min: 5}")
            self.expect_untouched(run_id, r'^step "release.canary@10": 99 of 100 answers took up to \S+ ms, which is more '
                                          r"than 0.0001 ms$", ["release.canary_aborted"])
        self.assertEqual(load.wrong[:1], [])
        self.assertEqual(self.step(run_id, "canary@50")["status"], "skipped")
        self.assertEqual(self.step(run_id, "canary@10")["result"]["outcome"], "aborted")
        self.assertEqual(self.tried(), [(2, 10, "cleared")])

    def test_a_version_that_cannot_answer_is_aborted_and_no_caller_notices(self):
        """It has learnt from a column that callers do not send."""
        self.begin_with_a_champion()
        self.assertEqual(self.ask_for(5), [1] * 5)
        with Load(self.port) as load:
            run_id = self.begin("traffic: [10, 50], hold: 30s", columns=OTHER)
            self.expect_untouched(run_id, r'^step "release.canary@10": \d+ of \d+ requests failed, which is more than 1 %$',
                                  ["release.canary_aborted"])
        self.assertEqual(load.wrong[:1], [])
        self.assertGreater(self.step(run_id, "canary@10")["result"]["figures"]["errors"], 0)

    def test_a_cancelled_run_takes_its_candidate_with_it(self):
        self.begin_with_a_champion()
        run_id = self.begin(HALF % "30s")
        self.wait_until_held(run_id, "canary@50")
        self.assertEqual(self.live(), (1, 2))
        self.command("pipeline", "cancel", "shop")
        self.assertEqual(self.wait_for_run(run_id)["status"], "cancelled")
        step = self.step(run_id, "canary@50")
        self.assertEqual((step["status"], step["reason"], step["result"]["outcome"]),
                         ("cancelled", "the run was cancelled", "cancelled"))
        self.assertEqual((self.live(), self.tried()), ((1, None), [(2, 50, "cleared")]))
        self.wait_until(lambda: set(self.ask_for(10)) == {1})

    def test_a_rollback_by_hand_supersedes_a_release(self):
        self.begin_with_a_champion()
        self.release_at_once()
        run_id = self.begin(HALF % "30s")
        self.wait_until_held(run_id, "canary@50")
        self.assertEqual(self.live(), (2, 3))
        self.command("rollback", "shop")
        self.expect_untouched(run_id, r'^step "release.canary@50": superseded: what the run tried at endpoint "shop" was '
                                      r"ended by local \(rolled back\); run again$", ["release.superseded"])
        self.assertEqual(self.tried(), [(3, 50, "rolled back")])

    def test_a_share_that_somebody_sets_by_hand_is_left_to_them(self):
        self.begin_with_a_champion()
        run_id = self.begin(HALF % "30s")
        self.wait_until_held(run_id, "canary@50")
        self.command("endpoint", "canary", "shop", "--share", "20")
        self.assertIn("superseded: ", self.wait_for_run(run_id)["reason"])
        self.assertEqual((self.live(), self.tried()), ((1, 2), [(2, 50, "replaced"), (2, 20, None)]))
        run_id = self.begin(HALF % "30s")
        self.assertEqual(self.wait_for_run(run_id)["reason"],
                         'step "release.canary@50": endpoint "shop" tries version 2 of "shop" already, set by local: '
                         "clear it first")
        self.assertEqual(self.live(), (1, 2))

    def hold_between(self):
        """A release whose first share has passed, and whose second one waits for people; its version needs a column that
        callers do not send."""
        self.begin_with_a_champion()
        run_id = self.begin("traffic: [10, 50], hold: 1s, abort: {requests_min: 0}", columns=OTHER)
        self.wait_until_held(run_id, "canary@10")
        self.command("environment", "set", "production", "--approvals", "1")
        self.wait_until(lambda: (self.step(run_id, "canary@50")["reason"] or "").startswith("waits for approval"))
        self.assertEqual((self.live(), self.tried()), ((1, 2), [(2, 10, None)]))
        return run_id

    def test_a_run_that_fails_between_two_shares_takes_its_candidate_with_it(self):
        run_id = self.hold_between()
        self.command("reject", "shop#2", "--comment", "not today")
        self.expect_untouched(run_id, "was rejected by local: not today", ["release.canary_passed"])
        self.assertEqual(self.tried(), [(2, 10, "cleared")])

    def test_between_two_shares_it_is_judged_all_the_same(self):
        run_id = self.hold_between()
        self.assertEqual(self.ask_for(30), [1] * 30)
        self.expect_untouched(run_id, r'^step "release.canary@50": \d of \d requests failed, which is more than 1 %$',
                              ["release.canary_passed", "release.canary_aborted"])
        self.assertEqual(self.get("/api/v1/approvals/1")["status"], "withdrawn")

    def test_between_two_shares_a_change_by_hand_supersedes_it(self):
        run_id = self.hold_between()
        self.command("endpoint", "canary", "shop", "--clear")
        self.expect_untouched(run_id, r'^step "release.canary@50": superseded: .* \(cleared\)',
                              ["release.canary_passed", "release.superseded"])

    # kills

    def test_killed_in_the_middle_it_is_judged_by_what_was_before_and_goes_on(self):
        self.begin_with_a_champion()
        run_id = self.begin(HALF % "8s")
        self.wait_until_held(run_id, "canary@50")
        self.wait_until(lambda: 2 in self.ask_for(1))
        self.ask_for(40)
        self.wait_until(lambda: self.step(run_id, "canary@50")["result"]["figures"]["requests"] >= 20)
        held = self.endpoint()["candidate"]
        self.kill()
        self.serve()
        self.assertEqual(self.endpoint()["candidate"], held)
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertGreaterEqual(self.step(run_id, "canary@50")["result"]["figures"]["requests"], 20)
        self.assertEqual((self.live(), self.tried()), ((2, None), [(2, 50, "promoted")]))

    def test_what_a_kill_interrupts_cannot_make_up_for_errors(self):
        """Errors that one process counted are in the judgement of the next."""
        self.begin_with_a_champion()
        run_id = self.begin("traffic: [50], hold: 30s, abort: {errors_max: 0.5, requests_min: 40}", columns=OTHER)
        self.wait_until_held(run_id, "canary@50")
        for _ in range(2):
            before = (self.step(run_id, "canary@50")["result"].get("figures") or {}).get("errors", 0)
            self.ask_for(25)
            self.wait_until(lambda: self.step(run_id, "canary@50")["status"] != "running" or
                            self.step(run_id, "canary@50")["result"]["figures"]["errors"] > before + 10)
            self.kill()
            self.serve()
        self.expect_untouched(run_id, r'^step "release.canary@50": 2\d of 2\d requests failed, which is more than 50 %$',
                              ["release.canary_aborted"])

    def live_through(self, **settings):
        """A release, on a server that may be killed on the way."""
        self.begin_with_a_champion()
        self.stop(self.server)
        self.serve(**settings)
        run_id = self.begin("traffic: [50], hold: 1s, abort: {requests_min: 0}")
        try:
            self.wait_for_run(run_id)
        except OSError:
            self.server.wait()
        return run_id

    def test_killed_at_its_changes_it_sets_passes_and_promotes_once(self):
        log = os.path.join(self.folder, "points")
        self.live_through(SLIPWAY_CRASH_LOG=log)
        self.stop(self.server)
        passed = passed_points(log)
        if not passed:
            self.skipTest("the build has no crash points")
        for name in ("release: candidate set, not committed", "release: canary judged, not committed",
                     "release: promoted, not committed"):
            self.assertIn(name, passed)
            os.remove(log)
            shutil.rmtree(self.data)
            run_id = self.live_through(SLIPWAY_CRASH_LOG=log, SLIPWAY_CRASH=name)
            self.assertEqual(self.server.returncode, -signal.SIGKILL, name)
            self.serve()
            self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
            self.assertEqual((self.live(), self.tried()), ((2, None), [(2, 50, "promoted")]))
            self.assertEqual(self.events(), ["release.canary_passed"])
            self.assertEqual(len(self.get("/api/v1/endpoints/shop/deployments")["deployments"]), 2)
            self.assertTrue(self.get("/api/v1/audit/verify")["whole"])
            self.stop(self.server)


if __name__ == "__main__":
    run(CanaryTest)
