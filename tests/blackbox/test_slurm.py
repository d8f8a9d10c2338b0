#!/usr/bin/env python3
"""Pipelines with steps on a Slurm cluster of three virtual machines: run, cancelled, and with its controller and the server
killed meanwhile.

usage: test_slurm.py [WORD]      only the tests whose name contains WORD

What the executor itself promises is in test_executor.py.
"""
import collections
import json
import os
import shutil
import signal
import tempfile

from harness import SLIPWAY, SlipwayTest, run
from slurm_cluster import Cluster, missing, processes, read, wait_until


def is_sanitized():
    """Whether the program needs terabytes of addresses, which no limit of memory lets it have."""
    with open(SLIPWAY, "rb") as file:
        return b"__asan_init" in file.read()


class SlurmTest(SlipwayTest):
    """With one cluster for all of its tests."""

    @classmethod
    def setUpClass(cls):
        cls.cluster_folder = tempfile.mkdtemp(prefix="slipway-slurm-")
        cls.cluster = Cluster(cls.cluster_folder).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()
        shutil.rmtree(cls.cluster_folder)

    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "project")
        os.mkdir(self.project)
        self.effects = os.path.join(self.folder, "effects")

    def begin_server(self, *options):
        """The server and its port."""
        return self.start("--slurm", self.cluster.socket, *options)

    def put(self, name, text):
        with open(os.path.join(self.project, name), "w") as file:
            file.write(text)

    def pipeline(self, *arguments):
        return self.command("pipeline", *arguments, folder=self.project)

    def begin(self, stages):
        """Its id."""
        self.put("dvc.yaml", "stages:\n" + stages)
        return self.pipeline("run", "--no-wait").strip()

    def show(self, port, run_id):
        return self.expect(200, port, f"/api/v1/pipeline-runs/{run_id}")[1]

    def end_of(self, port, run_id):
        wait_until(lambda: self.show(port, run_id)["ended_at"],
                   lambda: f"the run does not end: {self.pipeline('show', 'project')}")
        return self.show(port, run_id)["status"]

    def step(self, port, run_id, name):
        return self.expect(200, port, f"/api/v1/pipeline-runs/{run_id}/steps/{name}")[1]

    def attempts(self, port, run_id, name):
        return [(one["executor"], one["status"]) for one in self.step(port, run_id, name)["attempts"]]

    def done(self):
        """How often each effect came."""
        return collections.Counter(read(self.effects).decode().split())

    def wait_for_effect(self, word):
        wait_until(lambda: self.done()[word] > 0, lambda: f"{word} does not begin: {self.pipeline('show', 'project')}")

    def hold(self):
        """A command that lasts until release()."""
        return f"while [ ! -e {self.folder}/go ]; do sleep 0.05; done"

    def release(self):
        with open(os.path.join(self.folder, "go"), "w"):
            pass

    def shims(self):
        return processes(lambda folder: f"{self.data}/attempts/".encode() in read(f"{folder}/cmdline"))

    def jobs(self):
        """Those that wait or run."""
        return self.cluster.jobs("-t", "PD,R")


