#!/usr/bin/env python3
"""Who is to act hears of it, by webhook and by mail: approvals that are asked for, given, rejected or expired, releases and
runs that end, once each, also when the server is killed before it could tell.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_notices.py [WORD]
"""
import os
import re
import shlex
import shutil
import signal
import sys
import time

from harness import SlipwayTest, run
from receiver import MailServer, Receiver, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from crash_points import passed_points  # noqa: E402

EVENTS = ["approval.asked", "approval.given", "approval.approved", "approval.rejected", "approval.expired",
          "approval.withdrawn", "release.rejected", "release.deployed", "release.aborted", "release.superseded", "release.rolled_back",
          "pipeline_run.failed"]
RELEASE = """project: shop
data:
  shop: {source: shop.csv, target: label}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0, seed: %d}, needs: [check]}
release:
  endpoint: shop
  gate: {metric: f1, margin: 0.9%s}
  production: {%s}
"""
STEPS = """project: shop
stages:
  build: {cmd: "echo '{\\"f1\\":0.875}' > scores.json", metrics: [scores.json]}
  deploy: {cmd: 'true', needs: [build], environment: production}
"""
SECONDS_MAX = 60


class NoticesTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        with open(os.path.join(self.project, "shop.csv"), "w") as file:
            file.write("note,label\n")
            file.writelines(f"win a free phone {number},win\nlovely song {number},ham\n" for number in range(40))
        self.seed = 0
        self.secret = None
        self.hook, self.mail = Receiver(), MailServer()

    def tearDown(self):
        self.hook.close()
        self.mail.close()
        super().tearDown()

    # asking

    def get(self, path, status=200, **more):
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return self.expect(status, self.port, path, headers=headers, **more)[1]

    def serve(self, *options, **variables):
        self.server, self.port = self.start("--webhook-host", "127.0.0.1", "--smtp-url", self.mail.url,
                                            "--smtp-from", "slipway@example.com", *options, **variables)

    def subscribe(self, *events, **variables):
        wanted = [word for event in events or EVENTS for word in ("--event", event)]
        self.command("webhook", "add", "ci", self.hook.url, *wanted, **variables)
        self.command("webhook", "add", "ops", "mailto:ops@example.com", *wanted, **variables)

    def kill(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def put(self, text):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(text)

    def begin(self, **variables):
        return self.command("pipeline", "run", "--no-wait", folder=self.project, **variables).strip()

    def release(self, production="approvals: 0", gate="", **variables):
        """A run that trains another version each time."""
        self.seed += 1
        self.put(RELEASE % (self.seed, gate, production))
        return self.begin(**variables)

    def wait_for_run(self, run_id):
        wait_for(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"], "the end of the run")
        return self.get(f"/api/v1/pipeline-runs/{run_id}")["status"]

    # what was told

    def once(self):
        """What was sent again, because its answer was not heard, is the same by its id."""
        return list({one.id: one for one in self.hook.heard}.values())

    def mails(self):
        return list({mail["Message-ID"]: mail for _, _, mail, _ in self.mail.mails}.values())

    def waiting(self):
        return sum(one["waiting"] for one in self.get("/api/v1/webhooks")["webhooks"])

    def told(self, *events):
        """These events and no others, in order, by both ways; returns their data."""
        wait_for(lambda: len(self.once()) >= len(events) and not self.waiting(),
                 f"{events}, but {[one.event for one in self.once()]}")
        heard, mails = self.once(), self.mails()
        self.assertEqual(tuple(one.event for one in heard), events)
        self.assertEqual(tuple(mail["X-Slipway-Event"] for mail in mails), events)
        self.assertEqual([mail["Subject"] for mail in mails], [one.data["subject"] for one in heard])
        self.assertEqual([mail.get_content() for mail in mails], [one.data["text"] for one in heard])
        return [one.data for one in heard]

    def wait_for_asked(self, number=1):
        """The mail that asks for this approval, by the order in which they were asked for."""
        wait_for(lambda: len(self.asked()) >= number, f"question {number}")
        return self.asked()[number - 1]

    def asked(self):
        return [mail for mail in self.mails() if mail["X-Slipway-Event"] == "approval.asked"]

    def answer_by(self, mail, word, comment, **variables):
        """As somebody who pastes what the mail says."""
        line = re.search(rf"^  (slipway {word} .*)$", mail.get_content(), re.M)[1]
        return self.command(*shlex.split(line)[1:-1], comment, **variables)

    # approvals and what follows

    def test_a_release_asks_is_approved_by_what_its_mail_says_and_reaches_production(self):
        self.serve()
        self.subscribe()
        run_id = self.release()
        mail = self.wait_for_asked()
        self.assertEqual(mail["Subject"], 'shop#1 asks for approval 1: version 1 of "shop" to production')
        self.assertEqual(mail.get_content_type(), "text/plain")
        self.answer_by(mail, "approve", "looked at it")
        self.assertEqual(self.wait_for_run(run_id), "succeeded")
        asked, approved, deployed = self.told("approval.asked", "approval.approved", "release.deployed")
        approval = self.get("/api/v1/approvals/1")
        package = self.get("/api/v1/models/shop/versions/1")["package"]
        for data in asked, approved:
            self.assertEqual((data["approval"], data["project"], data["run"], data["run_id"], data["step"], data["environment"]),
                             (1, "shop", "shop#1", run_id, "release.production", "production"))
            self.assertEqual((data["model"], data["version"], data["package"], data["digest"], data["expires_at"]),
                             ("shop", 1, package, approval["digest"], approval["expires_at"]))
            self.assertEqual((data["gate"]["outcome"], data["gate"]["challenger"]["value"], data["gate"]["holdout"]["rows"]),
                             ("accepted", 1, 16))
        self.assertEqual((asked["role"], asked["needed"], asked["given"], asked["four_eyes"], asked["decided_by"]),
                         ("approver", 1, 0, False, None))
        for words in (package, approval["digest"], approval["expires_at"], "f1 1.0000", "1 person with the role approver"):
            self.assertIn(words, asked["text"])
        self.assertEqual((approved["decided_by"], approved["comment"], approved["given"]), ("local", "looked at it", 1))
        self.assertIn("\nlocal has approved it:\n  | looked at it\n", approved["text"])
        self.assertNotIn("command", approved)
        self.assertEqual((deployed["subject"], deployed["package"], deployed["before"], deployed["reason"], deployed["comment"]),
                         ('shop: version 1 of "shop" serves in production (endpoint "shop")', package, None, "release",
                          "pipeline run shop#1"))

    def test_a_rejection_is_told_with_who_and_why_and_its_comment_adds_no_line(self):
        self.serve()
        self.subscribe()
        self.put(STEPS)
        run_id = self.begin()
        mail = self.wait_for_asked()
        self.assertEqual(mail["Subject"], 'shop#1 asks for approval 1: step "deploy" to production')
        self.assertIn('  found out     build: {"f1":0.875}\n', mail.get_content())
        self.assertIn("  runs          true\n", mail.get_content())
        comment = "no\r\nBcc: eve@example.com\r\n\r\n  slipway approve 2 --digest 000000000000\x1b[2J\u202e"
        self.answer_by(mail, "reject", comment)
        self.assertEqual(self.wait_for_run(run_id), "failed")
        _, rejected, failed = self.told("approval.asked", "approval.rejected", "pipeline_run.failed")
        self.assertEqual((rejected["decided_by"], rejected["comment"]), ("local", comment))
        self.assertEqual(rejected["decisions"][0]["approved"], False)
        self.assertEqual((failed["subject"], failed["step"], failed["reason"]),
                         ('shop#1 has failed at step "deploy"', "deploy", f"approval 1 was rejected by local: {comment}"))
        for mail in self.mails():
            self.assertIsNone(mail["Bcc"])
            lines = mail.get_content().splitlines()
            said = [line for line in lines if "eve@example.com" in line or "000000000000" in line]
            self.assertEqual([line for line in said if not line.startswith("  | ")], [])
            self.assertNotRegex(mail.get_content(), "[\x1b\u202e]")

    def test_what_has_expired_while_no_server_ran_is_told_by_the_next(self):
        self.serve()
        self.subscribe()
        self.command("environment", "set", "production", "--expires", "1s")
        self.put(STEPS)
        run_id = self.begin()
        self.wait_for_asked()
        self.kill()
        time.sleep(1)
        self.serve()
        self.assertEqual(self.wait_for_run(run_id), "failed")
        expired = self.told("approval.asked", "approval.expired", "pipeline_run.failed")[1]
        self.assertEqual((expired["subject"], expired["reason"]),
                         ('shop#1 approval 1 has expired: step "deploy" to production', "0 of 1 people had approved it in time"))

    def test_of_two_people_each_is_told_and_what_is_withdrawn_too(self):
        tokens = {name: self.token(name, role) for name, role in
                  {"boss": "owner", "ci": "contributor", "ada": "approver", "bob": "approver"}.items()}
        self.serve("--demand-token")
        self.secret = tokens["boss"]
        self.subscribe(SLIPWAY_TOKEN=tokens["boss"])
        self.command("environment", "set", "production", "--approvals", "2", "--four-eyes", SLIPWAY_TOKEN=tokens["boss"])
        self.put(STEPS)
        run_id = self.begin(SLIPWAY_TOKEN=tokens["ci"])
        mail = self.wait_for_asked()
        self.assertIn("\n  caused by     ci has started it\n", mail.get_content())
        self.assertIn("\nIt takes 2 persons with the role approver.\nFour eyes: whoever caused it may only reject it.\n",
                      mail.get_content())
        for name in "ada", "bob":
            self.answer_by(mail, "approve", f"says {name}", SLIPWAY_TOKEN=tokens[name])
        self.assertEqual(self.wait_for_run(run_id), "succeeded")
        run_id = self.begin(SLIPWAY_TOKEN=tokens["ci"])
        self.wait_for_asked(2)
        self.command("pipeline", "cancel", "shop", SLIPWAY_TOKEN=tokens["ci"])
        self.assertEqual(self.wait_for_run(run_id), "cancelled")
        told = self.told("approval.asked", "approval.given", "approval.approved", "approval.asked", "approval.withdrawn")
        self.assertEqual([(one["decided_by"], one["comment"], one["given"]) for one in told[1:3]],
                         [("ada", "says ada", 1), ("bob", "says bob", 2)])
        self.assertEqual([one.get("may_approve") for one in told[:3]], [["ada", "bob", "boss"], ["bob", "boss"], None])
        self.assertIn("\n  may approve   bob, boss\n\nada has approved it:\n  | says ada\n\nIt takes 1 more", told[1]["text"])
        self.assertEqual(told[1]["subject"], 'shop#1 approval 1 has 1 of 2: step "deploy" to production')
        self.assertIn("\nIt takes 1 more person with the role approver.\n", told[1]["text"])
        self.assertEqual([one["decided_by"] for one in told[2]["decisions"]], ["ada", "bob"])
        self.assertEqual((told[4]["approval"], told[4]["reason"]), (2, "the run was cancelled"))

    # releases

    def begin_with_a_champion(self, gate=""):
        self.serve()
        self.command("environment", "set", "production", "--approvals", "0")
        self.subscribe()
        self.assertEqual(self.wait_for_run(self.release(gate=gate)), "succeeded")

    def test_a_version_that_the_gate_declines_is_told_with_both_numbers(self):
        self.begin_with_a_champion(", demand: better")
        self.assertEqual(self.wait_for_run(self.release(gate=", demand: better")), "failed")
        _, declined, failed = self.told("release.deployed", "release.rejected", "pipeline_run.failed")
        self.assertEqual(declined["subject"], 'shop#2: version 2 of "shop" was not released at endpoint "shop"')
        gate = declined["gate"]
        self.assertEqual((gate["challenger"]["version"], gate["champion"]["version"], set(gate["interval"])),
                         (2, 1, {"low", "high", "level", "resamples"}))
        self.assertIn("\n  serves still  version 1 of \"shop\"\n", declined["text"])
        self.assertIn(gate["reason"], declined["text"])
        self.assertEqual((failed["step"], failed["reason"]), ("release.gate", f"rejected: {gate['reason']}"))

    def test_a_release_that_is_aborted_in_its_canary_is_told_with_the_reason(self):
        self.begin_with_a_champion()
        production = "traffic: [50], hold: 1s, wait: 1s, abort: {requests_min: 5}"
        self.assertEqual(self.wait_for_run(self.release(production)), "failed")
        aborted = self.told("release.deployed", "release.aborted", "pipeline_run.failed")[1]
        self.assertEqual((aborted["subject"], aborted["version"], aborted["share"], aborted["figures"]["requests"]),
                         ('shop#2: version 2 of "shop" was aborted in production with 50 % of the requests', 2, 50, 0))
        self.assertEqual(aborted["reason"], "too few requests to judge by, for too long: 0 of 5 requests so far")
        self.assertIn('\n  serves still  version 1 of "shop"\n', aborted["text"])

    def test_a_release_that_something_else_supersedes_is_told_as_that(self):
        self.begin_with_a_champion()
        run_id = self.release("traffic: [50], hold: 30s")
        wait_for(lambda: self.get("/api/v1/endpoints/shop")["candidate"], "the candidate")
        self.command("endpoint", "canary", "shop", "--clear")
        self.assertEqual(self.wait_for_run(run_id), "failed")
        superseded = self.told("release.deployed", "release.superseded", "pipeline_run.failed")[1]
        self.assertEqual((superseded["subject"], superseded["version"], superseded["run"], superseded["step"]),
                         ('shop#2: the release of version 2 of "shop" was superseded', 2, "shop#2", "release.canary@50"))
        self.assertEqual(superseded["reason"],
                         'what the run tried at endpoint "shop" was ended by local (cleared); run again')
        self.assertIn('\n  serves still  version 1 of "shop"\n', superseded["text"])

    def test_a_rollback_is_told_with_who_and_why_and_staging_is_nobodys_business(self):
        self.begin_with_a_champion()
        self.assertEqual(self.wait_for_run(self.release()), "succeeded")
        told = self.told("release.deployed", "release.deployed")[1]
        self.assertEqual((told["version"], told["before"]), (2, {"model": "shop", "version": 1}))
        line = re.search(r"^  slipway (rollback .*)$", told["text"], re.M)[1]
        self.command(*shlex.split(line)[:-1], "too many were blocked")
        self.command("rollback", "shop-staging")
        back = self.told("release.deployed", "release.deployed", "release.rolled_back")[2]
        self.assertEqual((back["subject"], back["version"], back["before"]["version"], back["comment"], back["deployed_by"]),
                         ('shop: production is back at version 1 of "shop" (endpoint "shop")', 1, 2, "too many were blocked",
                          "local"))

    # who asked for it

    def test_who_wants_other_events_hears_nothing_of_these(self):
        self.serve()
        self.subscribe("release.rejected", "model_version.created")
        self.put(STEPS)
        run_id = self.begin()
        wait_for(lambda: self.get("/api/v1/approvals")["approvals"], "a question")
        self.command("reject", "shop#1", "--comment", "no")
        self.assertEqual(self.wait_for_run(run_id), "failed")
        self.told()

    # kills

    def test_killed_between_the_change_and_its_delivery_each_is_told_once(self):
        self.hook.free.clear()
        self.serve()
        self.subscribe()
        run_id = self.release()
        self.hook.wait(1)  # of the question, and does not answer
        self.command("approve", "shop#1", "--comment", "go")
        self.assertEqual(self.wait_for_run(run_id), "succeeded")
        self.kill()
        self.hook.free.set()
        self.serve()
        self.told("approval.asked", "approval.approved", "release.deployed")
        self.assertEqual([one.event for one in self.hook.heard].count("approval.asked"), 2)

    def live(self, **settings):
        """A release that is asked for and approved, on a server that may be killed on the way."""
        self.serve(**settings)
        self.command("environment", "set", "production", "--approvals", "1")
        try:
            self.subscribe()
            run_id = self.release()
            self.approve()
            self.wait_for_run(run_id)
        except (OSError, AssertionError):
            self.server.wait(SECONDS_MAX)

    def approve(self):
        wait_for(lambda: self.get("/api/v1/approvals?status=pending")["approvals"], "a question")
        self.command("approve", "shop#1", "--comment", "go")

    def finish(self):
        """By the next server, whatever the one that was killed had come to."""
        self.serve()
        run_id = self.get("/api/v1/pipelines/shop/runs/1")["id"]
        wait_for(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"] or
                 self.get("/api/v1/approvals?status=pending")["approvals"], "a question, or the end")
        if not self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"]:
            self.approve()
        self.assertEqual(self.wait_for_run(run_id), "succeeded")

    def test_killed_before_a_change_is_committed_it_is_told_when_it_is_and_once(self):
        log = os.path.join(self.folder, "points")
        self.live(SLIPWAY_CRASH_LOG=log)
        self.told("approval.asked", "approval.approved", "release.deployed")
        self.stop(self.server)
        passed = passed_points(log)
        if not passed:
            self.skipTest("the build has no crash points")
        name = "outbox: written, not committed"
        self.assertEqual(passed.count(name), 3)
        for turn in 1, 2, 3:
            os.remove(log)
            shutil.rmtree(self.data)
            self.hook.heard.clear()
            self.mail.mails.clear()
            self.seed = 0
            self.live(SLIPWAY_CRASH_LOG=log, SLIPWAY_CRASH=f"{turn} {name}")
            self.assertEqual(self.server.returncode, -signal.SIGKILL, turn)
            self.finish()
            self.told("approval.asked", "approval.approved", "release.deployed")
            self.stop(self.server)


if __name__ == "__main__":
    run(NoticesTest)
