#!/usr/bin/env python3
"""MLflow's routes of traces, as bytes on the wire: OTLP in protobuf and JSON, what is told of traces, searches, assessments."""
import gzip
import json
import struct
import zlib

from harness import run
from mlflow_wire import WireTest, error, held_in, invalid, missing

NONE = error("RESOURCE_DOES_NOT_EXIST")
TRACE, OTHER = "0102030405060708090a0b0c0d0e0f10", "ff" * 16
ID, OTHER_ID = f"tr-{TRACE}", f"tr-{OTHER}"
V3 = "/api/3.0/mlflow/traces"
MS = 1_000_000


# ---- protobuf by hand: fields are (number, value); a number is a varint, a float 8 bytes, bytes and texts are as they are ----

def varint(number):
    number &= 2**64 - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


class Fixed(int):
    """A number of 8 bytes."""


def message(*fields):
    out = b""
    for number, value in fields:
        if isinstance(value, Fixed):
            out += varint(number << 3 | 1) + struct.pack("<Q", value)
        elif isinstance(value, float):
            out += varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def any_value(value):
    if value is None:
        return b""
    if isinstance(value, bool):
        return message((2, int(value)))
    if isinstance(value, str):
        return message((1, value))
    if isinstance(value, int):
        return message((3, value))
    if isinstance(value, float):
        return message((4, value))
    if isinstance(value, bytes):
        return message((7, value))
    if isinstance(value, list):
        return message((5, message(*((1, any_value(item)) for item in value))))
    return message((6, message(*((1, key_value(*item)) for item in value.items()))))


def key_value(key, value):
    return message((1, key), (2, any_value(value)))


def span(trace=TRACE, number=1, parent=None, name="root", times=(1000, 3000), attributes=None, more=()):
    fields = [(1, bytes.fromhex(trace)), (2, number.to_bytes(8, "big")), (5, name), (7, Fixed(times[0] * MS)),
              (8, Fixed(times[1] * MS))]
    fields += [(4, parent.to_bytes(8, "big"))] if parent else []
    fields += [(9, key_value(*item)) for item in (attributes or {}).items()]
    return message(*fields, *more)


def export(*spans, resource=None):
    resource = message(*((1, key_value(*item)) for item in (resource or {}).items()))
    return message((1, message((1, resource), (2, message(*((2, one) for one in spans))))))


