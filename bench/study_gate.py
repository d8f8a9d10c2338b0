#!/usr/bin/env python3
"""The gate on the case of the systems that Slipway replaces: a spam model of three videos, retrained with a fourth.

usage: study_gate.py SLIPWAY DATA_FOLDER RESULT.md

For each of 20 seeds a project freezes its hold-out in the 1,138 comments of three videos, trains and promotes a champion,
then trains with the 448 comments of the fourth video and asks the gate. Beside it stands what those systems did: each
model judged on a split of its own data, the two figures compared. Then each way in which such a gate fails open is tried.
Everything runs through the program itself, alone in a temporary folder.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SEEDS = 20
BASE = ["Youtube01-Psy.csv", "Youtube02-KatyPerry.csv", "Youtube03-LMFAO.csv"]
MORE = "Youtube04-Eminem.csv"
IGNORED = ["COMMENT_ID", "AUTHOR", "DATE"]
PROJECT = """project: {name}
data:
  comments:
    source: unused.csv
    target: CLASS
    holdout: {{share: 0.2, by: stratified, seed: {seed}}}
release:
  endpoint: {name}
  gate: {{metric: {metric}}}
"""


class Slipway:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *arguments):
        """The answer and the error of a command, each as JSON or None."""
        done = subprocess.run([self.program, *arguments, "--json"], cwd=self.folder, capture_output=True, text=True)
        answer = json.loads(done.stdout) if done.stdout.strip() else None
        error = json.loads(done.stderr.strip().splitlines()[-1])["error"] if done.returncode else None
        return answer, error

    def must(self, *arguments):
        answer, error = self.run(*arguments)
        if error:
            sys.exit(f"slipway {' '.join(arguments)}: {error['message']}")
        return answer

    def project(self, name, seed, metric="f1"):
        with open(os.path.join(self.folder, "slipway.yaml"), "w") as file:
            file.write(PROJECT.format(name=name, seed=seed, metric=metric))

    def add(self, files):
        options = ["--target", "CLASS"] + [f"--column={name}=ignore" for name in IGNORED]
        return self.must("data", "add", "comments", *files, *options)["version"]

    def train(self, dataset):
        run = self.must("train", "--dataset", dataset)
        return next(metric["value"] for metric in run["metrics"] if metric["key"] == "holdout.f1")

    def promote(self, endpoint, version):
        answer, error = self.run("promote", endpoint, "--version", str(version))
        return (answer or {}).get("gate"), error


def one_seed(slipway, seed):
    """The old comparison's two figures and the gate's verdict."""
    name = f"spam-{seed}"
    slipway.project(name, seed)
    champion = slipway.train("comments@1")
    _, error = slipway.promote(name, 1)
    assert not error, error
    slipway.train("comments@2")
    gate, error = slipway.promote(name, 2)
    slipway.project(f"own-split-{seed}", seed)
    retrained = slipway.train("comments@2")
    return champion, retrained, gate["verdict"] if gate else None, error


def flipped(source, target):
    """The same comments with the labels the wrong way round (CLASS is the last column)."""
    with open(source, newline="") as file:
        rows = file.read()
    lines = rows.replace("\r\n", "\n").split("\n")
    flip = {"0": "1", "1": "0"}
    with open(target, "w", newline="") as file:
        file.write("\n".join(line[:-1] + flip[line[-1]] if line[-2:] in (",0", ",1") else line for line in lines))


def blob(slipway, digest):
    return os.path.join(slipway.folder, "slipway-data", "artifacts", digest[:2], digest[2:])


def damage_model(slipway, name, version):
    """Overwrites some bytes of a version's model file; its package lists a digest, size and path a line."""
    package = slipway.must("model", "show", f"{name}@{version}")["version"]["package"]
    with open(blob(slipway, package)) as file:
        digest = next(line.split()[0] for line in file if line.endswith(" model.slipway\n"))
    with open(blob(slipway, digest), "r+b") as file:
        file.seek(os.path.getsize(file.name) // 2)
        file.write(b"\0damaged\0")


def main():
    program, data, result = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
    folder = tempfile.mkdtemp(prefix="slipway-study-")
    slipway = Slipway(program, folder)
    try:
        report = study(slipway, os.path.join(data, "youtube-spam"))
    finally:
        shutil.rmtree(folder)
    with open(result, "w") as file:
        file.write(report)
    print(report)


def study(slipway, data):
    base = [os.path.join(data, name) for name in BASE]
    slipway.add(base)
    slipway.add(base + [os.path.join(data, MORE)])
    lines, old_rejects, findings = [], 0, {}
    for seed in range(1, SEEDS + 1):
        champion, retrained, verdict, error = one_seed(slipway, seed)
        finding = verdict["finding"] if verdict else error["message"]
        old = "turned away" if retrained <= champion else "promoted"
        old_rejects += retrained <= champion
        findings[finding] = findings.get(finding, 0) + 1
        interval = verdict["interval"]
        lines.append(f"| {seed} | {champion:.4f} | {retrained:.4f} | {old} | {verdict['champion']['value']:.4f} | "
                     f"{verdict['challenger']['value']:.4f} | {verdict['difference']:+.4f} "
                     f"({interval['low']:+.4f} to {interval['high']:+.4f}) | {verdict['outcome']}: {finding} |")
    summary = ", ".join(f"{finding} {count}" for finding, count in sorted(findings.items()))
    return "\n".join([
        "# The gate on retraining with new comments", "",
        "Written by `make study`. 20 seeds; F1 of spam. Left, what the systems did that Slipway replaces: each model judged on a split "
        "of its own data (20 %), two figures of different rows compared. Right, the gate: both models on the same frozen hold-out, "
        "with the 95 % interval of the difference (paired bootstrap, 2,000 resamples). The rule is `{metric: f1}`: accept unless worse "
        "beyond the noise.", "",
        f"The old comparison turns the retrained model away {old_rejects} times of {SEEDS}. The gate: {summary}.", "",
        "| seed | old on its split | retrained on its split | the old comparison | champion | challenger | difference | the gate |",
        "|---|---|---|---|---|---|---|---|", *lines, "",
        "## What must not pass", "", "| tried | answer |", "|---|---|", *attacks(slipway, base), ""])


def attacks(slipway, base):
    """Each way to get past a gate, with the answer that it gets; a gate that lets one through ends the study."""
    rows = []

    def refused(tried, error):
        if not error:
            sys.exit(f"{tried}: was let through")
        rows.append(f"| {tried} | {error['message']} |")

    wrong = []
    for path in base:
        wrong.append(os.path.join(slipway.folder, "wrong-" + os.path.basename(path)))
        flipped(path, wrong[-1])
    version = slipway.add(base + wrong[:2])
    slipway.project("spam-1", 1)
    slipway.train(f"comments@{version}")
    refused("a worse model: two of the videos again, with the labels the wrong way round",
            slipway.promote("spam-1", 3)[1])
    slipway.project("renamed", 1, metric="F1")
    refused("a metric under another name: `metric: F1`", slipway.run("up")[1])
    slipway.project("spam-2", 2)
    refused("a model that was kept away from another hold-out (seed 3) at an endpoint of seed 2",
            slipway.run("promote", "spam-2", "--model", "spam-3", "--version", "2")[1])
    live = slipway.must("endpoint", "show", "spam-4")["version"]
    damage_model(slipway, "spam-4", live)
    refused("a challenger whose champion cannot be read any more", slipway.promote("spam-4", 3 - live)[1])
    return rows


if __name__ == "__main__":
    main()
