#!/usr/bin/env python3
"""MLflow 3's logged models and what runs took and gave, as bytes on the wire."""
from harness import run
from mlflow_wire import WireTest, error, invalid, missing

NO_MODEL = "m-" + "0" * 32
GONE = error("RESOURCE_DOES_NOT_EXIST", "Logged model with ID", "not found")


def pairs(**values):
    return [{"key": key, "value": value} for key, value in sorted(values.items())]


def point(key, value, timestamp=5, **more):
    return {"key": key, "value": value, "timestamp": timestamp, **more}


START = [
    ("POST", "runs/create", {"experiment_id": "0", "run_name": "first"}, 200, {}, {"run": "run.info.run_id"}),
    ("POST", "logged-models", {"experiment_id": "0", "name": "net", "source_run_id": "$run", "model_type": "classifier",
                               "params": pairs(C="1"), "tags": pairs(team="fraud")}, 200,
     {"model": {"info": {"experiment_id": "0", "name": "net", "status": "LOGGED_MODEL_PENDING", "model_type": "classifier",
                         "source_run_id": "$run", "creator_id": None, "tags": pairs(team="fraud"), "registrations": None},
                "data": {"params": pairs(C="1"), "metrics": None}}}, {"model": "model.info.model_id"}),
]

MODELS = START + [
    ("GET", "logged-models/$model", None, 200,
     {"model": {"info": {"model_id": "$model", "artifact_uri": "mlflow-artifacts:/0/models/$model/artifacts"}}}),
    ("GET", f"logged-models/{NO_MODEL}", None, 404, error("RESOURCE_DOES_NOT_EXIST", NO_MODEL)),
    ("POST", "logged-models", {"experiment_id": "0"}, 200,
     {"model": {"info": {"model_type": "", "source_run_id": "", "tags": None}, "data": {"params": None}}}),
    ("POST", "logged-models", {"experiment_id": 0, "name": ""}, 400, invalid("'experiment_id'")),
    ("POST", "logged-models", {"name": "net"}, 400, missing("experiment_id")),
    ("POST", "logged-models", {"experiment_id": "77"}, 404, error("RESOURCE_DOES_NOT_EXIST", "77")),
    ("POST", "logged-models", {"experiment_id": "x"}, 400, invalid("Invalid experiment ID")),
    *[("POST", "logged-models", {"experiment_id": "0", "name": f"a{bad}b"}, 400, invalid("Invalid model name"))
      for bad in "/:.%\"'"],
    ("POST", "logged-models", {"experiment_id": "0", "name": "x" * 501}, 400, invalid("at most 500 characters")),
    ("POST", "logged-models", {"experiment_id": "0", "model_type": "x" * 501}, 400, invalid("at most 500 characters")),
    ("POST", "logged-models", {"experiment_id": "0", "source_run_id": "x" * 257}, 400, invalid("at most 256 characters")),
    ("POST", "logged-models", {"experiment_id": "0", "params": [{"value": "1"}]}, 400, missing("params[0].key")),
    ("POST", "logged-models", {"experiment_id": "0", "tags": [{"key": "x" * 251}]}, 400, invalid("1 to 250 characters")),
    ("POST", "logged-models", {"experiment_id": "0", "params": pairs(C="x" * 6001)}, 400, invalid("at most 6000")),
    # what a library calls a parameter is no business of ours
    ("POST", "logged-models/$model/params", {"params": pairs(**{"../l1 (ratio)": "0.5"})}, 200, {}),
    ("POST", "logged-models/$model/params", {"params": pairs(C="1", D="2")}, 200, {}),
    ("POST", "logged-models/$model/params", {"params": pairs(C="1", D="2")}, 200, {}),
    ("POST", "logged-models/$model/params", {"params": pairs(B="0", C="2")}, 400, invalid("never changes")),
    ("POST", "logged-models/$model/params", {"params": [{"key": f"p{i}", "value": ""} for i in range(1001)]}, 400,
     invalid("at most 1000")),
    ("POST", "logged-models/$model/params", {}, 200, {}),
    ("POST", f"logged-models/{NO_MODEL}/params", {"params": pairs(C="1")}, 404, error("RESOURCE_DOES_NOT_EXIST")),
    ("PATCH", "logged-models/$model/tags", {"tags": pairs(team="risk", stage="1")}, 200,
     {"model": {"info": {"tags": pairs(team="risk", stage="1")}, "data": {"params": pairs(C="1", D="2", **{"../l1 (ratio)": "0.5"})}}}),
    ("PATCH", "logged-models/$model/tags", {"tags": [{"key": "a/b c"}]}, 200, {}),
    ("PATCH", "logged-models/$model/tags", {"tags": [{"key": ""}]}, 400, missing("tags[0].key")),
    ("DELETE", "logged-models/$model/tags/a/b%20c", None, 200, {}),
    ("DELETE", "logged-models/$model/tags/stage", {}, 200, {}),
    ("DELETE", "logged-models/$model/tags/stage", {}, 404, error("RESOURCE_DOES_NOT_EXIST", "stage")),
    ("PATCH", "logged-models/$model/tags", {"tags": pairs(**{"mlflow.modelVersions": '[{"name": "spam", "version": 3}]'})}, 200,
     {"model": {"info": {"registrations": [{"name": "spam", "version": "3"}]}}}),
    ("PATCH", "logged-models/$model/tags",
     {"tags": pairs(**{"mlflow.modelVersions": '[{"name": "a", "version": 3}, {"name": "a", "version": "3"}, {"name": "a"}, 7]'})}, 200,
     {"model": {"info": {"registrations": [{"name": "a", "version": "3"}]}}}),
    ("PATCH", "logged-models/$model/tags", {"tags": pairs(**{"mlflow.modelVersions": "{"})}, 200,
     {"model": {"info": {"registrations": None}}}),
    ("PATCH", "logged-models/$model", {}, 400, missing("status")),
    ("PATCH", "logged-models/$model", {"status": "DONE"}, 400, invalid("LOGGED_MODEL_READY")),
    ("PATCH", "logged-models/$model", {"status": 0}, 400, invalid("LOGGED_MODEL_READY")),
    ("PATCH", "logged-models/$model", {"status": 3}, 200, {"model": {"info": {"status": "LOGGED_MODEL_UPLOAD_FAILED"}}}),
    ("PATCH", "logged-models/$model", {"model_id": "$model", "status": "LOGGED_MODEL_READY"}, 200,
     {"model": {"info": {"status": "LOGGED_MODEL_READY", "name": "net"}}}),
    ("PATCH", f"logged-models/{NO_MODEL}", {"status": 2}, 404, error("RESOURCE_DOES_NOT_EXIST")),
    ("DELETE", "logged-models/$model", {}, 200, {}),
    ("DELETE", "logged-models/$model", {}, 200, {}),
    ("DELETE", f"logged-models/{NO_MODEL}", {}, 404, error("RESOURCE_DOES_NOT_EXIST")),
    ("GET", "logged-models/$model", None, 404, GONE),
    ("GET", "logged-models/$model", {"allow_deleted": "TRUE"}, 200, {"model": {"info": {"status": "LOGGED_MODEL_READY"}}}),
    ("GET", "logged-models/$model", {"allow_deleted": "perhaps"}, 400, invalid("allow_deleted")),
    ("PATCH", "logged-models/$model", {"status": 2}, 404, GONE),
    ("PATCH", "logged-models/$model/tags", {"tags": pairs(a="1")}, 404, GONE),
    ("POST", "logged-models/$model/params", {"params": pairs(a="1")}, 404, GONE),
    ("DELETE", "logged-models/$model/tags/team", {}, 404, GONE),
    ("GET", "/api/v1/audit", {"action": "logged_model."}, 200,
     {"events": [{"action": "logged_model.created", "object": "$model"}, {"action": "logged_model.created"},
                {"action": "logged_model.finished", "object": "$model"},
                {"action": "logged_model.finished", "object": "$model"},
                {"action": "logged_model.deleted", "object": "$model"}]}),
]

