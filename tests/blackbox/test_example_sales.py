#!/usr/bin/env python3
"""examples/sales with the real days, where this machine has them: forecast, released, learnt again with more of them.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_example_sales.py [WORD]
"""
import json
import os
import shutil

from harness import JSON_TYPE, SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "sales")
DAYS = os.path.join(os.environ.get("SLIPWAY_DATA", os.path.join(ROOT, "..", "shared", "data")), "adventureworks-daily")


class SalesTest(SlipwayTest):
    command_seconds = 600

    def setUp(self):
        super().setUp()
        if not os.path.exists(DAYS):
            self.skipTest(f"{DAYS} is not there")
        self.port = self.start()[1]
        self.project = os.path.join(self.folder, "sales")
        shutil.copytree(EXAMPLE, self.project)

    def release(self, number, is_due):
        """With a file of the days that are."""
        with open(os.path.join(DAYS, "mlops_forecast_data.csv"), encoding="ascii") as file:
            head, *rows = file.readlines()
        with open(os.path.join(self.project, f"sales-{number}.csv"), "w", encoding="ascii") as file:
            file.writelines([head] + [row for row in rows if is_due(row)])
        done = self.run_command("pipeline", "run", "--until-approval", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.command("approve", f"sales#{number}", "--comment", "better than the numbers of last week")
        self.command("pipeline", "follow", "sales")

    def next_days(self):
        answer = self.expect(200, self.port, "/endpoints/sales/predict", method="POST", body=json.dumps({"data": [3]}),
                             headers=JSON_TYPE)[1]
        forecast = answer["predictions"][0]["forecast"]
        self.assertTrue(all(day["low"] <= day["value"] <= day["high"] for day in forecast), forecast)
        return answer["version"], [day["time"] for day in forecast]

    def test_months_are_forecast_and_with_more_of_them_the_next_model_takes_over(self):
        self.release(1, lambda row: row < "2014-03-01")
        self.assertEqual(self.next_days(), (1, ["2014-03-01", "2014-03-02", "2014-03-03"]))
        self.release(2, lambda row: row >= "2014-03-01")
        self.assertEqual(self.next_days(), (2, ["2014-06-01", "2014-06-02", "2014-06-03"]))
        self.assertIn("accepted  sales version 2", self.command("gate", "list", "sales"))


if __name__ == "__main__":
    run(SalesTest)
