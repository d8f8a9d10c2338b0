#!/usr/bin/env python3
"""examples/taxi with real trips, where this machine has them: minutes made by the recipe, trained, at staging, approved, explained.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_example_taxi.py [WORD]
"""
import json
import os
import shutil

from harness import JSON_TYPE, SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLE = os.path.join(ROOT, "examples", "taxi")
TRIPS = os.path.join(os.environ.get("SLIPWAY_DATA", os.path.join(ROOT, "..", "shared", "data")), "nyc-green-taxi")


class TaxiTest(SlipwayTest):
    command_seconds = 600

    def setUp(self):
        super().setUp()
        if not os.path.exists(TRIPS):
            self.skipTest(f"{TRIPS} is not there")
        self.port = self.start()[1]
        self.project = os.path.join(self.folder, "taxi")
        shutil.copytree(EXAMPLE, self.project)
        for month, rows in ("01", 9000), ("02", 2500):
            with open(os.path.join(TRIPS, f"green_tripdata_2021-{month}.csv"), encoding="utf-8") as trips:
                lines = trips.readlines()[:rows]
            with open(os.path.join(self.project, f"trips-2021-{month}.csv"), "w", encoding="utf-8") as file:
                file.writelines(lines)
        self.edit("slipway.yaml", "share: 0.4559", "share: 0.2")  # not all of the trips: a sanitizer takes its time
        self.edit("slipway.yaml", "minimum: 6.5", "minimum: 7.5")

    def post(self, verb, rows):
        return self.expect(200, self.port, f"/endpoints/taxi/{verb}", method="POST", body=json.dumps({"data": rows}),
                           headers=JSON_TYPE)[1]

    def test_real_trips_get_to_production_and_minutes_are_explained(self):
        done = self.run_command("pipeline", "run", "--until-approval", "--param", "budget=20", "--data", self.data,
                                folder=self.project)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.command("approve", "taxi#1", "--comment", "the answers at staging are right")
        self.command("pipeline", "follow", "taxi")
        with open(os.path.join(self.project, "smoke.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        ranges = [row.pop("duration") for row in rows]
        said = [one["value"] for one in self.post("predict", rows)["predictions"]]
        for value, (least, most) in zip(said, ranges, strict=True):
            self.assertTrue(least <= value <= most, said)
        for one, value in zip(self.post("explain", rows)["explanations"], said, strict=True):
            total = one["intercept"] + one["rest"]["weight"] + sum(part["weight"] for part in one["contributions"])
            self.assertAlmostEqual(total, value, delta=1e-5)


if __name__ == "__main__":
    run(TaxiTest)
