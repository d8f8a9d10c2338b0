#!/usr/bin/env python3
"""Built-in steps of a pipeline: register, score, benchmark; and runs that are reproduced.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_builtin_steps.py [WORD]
"""
import csv
import io
import json
import os
import random
import signal
import subprocess
import time

from harness import SlipwayTest, run

MLMODEL = r"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: model.pkl\n"
REGISTER = """project: shop
data:
  shop: {source: shop.csv, target: label}
stages:
  check: {uses: check-data, with: {data: shop}}
  train:
    cmd: sh train.sh
    deps: [shop.csv, train.sh]
    outs: [model]
    metrics: [scores.json]
  keep:
    uses: register
    needs: check
    with: {path: ./model/, metrics: scores.json, alias: candidate}
"""
TRAIN = """mkdir model
printf '%s' > model/MLmodel
echo not-a-pickle > model/model.pkl
echo '{"f1":0.75}' > scores.json
""" % MLMODEL
ONNX = """project: shop
stages:
  train:
    cmd: printf '\\010\\010\\072\\002\\012\\000' > net.onnx; echo no model > notes.txt
    outs: [net.onnx, notes.txt]
  keep: {uses: register, with: {path: %s, model: net}}
"""
SCORE = """project: shop
data:
  shop: {source: shop.csv, target: label, columns: {text: text, id: ignore}}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {data: shop, budget: 0}, needs: check}
  of_csv:
    uses: score
    with: {version: "${{ steps.train.outputs.version }}", input: new.csv, keys: [id], output: out/csv.csv}
  of_jsonl:
    uses: score
    needs: train
    with: {input: new.jsonl, keys: [id], output: out/jsonl.jsonl}
  of_data:
    uses: score
    needs: train
    with: {data: shop, output: out/data.csv}
"""
BENCHMARK = """project: shop
data:
  shop: {source: shop.csv, target: label, columns: {text: text, id: ignore}}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {data: shop, budget: 0}, needs: check}
  fast: {uses: benchmark, needs: train, with: {input: smoke.jsonl, requests: 20, %s}}
  of_data: {uses: benchmark, needs: train, with: {data: shop, requests: 20}}
  tell: {cmd: 'echo ${{ steps.fast.metrics.p99_ms }}'}
"""
REPRODUCIBLE = """project: shop
data:
  shop: {source: shop.csv, target: label, columns: {text: text, id: ignore}}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {data: shop, budget: 0}, needs: check}
  judge: {uses: evaluate, needs: train}
  answers: {uses: score, needs: train, with: {data: shop, output: answers.csv}}
  make: {cmd: sh train.sh, deps: [shop.csv, train.sh], outs: [model], metrics: [scores.json]}
  keep: {uses: register, with: {path: model, model: kept, alias: candidate}}
  ship: {cmd: 'true', needs: [keep], environment: trial}
"""
WORDS = {"spam": ["subscribe", "channel", "free", "click"], "ham": ["love", "song", "voice", "dance"]}


def rows(count, seed=1):
    chance = random.Random(seed)
    for number in range(count):
        label = "spam" if chance.random() < 0.5 else "ham"
        words = WORDS[label if chance.random() < 0.9 else "ham"]
        text = f'{chance.choice(words)}, the "{chance.choice(words)}" {number}'
        yield {"id": f"k{number}", "text": text, "label": label}


def as_csv(items, columns):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(items)
    return text.getvalue()


class BuiltinStepsTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        self.put("shop.csv", as_csv(rows(120), ["id", "text", "label"]))
        self.put("train.sh", TRAIN)

    def put(self, name, text):
        path = os.path.join(self.project, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def serve(self):
        self.port = self.start()[1]

    def pipeline(self, *arguments, code=0):
        done = self.run_command("pipeline", *arguments, "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def get(self, path, status=200, **more):
        return self.expect(status, self.port, path, **more)[1]

    def step(self, name):
        """Of the newest run."""
        newest = self.get("/api/v1/pipelines/shop/runs?limit=1")["pipeline_runs"][0]
        return self.get(f"/api/v1/pipeline-runs/{newest['id']}/steps/{name}")

    def result(self, name):
        return self.step(name)["step"]["result"]

    def out(self, name, path):
        """The bytes of what a step made."""
        found = next(one for one in self.step(name)["step"]["outs"] if one["path"] == path)
        return self.ask(self.port, f"/api/v1/artifacts/{found['digest']}")[1]

    # register

    def commit(self):
        for arguments in (["init", "-q"], ["add", "."],
                          ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "first"]):
            subprocess.run(["git", *arguments], cwd=self.project, check=True)
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.project, check=True, capture_output=True,
                              text=True).stdout.strip()

    def test_a_model_that_a_command_made_is_registered_with_where_it_comes_from(self):
        self.put("slipway.yaml", REGISTER)
        commit = self.commit()
        self.serve()
        self.pipeline("run")
        trained = self.step("train")["attempts"][0]["run_id"]
        version = self.get("/api/v1/models/shop/versions/candidate/lineage")["version"]
        self.assertEqual((version["version"], version["run_id"], version["code_commit"], version["dataset"],
                          version["dataset_version"]), (1, trained, commit, "shop", 1))
        self.assertEqual(version["tags"]["slipway.step"], "train")
        result = self.result("keep")
        self.assertEqual((result["model"], result["version"], result["is_new"], result["flavors"]),
                         ("shop", 1, True, ["python_function", "sklearn"]))
        self.assertEqual(result["not_served"], "a model of kind sklearn is kept and handed out, but not served: "
                         'Slipway serves those of its own kind, "slipway"')
        self.assertEqual(self.step("keep")["step"]["metrics"], {"f1": 0.75})

    def test_the_same_bytes_are_one_version_whatever_is_done_again(self):
        self.put("slipway.yaml", REGISTER)
        self.serve()
        self.pipeline("run")
        self.get("/api/v1/models/shop/aliases/candidate", 204, method="DELETE")
        self.pipeline("run", "--force")
        self.assertEqual((self.result("keep")["version"], self.result("keep")["is_new"]), (1, False))
        self.assertEqual(self.get("/api/v1/models/shop/versions/candidate/lineage")["version"]["version"], 1)
        self.assertEqual(len(self.get("/api/v1/models/shop/versions")["versions"]), 1)

    def test_killed_while_it_registers_there_is_one_version_in_the_end(self):
        self.put("slipway.yaml", REGISTER)
        server, self.port = self.start(SLIPWAY_CRASH="register: registered, not committed")
        run_id = self.pipeline("run", "--no-wait").strip()
        if "release" in os.environ.get("SLIPWAY", ""):
            return  # without points to be killed at
        self.assertEqual(server.wait(timeout=60), -signal.SIGKILL)
        self.serve()
        while not self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"]:
            time.sleep(0.05)
        self.assertEqual(self.get(f"/api/v1/pipeline-runs/{run_id}")["status"], "succeeded")
        self.assertEqual(self.versions("shop"), [1])

    def test_a_kind_that_is_not_served_is_told_so_when_it_is_to_serve(self):
        self.put("slipway.yaml", REGISTER + "release: {endpoint: shop}\n")
        self.serve()
        self.assertIn('step "release.gate": refused: version 1 of "shop" cannot be judged: a model of kind sklearn is kept',
                      self.pipeline("run", code=5))
        answer = self.get("/api/v1/endpoints/shop/deploy", 409, method="POST",
                          body=json.dumps({"model": "shop", "version": 1}))
        self.assertIn("a model of kind sklearn is kept and handed out, but not served", answer["error"]["message"])

    def test_an_onnx_file_becomes_a_package_and_what_is_no_model_does_not(self):
        self.put("slipway.yaml", ONNX % "net.onnx")
        self.serve()
        self.pipeline("run")
        self.assertEqual(self.result("keep")["flavors"], ["onnx"])
        self.put("slipway.yaml", ONNX % "notes.txt")
        self.assertIn('step "keep": "notes.txt" is no model that can be registered: a folder with an MLmodel',
                      self.pipeline("run", code=5))
        self.put("slipway.yaml", (ONNX % "net.onnx").replace("\\010\\010\\072", "\\010\\010\\073"))
        self.assertIn('step "keep": "net.onnx" is not an ONNX model', self.pipeline("run", code=5))
        self.assertEqual(len(self.get("/api/v1/models/net/versions")["versions"]), 1)

    def test_a_path_of_with_orders_the_steps_and_is_checked(self):
        self.put("slipway.yaml", ONNX % "other.onnx")
        self.assertIn('"other.onnx" of step "keep" is not in the project, and no step makes it',
                      self.run_command("validate", folder=self.project).stderr)
        self.put("slipway.yaml", ONNX % "'${{ run.id }}.onnx'")
        self.assertIn('"path" is a path, which must be known when the run is planned',
                      self.run_command("validate", folder=self.project).stderr)
        self.put("slipway.yaml", ONNX % "net.onnx")
        self.assertIn("keep   train      uses register", self.run_command("validate", folder=self.project).stdout)

    def test_a_command_that_depends_on_a_data_set_is_done_again_for_a_new_version(self):
        stages = """project: shop
data:
  shop: {source: shop.csv, target: label}
stages:
  check: {uses: check-data, with: {data: shop}}
  count: {cmd: wc -l < shop.csv, deps: [shop], needs: check}
"""
        self.put("slipway.yaml", stages)
        self.serve()
        self.pipeline("run")
        self.put("other.txt", "no dep of it")
        self.pipeline("run")
        self.assertTrue(self.step("count")["step"]["cached_from"])
        self.put("shop.csv", as_csv(rows(121), ["id", "text", "label"]))
        self.pipeline("run")
        self.assertIn("changed: data shop", self.pipeline("why", "shop", "count"))

    # score

    def test_answers_to_many_rows_are_those_of_the_endpoint(self):
        new = list(rows(300, seed=7))
        self.put("new.csv", as_csv(new, ["text", "id"]))
        self.put("new.jsonl", "".join(json.dumps(one) + "\n" for one in new))
        self.put("slipway.yaml", SCORE)
        self.serve()
        self.pipeline("run")
        self.get("/api/v1/endpoints/shop/deploy", method="POST", body=json.dumps({"model": "shop", "version": 1}))
        body = json.dumps({"data": [{"text": one["text"]} for one in new]})
        answers = self.get("/endpoints/shop/predict", method="POST", body=body)["predictions"]
        expected = [(one["id"], answer["label"], answer["confidence"]) for one, answer in zip(new, answers)]
        text = self.out("of_csv", "out/csv.csv").decode()
        read = csv.DictReader(io.StringIO(text))
        self.assertEqual([(one["id"], one["label"], float(one["confidence"])) for one in read], expected)
        lines = self.out("of_jsonl", "out/jsonl.jsonl").decode().splitlines()
        self.assertEqual([tuple(json.loads(line).values()) for line in lines], expected)
        labels = [label for _, label, _ in expected]
        result = self.result("of_csv")
        self.assertEqual((result["version"], result["rows"], result["labels"]),
                         (1, 300, {"ham": labels.count("ham"), "spam": labels.count("spam")}))
        body = json.dumps({"data": [{"text": one["text"]} for one in rows(120)]})
        answers = self.get("/endpoints/shop/predict", method="POST", body=body)["predictions"]
        self.assertEqual(self.out("of_data", "out/data.csv").decode().splitlines(),
                         ["row,label,confidence"] + [f"{number},{one['label']},{one['confidence']!r}"
                                                     for number, one in enumerate(answers, 1)])

    def test_the_same_version_and_rows_give_the_same_bytes_from_the_cache_or_not(self):
        self.put("new.csv", as_csv(rows(50, seed=7), ["text", "id"]))
        self.put("new.jsonl", "")
        self.put("slipway.yaml", SCORE)
        self.serve()
        self.pipeline("run")
        first = [self.step(name)["step"]["outs"] for name in ("of_csv", "of_jsonl", "of_data")]
        self.pipeline("run")
        self.assertTrue(self.step("of_csv")["step"]["cached_from"])
        self.pipeline("run", "--force")
        self.assertEqual([self.step(name)["step"]["outs"] for name in ("of_csv", "of_jsonl", "of_data")], first)
        self.assertEqual(self.result("of_jsonl")["rows"], 0)

    def test_rows_that_cannot_be_scored_are_named(self):
        self.put("slipway.yaml", SCORE)
        self.put("new.jsonl", '{"text": "a", "id": 1}\n')
        self.put("new.csv", "text,id\n")
        self.serve()
        self.pipeline("run")
        for name, text, step, sentence in [
            ("new.csv", "id\n1\n", "of_csv", 'new.csv: "text" is missing'),
            ("new.csv", "text\na\n", "of_csv", 'new.csv: the header has no column "id"'),
            ("new.csv", "text,id\na,1\nb\n", "of_csv", "new.csv: line 3 has 1 values where the header has 2"),
            ("new.csv", 'text,id\n"a', "of_csv", "new.csv: the CSV has a quote in line 2 that is never closed"),
            ("new.jsonl", '{"text":"a"}\n{"text":7}\n', "of_jsonl", 'new.jsonl: "text" in row 2 must be a text'),
            ("new.jsonl", '{"text":"a"}\n[1]\n', "of_jsonl", "new.jsonl: line 2 is no object of values"),
        ]:
            good = {"new.csv": "text,id\n", "new.jsonl": ""}
            for one, empty in good.items():
                self.put(one, text if one == name else empty)
            self.assertIn(f'step "{step}": {sentence}', self.pipeline("run", code=5))

    # benchmark

    def benchmark(self, limits):
        self.put("slipway.yaml", BENCHMARK % limits)
        self.put("smoke.jsonl", "".join(json.dumps(one) + "\n" for one in rows(3)))

    def test_a_version_is_measured_and_later_steps_can_read_how_fast_it_is(self):
        self.benchmark("p99_ms: 60000, rows_per_second: 0.001, memory_mb: 100000")
        self.serve()
        self.pipeline("run")
        for name, row_name in (("fast", "smoke.jsonl"), ("of_data", "shop@1")):
            result = self.result(name)
            self.assertEqual((result["version"], result["rows_of"], result["requests"], result["batch"]),
                             (1, row_name, 20, 1000))
            self.assertTrue(0 <= result["p50_ms"] <= result["p95_ms"] <= result["p99_ms"])
            self.assertGreater(result["rows_per_second"], 0)
        self.assertEqual(self.pipeline("log", "shop", "tell"), f"{self.result('fast')['p99_ms']}\n")

    def test_what_is_over_its_limits_fails_with_one_sentence_and_is_kept(self):
        self.benchmark("p50_ms: 60000, p99_ms: 0.0000001, rows_per_second: 1e15")
        self.serve()
        said = self.pipeline("run", code=5)
        self.assertRegex(said, 'step "fast": the 99th percentile is [0-9.e-]+ ms and must be 1e-07 ms at most; the '
                         r"throughput is [0-9.e+]+ rows a second and must be 1e\+15 rows a second at least\n$")
        self.assertEqual(self.result("fast")["requests"], 20)
        self.assertIn("p99_ms", self.step("fast")["step"]["metrics"])

    def test_what_is_to_be_measured_must_be_there(self):
        self.serve()
        for limits, sentence in [
            ("requests: 0", '"requests" is 1 to 1000000'),
            ("batch: 10001", '"batch" is 1 to 10000'),
            ("data: shop", 'it takes its rows from "data" or from "input": give one of the two'),
            ("version: 7", 'model "shop" has no version 7'),
        ]:
            self.benchmark(limits)
            if "requests" in limits:
                self.put("slipway.yaml", (BENCHMARK % limits).replace("requests: 20, ", ""))
            self.assertIn(f'step "fast": {sentence}', self.pipeline("run", code=5))

    # reproduce

    def reproduce(self, what, code=0):
        done = self.run_command("reproduce", what, "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def versions(self, model):
        return [one["version"] for one in self.get(f"/api/v1/models/{model}/versions")["versions"]]

    def test_a_pipeline_that_trains_comes_to_the_same_bytes_and_registers_nothing(self):
        self.put("slipway.yaml", REPRODUCIBLE)
        self.serve()
        self.command("environment", "set", "trial", "--approvals", "0")
        self.pipeline("run")
        self.put("shop.csv", as_csv(rows(150, seed=5), ["id", "text", "label"]))
        self.pipeline("run")
        versions, kept = self.versions("shop"), self.versions("kept")
        printed = self.reproduce("shop#1")[0]
        self.assertTrue(printed.endswith("shop#3 came to the same as shop#1\n"), printed)
        table = printed[printed.index("step "):].splitlines()
        self.assertEqual([line.split()[:2] for line in table[1:-1]],
                         [["check", "same"], ["train", "same"], ["judge", "same"], ["answers", "same"],
                          ["make", "same"], ["keep", "same"], ["ship", "left"]])
        self.assertIn('it acts on environment "trial"', printed)
        self.assertEqual((self.versions("shop"), self.versions("kept")), (versions, kept))
        self.assertEqual(len(self.get("/api/v1/datasets/shop")["versions"]), 2)
        self.assertEqual(self.get("/api/v1/models/kept/versions/candidate/lineage")["version"]["version"], kept[0])
        self.assertFalse(self.step("train")["step"]["cached_from"])
        self.pipeline("run")
        self.assertIn("version", self.result("train"))

    def test_a_command_that_reads_the_clock_is_named_with_its_out(self):
        self.put("slipway.yaml", """project: shop
stages:
  steady: {cmd: wc -c < shop.csv > size.txt, deps: [shop.csv], outs: [size.txt]}
  noisy:
    cmd: "mkdir made; echo 1 > made/a; date +%N > made/clock; echo $SLIPWAY_REPRODUCES > made/again"
    outs: [made]
""")
        self.serve()
        self.pipeline("run")
        printed, said = self.reproduce("shop", code=7)
        self.assertRegex(printed, '(?m)^steady +same *$')
        self.assertRegex(printed, '(?m)^noisy +differs +out "made": again$')
        self.assertEqual(said.splitlines()[-1], 'slipway: shop#2 did not come to the same as shop#1: step "noisy": '
                                                'out "made": again')

    def test_what_cannot_be_done_again_is_said(self):
        self.put("slipway.yaml", "project: shop\nstages: {wait: {cmd: sleep 60}, bad: {cmd: exit 1, needs: [wait]}}\n")
        self.serve()
        run_id = self.pipeline("run", "--no-wait").strip()
        self.assertEqual(self.reproduce("shop", code=5)[1],
                         "slipway: shop#1 has not ended, so there is nothing to compare with\n")
        self.pipeline("cancel", "shop")
        while not self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"]:
            time.sleep(0.05)
        self.assertEqual(self.reproduce("shop", code=5)[1], "slipway: none of its steps can be done again: they did "
                                                            "not succeed, or they release\n")
        self.assertEqual(self.get(f"/api/v1/pipeline-runs/{run_id}/reproduction", 409)["error"]["message"],
                         "shop#1 reproduces no other run")
        self.assertEqual(self.reproduce("0" * 32, code=4)[1], f"slipway: run \"{'0' * 32}\" does not exist\n")

    def test_a_training_comes_to_the_same_bytes(self):
        self.put("slipway.yaml", REPRODUCIBLE)
        self.serve()
        self.command("environment", "set", "trial", "--approvals", "0")
        self.pipeline("run")
        run_id = self.result("train")["run_id"]
        printed = self.reproduce(run_id)[0]
        self.assertTrue(printed.endswith(f"run {run_id} comes to the same again, byte for byte\n"), printed)
        self.assertEqual(self.versions("shop"), [1])


if __name__ == "__main__":
    run(BuiltinStepsTest)
