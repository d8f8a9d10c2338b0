"""Steps on a Slurm cluster of three virtual machines, beside the same jobs by plain sbatch; and with its controller killed."""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import measure
import pipeline_peers
import report
import server

JOBS, OF_SBATCH = 200, 2
AT_ONCE = 4  # of sbatch, where several ask at once
POLL_SECONDS = 0.2
KILLED_AT = 60  # of the jobs
AWAY_SECONDS = 1
SECONDS_MAX = 300


def cluster_module(bench):
    """The cluster that the tests start."""
    sys.path.insert(0, os.path.join(bench.root, "tests", "blackbox"))
    import slurm_cluster
    return slurm_cluster


class Effects:
    """A file in which each job writes its number."""

    def __init__(self, bench):
        self.path = os.path.join(bench.work, "effects")
        self.clear()

    def clear(self):
        with open(self.path, "w"):
            pass

    def command(self, number):
        return f"echo {number} >> {self.path}"

    def counts(self):
        with open(self.path) as file:
            return collections.Counter(file.read().split())

    def check(self, who):
        counts = self.counts()
        wrong = [number for number in map(str, range(JOBS)) if counts[number] != 1]
        if wrong:
            raise RuntimeError(f"{who} lost or repeated {len(wrong)} of {JOBS} jobs: {wrong[:5]}")


def wait(condition, what):
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} does not end")
        time.sleep(POLL_SECONDS)


# ---- plain sbatch ----

def run_sbatch(cluster, effects, who, submit):
    """Seconds until the last is submitted, and until squeue shows none any more."""
    effects.clear()
    began = time.monotonic()
    submit()
    submitted = time.monotonic() - began
    wait(lambda: not cluster.jobs(), who)
    took = time.monotonic() - began
    effects.check(who)
    return submitted, took


def sbatch(bench, cluster, effects):
    """The ways that somebody has to submit so many jobs, by name."""
    output = os.path.join(bench.work, "sbatch-%j.out")

    def command(script):
        return ["sbatch", "--quiet", "--output", output, "--wrap", script]

    def call(words):
        subprocess.run(words, env=cluster.environment(), cwd=bench.work, check=True, stdout=subprocess.DEVNULL)

    def one_by_one():
        for number in range(JOBS):
            call(command(effects.command(number)))

    def several():
        script = f'sbatch --quiet --output {output} --wrap "echo $0 >> {effects.path}"'
        call(["sh", "-c", f"seq 0 {JOBS - 1} | xargs -n 1 -P {AT_ONCE} sh -c '{script}'"])

    def array():
        call(command(effects.command("$SLURM_ARRAY_TASK_ID"))[:-2] +
             [f"--array=0-{JOBS - 1}", "--wrap", effects.command("$SLURM_ARRAY_TASK_ID")])

    return {"sbatch, one after the other": one_by_one, f"sbatch, {AT_ONCE} at once": several, "one sbatch of an array": array}


# ---- Slipway ----

def stages(effects):
    return "".join(f"  s{number}:\n    cmd: {effects.command(number)}\n    executor: slurm\n" for number in range(JOBS))


def run_slipway(bench, running, effects):
    """Seconds until the run is accepted, and until it has ended."""
    effects.clear()
    folder = pipeline_peers.fresh_folder(bench, "slurm", {"slipway.yaml": "project: slurm\nstages:\n" + stages(effects)})
    began = time.monotonic()
    done = measure.run_process([bench.slipway, "pipeline", "run", "--force", "--json", "--no-wait", "--server",
                                f"http://127.0.0.1:{running.port}"], cwd=folder, stderr=subprocess.DEVNULL)
    submitted = time.monotonic() - began
    run = json.loads(done.output)
    ended = {}

    def has_ended():
        ended.update(json.loads(running.get(f"/api/v1/pipeline-runs/{run['id']}")))
        return ended["ended_at"]

    wait(has_ended, "Slipway's run")
    if ended["status"] != "succeeded":
        raise RuntimeError(f"Slipway's run {ended['status']}: {ended['reason']}")
    effects.check("Slipway")
    return submitted, pipeline_peers.seconds_between(run["created_at"], ended["ended_at"])


