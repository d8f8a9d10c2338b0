#!/usr/bin/env python3
"""MLflow's routes of experiments and runs, as bytes on the wire."""
from harness import run
from mlflow_wire import WireTest, error, invalid, missing

NO_MODEL = "0" * 32

EXPERIMENTS = [
    ("GET", "experiments/get", {"experiment_id": "0"}, 200,
     {"experiment": {"experiment_id": "0", "name": "Default", "lifecycle_stage": "active", "tags": None,
                     "artifact_location": "mlflow-artifacts:/0"}}),
    ("POST", "experiments/create", {"name": "churn", "tags": [{"key": "team", "value": "fraud"}, {"key": "note"}]}, 200,
     {"experiment_id": "1"}),
    ("POST", "experiments/create", {"name": "churn"}, 400, error("RESOURCE_ALREADY_EXISTS", "churn")),
    ("POST", "experiments/create", {}, 400, missing("name")),
    ("POST", "experiments/create", {"name": ""}, 400, missing("name")),
    ("POST", "experiments/create", {"name": 7}, 400, invalid("Invalid value 7 for parameter 'name' supplied")),
    ("POST", "experiments/create", {"name": "x", "tags": [{"value": "v"}]}, 400, missing("tags[0].key")),
    ("POST", "experiments/create", {"name": "x", "artifact_location": "http:///#/../../etc/"}, 400,
     invalid("artifact location")),
    ("POST", "experiments/create", {"name": "far", "artifact_location": "s3://bucket/runs"}, 200, {"experiment_id": "2"}),
    ("GET", "experiments/get-by-name", {"experiment_name": "churn"}, 200,
     {"experiment": {"experiment_id": "1", "tags": [{"key": "note", "value": ""}, {"key": "team", "value": "fraud"}]}}),
    ("GET", "experiments/get-by-name", {"experiment_name": "none"}, 404, error("RESOURCE_DOES_NOT_EXIST", "none")),
    ("GET", "experiments/get-by-name", {}, 400, missing("experiment_name")),
    ("GET", "experiments/get", {"experiment_id": "x"}, 400, invalid("Invalid experiment ID")),
    ("GET", "experiments/get", {"experiment_id": "99"}, 404, error("RESOURCE_DOES_NOT_EXIST")),
    ("POST", "experiments/update", {"experiment_id": "1", "new_name": "leavers"}, 200, {}),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "1", "key": "team", "value": "risk"}, 200, {}),
    ("POST", "experiments/delete-experiment-tag", {"experiment_id": "1", "key": "note"}, 200, {}),
    ("POST", "experiments/delete-experiment-tag", {"experiment_id": "1", "key": "note"}, 404,
     error("RESOURCE_DOES_NOT_EXIST")),
    ("GET", "experiments/get", {"experiment_id": "1"}, 200,
     {"experiment": {"name": "leavers", "tags": [{"key": "team", "value": "risk"}]}}),
    ("POST", "experiments/delete", {"experiment_id": "1"}, 200, {}),
    ("POST", "experiments/delete", {"experiment_id": "1"}, 404, error("RESOURCE_DOES_NOT_EXIST")),
    ("GET", "experiments/get-by-name", {"experiment_name": "leavers"}, 200, {"experiment": {"lifecycle_stage": "deleted"}}),
    ("POST", "runs/create", {"experiment_id": "1"}, 400, invalid("deleted")),
    ("POST", "experiments/create", {"name": "leavers"}, 400, error("RESOURCE_ALREADY_EXISTS")),
    ("POST", "experiments/restore", {"experiment_id": "1"}, 200, {}),
]

