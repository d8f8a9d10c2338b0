#!/usr/bin/env python3
"""Kill the server while 64 clients log metrics, and look for every point that it acknowledged.

usage: crash_writers.py [BINARY]          build/debug/slipway, or any other build

The clients speak MLflow's REST on connections that they keep: half of them send a point at a time,
half batches of two metrics. Each writes keys of its own into runs that they share. The server is
killed somewhere in it and starts again; then each key must have all points that were answered with
200, in their order and with their values, at most the one request more that was under way, and
never a part of a batch. The next round sends what was not answered once more, as MLflow's clients do:
a point that is there already must not be there twice. A client is never answered anything but 200.

CRASH_WRITERS  rounds (100), 25 on a data folder
CRASH_SEED     of the moments (1)

Prints a line for each round that shows something broken, writes docs/results/crash_writers.md, and says
in its last line "N passed, N failed".
"""
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from page import Page
from scenario import SECONDS_MAX, Broken, Down, Refused, Server, must

WRITERS = 64
RUNS = 16
ROUNDS_PER_FOLDER = 25
BATCH = 20  # points of each of the two metrics of a batch
HISTORY_PAGE = 25_000
UNTIL_KILLED_SECONDS = (0.02, 0.6)
API = "/api/2.0/mlflow/"
HEADERS = {"Content-Type": "application/json"}


def value_of(writer, step):
    return step + writer / 128