def told(trace_id=ID, experiment="0", **more):
    return {"trace": {"trace_info": {
        "trace_id": trace_id, "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "1970-01-01T00:00:01.500Z", "execution_duration": "2.250s", "state": "OK", **more}}}


TOLD = [
    ("POST", V3, told(request_preview="in", response_preview="out", client_request_id="c-1",
                      trace_metadata={"mlflow.sourceRun": "r1", "m": "1"}, tags={"mlflow.traceName": "ask", "team": "fraud"}), 200,
     {"trace": {"trace_info": {
         "trace_id": ID, "state": "OK", "request_time": "1970-01-01T00:00:01.500Z", "execution_duration": "2.250s",
         "client_request_id": "c-1", "request_preview": "in", "response_preview": "out",
         "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
         "trace_metadata": {"mlflow.sourceRun": "r1", "m": "1"}, "assessments": None,
         "tags": {"mlflow.traceName": "ask", "team": "fraud", "mlflow.trace.spansLocation": None,
                  "mlflow.artifactLocation": f"mlflow-artifacts:/0/traces/{ID}/artifacts"}}}}),
    ("GET", f"{V3}/{ID}", None, 200, {"trace": {"trace_info": {"trace_id": ID}, "spans": None}}),
    ("GET", f"{V3}/tr-0", None, 404, NONE),
    ("GET", f"{V3}/get", {"trace_id": ID}, 404, error("RESOURCE_DOES_NOT_EXIST", "not fully exported")),
    ("GET", f"{V3}/get", {"trace_id": ID, "allow_partial": "true"}, 200, {"trace": {"trace_info": {"state": "OK"}, "spans": None}}),
    ("GET", f"{V3}/get", {}, 400, missing("trace_id")),
    ("GET", f"{V3}/batchGet", {"trace_ids": [ID]}, 200, {"traces": []}),
    ("POST", f"{V3}/batchGetInfos", {"trace_ids": [ID, "tr-0"]}, 200, {"trace_infos": [{"trace_id": ID}]}),
    ("POST", f"{V3}/batchGetInfos", {"trace_ids": ["x"] * 1001}, 400, invalid("at most 1000")),
    ("POST", V3, told(state=2, request_time="1970-01-01T00:00:02Z", tags={"more": "1"}), 200,
     {"trace": {"trace_info": {"state": "ERROR", "request_preview": "in", "request_time": "1970-01-01T00:00:02.000Z",
                               "tags": {"team": "fraud", "more": "1"}}}}),
    ("POST", V3, {}, 400, missing("trace")),
    ("POST", V3, {"trace": {"trace_info": {"trace_id": ID}}}, 400, missing("trace.trace_info.trace_location")),
    ("POST", V3, told(trace_id="../x"), 400, invalid("the id of a trace")),
    ("POST", V3, told(experiment="99"), 404, NONE),
    ("POST", V3, told(experiment="x"), 400, invalid("Invalid experiment ID")),
    ("POST", V3, told(state="GOOD"), 400, invalid("OK, ERROR, IN_PROGRESS")),
    ("POST", V3, told(execution_duration="2"), 400, invalid("1.5s")),
    ("POST", V3, told(request_time="yesterday"), 400, invalid("request_time")),
    ("POST", V3, told(tags={"k": "v" * 8001}), 400, invalid("at most 8000")),
    ("POST", V3, told(tags={"k" * 251: "v"}), 400, invalid("1 to 250")),
    ("PATCH", f"traces/{ID}/tags", {"key": "color", "value": "blue"}, 200, {}),
    ("PATCH", f"{V3}/{ID}/tags", {"key": "color", "value": "red"}, 200, {}),
    ("PATCH", f"{V3}/{ID}/tags", {"value": "red"}, 400, missing("key")),
    ("PATCH", f"{V3}/tr-0/tags", {"key": "color", "value": "red"}, 404, NONE),
    ("GET", f"{V3}/{ID}", None, 200, {"trace": {"trace_info": {"tags": {"color": "red"}}}}),
    ("DELETE", f"traces/{ID}/tags", {"key": "color"}, 200, {}),
    ("DELETE", f"{V3}/{ID}/tags", {"key": "color"}, 404, error("RESOURCE_DOES_NOT_EXIST", "color")),
    ("GET", f"{V3}/{ID}", None, 200, {"trace": {"trace_info": {"tags": {"color": None}}}}),
    ("POST", f"{V3}/metrics", {}, 404, error("ENDPOINT_NOT_FOUND", "metrics")),
    ("POST", f"{V3}/calculate-filter-correlation", {}, 404, error("ENDPOINT_NOT_FOUND", "correlation")),
    ("GET", "unified-traces", {}, 404, error("ENDPOINT_NOT_FOUND", "unified-traces")),
]

GOOD = {"assessment_name": "good", "source": {"source_type": "HUMAN", "source_id": "ada"}, "feedback": {"value": True},
        "create_time": "1970-01-01T00:00:05Z", "last_update_time": "1970-01-01T00:00:05Z", "rationale": "so", "metadata": {"a": "1"}}

ASSESSMENTS = [
    ("POST", V3, told(), 200, {}),
    ("POST", f"{V3}/{ID}/assessments", {"assessment": GOOD}, 200,
     {"assessment": {**GOOD, "trace_id": ID, "valid": True, "create_time": "1970-01-01T00:00:05.000Z",
                     "last_update_time": "1970-01-01T00:00:05.000Z"}}, {"good": "assessment.assessment_id"}),
    ("POST", f"{V3}/{ID}/assessments", {"assessment": GOOD}, 200, {"assessment": {"assessment_id": "$good"}}),
    ("GET", f"{V3}/{ID}", None, 200, {"trace": {"trace_info": {"assessments": [{"assessment_id": "$good"}]}}}),
    ("GET", f"{V3}/{ID}/assessments/$good", None, 200, {"assessment": {"feedback": {"value": True}}}),
    ("GET", f"{V3}/{ID}/assessments/a-0", None, 404, error("RESOURCE_DOES_NOT_EXIST", "a-0", ID)),
    ("POST", f"{V3}/{ID}/assessments", {"assessment": {"assessment_name": "x"}}, 400, invalid("feedback")),
    ("POST", f"{V3}/{ID}/assessments", {"assessment": {"feedback": {"value": 1}}}, 400, invalid("the name of an assessment")),
    ("POST", f"{V3}/tr-0/assessments", {"assessment": GOOD}, 404, NONE),
    ("PATCH", f"{V3}/{ID}/assessments/$good",
     {"assessment": {"assessment_name": "better", "feedback": {"value": 0.5}, "metadata": {"b": "2"}, "rationale": "unheard"},
      "update_mask": "assessmentName,feedback,metadata"}, 200,
     {"assessment": {"assessment_name": "better", "feedback": {"value": 0.5}, "metadata": {"a": "1", "b": "2"},
                     "rationale": "so", "source": {"source_id": "ada"}, "create_time": "1970-01-01T00:00:05.000Z"}}),
    ("PATCH", f"{V3}/{ID}/assessments/$good", {"assessment": {"expectation": {"value": 1}}, "update_mask": "expectation"}, 400,
     invalid("Cannot update expectation value on a feedback assessment")),
    ("PATCH", f"{V3}/{ID}/assessments/$good", {"assessment": {}, "update_mask": "source"}, 400, invalid("'source'")),
    ("PATCH", f"{V3}/{ID}/assessments/a-0", {"assessment": {"rationale": "x"}, "update_mask": "rationale"}, 404, NONE),
    ("POST", f"{V3}/{ID}/assessments", {"assessment": {**GOOD, "feedback": {"value": False}, "overrides": "$good"}}, 200,
     {"assessment": {"overrides": "$good", "valid": True}}, {"second": "assessment.assessment_id"}),
    ("GET", f"{V3}/{ID}/assessments/$good", None, 200, {"assessment": {"valid": False}}),
    ("POST", f"{V3}/{ID}/assessments", {"assessment": {**GOOD, "overrides": "a-0"}}, 404, NONE),
    ("DELETE", f"{V3}/{ID}/assessments/$second", {}, 200, {}),
    ("DELETE", f"{V3}/{ID}/assessments/$second", {}, 200, {}),
    ("GET", f"{V3}/{ID}/assessments/$good", None, 200, {"assessment": {"valid": True}}),
    ("POST", f"{V3}/{ID}/assessments",
     {"assessment": {"assessment_name": "want", "expectation": {"serialized_value": {"serialization_format": "JSON_FORMAT",
                                                                                     "value": "{}"}}}}, 200,
     {"assessment": {"expectation": {"serialized_value": {"value": "{}"}}, "feedback": None}}),
    ("POST", V3, told(OTHER_ID, assessments=[GOOD, {**GOOD, "assessment_name": "too"}]), 200,
     {"trace": {"trace_info": {"assessments": [{"trace_id": OTHER_ID}, {"trace_id": OTHER_ID}]}}}),
]


def located(number):
    return {"trace_id": f"tr-{number}"}


HERE = {"locations": [{"mlflow_experiment": {"experiment_id": "0"}}]}


def found(filter_string, *numbers, **more):
    return ("POST", f"{V3}/search", {**HERE, "filter": filter_string, **more}, 200, {"traces": [located(number) for number in numbers] or None})


def refused(filter_string, *words):
    return ("POST", f"{V3}/search", {**HERE, "filter": filter_string}, 400, invalid(*words))


def at(second):
    return f"1970-01-01T00:00:0{second}Z"


SEARCHES = [
    ("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"run": "run.info.run_id"}),
    ("POST", V3, told("tr-1", request_time=at(1), tags={"mlflow.traceName": "Ask", "team": "a"}, client_request_id="c1",
                      trace_metadata={"mlflow.sourceRun": "$run", "k": "x"}), 200, {}),
    ("POST", V3, told("tr-2", request_time=at(2), state="ERROR", execution_duration="0.5s",
                      tags={"mlflow.traceName": "answer", "team": "b"}), 200, {}),
    ("POST", V3, told("tr-3", request_time=at(3), state="IN_PROGRESS", execution_duration=None, tags={"it's": "odd"}), 200, {}),
    found("", 3, 2, 1),
    found("status = 'ERROR'", 2),
    found("trace.status IN ('OK', 'ERROR')", 2, 1),
    found("attributes.status != 'OK'", 3, 2),
    found("timestamp_ms >= 2000", 3, 2),
    found("timestamp > 1000 AND attributes.timestamp_ms < 3000", 2),
    found("execution_time_ms < 600", 2),
    found("end_time = 3250", 1),
    found("name = 'Ask'", 1),
    found("name LIKE 'a%'", 2),
    found("name ILIKE 'a%' AND name ILIKE '%r'", 2),
    found("name ILIKE 'a%'", 2, 1),
    found("name NOT IN ('Ask')", 2),
    found("tags.team = 'a'", 1),
    found("tag.team != 'a'", 2),
    found("tags.team IS NULL", 3),
    found("tags.team IS NOT NULL AND request_id = 'tr-2'", 2),
    found("tags.\"it's\" = 'odd'", 3),
    found("metadata.k = 'x'", 1),
    found("request_metadata.k LIKE 'x'", 1),
    found("client_request_id = 'c1'", 1),
    found("run_id = '$run'", 1),
    ("POST", "traces/link-to-run", {"trace_ids": ["tr-3", "tr-0"], "run_id": "$run"}, 200, {}),
    ("POST", "traces/link-to-run", {"trace_ids": ["tr-3"], "run_id": "$run"}, 200, {}),
    ("POST", "traces/link-to-run", {"trace_ids": ["tr-3"], "run_id": "0" * 32}, 404, NONE),
    ("POST", "traces/link-to-run", {"trace_ids": ["tr-3"] * 101, "run_id": "$run"}, 400, invalid("more than 100")),
    found("run_id = '$run'", 3, 1),
    found("run_id IN ('$run')", 3, 1),
    found("", 1, 2, 3, order_by=["timestamp_ms ASC"]),
    found("", 2, 1, 3, order_by=["execution_time_ms"]),
    found("", 1, 2, 3, order_by=["attributes.execution_time_ms DESC"]),
    found("", 2, 1, 3, order_by=["tags.team DESC"]),
    found("", 1, 2, 3, order_by=["name"]),
    ("POST", f"{V3}/search", {**HERE, "max_results": 2}, 200, {"traces": [located(3), located(2)]}, {"page": "next_page_token"}),
    ("POST", f"{V3}/search", {**HERE, "max_results": 2, "page_token": "$page"}, 200,
     {"traces": [located(1)], "next_page_token": None}),
    ("POST", f"{V3}/search", {**HERE, "max_results": 1, "filter": "name ILIKE 'a%'"}, 200, {"traces": [located(2)]},
     {"page": "next_page_token"}),
    ("POST", f"{V3}/search", {**HERE, "max_results": 1, "filter": "name ILIKE 'a%'", "page_token": "$page"}, 200,
     {"traces": [located(1)], "next_page_token": None}),
    ("POST", f"{V3}/search", {**HERE, "max_results": 501}, 400, invalid("1 to 500")),
    ("POST", f"{V3}/search", {**HERE, "max_results": 0}, 400, invalid("1 to 500")),
    ("POST", f"{V3}/search", {**HERE, "page_token": "x"}, 400, invalid("page token")),
    ("POST", f"{V3}/search", {}, 400, missing("locations")),
    ("POST", f"{V3}/search", {"locations": [{"mlflow_experiment": {"experiment_id": "7"}}]}, 200, {"traces": None}),
    ("POST", f"{V3}/search", {"locations": []}, 200, {"traces": None}),
    ("POST", f"{V3}/search", {**HERE, "order_by": ["name", "name"]}, 400, invalid("duplicate")),
    refused("span.name = 'x'", "Invalid entity type 'span'"),
    refused("feedback.good = 'true'", "Invalid entity type 'feedback'"),
    refused("expectation.want = '1'", "Invalid entity type 'expectation'"),
    refused("text LIKE '%x%'", "Invalid attribute key 'text'"),
    refused("name RLIKE 'x'", "Invalid comparator 'RLIKE'"),
    refused("status = 'OK' OR status = 'ERROR'", "Invalid clause"),
    refused("timestamp_ms = 'x'", "Expected numeric value"),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "0"}, 400, invalid("must be specified")),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "0", "request_ids": ["tr-1"], "max_traces": 1}, 400, invalid("max_traces")),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "0", "max_timestamp_millis": 5000, "max_traces": 0}, 400,
     invalid("positive")),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "7", "request_ids": ["tr-1"]}, 404, NONE),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "0", "request_ids": ["tr-2", "tr-0"]}, 200, {"traces_deleted": 1}),
    ("POST", "traces/delete-traces", {"experiment_id": "0", "max_timestamp_millis": 5000, "max_traces": 1}, 200,
     {"traces_deleted": 1}),
    found("", 3),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "0", "max_timestamp_millis": 2999}, 200, {"traces_deleted": 0}),
    ("POST", f"{V3}/delete-traces", {"experiment_id": "0", "max_timestamp_millis": 2**63 - 1}, 200, {"traces_deleted": 1}),
    found(""),
]

