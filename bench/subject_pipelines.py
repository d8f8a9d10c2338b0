"""Pipelines of steps that do nothing, beside Prefect, DVC and Snakemake; waits for the disk; ten thousand steps; answers
while a pipeline trains."""
import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter

import checker
import measure
import pipeline_peers
import report
import server
import subject_training_load

CHAIN, FAN_OUT, PROCESSES = 50, 500, 5
DVC_FAN_OUT = 100  # it reads all stages again for each
FEW_STEPS, MANY_STEPS = 1_000, int(os.environ.get("BENCH_STEPS", "10000"))
FLUSHES, FLUSHED_BYTES = 200, 200
STEP_MS, WAITS, OF_PREFECT, OF_IDLE, GROWTH, PEAK_MIB = 10, 3, 50, 2, 1.25, 64  # the bars
TRAINING_PIPELINE = subject_training_load.PROJECT + """stages:
  train: {uses: train, with: {data: posts, budget: %d}}
""" % subject_training_load.BUDGET
KINDS = [("/record$", "the shim's end in its record"), (r"\.db-wal$", "the store's commit"), (r"\.db$", "the store's checkpoint"),
         ("", "files by digest, and their folders")]


# ---- side by side ----

def measure_peers(bench, bin_folder, running):
    slipway = pipeline_peers.SlipwayPeer(bench, running)
    dvc, snakemake = (make(bench, bin_folder) for make in (pipeline_peers.dvc, pipeline_peers.snakemake))
    prefect = pipeline_peers.PrefectPeer(bench, bin_folder)
    with prefect.running:
        prefect.running.wait_until(lambda: prefect.running.get("/api/health"))
        contenders = {"bare": lambda shape, count: pipeline_peers.run_bare(bench, shape, count), "Slipway": slipway.needs,
                      "Prefect": prefect.run, "Slipway, dvc.yaml": slipway.files, "DVC": dvc.run, "Snakemake": snakemake.run}
        works = {}
        for turn in range(bench.rounds):
            for shape, steps in (("chain", CHAIN), ("fan-out", FAN_OUT)):
                for name, run in contenders.items():
                    count = DVC_FAN_OUT if name == "DVC" and shape == "fan-out" else steps
                    work = run(shape, count)
                    works.setdefault((name, shape, count), []).append(work)
                    bench.say(f"round {turn + 1}, {name}, {shape}: {work.steps / count * 1e3:.2f} ms a step")
        processes = prefect.run_processes(PROCESSES)
    works["Prefect, a process each", "chain", PROCESSES] = [processes]
    return {key: pipeline_peers.median_work(several) for key, several in works.items()}


# ---- the disk ----

def flush_us(bench):
    """What a small append takes until it is on the disk."""
    times = []
    with open(os.path.join(bench.work, "appended"), "wb", buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(b"x" * FLUSHED_BYTES)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - began) * 1e6)
    return measure.median(times)


def waits_in(path, offset):
    """The kinds of fsync and fdatasync in what strace has written from there on; and where that ends."""
    with open(path) as file:
        file.seek(offset)
        text = file.read()
        names = re.findall(r"\b(?:fsync|fdatasync)\(\d+<([^>]*)>", re.sub(r"\.[0-9a-f]{32}\.", "/", text))
        return Counter(next(kind for pattern, kind in KINDS if re.search(pattern, name)) for name in names), file.tell()


def measure_waits(bench):
    """Of the server and its shims, by strace, in a chain: without files, and with one handed on."""
    if not shutil.which("strace"):
        bench.say("strace is missing: waits for the disk are not counted")
        return {}
    path, found = os.path.join(bench.work, "waits"), {}
    traced = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", path]
    slipway = server.Slipway(bench, os.path.join(bench.work, "pipelines-traced"))
    with slipway.serve("Slipway, traced", before=traced) as running:
        running.wait_until(lambda: running.get("/healthz"))
        peer = pipeline_peers.SlipwayPeer(bench, running)
        for name, run in (("no files", peer.needs), ("a file each", peer.files)):
            run("chain", 1)
            time.sleep(0.5)
            _, offset = waits_in(path, 0)
            run("chain", CHAIN + 1)
            time.sleep(0.5)
            found[name], _ = waits_in(path, offset)
        for pid in [one for one in measure.process_tree(running.pid) if one != running.pid]:
            os.kill(pid, 15)
    return found


# ---- many steps ----

