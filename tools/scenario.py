"""The loop of Slipway's everyday work over HTTP, a ledger of what was acknowledged, and what must be
true of the store whatever happened. For tools/crash.py and tools/faults.py.
"""
import hashlib
import http.client
import http.server
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time

from page import measure

SECONDS_MAX = 60
STEP_SECONDS_MAX = 600
TOLERANCE = 1e-9
PROJECT = """project: spam
data:
  comments: {source: data.csv, target: label}
release:
  endpoint: spam
  gate: {metric: f1, margin: 0.5, minimum: 0.1}
"""


class Down(Exception):
    """The server went away before it answered."""


class Refused(Exception):
    """It answered, and not with what was asked for."""

    def __init__(self, what, status, body):
        self.status, self.body = status, body
        self.sentence = body.get("error", {}).get("message", "") if isinstance(body, dict) else ""
        super().__init__(f"{what}: {status} {self.sentence or str(body)[:200]}")


class Late(Exception):
    """A training has not ended within the time that it was given."""


class Broken(Exception):
    """Something that must be true is not."""


def must(condition, sentence):
    if not condition:
        raise Broken(sentence)


class Server:
    """A server on a data folder; the environment gets what is given by name. One that nobody waits
    for can only be killed."""

    def __init__(self, binary, folder, waits=True, **settings):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("SLIPWAY_")}
        environment["SLIPWAY_ALLOW_PRIVATE_URLS"] = "1"  # where the listener is
        environment.update(settings)
        self.folder = folder
        self.process = subprocess.Popen(
            [binary, "server", "--port", "0", "--data", folder, "--quiet"], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline() if waits else "slipway is at http://nobody:0, "
        found = re.match(r"slipway is at http://\S+:(\d+), ", line)
        if not found:
            self.errors = self.process.communicate()[1]
            raise Down(f"it did not start: {line} {self.errors}")
        self.port = int(found[1])

    def has_steps(self):
        """Whether a process that it started is at work."""
        return len(measure.process_tree(self.process.pid)) > 1

    def ask(self, method, path, body=None):
        raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_MAX)
        try:
            connection.request(method, path, raw)
            answer = connection.getresponse()
            status, answered = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Down(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.getheader("Content-Type") == "application/json" and answered:
            answered = json.loads(answered)
        return status, answered

    def get(self, method, path, body=None):
        """The answer to what must work."""
        status, answer = self.ask(method, path, body)
        if status >= 300:
            raise Refused(f"{method} {path}", status, answer)
        must(isinstance(body, bytes) or method == "GET" or status == 204 or isinstance(answer, dict),
             f"{method} {path}: the answer is no JSON: {answer!r}")
        return answer

    def kill(self):
        """Returns what it said on standard error; once."""
        self.process.kill()
        return "" if self.process.stderr.closed else self.process.communicate()[1]

    def end(self):
        """Asks it to end and waits; whether it got that far is another question."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS_MAX)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        errors = self.process.communicate(timeout=SECONDS_MAX)[1]
        must(self.process.returncode == 0, f"it ended with {self.process.returncode}: {errors}")


class Listener:
    """Whom a webhook tells of model versions; runs are those that it heard of."""

    def __init__(self):
        self.runs = set()
        runs = self.runs

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                runs.add(told["data"]["run_id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def comments(seed):
    """A CSV file of comments that are easy to tell apart, another one for each seed."""
    draw = random.Random(seed)
    rows = ["text,label"]
    for _ in range(60):
        rows.append(f"{draw.choice(['buy', 'click', 'free', 'join'])} now {draw.random():.6f},1")
        rows.append(f"{draw.choice(['nice', 'song', 'love', 'sing'])} video {draw.random():.6f},0")
    return ("\n".join(rows) + "\n").encode()


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


def age_blobs(folder, seconds=7200):
    """As if all had been stored hours ago; what is young is not purged."""
    then = time.time() - seconds
    for path, _, names in os.walk(os.path.join(folder, "artifacts")):
        for name in names:
            os.utime(os.path.join(path, name), (then, then))


def wait_for_training(server, run, seconds):
    """The run once it has ended. It may take so long after the last look at which a step was at work:
    a training has the lowest priority, and a busy machine may leave it next to nothing."""
    began = time.monotonic()
    deadline = began + seconds
    while True:
        shown = server.get("GET", f"/api/v1/runs/{run}")
        if shown["status"] != "RUNNING":
            return shown
        if time.monotonic() > deadline:
            if not server.has_steps() or time.monotonic() > began + STEP_SECONDS_MAX:
                raise Late(f"training {run} does not end")
            deadline += seconds
        time.sleep(0.05)


class Work:
    """The loop, step by step. Each step may be done again after it was broken off. What the server
    acknowledged is in the ledger: runs, versions, packages, which version is live."""

    STEPS = ["log_run", "register", "train", "promote", "purge", "try_out", "predict", "roll_back", "deploy", "predict"]

    def __init__(self, seed):
        self.seed = seed
        self.train_seconds = SECONDS_MAX
        self.runs, self.trainings, self.versions, self.packages = {}, {}, {}, {}
        self.predictions, self.events = {}, {}
        self.run = None  # the one that is being logged
        self.live = None  # the version that was acknowledged last
        self.next_live = None  # the one that a step under way may have made live already
        self.previous = None  # the one before the last promotion or deployment
        self.candidate = None  # the number of what is tried beside the live one, if that was acknowledged last
        self.may_litter = False  # temporary/ may hold what only the next start removes
        self.listener = None  # who is told of versions, if anybody
        self.checked = None  # what later checks may leave out: runs and digests; None: nothing

    def set_up(self, server):
        server.get("PUT", "/api/v1/projects/spam", PROJECT.encode())
        for step in "register", "train", "promote":
            getattr(self, step)(server)

    def subscribe(self, server):
        server.get("POST", "/api/v1/webhooks",
                   {"name": "listener", "url": self.listener.url, "events": ["model_version.created"], "secret": "hush"})

    def log_run(self, server):
        if not self.run:
            self.run = server.get("POST", "/api/v1/runs", {"name": f"work-{self.seed}"})["id"]
            self.runs[self.run] = {"params": {}, "metrics": {}, "files": {}}
        kept = self.runs[self.run]
        for i in range(3):
            batch = {"params": {f"p{i}": str(i)}, "metrics": {f"m{i}": i / 8}}
            server.get("POST", f"/api/v1/runs/{self.run}/log", batch)
            kept["params"].update(batch["params"])
            kept["metrics"].update(batch["metrics"])
        content = b"a plot " + str(self.seed).encode()
        server.get("PUT", f"/api/v1/runs/{self.run}/artifacts/file?path=plots/a.txt", content)
        kept["files"]["plots/a.txt"] = digest_of(content)
        server.get("POST", f"/api/v1/runs/{self.run}/finish", {"status": "FINISHED"})
        kept["status"] = "FINISHED"
        self.run = None

    def register(self, server):
        content = comments(self.seed)
        server.get("PUT", f"/api/v1/artifacts/{digest_of(content)}", content)
        made = server.get("POST", "/api/v1/datasets/comments/versions",
                          {"files": [{"path": "data.csv", "digest": digest_of(content)}],
                           "options": {"target": "label"}})
        self.versions[made["version"]] = made["digest"]

    def train(self, server):
        run = server.get("POST", "/api/v1/projects/spam/train", {"budget_seconds": 0.2})["run_id"]
        self.trainings[run] = "RUNNING"
        shown = wait_for_training(server, run, self.train_seconds)
        self.trainings[run] = shown["status"]
        if shown["status"] != "FINISHED":
            raise Refused("training", 500, {"error": {"message": shown["failure"] or ""}})
        number = int(shown["tags"]["slipway.model_version"].split("@")[1])
        self.packages[number] = shown["tags"]["slipway.package"]

    def promote(self, server):
        self.next_live = max(self.packages)
        shown = server.ask("GET", "/api/v1/endpoints/spam")
        if shown[0] != 200 or shown[1]["version"] != self.next_live:
            made = server.get("POST", "/api/v1/endpoints/spam/promote",
                              {"model": "spam", "version": self.next_live})
            must(made["promoted"], f"the gate did not accept: {made}")
        self.previous, self.live, self.next_live = self.live, self.next_live, None

    def try_out(self, server):
        """A version beside the live one: two steps of its share, a shadow, and then nothing any more."""
        other = max(version for version in self.packages if version != self.live)
        for way in {"share": 20}, {"share": 50}, {"shadow": True}:
            self.candidate = None
            made = server.get("PUT", "/api/v1/endpoints/spam/candidate", {"model": "spam", "version": other, **way})
            self.candidate = made["candidate"]["id"]
            for _ in range(4):
                made = server.get("POST", "/endpoints/spam/predict", {"data": ["buy now"]})
                must(made["version"] in (self.live, other), f"version {made['version']} answered")
                self.predictions[made["request_id"]] = made
        self.candidate = None
        server.get("DELETE", "/api/v1/endpoints/spam/candidate?comment=enough")
        must(server.get("GET", "/api/v1/endpoints/spam")["candidate"] is None, "it is still tried")

    def roll_back(self, server):
        before = server.get("GET", "/api/v1/endpoints/spam")["version"]
        if before == self.live:
            self.next_live = self.previous
            before = server.get("POST", "/api/v1/endpoints/spam/rollback", {})["version"]
        must(before == self.next_live, f"rolled back to {before}, not to {self.next_live}")
        self.previous, self.live, self.next_live = None, before, None

    def deploy(self, server):
        self.next_live = max(self.packages)
        server.get("POST", "/api/v1/endpoints/spam/deploy",
                   {"model": "spam", "version": self.next_live, "comment": "back to it"})
        if self.live != self.next_live:
            self.previous = self.live
        self.live, self.next_live = self.next_live, None

    def predict(self, server):
        for text in "buy now", "nice video", "song":
            made = server.get("POST", "/endpoints/spam/predict", {"data": [text]})
            must(made["version"] in (self.live, self.next_live),
                 f"version {made['version']} answered, not {self.live}")
            self.predictions[made["request_id"]] = made

    def purge(self, server):
        """A deleted run goes with its file; that nothing else did, the checks say, which look at all again."""
        run = server.get("POST", "/api/v1/runs", {"name": "waste"})["id"]
        points = [{"key": key, "value": step, "step": step} for key in "abc" for step in range(300)]
        content = b"waste " + run.encode()
        server.get("POST", f"/api/v1/runs/{run}/log", {"metrics": points, "params": {"a": "b"}})
        server.get("PUT", f"/api/v1/runs/{run}/artifacts/file?path=waste.txt", content)
        server.get("DELETE", f"/api/v1/runs/{run}")
        age_blobs(server.folder)
        self.checked = self.checked if self.checked is None else set()
        server.get("POST", "/api/v1/purge", {"older_than_days": 0})
        must(server.ask("GET", f"/api/v1/runs/{run}")[0] == 404, f"run {run} is still there")
        status = server.ask("GET", f"/api/v1/artifacts/{digest_of(content)}")[0]
        must(status == 404, f"the file of the purged run {run} is still there")

    def copy_of(self, known):
        """What is true of a copy of the folder that the other ledger is about."""
        for name in "runs", "trainings", "versions", "packages", "events":
            setattr(self, name, dict(getattr(known, name)))
        self.live, self.previous = known.live, known.previous
        self.listener = known.listener
        return self

    def is_new(self, key):
        return self.checked is None or key not in self.checked

    def is_checked(self, key):
        if self.checked is not None:
            self.checked.add(key)


# what must be true


def check_store(server, work, folder):
    """Raises Broken, or Refused by what cannot be read."""
    must(server.ask("GET", "/readyz")[0] == 200, "it is not ready")
    check_events(server, work)
    check_runs(server, work)
    check_versions(server, work)
    check_packages(server, work)
    check_endpoint(server, work)
    check_predictions(server, work)
    check_told(work)
    check_workspaces(folder)
    check_folder(folder, work)


FILES = ("SELECT experiment_id, size FROM run_artifacts JOIN runs ON runs.key = run_key"
         " UNION ALL SELECT experiment_id, size FROM artifact_files")


def check_workspaces(folder):
    """What a workspace counts is what the rows of its files come to."""
    store = sqlite3.connect(f"file:{folder}/slipway.db?mode=ro", uri=True)
    try:
        store.execute("BEGIN")
        summed = dict(store.execute(f"SELECT experiment_id, sum(size) FROM ({FILES}) GROUP BY 1 HAVING sum(size) > 0"))
        shares = store.execute("SELECT experiment_id, workspace_id, artifact_bytes FROM experiment_shares").fetchall()
        counted = dict(store.execute("SELECT id, artifact_bytes FROM workspaces"))
    finally:
        store.close()
    must({experiment: size for experiment, _, size in shares if size} == summed,
         f"experiments have {summed} bytes of files, but {shares} are counted")
    for workspace, size in counted.items():
        must(size == sum(share[2] for share in shares if share[1] == workspace),
             f"workspace {workspace} counts {size}, its experiments {shares}")


def check_predictions(server, work):
    """What is answered is logged a moment later, but what was in the log once stays there."""
    for request_id, made in work.predictions.items():
        if not work.is_new(request_id):
            continue
        status, shown = server.ask("GET", f"/api/v1/predictions/{request_id}")
        must(status == 200 or not made.get("was_there"), f"prediction {request_id} is gone")
        must(status == 404 or shown["prediction"]["version"] == made["version"],
             f"prediction {request_id} is half there: {status} {shown}")
        made["was_there"] = status == 200
        work.is_checked(request_id)


def check_told(work):
    """Whatever was acknowledged is told, sooner or later."""
    finished = {run for run, status in work.trainings.items() if status == "FINISHED"}
    deadline = time.monotonic() + SECONDS_MAX
    while work.listener and finished - work.listener.runs:
        must(time.monotonic() < deadline, f"nobody was told of {finished - work.listener.runs}")
        time.sleep(0.01)


def check_events(server, work):
    must(server.get("GET", "/api/v1/audit/verify")["whole"], "the audit trail is broken")
    events = server.get("GET", "/api/v1/audit?limit=10000")["events"]
    now = {event["id"]: event["hash"] for event in events}
    for number, known in work.events.items():
        must(now.get(number) == known, f"event {number} is gone or another one")
    work.events = now


def check_runs(server, work):
    for run_id, kept in work.runs.items():
        if not work.is_new(run_id):
            continue
        shown = server.get("GET", f"/api/v1/runs/{run_id}")
        metrics = {metric["key"]: metric["value"] for metric in shown["metrics"]}
        for key, value in kept["params"].items():
            must(shown["params"].get(key) == value, f"run {run_id} lost the param {key}")
        for key, value in kept["metrics"].items():
            must(metrics.get(key) == value, f"run {run_id} lost the metric {key}")
        must(shown["status"] == kept.get("status", shown["status"]), f"run {run_id} is not finished")
        files = {file["path"]: file["digest"] for file in list_files(server, run_id)}
        for path, digest in kept["files"].items():
            must(files.get(path) == digest, f"run {run_id} lost the file {path}")
    for shown in server.get("GET", "/api/v1/runs?limit=50000")["runs"]:
        is_training = shown["tags"].get("slipway.step") == "train"
        must(not is_training or shown["status"] in ("FINISHED", "FAILED"),
             f"training {shown['id']} is {shown['status']}")
        if is_training and work.is_new(shown["id"]):
            trials = server.get("GET", f"/api/v1/runs?parent={shown['id']}&limit=1")["total"]
            must(trials == int(shown["tags"].get("slipway.trials", 0)), f"training {shown['id']} has {trials} trials")
        known = work.trainings.get(shown["id"])
        must(known in (None, "RUNNING", shown["status"]), f"run {shown['id']} was {known}")
        for file in list_files(server, shown["id"]) if work.is_new(shown["id"]) else []:
            content = server.get("GET", f"/api/v1/runs/{shown['id']}/artifacts/file?path="
                                        + file["path"])
            raw_content(server, file["digest"], content)
        if shown["status"] in ("FINISHED", "FAILED"):
            work.is_checked(shown["id"])


def list_files(server, run_id):
    return server.get("GET", f"/api/v1/runs/{run_id}/artifacts")["artifacts"]


def raw_content(server, digest, content=None):
    """The bytes with this digest; content is what came by another way, maybe parsed."""
    if not isinstance(content, bytes):
        content = server.get("GET", f"/api/v1/artifacts/{digest}")
    must(isinstance(content, bytes) and digest_of(content) == digest, f"blob {digest} is damaged")
    return content


def check_versions(server, work):
    status, shown = server.ask("GET", "/api/v1/datasets/comments?limit=1000")
    there = {version["version"]: version for version in shown["versions"]} if status == 200 else {}
    for number, digest in work.versions.items():
        must(number in there and there[number]["digest"] == digest,
             f"version {number} of the data set is gone")
    for version in filter(lambda version: work.is_new(version["rows"]), there.values()):
        raw_content(server, version["rows"])
        for file in version["files"]:
            raw_content(server, file["digest"])
        work.is_checked(version["rows"])


def check_packages(server, work):
    status, shown = server.ask("GET", "/api/v1/models/spam/versions?limit=1000")
    there = {version["version"]: version for version in shown["versions"]} if status == 200 else {}
    for number, package in work.packages.items():
        must(number in there and there[number]["package"] == package,
             f"version {number} of the model is gone")
    for version in filter(lambda version: work.is_new(version["package"]), there.values()):
        listing = raw_content(server, version["package"]).decode().splitlines()
        must(listing[0] == "slipway-tree 1" and len(listing) > 5, "a package has no files")
        for line in listing[1:]:
            digest, size, _ = line.split(" ", 2)
            must(len(raw_content(server, digest)) == int(size), f"blob {digest} has another size")
        work.is_checked(version["package"])


def check_endpoint(server, work):
    """It serves what was acknowledged last, and answers that version's golden rows."""
    if work.live is None and work.next_live is None:
        return
    shown = server.get("GET", "/api/v1/endpoints/spam")
    if work.live is None and shown["version"] is None:
        return
    must(shown["version"] in (work.live, work.next_live),
         f"version {shown['version']} is live, not {work.live}")
    tried = shown["candidate"]
    must(work.candidate is None or (tried and tried["id"] == work.candidate),
         f"candidate {work.candidate} is not tried any more: {tried}")
    check_golden(server, shown["package"], shown["version"], tried and tried["version"])


def ask_version(server, rows, version, tried):
    """Its answer; what is tried beside it answers at most every second request."""
    for _ in range(4):
        made = server.get("POST", "/endpoints/spam/predict", {"data": rows})
        if not tried or made["version"] != tried:
            break
    must(made["version"] == version, f"version {made['version']} answers, not {version}")
    return made


def check_golden(server, package, version, tried):
    listing = raw_content(server, package).decode().splitlines()[1:]
    named = {line.split(" ", 2)[2]: line.split(" ", 2)[0] for line in listing}
    golden = json.loads(raw_content(server, named["golden.json"]))
    made = ask_version(server, golden["rows"], version, tried)
    for row, known in zip(made["predictions"], golden["probabilities"], strict=True):
        answers = [row["probabilities"][name] for name in sorted(row["probabilities"])]
        must(all(abs(a - b) <= TOLERANCE for a, b in zip(answers, known, strict=True)),
             f"golden row answered with {answers}, not {known}")


def check_folder(folder, work):
    """Every blob has the digest that it is named by, and nothing half-written lies about."""
    for path, _, names in os.walk(os.path.join(folder, "artifacts")):
        for name in names:
            named = os.path.basename(path) + name
            if not work.is_new("blob " + named):
                continue
            with open(os.path.join(path, name), "rb") as file:
                must(digest_of(file.read()) == named, f"{path}/{name} is left over or damaged")
            work.is_checked("blob " + named)
    if not work.may_litter:
        wait_until_empty(os.path.join(folder, "temporary"))
    left = [name for name in os.listdir(folder) if name.endswith(".partial")]
    must(not left, f"left over: {left}")


def wait_until_empty(folder):
    """A step's files go after its end was written."""
    deadline = time.monotonic() + 5
    while True:
        left = os.listdir(folder)
        if not left:
            return
        must(time.monotonic() < deadline, f"left over in {os.path.basename(folder)}/: {left}")
        time.sleep(0.05)
