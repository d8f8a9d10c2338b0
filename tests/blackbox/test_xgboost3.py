#!/usr/bin/env python3
"""Unit tests that learn trees, and that search with them, with the XGBoost of a newer distribution: those that the MLflow clients
bring (tests/requirements-mlflow*.txt), found by the loader before the system's.

They are built without sanitizers, under which they run anyway with the system's. Run by tools/run_tests.py, or alone:
tests/blackbox/test_xgboost3.py [WORD]
"""
import glob
import os
import subprocess
import sys

from harness import run_functions
from mlflow_peer import ROOT, install

TESTS = ["test_boost", "test_forest_xgboost", "test_tabular", "test_tabular_data"]
SECONDS_MAX = 500


def put_first(client, folder):
    """The client's library in a folder, by the name that is looked for first."""
    packages, = glob.glob(os.path.join(ROOT, f"build/{client}-venv/lib/python3*/site-packages"))
    os.symlink(os.path.join(packages, "xgboost/lib/libxgboost.so"), os.path.join(folder, "libxgboost.so.0"))
    return dict(os.environ, LD_LIBRARY_PATH=f"{folder}:{packages}/xgboost_cpu.libs")  # what it wants itself lies in the second


def learn_with(client, version, folder):
    programs = [f"build/release/tests/ml/{name}" for name in TESTS]
    subprocess.run(["make", "--no-print-directory", "-s", "MODE=release", *programs], cwd=ROOT, check=True)
    environment = put_first(client, folder)
    for program in programs:
        done = subprocess.run([program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX)
        assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith(" 0 failed"), f"{program}: {done.stdout}{done.stderr}"
        if program.endswith("forest_xgboost"):
            assert f"XGBoost {version}" in done.stdout, done.stdout


def test_xgboost_3_0(folder):
    learn_with("mlflow2", "3.0.", folder)


def test_xgboost_3_2(folder):
    learn_with("mlflow", "3.2.", folder)


if __name__ == "__main__":
    missing = install("mlflow2") or install("mlflow")
    if missing:
        print(f"SKIP the tests with XGBoost 3: it could not be installed ({missing})\n0 passed, 0 failed")
        sys.exit(0)
    run_functions(globals())
