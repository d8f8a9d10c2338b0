#!/usr/bin/env python3
"""What docs/ and examples/ say of projects that others start: the lines of docs/ci.md are run as a job would run them.

usage: test_examples.py [WORD]      only the tests whose name contains WORD
"""
import os
import re
import subprocess

from harness import run_functions
from test_docs import Shell, read_part


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