class PipelineOnSlurm(SlurmTest):
    def test_steps_run_where_they_say_and_pass_files_on(self):
        port = self.begin_server("--slurm-server", "http://there.example.com:5000")[1]
        memory, megabytes = ("", "1088M") if is_sanitized() else (", memory: 300MiB", "364M")
        run_id = self.begin("""
  first:
    cmd: echo "$SLIPWAY_SERVER job $SLURM_JOB_ID" > first.txt
    outs: [first.txt]
    executor: slurm
    resources: {cpus: 2MEMORY}
    timeout-minutes: 3
  second:
    cmd: cat first.txt > second.txt; echo "$SLIPWAY_SERVER job $SLURM_JOB_ID" >> second.txt
    deps: [first.txt]
    outs: [second.txt]
  third:
    cmd: cat second.txt
    deps: [second.txt]
    executor: slurm
""".replace("MEMORY", memory))
        self.assertEqual(self.end_of(port, run_id), "succeeded")
        here, there = (self.attempts(port, run_id, name) for name in ("second", "first"))
        self.assertEqual((here, there), ([("local", "succeeded")], [("slurm", "succeeded")]))
        self.assertRegex(self.pipeline("log", "project", "third"),
                         rf"^http://there\.example\.com:5000 job \d+\nhttp://127\.0\.0\.1:{port} job \n$")
        job = self.cluster.job(self.step(port, run_id, "first")["attempts"][0]["key"])
        self.assertEqual((job["CPUs/Task"], job["MinMemoryNode"], job["TimeLimit"]), ("2", megabytes, "00:08:00"))
        self.pipeline("run")
        shown = json.loads(self.pipeline("show", "project", "--json"))["steps"]
        self.assertEqual({one["status"] for one in shown if one["cached_from"]}, {"succeeded"})
        self.assertEqual(len(shown), 3)

    def test_a_step_logs_there_by_a_token_that_slurm_is_not_told(self):
        token = self.token("dev", "contributor")
        port = self.begin_server("--demand-token")[1]
        headers = {"Authorization": f"Bearer {token}"}
        self.put("log.sh", """body="{\\"run_id\\": \\"$MLFLOW_RUN_ID\\", \\"key\\": \\"f1\\", \\"value\\": 0.5, \\"timestamp\\": 1}"
curl -sf -H "Authorization: Bearer $SLIPWAY_TOKEN" --json "$body" $MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/log-metric
echo $MLFLOW_TRACKING_TOKEN > %s/told
""" % self.folder)
        self.put("dvc.yaml", "stages:\n  there:\n    cmd: sh -e log.sh; " + self.hold() + "\n    executor: slurm\n")
        run_id = self.command("pipeline", "run", "--no-wait", folder=self.project, SLIPWAY_TOKEN=token).strip()
        told = os.path.join(self.folder, "told")
        wait_until(lambda: read(told).endswith(b"\n"), lambda: "the step does not log")
        secret = read(told).strip()
        job = self.cluster.run("squeue", "-h", "-n", self.jobs()[0], "-o", "%i").strip()
        for words in (("show", "job", job, "-d"), ("write", "batch_script", job, "-")):
            self.assertNotIn(secret[-64:].decode(), self.cluster.run("scontrol", *words))
        kept = [os.path.join(folder, name) for folder, _, names in os.walk(self.cluster_folder) for name in names]
        self.assertEqual([name for name in kept + self.data_files() if secret[-64:] in read(name)], [])
        self.release()
        runs = "/api/v1/pipeline-runs"
        wait_until(lambda: self.expect(200, port, runs, headers=headers)[1]["pipeline_runs"][0]["ended_at"],
                   lambda: "the run does not end")
        step = self.expect(200, port, f"{runs}/{run_id}/steps/there", headers=headers)[1]
        logged = self.expect(200, port, f"/api/v1/runs/{step['attempts'][0]['run_id']}", headers=headers)[1]
        self.assertEqual([(one["key"], one["value"]) for one in logged["metrics"]], [("f1", 0.5)])
        self.expect(401, port, runs, headers={"Authorization": f"Bearer {secret.decode()}"})

    def data_files(self):
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.data) for name in names]

    def test_the_server_says_where_steps_run_that_do_not(self):
        port = self.begin_server("--executor", "slurm")[1]
        run_id = self.begin("  there:\n    cmd: 'true'\n  here:\n    cmd: 'true'\n    executor: local\n")
        self.assertEqual(self.end_of(port, run_id), "succeeded")
        self.assertEqual(self.attempts(port, run_id, "there"), [("slurm", "succeeded")])
        self.assertEqual(self.attempts(port, run_id, "here"), [("local", "succeeded")])

    def test_what_fails_there_says_why_and_is_tried_again(self):
        port = self.begin_server()[1]
        run_id = self.begin("  shaky:\n    cmd: echo try $SLIPWAY_ATTEMPT; exit 7\n    executor: slurm\n"
                            "    retries: {max: 1, backoff: 10ms}\n")
        self.assertEqual(self.end_of(port, run_id), "failed")
        self.assertEqual(self.attempts(port, run_id, "shaky"), [("slurm", "failed")] * 2)
        self.assertEqual(self.step(port, run_id, "shaky")["step"]["reason"], "it ended with status 7")
        self.assertEqual(self.pipeline("log", "project", "shaky"), "try 2\n")

    def test_what_slurm_refuses_fails_with_its_sentence(self):
        port = self.begin_server("--slurm-partition", "nowhere")[1]
        run_id = self.begin("  refused:\n    cmd: 'true'\n    executor: slurm\n")
        self.assertEqual(self.end_of(port, run_id), "failed")
        self.assertIn("slurm did not begin it: Slurm says: Invalid partition name specified (2000)",
                      self.step(port, run_id, "refused")["step"]["reason"])

    def test_a_program_that_is_not_there_is_said(self):
        port = self.begin_server("--slurm-program", "/nowhere/slipway")[1]
        run_id = self.begin("  absent:\n    cmd: 'true'\n    executor: slurm\n")
        self.assertEqual(self.end_of(port, run_id), "failed")
        self.assertRegex(self.step(port, run_id, "absent")["step"]["reason"],
                         "its shim ended before it began: .*/nowhere/slipway: not found$")

    def test_cancelling_ends_what_runs_and_what_waits(self):
        port = self.begin_server()[1]
        stages = [f"  s{number}:\n    cmd: echo s{number} >> {self.effects}; setsid sleep 4322 & sleep 4322\n"
                  "    executor: slurm\n    resources: {cpus: 4}\n" for number in range(6)]
        run_id = self.begin("".join(stages))
        wait_until(lambda: len(self.done()) == 3 and len(self.jobs()) == 6, lambda: f"{self.done()}, {self.jobs()}")
        self.pipeline("cancel", "project")
        self.assertEqual(self.end_of(port, run_id), "cancelled")
        wait_until(lambda: not self.jobs(), lambda: f"{self.jobs()} are left")
        self.assertEqual(processes(lambda folder: read(f"{folder}/cmdline") == b"sleep\x004322\x00"), [])
        self.assertEqual(len(self.done()), 3)
        self.assertEqual({self.attempts(port, run_id, f"s{number}")[0] for number in range(6)}, {("slurm", "cancelled")})

    def test_a_full_cluster_holds_nothing_up_here(self):
        port = self.begin_server("--slurm-slots", "2")[1]
        held = [f"  a{number}:\n    cmd: {self.hold()}\n    executor: slurm\n" for number in range(4)]
        run_id = self.begin("".join(held) + f"  here:\n    cmd: echo here >> {self.effects}\n")
        self.wait_for_effect("here")
        wait_until(lambda: len(self.jobs()) == 2, lambda: f"{self.jobs()}")
        self.release()
        self.assertEqual(self.end_of(port, run_id), "succeeded")

    def test_a_step_waits_for_a_server_that_has_its_executor(self):
        server, port = self.begin_server()
        run_id = self.begin(f"  first:\n    cmd: echo first >> {self.effects}; {self.hold()}\n    executor: slurm\n"
                            f"  second:\n    cmd: echo second >> {self.effects}\n    executor: slurm\n    needs: [first]\n")
        self.wait_for_effect("first")
        server.send_signal(signal.SIGKILL)
        server.wait()
        server, port = self.start()
        self.release()
        wait_until(lambda: self.step(port, run_id, "first")["step"]["status"] == "succeeded", "its end is not seen")
        self.assertEqual(self.step(port, run_id, "second")["step"]["status"], "ready")
        self.stop_quietly(server)
        port = self.begin_server()[1]
        self.assertEqual(self.end_of(port, run_id), "succeeded")
        self.assertEqual(self.done(), {"first": 1, "second": 1})

    def stop_quietly(self, server):
        server.send_signal(signal.SIGTERM)
        self.assertEqual((server.wait(), "of an executor that is not there" in server.communicate()[1]), (0, True))


