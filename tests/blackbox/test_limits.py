#!/usr/bin/env python3
"""Limits of a search that are the user's: how many candidates are learnt, and on how many threads.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_limits.py [WORD]
"""
import datetime
import json
import math
import os
import random
import re
import subprocess
import time

from harness import JSON_TYPE, SLIPWAY, SlipwayTest, run

# Of a project what it is called and what its rows are.
TABLE = "people", "target: answer"
TEXT = "comments", "target: label"
SERIES = "sales", "target: sold, time: day, group: store"
PIPELINE = """project: people
data:
  people: {source: rows.csv, target: answer}
stages:
  check: {uses: check-data, with: {data: people}}
  train: {uses: train, needs: check, with: {%s}}
"""
IDLE = 0  # threads of a step that do not learn
AVERAGES = "average", "ensemble", "automatic"
WORDS = {"spam": ["subscribe", "channel", "free", "click"], "ham": ["love", "song", "voice", "dance"]}


def people(count=600):
    draw = random.Random(7)
    rows = [(draw.randrange(18, 80), draw.choice("abc"), draw.random()) for _ in range(count)]
    return "age,kind,luck,answer\n" + "".join(
        f"{age},{kind},{luck:.3f},{'yes' if age + 30 * luck + (kind == 'a') * 9 > 64 else 'no'}\n" for age, kind, luck in rows)


def comments():
    draw = random.Random(7)
    labels = [draw.choice(["spam", "ham"]) for _ in range(300)]
    return "text,label\n" + "".join(
        f"{draw.choice(WORDS[label if draw.random() < 0.9 else 'ham'])} the {draw.choice(WORDS[label])} {number},{label}\n"
        for number, label in enumerate(labels))


def sales():
    start = datetime.date(2024, 1, 1)
    rows = [(store, start + datetime.timedelta(days=day), 50 + 9 * math.sin(day / 5 + store) + day % 7)
            for store in range(3) for day in range(120)]
    return "store,day,sold\n" + "".join(f"store {store},{day},{sold:.2f}\n" for store, day, sold in rows)


