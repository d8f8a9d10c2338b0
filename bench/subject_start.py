"""Start: from the process's start to its first prediction, memory at rest, size, the command line."""
import json
import os
import time

import measure
import report
import server

MODELS, DEPLOYED = 100, 10


def prepare(bench):
    """A data folder with many models, of which some have a version that is deployed."""
    slipway = server.Slipway(bench, os.path.join(bench.work, "start"))
    slipway.learn_comments(server.comment_files(bench))
    for number in range(1, DEPLOYED):
        slipway.run("train", "--dataset", "comments@1", "--model", f"spam-{number}", "--seed", str(number))
        slipway.run("deploy", f"spam-{number}@1", "--endpoint", f"spam-{number}")
    with slipway.serve("Slipway") as running:
        running.wait_until(lambda: running.get("/healthz"))
        for number in range(DEPLOYED, MODELS):
            running.post(json.dumps({"name": f"spam-{number}"}), "/api/v1/models")
    return slipway


def start_once(slipway, body):
    """Seconds to the first answer, CPU seconds until then, bytes at rest: all, and its own share."""
    with slipway.serve("Slipway") as running:
        _, first = running.wait(body)
        cpu = measure.cpu_seconds(running.pid)
        time.sleep(1)
        return first, cpu, measure.resident_bytes(running.pid), own_bytes(running.pid)


def own_bytes(pid):
    """Its part of each page that it may share with others."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def stripped_size(bench):
    path = os.path.join(bench.work, "stripped")
    measure.run_process(["strip", "-o", path, bench.slipway])
    return os.path.getsize(path)


def measure_all(bench):
    slipway = prepare(bench)
    body = json.dumps({"data": [{"CONTENT": "check out my channel"}]})
    turns = max(bench.rounds, 5)
    starts = [start_once(slipway, body) for _ in range(turns)]
    first, cpu, resident, share = (measure.median(column) for column in zip(*starts))
    commands = [["--help"], ["model", "list", "--data", slipway.data]]
    runs = {" ".join(command[:2]): measure.median_run([measure.run_process([bench.slipway, *command])
                                                       for _ in range(turns * 3)]) for command in commands}
    out = report.Report(bench, "start", "Start and size",
                        f"{MODELS} registered models, {DEPLOYED} of them deployed; the first prediction is asked for over HTTP, "
                        f"again and again from the start of the process on. Median of {turns} starts.")
    out.table(["what", "measured"], [
        ["start to first prediction", f"{first * 1000:.1f} ms"],
        ["CPU until then", f"{cpu * 1000:.0f} ms"],
        ["resident memory, one second later", f"{report.mebibytes(resident)} MiB"],
        ["of it its own (PSS)", f"{report.mebibytes(share)} MiB"],
        ["binary", f"{report.mebibytes(os.path.getsize(bench.slipway))} MiB"],
        ["binary without debug information", f"{report.mebibytes(stripped_size(bench))} MiB"],
        *[[f"`slipway {name}`", f"{run.wall * 1000:.1f} ms, {run.cpu * 1000:.1f} ms CPU, "
                                f"{report.mebibytes(run.peak)} MiB"] for name, run in runs.items()]])
    out.bar("start to first prediction", first * 1000, 50, " ms")
    out.bar("idle memory", resident / 2**20, 16, " MiB")
    out.bar("binary", os.path.getsize(bench.slipway) / 2**20, 5, " MiB")
    out.write()