ELSEWHERE = [
    ("POST", "experiments/create", {"name": "far", "artifact_location": "s3://bucket/far"}, 200, {}, {"far": "experiment_id"}),
    ("POST", "logged-models", {"experiment_id": "$far", "name": "net"}, 200, {}, {"model": "model.info.model_id"}),
    ("GET", "logged-models/$model", None, 200,
     {"model": {"info": {"artifact_uri": "s3://bucket/far/models/$model/artifacts"}}}),
    ("POST", "experiments/delete", {"experiment_id": "$far"}, 200, {}),
    ("POST", "logged-models", {"experiment_id": "$far", "name": "net"}, 400, invalid("is deleted")),
]

METRICS = START + [
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "$model", **point("f1", 0.5, step=1), "dataset_name": "d",
                                 "dataset_digest": "dd"}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "$model", **point("f1", 0.5, step=1), "dataset_name": "d",
                                 "dataset_digest": "dd"}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "$model", **point("f1", 0.75, step=1)}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "$model", **point("f1", 0.25, 4)}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "", **point("own", 1)}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "$model", "dataset_name": "d", **point("own", 2)}, 400,
     invalid("Both dataset_name and dataset_digest")),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": "$model", "dataset_name": "d", "dataset_digest": "x" * 37,
                                 **point("own", 2)}, 400, invalid("at most 500 characters")),
    ("POST", "runs/log-metric", {"run_id": "$run", "model_id": NO_MODEL, **point("own", 2, 9)}, 404,
     error("RESOURCE_DOES_NOT_EXIST", NO_MODEL)),
    ("POST", "runs/log-batch", {"run_id": "$run", "metrics": [
        point("loss", "NaN", model_id="$model"), point("loss", "Infinity", 6, model_id="$model"), point("own", 3, 6)]}, 200, {}),
    ("GET", "logged-models/$model", None, 200, {"model": {"data": {"metrics": [
        point("f1", 0.25, 4, step=0, dataset_name=None, dataset_digest=None, model_id="$model", run_id="$run"),
        point("f1", 0.75, step=1, dataset_name=None),
        point("f1", 0.5, step=1, dataset_name="d", dataset_digest="dd", model_id="$model", run_id="$run"),
        point("loss", "NaN", step=0), point("loss", 1.7976931348623157e308, 6, step=0)]}}}),
    ("GET", "runs/get", {"run_id": "$run"}, 200, {"run": {"data": {"metrics": [
        point("f1", 0.75, step=1, model_id=None), point("loss", 1.7976931348623157e308, 6), {"key": "own", "value": 3}]}}}),
    # another run judges it, too; and a model that is deleted meanwhile stops no run
    ("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"other": "run.info.run_id"}),
    ("DELETE", "logged-models/$model", {}, 200, {}),
    ("POST", "runs/log-metric", {"run_id": "$other", "model_id": "$model", **point("f1", 0.125, 9)}, 200, {}),
    ("GET", "logged-models/$model?allow_deleted=true", None, 200, {"model": {"data": {"metrics": [
        {"value": 0.25}, {"value": 0.75}, {"value": 0.5}, {"value": 0.125, "run_id": "$other"}, {}, {}]}}}),
]