OLD = [
    ("POST", "traces", {"experiment_id": "0", "timestamp_ms": 1000, "request_metadata": [{"key": "m", "value": "1"}],
                        "tags": [{"key": "mlflow.traceName", "value": "old"}]}, 200,
     {"trace_info": {"experiment_id": "0", "timestamp_ms": 1000, "status": "IN_PROGRESS", "execution_time_ms": 0,
                     "request_metadata": [{"key": "m", "value": "1"}]}}, {"id": "trace_info.request_id"}),
    ("PATCH", "traces/$id", {"timestamp_ms": 1700, "status": "OK", "request_metadata": [{"key": "n", "value": "2"}]}, 200,
     {"trace_info": {"request_id": "$id", "execution_time_ms": 700, "status": "OK",
                     "request_metadata": [{"key": "m", "value": "1"}, {"key": "n", "value": "2"}]}}),
    ("GET", "traces/$id/info", None, 200, {"trace_info": {"status": "OK"}}),
    ("GET", "traces/none/info", None, 404, NONE),
    ("PATCH", "traces/none", {"timestamp_ms": 1, "status": "OK"}, 404, NONE),
    ("POST", "traces", {"experiment_id": "0", "timestamp_ms": 2**62}, 400, invalid("before the year 10000")),
    ("PATCH", "traces/$id", {"timestamp_ms": 2**62, "status": "OK"}, 400, invalid("before the year 10000")),
    ("PATCH", "traces/$id", {"timestamp_ms": 1, "status": "FINE"}, 400, invalid("OK, ERROR or IN_PROGRESS")),
    ("GET", "traces", {"experiment_ids": ["0"], "filter": "name = 'old'"}, 200, {"traces": [{"request_id": "$id"}]}),
    ("GET", "traces", {"filter": "name = 'old'"}, 400, missing("experiment_ids")),
    ("GET", f"{V3}/$id", None, 200, {"trace": {"trace_info": {"trace_id": "$id", "execution_duration": "0.700s"}}}),
]


