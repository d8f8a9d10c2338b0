#!/usr/bin/env python3
"""Versions that take each other's place under load: no answer fails, none is mixed, whatever happens meanwhile.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_swap.py [WORD]
The models are tiny and learnt from made-up rows: two of the same columns and classes, one with another class, one with
other columns. make bench F=swap is the long form, with its times.
"""
import csv
import itertools
import json
import os
import shutil
import tempfile
import threading
import time

from harness import Caller, SlipwayTest, run

CHANGES = 300
ROWS = 90
WORDS = {
    "ham": "love song voice beautiful summer listen singer dance music great".split(),
    "spam": "free money channel subscribe visit click gifts win phone site".split(),
    "news": "election market report minister police court budget storm vote city".split(),
}
PROJECT = """project: {name}
data:
  {name}: {{source: rows.csv, target: label}}
"""
TEXTS = ["free money on my channel", "love this song", "the minister in court", "", "visit, listen, vote"]
BODIES = [{"data": [{"text": TEXTS[0]}]}, {"data": [{"text": text} for text in TEXTS]},
          {"data": [{"size": size, "width": 60} for size in (0, 30.5, 50, 90)]}]
VERSIONS = [("plain", 1), ("news", 1), ("plain", 2), ("wide", 1)]


def make_words(classes, start):
    rows = []
    for number in range(start, start + ROWS):
        label = classes[number % len(classes)]
        words = [WORDS[label][number * step % 10] for step in (1, 3, 7)]
        rows.append({"text": " ".join([*words, "and", str(number)]), "label": label})
    return rows


def make_sizes():
    """No text, and both columns count."""
    sizes = [(number * 37 % 101, number * 59 % 103) for number in range(ROWS)]
    return [{"size": size, "width": width, "label": "spam" if size + width > 100 else "ham"} for size, width in sizes]


def without_id(answer):
    """What an answer or a refusal says, whatever request it belongs to."""
    said = {key: value for key, value in answer.items() if key != "request_id"}
    if "error" in said:
        said["error"] = {key: value for key, value in said["error"].items() if key != "request_id"}
    return json.dumps(said, sort_keys=True)


