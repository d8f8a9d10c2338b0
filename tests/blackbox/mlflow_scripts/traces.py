"""Traces: functions that are traced, spans by hand, what others think of them, searches, deletion."""
import time

import mlflow
from mlflow.entities import AssessmentSource, AssessmentSourceType, Feedback, SpanType, Trace

experiment = mlflow.set_experiment("traces")
client = mlflow.MlflowClient()
PERSON = AssessmentSource(AssessmentSourceType.HUMAN, "ada")


@mlflow.trace(span_type=SpanType.CHAIN, attributes={"kind": "outer"})
def answer(question, limit=3):
    return [find(question) for _ in range(limit)]


@mlflow.trace(name="find it")
def find(question):
    return {"text": question.upper(), "score": 0.5, "ünï": None}


def fetched(trace_id, is_new=False):
    """Only waits, for some seconds, when the trace may still be on its way."""
    if is_new:
        mlflow.flush_trace_async_logging()
    trace = mlflow.get_trace(trace_id)
    assert isinstance(trace, Trace), trace_id
    return trace


def found(filter_string=None, **more):
    """The names, the newest first."""
    traces = mlflow.search_traces(locations=[experiment.experiment_id], filter_string=filter_string, return_type="list", **more)
    return [one.info.tags["mlflow.traceName"] for one in traces]


# A function that is traced comes back whole.
assert len(answer("why")) == 3
first = fetched(mlflow.get_last_active_trace_id(), is_new=True)
root, *inner = first.data.spans
assert (root.name, root.span_type, root.parent_id) == ("answer", "CHAIN", None)
assert root.inputs == {"question": "why", "limit": 3} and root.outputs[2]["text"] == "WHY", root
assert root.attributes["kind"] == "outer"
assert sorted(one.name for one in inner) == ["find it_1", "find it_2", "find it_3"] or {one.name for one in inner} == {"find it"}
assert {one.parent_id for one in inner} == {root.span_id}
assert inner[0].outputs == {"text": "WHY", "score": 0.5, "ünï": None}
assert first.info.state.value == "OK" and first.info.execution_duration >= 0
assert '"question": "why"' in first.info.request_preview and "WHY" in first.info.response_preview
assert first.info.experiment_id == experiment.experiment_id
assert abs(first.info.request_time - time.time() * 1000) < 600_000

# Spans by hand: events, a failure, what is nested, tags and metadata on the way.
with mlflow.start_span("by hand") as span:
    deep = {"in": {"a": [1, 2.5, True, None, {"x": []}]}}
    span.set_inputs(deep)
    try:
        with mlflow.start_span("fails", span_type=SpanType.TOOL):
            raise ValueError("boo")
    except ValueError:
        pass
    mlflow.update_current_trace(tags={"team": "fraud"}, metadata={"release": "7"}, client_request_id="request 1")
    span.set_outputs("done")
second = fetched(span.trace_id, is_new=True)
assert second.info.client_request_id == "request 1"
assert second.info.tags["team"] == "fraud" and second.info.trace_metadata["release"] == "7"
assert second.data.spans[0].inputs == deep and second.data.spans[0].outputs == "done"
failed = second.data.spans[1]
assert failed.status.status_code.value == "ERROR" and failed.events[0].name == "exception"
assert "boo" in failed.events[0].attributes["exception.message"]


@mlflow.trace
def breaks():
    raise RuntimeError("no")


try:
    breaks()
except RuntimeError:
    pass
third = fetched(mlflow.get_last_active_trace_id(), is_new=True)
assert third.info.state.value == "ERROR"

# Tags.
mlflow.set_trace_tag(span.trace_id, "color", "blue")
mlflow.set_trace_tag(span.trace_id, "color", "red")
mlflow.delete_trace_tag(span.trace_id, "team")
tags = fetched(span.trace_id).info.tags
assert tags["color"] == "red" and "team" not in tags

# What others think.
good = mlflow.log_feedback(trace_id=span.trace_id, name="good", value=True, rationale="it is", source=PERSON, metadata={"a": "1"})
want = mlflow.log_expectation(trace_id=span.trace_id, name="want", value={"x": [1, "two"]}, source=PERSON)
mlflow.log_feedback(trace_id=span.trace_id, name="score", value=0.25, span_id=failed.span_id,
                    source=AssessmentSource(AssessmentSourceType.CODE, "check"))
