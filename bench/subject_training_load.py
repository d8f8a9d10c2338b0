"""Answers while a training uses the same cores: latencies at a constant modest rate, idle and during it."""
import gzip
import json
import os
import time

import checker
import measure
import peer_text
import report
import server

CONNECTIONS, DEPTH, RATE = 32, 8, 1000
TEXTS = 64
SECONDS = 10   # of each load
WARM_SECONDS = 3  # until the step has read its rows and uses the cores
BUDGET = 600   # seconds of the search: it ends with the load
PROJECT = """project: posts
data:
  posts: {source: unused.jsonl, target: label, columns: {id: ignore, text: text},
          holdout: {share: 0.2, by: stratified, seed: 42}}
"""


def add_posts(bench, slipway):
    path = os.path.join(bench.work, "posts.jsonl")
    with gzip.open(os.path.join(bench.data, "20newsgroups", "20news-bydate-train.jsonl.gz")) as packed, \
         open(path, "wb") as file:
        file.write(packed.read())
    posts = server.Slipway(bench, os.path.join(slipway.folder, "posts"))  # another project, in the same data folder
    posts.data = slipway.data
    with open(os.path.join(posts.folder, "slipway.yaml"), "w") as file:
        file.write(PROJECT)
    posts.run("data", "add", "posts", path, "--target", "label", "--column=id=ignore", "--column=text=text")
    posts.run("up")
    return posts


def spam_on(bench):
    slipway = server.Slipway(bench, os.path.join(bench.work, "training-load"))
    files = server.comment_files(bench)
    slipway.learn_comments(files)
    texts, _ = peer_text.read_comments(files)
    return slipway, texts[::max(len(texts) // TEXTS, 1)][:TEXTS]


def steps_of(pid):
    return [one for one in measure.process_tree(pid) if one != pid]


class Training:
    """A training on the running server, for as long as a "with" block."""

    def __init__(self, running, caller):
        self.running, self.caller = running, caller

    def order(self):
        """Returns the path of what it began."""
        body = json.dumps({"data": "posts@1", "budget_seconds": BUDGET})
        return "/api/v1/runs/" + json.loads(self.caller.post("/api/v1/projects/posts/train", body))["run_id"]

    def __enter__(self):
        self.path = self.order()
        while not steps_of(self.running.pid):
            time.sleep(0.01)
        time.sleep(WARM_SECONDS)
        return self

    def cpu(self):
        """Seconds of its step so far; none when it has ended."""
        steps = steps_of(self.running.pid)
        if not steps:
            raise RuntimeError("the training ended before the load")
        return measure.cpu_seconds(steps[0])

    def __exit__(self, *_):
        self.caller.post(f"{self.path}/cancel", "")
        while steps_of(self.running.pid):
            time.sleep(0.05)


def measure_load(bench, running, plan):
    with checker.Load(bench, running.port, plan, CONNECTIONS, DEPTH, RATE, SECONDS) as load:
        return load.wait()


def measure_rounds(bench, running, plan, training_kind=Training):
    """Idle and training in turn."""
    caller, idle, busy, shares = checker.Caller(running.port), [], [], []
    for turn in range(bench.rounds):
        idle.append(measure_load(bench, running, plan))
        with training_kind(running, caller) as training:
            used = training.cpu()
            busy.append(measure_load(bench, running, plan))
            shares.append((training.cpu() - used) / busy[-1]["seconds"])
        bench.say(f"round {turn + 1}: p99 {idle[-1]['p99_us']:,} us idle, {busy[-1]['p99_us']:,} us during a training")
    return idle, busy, measure.median(shares)


def median_of(loads, key):
    return measure.median(load[key] for load in loads)


def measure_all(bench):
    if not os.path.isdir(os.path.join(bench.data, "20newsgroups")):
        bench.say(f"20newsgroups is not at {bench.data}: training_load is not measured")
        return
    slipway, texts = spam_on(bench)
    add_posts(bench, slipway)
    plan = os.path.join(bench.work, "plan.json")
    with slipway.serve("Slipway") as running:
        running.wait_until(lambda: running.get("/healthz"))
        checker.write_plan(plan, checker.Caller(running.port), "spam", "spam", [1], texts)
        measure_load(bench, running, plan)  # warms up
        result = measure_rounds(bench, running, plan)
    write_report(bench, *result)


def write_report(bench, idle, busy, share):
    out = report.Report(bench, "training_load", "Answers during a training",
                        f"One comment a request, {RATE:,} requests a second over {CONNECTIONS} connections, each due at a moment "
                        "of its own: an answer's time counts from there, so that a server that stalls is not asked less. Every "
                        "answer is compared with what the model answered before. Idle, then during a training on the 11,314 "
                        f"posts of 20newsgroups, started through the same server, {SECONDS} s each; median of {bench.rounds} "
                        f"rounds in turn. The training had {share:.2f} cores of {os.cpu_count()}; server, client and training "
                        "share them.")
    keys = ("p50_us", "p99_us", "p999_us", "slowest_us")
    out.table(["load", "p50 us", "p99 us", "p99.9 us", "slowest us", "failed", "wrong"],
              [[name, *(f"{median_of(loads, key):,.0f}" for key in keys), sum(load["failed"] for load in loads),
                sum(load["mixed"] + load["unknown"] for load in loads)]
               for name, loads in (("idle", idle), ("during a training", busy))])
    out.bar("p99 during a training, of its idle value", median_of(busy, "p99_us") / median_of(idle, "p99_us"), 2, " x")
    out.bar("failed or wrong answers", sum(load[key] for load in idle + busy for key in ("failed", "mixed", "unknown")), 0)
    out.write()
