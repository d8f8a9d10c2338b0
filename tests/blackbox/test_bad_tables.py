#!/usr/bin/env python3
"""Tables that cannot be learnt from, or only in part: each says in a sentence what to do; and what is said of the others.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_bad_tables.py [WORD]
"""
import datetime
import os
import random
import re

from harness import SlipwayTest, run

ROWS = 120


def day(number):
    return (datetime.date(2026, 1, 1) + datetime.timedelta(days=number)).isoformat()


def people(count=ROWS, **columns):
    """Rows of age, kind and answer, with more columns as they are made: of the row's number and of the row so far."""
    draw = random.Random(7)
    rows = []
    for number in range(count):
        age = draw.randrange(18, 80)
        row = {"age": age, "kind": draw.choice("abc"), "answer": "yes" if age + 20 * draw.random() > 60 else "no"}
        for name, make in columns.items():
            row[name] = make(number, row)
        rows.append(row)
    return rows


def without(rows, *names):
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def series(count, **columns):
    make = {"when": lambda number: day(number), "sold": lambda number: 5 + number % 7, **columns}
    return [{name: one(number) for name, one in make.items()} for number in range(count)]


FORECAST = ("--task", "forecast", "--horizon", "2")
NO_NUMBER = " takes one of type number or integer (the notes of slipway data profile may say why it is none)"

