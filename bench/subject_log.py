"""What the log of predictions costs: CPU of its two threads, bytes on disk, what it had no room for."""
import glob
import json
import os
import sqlite3
import urllib.error

import load
import measure
import peer_text
import report
import server

CONNECTIONS = 32
THREADS = {"prediction-log": "making batches", "writer": "writing them"}


def thread_seconds(pid):
    """Time on a processor by the thread's name."""
    found = {}
    for task in glob.glob(f"/proc/{pid}/task/*"):
        with open(os.path.join(task, "comm")) as file:
            name = file.read().strip()
        with open(os.path.join(task, "schedstat")) as file:
            found[name] = found.get(name, 0) + int(file.read().split()[0]) / 1e9
    return found


def counts_of(running):
    lines = [line.split() for line in running.get("/metrics").splitlines() if line.startswith("slipway_predictions_")]
    return [float(dict(lines)[f"slipway_predictions_{what}_total"]) for what in ("logged", "dropped")]


def stored_bytes(slipway):
    """Of all pages of the log's tables and indexes."""
    with sqlite3.connect(os.path.join(slipway.data, "slipway.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page, pages, free = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count"))
    return page * (pages - free)


def measure_one(bench, slipway, bodies, headers):
    before = stored_bytes(slipway)
    with slipway.serve("Slipway") as running:
        running.headers.update(headers)
        running.wait(bodies[0])
        started, whole = thread_seconds(running.pid), measure.cpu_seconds(running.pid)
        load.run_load(bench, running, bodies, CONNECTIONS, bench.seconds)
        # the next answers nothing until what came before it is on the disk
        try:
            running.get("/api/v1/predictions/not-there")
        except urllib.error.HTTPError:
            pass
        ended, whole = thread_seconds(running.pid), measure.cpu_seconds(running.pid) - whole
        logged, dropped = counts_of(running)
    return {**{name: (ended[name] - started[name]) / logged * 1e6 for name in THREADS}, "all": whole / logged * 1e6,
            "bytes": (stored_bytes(slipway) - before) / logged, "logged": logged, "dropped": dropped}


def measure_all(bench):
    files = server.comment_files(bench)
    comments, _ = peer_text.read_comments(files)
    bodies = [json.dumps({"data": [{"CONTENT": comment}]}, ensure_ascii=False) for comment in comments]
    text = sum(len(comment.encode()) for comment in comments) / len(comments)
    slipway = server.Slipway(bench, os.path.join(bench.work, "log"))
    bench.say("training the model")
    slipway.learn_comments(files)
    kinds = [("ids of ours", {}), ("ids given by callers", {"X-Request-Id": "order-{number}"})]
    results = {name: [measure_one(bench, slipway, bodies, headers) for _ in range(bench.rounds)] for name, headers in kinds}
    write_report(bench, text, {name: {key: measure.median(one[key] for one in rounds) for key in rounds[0]}
                               for name, rounds in results.items()})


def write_report(bench, text, results):
    out = report.Report(bench, "log", "Logging every prediction",
                        f"One comment a request ({text:.0f} bytes of text on average) over {CONNECTIONS} kept-alive "
                        f"connections, as fast as they are answered, for {bench.seconds} s; median of {bench.rounds} rounds. "
                        "The CPU is that of the two threads of the log; what a request puts into its ring is part of its "
                        "answer. Bytes are those that the database grew by, indexes included.")
    out.table(["requests with", "logged", "dropped", "CPU us: " + THREADS["prediction-log"], "CPU us: " + THREADS["writer"],
               "CPU us of the server", "bytes a request"],
              [[name, f"{one['logged']:,.0f}", f"{one['dropped']:,.0f}", f"{one['prediction-log']:.2f}", f"{one['writer']:.2f}",
                f"{one['all']:.1f}", f"{one['bytes']:.0f}"] for name, one in results.items()])
    own = results["ids of ours"]
    out.bar("CPU of the log, a request", own["prediction-log"] + own["writer"], 1, " us")
    out.bar("bytes of a logged request beyond its text", own["bytes"] - text, 100)
    out.bar("dropped", max(one["dropped"] for one in results.values()), 0)
    out.write()