def own_cpu(pid):
    """Seconds of the process alone."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / measure.TICKS


def peak_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def measure_many(bench, count):
    """One run on a fresh server: seconds a step, CPU of the server alone a step, of all, peaks of its memory."""
    slipway = server.Slipway(bench, os.path.join(bench.work, f"pipelines-{count}"))
    folder = pipeline_peers.fresh_folder(bench, f"many-{count}", {"slipway.yaml": pipeline_peers.matrix_file("many", count)})
    with slipway.serve("Slipway", more=["--steps", pipeline_peers.WORKERS]) as running:
        running.wait_until(lambda: running.get("/healthz"))
        at_rest, cpu, whole = peak_bytes(running.pid), own_cpu(running.pid), measure.cpu_seconds(running.pid)
        run = json.loads(pipeline_peers.SlipwayPeer(bench, running).order(folder, "--no-wait").output)
        accepted = peak_bytes(running.pid)
        while run["ended_at"] is None:
            time.sleep(1)
            run = json.loads(running.get(f"/api/v1/pipeline-runs/{run['id']}"))
        if run["status"] != "succeeded":
            raise RuntimeError(f"the run of {count} steps {run['status']}: {run['reason']}")
        wall = pipeline_peers.seconds_between(run["created_at"], run["ended_at"])
        one = {"count": count, "ms": wall / count * 1e3, "own_ms": (own_cpu(running.pid) - cpu) / count * 1e3,
               "all_ms": (measure.cpu_seconds(running.pid) - whole) / count * 1e3, "at_rest": at_rest, "accepted": accepted,
               "peak": peak_bytes(running.pid)}
    bench.say(f"{count:,} steps: {one['ms']:.2f} ms and {one['own_ms']:.2f} ms of the server's CPU a step, peak "
              f"{report.mebibytes(one['peak'])} MiB")
    return one


# ---- answers while a pipeline trains ----

class PipelineTraining(subject_training_load.Training):
    def order(self):
        posts = self.caller.posts
        with open(os.path.join(posts.folder, "slipway.yaml"), "w") as file:
            file.write(TRAINING_PIPELINE)
        return "/api/v1/pipeline-runs/" + posts.run("pipeline", "run", "--no-wait", "--force")["id"]


def measure_answers(bench):
    if not os.path.isdir(os.path.join(bench.data, "20newsgroups")):
        bench.say(f"20newsgroups is not at {bench.data}: answers during a training are not measured")
        return None
    slipway, texts = subject_training_load.spam_on(bench)
    posts = subject_training_load.add_posts(bench, slipway)
    plan = os.path.join(bench.work, "plan.json")
    with slipway.serve("Slipway") as running:
        running.wait_until(lambda: running.get("/healthz"))
        checker.write_plan(plan, checker.Caller(running.port), "spam", "spam", [1], texts)
        subject_training_load.measure_load(bench, running, plan)  # warms up

        def training(running, caller):
            caller.posts = posts
            return PipelineTraining(running, caller)
        return subject_training_load.measure_rounds(bench, running, plan, training)


# ---- all of it ----

def measure_all(bench):
    venv = os.path.join(bench.root, "build", "bench-pipelines-venv")
    subprocess.run([os.path.join(bench.root, "tools", "venv.sh"), venv,
                    os.path.join(bench.root, "bench", "requirements-pipelines.txt")], check=True)
    slipway = server.Slipway(bench, os.path.join(bench.work, "pipelines-slipway"))
    with slipway.serve("Slipway", more=["--steps", pipeline_peers.WORKERS]) as running:
        running.wait_until(lambda: running.get("/healthz"))
        works = measure_peers(bench, os.path.join(venv, "bin"), running)
    waits = measure_waits(bench)
    many = [measure_many(bench, count) for count in (FEW_STEPS, MANY_STEPS)]
    write_report(bench, works, (flush_us(bench), waits), many, measure_answers(bench))


# ---- the page ----

class Overheads:
    """What a step takes beyond its command, which of Prefect's tasks is a function that returns."""

    def __init__(self, works):
        self.works = works
        self.bare = {shape: work for (name, shape, _), work in works.items() if name == "bare"}
        self.counts = {"chain": CHAIN, "fan-out": FAN_OUT}

    def bare_of(self, name, shape):
        bare, count = self.bare[shape], self.counts[shape]
        return (0, 0) if name.startswith("Prefect") else (bare.steps / count * 1e3, bare.cpu / count * 1e3)

    def wall(self, name, shape):
        """Milliseconds a step."""
        count, work = next((key[2], work) for key, work in self.works.items() if key[:2] == (name, shape))
        return work.steps / count * 1e3 - self.bare_of(name, shape)[0]

    def cpu(self, name, shape):
        count, work = next((key[2], work) for key, work in self.works.items() if key[:2] == (name, shape))
        return work.cpu / count * 1e3 - self.bare_of(name, shape)[1]


def peer_rows(over):
    rows = []
    for (name, shape, count), work in sorted(over.works.items(), key=lambda item: item[0][1]):
        if name == "bare":
            rows.append([shape, "the commands alone", count, f"{work.steps / count * 1e3:.2f}",
                         f"{work.cpu / count * 1e3:.2f}", f"{work.command:.2f}", "", ""])
            continue
        own = "Slipway" if name.startswith(("Slipway", "Prefect")) else "Slipway, dvc.yaml"
        ratios = [""] * 2 if name.startswith("Slipway") else [
            report.ratio(getattr(over, what)(name, shape) / getattr(over, what)(own, shape)) for what in ("wall", "cpu")]
        rows.append([shape, name, count, f"{over.wall(name, shape):.2f}", f"{over.cpu(name, shape):.2f}", f"{work.command:.2f}",
                     *ratios])
    return rows


