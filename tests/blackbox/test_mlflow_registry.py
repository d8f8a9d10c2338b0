#!/usr/bin/env python3
"""MLflow's routes of registered models and their versions, as bytes on the wire."""
import concurrent.futures
import time

from harness import run
from mlflow_wire import WireTest, error, invalid, missing

ABSENT = "RESOURCE_DOES_NOT_EXIST"
LONG = "x" * 100_000

MODELS = [
    ("POST", "registered-models/create", {"name": "spam", "description": "mails", "tags": [{"key": "team", "value": "a"}, {"key": "n"}]},
     200, {"registered_model": {"name": "spam", "description": "mails", "latest_versions": None, "aliases": None,
                                "tags": [{"key": "n", "value": ""}, {"key": "team", "value": "a"}]}}),
    ("POST", "registered-models/create", {"name": "spam"}, 400, error("RESOURCE_ALREADY_EXISTS", "spam")),
    ("POST", "registered-models/create", {}, 400, missing("name")),
    ("POST", "registered-models/create", {"name": " "}, 400, invalid("model name")),
    ("POST", "registered-models/create", {"name": "a/b"}, 400, invalid("model name")),
    ("POST", "registered-models/create", {"name": "a:b"}, 400, invalid("model name")),
    ("POST", "registered-models/create", {"name": ".."}, 400, invalid("model name")),
    ("POST", "registered-models/create", {"name": "half", "tags": [{"key": "a/../b", "value": "v"}]}, 400, invalid("relative path")),
    ("GET", "registered-models/get", {"name": "half"}, 404, error(ABSENT, "half")),
    ("GET", "registered-models/get", {"name": "spam"}, 200, {"registered_model": {"name": "spam"}}),
    ("GET", "registered-models/get", {}, 400, missing("name")),
    ("PATCH", "registered-models/update", {"name": "spam", "description": "all mails"}, 200,
     {"registered_model": {"description": "all mails"}}),
    ("PATCH", "registered-models/update", {"name": "spam"}, 200, {"registered_model": {"description": None}}),
    ("PATCH", "registered-models/update", {"name": "spam", "description": "x" * 5001}, 400, invalid("5000")),
    ("PATCH", "registered-models/update", {"name": "none", "description": "x"}, 404, error(ABSENT, "none")),
    ("POST", "registered-models/set-tag", {"name": "spam", "key": "team", "value": "b"}, 200, {}),
    ("POST", "registered-models/set-tag", {"name": "spam", "key": "empty"}, 200, {}),
    ("POST", "registered-models/set-tag", {"name": "spam", "key": "long", "value": LONG}, 200, {}),
    ("POST", "registered-models/set-tag", {"name": "spam", "key": "long", "value": LONG + "x"}, 400, invalid("100000")),
    ("POST", "registered-models/set-tag", {"name": "none", "key": "k", "value": "v"}, 404, error(ABSENT)),
    ("DELETE", "registered-models/delete-tag", {"name": "spam", "key": "long"}, 200, {}),
    ("DELETE", "registered-models/delete-tag", {"name": "spam", "key": "long"}, 200, {}),
    ("DELETE", "registered-models/delete-tag", {"name": "spam", "key": "empty"}, 200, {}),
    ("DELETE", "registered-models/delete-tag", {"name": "spam"}, 400, missing("key")),
    ("GET", "registered-models/get", {"name": "spam"}, 200,
     {"registered_model": {"tags": [{"key": "n", "value": ""}, {"key": "team", "value": "b"}]}}),
    ("POST", "model-versions/create", {"name": "spam", "source": "s3://bucket/model"}, 200, {"model_version": {"version": "1"}}),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "best", "version": "1"}, 200, {}),
    ("POST", "registered-models/create", {"name": "ham"}, 200, {}),
    ("POST", "registered-models/rename", {"name": "spam", "new_name": "ham"}, 400, error("RESOURCE_ALREADY_EXISTS", "ham")),
    ("POST", "registered-models/rename", {"name": "spam", "new_name": "a/b"}, 400, invalid("model name")),
    ("POST", "registered-models/rename", {"name": "none", "new_name": "some"}, 404, error(ABSENT)),
    ("POST", "registered-models/rename", {"name": "spam"}, 400, missing("new_name")),
    ("POST", "registered-models/rename", {"name": "spam", "new_name": "mail"}, 200,
     {"registered_model": {"name": "mail", "tags": [{"key": "n", "value": ""}, {"key": "team", "value": "b"}],
                           "aliases": [{"alias": "best", "version": "1"}],
                           "latest_versions": [{"name": "mail", "version": "1", "aliases": ["best"]}]}}),
    ("GET", "registered-models/get", {"name": "spam"}, 404, error(ABSENT)),
    ("GET", "/api/v1/models/mail/versions/1/lineage", {}, 200,
     {"version": {"model": "mail", "version": 1},
      "events": [{"action": "model_version.created", "object": "spam@1"}, {"action": "model_alias.set", "object": "spam@1"},
                 {"action": "model_version.renamed", "object": "mail@1"}]}),
    ("DELETE", "registered-models/delete", {"name": "mail"}, 200, {}),
    ("DELETE", "registered-models/delete", {"name": "mail"}, 404, error(ABSENT)),
    ("GET", "model-versions/get", {"name": "mail", "version": "1"}, 404, error(ABSENT)),
    ("POST", "registered-models/create", {"name": "mail"}, 200, {"registered_model": {"tags": None, "latest_versions": None}}),
    ("POST", "model-versions/create", {"name": "mail", "source": "s3://bucket/other"}, 200, {"model_version": {"aliases": None}}),
    ("GET", "/api/v1/models/mail/versions/1/lineage", {}, 200,
     {"events": [{"action": "model_version.created", "object": "mail@1"}]}),
]

