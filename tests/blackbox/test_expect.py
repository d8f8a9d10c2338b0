#!/usr/bin/env python3
"""What a data set must be: a pipeline stops before anything is learnt from data that is not so."""
import json
import os
import shutil

from harness import SlipwayTest, run

DATA = os.path.abspath(os.environ.get("SLIPWAY_DATA", "../shared/data"))
TAXI = os.path.join(DATA, "nyc-green-taxi", "green_tripdata_2021-01.csv")

PROJECT = """project: rides
data:
  rides:
    source: rides/
    expect:
%s
stages:
  check: {uses: check-data, with: {data: rides}}
  train: {cmd: echo trained, needs: check}
"""

ROWS = "id,distance,seats,flag\n" + "".join(f"{i},{i / 10},{i % 4},{'YN'[i % 2]}\n" for i in range(1, 101))


class ExpectTest(SlipwayTest):
    def put(self, name, text):
        path = os.path.join(self.folder, "project", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def project(self, expect, rows=ROWS):
        self.put("slipway.yaml", PROJECT % "\n".join("      " + line for line in expect.splitlines()))
        self.put("rides/a.csv", rows)

    def at(self, *arguments):
        return self.run_command(*arguments, "--data", self.data, folder=os.path.join(self.folder, "project"))

    def stops(self, sentence):
        done = self.at("pipeline", "run")
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertTrue(done.stderr.endswith(f'slipway: rides#1 failed: step "check": {sentence}\n'), done.stderr)
        self.assertIn("train: skipped", done.stdout)
        self.assertEqual(json.loads(self.command("data", "list", "--json"))["datasets"], [])

    def passes(self):
        done = self.at("pipeline", "run")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_data_as_expected_goes_on_and_says_what_was_looked_at(self):
        self.project("files: {minimum: 1, maximum: 1, names: [a.csv]}\nrows: {minimum: 100, maximum: 100}\n"
                     "columns:\n  id: {type: integer, unique: true, minimum: 1, maximum: 100}\n"
                     "  distance: {type: number, minimum: 0.1, maximum: 10, missing: 0}\n"
                     "  seats: {values: [0, 1, 2, 3]}\n  flag: {pattern: '[YN]'}\nothers: refuse")
        self.passes()
        shown = json.loads(self.command("pipeline", "show", "rides", "--json"))["steps"][0]["result"]
        self.assertEqual((shown["version"], shown["expect"]["failed"]), (1, 0))
        self.assertGreaterEqual(shown["expect"]["checks"], 12)

    def test_a_missing_file_stops_the_run(self):
        self.project("files: {names: [a.csv, b.csv]}")
        self.stops('the file "b.csv" is missing')

    def test_a_missing_column_stops_the_run(self):
        self.project("columns: {fare: number}")
        self.stops('column "fare" is missing')

    def test_another_column_stops_the_run(self):
        self.project("columns: {id: , distance: , seats: }\nothers: refuse")
        self.stops('column "flag" is not expected')

    def test_a_text_in_a_number_is_named_with_its_row(self):
        self.project("columns: {distance: number}", ROWS.replace("\n17,1.7,", "\n17,far,"))
        self.stops('column "distance", row 17 of "a.csv": far is not a number (1 row)')

    def test_eleven_percent_missing_is_more_than_ten(self):
        rows = ROWS.split("\n")
        for i in range(20, 31):
            rows[i] = ",".join([rows[i].split(",")[0], "", *rows[i].split(",")[2:]])
        self.project("columns: {distance: {missing: 0.10}}", "\n".join(rows))
        self.stops('column "distance", first in row 20 of "a.csv": 11 % of the values are missing, 10 % may be '
                   '(11 of 100 rows)')
        self.project("columns: {distance: {missing: 0.11}}", "\n".join(rows))
        self.passes()

    def test_a_value_beyond_its_bound_is_named_with_its_row(self):
        self.project("columns: {distance: {minimum: 0, maximum: 100}}", ROWS.replace("\n42,4.2,", "\n42,224481.36,"))
        self.stops('column "distance", row 42 of "a.csv": 224481.36 is above the maximum of 100 (1 row)')

    def test_a_value_that_comes_twice_or_is_not_allowed_or_has_another_form(self):
        self.project("columns:\n  id: {unique: true}\n  seats: {values: [0, 1, 2]}\n  flag: {pattern: 'Y'}",
                     ROWS.replace("\n9,", "\n8,"))
        self.stops('column "id", row 9 of "a.csv": 8 is there before (1 row); 3 expectations fail')
        shown = self.command("pipeline", "show", "rides")
        why = self.command("pipeline", "why", "rides", "check")
        for text in (shown, why):
            self.assertIn('  values: column "seats", row 3 of "a.csv": 3 is not one of 0, 1, 2 (25 rows)\n', text)
            self.assertIn('  pattern: column "flag", row 1 of "a.csv": N does not match Y (50 rows)\n', text)
        report = json.loads(self.command("pipeline", "show", "rides", "--json"))["steps"][0]["result"]["expect"]
        self.assertEqual([(one["expect"], one["count"], len(one["first"])) for one in report["violations"]],
                         [("unique", 1, 1), ("values", 25, 5), ("pattern", 50, 5)])

    def test_too_few_rows_stop_the_run(self):
        self.project("rows: {minimum: 101}")
        self.stops("there are 100 rows, at least 101 are expected")

    def test_other_limits_look_again_at_the_version_that_is_there(self):
        self.project("rows: {minimum: 1}")
        self.passes()
        self.project("columns: {distance: {maximum: 5}}")
        done = self.at("pipeline", "run")
        self.assertIn('column "distance", row 51 of "a.csv": 5.1 is above the maximum of 5 (50 rows)', done.stderr)
        done = self.at("data", "check", "rides@1")
        self.assertEqual((done.returncode, done.stdout),
                         (5, 'rides@1: 1 of 2 expectations are met\n  maximum: column "distance", row 51 of "a.csv": '
                             '5.1 is above the maximum of 5 (50 rows)\n'))
        self.project("columns: {distance: {maximum: 50}}")
        self.assertEqual(self.at("data", "check").stdout, "rides@1: 2 of 2 expectations are met\n")

    def test_a_source_that_is_gone_is_not_left_out(self):
        self.project("rows: {minimum: 1}")
        path = os.path.join(self.folder, "project", "slipway.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("source: rides/", "source: [rides/a.csv, rides/b.csv]"))
        self.stops('no file of the project is "rides/b.csv"')

    def test_the_outliers_of_the_green_taxis_are_found(self):
        if not os.path.exists(TAXI):
            print("SKIP: no", TAXI)
            return
        self.project("columns:\n  VendorID: {type: integer, values: [1, 2]}\n"
                     "  trip_distance: {type: number, minimum: 0, maximum: 100}\n"
                     "  lpep_pickup_datetime: {type: time, minimum: 2008-01-01}")
        os.remove(os.path.join(self.folder, "project", "rides", "a.csv"))
        shutil.copy(TAXI, os.path.join(self.folder, "project", "rides", "green.csv"))
        self.stops('column "trip_distance", row 8669 of "green.csv": 244152.01 is above the maximum of 100 (62 rows)')


run(ExpectTest)
