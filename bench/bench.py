#!/usr/bin/env python3
"""Measure Slipway, its peers and the limit of the machine, one after the other, several rounds.

usage: bench.py [WORD]      only the subjects whose name contains WORD

tools/bench.sh (make bench) calls it by the Python of build/bench-venv. Each subject prints its tables and
writes docs/results/SUBJECT.md. A bar that is missed is said there; it fails nothing.

BENCH_ROUNDS    how often each thing is measured (3); the median counts
BENCH_SECONDS   how long a load lasts (3)
SLIPWAY_DATA    the folder of public data sets (../shared/data)
"""
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

import measure

SUBJECTS = ["serving", "log", "scoring", "training", "store", "start", "swap", "hostile", "training_load", "tracking",
            "footprint", "pipelines", "slurm", "tables"]


class Bench:
    """Where things are, and how much is measured."""

    def __init__(self, root):
        self.root = root
        self.build = os.path.join(root, "build", "release")
        self.slipway = os.path.join(self.build, "slipway")
        self.python = os.path.join(root, "build", "bench-venv", "bin", "python")
        self.data = os.path.abspath(os.environ.get("SLIPWAY_DATA", os.path.join(root, "..", "shared", "data")))
        self.results = os.environ.get("BENCH_RESULTS", os.path.join(root, "docs", "results"))
        self.rounds = int(os.environ.get("BENCH_ROUNDS", "3"))
        self.seconds = int(os.environ.get("BENCH_SECONDS", "3"))
        self.work = tempfile.mkdtemp(prefix="slipway-bench-")
        self.load = measure.others_share(2)

    def load_remark(self):
        if self.load < 0.07:
            return f"Nothing else ran: {self.load:.0%} of the machine was in use before."
        return (f"Other programs used {self.load:.0%} of the machine before and may have gone on: CPU time is what to "
                "read, wall-clock figures and latencies are upper bounds.")

    def program(self, name):
        """A program of bench/, built on demand."""
        target = os.path.join("build", "release", "bench", name)
        subprocess.run(["make", "-s", target], cwd=self.root, check=True, stdout=subprocess.DEVNULL)
        return os.path.join(self.root, target)

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [name for name in SUBJECTS if word in name]
    if not chosen:
        sys.exit(f"bench.py: no subject has \"{word}\" in its name; there are {', '.join(SUBJECTS)}")
    for name in ("SLIPWAY_SERVER", "SLIPWAY_TOKEN", "SLIPWAY_FOLDER"):
        os.environ.pop(name, None)
    measure.allow_many_files()
    bench = Bench(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    try:
        for name in chosen:
            importlib.import_module(f"subject_{name}").measure_all(bench)
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)


if __name__ == "__main__":
    main()
