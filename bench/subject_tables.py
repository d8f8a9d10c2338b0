"""Tables from end to end: memory against the size of a CSV, the first row of a leaderboard, many rows scored."""
import csv
import hashlib
import json
import os
import random
import shutil
import subprocess
import time

import measure
import report
import server

ROWS_SCORED = int(os.environ.get("BENCH_SCORED_ROWS", "3000000"))
SIZES = [int(size) for size in os.environ.get("BENCH_TABLE_MIB", "200,500,2048").split(",") if size]
BUDGET = int(os.environ.get("BENCH_TABLE_SECONDS", "60"))
ROOM = 5  # times a file's size that must be free, on the disk and in memory, for it to be measured
TRIP = ["VendorID", "lpep_pickup_datetime", "lpep_dropoff_datetime", "store_and_fwd_flag", "RatecodeID", "PULocationID",
        "DOLocationID", "passenger_count", "trip_distance", "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount",
        "improvement_surcharge", "total_amount", "payment_type", "trip_type", "congestion_surcharge"]
KNOWN_AFTER = ["lpep_dropoff_datetime=ignore"]  # with the pick-up's it is the duration
PROJECT = """project: trips
data:
  trips:
    source: unused.csv
    target: duration
    holdout: {share: 0.2, by: random, seed: 42}
release:
  endpoint: trips
  gate: {metric: rmse}
"""

# Of the sets that the project names: file, target, what else is said of columns.
FIRST_ROWS = [("bank", "bank-marketing/bankmarketing_train.csv", "y", []),
              ("adult", "adult-income/adult-train.csv", "income", []),
              ("credit-default", "credit-default/UCI_Credit_Card.csv", "default_next_month", ["ID=ignore"]),
              ("titanic", "titanic/train.csv", "Survived", ["PassengerId=ignore", "Name=ignore", "Ticket=ignore"]),
              ("covertype", "covertype-10k/covtype_sample.csv", None, []),
              ("california", "california-housing/housing.csv", "median_house_value", []),
              ("wine", "wine-quality/winequality-white.csv", "quality", ["quality=number"]),
              ("bike", "bike-sharing/hour.csv", "cnt", ["instant=ignore", "dteday=ignore", "casual=ignore", "registered=ignore"]),
              ("taxi", None, "duration", KNOWN_AFTER)]


def minutes_of(text):
    day, clock = text.split(" ")
    hours, minutes, seconds = clock.split(":")
    return (int(day[8:]) * 24 + int(hours)) * 60 + int(minutes) + int(seconds) / 60