RUNS = [
    ("POST", "runs/create", {"experiment_id": "0", "user_id": "ada", "run_name": "first", "start_time": 1000,
                             "tags": [{"key": "mlflow.user", "value": "ada"}]}, 200,
     {"run": {"info": {"status": "RUNNING", "run_name": "first", "user_id": "ada", "experiment_id": "0",
                       "start_time": 1000, "end_time": None, "lifecycle_stage": "active"},
              "data": {"metrics": None, "params": None,
                       "tags": [{"key": "mlflow.user", "value": "ada"}, {"key": "mlflow.runName", "value": "first"}]}}},
     {"run": "run.info.run_id"}),
    ("GET", "runs/get", {"run_uuid": "$run"}, 200,
     {"run": {"info": {"run_id": "$run", "run_uuid": "$run", "artifact_uri": "mlflow-artifacts:/0/$run/artifacts"}}}),
    ("GET", "runs/get", {}, 400, missing("run_id")),
    ("GET", "runs/get", {"run_id": NO_MODEL}, 404, error("RESOURCE_DOES_NOT_EXIST", NO_MODEL)),
    ("POST", "runs/create", {"run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}, 400, invalid("differ")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": 0.5, "timestamp": 10, "step": 1}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": "0.25", "timestamp": "11", "step": "2"}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": 0.25, "timestamp": 11, "step": 2.0}, 200, {}),
    ("POST", "runs/log-metric", b'{"run_id": "none", "key": "odd", "value": NaN, "timestamp": 1}', 404,
     error("RESOURCE_DOES_NOT_EXIST", "none")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "odd", "value": "NaN", "timestamp": 1}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "most", "value": "Infinity", "timestamp": 1}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "timestamp": 10}, 400, missing("value")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": 1}, 400, missing("timestamp")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": "high", "timestamp": 1}, 400,
     invalid("Invalid value", "for parameter 'value' supplied")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": True, "timestamp": 1}, 400, invalid("'value'")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": 1, "timestamp": -1}, 400, invalid("1970")),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "a/../b", "value": 1, "timestamp": 1}, 400, invalid("relative path")),
    ("GET", "metrics/get-history", {"run_id": "$run", "metric_key": "loss"}, 200,
     {"metrics": [{"key": "loss", "value": 0.5, "timestamp": 10, "step": 1},
                  {"key": "loss", "value": 0.25, "timestamp": 11, "step": 2}], "next_page_token": None}),
    ("GET", "metrics/get-history", {"run_id": "$run", "metric_key": "loss", "max_results": "1"}, 200,
     {"metrics": [{"step": 1}]}, {"page": "next_page_token"}),
    ("GET", "metrics/get-history", {"run_id": "$run", "metric_key": "loss", "max_results": "1", "page_token": "$page"}, 200,
     {"metrics": [{"step": 2}], "next_page_token": None}),
    ("GET", "metrics/get-history", {"run_id": "$run", "metric_key": "loss", "page_token": "?"}, 400, invalid("page token")),
    ("GET", "metrics/get-history", {"run_id": "$run", "metric_key": "none"}, 200, {"metrics": None}),
    ("GET", "metrics/get-history", {"run_id": NO_MODEL, "metric_key": "loss"}, 200, {"metrics": None}),
    ("POST", "runs/log-parameter", {"run_id": "$run", "key": "C", "value": "1.0"}, 200, {}),
    ("POST", "runs/log-parameter", {"run_id": "$run", "key": "C", "value": "1.0"}, 200, {}),
    ("POST", "runs/log-parameter", {"run_id": "$run", "key": "C", "value": "2.0"}, 400, invalid("C", "1.0", "2.0")),
    ("POST", "runs/log-parameter", {"run_id": "$run", "key": "empty"}, 200, {}),
    ("POST", "runs/set-tag", {"run_id": "$run", "key": "mlflow.runName", "value": "second"}, 200, {}),
    ("POST", "runs/set-tag", {"run_id": "$run", "key": "note", "value": "x"}, 200, {}),
    ("POST", "runs/delete-tag", {"run_id": "$run", "key": "note"}, 200, {}),
    ("POST", "runs/delete-tag", {"run_id": "$run", "key": "note"}, 404, error("RESOURCE_DOES_NOT_EXIST", "note")),
    ("POST", "runs/log-batch", {"run_id": "$run"}, 200, {}),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [{"key": "f1", "value": 1, "timestamp": 1}, {"value": 2}]}, 400,
     missing("metrics[1].key")),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [{"key": "f1", "value": 1}]}, 400, missing("metrics[0].timestamp")),
    ("POST", "runs/log-batch", {"run_id": "$run", "params": [{"key": "C", "value": "3"}],
                                "metrics": [{"key": "half", "value": 1, "timestamp": 1}]}, 400, invalid("never changes")),
    ("POST", "runs/log-batch", {"run_id": "$run", "params": [{"key": "p"}, {"key": "p"}]}, 400, invalid("given twice")),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [{"key": "k", "value": 1, "timestamp": 1}] * 1001}, 400,
     invalid("at most 1000 metrics")),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [{"key": "f1", "value": 0.5, "timestamp": 1}],
                                "params": [{"key": "kernel", "value": "rbf"}], "tags": [{"key": "t", "value": "1"}]}, 200, {}),
    ("POST", "runs/update", {"run_id": "$run", "status": 3, "end_time": 2000}, 200,
     {"run_info": {"status": "FINISHED", "end_time": 2000, "run_name": "second"}}),
    ("POST", "runs/update", {"run_id": "$run", "status": "DONE"}, 400, invalid("FINISHED")),
    ("GET", "runs/get", {"run_id": "$run"}, 200,
     {"run": {"data": {"metrics": [{"key": "f1", "value": 0.5, "timestamp": 1, "step": 0},
                                   {"key": "loss", "value": 0.25, "timestamp": 11, "step": 2},
                                   {"key": "most", "value": 1.7976931348623157e308, "timestamp": 1, "step": 0},
                                   {"key": "odd", "value": "NaN", "timestamp": 1, "step": 0}],
                       "params": [{"key": "C", "value": "1.0"}, {"key": "empty", "value": ""},
                                  {"key": "kernel", "value": "rbf"}]}}}),
    ("POST", "runs/delete", {"run_id": "$run"}, 200, {}),
    ("POST", "runs/delete", {"run_id": "$run"}, 200, {}),
    ("POST", "runs/set-tag", {"run_id": "$run", "key": "t", "value": "2"}, 400, invalid("deleted")),
    ("GET", "runs/get", {"run_id": "$run"}, 200, {"run": {"info": {"lifecycle_stage": "deleted"}}}),
    ("POST", "runs/restore", {"run_id": "$run"}, 200, {}),
]

