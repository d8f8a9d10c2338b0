#!/usr/bin/env python3
"""The commands in the README of each project of examples/ do what it says: its ```sh blocks are run, in order, in a copy
of its folder, as those of the tutorial (test_docs.py).

usage: test_examples.py [WORD]      only the tests whose name contains WORD
"""
import os
import re
import shutil
import subprocess

from harness import run_functions
from test_docs import ROOT, Shell, read_part, run_blocks


def run_example(folder, name):
    """In a copy of the project's folder; returns what was said."""
    shell = Shell(folder)
    os.rmdir(shell.work)
    shutil.copytree(os.path.join(ROOT, "examples", name), shell.work)
    shell.environment.update(GIT_AUTHOR_NAME="Ada", GIT_AUTHOR_EMAIL="ada@example.com", GIT_COMMITTER_NAME="Ada",
                             GIT_COMMITTER_EMAIL="ada@example.com", GIT_CONFIG_GLOBAL="/dev/null")
    return "".join(run_blocks(shell, read_part(os.path.join("examples", name, "README.md"))))


def test_spam(folder):
    said = run_example(folder, "spam")
    for part in ("tests: smoke.jsonl and 3 files of data are what they must be", "accepted  spam version 2", "rejected: ", "requests failed, which is more than 1 %",
                 "the audit trail is whole"):
        assert part in said, f'"{part}" was not said'


def test_a_ci_job_ends_as_its_pipeline_does(folder):
    """The lines of docs/ci.md that run a pipeline, with the variables that each service sets."""
    shell = Shell(folder)
    os.symlink(os.path.join(folder, "programs", "slipway"), os.path.join(folder, "slipway"))
    lines = re.findall(r"(?:run:|script:|-) (\S*slipway pipeline run .*)", read_part("docs/ci.md"))
    assert len(lines) == 3, lines
    shell.run("slipway server --port 5000 --data ../server --quiet &\ngit init --quiet .", 0)
    environment = dict(shell.environment, RUNNER_TEMP=folder, SLIPWAY_SERVER=f"http://127.0.0.1:{shell.port}")
    try:
        for number, line in enumerate(lines):
            for command, status in ("exit 0", 0), ("exit 3", 5):
                with open(os.path.join(shell.work, "slipway.yaml"), "w", encoding="utf-8") as file:
                    file.write(f"project: ci\nstages:\n  test: {{cmd: 'echo tested {number}; {command}'}}\n")
                line = line.replace("$(Build.SourceVersion)", "$GITHUB_SHA")
                values = {name: f"{number}{status}" for name in ("GITHUB_SHA", "CI_COMMIT_SHA")}
                done = subprocess.run(["sh", "-c", line], cwd=shell.work, env=dict(environment, **values),
                                      capture_output=True, text=True, check=False)
                assert done.returncode == status and f"tested {number}" in done.stdout, (line, done)
    finally:
        shell.close()


if __name__ == "__main__":
    run_functions(globals())
