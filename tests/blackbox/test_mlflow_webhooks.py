#!/usr/bin/env python3
"""MLflow's routes of webhooks, as bytes on the wire."""
from harness import run
from mlflow_wire import WireTest, error, invalid, missing

ABSENT = "RESOURCE_DOES_NOT_EXIST"
URL = "https://ci.example.com/hook"
CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
TAGGED = {"entity": "PROMPT_TAG", "action": "SET"}

MAKING = [
    ("POST", "webhooks", {"name": "ci", "url": URL, "events": [CREATED], "secret": "hush"}, 200,
     {"webhook": {"name": "ci", "url": URL, "events": [CREATED], "status": "ACTIVE", "secret": None, "description": None}},
     {"ID": "webhook.webhook_id"}),
    ("POST", "webhooks", {"name": "ci", "url": URL, "events": [CREATED], "secret": "hush"}, 200, {"webhook": {"webhook_id": "$ID"}}),
    ("POST", "webhooks", {"name": "ci", "url": URL, "events": [TAGGED]}, 400, error("RESOURCE_ALREADY_EXISTS", "ci")),
    ("POST", "webhooks", {"url": URL, "events": [CREATED]}, 400, missing("name")),
    ("POST", "webhooks", {"name": "a", "events": [CREATED]}, 400, missing("url")),
    ("POST", "webhooks", {"name": "a", "url": URL}, 400, missing("events")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": []}, 400, invalid("at least one event")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": "all"}, 400, invalid("a list")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [7]}, 400, invalid("events[0]", "an object")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [{"entity": "PROMPT"}]}, 400, missing("events[0].action")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [{"entity": "NOTHING", "action": "SET"}]}, 400, invalid("NOTHING")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [{"entity": "PROMPT", "action": "DELETED"}]}, 400,
     invalid("Invalid action 'DELETED' for entity 'PROMPT'")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [CREATED], "status": "AWAY"}, 400, invalid("ACTIVE or DISABLED")),
    ("POST", "webhooks", {"name": "-a", "url": URL, "events": [CREATED]}, 400, invalid("1 to 63")),
    ("POST", "webhooks", {"name": "a" * 64, "url": URL, "events": [CREATED]}, 400, invalid("1 to 63")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [CREATED], "description": "x" * 4001}, 400, invalid("4000")),
    ("POST", "webhooks", {"name": "a", "url": URL, "events": [CREATED], "secret": "x" * 1025}, 400, invalid("1024")),
    ("POST", "webhooks", {"name": "a", "url": URL + "/" + "x" * 2048, "events": [CREATED]}, 400, invalid("2048")),
    ("POST", "webhooks", b"{", 400, invalid()),
]

HOSTS = [
    ("POST", "webhooks", {"name": "a", "url": url, "events": [CREATED]}, 400, invalid(word))
    for url, word in (
        ("http://ci.example.com/", "https://"), ("ftp://ci.example.com/", "https://"), ("ci.example.com", "https://"),
        ("https://localhost/", "not a public address"), ("https://127.0.0.1/", "not a public address"),
        ("https://0x7f000001/", "not a public address"), ("https://[::1]/", "not a public address"),
        ("https://[::ffff:127.0.0.1]/", "not a public address"), ("https://169.254.169.254/latest/meta-data", "not a public address"),
        ("https://192.168.0.1/", "not a public address"), ("https://me:word@ci.example.com/", "no password"),
        ("https://ci.example.com/a\r\nX: y", "control characters"), ("file:///etc/passwd", "https://"),
        ("mailto:ops@example.com", "--smtp-url"),
    )
]

