#!/usr/bin/env python3
"""Texts beside other columns, from real tables to answers: tweets with keywords and places, passengers with names and fares.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_table_texts.py [WORD]
"""
import csv
import io
import json
import math
import os
import shutil
import tempfile

from harness import JSON_TYPE, SlipwayTest, run

SETS = os.path.abspath(os.environ.get("SLIPWAY_DATA", "../shared/data"))
TWEETS = os.path.join(SETS, "disaster-tweets", "train.csv")
PASSENGERS = os.path.join(SETS, "titanic", "train.csv")
PROJECT = """project: tweets
data:
  tweets:
    source: tweets.csv
    target: target
    columns: {id: ignore, keyword: category, location: text, text: text}
stages:
  answers: {uses: score, with: {version: champion, input: new.csv, keys: [id], output: answers.csv}}
release: {endpoint: tweets}
"""
STAGES = """stages:
  train: {uses: train, with: {metric: f1, budget: 3}}
release:
  endpoint: tweets
  gate: {metric: f1, margin: 0.3, minimum: 0.3}
  staging: {smoke: smoke.jsonl}
"""
FARES = """project: fares
data:
  passengers:
    source: passengers.csv
    target: Fare
    columns: {PassengerId: ignore, Name: text, Ticket: text, Cabin: text}
release: {endpoint: fares}
"""


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_fields(tweet):
    return {"keyword": tweet["keyword"] or None, "location": tweet["location"] or None, "text": tweet["text"]}


def added_up(row):
    return row["intercept"] + sum(part["weight"] for part in row["contributions"]) + row["rest"]["weight"]


