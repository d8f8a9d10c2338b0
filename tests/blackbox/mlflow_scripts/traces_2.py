"""Traces as MLflow 2 has them: functions that are traced, spans by hand, tags, searches, deletion."""
import time

import mlflow
from mlflow.entities import SpanType

experiment = mlflow.set_experiment("traces")
client = mlflow.MlflowClient()
HERE = [experiment.experiment_id]


@mlflow.trace(span_type=SpanType.CHAIN, attributes={"kind": "outer"})
def answer(question, limit=3):
    return [find(question) for _ in range(limit)]


@mlflow.trace(name="find it")
def find(question):
    return {"text": question.upper(), "score": 0.5, "ünï": None}


def found(filter_string=None, **more):
    """The names, the newest first."""
    return [one.info.tags["mlflow.traceName"] for one in client.search_traces(HERE, filter_string, **more)]


# A function that is traced comes back whole.
assert len(answer("why")) == 3
first = mlflow.get_trace(mlflow.get_last_active_trace_id())
root, *inner = first.data.spans
assert (root.name, root.span_type, root.parent_id) == ("answer", "CHAIN", None)
assert root.inputs == {"question": "why", "limit": 3} and root.outputs[2]["text"] == "WHY", root
assert root.attributes["kind"] == "outer" and {one.parent_id for one in inner} == {root.span_id} and len(inner) == 3
assert inner[0].outputs == {"text": "WHY", "score": 0.5, "ünï": None}
assert first.info.status.value == "OK" and first.info.execution_time_ms >= 0
assert first.info.experiment_id == experiment.experiment_id and abs(first.info.timestamp_ms - time.time() * 1000) < 600_000
assert "why" in first.info.request_metadata["mlflow.traceInputs"] and "WHY" in first.info.request_metadata["mlflow.traceOutputs"]

# Spans by hand: events, a failure, what is nested, tags on the way.
with mlflow.start_span("by hand") as span:
    deep = {"in": {"a": [1, 2.5, True, None, {"x": []}]}}
    span.set_inputs(deep)
    try:
        with mlflow.start_span("fails", span_type=SpanType.TOOL):
            raise ValueError("boo")
    except ValueError:
        pass
    mlflow.update_current_trace(tags={"team": "fraud"})
    span.set_outputs("done")
second = mlflow.get_trace(span.request_id)
assert second.info.tags["team"] == "fraud" and second.data.spans[0].inputs == deep and second.data.spans[0].outputs == "done"
failed = second.data.spans[1]
assert failed.status.status_code.value == "ERROR" and "boo" in failed.events[0].attributes["exception.message"]


@mlflow.trace
def breaks():
    raise RuntimeError("no")


try:
    breaks()
except RuntimeError:
    pass
third = mlflow.get_trace(mlflow.get_last_active_trace_id())
assert third.info.status.value == "ERROR"

# Tags.
client.set_trace_tag(span.request_id, "color", "blue")
client.set_trace_tag(span.request_id, "color", "red")
client.delete_trace_tag(span.request_id, "team")
tags = mlflow.get_trace(span.request_id).info.tags
assert tags["color"] == "red" and "team" not in tags

# Searches.
with mlflow.start_run() as run:
    answer("in a run")
assert found() == ["answer", "breaks", "by hand", "answer"]
assert found("status = 'ERROR'") == ["breaks"] and found("tags.color = 'red'") == ["by hand"]
assert found("name = 'answer'") == ["answer", "answer"] and found("timestamp_ms > 0 AND attributes.status = 'OK'")[1:] == \
    ["by hand", "answer"]
assert found(f"timestamp_ms > {third.info.timestamp_ms}") == ["answer"]
assert found(order_by=["timestamp_ms ASC"], max_results=2) == ["answer", "by hand"]
assert found(run_id=run.info.run_id) == ["answer"]
page = client.search_traces(HERE, max_results=3)
rest = client.search_traces(HERE, max_results=3, page_token=page.token)
assert (len(page), len(rest), rest.token) == (3, 1, None)
table = mlflow.search_traces(experiment_ids=HERE, extract_fields=["find it.outputs.text"])
assert len(table) == 4 and sorted(str(one) for one in table["status"]) == ["TraceStatus.ERROR"] + 3 * ["TraceStatus.OK"], table

# Begun and ended by hand, in different places.
begun = client.start_trace("far", inputs={"a": 1}, tags={"via": "client"})
child = client.start_span("near", request_id=begun.request_id, parent_id=begun.span_id, inputs={"b": 2})
client.end_span(begun.request_id, child.span_id, outputs=3)
client.end_trace(begun.request_id, outputs={"c": 3})
far = client.get_trace(begun.request_id)
assert [one.name for one in far.data.spans] == ["far", "near"] and far.info.tags["via"] == "client"

# Deletion is for good.
assert client.delete_traces(experiment.experiment_id, request_ids=[span.request_id]) == 1
assert mlflow.get_trace(span.request_id) is None
now = int(time.time() * 1000) + 1
assert client.delete_traces(experiment.experiment_id, max_timestamp_millis=now, max_traces=1) == 1
assert found() == ["far", "answer", "breaks"]
assert client.delete_traces(experiment.experiment_id, max_timestamp_millis=now) == 3
assert found() == []
