#!/usr/bin/env python3
"""Sales by the day from a file to a dated forecast: trained, judged on the last dates, served, explained, logged, retrained.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_forecast.py [WORD]
"""
import json
import os
import shutil
import tempfile

from harness import JSON_TYPE, SlipwayTest, run

SALES = os.path.abspath(os.path.join(os.environ.get("SLIPWAY_DATA", "../shared/data"), "adventureworks-daily"))
YEARS = ["mlops_forecast_data2013.csv", "mlops_forecast_data2014.csv"]
PROJECT = """project: sales
data:
  sales:
    source: [mlops_forecast_data2013.csv]
    target: PaidAmount
    time: TransactionDate
stages:
  learn: {uses: train, with: {task: forecast, horizon: 31}}
release: {endpoint: sales}
"""


class ForecastTest(SlipwayTest):
    trained = None

    def setUp(self):
        """Version 1 has learnt from 2013, version 2 from both years; version 1 serves."""
        super().setUp()
        if not os.path.exists(SALES):
            self.skipTest(f"{SALES} is not there")
        self.project = os.path.join(self.folder, "sales")
        if ForecastTest.trained:
            shutil.copytree(os.path.join(ForecastTest.trained, "data"), self.data)
            shutil.copytree(os.path.join(ForecastTest.trained, "sales"), self.project)
            self.server, self.port = self.start()
            return
        self.server, self.port = self.start()
        self.make_models()
        self.stop(self.server)
        ForecastTest.trained = tempfile.mkdtemp(prefix="slipway-trained-")
        shutil.copytree(self.data, os.path.join(ForecastTest.trained, "data"))
        shutil.copytree(self.project, os.path.join(ForecastTest.trained, "sales"))
        self.server, self.port = self.start()

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(cls.trained)

    def make_models(self):
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT)
        for name in YEARS:
            shutil.copy(os.path.join(SALES, name), self.project)
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        self.train()
        self.command("deploy", "sales@1", "--endpoint", "sales", folder=self.project)
        self.edit("slipway.yaml", "[mlops_forecast_data2013.csv]", f"[{', '.join(YEARS)}]")
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        ForecastTest.said = self.train()

    def train(self, *options):
        return self.command("train", "--task", "forecast", "--horizon", "31", *options, folder=self.project)

    def post(self, verb, body, status=200):
        return self.expect(status, self.port, f"/endpoints/sales/{verb}", method="POST", body=json.dumps(body),
                           headers=JSON_TYPE)[1]

    def not_promoted(self, sentence):
        done = self.run_command("promote", "sales", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, 5)
        self.assertIn(f"slipway: not promoted: {sentence}", done.stderr)

    # training

    def test_the_leaderboard_has_baselines_and_the_last_dates_judge(self):
        self.assertRegex(self.said, r"(?m)^tried, by mase in the back-tests:$")
        self.assertRegex(self.said, r"(?m)^  seasonal_naive +\d\.\d+ .* baseline$")
        self.assertRegex(self.said, r"(?m)^  automatic +0\.\d+ .* chosen$")
        self.assertRegex(self.said, r"(?m)^forecast of 305 rows, judged on the last 31 steps")
        lineage = self.expect(200, self.port, "/api/v1/models/sales/versions/2/lineage")[1]
        held = {metric["key"]: metric["value"] for metric in lineage["run"]["metrics"]}
        figures = ("rmse", "mae", "r2", "mase", "smape", "msis", "coverage")
        self.assertEqual({name for name in held if name.startswith("holdout.")}, {f"holdout.{name}" for name in figures})
        # of one series a step is one date, which has no r2
        self.assertEqual({name for name in held if name.startswith("holdout_step.")},
                         {f"holdout_step.{name}" for name in figures if name != "r2"})
        self.assertLess(held["holdout.rmse"], 396.3)  # the mean of each day of the week
        self.assertGreater(held["holdout.r2"], 0.2)
        self.assertIsNone(lineage["version"]["holdout_digest"])

    def test_the_hold_out_of_a_version_has_each_date_with_truth_and_interval(self):
        run_ = self.expect(200, self.port, "/api/v1/models/sales/versions/2/lineage")[1]["run"]["id"]
        held = self.expect(200, self.port, f"/api/v1/runs/{run_}/artifacts/file?path=model/holdout.json")[1]
        held = json.loads(held)
        self.assertEqual(len(held["rows"]), 31)
        self.assertEqual([held["rows"][0]["time"], held["rows"][-1]["time"]],
                         ["2014-05-01T00:00:00.000Z", "2014-05-31T00:00:00.000Z"])
        inside = [row for row in held["rows"] if row["low"] <= row["truth"] <= row["high"]]
        self.assertGreaterEqual(len(inside), 25)

    def test_the_same_again_gives_the_same_figure_and_package(self):
        run_ = self.expect(200, self.port, "/api/v1/models/sales/versions/2/lineage")[1]["run"]
        self.assertIn("the same metric as run", self.command("run", "rerun", run_["id"], folder=self.project))
        again = self.expect(200, self.port, "/api/v1/runs?limit=1")[1]["runs"][0]
        self.assertEqual(again["tags"]["slipway.rerun_of"], run_["id"])
        self.assertEqual(again["tags"]["slipway.package"], run_["tags"]["slipway.package"])

    # the gate

    def test_the_model_of_both_years_takes_the_place_of_that_of_the_first(self):
        """The old system's case: on the same 31 days both are judged, and the new one serves."""
        said = self.command("promote", "sales", folder=self.project)
        self.assertRegex(said, r"^gate: accepted by mase on 31 values of 1 series, 2014-05-01 to 2014-05-31\n")
        self.assertRegex(said, r"(?m)^  challenger +sales version 2 +0\.\d+$")
        self.assertRegex(said, r"(?m)^  champion +sales version 1 +0\.\d+$")
        self.assertIn("the challenger has seen the dates, and was renewed on the values before them", said)
        self.assertIn("the dates lie beyond the 124 steps that the champion forecasts", said)
        gate = self.expect(200, self.port, "/api/v1/endpoints/sales/gates")[1]["gates"][0]
        numbers = gate["verdict"]["metrics"]
        for role in ("challenger", "champion"):
            self.assertGreater(numbers[role]["r2"], 0.2)
            self.assertLess(numbers[role]["rmse"], numbers["baseline"]["rmse"])
        self.assertAlmostEqual(numbers["baseline"]["rmse"], 464.88, delta=0.01)

    def test_a_rule_by_r2_or_rmse_decides_in_its_own_direction(self):
        for metric in ("r2", "rmse"):
            self.command("endpoint", "rule", "sales", "--metric", metric, "--demand", "better", folder=self.project)
            self.not_promoted("not better by more than 0 beyond the noise")

    def test_a_metric_of_classes_judges_no_forecast(self):
        self.command("endpoint", "rule", "sales", "--metric", "auc", folder=self.project)
        self.not_promoted('the gate\'s rule cannot judge these models: "auc" is a metric of classification')

    # the answer

    def test_steps_are_answered_with_dates_and_intervals(self):
        answer = self.post("predict", {"data": [3]})
        self.assertEqual((answer["model"], answer["version"]), ("sales", 1))
        [forecast] = answer["predictions"]
        self.assertEqual([step["time"] for step in forecast["forecast"]], ["2014-01-01", "2014-01-02", "2014-01-03"])
        for step in forecast["forecast"]:
            self.assertTrue(0 <= step["low"] <= step["value"] <= step["high"], step)
        self.assertEqual((forecast["series"], forecast["level"]), ("", 0.95))

    def test_a_lower_level_has_narrower_intervals_around_the_same_values(self):
        wide, narrow = self.post("predict", {"data": [{"steps": 31}, {"steps": 31, "level": 0.5}]})["predictions"]
        for one, other in zip(wide["forecast"], narrow["forecast"]):
            self.assertEqual((one["time"], one["value"]), (other["time"], other["value"]))
            self.assertLess(other["high"] - other["low"], one["high"] - one["low"])
        self.assertEqual(len(self.post("predict", {"data": [{}]})["predictions"][0]["forecast"]), 31)

    def test_bad_steps_series_and_levels_are_a_422_that_says_what_is_allowed(self):
        def refuse(item, field, sentence, status=422):
            error = self.post("predict", {"data": [item]}, status)["error"]
            self.assertEqual(error["field"], field)
            self.assertIn(sentence, error["message"])

        for steps in (0, -1, 1.5, 125, 1e300):
            refuse(steps, "steps", '"steps" in row 1 is a whole number from 1 to 124')
        refuse("3", "steps", '"steps" in row 1 must be a number or null')
        refuse({"level": 1}, "level", "from 0.01 to 0.999, not 1")
        refuse({"series": "store 7"}, "series", 'leave "series" out')
        refuse({"days": 3}, "days", 'the model reads "steps", "series", "level"')
        many = self.post("predict", {"data": [124] * 162}, 413)["error"]
        self.assertIn("at most 20000 steps of forecasts", many["message"])

    def test_an_explanation_says_what_was_chosen_and_how_well_that_did(self):
        [reason] = self.post("explain", {"data": [2]})["explanations"]
        self.assertEqual((len(reason["forecast"]), reason["values"]), (2, 154))
        self.assertEqual(reason["last"], "2013-12-31T00:00:00.000Z")
        self.assertGreaterEqual(reason["backtest"]["windows"], 1)
        self.assertGreater(reason["backtest"]["mase"], 0)
        refused = self.expect(422, self.port, "/endpoints/sales/explain?what_if=steps=3", method="POST", headers=JSON_TYPE,
                              body=json.dumps({"data": [2]}))[1]["error"]
        self.assertEqual(refused["field"], "what_if")
        self.assertTrue(refused["message"].startswith("a forecast has no columns that a what-if could change"))

    def test_the_log_keeps_what_was_asked_and_the_last_value(self):
        answer = self.post("predict", {"data": [3, {"steps": 1, "level": 0.8}]})
        logged = self.expect(200, self.port, f"/api/v1/predictions/{answer['request_id']}")[1]["prediction"]
        self.assertEqual(logged["inputs"], [{"steps": 3, "series": None, "level": None},
                                            {"steps": 1, "series": None, "level": 0.8}])
        self.assertEqual([row["value"] for row in logged["predictions"]],
                         [row["forecast"][-1]["value"] for row in answer["predictions"]])

    def test_the_endpoint_describes_itself(self):
        document = self.expect(200, self.port, "/endpoints/sales/openapi.json")[1]
        post = document["paths"]["/endpoints/sales/predict"]["post"]
        self.assertEqual(post["requestBody"]["content"]["application/json"]["example"], {"data": [3]})
        schemas = document["components"]["schemas"]
        self.assertNotIn("required", schemas["Row"])
        self.assertEqual(schemas["Prediction"]["required"], ["series", "choice", "level", "forecast"])

    def test_commands_ask_by_steps_and_print_dates(self):
        said = self.command("predict", "sales", "--steps", "2", folder=self.project)
        self.assertRegex(said, r"^TIME +VALUE +LOW +HIGH\n2014-01-01 .*\n2014-01-02 .*\n")
        self.assertRegex(self.command("explain", "sales", "--steps", "1", folder=self.project),
                         r"(?m)^  by +\S+.*\n  learnt +154 values, the last of 2013-12-31\n  in \d+ back-tests\n")

    def test_a_version_is_evaluated_on_the_last_days_of_its_data(self):
        said = self.command("evaluate", "--dataset", "sales", folder=self.project)
        self.assertRegex(said, r"^sales version 2 on sales@2: 31 rows\n")
        self.assertIn("the model has seen the dates, and was renewed on the values before them", said)
        old = self.command("evaluate", "--version", "1", folder=self.project)
        self.assertRegex(old, r"^sales version 1 on sales@2: 31 rows\n")
        self.assertIn("the dates lie beyond the 124 steps that the model forecasts", old)

    def test_the_report_says_how_it_was_judged(self):
        said = self.command("model", "report", "sales@2", folder=self.project)
        for fact in ("**task**: forecast", "**a step is a**: day", "**horizon**: 31", "**most steps**: 124",
                     "**last steps of each series**: 31"):
            self.assertIn(fact, said)

    # a pipeline

    def test_a_pipeline_trains_a_forecast_by_the_same_words(self):
        self.edit("slipway.yaml", "release: {endpoint: sales}\n", "")
        self.command("pipeline", "run", folder=self.project)
        versions = self.expect(200, self.port, "/api/v1/models/sales/versions")[1]["versions"]
        self.assertEqual(versions[0]["version"], 3)
        self.assertEqual(versions[0]["package"], versions[1]["package"])


if __name__ == "__main__":
    run(ForecastTest)