NO_PACKAGE = {"error": {"message": {"version 2 of model \"spam\" has no package here: its files are at gs://bucket/two"}}}

VERSIONS = [
    ("POST", "model-versions/create", {"name": "spam", "source": "s3://bucket/model"}, 404, error(ABSENT, "spam")),
    ("POST", "registered-models/create", {"name": "spam"}, 200, {}),
    ("POST", "model-versions/create", {"name": "spam", "source": "s3://bucket/model", "run_link": "http://ci/7", "run_id": "elsewhere",
                                       "description": "first", "tags": [{"key": "k", "value": "v"}]}, 200,
     {"model_version": {"name": "spam", "version": "1", "current_stage": "None", "status": "READY", "source": "s3://bucket/model",
                        "run_link": "http://ci/7", "run_id": "elsewhere", "description": "first", "user_id": "local",
                        "tags": [{"key": "k", "value": "v"}], "aliases": None, "model_id": None}}),
    ("POST", "model-versions/create", {"name": "spam"}, 400, missing("source")),
    ("POST", "model-versions/create", {"source": "s3://b/m"}, 400, missing("name")),
    ("POST", "model-versions/create", {"name": "spam", "source": "gs://bucket/two"}, 200, {"model_version": {"version": "2"}}),
    ("POST", "model-versions/create", {"name": "spam", "source": "gs://bucket/three"}, 200, {"model_version": {"version": "3"}}),
    ("GET", "model-versions/get", {"name": "spam", "version": "1"}, 200, {"model_version": {"description": "first"}}),
    ("GET", "model-versions/get", {"name": "spam", "version": "one"}, 400, invalid("'version'", "integer")),
    ("GET", "model-versions/get", {"name": "spam", "version": "9"}, 404, error(ABSENT, "9")),
    ("GET", "model-versions/get", {"name": "spam"}, 400, missing("version")),
    ("GET", "model-versions/get-download-uri", {"name": "spam", "version": "2"}, 200, {"artifact_uri": "gs://bucket/two"}),
    ("PATCH", "model-versions/update", {"name": "spam", "version": "1", "description": "oldest"}, 200,
     {"model_version": {"description": "oldest"}}),
    ("POST", "model-versions/set-tag", {"name": "spam", "version": "1", "key": "mlflow.prompt.text", "value": LONG}, 200, {}),
    ("POST", "model-versions/set-tag", {"name": "spam", "version": "1", "key": "mlflow.prompt.text", "value": LONG + "x"}, 400,
     invalid("100000")),
    ("DELETE", "model-versions/delete-tag", {"name": "spam", "version": "1", "key": "mlflow.prompt.text"}, 200, {}),
    ("DELETE", "model-versions/delete-tag", {"name": "spam", "version": "1", "key": "mlflow.prompt.text"}, 200, {}),
    ("POST", "model-versions/set-tag", {"name": "spam", "version": "9", "key": "k", "value": "v"}, 404, error(ABSENT)),
    ("GET", "model-versions/get", {"name": "spam", "version": "1"}, 200, {"model_version": {"tags": [{"key": "k", "value": "v"}]}}),
    ("POST", "model-versions/transition-stage", {"name": "spam", "version": "1", "stage": "PRODUCTION", "archive_existing_versions": False},
     200, {"model_version": {"version": "1", "current_stage": "Production"}}),
    ("POST", "model-versions/transition-stage", {"name": "spam", "version": "2", "stage": "Production",
                                                 "archive_existing_versions": "true"}, 200,
     {"model_version": {"version": "2", "current_stage": "Production"}}),
    ("GET", "model-versions/get", {"name": "spam", "version": "1"}, 200, {"model_version": {"current_stage": "Archived"}}),
    ("POST", "model-versions/transition-stage", {"name": "spam", "version": "3", "stage": "None", "archive_existing_versions": True},
     400, invalid("Staging or Production")),
    ("POST", "model-versions/transition-stage", {"name": "spam", "version": "3", "stage": "Live"}, 400,
     invalid("Invalid Model Version stage: Live")),
    ("POST", "model-versions/transition-stage", {"name": "spam", "version": "3"}, 400, missing("stage")),
    ("POST", "registered-models/get-latest-versions", {"name": "spam"}, 200,
     {"model_versions": [{"version": "1"}, {"version": "2"}, {"version": "3"}]}),
    ("GET", "registered-models/get-latest-versions", {"name": "spam", "stages": ["production", "None"]}, 200,
     {"model_versions": [{"version": "2"}, {"version": "3"}]}),
    ("POST", "registered-models/get-latest-versions", {"name": "spam", "stages": ["Staging"]}, 200, {"model_versions": None}),
    ("POST", "registered-models/get-latest-versions", {"name": "spam", "stages": ["Live"]}, 400, invalid("Live")),
    ("POST", "registered-models/get-latest-versions", {"name": "none"}, 404, error(ABSENT)),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "best", "version": "3"}, 200, {}),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "best", "version": "2"}, 200, {}),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "best", "version": "9"}, 404, error(ABSENT)),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "Latest", "version": "2"}, 400, invalid("alias")),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "v2", "version": "2"}, 400, invalid("alias")),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "a b", "version": "2"}, 400, invalid("alias")),
    ("GET", "registered-models/alias", {"name": "spam", "alias": "best"}, 200,
     {"model_version": {"version": "2", "aliases": ["best"]}}),
    ("GET", "registered-models/alias", {"name": "spam", "alias": "latest"}, 200, {"model_version": {"version": "3"}}),
    ("GET", "registered-models/alias", {"name": "spam", "alias": "worst"}, 400, invalid("worst")),
    ("GET", "registered-models/alias", {"name": "none", "alias": "best"}, 404, error(ABSENT)),
    ("GET", "registered-models/get", {"name": "spam"}, 200,
     {"registered_model": {"aliases": [{"alias": "best", "version": "2"}]}}),
    ("DELETE", "registered-models/alias", {"name": "spam", "alias": "best"}, 200, {}),
    ("DELETE", "registered-models/alias", {"name": "spam", "alias": "best"}, 200, {}),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "last", "version": "3"}, 200, {}),
    ("DELETE", "model-versions/delete", {"name": "spam", "version": "3"}, 200, {}),
    ("DELETE", "model-versions/delete", {"name": "spam", "version": "3"}, 404, error(ABSENT)),
    ("GET", "registered-models/alias", {"name": "spam", "alias": "last"}, 400, invalid("last")),
    ("POST", "model-versions/create", {"name": "spam", "source": "gs://bucket/four"}, 200, {"model_version": {"version": "4"}}),
    ("GET", "/api/v1/models/spam/versions/2", {}, 200,
     {"version": 2, "source": "gs://bucket/two", "stage": "Production"}),
    ("POST", "/api/v1/endpoints/spam/deploy", {"model": "spam", "version": 2}, 409, NO_PACKAGE),
    ("PUT", "/api/v1/projects/spam", b"project: spam\n", 201, {}),
    ("POST", "/api/v1/endpoints", {"name": "spam", "project": "spam"}, 200, {}),
    ("POST", "/api/v1/endpoints/spam/promote", {"model": "spam", "version": 2}, 409, NO_PACKAGE),
    ("POST", "/api/v1/projects/spam/evaluate", {"model": "spam", "version": 2}, 409, NO_PACKAGE),
]