DATASET = {"name": "d", "digest": "dd", "source_type": "local", "source": '{"uri": "d.csv"}', "schema": "s", "profile": "p"}
TRAINING = pairs(**{"mlflow.data.context": "training"})

INPUTS = START + [
    ("GET", "runs/get", {"run_id": "$run"}, 200, {"run": {"inputs": {"dataset_inputs": None, "model_inputs": None}, "outputs": {"model_outputs": None}}}),
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [
        {"tags": TRAINING, "dataset": DATASET}, {"dataset": {"name": "e", "digest": "ee", "source_type": "local", "source": "x"}}]},
     200, {}),
    # the same again, and more said of it, changes nothing
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"tags": TRAINING, "dataset": DATASET}]}, 200, {}),
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [
        {"tags": pairs(**{"mlflow.data.context": "eval"}), "dataset": {**DATASET, "source": "elsewhere"}}]}, 200, {}),
    ("POST", "runs/log-inputs", {"run_id": "$run", "models": [{"model_id": "$model"}, {"model_id": "m-of_another-server"}]}, 200, {}),
    ("POST", "runs/log-inputs", {"run_id": "$run", "models": [{"model_id": "$model"}]}, 200, {}),
    ("POST", "runs/log-inputs", {"run_id": "$run"}, 200, {}),
    ("POST", "runs/outputs", {"run_id": "$run", "models": [{"model_id": "$model", "step": 3}]}, 200, {}),
    ("POST", "runs/outputs", {"run_id": "$run", "models": [{"model_id": "$model", "step": "3"}]}, 200, {}),
    ("POST", "runs/outputs", {"run_id": "$run", "models": []}, 200, {}),
    ("GET", "runs/get", {"run_id": "$run"}, 200, {"run": {
        "inputs": {"dataset_inputs": [{"tags": TRAINING, "dataset": DATASET},
                                      {"tags": None, "dataset": {"name": "e", "schema": None, "profile": None}}],
                   "model_inputs": [{"model_id": "$model"}, {"model_id": "m-of_another-server"}]},
        "outputs": {"model_outputs": [{"model_id": "$model", "step": 3}]}}}),
    ("POST", "runs/log-inputs", {"datasets": []}, 400, missing("run_id")),
    ("POST", "runs/log-inputs", {"run_id": "none"}, 404, error("RESOURCE_DOES_NOT_EXIST", "none")),
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{}]}, 400, missing("datasets[0].dataset")),
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": {"name": "d"}}]}, 400,
     missing("datasets[0].dataset.digest")),
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": DATASET}, {"dataset": DATASET, "tags": [{}]}]}, 400,
     missing("datasets[1].tags[0].key")),
    *[("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": {**DATASET, name: "x" * (most + 1)}}]}, 400,
       invalid(f"at most {most} characters"))
      for name, most in (("name", 500), ("digest", 36), ("source", 65535), ("schema", 1048575))],
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": DATASET, "tags": pairs(k="x" * 501)}]}, 400,
     invalid("at most 500")),
    ("POST", "runs/log-inputs", {"run_id": "$run", "datasets": [{"dataset": DATASET}] * 1001}, 400, invalid("at most 1000")),
    ("POST", "runs/log-inputs", {"run_id": "$run", "models": [{"model_id": "../x"}]}, 400, invalid("letters, digits")),
    ("POST", "runs/outputs", {"run_id": "$run"}, 400, missing("models")),
    ("POST", "runs/outputs", {"run_id": "$run", "models": [{"step": 1}]}, 400, missing("models[0].model_id")),
    ("POST", "experiments/search-datasets", {"experiment_ids": ["0", "77"]}, 200, {"dataset_summaries": [
        {"experiment_id": "0", "name": "d", "digest": "dd", "context": "training"},
        {"experiment_id": "0", "name": "e", "digest": "ee", "context": None}]}),
    ("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["77"]}, 200, {"dataset_summaries": None}),
    ("POST", "experiments/search-datasets", {}, 400, missing("experiment_ids")),
    ("POST", "experiments/search-datasets", {"experiment_ids": []}, 400, invalid("1 to 20 experiments")),
    ("POST", "experiments/search-datasets", {"experiment_ids": ["0"] * 21}, 400, invalid("1 to 20 experiments")),
    ("POST", "experiments/search-datasets", {"experiment_ids": ["x"]}, 400, invalid("Invalid experiment ID")),
    ("POST", "runs/delete", {"run_id": "$run"}, 200, {}),
    ("POST", "runs/log-inputs", {"run_id": "$run"}, 400, invalid("deleted")),
    ("POST", "runs/outputs", {"run_id": "$run", "models": []}, 400, invalid("deleted")),
    ("GET", "logged-models/$model", None, 200, {"model": {"info": {"source_run_id": "$run"}}}),
]

