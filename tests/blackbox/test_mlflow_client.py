#!/usr/bin/env python3
"""Scripts of users, unchanged, with MLflow's own client (tests/requirements-mlflow.txt) against Slipway.

Each test runs one of mlflow_scripts/, which asserts what a user would see, and then looks at the same store by Slipway's own
ways. test_mlflow2_client.py does the same with the last client of MLflow 2. Where a client is not and cannot be installed,
nothing is tested and a line says SKIP.
"""
import json
import os
import subprocess
import sys

from harness import SLIPWAY, SlipwayTest, run
from mlflow_peer import ROOT, install
from receiver import Receiver

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT_SECONDS_MAX = 240
QUIET = {"GIT_PYTHON_REFRESH": "quiet", "DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true",
         "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "agg"}

# What MLflow's own server tells of mlflow_scripts/webhooks.py, here in the order in which it happened.
MODEL, PROMPT = {"name": "leavers", "version": "1"}, {"name": "summary", "version": "1"}
TOLD = [
    ("registered_model.created", {"name": "leavers", "tags": {"team": "risk"}, "description": "who leaves"}),
    ("model_version.created", dict(MODEL, source="s3://bucket/model", run_id=None, tags={"k": "v"}, description="first")),
    ("model_version_tag.set", dict(MODEL, key="stage", value="ready")),
    ("model_version_tag.deleted", dict(MODEL, key="stage")),
    ("model_version_alias.created", dict(MODEL, alias="champion")),
    ("model_version_alias.deleted", {"name": "leavers", "alias": "champion"}),
    ("prompt.created", {"name": "summary", "tags": {"lang": "en"}, "description": "first"}),
    ("prompt_version.created", dict(PROMPT, template="Summarize {{ text }}", tags={"lang": "en"}, description="first")),
    ("prompt_tag.set", {"name": "summary", "key": "_mlflow_experiment_ids", "value": ",0,"}),
    ("prompt_alias.created", dict(PROMPT, alias="production")),
    ("prompt_tag.set", {"name": "summary", "key": "owner", "value": "ada"}),
    ("prompt_tag.deleted", {"name": "summary", "key": "owner"}),
    ("prompt_version_tag.set", dict(PROMPT, key="good", value="yes")),
    ("prompt_version_tag.deleted", dict(PROMPT, key="good")),
    ("prompt_alias.deleted", {"name": "summary", "alias": "production"}),
]


class ScriptTest(SlipwayTest):
    CLIENT = "mlflow"  # build/mlflow-venv, tests/requirements-mlflow.txt
    INSTALL = "venv.sh"
    SCRIPTS = {}  # which one is played in the place of another

    @classmethod
    def install(cls):
        return install(cls.CLIENT, cls.INSTALL)

    def python(self):
        return os.path.join(ROOT, "build", f"{self.CLIENT}-venv", "bin", "python")

    def play(self, port, script, **more):
        """Runs the script as its user would, in a folder of its own."""
        values = self.environment(MLFLOW_TRACKING_URI=f"http://127.0.0.1:{port}", MLFLOW_HTTP_REQUEST_MAX_RETRIES="1",
                                  HOME=self.folder, **QUIET, **more)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "PYTHONPATH"):
            values.pop(name, None)
        script = f"{self.SCRIPTS.get(script, script)}.py"
        done = subprocess.run([self.python(), os.path.join(HERE, "mlflow_scripts", script)], cwd=self.folder, env=values,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SCRIPT_SECONDS_MAX)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-4000:])
        return done.stdout

    def play_alone(self, script):
        """On a server of its own; returns its port."""
        port = self.start()[1]
        self.play(port, script)
        return port