def run_killed(bench, cluster, running, effects):
    """The same while the controller is killed and comes back: seconds, and how many jobs were done by then."""
    killed = []

    def kill():
        wait(lambda: len(effects.counts()) >= KILLED_AT, "the first of Slipway's jobs")
        cluster.kill_controller()
        killed.append(len(effects.counts()))
        time.sleep(AWAY_SECONDS)
        cluster.start_controller()
        while not over.wait(POLL_SECONDS):
            cluster.tend()

    over = threading.Event()
    killer = threading.Thread(target=kill)
    effects.clear()
    killer.start()
    try:
        return run_slipway(bench, running, effects)[1], killed[0]
    finally:
        over.set()
        killer.join()


# ---- all of it ----

def measure_all(bench):
    slurm_cluster = cluster_module(bench)
    reason = slurm_cluster.missing()
    if reason:
        bench.say(reason)
        return
    folder, effects, works = tempfile.mkdtemp(prefix="slipway-slurm-"), Effects(bench), {}
    slipway = server.Slipway(bench, os.path.join(bench.work, "slurm-slipway"))
    try:
        with slurm_cluster.Cluster(folder) as cluster, \
                slipway.serve("Slipway", more=["--slurm", cluster.socket, "--slurm-slots", JOBS]) as running:
            running.wait_until(lambda: running.get("/healthz"))
            ways = {name: (lambda name=name, submit=submit: run_sbatch(cluster, effects, name, submit))
                    for name, submit in sbatch(bench, cluster, effects).items()}
            ways["Slipway, a pipeline of as many steps"] = lambda: run_slipway(bench, running, effects)
            for turn in range(bench.rounds):
                for name, run in ways.items():
                    works.setdefault(name, []).append(run())
                    bench.say(f"round {turn + 1}, {name}: {works[name][-1][1]:.1f} s")
            killed = run_killed(bench, cluster, running, effects)
            bench.say(f"the controller killed: {killed[0]:.1f} s")
            version = cluster.run("sinfo", "--version").strip()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_report(bench, {name: [measure.median(column) for column in zip(*several)] for name, several in works.items()}, killed,
                 version)


def write_report(bench, works, killed, version):
    out = report.Report(bench, "slurm", "Steps on Slurm, beside plain sbatch",
                        f"{JOBS} jobs that append their number to a file, on a cluster of three virtual machines of four processors "
                        f"each that are all this one ({version}), by sbatch and as steps of one pipeline: each of those has a "
                        "durable record, its log and its exit kept. Time runs from the first submission until squeue "
                        f"shows none any more, looked at each {POLL_SECONDS} s; of Slipway from the run that is accepted to its "
                        f"end. Each number must be in the file exactly once. Medians of {bench.rounds} rounds in turn.")
    plain = next(iter(works.values()))[1]
    out.table(["who", "submitted after s", "all done after s", "of sbatch one after the other", "ms a job"],
              [[name, f"{submitted:.2f}", f"{took:.2f}", report.ratio(took / plain), f"{took / JOBS * 1e3:.1f}"]
               for name, (submitted, took) in works.items()])
    out.bar("Slipway, of sbatch one after the other", works["Slipway, a pipeline of as many steps"][1] / plain, OF_SBATCH, " x")
    out.say(f"## The controller killed\n\nThe controller was killed by `kill -9` when {killed[1]} of the jobs were done and "
            f"started again {AWAY_SECONDS} s later: the run took {killed[0]:.2f} s, no job was lost, none done twice. "
            "(Nodes that take a job's number for known after that are put back by `scontrol`, as an administrator would.)")
    out.write()
