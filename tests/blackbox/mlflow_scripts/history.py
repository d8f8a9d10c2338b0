"""The history of a metric: 1,001 steps and more than one page of it."""
import mlflow
from mlflow.entities import Metric

client = mlflow.MlflowClient()
with mlflow.start_run() as run:
    for step in range(7):
        mlflow.log_metric("loss", 1 / (step + 1), step=step, timestamp=1000 + step)
    client.log_batch(run.info.run_id, [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(7, 1001)])
points = client.get_metric_history(run.info.run_id, "loss")
assert [(point.step, point.value, point.timestamp) for point in points] == \
    [(step, 1 / (step + 1), 1000 + step) for step in range(1001)]
assert client.get_run(run.info.run_id).data.metrics == {"loss": 1 / 1001}

# The client asks for 25,000 points a page.
run_id = client.create_run("0").info.run_id
for start in range(0, 26000, 1000):
    client.log_batch(run_id, [Metric("long", step, step, step) for step in range(start, start + 1000)])
assert [point.step for point in client.get_metric_history(run_id, "long")] == list(range(26000))

# Of equal steps the later one is the latest; the same point again is no other point.
client.log_batch(run_id, [Metric("odd", 3, 30, 5), Metric("odd", 1, 10, 5), Metric("odd", 2, 20, 5), Metric("odd", 9, 90, 4)])
client.log_batch(run_id, [Metric("odd", 2, 20, 5)])
assert client.get_run(run_id).data.metrics["odd"] == 3
assert len(client.get_metric_history(run_id, "odd")) == 4
assert client.get_metric_history(run_id, "none") == []
