#!/usr/bin/env python3
"""Endpoints as their callers meet them: bodies, answers, refusals, swaps, what is left on record.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_serving.py [WORD]
Models are trained once, on real data; each test works on a copy of that folder.
"""
import csv
import http.client
import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time

from harness import JSON_TYPE, SECONDS_MAX, Caller, SlipwayTest, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

DATA = os.environ.get("SLIPWAY_DATA", "../shared/data")
COMMENTS = os.path.join(DATA, "youtube-spam")
CUSTOMERS = os.path.join(DATA, "bank-marketing", "bankmarketing_test.csv")
ROLLBACK_SECONDS_MAX = 5
PROJECT = """project: {name}
data:
  {name}:
    source: {source}
    target: {target}
{columns}
"""
TEXTS = ["check out my channel", "i love this song", "Subscribe!! http://spam.example", "\u2764", ""]


def read_customers(count):
    with open(CUSTOMERS, encoding="ascii", newline="") as file:
        return list(itertools.islice(csv.DictReader(file), count))


def as_fields(customer):
    """A row as a program would send it: numbers are numbers, the answer is not there."""
    fields = {}
    for name, value in customer.items():
        if name != "y":
            try:
                fields[name] = float(value)
            except ValueError:
                fields[name] = value
    return fields


def without_id(answer):
    return {key: value for key, value in answer.items() if key != "request_id"}


