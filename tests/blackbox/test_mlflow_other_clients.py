#!/usr/bin/env python3
"""MLflow's clients of R and Java as bytes on the wire, and requests that are sent again because their answer was lost."""
from harness import run
from mlflow_wire import WireTest

WHEN = "1700000000000"

# The R client has every scalar as a text, and the run's id by both of its names.
R_CLIENT = [
    ("GET", "experiments/get-by-name", {"experiment_name": "from R"}, 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}),
    ("POST", "experiments/create", {"name": "from R", "artifact_location": None, "tags": []}, 200, {}, {"experiment": "experiment_id"}),
    ("POST", "runs/create", {"experiment_id": "$experiment", "user_id": "ada", "run_name": None, "start_time": WHEN,
                             "tags": [{"key": "mlflow.source.type", "value": "LOCAL"}]}, 200,
     {"run": {"info": {"start_time": 1700000000000, "status": "RUNNING", "user_id": "ada"}}}, {"run": "run.info.run_id"}),
    ("POST", "runs/log-metric", {"run_uuid": "$run", "run_id": "$run", "key": "loss", "value": "0.5", "timestamp": WHEN,
                                 "step": "3"}, 200, {}),
    ("POST", "runs/log-metric", {"run_uuid": "$run", "run_id": "$run", "key": "odd", "value": "NaN", "timestamp": WHEN,
                                 "step": "0"}, 200, {}),
    ("POST", "runs/log-metric", {"run_uuid": "$run", "run_id": "$run", "key": "least", "value": "-Infinity", "timestamp": WHEN,
                                 "step": "0"}, 200, {}),
    ("POST", "runs/log-parameter", {"run_uuid": "$run", "run_id": "$run", "key": "trees", "value": "100"}, 200, {}),
    ("POST", "runs/set-tag", {"run_uuid": "$run", "run_id": "$run", "key": "note", "value": "TRUE"}, 200, {}),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [{"key": "f1", "value": "0.75", "timestamp": WHEN, "step": "1"}],
                                "params": [{"key": "depth", "value": "4"}], "tags": []}, 200, {}),
    ("GET", "metrics/get-history", {"run_uuid": "$run", "run_id": "$run", "metric_key": "loss"}, 200,
     {"metrics": [{"key": "loss", "value": 0.5, "timestamp": 1700000000000, "step": 3}]}),
    ("POST", "runs/update", {"run_uuid": "$run", "run_id": "$run", "status": "FINISHED", "end_time": WHEN}, 200,
     {"run_info": {"status": "FINISHED", "end_time": 1700000000000, "run_uuid": "$run"}}),
    ("GET", "runs/get", {"run_uuid": "$run", "run_id": "$run"}, 200,
     {"run": {"data": {"metrics": [{"key": "f1", "value": 0.75, "step": 1}, {"key": "least", "value": -1.7976931348623157e308},
                                   {"key": "loss", "value": 0.5}, {"key": "odd", "value": "NaN"}],
                       "params": [{"key": "depth", "value": "4"}, {"key": "trees", "value": "100"}]}}}),
    ("POST", "runs/log-metric", {"run_id": "$run", "key": "loss", "value": "0.5", "timestamp": "soon"}, 400,
     {"error_code": "INVALID_PARAMETER_VALUE"}),
    ("POST", "experiments/delete", {"experiment_id": "$experiment"}, 200, {}),
    ("POST", "experiments/restore", {"experiment_id": "$experiment"}, 200, {}),
]

# The Java client prints protobuf's JSON: numbers of 64 bits as texts, doubles as numbers, members that are not set left out.
JAVA_CLIENT = [
    ("POST", "experiments/create", {"name": "from Java"}, 200, {}, {"experiment": "experiment_id"}),
    ("GET", "experiments/get", {"experiment_id": "$experiment"}, 200, {"experiment": {"name": "from Java"}}),
    ("POST", "experiments/update", {"experiment_id": "$experiment", "new_name": "from Java too"}, 200, {}),
    ("GET", "experiments/get-by-name", {"experiment_name": "from Java too"}, 200,
     {"experiment": {"experiment_id": "$experiment"}}),
    ("POST", "runs/create", {"experiment_id": "$experiment", "user_id": "ada", "start_time": WHEN}, 200,
     {"run": {"info": {"run_id": set(), "run_uuid": set(), "start_time": 1700000000000}}}, {"run": "run.info.run_uuid"}),
    ("POST", "runs/log-metric", {"run_uuid": "$run", "run_id": "$run", "key": "loss", "value": 1e-3, "timestamp": WHEN,
                                 "step": "0"}, 200, {}),
    ("POST", "runs/log-metric", {"run_uuid": "$run", "run_id": "$run", "key": "loss", "value": "Infinity", "timestamp": WHEN,
                                 "step": "1"}, 200, {}),
    ("POST", "runs/log-parameter", {"run_uuid": "$run", "run_id": "$run", "key": "k", "value": ""}, 200, {}),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [{"key": "f1", "value": 0.5, "timestamp": WHEN, "step": "-2"}],
                                "params": [{"key": "p", "value": "v"}], "tags": [{"key": "t", "value": "w"}]}, 200, {}),
    ("GET", "metrics/get-history", {"run_uuid": "$run", "run_id": "$run", "metric_key": "loss", "max_results": "25000"}, 200,
     {"metrics": [{"step": 0, "value": 0.001}, {"step": 1, "value": 1.7976931348623157e308}], "next_page_token": None}),
    ("POST", "runs/update", {"run_uuid": "$run", "run_id": "$run", "status": "KILLED", "end_time": WHEN}, 200,
     {"run_info": {"status": "KILLED"}}),
    ("POST", "runs/delete-tag", {"run_id": "$run", "key": "t"}, 200, {}),
    ("POST", "runs/delete", {"run_id": "$run"}, 200, {}),
    ("GET", "runs/get", {"run_uuid": "$run"}, 200, {"run": {"info": {"lifecycle_stage": "deleted"}}}),
    ("POST", "runs/restore", {"run_id": "$run"}, 200, {}),
]

