"""What tracking takes beside MLflow's server: memory under load, bytes on the disk for a point, memory while a large file goes
up and down."""
import hashlib
import http.client
import os
import sqlite3
import time

import measure
import peer_tracking
import report
import server
import tracking_load

LENGTHS = [100, 10_000]  # points of a metric
RUNS = 256             # that points are logged to
FILLED = 10_000        # runs that are searched
POINTS = int(os.environ.get("BENCH_FOOTPRINT_POINTS", "200000"))
FILE_BYTES = int(os.environ.get("BENCH_FILE_MIB", "5120")) << 20
PIECE = 1 << 20
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
SEARCH = '{"experiment_ids": ["%s"], "filter": "metrics.auc > 0.5 and params.model = \'m3\'", ' \
         '"order_by": ["metrics.auc DESC"], "max_results": 100}'
PEER_LOADS = ["log a metric"]  # 64 clients of any other take mlflow's server minutes, and get errors
MEMORY_BAR, POINT_BAR, FILE_BAR = 150, 5, 64


def database_of(running, slipway):
    return running.database if hasattr(running, "database") else os.path.join(slipway.data, "slipway.db")


def used_bytes(database):
    """Of the pages that are in use, whether they are in the file or still in its log."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)
    pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
    connection.close()
    return (pages - free) * size


# ---- memory under load ----

def fill(tracker):
    """An experiment of runs to be searched, and the ids of those that are written to."""
    searched = tracker.create_experiment("searched")
    if tracker.name == "Slipway":
        tracker.fill_runs(searched, FILLED, "ids-filled")
    else:
        peer_tracking.fill_experiment(tracker.running.database, int(searched), FILLED, tracking_load.MODELS)
    written = tracker.create_experiment("written")
    return searched, written, tracker.make_runs(written, RUNS, connections=8)


def measure_memory(bench, tracker, filled):
    """{load: most bytes of memory}."""
    searched, written, ids = filled
    seconds = bench.seconds
    loads = {
        "log a metric": lambda: tracker.post("runs/log-metric", tracking_load.LOG_METRIC, 64, seconds=seconds, ids=ids),
        "log 1,000 metrics": lambda: tracker.post("runs/log-batch", tracking_load.LOG_BATCH, 64, seconds=seconds, ids=ids),
        "create a run": lambda: tracker.post("runs/create", tracking_load.CREATE_RUN % written, 64, seconds=seconds),
        "search 10,000 runs": lambda: tracker.post("runs/search", SEARCH % searched, 64, seconds=seconds, first=0),
    }
    peaks = {}
    for what, ask in loads.items():
        if tracker.name != "Slipway" and what not in PEER_LOADS:
            continue
        measure.forget_peaks(tracker.running.pid)
        ask()
        peaks[what] = measure.peak_bytes(tracker.running.pid)
        bench.say(f"{tracker.name}, {what}: {report.mebibytes(peaks[what])} MiB")
    return peaks


# ---- bytes on the disk ----

def measure_points(tracker, database, length):
    """Bytes a point of metrics that have so many of them, ten of a run, logged in batches of 1,000 by a client."""
    experiment = tracker.create_experiment(f"{length} points")
    ids = tracker.make_runs(experiment, POINTS // length // 10, name=f"ids-{length}-points", connections=1)
    before = used_bytes(database)
    sent = tracker.post("runs/log-batch", tracking_load.LOG_BATCH, 1, count=POINTS // 1000, ids=ids)
    if sent.errors:
        raise RuntimeError(f"{tracker.name} refused {sent.errors} batches")
    return (used_bytes(database) - before) / POINTS


# ---- a large file ----

def pieces(size, digest):
    """Bytes that differ from piece to piece."""
    rest = os.urandom(PIECE - 8)
    for number in range(size // PIECE):
        piece = number.to_bytes(8, "little") + rest
        digest.update(piece)
        yield piece


def send_file(running, path):
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=tracking_load.ASK_SECONDS_MAX)
    connection.request("PUT", ARTIFACTS + path, pieces(FILE_BYTES, digest), {"Content-Length": str(FILE_BYTES)})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{running.name} answers {answer.status}: {text[:300]}")
    return digest.hexdigest()


def fetch_file(running, path):
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=tracking_load.ASK_SECONDS_MAX)
    connection.request("GET", ARTIFACTS + path)
    answer = connection.getresponse()
    while piece := answer.read(PIECE):
        digest.update(piece)
    connection.close()
    return digest.hexdigest()


def measure_file(bench, tracker):
    """A row of the table for each way, and the most that memory grew by."""
    run = tracker.ask("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    path = f"0/{run}/artifacts/large.bin"
    rows, growths, digests = [], [], []
    for way, do in (("up", send_file), ("down", fetch_file)):
        pid = tracker.running.pid
        before = measure.resident_bytes(pid)
        measure.forget_peaks(pid)
        cpu, began = measure.cpu_seconds(pid), time.monotonic()
        digests.append(do(tracker.running, path))
        wall, cpu = time.monotonic() - began, measure.cpu_seconds(pid) - cpu
        growths.append(measure.peak_bytes(pid) - before)
        rows.append([tracker.name, way, f"{FILE_BYTES / 2**30:g}", f"{wall:.1f}", f"{cpu:.1f}", report.mebibytes(before),
                     report.mebibytes(growths[-1])])
        bench.say(f"{tracker.name}, {way}: {wall:.1f} s, {report.mebibytes(growths[-1])} MiB more")
    if len(set(digests)) != 1:
        raise RuntimeError(f"{tracker.name} gave another file back")
    return rows, max(growths)


def measure_all(bench):
    slipway = server.Slipway(bench, os.path.join(bench.work, "footprint"))
    peaks, points, files = {}, {}, {}
    with slipway.serve("Slipway") as own, peer_tracking.start(bench) as peer:
        own.wait_until(lambda: own.get("/health"))
        peer_tracking.wait(peer, lambda: peer.get("/health"))
        for running in (own, peer):
            tracker = tracking_load.Tracker(bench, running)
            filled = fill(tracker)
            points[running.name] = [measure_points(tracker, database_of(running, slipway), length) for length in LENGTHS]
            peaks[running.name] = measure_memory(bench, tracker, filled)
            files[running.name] = measure_file(bench, tracker)
    write_report(bench, peaks, points, files)


def write_report(bench, peaks, points, files):
    own, peer = "Slipway", "mlflow server"
    out = report.Report(bench, "footprint", "What tracking takes",
                        "Memory and disk of Slipway and of `mlflow server` with SQLite, its default workers and files below it, "
                        "both asked by MLflow's REST on one machine. Memory is what is resident of all processes of a server.")
    out.say(f"## Memory under load\n\n64 connections for {bench.seconds} s each, one load after the other on the same server: the "
            f"most that it held. {FILLED:,} runs with three metrics and three params are searched. mlflow's server is asked for single points alone: "
            "64 clients of the others wait for minutes and are refused.")
    out.table(["what", "Slipway, MiB", "mlflow, MiB"],
              [[what, report.mebibytes(size), report.mebibytes(peaks[peer][what]) if what in PEER_LOADS else ""] for what, size in peaks[own].items()])
    out.say(f"## Points on the disk\n\n{POINTS:,} points of random values, ten metrics a run, in batches of 1,000; what the database "
            "grew by, without free pages.")
    out.table(["points of a metric", "Slipway, bytes a point", "mlflow, bytes a point", "ratio"],
              [[f"{length:,}", f"{own_size:.1f}", f"{peer_size:.1f}", report.ratio(peer_size / own_size)]
               for length, own_size, peer_size in zip(LENGTHS, points[own], points[peer])])
    out.say("## A large file\n\nSent whole by one client, then fetched; both have the same SHA-256. The growth is the most that was "
            "resident meanwhile, less what was before.")
    out.table(["server", "way", "GiB", "seconds", "CPU seconds", "memory before, MiB", "growth, MiB"], files[own][0] + files[peer][0])
    out.bar("most memory under load", max(peaks[own].values()) / 2**20, MEMORY_BAR, " MiB")
    for length, own_size, peer_size in zip(LENGTHS, points[own], points[peer]):
        out.bar(f"mlflow's bytes a point, of Slipway's, metrics of {length:,}", peer_size / own_size, POINT_BAR, " x", at_least=True)
    out.bar("growth while a large file goes up or down", files[own][1] / 2**20, FILE_BAR, " MiB")
    out.write()