OLD_MODEL = '{"run_id": "r", "artifact_path": "model", "utc_time_created": "now", "flavors": {"python_function": {}}}'
HISTORY = "[" + OLD_MODEL.replace(" ", "") + "]"

OLD_MODELS = START + [
    ("POST", "runs/log-model", {"run_id": "$run", "model_json": OLD_MODEL}, 200, {}),
    ("POST", "runs/log-model", {"run_id": "$run", "model_json": OLD_MODEL}, 200, {}),
    ("GET", "runs/get", {"run_id": "$run"}, 200,
     {"run": {"data": {"tags": [{"key": "mlflow.log-model.history", "value": HISTORY}, {"key": "mlflow.runName"}]}}}),
    ("POST", "runs/log-model", {"run_id": "$run", "model_json": OLD_MODEL.replace("now", "later")}, 200, {}),
    ("GET", "runs/get", {"run_id": "$run"}, 200, {"run": {"data": {"tags": [{"value": {"now", "later"}}, {}]}}}),
    ("POST", "runs/log-model", {"run_id": "$run", "model_json": OLD_MODEL.replace("now", "x" * 8000)}, 400, invalid("8000")),
    ("POST", "runs/log-model", {"run_id": "$run"}, 400, missing("model_json")),
    *[("POST", "runs/log-model", {"run_id": "$run", "model_json": wrong}, 400, invalid("model"))
      for wrong in ("{", "[]", "7", "{}", '{"run_id": "r"}')],
    ("POST", "runs/set-tag", {"run_id": "$run", "key": "mlflow.log-model.history", "value": "mine"}, 200, {}),
    ("POST", "runs/log-model", {"run_id": "$run", "model_json": OLD_MODEL}, 400, invalid("no list of models")),
]


