"""search_runs as a table and by the client: filters, orders, views, pages."""
import time

import mlflow
from mlflow.entities import ViewType

client = mlflow.MlflowClient()
experiment_id = client.create_experiment("search")
other_id = client.create_experiment("other")
began = int(time.time() * 1000)

ROWS = [  # name, f1, loss, kernel, team
    ("oak 1", 0.5, 3.0, "rbf", "risk"),
    ("oak 2", 0.75, 1.0, "linear", "fraud"),
    ("elm", 0.25, None, "poly", None),
    ("it's 100%", float("nan"), 2.0, "RBF", "risk"),
    ("ash", None, float("inf"), None, "a b"),
]
ids = {}
for number, (name, f1, loss, kernel, team) in enumerate(ROWS):
    run = client.create_run(experiment_id, run_name=name, start_time=1000 * (number + 1))
    ids[name] = run_id = run.info.run_id
    for key, value in (("f1", f1), ("loss", loss), ("val/acc 5", f1)):
        if value is not None:
            client.log_metric(run_id, key, value)
    if kernel:
        client.log_param(run_id, "kernel", kernel)
    client.log_param(run_id, "depth", 10 * number)
    if team:
        client.set_tag(run_id, "team", team)
    client.set_terminated(run_id, "FAILED" if name == "elm" else "FINISHED", end_time=5000 + number)
client.create_run(other_id, run_name="elsewhere", start_time=9000)


def names(filter_string="", order_by=None, **more):
    return [run.info.run_name for run in client.search_runs([experiment_id], filter_string, order_by=order_by, **more)]


def expect(expected, filter_string, order_by=None, **more):
    found = names(filter_string, order_by or ["attributes.start_time ASC"], **more)
    assert found == expected, (filter_string, order_by, found)


ALL = [row[0] for row in ROWS]
expect(ALL, "")
assert names() == ALL[::-1]  # the newest first
expect(["oak 2"], "metrics.f1 > 0.5")
expect(["oak 1", "oak 2"], "metrics.f1 >= 0.5")
expect(["oak 1"], "metrics.f1 = 0.5")
expect(["oak 2"], "metric.f1 > 0.3 and params.kernel = 'linear'")
expect(["elm"], "metrics.f1 < 0.5 AND metrics.f1 > 0.1 and attributes.status = 'FAILED'")
expect(["oak 1", "oak 2"], "metrics.`val/acc 5` >= 0.5")
expect(["oak 1", "oak 2"], 'metrics."f1" >= 0.5')
expect(["ash"], "metrics.loss > 1e300")
expect(["oak 1"], "params.kernel = 'rbf'")
expect(["oak 2", "elm", "it's 100%"], "params.kernel != 'rbf'")  # without the param: no
expect(["oak 1", "it's 100%"], "params.kernel ILIKE 'rbf'")
expect(["oak 1"], "params.kernel LIKE 'rb%'")
expect(["oak 2"], "params.kernel LIKE '%inea%'")
expect(["oak 1", "it's 100%"], "tags.team = 'risk'")
expect(["oak 2", "ash"], "tag.team != 'risk'")
expect(["ash"], "tags.`team` = 'a b'")
expect(["oak 1", "oak 2"], "attributes.run_name LIKE 'oak%'")
expect(["elm"], "attributes.run_name = 'elm'")
expect(["elm"], "attribute.`Run name` = 'elm'")
expect(["elm"], "run_name = 'elm'")
expect(["elm"], "tags.mlflow.runName = 'elm'")
expect(["it's 100%"], 'attributes.run_name = "it\'s 100%"')
expect(["oak 1", "oak 2", "it's 100%", "ash"], "attributes.status = 'FINISHED'")
expect(["elm"], "status != 'FINISHED'")
expect(["it's 100%", "ash"], "attributes.start_time > 3000")
expect(["oak 1"], "attributes.end_time <= 5000")
expect(["elm"], f"attributes.run_id = '{ids['elm']}'")
expect(["oak 1", "elm"], f"attributes.run_id IN ('{ids['elm']}', '{ids['oak 1']}')")
expect(["oak 2", "it's 100%", "ash"], f"run_id NOT IN ('{ids['elm']}', '{ids['oak 1']}')")
expect([], "params.kernel = 'none'")
expect([], f"attributes.start_time > {began}")

