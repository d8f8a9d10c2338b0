#!/usr/bin/env python3
"""What can be told of the past: what an endpoint served at a moment and what that rested on, also behind one answer;
and that a purge takes nothing of it.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_story.py [WORD]
"""
import json
import os
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
