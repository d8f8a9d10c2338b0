#!/usr/bin/env python3
"""Kill the server in the middle of a release, and look at how it ends.

usage: crash_release.py [BINARY]          build/debug/slipway: a build with crash points

A version serves. A run checks new data, trains, is judged, goes to staging, is approved, and has a tenth, then half of the
requests, then all of them; or it is too slow and is aborted. The server is killed at each point that it passes on that
way (also on the way of a first release, when nothing serves yet), and at random moments; then it starts again, and nobody does anything but approve what waits. The run must come to
its end by itself: one version registered, one approval, each share set once, one deployment; or none. Where the kill met
a worker, its step has failed, says so, and nothing was released.

The settings are those of tools/crash_pipeline.py, with its stops: CRASH_POINTS (2), CRASH_RANDOM (12), CRASH_STOPS (6),
CRASH_SEED (1).

Writes docs/results/crash_release.md. Says in its last line "N passed, N failed".
"""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash_pipeline import Driver, drive
from scenario import Server, digest_of, must

FILE = """project: killed
data: {{comments: {{source: data.csv, target: label, columns: {{text: text}}}}}}
stages:
  check: {{uses: check-data}}
  train: {{uses: train, with: {{budget: 0}}, needs: check}}
release:
  endpoint: killed
  gate: {{metric: f1, margin: 0.9, minimum: 0}}
  staging: {{smoke: smoke.jsonl}}
  production: {{approval: required, traffic: [10, 50], hold: 1s, abort: {{requests_min: 1{rule}}}}}
"""
TOO_SLOW = ", p99_ms_max: 0.0001"
SMOKE = [{"text": "win a prize now", "label": "bad"}, {"text": "the song is good", "label": "good"}]
COMMENT = {"data": [{"text": "win a prize"}]}
PATH = "/api/v1/endpoints/killed"


def table(count):
    rows = [f"win prize number {i},bad\nthe song at {i} is good,good\n" for i in range(count)]
    return ("text,label\n" + "".join(rows)).encode()


class ReleaseDriver(Driver):
    first = False

    def __init__(self, binary, rule=""):
        super().__init__(binary)
        self.rule = rule
        self.base = os.path.join(self.folder, "base")
        self.make_base()

    def make_base(self):
        super().begin()
        server = Server(self.binary, self.data)
        self.wait(server, self.order(server, rows=40, key="base"))
        server.stop()
        os.rename(self.data, self.base)

    def begin(self):
        super().begin()
        shutil.copytree(self.base, self.data)

    def order(self, server, rows=60, **more):
        files = []
        smoke = "".join(json.dumps(row) + "\n" for row in SMOKE)
        for name, content in (("slipway.yaml", FILE.format(rule=self.rule).encode()), ("data.csv", table(rows)),
                              ("smoke.jsonl", smoke.encode())):
            server.get("PUT", f"/api/v1/artifacts/{digest_of(content)}", content)
            files.append({"path": name, "digest": digest_of(content)})
        return server.get("POST", "/api/v1/pipeline-runs", {"files": files, "key": "one", **more})["id"]

    def tend(self, server, run):
        """Approves what waits, and calls the endpoint once something serves there."""
        for one in server.get("GET", f"/api/v1/approvals?status=pending&pipeline_run_id={run}")["approvals"]:
            server.get("POST", f"/api/v1/approvals/{one['id']}/decide",
                       {"approved": True, "comment": "looked at it", "digest": one["digest"]})
        if os.path.exists(self.base) and not self.first:
            server.get("POST", "/endpoints/killed/predict", COMMENT)

    def look(self, server, run):
        """Once and only once, whatever was killed; or not at all."""
        shown = self.wait(server, run)
        endpoint = server.get("GET", PATH)
        served = [one["version"] for one in server.get("GET", f"{PATH}/deployments")["deployments"]]
        shares = [one["share"] for one in server.get("GET", f"{PATH}/candidates")["candidates"]]
        approvals = server.get("GET", f"/api/v1/approvals?pipeline_run_id={run}")["approvals"]
        gates = [one["version"] for one in server.get("GET", f"{PATH}/gates")["gates"]]
        must(endpoint["candidate"] is None, "a candidate was left")
        before = [] if self.first else [1]
        if "was ended by signal 9" in (shown["reason"] or ""):  # the kill met a worker, as want of memory would
            must(shown["status"] == "failed" and served == before, f"the run {shown['status']}, {served} served")
            return
        must(shown["status"] == "succeeded" or self.rule, f"the run {shown['status']}: {shown['reason']}")
        versions = [one["version"] for one in server.get("GET", "/api/v1/models/killed/versions")["versions"]]
        after = [len(before) + 1, *before]
        must(versions == after, f"the versions are {versions}")
        must(gates == after, f"the gate has judged {gates}")
        must([one["status"] for one in approvals] == ["approved"], f"the approvals are {approvals}")
        if self.rule:
            must(shown["status"] == "failed" and "took up to" in shown["reason"], f"the run {shown['status']}: {shown['reason']}")
            must(served == [1], f"{served} served")
            must(len(shares) == 1, f"the shares were {shares}")
        else:
            must(shown["status"] == "succeeded", f"the run {shown['status']}: {shown['reason']}")
            must(served == after, f"{served} served")
            must(len(shares) == (0 if self.first else 2), f"the shares were {shares}")
        server.get("GET", "/api/v1/audit/verify")
        self.check_folders()

    def look_at_cache(self, server):
        """A release is never taken from it."""


class FirstReleaseDriver(ReleaseDriver):
    """Nothing serves yet: there are no shares, and no gate that compares."""

    first = True

    def make_base(self):
        os.mkdir(self.base)


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "build/debug/slipway"
    return drive("crash_release", "Kills in a release",
                 "A run trains, is judged, goes to staging, is approved, has a tenth, then half of the requests, then all of "
                 "them; or it is too slow and is aborted; or it is the first one. The server is killed at each crash point that "
                 "it passes and at random moments, and goes on by itself; or some of the processes are stopped for up to 1.5 s "
                 "and go on. Each must come to its right end: one version, one approval, each share set once, one deployment; "
                 "or none.",
                 {"release": ReleaseDriver(binary), "release that is aborted": ReleaseDriver(binary, TOO_SLOW),
                  "first release": FirstReleaseDriver(binary)}, runs=12, stops=6)


if __name__ == "__main__":
    sys.exit(main())
