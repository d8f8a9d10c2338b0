#!/usr/bin/env python3
"""The Slurm executor against a slurmrestd that is none: newer versions of its API than Debian has, upgrades, and
answers that make no sense.

usage: test_executor_api.py [WORD]      only the tests whose name contains WORD

What this one answers was written down from SchedMD's documents and sources; it starts nothing.
"""
import http.server
import json
import os
import socketserver
import threading

from harness import run
from slurm_cluster import wait_until
from test_executor import ExecutorTest, build_driver


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def answer(self):
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        status, document = self.server.fake.answer(self.command, self.path, body)
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Fake:
    """jobs: what GET jobs answers; submitted, deleted: what it was told."""

    def __init__(self, path, version):
        self.version, self.jobs, self.submitted, self.deleted = version, [], [], []
        self.override, self.count = None, 0
        self.server = Server(path, Handler)
        self.server.fake = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, body):
        base = f"/slurm/v0.0.{self.version}"
        self.count += 1
        if path == "/openapi/v3":
            return 200, {"paths": {f"{base}/job/submit": {}, f"/slurm/v0.0.{self.version - 1}/jobs/": {}}}
        if self.override:
            return self.override
        if not path.startswith(base + "/"):
            return 404, {"errors": [{"error": "Unable to find requested URL", "error_number": 9006}]}
        if method == "POST":
            self.submitted.append(json.loads(body))
            return 200, {"job_id": 7, "errors": [], "warnings": [{"description": "mind the gap"}]}
        if method == "DELETE":
            self.deleted.append(path)
            return 200, {"errors": []}
        return 200, {"jobs": self.jobs, "errors": []}


class Api(ExecutorTest):
    def setUp(self):
        self.fake = None
        super().setUp()

    def options(self):
        if not self.fake:
            self.fake = Fake(os.path.join(self.folder, "rest"), 40)
            self.addCleanup(self.fake.close)
        return {"kind": "slurm", "address": os.path.join(self.folder, "rest"), "user": "someone"}

    def shows(self, state, **more):
        self.fake.jobs = [dict({"job_id": 7, "name": self.key, "user_name": "someone", "job_state": state,
                                "current_working_directory": self.attempt(self.key)}, **more)]

    def wait_for_reason(self, part):
        wait_until(lambda: part in (self.driver.state(self.key)[1] or ""), lambda: f"it is {self.driver.state(self.key)}")

    def begin_one(self):
        self.begin(self.key, "true")
        wait_until(lambda: self.fake.submitted, "nothing is submitted")

    def test_a_newer_api_is_spoken_in_its_words(self):
        self.begin_one()
        job = self.fake.submitted[0]["job"]
        self.assertEqual((job["name"], job["requeue"], job["memory_per_node"], job["time_limit"]),
                         (self.key, False, 1024 + 64, 24 * 60 + 5))
        self.assertEqual([text.split("=")[0] for text in job["environment"]], ["PATH"])
        for state, reads in ((["PENDING"], "queued"), (["RUNNING"], "running"), (["FAILED", "COMPLETING"], "running"),
                             (["FAILED"], "gone")):
            self.shows(state)
            self.wait_for_state(self.key, reads)
        self.assertEqual(len(self.fake.submitted), 1)

    def test_an_upgrade_of_slurmrestd_is_noticed(self):
        self.begin_one()
        self.fake.version = 41
        self.shows(["RUNNING"])
        self.wait_for_state(self.key, "running")
        self.driver.ask("cancel", key=self.key, handle=self.key)
        wait_until(lambda: self.fake.deleted, "nothing is cancelled")
        self.assertEqual(self.fake.deleted, ["/slurm/v0.0.41/job/7"])

    def test_answers_without_sense_change_nothing_that_is_known(self):
        self.begin_one()
        self.shows(["RUNNING"])
        self.wait_for_state(self.key, "running")
        for override in ((200, b"<html>"), (200, {"jobs": {}}), (500, b"\xff\x00"), (401, b"who?"),
                         (200, {"jobs": [], "errors": [{"error_number": 1800, "error": "no controller"}]})):
            for answer in (override, None):
                self.fake.override, self.fake.count = answer, 0
                while self.fake.count < (1 if answer else 2):
                    self.assertEqual(self.driver.state(self.key)[0], "running")
                    self.driver.ask("wait", milliseconds=50)
        self.shows(["COMPLETED"])
        self.wait_for_state(self.key, "gone")

    def test_a_submission_without_a_clear_answer_is_looked_for_before_it_is_repeated(self):
        self.driver.ask("poll", keys=[self.other])
        wait_until(lambda: "handle" in self.driver.ask("find", key=self.other), "nothing is known of what there is")
        self.fake.override = (500, {"errors": [{"error_number": 1800, "error": "Unable to contact the controller"}]})
        self.begin(self.key, "true")
        self.wait_for_reason("Slurm says: Unable to contact the controller (1800)")
        self.shows(["PENDING"])
        self.fake.override = None
        self.wait_for_reason("job 7 of Slurm is PENDING")
        self.assertEqual(self.fake.submitted, [])

    def test_a_job_that_was_taken_and_is_not_there_is_unknown(self):
        self.begin_one()
        self.wait_for_state(self.key, "unknown")
        self.submit(self.key)
        wait_until(lambda: len(self.fake.submitted) == 2, "it is not submitted again")


if __name__ == "__main__":
    build_driver()
    run(Api)
