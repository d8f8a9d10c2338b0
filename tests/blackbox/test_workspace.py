#!/usr/bin/env python3
"""Teams that share a server have a limit each: exact among many writers, whatever is killed, and refused with one sentence.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_workspace.py [WORD]
"""
import json
import os
import signal
import sys
import threading

from harness import SlipwayTest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from scenario import Broken, Work, age_blobs, check_workspaces, digest_of, wait_for_training  # noqa: E402

TYPE = {"Content-Type": "application/json"}
FILES = "/api/2.0/mlflow-artifacts/artifacts"
FULL = 'workspace "fraud" may hold 1000 bytes and has {}: there is no room for {} more'


class Door:
    """A running server as the scenario asks it."""

    def __init__(self, test):
        self.test = test

    def ask(self, method, path, body=None):
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        answer, said = self.test.ask(self.test.port, path, method=method, body=raw)
        return answer.status, said

    def get(self, method, path, body=None):
        status, said = self.ask(method, path, body)
        self.test.assertLess(status, 300, said)
        return said

    def has_steps(self):
        return True


class WorkspaceTest(SlipwayTest):
    def open(self, *options):
        self.server, self.port = self.start(*options)

    def call(self, method, path, body=None, status=200):
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        answer, said = self.ask(self.port, path, method=method, body=raw, headers={} if isinstance(body, bytes) else TYPE)
        self.assertEqual(answer.status, status, said)
        return said

    def make(self, name, workspace=None):
        tags = {"slipway.workspace": workspace} if workspace else {}
        return self.call("POST", "/api/v1/experiments", {"name": name, "tags": tags}, 201)["id"]

    def start_run(self, experiment):
        return self.call("POST", "/api/v1/runs", {"experiment_id": experiment}, 201)["id"]

    def put(self, run_id, path, content, status=200):
        return self.call("PUT", f"/api/v1/runs/{run_id}/artifacts/file?path={path}", content, status)

    def bytes_of(self, name):
        return self.call("GET", f"/api/v1/workspaces/{name}")["workspace"]["artifact_bytes"]

    def limit(self, name, size):
        return self.command("workspace", "set", name, "--artifact-bytes-max", str(size))

    def check(self):
        try:
            check_workspaces(self.data)
        except Broken as broken:
            self.fail(broken)

    # What is refused, and what is not.

    def test_a_full_workspace_takes_no_file_and_goes_on_with_all_else(self):
        self.open()
        self.limit("fraud", 1000)
        run_id = self.start_run(self.make("churn", "fraud"))
        other = self.start_run(0)
        self.put(run_id, "a", b"x" * 900)
        said = self.put(run_id, "b", b"y" * 101, 507)["error"]
        self.assertEqual((said["code"], said["message"]), ("insufficient_storage", FULL.format(900, 101)))
        self.assertEqual([file["path"] for file in self.call("GET", f"/api/v1/runs/{run_id}/artifacts")["artifacts"]], ["a"])
        self.assertFalse(os.path.exists(self.blob(b"y" * 101)), "its bytes were stored")
        said = self.call("PUT", f"{FILES}/{self.place(run_id)}/b", b"y" * 101, 507)
        self.assertEqual((said["error_code"], said["message"]), ("RESOURCE_EXHAUSTED", FULL.format(900, 101)))
        self.put(run_id, "a", b"x" * 900)
        self.put(run_id, "b", b"z" * 100)
        self.put(other, "b", b"y" * 101)
        self.call("POST", f"/api/v1/runs/{run_id}/log", {"metrics": [{"key": "f1", "value": 1}], "params": {"a": "b"}}, 204)
        self.call("DELETE", f"{FILES}/{self.place(run_id)}/a")
        self.assertEqual((self.bytes_of("fraud"), self.bytes_of("default")), (100, 101))
        self.put(run_id, "c", b"y" * 900)
        self.call("DELETE", f"/api/v1/runs/{run_id}", status=204)
        self.assertEqual(self.bytes_of("fraud"), 1000)
        age_blobs(self.data)
        self.call("POST", "/api/v1/purge", {"older_than_days": 0})
        self.assertEqual(self.bytes_of("fraud"), 0)
        self.check()

    def blob(self, content):
        digest = digest_of(content)
        return os.path.join(self.data, "artifacts", digest[:2], digest[2:])

    def place(self, run_id):
        shown = self.call("GET", f"/api/2.0/mlflow/runs/get?run_id={run_id}")
        return shown["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")

    def test_a_training_that_has_no_room_fails_with_the_sentence(self):
        self.open()
        work, door = Work(7), Door(self)
        work.set_up(door)
        self.call("PUT", "/api/v1/workspaces/small", {"artifact_bytes_max": 10_000_000})
        self.command("workspace", "move", "spam", "small")
        used = self.bytes_of("small")
        self.assertGreater(used, 0)
        self.limit("small", used)
        run_id = door.get("POST", "/api/v1/projects/spam/train", {"budget_seconds": 0.2})["run_id"]
        shown = wait_for_training(door, run_id, 60)
        self.assertEqual(shown["status"], "FAILED")
        self.assertRegex(shown["failure"], rf'^workspace "small" may hold {used} bytes and has {used}: there is no room for \d+ more')
        self.assertEqual(self.call("GET", f"/api/v1/runs/{run_id}/artifacts")["artifacts"], [])
        self.assertEqual(self.bytes_of("small"), used)
        self.assertEqual(len(self.call("GET", "/api/v1/models/spam/versions")["versions"]), 1)
        self.limit("small", "none")
        work.train(door)
        self.check()

    # Exact.

    def upload_many(self, run_id, number, counts):
        for i in range(50):
            answer, _ = self.ask(self.port, f"/api/v1/runs/{run_id}/artifacts/file?path={number}-{i}", method="PUT",
                                 body=b"%10d" % (number * 1000 + i))
            counts[number][answer.status] = counts[number].get(answer.status, 0) + 1

    def test_the_count_is_exact_among_many_writers(self):
        self.open()
        self.limit("fraud", 1000)
        runs = [self.start_run(self.make(f"churn-{i}", "fraud")) for i in range(2)]
        counts = [{} for _ in range(4)]
        threads = [threading.Thread(target=self.upload_many, args=(runs[i % 2], i, counts)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(one.get(200, 0) for one in counts), 100)
        self.assertEqual(sum(one.get(507, 0) for one in counts), 100)
        self.assertEqual(self.bytes_of("fraud"), 1000)
        self.check()

    def test_the_count_is_exact_after_a_kill(self):
        self.open()
        self.limit("fraud", "1MB")
        run_id = self.start_run(self.make("churn", "fraud"))
        for turn in range(3):
            acknowledged = self.bytes_of("fraud")
            stop = threading.Event()
            threads = [threading.Thread(target=self.upload_until, args=(run_id, f"{turn}-{i}", stop)) for i in range(3)]
            for thread in threads:
                thread.start()
            while self.bytes_of("fraud") < acknowledged + 200:
                pass
            self.server.send_signal(signal.SIGKILL)
            self.server.wait()
            stop.set()
            for thread in threads:
                thread.join()
            self.open()
            self.assertGreaterEqual(self.bytes_of("fraud"), acknowledged + 200)
            self.check()

    def upload_until(self, run_id, name, stop):
        number = 0
        while not stop.is_set():
            try:
                self.ask(self.port, f"/api/v1/runs/{run_id}/artifacts/file?path={name}-{number}", method="PUT", body=b"x" * 10)
            except OSError:
                return
            number += 1

    # By hand.

    def test_the_commands(self):
        self.open()
        self.assertEqual(self.limit("fraud", "2KB"), "fraud: 0 bytes, limit: 2000\n")
        self.assertEqual(self.limit("fraud", "1KiB"), "fraud: 0 bytes, limit: 1024\n")
        run_id = self.start_run(self.make("churn"))
        self.put(run_id, "a", b"x" * 900)
        self.assertRegex(self.command("workspace", "list"), r"workspace +bytes +limit +set by\ndefault +900 +none +slipway\nfraud +0 +1024 +local\n")
        self.assertEqual(self.command("workspace", "move", "churn", "fraud"),
                         "churn is in workspace fraud, which has 900 bytes now, limit: 1024\n")
        self.assertRegex(self.command("workspace", "show", "fraud"), r"^fraud: 900 bytes, limit: 1024\n\nexperiment +bytes\nchurn +900\n$")
        self.refused(6, 'workspace "fraud" may hold 800 bytes and has 0: there is no room for 900 more',
                     *self.moved_back())
        self.assertEqual(self.command("workspace", "remove", "fraud"), "fraud: removed; its experiments are in default\n")
        self.refused(2, "--artifact-bytes-max takes a size, as 500MB, 10GB or 1TiB, a number of bytes, or none",
                     "workspace", "set", "fraud", "--artifact-bytes-max", "10 GB")
        self.refused(2, "--artifact-bytes-max is needed: a size, or none", "workspace", "set", "fraud")
        self.refused(4, 'workspace "fraud" does not exist', "workspace", "show", "fraud")
        events = self.call("GET", "/api/v1/audit?action=workspace.")["events"]
        self.assertEqual([event["action"] for event in events], ["workspace.set"] * 3 + ["workspace.removed"])
        self.check()

    def moved_back(self):
        self.command("workspace", "move", "churn", "default")
        self.limit("fraud", 800)
        return "workspace", "move", "churn", "fraud"

    def test_only_an_owner_sets_moves_and_removes(self):
        tokens = {role: self.token(role, role) for role in ("viewer", "contributor", "approver", "owner")}
        self.open("--demand-token")
        changes = [("PUT", "/api/v1/workspaces/fraud", {"artifact_bytes_max": 1}),
                   ("POST", "/api/v1/workspaces/fraud/experiments", {"experiment": "Default"}),
                   ("DELETE", "/api/v1/workspaces/fraud", None)]
        for method, path, body in changes:
            for role, token in tokens.items():
                raw = json.dumps(body).encode() if body else None
                answer, said = self.ask(self.port, path, method=method, body=raw,
                                        headers=dict(TYPE, Authorization=f"Bearer {token}"))
                self.assertEqual(answer.status == 403, role != "owner", said)
        answer, _ = self.ask(self.port, "/api/v1/workspaces")
        self.assertEqual(answer.status, 401)
        answer, said = self.ask(self.port, "/api/v1/workspaces", headers={"Authorization": f"Bearer {tokens['viewer']}"})
        self.assertEqual([one["name"] for one in said["workspaces"]], ["default"])


run(WorkspaceTest)
