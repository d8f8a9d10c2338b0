#!/usr/bin/env python3
"""Deleted means deleted: restore until purge; what serves, what can be rolled back to and the data stay whole.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_purge.py [WORD]
"""
import json
import os
import re
import sqlite3
import sys

from harness import SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from scenario import Work, age_blobs, check_store, digest_of  # noqa: E402


class Door:
    """A running server as the scenario asks it."""

    def __init__(self, test, port):
        self.test, self.port, self.folder = test, port, test.data

    def ask(self, method, path, body=None):
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        answer, said = self.test.ask(self.port, path, method=method, body=raw)
        return answer.status, said

    def get(self, method, path, body=None):
        status, said = self.ask(method, path, body)
        self.test.assertLess(status, 300, said)
        return said

    def has_steps(self):
        return True

    def purge(self, days=0, **more):
        age_blobs(self.folder)
        return self.get("POST", "/api/v1/purge", {"older_than_days": days, **more})


class PurgeTest(SlipwayTest):
    def open(self, *options):
        self.server, port = self.start(*options)
        return Door(self, port)

    def run_with_file(self, door, content):
        run_id = door.get("POST", "/api/v1/runs", {"name": "waste"})["id"]
        door.get("PUT", f"/api/v1/runs/{run_id}/artifacts/file?path=a.txt", content)
        return run_id

    def blobs(self):
        found = set()
        for path, _, names in os.walk(os.path.join(self.data, "artifacts")):
            found |= {os.path.basename(path) + name for name in names}
        return found

    def test_a_run_is_restored_until_it_is_purged(self):
        door = self.open()
        run_id = self.run_with_file(door, b"waste")
        door.get("DELETE", f"/api/v1/runs/{run_id}")
        self.assertEqual(door.purge(1)["runs"]["count"], 0)
        door.get("POST", f"/api/v1/runs/{run_id}/restore")
        self.assertEqual(door.purge()["runs"]["count"], 0)
        door.get("DELETE", f"/api/v1/runs/{run_id}")
        rehearsed = door.purge(dry_run=True)
        self.assertIn(digest_of(b"waste"), self.blobs())
        report = door.purge()
        self.assertEqual({**report, "deleted_until": 0}, {**rehearsed, "deleted_until": 0})
        self.assertEqual((report["runs"], report["blobs"]), ({"count": 1, "bytes": 5}, {"count": 1, "bytes": 5}))
        self.assertEqual(door.ask("GET", f"/api/v1/runs/{run_id}")[0], 404)
        self.assertEqual(door.ask("POST", f"/api/v1/runs/{run_id}/restore")[0], 404)
        self.assertEqual(self.blobs(), set())
        events = door.get("GET", "/api/v1/audit?action=store.purged")["events"]
        self.assertEqual([event["detail"]["runs"]["count"] for event in events], [1])

    def test_what_serves_what_it_came_from_and_the_data_stay(self):
        door = self.open()
        work = Work(3)
        work.set_up(door)
        for step in "log_run", "register", "train", "promote", "predict":
            work.seed += 1
            getattr(work, step)(door)
        for run_id in work.trainings:
            door.get("DELETE", f"/api/v1/runs/{run_id}")
        report = door.purge()
        self.assertEqual((report["runs"]["count"], report["kept_count"]), (0, 2))
        self.assertRegex(report["kept"][0]["reason"], r'^version \d of model "spam" came from it$')
        work.trainings = {}
        check_store(door, work, self.data)
        work.roll_back(door)
        work.predict(door)
        for number in work.versions:
            rows = door.get("GET", f"/api/v1/datasets/comments/versions/{number}/rows")["rows"]
            self.assertEqual(len(rows), 10)
        self.stop(self.server)
        door = self.open()
        check_store(door, work, self.data)
        work.register(door)
        work.train(door)
        work.promote(door)
        check_store(door, work, self.data)

    def test_every_blob_that_a_text_of_the_store_names_stays(self):
        """Whatever table comes: digests in the audit trail are history, all others are references."""
        door = self.open()
        work = Work(5)
        work.set_up(door)
        work.log_run(door)
        rerun = door.get("POST", f"/api/v1/runs/{next(iter(work.trainings))}/rerun")["run_id"]
        while door.get("GET", f"/api/v1/runs/{rerun}")["status"] == "RUNNING":
            pass
        self.run_with_file(door, b"kept")
        before = self.blobs()
        report = door.purge()
        store = sqlite3.connect(f"file:{self.data}/slipway.db?mode=ro", uri=True)
        tables = [name for name, in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        named = set()
        for table in set(tables) - {"events", "prediction_batches"}:
            for row in store.execute(f"SELECT * FROM {table}"):
                for value in row:
                    if isinstance(value, str):
                        named |= set(re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", value))
        store.close()
        self.assertEqual(named & before - self.blobs(), set())
        self.assertGreater(len(named & before), 10)
        self.assertEqual(report["blobs"]["count"], len(before - self.blobs()))

    def test_the_command_looks_first_and_says_what_went(self):
        door = self.open()
        run_id = self.run_with_file(door, b"waste")
        door.get("DELETE", f"/api/v1/runs/{run_id}")
        age_blobs(self.data)
        said = self.command("purge", "--older-than", "0", "--dry-run")
        self.assertRegex(said, r"WOULD GO +COUNT +BYTES\nruns +1 +5\n")
        self.assertRegex(self.command("purge"), r"GONE +COUNT +BYTES\nruns +0 +0\n")
        report = json.loads(self.command("purge", "--older-than", "0", "--json"))
        self.assertEqual(report["blobs"], {"count": 1, "bytes": 5})
        self.refused(2, '"older_than_days" is 0 to 36500', "purge", "--older-than", "-1")
        self.refused(2, "--purge-after takes 1 to 36500 days", "server", "--purge-after", "0")

    def test_only_an_owner_purges(self):
        token = self.token("ann", "approver")
        door = self.open("--demand-token")
        answer, _ = self.ask(door.port, "/api/v1/purge", method="POST", body=b"{}",
                             headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        self.assertEqual(answer.status, 403)

    def test_young_bytes_stay_and_are_said_to(self):
        door = self.open()
        run_id = self.run_with_file(door, b"waste")
        door.get("DELETE", f"/api/v1/runs/{run_id}")
        report = door.get("POST", "/api/v1/purge", {"older_than_days": 0})
        self.assertEqual((report["runs"]["count"], report["blobs"]["count"]), (1, 0))
        self.assertEqual(report["blobs_too_young"], {"count": 1, "bytes": 5})
        self.assertEqual(door.purge()["blobs"]["count"], 1)

    def gauge(self, door, name):
        """Once the server has counted."""
        while True:
            found = re.search(rf"^{name} (\d+)$", door.get("GET", "/metrics").decode(), re.MULTILINE)
            if found:
                return int(found[1])

    def test_a_full_store_takes_no_file_and_goes_on_with_all_else(self):
        door = self.open("--artifact-bytes-max", "1000")
        self.assertEqual(self.gauge(door, "slipway_artifact_bytes"), 0)
        self.assertEqual(self.gauge(door, "slipway_artifact_bytes_max"), 1000)
        run_id = self.run_with_file(door, b"x" * 900)
        path = f"/api/v1/runs/{run_id}/artifacts/file?path="
        status, said = door.ask("PUT", path + "b.txt", b"y" * 101)
        self.assertEqual((status, said["error"]["code"]), (507, "insufficient_storage"))
        self.assertEqual(said["error"]["message"], "the artifact store may hold 1000 bytes and has 900: "
                                                   "there is no room for 101 more")
        mlflow = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/c.txt"
        status, said = door.ask("PUT", mlflow, b"y" * 101)
        self.assertEqual((status, said["error_code"]), (507, "RESOURCE_EXHAUSTED"))
        door.get("PUT", path + "again.txt", b"x" * 900)
        door.get("PUT", path + "small.txt", b"y" * 100)
        self.assertEqual(door.get("GET", path + "small.txt"), b"y" * 100)
        door.get("POST", f"/api/v1/runs/{run_id}/log", {"metrics": [{"key": "f1", "value": 1}]})
        self.assertEqual(self.gauge(door, "slipway_artifact_bytes"), 1000)
        door.get("DELETE", f"/api/v1/runs/{run_id}")
        door.purge()
        self.assertEqual(self.gauge(door, "slipway_artifact_bytes"), 0)
        self.server.terminate()
        self.assertEqual(self.server.wait(), 0)
        door = self.open("--artifact-bytes-max", "1000", "--purge-after", "30")
        self.run_with_file(door, b"z" * 1000)
        self.assertEqual(self.gauge(door, "slipway_artifact_bytes"), 1000)


run(PurgeTest)
