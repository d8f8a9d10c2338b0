#!/usr/bin/env python3
"""The commands in the docs do what the docs say: each ```sh block of docs/tutorial.md and of the part
"Your own data" of README.md is run, in order, in a folder of its own.

usage: test_docs.py [WORD]      only the tests whose name contains WORD

A block ends with status 0, or with N where its fence says ```sh exits=N. What cannot be run here is
fenced ```text. SLIPWAY is the binary; it is on the path as slipway, and port 5000, also as the default, becomes a free one.
"""
import csv
import os
import re
import signal
import socket
import subprocess
import time

from harness import run_functions

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", os.path.join(ROOT, "build/release/slipway")))
SECONDS_MAX = 300
FENCE = re.compile(r"^```sh(?: exits=(\d+))?\n(.*?)^```$", re.M | re.S)
AROUND = """set -e -o pipefail
cd "$(cat "$FOLDER_FILE")"
trap 'status=$?; pwd > "$FOLDER_FILE"; exit $status' EXIT
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def read_part(name, heading=None):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        text = file.read()
    if heading:
        text = re.split(r"^## ", text.split(f"\n## {heading}\n")[1], flags=re.M)[0]
    return text


class Shell:
    """Runs blocks one after the other; what they leave running ends with it."""

    def __init__(self, folder):
        folder_file = os.path.join(folder, "folder")  # where one block leaves off, the next begins
        self.log = os.path.join(folder, "log")
        self.port = free_port()
        self.groups = []
        self.work = os.path.join(folder, "work")
        programs = os.path.join(folder, "programs")
        for path in (self.work, programs):
            os.mkdir(path)
        os.symlink(SLIPWAY, os.path.join(programs, "slipway"))
        with open(folder_file, "w", encoding="utf-8") as file:
            file.write(self.work)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
        self.environment.update(PATH=programs + ":" + os.environ["PATH"], FOLDER_FILE=folder_file)

    def run(self, block, expected):
        block = block.replace("slipway server &", "slipway server --port 5000 &")
        script = AROUND + block.replace("5000", self.port)
        with open(self.log, "wb") as log:
            done = subprocess.Popen(["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=self.environment, start_new_session=True)
            self.groups.append(done.pid)
            status = done.wait(SECONDS_MAX)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            said = log.read()
        assert status == expected, f"this block ended with status {status}, not {expected}:\n{block}\n{said}"
        if "slipway server" in block:
            self.wait_for_server()
        return said

    def wait_for_server(self):
        for _ in range(SECONDS_MAX * 5):
            try:
                socket.create_connection(("127.0.0.1", int(self.port)), 1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the server does not listen")

    def close(self):
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                pass


def run_blocks(shell, text):
    blocks = FENCE.findall(text)
    assert blocks, "there is no block to run"
    try:
        return [shell.run(block, int(status or 0)) for status, block in blocks]
    finally:
        shell.close()


def test_the_tutorial_runs(folder):
    said = "".join(run_blocks(Shell(folder), read_part("docs/tutorial.md")))
    for part in ("1138 rows", "1586 rows", "gate: accepted", "gate: rejected", '"version":1',
                 "endpoint spam serves spam@1", "the audit trail is whole"):
        assert part in said, f'"{part}" was not said'


def test_your_own_data_of_the_readme_runs(folder):
    shell = Shell(folder)
    subprocess.run([SLIPWAY, "sample", "comments", os.path.join(folder, "comments")], check=True,
                   stdout=subprocess.DEVNULL)
    os.mkdir(os.path.join(shell.work, "data"))
    with open(os.path.join(folder, "comments", "sample01.csv"), encoding="utf-8", newline="") as file:
        rows = [(row["CONTENT"], "spam" if row["CLASS"] == "1" else "fine") for row in csv.DictReader(file)]
    with open(os.path.join(shell.work, "data", "reviews.csv"), "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    said = "".join(run_blocks(shell, read_part("README.md", "Your own data")))
    assert 'endpoint "reviews" serves reviews version 1' in said, said


def test_every_tool_that_make_calls_can_be_called(_folder):
    with open(os.path.join(ROOT, "Makefile"), encoding="ascii") as file:
        tools = set(re.findall(r"^\t@?((?:tools|bench)/[\w.]+)", file.read(), re.MULTILINE))
    assert len(tools) > 5, tools
    for tool in sorted(tools):
        assert os.access(os.path.join(ROOT, tool), os.X_OK), f"{tool} is not executable"


def test_every_link_of_the_docs_leads_somewhere(_):
    pages = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read_part(page)):
            path = os.path.join(ROOT, os.path.dirname(page), target)
            assert os.path.exists(path), f"{page}: {target} is not there"


def test_every_test_that_the_docs_name_is_there(_):
    cited = re.findall(r"`(tests/[a-z0-9_/.]+):(test_[a-z0-9_]+)`", read_part("docs/features.md"))
    assert len(cited) > 40, f"only {len(cited)} are named"
    for path, name in cited:
        assert re.search(rf"\b{name}\b", read_part(path)), f"{path} has no {name}"


def test_every_command_that_the_docs_name_is_there(_):
    """`slipway noun verb --option` anywhere in the docs, against the program's own help."""
    known = {}
    listed = subprocess.run([SLIPWAY, "help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in re.search(r"commands:\n(.*?)\n\n", listed, re.S)[1].splitlines():
        words = re.match(r"  ((?:[a-z]+ ?)+)", line)[1].split()[:2]
        said = subprocess.run([SLIPWAY, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
        known[" ".join(words)] = set(re.findall(r"^  (--[a-z-]+)", said, re.M))
    pages = [os.path.join("docs", name) for name in ("features.md", "tutorial.md", "troubleshooting.md")]
    pages += [os.path.join("docs/reference", name) for name in sorted(os.listdir(os.path.join(ROOT, "docs/reference")))]
    for page in ["README.md", *pages]:
        for command in re.findall(r"(?:^|`|\$\()slipway ((?:[^`\n\\]|\\\n)*)", read_part(page), re.M):
            check_command(page, command, known)


def check_command(page, command, known):
    words = command.split("|")[0].split("#")[0].split()
    if not words or not re.fullmatch(r"[a-z]+", words[0]) or words[0] in ("help", "step", "is"):
        return
    name = next((" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in known), None)
    assert name, f"{page}: there is no command slipway {command}"
    for option in re.findall(r"(?<!\S)(--[a-z-]+)", command):
        assert option in known[name], f"{page}: slipway {name} has no option {option}"


if __name__ == "__main__":
    run_functions(globals())