class Texts(SlipwayTest):
    command_seconds = 240

    def write_rows(self, name, rows, columns):
        with open(os.path.join(self.project, name), "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def post(self, path, body):
        return self.expect(200, self.port, path, method="POST", body=json.dumps(body), headers=JSON_TYPE)[1]


class TweetsTest(Texts):
    trained = None

    def setUp(self):
        super().setUp()
        if not os.path.exists(TWEETS):
            self.skipTest(f"{TWEETS} is not there")
        self.tweets = read_rows(TWEETS)[::6]
        self.unseen = read_rows(TWEETS)[3::250]
        self.project = os.path.join(self.folder, "tweets")
        if not TweetsTest.trained:
            self.train_once()
        shutil.copytree(os.path.join(TweetsTest.trained, "data"), self.data)
        shutil.copytree(os.path.join(TweetsTest.trained, "tweets"), self.project)
        self.server, self.port = self.start()

    def train_once(self):
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT)
        self.write_rows("tweets.csv", self.tweets, list(self.tweets[0]))
        self.write_rows("new.csv", self.unseen, ["id", "keyword", "location", "text"])
        server, _ = self.start()
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        TweetsTest.said = self.command("train", "--budget", "5", "--metric", "f1", folder=self.project)
        self.command("promote", "tweets", folder=self.project)
        self.stop(server)
        TweetsTest.trained = tempfile.mkdtemp(prefix="slipway-trained-")
        shutil.move(self.data, os.path.join(TweetsTest.trained, "data"))
        shutil.move(self.project, os.path.join(TweetsTest.trained, "tweets"))

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(cls.trained)

    def test_a_training_says_how_texts_are_read(self):
        self.assertRegex(self.said, r"text: words 1-2 \+ characters 2-5, weighed by \S.*, become a number")
        self.assertRegex(self.said, r"location: words 1-2 \+ characters 2-5, weighed by \S.*, become a number")
        self.assertRegex(self.said, r"(?m)^  (boosted_trees|ensemble|logistic_regression) ")
        run_ = self.expect(200, self.port, "/api/v1/models/tweets/versions/1/lineage")[1]["run"]
        held = {metric["key"]: metric["value"] for metric in run_["metrics"]}
        self.assertGreater(held["holdout.auc"], 0.75)
        page = self.command("model", "report", "tweets@1")
        for name in "keyword", "location", "text":
            self.assertIn(name, page)

    def test_tweets_are_answered_and_a_missing_place_is_no_error(self):
        rows = [as_fields(tweet) for tweet in self.unseen[:20]]
        self.assertIn(None, [row["location"] for row in rows])
        answers = self.post("/endpoints/tweets/predict", {"data": rows})["predictions"]
        empty = [{name: value or "" for name, value in row.items() if name == "location"} for row in rows]
        same = self.post("/endpoints/tweets/predict", {"data": [dict(row, **more) for row, more in zip(rows, empty)]})
        self.assertEqual(same["predictions"], answers)
        alone = [self.post("/endpoints/tweets/predict", {"data": [row]})["predictions"][0] for row in rows]
        self.assertEqual(alone, answers)
        self.assertGreater(len({answer["label"] for answer in answers}), 1)
        answer = self.expect(422, self.port, "/endpoints/tweets/predict", method="POST", headers=JSON_TYPE,
                             body=json.dumps({"data": [dict(rows[0], text=7)]}))[1]
        self.assertEqual(answer["error"]["message"], '"text" in row 1 must be a text or null')

    def test_a_text_is_one_contribution_that_shows_how_it_begins(self):
        rows = [as_fields(tweet) for tweet in self.unseen[:10]]
        answers = self.post("/endpoints/tweets/predict", {"data": rows})["predictions"]
        explained = self.post("/endpoints/tweets/explain", {"data": rows})["explanations"]
        for fields, row, answer in zip(rows, explained, answers):
            self.assertEqual(row["label"], answer["label"])
            self.assertAlmostEqual(added_up(row), row["margin"], places=6)
            parts = {part["column"]: part["text"] for part in row["contributions"]}
            self.assertEqual(len(parts), len(row["contributions"]))
            self.assertLessEqual(set(parts), {"keyword", "location", "text"})
            self.assertTrue(parts["text"].startswith("text=" + fields["text"][:20]), parts["text"])
            self.assertLessEqual(len(parts["text"].encode()), len("text=…".encode()) + 60)
        said = self.command("predict", "tweets", "--file", os.path.join(self.project, "new.csv"), "--ignore-extra")
        self.assertEqual(len(said.splitlines()), len(self.unseen) + 1)

    def test_a_file_of_rows_is_answered_as_requests_are(self):
        self.command("pipeline", "run", folder=self.project)
        run_ = self.expect(200, self.port, "/api/v1/pipelines/tweets/runs/1")[1]["id"]
        step = self.expect(200, self.port, f"/api/v1/pipeline-runs/{run_}/steps/answers")[1]["step"]
        digest = {out["path"]: out["digest"] for out in step["outs"]}["answers.csv"]
        scored = list(csv.DictReader(io.StringIO(self.expect(200, self.port, f"/api/v1/artifacts/{digest}")[1].decode())))
        asked = self.post("/endpoints/tweets/predict", {"data": [as_fields(tweet) for tweet in self.unseen]})["predictions"]
        self.assertEqual([row["id"] for row in scored], [tweet["id"] for tweet in self.unseen])
        self.assertEqual([row["label"] for row in scored], [answer["label"] for answer in asked])

    def test_what_was_asked_is_logged_as_it_came(self):
        rows = [as_fields(tweet) for tweet in self.unseen[:5]]
        answer = self.post("/endpoints/tweets/predict", {"data": rows})
        self.stop(self.server)
        self.server, self.port = self.start()
        logged = self.expect(200, self.port, f"/api/v1/predictions/{answer['request_id']}")[1]["prediction"]
        self.assertEqual(logged["inputs"], rows)

    def test_a_release_is_gated_and_smoke_tested(self):
        self.edit("slipway.yaml", PROJECT[PROJECT.index("stages:"):], STAGES)
        self.command("environment", "set", "production", "--approvals", "0")
        learnt = {tweet["text"] for tweet in self.tweets}
        clear = [tweet for tweet in read_rows(TWEETS) if tweet["keyword"] in ("wreckage", "debris", "outbreak")
                 and tweet["target"] == "1" and tweet["text"] not in learnt][:3]
        with open(os.path.join(self.project, "smoke.jsonl"), "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(dict(as_fields(tweet), target=tweet["target"])) + "\n" for tweet in clear))
        self.command("pipeline", "run", folder=self.project)
        gate = self.expect(200, self.port, "/api/v1/endpoints/tweets/gates")[1]["gates"][0]["verdict"]
        self.assertEqual((gate["outcome"], gate["metric"]), ("accepted", "f1"))
        self.assertEqual(self.expect(200, self.port, "/api/v1/endpoints/tweets")[1]["version"], 2)


class FaresTest(Texts):
    def test_numbers_are_learnt_from_names_tickets_and_cabins(self):
        if not os.path.exists(PASSENGERS):
            self.skipTest(f"{PASSENGERS} is not there")
        self.project = os.path.join(self.folder, "fares")
        os.mkdir(self.project)
        with open(os.path.join(self.project, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(FARES)
        passengers = read_rows(PASSENGERS)
        self.write_rows("passengers.csv", passengers, list(passengers[0]))
        _, self.port = self.start()
        self.command("up", folder=self.project)
        self.command("data", "add", folder=self.project)
        said = self.command("train", "--budget", "5", folder=self.project)
        for name in "Name", "Ticket", "Cabin":
            self.assertRegex(said, rf"{name}: words 1-2 \+ characters 2-5, weighed by ridge, become a number")
        self.command("promote", "fares", folder=self.project)
        rows = []
        for passenger in passengers[:6]:
            row = {name: value or None for name, value in passenger.items() if name not in ("PassengerId", "Fare")}
            rows.append(dict(row, **{name: float(row[name]) if row[name] else None
                                     for name in ("Survived", "Pclass", "Age", "SibSp", "Parch")}))
        answers = self.post("/endpoints/fares/predict", {"data": rows})["predictions"]
        explained = self.post("/endpoints/fares/explain", {"data": rows})["explanations"]
        for row, answer in zip(explained, answers):
            self.assertTrue(math.isfinite(answer["value"]))
            self.assertAlmostEqual(added_up(row), answer["value"], delta=1e-4 * abs(answer["value"]) + 1e-6)
        self.assertIn("Cabin is missing", [part["text"] for part in explained[0]["contributions"]])
        self.assertLess(answers[0]["value"], answers[1]["value"])  # third class, first class with a cabin


if __name__ == "__main__":
    run(TweetsTest, FaresTest)
