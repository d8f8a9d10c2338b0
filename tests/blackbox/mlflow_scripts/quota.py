"""A team that has used up its room is told so, at once and by name; what needs no room goes on."""
import os
import time

import mlflow

client = mlflow.MlflowClient()
experiment = client.create_experiment("churn", tags={"slipway.workspace": "fraud"})
assert client.get_experiment(experiment).tags["slipway.workspace"] == "fraud"
found = client.search_experiments(filter_string="tags.`slipway.workspace` = 'fraud'")
assert [one.name for one in found] == ["churn"], found
with open("small", "wb") as file:
    file.write(os.urandom(600_000))
with open("large", "wb") as file:
    file.write(os.urandom(11 << 20))  # two parts


def refused(call):
    """What it raises, without having tried for minutes."""
    began = time.monotonic()
    try:
        call()
    except Exception as error:  # pylint: disable=broad-except
        assert time.monotonic() - began < 60, "it tried again and again"
        return str(error)
    raise AssertionError("it was not refused")


with mlflow.start_run(experiment_id=experiment) as run:
    mlflow.log_artifact("small")
    said = refused(lambda: mlflow.log_artifact("small", "again"))
    assert said.startswith("507 ") and 'workspace \\"fraud\\" may hold 1000000 bytes and has 600000: there is no room for 600000 more' in said, said
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(5 << 20)
    said = refused(lambda: mlflow.log_artifact("large", "parts"))
    assert "mpu/parts" in said and "has 600000: there is no room for" in said, said
    mlflow.log_metric("f1", 0.5)
    mlflow.log_artifact("small")  # the same again takes no room
    mlflow.log_text("x" * 400_000, "rest.txt")

files = [one.path for one in client.list_artifacts(run.info.run_id)]
assert files == ["rest.txt", "small"], files
assert client.get_run(run.info.run_id).data.metrics == {"f1": 0.5}
for wrong in (lambda: client.create_experiment("x", tags={"slipway.workspace": "nobody"}),
              lambda: client.set_experiment_tag(experiment, "slipway.workspace", "default")):
    try:
        wrong()
    except mlflow.MlflowException as error:
        assert "workspace" in str(error), error
    else:
        raise AssertionError("it was not refused")
repository = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(run.info.artifact_uri)
repository.delete_artifacts("small")
with mlflow.start_run(run_id=run.info.run_id):
    mlflow.log_artifact("small", "again")
