"""Experiments and runs that are renamed, deleted, restored, and what is refused meanwhile."""
import mlflow

client = mlflow.MlflowClient()


def refused(code, call, *arguments, **more):
    try:
        call(*arguments, **more)
    except mlflow.MlflowException as error:
        assert error.error_code == code, error
        return error.message
    raise AssertionError(f"{call} was not refused")


experiment_id = client.create_experiment("old name", tags={"team": "fraud"})
refused("RESOURCE_ALREADY_EXISTS", client.create_experiment, "old name")
refused("INVALID_PARAMETER_VALUE", client.create_experiment, "")
client.rename_experiment(experiment_id, "new name")
client.set_experiment_tag(experiment_id, "mlflow.note.content", "what it is about")
if not mlflow.__version__.startswith("2."):
    client.delete_experiment_tag(experiment_id, "team")
experiment = client.get_experiment(experiment_id)
assert experiment.name == "new name" and experiment.tags["mlflow.note.content"] == "what it is about"
assert ("team" in experiment.tags) == mlflow.__version__.startswith("2.")  # which cannot delete one
assert client.get_experiment_by_name("old name") is None
refused("RESOURCE_DOES_NOT_EXIST", client.get_experiment, "123456")

run_id = client.create_run(experiment_id).info.run_id
client.delete_run(run_id)
assert client.get_run(run_id).info.lifecycle_stage == "deleted"
assert "deleted" in refused("INVALID_PARAMETER_VALUE", client.log_metric, run_id, "loss", 1)
assert "deleted" in refused("INVALID_PARAMETER_VALUE", client.set_tag, run_id, "a", "b")
client.restore_run(run_id)
client.log_metric(run_id, "loss", 1)
assert client.get_run(run_id).info.lifecycle_stage == "active"
refused("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)
refused("RESOURCE_DOES_NOT_EXIST", client.delete_run, "0" * 32)

client.delete_experiment(experiment_id)
assert client.get_experiment(experiment_id).lifecycle_stage == "deleted"
assert client.get_run(run_id).info.lifecycle_stage == "deleted"
try:
    mlflow.set_experiment("new name")
except mlflow.MlflowException as error:
    assert "deleted" in error.message, error
else:
    raise AssertionError("a deleted experiment was set")
client.restore_experiment(experiment_id)
assert mlflow.set_experiment("new name").experiment_id == experiment_id
assert client.get_run(run_id).info.lifecycle_stage == "active"
assert client.get_run(run_id).data.metrics == {"loss": 1}
