#!/usr/bin/env python3
"""The decision threshold of two classes: chosen for the metric that is named, in the package, in the report, and what answers go by.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_threshold.py [WORD]
"""
import json
import os
import random

from harness import JSON_TYPE, SlipwayTest, run

PROJECT = """project: calls
data:
  calls: {source: calls.csv, target: answer}
release:
  endpoint: calls
"""
PIPELINE = PROJECT.replace("release:\n  endpoint: calls\n", """stages:
  check: {uses: check-data, with: {data: calls}}
  train: {uses: train, needs: check, with: {trials: 3, metric: auc, threshold_for: %s}}
""")
NAMES = "accuracy, balanced_accuracy, f1, f1_macro, f1_weighted, mcc"


def calls(count):
    """One in eight says yes, and more often the older one is."""
    draw = random.Random(5)
    for _ in range(count):
        age, kind = draw.uniform(18, 80), draw.choice("abc")
        yield f"{age:.1f},{kind},{'yes' if draw.random() < 0.02 + (age > 60) * 0.25 + (kind == 'a') * 0.08 else 'no'}\n"


class ThresholdTest(SlipwayTest):
    command_seconds = 300

    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "calls")
        os.mkdir(self.project)
        self.put("slipway.yaml", PROJECT)
        self.put("calls.csv", "age,kind,answer\n" + "".join(calls(1500)))
        self.port = self.start()[1]
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)

    def put(self, name, text):
        with open(os.path.join(self.project, name), "w", encoding="ascii") as file:
            file.write(text)

    def train(self, *options):
        """What it printed, the run, and the decision of the report."""
        said = self.command("train", "--trials", "3", *options, folder=self.project)
        run_id = said.split("run ")[-1].split()[0]
        return said, *self.kept(run_id)

    def kept(self, run_id):
        found = self.expect(200, self.port, f"/api/v1/runs/{run_id}")[1]
        found = found.get("run", found)
        report = self.expect(200, self.port, f"/api/v1/runs/{run_id}/artifacts/file?path=model/report.json")[1]
        return found, (report if isinstance(report, dict) else json.loads(report))["decision"]

    def signature(self, run_id):
        raw = self.expect(200, self.port, f"/api/v1/runs/{run_id}/artifacts/file?path=model/signature.json")[1]
        return raw if isinstance(raw, dict) else json.loads(raw)

    def test_it_is_chosen_for_the_metric_that_is_named_and_answers_go_by_it(self):
        said, run_, decision = self.train("--metric", "auc", "--threshold-for", "f1")
        threshold = decision["threshold"]
        self.assertLess(threshold, 0.45)
        self.assertEqual((decision["for"], decision["positive"], decision["why"]), ("f1", "yes", "the best for f1, out of fold"))
        self.assertIn(f'"yes" is named from probability {threshold:.4g} on: the best for f1, out of fold\n', said)
        self.assertEqual((run_["params"]["threshold_for"], float(run_["params"]["threshold"])), ("f1", threshold))
        self.assertEqual(self.signature(run_["id"])["threshold"], threshold)
        self.command("promote", "calls", folder=self.project)
        rows = [{"age": age, "kind": kind} for age in range(18, 80, 2) for kind in "abc"]
        answers = self.expect(200, self.port, "/endpoints/calls/predict", method="POST", headers=JSON_TYPE,
                              body=json.dumps({"data": rows}))[1]["predictions"]
        for answer in answers:
            self.assertEqual(answer["label"], "yes" if answer["probabilities"]["yes"] >= threshold else "no")
        self.assertTrue([one for one in answers if threshold <= one["probabilities"]["yes"] < 0.5], "none between")

    def test_the_report_has_the_curve_and_the_figures_at_the_threshold(self):
        _, run_, decision = self.train("--metric", "mcc")
        metrics = {metric["key"]: metric["value"] for metric in run_["metrics"]}
        curve = decision["curve"]
        self.assertEqual([point["threshold"] for point in curve], sorted({point["threshold"] for point in curve}))
        self.assertIn(decision["folds"], curve)
        for name in "precision", "recall", "accuracy", "balanced_accuracy", "f1", "mcc":
            self.assertAlmostEqual(decision["holdout"][name], metrics[f"holdout.{name}"], 9)
            self.assertAlmostEqual(decision["folds"][name], metrics[f"cv.{name}"], 9)
        self.assertEqual(decision["holdout"]["score"], decision["holdout"]["mcc"])
        for name in "named", "recall", "false_positive_rate":
            falling = [point[name] for point in curve]
            self.assertEqual(falling, sorted(falling, reverse=True))
        page = self.command("model", "report", "calls@1")
        self.assertIn("### Decision\n", page)
        self.assertIn("What other thresholds give, out of fold", page)

    def test_without_a_name_it_is_for_the_metric_or_the_likelier_class(self):
        for metric, aim in ("f1", "f1"), ("auc", "accuracy"), ("recall", "accuracy"):
            _, run_, decision = self.train("--metric", metric)
            self.assertEqual((decision["for"], run_["params"]["threshold_for"]), (aim, aim))
            self.assertTrue(metric == "f1" or decision["threshold"] == 0.5)
        self.assertEqual(decision["why"], "the likelier class: recall does not choose a threshold")
        _, run_, decision = self.train("--balance")
        self.assertEqual(decision["for"], "balanced_accuracy")
        self.assertLess(decision["threshold"], 0.2)

    def test_a_rerun_and_a_pipeline_keep_it(self):
        _, first, _ = self.train("--metric", "auc", "--threshold-for", "balanced_accuracy")
        self.assertIn("the same metric as run", self.command("run", "rerun", first["id"]))
        newest = self.expect(200, self.port, "/api/v1/runs?limit=1")[1]["runs"][0]
        for name in "threshold", "threshold_for":
            self.assertEqual(newest["params"][name], first["params"][name])
        self.put("slipway.yaml", PIPELINE % "balanced_accuracy")
        self.command("pipeline", "run", folder=self.project)
        newest = self.expect(200, self.port, "/api/v1/runs?limit=1")[1]["runs"][0]
        self.assertEqual((newest["params"]["threshold"], newest["params"]["threshold_for"]),
                         (first["params"]["threshold"], "balanced_accuracy"))

    def test_what_has_no_threshold_is_refused_in_one_sentence_everywhere(self):
        sentence = f'a threshold can be chosen for {NAMES}, not for "auc"'
        self.refused(2, sentence, "train", "--threshold-for", "auc", folder=self.project)
        answer = self.expect(422, self.port, "/api/v1/projects/calls/train", method="POST", headers=JSON_TYPE,
                             body='{"threshold_for": "auc"}')[1]["error"]
        self.assertEqual((answer["message"], answer["field"]), (sentence, "threshold_for"))
        self.refused(2, 'a threshold parts two classes, and the target "age" is learnt as numbers', "train", "--threshold-for", "f1",
                     "--dataset", self.numbers(), folder=self.project)
        self.put("slipway.yaml", PIPELINE % "auc")
        done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(sentence, done.stdout + done.stderr)

    def numbers(self):
        """A data set with a target of numbers."""
        self.put("slipway.yaml", PROJECT.replace("release:", "  ages: {source: calls.csv, target: age}\nrelease:"))
        self.command("up", folder=self.project)
        self.command("data", "add", "ages", folder=self.project)
        return "ages"

    def test_of_three_classes_it_is_refused_when_the_rows_are_read(self):
        self.put("slipway.yaml", PROJECT.replace("target: answer", "target: kind").replace("calls: {", "kinds: {"))
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        done = self.run_command("train", "--trials", "1", "--threshold-for", "f1", "--data", self.data, folder=self.project)
        self.assertIn('a threshold parts two classes, and the target "kind" has 3', done.stderr)


if __name__ == "__main__":
    run(ThresholdTest)
