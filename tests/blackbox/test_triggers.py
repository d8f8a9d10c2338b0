#!/usr/bin/env python3
"""What starts runs of pipelines when nobody sends files, on a real server with a real git."""
import base64
import hashlib
import hmac
import json
import os
import socket
import sqlite3
import time

from harness import SlipwayTest, run

FILE = """project: spam
params:
  rows: {type: integer, default: 10, minimum: 1}
  date: {type: date, default: 2026-01-01}
stages:
  hold:
    cmd: while test -e HOLD; do sleep 0.02; done; echo ${{ params.rows }} ${{ params.date }}
    always_changed: true
concurrency: queue
on:
  schedule:
    - {cron: "0 3 * * 1", timezone: Europe/Amsterdam}
    - {cron: "30 2 * * *"}
"""
SECONDS_MAX = 30


class TriggersTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.hold = os.path.join(self.folder, "hold")
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)

    def tearDown(self):
        """Steps outlive their server: the folder goes when they have ended."""
        if os.path.exists(self.hold):
            os.remove(self.hold)
        if self.servers and self.servers[-1].poll() is None:
            self.wait_until(lambda: all(one["ended_at"] for one in json.loads(
                self.command("pipeline", "list", "--json"))["pipeline_runs"]))
        super().tearDown()

    def put(self, text=FILE):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(text.replace("HOLD", self.hold))
        return self.command("up", folder=self.project)

    def holds(self):
        with open(self.hold, "w"):
            pass

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def runs(self, port):
        listed = self.expect(200, port, "/api/v1/pipelines/spam/runs")[1]["pipeline_runs"]
        return listed[::-1]

    def wait_for(self, port, statuses):
        """Until these are the runs' statuses, the oldest first."""
        try:
            self.wait_until(lambda: [one["status"] for one in self.runs(port)] == statuses)
        except AssertionError:
            self.fail([(one["status"], one["reason"]) for one in self.runs(port)])

    def begin(self, port, status=202, **body):
        return self.expect(status, port, "/api/v1/pipelines/spam/runs", method="POST", body=json.dumps(body))[1]

    def test_what_started_a_run_and_what_it_waits_for_is_shown(self):
        port = self.start()[1]
        self.put(FILE + "  alarm: drift\n")
        self.holds()
        first = self.begin(port)
        self.expect(202, port, "/api/v1/pipelines/spam/alarm", method="POST",
                    body=json.dumps({"kind": "drift", "detail": "psi 0.4"}))
        shown = self.command("pipeline", "show", "spam")
        self.assertRegex(shown, r"^spam#2  queued\nstarted by local at 2\d{3}-\d\d-\d\d \S+: alarm, drift: psi 0\.4\n"
                                f"begins when pipeline run {first['id']} has ended\n")
        self.assertRegex(self.command("pipeline", "show", "spam#1"), r"\nstarted by local at \S+ \S+: api\nstep ")

    def test_a_program_starts_it_with_params(self):
        port = self.start()[1]
        self.put()
        shown = self.begin(port, params={"rows": 7})
        self.assertEqual((shown["number"], shown["origin"]["trigger"]), (1, "api"))
        self.wait_for(port, ["succeeded"])
        self.assertEqual(self.command("pipeline", "log", "spam", "hold"), "7 2026-01-01\n")
        for params, sentence in (({"row": 7}, 'there is no param "row"; there are: rows, date'),
                                 ({"rows": 0}, "rows"), ({"date": "soon"}, "date")):
            error = self.begin(port, 422, params=params)["error"]
            self.assertIn(sentence, error["message"])
            self.assertEqual(error["field"], list(params)[0])
        self.assertEqual(len(self.runs(port)), 1)

    def test_a_key_has_one_run(self):
        port = self.start()[1]
        self.put()
        first = self.begin(port, key="monday")
        self.assertEqual(self.begin(port, 200, key="monday")["id"], first["id"])

    def test_a_key_that_is_none_or_a_triggers_is_refused(self):
        """The key of a schedule's next tick would keep that from starting a run."""
        port = self.start()[1]
        self.put(FILE + "  alarm: drift\n")
        for body, field, sentence in (
                ({"key": ""}, "key", "a key has 1 to 256 bytes"),
                ({"key": "k" * 257}, "key", "a key has 1 to 256 bytes"),
                ({"key": "schedule:0 3 * * 1:2030-01-07T02:00:00Z"}, "key", 'a key does not begin with "schedule:"'),
                ({"key": "push:refs/heads/main:" + "1" * 40}, "key", 'a key does not begin with "push:"')):
            error = self.begin(port, 422, **body)["error"]
            self.assertEqual((error["field"], error["message"][:len(sentence)]), (field, sentence))
            done = self.run_command("pipeline", "run", "--key", body["key"], "--data", self.data, folder=self.project)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"slipway: {sentence}", done.stderr)
        error = self.expect(422, port, "/api/v1/pipelines/spam/alarm", method="POST",
                            body=json.dumps({"kind": "drift", "key": "k" * 257}))[1]["error"]
        self.assertEqual(error["field"], "key")
        self.assertEqual(self.runs(port), [])

    def test_what_has_no_pipeline_cannot_be_started(self):
        port = self.start()[1]
        self.assertIn("has no pipeline", self.begin(port, 404)["error"]["message"])

    def test_a_wrong_file_is_told_when_it_is_put(self):
        port = self.start()[1]
        self.put()
        with self.assertRaisesRegex(AssertionError, r"slipway.yaml: line 8"):
            self.put(FILE.replace("always_changed", "allways_changed"))
        self.begin(port)

    def test_a_file_may_keep_programs_out(self):
        port = self.start()[1]
        self.put(FILE + "  api: false\n")
        self.assertEqual(self.begin(port, 409)["error"]["message"], "slipway.yaml says on: {api: false}")

    def test_queue_begins_when_the_one_before_has_ended(self):
        port = self.start()[1]
        self.put()
        self.holds()
        first, second, third = (self.begin(port) for _ in range(3))
        self.assertEqual([second["follows"], third["follows"]], [first["id"], second["id"]])
        self.wait_for(port, ["running", "queued", "queued"])
        self.command("pipeline", "cancel", "spam#2")
        self.wait_for(port, ["running", "cancelled", "queued"])
        os.remove(self.hold)
        self.wait_for(port, ["succeeded", "cancelled", "succeeded"])

    def test_skip_answers_with_the_one_that_is_open(self):
        port = self.start()[1]
        self.put(FILE.replace("concurrency: queue", "concurrency: skip"))
        self.holds()
        first = self.begin(port)
        self.assertEqual(self.begin(port, 200)["id"], first["id"])
        os.remove(self.hold)
        self.wait_for(port, ["succeeded"])
        self.begin(port)
        self.wait_for(port, ["succeeded", "succeeded"])

    def test_replace_cancels_those_that_are_open(self):
        port = self.start()[1]
        self.put(FILE.replace("concurrency: queue", "concurrency: replace"))
        self.holds()
        self.begin(port)
        self.wait_for(port, ["running"])
        self.begin(port)
        self.wait_for(port, ["cancelled", "running"])
        os.remove(self.hold)
        self.wait_for(port, ["cancelled", "succeeded"])

    def test_schedules_are_shown_with_their_next_times(self):
        port = self.start()[1]
        self.put()
        monday, daily = self.expect(200, port, "/api/v1/schedules")[1]["schedules"]
        self.assertEqual((monday["cron"], monday["timezone"], len(monday["next"])), ("0 3 * * 1", "Europe/Amsterdam", 3))
        self.assertTrue(all("T03:00:00.000+0" in one for one in monday["next"]), monday)
        self.assertTrue(all(one.endswith("T02:30:00.000+00:00") for one in daily["next"]), daily)
        self.assertIn("30 2 * * *", self.command("schedule", "list", "spam"))
        self.put(FILE.split("on:")[0])
        self.assertEqual(self.expect(200, port, "/api/v1/schedules")[1]["schedules"], [])

    def test_a_wrong_zone_is_refused(self):
        self.start()
        with self.assertRaisesRegex(AssertionError, "Europe/Atlantis"):
            self.put(FILE.replace("Amsterdam", "Atlantis"))

    # ---- new data, alarms, backfill

    def test_a_new_version_of_a_data_set_starts_a_run(self):
        port = self.start()[1]
        self.put("data: {comments: {target: label}}\n" + FILE.split("on:")[0] + "on: {data: comments}\n")
        time.sleep(1.5)  # the first look only notes where the trail ends
        self.assertEqual(self.runs(port), [])
        for name, text in (("comments", "a,label\n1,x\n2,y\n"), ("comments", "a,label\n1,x\n2,y\n3,y\n"),
                           ("others", "a,label\n1,x\n2,y\n")):
            path = os.path.join(self.folder, "rows.csv")
            with open(path, "w") as file:
                file.write(text)
            self.command("data", "add", name, path, "--target", "label")
        self.wait_for(port, ["succeeded", "succeeded"])
        self.assertEqual([one["origin"]["cause"] for one in self.runs(port)], ["comments@1", "comments@2"])

    def test_an_alarm_starts_what_is_on_it_once(self):
        port = self.start()[1]
        self.put(FILE.split("on:")[0] + "on: {alarm: drift}\n")

        def alarm(status, **body):
            return self.expect(status, port, "/api/v1/pipelines/spam/alarm", method="POST", body=json.dumps(body))[1]
        first = alarm(202, kind="drift", detail="column a", key="monday")["pipeline_run"]
        self.assertEqual(first["origin"]["cause"], "drift: column a")
        self.assertEqual(alarm(202, kind="drift", key="monday")["pipeline_run"]["id"], first["id"])
        self.assertIsNone(alarm(200, kind="latency")["pipeline_run"])
        alarm(422, kind="")
        self.assertEqual(len(self.runs(port)), 1)

    def test_a_backfill_of_fourteen_months_goes_on_after_the_fifth(self):
        port = self.start()[1]
        self.put()
        words = ("pipeline", "backfill", "spam", "--param", "date", "--every", "month", "--from", "2020-01-31")
        self.assertEqual(self.command(*words, "--to", "2020-05-31"), "5 of 5 runs started, the others were there\n")
        self.assertEqual(self.command(*words, "--to", "2021-02-28"), "9 of 14 runs started, the others were there\n")
        self.wait_for(port, ["succeeded"] * 14)
        dates = [one["params"]["date"] for one in self.runs(port)]
        self.assertEqual(dates[:4] + dates[-2:], ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30",
                                                  "2021-01-31", "2021-02-28"])

    def test_a_wrong_backfill_starts_nothing(self):
        port = self.start()[1]
        self.put()
        whole = {"param": "date", "from": "2020-01-01", "to": "2020-02-01"}
        for field, value in (("from", "2020-02-30"), ("to", "soon"), ("to", "2019-12-31"), ("to", "2035-01-01"),
                             ("every", "hour"), ("param", "day")):
            error = self.expect(422, port, "/api/v1/pipelines/spam/backfill", method="POST",
                                body=json.dumps(dict(whole, **{field: value})))[1]["error"]
            self.assertEqual(error["field"], "day" if field == "param" else field, error)
        self.assertEqual(self.runs(port), [])

    # ---- pushes

    def repository(self):
        """A bare repository whose branch "old" was pushed before there was a hook; returns the hook's secret."""
        self.bare = os.path.join(self.folder, "spam.git")
        self.git("init", "--quiet", "--bare", self.bare)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.bare)
        self.commit("on: {push: [main, 'release/*']}\n")
        self.git("push", "--quiet", "origin", "main:old")
        return self.command("hook", "set", "spam", "--repository", self.bare).strip()

    def commit(self, on):
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(FILE.split("on:")[0].replace("HOLD", self.hold) + on)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def tell(self, port, status, body, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.expect(status, port, "/api/v1/hooks/spam/git", method="POST", body=body, headers=headers)[1]

    def pushes(self, port):
        listed = self.expect(200, port, "/api/v1/hooks/spam")[1]["pushes"]
        return {one["ref"].split("/", 2)[2]: one for one in listed}

    def test_a_push_starts_a_run_of_its_commit_once(self):
        port = self.start()[1]
        secret = self.repository()
        commit = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "origin", "main", "main:release/1", "main:other")
        body = json.dumps({"ref": "refs/heads/main", "after": commit})
        sign = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        basic = "Basic " + base64.b64encode(f"azure:{secret}".encode()).decode()
        azure = json.dumps({"resource": {"refUpdates": [
            {"name": f"refs/heads/{name}", "newObjectId": commit} for name in ("release/1", "other")]}})
        self.tell(port, 202, body, X_Hub_Signature_256="sha256=" + sign)
        self.tell(port, 202, body, X_Gitlab_Token=secret)
        self.tell(port, 202, body, X_Slipway_Signature=sign)
        self.tell(port, 202, azure, Authorization=basic)
        self.wait_until(lambda: not any(one["status"] == "waiting" for one in self.pushes(port).values()))
        pushes = self.pushes(port)
        self.assertEqual({name: one["status"] for name, one in pushes.items()},
                         {"old": "ignored", "main": "started", "release/1": "started", "other": "ignored"})
        self.assertEqual(pushes["other"]["reason"], "slipway.yaml does not name the branch under on: push")
        self.wait_for(port, ["succeeded", "succeeded"])
        self.assertEqual([(one["origin"]["trigger"], one["origin"]["commit"], one["origin"]["branch"])
                          for one in self.runs(port)],
                         [("push", commit, "main"), ("push", commit, "release/1")])
        source = self.expect(200, port, "/api/v1/pipelines/spam")[1]
        self.assertEqual((source["commit"], source["branch"]), (commit, "main"))

    def test_a_repository_that_does_not_answer_holds_up_no_schedule(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = self.start()[1]
            self.repository()
            self.put(FILE.split("on:")[0] + "on: {schedule: [{cron: '* * * * *'}]}\n")
            with sqlite3.connect(os.path.join(self.data, "slipway.db"), timeout=30) as db:
                db.execute("UPDATE hooks SET repository = ?, looked_at = NULL",
                           (f"http://127.0.0.1:{silent.getsockname()[1]}/spam.git",))
            silent.settimeout(SECONDS_MAX)
            asking = silent.accept()[0]  # git asks, and waits
            with sqlite3.connect(os.path.join(self.data, "slipway.db"), timeout=30) as db:
                db.execute("UPDATE schedules SET seen_at = seen_at - 120000, next_at = next_at - 120000")
            self.wait_until(lambda: self.runs(port))
            shown = self.expect(200, port, "/api/v1/hooks/spam")[1]["hook"]
            self.assertEqual((shown["looked_at"], shown["reason"]), (None, None))
            asking.close()

    def test_a_push_that_nobody_told_of_is_found(self):
        server, port = self.start()
        self.repository()
        self.stop(server)
        commit = self.commit("on: {push: main}\n")
        self.git("push", "--quiet", "origin", "main")
        port = self.start()[1]
        self.wait_for(port, ["succeeded"])
        push = self.pushes(port)["main"]
        self.assertEqual((push["commit"], push["told_by"], push["status"]), (commit, "look", "started"))

    def test_the_script_of_a_bare_repository_tells_of_pushes(self):
        port = self.start()[1]
        secret = self.repository()
        script = self.command("hook", "script", "spam", "--url", f"http://127.0.0.1:{port}")
        self.install_hook(self.bare, script, secret)
        self.git("push", "--quiet", "origin", "main")
        self.wait_for(port, ["succeeded"])
        self.assertEqual(self.pushes(port)["main"]["told_by"], "hook")

    def test_what_is_not_signed_is_refused(self):
        port = self.start()[1]
        secret = self.repository()
        body = json.dumps({"ref": "refs/heads/main", "after": "0" * 39 + "1"})
        sign = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        wrong = hmac.new(b"", body.encode(), hashlib.sha256).hexdigest()
        basic = "Basic " + base64.b64encode(b"azure:wrong").decode()
        for headers in ({"X_Hub_Signature_256": sign}, {"X_Hub_Signature_256": "sha256=" + wrong},
                        {"X_Gitlab_Token": ""}, {"X_Gitlab_Token": secret[:-1]}, {"X_Slipway_Signature": sign[:-1]},
                        {"X_Slipway_Signature": sign.upper()}, {"Authorization": basic}, {"Authorization": "Basic !!!!"},
                        {"Authorization": "Bearer " + secret}, {"X_Slipway_Signature": sign, "X_Gitlab_Token": "x"}):
            error = self.tell(port, 401, body, **headers)["error"]
            self.assertEqual(error["message"], "the signature is not that of the project's hook and this body")
        self.assertIn("a hook is signed", self.tell(port, 401, body)["error"]["message"])
        self.tell(port, 401, body + " ", X_Slipway_Signature=sign)
        self.expect(401, port, "/api/v1/hooks/none/git", method="POST", body=body,
                    headers={"X-Slipway-Signature": wrong})
        self.tell(port, 413, "x" * (4 * 1024 * 1024 + 1), X_Gitlab_Token=secret)
        for body in ("", "{", "[]", '{"ref": 7, "after": 8}', '{"ref": "refs/heads/main", "after": "HEAD"}',
                     '{"ref": "refs/heads/main", "after": "--upload-pack=x"}'):
            if body != "[]":
                self.tell(port, 400, body, X_Gitlab_Token=secret)
        for body in ('{"zen": "x"}', json.dumps({"ref": "refs/heads/main", "after": "0" * 40}),
                     json.dumps({"ref": "refs/tags/v1", "after": "1" * 40})):
            self.assertEqual(self.tell(port, 202, body, X_Gitlab_Token=secret)["pushes"], 0)
        self.assertEqual(set(self.pushes(port)), {"old"})

    def test_a_commit_that_is_not_there_and_a_wrong_file_say_so(self):
        port = self.start()[1]
        secret = self.repository()
        commit = self.commit("on: {push: main}\nstagse: {}\n")
        self.git("push", "--quiet", "origin", "main:wrong")
        for name, after in (("wrong", commit), ("gone", "1" * 40)):
            self.tell(port, 202, json.dumps({"ref": "refs/heads/" + name, "after": after}), X_Gitlab_Token=secret)
        self.wait_until(lambda: not any(one["status"] == "waiting" for one in self.pushes(port).values()))
        pushes = self.pushes(port)
        self.assertIn('"stagse"', pushes["wrong"]["reason"])
        self.assertEqual(pushes["gone"]["reason"], "commit 111111111111 is not in the repository")
        self.assertEqual(self.runs(port), [])

    def test_a_repository_that_git_would_not_take_as_one_is_refused(self):
        self.start()
        for repository in ("--upload-pack=touch", "ext::sh -c true", "relative/path", "/a b"):
            done = self.run_command("hook", "set", "spam", f"--repository={repository}", "--data", self.data)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("a repository is", done.stderr)
        done = self.run_command("hook", "set", "spam", "--repository", self.folder + "/none", "--data", self.data)
        self.assertEqual((done.returncode, done.stderr), (6, f"slipway: git ls-remote: '{self.folder}/none' does not appear "
                                                             "to be a git repository\n"))

    def test_no_password_of_a_repository_gets_into_the_audit_trail(self):
        self.start()
        for repository in ("https://hidden@127.0.0.1:1/spam.git", "http://ada:hidden@127.0.0.1:1/spam",
                           "ssh://git:hidden@127.0.0.1/spam", "git://hidden@127.0.0.1:1/spam"):
            done = self.run_command("hook", "set", "spam", "--repository", repository, "--data", self.data)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("a repository's URL holds no password and no token", done.stderr)
            self.assertNotIn("hidden", done.stderr)
        self.assertNotIn("hidden", self.command("audit", "log", "--json"))
        for repository in ("ssh://git@127.0.0.1:1/spam", "http://127.0.0.1:1/a@b"):
            done = self.run_command("hook", "set", "spam", "--repository", repository, "--data", self.data)
            self.assertEqual(done.returncode, 6, done.stderr)


if __name__ == "__main__":
    run(TriggersTest)
