#!/usr/bin/env python3
"""`slipway train` on each real file of tables and series that the project names: a leaderboard, a report and a winner.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_named_files.py [WORD]. How good the models are
is measured elsewhere (docs/results/tabular.md, docs/results/forecast.md): here a search has two trials.
"""
import csv
import datetime
import json
import os

from harness import SlipwayTest, run

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
REAL = os.environ.get("SLIPWAY_DATA", os.path.join(ROOT, "..", "shared", "data"))

# File, target, what else is said of columns, and how a training is asked for.
TABLES = {
    "bank": ("bank-marketing/bankmarketing_train.csv", "y", {"duration": "known_after"}, []),
    "adult": ("adult-income/adult-train.csv", "income", {}, []),
    "credit_default": ("credit-default/UCI_Credit_Card.csv", "default_next_month", {"ID": "ignore"}, []),
    "california": ("california-housing/housing.csv", "median_house_value", {}, ["--task", "regression"]),
    "wine_red": ("wine-quality/winequality-red.csv", "quality", {}, ["--task", "regression"]),
    "wine_white": ("wine-quality/winequality-white.csv", "quality", {}, ["--task", "regression"]),
    "titanic": ("titanic/train.csv", "Survived", {"PassengerId": "ignore", "Name": "text"}, []),
    "bike_hours": ("bike-sharing/hour.csv", "cnt", {"instant": "ignore", "casual": "known_after", "registered": "known_after"},
                   ["--task", "regression"]),
    "covertype": ("covertype-10k/covtype_sample.csv", "Cover_Type", {}, ["--task", "classification"]),
    "taxi": ("nyc-green-taxi/green_tripdata_2021-01.csv", "total_amount", {}, ["--task", "regression"]),
}
SERIES = {
    "sales": ("adventureworks-daily/mlops_forecast_data.csv", "TransactionDate", "PaidAmount", 31),
    "sales_of_2013": ("adventureworks-daily/mlops_forecast_data2013.csv", "TransactionDate", "PaidAmount", 16),
    "air_passengers": ("air-passengers/airline-passengers.csv", "Month", "Passengers", 12),
    "bike_days": ("bike-sharing/day.csv", "dteday", "cnt", 28),
}


class NamedFilesTest(SlipwayTest):
    command_seconds = 600

    def setUp(self):
        super().setUp()
        if not os.path.isdir(REAL):
            self.skipTest(f"{REAL} is not there")
        self.start()

    def train(self, path, columns, *options):
        with open(os.path.join(self.folder, "slipway.yaml"), "w", encoding="utf-8") as file:
            json.dump({"project": "p", "data": {"rows": dict(columns, source=path)}}, file)
        self.command("data", "add")
        return json.loads(self.command("train", "--trials", "2", "--json", *options))["id"]

    def check(self, run_id, metric):
        """What somebody reads afterwards."""
        trials = json.loads(self.command("run", "list", "--parent", run_id, "--limit", "100", "--json"))["runs"]
        tags = [one["tags"] for one in trials]
        self.assertEqual(sum("slipway.chosen" in one for one in tags), 1, tags)
        self.assertTrue(any("slipway.baseline" in one for one in tags), tags)
        report = self.command("model", "report", "p@1")
        self.assertIn(metric, report.lower())
        self.assertIn(run_id, self.command("model", "show", "p@1"))


def table_test(file, target, columns, options):
    def test(self):
        path = os.path.join(REAL, file)
        self.check(self.train(path, {"target": target, "columns": columns}, *options),
                   "rmse" if "regression" in options else "accuracy")
    return test


def series_test(file, time, target, horizon):
    def test(self):
        path = os.path.join(REAL, file)
        self.check(self.train(path, {"target": target, "time": time}, "--task", "forecast", "--horizon", str(horizon)), "mase")
    return test


def wide_test(file, by, count, horizon):
    """Of a file with a series in each row (M4), or in each column (NN5): some of them, a value a row."""
    def test(self):
        with open(os.path.join(REAL, file), encoding="utf-8") as wide:
            rows = list(csv.reader(wide))
        series = rows[1:] if by == "row" else [list(column) for column in zip(*rows)][1:]
        start = datetime.datetime(2020, 1, 6)
        step = datetime.timedelta(hours=1) if "Hourly" in file else datetime.timedelta(weeks=1) if "Weekly" in file \
            else datetime.timedelta(days=1)
        path = os.path.join(self.folder, "long.csv")
        with open(path, "w", encoding="utf-8", newline="") as long:
            writer = csv.writer(long)
            writer.writerow(["series", "time", "value"])
            for name, *values in series[:count]:
                last = max(at for at, value in enumerate(values) if value)
                writer.writerows([name, start + at * step, value] for at, value in enumerate(values[:last + 1]) if value)
        self.check(self.train(path, {"target": "value", "time": "time", "group": "series"}, "--task", "forecast",
                              "--horizon", str(horizon)), "mase")
    return test


for title, parts in TABLES.items():
    setattr(NamedFilesTest, f"test_{title}", table_test(*parts))
for title, parts in SERIES.items():
    setattr(NamedFilesTest, f"test_{title}", series_test(*parts))
NamedFilesTest.test_m4_hourly = wide_test("m4/Hourly-train.csv", "row", 10, 48)
NamedFilesTest.test_m4_weekly = wide_test("m4/Weekly-train.csv", "row", 10, 13)
NamedFilesTest.test_nn5_daily = wide_test("nn5-daily/nn5_daily.csv", "column", 10, 56)

if __name__ == "__main__":
    run(NamedFilesTest)
