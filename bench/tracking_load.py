"""Requests of MLflow's clients, sent by bench_tracking to any server that speaks its REST."""
import json
import os
import subprocess
from dataclasses import dataclass

import load
import measure

API = "/api/2.0/mlflow/"
ASK_SECONDS_MAX = 300
RUN_ID = "{run id}".ljust(32, ".")  # bench_tracking puts an id there
MODELS = [f"m{number}" for number in range(10)]

CREATE_RUN = '{"experiment_id": "%s", "user_id": "ada", "run_name": "run {number}", "start_time": 1700000000000, ' \
             '"tags": [{"key": "mlflow.user", "value": "ada"}]}'
LOG_METRIC = '{"run_uuid": "%s", "run_id": "%s", "key": "loss", "value": 0.{random}, "timestamp": 17{number}000, ' \
             '"step": {number}}' % (RUN_ID, RUN_ID)
FILLED_RUN = '{"run_id": "%s", "metrics": [%%s], "params": [{"key": "model", "value": "%%s"}, {"key": "depth", "value": ' \
             '"{number}"}, {"key": "rate", "value": "0.1"}]}' % RUN_ID


def metric_text(key, index=0):
    """A point whose time and step grow with the request's number and with its own index in it, up to 999."""
    return '{"key": "%s", "value": 0.{random}, "timestamp": 17{number}%03d, "step": {number}%03d}' % (key, index, index)


def log_batch(metrics):
    return '{"run_id": "%s", "metrics": [%s]}' % (RUN_ID, ", ".join(metrics))


LOG_BATCH = log_batch(metric_text(f"key_{number % 10}", number // 10) for number in range(1000))
FILLED_RUNS = [FILLED_RUN % (", ".join(metric_text(key) for key in ("auc", "f1", "loss")), model) for model in MODELS]


@dataclass
class Result(load.Load):
    own_cpu: float  # microseconds of the client a request
    answers: int


def median_result(results):
    return Result(*(measure.median(getattr(one, name) for one in results)
                    for name in ("rate", "p50", "p99", "errors", "cpu", "own_cpu", "answers")))


def request(method, path, body=None):
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body is None:
        return head + "\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"


class Tracker:
    """A server with the run ids and the numbers that were used so far, so that no point is logged twice."""

    def __init__(self, bench, running):
        self.bench, self.running, self.name = bench, running, running.name
        self.folder = os.path.join(bench.work, running.name.replace(" ", "-") + "-requests")
        self.number = 0
        os.makedirs(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ask(self, route, body):
        return json.loads(self.running.post(json.dumps(body), API + route, ASK_SECONDS_MAX))

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def create_experiment(self, name):
        return self.ask("experiments/create", {"name": name})["experiment_id"]

    def send(self, requests, connections, *, count=None, seconds=None, ids=None, ids_out=None, first=None):
        """Whole requests in turn; a bound of either kind or both."""
        files = [self.write(f"request-{index}", text) for index, text in enumerate(requests)]
        options = {"-c": connections, "-n": count, "-s": seconds, "-f": self.number if first is None else first,
                   "-i": ids, "-o": ids_out}
        words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
        before = measure.cpu_seconds(self.running.pid)
        done = subprocess.run([self.bench.program("bench_tracking"), *words, str(self.running.port), *files],
                              capture_output=True, text=True)
        used = measure.cpu_seconds(self.running.pid) - before
        if done.returncode:
            raise RuntimeError(f"bench_tracking failed: {done.stderr}")
        out = json.loads(done.stdout)
        if out["failed"]:
            self.bench.say(f"{self.name}: {out['failed']} of {out['answers']} failed: {out['example']}")
        if first is None:
            self.number = out["next"]
        answers = max(out["answers"], 1)
        return Result(out["answers"] / out["seconds"], out["p50_us"], out["p99_us"], out["failed"], used / answers * 1e6,
                      out["cpu_seconds"] / answers * 1e6, out["answers"])

    def post(self, route, body, connections, **more):
        bodies = body if isinstance(body, list) else [body]
        return self.send([request("POST", API + route, one) for one in bodies], connections, **more)

    def get(self, route, connections, **more):
        return self.send([request("GET", API + route)], connections, **more)

    def make_runs(self, experiment_id, count, name="ids", connections=64):
        """Runs with nothing in them, but for a few that a server may lose; the path of their ids."""
        ids = self.path(name)
        made = self.post("runs/create", CREATE_RUN % experiment_id, connections, count=count, ids_out=ids)
        if made.errors > count // 100:
            raise RuntimeError(f"{self.name} made {made.errors} runs too few")
        return ids

    def fill_runs(self, experiment_id, count, name):
        """Runs with three metrics and three params each."""
        ids = self.make_runs(experiment_id, count, name)
        self.post("runs/log-batch", FILLED_RUNS, 64, count=count, ids=ids, first=0)
        return ids
