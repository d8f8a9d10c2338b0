#!/usr/bin/env python3
"""Kill the server, and the shims of its steps, in the middle of a pipeline, or stop them; look at how it ends.

usage: crash_pipeline.py [BINARY]          build/debug/slipway: a build with crash points

A pipeline of ten steps (a chain, a fan of four, one that fails once, one that reads what others
made) is killed at each point that it passes, in whichever process passes it, and at random moments.
Then the server starts again, and nobody does anything else. The run must come to its end by itself;
each attempt must have done its work at most once, each step once in an attempt that counts; what
was made must be what a run without a kill makes. A second, equal run must find all in the cache.

In other runs, the server, the shims and what they have started stand still at random moments (SIGSTOP) and go on: nothing
may be lost by that.

CRASH_POINTS   how many passes of each point to kill at, spread evenly (2; 0: all)
CRASH_RANDOM   runs that are killed at random moments, up to four times each (50)
CRASH_STOPS    runs of which some processes stand still now and then (20)
CRASH_SEED     of those moments (1)

Writes docs/results/crash_pipeline.md. Says in its last line "N passed, N failed".
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash_points import passed_points
from page import Page, measure
from scenario import Broken, Down, Late, Refused, Server, digest_of, must

END_SECONDS_MAX = 60
FOLDER_SECONDS_MAX = 10
STOP_SECONDS = (0.05, 0.3, 1.5)
NOTE = 'echo "begin $SLIPWAY_STEP $SLIPWAY_ATTEMPT" >> {effects}'


def pipeline(effects):
    """slipway.yaml, whose steps note in a file outside of it what they do to the world."""
    note = NOTE.format(effects=effects)
    stages = [f"""  first:
    cmd: {note}; sleep 0.02; cat in.txt > first.txt
    deps: [in.txt]
    outs: [first.txt]"""]
    for name in ("a", "b", "c", "d"):
        stages.append(f"""  {name}:
    cmd: {note}; sleep 0.02; echo {name} >> first.txt; cp first.txt {name}.txt
    deps: [first.txt]
    outs: [{name}.txt]""")
    stages.append(f"""  joined:
    cmd: {note}; mkdir all; cat a.txt b.txt c.txt d.txt > all/joined.txt
    deps: [a.txt, b.txt, c.txt, d.txt]
    outs: [all]""")
    stages.append(f"""  shaky:
    cmd: {note}; cp all/joined.txt shaky.txt; test "$SLIPWAY_ATTEMPT" -ge 2
    deps: [all]
    outs: [shaky.txt]
    retries: {{max: 6, backoff: 50ms}}""")
    stages.append(f"""  measured:
    cmd: {note}; wc -l < shaky.txt > count.txt; echo "{{\\"lines\\":" $(cat count.txt) "}}" > scores.json
    deps: [shaky.txt]
    outs: [count.txt]
    metrics: [scores.json]""")
    for name, dep in (("tenth", "count.txt"), ("ninth", "all")):
        stages.append(f"""  {name}:
    cmd: {note}; cp -r {dep} {name}
    deps: [{dep}]
    outs: [{name}]""")
    return "project: killed\nstages:\n" + "\n".join(stages) + "\n"


class Driver:
    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.mkdtemp(prefix="slipway-crash-")
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.effects = os.path.join(self.folder, "effects")
        self.passed = self.failed = 0
        self.reached = {}
        self.rows = {}  # disturbance: runs, disturbances, runs that failed
        self.counted = [0, 0]
        self.stop_seconds = STOP_SECONDS
        self.expected = None  # what an undisturbed run makes

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self):
        shutil.rmtree(self.data, ignore_errors=True)
        for path in (self.log, self.effects):
            if os.path.exists(path):
                os.remove(path)

    def names(self):
        return passed_points(self.log)

    # one run

    def yaml(self):
        return pipeline(self.effects)

    def order(self, server, **more):
        files = []
        for name, content in (("slipway.yaml", self.yaml().encode()), ("in.txt", b"a line\n")):
            server.get("PUT", f"/api/v1/artifacts/{digest_of(content)}", content)
            files.append({"path": name, "digest": digest_of(content)})
        return server.get("POST", "/api/v1/pipeline-runs", {"files": files, "key": "one", **more})["id"]

    def wait(self, server, run):
        deadline = time.monotonic() + END_SECONDS_MAX
        while time.monotonic() < deadline:
            shown = server.get("GET", f"/api/v1/pipeline-runs/{run}")
            if shown["ended_at"]:
                return shown
            self.tend(server, run)
            time.sleep(0.02)
        steps = server.get("GET", f"/api/v1/pipeline-runs/{run}/steps")["steps"]
        raise Late(str([(one["name"], one["status"], one["reason"]) for one in steps]))

    def tend(self, server, run):
        """What people and callers do while it goes on."""

    def check_effects(self):
        """What steps did to the world, each attempt once."""
        effects = []
        if os.path.exists(self.effects):
            with open(self.effects) as file:
                effects = file.read().split("\n")[:-1]
        must(len(effects) == len(set(effects)), f"an attempt did its work twice: {sorted(effects)}")
        return effects

    def look(self, server, run):
        """What must be true of an ended run, and what it made."""
        shown = self.wait(server, run)
        must(shown["status"] == "succeeded", f"the run {shown['status']}: {shown['reason']}")
        effects = self.check_effects()
        made = {}
        for step in server.get("GET", f"/api/v1/pipeline-runs/{run}/steps")["steps"]:
            must(step["status"] == "succeeded", f"{step['name']} {step['status']}")
            attempts = server.get("GET", f"/api/v1/pipeline-runs/{run}/steps/{step['name']}")["attempts"]
            good = [one for one in attempts if one["status"] == "succeeded"]
            must(len(good) == 1, f"{step['name']} succeeded {len(good)} times")
            must(f"begin {step['name']} {good[0]['attempt']}" in effects,
                 f"{step['name']} counts as done and did nothing")
            must(all(one["ended_at"] for one in attempts), f"{step['name']} has an open attempt")
            for out in step["outs"]:
                made[out["path"]] = out["digest"]
                server.get("GET", f"/api/v1/artifacts/{out['digest']}")
        self.check_folders()
        return made

    def check_folders(self):
        """They are removed after the end of their attempts is written down."""
        deadline = time.monotonic() + FOLDER_SECONDS_MAX
        while left := os.listdir(os.path.join(self.data, "attempts")):
            must(time.monotonic() < deadline, f"folders of attempts were left: {left}")
            time.sleep(0.02)

    def look_at_cache(self, server):
        run = self.order(server, key="two")
        self.wait(server, run)
        steps = server.get("GET", f"/api/v1/pipeline-runs/{run}/steps")["steps"]
        ran = [one["name"] for one in steps if not one["cached_from"]]
        must(not ran, f"not found in the cache: {ran}")

    def again(self):
        """After a kill: a new server, and the same order, which is the same run."""
        server = Server(self.binary, self.data)
        try:
            made = self.look(server, self.order(server))
            must(made == self.expected, f"it made something else: {made}")
            self.look_at_cache(server)
        except BaseException:
            server.kill()
            raise
        server.stop()

    def undisturbed(self, **settings):
        self.begin()
        server = Server(self.binary, self.data, **settings)
        try:
            self.expected = self.look(server, self.order(server))
        finally:
            server.stop()
        return self.names()

    def kill_with(self, settings, moment=None):
        """Until the end of the run, or the server's; then it is killed. A shim that was killed is
        the server's to survive."""
        try:
            server = Server(self.binary, self.data, **settings)
        except Down:
            return
        errors = ""
        try:
            run = self.order(server)
            if moment is not None:
                time.sleep(moment)
            else:
                self.wait(server, run)
                server.end()  # at its end it passes points, too
        except Down:
            pass
        finally:
            errors = server.kill()
        must("Sanitizer" not in errors, errors)

    def attempt(self, what, disturb, again=True):
        """again: with a server that comes after; else disturb() has looked at how it ended."""
        try:
            self.begin()
            disturb()
            if again:
                self.again()
        except (Broken, Down, Late, Refused) as problem:
            self.failed += 1
            print(f"{what()}: {type(problem).__name__}: {problem}", flush=True)
        else:
            self.passed += 1

    def kill_at_point(self, point):
        """At the pass of that number, or the first one of that name."""
        def kill():
            self.kill_with({"SLIPWAY_CRASH": str(point), "SLIPWAY_CRASH_LOG": self.log})
            names = self.names()
            if isinstance(point, str):
                must(point in names, f"point {point} was not passed")
                self.reached[point] = self.reached.get(point, 0) + 1
            elif len(names) >= point:
                self.reached[names[point - 1]] = self.reached.get(names[point - 1], 0) + 1

        self.attempt(lambda: f"point {point}, {(self.names() or ['none'])[-1]}", kill)

    def count(self, what, disturbances=1):
        """Adds to the table what was tried since the last time."""
        row = self.rows.setdefault(what, [0, 0, 0])
        tried, failed = self.counted
        self.counted = [self.passed + self.failed, self.failed]
        row[:] = row[0] + self.counted[0] - tried, row[1] + disturbances, row[2] + self.failed - failed

    def kill_at_points(self, per_name):
        """per_name passes of each point, spread evenly (0: all); each point at least once."""
        passes = {}
        for number, name in enumerate(self.undisturbed(SLIPWAY_CRASH_LOG=self.log), 1):
            passes.setdefault(name, []).append(number)
        for numbers in passes.values():
            if per_name and len(numbers) > per_name:
                last = max(1, per_name - 1)
                numbers = sorted({numbers[i * (len(numbers) - 1) // last] for i in range(per_name)})
            for number in numbers:
                self.kill_at_point(number)
        for name in sorted(set(passes) - set(self.reached)):  # by its number another thread was first
            self.kill_at_point(name)
        self.count("kill at a crash point", sum(self.reached.values()))
        return passes

    def kill_at_random(self, count, seed):
        draw = random.Random(seed)
        began = time.monotonic()
        kills = 0
        self.undisturbed()
        seconds = time.monotonic() - began
        for number in range(count):
            moments = [draw.uniform(0, seconds) for _ in range(draw.choice((1, 1, 2, 4)))]
            kills += len(moments)

            def kill(moments=moments):
                for moment in moments:
                    self.kill_with({}, moment)

            self.attempt(lambda number=number: f"random kills {number}", kill)
        self.count("kill at a random moment", kills)

    # stops

    def processes(self, server):
        """Of the server, of the shims of its steps, and of what those have started."""
        shims, steps = [], set()
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/cmdline", "rb") as file:
                    arguments = file.read().split(b"\0")
            except OSError:
                continue
            if b"shim" in arguments and any(self.data.encode() in one for one in arguments):
                shims.append(int(process))
        for process in [server.process.pid, *shims]:
            steps.update(measure.process_tree(process))
        return {"server": [server.process.pid], "shims": shims, "steps": sorted(steps - {server.process.pid, *shims})}

    def stop_once(self, server, draw):
        """Some of them stand still for a while; a server that does is not taken for gone."""
        found = self.processes(server)
        names = draw.choice((["server"], ["shims"], ["steps"], ["server", "shims"], ["shims", "steps"], list(found)))
        stopped = [one for name in names for one in found[name] if send(one, signal.SIGSTOP)]
        time.sleep(draw.choice(self.stop_seconds))
        if "server" in names and draw.random() < 0.2:
            self.must_be_alone()
        for one in stopped:
            send(one, signal.SIGCONT)
        return len(stopped)

    def must_be_alone(self):
        done = subprocess.run([self.binary, "server", "--port", "0", "--data", self.data, "--quiet"], capture_output=True,
                              text=True, timeout=END_SECONDS_MAX, check=False)
        must(done.returncode == 6 and "another slipway is using" in done.stderr, f"a second server: {done.stderr}")

    def stop_at_random(self, count, seed):
        """What stands still goes on as if nothing had been: no attempt is lost, none is done twice."""
        draw = random.Random(seed)
        stops = 0

        def disturb():
            nonlocal stops
            server = Server(self.binary, self.data)
            try:
                run = self.order(server)
                while not server.get("GET", f"/api/v1/pipeline-runs/{run}")["ended_at"]:
                    self.tend(server, run)
                    time.sleep(draw.uniform(0, 0.2))
                    stops += self.stop_once(server, draw)
                made = self.look(server, run)
                must(made == self.expected, f"it made something else: {made}")
                self.check_nothing_lost(server, run)
            except BaseException:
                server.kill()
                raise
            server.stop()

        if not self.expected:
            self.undisturbed()
        for number in range(count):
            self.attempt(lambda number=number: f"stops {number}", disturb, again=False)
        self.count("standing still", stops)

    @staticmethod
    def check_nothing_lost(server, run):
        for step in server.get("GET", f"/api/v1/pipeline-runs/{run}/steps")["steps"]:
            shown = server.get("GET", f"/api/v1/pipeline-runs/{run}/steps/{step['name']}")
            must(all(one["status"] != "lost" for one in shown["attempts"]), f"an attempt of {step['name']} was lost")


def send(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


def write_page(name, title, text, drivers, seconds):
    page = Page(name, title, text, "crash")
    page.say(f"Seed {os.environ.get('CRASH_SEED', '1')}, {seconds / 60:.0f} minutes.")
    page.table(["what", "disturbance", "runs", "disturbances", "failed"],
               [[what, *([label] + row)] for what, driver in drivers.items() for label, row in driver.rows.items()])
    page.say("## Crash points\n\nEach point that a run passes when nothing disturbs it was hit at least once, in whichever "
             "process passed it.")
    names = sorted({one for driver in drivers.values() for one in driver.reached})
    page.table(["point", *(f"kills in a {what}" for what in drivers)],
               [[one, *(driver.reached.get(one, 0) for driver in drivers.values())] for one in names])
    page.write()


def drive(name, title, text, drivers, runs=50, stops=20):
    """Disturbs them by the settings of the environment, and writes the page; the exit status."""
    seed = int(os.environ.get("CRASH_SEED", "1"))
    began = time.monotonic()
    try:
        for driver in drivers.values():
            driver.kill_at_points(int(os.environ.get("CRASH_POINTS", "2")))
            driver.kill_at_random(int(os.environ.get("CRASH_RANDOM", runs)), seed)
            driver.stop_at_random(int(os.environ.get("CRASH_STOPS", stops)), seed)
        write_page(name, title, text, drivers, time.monotonic() - began)
    finally:
        for driver in drivers.values():
            driver.close()
    failed = sum(driver.failed for driver in drivers.values())
    print(f"{sum(driver.passed for driver in drivers.values())} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "build/debug/slipway"
    return drive("crash_pipeline", "Kills in a pipeline",
                 "A run of ten steps; the server, or the shim of a step, is killed at each crash point that it passes and at "
                 "random moments, and goes on by itself; or some of the processes are stopped for up to 1.5 s and go on. The "
                 "run must come to its right end, each attempt must have done its work once at most, each step once, and what "
                 "was made must be what a run makes that nobody disturbed.", {"pipeline": Driver(binary)})


if __name__ == "__main__":
    sys.exit(main())