# name: rows, target, more options of the training, what the training says when it fails
HOPELESS = {
    "every feature is missing": (without(people(gone=lambda *_: ""), "age", "kind"), "answer", (),
                                 "all 120 rows have the same features: nothing tells them apart"),
    "one class": (people(answer=lambda *_: "yes"), "answer", (),
                  'the target "answer" is "yes" in every row to learn from: there is nothing to learn'),
    "one row": (people(1), "answer", (), "there is one row: a model learns from some rows and is judged on others"),
    "two rows": (people(2, answer=lambda *_: "no"), "answer", (),
                 "there is one row to learn from beside the hold-out: a model takes two rows of each class, or of numbers "
                 "some dozens"),
    "a class of one row beside one": (people(answer=lambda number, _: "yes" if number == 5 else "no"), "answer", (),
                                      "training needs two classes with two rows each at least: 1 class has them"),
    "a target that is missing": (people(answer=lambda *_: ""), "answer", (), "no row has a value of the target"),
    "a number that is missing": (people(answer=lambda *_: ""), "answer", ("--task", "regression"),
                                 'the target "answer" is of type category: a regression' + NO_NUMBER),
    "a number that is always the same": (people(answer=lambda *_: "3.5"), "answer", (),
                                         'the target "answer" is 3.5 in every row to learn from: there is nothing to learn'),
    "an infinite target": (people(answer=lambda number, row: "inf" if number == 7 else row["age"] + 0.5), "answer",
                           ("--task", "regression"), 'the target "answer" is of type category: a regression' + NO_NUMBER),
    "as many classes as rows": (people(answer=lambda number, _: f"name {number}"), "answer", (),
                                "there is nothing to hold out: none of the 120 values of the target has two different rows; "
                                "name another target, or more columns"),
    "no column but the target": (without(people(), "age", "kind"), "answer", (),
                                 "there is no column to learn from beside the target"),
    "a date that never changes": (without(people(born=lambda *_: day(3)), "age", "kind"), "answer", (),
                                  "all 120 rows have the same features: nothing tells them apart"),
    "two points": (series(2), "sold", FORECAST,
                   "no series is long enough: a horizon of 2 takes 10 values, the last 2 of which are held out; the series is "
                   "left out: it has 2 values, and with this horizon 10 are needed"),
    "one date": (series(50, when=lambda _: day(3)), "sold", FORECAST,
                 "there are values of one time only, 2026-01-04T00:00:00: a forecast learns from how they change, and takes "
                 "8 times and the horizon at least"),
    "dates that come twice": (series(50, when=lambda number: day(number // 2)), "sold", FORECAST,
                              "2026-01-01 has 2 rows, but a series has one value at each time; take their mean, or the last one "
                              "(resample of a prepare step does)"),
}


class BadTablesTest(SlipwayTest):
    def put(self, rows, target, more=""):
        """The project "p" in a folder of its own, with its data folder."""
        self.project = os.path.join(self.folder, f"project {len(os.listdir(self.folder))}")
        self.data = os.path.join(self.project, "kept")
        os.makedirs(self.project)
        with open(os.path.join(self.project, "rows.csv"), "w", encoding="ascii") as file:
            file.write(",".join(rows[0]) + "\n")
            file.writelines(",".join(map(str, row.values())) + "\n" for row in rows)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(f"project: p\ndata: {{d: {{source: rows.csv, target: {target}{more}}}}}\nrelease: {{endpoint: p}}\n")

    def add(self):
        return self.command("data", "add", folder=self.project)

    def train(self, *options):
        return self.command("train", "--budget", "1", *options, folder=self.project)

    def notes(self, said):
        return re.findall(r"(?m)^note: (.*)$", said)

    def test_what_cannot_be_learnt_from_says_what_is_wrong(self):
        for name, (rows, target, options, sentence) in HOPELESS.items():
            with self.subTest(name):
                self.put(rows, target, ", time: when" if "when" in rows[0] else "")
                self.add()
                done = self.run_command("train", "--budget", "1", *options, "--data", self.data, folder=self.project)
                self.assertIn(done.returncode, (1, 2))
                self.assertEqual(re.sub(r"run \w{32} failed: ", "", done.stderr.splitlines()[-1]), f"slipway: {sentence}")
                self.assertEqual(done.stdout, "")

    def test_columns_without_use_are_named_when_data_is_added(self):
        self.put(people(gone=lambda *_: "", same=lambda *_: "x", key=lambda number, _: 1000 + 7 * number,
                        weight=lambda number, _: "12 kg" if number == 9 else number / 4), "answer")
        expected = ['"gone" has no value in any row', '"same" has the same value in every row',
                    '"key" has another value in every row, as ids have: with the role ignore it is not learnt from',
                    '"weight" is read as text: 1 of 120 values are no finite numbers, such as "12 kg"; mend them or leave them '
                    "empty, or have it read as a number and such rows set aside"]
        self.assertEqual(self.notes(self.add()), expected)
        self.assertEqual(self.notes(self.command("data", "profile", "d")), expected)

    def test_an_infinite_value_is_refused_where_a_number_is_asked_for(self):
        self.put(people(weight=lambda number, _: "inf" if number == 9 else number), "answer", ", columns: {weight: number}")
        done = self.run_command("data", "add", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, 2)
        self.assertIn('slipway: "rows.csv" line 11, column "weight": "inf" is not a number\n', done.stderr)

    def test_a_training_says_what_it_saw_and_as_what_it_took_each_column(self):
        self.put(people(again=lambda _, row: row["answer"], gone=lambda *_: "", born=lambda number, _: day(number),
                        group=lambda _, row: row["kind"].upper(), late=lambda _, row: "1" if row["answer"] == "yes" else "0",
                        row=lambda number, _: number), "answer", ", columns: {row: ignore}")
        self.add()
        said = self.train()
        self.assertIn("\nleft out: again (the target's own value in every row), row (ignored)\n", said)
        self.assertIn("\ncolumns: 2 number (age, late), 2 category (kind, group), 1 date (born), 2 left out (again, gone), "
                      "1 ignore (row)\n", said)
        expected = ['"late" alone nearly decides the target (AUC 1.000): if it is known only after the outcome, give it the role '
                    "known_after", '"group" says what "kind" says under other names in every row']
        late = ['"gone" is left out: it is missing in every row']
        self.assertEqual(set(expected + late) - set(self.notes(said)), set())
        limits = self.command("model", "report", "p@1")
        for sentence in expected + late:
            self.assertIn(f"Of its training: {sentence}.", limits.replace("\\_", "_"))

    def test_types_that_the_file_names_are_those_that_are_taken(self):
        self.put(people(code=lambda number, _: number % 3), "answer", ", columns: {code: category, age: known_after, kind: text}")
        self.add()
        said = self.train()
        self.assertIn("\ncolumns: 1 category (code), 1 text (kind), 1 known_after (age)\n", said)

    def test_rows_of_the_hold_out_that_ids_alone_tell_from_training_are_counted(self):
        rows = [dict(row, key=f"r{number}") for number, row in enumerate(people() + people())]
        self.put(rows, "answer", ", columns: {key: category}")
        self.add()
        said = self.notes(self.train())
        self.assertTrue([note for note in said if re.match(r"\d+ of the 48 rows of the hold-out have the features of a row that was "
                                                           "learnt from, but for columns that are not read", note)], said)

    def test_a_rare_class_of_one_row_stays_and_is_said(self):
        self.put(people(answer=lambda number, row: "maybe" if number == 5 else row["answer"]), "answer")
        self.add()
        self.assertRegex(self.train(), r'(?m)^note: the class "maybe" has 1\.\d+ % of the rows \(1\): accuracy says little of it')

    def test_ten_thousand_categories_are_learnt_where_the_file_says_that_they_are(self):
        draw = random.Random(1)
        self.put(people(12000, shop=lambda *_: f"shop {draw.randrange(10000)}"), "age", ", columns: {shop: category}")
        self.add()
        self.assertIn("\ncolumns: 3 category (kind, answer, shop)\n", self.train())

    def test_a_constant_series_is_forecast_as_what_it_is(self):
        self.put(series(60, sold=lambda _: 5), "sold", ", time: when")
        self.assertEqual(self.notes(self.add()), ['"sold" has the same value in every row'])
        said = self.train(*FORECAST)
        self.assertRegex(said, r"(?m)^  rmse +0\.0000$")
        self.assertNotIn("stand out", said)


if __name__ == "__main__":
    run(BadTablesTest)