class LimitsTest(SlipwayTest):
    command_seconds = 600  # under sanitizers, beside other tests

    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)
        self.server, self.port = self.start()

    def write(self, name, text):
        with open(os.path.join(self.project, name), "w") as file:
            file.write(text)

    def put(self, rows, project):
        name, columns = project
        self.write("rows.csv", rows)
        self.write("slipway.yaml", f"project: {name}\ndata:\n  {name}: {{source: rows.csv, {columns}}}\n")
        self.command("data", "add", folder=self.project)

    def train(self, *options):
        """What it printed, the run, and its leaderboard."""
        said = self.command("train", *options, folder=self.project)
        found, board = self.kept(re.search(r"run (\w{32}) finished", said)[1])
        return said, found, board

    def kept(self, run_id):
        found = self.expect(200, self.port, f"/api/v1/runs/{run_id}")[1]
        board = self.expect(200, self.port, f"/api/v1/runs/{run_id}/artifacts/file?path=leaderboard.json")[1]
        return found.get("run", found), board if isinstance(board, list) else json.loads(board)

    def newest(self):
        return self.expect(200, self.port, "/api/v1/runs?limit=1")[1]["runs"][0]

    def learnt(self, board):
        return [row["name"] for row in board if not row["is_baseline"] and row["name"] not in AVERAGES]

    # trials

    def test_no_more_candidates_are_learnt_than_that_and_it_is_said(self):
        for rows, project, trials, options in ((people(), TABLE, 3, ()), (comments(), TEXT, 2, ()),
                                               (sales(), SERIES, 2, ("--task", "forecast", "--horizon", "7"))):
            self.put(rows, project)
            said, run_, board = self.train("--trials", str(trials), *options)
            self.assertEqual(len(self.learnt(board)), trials, board)
            note = f"the search ended after {trials} trials, its limit"
            self.assertIn(note, said)
            self.assertIn(note, run_["tags"]["slipway.notes"])
            self.assertEqual((run_["params"]["trials"], run_["params"]["budget_seconds"]), (str(trials), "0"))

    def test_one_trial_is_one_and_a_rerun_and_a_pipeline_keep_the_limit(self):
        self.put(people(), TABLE)
        said, first, board = self.train("--trials", "1")
        self.assertEqual(self.learnt(board), ["logistic_regression"])
        self.assertIn("the search ended after 1 trial, its limit", said)
        self.assertIn("the same metric as run", self.command("run", "rerun", first["id"]))
        self.assertEqual(self.newest()["params"]["trials"], "1")
        self.assertEqual(self.newest()["tags"]["slipway.package"], first["tags"]["slipway.package"])
        self.write("slipway.yaml", PIPELINE % "trials: 1")
        self.command("pipeline", "run", folder=self.project)
        self.assertEqual((self.newest()["params"]["trials"], self.newest()["params"]["budget_seconds"]), ("1", "0"))
        self.assertEqual(self.newest()["tags"]["slipway.package"], first["tags"]["slipway.package"])

    def test_a_budget_that_is_given_is_kept_beside_it(self):
        self.put(people(), TABLE)
        self.assertEqual(self.train("--trials", "1", "--budget", "30")[1]["params"]["budget_seconds"], "30")

    # threads

    def most_threads(self, *options):
        """What a training printed, and the most threads that its step has ever had."""
        command = subprocess.Popen([SLIPWAY, "train", "--data", self.data, *options], cwd=self.project, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment())
        counts = []
        while command.poll() is None:
            counts += [threads for threads in map(self.count_threads, self.steps()) if threads]
            time.sleep(0.002)
        said, errors = command.communicate()
        self.assertEqual(command.returncode, 0, errors)
        self.assertGreater(len(counts), 20)
        return said, max(counts)

    def steps(self):
        """The processes of this test's server that are steps."""
        with open(f"/proc/{self.server.pid}/task/{self.server.pid}/children") as file:
            found = file.read().split()
        for task in os.listdir(f"/proc/{self.server.pid}/task"):
            try:
                with open(f"/proc/{self.server.pid}/task/{task}/children") as file:
                    found += file.read().split()
            except FileNotFoundError:
                pass
        return set(found)

    def count_threads(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                is_step = b"\0step\0train\0" in file.read()
            return len(os.listdir(f"/proc/{pid}/task")) if is_step else 0
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def test_a_limit_of_threads_is_kept_and_changes_nothing_else(self):
        for rows, project, options in ((people(4000), TABLE, ()), (comments(), TEXT, ()),
                                       (sales(), SERIES, ("--task", "forecast", "--horizon", "7"))):
            self.put(rows, project)
            packages = set()
            for threads in 1, 2:
                _, most = self.most_threads("--trials", "4", "--threads", str(threads), *options)
                self.assertLessEqual(most, threads + IDLE)
                self.assertEqual(self.newest()["params"]["threads"], str(threads))
                packages.add(self.newest()["tags"]["slipway.package"])
            self.assertEqual(len(packages), 1, project)

    # progress

    def counted(self, *options):
        """What a training said of how far it is, before its outcome."""
        done = self.run_command("train", "--data", self.data, *options, folder=self.project)
        self.assertEqual(done.returncode, 0, done.stderr)
        return re.findall(r"\d[^\r\n\033]* (?:folds|series|learners)", done.stderr)

    def test_no_total_is_said_where_only_the_time_says_how_many(self):
        self.put(people(2000), TABLE)
        said = self.counted("--budget", "4")
        self.assertTrue(said)
        for one in said:
            self.assertRegex(one, r"^\d+ folds$")
        said = self.counted("--trials", "3")
        self.assertTrue(said)
        for one in said:
            done, most = map(int, re.match(r"(\d+) of at most (\d+) folds$", one).groups())
            self.assertLessEqual(done, most)
            self.assertEqual(most, 15)
        self.put(sales(), SERIES)
        for one in self.counted("--trials", "2", "--task", "forecast", "--horizon", "7"):
            self.assertRegex(one, r"^\d of 3 series$")

    # what is not one

    def refused_everywhere(self, name, value, sentence):
        self.refused(2, sentence, "train", f"--{name}", value, folder=self.project)
        answer = self.expect(422, self.port, "/api/v1/projects/people/train", method="POST", headers=JSON_TYPE,
                             body=json.dumps({name: int(value)}))[1]["error"]
        self.assertEqual((answer["message"], answer["field"]), (sentence, name))
        self.write("slipway.yaml", PIPELINE % f"{name}: {value}")
        done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(sentence, done.stdout + done.stderr)

    def test_bad_limits_are_refused_in_the_same_words_everywhere(self):
        self.put(people(60), TABLE)
        self.refused_everywhere("trials", "0", '"trials" must be an integer from 1 on')
        self.refused_everywhere("trials", "-3", '"trials" must be an integer from 1 on')
        self.refused_everywhere("trials", "65", "a search has 1 to 64 trials")
        self.refused_everywhere("threads", "0", '"threads" must be an integer from 1 on')
        self.refused_everywhere("threads", "65", "a search has 1 to 64 threads")


if __name__ == "__main__":
    run(LimitsTest)
