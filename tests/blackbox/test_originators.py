#!/usr/bin/env python3
"""Four eyes on what a push, a schedule or a program starts: they keep out whoever caused the change, not who ran it.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_originators.py [WORD]
"""
import hashlib
import hmac
import json
import os
import sqlite3
import time

from harness import SlipwayTest, run

FILE = """project: shop
data: {notes: {target: label}}
stages:
  deploy: {cmd: 'true', environment: PLACE, always_changed: true}
on: {push: main, data: notes}
"""
APPROVALS = "/api/v1/approvals"
SECONDS_MAX = 15


class OriginatorsTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)
        roles = {"boss": "owner", "ada": "approver", "bob": "approver", "eve": "approver", "dev": "contributor"}
        self.tokens = {name: self.token(name, role) for name, role in roles.items()}
        self.port = self.start("--demand-token")[1]
        self.who("boss", "environment", "set", "production", "--four-eyes")

    def who(self, name, *arguments, **more):
        return self.command(*arguments, SLIPWAY_TOKEN=self.tokens[name], **more)

    def get(self, name, path, status=200, **more):
        headers = {"Authorization": f"Bearer {self.tokens[name]}"}
        return self.expect(status, self.port, path, headers=headers, **more)[1]

    def write(self, place="production"):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(FILE.replace("PLACE", place))

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def pending(self):
        found = []
        self.wait_until(lambda: found.extend(self.get("boss", APPROVALS + "?status=pending")["approvals"]) or found)
        self.assertEqual(len(found), 1)
        return self.get("boss", f"{APPROVALS}/{found[0]['id']}")

    def decide(self, name, approval, status=200):
        body = json.dumps({"approved": True, "comment": "looked at it", "digest": approval["digest"]})
        answer = self.get(name, f"{APPROVALS}/{approval['id']}/decide", status, method="POST", body=body)
        return answer["status"] if status == 200 else answer["error"]["message"]

    def causes(self, approval):
        return {(one["name"], one["did"], one["principal"]) for one in approval["originators"]
                if one["did"] != "written"}

    # pushes

    def repository(self):
        self.bare = os.path.join(self.folder, "shop.git")
        self.git("init", "--quiet", "--bare", self.bare)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.bare)
        return self.who("boss", "hook", "set", "shop", "--repository", self.bare).strip()

    def commit(self, author):
        self.write()
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change", author=author)

    def push(self, secret, author="Ada", **body):
        """Tells of a commit by author in the words of the body."""
        self.commit(author)
        self.git("push", "--quiet", "--force", "origin", "main")
        commit = self.git("rev-parse", "HEAD")
        if "resource" in body:
            body["resource"]["refUpdates"] = [{"name": "refs/heads/main", "newObjectId": commit}]
        else:
            body.update(ref="refs/heads/main", after=commit)
        text = json.dumps(body)
        sign = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        self.expect(202, self.port, "/api/v1/hooks/shop/git", method="POST", body=text,
                    headers={"X-Slipway-Signature": sign})
        return self.pending()

    def test_whoever_pushed_cannot_approve_it_under_any_of_the_hosts_words(self):
        secret = self.repository()
        self.who("boss", "identity", "set", "octocat", "--principal", "ada")
        self.who("boss", "identity", "set", "Ada@Firm.example", "--principal", "ada")
        for body, name in (({"pusher": {"name": "x"}, "sender": {"login": "octocat"}}, "octocat"),
                           ({"pusher": {"name": "Octocat"}}, "Octocat"),
                           ({"user_username": "octocat"}, "octocat"),
                           ({"resource": {"pushedBy": {"uniqueName": "ada@firm.example"}}}, "ada@firm.example"),
                           ({"pusher": "octocat"}, "octocat")):
            approval = self.push(secret, author="Somebody", **body)
            self.assertEqual(self.causes(approval), {(name, "pushed", "ada")})
            self.assertEqual((approval["needed"], approval["is_originator_known"]), (1, True))
            self.assertEqual(self.decide("ada", approval, 403),
                             f'four eyes: "ada" (as "{name}") has pushed what waits, so somebody else must approve it')
            self.go_through("bob", approval)
        shown = self.who("bob", "approval", "show", str(approval["id"]))
        self.assertIn('caused by          ada: has pushed it as "octocat"\n', shown)

    def test_a_pusher_whom_nobody_knows_makes_it_take_two(self):
        secret = self.repository()
        approval = self.push(secret, author="Somebody", pusher="mallory")
        self.assertEqual((approval["needed"], approval["is_originator_known"]), (2, False))
        self.assertIn("takes one approval more", self.who("bob", "approval", "show", "1"))
        self.assertEqual(self.decide("bob", approval), "pending")
        self.assertIn('"bob" has approved it already', self.decide("bob", approval, 409))
        self.assertEqual(self.decide("eve", approval), "approved")

    def test_an_owner_may_say_who_it_was_while_it_waits(self):
        secret = self.repository()
        self.push(secret, author="Somebody", pusher="mallory")
        self.who("boss", "identity", "set", "mallory", "--principal", "ada")
        self.wait_until(lambda: self.get("boss", f"{APPROVALS}/1")["status"] == "withdrawn")
        approval = self.pending()
        self.assertEqual(approval["needed"], 1)
        self.decide("ada", approval, 403)
        self.assertEqual(self.decide("eve", approval), "approved")

    def test_the_same_name_over_there_is_kept_out_but_is_not_known_for_it(self):
        secret = self.repository()
        approval = self.push(secret, author="Somebody", pusher="bob")
        self.assertEqual((approval["needed"], approval["is_originator_known"]), (2, False))
        self.decide("bob", approval, 403)
        self.assertEqual([self.decide("ada", approval), self.decide("eve", approval)], ["pending", "approved"])

    def test_whoever_wrote_the_commit_is_kept_out_too(self):
        secret = self.repository()
        self.who("boss", "identity", "set", "Bob@example.com", "--principal", "bob")
        self.who("boss", "identity", "set", "octocat", "--principal", "ada")
        approval = self.push(secret, author="Bob", pusher="octocat")
        self.assertEqual(approval["needed"], 1)
        self.assertEqual(self.decide("bob", approval, 403),
                         'four eyes: "bob" (as "Bob@example.com") has written what waits, so somebody else must '
                         "approve it")
        self.decide("ada", approval, 403)
        self.assertEqual(self.decide("eve", approval), "approved")

    def know(self, **people):
        for name, principal in people.items():
            self.who("boss", "identity", "set", name, "--principal", principal)
            self.who("boss", "identity", "set", f"{name}@example.com", "--principal", principal)

    def go_through(self, name, approval):
        self.assertEqual(self.decide(name, approval), "approved")
        self.wait_until(lambda: self.get("boss", f"/api/v1/pipeline-runs/{approval['pipeline_run_id']}")["status"] == "succeeded")

    def test_what_was_pushed_before_and_did_not_go_through_counts_with_the_next_push(self):
        secret = self.repository()
        self.know(octocat="ada", hubot="bob", monalisa="eve")
        approval = self.push(secret, author="octocat", pusher="octocat")
        self.who("eve", "reject", str(approval["id"]), "--comment", "no")
        approval = self.push(secret, author="hubot", pusher="hubot")
        self.assertEqual(self.causes(approval), {("octocat", "pushed", "ada"), ("hubot", "pushed", "bob")})
        self.decide("ada", approval, 403)
        self.go_through("eve", approval)
        approval = self.push(secret, author="octocat", pusher="octocat")
        self.assertEqual(self.causes(approval), {("octocat", "pushed", "ada")})
        self.go_through("bob", approval)

    def test_whoever_wrote_any_commit_of_a_push_is_kept_out(self):
        secret = self.repository()
        self.know(octocat="ada", hubot="bob", monalisa="eve")
        self.go_through("eve", self.push(secret, author="hubot", pusher="octocat"))
        self.commit("monalisa")
        approval = self.push(secret, author="octocat", pusher="octocat")
        self.assertEqual((approval["needed"], approval["is_originator_known"]), (1, True))
        self.assertIn("has written what waits", self.decide("eve", approval, 403))
        self.go_through("bob", approval)

    def test_history_that_is_gone_makes_it_take_one_approval_more(self):
        secret = self.repository()
        self.know(octocat="ada")
        self.go_through("eve", self.push(secret, author="octocat", pusher="octocat"))
        with sqlite3.connect(os.path.join(self.data, "slipway.db"), timeout=30) as db:
            db.execute("UPDATE pushes SET commit_id = ?", ("f" * 40,))
        approval = self.push(secret, author="octocat", pusher="octocat")
        self.assertEqual((approval["needed"], approval["is_originator_known"]), (2, False))

    def test_the_script_says_who_pushes(self):
        secret = self.repository()
        script = self.who("boss", "hook", "script", "shop", "--url", f"http://127.0.0.1:{self.port}")
        self.install_hook(self.bare, script, secret)
        self.write()
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "change")
        self.git("push", "--quiet", "origin", "main", GL_USER="octo.cat")
        self.assertEqual(self.causes(self.pending()), {("octo.cat", "pushed", None)})
        self.assertEqual(self.get("boss", "/api/v1/hooks/shop")["pushes"][0]["pusher"], "octo.cat")

    # files that were put

    def test_whoever_put_the_files_cannot_approve_what_others_start_of_them(self):
        self.write()
        self.who("ada", "up", folder=self.project)
        self.who("bob", "pipeline", "start", "shop", "--no-wait")
        approval = self.pending()
        self.assertEqual(self.causes(approval), {("ada", "put", "ada"), ("bob", "started", "bob")})
        for name in "ada", "bob":
            self.decide(name, approval, 403)
        self.assertEqual(self.decide("eve", approval), "approved")

    def test_what_a_schedule_starts_is_caused_by_who_put_it(self):
        self.write()
        self.who("ada", "up", folder=self.project)
        path = os.path.join(self.project, "slipway.yaml")
        with open(path, "a") as file:
            file.write("  ")
        with open(path) as file:
            text = file.read().replace("data: notes}", "schedule: [{cron: '* * * * *', missed: latest}]}")
        with open(path, "w") as file:
            file.write(text)
        self.who("ada", "up", folder=self.project)
        with sqlite3.connect(os.path.join(self.data, "slipway.db"), timeout=30) as db:
            db.execute("UPDATE schedules SET seen_at = seen_at - 120000, next_at = next_at - 120000")
        approval = self.pending()
        self.assertEqual((approval["asked_by"], self.causes(approval)), ("slipway", {("ada", "put", "ada")}))
        self.decide("ada", approval, 403)
        self.assertEqual(self.decide("bob", approval), "approved")

    def test_of_new_data_it_is_also_who_added_it(self):
        self.write()
        self.who("ada", "up", folder=self.project)
        time.sleep(1.5)  # the first look only notes where the trail ends
        path = os.path.join(self.folder, "notes.csv")
        with open(path, "w") as file:
            file.write("a,label\n1,x\n2,y\n")
        self.who("bob", "data", "add", "notes", path, "--target", "label")
        approval = self.pending()
        self.assertEqual(self.causes(approval), {("ada", "put", "ada"), ("bob", "added", "bob")})

    def test_two_tokens_of_one_person_are_one_person(self):
        self.who("boss", "identity", "set", "eve", "--principal", "ada")
        self.who("boss", "environment", "set", "production", "--approvals", "2")
        self.write()
        self.who("dev", "pipeline", "run", "--no-wait", folder=self.project)
        approval = self.pending()
        self.assertEqual(self.decide("eve", approval), "pending")
        self.assertIn('"ada" has approved it already', self.decide("ada", approval, 409))
        self.assertEqual(self.decide("bob", approval), "approved")

    # environments that nobody has set

    def test_an_environment_that_nobody_has_set_is_refused_by_name(self):
        self.write("qa")
        sentence = ('slipway.yaml: step "deploy": environment "qa" was never set, so nothing goes there: an owner says '
                    "what it demands, or nothing, by slipway environment set qa --approvals 0")
        for arguments in (("pipeline", "run"), ("up",)):
            done = self.run_command(*arguments, "--data", self.data, folder=self.project,
                                    SLIPWAY_TOKEN=self.tokens["ada"])
            self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (4, f"slipway: {sentence}"))
        self.assertEqual(self.get("boss", "/api/v1/pipeline-runs")["pipeline_runs"], [])
        self.refused(2, '"approvals" is 0 (nobody is asked) to 10', "environment", "set", "qa", "--branch", "main",
                     SLIPWAY_TOKEN=self.tokens["boss"])
        self.who("boss", "environment", "set", "qa", "--approvals", "0")
        self.who("dev", "pipeline", "run", folder=self.project)

    def test_a_run_from_before_waits_until_an_owner_says_it(self):
        self.write("qa")
        self.who("boss", "environment", "set", "qa", "--approvals", "1")
        run_id = self.who("dev", "pipeline", "run", "--no-wait", folder=self.project).strip()
        self.pending()
        with sqlite3.connect(os.path.join(self.data, "slipway.db"), timeout=30) as db:
            db.execute("DELETE FROM environments WHERE name = 'qa'")
            db.execute("UPDATE pipeline_steps SET ready_at = 0")
        steps = f"/api/v1/pipeline-runs/{run_id}/steps"
        self.who("boss", "environment", "set", "production", "--approvals", "2")  # which wakes what waits
        self.wait_until(lambda: "was never set" in self.get("boss", steps)["steps"][0]["reason"])
        self.who("boss", "environment", "set", "qa", "--approvals", "0")
        self.wait_until(lambda: self.get("boss", steps)["steps"][0]["status"] == "succeeded")


if __name__ == "__main__":
    run(OriginatorsTest)
