"""Slipway beside MLflow's own tracking server, under the same requests of MLflow's clients."""
import http.client
import json
import os
import re
import time

import measure
import peer_tracking
import report
import server
import tracking_load

RUNS = 256             # that points are logged to
CREATED_MAX = 2_000    # a load, so that tables have the sizes that are said
SEARCHED = [10_000, 100_000]
PEER_SEARCHED_OFTEN = 10_000  # one of more runs takes mlflow's server minutes
HISTORY_POINTS = int(os.environ.get("BENCH_POINTS", "1000000"))
HISTORY_PAGE = 25_000  # as MLflow's client asks
GROWTH = [1_000, 10_000, 100_000, 1_000_000]
GROWTH_MAX = int(os.environ.get("BENCH_RUNS", "1000000"))

# what is asked, connections
LOADS = [("log a metric", 1), ("log a metric", 8), ("log a metric", 64), ("log 1,000 metrics", 1), ("log 1,000 metrics", 8),
         ("create a run", 1), ("create a run", 8), ("get a run", 1), ("get a run", 8)]
BARS = {"log a metric": 50, "log 1,000 metrics": 20, "create a run": 30}  # of mlflow's most a second
SEARCH_BAR = 50
SEARCH_P99_MS = {100_000: 10}
GROWN_P99_MS = {1_000_000: 60}
CHECKED_FROM = 10_000  # runs, of which enough are found


def search_body(experiment_id):
    return json.dumps({"experiment_ids": [experiment_id], "filter": "metrics.auc > 0.5 and params.model = 'm3'",
                       "order_by": ["metrics.auc DESC"], "max_results": 100})


def ask_once(tracker, what, connections, experiment_id, ids):
    seconds = tracker.bench.seconds
    if what == "log a metric":
        return tracker.post("runs/log-metric", tracking_load.LOG_METRIC, connections, seconds=seconds, ids=ids)
    if what == "log 1,000 metrics":
        return tracker.post("runs/log-batch", tracking_load.LOG_BATCH, connections, seconds=seconds, ids=ids)
    if what == "create a run":
        return tracker.post("runs/create", tracking_load.CREATE_RUN % experiment_id, connections, seconds=seconds, count=CREATED_MAX)
    return tracker.get(f"runs/get?run_id={tracking_load.RUN_ID}", connections, seconds=seconds, ids=ids)


def measure_loads(bench, trackers):
    """Each round visits both servers with each load."""
    experiments = {tracker.name: tracker.create_experiment("loads") for tracker in trackers}
    ids = {tracker.name: tracker.make_runs(experiments[tracker.name], RUNS, connections=8) for tracker in trackers}
    results = {(tracker.name, *one): [] for tracker in trackers for one in LOADS}
    for turn in range(bench.rounds):
        for what, connections in LOADS:
            for tracker in trackers:
                one = ask_once(tracker, what, connections, experiments[tracker.name], ids[tracker.name])
                results[tracker.name, what, connections].append(one)
                bench.say(f"round {turn + 1}, {tracker.name}, {what}, {connections}: {one.rate:,.1f}/s, {one.cpu:,.0f} us")
    return {key: tracking_load.median_result(several) for key, several in results.items()}


def check_found(tracker, experiment_id):
    runs = tracker.ask("runs/search", json.loads(search_body(experiment_id)))["runs"]
    values = [next(one["value"] for one in run["data"]["metrics"] if one["key"] == "auc") for run in runs]
    models = {one["value"] for run in runs for one in run["data"]["params"] if one["key"] == "model"}
    if len(runs) != 100 or models != {"m3"} or values != sorted(values, reverse=True) or values[-1] <= 0.5:
        raise RuntimeError(f"{tracker.name} found {len(runs)} runs of {models}, {values[:3]} to {values[-3:]}")


