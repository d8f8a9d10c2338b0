#!/usr/bin/env python3
"""What a version must do at staging before production hears of it: give the answers of the smoke test, to rows that it
has not learnt from.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_release_staging.py [WORD]
"""
import json
import os

from harness import SlipwayTest, run

PROJECT = """project: shop
data:
  shop: {source: shop.csv, target: label}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0}, needs: check}
release:
  endpoint: shop
  staging: {smoke: smoke.jsonl%s}
"""
RIGHT = {"note": "a free phone of gold to win", "label": "win"}


class StagingTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.server, self.port = self.start()
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        self.put("slipway.yaml", PROJECT % "")
        self.put("shop.csv", "note,label\n" + "".join(f"win a free phone {number},win\nlovely song {number},ham\n"
                                                      for number in range(40)))
        self.command("environment", "set", "production", "--approvals", "0")

    def put(self, name, text):
        with open(os.path.join(self.project, name), "w") as file:
            file.write(text)

    def release(self, *rows):
        self.put("smoke.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
        return done.returncode, done.stderr.splitlines()[-1] if done.stderr else ""

    def get(self, path):
        return self.expect(200, self.port, path)[1]

    def last_steps(self):
        run_id = self.get("/api/v1/pipelines/shop/runs")["pipeline_runs"][0]["id"]
        return {one["name"]: one for one in self.get(f"/api/v1/pipeline-runs/{run_id}/steps")["steps"]}

    def test_production_hears_only_of_what_answers_as_it_must(self):
        wrong = [
            ([RIGHT, {**RIGHT, "label": "ham"}], r'smoke\.jsonl, line 2: the answer is "win" and must be "ham"'),
            ([{"note": "free"}], r'smoke\.jsonl, line 1: it has no "label"'),
            ([{"text": "free", "label": "win"}], r'smoke\.jsonl, line 1: .*"note"'),
        ]
        for rows, sentence in wrong:
            code, said = self.release(*rows)
            self.assertEqual(code, 5)
            self.assertRegex(said, 'step "release.staging": ' + sentence)
            steps = self.last_steps()
            self.assertEqual((steps["release.staging"]["status"], steps["release.production"]["status"]),
                             ("failed", "skipped"))
            self.assertIsNone(self.get("/api/v1/endpoints/shop")["version"])
        self.assertEqual(self.release(RIGHT)[0], 0)
        result = self.last_steps()["release.staging"]["result"]
        self.assertEqual((result["endpoint"], result["smoke"]), ("shop-staging", {"file": "smoke.jsonl", "rows": 1}))
        self.assertEqual(self.get("/api/v1/endpoints/shop")["version"], 1)
        self.assertEqual(self.get("/api/v1/endpoints/shop")["package"], result["package"])

    def test_f7_rows_that_were_learnt_from_prove_nothing(self):
        code, said = self.release(*({"note": f"lovely song {number}", "label": "ham"} for number in range(10)))
        self.assertEqual(code, 5)
        self.assertRegex(said, r'step "release.staging": smoke\.jsonl: the version has learnt from \d+ of its 10 rows, which '
                               "prove nothing")
        self.assertIsNone(self.get("/api/v1/endpoints/shop")["version"])

    def test_one_that_is_too_slow_stays_at_staging(self):
        self.put("slipway.yaml", PROJECT % ", benchmark: {p99_ms: 0.000001}")
        code, said = self.release(RIGHT)
        self.assertEqual(code, 5)
        self.assertRegex(said, r'step "release.staging": p99 is \S+ ms at staging and may be 1e-06 ms')
        self.assertIsNone(self.get("/api/v1/endpoints/shop")["version"])


if __name__ == "__main__":
    run(StagingTest)