REFUSED_SOURCES = [
    "/etc", "file:///etc", "file://localhost/etc", "FILE:/etc", "C:/x", "dummy-source", "relative/path", "~/x",
    "mlflow-artifacts://host/../../..", "mlflow-artifacts:/0/$run/artifacts/../../etc", "mlflow-artifacts:/0/$run/artifacts/%2e%2e/x",
    "mlflow-artifacts:/0/$run/artifacts/%252e%252e/x", "mlflow-artifacts:/0/$run/artifacts/..%2fx",
    "mlflow-artifacts:/0/$run/artifacts/m?x=../..", "mlflow-artifacts:/0/$run/artifacts/m#/../..",
    "mlflow-artifacts:/0/$run/artifacts/m%00", "mlflow-artifacts:/0/$run/artifacts/m\x00", "mlflow-artifacts:/0/$run/artifacts/a\\..\\b",
    "mlflow-artifacts:/0/$run/artifacts/m\n", "mlflow-artifacts:/0/$run", "mlflow-artifacts:/0/" + "1" * 32 + "/artifacts/model",
    "mlflow-artifacts:/0/$run/artifactsmodel", "mlflow-artifacts://elsewhere/0/$run/artifacts/model",
    "http://host/api/2.0/mlflow-artifacts/artifacts/0/$run/artifacts/model", "http://host/api/2.0/mlflow-artifacts/artifacts/../../..",
    "s3://bucket/../etc", "runs:/" + "1" * 32 + "/model", "runs://host/$run/model", "runs:/$run/..", "models://host/spam/1",
    "models:/", "models:/a/b/c", "s3://" + "x" * 2048, "mlflow-artifacts:/0/$run/artifacts/" + "%" + "25" * 20 + "2e",
]

