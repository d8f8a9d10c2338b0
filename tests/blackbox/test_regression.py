#!/usr/bin/env python3
"""Numbers from a table to an answer: trained, judged, served, explained, logged, scored, reported.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_regression.py [WORD]
"""
import csv
import io
import json
import math
import os
import shutil
import tempfile

from harness import JSON_TYPE, SlipwayTest, run

HOURS = os.path.abspath(os.path.join(os.environ.get("SLIPWAY_DATA", "../shared/data"), "bike-sharing", "hour.csv"))
PROJECT = """project: bikes
data:
  hours:
    source: hours.csv
    target: cnt
    columns: {instant: ignore, dteday: ignore, casual: known_after, registered: known_after, season: category}
stages:
  answers: {uses: score, with: {version: champion, input: new.csv, keys: [hr], output: answers.csv}}
release: {endpoint: bikes}
"""
STAGES = """stages:
  train: {uses: train, with: {task: regression, metric: mae, budget: "3"}}
release:
  endpoint: bikes
  gate: {metric: mae}
  staging: {smoke: smoke.jsonl}
"""
METRICS = ["rmse", "mae", "r2", "mape", "median_absolute_error", "explained_variance", "max_error"]
NOT_F1 = f'"f1" is a metric of classification, not of regression, whose are {", ".join(METRICS)}'


def read_hours():
    """Every fortieth hour: 435 of two years."""
    with open(HOURS, encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))[::40]


def as_fields(hour):
    left_out = ("instant", "dteday", "casual", "registered", "cnt")
    return {name: value if name == "season" else float(value) for name, value in hour.items() if name not in left_out}