def make_model(name, kept, tags=None, params=None, **more):
    return ("POST", "logged-models", {"experiment_id": "0", "name": name, "tags": pairs(**(tags or {})),
                                      "params": pairs(**(params or {})), **more}, 200, {}, {kept: "model.info.model_id"})


def judge(model, key, value, timestamp=5, **more):
    return ("POST", "runs/log-metric", {"run_id": "$run", "model_id": model, **point(key, value, timestamp, **more)}, 200, {})


def on(name, digest="1"):
    return {"dataset_name": name, "dataset_digest": digest}


MANY = [
    ("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"run": "run.info.run_id"}),
    make_model("forest", "forest", {"team": "fraud"}, {"depth": "3"}, source_run_id="r1", model_type="tree"),
    make_model("net", "net", {"team": "Risk"}, {"depth": "12"}, source_run_id="$run"),
    make_model("net", "old", {}, {}, source_run_id="r1"),
    make_model("bare", "bare"),
    make_model("gone", "gone", {"team": "fraud"}),
    ("POST", "experiments/create", {"name": "other"}, 200, {}, {"other": "experiment_id"}),
    ("POST", "logged-models", {"experiment_id": "$other", "name": "net"}, 200, {}, {"far": "model.info.model_id"}),
    ("DELETE", "logged-models/$gone", {}, 200, {}),
    ("PATCH", "logged-models/$forest", {"status": 2}, 200, {}),
    ("PATCH", "logged-models/$net", {"status": 3}, 200, {}),
    judge("$forest", "f1", 0.9, **on("wine")), judge("$forest", "f1", 0.2, 6, **on("spam")), judge("$net", "f1", 0.5),
    judge("$net", "f1", 0.7, 4, **on("wine", "2")), judge("$old", "f1", "NaN"), judge("$far", "f1", 0.8),
]


def found(sent, *names):
    expected = {"models": [{"info": {"model_id": f"${name}"}} for name in names] or None}
    return ("POST", "logged-models/search", {"experiment_ids": ["0"], **sent}, 200, expected)


def ordered(field, ascending, *names):
    return found({"order_by": [{"field_name": field, "ascending": ascending}]}, *names)


def filtered(text, *names, **more):
    """By name, so that models of the same millisecond stand in a known order."""
    return found({"filter": text, "order_by": [{"field_name": "name"}, {"field_name": "source_run_id"}], **more}, *names)


def refused(sent, *words):
    return ("POST", "logged-models/search", {"experiment_ids": ["0"], **sent}, 400, invalid(*words))


SEARCHES = MANY + [
    ("POST", "logged-models/search", {"experiment_ids": []}, 200, {"models": None, "next_page_token": None}),
    ("POST", "logged-models/search", {"experiment_ids": ["77"]}, 200, {"models": None}),
    ("POST", "logged-models/search", {"experiment_ids": ["$other"]}, 200,
     {"models": [{"info": {"model_id": "$far", "name": "net"}, "data": {"metrics": [point("f1", 0.8)]}}]}),
    ("POST", "logged-models/search", {"experiment_ids": ["$other", "0"], "filter": "name = 'net' AND metrics.f1 > 0.7"}, 200,
     {"models": [{"info": {"model_id": "$far"}}]}),
    ("POST", "logged-models/search", {}, 400, missing("experiment_ids")),
    ("POST", "logged-models/search", {"experiment_ids": ["x"]}, 400, invalid("Invalid experiment ID")),
    ("POST", "logged-models/search", {"experiment_ids": ["0"] * 1001}, 400, invalid("at most 1000 experiments")),
    filtered("source_run_id = 'r1'", "forest", "old"),
    filtered("name = 'forest'", "forest"),
    filtered("attributes.name = 'net' AND source_run_id = 'r1'", "old"),
    found({"filter": "model_id = '$net'"}, "net"),
    found({"filter": "model_id = '$gone'"}),
    found({"filter": "model_id = '$far'"}),
    filtered("name != 'net'", "bare", "forest"),
    filtered("name LIKE 'f%'", "forest"),
    filtered("name LIKE 'F%'"),
    filtered("name ILIKE 'F%'", "forest"),
    filtered("name IN ('forest', 'bare')", "bare", "forest"),
    filtered("model_type = 'tree'", "forest"),
    filtered("status = 'READY'", "forest"),
    filtered("status = 'LOGGED_MODEL_UPLOAD_FAILED'", "net"),
    filtered("status IN ('2', 'FAILED')", "forest", "net"),
    filtered("creation_timestamp < 5"),
    filtered("creation_time > 5 AND last_updated_timestamp >= 5 AND name LIKE '%r%'", "bare", "forest"),
    filtered("tags.team = 'fraud'", "forest"),
    filtered("tags.team ILIKE 'r%'", "net"),
    filtered("tags.team != 'fraud'", "net"),
    filtered("params.depth = '12' AND tags.team = 'Risk'", "net"),
    filtered("params.depth = '12' AND tags.team = 'fraud'"),
    # any point of a model counts, not the newest alone
    filtered("metrics.f1 > 0.8", "forest"),
    filtered("metrics.f1 < 0.3", "forest"),
    filtered("metrics.f1 > 0.8 AND metrics.f1 < 0.3", "forest"),
    filtered("metrics.f1 > 0.4", "forest", "net"),
    filtered("metrics.unheard_of > 0"),
    filtered("metrics.f1 > 0.4", "forest", "net", datasets=[{"dataset_name": "wine"}]),
    filtered("metrics.f1 > 0.4", "net", datasets=[{"dataset_name": "wine", "dataset_digest": "2"}]),
    filtered("metrics.f1 < 0.4", "forest", datasets=[{"dataset_name": "wine", "dataset_digest": "2"}, {"dataset_name": "spam"}]),
    filtered("", "forest", datasets=[{"dataset_name": "spam"}]),
    filtered("params.depth = '12'", datasets=[{"dataset_name": "spam"}]),
    # the newest point orders; NaN is behind all numbers, and what has none behind that
    ordered("metrics.f1", True, "forest", "net", "old", "bare"),
    ordered("metrics.f1", False, "net", "forest", "old", "bare"),
    found({"order_by": [{"field_name": "metrics.f1", "ascending": False, "dataset_name": "wine"}], "filter": "metrics.f1 > 0"},
          "forest", "net"),
    found({"order_by": [{"field_name": "metrics.f1", "dataset_name": "wine", "dataset_digest": "2"}],
           "filter": "metrics.f1 > 0"}, "net", "forest"),
    found({"order_by": [{"field_name": "name", "ascending": False}, {"field_name": "source_run_id", "ascending": True}],
           "filter": "name != 'net'"}, "forest", "bare"),
    refused({"filter": "bogus = '2'"}, "bogus"),
    refused({"filter": "name = net"}, "'"),
    refused({"filter": "metrics.f1 > '0'"}, "numeric"),
    refused({"filter": "name = 'a' OR name = 'b'"}, "Invalid clause"),
    refused({"filter": "dataset.name = 'a'"}, "dataset"),
    refused({"order_by": [{"field_name": "bogus"}]}, "bogus"),
    refused({"order_by": [{"field_name": "params.depth"}]}, "param"),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "order_by": [{}]}, 400, missing("order_by[0].field_name")),
    refused({"order_by": [{"field_name": "name"}] * 17}, "at most 16"),
    ("POST", "logged-models/search", {"experiment_ids": ["0"], "datasets": [{}]}, 400, missing("datasets[0].dataset_name")),
    refused({"datasets": [{"dataset_name": "d"}] * 101}, "at most 100"),
    refused({"max_results": -1}, "1 to 1000"),
    ("GET", "/ajax-api/2.0/mlflow/logged-models/$net", None, 200, {"model": {"info": {"name": "net"}}}),
]

