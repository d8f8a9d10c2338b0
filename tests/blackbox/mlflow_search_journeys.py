"""Searches of runs and of experiments, for mlflow_journeys.py."""
from mlflow_rows import EXPERIMENT, TAKEN, pairs, point

SEARCHED = [  # name, what it has
    ("oak", {"f1": 0.5, "loss": 3}, {"kernel": "rbf", "depth": "10"}, {"team": "risk"}, "FINISHED"),
    ("Oak 2", {"f1": 0.75, "loss": 1}, {"kernel": "linear", "depth": "9"}, {"team": "fraud", "a.b": "c"}, "FINISHED"),
    ("elm", {"f1": 0.25}, {"kernel": "poly"}, {}, "FAILED"),
    ("it's 100%", {"f1": "NaN", "loss": 2}, {"kernel": "RBF"}, {"team": "Risk"}, "RUNNING"),
    ("ash", {"loss": "Infinity", "val/acc 5": 0.5}, {}, {"team": "a b"}, "KILLED"),
    ("fir", {"f1": 0.5, "loss": "-Infinity"}, {"kernel": ""}, {"team": ""}, "SCHEDULED"),
]
FILTERS = [
    "", " ", "metrics.f1 > 0.4", "metrics.f1 >= 0.5 and metrics.loss < 3", "metric.f1 = 0.5", "metrics.f1 != 0.5", "metrics.f1 <= 0",
    "metrics.loss > 1e300", "metrics.loss < -1e300", "metrics.`val/acc 5` > 0", 'metrics."val/acc 5" > 0', "metrics.none > 0",
    "metrics.f1 > .3", "metrics.f1 > -1", "metrics.f1 < 5e-1", "params.kernel = 'rbf'", 'params.kernel = "rbf"', "param.kernel != 'rbf'",
    "parameters.kernel LIKE 'r%'", "params.kernel ILIKE 'r%'", "params.kernel LIKE '%b_'", "params.kernel = ''", "params.depth > '5'",
    "params.kernel IS NULL", "params.kernel IS NOT NULL", "tags.team = 'risk'", "tag.team ilike 'RISK'", "tags.team != 'risk'",
    "tags.`a.b` = 'c'", "tags.a.b = 'c'", "tags.team IS NULL", "tags.team IS NOT NULL AND tags.team LIKE '% %'",
    "tags.mlflow.runName = 'oak'", "attributes.run_name = 'oak'", "attribute.run_name LIKE 'Oak%'", "run_name ILIKE 'oak%'",
    "attributes.`run name` = 'elm'", "attributes.\"Run Name\" = 'elm'", "attr.run_name = \"it's 100%\"", "run.status = 'FAILED'",
    "attributes.status != 'FINISHED'", "status LIKE 'F%'", "attributes.status = 'finished'", "attributes.start_time > 3000",
    "start_time <= 2000", "attributes.created = 1000", "attributes.Created > 5000", "attributes.end_time = 9000", "end_time < 9001",
    "attributes.user_id = 'ada'", "attributes.artifact_uri LIKE '%artifacts'", "attributes.run_id = '$oak'",
    "attributes.run_id IN ('$oak', '$elm')", "run_id NOT IN ('$oak', '$elm')", "attributes.run_id != '$oak'",
    "metrics.f1 > 0.1 AND params.kernel LIKE '%' AND tags.team LIKE '%' AND status != 'FAILED'",
    "metrics.f1 > 0.1 AND metrics.f1 < 0.6 AND metrics.f1 != 0.25",
    # what is wrong
    "metrics.f1 > 'a'", "metrics.f1 > '0.5'", "metrics.f1 LIKE '%'", "f1 > 0.5", "metrics.f1", "metrics.f1 >", "> 0.5", "params.kernel = rbf",
    "params.kernel = 5", "params.kernel > 'a' OR params.kernel < 'b'", "metrics.f1 > 0.5 OR metrics.f1 < 0.1", "(metrics.f1 > 0.5)",
    "metrics.f1 > 0.5;", "'; DROP TABLE runs; --", "attributes.nothing = 'a'", "attributes.start_time > 'a'", "nothing.f1 > 1",
    "metrics.f1 > 0.5 AND", "metrics.f1 > 0.5 metrics.loss > 1", "attributes.run_id IN ()", "attributes.run_id IN (1)",
    "attributes.status IN ('FAILED')", "params.kernel IN ('rbf')", "metrics.f1 IS NULL", "attributes.run_name IS NULL",
    "tags.team = 'unclosed", "tags.`team = 'x'", "NOT metrics.f1 > 0.5", "metrics.f1 BETWEEN 0 AND 1", "params.kernel == 'rbf'",
    "params.kernel <> 'rbf'", "1 = 1",
]
ORDERS = [
    [], ["metrics.f1"], ["metrics.f1 DESC"], ["metric.loss ASC"], ["metrics.loss DESC"], ["params.kernel"], ["params.kernel DESC"],
    ["params.depth ASC"], ["tags.team"], ["tag.team DESC"], ["attributes.run_name"], ["run_name DESC"], ["attributes.status"],
    ["status DESC", "start_time DESC"], ["attributes.start_time"], ["start_time DESC"], ["attributes.end_time"], ["end_time DESC"],
    ["metrics.f1 asc", "metrics.loss desc"], ["metrics.`val/acc 5` DESC"], ["metrics.none"], ["attributes.user_id"],
    ["tags.`a.b` DESC"], ["Created DESC"], ["metrics.f1", "attributes.start_time"],
    # what is wrong
    ["metrics.f1 down"], ["f1"], ["metrics.f1 DESC ASC"], ["metrics.f1, metrics.loss"], ["nothing.f1"], ["dataset.name"],
]


