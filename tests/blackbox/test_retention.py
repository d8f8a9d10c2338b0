#!/usr/bin/env python3
"""Runs of pipelines that no rule keeps go, with what they made; what somebody needs of them stays.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_retention.py [WORD]
"""
import json
import os
import sqlite3
import subprocess
import sys

from harness import SlipwayTest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from scenario import age_blobs, digest_of  # noqa: E402

PIPELINE = """stages:
  copy:
    cmd: cat in.txt; cp in.txt out.txt
    deps: [in.txt]
    outs: [out.txt]
"""
MANY_STEPS = 5000  # more than go in one unit of work


class RetentionTest(SlipwayTest):
    def run_with(self, text):
        project = os.path.join(self.folder, "project")
        os.makedirs(project, exist_ok=True)
        for name, content in (("dvc.yaml", PIPELINE), ("in.txt", text)):
            with open(os.path.join(project, name), "w") as file:
                file.write(content)
        return self.command("pipeline", "run", folder=project)

    def purge(self, **more):
        age_blobs(self.data)
        body = json.dumps({"older_than_days": 36500, **more}).encode()
        return self.expect(200, self.port, "/api/v1/purge", method="POST", body=body)[1]

    def find(self, number):
        return self.expect(200, self.port, f"/api/v1/pipelines/project/runs/{number}")[1]

    def steps(self, number):
        return self.expect(200, self.port, f"/api/v1/pipeline-runs/{self.find(number)['id']}/steps")[1]["steps"]

    def has_blob(self, text):
        digest = digest_of(text.encode())
        return os.path.exists(os.path.join(self.data, "artifacts", digest[:2], digest[2:]))

    def keep(self, runs, days, project="project"):
        self.command("retention", "set", project, "--runs", str(runs), "--days", str(days))

    def open(self, **variables):
        self.server, self.port = self.start(**variables)

    def test_without_a_rule_every_run_stays(self):
        self.open()
        for text in "one", "two", "three":
            self.run_with(text)
        self.assertEqual(self.purge()["pipeline_runs"], {"count": 0, "bytes": 0})
        self.assertEqual([len(self.steps(number)) for number in (1, 2, 3)], [1, 1, 1])
        self.assertEqual(self.command("retention", "list"), "all runs of pipelines are kept\n")

    def test_what_is_neither_new_nor_young_goes_and_frees_the_disk(self):
        self.open()
        for text in "one", "two", "three", "four":
            self.run_with(text)
        self.keep(1, 1)
        self.assertEqual(self.purge()["pipeline_runs"]["count"], 0)
        self.keep(2, 0)
        rehearsed = self.purge(dry_run=True)
        self.assertTrue(self.has_blob("one"))
        self.assertRegex(self.command("purge", "--dry-run"), r"pipeline runs +2 +12\n")
        report = self.purge()
        self.assertEqual({**report, "deleted_until": 0}, {**rehearsed, "deleted_until": 0})
        self.assertEqual(report["pipeline_runs"], {"count": 2, "bytes": 12})
        self.assertEqual([self.has_blob(text) for text in ("one", "two", "three", "four")], [False, False, True, True])
        self.assertEqual([len(self.steps(number)) for number in (1, 2, 3, 4)], [0, 0, 1, 1])
        self.assertIsNone(self.find(3)["purged_at"])
        self.assertIn("project#1 was purged at ", self.run_command("pipeline", "log", "project#1", "copy", "--data", self.data).stderr)
        self.assertIn("project#1 was purged at ", self.run_command("reproduce", "project#1", "--data", self.data).stderr)
        self.assertEqual(self.purge()["pipeline_runs"]["count"], 0)
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"))
        attempts = store.execute("SELECT tracked_run IS NOT NULL, log_digest FROM step_attempts WHERE run_id = ?",
                                 (self.find(1)["id"],)).fetchall()
        store.close()
        self.assertEqual(attempts, [(1, None)])  # by which it is known who caused the tracked run

    def test_the_audit_trail_says_what_went_by_which_rule(self):
        self.open()
        for text in "one", "two":
            self.run_with(text)
        self.keep(1, 0, "*")
        self.purge()
        event, = self.expect(200, self.port, "/api/v1/audit?action=pipeline_run.purged")[1]["events"]
        self.assertEqual(event["object"], "project#1")
        self.assertEqual(event["detail"]["retention"], {"project": "*", "runs": 1, "days": 0})
        self.assertEqual((event["detail"]["status"], event["detail"]["steps"]), ("succeeded", 1))
        self.command("retention", "remove")
        events = self.expect(200, self.port, "/api/v1/audit?action=retention.")[1]["events"]
        self.assertEqual([one["action"] for one in events], ["retention.set", "retention.removed"])
        self.assertIn(" events", self.command("audit", "verify"))

    def test_what_was_purged_is_made_again_and_why_says_so(self):
        self.open()
        for text in "one", "two":
            self.run_with(text)
        self.keep(1, 0)
        self.purge()
        self.run_with("one")
        self.assertIsNone(self.steps(3)[0]["cached_from"])
        self.assertEqual(self.find(3)["number"], 3)
        self.assertIn("changed: dep in.txt", self.command("pipeline", "why", "project#3", "copy"))
        self.run_with("one")
        self.assertEqual(self.steps(4)[0]["cached_from"], self.find(3)["id"])
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"))
        self.assertEqual(store.execute("SELECT DISTINCT run_id FROM step_cache ORDER BY 1").fetchall(),
                         [(self.find(2)["id"],), (self.find(3)["id"],)])
        store.close()

    def test_a_run_that_others_took_steps_from_stays_as_long_as_they_do(self):
        self.open()
        for text in "one", "one", "one":
            self.run_with(text)
        self.keep(1, 0)
        report = self.purge()
        self.assertEqual(report["pipeline_runs"]["count"], 1)
        self.assertEqual(report["kept"], [{"noun": "pipeline run", "name": "project#1",
                                           "reason": "a run that stays took steps of it, or does it again"}])
        self.run_with("two")
        self.assertEqual(self.purge()["pipeline_runs"]["count"], 2)
        self.assertEqual([bool(self.find(number)["purged_at"]) for number in (1, 2, 3, 4)], [True, True, True, False])
        self.assertFalse(self.has_blob("one"))

    def test_a_purge_that_is_killed_in_a_run_goes_on(self):
        self.open()
        for text in "one", "two":
            self.run_with(text)
        self.keep(1, 0)
        first = self.find(1)["id"]
        self.stop(self.server)
        self.grow(first)
        self.open(SLIPWAY_CRASH="purge: some rows removed")
        done = self.run_command("purge", "--data", self.data)
        if self.server.poll() is None and done.returncode == 0:
            self.skipTest("a build without crash points")
        self.assertEqual(self.server.wait(), -9)
        self.open()
        self.assertTrue(self.find(1)["purged_at"])
        self.assertIn(self.rows_of(first)["pipeline_edges"], range(1, MANY_STEPS - 1))
        self.command("retention", "remove", "project")
        self.assertEqual(self.purge()["pipeline_runs"]["count"], 1)
        self.assertEqual(self.rows_of(first), {"pipeline_steps": 0, "pipeline_edges": 0, "step_cache": 0})
        self.assertEqual([self.has_blob(text) for text in ("one", "two")], [False, True])
        self.assertEqual(len(self.expect(200, self.port, "/api/v1/audit?action=pipeline_run.purged")[1]["events"]), 1)

    def grow(self, run_id):
        """As if the run had had many steps, each waiting for the one before."""
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"))
        with store:
            store.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) INSERT INTO pipeline_steps"
                          " (run_id, position, name, spec, status, waits_for, bad_needs, attempts, losses) SELECT ?1, i, 's' || i,"
                          " '{\"name\":\"s\"}', 'succeeded', 0, 0, 0, 0 FROM n", (run_id, MANY_STEPS))
            store.execute("INSERT INTO pipeline_edges (run_id, step, next) SELECT run_id, position, position + 1 FROM"
                          " pipeline_steps WHERE run_id = ?1 AND position < ?2", (run_id, MANY_STEPS))
        store.close()

    def rows_of(self, run_id):
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"))
        counted = {table: store.execute(f"SELECT COUNT(*) FROM {table} WHERE run_id = ?", (run_id,)).fetchone()[0]
                   for table in ("pipeline_steps", "pipeline_edges", "step_cache")}
        store.close()
        return counted

    def test_a_server_answers_while_many_steps_go(self):
        self.open()
        for text in "one", "two":
            self.run_with(text)
        self.keep(1, 0)
        self.stop(self.server)
        self.open()
        self.grow(self.find(1)["id"])
        purging = subprocess.Popen([os.path.abspath(os.environ.get("SLIPWAY", "build/asan/slipway")), "purge", "--data", self.data],
                                   env=self.environment(), stdout=subprocess.PIPE, text=True)
        self.run_with("three")
        said = purging.communicate()[0]
        self.assertRegex(said, r"pipeline runs +1 ")
        self.assertEqual(self.find(3)["status"], "succeeded")

    def test_rules_are_an_owners_and_checked(self):
        self.open()
        for arguments, sentence in [
            (("set", "spam", "--runs", "3"), "--runs and --days are needed: a run goes when neither keeps it"),
            (("set", "spam", "--runs", "0", "--days", "1"), '"runs" is 1 to 1000000'),
            (("set", "spam", "--runs", "1", "--days", "-1"), '"days" is 0 to 36500'),
        ]:
            self.refused(2, sentence, "retention", *arguments)
        self.refused(4, 'project "spam" has no retention of its own', "retention", "remove", "spam")
        self.command("retention", "set", "--runs", "50", "--days", "90")
        self.assertRegex(self.command("retention", "list"), r"\n\* +50 +90 ")
        self.stop(self.server)
        token = self.token("ann", "approver")
        self.server, port = self.start("--demand-token")
        answer, _ = self.ask(port, "/api/v1/retentions/spam", method="PUT", body=b'{"runs":1,"days":1}',
                             headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        self.assertEqual(answer.status, 403)


run(RetentionTest)