CHANGES = [
    ("POST", "webhooks", {"name": "other", "url": URL, "events": [{"entity": 7, "action": 4}, CREATED, CREATED], "status": 2,
                          "description": "of tags"}, 200,
     {"webhook": {"name": "other", "description": "of tags", "status": "DISABLED", "events": [CREATED, TAGGED]}},
     {"OTHER": "webhook.webhook_id"}),
    ("GET", "webhooks", {}, 200, {"webhooks": [{"name": "other"}, {"name": "ci"}], "next_page_token": None}),
    ("GET", "webhooks", {"max_results": 1}, 200, {"webhooks": [{"name": "other"}]}, {"PAGE": "next_page_token"}),
    ("GET", "webhooks", {"max_results": 1, "page_token": "$PAGE"}, 200, {"webhooks": [{"name": "ci"}], "next_page_token": None}),
    ("GET", "webhooks", {"max_results": 1001}, 400, invalid("1000")),
    ("GET", "webhooks", {"max_results": 0}, 400, invalid("max_results")),
    ("GET", "webhooks", {"page_token": "x"}, 400, invalid("page token")),
    ("GET", "webhooks/$OTHER", None, 200, {"webhook": {"webhook_id": "$OTHER", "secret": None}}),
    ("GET", "webhooks/none", None, 404, error(ABSENT, "none")),
    ("PATCH", "webhooks/$OTHER", {"status": "ACTIVE"}, 200,
     {"webhook": {"status": "ACTIVE", "name": "other", "description": "of tags", "events": [CREATED, TAGGED]}}),
    ("PATCH", "webhooks/$OTHER", {"name": "ci"}, 400, error("RESOURCE_ALREADY_EXISTS", "ci")),
    ("PATCH", "webhooks/$OTHER", {"name": "", "url": "", "events": [], "description": ""}, 200,
     {"webhook": {"name": "other", "url": URL, "description": None, "events": [CREATED, TAGGED]}}),
    ("PATCH", "webhooks/$OTHER", {"url": "https://10.0.0.1/"}, 400, invalid("not a public address")),
    ("PATCH", "webhooks/$OTHER", {"name": "some", "url": "https://some.example.com/", "events": [TAGGED]}, 200,
     {"webhook": {"name": "some", "url": "https://some.example.com/", "events": [TAGGED]}}),
    ("PATCH", "webhooks/none", {"name": "some"}, 404, error(ABSENT, "none")),
    ("POST", "webhooks/none/test", {}, 404, error(ABSENT, "none")),
    ("POST", "webhooks/$OTHER/test", {"event": {"entity": "PROMPT", "action": "SET"}}, 400, invalid("Invalid action")),
    ("GET", "/api/v1/webhooks/some", None, 200, {"events": ["prompt_tag.set"], "signed": False, "active": True, "waiting": 0}),
    ("DELETE", "webhooks/$OTHER", None, 200, {}),
    ("DELETE", "webhooks/$OTHER", None, 404, error(ABSENT)),
    ("GET", "/ajax-api/2.0/mlflow/webhooks", {}, 200, {"webhooks": [{"name": "ci"}]}),
]

# What MLflow's clients do not know, they neither see nor take away.
MIXED = [
    ("POST", "/api/v1/webhooks", {"name": "own", "url": URL, "events": ["release.rejected"]}, 201, {"events": ["release.rejected"]}, {"OWN": "id"}),
    ("GET", "webhooks", {}, 200, {"webhooks": []}),
    ("GET", "webhooks/$OWN", None, 404, error(ABSENT)),
    ("PATCH", "/api/v1/webhooks/own", {"events": ["release.rejected", "prompt_tag.set"]}, 200, {}),
    ("GET", "webhooks/$OWN", None, 200, {"webhook": {"events": [TAGGED]}}),
    ("PATCH", "webhooks/$OWN", {"events": [CREATED]}, 200, {"webhook": {"events": [CREATED]}}),
    ("GET", "/api/v1/webhooks/own", None, 200, {"events": ["model_version.created", "release.rejected"]}),
    ("PATCH", "/api/v1/webhooks/own", {"evnts": []}, 422, {"error": {"message": {"evnts"}}}),
    ("PATCH", "/api/v1/webhooks/own", {"events": ["model.created"]}, 422, {"error": {"message": {"there is no event"}, "field": "events"}}),
    ("POST", "/api/v1/webhooks/own/test", {"event": "none"}, 422, {"error": {"message": {"there is no event"}}}),
]

# What is not offered, in the words of docs/reference/mlflow.md.
ABSENT_ROUTES = [
    (method, path, {}, 404, {"error_code": "ENDPOINT_NOT_FOUND"})
    for method, path in (("GET", "/api/2.0/mlflow/users/get"), ("POST", "/api/2.0/mlflow/users/create"),
                         ("GET", "/api/2.0/mlflow/users/current"), ("GET", "/api/3.0/mlflow/users/current"),
                         ("POST", "/api/2.0/mlflow/experiments/permissions/create"),
                         ("GET", "/api/2.0/mlflow/registered-models/permissions/get"), ("POST", "/graphql"), ("GET", "/graphql"))
]


class WebhookWireTest(WireTest):
    def test_making_and_changing(self):
        port = self.start()[1]
        self.play(port, MAKING)
        self.play(port, HOSTS)
        self.play(port, CHANGES)

    def test_events_that_mlflow_does_not_know(self):
        self.play(self.start()[1], MIXED)

    def test_users_and_graphql_are_not_offered(self):
        self.play(self.start()[1], ABSENT_ROUTES)


if __name__ == "__main__":
    run(WebhookWireTest)
