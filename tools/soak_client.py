"""What the clients of tools/soak.py do: each action asks for something and checks the answer."""
import http.client
import json
import random
import socket
import threading
import time

import samples
from scenario import TOLERANCE, Broken, Server, digest_of, list_files, must, raw_content

TIMEOUT_SECONDS = 60
KEPT_RUNS = 20
BULK_ROWS = 400
FLOAT_TOLERANCE = 1e-12
NAMES = ["comments", "topics", "numbers"]

# name: rows as a client sends them, as objects by column
ROWS = {
    "comments": [{"text": text} for text in ("buy now", "nice video", "song 0.5 free", "", "caf\u00e9 \u2603")],
    "topics": [{"text": "goal of the team", "channel": "a-s"},
               {"text": "song and guitar", "channel": None},
               {"text": "", "channel": "unseen"}],
    "numbers": [{"height": 9.5, "weight": 8, "kind": "x"}, {"height": None, "weight": -1, "kind": "y"}],
}
LISTS = ["/api/v1/runs", "/api/v1/experiments", "/api/v1/models", "/api/v1/endpoints", "/api/v1/datasets",
         "/api/v1/projects", "/api/v1/tokens", "/api/v1/audit?limit=50&newest_first=true", "/openapi.json",
         "/healthz", "/readyz", "/docs", "/api/v1/models/comments/versions",
         "/api/v1/endpoints/comments/deployments", "/api/v1/endpoints/topics/gates",
         "/endpoints/topics/openapi.json", "/api/v1/datasets/comments-data/versions/1/profile",
         "/api/v1/datasets/comments-data/versions/1/rows?limit=5",
         "/api/v1/runs?order_by=metrics.loss%20desc&limit=20"]
# method, path, body, headers, status
WRONG = [
    ("POST", "/endpoints/comments/predict", b"{", {}, 400),
    ("POST", "/endpoints/comments/predict", b'{"data": [{"txt": "a"}]}', {}, 422),
    ("POST", "/endpoints/comments/predict", b'{"data": [7]}', {}, 422),
    ("POST", "/endpoints/numbers/predict", b'{"data": [{"height": "x", "weight": 1, "kind": "x"}]}', {}, 422),
    ("POST", "/endpoints/nobody/predict", b'{"data": ["a"]}', {}, 404),
    ("POST", "/endpoints/comments/predict", b'text\n"open', {"Content-Type": "text/csv"}, 400),
    ("GET", "/endpoints/comments/predict", None, {}, 405),
    ("GET", "/api/v1/runs?limit=many", None, {}, 422),
    ("GET", "/api/v1/runs/nobody", None, {}, 404),
    ("GET", "/nothing/here", None, {}, 404),
    ("POST", "/api/v1/runs", b'{"unknown": 1}', {}, 422),
    ("PUT", "/api/v1/artifacts/" + "0" * 64, b"other bytes", {}, 422),
    ("GET", "/api/v1/artifacts/" + "f" * 64, None, {}, 404),
    ("GET", "/api/v1/tokens", None, {"Authorization": "Bearer nonsense"}, 401),
    ("PUT", "/api/v1/projects/broken", b"project: [", {}, 400),
]
TORN = [
    b"GET /healthz HTTP/1.1\r\nHost: localh",
    b"POST /endpoints/comments/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{\"data\"",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"",
    b"GET / HTTP/9.9\r\n\r\n",
]


