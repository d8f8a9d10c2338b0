#!/usr/bin/env python3
"""MLflow's searches of runs and experiments, as bytes on the wire."""
from harness import run
from mlflow_wire import WireTest, invalid


def tags(**given):
    return [{"key": key, "value": value} for key, value in given.items()]


def create(name, start, **given):
    return ("POST", "runs/create", {"experiment_id": "0", "run_name": name, "start_time": start, "tags": tags(**given)}, 200, {},
            {name: "run.info.run_id"})


def log(name, metrics, params):
    return ("POST", "runs/log-batch", {"run_id": f"${name}", "params": tags(**params), "metrics": [
        {"key": key, "value": value, "timestamp": 1} for key, value in metrics.items()]}, 200, {})


def search(names, **asked):
    found = [{"info": {"run_name": name}} for name in names]
    return ("POST", "runs/search", {"experiment_ids": ["0"], **asked}, 200,
            {"runs": found or None, "next_page_token": None})


RUNS = [
    create("a", 1000, team="risk"), create("b", 2000), create("c", 3000, team="Risk"),
    log("a", {"f1": 0.5}, {"C": "1.0"}), log("b", {"f1": "NaN", "loss": 3}, {"C": "10"}),
    search("cba"),
    search("", filter="metrics.none > 1"),
    search("a", filter="metrics.f1 > 0.4 AND params.C LIKE '1%'"),
    search("b", filter="metrics.f1 != 0.5"),
    search("ac", filter="tags.team ILIKE 'risk'", order_by=["start_time ASC"]),
    search("abc", order_by=["metrics.f1 DESC"]),
    search("abc", order_by=["metrics.`f1`", "run_name DESC"]),
    search("b", filter="attributes.run_id IN ('$b')"),
    search("c", filter="params.C IS NULL", max_results=1),
    ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 2}, 200,
     {"runs": [{"info": {"run_name": "c"}}, {"info": {"run_name": "b"}, "data": {"params": tags(C="10")}}]},
     {"page": "next_page_token"}),
    search("a", max_results=2, page_token="$page"),
    ("POST", "runs/search", {"experiment_ids": ["0"], "page_token": "$page", "order_by": ["metrics.f1"]}, 400,
     invalid("page token")),
    ("POST", "runs/search", {"experiment_ids": []}, 200, {"runs": None}),
    ("POST", "runs/search", {}, 200, {"runs": None}),
    ("POST", "runs/search", {"experiment_ids": ["17"]}, 200, {"runs": None}),
    ("POST", "runs/search", {"experiment_ids": ["x"]}, 400, invalid("Invalid experiment ID: 'x'")),
    ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 0}, 400, invalid("max_results")),
    ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 50001}, 400, invalid("50000")),
    ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "metrics.f1 > '1'"}, 400, invalid("Expected numeric value")),
    ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "a = 'b' OR c = 'd'"}, 400, invalid("Invalid attribute key 'a'")),
    ("POST", "runs/search", {"experiment_ids": ["0"], "order_by": ["metrics.f1 down"]}, 400, invalid("order_by")),
    ("POST", "runs/delete", {"run_id": "$c"}, 200, {}),
    search("ba"),
    search("c", run_view_type="DELETED_ONLY"),
    search("cba", run_view_type="ALL"),
]


def experiments(names, **asked):
    return ("POST", "experiments/search", asked, 200,
            {"experiments": [{"name": name} for name in names] or None, "next_page_token": None})


EXPERIMENTS = [
    ("POST", "experiments/create", {"name": "churn", "tags": tags(team="risk")}, 200, {}),
    ("POST", "experiments/create", {"name": "Spam"}, 200, {}),
    experiments(["Default", "churn", "Spam"], order_by=["experiment_id"]),
    experiments(["Spam", "churn", "Default"], order_by=["experiment_id DESC"]),
    experiments(["churn"], filter="name LIKE 'c%'"),
    experiments(["Spam"], filter="name ILIKE 's%'"),
    experiments(["churn"], filter="tags.team = 'risk'"),
    experiments(["Default", "Spam"], filter="tags.team IS NULL", order_by=["name"]),
    experiments(["churn"], filter="experiment_id IN ('1')"),
    experiments(["Default"], filter="creation_time < 1"),
    experiments([], filter="creation_time < 0"),
    ("POST", "experiments/search", {"max_results": 2, "order_by": ["name"]}, 200,
     {"experiments": [{"name": "Default"}, {"name": "Spam"}]}, {"page": "next_page_token"}),
    experiments(["churn"], max_results=2, order_by=["name"], page_token="$page"),
    ("GET", "experiments/search", {"filter": "name = 'churn'", "max_results": "5", "view_type": "ALL"}, 200,
     {"experiments": [{"experiment_id": "1", "name": "churn", "tags": tags(team="risk")}]}),
    ("POST", "experiments/search", {"max_results": 0}, 400, invalid("max_results")),
    ("POST", "experiments/search", {"filter": "metrics.a > 1"}, 400, invalid("Invalid entity type 'metrics'")),
    ("POST", "experiments/search", {"filter": "experiment_id = 'x'"}, 400, invalid("Invalid experiment ID: 'x'")),
    ("POST", "experiments/search", {"order_by": ["tags.team"]}, 400, invalid("order_by")),
    ("POST", "experiments/delete", {"experiment_id": "2"}, 200, {}),
    experiments(["Spam"], view_type="DELETED_ONLY"),
    experiments(["churn", "Default"], order_by=["last_update_time DESC"]),
]


class SearchTest(WireTest):
    def test_runs(self):
        self.play(self.start()[1], RUNS)

    def test_experiments(self):
        self.play(self.start()[1], EXPERIMENTS)

    def test_data_sets(self):
        """A run matches by any of its data sets."""
        port = self.start()[1]
        for context in "training", "validation":
            data = {"dataset": {"name": "words", "digest": "d1", "source": "x", "source_type": "http"},
                    "tags": [{"key": "mlflow.data.context", "value": context}]}
            self.play(port, [("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {context: "run.info.run_id"}),
                             ("POST", "runs/log-inputs", {"run_id": f"${context}", "datasets": [data]}, 200, {})])
        for text, expected in {"dataset.name = 'words'": {"training", "validation"}, "dataset.digest = 'd2'": set(),
                               "dataset.name LIKE 'wor%' and dataset.context = 'validation'": {"validation"},
                               "dataset.context IN ('training', 'test')": {"training"},
                               "dataset.digest != 'd1'": set()}.items():
            _, answer = self.request(port, "POST", "runs/search", {"experiment_ids": ["0"], "filter": text})
            found = {one["info"]["run_id"] for one in answer.get("runs", [])}
            self.assertEqual(found, {self.kept[name] for name in expected}, text)


if __name__ == "__main__":
    run(SearchTest)
