#!/usr/bin/env python3
"""Sales of some stores, one of which cannot be learnt, through what other models have: figures by the step, a budget,
evaluation on later days, scores, benchmark, smoke test.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_forecast_stores.py [WORD]
"""
import csv
import datetime
import io
import json
import math
import os
import re

from harness import SlipwayTest, run

DAYS = 90
HORIZON = 7
PROJECT = """project: stores
data:
  stores: {source: stores.csv, target: sold, time: day, group: store}
"""
PIPELINE = PROJECT + """stages:
  check: {uses: check-data, with: {data: stores}}
  train: {uses: train, with: {data: stores, task: forecast, horizon: 7, budget: 1}, needs: check}
  lines:
    uses: score
    needs: train
    with: {input: asks.csv, keys: [note], output: out/lines.csv}
  objects:
    uses: score
    needs: train
    with: {input: asks.csv, output: out/lines.jsonl}
  fast: {uses: benchmark, needs: train, with: {input: asks.csv, requests: 20}}
  judge: {uses: evaluate, needs: train}
release:
  endpoint: stores
  staging: {smoke: smoke.jsonl}
"""
ASKS = "series,steps,level,note\nnorth,3,,near\nsouth,,0.5,far\n"
FIGURES = {"mase", "smape", "rmse", "mae", "r2", "msis", "coverage"}


def sold(store, day):
    return 50 + 20 * (day % 7 >= 5) + len(store) * 3 + 5 * math.sin(day / 9) + (day * 7919 + len(store) * 31) % 13


def day_of(number):
    return (datetime.date(2024, 1, 1) + datetime.timedelta(days=number)).isoformat()


def rows(stores, days):
    return "".join(f"{day_of(day)},{store},{sold(store, day):.3f}\n" for store in stores for day in range(days))