PAGE = {"experiment_ids": ["0"], "max_results": 3, "order_by": [{"field_name": "name"}, {"field_name": "source_run_id"}]}
NEWEST = {"experiment_ids": ["0"], "max_results": 3}

PAGES = MANY + [
    ("POST", "logged-models/search", PAGE, 200, {"models": [{"info": {"name": "bare"}}, {"info": {"name": "forest"}}, {}]},
     {"token": "next_page_token"}),
    ("POST", "logged-models/search", {**PAGE, "page_token": "$token"}, 200,
     {"models": [{"info": {"name": "net"}}], "next_page_token": None}),
    ("POST", "logged-models/search", {**PAGE, "max_results": 4}, 200, {"models": [{}, {}, {}, {}], "next_page_token": None}),
    ("POST", "logged-models/search", NEWEST, 200, {"models": [{}, {}, {}]}, {"newest": "next_page_token"}),
    ("POST", "logged-models/search", {**NEWEST, "page_token": "$newest"}, 200, {"models": [{}], "next_page_token": None}),
    ("POST", "logged-models/search", {**NEWEST, "max_results": 9999}, 200, {"models": [{}, {}, {}, {}], "next_page_token": None}),
    *[("POST", "logged-models/search", {**PAGE, "page_token": "$token", **other}, 400, invalid("Invalid page token"))
      for other in ({"experiment_ids": ["1"]}, {"filter": "name = 'net'"}, {"order_by": []}, {"datasets": [{"dataset_name": "d"}]})],
    *[("POST", "logged-models/search", {**PAGE, "page_token": wrong}, 400, invalid("Invalid page token"))
      for wrong in ("junk", "3", "3-", "-3-x", "x$token", "$token0")],
]


class LoggedModelTest(WireTest):
    def test_the_life_of_a_logged_model(self):
        self.play(self.start()[1], MODELS)

    def test_the_files_are_where_the_experiment_has_them(self):
        self.play(self.start()[1], ELSEWHERE)

    def test_a_metric_judges_a_run_and_a_model(self):
        self.play(self.start()[1], METRICS)

    def test_what_a_run_took_and_gave(self):
        self.play(self.start()[1], INPUTS)

    def test_searches(self):
        self.play(self.start()[1], SEARCHES)

    def test_pages_of_a_search_are_of_one_search(self):
        self.play(self.start()[1], PAGES)

    def test_models_of_older_clients_are_a_tag(self):
        self.play(self.start()[1], OLD_MODELS)


if __name__ == "__main__":
    run(LoggedModelTest)
