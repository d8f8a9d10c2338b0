"""What data a run had: log_input, once and again, and the tag of what it was for."""
import mlflow
import numpy
import pandas

frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "word": ["a", "b", "c"], "y": [0, 1, 0]})
data = mlflow.data.from_pandas(frame, source="https://example.com/data.csv", name="words", targets="y")
arrays = mlflow.data.from_numpy(numpy.arange(6.0).reshape(3, 2), name="numbers")
with mlflow.start_run() as run:
    mlflow.log_input(data, context="training", tags={"split": "a"})
    mlflow.log_input(arrays, context="testing")
    mlflow.log_input(data, context="training")
    if not mlflow.__version__.startswith("2."):
        mlflow.log_metric("f1", 0.5, dataset=data)
with mlflow.start_run() as other:
    mlflow.log_input(data, context="validation")

inputs = {one.dataset.name: one for one in mlflow.get_run(run.info.run_id).inputs.dataset_inputs}
assert set(inputs) == {"words", "numbers"}
words = inputs["words"].dataset
assert (words.digest, words.source_type) == (data.digest, "http") and "example.com" in words.source
assert "word" in words.schema and '"num_rows": 3' in words.profile
assert {tag.key: tag.value for tag in inputs["words"].tags} == {"mlflow.data.context": "training", "split": "a"}
assert {tag.value for tag in inputs["numbers"].tags} == {"testing"}
again = mlflow.get_run(other.info.run_id).inputs.dataset_inputs
assert [one.dataset.digest for one in again] == [data.digest]
assert mlflow.data.get_source(words).url == "https://example.com/data.csv"
found = mlflow.search_runs(filter_string="dataset.name = 'words' and dataset.context = 'validation'")
assert list(found["run_id"]) == [other.info.run_id]
assert len(mlflow.search_runs(filter_string=f"dataset.digest = '{data.digest}'")) == 2
