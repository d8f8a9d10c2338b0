"""Pipelines of steps that do nothing, done by Slipway, Prefect, DVC and Snakemake, each in a folder of its own."""
import json
import os
import sqlite3
import subprocess
import time
from dataclasses import dataclass

import measure
import server

WORKERS = 4
ENVIRONMENT = {"DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
               "PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
RECORDED_SECONDS_MAX = 120


@dataclass
class Work:
    """A whole pipeline."""
    steps: float    # seconds from its first step to its end
    command: float  # seconds of the command that somebody waits for
    cpu: float      # seconds of all processes


def median_work(works):
    return Work(*(measure.median(getattr(one, name) for one in works) for name in ("steps", "command", "cpu")))


# ---- the files ----

def needs_file(project, shape, count):
    """A slipway.yaml whose steps hand nothing on."""
    lines = [f"project: {project}", "stages:"]
    for number in range(count):
        lines.append(f"  s{number}:\n    cmd: 'true'")
        if shape == "chain" and number:
            lines.append(f"    needs: s{number - 1}")
    return "\n".join(lines) + "\n"


def matrix_file(project, count):
    return (f"project: {project}\nstages:\n  s:\n    matrix: {{a: {list(range(count // 100))}, b: {list(range(100))}}}\n"
            "    cmd: 'true'\n")


def dvc_file(shape, count):
    """A dvc.yaml, for DVC and for Slipway: there a step waits for another by a file alone."""
    lines = ["stages:"]
    for number in range(count):
        lines.append(f"  s{number}:\n    cmd: echo {number} > s{number}.txt\n    outs: [s{number}.txt]")
        if shape == "chain" and number:
            lines.append(f"    deps: [s{number - 1}.txt]")
    return "\n".join(lines) + "\n"


def snake_file(shape, count):
    last = f'"s{count - 1}.txt"' if shape == "chain" else f'expand("s{{i}}.txt", i=range({count}))'
    lines = [f"rule all:\n    input: {last}"]
    for number in range(count):
        before = f'    input: "s{number - 1}.txt"\n' if shape == "chain" and number else ""
        lines.append(f"rule s{number}:\n{before}    output: \"s{number}.txt\"\n    shell: \"echo {number} > {{output}}\"")
    return "\n".join(lines) + "\n"


def fresh_folder(bench, name, files):
    folder = os.path.join(bench.work, "pipelines", name)
    server.remove_folder(folder)
    os.makedirs(folder)
    for path, text in files.items():
        with open(os.path.join(folder, path), "w") as file:
            file.write(text)
    return folder


# ---- the command alone ----

def run_bare(bench, shape, count):
    """The same number of shells, started by xargs."""
    workers = 1 if shape == "chain" else WORKERS
    done = measure.run_process(["sh", "-c", f"seq {count} | xargs -n 1 -P {workers} /bin/sh -c true"], cwd=bench.work)
    return Work(done.wall, done.wall, done.cpu)


# ---- Slipway ----

class SlipwayPeer:
    """Its server runs all the time."""

    def __init__(self, bench, running):
        self.bench, self.running, self.bases = bench, running, {}

    def order(self, folder, *options):
        command = [self.bench.slipway, "pipeline", "run", "--force", "--json", *options, "--server",
                   f"http://127.0.0.1:{self.running.port}"]
        return measure.run_process(command, cwd=folder, stderr=subprocess.DEVNULL)

    def run(self, name, path, text):
        folder = fresh_folder(self.bench, name, {path: text})
        before = measure.cpu_seconds(self.running.pid)
        options = ["--project", name] if path == "dvc.yaml" else []
        done = self.order(folder, *options)
        run = json.loads(done.output)
        if run["status"] != "succeeded":
            raise RuntimeError(f"Slipway's {name} {run['status']}: {run['reason']}")
        return Work(seconds_between(run["created_at"], run["ended_at"]), done.wall,
                    done.cpu + measure.cpu_seconds(self.running.pid) - before)

    def needs(self, shape, count):
        return self.run(f"needs-{shape}", "slipway.yaml", needs_file(f"needs-{shape}", shape, count))

    def files(self, shape, count):
        return self.run(f"files-{shape}", "dvc.yaml", dvc_file(shape, count))


def seconds_between(begin, end):
    return (measure.parse_time(end) - measure.parse_time(begin)).total_seconds()


# ---- Prefect ----

class PrefectPeer:
    """With its own server and its default SQLite; tasks are Python functions in the process of the flow."""

    def __init__(self, bench, bin_folder):
        self.bench, self.python = bench, os.path.join(bin_folder, "python")
        self.folder = fresh_folder(bench, "prefect", {})
        port = server.free_port()
        self.environment = {**os.environ, **ENVIRONMENT, "PREFECT_HOME": self.folder,
                            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        command = [os.path.join(bin_folder, "prefect"), "server", "start", "--host", "127.0.0.1", "--port", port]
        self.running = server.Server("prefect server", command, port, "/", cwd=self.folder, env=self.environment)
        self.recorded = 0

    def program(self, *arguments):
        return [self.python, "-W", "ignore", os.path.join(self.bench.root, "bench", "peer_prefect.py"), *arguments]

    def wait_until_recorded(self):
        """Clients tell the server of ended tasks behind their backs: its work counts, too."""
        with sqlite3.connect(f"file:{self.folder}/prefect.db?mode=ro", uri=True, timeout=60) as store:
            deadline = time.monotonic() + RECORDED_SECONDS_MAX
            while time.monotonic() < deadline:
                if store.execute("SELECT COUNT(*) FROM task_run WHERE state_type = 'COMPLETED'").fetchone()[0] >= self.recorded:
                    return
                time.sleep(0.2)
        raise RuntimeError("prefect server lost tasks")

    def run(self, shape, count):
        before = measure.cpu_seconds(self.running.pid)
        done = measure.run_process(self.program(shape, count, WORKERS), cwd=self.folder, env=self.environment,
                                   stderr=subprocess.DEVNULL)
        self.recorded += count if shape != "processes" else 0
        self.wait_until_recorded()
        return Work(float(done.output.split()[-1]), done.wall, done.cpu + measure.cpu_seconds(self.running.pid) - before)

    def run_processes(self, count):
        """Each step a process, as Slipway's are: runs of a deployment."""
        with server.Server("prefect serve", self.program("serve"), 0, "/", cwd=self.folder, env=self.environment) as serving:
            time.sleep(10)  # until it has told the server of itself
            before = measure.cpu_seconds(serving.pid)
            work = self.run("processes", count)
            work.cpu += measure.cpu_seconds(serving.pid) - before
            return work


# ---- DVC and Snakemake ----

class CommandPeer:
    """A command that does it all; what one step alone takes is its start."""

    def __init__(self, bench, bin_folder, name, path, file_of, command):
        self.bench, self.name, self.path, self.file_of, self.command = bench, name, path, file_of, command
        self.environment = {**os.environ, **ENVIRONMENT, "PATH": f"{bin_folder}:{os.environ['PATH']}",
                            "XDG_CACHE_HOME": os.path.join(bench.work, "pipelines", f"{name}-cache")}

    def call(self, shape, count):
        folder = fresh_folder(self.bench, self.name, {self.path: self.file_of(shape, count)})
        if self.name == "dvc":
            subprocess.run(["dvc", "init", "--no-scm", "--quiet"], cwd=folder, env=self.environment, check=True)
        done = measure.run_process(self.command, cwd=folder, env=self.environment, stderr=subprocess.DEVNULL)
        made = [name for name in os.listdir(folder) if name.endswith(".txt")]
        if len(made) != count:
            raise RuntimeError(f"{self.name} made {len(made)} of {count} files")
        return done

    def run(self, shape, count):
        one, all_of_them = self.call(shape, 1), self.call(shape, count)
        return Work(all_of_them.wall - one.wall, all_of_them.wall, all_of_them.cpu)


def dvc(bench, bin_folder):
    return CommandPeer(bench, bin_folder, "dvc", "dvc.yaml", dvc_file, ["dvc", "repro", "--quiet"])


def snakemake(bench, bin_folder):
    return CommandPeer(bench, bin_folder, "snakemake", "Snakefile", snake_file, ["snakemake", f"-j{WORKERS}", "-q", "all"])
