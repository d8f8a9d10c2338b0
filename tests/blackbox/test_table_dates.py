#!/usr/bin/env python3
"""Dates in tables, from real hours to answers: bicycles that are hired by the hour, asked for with a time.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_table_dates.py [WORD]
"""
import csv
import io
import json
import os
import shutil
import tempfile

from harness import JSON_TYPE, SlipwayTest, run

HOURS = os.path.abspath(os.path.join(os.environ.get("SLIPWAY_DATA", "../shared/data"), "bike-sharing", "hour.csv"))
COLUMNS = ["when", "kind", "temp", "cnt"]
PROJECT = """project: bikes
data:
  hours:
    source: hours.csv
    target: cnt
    columns: {when: WORD, kind: category}
stages:
  answers: {uses: score, with: {version: champion, input: new.csv, keys: [cnt], output: answers.csv}}
  whole: {uses: score, with: {version: champion, data: hours, keys: [cnt], output: whole.csv}}
release: {endpoint: bikes}
"""
WEEKDAY = {"when": "2012-07-03 18:00:00", "kind": "1", "temp": 0.7}
NO_DATE = '"when" in row 1 must be a date or time such as 2026-01-31 or 2026-01-31 13:45:00, or null'


def read_hours():
    """Every twentieth hour of two years, and its time as one column."""
    with open(HOURS, encoding="ascii", newline="") as file:
        return [{"when": f"{row['dteday']} {int(row['hr']):02}:00:00", "kind": row["weathersit"], "temp": row["temp"],
                 "cnt": row["cnt"]} for row in list(csv.DictReader(file))[::20]]


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class Hours(SlipwayTest):
    command_seconds = 240

    def begin(self, word, rows):
        self.project = os.path.join(self.folder, "bikes")
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT.replace("WORD", word))
        self.write("hours.csv", rows)
        self.write("new.csv", self.hours[:50] + [dict(self.hours[50], when="")])

    def write(self, name, rows):
        with open(os.path.join(self.project, name), "w", encoding="ascii", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def train(self, *options):
        return self.command("train", "--budget", "5", *options, folder=self.project)

    def post(self, path, rows, status=200):
        return self.expect(status, self.port, path, method="POST", body=json.dumps({"data": rows}), headers=JSON_TYPE)[1]

    def values(self, *rows):
        return [answer["value"] for answer in self.post("/endpoints/bikes/predict", rows)["predictions"]]


class DatesTest(Hours):
    trained = None

    def setUp(self):
        super().setUp()
        if not os.path.exists(HOURS):
            self.skipTest(f"{HOURS} is not there")
        self.hours = read_hours()
        if not DatesTest.trained:
            self.train_once()
        self.project = os.path.join(self.folder, "bikes")
        shutil.copytree(os.path.join(DatesTest.trained, "data"), self.data)
        shutil.copytree(os.path.join(DatesTest.trained, "bikes"), self.project)
        self.server, self.port = self.start()

    def train_once(self):
        self.begin("date", self.hours)
        server, _ = self.start()
        self.command("up", folder=self.project)
        DatesTest.added = self.command("data", "add", folder=self.project)
        DatesTest.said = self.train()
        self.command("promote", "bikes", folder=self.project)
        self.stop(server)
        DatesTest.trained = tempfile.mkdtemp(prefix="slipway-trained-")
        shutil.move(self.data, os.path.join(DatesTest.trained, "data"))
        shutil.move(self.project, os.path.join(DatesTest.trained, "bikes"))

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(cls.trained)

    def test_a_training_says_what_a_date_becomes(self):
        self.assertIn('note: "when" becomes days since 2011-01-01, month, day of the month, weekday, hour\n', self.said)
        self.assertIn("\ncolumns: 1 number (temp), 1 category (kind), 1 date (when)\n", self.said)
        page = self.command("model", "report", "bikes@1")
        self.assertIn("day of the month, weekday, hour", page)
        run_ = self.expect(200, self.port, "/api/v1/models/bikes/versions/1/lineage")[1]["run"]
        held = {metric["key"]: metric["value"] for metric in run_["metrics"]}
        self.assertGreater(held["holdout.r2"], 0.75)

    def test_the_hour_and_the_day_are_answered_by(self):
        night, rush, sunday = self.values(dict(WEEKDAY, when="2012-07-03 03:00"), WEEKDAY, dict(WEEKDAY, when="2012-07-08 18:00"))
        self.assertLess(night, 100)
        self.assertGreater(rush, 300)
        self.assertLess(sunday, rush)

    def test_a_time_in_another_form_is_the_same_and_null_is_missing(self):
        forms = ["2012-07-03T18:00:00", "2012-07-03 18:00", "2012-07-03T18:00:00.000Z", "2012-07-03T20:00:00+02:00", " 2012-07-03 18:00 "]
        first, *others = self.values(WEEKDAY, *[dict(WEEKDAY, when=form) for form in forms])
        self.assertEqual(others, [first] * len(forms))
        missing, empty = self.values(dict(WEEKDAY, when=None), dict(WEEKDAY, when=""))
        self.assertEqual(missing, empty)
        self.assertNotEqual(missing, first)

    def test_what_is_no_date_is_refused_with_a_sentence(self):
        for bad in "2012-02-30", "3.7.2012", "yesterday", "2012-07-03 25:00", 1341338400, True, ["2012-07-03"]:
            error = self.post("/endpoints/bikes/predict", [dict(WEEKDAY, when=bad)], 422)["error"]
            self.assertEqual((error["message"], error["field"]), (NO_DATE, "when"))
        body = "when,kind,temp\n2012-07-03,1,0.5\n2012-13-03,1,0.5\n"
        error = self.expect(422, self.port, "/endpoints/bikes/predict", method="POST", body=body,
                            headers={"Content-Type": "text/csv"})[1]["error"]
        self.assertEqual(error["message"], NO_DATE.replace("row 1", "row 2").replace("null", "empty"))

    def test_a_date_is_one_contribution_and_all_add_up(self):
        rows = [{"when": hour["when"], "kind": hour["kind"], "temp": float(hour["temp"])} for hour in self.hours[:20]]
        for fields, row in zip(rows, self.post("/endpoints/bikes/explain", rows)["explanations"]):
            parts = {part["column"]: part for part in row["contributions"]}
            self.assertEqual(len(parts), len(row["contributions"]))
            self.assertEqual(parts["when"]["text"], f"when={fields['when']}")
            whole = row["intercept"] + sum(part["weight"] for part in row["contributions"]) + row["rest"]["weight"]
            self.assertAlmostEqual(whole, row["value"], delta=1e-4 * abs(row["value"]) + 1e-3)
        row, = self.post("/endpoints/bikes/explain", [dict(WEEKDAY, when=None)])["explanations"]
        self.assertIn("when is missing", [part["text"] for part in row["contributions"]])

    def test_a_what_if_takes_a_date(self):
        row, = self.post("/endpoints/bikes/explain?what_if=when=2012-07-03T03:00:00", [WEEKDAY])["explanations"]
        changed, = self.values(dict(WEEKDAY, when="2012-07-03T03:00:00"))
        self.assertEqual(row["what_if"]["value"], changed)
        given = {one["column"]: (one["from"], one["to"]) for one in row["what_if"]["columns"] if "to" in one}
        self.assertEqual(given, {"when": (WEEKDAY["when"], "2012-07-03T03:00:00")})
        row, = self.post("/endpoints/bikes/explain?what_if=when=", [WEEKDAY])["explanations"]
        self.assertEqual([row["what_if"]["value"]], self.values(dict(WEEKDAY, when=None)))
        error = self.post("/endpoints/bikes/explain?what_if=when=soon", [WEEKDAY], 422)["error"]
        self.assertEqual(error["message"], 'the what-if of "when" must be a date or time such as 2026-01-31 or '
                                           '2026-01-31 13:45:00, or empty, not "soon"')

    def scored(self, run, name):
        step = self.expect(200, self.port, f"/api/v1/pipeline-runs/{run}/steps/{name}")[1]["step"]
        digest = {out["path"]: out["digest"] for out in step["outs"]}[f"{name}.csv"]
        return list(csv.DictReader(io.StringIO(self.expect(200, self.port, f"/api/v1/artifacts/{digest}")[1].decode())))

    def test_a_file_of_rows_is_answered_as_requests_are_and_a_bad_date_in_it_is_named(self):
        self.command("pipeline", "run", folder=self.project)
        run_ = self.expect(200, self.port, "/api/v1/pipelines/bikes/runs/1")[1]["id"]
        scored, whole = self.scored(run_, "answers"), self.scored(run_, "whole")
        self.assertEqual(whole[:50], scored[:50])
        self.assertEqual(len(whole), len(self.hours))
        rows = [{"when": hour["when"], "kind": hour["kind"], "temp": float(hour["temp"])} for hour in self.hours[:51]]
        rows[-1]["when"] = None
        self.assertEqual([float(row["value"]) for row in scored], self.values(*rows))
        self.write("new.csv", self.hours[:3] + [dict(self.hours[3], when="2012-02-30")])
        done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
        self.assertIn(NO_DATE.replace("row 1", "row 4").replace("null", "empty"), done.stdout + done.stderr)

    def test_what_was_asked_is_logged_as_it_came_and_the_model_says_what_it_takes(self):
        rows = [WEEKDAY, dict(WEEKDAY, when="2012-07-03T18:00:00+02:00"), dict(WEEKDAY, when=None)]
        answer = self.post("/endpoints/bikes/predict", rows)
        self.stop(self.server)
        self.server, self.port = self.start()
        logged = self.expect(200, self.port, f"/api/v1/predictions/{answer['request_id']}")[1]["prediction"]
        self.assertEqual(logged["inputs"], rows)
        described = json.dumps(self.expect(200, self.port, "/endpoints/bikes/openapi.json")[1])
        self.assertIn('"when": {"type": "string", "nullable": true, "description": "a date or time', described)
        kept = [read_bytes(os.path.join(folder, name)) for folder, _, names in os.walk(os.path.join(self.data, "artifacts"))
                for name in names]
        mlmodel, = [text for text in kept if text.startswith(b"flavors:")]
        self.assertIn(rb'\"type\":\"datetime\",\"name\":\"when\"', mlmodel)
        self.assertEqual(len([text for text in kept if b'{"name":"when","kind":"date"}' in text and b"golden" not in text[:6]]), 2)


class OverridesTest(Hours):
    def setUp(self):
        super().setUp()
        if not os.path.exists(HOURS):
            self.skipTest(f"{HOURS} is not there")
        self.hours = read_hours()

    def test_a_champion_without_the_date_and_a_challenger_with_it_are_compared_on_the_same_rows(self):
        self.begin("ignore", self.hours)
        _, self.port = self.start()
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        self.assertIn("1 ignore (when)", self.train("--metric", "rmse"))
        self.command("promote", "bikes", folder=self.project)
        self.edit("slipway.yaml", "when: ignore", "when: time")
        self.command("data", "add", folder=self.project)
        self.assertIn("1 date (when)", self.train("--metric", "rmse"))
        self.command("promote", "bikes", folder=self.project)
        verdict = self.expect(200, self.port, "/api/v1/endpoints/bikes/gates")[1]["gates"][0]["verdict"]
        self.assertEqual(verdict["outcome"], "accepted")
        self.assertLess(verdict["challenger"]["value"], 0.8 * verdict["champion"]["value"])
        self.assertEqual(self.expect(200, self.port, "/api/v1/endpoints/bikes")[1]["version"], 2)

    def test_the_forms_by_which_a_column_of_dates_is_recognised_are_those_that_are_read(self):
        forms = ["2012-07-03", " 2012-07-03 18:00", "2012-07-03T18:00", "2012-07-03 18:00:59", "2012-07-03T18:00:00.123456789",
                 "2012-07-03T18:00:00Z", "2012-07-03 18:00:00+02", "2012-07-03 18:00:00-0230", "2012-07-03T18:00:00+02:00"]
        found = []
        for others in [], ["2012-07-03T18:00Z"], ["2012-7-3"], ["2012-02-30"], ["2012-07-03 24:30"], ["03.07.2012"]:
            self.begin("known_after", [{"when": form, "kind": "1", "temp": "0", "cnt": number}
                                       for number, form in enumerate(forms + others)])
            self.command("data", "add", folder=self.project)
            columns = json.loads(self.command("data", "profile", "hours", "--json", folder=self.project))["profile"]["columns"]
            found.append(next(column["type"] for column in columns if column["name"] == "when"))
            shutil.rmtree(self.project)
        self.assertEqual(found[0], "time")
        self.assertNotIn("time", found[1:])

    def test_a_date_may_be_taken_as_a_category(self):
        self.begin("category", [dict(hour, when=hour["when"][:7]) for hour in self.hours])
        _, self.port = self.start()
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        self.assertIn("\ncolumns: 1 number (temp), 2 category (when, kind)\n", self.train())


if __name__ == "__main__":
    run(DatesTest, OverridesTest)