class Load:
    """Clients that ask without a pause and compare each answer with those that the versions gave alone."""

    def __init__(self, port, known, endpoints):
        self.stop, self.wrong, self.seen = threading.Event(), [], set()
        self.counts = [0] * (2 * len(endpoints))
        self.threads = [threading.Thread(target=self.ask, args=(port, known[name], name, number))
                        for number, name in enumerate([*endpoints, *endpoints])]

    def ask(self, port, known, endpoint, number):
        caller, client = Caller(port), number
        while not self.stop.is_set():
            number = (number + 1) % len(BODIES)
            status, answer = caller.post(f"/endpoints/{endpoint}/predict", json.dumps(BODIES[number]))
            if (status, without_id(answer)) not in known[number]:
                self.wrong.append((endpoint, number, status, answer))
                return
            self.seen.add((endpoint, answer.get("model"), answer.get("version")))
            self.counts[client] += 1

    def wait(self, count):
        """Until that many answers more have come."""
        count += sum(self.counts)
        while not self.wrong and sum(self.counts) < count:
            time.sleep(0.001)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class SwapTest(SlipwayTest):
    trained = None

    # what tests use

    def setUp(self):
        super().setUp()
        if SwapTest.trained:
            shutil.copytree(SwapTest.trained, self.data)
        else:
            self.learn_all()
            SwapTest.trained = os.path.join(tempfile.mkdtemp(prefix="slipway-trained-"), "data")
            shutil.copytree(self.data, SwapTest.trained)
        self.server, self.port = self.start()
        self.caller = Caller(self.port)

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(os.path.dirname(cls.trained))

    def learn_all(self):
        for number in range(3):
            self.learn("plain", make_words(["ham", "spam"], number * 1000))
        self.learn("news", make_words(["ham", "spam", "news"], 0))
        self.learn("wide", make_sizes())

    def learn(self, name, rows):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "rows.csv"), "w", encoding="ascii", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        with open(os.path.join(folder, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT.format(name=name))
        self.command("data", "add", name, "rows.csv", "--target", "label",
                     *(["--column=text=text"] if "text" in rows[0] else []), folder=folder)
        self.command("up", folder=folder)
        self.command("train", "--model", name, "--budget", "5", folder=folder)

    def deploy(self, model, version, endpoint="main"):
        return self.caller.post(f"/api/v1/endpoints/{endpoint}/deploy",
                                json.dumps({"model": model, "version": version, "comment": "a test"}))

    def roll_back(self):
        return self.caller.post("/api/v1/endpoints/main/rollback", '{"comment": "a test"}')

    def try_out(self, version, model="plain", **way):
        body = json.dumps({"model": model, "version": version, "comment": "a test", **way})
        answer, said = self.ask(self.port, "/api/v1/endpoints/main/candidate", method="PUT", body=body)
        self.assertEqual(answer.status, 200, said)
        return said["candidate"]

    def clear(self):
        answer, said = self.ask(self.port, "/api/v1/endpoints/main/candidate", method="DELETE")
        self.assertEqual((answer.status, said["candidate"]), (200, None), said)

    def figures(self):
        return self.expect(200, self.port, "/api/v1/endpoints/main/candidate")[1]["figures"]

    def expect_live(self, changed, endpoint="main"):
        """The change was made, and whoever asks from now on is answered by that version."""
        status, live = changed
        self.assertEqual(status, 200, live)
        for body in BODIES:
            status, answer = self.caller.post(f"/endpoints/{endpoint}/predict", json.dumps(body))
            if status == 200:
                self.assertEqual((answer["model"], answer["version"]), (live["model"], live["version"]))
        return live["model"], live["version"]

    def known_answers(self):
        """Per body what each version answers, or that it refuses these columns, each deployed alone."""
        known = [set() for _ in BODIES]
        for model, version in VERSIONS:
            self.expect_live(self.deploy(model, version))
            statuses = []
            for number, body in enumerate(BODIES):
                status, answer = self.caller.post("/endpoints/main/predict", json.dumps(body))
                known[number].add((status, without_id(answer)))
                statuses.append(status)
            self.assertEqual(statuses, [422, 422, 200] if model == "wide" else [200, 200, 422])
        self.assertEqual([len(each) for each in known], [4, 4, 2])
        return known

    def steady_answers(self):
        self.expect_live(self.deploy("plain", 1, "steady"), "steady")
        answers = [self.caller.post("/endpoints/steady/predict", json.dumps(body)) for body in BODIES]
        return [{(status, without_id(answer))} for status, answer in answers]

    def deployments(self):
        return self.expect(200, self.port, "/api/v1/endpoints/main/deployments?limit=1000")[1]["deployments"]

    def blob(self, digest):
        return os.path.join(self.data, "artifacts", digest[:2], digest[2:])

    def model_file(self, model, version):
        shown = self.expect(200, self.port, f"/api/v1/models/{model}/versions/{version}")[1]
        with open(self.blob(shown["package"]), encoding="ascii") as file:
            return self.blob(next(line.split()[0] for line in file if line.endswith(" model.slipway\n")))

    def damage(self, model, version):
        """Turns a byte in the middle of its model; returns what makes it whole again."""
        path = self.model_file(model, version)
        os.chmod(path, 0o600)

        def turn():
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 2)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 1]))
        turn()
        return turn

    # the tests

    def test_hundreds_of_changes_fail_no_request_and_mix_no_answers(self):
        known = {"main": self.known_answers(), "steady": self.steady_answers()}
        before = len(self.deployments())
        with Load(self.port, known, ["main", "steady"]) as load:
            turns, rollbacks = itertools.cycle(VERSIONS), 0
            for change in range(CHANGES):
                if change % 4 == 3:
                    self.expect_live(self.roll_back())
                    rollbacks += 1
                else:
                    self.expect_live(self.deploy(*next(turns)))
                load.wait(4)
        self.assertEqual(load.wrong[:1], [])
        self.assertLessEqual({("main", *version) for version in VERSIONS} | {("steady", "plain", 1)}, load.seen)
        self.assertEqual(len(self.deployments()), min(before + CHANGES, 1000))
        events = self.expect(200, self.port, "/api/v1/audit?action=endpoint.&limit=10000")[1]["events"]
        counts = [sum(event["action"] == action and event["object"] == "main" for event in events)
                  for action in ("endpoint.deployed", "endpoint.rolled_back")]
        self.assertEqual(counts, [before + CHANGES - rollbacks, rollbacks])
        self.expect(200, self.port, "/api/v1/audit/verify")
        counted = self.ask(self.port, "/metrics")[1].decode()
        self.assertNotRegex(counted, r'endpoint="(main|steady)",status="(4(?!22)|5)\d\d"\} [1-9]')

    def test_a_damaged_version_is_refused_under_load_and_what_served_goes_on(self):
        known = {"main": self.known_answers(), "steady": self.steady_answers()}
        with Load(self.port, known, ["main", "steady"]) as load:
            self.expect_live(self.deploy("plain", 2))
            self.expect_live(self.deploy("plain", 1))
            count = len(self.deployments())
            for model, version in ("plain", 3), ("plain", 2):  # never in memory; in memory, and checked
                repair = self.damage(model, version)
                status, said = self.deploy(model, version)
                self.assertGreaterEqual(status, 400)
                self.assertRegex(said["error"]["message"], "the package did not pass its check: .* is damaged")
                self.assertEqual(len(self.deployments()), count)
                if version == 2:
                    status, said = self.roll_back()
                    self.assertGreaterEqual(status, 400)
                    self.assertRegex(said["error"]["message"], "what served before cannot be loaded: .* is damaged")
                    self.assertEqual(len(self.deployments()), count)
                repair()
            self.expect(200, self.port, "/readyz")
            self.assertEqual(self.expect_live(self.roll_back()), ("plain", 2))
        self.assertEqual(load.wrong[:1], [])

    def test_versions_that_served_cannot_be_deleted_under_load_and_others_can(self):
        known = {"main": self.known_answers(), "steady": self.steady_answers()}
        with Load(self.port, known, ["main", "steady"]) as load:
            for model, version in VERSIONS:
                self.expect(409, self.port, f"/api/v1/models/{model}/versions/{version}", method="DELETE")
            answer, said = self.ask(self.port, "/api/v1/models/plain/versions/3", method="DELETE")
            self.assertIn(answer.status, (200, 204), said)
            status, said = self.deploy("plain", 3)
            self.assertEqual(status, 404, said)
            for model, version in VERSIONS:
                self.expect_live(self.deploy(model, version))
        self.assertEqual(load.wrong[:1], [])

    def test_deployments_at_once_end_with_what_the_record_says(self):
        known = {"main": self.known_answers(), "steady": self.steady_answers()}
        wrong = []

        def deploy(start):
            caller = Caller(self.port)
            for number in range(30):
                model, version = VERSIONS[(start + number) % len(VERSIONS)]
                status, said = caller.post("/api/v1/endpoints/main/deploy",
                                           json.dumps({"model": model, "version": version, "comment": "at once"}))
                if status != 200:
                    wrong.append((status, said))

        with Load(self.port, known, ["main", "steady"]) as load:
            deployers = [threading.Thread(target=deploy, args=(start,)) for start in range(3)]
            for deployer in deployers:
                deployer.start()
            for deployer in deployers:
                deployer.join()
        self.assertEqual((wrong[:1], load.wrong[:1]), ([], []))
        newest = self.deployments()[0]
        self.expect_live((200, newest))

    def test_candidates_come_and_go_under_load_and_mix_no_answers(self):
        known = {"main": self.known_answers(), "steady": self.steady_answers()}
        self.expect_live(self.deploy("plain", 1))
        ways = [{"share": 10}, {"share": 50}, {"share": 100}, {"shadow": True}, {"share": 0}]
        with Load(self.port, known, ["main", "steady"]) as load:
            for turn in range(60):
                model, version = [("news", 1), ("plain", 2), ("wide", 1)][turn // 5 % 3]
                self.try_out(version, model, **ways[turn % 5])
                load.wait(20)
                if turn % 15 == 7:
                    self.clear()
                if turn % 15 == 12:
                    self.expect_live(self.deploy("plain", 2))
                    self.expect(404, self.port, "/api/v1/endpoints/main/candidate")
                    self.expect_live(self.deploy("plain", 1))
        self.assertEqual(load.wrong[:1], [])
        self.assertLessEqual({("main", "plain", 2), ("main", "news", 1)}, load.seen)
        self.expect(200, self.port, "/api/v1/audit/verify")

    def test_a_canary_of_ten_percent_answers_a_tenth_of_ten_thousand_calls(self):
        counts, wrong = [], []
        body = json.dumps(BODIES[1])

        def call():
            caller, by_version = Caller(self.port), {}
            for _ in range(2500):
                status, answer = caller.post("/endpoints/main/predict", body)
                if status != 200:
                    wrong.append(answer)
                by_version[answer.get("version")] = by_version.get(answer.get("version"), 0) + 1
            counts.append(by_version)

        self.expect_live(self.deploy("plain", 1))
        self.try_out(2, share=10)
        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        by_canary = sum(count.get(2, 0) for count in counts)
        figures = self.figures()
        self.assertEqual(wrong[:1], [])
        self.assertTrue(990 <= by_canary <= 1010, by_canary)
        self.assertEqual((figures["candidate"]["requests"], figures["candidate"]["errors"]), (by_canary, 0))
        self.assertEqual(figures["live"]["requests"], 10000 - by_canary)

    def test_what_a_canary_of_other_columns_fails_at_is_answered_by_the_live_version(self):
        self.expect_live(self.deploy("plain", 1))
        alone = without_id(self.caller.post("/endpoints/main/predict", json.dumps(BODIES[0]))[1])
        self.try_out(1, "wide", share=100)
        for _ in range(20):
            status, answer = self.caller.post("/endpoints/main/predict", json.dumps(BODIES[0]))
            self.assertEqual((status, without_id(answer)), (200, alone))
        figures = self.figures()
        self.assertEqual((figures["candidate"]["requests"], figures["candidate"]["errors"]), (20, 20))
        self.assertEqual((figures["live"]["requests"], figures["live"]["errors"]), (20, 0))
        self.assertIn('"text"', figures["last_error"])

    def test_a_candidate_is_still_tried_after_a_kill(self):
        self.expect_live(self.deploy("plain", 1))
        self.try_out(2, share=50)
        self.server.kill()
        self.server.wait()
        self.server, self.port = self.start()
        self.caller = Caller(self.port)
        versions = [self.caller.post("/endpoints/main/predict", json.dumps(BODIES[0]))[1]["version"] for _ in range(40)]
        self.assertIn(versions.count(2), range(18, 23))
        shown = self.command("endpoint", "show", "main")
        self.assertIn("candidate plain@2, 50 % of the requests", shown)
        self.assertIn("SIDE", shown)

    def test_the_command_sets_steps_shows_and_clears_a_candidate(self):
        self.expect_live(self.deploy("plain", 1))
        canary = ("endpoint", "canary", "main")
        self.refused(4, 'endpoint "main" has no candidate', *canary)
        self.refused(2, "give one of --share, --shadow and --clear", *canary, "--share", "1", "--clear")
        self.refused(2, "say how it is to be tried: --share PERCENT or --shadow", *canary, "--version", "2")
        self.refused(2, "a share is 0 to 100 %, in steps of 0.1", *canary, "--version", "2", "--share", "0.01")
        self.refused(5, 'endpoint "main" has no candidate', *canary, "--clear")
        said = self.command(*canary, "--version", "2", "--share", "0.5")
        self.assertEqual(said, "endpoint main tries plain@2: 0.5 % of the requests\n")
        said = self.command(*canary, "--shadow")
        self.assertEqual(said, "endpoint main tries plain@2: a shadow\n")
        self.assertRegex(self.command(*canary), r"candidate plain@2, a shadow, since .* by local\n\nSIDE .*\nlive +0 ")
        said = self.command(*canary, "--clear", "--comment", "it is slow & wrong")
        self.assertEqual(said, "endpoint main tries nothing, plain@1 answers all\n")
        tried = self.expect(200, self.port, "/api/v1/endpoints/main/candidates")[1]["candidates"]
        self.assertEqual([(one["share"], one["end_reason"], one["end_comment"]) for one in tried],
                         [(0, "cleared", "it is slow & wrong"), (0.5, "replaced", None)])


if __name__ == "__main__":
    run(SwapTest)
