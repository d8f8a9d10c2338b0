#!/usr/bin/env python3
"""Which columns a model answers by, how, and what it would answer if: passengers of the Titanic, who was saved.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_explain.py [WORD]
"""
import json
import os
import shutil
import tempfile

from harness import JSON_TYPE, SlipwayTest, run

PASSENGERS = os.path.abspath(os.path.join(os.environ.get("SLIPWAY_DATA", "../shared/data"), "titanic", "train.csv"))
PROJECT = """project: titanic
data:
  passengers:
    source: train.csv
    target: Survived
    columns: {PassengerId: ignore, Name: ignore, Ticket: ignore, Cabin: ignore, Pclass: category, Survived: category}
release: {endpoint: titanic}
"""
COLUMNS = {"Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"}
ADA = {"Pclass": "3", "Sex": "male", "Age": 22.0, "SibSp": 1.0, "Parch": 0.0, "Fare": 7.25, "Embarked": "S"}


class ExplainTest(SlipwayTest):
    trained = None

    def setUp(self):
        super().setUp()
        if not os.path.exists(PASSENGERS):
            self.skipTest(f"{PASSENGERS} is not there")
        self.project = os.path.join(self.folder, "titanic")
        if not ExplainTest.trained:
            self.train()
        shutil.copytree(os.path.join(ExplainTest.trained, "data"), self.data)
        self.port = self.start()[1]

    def train(self):
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT)
        shutil.copyfile(PASSENGERS, os.path.join(self.project, "train.csv"))
        server, _ = self.start()
        for command in ("up",), ("data", "add"), ("train", "--budget", "5"), ("promote", "titanic"):
            self.command(*command, folder=self.project)
        self.stop(server)
        ExplainTest.trained = tempfile.mkdtemp(prefix="slipway-trained-")
        shutil.move(self.data, os.path.join(ExplainTest.trained, "data"))

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(cls.trained)

    def explain(self, rows, *changes, status=200, **more):
        query = "&".join(f"what_if={change}" for change in changes)
        more = {"headers": JSON_TYPE, "body": json.dumps({"data": rows}), **more}
        return self.expect(status, self.port, f"/endpoints/titanic/explain?{query}", method="POST", **more)[1]

    def judgement(self):
        return json.loads(self.command("model", "report", "titanic@1", "--json"))["package"]["judgement"]

    # the report

    def test_the_report_knows_how_much_each_column_is_worth(self):
        importance = self.judgement()["importance"]
        self.assertEqual({one["column"] for one in importance["columns"]}, COLUMNS)
        self.assertEqual((importance["metric"], importance["repeats"], importance["left_out"]), ("f1", 5, 0))
        self.assertLessEqual(importance["rows"], importance["of_rows"])
        self.assertEqual(importance["columns"][0]["column"], "Sex")
        self.assertGreater(importance["columns"][0]["low"], 0)
        means = [one["mean"] for one in importance["columns"]]
        self.assertEqual(means, sorted(means, reverse=True))
        for one in importance["columns"]:
            self.assertLessEqual(one["low"], one["high"])

    def test_the_report_knows_how_the_answer_goes_with_the_most_important_ones(self):
        judgement = self.judgement()
        first = judgement["dependence"][0]
        self.assertEqual((first["column"], first["kind"], first["classes"]), ("Sex", "category", ["1"]))
        points = {point["value"]: point for point in first["points"]}
        self.assertEqual(set(points), {"male", "female"})
        self.assertGreater(points["male"]["share"], points["female"]["share"])
        self.assertAlmostEqual(points["male"]["share"] + points["female"]["share"], 1)
        self.assertGreater(points["female"]["answers"][0], points["male"]["answers"][0] + 0.2)
        self.assertTrue({one["column"] for one in judgement["dependence"]} <= COLUMNS)
        self.assertLessEqual(len(judgement["dependence"]), 6)

    def test_people_read_the_same(self):
        judgement = self.judgement()
        page = self.command("model", "report", "titanic@1")
        html = self.command("model", "report", "titanic@1", "--html")
        section = page[page.index("## What it answers by"):page.index("## Leaderboard")]
        for one in judgement["importance"]["columns"]:
            self.assertIn("| " + " | ".join([one["column"], *(f"{one[key]:.6g}" for key in ("mean", "low", "high"))]) + " |", section)
            self.assertIn(f"{one['mean']:.6g}", html)
        self.assertRegex(section, r"How much f1 falls when .* the mean of 5 shuffles on \d+ of the \d+ rows of the hold-out")
        self.assertIn("### By Sex", section)
        for point in judgement["dependence"][0]["points"]:
            self.assertIn(f"| {point['value']} | {100 * point['share']:.3g} % | {point['answers'][0]:.6g} |", section)

    # what if

    def check_sums(self, row):
        changed = row["what_if"]
        moved = sum(one["difference"] for one in changed["columns"]) + changed["rest"]["difference"]
        self.assertAlmostEqual(row["margin"] + moved, changed["margin"], delta=1e-6)
        weights = {part["column"]: part["weight"] for part in row["contributions"]}
        for one in changed["columns"]:
            self.assertAlmostEqual(one["weight_before"], weights[one["column"]], delta=1e-9)
            self.assertAlmostEqual(one["weight_after"] - one["weight_before"], one["difference"], delta=1e-9)

    def test_a_what_if_is_what_the_changed_row_is_answered_with(self):
        row, = self.explain([ADA], "Sex=female", "Age=")["explanations"]
        changed, = self.explain([dict(ADA, Sex="female", Age=None)])["explanations"]
        for key in "label", "confidence", "probabilities":
            self.assertEqual(row["what_if"][key], changed[key])
        self.assertEqual(row["label"], "0")
        self.assertGreater(row["what_if"]["probabilities"]["1"], row["probabilities"]["1"] + 0.2)
        given = {one["column"]: (one["from"], one["to"]) for one in row["what_if"]["columns"] if "to" in one}
        self.assertEqual(given, {"Sex": ("male", "female"), "Age": (22, None)})
        self.assertEqual(list(given), [one["column"] for one in row["what_if"]["columns"][:2]])
        self.check_sums(row)
        self.assertNotIn("what_if", changed)

    def test_each_row_of_a_file_gets_it(self):
        with open(PASSENGERS, encoding="utf-8", newline="") as file:
            lines = file.read().splitlines()[:21]
        said = self.explain([], "Fare=100", body="\n".join(lines), headers={"Content-Type": "text/csv"}, status=422)
        self.assertIn("unrecognized column", said["error"]["message"])
        body = "\n".join(lines)
        answer = self.expect(200, self.port, "/endpoints/titanic/explain?extra=ignore&what_if=Fare=100", method="POST",
                             body=body, headers={"Content-Type": "text/csv"})[1]
        self.assertEqual(len(answer["explanations"]), 20)
        for row in answer["explanations"]:
            self.check_sums(row)

    def test_a_change_that_cannot_be_is_refused_in_a_sentence(self):
        cases = [
            (["Shoe=42"], 'unrecognized column "Shoe" in a what-if: the model reads "'),
            (["Age=old"], 'the what-if of "Age" must be a number or empty, not "old"'),
            (["Age=0x20"], 'the what-if of "Age" must be a number or empty, not "0x20"'),
            (["Age"], 'a what-if is COLUMN=VALUE, as in age=41, not "Age"'),
            (["=3"], 'a what-if is COLUMN=VALUE, as in age=41, not "=3"'),
            (["Age=3", "Age=4"], 'the what-if of "Age" is given twice'),
        ]
        for changes, sentence in cases:
            error = self.explain([ADA], *changes, status=422)["error"]
            self.assertTrue(error["message"].startswith(sentence), error["message"])
            self.assertEqual(error["field"], "what_if")
        error = self.expect(422, self.port, "/endpoints/titanic/predict?what_if=Age=3", method="POST", headers=JSON_TYPE,
                            body=json.dumps({"data": [ADA]}))[1]["error"]
        self.assertEqual(error["message"], 'unrecognized parameter "what_if"')

    def test_one_line_of_the_command_line_asks_it(self):
        said = self.command("explain", "titanic", "--row", json.dumps(ADA), "--what-if", "Sex=female", "--what-if", "Age=")
        self.assertRegex(said, r"(?m)^  if Sex=female, Age=:$")
        self.assertRegex(said, r"(?m)^  [01], confidence 0\.\d+; 0 0\.\d+ instead of 0\.\d+$")
        self.assertRegex(said, r"(?m)^ +[+-]\d+\.\d+  Sex, female instead of male$")
        self.assertRegex(said, r"(?m)^ +[+-]\d+\.\d+  Age, missing instead of 22$")
        self.assertRegex(said, r"(?m)^ +[+-]\d+\.\d+  in all, from -?\d+\.\d+ to -?\d+\.\d+$")
        two = json.loads(self.command("explain", "titanic", "--row", json.dumps(ADA), "--row", json.dumps(dict(ADA, Age=3)),
                                      "--what-if", "Sex=female", "--json"))
        self.assertEqual(len(two["explanations"]), 2)
        predicted = json.loads(self.command("predict", "titanic", "--row", json.dumps(ADA), "--json"))
        self.assertEqual(predicted["predictions"][0]["label"], two["explanations"][0]["label"])

    def test_the_command_line_refuses_what_is_no_row(self):
        self.refused(2, '--row 1 must be a JSON object by column, as in {"age": 41}', "predict", "titanic", "--row", "[1]")
        self.refused(2, "give texts, --row or --file, one of them", "predict", "titanic", "a text", "--row", "{}")
        done = self.run_command("explain", "titanic", "--row", "{", "--data", self.data)
        self.assertEqual(done.returncode, 2)
        self.assertIn("slipway: --row 1: malformed JSON at byte 1", done.stderr)
        done = self.run_command("explain", "titanic", "--row", json.dumps(ADA), "--what-if", "Shoe=42", "--data", self.data)
        self.assertEqual(done.returncode, 2)
        self.assertIn('unrecognized column "Shoe" in a what-if', done.stderr)


if __name__ == "__main__":
    run(ExplainTest)
