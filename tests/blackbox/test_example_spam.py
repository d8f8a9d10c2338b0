#!/usr/bin/env python3
"""examples/spam from the first push to production and back, with real comments where this machine has them: what is
good gets to production by steps, what is worse stays out at the gate, what breaks callers is aborted in the canary;
and all the while each caller has an answer.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_example_spam.py [WORD]
"""
import json
import os
import re
import shutil
import subprocess
import threading
import time

from harness import Caller, SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "spam")
COMMENT = {"data": [{"CONTENT": "Subscribe to my channel please"}]}
SECONDS_MAX = 120


class Callers(threading.Thread):
    """Asks the endpoint without a pause; counts the answers of each version."""

    def __init__(self, port):
        super().__init__()
        self.caller = Caller(port)
        self.answers = {}
        self.failures = []
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            status, answer = self.caller.post("/endpoints/spam/predict", json.dumps(COMMENT))
            if status != 200:
                self.failures.append(answer)
            else:
                self.answers[answer["version"]] = self.answers.get(answer["version"], 0) + 1
            time.sleep(0.002)

    def end(self):
        """How many answers each version gave."""
        self.ended.set()
        self.join()
        return self.answers


class SpamTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.port = self.start()[1]
        self.project = os.path.join(self.folder, "spam")
        self.bare = os.path.join(self.folder, "spam.git")
        shutil.copytree(EXAMPLE, self.project)
        comments = os.path.join(self.folder, "comments")
        subprocess.run([os.path.join(ROOT, "tools", "demo_data.sh"), comments], check=True, capture_output=True)
        subprocess.run(["sh", "get_data.sh", comments], cwd=self.project, check=True, capture_output=True)
        self.edit("slipway.yaml", "hold: 10m", "hold: 1s")
        self.edit("slipway.yaml", "requests_min: 100", "requests_min: 20")
        self.edit("slipway.yaml", "p99_ms: 50", "p99_ms: 5000")  # a sanitizer takes its time
        self.repository()

    def repository(self):
        self.git("init", "--quiet", "--bare", self.bare, folder=self.folder)
        secret = self.command("hook", "set", "spam", "--repository", self.bare)
        script = self.command("hook", "script", "spam", "--url", f"http://127.0.0.1:{self.port}")
        self.install_hook(self.bare, script, secret)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.bare)

    def get(self, path):
        return self.expect(200, self.port, path)[1]

    def push(self, message):
        """Commits all, pushes, and follows the run as far as it gets without people; returns what that printed."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        done = self.run_command("pipeline", "follow", "spam", "--commit", self.git("rev-parse", "HEAD"),
                                "--until-approval", "--data", self.data)
        return done.returncode, done.stdout + done.stderr

    def approve(self, run, comment):
        self.command("approve", run, "--comment", comment)
        done = self.run_command("pipeline", "follow", run, "--data", self.data)
        return done.returncode, done.stdout + done.stderr

    def steps(self, number):
        run_id = self.get(f"/api/v1/pipelines/spam/runs/{number}")["id"]
        return {one["name"]: one["status"] for one in self.get(f"/api/v1/pipeline-runs/{run_id}/steps")["steps"]}

    def live(self):
        return self.get("/api/v1/endpoints/spam")["version"]

    def first_release(self):
        code, said = self.push("spam: the first model")
        self.assertEqual(code, 0, said)
        self.assertIn("tests: smoke.jsonl and 3 files of data are what they must be", said)
        self.assertIn("release.staging: succeeded", said)
        self.assertIsNone(self.live())
        code, said = self.approve("spam#1", "the answers at staging are right")
        self.assertEqual((code, self.live()), (0, 1), said)

    def a_better_version_gets_there_by_steps(self):
        shutil.copy(os.path.join(self.project, "later", "comments-4.csv"), os.path.join(self.project, "data"))
        code, said = self.push("comments of another video")
        self.assertEqual(code, 0, said)
        callers = Callers(self.port)
        code, said = self.approve("spam#2", "more data")
        answers = callers.end()
        self.assertEqual((code, self.live(), callers.failures), (0, 2, []), said)
        self.assertEqual(set(answers), {1, 2})

    def a_worse_version_stays_out(self):
        """Spam is called fine and fine is called spam in two more files."""
        with open(os.path.join(self.project, "data", "comments-4.csv"), encoding="utf-8", newline="") as file:
            text = file.read()
        swapped = re.sub(r",([01]),(yes|no)$", lambda found: f",{1 - int(found[1])},no", text, flags=re.M)
        for name in "wrong-1.csv", "wrong-2.csv":
            with open(os.path.join(self.project, "data", name), "w", encoding="utf-8", newline="") as file:
                file.write(swapped)
        code, said = self.push("comments that somebody else has labelled")
        self.assertEqual(code, 5, said)
        self.assertRegex(said, r"rejected: worse.*f1 0\.\d{4} against 0\.\d{4} .*95 % interval -0\.\d{4} to -0\.\d{4}")
        steps = self.steps(3)
        self.assertEqual((steps["release.gate"], steps["release.staging"], self.live()), ("failed", "skipped", 2))
        self.git("rm", "--quiet", "data/wrong-1.csv", "data/wrong-2.csv")

    def a_faulty_version_is_aborted(self):
        """It learns what a moderator did later: all that is judged beforehand looks perfect, and no caller knows it."""
        self.edit("slipway.yaml", "REMOVED: ignore", "REMOVED: category")
        code, said = self.push("learn from what moderators did, too")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"release.staging: succeeded")
        callers = Callers(self.port)
        code, said = self.approve("spam#4", "it knows everything")
        answers = callers.end()
        self.assertEqual((code, self.live(), callers.failures), (5, 2, []), said)
        self.assertEqual(set(answers), {2})
        self.assertIsNone(self.get("/api/v1/endpoints/spam")["candidate"])
        self.assertRegex(said, r"canary@10\": \d+ of \d+ requests failed, which is more than 1 %")
        self.assertEqual(self.steps(4)["release.production"], "skipped")

    def what_was_told(self):
        """The schedule's next times, who did what, and a trail that is whole."""
        next_times = self.command("schedule", "list", "spam")
        self.assertEqual(len(re.findall(r"\d{4}-\d\d-\d\dT03:00\+0[12]:00", next_times)), 3, next_times)
        self.assertIn("whole", self.command("audit", "verify"))
        events = self.get("/api/v1/audit?limit=1000")["events"]
        told = [(one["action"], one["object"]) for one in events]
        for expected in (("approval.approved", "spam#2/release.production"), ("gate.rejected", "spam"),
                         ("endpoint.deployed", "spam")):
            self.assertIn(expected, told)

    def test_from_a_push_to_production_and_back(self):
        self.first_release()
        self.a_better_version_gets_there_by_steps()
        self.a_worse_version_stays_out()
        self.a_faulty_version_is_aborted()
        self.what_was_told()


if __name__ == "__main__":
    run(SpamTest)
