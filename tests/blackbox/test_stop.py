#!/usr/bin/env python3
"""A search that is told to end before its time: the best so far becomes the model, as at any end.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_stop.py [WORD]
"""
import datetime
import math
import os
import random
import signal
import subprocess
import time

from harness import SLIPWAY, SlipwayTest, run

LONG = "3600"  # seconds of budget that no test waits for
NOTE = "the search was told to end before its time"


def people():
    draw = random.Random(7)
    rows = [(draw.randrange(18, 80), draw.choice("abc"), draw.random()) for _ in range(6000)]
    return "age,kind,luck,answer\n" + "".join(
        f"{age},{kind},{luck:.3f},{'yes' if age + 30 * luck + (kind == 'a') * 9 > 64 else 'no'}\n" for age, kind, luck in rows)


def sales():
    start = datetime.date(2024, 1, 1)
    rows = [(store, start + datetime.timedelta(days=day), 50 + 9 * math.sin(day / 5 + store) + day % 7)
            for store in range(12) for day in range(300)]
    return "store,day,sold\n" + "".join(f"store {store},{day},{sold:.2f}\n" for store, day, sold in rows)


class StopTest(SlipwayTest):
    command_seconds = 300

    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)

    def put(self, rows, columns):
        with open(os.path.join(self.project, "rows.csv"), "w") as file:
            file.write(rows)
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(f"project: p\ndata:\n  rows: {{source: rows.csv, {columns}}}\n")
        self.command("data", "add", folder=self.project)

    def wait_until(self, condition):
        deadline = time.monotonic() + self.command_seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def progress(self, port, run_id):
        return self.expect(200, port, f"/api/v1/runs/{run_id}/progress")[1]

    def has_learnt(self, port, run_id):
        board = (self.progress(port, run_id)["progress"] or {}).get("leaderboard", [])
        return any(row["score"] is not None and not row["is_baseline"] for row in board)

    def stop_search(self, port, run_id):
        self.expect(202, port, f"/api/v1/runs/{run_id}/stop", method="POST")
        self.wait_until(lambda: self.progress(port, run_id)["status"] != "RUNNING")
        return self.expect(200, port, f"/api/v1/runs/{run_id}")[1]

    def start_training(self, *options):
        return self.command("train", "--no-wait", "--budget", LONG, *options, folder=self.project).strip()

    def notes(self, run_shown):
        run_shown = run_shown.get("run", run_shown)
        return run_shown["status"], run_shown["tags"].get("slipway.notes", "")

    def test_a_table_keeps_its_best_so_far(self):
        _, port = self.start()
        self.put(people(), "target: answer")
        run_id = self.start_training()
        self.wait_until(lambda: self.has_learnt(port, run_id))
        status, notes = self.notes(self.stop_search(port, run_id))
        self.assertEqual(status, "FINISHED")
        self.assertIn(NOTE, notes)
        self.assertIn(run_id, self.command("model", "show", "p@1"))

    def test_forecasts_keep_what_was_tried(self):
        _, port = self.start()
        self.put(sales(), "target: sold, time: day, group: store")
        run_id = self.start_training("--task", "forecast", "--horizon", "14")
        self.wait_until(lambda: self.progress(port, run_id)["progress"])
        status, _ = self.notes(self.stop_search(port, run_id))
        self.assertEqual(status, "FINISHED")
        self.assertIn(run_id, self.command("model", "show", "p@1"))

    def test_what_does_not_search_cannot_stop(self):
        _, port = self.start()
        self.put(people(), "target: answer")
        first, second = self.start_training(), self.start_training()
        self.refused(5, f'run "{second}" has not begun to search, so there is nothing to keep: wait, or cancel it',
                     "run", "stop", second)
        self.wait_until(lambda: self.has_learnt(port, first))
        self.command("run", "cancel", second)
        self.assertEqual(self.command("run", "stop", first), f"run {first} ends with the best so far\n")
        self.wait_until(lambda: self.progress(port, first)["status"] == "FINISHED")
        self.refused(5, f'run "{first}" is not training', "run", "stop", first)

    def test_an_interrupt_ends_the_search_and_not_the_command(self):
        self.put(people(), "target: answer")
        command = subprocess.Popen([SLIPWAY, "train", "--budget", LONG, "--data", self.data], cwd=self.project,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment())
        while " folds" not in command.stderr.readline():
            self.assertIsNone(command.poll())
        command.send_signal(signal.SIGINT)
        output, errors = command.communicate(timeout=self.command_seconds)
        self.assertEqual(command.returncode, 0, errors)
        self.assertIn("the search ends with the best so far", errors)
        self.assertIn(NOTE, output)
        self.assertIn("finished: model version p@1", output)


if __name__ == "__main__":
    run(StopTest)
