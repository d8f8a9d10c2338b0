"""A training script as users write it: experiments, nested runs, params, metrics, tags, a resumed run."""
import time

import mlflow
from mlflow.entities import Metric, Param, RunTag

first = mlflow.set_experiment("churn")
again = mlflow.set_experiment("churn")
assert first.experiment_id == again.experiment_id
assert mlflow.get_experiment_by_name("churn").lifecycle_stage == "active"
assert mlflow.get_experiment_by_name("nobody has it") is None

with mlflow.start_run(run_name="parent", tags={"team": "risk"}, description="the whole search") as parent:
    mlflow.log_param("folds", 5)
    mlflow.log_params({"kernel": "rbf", "C": 1.5, "shuffle": True, "nothing": None})
    mlflow.log_metric("loss", 0.5)
    mlflow.log_metric("loss", 0.25, step=1)
    mlflow.log_metrics({"f1": 0.75, "auc": 0.875, "minus": -1e-300}, step=3)
    mlflow.log_metrics({"nan": float("nan"), "most": float("inf"), "least": float("-inf")})
    mlflow.set_tag("note", "ünï↯")
    mlflow.set_tags({"a/b c": "1", "empty": "", "gone": "soon"})
    mlflow.delete_tag("gone")
    children = []
    for depth in range(3):
        with mlflow.start_run(run_name=f"child {depth}", nested=True) as child:
            mlflow.log_param("depth", depth)
            children.append(child.info.run_id)

seen = mlflow.get_run(parent.info.run_id)
assert seen.info.status == "FINISHED" and seen.info.end_time >= seen.info.start_time > 1.6e12
assert seen.info.run_name == "parent" and seen.info.experiment_id == first.experiment_id
assert seen.data.params == {"folds": "5", "kernel": "rbf", "C": "1.5", "shuffle": "True", "nothing": "None"}
metrics = dict(seen.data.metrics)
assert metrics.pop("nan") != metrics.get("nan")  # NaN, or gone; never equal
assert metrics.pop("most") > 1e308 and metrics.pop("least") < -1e308
assert metrics == {"loss": 0.25, "f1": 0.75, "auc": 0.875, "minus": -1e-300}, metrics
tags = seen.data.tags
assert tags["note"] == "ünï↯" and tags["a/b c"] == "1" and tags["empty"] == "" and "gone" not in tags
assert tags["team"] == "risk" and tags["mlflow.note.content"] == "the whole search"
assert tags["mlflow.source.name"].endswith("tracking.py") and tags["mlflow.source.type"] == "LOCAL"
assert tags["mlflow.runName"] == "parent" and tags["mlflow.user"]
for run_id in children:
    assert mlflow.get_run(run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id

# A param is what it was; the run goes on as failed when its block ends by an error.
try:
    with mlflow.start_run(run_id=parent.info.run_id) as resumed:
        assert resumed.info.status == "RUNNING"
        mlflow.log_param("kernel", "rbf")
        mlflow.log_metric("loss", 0.125, step=2)
        mlflow.log_param("kernel", "linear")
except mlflow.MlflowException as refused:
    assert refused.error_code == "INVALID_PARAMETER_VALUE" and "kernel" in refused.message, refused
else:
    raise AssertionError("a param was changed")
assert mlflow.get_run(parent.info.run_id).info.status == "FAILED"
assert mlflow.get_run(parent.info.run_id).data.params["kernel"] == "rbf"

# The same by the client, which has no run of its own.
client = mlflow.MlflowClient()
run = client.create_run(first.experiment_id, start_time=1_700_000_000_000, tags={"by": "client"}, run_name="low level")
run_id, now = run.info.run_id, int(time.time() * 1000)
assert (run.info.status, run.info.start_time, run.info.end_time) == ("RUNNING", 1_700_000_000_000, None)
client.log_metric(run_id, "loss", 0.5, timestamp=now, step=-7)
client.log_batch(run_id, metrics=[Metric("loss", 1 / (step + 1), now, step) for step in range(1000)],
                 params=[Param(f"p{number}", "x" * 6000) for number in range(100)],
                 tags=[RunTag(f"t{number}", "y" * 5000) for number in range(100)])
client.log_param(run_id, "depth", 3)
client.set_tag(run_id, "stage", "done")
client.update_run(run_id, status="SCHEDULED", name="another name")
assert client.get_run(run_id).info.run_name == client.get_run(run_id).data.tags["mlflow.runName"] == "another name"
assert client.get_run(run_id).info.status == "SCHEDULED"
client.set_terminated(run_id, status="KILLED", end_time=1_700_000_001_000)
run = client.get_run(run_id)
assert (run.info.status, run.info.end_time) == ("KILLED", 1_700_000_001_000)
assert len(run.data.params) == 101 and run.data.params["p99"] == "x" * 6000 and run.data.tags["t99"] == "y" * 5000
assert run.data.metrics["loss"] == 0.001

# Logging that does not wait.
with mlflow.start_run(run_name="not waiting") as run:
    for step in range(50):
        mlflow.log_metric("quick", step / 2, step=step, synchronous=False)
    mlflow.log_params({"a": 1, "b": 2}, synchronous=False).wait()
    mlflow.flush_async_logging()
assert len(client.get_metric_history(run.info.run_id, "quick")) == 50
assert mlflow.get_run(run.info.run_id).data.params == {"a": "1", "b": "2"}
