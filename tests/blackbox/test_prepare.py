#!/usr/bin/env python3
"""Rows by a recipe: each step on a few rows, the real recipes, and what is refused with its place."""
import json
import os
import shutil

from harness import SlipwayTest, run

DATA = os.path.abspath(os.environ.get("SLIPWAY_DATA", "../shared/data"))
TAXI = os.path.join(DATA, "nyc-green-taxi")
DAYS = os.path.join(DATA, "adventureworks-daily")

PROJECT = """project: rides
stages:
  prepare: {uses: prepare, with: {recipe: prepare.yaml%s}, outs: [out/rows.csv]}
  show: {cmd: cat out/rows.csv, deps: [out/rows.csv]}
"""
ROWS = "id,from,to,fare,note\n1,2021-01-01 00:00:00,2021-01-01 00:30:00,5,a\n" \
       "2,2021-01-01 10:00:00,2021-01-01 10:00:30,7.5,\n3,2021-01-03 23:00:00,2021-01-04 00:00:00,,\"b, c\"\n"


class PrepareTest(SlipwayTest):
    def put(self, name, text):
        path = os.path.join(self.folder, "project", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def recipe(self, *steps, more=""):
        self.put("slipway.yaml", PROJECT % more)
        self.put("rows.csv", ROWS)
        self.put("prepare.yaml", "steps:\n" + "".join(f"  - {step}\n" for step in steps))

    def at(self, *arguments):
        return self.run_command(*arguments, "--data", self.data, folder=os.path.join(self.folder, "project"))

    def made(self, *steps):
        self.recipe(*steps)
        done = self.at("pipeline", "run", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.command("pipeline", "log", "rides", "show")

    def refused_by(self, sentence, *steps):
        self.recipe(*steps)
        done = self.at("pipeline", "run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(sentence, done.stderr)

    def step(self):
        return json.loads(self.command("pipeline", "show", "rides", "--json"))["steps"][0]

    def test_columns_are_computed_renamed_and_dropped_and_rows_filtered(self):
        self.assertEqual(self.made("read: rows.csv", "compute: {minutes: (to - from) / 60, hour: hour(from), day: date(from)}",
                                   "filter: minutes >= 1 && minutes <= 60", "rename: {id: ride}", "drop: [from, to]"),
                         'ride,fare,note,minutes,hour,day\n1,5.0,a,30.0,0,2021-01-01\n3,,"b, c",60.0,23,2021-01-03\n')

    def test_a_second_file_is_added_and_another_joined(self):
        self.put("more.csv", "note,fare,to,from,id\nz,1.5,2021-01-05 01:00:00,2021-01-05,9\n")
        self.put("names.jsonl", '{"key": 1, "name": "one"}\n{"key": 9, "name": "nine"}\n')
        self.assertEqual(self.made("read: rows.csv", "concat: more.csv", "drop: [from, to, note, fare]",
                                   "join: {read: names.jsonl, on: {id: key}}"), "id,name\n1,one\n2,\n3,\n9,nine\n")
        self.refused_by("row 2 has no match in what is joined", "read: rows.csv",
                        "join: {read: names.jsonl, on: {id: key}, unmatched: refuse}")
        self.put("names.jsonl", '{"key": 1, "name": "one"}\n{"key": 1, "name": "nine"}\n')
        self.refused_by('the key "1" is there twice in what is joined', "read: rows.csv",
                        "join: {read: names.jsonl, on: {id: key}}")

    def test_days_are_filled(self):
        resample = "resample: {time: from, every: 1d, columns: {id: sum}, fill: %s}"
        gaps = {"interpolate": "2021-01-02,3.0\n", "zero": "2021-01-02,0.0\n", "none": "2021-01-02,\n",
                "previous": "2021-01-02,3.0\n", "skip": ""}
        for fill, text in gaps.items():
            self.assertEqual(self.made("read: rows.csv", resample % fill),
                             f"from,id\n2021-01-01,3.0\n{text}2021-01-03,3.0\n")

    def test_the_same_seed_gives_the_same_bytes(self):
        first = self.made("read: rows.csv", "shuffle: {seed: 1}")
        digest = self.step()["outs"][0]["digest"]
        self.assertEqual(sorted(first.splitlines()), sorted(ROWS.replace(",5,", ",5.0,").splitlines()))
        self.at("pipeline", "run")
        self.assertIsNotNone(self.step()["cached_from"])
        self.at("pipeline", "run", "--force")
        self.assertEqual((self.step()["cached_from"], self.step()["outs"][0]["digest"]), (None, digest))

    def test_the_rows_become_a_version_of_a_data_set(self):
        self.recipe("read: rows.csv", more=", data: ready")
        self.assertEqual(self.at("pipeline", "run").returncode, 0)
        self.assertEqual((self.step()["result"]["data"], self.step()["result"]["version"]), ("ready", 1))
        self.recipe("read: {data: ready@1}", "filter: id > 1")
        self.assertEqual(self.at("pipeline", "run").returncode, 0)
        self.assertEqual(self.step()["result"]["rows"], 2)

    def test_mistakes_have_their_place(self):
        self.refused_by('prepare.yaml: line 2, column 5: there is no step "raed"; there are read, concat', "raed: rows.csv")
        self.refused_by('prepare.yaml: line 3, column 13: character 8 of "id > 1 &": "&" is not expected here',
                        "read: rows.csv", "filter: id > 1 &")
        self.refused_by('prepare.yaml: line 2, column 5: the first step is "read"', "drop: [a]")
        self.refused_by('line 3, column 13: character 1 of "fair > 1": there is no column "fair"; there are id, from, to, fare, note',
                        "read: rows.csv", "filter: fair > 1")
        self.refused_by('line 3, column 13: character 6 of "note - id": "-" does not go with a text and a integer',
                        "read: rows.csv", "filter: note - id")
        self.refused_by('line 3, column 18: column "x", row 1: "a" is not a number', "read: rows.csv",
                        "compute: {x: number(note)}")
        self.refused_by('"gone.csv", which the recipe reads, is neither a file of the project nor among the deps of the step',
                        "read: gone.csv")
        self.refused_by('a file is a relative path of plain parts', "read: ../rows.csv")

    def test_the_real_recipes_give_their_rows(self):
        if not os.path.isdir(TAXI):
            print("SKIP: no", TAXI)
            return
        self.recipe("read: green.csv", "compute: {duration: (lpep_dropoff_datetime - lpep_pickup_datetime) / 60}",
                    "filter: duration >= 1 && duration <= 60")
        for name, rows in (("green_tripdata_2021-01.csv", 73908), ("green_tripdata_2023-01_raw.csv.gz", 65946)):
            shutil.copy(os.path.join(TAXI, name), os.path.join(self.folder, "project", "green.csv"))
            self.assertEqual(self.at("pipeline", "run").returncode, 0)
            self.assertEqual(self.step()["result"]["rows"], rows)
        for year in (2013, 2014):
            shutil.copy(os.path.join(DAYS, f"mlops_forecast_data{year}.csv"), os.path.join(self.folder, "project"))
        made = self.made('read: "mlops_forecast_data*.csv"',
                         "resample: {time: TransactionDate, every: 1d, columns: {PaidAmount: mean}, fill: interpolate}")
        with open(os.path.join(DAYS, "mlops_forecast_data.csv")) as file:
            self.assertEqual(made, file.read())


run(PrepareTest)
