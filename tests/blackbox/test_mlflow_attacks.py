#!/usr/bin/env python3
"""What was done to MLflow's servers, done to Slipway; docs/robustness.md lists the cases and which test has each of them.

Paths that lead elsewhere are in test_mlflow_artifacts.py, sources of models in test_mlflow_registry.py.
"""
import os
import re
import socket
import stat

from harness import run
from mlflow_wire import WireTest, error, invalid

HERE = os.path.dirname(os.path.abspath(__file__))
ROUTES = os.path.join(HERE, "..", "..", "docs", "reference", "mlflow-api.md")
FILES = "/api/2.0/mlflow-artifacts/artifacts"
START = [("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"run": "run.info.run_id"}),
         ("POST", "registered-models/create", {"name": "spam"}, 200, {})]
NO_PACKAGE = invalid("has no package here")

# Elsewhere: what is not fetched is registered all the same, and leads to no file of this machine.
FAR_SOURCES = ["dbfs:/etc/passwd", "dbfs:///etc/passwd", "hdfs://host/etc/passwd", "ftp://host/etc/passwd", "http://169.254.169.254/latest", "local:/etc"]
# Nearby: another writing of a path of this machine.
NEAR_SOURCES = ["\\..\\..\\etc\\passwd", "file:///\\..\\..\\etc", "file:\\\\..\\etc", "//etc/passwd", "./../etc"]
LOCATIONS = ["http:///?/../../etc", "http:///#/../../etc", "mlflow-artifacts:/../../etc", "mlflow-artifacts:/%2e%2e/etc",
             "mlflow-artifacts:/a\\..\\b", "mlflow-artifacts:/a?b", "mlflow-artifacts:/a%00b", "s3://" + "x" * 2048]
# None of these is more than text, wherever it stands.
TEXTS = ["$(touch owned)", "`touch owned`", "; touch owned;", "{{ 7 * 7 }}", "{% import 'os' %}", "<script>alert(1)</script>",
         "javascript:alert(1)", "'; DROP TABLE runs; --", "!!python/object/apply:os.system ['touch owned']", "%s%n", "../../../etc/passwd",
         "\u202eexe.txt", "=cmd|' /C calc'!A0"]
MLMODEL = "flavors: !!python/object/apply:os.system ['touch owned']\nrun: &a [*a, *a]\nx: !<tag:yaml.org,2002:js/function> 'alert(1)'\n"
# Routes that had no lock, or that sent requests on; here they are not at all.
ABSENT = ["gateway-proxy?gateway_path=http://169.254.169.254", "gateway/proxy", "users/create", "users/get?username=admin", "jobs", "jobs/search",
          "issues", "scorers/register", "datasets/create", "experiments/permissions/create", "demo/generate"]


def routes():
    """(method, path, role) of all of MLflow's routes, from the reference, which is made of the program's own tables."""
    with open(ROUTES, encoding="utf-8") as file:
        found = re.findall(r"^### ([A-Z]+) (\S+)$\n\n.*?Role: (\w+)", file.read(), re.MULTILINE)
    return [(method, re.sub(r"\{\*?\w+\}", "x1", path), role) for method, path, role in found]


class AttackTest(WireTest):
    def begin(self, *options):
        port = self.start(*options)[1]
        self.play(port, START)
        return port

    def test_each_route_has_a_lock_wherever_it_is_asked(self):
        viewer = self.token("vera", "viewer")
        port = self.start("--demand-token")[1]
        self.assertGreater(len(routes()), 90)
        for method, path, role in routes():
            if role == "anyone":
                continue
            for place in {path, path.replace("/api/", "/ajax-api/"), "/" + path}:
                for token in None, "nobody's", viewer[:-1]:
                    self.assertEqual(self.status(port, method, place, token), 401, (method, place, token))
                status = self.status(port, method, place, viewer)
                self.assertEqual(status == 403, role != "viewer", (method, place, status))

    def status(self, port, method, path, token):
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        answer, _ = self.ask(port, path, method=method, body=None if method == "GET" else "{}", headers=headers)
        return answer.status

    def test_nothing_is_fetched_because_somebody_said_where_it_is(self):
        port = self.begin()
        with socket.create_server(("127.0.0.1", 0)) as trap:
            trap.setblocking(False)
            url = f"http://127.0.0.1:{trap.getsockname()[1]}/data.csv"
            data = {"name": "d", "digest": "1", "source_type": "http", "source": f'{{"url": "{url}"}}'}
            self.play(port, [
                ("POST", "experiments/create", {"name": "far", "artifact_location": url}, 200, {}, {"far": "experiment_id"}),
                ("POST", "runs/create", {"experiment_id": "$far"}, 200, {}, {"away": "run.info.run_id"}),
                ("GET", "artifacts/list", {"run_id": "$away"}, 200, {"files": None}),
                ("GET", "/get-artifact", {"run_id": "$away", "path": "x"}, 404, {}),
                ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": data}]}, 200, {}),
                ("POST", "runs/set-tag", {"run_id": "$run", "key": "mlflow.source.git.repoURL", "value": url}, 200, {}),
                ("POST", "model-versions/create", {"name": "spam", "source": url, "run_link": url}, 200, {}),
                ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "1", "path": "MLmodel"}, 400, NO_PACKAGE),
                ("POST", "logged-models", {"experiment_id": "$far", "name": "net"}, 200, {}, {"model": "model.info.model_id"}),
                ("GET", "logged-models/$model/artifacts/directories", {}, 400, invalid("are not with this server")),
            ])
            self.assertRaises(BlockingIOError, trap.accept)

    def test_a_source_elsewhere_leads_to_no_file_here(self):
        port = self.begin()
        for number, source in enumerate(FAR_SOURCES, 1):
            self.play(port, [
                ("POST", "model-versions/create", {"name": "spam", "source": source}, 200, {"model_version": {"version": str(number)}}),
                ("GET", "/model-versions/get-artifact", {"name": "spam", "version": str(number), "path": "passwd"}, 400, NO_PACKAGE)])
        for source in NEAR_SOURCES:
            for more in {}, {"run_id": "$run"}, {"tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}:
                self.play(port, [("POST", "model-versions/create", {"name": "spam", "source": source, **more}, 400, invalid())])

    def test_a_location_leads_to_no_folder_here(self):
        port = self.begin()
        for location in LOCATIONS:
            self.play(port, [("POST", "experiments/create", {"name": "x", "artifact_location": location}, 400, invalid())])
        for number, location in enumerate(("/etc", "file:///etc")):  # where clients write, if they can; nobody reads there
            self.play(port, [
                ("POST", "experiments/create", {"name": location, "artifact_location": location}, 200, {}, {"experiment": "experiment_id"}),
                ("POST", "runs/create", {"experiment_id": "$experiment"}, 200, {}, {"one": "run.info.run_id"}),
                ("GET", "artifacts/list", {"run_id": "$one"}, 200, {"files": None}),
                ("GET", "artifacts/list", {"run_id": "$one", "path": "passwd"}, 200, {"files": None}),
                ("GET", "/get-artifact", {"run_id": "$one", "path": "passwd"}, 404, {}),
                ("GET", "/get-artifact", {"run_id": "$one", "path": "../../passwd"}, 400, invalid()),
                ("POST", "model-versions/create", {"name": "spam", "run_id": "$one", "source": location}, 400, invalid()),
                ("POST", "model-versions/create", {"name": "spam", "run_id": "$one", "source": location + "/$one/artifacts/../.."}, 400, invalid()),
                ("POST", "model-versions/create", {"name": "spam", "run_id": "$one", "source": location + "/$one/artifacts"}, 200, {}),
                ("GET", "/model-versions/get-artifact", {"name": "spam", "version": str(number + 1), "path": "passwd"}, 400, NO_PACKAGE)])
        self.play(port, [("GET", "/get-artifact", {"run_uuid": "", "path": "../../etc/passwd"}, 400, invalid()),
                         ("POST", "experiments/create", {"name": "x" * 501}, 400, invalid("500")),
                         ("GET", "experiments/get-by-name", {"experiment_name": "x"}, 404, {})])

    def test_text_is_text(self):
        """No shell, template, YAML tag or page takes it for more."""
        port = self.begin()
        before = sorted(os.listdir("."))
        for number, text in enumerate(TEXTS):
            pair = {"key": "t", "value": text}
            data = {"dataset": {"name": text, "digest": str(number), "source_type": text, "source": text}}
            self.play(port, [
                ("POST", "experiments/create", {"name": text, "tags": [pair]}, 200, {}, {"experiment": "experiment_id"}),
                ("POST", "runs/create", {"experiment_id": "$experiment", "run_name": text, "user_id": text, "tags": [pair]}, 200, {},
                 {"one": "run.info.run_id"}),
                ("POST", "runs/log-batch", {"run_id": "$one", "params": [pair]}, 200, {}),
                ("POST", "runs/log-inputs", {"run_id": "$one", "datasets": [data]}, 200, {}),
                ("GET", "runs/get", {"run_id": "$one"}, 200, {"run": {
                    "info": {"run_name": text, "user_id": text}, "data": {"params": [pair], "tags": [pair, {"value": text}]},
                    "inputs": {"dataset_inputs": [data]}}}),
                ("GET", "experiments/get-by-name", {"experiment_name": text}, 200, {"experiment": {"name": text, "tags": [pair]}}),
                ("POST", "runs/search", {"experiment_ids": ["$experiment"], "filter": f"tags.t = \"{text}\""}, 200,
                 {"runs": [{"info": {"run_id": "$one"}}]}),
                ("POST", "model-versions/create", {"name": "spam", "source": "s3://b/m", "description": text, "run_link": text, "tags": [pair]}, 200,
                 {"model_version": {"description": text, "run_link": text, "tags": [pair]}}),
            ])
        self.play(port, [
            ("PUT", f"{FILES}/0/$run/artifacts/model/MLmodel", MLMODEL.encode(), 200, {}),
            ("PUT", f"{FILES}/0/$run/artifacts/model/model.pkl", b"cos\nsystem\n(S'touch owned'\ntR.", 200, {}),
            ("POST", "model-versions/create", {"name": "spam", "source": "runs:/$run/model"}, 200, {}, {"version": "model_version.version"}),
            ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "$version", "path": "MLmodel"}, 200, MLMODEL.encode()),
            ("POST", "/api/v1/endpoints/spam/deploy", {"model": "spam", "version": len(TEXTS) + 1}, 400, {"error": {"message": {"check"}}}),
        ])
        self.assertEqual(sorted(os.listdir(".")), before)
        self.assertFalse([name for _, _, names in os.walk(self.folder) for name in names if name == "owned"])

    def test_an_error_is_no_page(self):
        port = self.begin()
        script = "<script>alert(1)</script>"
        asked = [("POST", "/api/2.0/mlflow/experiments/create", {"Content-Type": script}), ("GET", "/get-artifact?run_id=" + script.replace("<", "%3C"), {}),
                 ("GET", "/api/2.0/mlflow/%3Cscript%3E", {}), ("GET", f"{FILES}/0/%3Cscript%3E/x", {}),
                 ("GET", "/api/2.0/mlflow/runs/get?run_id=%3Cscript%3E", {})]
        for method, path, headers in asked:
            answer, _ = self.ask(port, path, method=method, headers=headers, body="{}" if method == "POST" else None)
            self.assertIn(answer.status, (400, 404), path)
            self.assertEqual((answer.getheader("Content-Type"), answer.getheader("X-Content-Type-Options")), ("application/json", "nosniff"), path)

    def test_a_page_of_others_makes_a_browser_do_nothing(self):
        port = self.begin()
        for headers in {"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}:
            for method, path in ("POST", "/api/2.0/mlflow/experiments/create"), ("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0"), (
                    "DELETE", f"{FILES}/0/x"), ("POST", "/v1/traces"), ("GET", "/get-artifact?run_id=x&path=y"):
                answer, body = self.ask(port, path, method=method, body='{"name": "x"}' if method == "POST" else None,
                                        headers={"Content-Type": "application/json", **headers})
                self.assertEqual((answer.status, body["error_code"]), (403, "PERMISSION_DENIED"), (headers, path))

    def test_what_is_not_offered_is_not_there(self):
        port = self.begin()
        for path in ABSENT:
            for prefix in "/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/", "/ajax-api/3.0/", "/api/3.0/mlflow/":
                for method in "GET", "POST":
                    self.play(port, [(method, prefix + path, b"{}" if method == "POST" else None, 404, error("ENDPOINT_NOT_FOUND"))])
        for path in "/graphql", "/api/4.0/mlflow/graphql", "/signup":
            self.assertEqual(self.ask(port, path, method="POST", body="{}", headers={"Content-Type": "application/json"})[0].status, 404)

    def test_no_file_is_for_others(self):
        port = self.begin()
        self.play(port, [("PUT", f"{FILES}/0/$run/artifacts/a.txt", b"secret", 200, {}),
                         ("POST", "/api/2.0/mlflow-artifacts/mpu/create/0/models/m-1", {"path": "x", "num_parts": 1}, 200, {}, {"upload": "upload_id"}),
                         ("PUT", "/api/2.0/mlflow-artifacts/mpu/parts/$upload/1", b"part", 200, {})])
        modes = {os.path.join(folder, name): stat.S_IMODE(os.lstat(os.path.join(folder, name)).st_mode)
                 for folder, folders, names in os.walk(self.data) for name in folders + names}
        self.assertTrue(any("temporary" in path for path in modes))
        self.assertEqual({path: oct(mode) for path, mode in modes.items() if mode & 0o077}, {})


if __name__ == "__main__":
    run(AttackTest)