def measure_search(bench, trackers, count):
    results = {tracker.name: [] for tracker in trackers}
    experiments = {}
    for tracker in trackers:
        bench.say(f"{tracker.name}: putting {count:,} runs in")
        experiments[tracker.name] = experiment_id = tracker.create_experiment(f"{count} runs")
        if tracker.name == "Slipway":
            tracker.fill_runs(experiment_id, count, f"ids-{count}")
        else:
            peer_tracking.fill_experiment(tracker.running.database, int(experiment_id), count, tracking_load.MODELS)
        check_found(tracker, experiment_id)
    for turn in range(bench.rounds):
        for tracker in trackers:
            if turn and count > PEER_SEARCHED_OFTEN and tracker.name != "Slipway":
                continue
            results[tracker.name].append(tracker.post("runs/search", search_body(experiments[tracker.name]), 1,
                                                      seconds=bench.seconds, first=0))
            bench.say(f"{tracker.name}, search of {count:,}: {results[tracker.name][-1].rate:,.2f}/s")
    return {name: tracking_load.median_result(several) for name, several in results.items()}


# ---- the history of a metric ----

def read_history(running, run_id):
    """All of it, page after page; the number of points and of bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)
    token, points, size = "", 0, 0
    while True:
        connection.request("GET", f"{tracking_load.API}metrics/get-history?run_id={run_id}&metric_key=long&max_results="
                                  f"{HISTORY_PAGE}" + (f"&page_token={token}" if token else ""))
        text = connection.getresponse().read()
        points, size = points + text.count(b'"step"'), size + len(text)
        found = re.search(rb'"next_page_token": ?"([^"]+)"', text)
        if not found:
            return points, size
        token = found[1].decode()


def fill_history(tracker, run_id):
    ids = tracker.write("history-ids", f"{run_id}\n")
    if tracker.name != "Slipway":
        peer_tracking.fill_history(tracker.running.database, run_id, HISTORY_POINTS)
        return
    batch = tracking_load.log_batch(tracking_load.metric_text("long", index) for index in range(1000))
    tracker.post("runs/log-batch", batch, 1, count=HISTORY_POINTS // 1000, ids=ids, first=0)


def measure_history(bench, tracker):
    """A row of the table."""
    run_id = tracker.ask("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    bench.say(f"{tracker.name}: putting {HISTORY_POINTS:,} points in")
    fill_history(tracker, run_id)
    pid = tracker.running.pid
    before = measure.resident_bytes(pid)
    measure.forget_peaks(pid)
    cpu, began = measure.cpu_seconds(pid), time.monotonic()
    points, size = read_history(tracker.running, run_id)
    wall, cpu = time.monotonic() - began, measure.cpu_seconds(pid) - cpu
    if points != HISTORY_POINTS:
        raise RuntimeError(f"{tracker.name} has {points} of {HISTORY_POINTS} points")
    return [tracker.name, f"{points:,}", f"{size / 2**20:.0f}", f"{wall:.2f}", f"{cpu:.2f}", report.mebibytes(before),
            report.mebibytes(measure.peak_bytes(pid))]


# ---- a table that grows ----

def measure_growth(bench, tracker):
    """A row of the table, and the search's p99 in milliseconds, by how many runs Slipway's table has."""
    experiment_id = tracker.create_experiment("growth")
    rows, p99s, have = [], {}, 0
    for size in [one for one in GROWTH if one <= GROWTH_MAX]:
        bench.say(f"{tracker.name}: up to {size:,} runs")
        ids = tracker.fill_runs(experiment_id, size - have, f"growth-{size}")
        have = size
        loads = {what: [ask_once(tracker, what, 8, experiment_id, ids) for _ in range(bench.rounds)]
                 for what in ("log a metric", "create a run", "get a run")}
        have += sum(one.answers for one in loads["create a run"])
        medians = {what: tracking_load.median_result(several) for what, several in loads.items()}
        if size >= CHECKED_FROM:
            check_found(tracker, experiment_id)
        search = tracking_load.median_result([
            tracker.post("runs/search", search_body(experiment_id), 1, seconds=bench.seconds, first=0) for _ in range(bench.rounds)])
        p99s[size] = search.p99 / 1000
        rows.append([f"{size:,}"] + [f"{getattr(one, name):,.0f}" for one in medians.values() for name in ("rate", "cpu")]
                    + [f"{search.rate:,.1f}", f"{search.cpu:,.0f}", f"{search.p99 / 1000:,.1f}"])
    return rows, p99s


def measure_all(bench):
    slipway = server.Slipway(bench, os.path.join(bench.work, "tracking"))
    with slipway.serve("Slipway") as own, peer_tracking.start(bench) as peer:
        own.wait_until(lambda: own.get("/health"))
        peer_tracking.wait(peer, lambda: peer.get("/health"))
        trackers = [tracking_load.Tracker(bench, own), tracking_load.Tracker(bench, peer)]
        loads = measure_loads(bench, trackers)
        searches = {count: measure_search(bench, trackers, count) for count in SEARCHED}
        histories = [measure_history(bench, tracker) for tracker in trackers]
    fresh = server.Slipway(bench, os.path.join(bench.work, "growth"))
    with fresh.serve("Slipway, growing") as own:
        own.wait_until(lambda: own.get("/health"))
        growth = measure_growth(bench, tracking_load.Tracker(bench, own))
    write_report(bench, loads, searches, histories, growth)


def load_row(own, peer, *names):
    return [*names, f"{own.rate:,.1f}", f"{peer.rate:,.1f}", report.ratio(own.rate / peer.rate), f"{own.cpu:,.0f}",
            f"{peer.cpu:,.0f}", report.ratio(peer.cpu / own.cpu), f"{own.p50:,.0f}", f"{peer.p50:,.0f}", f"{own.p99:,.0f}",
            f"{peer.p99:,.0f}", f"{own.errors:.0f} / {peer.errors:.0f}"]


def write_report(bench, loads, searches, histories, growth):
    peer = "mlflow server"
    grown, p99s = growth
    out = report.Report(bench, "tracking", "Tracking, beside MLflow's server",
                        "The same requests of MLflow's REST to Slipway and to `mlflow server` with SQLite in a fresh folder and "
                        "its default workers, over kept-alive connections by one client in C (`bench_tracking`), each "
                        f"connection one request at a time, {bench.seconds} s, median of {bench.rounds} rounds that visit both "
                        f"servers in turn. Points go to {RUNS} runs in turn, and every one is another. Slipway answers a "
                        "write when it is flushed to the disk. Servers and client share the machine.")
    columns = ["Slipway/s", "mlflow/s", "ratio", "Slipway CPU us", "mlflow CPU us", "ratio", "Slipway p50 us", "mlflow p50 us",
               "Slipway p99 us", "mlflow p99 us", "errors"]
    out.table(["what", "connections"] + columns,
              [load_row(loads["Slipway", what, connections], loads[peer, what, connections], what, connections)
               for what, connections in LOADS])
    out.say("## Search\n\nThe best 100 by a metric of the runs above a value of it with a value of a param, which is every "
            "twentieth: `metrics.auc > 0.5 and params.model = 'm3'`, ordered by `metrics.auc DESC`. Each run has three "
            "metrics and three params; MLflow's are put into its tables by SQL, and it is asked in one round alone for the most.")
    out.table(["runs"] + columns, [load_row(one["Slipway"], one[peer], f"{count:,}") for count, one in searches.items()])
    out.say(f"## The history of a metric\n\nRead in pages of {HISTORY_PAGE:,} points, as MLflow's client does. The memory is that of "
            "all processes of the server.")
    out.table(["server", "points", "MiB", "seconds", "CPU seconds", "memory before, MiB", "at most, MiB"], histories)
    out.say("## More and more runs\n\nSlipway alone, with so many runs in its table, each with three metrics and "
            "three params: 8 connections, and one that searches as above.")
    out.table(["runs", "log a metric/s", "CPU us", "create a run/s", "CPU us", "get a run/s", "CPU us", "search/s", "CPU us",
               "p99 ms"], grown)
    for what, limit in BARS.items():
        most = [max(one.rate for key, one in loads.items() if key[:2] == (name, what)) for name in ("Slipway", peer)]
        out.bar(f"of mlflow's most a second: {what}", most[0] / most[1], limit, " x", at_least=True)
    for count, one in searches.items():
        out.bar(f"of mlflow's searches a second, {count:,} runs", one["Slipway"].rate / one[peer].rate, SEARCH_BAR, " x",
                at_least=True)
    for count, limit in SEARCH_P99_MS.items():
        out.bar(f"p99 of searches, {count:,} runs", searches[count]["Slipway"].p99 / 1000, limit, " ms")
    for count, p99 in p99s.items():
        if count in GROWN_P99_MS:
            out.bar(f"p99 of searches, {count:,} runs", p99, GROWN_P99_MS[count], " ms")
    out.write()
