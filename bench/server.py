"""Servers under test: start, wait for the first answer, stop; and a Slipway with a spam model."""
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import measure

PROJECT = """project: spam
data:
  comments:
    source: unused.csv
    target: CLASS
    columns: {CONTENT: text, COMMENT_ID: ignore, AUTHOR: ignore, DATE: ignore}
    holdout: {share: 0.2, by: stratified, seed: 42}
release:
  endpoint: spam
  gate: {metric: f1}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens on 127.0.0.1; a "with" block ends it."""

    def __init__(self, name, command, port, path, headers=None, **options):
        self.name, self.port, self.path, self.headers = name, port, path, headers or {}
        self.began = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True, **options)
        self.pid = self.process.pid

    def post(self, body, path=None, seconds=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        connection.request("POST", path or self.path, body, {"Content-Type": "application/json", **self.headers})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{self.name} answers {answer.status}: {text[:300]}")
        return text

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def wait(self, body, seconds=60):
        """The first answer, and seconds from the start of the process to it."""
        return self.wait_until(lambda: self.post(body), seconds)

    def wait_until(self, ask, seconds=60):
        while True:
            try:
                return ask(), time.monotonic() - self.began
            except OSError:
                if self.process.poll() is not None or time.monotonic() - self.began > seconds:
                    raise RuntimeError(f"{self.name} did not start") from None
                time.sleep(0.001)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        for pid in measure.process_tree(self.pid) if self.process.poll() is None else []:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


class Slipway:
    """A data folder with the commands that work on it."""

    def __init__(self, bench, folder):
        self.program, self.folder = bench.slipway, folder
        self.data = os.path.join(folder, "slipway-data")
        os.makedirs(folder)

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--json", "--data", self.data], cwd=self.folder,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"slipway {' '.join(arguments)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def learn_comments(self, files):
        """A spam model of the automatic choice, serving on the endpoint "spam"."""
        with open(os.path.join(self.folder, "slipway.yaml"), "w") as file:
            file.write(PROJECT)
        self.run("data", "add", "comments", *files, "--target", "CLASS",
                 *(f"--column={name}=ignore" for name in ("COMMENT_ID", "AUTHOR", "DATE")))
        self.run("train", "--dataset", "comments@1", "--budget", "60")
        self.run("deploy", "spam@1", "--endpoint", "spam")

    def serve(self, name, token=None, more=(), before=()):
        port = free_port()
        options = ["--demand-token"] if token else []
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        command = [*before, self.program, "server", "--port", port, "--data", self.data, "--quiet", *options, *more]
        return Server(name, command, port, "/endpoints/spam/predict", headers)


def comment_files(bench):
    """Five files of comments: the public ones where they are, else the product's made-up ones."""
    folder = os.path.join(bench.work, "comments")
    if not os.path.isdir(folder):
        subprocess.run([os.path.join(bench.root, "tools", "demo_data.sh"), folder], check=True,
                       env={**os.environ, "SLIPWAY": bench.slipway, "SLIPWAY_DATA": bench.data},
                       stdout=subprocess.DEVNULL)
    return sorted(glob.glob(os.path.join(folder, "*.csv")))


def remove_folder(path):
    shutil.rmtree(path, ignore_errors=True)


def version_of(command, pattern=r"[\d.]+"):
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(0) if found else "?"
