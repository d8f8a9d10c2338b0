#!/usr/bin/env python3
"""Each trial of a search is a run below its training's: of tables, texts and forecasts alike, whatever ended it.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_trials.py [WORD]
"""
import datetime
import json
import math
import os
import random
import signal
import time

from harness import JSON_TYPE, SlipwayTest, run

LONG = "3600"  # seconds of budget that no test waits for


def people(count):
    draw = random.Random(7)
    rows = [(draw.randrange(18, 80), draw.choice("abc"), draw.random()) for _ in range(count)]
    return "age,kind,luck,answer\n" + "".join(
        f"{age},{kind},{luck:.3f},{'yes' if age + 30 * luck + (kind == 'a') * 9 > 64 else 'no'}\n" for age, kind, luck in rows)


def comments():
    spam, ham = "subscribe channel free check click win".split(), "love song dance voice video beautiful".split()
    rows = [(spam if i % 2 else ham, i) for i in range(300)]
    return "text,answer\n" + "".join(
        f"{words[i % 6]} {words[i // 6 % 6]} the {words[i // 36 % 6]} of number {i},{i % 2}\n" for words, i in rows)


def sales(stores):
    start = datetime.date(2024, 1, 1)
    rows = [(store, start + datetime.timedelta(days=day), 50 + 9 * math.sin(day / 5 + store) + day % 7)
            for store in range(stores) for day in range(200)]
    return "store,day,sold\n" + "".join(f"store {store},{day},{sold:.2f}\n" for store, day, sold in rows)


