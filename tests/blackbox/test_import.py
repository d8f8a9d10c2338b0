#!/usr/bin/env python3
"""slipway import and export: an MLflow database, folder or server comes over whole, again and after a kill."""
import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from harness import SLIPWAY, SlipwayTest, run

SOURCE = os.path.join(os.path.dirname(__file__), "..", "fixtures", "mlflow_source.sql")
FIRST = "aba88039064442f6a4a08c3bb8605b38"
SECOND = "1266d0d4fccf4ef89a6ab93670ee1166"
FAR = "398730a42a904447b8e89f731de5d354"
MODEL = "m-b8321d6598be4c7e9efe41d723b7742f"
COUNTS = {"experiments": 4, "experiment_tags": 1, "runs": 4, "params": 2, "tags": 10, "points": 154, "datasets": 1,
          "logged_models": 1, "models": 1, "versions": 1, "aliases": 1, "files": 3}


def write(folder, path, text):
    target = os.path.join(folder, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


class ImportTest(SlipwayTest):
    def database(self, name="mlflow.db"):
        """The fixture as a database, with the files of its run and of its model beside it."""
        path = os.path.join(self.folder, name)
        base = sqlite3.connect(path)
        with open(SOURCE, encoding="utf-8") as file:
            base.executescript(file.read())
        base.close()
        write(self.folder, f"mlruns/1/{FIRST}/artifacts/notes/a.txt", "hello")
        write(self.folder, f"mlruns/1/models/{MODEL}/artifacts/MLmodel", "flavors: {}\n")
        write(self.folder, f"mlruns/1/models/{MODEL}/artifacts/data/weights.bin", "12345")
        return path

    def change(self, path, *statements):
        base = sqlite3.connect(path)
        for statement in statements:
            base.execute(statement)
        base.commit()
        base.close()

    def tree(self):
        """A small store of files, as an old MLflow wrote it."""
        root = os.path.join(self.folder, "store")
        run = "0123456789abcdef0123456789abcdef"
        write(root, "7/meta.yaml", f"artifact_location: file:///elsewhere/7\nexperiment_id: '7'\nlifecycle_stage: active\n"
                                   f"name: \"beta: one\"\n")
        write(root, "7/tags/team", "search")
        write(root, f"7/{run}/meta.yaml",
              f"artifact_uri: file:///elsewhere/7/{run}/artifacts\nend_time: 1600000009000\nexperiment_id: '7'\n"
              f"lifecycle_stage: active\nname: ''\nrun_id: {run}\nrun_uuid: {run}\nstart_time: 1600000000000\n"
              f"status: 3\nuser_id: bob\n")
        write(root, f"7/{run}/params/optimizer/lr", "0.5")
        write(root, f"7/{run}/tags/mlflow.runName", "old one")
        write(root, f"7/{run}/metrics/val/loss", "1600000001000 0.5 1\n1600000002000 nan 2\n1600000003000 1e-3\n")
        write(root, f"7/{run}/artifacts/plot.txt", "a plot")
        os.symlink("/etc/passwd", os.path.join(root, f"7/{run}/artifacts/passwd"))
        write(root, ".trash/8/meta.yaml", "artifact_location: file:///elsewhere/8\nexperiment_id: '8'\n"
                                          "lifecycle_stage: deleted\nname: gone\n")
        return root, run

    def counts(self, *arguments, code=0):
        done = self.run_command("import", "mlflow", *arguments, "--json", "--data", self.data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout.splitlines()[0])

    def column(self, answer, name):
        return {kind: count[name] for kind, count in answer["counts"].items()}

    def answer(self, path):
        return self.expect(200, self.port, path)[1]

    def serve(self):
        self.server, self.port = self.start()

    def test_a_database_comes_whole_with_its_ids_and_times(self):
        answer = self.counts(self.database())
        self.assertEqual(self.column(answer, "source"), COUNTS)
        self.assertEqual(self.column(answer, "imported"), dict(COUNTS, experiments=3))
        self.assertEqual(set(self.column(answer, "left_out").values()), {0})
        self.assertEqual([place["what"] for place in answer["elsewhere"]], ["s3://bucket/x/"])
        self.assertEqual(answer["merged_experiments"], ["Default"])
        self.serve()
        first = self.answer(f"/api/v1/runs/{FIRST}")
        self.assertEqual((first["name"], first["user"], first["status"], first["is_deleted"], first["experiment_id"]),
                         ("first", "ada", "FINISHED", False, 1))
        self.assertEqual(first["params"], {"depth": "3", "lr": "0.1"})
        self.assertEqual(first["started_at"], "2026-11-26T22:56:18.392Z")
        points = self.answer(f"/api/v1/runs/{FIRST}/metrics/loss")["points"]
        self.assertEqual([(point["step"], point["value"]) for point in points], [(step, 1 / (step + 1)) for step in range(150)])
        self.assertEqual(self.answer(f"/api/v1/runs/{FIRST}/metrics/bad")["points"][0]["value"], "NaN")
        self.assertTrue(self.answer(f"/api/v1/runs/{SECOND}")["is_deleted"])
        self.assertEqual(self.answer(f"/api/v1/runs/{FIRST}/artifacts")["artifacts"][0]["path"], "notes/a.txt")
        self.assertEqual(self.ask(self.port, f"/api/v1/runs/{FIRST}/artifacts/file?path=notes/a.txt")[1], b"hello")

    def test_what_mlflow_clients_ask_is_as_it_was(self):
        self.counts(self.database())
        self.serve()
        run = self.answer(f"/api/2.0/mlflow/runs/get?run_id={FIRST}")["run"]
        self.assertEqual(run["inputs"]["dataset_inputs"][0]["dataset"]["name"], "toy")
        self.assertEqual(run["inputs"]["dataset_inputs"][0]["tags"], [{"key": "mlflow.data.context", "value": "training"}])
        self.assertEqual(run["outputs"]["model_outputs"], [{"model_id": MODEL, "step": 0}])
        self.assertEqual(run["info"]["artifact_uri"], f"mlflow-artifacts:/1/{FIRST}/artifacts")
        far = self.answer(f"/api/2.0/mlflow/runs/get?run_id={FAR}")["run"]
        self.assertEqual(far["info"]["artifact_uri"], f"s3://bucket/x/{FAR}/artifacts")
        for clause in ("params.lr = '0.1'", "tags.`mlflow.user` = 'ada'", "metrics.loss < 0.007"):
            asked = json.dumps({"experiment_ids": ["1"], "filter": clause})
            found = self.expect(200, self.port, "/api/2.0/mlflow/runs/search", method="POST", body=asked,
                                headers={"Content-Type": "application/json"})[1]["runs"]
            self.assertEqual([one["info"]["run_id"] for one in found], [FIRST], clause)
        model = self.answer(f"/api/2.0/mlflow/logged-models/{MODEL}")["model"]
        self.assertEqual((model["info"]["name"], model["info"]["status"]), ("echo", "LOGGED_MODEL_READY"))
        self.assertEqual({metric["key"] for metric in model["data"]["metrics"]}, {"loss", "bad", "big", "acc"})
        version = self.answer("/api/2.0/mlflow/model-versions/get?name=spam&version=1")["model_version"]
        self.assertEqual((version["current_stage"], version["source"], version["run_id"], version["aliases"]),
                         ("Production", f"models:/{MODEL}", FIRST, ["best"]))
        uri = self.answer("/api/2.0/mlflow/model-versions/get-download-uri?name=spam&version=1")["artifact_uri"]
        self.assertEqual(uri, f"mlflow-artifacts:/1/models/{MODEL}/artifacts")
        path = f"/api/2.0/mlflow-artifacts/artifacts/1/models/{MODEL}/artifacts/data/weights.bin"
        self.assertEqual(self.ask(self.port, path)[1], b"12345")
        self.assertEqual(self.answer("/api/v1/models/spam/versions/1")["description"], "")

    def test_again_changes_nothing_and_what_is_new_is_added(self):
        source = self.database()
        self.counts(source)
        answer = self.counts(f"sqlite:///{source}")
        self.assertEqual(set(self.column(answer, "imported").values()), {0})
        self.assertEqual(self.column(answer, "present"), COUNTS)
        self.change(source, f"INSERT INTO metrics SELECT key, value, timestamp + 1, run_uuid, step + 1000, is_nan FROM metrics"
                            f" WHERE key = 'loss' AND run_uuid = '{FIRST}'",
                    f"INSERT INTO params VALUES ('new', '1', '{FIRST}')")
        added = self.column(self.counts(source), "imported")
        self.assertEqual({kind: count for kind, count in added.items() if count}, {"params": 1, "points": 150})
        self.serve()
        self.assertEqual(len(self.answer(f"/api/v1/runs/{FIRST}/metrics/loss")["points"]), 300)
        latest = {point["key"]: point["step"] for point in self.answer(f"/api/v1/runs/{FIRST}")["metrics"]}
        self.assertEqual(latest["loss"], 1149)

    def test_a_param_that_is_another_one_here_is_named(self):
        source = self.database()
        self.counts(source)
        self.change(source, "UPDATE params SET value = '0.2' WHERE key = 'lr'")
        answer = self.counts(source, code=1)
        self.assertEqual(answer["counts"]["params"], {"source": 2, "imported": 0, "present": 1, "left_out": 1})
        self.assertIn("never changes", answer["left_out"][0]["why"])

    def test_rows_of_no_run_are_missing(self):
        source = self.database()
        self.change(source, "INSERT INTO params VALUES ('lost', '1', 'ffffffffffffffffffffffffffffffff')")
        answer = self.counts(source, code=1)
        self.assertEqual(answer["counts"]["params"]["left_out"], 1)
        self.assertEqual(answer["left_out"][-1]["what"], "1 params")

    def test_an_older_database_has_less(self):
        source = self.database()
        self.change(source, *(f"DROP TABLE {table}" for table in (
            "logged_model_metrics", "logged_model_tags", "logged_model_params", "logged_models", "input_tags", "inputs",
            "datasets", "registered_model_aliases", "registered_model_tags", "model_version_tags")),
            "DROP INDEX IF EXISTS index_metrics_run_uuid", "ALTER TABLE runs DROP COLUMN deleted_time",
            "DROP INDEX idx_experiments_workspace_creation_time", "ALTER TABLE experiments DROP COLUMN creation_time", "ALTER TABLE model_versions DROP COLUMN storage_location")
        answer = self.counts(source)
        self.assertEqual(self.column(answer, "source"),
                         dict(COUNTS, datasets=0, logged_models=0, aliases=0, files=1))

    def test_a_killed_import_goes_on(self):
        source = self.database()
        base = sqlite3.connect(source)
        for number in range(200):
            run = f"{number:032x}"
            base.execute("INSERT INTO runs(run_uuid, name, status, start_time, lifecycle_stage, experiment_id, user_id)"
                         " VALUES (?, ?, 'FINISHED', 1700000000000, 'active', 1, 'bo')", (run, f"run {number}"))
            base.executemany("INSERT INTO metrics(key, value, timestamp, run_uuid, step) VALUES ('m', ?, ?, ?, ?)",
                             [(step * 0.5, 1700000000000 + step, run, step) for step in range(500)])
        base.commit()
        base.close()
        for milliseconds in (300, 600, 900):
            killed = subprocess.Popen([SLIPWAY, "import", "mlflow", source, "--data", self.data], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, env=self.environment())
            time.sleep(milliseconds / 1000)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        answer = self.counts(source)
        self.assertEqual(answer["counts"]["points"]["source"], 100154)
        self.assertEqual(set(self.column(answer, "left_out").values()), {0})
        again = self.counts(source)
        self.assertEqual(set(self.column(again, "imported").values()), {0})
        self.serve()
        self.assertEqual(len(self.answer(f"/api/v1/runs/{199:032x}/metrics/m")["points"]), 500)

    def test_a_folder_comes_whole(self):
        root, run = self.tree()
        answer = self.counts(root)
        self.assertEqual({kind: count for kind, count in self.column(answer, "imported").items() if count},
                         {"experiments": 2, "experiment_tags": 1, "runs": 1, "params": 1, "tags": 1, "points": 3, "files": 1})
        self.serve()
        found = self.answer(f"/api/v1/runs/{run}")
        self.assertEqual((found["name"], found["user"], found["status"], found["params"]),
                         ("old one", "bob", "FINISHED", {"optimizer/lr": "0.5"}))
        points = self.answer(f"/api/v1/runs/{run}/metrics/val%2Floss")["points"]
        self.assertEqual([(point["step"], point["value"]) for point in points], [(1, 0.5), (2, "NaN"), (0, 0.001)])
        self.assertEqual([file["path"] for file in self.answer(f"/api/v1/runs/{run}/artifacts")["artifacts"]], ["plot.txt"])

    def test_what_is_damaged_in_a_folder_is_named_and_the_rest_comes(self):
        root, run = self.tree()
        write(root, "7/ffffffffffffffffffffffffffffffff/meta.yaml", "run_id: [")
        write(root, f"7/{run}/metrics/broken", "1600000001000 0.5 1\nrubbish\n")
        answer = self.counts(root, code=1)
        self.assertEqual((answer["counts"]["runs"]["imported"], answer["counts"]["points"]["imported"]), (1, 4))
        self.assertEqual(len(answer["left_out"]), 2)
        self.assertIn("line 2 of ", answer["left_out"][0]["what"])

    def test_a_server_is_asked_by_its_rest(self):
        self.counts(self.database())
        self.command("export", "mlflow", os.path.join(self.folder, "before"))
        self.serve()
        address = f"http://127.0.0.1:{self.port}"
        there, self.data = self.data, os.path.join(self.folder, "copy")
        for _ in range(2):
            answer = self.counts(address)
            self.assertEqual(self.column(answer, "source"), COUNTS)
            self.assertEqual(set(self.column(answer, "left_out").values()), {0})
        self.command("export", "mlflow", os.path.join(self.folder, "after"))
        self.data = there
        self.assertEqual(self.listing("before"), self.listing("after"))

    def listing(self, name):
        root = os.path.join(self.folder, name)
        files = {}
        for folder, _, names in os.walk(root):
            for file in names:
                path = os.path.join(folder, file)
                with open(path, encoding="utf-8") as opened:
                    files[os.path.relpath(path, root)] = opened.read().replace(root, "")
        return files

    def test_an_export_holds_what_was_imported(self):
        self.counts(self.database())
        printed = self.command("export", "mlflow", os.path.join(self.folder, "out"))
        self.assertIn("4 experiments, 4 runs, 154 metric points, 1 logged models, 1 models with 1 versions, 3 files", printed)
        files = self.listing("out")
        self.assertEqual(files[f"1/{FIRST}/params/lr"], "0.1")
        self.assertEqual(files[f"1/{FIRST}/artifacts/notes/a.txt"], "hello")
        self.assertEqual(len(files[f"1/{FIRST}/metrics/loss"].splitlines()), 150)
        self.assertTrue(math.isnan(float(files[f"1/{FIRST}/metrics/bad"].split()[1])))
        self.assertIn("lifecycle_stage: \"deleted\"", files[f"1/{SECOND}/meta.yaml"])
        self.assertIn("name: \"gone\"", files[".trash/2/meta.yaml"])
        self.assertIn(f"source: \"models:/{MODEL}\"", files["models/spam/version-1/meta.yaml"])
        self.assertEqual(files["models/spam/aliases/best"], "1")
        self.assertIn("artifact_uri: \"s3://bucket/x/", files[f"3/{FAR}/meta.yaml"])
        shutil.move(self.data, self.data + ".first")
        answer = self.counts(os.path.join(self.folder, "out"))
        self.assertEqual(self.column(answer, "source"), COUNTS)
        self.assertEqual(set(self.column(answer, "left_out").values()), {0})

    def test_an_export_of_one_experiment(self):
        self.counts(self.database())
        target = os.path.join(self.folder, "one")
        self.command("export", "mlflow", target, "--experiment", "alpha")
        self.assertEqual(os.listdir(target), ["1"])
        self.refused(5, f"the folder \"{target}\" is not empty", "export", "mlflow", target)
        self.refused(4, "experiment \"nothing\" does not exist", "export", "mlflow", os.path.join(self.folder, "two"),
                     "--experiment", "nothing")

    def test_what_is_no_source_is_said_in_one_sentence(self):
        path = os.path.join(self.folder, "broken.db")
        with open(path, "wb") as file:
            file.write(b"this is no database at all, by far" * 100)
        cases = [
            (4, "/nowhere/mlflow.db", 'could not read "/nowhere/mlflow.db": No such file or directory'),
            (2, path, f'"{path}" is not an SQLite database'),
            (2, "postgresql://u@h/mlflow", "a database of another machine is imported through its MLflow server: start "
                                           '"mlflow server --backend-store-uri ..." and give its http address'),
            (2, "s3://bucket/mlruns", '"s3://bucket/mlruns" is no source: it is an MLflow database (mlflow.db, '
                                      "sqlite:///mlflow.db), a folder (mlruns) or the http address of a server"),
            (2, self.folder, f'"{self.folder}" is a folder, but not MLflow\'s: no folder in it has a file meta.yaml'),
        ]
        for code, source, sentence in cases:
            self.refused(code, sentence, "import", "mlflow", source)
        other = os.path.join(self.folder, "other.db")
        self.change(other, "CREATE TABLE things(id)")
        self.refused(2, f'"{other}" is a database, but not MLflow\'s: it has no experiments and runs', "import", "mlflow", other)
        self.refused(4, 'there is no folder "/nowhere"', "import", "mlflow", other, "--artifacts", "/nowhere")

    def test_a_database_that_breaks_off_is_said(self):
        source = self.database()
        size = os.path.getsize(source)
        with open(source, "r+b") as file:
            file.truncate(size // 2)
        done = self.run_command("import", "mlflow", source, "--data", self.data)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"^slipway: could not read \".*\": database disk image is malformed\n$")

    def test_a_source_stays_as_it_is(self):
        source = self.database()
        self.change(source, "PRAGMA journal_mode = WAL", "INSERT INTO params VALUES ('more', '1', '%s')" % FIRST)
        before = sorted(os.listdir(self.folder))
        with open(source, "rb") as file:
            bytes_before = file.read()
        self.counts(source)
        with open(source, "rb") as file:
            self.assertEqual(file.read(), bytes_before)
        self.assertEqual(sorted(set(os.listdir(self.folder)) - {"data"}), before)

    def test_files_outside_of_the_root_are_not_read(self):
        source = self.database()
        secret = os.path.join(self.folder, "secret")
        write(secret, f"{FIRST}/artifacts/key.txt", "secret")
        self.change(source, f"UPDATE runs SET artifact_uri = '{secret}/{FIRST}/artifacts' WHERE run_uuid = '{FIRST}'")
        shutil.rmtree(os.path.join(self.folder, "mlruns", "1", FIRST))
        answer = self.counts(source)
        self.assertEqual(answer["counts"]["files"]["source"], 2)
        self.assertIn("outside", [place["why"] for place in answer["elsewhere"] if secret in place["what"]][0])
        os.symlink(os.path.join(secret, FIRST), os.path.join(self.folder, "mlruns", "1", FIRST))
        self.assertEqual(self.counts(source)["counts"]["files"]["source"], 2)

    def test_only_an_owner_imports(self):
        self.token("boss", "owner")
        token = self.token("mary", "contributor")
        _, port = self.start()
        answer, _ = self.ask(port, "/api/v1/import", method="POST", body="{}",
                             headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
        self.assertEqual(answer.status, 403)


run(ImportTest)
