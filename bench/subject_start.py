"""Start: from the process's start to its first prediction, what it holds at rest, size, the command line."""
import json
import os
import subprocess
import time
from dataclasses import dataclass

import measure
import report
import server
import subject_serving

MODELS, DEPLOYED = 100, 10
STARTS_MIN = 5
REST_SECONDS = 1  # after the first answer
IDLE_SECONDS = 10
COMMENT = "check out my channel"


@dataclass
class Start:
    first: float  # seconds to the first answer
    cpu: float    # seconds until then
    rest: measure.Rest


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


def start_once(serve, body):
    with serve() as running:
        _, first = running.wait(body)
        cpu = measure.cpu_seconds(running.pid)
        time.sleep(REST_SECONDS)
        return Start(first, cpu, measure.rest_of(running.pid))


def median_start(starts):
    def middle(read):
        return measure.median(map(read, starts))
    rest = {name: middle(lambda start, name=name: getattr(start.rest, name)) for name in vars(starts[0].rest)}
    return Start(middle(lambda start: start.first), middle(lambda start: start.cpu), measure.Rest(**rest))


def idle_wakings(slipway, body):
    with slipway.serve("Slipway") as running:
        running.wait(body)
        time.sleep(REST_SECONDS)
        return measure.wakings_a_second(running.pid, IDLE_SECONDS)


def measure_servers(bench, servers):
    """Interleaved; a start of the Python servers takes seconds, and so there are fewer of them."""
    starts = {name: [] for name, _, _ in servers}
    for turn in range(max(bench.rounds, STARTS_MIN)):
        for name, serve, body in servers if turn < bench.rounds else servers[:1]:
            starts[name].append(start_once(serve, body))
            bench.say(f"start {turn + 1}, {name}: {starts[name][-1].first * 1000:.1f} ms, "
                      f"{report.mebibytes(starts[name][-1].rest.resident)} MiB")
    return {name: median_start(some) for name, some in starts.items()}


def libraries_of(program):
    """How many shared libraries the loader opens before the program runs."""
    done = subprocess.run([program], env={**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True)
    return done.stdout.count("=>")


def stripped_size(bench):
    path = os.path.join(bench.work, "stripped")
    measure.run_process(["strip", "-o", path, bench.slipway])
    return os.path.getsize(path)


def run_command(bench, command):
    """By a small program: of a child of this one the system would count this one's memory too."""
    wall, cpu, peak = measure.run_process([bench.program("bench_command"), bench.slipway, *command]).output.split()
    return measure.Run(float(cpu), float(wall), int(peak), "")


def measure_commands(bench, slipway):
    commands = [["--help"], ["model", "list", "--data", slipway.data]]
    return {" ".join(command[:2]): measure.median_run([run_command(bench, command) for _ in range(STARTS_MIN * 3)])
            for command in commands}


def measure_all(bench):
    slipway = prepare(bench)
    pipeline, folder = subject_serving.peers(bench, server.comment_files(bench))
    body, inputs = json.dumps({"data": [{"CONTENT": COMMENT}]}), json.dumps({"inputs": [COMMENT]})
    starts = measure_servers(bench, [
        ("Slipway", lambda: slipway.serve("Slipway"), body),
        ("FastAPI + scikit-learn", lambda: subject_serving.fastapi_server(bench, pipeline), body),
        ("mlflow models serve", lambda: subject_serving.mlflow_server(bench, folder), inputs)])
    write_report(bench, starts, idle_wakings(slipway, body), measure_commands(bench, slipway))


def server_row(name, start):
    rest = start.rest
    return [name, f"{start.first * 1000:.1f}", f"{start.cpu * 1000:.0f}",
            *(report.mebibytes(size) for size in (rest.resident, rest.share, rest.files)),
            *(f"{count:.0f}" for count in (rest.threads, rest.open_files, rest.libraries))]


def write_report(bench, starts, wakings, runs):
    out = report.Report(bench, "start", "Start and size",
                        f"Slipway with {MODELS} registered models, {DEPLOYED} of them deployed; the others with one model. The "
                        "first prediction is asked for over HTTP, again and again from the start of the process on; memory is "
                        f"read {REST_SECONDS} s after it, of all processes of a server. Median of "
                        f"{max(bench.rounds, STARTS_MIN)} starts, of the Python servers {bench.rounds}.")
    out.table(["server", "first prediction, ms", "CPU until then, ms", "resident (RSS), MiB", "own share (PSS), MiB",
               "of the resident: files", "threads", "open files", "libraries"],
              [server_row(name, start) for name, start in starts.items()])
    out.say(f"Idle, Slipway's threads wake {wakings:.1f} times a second, over {IDLE_SECONDS} s.")
    out.say("## The program")
    size, own = os.path.getsize(bench.slipway), starts["Slipway"]
    out.table(["what", "measured"], [
        ["binary", f"{report.mebibytes(size)} MiB"],
        ["binary without debug information", f"{report.mebibytes(stripped_size(bench))} MiB"],
        ["shared libraries at start", libraries_of(bench.slipway)],
        *[[f"`slipway {name}`", f"{run.wall * 1000:.1f} ms, {run.cpu * 1000:.1f} ms CPU, "
                                f"{report.mebibytes(run.peak)} MiB"] for name, run in runs.items()]])
    out.bar("start to first prediction", own.first * 1000, 50, " ms")
    out.bar("idle memory, resident", own.rest.resident / 2**20, 16, " MiB")
    out.bar("idle memory, own share", own.rest.share / 2**20, 16, " MiB")
    out.bar("binary", size / 2**20, 5, " MiB")
    out.write()