MADE = [("POST", "experiments/create", {"name": "sent again"}, 200, {}, {"experiment": "experiment_id"}),
        ("POST", "runs/create", {"experiment_id": "$experiment", "start_time": 1}, 200, {}, {"run": "run.info.run_id"})]

# (path, body, what the second time answers)
SENT_AGAIN = [
    ("runs/log-metric", {"run_id": "$run", "key": "loss", "value": 0.5, "timestamp": 1, "step": 1}, 200),
    ("runs/log-metric", {"run_id": "$run", "key": "odd", "value": "NaN", "timestamp": 1, "step": 1}, 200),
    ("runs/log-batch", {"run_id": "$run", "metrics": [{"key": "loss", "value": step / 8, "timestamp": step, "step": step}
                                                      for step in range(800)],
                        "params": [{"key": f"p{number}", "value": "v"} for number in range(100)],
                        "tags": [{"key": f"t{number}", "value": "w"} for number in range(100)]}, 200),
    ("runs/log-parameter", {"run_id": "$run", "key": "C", "value": "1"}, 200),
    ("runs/set-tag", {"run_id": "$run", "key": "t1", "value": "other"}, 200),
    ("runs/delete-tag", {"run_id": "$run", "key": "t2"}, 404),
    ("runs/update", {"run_id": "$run", "status": "FINISHED", "end_time": 2, "run_name": "named"}, 200),
    ("runs/delete", {"run_id": "$run"}, 200),
    ("runs/restore", {"run_id": "$run"}, 200),
    ("experiments/create", {"name": "sent again too"}, 400),
    ("experiments/set-experiment-tag", {"experiment_id": "$experiment", "key": "a", "value": "b"}, 200),
    ("experiments/delete-experiment-tag", {"experiment_id": "$experiment", "key": "a"}, 404),
    ("experiments/update", {"experiment_id": "$experiment", "new_name": "renamed"}, 200),
    ("experiments/delete", {"experiment_id": "$experiment"}, 404),
    ("experiments/restore", {"experiment_id": "$experiment"}, 200),
]


class OtherClientsTest(WireTest):
    def test_the_r_client(self):
        self.play(self.start()[1], R_CLIENT)

    def test_the_java_client(self):
        self.play(self.start()[1], JAVA_CLIENT)

    def state(self, port):
        """What is there, without the time of the experiment's last change."""
        run_id, experiment_id = self.kept["run"], self.kept["experiment"]
        seen = [self.request(port, "GET", "runs/get", {"run_id": run_id}),
                self.request(port, "GET", "metrics/get-history", {"run_id": run_id, "metric_key": "loss"}),
                self.request(port, "GET", "metrics/get-history", {"run_id": run_id, "metric_key": "odd"})]
        status, experiment = self.request(port, "GET", "experiments/get", {"experiment_id": experiment_id})
        experiment["experiment"].pop("last_update_time")
        return seen + [(status, experiment), self.ask(port, "/api/v1/runs")[1]]

    def test_a_request_that_is_sent_again_changes_nothing(self):
        port = self.start()[1]
        self.play(port, MADE)
        for path, body, status in SENT_AGAIN:
            first, answer = self.request(port, "POST", path, body)
            self.assertEqual(first, 200, (path, answer))
            before = self.state(port)
            again, answer = self.request(port, "POST", path, body)
            self.assertEqual(again, status, (path, answer))
            self.assertEqual(self.state(port), before, path)


if __name__ == "__main__":
    run(OtherClientsTest)