seen = mlflow.get_assessment(span.trace_id, good.assessment_id)
assert (seen.value, seen.rationale, seen.source.source_id, seen.metadata) == (True, "it is", "ada", {"a": "1"}), seen
assert mlflow.get_assessment(span.trace_id, want.assessment_id).value == {"x": [1, "two"]}
mlflow.update_assessment(span.trace_id, good.assessment_id, Feedback("better", value="yes", rationale="it was"))
seen = mlflow.get_assessment(span.trace_id, good.assessment_id)
assert (seen.name, seen.value, seen.rationale, seen.metadata) == ("better", "yes", "it was", {"a": "1"}), seen
over = mlflow.override_feedback(trace_id=span.trace_id, assessment_id=good.assessment_id, value="no", source=PERSON)
valid = {one.assessment_id: one.valid for one in fetched(span.trace_id).info.assessments}
assert len(valid) == 4 and not valid[good.assessment_id] and valid[over.assessment_id], valid
mlflow.delete_assessment(span.trace_id, over.assessment_id)
valid = {one.assessment_id: one.valid for one in fetched(span.trace_id).info.assessments}
assert len(valid) == 3 and valid[good.assessment_id], valid
score, = [one for one in fetched(span.trace_id).info.assessments if one.name == "score"]
assert (score.span_id, score.value) == (failed.span_id, 0.25)

# Searches.
with mlflow.start_run() as run:
    answer("in a run")
mlflow.flush_trace_async_logging()
assert found() == ["answer", "breaks", "by hand", "answer"]
assert found("status = 'ERROR'") == ["breaks"]
assert found("tags.color = 'red'") == ["by hand"] and found("metadata.release = '7'") == ["by hand"]
assert found("name LIKE 'b%'") == ["breaks", "by hand"] and found("trace.name = 'answer'") == ["answer", "answer"]
assert found("tags.color IS NULL AND status = 'OK'") == ["answer", "answer"]
assert found(f"request_id = '{span.trace_id}'") == ["by hand"] and found("client_request_id = 'request 1'") == ["by hand"]
assert found(f"timestamp_ms > {third.info.request_time}") == ["answer"]
assert found(order_by=["timestamp_ms ASC"], max_results=2) == ["answer", "by hand"]
assert found(run_id=run.info.run_id) == ["answer"]
client.link_traces_to_run([span.trace_id], run.info.run_id)
assert found(run_id=run.info.run_id) == ["answer", "by hand"]
page = client.search_traces(locations=[experiment.experiment_id], max_results=3)
rest = client.search_traces(locations=[experiment.experiment_id], max_results=3, page_token=page.token)
assert (len(page), len(rest), rest.token) == (3, 1, None)
table = mlflow.search_traces(locations=[experiment.experiment_id])
assert len(table) == 4 and set(table["state"]) == {"OK", "ERROR"}
infos = client.search_traces(locations=[experiment.experiment_id], include_spans=False)
assert [len(one.data.spans) for one in infos] == [0, 0, 0, 0]

# Begun and ended by hand, in different places.
begun = client.start_trace("far", inputs={"a": 1}, tags={"via": "client"})
child = client.start_span("near", trace_id=begun.trace_id, parent_id=begun.span_id, inputs={"b": 2})
client.end_span(begun.trace_id, child.span_id, outputs=3)
client.end_trace(begun.trace_id, outputs={"c": 3})
far = fetched(begun.trace_id, is_new=True)
assert [one.name for one in far.data.spans] == ["far", "near"] and far.info.tags["via"] == "client"

# Deletion is for good.
assert client.delete_traces(experiment.experiment_id, trace_ids=[span.trace_id]) == 1
assert mlflow.get_trace(span.trace_id, silent=True) is None
assert client.delete_traces(experiment.experiment_id, max_timestamp_millis=int(time.time() * 1000) + 1, max_traces=1) == 1
assert found() == ["far", "answer", "breaks"]
assert client.delete_traces(experiment.experiment_id, max_timestamp_millis=int(time.time() * 1000) + 1) == 3
assert found() == []
print("traces: as a user expects")
