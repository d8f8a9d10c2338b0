#!/usr/bin/env python3
"""The same journeys (mlflow_journeys.py) to `mlflow server` and to Slipway: their answers are equal, field by field.

RULES are what differs from one start of a server to the next, and what is ours to say in our words. EXTRAS is what Slipway
says besides, wherever it says it. DIFFERENCES are single rows. Of EXTRAS and DIFFERENCES each has a sentence of
docs/reference/mlflow.md, must be met, and must be gone from here when the servers agree.
"""
import datetime
import json
import os
import re
import sys
import tempfile
import time

import mlflow_many_runs
import mlflow_search_journeys
from harness import run
from mlflow_journeys import JOURNEYS
from mlflow_peer import ROOT, MlflowServer, install
from mlflow_wire import WireTest

DOCS = os.path.join(ROOT, "docs", "reference", "mlflow.md")
WRONG_MAX = 8
NOW_SECONDS, MILLISECOND = 3600, 0.001
ID = re.compile(r"\b(m-|tr-)?[0-9a-f]{32}\b")
MADE_UP_NAME = re.compile(r"^[a-z]+-[a-z]+-\d+$")


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body

    def __eq__(self, other):
        return (self.status, self.body) == (other.status, other.body)

    def code(self):
        return self.body.get("error_code") if isinstance(self.body, dict) else None

    def is_taken(self):
        return self.status == 200

    def is_mistake(self):
        return self.code() in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS")


# ---- rules: each takes the key and the value of a member, or of the whole with the key "" ----

def ids(_, value):
    """Ids are made at random, those that a later row needs stand as $NAME."""
    return ID.sub("ID", value) if isinstance(value, str) else value


