#!/usr/bin/env python3
"""One suite for all executors: local, and Slurm on a cluster of three virtual machines. Then what only Slurm can do wrong.

usage: test_executor.py [WORD]      only the tests whose name contains WORD

The executors are driven through tests/executor/driver.c; what a job does is done by real shims, into a file of effects
that tells what was done, and how often.
"""
import collections
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import SLIPWAY, run
from slurm_cluster import SECONDS_MAX, Cluster, is_alive, kill, missing, processes, read, wait_until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DRIVER = os.path.join(os.path.dirname(SLIPWAY), "executor_driver")
BUSY = ("queued", "running")


def build_driver():
    mode = os.path.basename(os.path.dirname(SLIPWAY))
    subprocess.run(["make", "--no-print-directory", "-s", f"MODE={mode}", os.path.relpath(DRIVER, ROOT)],
                   cwd=ROOT, check=True)


class Driver:
    """An executor in a process of its own, which may be killed."""

    def __init__(self, **options):
        self.process = subprocess.Popen([DRIVER, json.dumps(options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, act, **members):
        self.process.stdin.write(json.dumps(dict(members, do=act)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the driver has ended: {self.process.communicate()[1]}")
        return json.loads(line)

    def state(self, key):
        """["running", "why"]"""
        return self.ask("poll", keys=[key])["states"][key]

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def close(self):
        """Its exit status and what it said at its end."""
        errors = self.process.communicate(timeout=SECONDS_MAX)[1]
        return self.process.returncode, errors


class ExecutorTest(unittest.TestCase):
    """Folders of attempts, and drivers for them."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="slipway-executor-")
        self.effects = os.path.join(self.folder, "effects")
        self.word = os.urandom(4).hex()  # Slurm remembers names beyond a test
        self.key, self.again, self.other = (f"{self.word}-{end}" for end in ("0-1", "0-2", "1-1"))
        self.drivers = []
        driver = self.open()
        self.assertEqual(driver.ask("make-store", folder=os.path.join(self.folder, "artifacts")), {})

    def tearDown(self):
        ends = [driver.close() for driver in self.drivers if driver.process.poll() is None]
        for process_id in self.shims() + self.leftovers():
            kill(process_id)
        shutil.rmtree(self.folder)
        self.assertEqual([end for end in ends if end != (0, "")], [])

    def options(self):
        raise NotImplementedError

    def open(self, **more):
        driver = Driver(**dict(self.options(), **more))
        self.drivers.append(driver)
        return driver

    @property
    def driver(self):
        return self.drivers[-1]

    def shims(self):
        """Those of this test that run."""
        return processes(lambda folder: f"{self.folder}/attempts/".encode() in read(f"{folder}/cmdline"))

    def leftovers(self):
        return processes(lambda folder: f"SLIPWAY_ATTEMPT_KEY={self.word}".encode() in read(f"{folder}/environ"))

    # ---- attempts

    def attempt(self, key):
        return os.path.join(self.folder, "attempts", key)

    def prepare(self, key, *commands, **spec):
        os.makedirs(self.attempt(key))
        spec = dict({"key": key, "artifacts": os.path.join(self.folder, "artifacts"), "grace_ms": 1000}, **spec)
        with open(os.path.join(self.attempt(key), "spec.json"), "w") as file:
            json.dump(dict(spec, commands=list(commands)), file)

    def effect(self, key):
        return f"echo {key} >> {self.effects}"

    def submit(self, key, driver=None, **job):
        job = dict({"program": SLIPWAY, "folder": self.attempt(key)}, **job)
        return (driver or self.driver).ask("submit", key=key, **job)

    def begin(self, key, *commands, **spec):
        """Prepares and submits; returns its handle."""
        self.prepare(key, *commands, **spec)
        return self.submit(key)["handle"]

    def probe(self, key):
        return self.driver.ask("probe", folder=self.attempt(key))

    def end_of(self, key):
        wait_until(lambda: self.probe(key)["state"] == "ended",
                   lambda: f"{key} does not end: {self.driver.state(key)}, {self.probe(key)}, {self.errors_of(key)}")
        return self.probe(key)["end"]

    def expect_end(self, key, **members):
        end = self.end_of(key)
        self.assertEqual({name: end[name] for name in members}, members, end)
        return end

    def errors_of(self, key):
        try:
            with open(os.path.join(self.attempt(key), "errors")) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for_state(self, key, *states):
        wait_until(lambda: self.driver.state(key)[0] in states,
                   lambda: f"{key} is {self.driver.state(key)}, not {states}")
        return self.driver.state(key)[1]

    def done(self):
        """How often each effect came."""
        try:
            with open(self.effects) as file:
                return collections.Counter(file.read().split())
        except FileNotFoundError:
            return collections.Counter()

    def wait_for_effect(self, key):
        wait_until(lambda: self.done()[key] > 0, lambda: f"{key} does not begin: {self.driver.state(key)}")

    def hold(self, key):
        """A command that lasts until release()."""
        return f"while [ ! -e {self.attempt(key)}/go ]; do sleep 0.05; done"

    def release(self, key):
        with open(os.path.join(self.attempt(key), "go"), "w"):
            pass

    def drive(self, keys, meanwhile=lambda: None):
        """As a scheduler does it: what nobody has begun, and the engine does not have, is started again."""
        left = list(keys)

        def look():
            meanwhile()
            states = self.driver.ask("poll", keys=left)["states"]
            for key in list(left):
                state = self.probe(key)["state"]
                if state == "ended":
                    left.remove(key)
                elif state == "absent" and states[key][0] not in BUSY:
                    self.submit(key)
            self.driver.ask("wait", milliseconds=200)
            return not left

        wait_until(look, lambda: f"{len(left)} are left: {self.driver.ask('poll', keys=left[:5])}", 240)


class Conformance:
    """What every executor does."""

    def test_a_job_is_done_and_its_end_is_in_its_record(self):
        handle = self.begin(self.key, self.effect(self.key))
        self.expect_end(self.key, outcome="succeeded", exit_code=0)
        self.wait_for_state(self.key, "gone")
        self.assertEqual(self.done(), {self.key: 1})
        self.assertEqual(self.driver.ask("forget", handle=handle), {})

    def test_what_nobody_started_is_not_known(self):
        wait_until(lambda: "handle" in self.driver.ask("find", key=self.other), "nothing is known of what there is")
        self.assertIsNone(self.driver.ask("find", key=self.other)["handle"])
        self.assertEqual(self.driver.state(self.other), ["unknown", None])
        self.assertEqual(self.driver.ask("cancel", key=self.other, handle="7"), {})

    def test_the_same_key_twice_is_done_once(self):
        self.begin(self.key, self.effect(self.key), self.hold(self.key))
        self.submit(self.key)
        self.submit(self.key, self.open())
        self.wait_for_effect(self.key)
        self.submit(self.key)
        self.release(self.key)
        self.expect_end(self.key, outcome="succeeded")
        wait_until(lambda: not self.shims(), "a shim is left")
        self.assertEqual(self.done(), {self.key: 1})

    def test_a_job_outlives_who_started_it_and_is_not_repeated(self):
        self.begin(self.key, self.effect(self.key), self.hold(self.key))
        self.wait_for_effect(self.key)
        self.driver.kill()
        self.open()
        self.check_found(self.key)
        self.assertEqual(self.probe(self.key)["state"], "held")
        self.submit(self.key)
        self.release(self.key)
        self.expect_end(self.key, outcome="succeeded")
        wait_until(lambda: not self.shims(), "a shim is left")
        self.assertEqual(self.done(), {self.key: 1})

    def test_a_job_that_was_not_handed_over_yet_is_done_by_the_next_server(self):
        self.prepare(self.key, self.effect(self.key))
        self.driver.process.stdin.write(json.dumps(
            {"do": "submit", "key": self.key, "program": SLIPWAY, "folder": self.attempt(self.key)}) + "\n")
        self.driver.process.stdin.flush()
        self.driver.kill()
        self.open()
        self.drive([self.key])
        self.assertEqual(self.done(), {self.key: 1})

    def test_the_exit_code_is_that_of_the_step(self):
        self.begin(self.key, "exit 7")
        self.expect_end(self.key, outcome="failed", exit_code=7, signal=0, reason="it ended with status 7")

    def test_a_signal_is_told(self):
        self.begin(self.key, "kill -KILL $$")
        self.expect_end(self.key, outcome="failed", exit_code=-1, signal=signal.SIGKILL)

    def test_cancelling_reaches_every_child(self):
        pids = os.path.join(self.folder, "pids")
        child = f"sh -c 'echo $$ >> {pids}; exec sleep 1000'"
        handle = self.begin(self.key, f"setsid {child} & {child} & sh -c \"{child} & wait\" &"
                            f" while [ $(wc -l < {pids}) -lt 3 ]; do sleep 0.05; done; {self.effect(self.key)}; wait")
        self.wait_for_effect(self.key)
        with open(pids) as file:
            children = set(map(int, file.read().split()))
        with open(os.path.join(self.attempt(self.key), "cancel"), "w"):
            pass
        self.driver.ask("cancel", key=self.key, handle=handle)
        self.expect_end(self.key, outcome="cancelled")
        wait_until(lambda: not any(map(is_alive, children)), "a child is left")
        self.assertEqual(len(children), 3)
        self.wait_for_state(self.key, "gone")

    def test_the_engine_alone_can_end_a_step(self):
        handle = self.begin(self.key, self.effect(self.key), "sleep 1000")
        self.wait_for_effect(self.key)
        self.driver.ask("cancel", key=self.key, handle=handle)
        self.expect_end(self.key, outcome="cancelled")

    def test_a_step_ends_when_its_time_is_up(self):
        self.begin(self.key, "sleep 1000", timeout_ms=300)
        self.expect_end(self.key, outcome="timed_out")

    def test_a_shim_that_cannot_begin_says_why(self):
        os.makedirs(self.attempt(self.key))
        handle = self.submit(self.key)["handle"]
        self.wait_for_state(self.key, "gone")
        self.assertEqual(self.probe(self.key)["state"], "absent")
        self.assertRegex(self.errors_of(self.key), rf"^slipway shim: could not open \".*/{self.key}/spec.json\": No such file")
        self.check_logs(handle, self.errors_of(self.key))

    def test_fifty_jobs_are_done_once_each(self):
        keys = [f"{self.word}-{number}-1" for number in range(50)]
        for key in keys:
            self.begin(key, self.effect(key))
        self.drive(keys)
        self.assertEqual(self.done(), {key: 1 for key in keys})


class Local(Conformance, ExecutorTest):
    def options(self):
        return {"kind": "local"}

    def check_found(self, key):
        """What an earlier server started is known by its record alone."""
        self.assertEqual(self.driver.ask("find", key=key), {"handle": None})

    def check_logs(self, handle, _):
        self.assertEqual(self.driver.ask("logs", handle=handle), {"text": ""})

    def test_a_program_that_is_missing_is_said_at_once(self):
        self.prepare(self.key, "true")
        self.assertRegex(self.submit(self.key, program="/nowhere/slipway")["error"], 'could not start "/nowhere/slipway"')


class SlurmTest(ExecutorTest):
    """With one cluster for all of its tests."""
    cluster = None
    min_job_age = 300

    @classmethod
    def setUpClass(cls):
        cls.cluster_folder = tempfile.mkdtemp(prefix="slipway-slurm-")
        cls.cluster = Cluster(cls.cluster_folder, cls.min_job_age).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()
        shutil.rmtree(cls.cluster_folder)

    def options(self):
        return {"kind": "slurm", "address": self.cluster.socket, "memory_bytes": 100 << 20}

    def check_found(self, key):
        wait_until(lambda: "handle" in self.driver.ask("find", key=key), "nothing is known of what there is")
        self.assertEqual(self.driver.ask("find", key=key), {"handle": key})
        self.assertEqual(self.driver.state(key)[0], "running")

    def check_logs(self, handle, text):
        self.assertEqual(self.driver.ask("logs", handle=handle), {"text": text})


class Slurm(Conformance, SlurmTest):
    def test_every_job_has_limits_and_is_not_started_again(self):
        self.prepare(self.key, "true")
        self.prepare(self.other, "true")
        self.submit(self.key, cpus=2, memory_bytes=300 << 20, timeout_ms=90 * 1000)
        self.submit(self.other)
        self.end_of(self.key)
        self.end_of(self.other)
        job = self.cluster.job(self.key)
        self.assertEqual((job["CPUs/Task"], job["MinMemoryNode"], job["TimeLimit"], job["Requeue"]),
                         ("2", "364M", "00:07:00", "0"))
        self.assertEqual(job["WorkDir"], self.attempt(self.key))
        job = self.cluster.job(self.other)
        self.assertEqual((job["CPUs/Task"], job["MinMemoryNode"], job["TimeLimit"]), ("1", "164M", "1-00:05:00"))

    def test_a_program_that_is_missing_over_there_is_said_by_its_log(self):
        self.prepare(self.key, "true")
        handle = self.submit(self.key, program="/no'where/slipway")["handle"]
        reason = self.wait_for_state(self.key, "gone")
        self.assertRegex(reason, r"^job \d+ of Slurm is FAILED \(NonZeroExitCode\), its shim ended with status 127$")
        self.assertIn("/no'where/slipway", self.driver.ask("logs", handle=handle)["text"])

    def test_what_slurm_refuses_is_gone_with_its_reason(self):
        driver = self.open(partition="nowhere")
        self.prepare(self.key, "true")
        handle = self.submit(self.key)["handle"]
        reason = self.wait_for_state(self.key, "gone")
        self.assertEqual(reason, "Slurm says: Invalid partition name specified (2000)")
        self.assertEqual(driver.ask("logs", handle=handle), {"text": reason})

    def test_a_key_that_is_none_is_refused(self):
        self.prepare(self.key, "true")
        answer = self.driver.ask("submit", key="Run 0", program=SLIPWAY, folder=self.attempt(self.key))
        self.assertEqual(answer, {"code": "invalid_field", "error": 'a key has at most 63 lowercase letters, digits and "-",'
                                                            ' not "Run 0"'})

    def test_a_job_that_waits_says_for_what_and_can_be_cancelled(self):
        self.cluster.run("scontrol", "update", "partitionname=main", "state=down")
        try:
            handle = self.begin(self.key, self.effect(self.key))
            wait_until(lambda: "is PENDING (PartitionDown)" in (self.driver.state(self.key)[1] or ""),
                       lambda: f"it is {self.driver.state(self.key)}")
            self.assertEqual(self.driver.state(self.key)[0], "queued")
            self.driver.ask("cancel", key=self.key, handle=handle)
            self.assertIn("is CANCELLED", self.wait_for_state(self.key, "gone"))
        finally:
            self.cluster.run("scontrol", "update", "partitionname=main", "state=up")
        self.assertEqual(self.probe(self.key)["state"], "absent")

    def test_another_users_job_of_that_name_is_not_ours(self):
        self.begin(self.key, self.effect(self.key), self.hold(self.key))
        self.wait_for_effect(self.key)
        other = self.open(user="somebody-else")
        wait_until(lambda: "handle" in other.ask("find", key=self.key), "nothing is known of what there is")
        self.assertEqual(other.ask("find", key=self.key), {"handle": None})
        self.release(self.key)
        self.end_of(self.key)

    def test_two_jobs_of_one_name_are_cancelled_both(self):
        for _ in range(2):
            self.cluster.run("sbatch", "--mem=100", "-J", self.key, "-o", "/dev/null", "--wrap", "exec sleep 1000")
        self.wait_for_state(self.key, "running")
        wait_until(lambda: self.cluster.jobs("-t", "R", "-n", self.key) == [self.key] * 2, "they do not run")
        self.driver.ask("cancel", key=self.key, handle=self.key)
        self.wait_for_state(self.key, "gone")
        self.assertEqual(self.cluster.jobs("-n", self.key), [])

    def test_over_tcp_it_says_who_it_is(self):
        token = os.path.join(self.folder, "token")
        with open(token, "w") as file:
            file.write("something\n")
        address = self.cluster.start_tcp()
        self.open(address=address, user="root", token_file=token)
        self.begin(self.key, self.effect(self.key))
        self.expect_end(self.key, outcome="succeeded")
        refused = Driver(kind="slurm", address=address)
        self.assertEqual(refused.close(), (2, "executor_driver: slurmrestd at a URL wants a user and a token\n"))

    def test_an_address_that_is_none_is_refused(self):
        self.assertEqual(Driver(kind="slurm", address="slurmrestd.sock").close(), (
            2, "executor_driver: the address of slurmrestd is the absolute path of its socket or a URL,"
               ' not "slurmrestd.sock"\n'))

    def test_it_may_be_there_before_slurmrestd_is(self):
        address = os.path.join(self.folder, "later")
        self.open(address=f"unix:{address}")
        self.begin(self.key, self.effect(self.key))
        wait_until(lambda: "could not reach" in self.driver.state(self.key)[1], "it does not say why it waits")
        self.assertEqual(self.driver.state(self.key)[0], "queued")
        self.assertRegex(self.driver.ask("find", key="nobodys-0-1")["error"], "^Slurm has not said yet what it has: could")
        self.cluster.start_rest(f"unix:{address}", "rest_auth/local")
        self.expect_end(self.key, outcome="succeeded")

    def test_nobody_waits_for_a_slurmrestd_that_hangs(self):
        self.begin(self.key, self.effect(self.key), self.hold(self.key))
        self.wait_for_effect(self.key)
        self.wait_for_state(self.key, "running")
        rest = self.cluster.rest[0]
        rest.send_signal(signal.SIGSTOP)
        try:
            for _ in range(20):
                self.assertEqual(self.driver.state(self.key)[0], "running")
                self.driver.ask("wait", milliseconds=100)
            self.prepare(self.other, "true")
            self.assertEqual(self.submit(self.other), {"handle": self.other})
            self.assertEqual(self.driver.state(self.other)[0], "queued")
            self.assertEqual(self.driver.close(), (0, ""))
        finally:
            rest.send_signal(signal.SIGCONT)
        self.release(self.key)
        self.open()
        self.end_of(self.key)


class SlurmForgets(SlurmTest):
    min_job_age = 2

    def test_a_job_that_slurm_forgot_is_unknown_and_not_begun_again(self):
        self.begin(self.key, self.effect(self.key))
        self.end_of(self.key)
        self.assertRegex(self.wait_for_state(self.key, "unknown"), r"^Slurm knows nothing of job \d+ any more$")
        self.submit(self.key)
        self.wait_for_state(self.key, "gone", "unknown")
        self.assertEqual(self.done(), {self.key: 1})


class SlurmDies(SlurmTest):
    """Its controller is killed."""

    def drive(self, keys, meanwhile=lambda: None):
        def tend():
            meanwhile()
            self.cluster.tend()

        try:
            super().drive(keys, tend)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.cluster.last_words()}") from error

    def test_what_runs_goes_on_while_the_controller_is_away(self):
        self.begin(self.key, self.effect(self.key), self.hold(self.key))
        self.wait_for_effect(self.key)
        self.wait_for_state(self.key, "running")
        self.cluster.kill_controller()
        self.prepare(self.other, self.effect(self.other))
        self.submit(self.other)
        self.assertEqual(self.driver.state(self.key)[0], "running")
        self.release(self.key)
        self.expect_end(self.key, outcome="succeeded")
        self.assertEqual(self.driver.state(self.other)[0], "queued")
        self.cluster.start_controller()
        self.drive([self.other])
        self.wait_for_state(self.key, "gone", "unknown")
        self.assertEqual(self.done(), {self.key: 1, self.other: 1})

    def test_a_cluster_that_lost_its_state_does_nothing_twice(self):
        self.begin(self.key, self.effect(self.key), self.hold(self.key))
        self.wait_for_effect(self.key)
        self.cluster.kill_controller()
        self.cluster.wipe_state()
        self.cluster.start_controller()
        self.wait_for_state(self.key, "unknown")
        self.submit(self.key)
        self.release(self.key)
        self.end_of(self.key)
        self.prepare(self.again, self.effect(self.again))
        self.drive([self.again])
        wait_until(lambda: not self.shims(), "a shim is left")
        self.assertEqual(self.done(), {self.key: 1, self.again: 1})

    def test_of_fifty_jobs_none_is_lost_or_done_twice_when_the_controller_is_killed(self):
        keys = [f"{self.word}-{number}-1" for number in range(50)]
        for key in keys:
            self.begin(key, self.effect(key), "sleep 0.2")
        kills = [3, 15]

        def kill_at_times():
            if kills and len(self.done()) >= kills[0]:
                kills.pop(0)
                self.cluster.kill_controller()
                self.cluster.start_controller()

        self.drive(keys, kill_at_times)
        wait_until(lambda: not self.shims(), "a shim is left")
        self.assertEqual(self.done(), {key: 1 for key in keys})
        self.assertEqual({self.probe(key)["end"]["outcome"] for key in keys}, {"succeeded"})
        self.assertEqual(kills, [])


if __name__ == "__main__":
    build_driver()
    reason = missing()
    if reason:
        print(f"SKIP {reason}; the local executor alone is tested")
    run(Local, *([] if reason else [Slurm, SlurmForgets, SlurmDies]))
