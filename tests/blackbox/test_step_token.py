#!/usr/bin/env python3
"""Steps on a server that demands tokens: each attempt has one of its own, for its run, while it lasts.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_step_token.py [WORD]
"""
import json
import os
import signal
import sqlite3
import time

from harness import JSON_TYPE, SlipwayTest, run

SECONDS_MAX = 60
MLFLOW = "/api/2.0/mlflow"
# A script without a library: what MLflow's client sends. It prints a line of JSON for each answer.
SCRIPT = r"""
import json, os, sys, urllib.request, urllib.error
TOKEN = os.environ["MLFLOW_TRACKING_TOKEN"]
RUN = os.environ["MLFLOW_RUN_ID"]
def ask(method, path, body=None, token=TOKEN):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + path, data, method=method)
    request.add_header("Authorization", "Bearer " + token)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")
def tell(name, answer):
    with open(os.environ["TOLD"], "a") as file:
        file.write(json.dumps([name, answer[0], answer[1]]) + "\n")
def post(path, body, prefix="/api/2.0/mlflow/"):
    return ask("POST", prefix + path, body)
"""
LOGS = SCRIPT + r"""
tell("metric", post("runs/log-metric", {"run_id": RUN, "key": "f1", "value": 0.5, "timestamp": 1, "step": 0}))
run = ask("GET", "/api/2.0/mlflow/runs/get?run_id=" + RUN)[1]["run"]
folder = run["info"]["artifact_uri"].replace("mlflow-artifacts:/", "/api/2.0/mlflow-artifacts/artifacts/")
tell("file", ask("PUT", folder + "/model/MLmodel", b"flavors:\n  python_function:\n    loader_module: x\n"))
tell("model", post("registered-models/create", {"name": "shop"}))
tell("version", post("model-versions/create",
                     {"name": "shop", "source": run["info"]["artifact_uri"] + "/model", "run_id": RUN}))
child = post("runs/create", {"experiment_id": run["info"]["experiment_id"], "start_time": 1,
                             "tags": [{"key": "slipway.step_run", "value": "0" * 32}]})
tell("child", child)
tell("child metric", post("runs/log-metric", {"run_id": child[1]["run"]["info"]["run_id"], "key": "f1", "value": 1,
                                              "timestamp": 1, "step": 0}))
tell("who", (0, {"token": TOKEN, "slipway": os.environ["SLIPWAY_TOKEN"], "run": RUN,
                 "child": child[1]["run"]["info"]["run_id"], "experiment": run["info"]["experiment_id"]}))
"""


class StepTokenTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "project")
        os.makedirs(self.project)
        self.told = os.path.join(self.folder, "told")
        roles = {"boss": "owner", "ada": "approver", "bob": "approver", "dev": "contributor"}
        self.tokens = {name: self.token(name, role) for name, role in roles.items()}
        self.begin()

    def begin(self):
        self.server, self.port = self.start("--demand-token")

    def ask_as(self, who, method, path, status=200, body=None):
        """By the name of a token or by a token."""
        headers = dict(JSON_TYPE, Authorization=f"Bearer {self.tokens.get(who, who)}")
        answer, found = self.ask(self.port, path, method=method, headers=headers,
                                 body=json.dumps(body) if body is not None else None)
        self.assertEqual(answer.status, status, found)
        return found

    def put(self, script, **stage):
        with open(os.path.join(self.project, "step.py"), "w") as file:
            file.write(script)
        whole = dict({"cmd": "python3 step.py", "env": {"TOLD": self.told}, "always_changed": True}, **stage)
        with open(os.path.join(self.project, "slipway.yaml"), "w") as file:
            file.write(json.dumps({"project": "shop", "stages": {"work": whole}}))

    def pipeline(self, who, *arguments):
        return self.command("pipeline", *arguments, folder=self.project, SLIPWAY_TOKEN=self.tokens[who])

    def answers(self):
        with open(self.told) as file:
            return {name: (status, body) for name, status, body in map(json.loads, file)}

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def hold(self):
        """Lines of a script that last until release()."""
        return f"\nimport time\nopen({self.folder + '/ready'!r}, 'w')\nwhile not os.path.exists({self.folder + '/go'!r}):" \
               "\n    time.sleep(0.02)\n"

    def wait_for_hold(self):
        self.wait_until(lambda: os.path.exists(os.path.join(self.folder, "ready")))

    def release(self):
        with open(os.path.join(self.folder, "go"), "w"):
            pass

    def events(self, action):
        events = self.ask_as("boss", "GET", f"/api/v1/audit?action={action}")["events"]
        return [(one["principal"], one["object"]) for one in events]

    def metrics(self, run_id):
        return {one["key"]: one["value"] for one in self.ask_as("boss", "GET", f"/api/v1/runs/{run_id}")["metrics"]}

    def test_a_script_logs_and_registers_as_the_step_and_its_token_ends_with_it(self):
        self.put(LOGS)
        self.pipeline("dev", "run")
        answers = self.answers()
        self.assertEqual([status for name, (status, _) in answers.items() if name != "who"], [200] * 6, answers)
        who = answers["who"][1]
        self.assertEqual(who["token"], who["slipway"])
        self.assertEqual(self.metrics(who["run"]), {"f1": 0.5})
        self.assertEqual(self.metrics(who["child"]), {"f1": 1})
        step = "shop#1/work"
        self.assertEqual(self.events("model_version.created"), [(step, "shop@1")])
        self.assertIn((step, who["child"]), self.events("run.created"))
        version = self.ask_as("boss", "GET", "/api/v1/models/shop/versions/1")
        self.assertEqual((version["created_by"], version["run_id"]), (step, who["run"]))
        over = self.ask_as(who["token"], "GET", "/api/v1/runs", 401)
        self.assertEqual(over["error"]["message"], "the token of a step works only while its attempt runs")

    def test_its_token_is_in_no_file_of_the_server_and_on_no_command_line(self):
        self.put(LOGS + "print('mine is', TOKEN, flush=True)" + self.hold())
        self.pipeline("dev", "run", "--no-wait")
        self.wait_for_hold()
        token = self.answers()["who"][1]["token"]
        secret = token[-64:].encode()
        lines = [read(f"/proc/{one}/cmdline") for one in os.listdir("/proc") if one.isdigit()]
        self.assertFalse([line for line in lines if secret in line])
        names = [os.path.join(folder, name) for folder, _, names in os.walk(self.data) for name in names]
        self.assertTrue([name for name in names if name.endswith("/record")])
        self.assertFalse([name for name in names if secret in read(name)])
        self.release()
        self.wait_until(lambda: self.ask_as("dev", "GET", "/api/v1/pipeline-runs")["pipeline_runs"][0]["ended_at"])
        self.assertEqual(self.pipeline("dev", "log", "shop", "work"), "mine is ***\n")

    def test_it_may_do_no_more_than_log(self):
        other = self.ask_as("dev", "POST", "/api/v1/runs", 201, {"experiment_id": 0})["id"]
        self.put(LOGS + self.hold())
        self.pipeline("dev", "run", "--no-wait")
        self.wait_for_hold()
        who = self.answers()["who"][1]
        token, before = who["token"], self.ask_as("boss", "GET", "/api/v1/audit/verify")["events"]
        for method, path, body in (
                ("POST", "/api/v1/approvals/1/decide", {"approved": True, "comment": "x", "digest": "0" * 64}),
                ("POST", "/api/v1/endpoints", {"name": "shop"}),
                ("POST", "/api/v1/endpoints/shop/deploy", {"model": "shop", "version": 1}),
                ("POST", "/api/v1/endpoints/shop/promote", {"version": 1}),
                ("PUT", "/api/v1/endpoints/shop/candidate", {"version": 1, "share": 10}),
                ("PUT", "/api/v1/environments/production", {"approvals": 0}),
                ("GET", "/api/v1/tokens", None),
                ("POST", "/api/v1/tokens", {"name": "mine", "role": "viewer"}),
                ("PUT", "/api/v1/identities/shop", {"principal": "ada"}),
                ("POST", "/api/v1/webhooks", {"name": "x", "url": "http://127.0.0.1:1", "events": ["run.created"]}),
                ("POST", "/api/v1/pipeline-runs", {}),
                ("PUT", "/api/v1/projects/shop", {}),
                ("DELETE", f"/api/v1/runs/{who['run']}", None),
                ("PUT", "/api/v1/models/shop/aliases/champion", {"version": 1}),
                ("POST", MLFLOW + "/registered-models/alias", {"name": "shop", "alias": "champion", "version": "1"}),
                ("POST", MLFLOW + "/model-versions/transition-stage",
                 {"name": "shop", "version": "1", "stage": "Production"}),
                ("DELETE", MLFLOW + "/model-versions/delete", {"name": "shop", "version": "1"}),
                ("POST", MLFLOW + "/experiments/create", {"name": "x"}),
                ("POST", MLFLOW + "/runs/create", {"experiment_id": "0", "start_time": 1}),
                ("POST", MLFLOW + "/runs/log-metric",
                 {"run_id": other, "key": "f1", "value": 1, "timestamp": 1, "step": 0}),
                ("POST", MLFLOW + "/runs/update", {"run_id": other, "status": "FAILED"})):
            self.ask_as(token, method, path, 403, body)
        self.assertEqual(self.ask_as("boss", "GET", "/api/v1/audit/verify")["events"], before)
        said = self.ask_as(token, "POST", "/api/v1/endpoints", 403, {"name": "shop"})["error"]["message"]
        self.assertEqual(said, 'this needs the role contributor, "shop#1/work" has the role step')
        said = self.ask_as(token, "DELETE", "/api/v1/runs/" + other, 403)["error"]["message"]
        self.assertIn("contributor", said)
        for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), token[:-1], token.replace("-1_", "-2_"),
                      "slws_../x_" + token[-64:]):
            self.ask_as(wrong, "GET", "/api/v1/runs", 401)
        self.release()

    def test_a_restart_neither_loses_nor_doubles_it_and_a_cancelled_step_loses_it(self):
        self.put(LOGS + self.hold() + "time.sleep(1000)")
        self.pipeline("dev", "run", "--no-wait")
        self.wait_for_hold()
        token = self.answers()["who"][1]["token"]
        self.ask_as(token, "GET", "/api/v1/runs")
        for end in signal.SIGKILL, signal.SIGTERM:
            self.server.send_signal(end)
            self.server.wait()
            self.begin()
            self.ask_as(token, "GET", "/api/v1/runs")
        self.pipeline("dev", "cancel", "shop")
        self.wait_until(lambda: self.ask_as("dev", "GET", "/api/v1/pipeline-runs")["pipeline_runs"][0]["ended_at"])
        self.ask_as(token, "GET", "/api/v1/runs", 401)

    def test_each_attempt_has_another(self):
        self.put(SCRIPT + "tell(os.environ['SLIPWAY_ATTEMPT'], (0, TOKEN))\n"
                 "if os.environ['SLIPWAY_ATTEMPT'] == '2':\n"
                 "    first = json.loads(open(os.environ['TOLD']).readline())[2]\n"
                 "    tell('old', ask('GET', '/api/v1/runs', token=first))\n"
                 "    sys.exit(0)\n"
                 "sys.exit(1)", retries={"max": 1, "backoff": "10ms"})
        self.pipeline("dev", "run")
        answers = self.answers()
        self.assertNotEqual(answers["1"], answers["2"])
        self.assertEqual(answers["old"][0], 401)

    def test_four_eyes_keep_out_who_caused_the_run_of_the_step_that_registered(self):
        self.ask_as("boss", "PUT", "/api/v1/environments/production", 200, {"approvals": 1, "four_eyes": True})
        self.put(LOGS)
        self.pipeline("ada", "run")
        self.ask_as("dev", "POST", "/api/v1/endpoints", 200, {"name": "shop"})
        deploy = "/api/v1/endpoints/shop/deploy"
        body = {"model": "shop", "version": 1, "comment": "mine"}
        said = self.ask_as("ada", "POST", deploy, 403, body)["error"]["message"]
        self.assertIn('demands four eyes, and "ada" has started what made version 1', said)
        said = self.ask_as("bob", "POST", deploy, 409, body)["error"]["message"]
        self.assertNotIn("four eyes", said)  # he may; it is no model that Slipway serves

    def test_of_a_run_that_it_names_another_ones_run_the_step_is_still_the_originator(self):
        self.ask_as("boss", "PUT", "/api/v1/environments/production", 200, {"approvals": 1, "four_eyes": True})
        self.put(LOGS)
        self.pipeline("bob", "run")
        his = self.answers()["who"][1]["run"]
        self.put(SCRIPT + f"tell('stolen', post('model-versions/create', {{'name': 'shop', 'run_id': '{his}',"
                          f" 'source': 'runs:/{his}/model'}}))")
        self.pipeline("ada", "run")
        self.assertEqual(self.answers()["stolen"][0], 200, self.answers()["stolen"])
        self.ask_as("dev", "POST", "/api/v1/endpoints", 200, {"name": "shop"})
        for name in "ada", "bob":
            said = self.ask_as(name, "POST", "/api/v1/endpoints/shop/deploy", 403,
                               {"model": "shop", "version": 2, "comment": "x"})["error"]["message"]
            self.assertIn(f'"{name}" has started what made version 2', said)
        with sqlite3.connect(os.path.join(self.data, "slipway.db"), timeout=30) as db:
            db.execute("UPDATE pipeline_runs SET originators = '[]' WHERE number = 2")
        said = self.ask_as("ada", "POST", "/api/v1/endpoints/shop/deploy", 403,
                           {"model": "shop", "version": 2, "comment": "x"})["error"]["message"]
        self.assertIn("nobody knows who made version 2", said)

    def test_a_viewer_who_may_not_log_is_told_of_a_role_that_there_is(self):
        self.tokens["eve"] = self.ask_as("boss", "POST", "/api/v1/tokens", 201, {"name": "eve"})["secret"]
        said = self.ask_as("eve", "POST", "/api/v1/runs", 403, {"experiment_id": 0})["error"]["message"]
        self.assertEqual(said, 'this needs the role contributor, "eve" has the role viewer')
        said = self.ask_as("boss", "POST", "/api/v1/tokens", 422, {"name": "x", "role": "step"})["error"]["message"]
        self.assertEqual(said, "a role is viewer, contributor, approver or owner")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


if __name__ == "__main__":
    run(StepTokenTest)
