#!/usr/bin/env python3
"""Runs of pipelines by the command line and the API, on a server that is killed now and then."""
import json
import os
import signal
import subprocess
import sys
import time

from harness import SlipwayTest, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from crash_pipeline import Driver  # noqa: E402

CHAIN = """stages:
  first:
    cmd: cat in.txt > first.txt
    deps: [in.txt]
    outs: [first.txt]
  second:
    cmd: tr a-z A-Z < first.txt > second.txt; echo '{"sizes":{"all":3.5}}' > scores.json
    deps: [first.txt]
    outs: [second.txt]
    metrics: [scores.json]
  third:
    cmd: cat second.txt other.txt
    deps: [second.txt, other.txt]
"""
SECONDS_MAX = 30


class PipelineTest(SlipwayTest):
    def put(self, name, text):
        path = os.path.join(self.folder, "project", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def project(self, stages):
        self.put("dvc.yaml", stages)
        self.put("in.txt", "a\n")
        self.put("other.txt", "b\n")

    def pipeline(self, *arguments):
        return self.command("pipeline", *arguments, folder=os.path.join(self.folder, "project"))

    def steps(self, which="project"):
        shown = json.loads(self.pipeline("show", which, "--json"))["steps"]
        return {one["name"]: "cached" if one["cached_from"] else one["status"] for one in shown}

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def wait_for_run(self, port, run_id):
        shown = {}

        def has_ended():
            shown.update(self.expect(200, port, f"/api/v1/pipeline-runs/{run_id}")[1])
            return shown["ended_at"]
        self.wait_until(has_ended)
        return shown

    def test_a_dvc_yaml_runs_and_is_followed(self):
        self.project(CHAIN)
        self.start()
        printed = self.pipeline("run")
        self.assertEqual(printed.splitlines(), ["first: succeeded", "second: succeeded", "third | A", "third | b",
                                                "third: succeeded", "project#1 succeeded"])
        self.assertEqual(self.pipeline("log", "project", "third"), "A\nb\n")
        runs = json.loads(self.command("run", "list", "--json"))["runs"]
        second = next(one for one in runs if one["name"] == "second")
        self.assertEqual([(one["key"], one["value"]) for one in second["metrics"]], [("sizes.all", 3.5)])

    def test_it_also_runs_without_a_server(self):
        self.project(CHAIN)
        self.assertIn("project#1 succeeded", self.pipeline("run"))

    def test_a_changed_byte_runs_what_depends_on_it_and_says_so(self):
        self.project(CHAIN)
        self.start()
        self.pipeline("run")
        self.pipeline("run")
        self.assertEqual(self.steps(), {"first": "cached", "second": "cached", "third": "cached"})
        self.put("other.txt", "c\n")
        self.pipeline("run")
        self.assertEqual(self.steps(), {"first": "cached", "second": "cached", "third": "succeeded"})
        why = json.loads(self.pipeline("why", "project", "third", "--json"))
        self.assertEqual((why["reason"], why["compared_with"]), ("changed: dep other.txt", 2))
        self.assertEqual([one["name"] for one in why["changed"]], ["dep other.txt"])
        self.assertIn("nothing that it depends on has changed", self.pipeline("why", "project", "second"))
        self.put("dvc.yaml", CHAIN.replace("tr a-z A-Z", "tr a b"))
        self.pipeline("run")
        self.assertIn("changed: command", self.pipeline("why", "project", "second"))
        self.pipeline("run", "--force")
        self.assertEqual(set(self.steps().values()), {"succeeded"})

    def test_a_failed_step_fails_the_run_and_skips_what_needs_it(self):
        self.project(CHAIN.replace("tr a-z A-Z < first.txt > second.txt", "echo no; exit 3"))
        self.start()
        done = self.run_command("pipeline", "run", "--data", self.data,
                                folder=os.path.join(self.folder, "project"))
        self.assertEqual(done.returncode, 5)
        self.assertTrue(done.stderr.endswith(
            'slipway: project#1 failed: step "second": it ended with status 3\n'), done.stderr)
        self.assertEqual(self.steps(), {"first": "succeeded", "second": "failed", "third": "skipped"})

    def test_a_failure_is_tried_again_as_often_as_is_said(self):
        self.project("stages:\n  shaky:\n    cmd: test $SLIPWAY_ATTEMPT -ge 3\n"
                     "    retries: {max: 2, backoff: 10ms}\n")
        self.start()
        self.pipeline("run")
        show = json.loads(self.pipeline("show", "project", "--json"))["steps"][0]
        self.assertEqual((show["status"], show["attempts"]), ("succeeded", 3))

    def test_a_key_has_one_run(self):
        self.project(CHAIN)
        port = self.start()[1]
        ids = [self.pipeline("run", "--no-wait", "--key", "commit-1").strip() for _ in range(3)]
        self.assertEqual(len(set(ids)), 1)
        other = self.pipeline("run", "--no-wait", "--key", "commit-2").strip()
        self.assertNotEqual(ids[0], other)
        self.assertEqual([self.wait_for_run(port, one)["status"] for one in (ids[0], other)], ["succeeded"] * 2)

    def test_cancelling_reaches_what_left_the_group(self):
        self.project("stages:\n  long:\n    cmd: setsid sleep 4321 & sleep 4321\n  after:\n    cmd: 'true'\n"
                     "    needs: [long]\n")
        port = self.start()[1]
        run_id = self.pipeline("run", "--no-wait").strip()

        def sleepers():
            done = subprocess.run(["pgrep", "-f", "sleep 4321"], stdout=subprocess.PIPE, text=True)
            return done.stdout.split()
        self.wait_until(lambda: len(sleepers()) >= 2)
        self.pipeline("cancel", "project")
        shown = self.wait_for_run(port, run_id)
        self.assertEqual((shown["status"], shown["reason"]), ("cancelled", "it was cancelled by local"))
        self.assertEqual(self.steps(), {"long": "cancelled", "after": "cancelled"})
        self.assertEqual(sleepers(), [])
        self.assertEqual(self.expect(409, port, f"/api/v1/pipeline-runs/{run_id}/cancel", method="POST")[1]
                         ["error"]["message"], "project #1 has ended: it was cancelled")

    def test_a_step_outlives_its_server(self):
        noted = os.path.join(self.folder, "noted")
        self.project(f"stages:\n  slow:\n    cmd: echo begun >> {noted}; sleep 2; echo done >> {noted}\n")
        server = self.start()[0]
        run_id = self.pipeline("run", "--no-wait").strip()
        self.wait_until(lambda: os.path.exists(noted))
        server.send_signal(signal.SIGKILL)
        server.wait()
        port = self.start()[1]
        self.assertEqual(self.wait_for_run(port, run_id)["status"], "succeeded")
        with open(noted) as file:
            self.assertEqual(file.read(), "begun\ndone\n")
        shown = self.expect(200, port, f"/api/v1/pipeline-runs/{run_id}/steps/slow")[1]
        self.assertEqual([one["status"] for one in shown["attempts"]], ["succeeded"])

    def test_a_step_whose_shim_was_killed_is_shown_as_lost_and_done_again(self):
        self.project("stages:\n  one:\n    cmd: test $SLIPWAY_ATTEMPT -ge 2 || sleep 4322\n")
        port = self.start()[1]
        run_id = self.pipeline("run", "--no-wait").strip()
        record = os.path.join(self.data, "attempts", f"{run_id}-0-1", "record")
        self.wait_until(lambda: os.path.exists(record))
        with open(record) as file:
            os.kill(json.loads(file.readline())["process"], signal.SIGKILL)
        self.assertEqual(self.wait_for_run(port, run_id)["status"], "succeeded")
        shown = self.expect(200, port, f"/api/v1/pipeline-runs/{run_id}/steps/one")[1]
        self.assertEqual([(one["status"], one["reason"]) for one in shown["attempts"]],
                         [("lost", "its shim was killed"), ("succeeded", None)])

    def test_a_run_that_was_cancelled_stays_so_when_the_server_is_killed(self):
        begun = os.path.join(self.folder, "begun")
        self.project(f"stages:\n  deaf:\n    cmd: trap '' TERM; echo > {begun}; while true; do sleep 0.05; done\n"
                     "  after:\n    cmd: 'true'\n    needs: [deaf]\n")
        server = self.start()[0]
        run_id = self.pipeline("run", "--no-wait").strip()
        self.wait_until(lambda: os.path.exists(begun))
        self.pipeline("cancel", "project")
        server.send_signal(signal.SIGKILL)
        server.wait()
        port = self.start()[1]
        self.assertEqual(self.wait_for_run(port, run_id)["status"], "cancelled")
        self.assertEqual(self.steps(), {"deaf": "cancelled", "after": "cancelled"})

    def test_as_many_steps_run_at_a_time_as_the_server_is_told(self):
        met = os.path.join(self.folder, "met")
        os.mkdir(met)
        wait = (f"touch {met}/$SLIPWAY_STEP; for turn in $(seq 100); do "
                f"test $(ls {met} | wc -l) = 5 && exit; sleep 0.1; done; exit 1")
        self.project("stages:\n" + "".join(f"  s{number}:\n    cmd: {wait}\n" for number in range(5)))
        self.refused(2, "--steps takes 1 to 1000", "server", "--steps", "0")
        self.start("--steps", "5")
        self.assertIn("project#1 succeeded", self.pipeline("run", "--force"))

    def test_what_is_wrong_is_said_and_nothing_runs(self):
        self.start()
        project = os.path.join(self.folder, "project")
        os.mkdir(project)
        for arguments, code, sentence in [
            (("run", "nowhere"), 4, '"nowhere" is not a folder'),
            (("run",), 4, '"slipway.yaml" is not among the project\'s files'),
            (("run", "--param", "x"), 2, "--param takes NAME=VALUE, not \"x\""),
            (("show", "nobody"), 4, 'project "nobody" has no pipeline run'),
            (("show", "nobody#1"), 4, 'project "nobody" has no pipeline run 1'),
            (("log", "0" * 32, "x"), 4, f'pipeline run "{"0" * 32}" does not exist'),
        ]:
            done = self.run_command("pipeline", *arguments, "--data", self.data, folder=project)
            self.assertEqual((done.returncode, done.stderr), (code, f"slipway: {sentence}\n"))
        self.put("slipway.yaml", "project: p\nstages:\n  t: {uses: train}\n"
                                 "release: {endpoint: p, staging: {smoke: rows.jsonl}}\n")
        done = self.run_command("pipeline", "run", "--data", self.data, folder=project)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]),
                         (2, 'slipway: slipway.yaml: the smoke test "rows.jsonl" of step "release.staging" is not in the '
                             "project"))
        self.assertEqual(json.loads(self.command("pipeline", "list", "--json"))["pipeline_runs"], [])

    def test_killed_at_some_points_a_run_goes_on_by_itself(self):
        driver = Driver(os.environ.get("SLIPWAY", "build/asan/slipway"))
        names = ["pipeline: run inserted, not committed", "scheduler: ends written, not committed",
                 "scheduler: spec written, shim not started", "scheduler: shim started", "attempt: claimed",
                 "attempt: done, its end not written", "attempt: its end written"]
        try:
            driver.undisturbed()
            for name in names:
                driver.kill_at_point(name)
        finally:
            driver.close()
        self.assertEqual((driver.passed, driver.failed), (len(names), 0))

    def test_what_stands_still_for_a_while_goes_on_and_nothing_is_done_again(self):
        driver = Driver(os.environ.get("SLIPWAY", "build/asan/slipway"))
        try:
            driver.stop_seconds = (0.05, 0.2)
            driver.stop_at_random(1, 7)
        finally:
            driver.close()
        self.assertEqual((driver.passed, driver.failed), (1, 0))


if __name__ == "__main__":
    run(PipelineTest)
