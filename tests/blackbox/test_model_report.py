#!/usr/bin/env python3
"""The report of a model version: as Markdown and as a page it says the same, and what the API says.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_model_report.py [WORD]
"""
import html.parser
import json
import os
import random
import re
import time

from harness import SlipwayTest, run

PROJECT = """project: shop
data:
  shop: {source: shop.csv, target: label, columns: {note: text, kind: ignore}}
stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0}, needs: [check]}
  judge: {uses: evaluate, needs: train}
  fast: {uses: benchmark, needs: train, with: {input: smoke.jsonl, requests: 20}}
release:
  endpoint: shop
  gate: {metric: f1, margin: 0.9}
  staging: {smoke: smoke.jsonl}
  production: {traffic: [50], hold: 1s, abort: {requests_min: 0}}
"""
MLMODEL = """flavors:
  python_function: {loader_module: mlflow.sklearn}
  sklearn: {pickled_model: model.pkl}
signature:
  inputs: '[{"type": "double", "name": "a|b", "required": true}, {"type": "tensor"}]'
"""
SPAM = "sp|am <b>`x`"
COMMENT = "looked | at <script>alert(1)</script> & `it`\n# fine"
WORDS = {SPAM: ["subscribe", "channel", "free", "click"], "ham": ["love", "song", "voice", "dance"]}
SECONDS_MAX = 60
VOID = ("meta", "link", "br", "img")


def number(value):
    return "no data" if value is None else f"{value:.6g}"


def moment(text):
    return f"{text[:10]} {text[11:19]} UTC"


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


class Part:
    """What stands below a heading."""

    def __init__(self):
        self.facts, self.tables, self.texts = [], [], []

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return repr(vars(self))

    def fact(self, label):
        return dict(self.facts)[label]


