"""Scikit-learn by itself: autolog, a logged model, a registered one, loaded by every kind of address."""
import json

import mlflow
import numpy
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

IS_2 = mlflow.__version__.startswith("2.")  # whose models are files of a run
client = mlflow.MlflowClient()
X, y = load_iris(return_X_y=True, as_frame=True)
mlflow.set_experiment("iris")
mlflow.sklearn.autolog()
with mlflow.start_run() as run:
    model = LogisticRegression(C=0.5, max_iter=300).fit(X, y)
    model.score(X, y)
mlflow.sklearn.autolog(disable=True)

seen = client.get_run(run.info.run_id)
assert seen.data.params["C"] == "0.5" and seen.data.params["max_iter"] == "300"
assert 0.9 < seen.data.metrics["training_accuracy_score"] <= 1 and seen.data.metrics["training_log_loss"] > 0
assert seen.data.tags["estimator_name"] == "LogisticRegression"
assert seen.inputs.dataset_inputs
assert {"estimator.html", "training_confusion_matrix.png"} <= {one.path for one in client.list_artifacts(run.info.run_id)}


def same(uri, flavour=mlflow.sklearn):
    loaded = flavour.load_model(uri)
    assert numpy.array_equal(loaded.predict(X), model.predict(X)), uri


same(f"runs:/{run.info.run_id}/model")
if IS_2:
    history, = json.loads(seen.data.tags["mlflow.log-model.history"])
    assert (history["run_id"], history["artifact_path"]) == (run.info.run_id, "model") and "sklearn" in history["flavors"]
    same(f"{run.info.artifact_uri}/model")
else:
    assert len(seen.outputs.model_outputs) == 1
    logged = mlflow.get_logged_model(seen.outputs.model_outputs[0].model_id)
    assert (logged.name, str(logged.status), logged.source_run_id) == ("model", "READY", run.info.run_id), logged
    same(f"models:/{logged.model_id}")
    same(logged.artifact_location)

with mlflow.start_run():
    info = mlflow.sklearn.log_model(model, "by_hand", signature=infer_signature(X, model.predict(X)), input_example=X.head(2),
                                    registered_model_name="iris")
    same(info.model_uri)
assert str(info.registered_model_version) == "1"
second = mlflow.register_model(f"runs:/{run.info.run_id}/model", "iris", tags={"from": "autolog"})
assert (str(second.version), second.status) == ("2", "READY"), second
client.set_registered_model_alias("iris", "champion", 1)
for uri in ("models:/iris/1", "models:/iris/2", "models:/iris@champion", "models:/iris/latest"):
    same(uri)
same("models:/iris@champion", mlflow.pyfunc)
assert mlflow.models.get_model_info("models:/iris/1").signature.inputs.input_names() == list(X.columns)
assert client.get_model_version("iris", 1).run_id == info.run_id
assert str(client.get_model_version_by_alias("iris", "champion").version) == "1"

# A search with runs of its own below it.
mlflow.sklearn.autolog(max_tuning_runs=2, log_models=False)
with mlflow.start_run() as parent:
    GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1, 10]}, cv=2).fit(X, y)
children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
assert len(children) == 2 and client.get_run(parent.info.run_id).data.metrics["best_cv_score"] > 0.8