class SlurmDies(SlurmTest):
    """A controller that was killed may leave jobs behind that seem to run: its cluster is no other test's."""

    def wait_resuming(self, condition):
        def look():
            self.cluster.tend()
            return condition()
        wait_until(look, lambda: f"{self.done()}, {self.pipeline('show', 'project')}, {self.cluster.run('squeue')}")

    def test_killing_the_controller_and_the_server_loses_and_repeats_nothing(self):
        server, port = self.begin_server()
        names = [f"s{number}" for number in range(24)]
        stages = [f"  {name}:\n    cmd: echo {name} >> {self.effects}; sleep 0.3; echo {name} > {name}.txt\n"
                  f"    outs: [{name}.txt]\n    executor: slurm\n" for name in names]
        run_id = self.begin("".join(stages) + f"  last:\n    cmd: cat *.txt | wc -l\n    needs: {json.dumps(names)}\n"
                            f"    deps: {json.dumps([name + '.txt' for name in names])}\n")
        for count in (2, 10):
            self.wait_resuming(lambda: len(self.done()) >= count)
            self.cluster.kill_controller()
            server.send_signal(signal.SIGKILL)
            server.wait()
            server, port = self.begin_server()
            self.cluster.start_controller()
        self.wait_resuming(lambda: self.show(port, run_id)["ended_at"])
        self.assertEqual(self.show(port, run_id)["status"], "succeeded")
        self.assertEqual(self.pipeline("log", "project", "last").strip(), "24")
        wait_until(lambda: not self.shims(), "a shim is left")
        self.assertEqual(self.done(), {name: 1 for name in names})
        self.assertEqual({self.attempts(port, run_id, name)[0] for name in names}, {("slurm", "succeeded")})


