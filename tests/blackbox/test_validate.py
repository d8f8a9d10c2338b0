#!/usr/bin/env python3
"""slipway validate: what a file says, without a server.

usage: test_validate.py [WORD]      only the tests whose name contains WORD

SLIPWAY is the binary. Each YAML block of docs/reference/pipeline.md is a file that is valid.
"""
import json
import os
import re

from harness import SlipwayTest, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

PAGE = os.path.join(os.path.dirname(__file__), "../../docs/reference/pipeline.md")
MISSING = re.compile(r'"([^"]+)" of step "[^"]+" is not in the project')
FILES_MAX = 20


class ValidateTest(SlipwayTest):
    def write(self, name, text=""):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def blocks(self):
        with open(PAGE, encoding="utf-8") as file:
            return re.findall(r"^```yaml\n(.*?)^```$", file.read(), re.M | re.S)

    def validate_with_files(self, path):
        """Makes each file that a step is said to lack."""
        for _ in range(FILES_MAX):
            done = self.run_command("validate", path)
            lacking = MISSING.search(done.stderr)
            if not lacking:
                return done
            self.write(lacking[1])
        return done

    def test_a_file_is_shown_as_what_it_would_run(self):
        self.write("slipway.yaml", "project: p\nparams: {rows: 10}\nstages:\n"
                                   "  report: {argv: [cat, out.csv], deps: [out.csv]}\n"
                                   "  load: {cmd: 'python load.py ${{ params.rows }}', outs: [out.csv]}\n"
                                   "monitor: {}\n")
        done = self.run_command("validate")
        self.assertEqual(done.stdout, "step    waits for  what it does\n"
                                      'load    -          python load.py "${SLIPWAY_VALUE_1}"\n'
                                      "report  load       cat out.csv\n"
                                      "slipway.yaml is valid: 2 steps\n")
        self.assertEqual((done.returncode, done.stderr),
                         (0, 'warning: line 6: "monitor" is not read yet\n'))
        self.assertEqual(os.listdir(self.folder), ["slipway.yaml"])

    def test_the_steps_of_a_release_are_shown_with_the_shares_of_the_traffic(self):
        self.write("slipway.yaml", "project: p\nstages: {fit: {uses: train}}\nrelease:\n  endpoint: p\n"
                                   "  production: {traffic: [2.5, 50], hold: [90s, 1h]}\n")
        done = self.run_command("validate")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout,
                         "step                waits for           what it does\n"
                         "fit                 -                   uses train\n"
                         "release.gate        fit                 uses release.gate\n"
                         "release.staging     release.gate        uses release.staging\n"
                         "release.canary@2.5  release.staging     uses release.canary: 2.5 % of the requests for 90s\n"
                         "release.canary@50   release.canary@2.5  uses release.canary: 50 % of the requests for 1h\n"
                         "release.production  release.canary@50   uses release.production\n"
                         "slipway.yaml is valid: 6 steps\n")

    def test_a_folder_and_a_dvc_yaml_do_as_well(self):
        self.write("p/dvc.yaml", "stages:\n  a: {cmd: 'x ${c}', params: [c]}\n")
        self.write("p/params.yaml", "c: 1.0\n")
        done = self.run_command("validate", "p", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        said = json.loads(done.stdout)
        self.assertEqual((said["file"], said["project"], said["stages"]), ("p/dvc.yaml", None, ["a"]))
        self.assertEqual(said["steps"][0]["environment"], {"SLIPWAY_VALUE_1": "1.0"})
        self.assertEqual(said["steps"][0]["params"], {"params.yaml:c": "1.0"})

    def test_a_mistake_is_said_with_its_place_and_status_2(self):
        self.write("slipway.yaml", "project: p\nstages:\n  a: {cmd: x, deps: [b]}\n")
        cases = [
            (("validate",), 2, 'slipway.yaml: line 3, column 22: "b" of step "a" is not in the project, and no '
                               "step makes it"),
            (("validate", "--param", "a=1"), 2, 'slipway.yaml: there is no param "a"; there are: none'),
            (("validate", "--param", "a"), 2, '--param takes NAME=VALUE, not "a"'),
            (("validate", "none.yaml"), 4, 'could not open "none.yaml": No such file or directory'),
        ]
        for arguments, code, sentence in cases:
            done = self.run_command(*arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (code, "", f"slipway: {sentence}\n"))
        self.write("gate.yaml", "project: p\nrelease: {endpoint: e, gate: {metric: F1}}\n")
        done = self.run_command("validate", "gate.yaml")
        self.assertEqual((done.returncode, done.stderr),
                         (2, 'slipway: gate.yaml: line 2, column 39: "F1" is not a metric; it is written "f1"\n'))
        os.mkdir(os.path.join(self.folder, "empty"))
        done = self.run_command("validate", "empty")
        self.assertEqual((done.returncode, done.stderr),
                         (4, 'slipway: there is no slipway.yaml or dvc.yaml in "empty"\n'))

    def test_the_files_that_built_in_steps_read_are_looked_at(self):
        prepare = "project: p\nstages:\n  a: {uses: prepare, with: {recipe: r.yaml}%s}\n"
        release = "project: p\nstages: {t: {uses: train}}\nrelease: {endpoint: p, staging: {smoke: r.yaml}}\n"
        outs = ", outs: [o.csv]"
        cases = [
            (prepare % outs, None, 'the recipe "r.yaml" of step "a" is not in the project'),
            (prepare % outs, "steps: [{raed: a.csv}]", 'r.yaml: line 1, column 9: there is no step "raed"; there are read, '),
            (prepare % outs, "steps: [{read: a.csv}]" + " " * 262144,
             'the recipe "r.yaml" has 262166 bytes; it has at most 262144'),
            (prepare % "", "steps: [{read: a.csv}]", 'step "a" makes nothing: it has an output, or "data"'),
            (prepare % ", outs: [o.csv, p.csv]", "steps: [{read: a.csv}]", 'step "a" makes one file, and has 2 outputs'),
            (prepare % outs, "steps: [{read: a.csv}]", None),
            (release, None, 'the smoke test "r.yaml" of step "release.staging" is not in the project'),
            (release, " \n", 'the smoke test "r.yaml" has 0 rows; 1 to 1000 do'),
            (release, '{"x": 1}\n\n[2]\n', "r.yaml, line 3: a row is a JSON object"),
            (release, '{"x": 1}\n{"x"\n', "r.yaml, line 2: "),
            (release, '{"x": 1}\n' * 1001, 'the smoke test "r.yaml" has 1001 rows; 1 to 1000 do'),
            (release, '{"x": 1}\n', None),
        ]
        for text, read, sentence in cases:
            self.write("slipway.yaml", text)
            if read is not None:
                self.write("r.yaml", read)
            elif os.path.exists(os.path.join(self.folder, "r.yaml")):
                os.remove(os.path.join(self.folder, "r.yaml"))
            done = self.run_command("validate")
            if sentence:
                self.assertEqual((done.returncode, done.stdout), (2, ""), read)
                self.assertIn(f"slipway: slipway.yaml: {sentence}", done.stderr)
            else:
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_zone_that_there_is_not_is_refused(self):
        self.write("slipway.yaml", "project: p\non: {schedule: {cron: 0 3 * * 1, timezone: Mars/Base}}\n")
        done = self.run_command("validate")
        self.assertEqual((done.returncode, done.stderr),
                         (2, 'slipway: slipway.yaml: schedule "0 3 * * 1": the tz database has no time zone "Mars/Base"; '
                             'its names are as "Europe/Amsterdam" or "UTC"\n'))
        done = self.run_command("validate", TZDIR=self.folder + "/none")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_param_without_a_default_is_asked_for(self):
        self.write("slipway.yaml", "project: p\nparams: {n: {type: integer}}\nstages:\n"
                                   "  a: {foreach: [x, y], do: {cmd: 'x ${{ params.n }}'}}\n")
        done = self.run_command("validate")
        self.assertEqual((done.returncode, done.stdout),
                         (0, 'slipway.yaml is valid: 1 stage\nparam "n" has no default: give it with '
                             "--param n=VALUE to see the plan\n"))
        said = json.loads(self.run_command("validate", "--json", "--param", "n=3").stdout)
        self.assertEqual([step["name"] for step in said["steps"]], ["a@x", "a@y"])
        done = self.run_command("validate", "--param", "n=few")
        self.assertEqual((done.returncode, done.stderr),
                         (2, 'slipway: slipway.yaml: "n" is an integer, not "few"\n'))

    def test_each_file_of_the_page_is_valid(self):
        self.assertGreater(len(self.blocks()), 7)
        for text in self.blocks():
            self.write("params.yaml", "train: {c: 1.0}\n")
            self.write("other.yaml", "seed: 42\n")
            done = self.validate_with_files(self.write("file.yaml", text))
            self.assertEqual((done.returncode, done.stderr), (0, ""), text)

    def test_the_page_names_the_built_in_steps_that_there_are(self):
        with open(PAGE, encoding="utf-8") as file:
            part = file.read().split("## Built-in steps\n")[1].split("\n## ")[0]
        named = {row[0]: set(re.findall(r"`([^`]+)`", row[1]))
                 for row in re.findall(r"^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|$", part, re.M) if row[0] != "uses"}
        schema = json.loads(self.run_command("validate", "--schema").stdout)
        there = {}
        for rule in schema["$defs"]["stage"]["allOf"]:
            if "if" in rule:
                takes = rule["then"]["properties"]["with"]["properties"]
                there[rule["if"]["properties"]["uses"]["const"]] = set(takes)
        self.assertEqual(named, there)

    def test_the_schema_takes_what_the_program_takes(self):
        if not jsonschema:
            print("SKIP python3-jsonschema is not installed")
            return
        schema = json.loads(self.run_command("validate", "--schema").stdout)
        jsonschema.Draft7Validator.check_schema(schema)
        judge = jsonschema.Draft7Validator(schema)
        fine = [
            {"project": "p", "stages": {"a": {"cmd": ["x", "y"], "outs": ["m", {"n": {"persist": True}}]}}},
            {"project": "p", "stages": {"a": {"foreach": "${{ vars.l }}", "do": {"argv": ["x", 1]}}}},
            {"project": "p", "stages": {"a": {"uses": "train", "with": {"data": "d"}}}},
            {"project": "p", "params": {"a": 1, "b": {"type": "date"}}, "concurrency": {"rule": "skip"}},
            {"project": "p", "on": {"schedule": {"cron": "0 3 * * 1"}, "push": ["main"], "api": False}},
            {"project": "p", "data": {"d": {"source": ["a", "b"], "columns": {"x": "text"}}}},
            {"project": "p", "release": {"endpoint": "e", "staging": {"benchmark": {"p99_ms": 5}}, "production": {
                "approval": "required", "traffic": [10, 50], "hold": ["1m", "1h"], "abort": {"errors_max": 0.1}}}},
            {"project": "p", "release": {"endpoint": "e", "production": {"traffic": 10, "hold": "1m", "wait": "1h"}}},
            {"stages": {"a": {"cmd": "x", "timeout-minutes": "${t}"}}, "params": ["p.yaml"], "plots": []},
        ]
        wrong = [
            {"project": "p", "stage": {}},
            {"project": "p", "stages": {"a": {"cmd": "x", "comand": "y"}}},
            {"project": "p", "stages": {"a": {"cmd": "x", "uses": "train"}}},
            {"project": "p", "stages": {"a": {"uses": "trian"}}},
            {"project": "p", "stages": {"a": {"uses": "train", "with": {"dta": "d"}}}},
            {"project": "p", "stages": {"a": {"cmd": "x", "retries": {"max": 0}}}},
            {"project": "p", "stages": {"a": {"cmd": "x", "outs": [{"n": {"persists": True}}]}}},
            {"project": "p", "stages": {"a": {"foreach": [1]}}},
            {"project": "p", "params": {"a": {"type": "int"}}},
            {"project": "p", "concurrency": "stop"},
            {"project": "p", "on": {"schedule": {}}},
            {"project": "p", "data": {"d": {"columns": {"x": "txt"}}}},
            {"project": "p", "release": {"endpoint": "e", "gate": {"metrics": "f1"}}},
            {"project": "p", "release": {"endpoint": "e", "production": {"trafic": [10]}}},
            {"project": "p", "release": {"endpoint": "e", "production": {"abort": {"error_max": 0.1}}}},
            {"project": "p", "release": {"endpoint": "e", "production": {"traffic": {"a": 10}}}},
            {"stages": {}, "release": {}},
        ]
        for document in fine:
            self.assertEqual([error.message for error in judge.iter_errors(document)], [], document)
        for document in wrong:
            self.assertTrue(list(judge.iter_errors(document)), document)


run(ValidateTest)