PROMPTS = [
    ("POST", "registered-models/create", {"name": "greet", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}, 200, {}),
    ("POST", "model-versions/create", {"name": "greet", "source": "dummy-source", "tags": [
        {"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "Hello {{name}}"}]}, 200,
     {"model_version": {"version": "1", "source": "dummy-source"}}),
    ("POST", "model-versions/create", {"name": "greet", "source": "file:///etc", "tags": [
        {"key": "mlflow.prompt.is_prompt", "value": "true"}]}, 400, invalid("Invalid prompt source")),
    ("POST", "model-versions/create", {"name": "greet", "source": "models:/greet/1"}, 400, invalid("prompt")),
]

def names(*wanted):
    return {"registered_models": [{"name": name} for name in wanted]}


def numbers(*wanted):
    return {"model_versions": [{"name": name, "version": version} for name, version in wanted]}


# Models apple, Banana, berry and the prompt greet; versions of each, one of them deleted.
SEARCH_SCENE = [
    *[("POST", "registered-models/create", {"name": name, "tags": tags}, 200, {}) for name, tags in (
        ("berry", [{"key": "team", "value": "Risk"}]), ("apple", [{"key": "team", "value": "fraud"}]), ("Banana", []),
        ("greet", [{"key": "mlflow.prompt.is_prompt", "value": "true"}]))],
    *[("POST", "model-versions/create", {"name": name, "source": source, "run_id": run, "tags": tags}, 200, {})
      for name, source, run, tags in (
          ("apple", "s3://b/one", "r1", [{"key": "ok", "value": "yes"}]), ("apple", "s3://b/two", "r2", []),
          ("apple", "s3://b/gone", "r3", []), ("berry", "gs://B/one", "", [{"key": "ok", "value": "no"}]))],
    ("POST", "model-versions/create", {"name": "greet", "source": "dummy-source", "tags": [
        {"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "Hi"}]}, 200, {}),
    ("DELETE", "model-versions/delete", {"name": "apple", "version": "3"}, 200, {}),
    ("PATCH", "model-versions/update", {"name": "apple", "version": "1", "description": "changed last"}, 200, {}),
    ("PATCH", "registered-models/update", {"name": "Banana", "description": "changed last"}, 200, {}),
]

MODEL_SEARCHES = [
    ("GET", "registered-models/search", {}, 200, names("Banana", "apple", "berry")),
    ("GET", "registered-models/search", {"order_by": "name DESC"}, 200, names("berry", "apple", "Banana")),
    ("GET", "registered-models/search", {"order_by": ["last_updated_timestamp DESC", "name"], "max_results": 1}, 200, names("Banana")),
    ("GET", "registered-models/search", {"order_by": "timestamp DESC", "max_results": 1}, 200, names("Banana")),
    ("GET", "registered-models/search", {"filter": "name = 'apple'"}, 200,
     {"registered_models": [{"name": "apple", "latest_versions": [{"version": "2"}], "tags": [{"key": "team", "value": "fraud"}]}],
      "next_page_token": None}),
    ("GET", "registered-models/search", {"filter": "name != 'apple'"}, 200, names("Banana", "berry")),
    ("GET", "registered-models/search", {"filter": "name LIKE 'b%'"}, 200, names("berry")),
    ("GET", "registered-models/search", {"filter": "name ILIKE 'b%'"}, 200, names("Banana", "berry")),
    ("GET", "registered-models/search", {"filter": "name ILIKE '%A%' AND name LIKE '%n_'"}, 200, names("Banana")),
    ("GET", "registered-models/search", {"filter": "tags.team = 'fraud'"}, 200, names("apple")),
    ("GET", "registered-models/search", {"filter": "tag.team != 'fraud'"}, 200, names("berry")),
    ("GET", "registered-models/search", {"filter": "tags.`team` ILIKE 'r%'"}, 200, names("berry")),
    ("GET", "registered-models/search", {"filter": "tags.none = 'x'"}, 200, {"registered_models": None, "next_page_token": None}),
    ("GET", "registered-models/search", {"filter": "tag.`mlflow.prompt.is_prompt` = 'true'"}, 200, names("greet")),
    ("GET", "registered-models/search", {"filter": "tag.`mlflow.prompt.is_prompt` != 'true'"}, 200, names("Banana", "apple", "berry")),
    ("GET", "registered-models/search", {"filter": "name = 'greet'"}, 200, {"registered_models": None}),
    ("GET", "registered-models/search", {"filter": "name = 'greet' AND tags.`mlflow.prompt.is_prompt` = 'true'"}, 200, names("greet")),
    ("GET", "registered-models/search", {"max_results": 2}, 200, names("Banana", "apple"), {"page": "next_page_token"}),
    ("GET", "registered-models/search", {"max_results": 2, "page_token": "$page"}, 200, {**names("berry"), "next_page_token": None}),
    ("GET", "registered-models/search", {"filter": "name ILIKE '%a%'", "max_results": 1}, 200, names("Banana"), {"page": "next_page_token"}),
    ("GET", "registered-models/search", {"filter": "name ILIKE '%a%'", "max_results": 1, "page_token": "$page"}, 200,
     {**names("apple"), "next_page_token": None}),
    ("GET", "registered-models/search", {"max_results": 3}, 200, {**names("Banana", "apple", "berry"), "next_page_token": None}),
    ("GET", "registered-models/search", {"max_results": 1001}, 400, invalid("max_results", "1000")),
    ("GET", "registered-models/search", {"max_results": 0}, 400, invalid("max_results")),
    ("GET", "registered-models/search", {"page_token": "x"}, 400, invalid("page token")),
    ("GET", "registered-models/search", {"page_token": str(2**63 - 1)}, 200, {"registered_models": None}),
    ("GET", "registered-models/search", {"filter": "size > 3"}, 400, invalid("size")),
    ("GET", "registered-models/search", {"filter": "name = 'a' OR name = 'b'"}, 400, invalid()),
    ("GET", "registered-models/search", {"filter": "name = 'a'; DROP TABLE models"}, 400, invalid()),
    ("GET", "registered-models/search", {"order_by": "size"}, 400, invalid("size")),
    ("GET", "registered-models/search", {"order_by": ["name", "name DESC"]}, 400, invalid("name")),
]

VERSION_SEARCHES = [
    ("GET", "model-versions/search", {}, 200, numbers(("apple", "1"), ("berry", "1"), ("apple", "2"))),
    ("GET", "model-versions/search", {"order_by": "name"}, 200, numbers(("apple", "2"), ("apple", "1"), ("berry", "1"))),
    ("GET", "model-versions/search", {"order_by": "version_number ASC"}, 200, numbers(("apple", "1"), ("berry", "1"), ("apple", "2"))),
    ("GET", "model-versions/search", {"order_by": "creation_timestamp ASC"}, 200, numbers(("apple", "1"), ("apple", "2"), ("berry", "1"))),
    ("GET", "model-versions/search", {"filter": "name = 'apple'", "order_by": ["version_number DESC"]}, 200,
     numbers(("apple", "2"), ("apple", "1"))),
    ("GET", "model-versions/search", {"filter": "name='apple' and version_number > 1"}, 200, numbers(("apple", "2"))),
    ("GET", "model-versions/search", {"filter": "version_number = '2'"}, 200, numbers(("apple", "2"))),
    ("GET", "model-versions/search", {"filter": "run_id = 'r1'"}, 200, {"model_versions": [{"source": "s3://b/one", "run_id": "r1"}]}),
    ("GET", "model-versions/search", {"filter": "run_id IN ('r1', 'r2', 'r3')", "order_by": "version_number"}, 200,
     numbers(("apple", "1"), ("apple", "2"))),
    ("GET", "model-versions/search", {"filter": "run_id != 'r1'"}, 200, numbers(("berry", "1"), ("apple", "2"))),
    ("GET", "model-versions/search", {"filter": "run_id NOT IN ('r1', 'r2')"}, 200, numbers(("berry", "1"))),
    ("GET", "model-versions/search", {"filter": "source_path LIKE 's3:%'", "order_by": "version_number"}, 200,
     numbers(("apple", "1"), ("apple", "2"))),
    ("GET", "model-versions/search", {"filter": "source_path ILIKE 'GS://b/%'"}, 200, numbers(("berry", "1"))),
    ("GET", "model-versions/search", {"filter": "tags.ok = 'yes'"}, 200, {"model_versions": [{"tags": [{"key": "ok", "value": "yes"}]}]}),
    ("GET", "model-versions/search", {"filter": "tags.`mlflow.prompt.is_prompt` = 'true' AND name = 'greet'"}, 200,
     numbers(("greet", "1"))),
    ("GET", "model-versions/search", {"filter": "name = 'greet'"}, 200, {"model_versions": None}),
    ("GET", "model-versions/search", {"max_results": 2}, 200, numbers(("apple", "1"), ("berry", "1")), {"page": "next_page_token"}),
    ("GET", "model-versions/search", {"max_results": 2, "page_token": "$page"}, 200,
     {**numbers(("apple", "2")), "next_page_token": None}),
    ("GET", "model-versions/search", {"max_results": 200001}, 400, invalid("max_results")),
    ("GET", "model-versions/search", {"filter": "stage = 'Production'"}, 400, invalid("stage")),
]

HELD = [
    ("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"run": "run.info.run_id"}),
    ("POST", "registered-models/create", {"name": "spam"}, 200, {}),
]

FROM_A_RUN = [
    ("POST", "model-versions/create", {"name": "spam", "run_id": "$run", "source": "mlflow-artifacts:/0/$run/artifacts/model"}, 200,
     {"model_version": {"version": "1", "run_id": "$run"}}),
    ("POST", "model-versions/create", {"name": "spam", "source": "runs:/$run/model"}, 200,
     {"model_version": {"version": "2", "run_id": "$run", "source": "runs:/$run/model"}}),
    ("POST", "model-versions/create", {"name": "spam", "run_id": "$run", "source": "runs:/$run/notes"}, 200,
     {"model_version": {"version": "3"}}),
    ("POST", "registered-models/create", {"name": "copy"}, 200, {}),
    ("POST", "registered-models/alias", {"name": "spam", "alias": "best", "version": "1"}, 200, {}),
    ("POST", "model-versions/create", {"name": "copy", "source": "models:/spam@best"}, 200,
     {"model_version": {"version": "1", "run_id": "$run", "source": "models:/spam/1"}}),
    ("GET", "model-versions/get-download-uri", {"name": "copy", "version": "1"}, 200,
     {"artifact_uri": "mlflow-artifacts:/0/$run/artifacts/model"}),
    ("POST", "model-versions/create", {"name": "copy", "source": "models:/spam/2", "run_id": "other"}, 400, invalid("run_id")),
    ("POST", "model-versions/create", {"name": "copy", "source": "models:/spam/9"}, 404, error(ABSENT)),
    ("POST", "model-versions/create", {"name": "copy", "source": "models:/spam/Staging"}, 404, error(ABSENT, "Staging")),
    ("GET", "/api/v1/models/spam/versions/1", {}, 200, {"package": set()}, {"package": "package"}),
    ("GET", "/api/v1/models/spam/versions/2", {}, 200, {"package": "$package"}),
    ("GET", "/api/v1/models/copy/versions/1", {}, 200, {"package": "$package"}),
    ("POST", "/api/v1/endpoints/spam/deploy", {"model": "spam", "version": 3}, 409,
     {"error": {"message": {"has no package here: its files are at runs:/"}}}),
    ("POST", "/api/v1/endpoints/spam/deploy", {"model": "spam", "version": 1}, 409,
     {"error": {"message": {"the package did not pass its check", "kind sklearn is kept and handed out, but not served"}}}),
    ("POST", "runs/delete", {"run_id": "$run"}, 200, {}),
    ("POST", "model-versions/create", {"name": "spam", "source": "runs:/$run/model"}, 400, invalid("deleted")),
]

# A logged model whose files are there before it is ready.
LOGGED = [
    ("POST", "registered-models/create", {"name": "spam"}, 200, {}),
    ("POST", "runs/create", {"experiment_id": "0"}, 200, {}, {"run": "run.info.run_id"}),
    ("POST", "logged-models", {"experiment_id": "0", "name": "net", "source_run_id": "$run"}, 200, {},
     {"model": "model.info.model_id", "uri": "model.info.artifact_uri"}),
    ("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/models/$model/artifacts/MLmodel", b"flavors: {}\n", 200, {}),
    ("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/models/$model/artifacts/data/a%20b.txt", b"text", 200, {}),
]

FROM_A_LOGGED_MODEL = [
    ("POST", "model-versions/create", {"name": "spam", "source": "models:/m-" + "0" * 32}, 404, error(ABSENT, "m-0")),
    ("POST", "model-versions/create", {"name": "spam", "source": "models:/$model", "model_id": "m-1"}, 400, invalid("model_id")),
    ("POST", "model-versions/create", {"name": "spam", "source": "runs:/$run/net", "model_id": "$model"}, 400, invalid("model_id")),
    ("POST", "model-versions/create", {"name": "spam", "source": "$uri"}, 400, invalid("run_id")),
    ("POST", "model-versions/create", {"name": "spam", "source": "$uri", "run_id": "$run"}, 400, invalid("run_id")),
    ("POST", "model-versions/create", {"name": "spam", "source": "$uri/../x", "model_id": "$model"}, 400, invalid()),
    ("POST", "model-versions/create", {"name": "spam", "source": "file:///etc", "model_id": "$model"}, 400, invalid("model_id")),
    ("POST", "model-versions/create", {"name": "spam", "source": "models:/$model"}, 200, {"model_version": {"version": "1"}}),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "1", "path": "MLmodel"}, 400, invalid("has no package here")),
    ("PATCH", "logged-models/$model", {"model_id": "$model", "status": "LOGGED_MODEL_READY"}, 200, {}),
    ("POST", "model-versions/create", {"name": "spam", "source": "models:/$model", "model_id": "$model"}, 200,
     {"model_version": {"version": "2", "source": "models:/$model", "model_id": "$model", "run_id": "$run"}}),
    ("POST", "model-versions/create", {"name": "spam", "source": "$uri", "model_id": "$model"}, 200,
     {"model_version": {"version": "3", "source": "$uri", "model_id": "$model", "run_id": "$run"}}),
    ("GET", "model-versions/get-download-uri", {"name": "spam", "version": "2"}, 200, {"artifact_uri": "$uri"}),
    ("GET", "/api/v1/models/spam/versions/2", {}, 200, {"package": set()}, {"package": "package"}),
    ("GET", "/api/v1/models/spam/versions/3", {}, 200, {"package": "$package"}),
    ("GET", "logged-models/$model", None, 200,
     {"model": {"info": {"registrations": [{"name": "spam", "version": "1"}, {"name": "spam", "version": "2"},
                                           {"name": "spam", "version": "3"}]}}}),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "2", "path": "MLmodel"}, 200, b"flavors: {}\n"),
    ("GET", "//model-versions/get-artifact", {"name": "spam", "version": "2", "path": "data/a b.txt"}, 200, b"text"),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "2", "path": "data"}, 404, error(ABSENT, "data")),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "2", "path": "../../etc/passwd"}, 400, invalid()),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "2", "path": "%2e%2e/x"}, 400, invalid()),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "2"}, 400, missing("path")),
    ("GET", "/model-versions/get-artifact", {"name": "none", "version": "2", "path": "MLmodel"}, 404, error(ABSENT)),
    ("DELETE", "logged-models/$model", None, 200, {}),
    ("POST", "model-versions/create", {"name": "spam", "source": "models:/$model"}, 404, error(ABSENT)),
    ("GET", "/model-versions/get-artifact", {"name": "spam", "version": "2", "path": "MLmodel"}, 200, b"flavors: {}\n"),
]


