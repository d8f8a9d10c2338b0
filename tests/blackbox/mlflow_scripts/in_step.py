"""What a step of a pipeline does that is written as any MLflow script: run, nested run, files, a model and its version."""
import mlflow
import mlflow.pyfunc
from mlflow.models import infer_signature


class Twice(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input * 2


with mlflow.start_run() as run:
    mlflow.log_param("kernel", "rbf")
    mlflow.log_metric("f1", 0.75)
    mlflow.set_tag("note", "in a step")
    mlflow.log_text("hello", "texts/note.txt")
    mlflow.log_dict({"a": 1}, "a.json")
    with mlflow.start_run(nested=True, run_name="child"):
        mlflow.log_metric("f1", 0.5)
    mlflow.pyfunc.log_model("model", python_model=Twice(), registered_model_name="twice",
                            signature=infer_signature([1.0], [2.0]))
client = mlflow.MlflowClient()
version = client.get_model_version("twice", "1")
assert version.run_id == run.info.run_id, version
try:
    client.set_registered_model_alias("twice", "champion", "1")
except mlflow.MlflowException as error:
    assert error.error_code == "PERMISSION_DENIED", error
else:
    raise AssertionError("a step has promoted")
print("kept", mlflow.get_run(run.info.run_id).data.metrics)
