"""Models that are things of their own since MLflow 3: made, tagged, measured, searched, deleted."""
import mlflow
import pandas
from mlflow.entities import LoggedModelStatus

experiment = mlflow.set_experiment("logged models")
data = mlflow.data.from_pandas(pandas.DataFrame({"x": [1.0]}), name="words")


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[float]) -> list[float]:
        return [2 * value for value in model_input]


with mlflow.start_run() as run:
    made = mlflow.initialize_logged_model("draft", params={"depth": "3"}, tags={"team": "risk"}, model_type="agent")
    assert made.status == LoggedModelStatus.PENDING and made.model_id.startswith("m-")
    mlflow.log_metric("f1", 0.25, step=1, model_id=made.model_id)
    mlflow.log_metric("f1", 0.75, step=2, model_id=made.model_id, dataset=data)
    mlflow.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    info = mlflow.pyfunc.log_model(name="doubler", python_model=Doubler(), params={"factor": 2}, step=4)

seen = mlflow.get_logged_model(made.model_id)
assert (seen.name, seen.status, seen.model_type, seen.params, seen.tags["team"]) == \
    ("draft", LoggedModelStatus.READY, "agent", {"depth": "3"}, "risk"), seen
assert seen.source_run_id == run.info.run_id and seen.experiment_id == experiment.experiment_id
assert {(one.key, one.value, one.step, one.dataset_name) for one in seen.metrics} >= {("f1", 0.75, 2, "words")}, seen.metrics
mlflow.set_logged_model_tags(made.model_id, {"note": "x", "team": "fraud"})
mlflow.delete_logged_model_tag(made.model_id, "note")
tags = mlflow.get_logged_model(made.model_id).tags
assert tags["team"] == "fraud" and "note" not in tags

assert mlflow.pyfunc.load_model(info.model_uri).predict([1.5]) == [3.0]
outputs = mlflow.get_run(run.info.run_id).outputs.model_outputs
assert (info.model_id, 4) in {(one.model_id, one.step) for one in outputs}, outputs
assert mlflow.get_logged_model(info.model_id).params == {"factor": "2"}
assert mlflow.last_logged_model().model_id == info.model_id

with mlflow.start_run():
    mlflow.log_input(data)
    external = mlflow.create_external_model("elsewhere", tags={"team": "risk"})
    for number in range(3):
        other = mlflow.initialize_logged_model(f"many {number}")
        mlflow.log_metric("f1", number / 8, model_id=other.model_id)
        mlflow.finalize_logged_model(other.model_id, "READY" if number else "FAILED")


def found(filter_string=None, **more):
    return [one.name for one in mlflow.search_logged_models([experiment.experiment_id], filter_string, output_format="list",
                                                            **more)]


assert set(found()) == {"draft", "doubler", "elsewhere", "many 0", "many 1", "many 2"}
assert found("name = 'draft'") == ["draft"] and found("tags.team = 'risk'") == ["elsewhere"]
assert found("params.depth = '3'") == ["draft"] and found("metrics.f1 > 0.5") == ["draft"]
assert set(found("name LIKE 'many%' AND metrics.f1 < 0.2")) == {"many 0", "many 1"}
assert found("metrics.f1 >= 0", order_by=[{"field_name": "metrics.f1", "ascending": False}]) == \
    ["draft", "many 2", "many 1", "many 0"]
table = mlflow.search_logged_models([experiment.experiment_id])
assert len(table) == 6 and set(table["name"]) == set(found())
client = mlflow.MlflowClient()
client.delete_logged_model(external.model_id)
assert "elsewhere" not in found()
