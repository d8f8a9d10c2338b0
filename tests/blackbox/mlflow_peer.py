"""MLflow's own server, the one of build/mlflow-venv, beside Slipway: started once, emptied as often as one likes."""
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
VENV = os.path.join(ROOT, "build", "mlflow-venv")
START_SECONDS_MAX = 120
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def install(client="mlflow", script="venv.sh"):
    """What tests/requirements-CLIENT.txt lists, into build/CLIENT-venv. The last line of what went wrong; nothing when it is there."""
    done = subprocess.run([f"tools/{script}", f"build/{client}-venv", f"tests/requirements-{client}.txt"], cwd=ROOT,
                          capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MlflowServer:
    """`mlflow server` with one worker and SQLite in a folder; stop() ends it with all its children."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.database = os.path.join(folder, "mlflow.db")
        values = {name: value for name, value in os.environ.items()
                  if name not in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "PYTHONPATH") and not name.startswith("MLFLOW_")}
        self.log = open(os.path.join(folder, "mlflow.log"), "wb")
        self.process = subprocess.Popen(
            [os.path.join(VENV, "bin", "mlflow"), "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{self.database}", "--artifacts-destination", os.path.join(folder, "artifacts")],
            cwd=folder, env=dict(values, HOME=folder, **QUIET), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)

    def wait(self):
        began = time.monotonic()
        while time.monotonic() - began < START_SECONDS_MAX and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            raise OSError(f"mlflow server did not start: {log.read()[-2000:]}")

    def empty(self):
        """As it was when it started: no rows but the default experiment's, no files."""
        base = sqlite3.connect(self.database, timeout=30)
        with base:
            tables = [name for name, in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in set(tables) - {"alembic_version", "workspaces", "experiments"}:
                base.execute(f"DELETE FROM {table}")
            base.execute("DELETE FROM experiments WHERE experiment_id <> 0")
        base.close()
        shutil.rmtree(os.path.join(self.folder, "artifacts"), ignore_errors=True)

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        self.log.close()
