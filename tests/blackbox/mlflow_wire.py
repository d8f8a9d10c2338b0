"""Requests to MLflow's routes as rows of a table, and what their answers hold.

A row is (METHOD, PATH, what is sent, status, what the answer holds[, {NAME: where in the answer}]). PATH is below /api/2.0/mlflow/
unless it begins with "/". What is sent is an object (the body; of a GET the query), or bytes as they are. The last part keeps
something of the answer: "$NAME" stands for it in later rows.
"""
import json
import urllib.parse

from harness import SlipwayTest


def held_in(expected, actual):
    """Members that are not expected may be there; lists are compared item by item; a set is of words in a text."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(name in actual and held_in(value, actual[name])
                                                if value is not None else name not in actual
                                                for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(held_in, expected, actual))
    if isinstance(expected, set):
        return isinstance(actual, str) and all(word in actual for word in expected)
    return type(expected) is type(actual) and expected == actual


def error(code, *words):
    return {"error_code": code, "message": set(words)}


def invalid(*words):
    return error("INVALID_PARAMETER_VALUE", *words)


def missing(name):
    return invalid(f"Missing value for required parameter '{name}'.")


class WireTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.kept = {}

    def fill_in(self, value):
        if isinstance(value, str):
            for name, kept in self.kept.items():
                value = value.replace(f"${name}", kept)
            return value
        if isinstance(value, dict):
            return {name: self.fill_in(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.fill_in(item) for item in value]
        return value

    def request(self, port, method, path, sent):
        path, headers = self.fill_in(path), {}
        path = path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
        if method == "GET" and isinstance(sent, dict):
            path, body = f"{path}?{urllib.parse.urlencode(self.fill_in(sent), doseq=True)}", None
        else:
            body = sent if isinstance(sent, bytes) or sent is None else json.dumps(self.fill_in(sent)).encode()
            headers = {"Content-Type": "application/json"}
        answer, received = self.ask(port, path, method=method, body=body, headers=headers)
        return answer.status, received

    def play(self, port, rows):
        for row in rows:
            method, path, sent, status, expected = row[:5]
            received_status, received = self.request(port, method, path, sent)
            self.assertEqual(received_status, status, (row, received))
            self.assertTrue(held_in(self.fill_in(expected), received), (row, received))
            for name, where in (row[5] if len(row) > 5 else {}).items():
                found = received
                for part in where.split("."):
                    found = found[int(part)] if part.isdigit() else found[part]
                self.kept[name] = found