class TrialsTest(SlipwayTest):
    command_seconds = 300

    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)
        self.server, self.port = self.start()

    def put(self, rows, columns, more=""):
        with open(os.path.join(self.project, "rows.csv"), "w") as file:
            file.write(rows)
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(f"project: p\ndata:\n  rows: {{source: rows.csv, {columns}}}\n{more}")
        self.command("data", "add", folder=self.project)

    def get(self, path):
        return self.expect(200, self.port, path)[1]

    def wait_until(self, condition):
        deadline = time.monotonic() + self.command_seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def start_training(self, *options):
        return self.command("train", "--no-wait", *options, folder=self.project).strip()

    def train(self, *options):
        """Returns the run of a training that has finished."""
        run_id = self.start_training(*options)
        self.wait_until(lambda: self.get(f"/api/v1/runs/{run_id}")["status"] != "RUNNING")
        shown = self.get(f"/api/v1/runs/{run_id}")
        self.assertEqual(shown["status"], "FINISHED", shown["failure"])
        return shown

    def board(self, training):
        return json.loads(self.get(f"/api/v1/runs/{training['id']}/artifacts/file?path=leaderboard.json"))

    def trials(self, training, **more):
        query = "".join(f"&{name}={value}" for name, value in more.items())
        shown = self.get(f"/api/v1/runs?parent={training['id']}&limit=1000{query}")
        self.assertEqual(shown["total"], len(shown["runs"]))
        return shown["runs"]

    def value(self, trial, metric):
        return {point["key"]: point["value"] for point in trial["metrics"]}.get(metric)

    def check_trials(self, training):
        """Each row of the leaderboard is one of them, with what it says; returns them."""
        board = self.board(training)
        metric = "mase" if training["params"]["task"] == "forecast" else training["params"]["metric"]
        trials = self.trials(training)
        self.assertEqual(training["tags"]["slipway.trials"], str(len(board)))
        self.assertEqual(
            sorted(repr((row["description"], row["score"], row["chosen"], row["is_baseline"], row["below_baseline"], row["note"]))
                   for row in board),
            sorted(repr((trial["params"].get("description", ""), self.value(trial, metric), "slipway.chosen" in trial["tags"],
                         "slipway.baseline" in trial["tags"], "slipway.below_baseline" in trial["tags"],
                         trial["tags"].get("slipway.trial_note", ""))) for trial in trials))
        for trial in trials:
            self.check_trial(training, trial)
        self.assertEqual(sum("slipway.chosen" in trial["tags"] for trial in trials), 1)
        return trials

    def check_trial(self, training, trial):
        end, note = trial["tags"]["slipway.trial"], trial["tags"].get("slipway.trial_note", "")
        is_stopped = note.startswith(("stopped", "left out"))
        expected = "KILLED" if is_stopped else "FAILED" if end == "failed" else "FINISHED"
        self.assertEqual((trial["status"], end == "finished"), (expected, expected == "FINISHED"), trial)
        self.assertEqual(trial["tags"]["mlflow.parentRunId"], training["id"])
        self.assertEqual(trial["experiment_id"], training["experiment_id"])
        self.assertEqual(trial["user"], training["user"])
        self.assertLessEqual(training["started_at"], trial["started_at"])
        self.assertLessEqual(trial["started_at"], trial["ended_at"])
        self.assertLessEqual(trial["ended_at"], training["ended_at"])
        self.assertEqual(self.get(f"/api/v1/runs/{trial['id']}/artifacts")["artifacts"], [])

    def test_of_a_table(self):
        self.put(people(2000), "target: answer")
        training = self.train("--budget", "8")
        trials = self.check_trials(training)
        trees = [trial for trial in trials if trial["params"]["learner"] == "boosted_trees"]
        first = next(trial for trial in trees if trial["params"]["learning_rate"] == "0.1" and trial["params"]["depth"] == "6")
        self.assertLessEqual({"least_weight", "row_share", "column_share", "lambda", "metric"}, set(first["params"]))
        self.assertIn("rounds", first["params"])
        self.assertGreater(self.value(first, "folds"), 1)
        self.assertGreater(self.value(first, "seconds"), 0)
        self.assertEqual(len({trial["name"] for trial in trials}), len(trials))
        self.check_lists(training, trials)
        self.check_life(training, trials)

    def check_lists(self, training, trials):
        """Lists have the training; who asks has the trials, and MLflow's clients have both."""
        self.assertEqual([shown["id"] for shown in self.get("/api/v1/runs")["runs"]], [training["id"]])
        self.assertIn(training["id"], self.command("run", "list"))
        self.assertNotIn(trials[0]["id"], self.command("run", "list", "--limit", "1000"))
        self.assertIn(trials[0]["id"], self.command("run", "list", "--parent", training["id"], "--limit", "1000"))
        self.assertIn(f"trials      {len(trials)}: slipway run list --parent {training['id']}\n",
                      self.command("run", "show", training["id"]))
        self.refused(4, 'run "nothing" does not exist', "run", "list", "--parent", "nothing")
        answer = self.expect(200, self.port, "/api/2.0/mlflow/runs/search", method="POST", headers=JSON_TYPE, body=json.dumps(
            {"experiment_ids": [str(training["experiment_id"])], "filter": f"tags.mlflow.parentRunId = '{training['id']}'",
             "max_results": 1000}))[1]
        self.assertEqual({one["info"]["run_id"] for one in answer["runs"]}, {trial["id"] for trial in trials})

    def check_life(self, training, trials):
        """A trial is no training; what happens to the training happens to it."""
        trial = trials[0]["id"]
        self.refused(4, f'run "{trial}" was not trained here', "run", "rerun", trial)
        self.refused(5, f'run "{trial}" is not training', "run", "stop", trial)
        self.refused(5, f'run "{trial}" is not training', "run", "cancel", trial)
        self.expect(204, self.port, f"/api/v1/runs/{training['id']}", method="DELETE")
        self.assertEqual(self.trials(training), [])
        self.assertEqual(len(self.trials(training, deleted="true")), len(trials))
        self.expect(409, self.port, f"/api/v1/runs/{trial}/restore", method="POST")
        self.expect(200, self.port, f"/api/v1/runs/{training['id']}/restore", method="POST")
        self.assertEqual(len(self.trials(training)), len(trials))

    def test_of_texts_and_a_rerun_has_its_own_and_the_same_package(self):
        self.put(comments(), "target: answer, columns: {text: text}")
        training = self.train("--task", "classification", "--budget", "0")
        trials = self.check_trials(training)
        self.assertTrue(any(trial["name"].startswith("linear_svm C=0.3 ") for trial in trials))
        again = self.command("run", "rerun", training["id"])
        newest = self.get("/api/v1/runs?limit=1")["runs"][0]
        self.assertNotEqual(newest["id"], training["id"], again)
        self.assertEqual(newest["tags"]["slipway.package"], training["tags"]["slipway.package"])
        self.assertEqual(newest["tags"]["slipway.rerun_equal"], "true")
        self.assertEqual(sorted((trial["name"], self.value(trial, "f1")) for trial in self.check_trials(newest)),
                         sorted((trial["name"], self.value(trial, "f1")) for trial in trials))

    def test_of_one_series_and_of_many(self):
        for stores in 1, 12:
            self.put(sales(stores), "target: sold, time: day" + ", group: store" * (stores > 1))
            training = self.train("--task", "forecast", "--horizon", "14")
            trials = self.check_trials(training)
            theta = next(trial for trial in trials if trial["name"] == "theta")
            self.assertEqual((theta["params"]["learner"], theta["params"]["season"]), ("theta", "7"))
            self.assertEqual((self.value(theta, "windows") or 0) > 0, stores == 1)

    def test_of_a_step_of_a_pipeline(self):
        self.put(comments(), "target: answer, columns: {text: text}", "stages: {learn: {uses: train, with: {budget: 0}}}\n")
        self.command("pipeline", "run", folder=self.project)
        whole = self.get("/api/v1/pipelines/p/runs?limit=1")["pipeline_runs"][0]["id"]
        step = self.get(f"/api/v1/pipeline-runs/{whole}/steps/learn")["attempts"][0]["run_id"]
        training = self.get(f"/api/v1/runs/{step}")
        trials = self.check_trials(training)
        self.assertFalse({trial["id"] for trial in trials} & {shown["id"] for shown in self.get("/api/v1/runs")["runs"]})
        above = training["tags"]["mlflow.parentRunId"]
        self.assertEqual([shown["id"] for shown in self.get(f"/api/v1/runs?parent={above}")["runs"]], [step])

    def test_of_a_search_that_was_told_to_end(self):
        self.put(people(6000), "target: answer")
        run_id = self.start_training("--budget", LONG)
        self.wait_until(lambda: self.has_learnt(run_id))
        self.expect(202, self.port, f"/api/v1/runs/{run_id}/stop", method="POST")
        self.wait_until(lambda: self.get(f"/api/v1/runs/{run_id}")["status"] != "RUNNING")
        training = self.get(f"/api/v1/runs/{run_id}")
        self.assertIn("told to end", training["tags"]["slipway.notes"])
        self.assertNotIn("budget", {trial["tags"]["slipway.trial"] for trial in self.check_trials(training)})

    def has_learnt(self, run_id):
        board = (self.get(f"/api/v1/runs/{run_id}/progress")["progress"] or {}).get("leaderboard", [])
        return any(row["score"] is not None and not row["is_baseline"] for row in board)

    def test_a_training_that_was_cancelled_or_killed_has_none(self):
        self.put(people(6000), "target: answer")
        cancelled = self.start_training("--budget", LONG)
        self.wait_until(lambda: self.has_learnt(cancelled))
        self.command("run", "cancel", cancelled)
        self.wait_until(lambda: self.get(f"/api/v1/runs/{cancelled}")["status"] == "KILLED")
        killed = self.start_training("--budget", LONG)
        self.wait_until(lambda: self.has_learnt(killed))
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server, self.port = self.start()
        for run_id, status in (cancelled, "KILLED"), (killed, "FAILED"):
            training = self.get(f"/api/v1/runs/{run_id}")
            self.assertEqual((training["status"], self.trials(training)), (status, []))
            self.assertNotIn("slipway.trials", training["tags"])
        self.assertEqual(self.get("/api/v1/runs")["total"], 2)


if __name__ == "__main__":
    run(TrialsTest)