def searched():
    """Six runs whose ids are kept by the first word of their names."""
    for number, (name, metrics, params, tags, status) in enumerate(SEARCHED):
        kept = name.split()[0].lower() if name != "Oak 2" else "oak2"
        kept = "its" if "'" in kept else kept
        yield ("POST", "runs/create", {"experiment_id": "$experiment", "run_name": name, "start_time": 1000 * (number + 1), "user_id": "ada",
                                       "tags": pairs(**tags)}, {kept: "run.info.run_id"})
        yield ("POST", "runs/log-batch", {"run_id": f"${kept}", "params": pairs(**params),
                                          "metrics": [point(key, value) for key, value in metrics.items()]})
        yield ("POST", "runs/update", {"run_id": f"${kept}", "status": status, **({} if status in ("RUNNING", "SCHEDULED")
                                                                               else {"end_time": 9000 + number % 2})})


def search(**asked):
    return ("POST", "runs/search", {"experiment_ids": ["$experiment"], **asked})


SEARCH = [
    ("POST", "experiments/create", {"name": "search runs"}, EXPERIMENT),
    ("POST", "experiments/create", {"name": "search elsewhere"}, {"elsewhere": "experiment_id"}),
    *searched(),
    ("POST", "runs/create", {"experiment_id": "$elsewhere", "run_name": "far", "start_time": 3500, "user_id": "bo"}, {"far": "run.info.run_id"}),
    *[search(filter=text, order_by=["start_time"]) for text in FILTERS],
    *[search(order_by=order) for order in ORDERS],
    search(filter="metrics. > 1") + ({}, TAKEN),
    search(order_by=["metrics."]) + ({}, TAKEN),
    ("POST", "runs/search", {"experiment_ids": ["$experiment", "$elsewhere"]}),
    ("POST", "runs/search", {"experiment_ids": ["$elsewhere", "99"], "filter": "attributes.run_name = 'far'"}),
    ("POST", "runs/search", {"experiment_ids": []}),
    ("POST", "runs/search", {}),
    ("POST", "runs/search", {"experiment_ids": ["x"]}),
    (*search(max_results=4), {"page": "next_page_token"}),
    (*search(max_results=4, page_token="$page"), {}),
    (*search(max_results=6), {}),
    (*search(max_results=2, order_by=["metrics.f1 DESC"]), {"page": "next_page_token"}),
    (*search(max_results=2, order_by=["metrics.f1 DESC"], page_token="$page"), {"page": "next_page_token"}),
    (*search(max_results=2, order_by=["metrics.f1 DESC"], page_token="$page"), {}),
    (*search(page_token="junk"), {}),
    (*search(max_results=0), {}),
    (*search(max_results=-1), {}),
    (*search(max_results=50000), {}),
    (*search(max_results=50001), {}),
    (*search(max_results="many"), {}),
    (*search(run_view_type="NOTHING"), {}, TAKEN),
    ("POST", "runs/delete", {"run_id": "$elm"}),
    search(),
    search(run_view_type="ACTIVE_ONLY"),
    search(run_view_type="DELETED_ONLY"),
    search(run_view_type="ALL"),
    search(run_view_type=3),
    search(run_view_type="DELETED_ONLY", filter="metrics.f1 > 0.4"),
]


