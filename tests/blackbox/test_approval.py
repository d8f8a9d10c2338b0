#!/usr/bin/env python3
"""Steps that wait for people: approved, rejected, expired, by the rules of their environment, on a server that is
killed meanwhile.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_approval.py [WORD]
"""
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from datetime import datetime, timedelta, timezone

from harness import SlipwayTest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from crash_points import passed_points  # noqa: E402

STAGES = """project: shop
stages:
  build:
    cmd: echo "$RELEASE" > package.txt; echo '{"f1":0.875}' > scores.json
    env: {RELEASE: "${{ params.release }}"}
    outs: [package.txt]
    metrics: [scores.json]
  deploy:
    cmd: cat package.txt >> %s
    deps: [package.txt]
    environment: production
  after:
    cmd: 'true'
    needs: [deploy]
params:
  release: {type: text, default: one}
"""
RELEASE = """project: shop
data:
  shop: {source: shop.csv, target: label}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0}, needs: [check]}
release:
  endpoint: shop
  production: {approvals: %s}
"""
APPROVALS = "/api/v1/approvals"
SECONDS_MAX = 60


class ApprovalTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.secret = None
        self.deployed = os.path.join(self.folder, "deployed")
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        self.put(STAGES % self.deployed)

    def put(self, text):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(text)

    # asking

    def get(self, path, status=200, **more):
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return self.expect(status, self.port, path, headers=headers, **more)[1]

    def serve(self, *options, **variables):
        self.server, self.port = self.start(*options, **variables)

    def again(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.serve()

    def begin(self, *options, **variables):
        return self.command("pipeline", "run", "--no-wait", *options, folder=self.project, **variables).strip()

    def steps(self, run_id):
        return {one["name"]: one for one in self.get(f"/api/v1/pipeline-runs/{run_id}/steps")["steps"]}

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def wait_until_held(self, run_id):
        """What the step "deploy" waits for."""
        self.wait_until(lambda: (self.steps(run_id)["deploy"]["reason"] or "").startswith("waits "))
        return self.steps(run_id)["deploy"]["reason"]

    def wait_for_run(self, run_id):
        self.wait_until(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"])
        return self.get(f"/api/v1/pipeline-runs/{run_id}")

    def pending(self, run_id):
        self.wait_until_held(run_id)
        listed = self.get(f"{APPROVALS}?status=pending&pipeline_run_id={run_id}")["approvals"]
        self.assertEqual(len(listed), 1)
        return self.get(f"{APPROVALS}/{listed[0]['id']}")

    def decide(self, approval, status=200, **more):
        answer = {"approved": True, "comment": "looked at it", "digest": approval["digest"], **more}
        return self.get(f"{APPROVALS}/{approval['id']}/decide", status, method="POST", body=json.dumps(answer))

    def rules(self, **rules):
        return self.get("/api/v1/environments/production", method="PUT", body=json.dumps(rules))

    def said(self):
        if not os.path.exists(self.deployed):
            return ""
        with open(self.deployed) as file:
            return file.read()

    def events(self):
        return [one["action"].split(".")[1] for one in self.get("/api/v1/audit?action=approval.")["events"]]

    # what waits

    def test_a_step_waits_survives_kills_and_goes_on_when_somebody_approves(self):
        self.serve()
        run_id = self.begin()
        approval = self.pending(run_id)
        self.assertEqual((approval["title"], approval["environment"], approval["asked_by"], approval["needed"]),
                         ("shop#1/deploy", "production", "local", 1))
        self.assertEqual(approval["detail"]["steps"], [{"name": "build", "result": None, "metrics": {"f1": 0.875}}])
        self.assertEqual(approval["detail"]["commands"], [f"cat package.txt >> {self.deployed}"])
        days = datetime.fromisoformat(approval["expires_at"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
        self.assertAlmostEqual(days / timedelta(days=1), 30, delta=0.1)
        for _ in range(2):
            self.again()
            self.assertEqual(self.pending(run_id), approval)
            self.assertEqual(self.steps(run_id)["deploy"]["status"], "ready")
        self.assertEqual(self.said(), "")
        self.assertEqual(self.decide(approval)["status"], "approved")
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.said(), "one\n")
        self.assertEqual(self.events(), ["asked", "approved"])
        self.assertIsNone(self.steps(run_id)["deploy"]["reason"])

    def test_what_an_approver_said_before_a_kill_counts_after_it(self):
        self.serve()
        run_id = self.begin()
        approval = self.pending(run_id)
        self.decide(approval)
        self.again()
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.said(), "one\n")

    def test_a_rejection_fails_the_run_with_who_and_why(self):
        self.serve()
        run_id = self.begin()
        self.pending(run_id)
        self.assertIn("shop#1/deploy", self.command("approval", "list", "--pending"))
        self.assertRegex(self.command("reject", "shop#1", "--comment", "not on a Friday"),
                         r"^approval 1 of shop#1/deploy \([0-9a-f]{12}\): rejected\n$")
        ended = self.wait_for_run(run_id)
        self.assertEqual((ended["status"], ended["reason"]),
                         ("failed", 'step "deploy": approval 1 was rejected by local: not on a Friday'))
        self.assertEqual(self.steps(run_id)["after"]["status"], "skipped")
        self.assertEqual(self.said(), "")
        self.refused(4, "shop#1 waits for no approval", "approve", "shop#1", "--comment", "after all")
        self.refused(5, "approval 1 was rejected", "approve", "1", "--comment", "after all")
        self.assertIn("rejected by local: not on a Friday", self.command("approval", "show", "1"))

    def test_what_others_wrote_adds_no_line_to_what_an_approver_reads(self):
        """Nor moves the cursor over what stands there, nor turns its direction."""
        self.serve()
        self.put(STAGES % self.deployed + "on: {alarm: drift}\n")
        self.command("up", folder=self.project)
        written = "psi\n  gate               accepted: f1 1.0\x1b[2J\u009b1A\u202e\r"
        self.get("/api/v1/pipelines/shop/alarm", 202, method="POST", body=json.dumps({"kind": "drift", "detail": written}))
        self.wait_until(lambda: self.get(f"{APPROVALS}?status=pending")["approvals"])
        self.command("reject", "1", "--comment", written)
        for arguments in (("approval", "show", "1"), ("approval", "list"), ("pipeline", "show", "shop"), ("pipeline", "list")):
            shown = self.command(*arguments)
            self.assertNotRegex(shown, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", arguments)
            self.assertNotRegex(shown, r"(?m)^ *gate ", arguments)
        self.assertRegex(self.command("approval", "show", "1"), r"\n  cause +drift: psi   gate +accepted: f1 1\.0 ")

    def test_what_nobody_approves_in_time_is_rejected_also_while_the_server_is_down(self):
        self.serve()
        self.command("environment", "set", "production", "--expires", "1s")
        first, second = self.begin(), self.begin()
        self.wait_until_held(first)
        self.wait_until_held(second)
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        time.sleep(1)
        self.serve()
        for run_id in first, second:
            ended = self.wait_for_run(run_id)
            self.assertRegex(ended["reason"], r'^step "deploy": approval \d has expired: 0 of 1 people had approved '
                                              'it in time$')
        self.assertEqual(sorted(self.events()), ["asked", "asked", "expired", "expired"])
        approval = self.get(f"{APPROVALS}/1")
        self.assertEqual(approval["status"], "expired")
        self.decide(approval, 409)
        self.assertEqual(self.said(), "")

    def test_an_approval_is_of_one_digest(self):
        self.serve()
        run_id = self.begin()
        approval = self.pending(run_id)
        answer = self.decide(approval, 409, digest="0" * 64)
        self.assertEqual(answer["error"]["message"], f"approval 1 is about {approval['digest'][:12]}, not about "
                                                     "000000000000: look at it again")
        for wrong in "", "abc", approval["digest"][:12], approval["digest"].upper() + "0":
            self.decide(approval, 422, digest=wrong)
        self.refused(5, f"approval 1 is about {approval['digest'][:12]}, not about 000000000000: look at it again",
                     "approve", "1", "--comment", "x", "--digest", "0" * 12)
        self.assertEqual(self.pending(run_id), approval)
        self.command("approve", "1", "--comment", "x", "--digest", approval["digest"][:12])
        self.wait_for_run(run_id)
        other = self.pending(self.begin("--param", "release=two"))
        self.assertNotEqual(other["digest"], approval["digest"])
        self.assertEqual(self.said(), "one\n")

    def test_the_same_again_asks_again_and_is_never_taken_from_the_cache(self):
        self.serve()
        for number in 1, 2:
            run_id = self.begin()
            approval = self.pending(run_id)
            self.assertEqual(approval["id"], number)
            self.decide(approval)
            self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.said(), "one\none\n")
        self.assertTrue(self.steps(run_id)["build"]["cached_from"])
        self.assertFalse(self.steps(run_id)["deploy"]["cached_from"])

    def test_a_retry_of_what_was_approved_does_not_ask_again(self):
        self.put((STAGES % self.deployed).replace("    environment: production\n",
                                                  "    environment: production\n    retries: {max: 2, backoff: 10ms}\n")
                 .replace("cat package.txt", 'test "$SLIPWAY_ATTEMPT" -ge 3 && cat package.txt'))
        self.serve()
        run_id = self.begin()
        self.decide(self.pending(run_id))
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.steps(run_id)["deploy"]["attempts"], 3)
        self.assertEqual(self.events(), ["asked", "approved"])

    def test_a_cancelled_run_withdraws_what_it_asked(self):
        self.serve()
        run_id = self.begin()
        approval = self.pending(run_id)
        self.command("pipeline", "cancel", "shop")
        self.assertEqual(self.wait_for_run(run_id)["status"], "cancelled")
        self.assertEqual(self.decide(approval, 409)["error"]["message"], "approval 1 was withdrawn")
        self.assertEqual(self.events(), ["asked", "withdrawn"])
        self.assertEqual(self.said(), "")

    def test_a_wait_takes_no_slot(self):
        self.serve()
        self.put("project: shop\nstages:\n" + "".join(
            f"  deploy{number}:\n    cmd: 'true'\n    environment: production\n" for number in range(6)))
        self.begin()
        self.wait_until(lambda: len(self.get(f"{APPROVALS}?status=pending")["approvals"]) == 6)
        self.put("project: other\nstages:\n  quick:\n    cmd: 'true'\n")
        self.assertEqual(self.wait_for_run(self.begin())["status"], "succeeded")
        listed = self.command("approval", "list").splitlines()
        self.assertEqual(len(listed), 7)

    def release(self, approvals, rows=40):
        self.put(RELEASE % approvals)
        with open(os.path.join(self.project, "shop.csv"), "w") as file:
            file.write("note,label\n")
            file.writelines(f"win a free phone {number},win\nlovely song {number},ham\n" for number in range(rows))
        run_id = self.begin()
        self.wait_until(lambda: (self.steps(run_id)["release.production"]["reason"] or "").startswith("waits "))
        return run_id

    def serves(self):
        return self.get("/api/v1/endpoints/shop")["version"]

    def test_a_release_waits_before_production_and_shows_what_the_gate_said(self):
        self.serve()
        run_id = self.release(0)
        approval = self.get(f"{APPROVALS}/1")
        self.assertEqual((approval["title"], approval["needed"]), ("shop#1/release.production", 1))
        version = self.get("/api/v1/models/shop/versions/1")
        self.assertEqual(approval["detail"]["inputs"]["package"], version["package"])
        said = {one["name"]: one["result"] for one in approval["detail"]["steps"]}
        self.assertEqual(said["release.gate"]["verdict"]["challenger"]["version"], 1)
        staging = said["release.staging"]
        self.assertEqual((staging["endpoint"], staging["model"], staging["version"]), ("shop-staging", "shop", 1))
        shown = self.command("approval", "show", "shop#1")
        self.assertIn("accepted: the first model of this endpoint: f1", shown)
        self.assertIn("deployed: shop version 1\n", shown)
        self.assertIsNone(self.serves())
        self.again()
        self.assertIsNone(self.serves())
        self.command("approve", "shop#1", "--comment", "go")
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.serves(), 1)

    def test_another_model_of_the_same_number_at_the_endpoint_supersedes_a_release(self):
        self.serve()
        run_id = self.release(0)
        self.command("approve", "shop#1", "--comment", "go")
        self.wait_for_run(run_id)
        run_id = self.release(0, rows=60)
        self.command("train", "--project", "shop", "--model", "other", "--budget", "0")
        self.command("deploy", "other@1", "--endpoint", "shop", "--comment", "by hand, while the release waits")
        self.command("approve", "shop#2", "--comment", "the gate compared it with shop@1")
        self.assertEqual(self.wait_for_run(run_id)["reason"],
                         'step "release.production": superseded: endpoint "shop" has changed since the gate judged; '
                         "run again")
        endpoint = self.get("/api/v1/endpoints/shop")
        self.assertEqual((endpoint["model"], endpoint["version"]), ("other", 1))
        superseded = self.get("/api/v1/audit?action=release.superseded")["events"]
        self.assertEqual([one["object"] for one in superseded], ["shop#2"])

    def test_a_file_may_demand_more_than_the_server_and_a_rejected_release_changes_nothing(self):
        self.serve()
        run_id = self.release(3)
        approval = self.get(f"{APPROVALS}/1")
        self.assertEqual(approval["needed"], 3)
        self.decide(approval, approved=False, comment="the interval is too wide")
        self.assertEqual(self.wait_for_run(run_id)["reason"], 'step "release.production": approval 1 was rejected by '
                                                              "local: the interval is too wide")
        self.assertIsNone(self.serves())

    def test_a_production_that_says_something_else_is_refused(self):
        for wrong, sentence in [("{approval: maybe}", '"approval" is required, or left out'),
                                ("{approvals: 11}", '"approvals" is 0 to 10'),
                                ("{approvers: 1}", '"approvers" is not a setting of "release.production"')]:
            self.put((RELEASE % 0).replace("{approvals: 0}", wrong))
            done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
            self.assertEqual(done.returncode, 2)
            self.assertIn(sentence, done.stderr)

    # rules

    def test_four_eyes_and_two_people(self):
        names = {"boss": "owner", "ci": "approver", "ada": "approver", "bob": "approver", "eve": "contributor",
                 "vic": "viewer"}
        tokens = {name: self.token(name, role) for name, role in names.items()}
        self.serve("--demand-token")

        def act(name):
            self.secret = tokens[name]
            return self
        act("ada").get("/api/v1/environments/production", 403, method="PUT", body='{"approvals":0}')
        act("boss").rules(approvals=2, four_eyes=True)
        run_id = self.begin(SLIPWAY_TOKEN=tokens["ci"])
        approval = act("vic").pending(run_id)
        self.assertEqual(approval["asked_by"], "ci")
        for name in "vic", "eve":
            self.assertEqual(act(name).decide(approval, 403)["error"]["message"],
                             f'this needs the role approver, "{name}" has the role {names[name]}')
        self.secret = None
        self.decide(approval, 401)
        self.assertEqual(act("ci").decide(approval, 403)["error"]["message"],
                         'four eyes: "ci" has started what waits, so somebody else must approve it')
        first = act("ada").decide(approval)
        self.assertEqual((first["status"], first["given"]), ("pending", 1))
        self.assertEqual(act("ada").decide(approval, 409)["error"]["message"],
                         '"ada" has approved it already: 1 of 2 people have')
        self.assertEqual(self.steps(run_id)["deploy"]["status"], "ready")
        self.assertEqual(self.said(), "")
        self.assertIn("approved\n", self.command("approve", "shop#1", "--comment", "me too",
                                                 SLIPWAY_TOKEN=tokens["bob"]))
        self.assertEqual(act("vic").wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual([(one["decided_by"], one["comment"]) for one in self.get(f"{APPROVALS}/1")["decisions"]],
                         [("ada", "looked at it"), ("bob", "me too")])
        self.assertEqual(self.events(), ["asked", "given", "approved"])
        self.assertTrue(self.get("/api/v1/audit/verify")["whole"])

    def test_stricter_rules_ask_anew_and_none_let_go(self):
        self.serve()
        run_id = self.begin()
        first = self.pending(run_id)
        self.rules(approvals=2)
        self.wait_until(lambda: self.steps(run_id)["deploy"]["reason"] == "waits for approval 2")
        self.assertEqual(self.decide(first, 409)["error"]["message"], "approval 1 was withdrawn")
        self.rules(approvals=0)
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.get(f"{APPROVALS}/2")["status"], "withdrawn")

    def test_outside_its_window_a_step_waits_and_a_change_of_the_rules_wakes_it(self):
        tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%a").lower()
        self.serve()
        self.rules(approvals=0, windows=[f"{tomorrow} 12:00-13:00"])
        run_id = self.begin()
        self.assertRegex(self.wait_until_held(run_id),
                         r'^waits until \d{4}-\d\d-\d\dT12:00:00.*Z, when environment "production" opens$')
        self.again()
        self.assertEqual(self.steps(run_id)["deploy"]["status"], "ready")
        self.rules(windows=["daily 00:00-24:00 Europe/Amsterdam"])
        self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
        self.assertEqual(self.events(), [])

    def test_only_its_branches_may_go_there(self):
        self.serve()
        self.command("environment", "set", "production", "--approvals", "0", "--branch", "main", "--branch", "release/*")
        self.begin()
        files = [{"path": "slipway.yaml", "digest": hashlib.sha256((STAGES % self.deployed).encode()).hexdigest()}]
        for branch, dirty, reason in [
            ("main", False, None), ("release/1.2", False, None),
            ("feature", False, 'branch "feature" may not go to environment "production"'),
            ("main", True, 'environment "production" takes certain branches only, and the files are not those of a '
                           "commit on one"),
            (None, False, 'environment "production" takes certain branches only, and the files are not those of a '
                          "commit on one"),
        ]:
            order = {"files": files, "branch": branch, "is_dirty": dirty}
            made = self.get("/api/v1/pipeline-runs", 202, method="POST", body=json.dumps(order))
            self.wait_for_run(made["id"])
            self.assertEqual(self.steps(made["id"])["deploy"]["reason"], reason)
        self.assertEqual(self.said(), "one\none\n")

    def test_the_command_line_says_what_is_wrong(self):
        self.serve()
        for arguments, code, sentence in [
            (("approve", "1"), 2, "--comment TEXT says why, and is needed"),
            (("approve", "x", "--comment", "y"), 2, '"x" is neither the number of an approval nor a run as spam#12'),
            (("approve", "7", "--comment", "y"), 4, "approval 7 does not exist"),
            (("approve", "shop#1", "--comment", "y"), 4, 'project "shop" has no pipeline run 1'),
            (("environment", "show", "nowhere"), 4, 'environment "nowhere" was never set, so nothing goes there: an '
             "owner says what it demands, or nothing, by slipway environment set nowhere --approvals 0"),
            (("environment", "set", "production", "--expires", "soon"), 2,
             '--expires takes 30d, 12h, 90m or 60s, not "soon"'),
            (("environment", "set", "production", "--four-eyes", "--no-four-eyes"), 2,
             "--four-eyes and --no-four-eyes exclude each other"),
            (("environment", "set", "production", "--window", "mon"), 2,
             'days, times and a time zone: a window is as "mon-fri 08:00-17:00 Europe/Amsterdam", not "mon"'),
        ]:
            self.refused(code, sentence, *arguments)
        self.begin()
        self.wait_until(lambda: self.get(APPROVALS)["approvals"])
        for comment in "", "  ", "x" * 1001:
            self.refused(2, "a comment says why, in 1 to 1000 bytes", "approve", "1", "--comment", comment)
        shown = json.loads(self.command("environment", "show", "production", "--json"))
        self.assertEqual((shown["approvals"], shown["expires_seconds"], shown["windows"], shown["updated_at"]),
                         (1, 2592000, [], None))

    # crash points

    def live(self, **settings):
        """A run that waits and is approved, on a server that may be killed on the way."""
        self.serve(**settings)
        run_id = self.begin()
        try:
            self.decide(self.pending(run_id))
            self.wait_for_run(run_id)
        except OSError:
            self.server.wait()
        return run_id

    def test_killed_in_the_middle_it_is_asked_and_decided_once(self):
        log = os.path.join(self.folder, "points")
        self.live(SLIPWAY_CRASH_LOG=log)
        self.stop(self.server)
        if not passed_points(log):
            self.skipTest("the build has no crash points")
        for name in "approval: step held, not committed", "approval: decided, not committed":
            os.remove(log)
            shutil.rmtree(self.data)
            run_id = self.live(SLIPWAY_CRASH_LOG=log, SLIPWAY_CRASH=name)
            self.assertEqual(self.server.returncode, -signal.SIGKILL, name)
            self.serve()
            self.decide(self.pending(run_id))
            self.assertEqual(self.wait_for_run(run_id)["status"], "succeeded")
            self.assertEqual(self.events(), ["asked", "approved"])
            self.stop(self.server)
        self.assertEqual(self.said(), "one\n" * 3)


if __name__ == "__main__":
    run(ApprovalTest)