class Page(html.parser.HTMLParser):
    """A page as parts by (section, heading); every element is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.parts, self.open, self.text, self.names, self.attributes = {}, [], "", ("", ""), []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        self.text = ""
        if tag == "table":
            self.part().tables.append([])
        if tag == "tr":
            self.part().tables[-1].append([])

    def part(self):
        return self.parts.setdefault(self.names, Part())

    def handle_data(self, data):
        self.text += data

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        text = plain(self.text)
        if tag == "h1":
            self.title = text
        elif tag == "h2":
            self.names = text, ""
            self.part()
        elif tag == "h3":
            self.names = self.names[0], text
            self.part()
        elif tag == "dt":
            self.label = text
        elif tag == "dd":
            self.part().facts.append((self.label, text))
        elif tag in ("td", "th"):
            self.part().tables[-1][-1].append(text)
        elif tag in ("p", "pre") or tag == "li" and "nav" not in self.open:
            self.part().texts.append(text)


def unescaped(text):
    text = re.sub(r"\\([^\w\s])", r"\1", text)
    for entity, character in ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"):
        text = text.replace(entity, character)
    return plain(text)


def read_markdown(text):
    parts, names = {}, ("", "")
    title, *lines = text.splitlines()
    for line in lines:
        part = parts.get(names)
        if line.startswith("## "):
            names = unescaped(line[3:]), ""
            parts[names] = Part()
        elif line.startswith("### "):
            names = names[0], unescaped(line[4:])
            parts[names] = Part()
        elif fact := re.match(r"- \*\*(.*?)(?<!\\)\*\*: (.*)$", line):
            part.facts.append((unescaped(fact[1]), unescaped(fact[2])))
        elif line.startswith("|"):
            cells = [unescaped(cell) for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]]
            if not was_table:
                part.tables.append([])
            if not all(set(cell) <= set("-: ") and cell for cell in cells):
                part.tables[-1].append(cells)
        elif line:
            part.texts.append(unescaped(line[2:] if line.startswith("- ") else line))
        was_table = line.startswith("|")
    return unescaped(title[2:]), parts


def table(part, head):
    """Its rows by their first cell."""
    found, = [rows for rows in part.tables if rows[0] == head]
    return {row[0]: row[1:] for row in found[1:]}


class ModelReportTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "shop")
        os.makedirs(self.project)
        self.server, self.port = self.start()

    def put(self, name, text):
        with open(os.path.join(self.project, name), "w") as file:
            file.write(text)

    def put_project(self):
        self.put("slipway.yaml", PROJECT)
        self.put("smoke.jsonl", json.dumps({"note": "love song of voice", "label": "ham"}) + "\n")

    def put_rows(self, count):
        chance = random.Random(7)
        lines = ["note,kind,label\n"]
        for row in range(count):
            label = chance.choice([SPAM, "ham"])
            words = WORDS[label if chance.random() < 0.85 else "ham"]
            lines.append(f"{chance.choice(words)} the {chance.choice(words)} {row},a,{label}\n")
        self.put("shop.csv", "".join(lines))

    def get(self, path, status=200, **more):
        return self.expect(status, self.port, path, **more)[1]

    def post(self, path, body):
        return self.get(path, method="POST", body=json.dumps(body), headers={"Content-Type": "application/json"})

    def wait_until(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def release(self, rows):
        self.put_rows(rows)
        run_id = self.command("pipeline", "run", "--no-wait", folder=self.project).strip()
        path = f"/api/v1/pipeline-runs/{run_id}"
        pending = f"/api/v1/approvals?status=pending&pipeline_run_id={run_id}"
        self.wait_until(lambda: self.get(pending)["approvals"] or self.get(path)["ended_at"])
        self.command("approve", f"shop#{self.get(path)['number']}", "--comment", COMMENT)
        self.wait_until(lambda: self.get(path)["ended_at"])
        self.assertEqual(self.get(path)["status"], "succeeded", self.get(path)["reason"])
        return self.get(path)

    def read(self, name):
        """Both forms, which say the same; the parts."""
        page = self.command("model", "report", name, "--html")
        title, parts = read_markdown(self.command("model", "report", name))
        read = Page(page)
        self.assertEqual((read.title, list(read.parts)), (title, list(parts)))
        for names, part in parts.items():
            self.assertEqual(read.parts[names], part, names)
        self.assertNotIn("<script", page)
        self.assertEqual([one for one in read.attributes if one[0] in ("src", "onerror", "onclick")], [])
        self.assertTrue(all(value.startswith("#s") for name, value in read.attributes if name == "href"))
        return title, parts

    def check_training(self, parts, version, run):
        metrics = {one["key"]: one["value"] for one in run["metrics"]}
        shown = table(parts["Metrics", ""], ["metric", "hold-out", "cross-validation", "better when"])
        for name, (holdout, folds, _) in shown.items():
            name = name.replace(", chosen by", "")
            self.assertEqual((holdout, folds), (number(metrics.get(f"holdout.{name}")), number(metrics.get(f"cv.{name}"))), name)
        self.assertTrue(0.5 < metrics["holdout.accuracy"] < 1, "rows that some are wrong of")
        origin = parts["Where it came from", ""]
        self.assertEqual([origin.fact(name) for name in ("run", "commit", "seed", "trained by", "trained")],
                         [run["id"], version["code_commit"], run["params"]["seed"], run["user"],
                          f"{moment(run['started_at'])} to {moment(run['ended_at'])}"])
        self.assertRegex(version["code_commit"], r"^[0-9a-f]{40}$")
        self.assertIn("sqlite " + version["environment"]["libraries"]["sqlite"], origin.fact("environment"))
        params = table(parts["What was learnt", "Params of the run"], ["param", "value"])
        self.assertEqual({key: [value] for key, value in run["params"].items()}, params)
        self.assertEqual(parts["What was learnt", ""].fact("learner"), run["params"]["chosen"])
        data = self.get("/api/v1/datasets/shop/versions/2")
        facts = parts["Data", ""]
        self.assertEqual([facts.fact(name) for name in ("data set", "digest", "rows", "rows learnt from")],
                         ["shop@2", data["digest"], str(data["row_count"]), run["params"]["rows"]])
        self.assertEqual(table(facts, ["column", "type", "role"]),
                         {one["name"]: [one["type"], one["role"]] for one in data["columns"]})
        self.assertEqual(parts["Data", "Hold-out"].fact("digest"), version["holdout_digest"])

    def check_judged(self, parts, told):
        report = told["package"]["judgement"]["report"]
        self.assertEqual(table(parts["On the hold-out", "Per class"], ["class", "rows", "named", "precision", "recall", "f1"]),
                         {one["name"]: [number(one[key]) for key in ("support", "predicted", "precision", "recall", "f1")]
                          for one in report["classes"]})
        names = [one["name"] for one in report["classes"]]
        self.assertIn(SPAM, names)
        self.assertEqual(table(parts["On the hold-out", "Confusion"], ["true class, by the class that was named", *names]),
                         {name: [str(count) for count in row] for name, row in zip(names, report["confusion"])})
        self.assertEqual(parts["On the hold-out", "Calibration"].fact("calibration error"),
                         number(report["metrics"]["calibration_error"]))
        rows = parts["Leaderboard", ""].tables[0][1:]
        self.assertEqual([row[:3] for row in rows], [[one["name"], one["description"], number(one["score"])]
                                                     for one in told["package"]["leaderboard"]["leaderboard"]])
        verdict = self.get("/api/v1/endpoints/shop/gates")["gates"][0]["verdict"]
        gate = parts["Gate", "Gate 2 of endpoint shop"]
        self.assertEqual([gate.fact(name) for name in ("outcome", "reason", "challenger", "champion", "difference")],
                         ["accepted", verdict["reason"], f"shop@2: {number(verdict['challenger']['value'])}",
                          f"shop@1: {number(verdict['champion']['value'])}", number(verdict["difference"])])
        interval = verdict["interval"]
        self.assertEqual(gate.fact("interval of the difference"),
                         f"{number(interval['low'])} to {number(interval['high'])}, at 95 %, {interval['resamples']} resamples")

    def check_released(self, parts, run):
        steps = {one["name"]: one for one in self.get(f"/api/v1/pipeline-runs/{run['id']}/steps")["steps"]}
        fast = parts["Benchmark", "shop#2, step fast"]
        for label, name in ("median, ms", "p50_ms"), ("99th percentile, ms", "p99_ms"), ("rows a second", "rows_per_second"):
            self.assertEqual(fast.fact(label), number(steps["fast"]["result"][name]))
        judged = parts["Evaluations", "shop#2, step judge"]
        self.assertEqual(judged.fact("f1"), number(steps["judge"]["result"]["report"]["metrics"]["f1"]))
        smoke = parts["Smoke test", "shop#2, step release.staging"]
        self.assertEqual((smoke.fact("rows with known answers"), smoke.fact("rows, all answered as they must be")), ("smoke.jsonl", "1"))
        canary = parts["Steps of traffic", "shop#2, step release.canary@50"]
        self.assertEqual(canary.fact("requests"), number(steps["release.canary@50"]["result"]["figures"]["requests"]))
        approval, = self.get(f"/api/v1/approvals?pipeline_run_id={run['id']}")["approvals"]
        shown = parts["Approvals", f"Approval {approval['id']}: {approval['title']}"]
        decision, = approval["decisions"]
        self.assertEqual((shown.fact("status"), shown.fact("digest"), shown.fact("needed"), shown.fact("four eyes")),
                         ("approved", approval["digest"], "1, of whom 1 gave it", "not demanded"))
        self.assertEqual(shown.fact("approved"), f"{moment(decision['created_at'])} by local: {plain(COMMENT)}")
        live = self.get("/api/v1/endpoints/shop/deployments")["deployments"][0]
        places = parts["Where it serves or served", ""].tables[0][1:]
        self.assertEqual([(row[0], row[1], row[3]) for row in places[::2]],
                         [("shop-staging", "live", "serves still"), ("shop", "live", "serves still")])
        self.assertEqual((places[1][:2], places[1][3][-10:]), (["shop", "canary, 50 % of the requests"], "(promoted)"))
        self.assertEqual(places[2][2], f"{moment(live['created_at'])} by local")

    def test_the_report_of_a_released_version_says_in_both_forms_what_the_api_says(self):
        self.put_project()
        self.git("init", "-q")
        self.put_rows(150)
        self.git("add", "slipway.yaml", "smoke.jsonl", "shop.csv")
        self.git("commit", "-qm", "first")
        self.release(150)
        self.put_rows(200)
        self.git("commit", "-qam", "second")
        run = self.release(200)
        version = self.get("/api/v1/models/shop/versions/2")
        told = json.loads(self.command("model", "report", "shop@2", "--json"))
        title, parts = self.read("shop@2")
        self.assertEqual((title, told["version"]), ("shop, version 2", version))
        self.assertEqual(self.read("shop"), (title, parts))
        facts = parts["Version", ""]
        self.assertEqual([facts.fact(name) for name in ("package", "made", "aliases", "kind")],
                         [version["package"], f"{moment(version['created_at'])} by local", "champion, staging", "slipway"])
        self.check_training(parts, version, self.get(f"/api/v1/runs/{version['run_id']}"))
        self.check_judged(parts, told)
        self.check_released(parts, run)
        limits = parts["Known limits", ""].texts
        self.assertEqual(limits, [plain(one) for one in told["limits"]])
        self.assertTrue(limits[0].startswith(f"The hold-out has {told['package']['judgement']['rows']} rows, which are few"))
        self.assertIn('It answers by these columns alone: "note" (text).', limits)
        self.assertEqual(parts["How to do it again", ""].texts[0], "slipway reproduce shop#2")
        self.assertEqual(parts["Where it came from", "Pipeline run shop#2, which made it"].fact("by"), "started by local")
        first = self.read("shop@1")[1]
        self.assertEqual(first["Gate", "Gate 1 of endpoint shop"].fact("champion"), "none: nothing served there")
        self.assertRegex(first["Where it serves or served", ""].tables[0][2][3], r"by local \(promote\)$")

    def test_a_version_that_mlflow_logged_has_a_report_of_what_it_logged(self):
        run = self.post("/api/2.0/mlflow/runs/create", {"experiment_id": "0", "run_name": "by hand"})["run"]["info"]["run_id"]
        self.post("/api/2.0/mlflow/runs/log-batch", {
            "run_id": run, "params": [{"key": "C", "value": "a | <b>"}], "tags": [],
            "metrics": [{"key": "val/loss", "value": 0.0625, "timestamp": 5, "step": 3}]})
        self.post("/api/2.0/mlflow/registered-models/create", {"name": "<i>net|"})
        self.post("/api/2.0/mlflow/model-versions/create", {"name": "<i>net|", "source": "s3://bucket/net", "run_id": run,
                                                            "description": "*bold* | <img src=x onerror=alert(1)>"})
        title, parts = self.read("<i>net|@1")
        self.assertEqual(title, "<i>net|, version 1")
        facts = parts["Version", ""]
        self.assertEqual([facts.fact(name) for name in ("package", "source", "description", "first served")],
                         ["no data", "s3://bucket/net", "*bold* | <img src=x onerror=alert(1)>", "never"])
        self.assertEqual(parts["Where it came from", ""].fact("run"), run)
        self.assertEqual(parts["Where it came from", ""].fact("seed"), "no data")
        self.assertEqual(table(parts["What was learnt", "Params of the run"], ["param", "value"]), {"C": ["a | <b>"]})
        self.assertEqual(table(parts["Metrics", "Logged by the run"], ["metric", "value", "step"]), {"val/loss": ["0.0625", "3"]})
        self.assertIn("Its files are not here, so nothing of them is known.", parts["Known limits", ""].texts)
        for section in "Data", "On the hold-out", "Leaderboard", "Gate", "Benchmark", "Approvals", "Where it serves or served", \
                "How to do it again":
            self.assertTrue(parts[section, ""].texts[0].startswith("no data: "), section)

    def test_a_package_that_mlflow_wrote_says_its_kind_and_its_columns(self):
        run = self.post("/api/2.0/mlflow/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        for name, text in ("MLmodel", MLMODEL), ("model.pkl", "not-a-pickle"):
            self.expect(200, self.port, f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/{name}", method="PUT",
                        body=text)
        self.post("/api/2.0/mlflow/registered-models/create", {"name": "net"})
        self.post("/api/2.0/mlflow/model-versions/create", {"name": "net", "source": f"runs:/{run}/model", "run_id": run})
        parts = self.read("net")[1]
        self.assertEqual([parts["Version", ""].fact(name) for name in ("package", "files", "kind")],
                         [self.get("/api/v1/models/net/versions/1")["package"], f"2, {len(MLMODEL) + 12} bytes", "python_function, sklearn"])
        self.assertEqual(table(parts["What was learnt", "Columns that it answers by"], ["column", "kind"]),
                         {"a|b": ["double"], "no data": ["tensor"]})
        limits = parts["Known limits", ""].texts
        self.assertIn('It answers by these columns alone: "a|b" (double), one without a name (tensor).', limits)
        self.assertTrue([one for one in limits if one.startswith("It cannot be served: a model of kind sklearn")], limits)

    def test_a_page_is_sent_with_a_policy_that_lets_nothing_in(self):
        self.post("/api/2.0/mlflow/registered-models/create", {"name": "net"})
        self.post("/api/2.0/mlflow/model-versions/create", {"name": "net", "source": "s3://bucket/net"})
        path = "/api/v1/models/net/versions/latest/report"
        answer, body = self.ask(self.port, path + "?format=html")
        self.assertEqual((answer.status, answer.getheader("Content-Type"), answer.getheader("Content-Security-Policy")),
                         (200, "text/html; charset=utf-8", "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        self.assertEqual(body.decode(), self.command("model", "report", "net", "--html"))
        answer, body = self.ask(self.port, path + "?format=markdown")
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "text/markdown; charset=utf-8"))
        self.assertEqual(self.get(path)["package"], None)
        self.assertEqual(self.get(path + "?format=pdf", 422)["error"]["message"],
                         'a report is "json", "markdown" or "html", not "pdf"')
        self.assertEqual(self.command("model", "report", "net", "--output", "net.md").strip(), "net.md")
        with open(os.path.join(self.folder, "net.md"), "rb") as file:
            self.assertEqual(file.read(), body)

    def test_what_does_not_exist_has_no_report(self):
        self.refused(4, 'model "none" does not exist', "model", "report", "none@1")
        self.refused(4, 'model "none" does not exist', "model", "report", "none", "--html")
        self.post("/api/2.0/mlflow/registered-models/create", {"name": "net"})
        self.refused(4, 'model "net" has no version 7', "model", "report", "net@7", "--output", "net.md")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "net.md")))
        self.assertEqual(self.get("/api/v1/models/net/versions/7/report?format=html", 404)["error"]["message"],
                         'model "net" has no version 7')
        done = self.run_command("model", "report", "net", "--html", "--json", "--data", self.data)
        self.assertEqual((done.returncode, json.loads(done.stderr)["error"]["message"]),
                         (2, "a report is JSON (--json) or HTML (--html), not both"))


if __name__ == "__main__":
    run(ModelReportTest)