def experiments(**asked):
    return ("POST", "experiments/search", {"max_results": 100, **asked})


EXPERIMENT_SEARCH = [
    ("POST", "experiments/create", {"name": "apple", "tags": pairs(team="risk")}, {"apple": "experiment_id"}),
    ("POST", "experiments/create", {"name": "Apple pie", "tags": pairs(team="Risk", note="")}, {"pie": "experiment_id"}),
    ("POST", "experiments/create", {"name": "plum"}, {"plum": "experiment_id"}),
    experiments(), experiments(order_by=["name"]), experiments(order_by=["name DESC"]), experiments(order_by=["experiment_id"]),
    experiments(order_by=["experiment_id DESC"]), experiments(order_by=["creation_time ASC", "name"]),
    experiments(order_by=["creation_time"]), experiments(order_by=["last_update_time DESC"]), experiments(order_by=["tags.team"]),
    experiments(order_by=["size"]), experiments(order_by=["attribute.name"]),
    experiments(filter="name = 'apple'"), experiments(filter="attribute.name != 'apple'", order_by=["name"]),
    experiments(filter="name LIKE 'apple%'"), experiments(filter="name ILIKE 'apple%'", order_by=["name"]),
    experiments(filter="tags.team = 'risk'"), experiments(filter="tag.team ILIKE 'risk'", order_by=["name"]),
    experiments(filter="tags.team != 'risk'"), experiments(filter="tags.team IS NULL", order_by=["name"]),
    experiments(filter="tags.note IS NOT NULL"), experiments(filter="tags.note = ''"),
    experiments(filter="creation_time > 1000", order_by=["name"]) + ({}, "old default"),
    experiments(filter="last_update_time < 1000") + ({}, "old default"),
    experiments(filter="name = 'apple' AND tags.team = 'risk'"), experiments(filter="experiment_id = '$apple'"),
    experiments(filter="name = 'apple' OR name = 'plum'"), experiments(filter="metrics.a > 1"), experiments(filter="size > 1"),
    experiments(filter="creation_time > 'x'"), experiments(filter="name > 'x'"), experiments(filter="name = 5"),
    experiments(max_results=2, order_by=["name"]) + ({"page": "next_page_token"},),
    experiments(max_results=2, order_by=["name"], page_token="$page"),
    experiments(page_token="junk"), experiments(max_results=0), experiments(max_results=50001), experiments(max_results=-1),
    ("POST", "experiments/search", {}, {}, "size"),
    ("GET", "experiments/search", {"max_results": 10, "filter": "name = 'plum'", "view_type": "ALL"}),
    ("POST", "experiments/delete", {"experiment_id": "$plum"}),
    experiments(order_by=["name"]), experiments(view_type="DELETED_ONLY"), experiments(view_type="ALL", order_by=["name"]),
]
