#!/usr/bin/env python3
"""A release of what its run registered: gate, smoke test, approval and canary as of what a run trained, where Slipway can
ask the model; where it cannot, one sentence before anything changes.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_release_registered.py [WORD]
"""
import json
import os
import time

from harness import SlipwayTest, run

DATA = """project: %s
data:
  shop: {source: shop.csv, target: label%s}
"""
MAKER = DATA + """stages:
  check: {uses: check-data, with: {data: shop}}
  train: {uses: train, with: {budget: 0, seed: %d}, needs: [check]}
"""
SHOP = DATA % ("shop", "") + """stages:
  check: {uses: check-data, with: {data: shop}}
  keep: {uses: register, with: {path: %s}, needs: [check]}
release:
  endpoint: shop
  gate: {metric: f1, margin: 0.9}
  staging: {smoke: smoke.jsonl}
  production: {traffic: [50], hold: 1s, abort: {requests_min: 0}}
"""
NOT_SERVED = 'a model of kind onnx is kept and handed out, but not served: Slipway serves those of its own kind, "slipway"'
SECONDS_MAX = 60


class RegisteredTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.project = os.path.join(self.folder, "shop")
        self.put("shop.csv", "note,label\n" + "".join(
            f"win a free phone {number},win\nlovely song {number},ham\n" for number in range(60)))
        self.put("smoke.jsonl", '{"note": "win a free holiday", "label": "win"}\n{"note": "a lovely day", "label": "ham"}\n')
        self.server, self.port = self.start()

    def put(self, name, text, mode="w"):
        path = os.path.join(self.project, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode) as file:
            file.write(text)

    def get(self, path, status=200, **more):
        return self.expect(status, self.port, path, **more)[1]

    def pipeline(self, code=0):
        done = self.run_command("pipeline", "run", "--data", self.data, folder=self.project)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr

    def make_package(self, folder, project, seed=42, more=""):
        """Trained in another project, its files put into the shop's folder, as whoever trains elsewhere does."""
        self.put("slipway.yaml", MAKER % (project, more, seed))
        self.pipeline()
        package = self.get(f"/api/v1/models/{project}/versions/1")["package"]
        listing = self.ask(self.port, f"/api/v1/artifacts/{package}")[1].decode()
        for line in listing.splitlines()[1:]:
            digest, _, path = line.split(" ", 2)
            self.put(os.path.join(folder, path), self.ask(self.port, f"/api/v1/artifacts/{digest}")[1], "wb")
        return package

    def begin(self):
        return self.command("pipeline", "run", "--no-wait", folder=self.project).strip()

    def end(self, run_id):
        """Approved; the run's steps by name."""
        deadline = time.monotonic() + SECONDS_MAX
        while not self.get(f"/api/v1/pipeline-runs/{run_id}")["ended_at"]:
            for approval in self.get("/api/v1/approvals?status=pending")["approvals"]:
                self.command("approve", str(approval["id"]), "--comment", "looked at it")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        return self.steps(run_id)

    def steps(self, run_id=None):
        run_id = run_id or self.get("/api/v1/pipelines/shop/runs?limit=1")["pipeline_runs"][0]["id"]
        return {one["name"]: one for one in self.get(f"/api/v1/pipeline-runs/{run_id}/steps")["steps"]}

    def frozen(self):
        events = self.get("/api/v1/audit?project=shop&action=holdout.")["events"]
        return [one["detail"] for one in events]

    def test_what_was_registered_goes_the_way_of_what_was_trained(self):
        first = self.make_package("first", "maker")
        second = self.make_package("second", "other", seed=7)
        self.assertNotEqual(first, second)
        self.put("slipway.yaml", SHOP % "first")
        steps = self.end(self.begin())
        self.assertEqual({name: step["status"] for name, step in steps.items()},
                         {"check": "succeeded", "keep": "succeeded", "release.gate": "succeeded",
                          "release.staging": "succeeded", "release.canary@50": "skipped",
                          "release.production": "succeeded"})
        verdict = steps["release.gate"]["result"]["verdict"]
        holdout, = self.frozen()
        self.assertEqual((verdict["challenger"]["version"], verdict["champion"], verdict["holdout"]["digest"]),
                         (1, None, holdout["digest"]))
        self.assertEqual(steps["release.staging"]["result"]["smoke"]["rows"], 2)
        self.assertEqual(self.get("/api/v1/endpoints/shop")["package"], first)

        self.put("slipway.yaml", SHOP % "second")
        steps = self.end(self.begin())
        self.assertEqual((steps["release.canary@50"]["status"], steps["release.production"]["status"]),
                         ("succeeded", "succeeded"), steps)
        verdict = steps["release.gate"]["result"]["verdict"]
        self.assertEqual((verdict["challenger"]["version"], verdict["champion"]["version"]), (2, 1))
        self.assertEqual(self.get("/api/v1/endpoints/shop")["package"], second)
        told = self.get("/api/v1/audit/served/shop")["live"]
        self.assertEqual((told["deployment"]["version"], told["pipeline_run"]["number"], told["gate"]["outcome"],
                          told["approvals"][0]["decisions"][0]["comment"]), (2, 2, "accepted", "looked at it"))

    def test_what_has_learnt_from_the_hold_out_is_refused(self):
        self.make_package("model", "maker", more=", holdout: {seed: 7}")
        self.put("slipway.yaml", SHOP % "model")
        self.assertRegex(self.pipeline(5), r"refused: the challenger has learnt from \d+ of the 24 rows of the hold-out")
        self.nothing_is_released()

    def nothing_is_released(self):
        self.assertIsNone(self.get("/api/v1/endpoints/shop")["version"])
        self.get("/api/v1/endpoints/shop-staging", 404)
        self.assertEqual(self.get("/api/v1/approvals")["approvals"], [])
        steps = self.steps()
        self.assertEqual((steps["keep"]["status"], steps["release.gate"]["status"], steps["release.staging"]["status"],
                          steps["release.production"]["status"]), ("succeeded", "failed", "skipped", "skipped"))

    def test_a_kind_that_cannot_be_asked_is_refused_before_anything_changes(self):
        self.put("net.onnx", b"\010\010\072\002\012\000", "wb")
        self.put("slipway.yaml", SHOP % "net.onnx")
        sentence = f'version 1 of "shop" cannot be judged: {NOT_SERVED}'
        self.assertIn(f'step "release.gate": refused: {sentence}\n', self.pipeline(5))
        self.nothing_is_released()
        self.assertEqual(self.frozen(), [])
        self.assertEqual(len(self.get("/api/v1/models/shop/versions")["versions"]), 1)
        event, = self.get("/api/v1/audit?project=shop&action=gate.")["events"]
        self.assertEqual((event["action"], event["detail"]["reason"]), ("gate.refused", sentence))
        by_hand = self.run_command("promote", "shop", "--data", self.data)
        self.assertEqual((by_hand.returncode, by_hand.stderr), (5, f"slipway: not promoted: {sentence}\n"))

    def test_what_says_nothing_of_its_data_cannot_be_judged(self):
        self.make_package("model", "maker")
        self.put("slipway.yaml", (SHOP % "model").replace("  check: {uses: check-data, with: {data: shop}}\n", "")
                 .replace(", needs: [check]", ""))
        self.assertIn('refused: version 1 of "shop" does not say what data it is of, whose hold-out would judge it: name '
                      '"data" where it is registered\n', self.pipeline(5))
        named = (SHOP % "model, data: shop").replace("  check: {uses: check-data, with: {data: shop}}\n", "")
        self.put("slipway.yaml", named.replace(", needs: [check]", ""))
        for is_new in True, False:  # the same bytes, which say now what they are of
            kept = self.end(self.begin())["keep"]["result"]
            self.assertEqual((kept["version"], kept["is_new"], kept["trained_on"]), (2, is_new, "shop@1"))
        self.assertEqual(self.get("/api/v1/endpoints/shop")["version"], 2)

    def test_a_run_that_trains_releases_what_it_trained(self):
        self.put("net.onnx", b"\010\010\072\002\012\000", "wb")
        self.put("slipway.yaml", (SHOP % "net.onnx, model: net").replace(
            "  keep:", "  train: {uses: train, with: {budget: 0}, needs: [check]}\n  keep:").replace(
            "needs: [check]}\nrelease", "needs: [train]}\nrelease"))
        self.end(self.begin())
        self.assertEqual(self.get("/api/v1/endpoints/shop")["model"], "shop")


if __name__ == "__main__":
    run(RegisteredTest)