def trips_of(bench):
    """The trips of a month: what a row says, and how long it took."""
    with open(os.path.join(bench.data, "nyc-green-taxi", "green_tripdata_2021-01.csv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    trips = []
    for row in rows:
        minutes = minutes_of(row["lpep_dropoff_datetime"]) - minutes_of(row["lpep_pickup_datetime"])
        if 1 <= minutes <= 60:
            trips.append(([row[name] for name in TRIP], minutes))
    return trips


def write_trips(path, trips, rows=None, size=None):
    """Trips again and again, distance and time a little different each time; returns how many."""
    chance = random.Random(42)
    place = TRIP.index("trip_distance")
    written = count = 0
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(TRIP) + ",duration\n")
        while (rows is None or count < rows) and (size is None or written < size):
            lines = []
            for cells, minutes in trips[:None if rows is None else rows - count]:
                factor = chance.uniform(0.9, 1.1)
                lines.append(f"{','.join(cells[:place])},{float(cells[place]) * factor:.3f},{','.join(cells[place + 1:])},"
                             f"{minutes * factor * chance.uniform(0.95, 1.05):.2f}\n")
            count += len(lines)
            written += file.write("".join(lines))
    return count


class Folder:
    """A data folder with a project of trips in it."""

    def __init__(self, bench, name):
        self.bench, self.slipway = bench, server.Slipway(bench, os.path.join(bench.work, name))
        with open(os.path.join(self.slipway.folder, "slipway.yaml"), "w", encoding="utf-8") as file:
            file.write(PROJECT)

    def command(self, *words):
        return measure.run_process([self.bench.slipway, *words, "--data", self.slipway.data, "--json"],
                                   cwd=self.slipway.folder, stderr=subprocess.DEVNULL)

    def add(self, path, target, columns=()):
        return self.command("data", "add", "trips", path, "--target", target, *(f"--column={column}" for column in columns))

    def artifact(self, digest):
        return os.path.join(self.slipway.data, "artifacts", digest[:2], digest[2:])

    def remove(self):
        server.remove_folder(self.slipway.folder)


def has_room(bench, size):
    with open("/proc/meminfo", encoding="utf-8") as file:
        free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    return min(free, shutil.disk_usage(bench.work).free) > ROOM * size


def train_size(bench, trips, mebibytes):
    folder = Folder(bench, f"size-{mebibytes}")
    path = os.path.join(bench.work, f"size-{mebibytes}.csv")
    count = write_trips(path, trips, size=mebibytes * 2**20)
    size = os.path.getsize(path)
    add = folder.add(path, "duration", KNOWN_AFTER)
    os.remove(path)
    train = folder.command("train", "--dataset", "trips@1", "--budget", BUDGET)
    metrics = {metric["key"]: metric["value"] for metric in folder.slipway.run("run", "list")["runs"][0]["metrics"]}
    folder.remove()
    bench.say(f"{mebibytes} MiB: import {report.mebibytes(add.peak)} MiB, training {report.mebibytes(train.peak)} MiB")
    return [f"{size / 2**20:.0f}", f"{count:,}", report.mebibytes(add.peak), f"{add.wall:.0f}", report.mebibytes(train.peak),
            f"{train.wall:.0f}", f"{train.cpu:.0f}", f"{max(add.peak, train.peak) / size:.2f}",
            f"{metrics.get('holdout.rmse', float('nan')):.3f}"], max(add.peak, train.peak) / size


def table_of_sizes(bench, out, trips):
    rows, share = [], None
    for mebibytes in SIZES:
        if not has_room(bench, mebibytes * 2**20):
            out.say(f"{mebibytes} MiB were left out: the machine has less than {ROOM} times that free.")
            continue
        row, share = train_size(bench, trips, mebibytes)
        rows.append(row)
    out.say("## Memory against size\n\nTrips of January 2021 written again and again, distance and duration a little different "
            "each time: the 19 columns of the city, one of them the time of the drop-off, which is not learnt from, and the duration. `slipway data add`, then `slipway train` with a budget of "
            f"{BUDGET} s, hold-out and report with them, no server; once each. Peaks are of the largest process.")
    out.table(["CSV MiB", "rows", "import peak MiB", "import wall s", "training peak MiB", "training wall s", "training CPU s",
               "peak, of the CSV's size", "RMSE of the hold-out"], rows)
    if rows:
        out.bar(f"peak memory for a CSV of {rows[-1][0]} MiB, of its size", share, 3, " x")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / measure.TICKS


def step(bench, name, job, cwd):
    process = subprocess.Popen([bench.slipway, "step", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, cwd=cwd)
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    return process


def first_rows_of(bench, job, cwd):
    """Wall and CPU seconds from the start of the step to the first row of its leaderboard, and to the first that learnt."""
    began, found = time.monotonic(), []
    process = step(bench, "train", job, cwd)
    for line in process.stdout:
        if line.startswith('{"progress"'):
            found += [time.monotonic() - began, cpu_of(process.pid)]
        if len(found) == 4 or line.startswith('{"error"'):
            break
    process.kill()
    process.wait()
    process.stdout.close()
    if len(found) < 4:
        raise RuntimeError(f"a training told of no rows: {line}")
    return found


def last_column(path):
    with open(path, encoding="utf-8") as file:
        return next(csv.reader(file))[-1]


def order_of(folder, target):
    """The job of a training of what was added, its hold-out drawn."""
    version = folder.slipway.run("data", "show", "trips")["version"]
    work = os.path.join(folder.slipway.folder, "work")
    holdout = os.path.join(work, "holdout.parquet")
    os.makedirs(os.path.join(work, "package"))
    rows = folder.artifact(version["rows"])
    draw = step(folder.bench, "draw-holdout", {"rows": rows, "holdout": holdout, "folder": work, "by": "random", "share": 0.2,
                                               "seed": 42, "columns": version["columns"]}, work)
    draw.stdout.read()
    draw.wait()
    with open(holdout, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    kind = next(column["type"] for column in version["columns"] if column["name"] == target)
    numbers = kind == "number" or target in ("cnt",)
    return {"rows": rows, "holdout": holdout, "holdout_digest": digest, "columns": version["columns"],
            "task": "regression" if numbers else "classification", "metric": "rmse" if numbers else "accuracy",
            "budget_seconds": 60, "seed": 42, "balance": False, "folder": os.path.join(work, "package")}, version["row_count"]


def table_of_first_rows(bench, out, trips):
    rows, slowest = [], (0, 0)
    for name, file, target, columns in FIRST_ROWS:
        folder = Folder(bench, f"first-{name}")
        path = os.path.join(bench.data, file) if file else os.path.join(bench.work, "first.csv")
        if not file:
            write_trips(path, trips, rows=len(trips))
        target = target or last_column(path)
        folder.add(path, target, columns)
        job, count = order_of(folder, target)
        found = [first_rows_of(bench, job, folder.slipway.folder) for _ in range(bench.rounds)]
        wall, cpu, learnt_wall, learnt_cpu = (measure.median(numbers) for numbers in zip(*found))
        slowest = max(slowest, (cpu, wall))
        rows.append([name, f"{count:,}", f"{cpu:.2f}", f"{wall:.2f}", f"{learnt_cpu:.2f}", f"{learnt_wall:.2f}"])
        folder.remove()
        bench.say(f"{name}: first row after {cpu:.2f} s of CPU time, first that learnt after {learnt_cpu:.2f} s")
    out.say("## The first row\n\nFrom the start of a training's step (the process, its libraries, the rows read) to the first row "
            "of its leaderboard, and to the first of a model that has learnt something, cross-validated. Median of "
            f"{bench.rounds} rounds.")
    out.table(["set", "rows", "first row, CPU s", "wall s", "first that learnt, CPU s", "wall s"], rows)
    out.bar("first row of the leaderboard, the slowest set, CPU", slowest[0], 1, " s")
    out.bar("first row of the leaderboard, the slowest set, wall clock", slowest[1], 1, " s")


def score_peak(bench, folder, path, model):
    output = os.path.join(bench.work, "answers.csv")
    job = {"artifacts": os.path.join(folder.slipway.data, "artifacts"), "package": model["package"], "model": "trips",
           "version": 1, "path": path, "name": "trips.csv", "form": "csv", "output": output}
    job_path = os.path.join(bench.work, "job.json")
    with open(job_path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    with open(job_path, encoding="utf-8") as file:
        run = measure.run_process([bench.slipway, "step", "score"], stdin=file, stderr=subprocess.DEVNULL)
    os.remove(output)
    return run


def table_of_scoring(bench, out, trips):
    folder = Folder(bench, "score")
    small, large = (os.path.join(bench.work, name) for name in ("learn.csv", "score.csv"))
    write_trips(small, trips, rows=len(trips))
    count = write_trips(large, trips, rows=ROWS_SCORED)
    folder.add(small, "duration", KNOWN_AFTER)
    folder.command("train", "--dataset", "trips@1", "--budget", BUDGET)
    model = folder.slipway.run("model", "show", "trips@1")["version"]
    own = [score_peak(bench, folder, large, model) for _ in range(bench.rounds)]
    peer = [measure.run_process([bench.python, os.path.join(bench.root, "bench", "peer_tables.py"), small, large,
                                 os.path.join(bench.work, "peer.csv")]) for _ in range(bench.rounds)]
    own, peer_run = measure.median_run(own), measure.median_run(peer)
    learnt = float(peer_run.output)
    rows = [["Slipway", report.mebibytes(own.peak), f"{own.cpu:.1f}", f"{own.wall:.1f}", f"{count / own.cpu:,.0f}"],
            ["scikit-learn", report.mebibytes(peer_run.peak), f"{peer_run.cpu - learnt:.1f}", f"{peer_run.wall - learnt:.1f}",
             f"{count / (peer_run.cpu - learnt):,.0f}"]]
    out.say(f"## Many rows scored\n\n{count:,} trips of a CSV of {os.path.getsize(large) / 2**20:.0f} MiB to a CSV of answers, whole "
            f"process; median of {bench.rounds} rounds. Slipway: the step that a pipeline's `uses: score` runs, by the model of "
            f"the automatic choice ({BUDGET} s). scikit-learn: HistGradientBoosting with its defaults, the file read by pandas "
            "100,000 rows at a time; what it took to learn is taken off.")
    out.table(["program", "peak MiB", "CPU s", "wall s", "rows a CPU second"], rows)
    out.bar(f"peak memory, {count:,} rows scored", own.peak / 2**20, 200, " MiB")
    folder.remove()


def measure_all(bench):
    out = report.Report(bench, "tables", "Tables",
                        "Trips of New York's green taxis and the public sets, through the whole product; `BENCH_TABLE_MIB` "
                        "(200,500,2048) are the sizes of the CSV, `BENCH_SCORED_ROWS` (3000000) the rows scored, "
                        "`BENCH_TABLE_SECONDS` (60) the budget of a search.")
    if not os.path.isdir(os.path.join(bench.data, "nyc-green-taxi")):
        out.say(f"The trips are not at {bench.data}: nothing was measured.")
    else:
        trips = trips_of(bench)
        table_of_first_rows(bench, out, trips)
        table_of_scoring(bench, out, trips)
        table_of_sizes(bench, out, trips)
    out.write()
