#!/usr/bin/env python3
"""Bikes by the day, forecast with holidays and the weather as known columns: trained, deployed, asked, explained, gated.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_forecast_known.py [WORD]
"""
import csv
import json
import os
import shutil
import tempfile

from harness import JSON_TYPE, SlipwayTest, run

DAYS = os.path.abspath(os.path.join(os.environ.get("SLIPWAY_DATA", "../shared/data"), "bike-sharing", "day.csv"))
PROJECT = """project: bikes
data:
  days:
    source: days.csv
    target: cnt
    time: dteday
    known: [holiday, weathersit, hum]
    columns: {weathersit: category}
release: {endpoint: bikes}
"""
PIPELINE = PROJECT.replace("release: {endpoint: bikes}", """stages:
  train: {uses: train, with: {data: days, task: forecast, horizon: 7}}
  lines: {uses: score, needs: train, with: {input: asks.csv, keys: [note], output: out/lines.jsonl}}
  fast: {uses: benchmark, needs: train, with: {input: asks.csv, requests: 20}}
  judge: {uses: evaluate, needs: train}""")
COLUMNS = ["dteday", "holiday", "weathersit", "hum", "season", "cnt"]
FIRST, LEARNT, FUTURE = 200, 335, 5  # days of the file; the last ones have no value