class ClientTest(ScriptTest):
    def own(self, port, path):
        return self.expect(200, port, f"/api/v1/{path}")[1]

    def own_json(self, *arguments):
        return json.loads(self.command(*arguments, "--json"))

    def test_tracking(self):
        port = self.start()[1]
        self.play(port, "tracking")
        runs = self.own_json("run", "list")["runs"]
        self.assertEqual(sorted(one["name"] for one in runs),
                         ["another name", "child 0", "child 1", "child 2", "not waiting", "parent"])
        parent = next(one for one in runs if one["name"] == "parent")
        self.assertEqual(parent["status"], "FAILED")
        shown = self.own_json("run", "show", parent["id"])
        self.assertEqual((shown["params"]["kernel"], shown["tags"]["note"]), ("rbf", "ünï↯"))
        self.assertEqual([(one["value"], one["step"]) for one in shown["metrics"] if one["key"] == "auc"], [(0.875, 3)])

    def test_in_a_step_on_a_server_that_demands_tokens(self):
        token = self.token("dev", "contributor")
        port = self.start("--demand-token")[1]
        script = os.path.join(HERE, "mlflow_scripts", "in_step.py")
        stages = {"work": {"cmd": f"{self.python()} {script}", "env": dict(QUIET, HOME=self.folder, MLFLOW_HTTP_REQUEST_MAX_RETRIES="1")}}
        project = os.path.join(self.folder, "project")
        os.mkdir(project)
        with open(os.path.join(project, "slipway.yaml"), "w") as file:
            file.write(json.dumps({"project": "twice", "stages": stages}))
        done = subprocess.run([SLIPWAY, "pipeline", "run", "--data", self.data], cwd=project, capture_output=True, text=True,
                              env=self.environment(SLIPWAY_TOKEN=token), timeout=SCRIPT_SECONDS_MAX)
        self.assertIn("kept {'f1': 0.75}\n", done.stdout, done.stderr)
        headers = {"Authorization": f"Bearer {token}"}
        runs = self.expect(200, port, "/api/v1/runs", headers=headers)[1]["runs"]
        self.assertEqual([one["status"] for one in runs if one["name"] in ("child", "work")], ["FINISHED"] * 2)
        version = self.expect(200, port, "/api/v1/models/twice/versions/1", headers=headers)[1]
        self.assertEqual(version["created_by"], "twice#1/work")

    def test_deleted(self):
        self.play(self.start()[1], "deleted")

    def test_history(self):
        self.play(self.start()[1], "history")

    def test_writers(self):
        self.play(self.start()[1], "writers")

    def test_search(self):
        port = self.play_alone("search")
        found = self.own(port, "runs?order_by=metrics.f1+desc&limit=2")["runs"]
        self.assertEqual([one["name"] for one in found], ["oak 2", "oak 1"])

    def test_paging(self):
        self.play_alone("paging")

    def test_artifacts(self):
        port = self.play_alone("artifacts")
        run_id = self.own_json("run", "list")["runs"][0]["id"]
        files = self.own(port, f"runs/{run_id}/artifacts")["artifacts"]
        self.assertIn(("all/large.bin", 9 << 20), [(one["path"], one["size"]) for one in files])
        self.assertEqual(self.ask(port, f"/api/v1/runs/{run_id}/artifacts/file?path=texts/note.txt")[1], b"another")

    def test_quota(self):
        port = self.start()[1]
        self.command("workspace", "set", "fraud", "--artifact-bytes-max", "1MB")
        self.play(port, "quota")
        self.assertEqual(self.own(port, "workspaces/fraud")["workspace"]["artifact_bytes"], 1_000_000)
        self.assertEqual(self.own(port, "workspaces/default")["workspace"]["artifact_bytes"], 0)

    def test_registry(self):
        port = self.play_alone("registry")
        self.assertEqual(self.own(port, "models/leavers/versions/3")["version"], 3)
        self.assertIn("champion", self.command("model", "show", "leavers"))

    def test_prompts(self):
        self.play_alone("prompts")

    def test_datasets(self):
        self.play_alone("datasets")

    def test_logged_models(self):
        self.play_alone("logged_models")

    def test_models(self):
        port = self.play_alone("models")
        self.assertIn("champion", self.command("model", "show", "iris"))
        self.assertEqual(self.own(port, "models/iris/versions/2")["version"], 2)

    def test_xgboost(self):
        self.play_alone("xgboost_autolog")

    def test_traces(self):
        port = self.play_alone("traces")
        deleted = self.own(port, "audit?action=trace.deleted")["events"]
        self.assertEqual([one["detail"]["count"] for one in deleted], [1, 1, 3])

    def test_webhooks(self):
        receiver = Receiver([200, 200, 500])
        try:
            port = self.start("--webhook-host", "127.0.0.1")[1]
            self.play(port, "webhooks", RECEIVER=receiver.url, SECRET="hush")
            heard = receiver.wait(3 + len(TOLD))
        finally:
            receiver.close()
        self.assertEqual([one.event for one in heard[:3]], ["registered_model.created", "prompt_version.created", "registered_model.created"])
        self.assertEqual([(one.event, one.data) for one in heard[3:]], TOLD)
        self.assertTrue(all(one.is_signed_with("hush") for one in heard))

    def test_sign_in(self):
        secret, viewer = self.token("ada", "contributor"), self.token("eve", "viewer")
        self.play(self.start("--demand-token")[1], "sign_in", NAME="ada", SECRET=secret, VIEWER=viewer)


def run_where_installed(*cases):
    missing = next(filter(None, (case.install() for case in cases)), None)
    if missing:
        print(f"SKIP the tests with MLflow's client: it could not be installed ({missing})")
        print("0 passed, 0 failed")
        sys.exit(0)
    run(*cases)


if __name__ == "__main__":
    run_where_installed(ClientTest)
