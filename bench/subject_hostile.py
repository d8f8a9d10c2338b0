"""Slow and too many clients: what good ones and probes notice of them, and what an overload leaves of the goodput."""
import json
import os
import subprocess
import threading
import time

import load
import measure
import report
import server
import subject_serving

DRIPPERS = 5000
SOURCES = 2  # addresses of the drippers: each stays below what one address may have
KINDS = [("nobody", "none"), ("a header, a byte a second", "header"), ("a body, a byte a second", "body"),
         ("never send", "silent"), ("never read their answers", "reader")]
RATE = 1000  # good requests a second
ROWS = 1500  # of a prediction that needs a worker
CONNECTIONS = 1024  # more than are answered in the second that one may wait
OVERLOADS = [0.5, 1, 2, 3, 5]
PROCESSORS = sorted(os.sched_getaffinity(0))  # the first for the server, the last for the load


def drip(bench, running, **options):
    """One run of bench_drip beside the server: what it printed."""
    words = [f"{name}={value}" for name, value in options.items()]
    done = subprocess.run([bench.program("bench_drip"), f"port={running.port}", f"path={running.path}",
                           f"seconds={bench.seconds}", *words],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def on_first_processor():
    os.sched_setaffinity(0, PROCESSORS[:1])


class Peak:
    """The most memory a process has while a "with" block runs."""

    def __init__(self, pid):
        self.pid, self.before, self.most = pid, measure.resident_bytes(pid), 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(0.1):
            self.most = max(self.most, measure.resident_bytes(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def each(self):
        return max(self.most - self.before, 0) / DRIPPERS


def serve(slipway):
    port, probe = server.free_port(), server.free_port()
    command = [slipway.program, "server", "--port", port, "--probe-port", probe, "--data", slipway.data, "--quiet"]
    running = server.Server("Slipway", command, port, "/endpoints/spam/predict", preexec_fn=on_first_processor)
    running.probe = probe
    return running


def serve_bare(bench, path):
    """libmicrohttpd alone, whatever it is asked."""
    port = server.free_port()
    return server.Server("bare libmicrohttpd", [bench.program("bench_bare"), port, path], port, "/endpoints/spam/predict",
                         preexec_fn=on_first_processor)


def written(bench, name, text):
    path = os.path.join(bench.work, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def measure_kind(bench, start, body, kind):
    """The runs, and memory of each dripper; a new process for each run, so that the memory is its own."""
    options = {"body": body, "rate": RATE, "sources": SOURCES}
    if kind != "none":
        options.update(kind=kind, drippers=DRIPPERS)
    runs, memory = [], []
    for _ in range(bench.rounds):
        with start() as running:
            running.wait(open(body).read())
            with Peak(running.pid) as peak:
                runs.append(drip(bench, running, probe=getattr(running, "probe", 0), **options))
            memory.append(peak.each())
    return runs, measure.median(memory)


def median_of(runs, stream, figure):
    return measure.median(run[stream][figure] for run in runs)


def unanswered(runs, stream):
    return sum(run[stream]["due"] - run[stream]["ok"] for run in runs)


def measure_overload(bench, running, body):
    """Peak goodput and what is left of it at multiples of the capacity, which is that of a closed loop."""
    text = open(body).read()
    capacity = measure.median(load.run_load(bench, running, [text], 32, bench.seconds).rate for _ in range(bench.rounds))
    bench.say(f"capacity: {capacity:.0f} large predictions a second")
    runs = {times: [] for times in OVERLOADS}
    for _ in range(bench.rounds):
        for times in OVERLOADS:
            runs[times].append(drip(bench, running, body=body, rate=max(int(capacity * times), 1), connections=CONNECTIONS,
                                    probe=running.probe))
            time.sleep(0.5)
    return capacity, runs


def measure_crowd(bench, running, bodies):
    """Small predictions run to completion on the loops: five times the connections share what there is."""
    rates = {connections: [] for connections in (32, 160)}
    for _ in range(bench.rounds):
        for connections, found in rates.items():
            found.append(load.run_load(bench, running, bodies, connections, bench.seconds).rate)
    return measure.median(rates[160]) / measure.median(rates[32])


def measure_all(bench):
    os.sched_setaffinity(0, PROCESSORS[-1:])  # what this process starts, but for servers
    try:
        measure_here(bench)
    finally:
        os.sched_setaffinity(0, PROCESSORS)


def measure_here(bench):
    files = server.comment_files(bench)
    comments = subject_serving.comments_of(files)
    slipway = server.Slipway(bench, os.path.join(bench.work, "hostile"))
    bench.say("training the model")
    slipway.learn_comments(files)
    bodies = [json.dumps({"data": [{"CONTENT": comment}]}, ensure_ascii=False) for comment in comments]
    body = written(bench, "one.json", bodies[0])
    many = written(bench, "many.json", json.dumps({"data": [{"CONTENT": comments[i % len(comments)]} for i in range(ROWS)]}))
    with serve(slipway) as running:
        answer = written(bench, "answer.json", running.wait(bodies[0])[0])
    figures, bare = {}, {}
    for _, kind in KINDS:
        figures[kind] = measure_kind(bench, lambda: serve(slipway), body, kind)
        bare[kind] = measure_kind(bench, lambda: serve_bare(bench, answer), body, kind)
        bench.say(f"{kind}: p99 {median_of(figures[kind][0], 'good', 'p99_us'):,.0f} us, bare handler "
                  f"{median_of(bare[kind][0], 'good', 'p99_us'):,.0f} us")
    with serve(slipway) as running:
        running.wait(bodies[0])
        capacity, overload = measure_overload(bench, running, many)
        crowd = measure_crowd(bench, running, bodies)
    write_report(bench, figures, bare, capacity, overload, crowd)


def dripping_rows(figures, bare):
    rows = []
    for words, kind in KINDS:
        runs, memory = figures[kind]
        rows.append([words, f"{median_of(runs, 'good', 'p50_us'):,.0f}", f"{median_of(runs, 'good', 'p99_us'):,.0f}",
                     unanswered(runs, "good"), f"{median_of(runs, 'health', 'p99_us'):,.0f}", unanswered(runs, "health"),
                     f"{median_of(runs, 'probe', 'p99_us'):,.0f}", unanswered(runs, "probe"),
                     f"{memory / 1024:.1f}" if kind != "none" else "", f"{median_of(bare[kind][0], 'good', 'p99_us'):,.0f}",
                     unanswered(bare[kind][0], "good")])
    return rows


def overload_rows(overload):
    rows = []
    for times, runs in overload.items():
        due = median_of(runs, "good", "due")
        rows.append([f"{times:g} x", f"{median_of(runs, 'good', 'rate'):,.0f}", f"{median_of(runs, 'good', 'refused') / due:.0%}",
                     f"{median_of(runs, 'good', 'p50_us') / 1000:,.1f}", f"{median_of(runs, 'good', 'p99_us') / 1000:,.1f}",
                     f"{median_of(runs, 'good', 'refused_p50_us') / 1000:,.1f}",
                     f"{median_of(runs, 'good', 'refused_p99_us') / 1000:,.1f}",
                     sum(run["good"]["failed"] for run in runs), unanswered(runs, "health") + unanswered(runs, "probe")])
    return rows


def write_report(bench, figures, bare, capacity, overload, crowd):
    out = report.Report(bench, "hostile", "Slow and too many clients",
                        f"{DRIPPERS:,} connections that hold a place and give nothing for it, from {SOURCES} addresses; who is "
                        f"cut comes again a second later. Among them good clients: {RATE:,} predictions of one comment a second "
                        "at fixed times (open loop; latency counts from when a request was due), and ten questions a second for "
                        "`/healthz` on the port of all and on the port for probes. The bare handler is libmicrohttpd alone, with "
                        f"room for all and no deadline. Server and load have a processor each; {bench.seconds} s, median of "
                        f"{bench.rounds} rounds, unanswered requests of all rounds together.")
    out.table(["drippers", "p50 us", "p99 us", "unanswered", "/healthz p99 us", "unanswered", "probe p99 us", "unanswered",
               "KiB a dripper", "bare handler: p99 us", "unanswered"], dripping_rows(figures, bare))
    out.say("## Overload")
    out.say(f"Predictions of {ROWS:,} comments, which run on workers: the capacity is what 32 clients get that wait for their "
            f"answers, {capacity:,.0f} a second. More than can be answered within a second are refused with 429.")
    out.table(["asked, of the capacity", "answered a second", "refused", "answered: p50 ms", "p99 ms", "refused: p50 ms",
               "p99 ms", "failed", "probes unanswered"], overload_rows(overload))
    out.say(f"Small predictions run on the loops, one after the other: 160 clients get {crowd:.0%} of the rate that 32 get.")
    peak = max(median_of(runs, "good", "rate") for runs in overload.values())
    last = overload[OVERLOADS[-1]]
    for words, kind in KINDS[1:]:
        out.bar(f"good clients' p99, drippers: {words}", median_of(figures[kind][0], "good", "p99_us") / 1000, 5, " ms")
    out.bar("unanswered questions for health", sum(unanswered(runs, stream) for runs, _ in figures.values()
                                                   for stream in ("health", "probe")), 0)
    out.bar("goodput at five times the capacity, of the peak", median_of(last, "good", "rate") / peak * 100, 90, " %",
            at_least=True)
    out.bar("p99 of a 429 at five times the capacity", median_of(last, "good", "refused_p99_us") / 1000, 50, " ms")
    out.bar("429 without Retry-After", sum(run["good"]["refused"] - run["good"]["retry_after"] for run in last), 0)
    out.write()
