"""Lives: a data folder on which the server is killed many times at random, for tools/crash.py.

A life draws what comes next (registration, logging, training, deployment, prediction, a purge or a start),
lets it run, and kills the server somewhere in it, while a second client logs metrics all the time.
The next start must have all that was acknowledged; what was broken off is done again, and the life
goes on with what it has. At its end everything is looked at once more, not only what is new.
"""
import random
import threading
import time

from scenario import Broken, Down, Late, Refused, Server, Work, check_store, must

KILLS_PER_LIFE = 25
# What is killed in, and how often of 20.
PHASES = {"registration": 3, "training": 5, "deployment": 4, "logging": 4, "prediction": 2, "purge": 2, "start": 2}
LOG_PAUSE_SECONDS = 0.005


class Logger:
    """A client that logs two metrics of one run, both in one request, until the server is gone."""

    def __init__(self, server, name):
        self.run = server.get("POST", "/api/v1/runs", {"name": name})["id"]
        self.acknowledged = 0
        self.thread = None
        self.problem = None

    def go_on(self, server):
        self.stopping = False
        self.thread = threading.Thread(target=self.log, args=[server])
        self.thread.start()

    def log(self, server):
        try:
            while not self.stopping:
                step = self.acknowledged + 1
                point = {"value": step / 4, "step": step, "timestamp": step}
                server.get("POST", f"/api/v1/runs/{self.run}/log",
                           {"metrics": [dict(point, key="loss"), dict(point, key="score")]})
                self.acknowledged = step
                time.sleep(LOG_PAUSE_SECONDS)
        except Down:
            pass
        except Refused as refused:
            self.problem = refused

    def end(self):
        if self.thread:
            self.stopping = True
            self.thread.join()
            self.thread = None
        if self.problem:
            raise self.problem

    def check(self, server):
        """All that was acknowledged, at most the one under way more, and never one metric without
        the other."""
        steps = {}
        for key in "loss", "score":
            status, shown = server.ask("GET", f"/api/v1/runs/{self.run}/metrics/{key}")
            must(status in (200, 404), f"the metric {key} cannot be read: {shown}")
            points = shown["points"] if status == 200 else []
            steps[key] = [point["step"] for point in points]
        count = len(steps["loss"])
        must(steps["loss"] == steps["score"] == list(range(1, count + 1)),
             f"run {self.run} has half of a request: {count} and {len(steps['score'])} points")
        must(self.acknowledged <= count <= self.acknowledged + 1,
             f"run {self.run} has {count} points, {self.acknowledged} were acknowledged")
        self.acknowledged = count


class Life:
    """draw decides all; durations: seconds of each step."""

    def __init__(self, binary, folder, work, draw, durations):
        self.binary, self.folder, self.work, self.draw = binary, folder, work, draw
        self.durations = durations
        self.server = self.logger = None

    def draw_phase(self):
        return self.draw.choices(list(PHASES), list(PHASES.values()))[0]

    def steps_of(self, phase):
        """Each can be done again when it was broken off."""
        if phase == "deployment":
            return [self.deployment_step()]
        self.work.seed += 1
        return [{"registration": "register", "training": "train", "logging": "log_run",
                 "prediction": "predict", "purge": "purge", "start": "predict"}[phase]]

    def deployment_step(self):
        if self.work.live != max(self.work.packages):
            return self.draw.choice(["promote", "deploy"])
        return "roll_back" if self.work.previous else "train"

    def start(self):
        self.server = Server(self.binary, self.folder)

    def open(self):
        self.work.checked = set()
        self.start()
        self.logger = Logger(self.server, f"life {self.work.seed}")
        self.logger.go_on(self.server)

    def kill_once(self, phase):
        """Returns whether what was under way had been acknowledged when the kill came."""
        if phase == "start":
            return self.kill_a_start()
        step = self.steps_of(phase)[0]
        timer = threading.Timer(1.3 * self.draw.random() * self.durations[step],
                                self.server.process.kill)
        timer.start()
        acknowledged = False
        try:
            getattr(self.work, step)(self.server)
            acknowledged = True
            while True:
                self.work.predict(self.server)
        except (Down, Refused):
            pass  # a step that dies with the server may be told so just before
        finally:
            timer.join()
            self.take_errors()
        self.start()
        self.look()
        if not acknowledged:
            getattr(self.work, step)(self.server)
        self.logger.go_on(self.server)
        return acknowledged

    def kill_a_start(self):
        self.server.process.kill()
        self.take_errors()
        moment = self.draw.random() * self.durations["start"]
        server = Server(self.binary, self.folder, waits=False)
        time.sleep(moment)
        errors = server.kill()
        must("Sanitizer" not in errors, errors)
        self.start()
        self.look()
        self.logger.go_on(self.server)
        return False

    def take_errors(self):
        self.logger.end()
        errors = self.server.kill()
        must("Sanitizer" not in errors, errors)

    def look(self):
        self.logger.check(self.server)
        check_store(self.server, self.work, self.folder)

    def close(self):
        """Everything once more, and a clean end."""
        self.logger.end()
        self.work.checked = None
        self.look()
        self.server.stop()

    def abandon(self):
        if self.server:
            self.server.process.kill()
            if self.logger and self.logger.thread:
                self.logger.stopping = True
                self.logger.thread.join()
            self.server.kill()


class Lives:
    """Many kills; counts[phase] is [kills, kills after the acknowledgement, failures]."""

    def __init__(self, driver, binary, folder, seed):
        self.driver, self.binary, self.folder = driver, binary, folder
        self.draw = random.Random(seed)
        self.counts = {phase: [0, 0, 0] for phase in PHASES}
        self.durations = {}
        self.count = 0
        self.looked_at_all = 0

    def measure(self, work):
        """How long each step takes when nothing kills it: the longer of two."""
        server = Server(self.binary, self.folder)
        try:
            for step in 2 * ["register", "train", "promote", "roll_back", "deploy", "log_run", "purge", "predict"]:
                work.seed += step == "register"
                began = time.monotonic()
                getattr(work, step)(server)
                self.durations[step] = max(self.durations.get(step, 0), time.monotonic() - began)
        finally:
            server.stop()
        began = time.monotonic()
        server = Server(self.binary, self.folder)
        self.durations["start"] = time.monotonic() - began
        server.stop()

    def live(self, kills):
        """A life of so many kills; one that shows something broken ends it."""
        life = Life(self.binary, self.folder, self.driver.begin("grown"), self.draw, self.durations)
        life.work.seed = 1000 * (self.count + 1)
        phase = "start"
        done = 0
        try:
            life.open()
            while done < kills:
                phase = life.draw_phase()
                done += 1
                self.counts[phase][0] += 1
                self.counts[phase][1] += life.kill_once(phase)
            life.close()
            self.looked_at_all += 1
        except (Broken, Down, Late, Refused) as problem:
            self.counts[phase][2] += 1
            print(f"life {self.count}, kill {done}, {phase}: {type(problem).__name__}: {problem}",
                  flush=True)
            life.abandon()
        except BaseException:
            life.abandon()
            raise
        self.count += 1
        return done

    def kill(self, count):
        while count > 0:
            count -= self.live(min(count, KILLS_PER_LIFE))

    def kills(self):
        return sum(row[0] for row in self.counts.values())

    def failures(self):
        return sum(row[2] for row in self.counts.values())

    def rows(self):
        return [[phase, kills, acknowledged, kills - acknowledged, failed]
                for phase, (kills, acknowledged, failed) in self.counts.items()]