class RegistryTest(WireTest):
    def log_file(self, port, path, body):
        self.expect(200, port, f"/api/v1/runs/{self.kept['run']}/artifacts/file?path={path}", method="PUT", body=body)

    def test_models(self):
        self.play(self.start()[1], MODELS)

    def test_versions(self):
        self.play(self.start()[1], VERSIONS)

    def test_prompts(self):
        self.play(self.start()[1], PROMPTS)

    def test_searches(self):
        port = self.start()[1]
        for row in SEARCH_SCENE:
            self.play(port, [row])
            time.sleep(0.002)  # the order of changes is by milliseconds
        self.play(port, MODEL_SEARCHES)
        self.play(port, VERSION_SEARCHES)

    def test_a_source_leads_nowhere_else(self):
        port = self.start()[1]
        self.play(port, HELD)
        for source in REFUSED_SOURCES:
            for more in {}, {"run_id": "$run"}, {"tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}:
                if (source, more) == ("dummy-source", {"tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}):
                    continue
                self.play(port, [("POST", "model-versions/create", {"name": "spam", "source": source, **more}, 400, invalid())])
        self.play(port, [("GET", "registered-models/get", {"name": "spam"}, 200, {"registered_model": {"latest_versions": None}})])

    def test_a_version_has_the_files_that_its_run_has(self):
        port = self.start()[1]
        self.play(port, HELD)
        self.log_file(port, "model/MLmodel", b"flavors:\n  sklearn:\n    pickled_model: model.pkl\n")
        self.log_file(port, "model/model.pkl", b"pickle")
        self.log_file(port, "model2/MLmodel", b"flavors: {}")
        self.log_file(port, "notes/a.txt", b"a")
        self.play(port, FROM_A_RUN)

    def test_a_version_has_the_files_that_its_logged_model_has(self):
        port = self.start()[1]
        self.play(port, LOGGED)
        self.play(port, FROM_A_LOGGED_MODEL)

    def test_versions_registered_at_once_are_numbered_apart(self):
        port = self.start()[1]
        self.play(port, [("POST", "registered-models/create", {"name": "spam"}, 200, {})])

        def register(number):
            return self.request(port, "POST", "model-versions/create", {"name": "spam", "source": f"s3://bucket/{number}"})

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(register, range(100)))
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertEqual({int(body["model_version"]["version"]) for _, body in answers}, set(range(1, 101)))


if __name__ == "__main__":
    run(RegistryTest)