def times(_, value):
    """What happened now."""
    if isinstance(value, str) and re.match(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$", value):
        milliseconds = datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() * 1000
    else:
        milliseconds = value if type(value) is int else 0
    return "NOW" if abs(milliseconds - time.time() * 1000) < NOW_SECONDS * 1000 else value


def made_up_names(_, value):
    """Runs and models without a name get one."""
    return "NAME" if isinstance(value, str) and MADE_UP_NAME.match(value) else value


def page_tokens(key, value):
    """A page token is nobody's business."""
    return "TOKEN" if key == "next_page_token" else value


def orders_of_pairs(_, value):
    """Params, tags and metrics are sets."""
    is_set = isinstance(value, list) and all(isinstance(item, dict) and {"key", "value"} <= set(item) for item in value)
    return sorted(value, key=lambda item: json.dumps(item, sort_keys=True)) if is_set and not has_points(value) else value


def has_points(items):
    """A history has an order; the metrics of a run are each of another key."""
    keys = [item["key"] for item in items]
    return len(set(keys)) < len(keys)


def json_in_texts(key, value):
    """Blanks in it, and a null for what is not there."""
    if key != "value" or not isinstance(value, str) or not value.startswith("[{"):
        return value
    return [{name: item for name, item in one.items() if item is not None} for one in json.loads(value)]


def words(key, value):
    """An error's code counts, its words are our own. Some of MLflow's have no code, but HTML or another object."""
    if key == "" and isinstance(value, dict) and ("error_code" in value or set(value) == {"detail"}):
        return {"error_code": value.get("error_code")}
    return {"error_code": None} if key == "" and isinstance(value, str) and value.startswith("<!doctype") else value


def versions(key, value):
    return "VERSION" if key == "" and isinstance(value, str) and re.match(r"^\d+\.\d+\.\d+$", value) else value


def finalized(_, value):
    """A note of MLflow's server to itself."""
    if isinstance(value, dict) and "trace_metadata" in value:
        noted = {name: item for name, item in value["trace_metadata"].items() if name != "mlflow.trace.infoFinalized"}
        value = {name: item for name, item in value.items() if name != "trace_metadata"}
        return {**value, "trace_metadata": noted} if noted else value
    return value


def whole_seconds(key, value):
    """Said with or without .000."""
    return value.replace(".000Z", "Z") if key in ("create_time", "last_update_time", "request_time") and isinstance(value, str) else value


def workspaces(_, value):
    """There are none here; all are of the one that MLflow calls default."""
    return {name: item for name, item in value.items() if name != "workspace"} if isinstance(value, dict) else value


def nothing(key, value):
    """No body is as good as an empty object."""
    return {} if key == "" and value == "" else value


RULES = [ids, times, made_up_names, page_tokens, json_in_texts, orders_of_pairs, words, versions, finalized, whole_seconds,
         workspaces, nothing]


def normal(value, key=""):
    if isinstance(value, dict):
        value = {name: normal(item, name) for name, item in value.items()}
    elif isinstance(value, list):
        value = [normal(item, None) for item in value]
    for rule in RULES:
        value = rule(key, value)
    return value


# ---- what Slipway says besides ----

def without(names, found, is_meant=lambda owner: True):
    """Takes the members away wherever an object is_meant, and notes in found that there was one."""
    def walk(value):
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        gone = set(names) & set(value) if is_meant(value) else set()
        found.update(gone)
        return {name: walk(item) for name, item in value.items() if name not in gone}
    return walk


def default_times(owner):
    return owner.get("experiment_id") == "0"


# sentence, the members, whether it is said by both, of which objects, in answers to which paths
EXTRAS = [
    ("Runs and versions have the name of who made them (`user_id`) where no client says one.", ["user_id"], True,
     lambda owner: owner["user_id"] in ("", "local"), "runs/|registered-models/|model-versions/"),
    ("The experiment Default says 0 for its times.", ["creation_time", "last_update_time"], True, default_times, ""),
    ("Lists of versions have their aliases, too.", ["aliases"], False, lambda owner: "version" in owner,
     "registered-models/(get$|rename|search|get-latest)|model-versions/search"),
    ("`mlflow.modelVersions`, the tag by which clients note what was registered from a model, is also in `registrations`.",
     ["registrations"], False, lambda owner: True, "logged-models"),
    ("A version that was made of a logged model has its `model_id`.", ["model_id"], False, lambda owner: "version" in owner, "model-versions"),
    ("A search of runs has the models that they took, too.", ["model_inputs"], False, lambda owner: True, "runs/search"),
]


# ---- single rows ----

def more(*names):
    """Ours has these members, and else they are the same."""
    return lambda theirs, ours: without(names, set())(ours.body) == theirs.body != ours.body and ours.is_taken() and theirs.is_taken()


DIFFERENCES = {
    "mistake": ("A mistake in a request is a 4xx with the reason.", lambda theirs, ours: theirs.status >= 500 and ours.is_mistake()),
    "again": ("The same request again does no harm", lambda theirs, ours: 400 <= theirs.status < 500 and ours == Answer(200, {})),
    "cut": ("Values that are longer than the limits are refused; MLflow's server cuts or takes them.",
            lambda theirs, ours: theirs.is_taken() and ours.status == 400 and ours.is_mistake()),
    "taken": ("What cannot be read is refused", lambda theirs, ours: theirs.is_taken() and ours.status == 400 and ours.is_mistake()),
    "sql": ("A reason has its code, as RESOURCE_ALREADY_EXISTS, where MLflow's server passes on an error of its database.",
            lambda theirs, ours: theirs.code() == "BAD_REQUEST" and ours.is_mistake()),
    "start": ("A run without a start starts now.", lambda theirs, ours: theirs.body["run"]["info"].pop("start_time") == 0 and
              ours.body["run"]["info"].pop("start_time") == "NOW" and theirs == ours),
    "resumed": ("A run that is RUNNING again has no end.", lambda theirs, ours: theirs.body["run_info"].pop("end_time") and
                theirs == ours),
    "old default": ("The experiment Default says 0 for its times.", lambda theirs, ours: theirs.is_taken() and ours.is_taken() and
                    abs(len(theirs.body.get("experiments", [])) - len(ours.body.get("experiments", []))) == 1),
    "size": ("A search of experiments without `max_results` answers a page.",
             lambda theirs, ours: theirs.code() == "INVALID_PARAMETER_VALUE" and ours.is_taken() and ours.body["experiments"]),
    "empty file": ("An empty file has its size, 0.", lambda theirs, ours: [item.pop("file_size") for item in ours.body["files"]
                                                                         if item.get("file_size") == 0] and theirs == ours),
    "sample": ("`get-history-bulk-interval` answers the points of evenly many steps; MLflow's server counts points.",
               lambda theirs, ours: len(theirs.body["metrics"]) == 4 < len(ours.body["metrics"])),
    "parts": ("to URLs that are made of the request's `Host`", lambda theirs, ours: theirs.status == 501 and
              set(ours.body) == {"upload_id", "credentials"}),
    "status": ("Logged models are found by their `status`.", lambda theirs, ours: theirs == Answer(200, {}) and ours.is_taken() and
               [model["info"]["status"] for model in ours.body["models"]] == ["LOGGED_MODEL_READY"]),
    "tagged model": ("Tags that are set on a logged model answer the model.", more("model")),
    "slashes": ("`//` in a path is `/`.", lambda theirs, ours: theirs.status == 308 and ours.is_taken()),
    "server-info": ("all of `/api/4.0`", lambda theirs, ours: set(theirs.body) - set(ours.body) == {
        "features_enabled", "presigned_upload_run_id_supported", "presigned_upload_model_id_supported"} and
        ours.body.items() <= theirs.body.items()),
}


class Party(WireTest):
    """One of the two servers, with what it gave to keep."""

    def __init__(self, port):
        super().__init__()
        self.port, self.kept = port, {}

    def runTest(self):
        pass

    def ask_row(self, row):
        status, received = self.request(self.port, *row[:3])
        if isinstance(received, bytes):
            received = received.decode(errors="backslashreplace")
            received = json.loads(received) if received.startswith("{") else received
        for name, where in (row[3] if len(row) > 3 else {}).items():
            self.keep(name, received, where.split("."))
        text = json.dumps(received)
        for name, kept in self.kept.items():
            text = text.replace(kept, f"${name}") if len(kept) >= 32 else text
        return Answer(status, normal(json.loads(text)))

    def keep(self, name, received, parts):
        for part in parts:
            received = received[part]
        self.kept[name] = received


class CompareTest(WireTest):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="slipway-peer-")
        cls.peer = MlflowServer(cls.place.name)
        cls.peer.wait()
        cls.met = set()

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        cls.place.cleanup()

    def strip_extras(self, row, theirs, ours):
        path = re.sub(r"^/(ajax-)?api/[23].0/mlflow/", "", row[1])
        for sentence, names, is_both, is_meant, paths in EXTRAS:
            if not re.search(paths, path):
                continue
            found = set()
            remove = without(names, found, lambda owner: any(name in owner for name in names) and is_meant(owner))
            ours.body = remove(ours.body)
            if found:
                self.met.add(sentence)
            theirs.body = remove(theirs.body) if is_both else theirs.body

    def compare(self, name):
        self.peer.empty()
        parties = Party(self.peer.port), Party(self.start()[1])
        wrong = []
        for number, row in enumerate(JOURNEYS[name]):
            theirs, ours = (party.ask_row(row) for party in parties)
            time.sleep(MILLISECOND)  # what is ordered by time is made at different times
            self.strip_extras(row, theirs, ours)
            if theirs.body == {"error_code": None} and theirs.status == ours.status and ours.code():
                ours.body = theirs.body
            asked = f"{name} {number}: {row[0]} {row[1]} {str(row[2])[:300]}"
            said = f"\n  MLflow:  {theirs.status} {json.dumps(theirs.body)[:1500]}\n  Slipway: {ours.status} {json.dumps(ours.body)[:1500]}"
            if len(row) <= 4:
                wrong += [] if theirs == ours else [asked + said]
                continue
            self.met.add(row[4])
            if theirs == ours or not DIFFERENCES[row[4]][1](theirs, ours):
                wrong.append(f"{asked} does not differ as \"{row[4]}\"{said}")
        self.assertFalse(wrong, "\n" + "\n".join(wrong[:WRONG_MAX]))

    def make_many_runs(self):
        """In two experiments, of which the first has some that the server made, too; returns it as a party."""
        self.peer.empty()
        peer = Party(self.peer.port)
        for name, kept in ("many", "experiment"), ("others", "others"):
            peer.ask_row(("POST", "experiments/create", {"name": name}, {kept: "experiment_id"}))
        for row in mlflow_search_journeys.searched():
            peer.ask_row(row)
        mlflow_many_runs.fill(self.peer.database, [int(peer.kept["experiment"]), int(peer.kept["others"])])
        return peer

    def search_both(self, parties, **asked):
        """The page token of each."""
        answers = [party.request(party.port, "POST", "runs/search", {**asked, **token})[1]
                   for party, token in zip(parties, asked.pop("tokens", ({}, {})))]
        found = [[one["info"]["run_id"] for one in answer.get("runs", [])] for answer in answers]
        self.assertEqual(*found, asked)
        theirs, ours = (Answer(200, normal(answer)) for answer in answers)
        self.strip_extras(("POST", "runs/search", asked), theirs, ours)
        self.assertEqual(theirs.body, ours.body, asked)
        return found[0], [{"page_token": answer["next_page_token"]} if "next_page_token" in answer else {} for answer in answers]

    def test_of_10000_runs_that_are_imported_the_same_are_found(self):
        peer = self.make_many_runs()
        done = self.run_command("import", "mlflow", self.peer.database, "--json", "--data", self.data)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        counts = json.loads(done.stdout.splitlines()[0])["counts"]
        self.assertEqual((counts["runs"]["imported"], sum(count["left_out"] for count in counts.values())),
                         (mlflow_many_runs.COUNT + len(mlflow_search_journeys.SEARCHED), 0))
        parties = peer, Party(self.start()[1])
        many, others = [peer.kept["experiment"]], [peer.kept["others"]]
        for text in mlflow_many_runs.FILTERS:
            self.search_both(parties, experiment_ids=many, filter=text, max_results=20)
        for order in mlflow_many_runs.ORDERS:
            self.search_both(parties, experiment_ids=many, order_by=order, max_results=20)
        for order in mlflow_many_runs.SLOW_ORDERS:
            self.search_both(parties, experiment_ids=others, order_by=order, max_results=40)
            self.search_both(parties, experiment_ids=others, order_by=order, max_results=20, filter="metrics.f1 > 0.3 AND tags.team != 'risk'")
        for more in {"run_view_type": "DELETED_ONLY"}, {"run_view_type": "ALL", "filter": "params.model = 'net'"}:
            self.search_both(parties, experiment_ids=many + others, max_results=50, **more)
        self.read_pages(parties, 150, experiment_ids=many, filter="params.model LIKE '%o%' AND metrics.f1 > 0.6")
        self.read_pages(parties, 60, experiment_ids=others, filter="tags.team ILIKE 'risk'", order_by=["metrics.loss DESC"])
        whole, _ = self.search_both(parties, experiment_ids=many, order_by=["metrics.f1 DESC"], max_results=1500)
        self.assertEqual(len(whole), 1500)

    def read_pages(self, parties, size, **asked):
        seen, tokens = self.search_both(parties, max_results=size, **asked)
        while tokens[0]:
            page, tokens = self.search_both(parties, max_results=size, tokens=tokens, **asked)
            seen += page
        self.assertGreater(len(seen), 2 * size)
        self.assertEqual(len(set(seen)), len(seen))

    def test_zz_what_differs_is_met_and_said(self):
        """After all journeys."""
        with open(DOCS, encoding="utf-8") as file:
            docs = " ".join(file.read().split())
        for sentence in [row[0] for row in EXTRAS] + [row[0] for row in DIFFERENCES.values()]:
            self.assertIn(sentence, docs)
        if len(sys.argv) == 1:
            self.assertEqual({row[0] for row in EXTRAS} | set(DIFFERENCES), self.met)


def add_test(name):
    setattr(CompareTest, f"test_{name.replace(' ', '_')}", lambda self: self.compare(name))


for journey in JOURNEYS:
    add_test(journey)

if __name__ == "__main__":
    missing = install()
    if missing:
        print(f"SKIP the comparison with MLflow's server: it could not be installed ({missing})")
        print("0 passed, 0 failed")
        sys.exit(0)
    run(CompareTest)
