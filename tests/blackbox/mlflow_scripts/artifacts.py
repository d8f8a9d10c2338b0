"""Files up and down: texts, tables, pictures, folders, empty and large ones, odd names."""
import json
import os

import matplotlib.pyplot
import mlflow
import numpy
import pandas

client = mlflow.MlflowClient()
os.makedirs("made/deep/er", exist_ok=True)
LARGE = os.urandom(1 << 20) * 9  # more than one piece of anything
FILES = {"plain.txt": b"a\nb\n", "empty": b"", "large.bin": LARGE, "deep/er/x.json": b"{}", "deep/ünï ↯ & 100%+.txt": b"odd"}
for path, content in FILES.items():
    with open(f"made/{path}", "wb") as file:
        file.write(content)

with mlflow.start_run() as run:
    run_id = run.info.run_id
    mlflow.log_artifact("made/plain.txt")
    mlflow.log_artifact("made/plain.txt", "in/a folder")
    mlflow.log_artifacts("made", "all")
    mlflow.log_text("text ü", "texts/note.txt")
    mlflow.log_dict({"a": [1, 2]}, "texts/data.json")
    mlflow.log_dict({"a": [1, 2]}, "texts/data.yaml")
    mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
    figure, axes = matplotlib.pyplot.subplots()
    axes.plot([0, 1], [1, 0])
    mlflow.log_figure(figure, "figures/line.png")
    mlflow.log_image(numpy.zeros((8, 8, 3), dtype=numpy.uint8), "figures/black.png")
    assert mlflow.get_artifact_uri("texts") == f"{run.info.artifact_uri}/texts"


def listed(path=None):
    return {one.path: (one.is_dir, one.file_size or 0) for one in client.list_artifacts(run_id, path)}


top = listed()
assert top["plain.txt"] == (False, 4) and top["all"][0] and top["in"][0] and top["figures"][0]
assert set(listed("texts")) == {"texts/note.txt", "texts/data.json", "texts/data.yaml"}
assert listed("all") == {"all/plain.txt": (False, 4), "all/empty": (False, 0), "all/large.bin": (False, len(LARGE)),
                         "all/deep": (True, 0)}, listed("all")
assert set(listed("all/deep")) == {"all/deep/er", "all/deep/ünï ↯ & 100%+.txt"}
assert listed("nothing") == {} and listed("plain.txt") == {}

whole = client.download_artifacts(run_id, "", dst_path=os.path.abspath("."))
for path, content in FILES.items():
    with open(os.path.join(whole, "all", path), "rb") as file:
        assert file.read() == content, path
one = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="in/a folder/plain.txt")
with open(one, "rb") as file:
    assert file.read() == b"a\nb\n"
assert mlflow.artifacts.load_text(f"runs:/{run_id}/texts/note.txt") == "text ü"
assert mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/texts/data.json") == {"a": [1, 2]}
assert mlflow.artifacts.load_image(f"runs:/{run_id}/figures/black.png").size == (8, 8)
assert isinstance(mlflow.load_table("table.json", run_ids=[run_id]), pandas.DataFrame)
assert {one.path for one in mlflow.artifacts.list_artifacts(artifact_uri=f"runs:/{run_id}/texts")} == \
    {"texts/note.txt", "texts/data.json", "texts/data.yaml"}
assert json.loads(client.get_run(run_id).data.tags["mlflow.loggedArtifacts"])[0]["path"] == "table.json"

with mlflow.start_run(run_id=run_id):
    mlflow.log_text("another", "texts/note.txt")  # the same name again: the later one is there
assert mlflow.artifacts.load_text(f"runs:/{run_id}/texts/note.txt") == "another"
for wrong in ("nothing.txt", "../../../etc/passwd"):
    try:
        mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=wrong)
    except (mlflow.MlflowException, OSError) as error:
        assert "root:" not in str(error)
    else:
        raise AssertionError(f"{wrong} was downloaded")