expect(["oak 2", "oak 1", "elm", "it's 100%", "ash"], "", ["metrics.f1 DESC"])
expect(["elm", "oak 1", "oak 2", "it's 100%", "ash"], "", ["metrics.f1 ASC"])
expect(["oak 2", "it's 100%", "oak 1", "ash", "elm"], "", ["metrics.loss"])
expect(["it's 100%", "oak 2", "elm", "oak 1", "ash"], "", ["params.kernel ASC"])
expect(["oak 1", "elm", "oak 2", "it's 100%", "ash"], "", ["params.`kernel` DESC"])
expect(["ash", "oak 2", "it's 100%", "oak 1", "elm"], "", ["tags.team ASC", "attributes.start_time DESC"])
expect(["ash", "elm", "it's 100%", "oak 1", "oak 2"], "", ["attributes.run_name"])
expect(["elm", "ash", "it's 100%", "oak 2", "oak 1"], "", ["attributes.status ASC", "attributes.start_time DESC"])

for wrong in ("metrics.f1 > 'a'", "f1 > 0.5", "metrics.f1", "params.kernel > 'a'", "metrics.f1 > 0.5 or metrics.f1 < 0.1",
              "attributes.nothing = 'a'", "params.kernel = rbf", "'; DROP TABLE runs; --", "metrics.f1 > 0.5;", "(metrics.f1 > 0.5)"):
    try:
        names(wrong)
    except mlflow.MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE", (wrong, error)
    else:
        raise AssertionError(f"{wrong} was not refused")

client.delete_run(ids["elm"])
expect(["oak 1", "oak 2", "it's 100%", "ash"], "")
expect(["elm"], "", run_view_type=ViewType.DELETED_ONLY)
expect(ALL, "", run_view_type=ViewType.ALL)
client.restore_run(ids["elm"])

# The table that notebooks see.
table = mlflow.search_runs([experiment_id], "metrics.f1 >= 0.25", order_by=["metrics.f1 DESC"])
assert list(table["tags.mlflow.runName"]) == ["oak 2", "oak 1", "elm"]
assert list(table["metrics.f1"]) == [0.75, 0.5, 0.25] and list(table["params.kernel"]) == ["linear", "rbf", "poly"]
assert table["params.kernel"].dtype == object or str(table["params.kernel"].dtype) in ("str", "string")
assert list(table["status"]) == ["FINISHED", "FINISHED", "FAILED"]
assert table["metrics.loss"].isna().tolist() == [False, False, True]
assert str(table["start_time"].dtype).startswith("datetime64")
assert set(table["artifact_uri"].str.startswith("mlflow-artifacts:/")) == {True}
everywhere = mlflow.search_runs(search_all_experiments=True)
assert len(everywhere) == len(ROWS) + 1
by_name = mlflow.search_runs(experiment_names=["search", "other"], output_format="list")
assert len(by_name) == len(ROWS) + 1 and mlflow.search_runs(experiment_ids=["999"], output_format="list") == []

# Experiments.
client.set_experiment_tag(experiment_id, "team", "risk")
assert [one.name for one in client.search_experiments(order_by=["name ASC"])] == ["Default", "other", "search"]
assert [one.name for one in client.search_experiments(filter_string="name LIKE 'se%'")] == ["search"]
assert [one.name for one in client.search_experiments(filter_string="tags.team = 'risk'")] == ["search"]
assert [one.name for one in client.search_experiments(filter_string="name ILIKE 'OTHER'")] == ["other"]
client.delete_experiment(other_id)
assert [one.name for one in client.search_experiments(view_type=ViewType.DELETED_ONLY)] == ["other"]
assert len(client.search_experiments(view_type=ViewType.ALL)) == 3 and len(mlflow.search_experiments()) == 2