class ServingTest(SlipwayTest):
    trained = None

    # what tests use

    def setUp(self):
        super().setUp()
        if ServingTest.trained:
            shutil.copytree(ServingTest.trained, self.data)
            return
        self.train_all()
        ServingTest.trained = os.path.join(tempfile.mkdtemp(prefix="slipway-trained-"), "data")
        shutil.copytree(self.data, ServingTest.trained)

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(os.path.dirname(cls.trained))

    def train_all(self):
        server, _ = self.start()
        files = [os.path.abspath(os.path.join(COMMENTS, name)) for name in sorted(os.listdir(COMMENTS))
                 if name.endswith(".csv")]
        for count in 2, 3, 5:
            self.train("spam", files[:count], "CLASS",
                       "    columns: {COMMENT_ID: ignore, AUTHOR: ignore, DATE: ignore}")
        rows = read_customers(400)
        path = os.path.join(self.folder, "customers.csv")
        with open(path, "w", encoding="ascii", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        self.train("bank", [path], "y", "")
        self.stop(server)

    def train(self, name, files, target, columns):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT.format(name=name, source=json.dumps(files), target=target,
                                      columns=columns))
        self.command("up", folder=folder)
        self.command("data", "add", folder=folder)
        self.command("train", "--budget", "0", folder=folder)

    def serve(self, *options, model="spam", version=1):
        server, port = self.start(*options)
        self.deploy(port, model, version)
        return server, port

    def deploy(self, port, model, version):
        body = json.dumps({"model": model, "version": version, "comment": "a test"})
        return self.expect(200, port, f"/api/v1/endpoints/{model}/deploy", method="POST", body=body)[1]

    def predict(self, port, body, endpoint="spam", content_type="application/json"):
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        headers = {"Content-Type": content_type}
        return self.expect(200, port, f"/endpoints/{endpoint}/predict", method="POST", body=text,
                           headers=headers)[1]

    def logged(self, port, request_id):
        answer, body = self.ask(port, f"/api/v1/predictions/{request_id}")
        self.assertIn(answer.status, (200, 404), body)
        return body if answer.status == 200 else None

    # V1, V2: bodies and answers

    def test_every_form_of_body_gives_the_same_answers_in_the_order_of_the_rows(self):
        _, port = self.serve()
        expected = self.predict(port, {"data": TEXTS})["predictions"]
        rows = [{"CONTENT": text} for text in TEXTS]
        forms = [
            {"data": rows}, {"inputs": TEXTS}, {"instances": rows}, {"data": [[text] for text in TEXTS]},
            {"inputs": {"CONTENT": TEXTS}}, {"dataframe_records": rows},
            {"dataframe_split": {"columns": ["CONTENT"], "data": [[text] for text in TEXTS]}},
        ]
        for form in forms:
            self.assertEqual(self.predict(port, form)["predictions"], expected, form)
        lines = "\n".join(json.dumps(row) for row in rows)
        self.assertEqual(self.predict(port, lines, content_type="application/jsonl")["predictions"],
                         expected)
        table = "CONTENT\n" + "".join('"%s"\n' % text.replace('"', '""') for text in TEXTS)
        self.assertEqual(
            self.predict(port, table.encode(), content_type="text/csv")["predictions"], expected)
        for text, prediction in zip(TEXTS, expected):
            self.assertEqual(self.predict(port, {"data": [text]})["predictions"], [prediction])

    def test_rows_of_twenty_fields_are_answered_by_name(self):
        _, port = self.serve(model="bank")
        rows = [as_fields(customer) for customer in read_customers(300)[200:]]
        self.assertEqual(len(rows[0]), 20)
        answer = self.predict(port, {"data": rows}, endpoint="bank")
        self.assertEqual(len(answer["predictions"]), len(rows))
        turned = [dict(reversed(list(row.items()))) for row in reversed(rows)]
        again = self.predict(port, {"data": turned}, endpoint="bank")
        self.assertEqual(again["predictions"], answer["predictions"][::-1])

    def test_many_rows_are_answered_as_one_by_one(self):
        """The large body is work for a worker, the small ones are answered by the loop."""
        _, port = self.serve()
        texts = [f"{text} {number}" for number in range(1000) for text in TEXTS]
        body = {"data": texts}
        self.assertGreater(len(json.dumps(body)), 64 * 1024)
        many = self.predict(port, body)["predictions"]
        self.assertEqual(len(many), len(texts))
        for at in range(0, len(texts), 100):
            few = self.predict(port, {"data": texts[at:at + 100]})["predictions"]
            self.assertEqual(few, many[at:at + 100])

    def test_every_answer_has_a_confidence_that_is_the_probability_of_its_label(self):
        _, port = self.serve(version=3)
        with open(os.path.join(COMMENTS, "Youtube05-Shakira.csv"), encoding="utf-8", newline="") as file:
            texts = [row["CONTENT"] for row in csv.DictReader(file)]
        predictions = self.predict(port, {"data": texts})["predictions"]
        self.assertEqual(len(predictions), len(texts))
        for prediction in predictions:
            probabilities = prediction["probabilities"]
            self.assertEqual(set(probabilities), {"0", "1"})
            self.assertAlmostEqual(sum(probabilities.values()), 1)
            self.assertEqual(prediction["confidence"], probabilities[prediction["label"]])
        confidences = {prediction["confidence"] for prediction in predictions}
        self.assertGreater(len(confidences), len(texts) / 4)
        shown = json.loads(self.command("model", "show", "spam@3", "--json"))
        metrics = {metric["key"]: metric["value"] for metric in shown["run"]["metrics"]}
        self.assertLessEqual(metrics["holdout.calibration_error"], 0.05)

    # V3: refusals

    def test_each_mistake_has_its_status_and_is_never_a_200(self):
        _, port = self.serve(model="bank")
        row = as_fields(read_customers(1)[0])
        missing = {name: value for name, value in row.items() if name != "age"}
        self.expect(200, port, "/api/v1/endpoints", method="POST", body='{"name":"empty"}')
        cases = [
            (400, "", b""), (400, "", b"{"), (400, "", b"\xff\xfe"), (400, "", b'{"data":[NaN]}'),
            (400, "", json.dumps(json.dumps({"data": [row]}))),  # encoded twice
            (400, "", {"rows": [row]}), (400, "", {"data": [row], "inputs": [row]}),
            (422, "age", {"data": [missing]}), (422, "shoe", {"data": [dict(row, shoe=43)]}),
            (422, "age", {"data": [dict(row, age="old")]}), (422, "age", {"data": [dict(row, age=[])]}),
            (422, "", {"data": []}), (413, "", {"data": [row] * 10001}),
        ]
        for status, field, body in cases:
            raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
            with self.subTest(body=raw[:80]):
                said = self.expect(status, port, "/endpoints/bank/predict", method="POST", body=raw,
                                   headers=JSON_TYPE)[1]
                self.assertEqual(said["error"].get("field", ""), field, said)
        good = json.dumps({"data": [row]})
        self.expect(404, port, "/endpoints/nothing/predict", method="POST", body=good)
        self.expect(405, port, "/endpoints/bank/predict")
        self.expect(413, port, "/endpoints/bank/predict", method="POST", body=b" " * (16 * 2**20 + 1))
        self.expect(415, port, "/endpoints/bank/predict", method="POST", body=good,
                    headers={"Content-Type": "image/png"})
        self.expect(503, port, "/endpoints/empty/predict", method="POST", body=good)

    def test_a_viewers_token_predicts_and_changes_nothing(self):
        viewer, owner = self.token("app", "viewer"), self.token("ada", "owner")
        _, port = self.start("--demand-token")
        deploy = {"method": "POST", "body": '{"model":"spam","version":1,"comment":"the first"}'}
        ask = {"method": "POST", "body": '{"data":["hello"]}'}
        with_viewer = {"Authorization": f"Bearer {viewer}"}
        self.expect(403, port, "/api/v1/endpoints/spam/deploy", headers=with_viewer, **deploy)
        self.expect(200, port, "/api/v1/endpoints/spam/deploy",
                    headers={"Authorization": f"Bearer {owner}"}, **deploy)
        deploy["body"] = '{"model":"spam","version":2}'
        refused = self.expect(422, port, "/api/v1/endpoints/spam/deploy",
                              headers={"Authorization": f"Bearer {owner}"}, **deploy)[1]
        self.assertIn("does not ask its gate", json.dumps(refused))
        self.expect(200, port, "/endpoints/spam/predict", headers=with_viewer, **ask)
        self.expect(403, port, "/api/v1/projects/spam/train", method="POST", body="{}",
                    headers=with_viewer)
        for headers in {}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {viewer}"}:
            self.expect(401, port, "/endpoints/spam/predict", headers=headers, **ask)
        self.command("token", "revoke", "app", "--token", owner)
        self.expect(401, port, "/endpoints/spam/predict", headers=with_viewer, **ask)

    def test_changes_that_wait_for_the_disk_hold_up_no_prediction(self):
        _, port = self.serve()
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"), isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        writers = [threading.Thread(target=self.ask, args=(port, "/api/v1/tokens", "POST",
                                                           '{"name":"t%d"}' % number))
                   for number in range(24)]  # more than there are workers
        for writer in writers:
            writer.start()
        time.sleep(0.5)  # for them to arrive first
        self.assertEqual(len(self.predict(port, {"data": ["hello"] * 10000})["predictions"]), 10000)
        self.predict(port, {"data": ["hello"]})
        self.expect(200, port, "/healthz")
        self.assertTrue(all(writer.is_alive() for writer in writers))
        store.execute("ROLLBACK")
        for writer in writers:
            writer.join()
        self.assertEqual(len(self.expect(200, port, "/api/v1/tokens")[1]["tokens"]), 24)

    def test_a_flood_of_large_predictions_holds_up_no_other_route(self):
        _, port = self.serve()
        body, answers = json.dumps({"data": ["check out my channel and subscribe"] * 10000}), []
        ready = threading.Barrier(100)

        def predict():
            ready.wait()
            answers.append(self.ask(port, "/endpoints/spam/predict", "POST", body)[0].status)

        flood = [threading.Thread(target=predict) for _ in range(ready.parties)]
        for one in flood:
            one.start()
        while not answers:
            time.sleep(0.01)
        before = len(answers)
        self.expect(200, port, "/api/v1/tokens")
        self.assertLess(len(answers), before + 20)  # it did not wait for those that came first
        for one in flood:
            one.join()

    def test_a_flood_of_slow_routes_holds_up_no_prediction_that_needs_a_worker(self):
        _, port = self.serve()
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"), isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        flood = [threading.Thread(target=self.ask, args=(port, "/api/v1/endpoints", "POST",
                                                         '{"name":"e%d"}' % number))
                 for number in range(40)]  # more than there are workers of both kinds
        for one in flood:
            one.start()
        time.sleep(1)
        for _ in range(3):
            self.assertEqual(len(self.predict(port, {"data": ["hello"] * 10000})["predictions"]), 10000)
        store.execute("ROLLBACK")
        for one in flood:
            one.join()

    # V4: health and readiness

    def test_a_server_whose_model_is_gone_lives_but_is_not_ready(self):
        server, port = self.serve()
        self.expect(200, port, "/readyz")
        self.stop(server)
        hidden = os.path.join(self.folder, "hidden")
        artifacts = os.path.join(self.data, "artifacts")
        os.rename(artifacts, hidden)
        server, port = self.start()
        self.expect(200, port, "/healthz")
        self.expect(503, port, "/readyz")
        self.expect(503, port, "/endpoints/spam/predict", method="POST", body='{"data":["hello"]}')
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=SECONDS_MAX)  # it has logged why it was not ready
        shutil.rmtree(artifacts, ignore_errors=True)
        os.rename(hidden, artifacts)
        _, port = self.start()
        self.expect(200, port, "/readyz")
        self.predict(port, {"data": ["hello"]})

    # V5: the endpoint's own description

    def schema(self, document, name):
        """A schema of OpenAPI 3.0 as one of JSON Schema."""
        def convert(node):
            if isinstance(node, list):
                return [convert(item) for item in node]
            if not isinstance(node, dict):
                return node
            done = {key: convert(value) for key, value in node.items() if key != "nullable"}
            if node.get("nullable") is True:
                done["type"] = [done["type"], "null"]
            return done
        return {"components": convert(document["components"]), "$ref": f"#/components/schemas/{name}"}

    def test_the_page_to_try_an_endpoint_needs_nothing_from_elsewhere(self):
        self.token("ada", "owner")
        _, port = self.start("--demand-token")
        answer, raw = self.ask(port, "/endpoints/spam/docs")
        page = raw.decode()
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.getheader("Content-Type").startswith("text/html"))
        self.assertIn("Authorization", page)
        self.assertNotIn("http://", page)
        self.assertNotIn("https://", page)

    def test_real_answers_and_real_errors_are_what_the_description_says(self):
        if not jsonschema:
            print("SKIP python3-jsonschema is not installed")
            return
        _, port = self.serve(model="bank")
        rows = [as_fields(customer) for customer in read_customers(20)]
        document = self.expect(200, port, "/endpoints/bank/openapi.json")[1]
        for verb, schema in ("predict", "Predictions"), ("explain", "Explanations"):
            operation = document["paths"][f"/endpoints/bank/{verb}"]["post"]
            named = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            self.assertEqual(named, f"#/components/schemas/{schema}")
            example = operation["requestBody"]["content"]["application/json"]["example"]
            for body in {"data": rows}, example:
                jsonschema.validate(body, self.schema(document, "Body"))
                answer = self.expect(200, port, f"/endpoints/bank/{verb}", method="POST",
                                     body=json.dumps(body))[1]
                jsonschema.validate(answer, self.schema(document, schema))
            if verb == "explain":
                answer = self.expect(200, port, f"/endpoints/bank/{verb}?what_if=job=student&what_if=age=", method="POST",
                                     body=json.dumps({"data": rows}))[1]
                self.assertEqual({"job", "age"}, {one["column"] for one in answer["explanations"][0]["what_if"]["columns"][:2]})
                jsonschema.validate(answer, self.schema(document, schema))
            for body in {"data": [{}]}, {"rows": rows}, {"data": [dict(rows[0], shoe=1)]}, {}:
                answer, said = self.ask(port, f"/endpoints/bank/{verb}", method="POST",
                                        body=json.dumps(body))
                self.assertGreaterEqual(answer.status, 400)
                jsonschema.validate(said, self.schema(document, "Error"))
                with self.assertRaises(jsonschema.ValidationError):
                    jsonschema.validate(body, self.schema(document, "Body"))
                with self.assertRaises(jsonschema.ValidationError):
                    jsonschema.validate(said, self.schema(document, schema))

    # V6, R9: swaps

    def golden(self, port, bodies):
        """What each version answers to each body, whole."""
        answers = {}
        for version in 1, 2, 3:
            self.deploy(port, "spam", version)
            for number, body in enumerate(bodies):
                answer = without_id(self.predict(port, body))
                self.assertEqual(answer["version"], version)
                answers[version, number] = answer
        for number in range(len(bodies)):
            predictions = [json.dumps(answers[version, number]["predictions"]) for version in (1, 2, 3)]
            self.assertEqual(len(set(predictions)), 3, "the versions cannot be told apart")
        return answers

    def test_twenty_swaps_under_load_fail_no_request_and_no_answer_mixes_versions(self):
        _, port = self.serve()
        bodies = [json.dumps({"data": TEXTS}), json.dumps({"data": TEXTS * 40}),
                  json.dumps({"data": TEXTS * 2000})]  # the last is answered by a worker
        golden = self.golden(port, bodies)
        stop, wrong, seen = threading.Event(), [], [set() for _ in range(6)]

        def call(client):
            caller = Caller(port)
            number = 2 if client == 0 else client % 2
            while not stop.is_set():
                status, answer = caller.post("/endpoints/spam/predict", bodies[number])
                if status != 200 or without_id(answer) != golden[answer["version"], number]:
                    wrong.append((status, answer))
                    return
                seen[client].add(answer["version"])

        callers = [threading.Thread(target=call, args=(client,)) for client in range(6)]
        for caller in callers:
            caller.start()
        for swap in range(20):
            if swap % 3 == 2:
                answer, _ = self.rollback(port)
                self.assertEqual(answer.status, 200)
            else:
                self.deploy(port, "spam", (swap + swap // 3) % 3 + 1)
            answered = [self.predict(port, {"data": TEXTS})["version"] for _ in range(3)]
            self.assertEqual(len(set(answered)), 1)
        stop.set()
        for caller in callers:
            caller.join()
        self.assertEqual(wrong[:1], [])
        self.assertGreaterEqual(set.union(*seen), {1, 2, 3})
        counted = self.ask(port, "/metrics")[1].decode()
        self.assertNotRegex(counted, r'endpoint="spam",status="[45]\d\d"\} [1-9]')

    def test_all_kinds_of_requests_at_once_get_answers(self):
        """What the thread sanitizer watches."""
        server, port = self.serve()
        stop, wrong = threading.Event(), []
        paths = ["/api/v1/models/spam", "/api/v1/runs", "/api/v1/endpoints/spam/deployments", "/metrics",
                 "/endpoints/spam/openapi.json", "/openapi.json", "/readyz", "/api/v1/predictions/mine",
                 "/api/v1/datasets", "/nothing"]

        def repeat(turn):
            for number in itertools.count():
                if stop.is_set():
                    return
                status = turn(number)
                if status != 200 and (turn is not look or status != 404):
                    wrong.append((turn.__name__, number, status))

        def predict(number):
            body = json.dumps({"data": TEXTS * (2000 if number % 50 == 0 else 1)})
            return Caller(port).post("/endpoints/spam/predict", body, {"X-Request-Id": "mine"})[0]

        def explain(number):
            return Caller(port).post("/endpoints/spam/explain", json.dumps({"data": TEXTS * (number % 40 + 1)}))[0]

        def look(number):
            return self.ask(port, paths[number % len(paths)])[0].status

        def swap(number):
            return self.ask(port, "/api/v1/endpoints/spam/deploy", "POST",
                            '{"model":"spam","version":%d,"comment":"swap"}' % (number % 3 + 1))[0].status

        threads = [threading.Thread(target=repeat, args=(turn,))
                   for turn in (predict, predict, explain, look, look, swap)]
        for thread in threads:
            thread.start()
        with open(os.path.join(self.folder, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write("project: spam\ndata: {spam: {target: CLASS}}\n")
        self.command("train", "--dataset", "spam@1", "--budget", "1")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.stop(server)

    def rollback(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ROLLBACK_SECONDS_MAX)
        connection.request("POST", "/api/v1/endpoints/spam/rollback", '{"comment":"worse"}')
        answer = connection.getresponse()
        return answer, json.loads(answer.read())

    def test_a_rollback_is_one_command_that_is_recorded(self):
        _, port = self.serve()
        before = self.predict(port, {"data": TEXTS})
        self.deploy(port, "spam", 2)
        self.command("rollback", "spam", "--comment", "worse")
        self.assertEqual(without_id(self.predict(port, {"data": TEXTS})), without_id(before))
        newest = self.expect(200, port, "/api/v1/endpoints/spam/deployments")[1]["deployments"][0]
        self.assertEqual((newest["version"], newest["reason"], newest["comment"]), (1, "rollback", "worse"))
        self.assertIn("endpoint.rolled_back", self.command("audit", "log"))
        self.expect(409, port, "/api/v1/endpoints/spam/rollback", method="POST")

    # what is left on record

    def test_an_answer_is_found_by_its_request_id_with_all_that_led_to_it(self):
        _, port = self.serve()
        given = self.predict(port, {"data": TEXTS})
        self.deploy(port, "spam", 2)
        found = self.logged(port, given["request_id"])
        self.assertEqual([row["CONTENT"] for row in found["prediction"]["inputs"]], TEXTS)
        self.assertEqual(
            found["prediction"]["predictions"],
            [{key: row[key] for key in ("label", "confidence")} for row in given["predictions"]])
        self.assertEqual(found["deployment"]["version"], 1)
        self.assertEqual(found["lineage"]["version"]["dataset"], "spam")
        self.assertEqual(found["lineage"]["run"]["status"], "FINISHED")
        own = Caller(port).post("/endpoints/spam/predict", '{"data":["x"]}', {"X-Request-Id": "my-own.7"})
        self.assertEqual(own[1]["request_id"], "my-own.7")
        self.assertTrue(self.logged(port, "my-own.7"))

    def test_what_ever_served_cannot_be_deleted_and_old_answers_keep_their_lineage(self):
        _, port = self.serve()
        given = self.predict(port, {"data": TEXTS})
        self.deploy(port, "spam", 2)
        for version, status in (1, 409), (2, 409), (3, 204):
            answer, said = self.ask(port, f"/api/v1/models/spam/versions/{version}", method="DELETE")
            self.assertIn(answer.status, (status, 200 if status == 204 else status), said)
        self.assertEqual(self.logged(port, given["request_id"])["lineage"]["version"]["version"], 1)

    def test_a_stop_signal_loses_no_logged_answer(self):
        server, port = self.serve()
        caller = Caller(port)
        ids = [caller.post("/endpoints/spam/predict", '{"data":["hello"]}')[1]["request_id"]
               for _ in range(300)]
        self.stop(server)
        _, port = self.start()
        self.assertEqual([id for id in ids if not self.logged(port, id)], [])

    def test_a_killed_server_loses_only_the_newest_answers_of_its_log(self):
        """Answers do not wait for the log, which is written every 100 ms: what a kill can take are
        the newest, and nothing from before an answer that is there."""
        server, port = self.serve()
        caller, ids = Caller(port), []
        for number in range(400):
            ids.append(caller.post("/endpoints/spam/predict", '{"data":["hello"]}')[1]["request_id"])
            if number == 200:
                self.assertTrue(self.logged(port, ids[-1]))  # it waits for the log
        server.kill()
        server.wait()
        _, port = self.start()
        there = [bool(self.logged(port, id)) for id in ids]
        self.assertEqual(there, sorted(there, reverse=True))
        self.assertTrue(all(there[:201]))


if __name__ == "__main__":
    if not os.path.isdir(COMMENTS) or not os.path.exists(CUSTOMERS):
        print(f"SKIP no comments and customers in {DATA}\n0 passed, 0 failed")
        sys.exit(0)
    run(ServingTest)