WIRE = [
    ("GET", "experiments/get", b'{"experiment_id": "0"}', 200, {"experiment": {"name": "Default"}}),
    ("POST", "experiments/create", b'"{\\"name\\": \\"twice\\"}"', 200, {"experiment_id": "1"}),
    ("POST", "experiments/create", b"null", 400, missing("name")),
    ("POST", "experiments/create", b"", 400, missing("name")),
    ("POST", "experiments/create", b"[1]", 400, invalid("object")),
    ("POST", "experiments/create", b'{"name": ', 400, invalid("malformed JSON")),
    ("POST", "experiments/create", {"name": "more", "unheard_of": [1, {"a": 2}]}, 200, {"experiment_id": "2"}),
    ("GET", "/ajax-api/2.0/mlflow/experiments/get", {"experiment_id": "0"}, 200, {"experiment": {"name": "Default"}}),
    ("GET", "//api/2.0//mlflow/experiments/get", {"experiment_id": "0"}, 200, {"experiment": {"name": "Default"}}),
    ("POST", "unheard/of", {}, 404, error("ENDPOINT_NOT_FOUND", "unheard/of")),
    ("GET", "/api/3.0/mlflow/unheard", None, 404, error("ENDPOINT_NOT_FOUND", "unheard")),
    ("GET", "/ajax-api/2.0/mlflow/unheard", None, 404, error("ENDPOINT_NOT_FOUND", "unheard")),
    ("POST", "experiments/get", {}, 405, error("BAD_REQUEST", "only GET, HEAD")),
    ("GET", "/api/v1/unheard", None, 404, {"error": {"code": "not_found"}, "error_code": None}),
    ("GET", "/api/3.0/mlflow/server-info", None, 200, {"store_type": "SqlStore", "workspaces_enabled": False}),
    ("GET", "/health", None, 200, b"OK"),
    ("GET", "/version", None, 200, b"3.11.1"),
]


class TrackingTest(WireTest):
    def test_experiments(self):
        self.play(self.start()[1], EXPERIMENTS)

    def test_runs(self):
        self.play(self.start()[1], RUNS)

    def test_the_rules_of_the_wire(self):
        self.play(self.start()[1], WIRE)

    def test_a_post_is_json_by_its_type(self):
        port = self.start()[1]
        for kind in {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}:
            answer, body = self.ask(port, "/api/2.0/mlflow/experiments/create", method="POST", headers=kind, body='{"name": "x"}')
            self.assertEqual((answer.status, body["error_code"]), (400, "INVALID_PARAMETER_VALUE"))
        self.expect(200, port, "/api/2.0/mlflow/experiments/create", method="POST", body='{"name": "x"}',
                    headers={"Content-Type": "application/json; charset=utf-8"})


if __name__ == "__main__":
    run(TrackingTest)