class StoresTest(SlipwayTest):
    command_seconds = 600  # under sanitizers, beside other tests

    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "stores")
        os.mkdir(self.project)
        self.port = self.start()[1]
        self.put("slipway.yaml", PROJECT)
        self.put_sales(["north", "south"], DAYS)

    def put(self, name, text):
        with open(os.path.join(self.project, name), "w", encoding="ascii") as file:
            file.write(text)

    def put_sales(self, stores, days, more=""):
        self.put("stores.csv", "day,store,sold\n" + rows(stores, days) + more)

    def get(self, path):
        return self.expect(200, self.port, path)[1]

    def add(self):
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)

    def train(self, *options):
        self.add()
        return self.command("train", "--task", "forecast", "--horizon", str(HORIZON), *options, folder=self.project)

    def last_run(self):
        return self.get("/api/v1/runs?limit=1")["runs"][0]

    def file(self, run_id, path):
        return json.loads(self.get(f"/api/v1/runs/{run_id}/artifacts/file?path={path}"))

    # by the step

    def test_each_step_of_the_horizon_has_its_figures(self):
        self.train()
        run_ = self.last_run()
        report = self.file(run_["id"], "report.json")
        self.assertEqual([(part["first"], part["last"]) for part in report["steps"]],
                         [(step, step) for step in range(1, HORIZON + 1)])
        for part in report["steps"]:
            self.assertEqual(part["values"], 2)  # a date of each store
            self.assertEqual(set(part["metrics"]), FIGURES)
            self.assertEqual(set(part["backtest_metrics"]), FIGURES)
            self.assertGreater(part["backtest_values"], 2)
        mean = sum(part["metrics"]["mae"] for part in report["steps"]) / HORIZON
        self.assertAlmostEqual(mean, report["metrics"]["mae"], places=9)
        history = self.get(f"/api/v1/runs/{run_['id']}/metrics/holdout_step.mae")["points"]
        self.assertEqual({point["step"]: point["value"] for point in history},
                         {part["first"]: part["metrics"]["mae"] for part in report["steps"]})
        shown = self.command("run", "show", run_["id"])
        self.assertRegex(shown, r"(?m)^by the step of the horizon\nSTEP +VALUES +MASE +SMAPE +RMSE .*\n1 +2 +\d")
        self.assertRegex(shown, r"(?m)^by the step, in back-tests\nSTEP .*\n1 +\d+ +\d")
        said = self.command("model", "report", "stores@1", folder=self.project)
        self.assertIn("By the step of the horizon", said)
        self.assertRegex(said, r"(?m)^\| 7 +\| 2 +\| \d")
        self.assertRegex(said, r"(?m)^\| mase, chosen by +\| \d")
        self.assertRegex(said, r"(?m)^\| rmse +\| \d")

    def test_one_series_has_no_r2_of_a_single_date(self):
        self.put_sales(["north"], DAYS)
        self.train()
        report = self.file(self.last_run()["id"], "report.json")
        self.assertIsNone(report["steps"][0]["metrics"]["r2"])
        self.assertIsNotNone(report["steps"][0]["metrics"]["mae"])
        self.assertRegex(self.command("run", "show", self.last_run()["id"]), r"(?m)^1 +1 .* no data ")

    def test_a_long_horizon_has_ranges_of_steps(self):
        self.put_sales(["north"], 160)
        self.add()
        self.command("train", "--task", "forecast", "--horizon", "100", folder=self.project)
        parts = self.file(self.last_run()["id"], "report.json")["steps"]
        self.assertEqual(len(parts), 48)
        self.assertEqual([(part["last"] + 1) for part in parts[:-1]], [part["first"] for part in parts[1:]])
        self.assertEqual((parts[0]["first"], parts[-1]["last"]), (1, 100))
        self.assertRegex(self.command("model", "report", "stores@1", folder=self.project), r"\| \d+ to \d+ +\|")

    # what is below a baseline

    def test_what_is_worse_than_the_best_baseline_is_marked(self):
        """A random walk has nothing to be learnt but its last value."""
        value, walk = 500, []
        for day in range(DAYS):
            value += ((day * 48271 + 11) * 16807 % 2147483647) % 21 - 10
            walk.append(f"{day_of(day)},north,{value}\n")
        self.put("stores.csv", "day,store,sold\n" + "".join(walk))
        said = self.train()
        run_ = self.last_run()
        board = self.file(run_["id"], "leaderboard.json")
        best = min(row["score"] for row in board if row["is_baseline"])
        for row in board:
            is_below = not row["is_baseline"] and row["score"] is not None and row["score"] > best
            self.assertEqual(row["below_baseline"], is_below, row)
        self.assertTrue(any(row["below_baseline"] for row in board))
        self.assertRegex(said, r"(?m)  below the baseline$")
        report = self.command("model", "report", "stores@1", folder=self.project)
        self.assertIn("below the baseline", report)
        chosen = next(row for row in board if row["chosen"])
        self.assertEqual("slipway.below_baseline" in run_["tags"], chosen["below_baseline"])
        self.assertEqual("it was not better than the best of the baselines" in report, chosen["below_baseline"])

    # one of many that fails

    def test_a_series_that_cannot_be_learnt_stops_none_of_the_others(self):
        broken = f"{day_of(3)},twice,1\n{day_of(3)},twice,2\n" + rows(["twice"], 40)
        huge = "".join(f"{day_of(day)},huge,1e120\n" for day in range(DAYS))
        self.put_sales(["north", "south"], DAYS, broken + huge)
        self.train()
        run_ = self.last_run()
        self.assertIn('series "twice": ', run_["tags"]["slipway.notes"])
        self.assertIn('series "huge": the value of row 1 is 1e+120, but at most 1e+100 is allowed; it is left out',
                      run_["tags"]["slipway.notes"])
        report = self.file(run_["id"], "model/report.json")
        self.assertEqual([series["id"] for series in report["series"]], ["north", "south"])
        self.assertEqual(run_["params"]["holdout_rows"], str(2 * HORIZON))

    def test_when_no_series_is_left_the_first_reason_is_said(self):
        self.put("stores.csv", "day,store,sold\n" + f"{day_of(1)},a,1\n{day_of(1)},a,2\n{day_of(2)},b,1\n{day_of(2)},b,3\n")
        self.add()
        done = self.run_command("train", "--task", "forecast", "--horizon", "2", "--data", self.data, folder=self.project)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r'run \w+ failed: series "[ab]": ')

    # the budget

    def test_a_budget_that_is_used_up_leaves_a_model_of_what_is_quick(self):
        said = self.train("--budget", "0.001")
        board = self.file(self.last_run()["id"], "leaderboard.json")
        notes = {row["name"]: row["note"] for row in board}
        self.assertRegex(notes["arima"], r"^stopped on 2 of 2 series: the time budget is used up$")
        self.assertTrue(all(row["score"] is not None for row in board if row["is_baseline"]))
        self.assertIn("the time budget of 0.001 seconds left out", said)
        self.assertEqual(self.get("/api/v1/models/stores/versions/1")["version"], 1)

    def test_a_budget_that_suffices_changes_nothing(self):
        self.train("--budget", "0")
        self.train("--budget", "3600")
        versions = self.get("/api/v1/models/stores/versions")["versions"]
        self.assertEqual(versions[0]["package"], versions[1]["package"])

    # evaluate

    def evaluate(self, *options):
        return json.loads(self.command("evaluate", "--json", *options, folder=self.project))

    def test_a_version_is_evaluated_on_the_days_after_its_end(self):
        self.train()
        self.put_sales(["north", "south"], DAYS + 5)
        self.add()
        found = self.evaluate("--dataset", "stores@2")
        self.assertEqual((found["data"], found["rows"], found["series"], found["training_rows"]), ("stores@2", 10, 2, 0))
        self.assertEqual((found["first"][:10], found["last"][:10]), (day_of(DAYS), day_of(DAYS + 4)))
        self.assertEqual(found["judged_on"], "unseen data")
        self.assertIn("the model ends before the dates, and forecast them as it serves", found["notes"])
        self.command("deploy", "stores@1", "--endpoint", "stores", "--comment", "to ask it", folder=self.project)
        served = self.expect(200, self.port, "/endpoints/stores/predict", method="POST",
                             body=json.dumps({"data": [{"series": store, "steps": 5} for store in ("north", "south")]}),
                             headers={"Content-Type": "application/json"})[1]["predictions"]
        misses = [abs(step["value"] - round(sold(one["series"], DAYS + at), 3))
                  for one in served for at, step in enumerate(one["forecast"])]
        self.assertAlmostEqual(found["report"]["metrics"]["mae"], sum(misses) / 10, places=6)
        self.assertEqual([part["first"] for part in found["report"]["steps"]], [1, 2, 3, 4, 5])
        self.assertRegex(self.command("evaluate", folder=self.project),
                         r"^stores version 1 on stores@2: 10 rows\n[^$]*by the step of the horizon\n")

    def test_without_later_days_a_version_is_judged_as_the_gate_judges(self):
        self.train()
        found = self.evaluate()
        held = {metric["key"]: metric["value"] for metric in self.last_run()["metrics"]}
        self.assertEqual((found["data"], found["rows"]), ("stores@1", 2 * HORIZON))
        self.assertIn("the model has seen the dates, and was renewed on the values before them", found["notes"])
        self.assertAlmostEqual(found["report"]["metrics"]["mase"], held["holdout.mase"], places=9)

    def test_a_series_that_ended_before_is_left_out_of_an_evaluation(self):
        self.train()
        self.put("stores.csv", "day,store,sold\n" + rows(["north"], DAYS + 9) + rows(["south"], DAYS))
        self.add()
        found = self.evaluate()
        self.assertEqual((found["rows"], found["series"]), (HORIZON, 1))
        self.assertIn("1 series have fewer than 7 values after what the model has learnt from, and are left out",
                      found["notes"])
        self.put("stores.csv", "day,store,sold\n" + rows(["west"], DAYS))
        self.add()
        self.refused(5, "there is no series that the model forecasts: nothing can be compared", "evaluate",
                     folder=self.project)

    # a pipeline

    def pipeline(self, code=0):
        done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr

    def step(self, name):
        newest = self.get("/api/v1/pipelines/stores/runs?limit=1")["pipeline_runs"][0]
        return self.get(f"/api/v1/pipeline-runs/{newest['id']}/steps/{name}")["step"]

    def out(self, name):
        digest = self.step(name)["outs"][0]["digest"]
        return self.expect(200, self.port, f"/api/v1/artifacts/{digest}")[1]

    def put_pipeline(self, asks=ASKS, smoke=None):
        self.put("slipway.yaml", PIPELINE)
        self.put("asks.csv", asks)
        self.put("smoke.jsonl", "".join(json.dumps(row) + "\n" for row in smoke or [
            {"series": "north", "steps": 2, "sold": [0, 1000]}, {"series": "south", "sold": [0, 1000]}]))
        self.command("environment", "set", "production", "--approvals", "0")

    def test_a_pipeline_scores_measures_and_tries_a_forecast(self):
        self.put_pipeline()
        self.pipeline()
        lines = list(csv.DictReader(io.StringIO(self.out("lines").decode())))
        self.assertEqual(list(lines[0]), ["note", "series", "time", "value", "low", "high"])
        self.assertEqual([(line["note"], line["series"], line["time"]) for line in lines],
                         [("near", "north", day_of(DAYS + step)) for step in range(3)] +
                         [("far", "south", day_of(DAYS + step)) for step in range(HORIZON)])
        for line in lines:
            self.assertLess(float(line["low"]), float(line["high"]))
            if line["note"] == "near":  # of half of the values an interval may lie beside the middle
                self.assertTrue(float(line["low"]) <= float(line["value"]) <= float(line["high"]), line)
        objects = [json.loads(line) for line in self.out("objects").decode().splitlines()]
        self.assertEqual([one["row"] for one in objects], [1] * 3 + [2] * HORIZON)
        self.assertEqual([one["value"] for one in objects], [float(line["value"]) for line in lines])
        result = self.step("lines")["result"]
        self.assertEqual((result["rows"], result["lines"]), (2, 3 + HORIZON))
        self.assertAlmostEqual(result["values"]["most"], max(one["value"] for one in objects))
        fast = self.step("fast")["result"]
        self.assertEqual((fast["requests"], fast["batch"]), (20, 1000))
        self.assertEqual(self.step("judge")["result"]["rows"], 2 * HORIZON)
        self.assertEqual(self.step("release.staging")["result"]["smoke"], {"file": "smoke.jsonl", "rows": 2})
        self.assertEqual(self.get("/api/v1/endpoints/stores")["version"], 1)

    def test_what_is_asked_wrongly_in_a_file_is_said_with_its_row(self):
        for asks, sentence in [
            ("series,note\nnorth,a\nwest,b\n", 'asks.csv: the model has no series "west", named in row 2; it has 2'),
            ("series,steps,note\nnorth,29,a\n", 'asks.csv: "steps" in row 1 is a whole number from 1 to 28'),
            ("name,note\nnorth,a\n", 'asks.csv: it has none of the columns that the model is asked by: "steps", "series", '
                                     '"level"'),
        ]:
            self.put_pipeline(asks)
            self.assertRegex(self.pipeline(code=5), 'step "(lines|objects|fast)": ' + re.escape(sentence))

    def test_a_forecast_that_is_not_what_it_must_be_stays_at_staging(self):
        self.put_pipeline(smoke=[{"series": "north", "steps": 2, "sold": [0, 1]}])
        self.assertRegex(self.pipeline(code=5), r'step "release.staging": smoke\.jsonl, line 1: the answer is [\d.]+ and '
                         r"must be \[0,1\]")
        self.assertIsNone(self.get("/api/v1/endpoints/stores")["version"])

    def test_a_large_batch_is_as_many_rows_as_a_request_may_ask_steps_for(self):
        self.put_pipeline(asks="series,steps,note\nnorth,28,a\n")
        self.edit("slipway.yaml", "{input: asks.csv, requests: 20}", "{input: asks.csv, requests: 20, batch: 10000}")
        self.pipeline()
        self.assertEqual(self.step("fast")["result"]["batch"], 20000 // 28)

    # progress

    def test_progress_counts_series_and_has_a_leaderboard(self):
        self.put_sales([f"store {number}" for number in range(40)], DAYS)
        self.add()
        run_id = self.command("train", "--task", "forecast", "--horizon", "7", "--no-wait", folder=self.project).strip()
        seen, status = [], "RUNNING"
        while status == "RUNNING":
            answer = self.get(f"/api/v1/runs/{run_id}/progress")
            status = answer["status"]
            if answer["progress"]:
                seen.append(answer["progress"])
        self.assertEqual(status, "FINISHED")
        self.assertTrue(seen)
        self.assertEqual((seen[-1]["unit"], seen[-1]["planned"], seen[-1]["metric"]), ("series", 40, "mase"))
        self.assertEqual([one["done"] for one in seen], sorted(one["done"] for one in seen))
        names = {row["name"] for row in seen[-1]["leaderboard"]}
        self.assertTrue({"naive", "ets", "arima"} <= names)
        self.assertFalse(any(row["chosen"] for row in seen[-1]["leaderboard"]))


if __name__ == "__main__":
    run(StoresTest)