class Writer:
    """One client. sent: steps that were ever sent; acknowledged: those that were answered."""

    def __init__(self, number, run):
        self.number, self.run = number, run
        self.size = BATCH if number % 2 else 1
        self.keys = [f"writer {number}/{name}" for name in (("loss", "score") if number % 2 else ("loss",))]
        self.acknowledged = self.sent = 0
        self.problem = None

    def points(self, key):
        first = self.acknowledged + 1
        return [{"key": key, "value": value_of(self.number, step), "timestamp": step, "step": step}
                for step in range(first, first + self.size)]

    def request(self):
        """Its route and body: what comes after the last point that was acknowledged."""
        if self.size == 1:
            return "runs/log-metric", dict(self.points(self.keys[0])[0], run_id=self.run)
        return "runs/log-batch", {"run_id": self.run, "metrics": [point for key in self.keys for point in self.points(key)]}

    def write(self, server):
        """Until the server is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS_MAX)
        try:
            while True:
                route, body = self.request()
                self.sent = self.acknowledged + self.size
                connection.request("POST", API + route, json.dumps(body), HEADERS)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    self.problem = f"writer {self.number} was answered {answer.status}: {text.decode()}"
                    return
                self.acknowledged = self.sent
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def check(self, server):
        """Returns how many points were there without having been acknowledged."""
        must(not self.problem, self.problem)
        counts = set()
        for key in self.keys:
            points = read_history(server, self.run, key)
            steps = [(point["step"], point["value"]) for point in points]
            wanted = [(step, value_of(self.number, step)) for step in range(1, len(points) + 1)]
            must(steps == wanted, f"{key} has other points than were sent")
            counts.add(len(points))
        must(len(counts) == 1, f"a part of a batch of writer {self.number} is there: {counts}")
        count = counts.pop()
        must(count in (self.acknowledged, self.sent),
             f"writer {self.number} has {count} points, {self.acknowledged} were acknowledged, {self.sent} sent")
        return (count - self.acknowledged) * len(self.keys)

    def check_latest(self, latest):
        if self.acknowledged:
            for key in self.keys:
                must(latest.get(key, 0) >= value_of(self.number, self.acknowledged), f"the run shows an old value of {key}")


def read_history(server, run, key):
    points, token = [], ""
    while True:
        answer = server.get("GET", f"{API}metrics/get-history?run_id={run}&metric_key={key.replace(' ', '%20')}"
                                   f"&max_results={HISTORY_PAGE}{token}")
        points += answer.get("metrics", [])
        if "next_page_token" not in answer:
            return points
        token = f"&page_token={answer['next_page_token']}"


class Driver:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.mkdtemp(prefix="slipway-crash-")
        self.data = os.path.join(self.folder, "data")
        self.writers = []
        self.passed = self.failed = self.acknowledged = self.unanswered = 0

    def close(self):
        shutil.rmtree(self.folder)

    def begin(self):
        """An empty folder with the runs that are written to."""
        shutil.rmtree(self.data, ignore_errors=True)
        server = Server(self.binary, self.data)
        try:
            runs = [server.get("POST", "/api/v1/runs", {"name": f"run {number}"})["id"] for number in range(RUNS)]
        finally:
            server.stop()
        self.writers = [Writer(number, runs[number // 2 % RUNS]) for number in range(WRITERS)]

    def write_until_killed(self, seconds):
        server = Server(self.binary, self.data)
        threads = [threading.Thread(target=writer.write, args=[server]) for writer in self.writers]
        before = self.count()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        errors = server.kill()
        for thread in threads:
            thread.join()
        must("Sanitizer" not in errors, errors)
        self.acknowledged += self.count() - before

    def count(self):
        return sum(writer.acknowledged * len(writer.keys) for writer in self.writers)

    def look(self):
        server = Server(self.binary, self.data)
        try:
            self.unanswered += sum(writer.check(server) for writer in self.writers)
            for run in {writer.run for writer in self.writers}:
                shown = server.get("GET", f"{API}runs/get?run_id={run}")["run"]["data"].get("metrics", [])
                latest = {metric["key"]: metric["value"] for metric in shown}
                for writer in self.writers:
                    if writer.run == run:
                        writer.check_latest(latest)
            must(server.get("GET", "/api/v1/audit/verify")["whole"], "the audit trail is broken")
        finally:
            server.stop()

    def kill(self, rounds, seed):
        draw = random.Random(seed)
        broken = True
        for number in range(rounds):
            if broken or number % ROUNDS_PER_FOLDER == 0:
                self.begin()
            broken = self.kill_once(number, draw.uniform(*UNTIL_KILLED_SECONDS))

    def kill_once(self, number, seconds):
        """Whether something was broken."""
        try:
            self.write_until_killed(seconds)
            self.look()
        except (Broken, Down, Refused) as problem:
            self.failed += 1
            print(f"round {number}: {type(problem).__name__}: {problem}", flush=True)
            return True
        self.passed += 1
        return False

    def write_page(self, seed):
        page = Page("crash_writers", "Kills among 64 writers",
                    f"{WRITERS} clients log metrics by MLflow's REST, half of them a point at a time, half in batches of "
                    f"{2 * BATCH}, into {RUNS} runs that they share, when the server is killed. It starts again by itself, and "
                    "each client must have all points that were acknowledged, once each, and no part of a batch; what was not "
                    "answered is sent again in the next round.", target="crash")
        page.say(f"Seed {seed}; up to {ROUNDS_PER_FOLDER} kills of a data folder, after {UNTIL_KILLED_SECONDS[0]:g} to "
                 f"{UNTIL_KILLED_SECONDS[1]:g} s of writing.")
        page.table(["kills", "points acknowledged", "points there whose answer the kill cut off",
                    "kills after which a point was lost, half a batch was there, or a client was refused"],
                   [[self.passed + self.failed, f"{self.acknowledged:,}", f"{self.unanswered:,}", self.failed]])
        page.write()


def main():
    driver = Driver(sys.argv[1] if len(sys.argv) > 1 else "build/debug/slipway")
    seed = int(os.environ.get("CRASH_SEED", "1"))
    try:
        driver.kill(int(os.environ.get("CRASH_WRITERS", "100")), seed)
        driver.write_page(seed)
    finally:
        driver.close()
    print(f"{driver.passed} passed, {driver.failed} failed", flush=True)
    return 1 if driver.failed else 0


if __name__ == "__main__":
    sys.exit(main())