class RegressionTest(SlipwayTest):
    trained = None

    def setUp(self):
        super().setUp()
        if not os.path.exists(HOURS):
            self.skipTest(f"{HOURS} is not there")
        self.hours = read_hours()
        self.project = os.path.join(self.folder, "bikes")
        if RegressionTest.trained:
            shutil.copytree(os.path.join(RegressionTest.trained, "data"), self.data)
            shutil.copytree(os.path.join(RegressionTest.trained, "bikes"), self.project)
            self.server, self.port = self.start()
            return
        self.make_project()
        self.server, self.port = self.start()
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        RegressionTest.said = self.train()
        self.stop(self.server)
        RegressionTest.trained = tempfile.mkdtemp(prefix="slipway-trained-")
        shutil.copytree(self.data, os.path.join(RegressionTest.trained, "data"))
        shutil.copytree(self.project, os.path.join(RegressionTest.trained, "bikes"))
        self.server, self.port = self.start()

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(cls.trained)

    def make_project(self):
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT)
        self.write_hours("hours.csv", self.hours, self.hours[0])
        self.write_hours("new.csv", self.hours[:50], as_fields(self.hours[0]))

    def write_hours(self, name, hours, columns):
        with open(os.path.join(self.project, name), "w", encoding="ascii", newline="") as file:
            writer = csv.DictWriter(file, list(columns), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(hours)

    def train(self, *options):
        return self.command("train", "--budget", "5", *options, folder=self.project)

    def post(self, verb, body):
        return self.expect(200, self.port, f"/endpoints/bikes/{verb}", method="POST", body=json.dumps(body),
                           headers=JSON_TYPE)[1]

    def deploy(self):
        return self.command("promote", "bikes", folder=self.project)

    # training

    def test_an_integer_of_many_values_is_learnt_as_a_number(self):
        self.assertRegex(self.said, r"(?m)^regression, learnt from \d+ rows, judged on the \d+ rows of the hold-out:$")
        self.assertRegex(self.said, r"(?m)^  mean +\d+\.\d+ ")
        self.assertRegex(self.said, r"(?m)^  rmse +\d+\.\d+$")
        version = self.expect(200, self.port, "/api/v1/models/bikes/versions/1/lineage")[1]
        run_ = version["run"]
        self.assertEqual((run_["params"]["task"], run_["params"]["metric"]), ("regression", "rmse"))
        held = {metric["key"]: metric["value"] for metric in run_["metrics"]}
        self.assertEqual(set(held), {f"{part}.{name}" for part in ("holdout", "cv") for name in METRICS})
        self.assertGreater(held["holdout.r2"], 0.5)
        self.assertAlmostEqual(held["holdout.rmse"] / held["cv.rmse"], 1, delta=0.5)

    def test_the_hold_out_has_as_many_of_each_tenth(self):
        frozen = self.expect(200, self.port, "/api/v1/audit?action=holdout.frozen")[1]["events"][0]["detail"]
        counts = list(frozen["classes"].values())
        self.assertEqual(len(counts), 10)
        self.assertLessEqual(max(counts) - min(counts), 3)

    def test_what_does_not_fit_the_task_is_refused(self):
        def refuse(sentence, *options):
            self.refused(2, sentence, "train", *options, folder=self.project)

        refuse(NOT_F1, "--metric", "f1")
        refuse('a task is "classification", "regression" or "forecast", not "ranking"', "--task", "ranking")
        refuse('classes are balanced, and the target "cnt" is learnt as numbers', "--balance")
        self.edit("slipway.yaml", "release: {endpoint: bikes}", "release: {endpoint: bikes, gate: {metric: f1}}")
        self.refused(2, f"release.gate.metric of slipway.yaml: {NOT_F1}", "train", folder=self.project)
        self.assertEqual(len(self.expect(200, self.port, "/api/v1/models/bikes/versions")[1]["versions"]), 1)

    # the gate

    def test_the_gate_judges_by_rmse_where_nobody_has_named_a_metric(self):
        said = self.deploy()
        self.assertRegex(said, r"^gate: accepted by rmse on 8\d frozen rows")
        gate = self.expect(200, self.port, "/api/v1/endpoints/bikes/gates")[1]["gates"][0]["verdict"]
        self.assertEqual((gate["metric"], gate["rule"]["metric"], gate["finding"]), ("rmse", "rmse", "first model"))
        self.assertRegex(gate["reason"], r"^the first model of this endpoint: rmse \S+, always the mean \S+$")
        self.assertLess(gate["challenger"]["value"], gate["baseline"])
        self.assertEqual(set(gate["metrics"]["challenger"]), set(METRICS))
        self.train("--seed", "7", "--metric", "mae")
        self.run_command("promote", "bikes", "--data", self.data, folder=self.project)
        gate = self.expect(200, self.port, "/api/v1/endpoints/bikes/gates")[1]["gates"][0]["verdict"]
        self.assertIn(gate["outcome"], ("accepted", "rejected"))
        self.assertLessEqual(gate["interval"]["low"], gate["difference"])
        self.assertLessEqual(gate["difference"], gate["interval"]["high"])

    def test_a_rule_that_names_a_metric_of_classes_refuses(self):
        self.command("endpoint", "rule", "bikes", "--metric", "f1", "--minimum", "0.5")
        done = self.run_command("promote", "bikes", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, 5)
        self.assertIn(f"not promoted: the gate's rule cannot judge these models: {NOT_F1}", done.stderr)
        self.command("endpoint", "rule", "bikes", "--metric", "r2", "--minimum", "0.3")
        self.assertRegex(self.deploy(), r"^gate: accepted by r2 ")

    # answers

    def test_answers_are_values_and_explanations_add_up_to_them(self):
        self.deploy()
        rows = [as_fields(hour) for hour in self.hours[:20]]
        answer = self.post("predict", {"data": rows})
        for prediction in answer["predictions"]:
            self.assertEqual(list(prediction), ["value"])
            self.assertTrue(math.isfinite(prediction["value"]))
        self.assertGreater(len({prediction["value"] for prediction in answer["predictions"]}), 10)
        explained = self.post("explain", {"data": rows[:5]})["explanations"]
        for row, prediction in zip(explained, answer["predictions"]):
            self.assertEqual(row["value"], prediction["value"])
            parts = row["intercept"] + sum(part["weight"] for part in row["contributions"]) + row["rest"]["weight"]
            self.assertAlmostEqual(parts, row["value"], delta=1e-4 * abs(row["value"]) + 1e-6)
            self.assertAlmostEqual(row["margin"], row["value"], delta=1e-4 * abs(row["value"]) + 1e-6)
        document = self.expect(200, self.port, "/endpoints/bikes/openapi.json")[1]
        self.assertEqual(document["components"]["schemas"]["Prediction"]["required"], ["value"])
        said = self.command("predict", "bikes", "--file", os.path.join(self.project, "new.csv"))
        self.assertRegex(said, r"^ *VALUE  INPUT\n")

    def test_answers_are_logged_as_values(self):
        self.deploy()
        rows = [as_fields(hour) for hour in self.hours[:3]]
        answer = self.post("predict", {"data": rows})
        self.stop(self.server)
        self.server, self.port = self.start()
        logged = self.expect(200, self.port, f"/api/v1/predictions/{answer['request_id']}")[1]["prediction"]
        self.assertEqual(logged["predictions"], answer["predictions"])
        self.assertEqual(logged["inputs"], rows)

    def test_a_file_of_rows_gets_a_column_of_values(self):
        self.deploy()
        self.command("pipeline", "run", folder=self.project)
        run_ = self.expect(200, self.port, "/api/v1/pipelines/bikes/runs/1")[1]["id"]
        step = self.expect(200, self.port, f"/api/v1/pipeline-runs/{run_}/steps/answers")[1]["step"]
        values = step["result"]["values"]
        self.assertLess(values["least"], values["mean"])
        self.assertLess(values["mean"], values["most"])
        digest = {out["path"]: out["digest"] for out in step["outs"]}["answers.csv"]
        text = self.expect(200, self.port, f"/api/v1/artifacts/{digest}")[1].decode()
        answers = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([(answer["hr"], list(answer)) for answer in answers],
                         [(hour["hr"], ["hr", "value"]) for hour in self.hours[:50]])
        self.assertAlmostEqual(sum(float(answer["value"]) for answer in answers) / 50, values["mean"], places=6)

    # a release

    def test_a_release_asks_for_numbers_within_what_is_expected(self):
        self.edit("slipway.yaml", PROJECT[PROJECT.index("stages:"):], STAGES)
        hours = [dict(as_fields(hour), cnt=[-500, 2000]) for hour in self.hours_unseen()]
        self.command("environment", "set", "production", "--approvals", "0")
        wrong = [([5000, 6000], r"the answer is \S+ and must be \[5000,6000\]"),
                 (5000, r"the answer is \S+ and must be 5000"),
                 ("many", '"cnt" must be a number, or a list of the least and the greatest that the answer may be')]
        for expected, sentence in wrong:
            self.smoke(hours[:2] + [dict(hours[2], cnt=expected)])
            done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
            self.assertEqual(done.returncode, 5)
            self.assertRegex(done.stderr, f'step "release.staging": smoke.jsonl, line 3: {sentence}')
        self.assertIsNone(self.expect(200, self.port, "/api/v1/endpoints/bikes")[1]["version"])
        self.smoke(hours)
        self.command("pipeline", "run", folder=self.project)
        self.assertEqual(self.expect(200, self.port, "/api/v1/endpoints/bikes")[1]["version"], 2)

    def hours_unseen(self):
        with open(HOURS, encoding="ascii", newline="") as file:
            return list(csv.DictReader(file))[7:1000:100]

    def smoke(self, hours):
        with open(os.path.join(self.project, "smoke.jsonl"), "w", encoding="ascii") as file:
            file.write("".join(json.dumps(hour) + "\n" for hour in hours))

    # what is told

    def test_an_evaluation_and_a_report_are_of_numbers(self):
        said = self.command("evaluate", folder=self.project)
        for name in METRICS:
            self.assertRegex(said, rf"(?m)^  {name} +-?\d")
        self.assertNotIn("accuracy", said)
        page = self.command("model", "report", "bikes@1")
        for sentence in ("| rmse, chosen by |", "By prediction", "**task**: regression"):
            self.assertIn(sentence, page)
        self.assertNotIn("confusion", page.lower())
        self.assertIn("by rmse, the worst first, with its 95 % interval", page)
        self.assertRegex(page, r"\| (holiday|workingday|weathersit) \| \d \| [3-8]\d \| [\d.]+ \| [\d.]+ \| [\d.]+ \| "
                               r"(worse than all rows|may be chance) \|")

    def test_a_run_that_is_done_again_comes_to_the_same_metric(self):
        first = self.expect(200, self.port, "/api/v1/models/bikes/versions/1")[1]["run_id"]
        said = self.command("train", "--budget", "0", folder=self.project)
        second = self.expect(200, self.port, "/api/v1/models/bikes/versions/2")[1]["run_id"]
        self.assertNotEqual(first, second)
        self.assertIn("regression, learnt from", said)
        self.assertIn("the same metric as run", self.command("run", "rerun", second))


if __name__ == "__main__":
    run(RegressionTest)