class WithoutSlurm(SlipwayTest):
    def test_a_step_that_names_what_is_not_there_is_refused_before_anything_runs(self):
        project = os.path.join(self.folder, "project")
        os.mkdir(project)
        with open(os.path.join(project, "dvc.yaml"), "w") as file:
            file.write("stages:\n  a:\n    cmd: 'true'\n  b:\n    cmd: 'true'\n    executor: slurm\n")
        self.start()
        done = self.run_command("pipeline", "run", "--data", self.data, folder=project)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (
            2, 'slipway: dvc.yaml: step "b" names the executor "slurm", which this server does not have: it has local'))
        self.assertEqual(json.loads(self.command("pipeline", "list", "--json"))["pipeline_runs"], [])

    def test_options_that_are_wrong_are_refused(self):
        for options, sentence in [
            (("--executor", "slurm"), "the executor slurm needs the address of slurmrestd"),
            (("--executor", "k8s"), 'an executor is local or slurm, not "k8s"'),
            (("--slurm-user", "ada"), "--slurm-user goes with --slurm"),
            (("--slurm", "/x", "--slurm-slots", "0"), "--slurm-slots takes 1 to 2000"),
            (("--slurm", "/x", "--slurm-server", "here"),
             "--slurm-server takes a URL as http://slipway.example.com:5000"),
            (("--slurm", "x"), "the address of slurmrestd is the absolute path of its socket or a URL, not \"x\""),
            (("--slurm", "http://127.0.0.1:9"), "slurmrestd at a URL wants a user and a token"),
        ]:
            self.refused(2, sentence, "server", "--port", "0", *options)


if __name__ == "__main__":
    reason = missing()
    if reason:
        print(f"SKIP {reason}; what is said without it alone is tested")
    run(WithoutSlurm, *([] if reason else [PipelineOnSlurm, SlurmDies]))
