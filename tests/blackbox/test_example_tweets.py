#!/usr/bin/env python3
"""examples/tweets with the real tweets, where this machine has them: prepared, checked, trained, at staging, approved.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_example_tweets.py [WORD]
"""
import os
import shutil
import subprocess

from harness import SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "tweets")
TWEETS = os.path.join(os.environ.get("SLIPWAY_DATA", os.path.join(ROOT, "..", "shared", "data")), "disaster-tweets",
                      "train.csv")


class TweetsTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        if not os.path.exists(TWEETS):
            self.skipTest(f"{TWEETS} is not there")
        self.port = self.start()[1]
        self.project = os.path.join(self.folder, "tweets")
        shutil.copytree(EXAMPLE, self.project)
        shutil.copyfile(TWEETS, os.path.join(self.project, "train.csv"))
        smoke = subprocess.run(["sh", "pick_smoke.sh", "train.csv"], cwd=self.project, capture_output=True, check=True)
        with open(os.path.join(self.project, "smoke.jsonl"), "wb") as file:
            file.write(smoke.stdout)
        self.edit("slipway.yaml", "p99_ms: 20", "p99_ms: 5000")  # a sanitizer takes its time

    def pipeline(self):
        done = self.run_command("pipeline", "run", "--until-approval", "--data", self.data, folder=self.project)
        return done.returncode, done.stdout + done.stderr

    def live(self):
        return self.expect(200, self.port, "/api/v1/endpoints/tweets")[1]["version"]

    def test_real_tweets_get_to_production(self):
        code, said = self.pipeline()
        self.assertEqual((code, self.live()), (0, None), said)
        self.assertIn("6971 rows", self.command("data", "show", "tweets@1"))
        self.command("approve", "tweets#1", "--comment", "the answers at staging are right")
        self.command("pipeline", "follow", "tweets")
        self.assertEqual(self.live(), 1)
        self.assertIn("tweets", self.command("audit", "served", "tweets"))

    def test_a_label_that_is_none_stops_the_run(self):
        self.edit("train.csv", "Sask. Canada,1", "Sask. Canada,maybe")
        code, said = self.pipeline()
        self.assertEqual(code, 5, said)
        self.assertRegex(said, r"prepare: failed: .*target.*")
        self.assertIn("train: skipped", said)


if __name__ == "__main__":
    run(TweetsTest)
