#!/usr/bin/env python3
"""examples/bank with the real clients, where this machine has them: checked, trained, at staging, approved, explained.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_example_bank.py [WORD]
"""
import json
import os
import shutil
import subprocess

from harness import JSON_TYPE, SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "bank")
CLIENTS = os.path.join(os.environ.get("SLIPWAY_DATA", os.path.join(ROOT, "..", "shared", "data")), "bank-marketing")


class BankTest(SlipwayTest):
    command_seconds = 600

    def setUp(self):
        super().setUp()
        if not os.path.exists(CLIENTS):
            self.skipTest(f"{CLIENTS} is not there")
        self.port = self.start()[1]
        self.project = os.path.join(self.folder, "bank")
        shutil.copytree(EXAMPLE, self.project)
        shutil.copyfile(os.path.join(CLIENTS, "bankmarketing_train.csv"), os.path.join(self.project, "clients.csv"))
        smoke = subprocess.run(["sh", "pick_smoke.sh", "clients.csv", os.path.join(CLIENTS, "bankmarketing_test.csv")],
                               cwd=self.project, capture_output=True, check=True)
        with open(os.path.join(self.project, "smoke.jsonl"), "wb") as file:
            file.write(smoke.stdout)

    def post(self, verb, rows):
        return self.expect(200, self.port, f"/endpoints/bank/{verb}", method="POST", body=json.dumps({"data": rows}),
                           headers=JSON_TYPE)[1]

    def test_real_clients_get_to_production_without_what_is_known_too_late(self):
        done = self.run_command("pipeline", "run", "--until-approval", "--param", "budget=5", "--data", self.data,
                                folder=self.project)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.command("approve", "bank#1", "--comment", "the answers at staging are right")
        self.command("pipeline", "follow", "bank")
        with open(os.path.join(self.project, "smoke.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual(sorted(row["y"] for row in rows), ["no"] * 3 + ["yes"] * 3)
        answers = [row.pop("y") for row in rows]
        self.assertNotIn("duration", rows[0])
        said = self.post("predict", rows)["predictions"]
        self.assertEqual([one["label"] for one in said], answers)
        for one in self.post("explain", rows)["explanations"]:
            total = one["intercept"] + one["rest"]["weight"] + sum(part["weight"] for part in one["contributions"])
            self.assertAlmostEqual(total, one["margin"], delta=1e-5)
            self.assertTrue({part["column"] for part in one["contributions"]} <= set(rows[0]))


if __name__ == "__main__":
    run(BankTest)