class Site:
    """The server under load, and what is known of it: shared by all clients."""

    def __init__(self, server: Server):
        self.server = server
        self.lock = threading.Lock()
        self.answers = {}  # endpoint and version: what it answers to ROWS
        self.deploying = {name: threading.Lock() for name in NAMES}
        self.versions = {name: [] for name in NAMES}
        self.trained = threading.Lock()
        self.datasets = {}  # seed: digest of its version
        self.requests = 0

    def predict(self, name, rows, body=None, kind="application/json", verb="predict"):
        status, made = self.ask("POST", f"/endpoints/{name}/{verb}?extra=ignore",
                                body or json.dumps({"data": rows}).encode(), {"Content-Type": kind})
        must(status == 200, f"predict: {status} {made}")
        return made

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT_SECONDS)
        try:
            return self.ask_over(connection, method, path, body, headers)
        finally:
            connection.close()

    def ask_over(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        raw = answer.read()
        self.requests += 1
        is_json = answer.getheader("Content-Type") == "application/json" and raw
        return answer.status, json.loads(raw) if is_json else raw

    def get(self, method, path, value=None):
        status, made = self.ask(method, path, None if value is None else json.dumps(value).encode())
        must(status < 300, f"{method} {path}: {status} {made}")
        return made

    def learn(self, name):
        """What the version that serves now answers, compared with its golden rows; under its lock."""
        made = self.predict(name, ROWS[name])
        shown = self.get("GET", f"/api/v1/endpoints/{name}")
        must(shown["version"] == made["version"], f"{shown['version']} is live, {made['version']} answers")
        self.check_golden(name, shown)
        with self.lock:
            known = self.answers.setdefault((name, made["version"]), made["predictions"])
        must(are_equal(known, made["predictions"]), f"{name}@{made['version']} answers otherwise than once")

    def check_golden(self, name, shown):
        listing = raw_content(self.server, shown["package"]).decode().splitlines()[1:]
        named = {line.split(" ", 2)[2]: line.split(" ", 2)[0] for line in listing}
        golden = json.loads(raw_content(self.server, named["golden.json"]))
        columns = [column["name"] for column in golden["columns"]]
        made = self.predict(name, [dict(zip(columns, row)) for row in golden["rows"]])
        for row, known in zip(made["predictions"], golden["probabilities"], strict=True):
            given = [row["probabilities"][label] for label in sorted(row["probabilities"])]
            must(all(abs(a - b) <= TOLERANCE for a, b in zip(given, known, strict=True)),
                 f"{name}: golden row answered with {given}, not {known}")

    def check_known(self, name, made, rows):
        """An answer of a version that nobody has learnt yet is one of a deployment under way."""
        with self.lock:
            known = self.answers.get((name, made["version"]))
        must(len(made["predictions"]) == len(rows), "rows are missing from an answer")
        for row, prediction in zip(rows, made["predictions"]) if known else []:
            must(are_equal([known[ROWS[name].index(row)]], [prediction]),
                 f"{name}@{made['version']} answers {prediction} to {row}")


def are_equal(one, other):
    return all(a["label"] == b["label"] and a["probabilities"].keys() == b["probabilities"].keys() and
               all(abs(a["probabilities"][key] - b["probabilities"][key]) < FLOAT_TOLERANCE
                   for key in a["probabilities"]) for a, b in zip(one, other, strict=True))


class Client:
    """One of several; each draws its actions from its own seed."""

    # action: how often of all
    SHARES = {"predict": 30, "predict_csv": 10, "predict_bulk": 3, "explain": 6, "wrong": 14, "torn": 8,
              "keep_alive": 6, "log_run": 8, "artifact": 5, "lists": 10, "token": 3, "metrics": 3,
              "lineage": 3, "tags": 3, "data": 1, "train": 1, "release": 1}

    def __init__(self, site, name, seed):
        self.site, self.name = site, name
        self.draw = random.Random(seed)
        self.counts = dict.fromkeys(self.SHARES, 0)
        self.runs = []
        self.number = 0

    def act(self):
        action = self.draw.choices(list(self.SHARES), list(self.SHARES.values()))[0]
        try:
            getattr(self, action)()
        except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
            raise Broken(f"{action}: {type(error).__name__}: {error}") from error
        self.counts[action] += 1

    def rows_of(self, name, count):
        return [self.draw.choice(ROWS[name]) for _ in range(count)]

    # predictions

    def predict(self):
        name = self.draw.choice(NAMES)
        rows = self.rows_of(name, self.draw.choice([1, 1, 1, 3]))
        self.site.check_known(name, self.site.predict(name, rows), rows)

    def predict_csv(self):
        rows = self.rows_of("comments", 3)
        table = "text\n" + "".join('"%s"\n' % row["text"].replace('"', '""') for row in rows)
        made = self.site.predict("comments", rows, table.encode(), "text/csv")
        self.site.check_known("comments", made, rows)

    def predict_bulk(self):
        name = self.draw.choice(NAMES)
        rows = self.rows_of(name, BULK_ROWS)
        self.site.check_known(name, self.site.predict(name, rows), rows)

    def explain(self):
        name = self.draw.choice(NAMES)
        rows = self.rows_of(name, 2)
        made = self.site.predict(name, rows, verb="explain")
        self.site.check_known(name, dict(made, predictions=made["explanations"]), rows)
        for shown in made["explanations"]:
            total = shown["intercept"] + sum(part["weight"] for part in shown["contributions"])
            must(abs(total + shown["rest"]["weight"] - shown["margin"]) < 1e-5 * (1 + abs(shown["margin"])),
                 f"an explanation does not add up: {shown}")

    def keep_alive(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.server.port, timeout=TIMEOUT_SECONDS)
        try:
            for _ in range(10):
                rows = self.rows_of("numbers", 1)
                status, made = self.site.ask_over(connection, "POST", "/endpoints/numbers/predict",
                                                  json.dumps({"data": rows}).encode())
                must(status == 200, f"predict over a kept connection: {status} {made}")
                self.site.check_known("numbers", made, rows)
        finally:
            connection.close()

    # what nobody should send

    def wrong(self):
        method, path, body, headers, expected = self.draw.choice(WRONG)
        status, made = self.site.ask(method, path, body, headers)
        must(status == expected and len(made["error"]["message"]) > 5,
             f"{method} {path}: {status} {made}, not {expected}")

    def torn(self):
        """A connection that ends in the midst of a request, or says nothing."""
        with socket.create_connection(("127.0.0.1", self.site.server.port), TIMEOUT_SECONDS) as connection:
            try:
                for byte in self.draw.choice(TORN):
                    connection.sendall(bytes([byte]))
                time.sleep(self.draw.random() * 0.2)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the server would not hear the end of it

    # tracking

    def log_run(self):
        self.number += 1
        run = self.site.get("POST", "/api/v1/runs", {"name": f"{self.name}-{self.number}"})["id"]
        points = [{"key": "loss", "value": 1 / (step + 1), "step": step, "timestamp": step}
                  for step in range(20)]
        self.site.get("POST", f"/api/v1/runs/{run}/log",
                      {"params": {"C": "0.5", "n": str(self.number)}, "metrics": points,
                       "tags": {"client": self.name}})
        shown = self.site.get("GET", f"/api/v1/runs/{run}/metrics/loss")["points"]
        must([point["value"] for point in shown] == [point["value"] for point in points],
             f"run {run} does not give back its metrics: {shown}")
        shown = self.site.get("POST", f"/api/v1/runs/{run}/finish", {"status": "FINISHED"})
        must(shown["params"]["n"] == str(self.number) and shown["status"] == "FINISHED",
             f"run {run} is not what was logged: {shown}")
        self.runs.append(run)
        if len(self.runs) > KEPT_RUNS:
            self.forget_run(self.runs.pop(0))

    def forget_run(self, run):
        self.site.get("DELETE", f"/api/v1/runs/{run}")
        self.site.get("POST", f"/api/v1/runs/{run}/restore")
        self.site.get("DELETE", f"/api/v1/runs/{run}")

    def artifact(self):
        if not self.runs:
            return
        run = self.draw.choice(self.runs)
        content = self.draw.randbytes(self.draw.choice([10, 2000, 300000]))
        path = f"files/{self.draw.randint(0, 5)}.bin"
        status, made = self.site.ask("PUT", f"/api/v1/runs/{run}/artifacts/file?path={path}", content)
        must(status < 300, f"an upload: {status} {made}")
        status, got = self.site.ask("GET", f"/api/v1/runs/{run}/artifacts/file?path={path}")
        must(status == 200 and got == content, f"a download: {status}, {len(got)} bytes")
        named = {file["path"]: file["digest"] for file in list_files(self.site.server, run)}
        must(named[path] == digest_of(content), "a file has another digest")

    def tags(self):
        model = self.draw.choice(NAMES)
        value = str(self.draw.random())
        self.site.get("POST", f"/api/v1/models/{model}/tags", {"tags": {self.name: value}})
        shown = self.site.get("GET", f"/api/v1/models/{model}")
        must(shown["tags"][self.name] == value, f"a tag of {model} is lost: {shown}")

    def lineage(self):
        """A prediction is in the log soon, with what led to it."""
        made = self.site.predict("comments", ROWS["comments"][:1])
        deadline = time.monotonic() + 20
        while True:
            status, shown = self.site.ask("GET", f"/api/v1/predictions/{made['request_id']}")
            if status == 200:
                break
            must(status == 404 and time.monotonic() < deadline, f"a prediction is not logged: {shown}")
            time.sleep(0.05)
        must(shown["prediction"]["version"] == made["version"], "a prediction is logged with another version")

    # the rest of the routes

    def lists(self):
        path = self.draw.choice(LISTS)
        status, made = self.site.ask("GET", path)
        must(status == 200 and made, f"GET {path}: {status} {made}")

    def token(self):
        name = f"{self.name}-{self.number}-{self.draw.randint(0, 1 << 40)}"
        made = self.site.get("POST", "/api/v1/tokens", {"name": name, "role": "viewer"})["secret"]
        as_viewer = {"Authorization": f"Bearer {made}"}
        for path, expected in ("/api/v1/runs?limit=1", 200), ("/api/v1/tokens", 403):
            status, shown = self.site.ask("GET", path, None, as_viewer)
            must(status == expected, f"a viewer's GET {path}: {status} {shown}")
        self.site.get("DELETE", f"/api/v1/tokens/{name}")
        status, shown = self.site.ask("GET", "/api/v1/runs?limit=1", None, as_viewer)
        must(status == 401, f"a revoked token: {status} {shown}")

    def metrics(self):
        status, text = self.site.ask("GET", "/metrics")
        must(status == 200 and b"slipway_" in text, f"/metrics: {status}")

    # data, training, release

    def data(self):
        """One of five tables: the first time a version, later the same one."""
        seed = self.draw.randint(1, 5)
        with self.site.trained:
            made = samples.add_data(self.site.server, "comments", seed)
            known = self.site.datasets.setdefault(seed, made["digest"])
        must(made["digest"] == known, "the same data is another version")

    def train(self):
        name = self.draw.choice(NAMES)
        with self.site.trained:
            version, _ = samples.train(self.site.server, name, 0.05)
        with self.site.lock:
            self.site.versions[name].append(version)

    def release(self):
        name = self.draw.choice(NAMES)
        with self.site.lock:
            version = self.draw.choice(self.site.versions[name])
        way = self.draw.choice(["deploy", "promote", "rollback"])
        body = {"deploy": {"model": name, "version": version, "comment": "to have another one"},
                "promote": {"model": name, "version": version}, "rollback": {}}[way]
        with self.site.deploying[name]:
            status, made = self.site.ask("POST", f"/api/v1/endpoints/{name}/{way}", json.dumps(body).encode())
            must(status == 200 or status == 409, f"{way}: {status} {made}")
            must(status == 200 or way == "rollback" or " serves at " in made["error"]["message"],
                 f"{way}: {status} {made}")
            self.site.learn(name)