def write_days(path, learnt=LEARNT):
    """Days with their riders, and some more without."""
    with open(DAYS, encoding="ascii", newline="") as file:
        days = list(csv.DictReader(file))[FIRST:FIRST + learnt + FUTURE]
    for day in days[learnt:]:
        day["cnt"] = ""
    with open(path, "w", encoding="ascii", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(days)
    return days


class ForecastKnownTest(SlipwayTest):
    command_seconds = 600
    trained, said, days = None, None, None

    def setUp(self):
        super().setUp()
        if not os.path.exists(DAYS):
            self.skipTest(f"{DAYS} is not there")
        self.project = os.path.join(self.folder, "bikes")
        if ForecastKnownTest.trained:
            shutil.copytree(os.path.join(ForecastKnownTest.trained, "data"), self.data)
            shutil.copytree(os.path.join(ForecastKnownTest.trained, "bikes"), self.project)
            self.server, self.port = self.start()
            return
        self.server, self.port = self.start()
        self.make_model()
        self.stop(self.server)
        ForecastKnownTest.trained = tempfile.mkdtemp(prefix="slipway-trained-")
        shutil.copytree(self.data, os.path.join(ForecastKnownTest.trained, "data"))
        shutil.copytree(self.project, os.path.join(ForecastKnownTest.trained, "bikes"))
        self.server, self.port = self.start()

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(cls.trained)

    def make_model(self):
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT)
        ForecastKnownTest.days = write_days(os.path.join(self.project, "days.csv"))
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        ForecastKnownTest.said = self.train()
        self.command("deploy", "bikes@1", "--endpoint", "bikes", folder=self.project)

    def train(self):
        return self.command("train", "--task", "forecast", "--horizon", "7", folder=self.project)

    def post(self, verb, body, status=200):
        return self.expect(status, self.port, f"/endpoints/bikes/{verb}", method="POST", body=json.dumps(body),
                           headers=JSON_TYPE)[1]

    def values(self, row):
        [answer] = self.post("predict", {"data": [row]})["predictions"]
        return [step["value"] for step in answer["forecast"]]

    # training

    def test_the_leaderboard_has_each_learner_with_the_known_columns(self):
        self.assertRegex(self.said, r"(?m)^  ets +\d\.\d+ ")
        self.assertRegex(self.said, r"(?m)^  ets with holiday, weathersit, hum +\d\.\d+ ")
        self.assertNotIn("naive with", self.said)
        [answer] = self.post("predict", {"data": [1]})["predictions"]
        self.assertIn(" with holiday, weathersit, hum", answer["choice"])

    # the answer

    def test_rows_of_the_data_say_what_is_coming(self):
        [answer] = self.post("predict", {"data": [FUTURE]})["predictions"]
        self.assertEqual([step["time"] for step in answer["forecast"]], [day["dteday"] for day in self.days[LEARNT:]])
        for step in answer["forecast"]:
            self.assertTrue(0 <= step["low"] <= step["value"] <= step["high"], step)

    def test_a_step_of_which_nothing_is_known_is_refused_with_its_date_and_what_is_allowed(self):
        error = self.post("predict", {"data": [FUTURE + 1]}, 422)["error"]
        self.assertEqual(error["field"], "holiday")
        self.assertIn(f'the known column "holiday" has no value for 2012-06-24, step {FUTURE + 1}: it takes a number',
                      error["message"])
        for known, sentence in (
                ({"weathersit": "9"}, 'the known column "weathersit" in row 1 takes one of "1", "2", "3", for each step'),
                ({"hum": [0.5]}, 'the known column "hum" in row 1 has 1 values, and 2 steps are asked for'),
                ({"hum": [0.5, None]}, 'the known column "hum" in row 1 takes a number'),
                ({"wind": 1}, '"known" in row 1 names "wind": the model\'s known columns are holiday, weathersit, hum'),
                ([1], '"known" in row 1 must be an object or null')):
            self.assertIn(sentence, self.post("predict", {"data": [{"steps": 2, "known": known}]}, 422)["error"]["message"])

    def test_who_asks_may_send_what_will_be(self):
        row = {"steps": FUTURE + 1, "known": {"holiday": 0, "weathersit": ["1"] * FUTURE + [1], "hum": [0.6] * (FUTURE + 1)}}
        fair = self.values(row)
        row["known"]["weathersit"] = "3"
        foul = self.values(row)
        for one, other in zip(fair, foul):
            self.assertLess(other, 0.8 * one)  # it rains
        self.assertEqual(self.values({"steps": 2, "known": {"hum": [float(day["hum"]) for day in self.days[LEARNT:LEARNT + 2]]}}),
                         self.values({"steps": 2}))

    def test_an_explanation_says_what_each_column_does_at_each_step(self):
        row = {"steps": 2, "known": {"holiday": 0, "weathersit": ["1", "3"], "hum": 0.6}}
        [reason] = self.post("explain", {"data": [row]})["explanations"]
        weather = reason["known"]["weathersit"]
        self.assertEqual((weather["usual"], weather["values"]), ("1", ["1", "3"]))
        self.assertEqual(weather["effects"][0], 0)
        self.assertLess(weather["effects"][1], -500)
        row["known"]["weathersit"] = "1"
        self.assertAlmostEqual(reason["forecast"][1]["value"] - self.values(row)[1], weather["effects"][1], places=6)
        self.assertEqual(set(reason["known"]), {"holiday", "weathersit", "hum"})

    def test_commands_send_and_show_known_values(self):
        fair = self.command("predict", "bikes", "--steps", "2", "--known", "weathersit=1,1", folder=self.project)
        foul = self.command("predict", "bikes", "--steps", "2", "--known", "weathersit=3", folder=self.project)
        self.assertNotEqual(fair, foul)
        said = self.command("explain", "bikes", "--steps", "2", "--known", "weathersit=1,3", folder=self.project)
        self.assertRegex(said, r"(?m)^TIME +holiday +EFFECT +weathersit +EFFECT +hum +EFFECT$")
        self.assertRegex(said, r"(?m)^2012-06-20 .* 3 +-\d+")

    def test_the_log_keeps_the_values_that_were_sent(self):
        answer = self.post("predict", {"data": [{"steps": 1, "known": {"hum": [0.5]}}]})
        logged = self.expect(200, self.port, f"/api/v1/predictions/{answer['request_id']}")[1]["prediction"]
        self.assertEqual(json.loads(logged["inputs"][0]["known"]), {"hum": [0.5]})

    def test_the_endpoint_describes_the_known_columns(self):
        schemas = self.expect(200, self.port, "/endpoints/bikes/openapi.json")[1]["components"]["schemas"]
        self.assertEqual(schemas["Row"]["properties"]["known"]["type"], "object")

    # files of rows

    def test_a_pipeline_scores_with_the_values_of_each_row(self):
        known = [{"weathersit": "1"}, {"weathersit": ["3", "3"]}]
        with open(os.path.join(self.project, "asks.csv"), "w", encoding="ascii", newline="") as file:
            csv.writer(file).writerows([["steps", "known", "note"]] + [[2, json.dumps(row), "a"] for row in known])
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PIPELINE)
        self.command("pipeline", "run", folder=self.project)
        newest = self.expect(200, self.port, "/api/v1/pipelines/bikes/runs?limit=1")[1]["pipeline_runs"][0]
        steps = {name: self.expect(200, self.port, f"/api/v1/pipeline-runs/{newest['id']}/steps/{name}")[1]["step"]
                 for name in ("lines", "fast", "judge")}
        said = self.expect(200, self.port, f"/api/v1/artifacts/{steps['lines']['outs'][0]['digest']}")[1]
        values = [json.loads(line)["value"] for line in said.decode().splitlines()]
        self.assertEqual(values, [value for row in known for value in self.values({"steps": 2, "known": row})])
        self.assertLess(values[2], 0.8 * values[0])
        self.assertEqual(steps["judge"]["result"]["rows"], 7)

    # the gate

    def test_a_model_with_known_columns_is_judged_by_the_values_that_came(self):
        write_days(os.path.join(self.project, "days.csv"), LEARNT + 7)
        self.command("data", "add", folder=self.project)
        self.train()
        said = self.command("promote", "bikes", folder=self.project)
        self.assertIn("the champion ends before the dates, and forecast them as it serves", said)
        self.assertRegex(said, r"(?m)^  champion +bikes version 1 +\d\.\d+$")

    def test_a_champion_whose_column_is_gone_is_said(self):
        self.edit("slipway.yaml", "known: [holiday, weathersit, hum]", "known: [holiday]")
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        self.train()
        done = self.run_command("promote", "bikes", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, 5)
        self.assertIn('not promoted: the champion cannot be renewed up to the dates: the data has no known column '
                      '"weathersit", which the model was learnt with', done.stderr)


if __name__ == "__main__":
    run(ForecastKnownTest)
