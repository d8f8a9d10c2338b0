#!/usr/bin/env python3
"""What can be told of the past: all that happened from a push on; what an endpoint served at a moment and what that
rested on, also behind one answer; and that a purge takes nothing of it.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_story.py [WORD]
"""
import hashlib
import hmac
import json
import os
import re
import time
from datetime import datetime, timezone
from urllib.parse import quote

from harness import SlipwayTest, run

PROJECT = """project: shop
data:
  shop: {source: shop.csv, target: label}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0}, needs: [check]}
release:
  endpoint: shop
"""
SECONDS_MAX = 60


def now():
    time.sleep(0.01)
    moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    time.sleep(0.01)
    return moment


class StoryTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(PROJECT)
        self.serve()

    def serve(self):
        self.server, self.port = self.start()

    def get(self, path, status=200, **more):
        return self.expect(status, self.port, path, **more)[1]

    def served(self, at=None, endpoint="shop", status=200):
        return self.get(f"/api/v1/audit/served/{endpoint}" + (f"?at={quote(at)}" if at else ""), status)

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def put_rows(self, count):
        with open(os.path.join(self.project, "shop.csv"), "w") as file:
            file.write("note,label\n")
            file.writelines(f"win a free phone {number},win\nlovely song {number},ham\n" for number in range(count))

    def begin(self, rows):
        """A run that waits for an approval of production; its id."""
        self.put_rows(rows)
        run_id = self.command("pipeline", "run", "--no-wait", folder=self.project).strip()
        pending = f"/api/v1/approvals?status=pending&pipeline_run_id={run_id}"
        self.wait_until(lambda: self.get(pending)["approvals"])
        return run_id

    def release(self, rows, comment):
        run_id = self.begin(rows)
        number = self.get(f"/api/v1/pipeline-runs/{run_id}")["number"]
        self.command("approve", f"shop#{number}", "--comment", comment)
        self.wait_until(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"])
        self.assertEqual(self.get(f"/api/v1/pipeline-runs/{run_id}")["status"], "succeeded")
        return run_id

    def test_what_an_endpoint_served_at_a_moment_is_told_with_all_that_it_rests_on(self):
        before = now()
        run_id = self.release(40, "looked at the confusions")
        first = now()
        self.release(50, "more rows")
        second = now()
        self.command("endpoint", "canary", "shop", "--version", "1", "--share", "10", "--comment", "just to see")
        third = now()
        self.command("endpoint", "canary", "shop", "--clear", "--comment", "seen")
        self.command("rollback", "shop", "--comment", "answers got worse")
        fourth = now()

        self.assertEqual(self.served(before)["live"], None)
        told = self.served(first)
        self.assertEqual((told["endpoint"], told["candidate"]), ("shop", None))
        live = told["live"]
        version = self.get("/api/v1/models/shop/versions/1")
        deployment = live["deployment"]
        self.assertEqual((deployment["role"], deployment["version"], deployment["package"], deployment["reason"],
                          deployment["comment"], deployment["successor"]["version"], deployment["end_reason"]),
                         ("live", 1, version["package"], "release", "pipeline run shop#1", 2, "release"))
        self.assertTrue(first < deployment["ended_at"].replace("Z", "+00:00") < second)
        self.assertEqual((live["pipeline_run"]["id"], live["pipeline_run"]["origin"]["trigger"]), (run_id, "manual"))
        approval, = live["approvals"]
        decision, = approval["decisions"]
        self.assertEqual((approval["status"], approval["environment"], decision["decided_by"], decision["comment"]),
                         ("approved", "production", "local", "looked at the confusions"))
        self.assertEqual((live["gate"]["outcome"], live["gate"]["verdict"]["challenger"]["version"],
                          live["gate"]["verdict"]["champion"]), ("accepted", 1, None))
        self.assertEqual((live["dataset"]["name"], live["dataset"]["version"], live["dataset"]["row_count"],
                          live["dataset"]["digest"]), ("shop", 1, 80, version["dataset_digest"]))
        self.assertEqual((live["holdout"]["row_count"], live["holdout"]["digest"]), (16, version["holdout_digest"]))
        lineage = live["lineage"]
        self.assertEqual((lineage["version"], lineage["run"]["params"]["seed"]), (version, "42"))
        self.assertIn("holdout.f1", [one["key"] for one in lineage["run"]["metrics"]])

        live = self.served(second)["live"]
        self.assertEqual((live["deployment"]["version"], live["pipeline_run"]["number"], live["dataset"]["row_count"],
                          live["approvals"][0]["decisions"][0]["comment"], live["deployment"]["end_comment"]),
                         (2, 2, 100, "more rows", "answers got worse"))
        self.assertEqual(live["gate"]["verdict"]["champion"]["version"], 1)

        told = self.served(third)
        candidate = told["candidate"]["deployment"]
        self.assertEqual((told["live"]["deployment"]["version"], candidate["version"], candidate["role"],
                          candidate["share"], candidate["end_reason"], candidate["end_comment"]),
                         (2, 1, "canary", 10, "cleared", "seen"))
        self.assertIsNone(told["candidate"]["pipeline_run"])

        live = self.served(fourth)["live"]
        self.assertEqual(self.served()["live"], live)
        self.assertEqual((live["deployment"]["version"], live["deployment"]["reason"], live["deployment"]["ended_at"],
                          live["pipeline_run"]["id"]), (1, "rollback", None, run_id))
        self.assertEqual(self.served(first, "shop-staging")["live"]["deployment"]["version"], 1)

        text = self.command("audit", "served", "shop", "--at", first)
        for line in [r"version      shop@1", r"replaced     \S+ \S+ by local \(release\): pipeline run shop#2",
                     r"by version   shop@2 \(number \d+\)", r"pipeline     shop#1, succeeded, started .* by local",
                     r"  approved   \S+ \S+ by local: looked at the confusions", "gate         accepted, .*first model",
                     "data         shop@1, 80 rows, digest .*", "code         no data", "  param      seed  +42",
                     "  metric     holdout.f1 +1"]:
            self.assertRegex(text, rf"(?m)^  {line}")
        self.assertIn("\ncandidate: none\n", text)
        self.assertIn("candidate: a canary that answered 10 % of the requests\n",
                      self.command("audit", "served", "shop", "--at", third))
        self.assertIn("live: no data, nothing was deployed\n", self.command("audit", "served", "shop", "--at", before))

    # ---- the trail, from the push on

    def tell(self, status, commit, secret, body=None, **headers):
        """As GitHub does, of a push of main by octocat."""
        body = body or json.dumps({"ref": "refs/heads/main", "after": commit, "sender": {"login": "octocat"}})
        sign = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        headers = headers or {"X-Hub-Signature-256": "sha256=" + sign}
        self.expect(status, self.port, "/api/v1/hooks/shop/git", method="POST", body=body, headers=headers)

    def repository(self, on="on: {push: main}\n"):
        """A bare repository of the project with a hook; returns the hook's secret."""
        self.put_rows(40)
        with open(os.path.join(self.project, "slipway.yaml"), "a") as file:
            file.write(on)
        self.git("init", "--quiet", "--bare", os.path.join(self.folder, "shop.git"))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", os.path.join(self.folder, "shop.git"))
        return self.command("hook", "set", "shop", "--repository", os.path.join(self.folder, "shop.git")).strip()

    def push(self, rows, branch="main"):
        self.put_rows(rows)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"{rows} rows")
        self.git("push", "--quiet", "origin", f"main:{branch}")
        return self.git("rev-parse", "HEAD")

    def wait_for_run(self, number, comment):
        """Until it has ended, approved; its id."""
        pending = "/api/v1/approvals?status=pending"
        self.wait_until(lambda: self.get(pending)["approvals"])
        self.assertEqual(self.get(pending)["approvals"][0]["title"], f"shop#{number}/release.production")
        self.command("approve", f"shop#{number}", "--comment", comment)
        run_id = self.get("/api/v1/pipelines/shop/runs")["pipeline_runs"][0]["id"]
        self.wait_until(lambda: self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"])
        self.assertEqual(self.get(f"/api/v1/pipeline-runs/{run_id}")["status"], "succeeded")
        return run_id

    def log(self, *options):
        """Lines of `slipway audit log`: [what, on what, why]."""
        lines = self.command("audit", "log", "--limit", "1000", *options).splitlines()
        if lines == ["no events"]:
            return []
        starts = [lines[0].index(name) for name in ("WHO", "WHAT", "ON", "WHY")]
        return [[line[begin:end].strip() for begin, end in zip(starts, starts[1:] + [None])] for line in lines[1:]]

    def assert_in_order(self, lines, wanted):
        """Each wanted (who, what, on what, a pattern of why) comes behind the one before it."""
        left = iter(lines)
        for who, what, on, why in wanted:
            for line in left:
                if line[:3] == [who, what, on] and re.search(why, line[3]):
                    break
            else:
                self.fail(f"{(who, what, on, why)} is not in its place:\n" + "\n".join(map(str, lines)))

    def test_one_command_tells_all_from_the_push_to_production_and_back(self):
        secret = self.repository()
        first = self.push(40)
        self.tell(202, first, secret)
        self.wait_for_run(1, "looked at the confusions")
        second = self.push(50)
        self.tell(202, second, secret)
        self.wait_for_run(2, "more rows")
        self.command("rollback", "shop", "--comment", "answers got worse")

        def release(number, commit, production):
            run_id, version = f"shop#{number}", f"shop@{number}"
            return [
                ("slipway", "push.received", "shop",
                 f"^of {commit[:10]} to main, pushed by octocat, told by hook, signed by github$"),
                ("slipway", "pipeline_run.created", run_id, f"^push of {commit[:10]} to main"),
                ("slipway", "trigger.started", "shop",
                 f"^{run_id} by push of {commit[:10]} to main, pushed by octocat, written by Ada.*"
                 "told by hook, signed by github$"),
                ("slipway", "dataset_version.created", version, ""),
                ("slipway", "model_version.created", version, ""),
                ("slipway", "gate.passed", "shop", f"^{version}: "),
                ("slipway", "endpoint.deployed", "shop-staging", f"^{version}.*, by release: pipeline run {run_id}$"),
                ("slipway", "approval.asked", f"{run_id}/release.production", "^production, 0 of 1"),
                ("local", "approval.approved", f"{run_id}/release.production", "^production, 1 of 1: "),
                ("slipway", "endpoint.deployed", "shop", f"^{production}, by release: pipeline run {run_id}$"),
                ("slipway", "pipeline_run.succeeded", run_id, "")]
        lines = self.log("--project", "shop")
        self.assert_in_order(lines, [("local", "hook.set", "shop", "")] + release(1, first, "shop@1") +
                             release(2, second, "shop@2 for shop@1") +
                             [("local", "endpoint.rolled_back", "shop", "^shop@1 for shop@2, by rollback: answers got worse$")])
        self.assertEqual([line[1] for line in lines].count("holdout.frozen"), 1)
        # of one run, endpoint, model; by one, of a kind
        mine = self.log("--subject", "pipeline_run:shop#2")
        self.assert_in_order(mine, release(2, second, "shop@2 for shop@1")[1:])
        self.assertFalse([line for line in mine if "shop#1" in line[2]])
        self.assertEqual([line[1] for line in self.log("--subject", "endpoint:shop", "--action", "endpoint.")],
                         ["endpoint.created", "endpoint.deployed", "endpoint.deployed", "endpoint.rolled_back"])
        self.assertEqual({line[2] for line in self.log("--subject", "model:shop", "--action", "model_version.")},
                         {"shop@1", "shop@2"})
        self.assertEqual({line[0] for line in self.log("--by", "local", "--project", "shop")}, {"local"})
        self.assertEqual(self.log("--project", "shop", "--by", "nobody"), [])
        self.assertEqual(self.log("--project", "shop", "--to", "2026-01-01T00:00Z", "--action", "gate."), [])
        self.assertEqual(len(self.log("--project", "shop", "--from", "2020-01-01T00:00Z", "--to", "2222-01-01T00:00Z")),
                         len(lines))
        self.command("audit", "verify")

    def test_what_started_nothing_is_told_too(self):
        secret = self.repository("on: {push: main, alarm: drift, data: shop}\nconcurrency: skip\n")
        commit = self.push(40)
        for _ in range(3):
            self.tell(401, commit, secret, **{"X-Gitlab-Token": "wrong"})
        other = self.push(40, "other")
        self.tell(202, commit, secret, json.dumps({"ref": "refs/heads/other", "after": other}),
                  **{"X-Gitlab-Token": secret})
        self.wait_until(lambda: self.log("--action", "trigger."))
        self.tell(202, commit, secret)
        self.wait_until(lambda: self.get("/api/v1/approvals?status=pending")["approvals"])
        self.tell(202, self.push(50), secret)
        self.wait_until(lambda: len(self.log("--action", "trigger.skipped")) == 2)  # by the run's own data, too
        for kind in "drift", "latency":
            self.get("/api/v1/pipelines/shop/alarm", 202 if kind == "drift" else 200, method="POST",
                     body=json.dumps({"kind": kind, "detail": "column\na"}))
        with open(os.path.join(self.project, "slipway.yaml"), "a") as file:
            file.write("nonsense: 1\n")
        wrong = self.push(60)
        self.tell(202, wrong, secret)
        self.wait_until(lambda: self.log("--action", "trigger.refused"))
        skipped = "shop#1 was open, and the file says concurrency: skip$"
        lines = self.log("--project", "shop")
        self.assert_in_order(lines, [
            ("local", "hook.refused", "shop", "^the signature is not that of the project's hook and this body$"),
            ("slipway", "push.received", "shop", f"^of {other[:10]} to other, told by hook, signed by gitlab$"),
            ("slipway", "trigger.ignored", "shop", "^push of .* to other.*: slipway.yaml does not name the branch"),
            ("slipway", "push.received", "shop", f"^of {commit[:10]} to main, pushed by octocat"),
            ("slipway", "trigger.started", "shop", f"^shop#1 by push of {commit[:10]} to main"),
            ("slipway", "trigger.skipped", "shop", f"^shop#1 by push of .*: {skipped}"),
            ("local", "alarm.raised", "shop", "^drift: column a$"),
            ("local", "trigger.skipped", "shop", f"^shop#1 by alarm of .* to main: drift: column a, .*: {skipped}"),
            ("local", "alarm.raised", "shop", "^latency: column a$"),
            ("local", "trigger.ignored", "shop", "^alarm: latency: .*: the file does not name it under on: alarm$"),
            ("slipway", "trigger.refused", "shop", f'^push of {wrong[:10]} to main.*"nonsense"')])
        self.assertTrue([line for line in lines if line[1] == "trigger.skipped" and "data of" in line[3]], lines)
        self.assertEqual([line[1] for line in lines].count("hook.refused"), 1)
        self.command("pipeline", "cancel", "shop#1")
        self.wait_until(lambda: self.get("/api/v1/pipelines/shop/runs")["pipeline_runs"][0]["ended_at"])

    def test_pages_of_the_trail_are_one_trail(self):
        self.command("up", folder=self.project)
        for number in range(30):
            self.get("/api/v1/models", 201, method="POST", body=json.dumps({"name": f"model-{number}"}))
        whole = self.get("/api/v1/audit?action=model.")["events"]
        for order in "", "&newest_first=true":
            events, at = [], ""
            while at is not None:
                page = self.get(f"/api/v1/audit?action=model.&limit=7{order}{at}")
                events += page["events"]
                at = page["next"] and f"&{'before' if order else 'after'}={page['next']}"
            self.assertEqual(events if not order else events[::-1], whole)
        shown = self.run_command("audit", "log", "--limit", "3", "--data", self.data)
        last = whole[-1]["id"]
        self.assertEqual([line.split()[0] for line in shown.stdout.splitlines()[1:]],
                         [str(last - 2), str(last - 1), str(last)])
        self.assertEqual(shown.stderr, f"Older ones: --before {last - 2}\n")
        older = json.loads(self.command("audit", "log", "--limit", "3", "--before", str(last - 2), "--json"))
        self.assertEqual([one["id"] for one in older["events"]], [last - 3, last - 4, last - 5])
        self.refused(2, "a span of time ends after it begins", "audit", "log", "--from", "2026-05-02T00:00Z",
                     "--to", "2026-05-01T00:00Z")
        for field, wrong, sentence in [
                ("from", "2026-05-01", 'a moment has a day, a time and its zone, .*, not "2026-05-01"$'),
                ("to", "2026-05-01T10:00", "a moment has a day"), ("limit", "0", "1"), ("limit", "10001", "a limit is 1 to 10000"),
                ("subject", "spam", 'a subject is a kind and a name, as "model:spam", not "spam"; kinds are project, '),
                ("subject", "thing:spam", "kinds are project, pipeline_run"), ("subject", "model:", "a subject is")]:
            error = self.get(f"/api/v1/audit?{field}={wrong}", 422)["error"]
            self.assertEqual(error["field"], field)
            self.assertRegex(error["message"], sentence)
        self.refused(2, "a limit is 1 or more", "audit", "log", "--limit", "0")

    def test_an_answer_leads_to_the_same(self):
        self.release(40, "fine")
        answer = json.loads(self.command("predict", "shop", "win a phone", "--json"))
        told = self.get(f"/api/v1/audit/answers/{answer['request_id']}")
        self.assertEqual(told["prediction"]["inputs"], [{"note": "win a phone"}])
        self.assertEqual(told["evidence"], self.served()["live"])
        text = self.command("audit", "answer", answer["request_id"])
        self.assertIn("answered by endpoint shop, live:\n", text)
        self.assertIn("by local: fine\n", text)
        self.refused(4, 'no prediction with the request id "nonesuch"', "audit", "answer", "nonesuch")

    def test_who_writes_such_a_comment_was_not_approved(self):
        self.release(40, "fine")
        self.release(50, "fine, too")
        self.command("deploy", "shop@1", "--endpoint", "shop", "--comment", "pipeline run shop#2")
        live = self.served()["live"]
        self.assertEqual((live["deployment"]["reason"], live["pipeline_run"], live["approvals"]), ("deploy", None, []))
        text = self.command("audit", "served", "shop")
        self.assertIn("pipeline     no data: no run of a pipeline brought it here\n", text)
        self.assertIn("approval     no data: nobody was asked\n", text)

    def test_a_moment_is_one_moment_of_the_past(self):
        self.command("up", folder=self.project)
        for wrong in "2026-05-01T10:00", "2026-05-01", "yesterday", "2026-02-30T10:00Z", "", "2026-05-01T10:00:00", \
                "2026-05-01T25:00Z", "2026-05-01T10:00Z and more":
            answer = self.served(wrong, status=422) if wrong else self.get("/api/v1/audit/served/shop?at=", 422)
            self.assertEqual((answer["error"]["field"], answer["error"]["message"]), (
                "at", "a moment has a day, a time and its zone, as 2026-05-01T10:00Z or 2026-05-01T12:00:00+02:00, "
                      f'not "{wrong}"'))
        self.refused(2, '"2222-05-01T10:00Z" has not come yet', "audit", "served", "shop", "--at", "2222-05-01T10:00Z")
        self.refused(4, 'endpoint "nowhere" does not exist', "audit", "served", "nowhere")
        same = {self.served(at)["at"] for at in ("2026-05-01T10:00Z", "2026-05-01T12:00+02:00",
                                                 "2026-05-01T12:00:00.000+02:00")}
        self.assertEqual(same, {"2026-05-01T10:00:00.000Z"})

    def test_nothing_that_was_ever_in_production_can_be_purged(self):
        run_id = self.release(40, "fine")
        moment = now()
        self.release(50, "fine, too")
        told = self.served(moment)["live"]
        log = self.command("pipeline", "log", "shop#1", "train")
        for one in self.get("/api/v1/runs")["runs"]:
            self.get(f"/api/v1/runs/{one['id']}", 204, method="DELETE")
        self.command("retention", "set", "--runs", "1", "--days", "0")
        kept = json.loads(self.command("purge", "--older-than", "0", "--json"))
        self.assertEqual((kept["runs"]["count"], kept["model_versions"]["count"], kept["kept_count"]), (0, 0, 5))
        self.assertEqual(kept["pipeline_runs"]["count"], 0)
        self.assertEqual({one["reason"] for one in kept["kept"]},
                         {"a version of a model came from it", 'version 1 of model "shop" came from it', 'version 2 of model "shop" came from it',
                          "a run of a pipeline that it belongs to made a version that was in production"})
        after = self.served(moment)["live"]
        for member in told:
            if member != "lineage":
                self.assertEqual(after[member], told[member])
        for member in "params", "metrics":
            self.assertEqual(after["lineage"]["run"][member], told["lineage"]["run"][member])
        self.assertEqual(self.command("pipeline", "log", "shop#1", "train"), log)
        self.assertEqual(self.get(f"/api/v1/pipeline-runs/{run_id}")["status"], "succeeded")
        tree = self.get("/api/v1/datasets/shop/versions/1")["rows"]
        for digest in tree, told["holdout"]["digest"], told["deployment"]["package"]:
            self.assertTrue(os.path.exists(os.path.join(self.data, "artifacts", digest[:2], digest[2:])), digest)
        self.get("/api/v1/models/shop/versions/1", 409, method="DELETE")
        self.command("rollback", "shop", "--comment", "it works still")


if __name__ == "__main__":
    run(StoryTest)