def write_peers(out, over):
    out.say("## Side by side")
    out.table(["shape", "who", "steps", "ms a step beyond the command", "CPU ms a step", "the whole command, s",
               "of Slipway's ms", "of its CPU"], peer_rows(over))
    for shape in ("chain", "fan-out"):
        out.bar(f"less than Prefect's tasks, functions in one process: {shape}",
                over.wall("Prefect", shape) / over.wall("Slipway", shape), OF_PREFECT, " x", at_least=True)
        out.bar(f"less CPU than they: {shape}", over.cpu("Prefect", shape) / over.cpu("Slipway", shape), OF_PREFECT, " x",
                at_least=True)
    out.bar("less than Prefect's steps that are a process each, as Slipway's are",
            over.wall("Prefect, a process each", "chain") / over.wall("Slipway", "chain"), OF_PREFECT, " x", at_least=True)
    fan_out = over.works["Slipway", "fan-out", FAN_OUT]
    out.bar("a step, four at a time, with its command", fan_out.steps / FAN_OUT * 1e3, STEP_MS, " ms")


def write_disk(out, disk):
    flushed_us, waits = disk
    out.say(f"## The disk\n\nA small append ({FLUSHED_BYTES} bytes and fdatasync) takes {flushed_us:,.0f} us here. Calls of fsync and "
            "fdatasync by the server and its shims a step of a chain, counted by strace: of steps that hand nothing on, and of "
            "those of the dvc.yaml, each of which makes a file.")
    kinds = [kind for _, kind in KINDS]
    out.table(["steps", *kinds, "all"],
              [[name, *(f"{count[kind] / (CHAIN + 1):.2f}" for kind in kinds), f"{sum(count.values()) / (CHAIN + 1):.2f}"]
               for name, count in waits.items()])
    if waits:
        out.bar("waits for the disk a step of a chain", sum(waits["no files"].values()) / (CHAIN + 1), WAITS)


def write_many(out, many):
    out.say("## Many steps in one run\n\nAll of them ready at once. The server's CPU is that of its process alone, with "
            "reading the file and accepting the run; the other CPU is its shims' and commands'. Memory is the server's.")
    out.table(["steps", "ms a step", "server CPU ms a step", "other CPU ms a step", "peak at rest, MiB", "when accepted", "at the end"],
              [[f"{one['count']:,}", f"{one['ms']:.2f}", f"{one['own_ms']:.2f}", f"{one['all_ms'] - one['own_ms']:.2f}",
                *(report.mebibytes(one[key]) for key in ("at_rest", "accepted", "peak"))] for one in many])
    out.bar(f"server CPU a step, {many[1]['count']:,} steps of {many[0]['count']:,}", many[1]["own_ms"] / many[0]["own_ms"], GROWTH,
            " x")
    out.bar(f"the server's peak memory, {many[1]['count']:,} steps", many[1]["peak"] / 2**20, PEAK_MIB, " MiB")


def write_answers(out, answers):
    if not answers:
        return
    idle, busy, share = answers
    out.say("## Answers during a training\n\nAs in [training_load](training_load.md), but the training is a step of a "
            f"pipeline; it had {share:.2f} cores.")
    out.table(["load", "p50 us", "p99 us", "p99.9 us", "failed or wrong"],
              [[name, *(f"{subject_training_load.median_of(loads, key):,.0f}" for key in ("p50_us", "p99_us", "p999_us")),
                sum(load[key] for load in loads for key in ("failed", "mixed", "unknown"))]
               for name, loads in (("idle", idle), ("during a training", busy))])
    out.bar("p99 during a training, of its idle value", subject_training_load.median_of(busy, "p99_us") /
            subject_training_load.median_of(idle, "p99_us"), OF_IDLE, " x")


def write_report(bench, works, disk, many, answers):
    out = report.Report(bench, "pipelines", "Pipelines, beside Prefect, DVC and Snakemake",
                        f"A chain of {CHAIN} steps and {FAN_OUT} steps that wait for nothing, at most {pipeline_peers.WORKERS} at a "
                        "time. Slipway's steps are `true` in a shell, in a process of its own with a durable record and its "
                        "outputs kept; each is done whatever is killed. Prefect's are functions that return, in the process of "
                        "the flow, by its own server with SQLite, as its documentation has it; and, for what is more alike, "
                        f"{PROCESSES} runs of a deployment that `serve` does in a process each. DVC runs stages one by one "
                        f"({DVC_FAN_OUT} of the fan-out), and Slipway runs the same dvc.yaml, whose commands write a file; "
                        f"Snakemake has the same as rules (`-j{pipeline_peers.WORKERS}`). Time runs from the first step, or the run "
                        "that is accepted, to the end; of DVC and Snakemake it is what is beyond one step alone, of Prefect "
                        "between the flow's first line and its last. The commands alone, by xargs, are taken off, but from "
                        "Prefect's. CPU is that of all processes, servers too, until all is recorded. Medians of "
                        f"{bench.rounds} rounds in turn.", "requirements-pipelines.txt")
    write_peers(out, Overheads(works))
    write_disk(out, disk)
    write_many(out, many)
    write_answers(out, answers)
    out.write()