class TracesTest(WireTest):
    def test_what_is_told_of_traces(self):
        self.play(self.start()[1], TOLD)

    def test_assessments(self):
        self.play(self.start()[1], ASSESSMENTS)

    def test_searches_and_deletions(self):
        self.play(self.start()[1], SEARCHES)

    def test_clients_before_version_3(self):
        self.play(self.start()[1], OLD)

    # ---- OTLP ----

    def send(self, port, body, status=200, kind="application/x-protobuf", experiment="0", **headers):
        headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        headers.update({"x-mlflow-experiment-id": experiment} if experiment is not None else {})
        answer, received = self.ask(port, "/v1/traces", method="POST", body=body, headers=headers)
        self.assertEqual(answer.status, status, received)
        return answer, received

    def refuse(self, port, body, *words, **more):
        received = self.send(port, body, more.pop("status", 400), **more)[1]
        self.assertTrue(held_in({"message": set(words)}, received), (words, received))

    def trace(self, port, trace_id=ID):
        return self.ask(port, f"{V3}/get?trace_id={trace_id}&allow_partial=true")[1]["trace"]

    def test_spans_come_back_as_they_were_sent(self):
        port = self.start()[1]
        event = message((1, Fixed(1500 * MS)), (2, "exception"), (3, key_value("exception.type", "ValueError")))
        link = message((1, bytes.fromhex(OTHER)), (2, bytes(7) + b"\x09"))
        status = message((2, "boo"), (3, 2))
        values = {"text": "ü\n", "whole": -7, "half": 0.5, "yes": True, "none": None, "bytes": b"\x00\xff",
                  "deep": {"list": [1, "two", {"x": []}], "empty": {}}}
        answer, body = self.send(port, export(
            span(attributes=values, more=[(6, 1), (11, event), (13, link), (15, status), (99, "unheard of")]),
            span(number=2, parent=1, name="child", times=(1200, 1300))))
        self.assertEqual((body, answer.getheader("Content-Type")), (b"", "application/x-protobuf"))
        root, child = self.trace(port)["spans"]
        self.assertEqual((root["trace_id"], root["span_id"], child["parent_span_id"]),
                         ("AQIDBAUGBwgJCgsMDQ4PEA==", "AAAAAAAAAAE=", "AAAAAAAAAAE="))
        self.assertEqual((root["start_time_unix_nano"], root["end_time_unix_nano"]), (1000 * MS, 3000 * MS))
        self.assertEqual((root["kind"], root["status"]), ("SPAN_KIND_INTERNAL", {"message": "boo", "code": "STATUS_CODE_ERROR"}))
        self.assertEqual(root["events"], [{"time_unix_nano": 1500 * MS, "name": "exception", "attributes": [
            {"key": "exception.type", "value": {"string_value": "ValueError"}}]}])
        self.assertEqual(root["links"], [{"trace_id": "/////////////////////w==", "span_id": "AAAAAAAAAAk="}])
        self.assertEqual({one["key"]: one["value"] for one in root["attributes"]}, {
            "text": {"string_value": "ü\n"}, "whole": {"int_value": -7}, "half": {"double_value": 0.5}, "yes": {"bool_value": True},
            "none": {}, "bytes": {"bytes_value": "AP8="}, "deep": {"kvlist_value": {"values": [
                {"key": "list", "value": {"array_value": {"values": [
                    {"int_value": 1}, {"string_value": "two"},
                    {"kvlist_value": {"values": [{"key": "x", "value": {"array_value": {}}}]}}]}}},
                {"key": "empty", "value": {"kvlist_value": {}}}]}}})

    def test_json_is_the_same(self):
        port = self.start()[1]
        body = {"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": TRACE, "spanId": "00000000000000AB", "name": "root", "kind": 3, "startTimeUnixNano": "1000000000",
            "endTimeUnixNano": 2000000000, "unheardOf": 1, "status": {"code": "STATUS_CODE_OK"},
            "attributes": [{"key": "n", "value": {"intValue": "7"}}, {"key": "d", "value": {"doubleValue": "NaN"}},
                           {"key": "b", "value": {"bytesValue": "AP8="}}]}]}]}]}
        self.assertEqual(self.send(port, json.dumps(body), kind="application/json; charset=utf-8")[1], {})
        self.assertEqual(self.trace(port)["spans"], [{
            "trace_id": "AQIDBAUGBwgJCgsMDQ4PEA==", "span_id": "AAAAAAAAAKs=", "name": "root", "kind": "SPAN_KIND_CLIENT",
            "start_time_unix_nano": 1000000000, "end_time_unix_nano": 2000000000, "status": {"code": "STATUS_CODE_OK"},
            "attributes": [{"key": "n", "value": {"int_value": 7}}, {"key": "d", "value": {"double_value": "NaN"}},
                           {"key": "b", "value": {"bytes_value": "AP8="}}]}])
        for wrong in ({"resourceSpans": 1}, {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz!"}]}]}]}, [],
                      {"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}):
            self.refuse(port, json.dumps(wrong), "Invalid OpenTelemetry format", kind="application/json")

    def test_spans_alone_make_a_trace(self):
        port = self.start()[1]
        self.send(port, export(span(number=2, parent=1, times=(1200, 1300), attributes={"session.id": "s1"}),
                               resource={"service.name": "shop", "telemetry.sdk.name": "x", "mlflow.trace.spansLocation": "y",
                                         "host.cpus": 4}))
        info = self.trace(port)["trace_info"]
        self.assertTrue(held_in({"state": "IN_PROGRESS", "request_time": "1970-01-01T00:00:01.200Z", "execution_duration": "0.100s",
                                 "request_preview": None, "trace_metadata": {"mlflow.trace.session": "s1"},
                                 "tags": {"service.name": "shop", "host.cpus": "4", "telemetry.sdk.name": None,
                                          "mlflow.trace.spansLocation": "TRACKING_STORE"}}, info), info)
        self.send(port, export(span(attributes={"mlflow.spanInputs": {"q": [1]}, "mlflow.spanOutputs": "x" * 2000,
                                                "mlflow.traceTag.team": "fraud"})))
        info = self.trace(port)["trace_info"]
        self.assertTrue(held_in({"state": "OK", "request_time": "1970-01-01T00:00:01.000Z", "execution_duration": "2.000s",
                                 "request_preview": '{"q":[1]}', "response_preview": "x" * 1000,
                                 "tags": {"team": "fraud", "service.name": "shop"}}, info), info)

    def test_what_the_client_tells_counts_more_than_its_spans(self):
        port = self.start()[1]
        self.play(port, [("POST", V3, told(trace_metadata={"mlflow.trace.session": "told",
                                                           "mlflow.trace.sizeStats": '{"num_spans": 2}'}), 200, {})])
        self.send(port, export(span(more=[(15, message((3, 2)))], attributes={"session.id": "s1"})))
        info = self.trace(port)["trace_info"]
        self.assertTrue(held_in({"state": "OK", "request_time": "1970-01-01T00:00:01.500Z", "execution_duration": "2.250s",
                                 "trace_metadata": {"mlflow.trace.session": "told"}}, info), info)
        self.play(port, [("GET", f"{V3}/get", {"trace_id": ID}, 404, error("RESOURCE_DOES_NOT_EXIST", "not fully exported")),
                         ("GET", f"{V3}/batchGet", {"trace_ids": [ID]}, 200, {"traces": []})])
        self.send(port, export(span(number=2, parent=1)))
        self.play(port, [("GET", f"{V3}/get", {"trace_id": ID}, 200, {"trace": {"spans": [{"name": "root"}, {"name": "root"}]}}),
                         ("GET", f"{V3}/batchGet", {"trace_ids": [ID, "tr-0"]}, 200, {"traces": [{"trace_info": {"trace_id": ID}}]})])

    def test_a_span_that_comes_again_is_one_span(self):
        port = self.start()[1]
        self.send(port, export(span(name="first"), span(number=2, parent=1, name="child")))
        self.send(port, export(span(name="second")))
        self.assertEqual([one["name"] for one in self.trace(port)["spans"]], ["second", "child"])

    def test_a_batch_may_be_of_several_traces_and_is_linked_to_a_run(self):
        port = self.start()[1]
        run_id = self.request(port, "POST", "runs/create", {"experiment_id": "0"})[1]["run"]["info"]["run_id"]
        self.send(port, export(span(), span(OTHER), span(number=2, parent=1)), x_mlflow_run_id=run_id)
        self.assertEqual([len(self.trace(port, one)["spans"]) for one in (ID, OTHER_ID)], [2, 1])
        found_ids = self.request(port, "POST", f"{V3}/search", {**HERE, "filter": f"run_id = '{run_id}'"})[1]["traces"]
        self.assertEqual({one["trace_id"] for one in found_ids}, {ID, OTHER_ID})

    def test_a_batch_is_taken_whole_or_not_at_all(self):
        port = self.start()[1]
        self.refuse(port, export(span(), span(trace="01" * 8)), "16 bytes")
        self.refuse(port, export(span(), span(OTHER)), "does not exist", status=404,
                    x_mlflow_run_id="0" * 32)
        self.play(port, [("GET", f"{V3}/{ID}", None, 404, NONE), ("GET", f"{V3}/{OTHER_ID}", None, 404, NONE)])

    def test_packed_bodies(self):
        port = self.start()[1]
        raw = zlib.compressobj(wbits=-15)
        for number, (encoding, packed) in enumerate([
                ("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda body: raw.compress(body) + raw.flush())], 1):
            self.send(port, packed(export(span(number=number, parent=9))), Content_Encoding=encoding)
        self.assertEqual(len(self.trace(port)["spans"]), 3)
        self.refuse(port, export(span()), "decompress gzip", Content_Encoding="gzip")
        self.refuse(port, gzip.compress(export(span()))[:-1], "decompress gzip", Content_Encoding="gzip")
        self.refuse(port, zlib.compress(export(span())) + b"x", "decompress deflate", Content_Encoding="deflate")
        self.refuse(port, export(span()), "Unsupported Content-Encoding", status=415, Content_Encoding="br")
        bomb = gzip.compress(bytes(200 * 1024 * 1024))
        self.refuse(port, bomb, "when it is unpacked", status=413, Content_Encoding="gzip")

    def test_what_is_no_batch_of_spans(self):
        port = self.start()[1]
        self.refuse(port, export(span()), "x-mlflow-experiment-id", experiment=None)
        self.refuse(port, export(span()), "Invalid experiment ID", experiment="x")
        self.refuse(port, export(span()), "does not exist", experiment="99", status=404)
        self.refuse(port, export(span()), "Invalid Content-Type", kind="text/plain")
        self.refuse(port, b"", "no spans found")
        self.refuse(port, export(span())[:-1], "Invalid OpenTelemetry format")
        self.refuse(port, b"\xff" * 20, "Invalid OpenTelemetry format")
        self.refuse(port, b"{", "Invalid OpenTelemetry format", kind="application/json")
        self.refuse(port, export(span(times=(2**63 // MS + 1, 1))), "too far away")
        deep = "x"
        for _ in range(40):
            deep = {"in": deep}
        self.refuse(port, export(span(attributes={"deep": deep})), "nested deeper")
        self.refuse(port, export(*[span(number=number) for number in range(1, 10002)]), "at most 10000 spans")
        self.send(port, message((1, message((2, b"")))))

    def test_values_may_be_as_deep_as_clients_read_them(self):
        port = self.start()[1]
        deep = "x"
        for _ in range(30):
            deep = {"in": deep}
        self.send(port, export(span(attributes={"deep": deep, "mlflow.spanInputs": deep})))
        value = self.trace(port)["spans"][0]["attributes"][0]["value"]
        for _ in range(30):
            value = value["kvlist_value"]["values"][0]["value"]
        self.assertEqual(value, {"string_value": "x"})

    def test_deleted_traces_are_gone_and_the_audit_trail_says_so(self):
        port = self.start()[1]
        self.send(port, export(span(), span(OTHER)))
        self.play(port, [("POST", f"{V3}/{ID}/assessments", {"assessment": GOOD}, 200, {}),
                         ("POST", f"{V3}/delete-traces", {"experiment_id": "0", "request_ids": [ID]}, 200, {"traces_deleted": 1})])
        events = self.ask(port, "/api/v1/audit?action=trace.deleted")[1]["events"]
        self.assertEqual([(one["object"], one["detail"]) for one in events], [("experiment 0", {"count": 1, "traces": [ID]})])
        self.send(port, export(span(name="new")))
        trace = self.trace(port)
        self.assertEqual(([one["name"] for one in trace["spans"]], trace["trace_info"].get("assessments")), (["new"], None))

    def test_roles(self):
        self.token("o", "owner")
        viewer = {"Authorization": f"Bearer {self.token('v', 'viewer')}"}
        contributor = {"Authorization": f"Bearer {self.token('c', 'contributor')}"}
        port = self.start("--demand-token")[1]
        sent = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
        for headers, status in (({}, 401), (viewer, 403), (contributor, 200)):
            answer, body = self.ask(port, "/v1/traces", method="POST", body=export(span()), headers={**sent, **headers})
            self.assertEqual(answer.status, status, body)
        self.assertEqual(self.ask(port, f"{V3}/{ID}", headers=viewer)[0].status, 200)
        self.assertEqual(self.ask(port, f"{V3}/{ID}")[0].status, 401)


if __name__ == "__main__":
    run(TracesTest)
