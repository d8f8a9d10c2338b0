"""Durable writes: metrics logged over HTTP by many clients, against SQLite alone."""
import json
import os

import load
import measure
import report
import server

CLIENTS = [1, 8, 64]
BODIES = 4096


def start_run(running):
    return json.loads(running.post(json.dumps({"name": "bench"}), "/api/v1/runs"))["id"]


def metric_bodies():
    """Each a point of its own: the step differs."""
    return [json.dumps({"metrics": [{"key": f"loss_{turn % 4}", "value": 1 / (turn + 3), "step": turn}]})
            for turn in range(BODIES)]


def measure_limit(bench, rows):
    """Rows a second and CPU microseconds a row of SQLite with so many rows a commit."""
    folder = os.path.join(bench.work, "limit")
    server.remove_folder(folder)
    os.makedirs(folder)
    run = measure.run_process([bench.program("bench_store"), folder, rows, bench.seconds])
    count, wall, cpu = (float(word) for word in run.output.split())
    return count / wall, cpu / count * 1e6


def measure_all(bench):
    slipway = server.Slipway(bench, os.path.join(bench.work, "store"))
    limits, loads = {rows: [] for rows in CLIENTS}, {clients: [] for clients in CLIENTS}
    with slipway.serve("Slipway") as running:
        running.wait_until(lambda: running.get("/healthz"))
        running.path = f"/api/v1/runs/{start_run(running)}/log"
        for turn in range(bench.rounds):
            for clients in CLIENTS:
                limits[clients].append(measure_limit(bench, clients))
                loads[clients].append(load.run_load(bench, running, metric_bodies(), clients, bench.seconds))
                bench.say(f"round {turn + 1}, {clients} clients: {loads[clients][-1].rate:,.0f} writes/s, SQLite alone "
                          f"{limits[clients][-1][0]:,.0f}")
    write_report(bench, limits, loads)


def write_report(bench, limits, loads):
    out = report.Report(bench, "store", "Durable writes",
                        "One point of a metric a request over HTTP, answered when it is on the disk (`POST "
                        "/api/v1/runs/{run_id}/log`); writes of clients that wait together share a commit. The limit is a "
                        "loop over SQLite with the same durability (WAL, synchronous=FULL) and no HTTP, JSON, checks or "
                        f"other clients, with as many rows a commit as there are clients. Median of {bench.rounds} rounds; the disk is "
                        "shared too, so the share of the limit is the median of the rounds' own.")
    rows = []
    for clients in CLIENTS:
        rate = measure.median(limit[0] for limit in limits[clients])
        cpu = measure.median(limit[1] for limit in limits[clients])
        one = load.median_load(loads[clients])
        share = measure.median(run.rate / limit[0] for run, limit in zip(loads[clients], limits[clients]))
        rows.append([clients, f"{one.rate:,.0f}", f"{one.p50:,.0f}", f"{one.p99:,.0f}", f"{one.cpu:.1f}",
                     f"{one.errors:.0f}", f"{rate:,.0f}", f"{cpu:.1f}", f"{share:.2f}"])
    out.table(["clients", "writes/s", "p50 us", "p99 us", "CPU us a write", "errors", "SQLite alone: rows/s",
               "CPU us a row", "of the limit"], rows)
    out.write()
