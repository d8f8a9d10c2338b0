#!/usr/bin/env python3
"""What somebody puts into production themselves goes by the rules of the environment, on every way there.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_by_hand.py [WORD]
"""
import json
import os
import shutil
import tempfile
from datetime import datetime, timedelta, timezone

from harness import JSON_TYPE, SlipwayTest, run

FILE = """project: shop
data:
  shop: {source: shop.csv, target: label}
release: {endpoint: shop}
"""
ENDPOINT = "/api/v1/endpoints/shop"
RELEASE = "release it by a run of its pipeline"


class ByHandTest(SlipwayTest):
    trained = None

    def setUp(self):
        """Two versions: the second is what ada has trained."""
        super().setUp()
        if not ByHandTest.trained:
            self.train()
            ByHandTest.trained = os.path.join(tempfile.mkdtemp(prefix="slipway-trained-"), "data")
            shutil.copytree(self.data, ByHandTest.trained)
        else:
            shutil.copytree(ByHandTest.trained, self.data)
        self.tokens = {}

    @classmethod
    def tearDownClass(cls):
        if cls.trained:
            shutil.rmtree(os.path.dirname(cls.trained))

    def train(self):
        project = os.path.join(self.folder, "shop")
        os.makedirs(project)
        with open(os.path.join(project, "slipway.yaml"), "w") as file:
            file.write(FILE)
        with open(os.path.join(project, "shop.csv"), "w") as file:
            file.write("note,label\n")
            file.writelines(f"win a free phone {number},win\nlovely song {number},ham\n" for number in range(40))
        server, _ = self.start()
        token = self.token("ada", "approver")
        self.command("up", folder=project)
        self.command("data", "add", "shop", "shop.csv", "--target", "label", folder=project)
        self.command("train", "--budget", "0", folder=project)
        self.command("train", "--budget", "0", "--seed", "7", folder=project, SLIPWAY_TOKEN=token)
        self.command("token", "revoke", "ada")
        self.stop(server)

    def serve(self, **rules):
        """With people; ada's token was lost, so she has another."""
        roles = {"boss": "owner", "ann": "approver", "bob": "approver", "dev": "contributor"}
        self.tokens = {name: self.token(name, role) for name, role in roles.items()}
        self.port = self.start("--demand-token")[1]
        self.ask_as("boss", "PUT", "/api/v1/identities/ada", principal="ann")
        if rules:
            self.rule(**rules)

    def rule(self, **rules):
        self.ask_as("boss", "PUT", "/api/v1/environments/production", **rules)

    def ask_as(self, who, method, path, status=200, **body):
        headers = dict(JSON_TYPE, Authorization=f"Bearer {self.tokens[who]}")
        return self.expect(status, self.port, path, method=method, headers=headers,
                           body=json.dumps(body) if body else None)[1]

    def way(self, way, name, status=200, version=2, **more):
        """One of the ways on which a version comes to answer."""
        if way == "deploy":
            return self.ask_as(name, "POST", f"{ENDPOINT}/deploy", status, model="shop", version=version, **more)
        if way == "promote":
            return self.ask_as(name, "POST", f"{ENDPOINT}/promote", status, model="shop", version=version, **more)
        return self.ask_as(name, "PUT", f"{ENDPOINT}/candidate", status, **{"version": version, "share": 10, **more})

    def first(self, **more):
        """Version 1 serves, by bob, while nothing is demanded of him but a reason."""
        return self.way("deploy", "bob", version=1, comment="the first", **more)

    def serves(self):
        shown = self.ask_as("boss", "GET", ENDPOINT)
        return shown["version"], shown["candidate"] and shown["candidate"]["version"]

    def passed(self):
        events = self.ask_as("boss", "GET", "/api/v1/audit?action=environment.bypassed")["events"]
        return [(one["principal"], one["detail"]["reason"], one["detail"]["version"], one["detail"]["overridden"])
                for one in events]

    def refuses(self, sentence, status, **more):
        """On each way, and nothing changes."""
        before = self.serves(), self.passed()
        for way in "deploy", "promote", "candidate":
            error = self.way(way, more.get("name", "bob"), status, **{k: v for k, v in more.items() if k != "name"})
            self.assertIn(sentence, error["error"]["message"], way)
        self.assertEqual((self.serves(), self.passed()), before)

    def test_one_approval_is_that_of_who_does_it_with_a_reason_and_an_event(self):
        self.serve()
        self.first()
        self.refuses("say why in \"comment\" (--comment)", 422, comment="")
        self.refuses("needs the role approver", 403, name="dev", comment="because")
        self.way("candidate", "ann", comment="try it")
        self.way("promote", "bob", comment="it did well")
        self.assertEqual(self.serves(), (2, None))
        self.way("deploy", "ann", version=1, comment="back by hand")
        self.assertEqual(self.passed(), [("bob", "deploy", 1, []), ("ann", "candidate", 2, []),
                                         ("bob", "promote", 2, []), ("ann", "deploy", 1, [])])
        event = self.ask_as("boss", "GET", "/api/v1/audit?action=environment.bypassed")["events"][0]
        self.assertEqual((event["object"], event["detail"]["rules"]["approvals"], event["detail"]["comment"]),
                         ("production", 1, "the first"))

    def test_where_two_are_demanded_a_release_is_the_way(self):
        self.serve()
        self.first()
        self.rule(approvals=2)
        for name in "bob", "boss":
            self.refuses(f'environment "production" demands 2 approvals, and by hand there is one: {RELEASE}', 403,
                         name=name, comment="urgent")
        done = self.run_command("deploy", "shop@2", "--endpoint", "shop", "--comment", "x", "--data", self.data,
                                SLIPWAY_TOKEN=self.tokens["boss"])
        self.assertEqual((done.returncode, RELEASE in done.stderr), (3, True))

    def test_four_eyes_keep_out_who_made_the_version_under_any_token(self):
        self.serve()
        self.first()
        self.rule(four_eyes=True)
        self.refuses('demands four eyes, and "ann" has registered what made version 2', 403, name="ann", comment="mine")
        self.way("candidate", "bob", comment="hers")
        self.ask_as("boss", "DELETE", "/api/v1/identities/ada", 204)
        self.ask_as("boss", "DELETE", f"{ENDPOINT}/candidate")
        self.refuses("nobody knows who made version 2", 403, comment="whose?")

    def test_outside_the_windows_only_an_owner_passes_with_a_reason(self):
        tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%a").lower()
        self.serve()
        self.first()
        self.rule(windows=[f"{tomorrow} 12:00-13:00"])
        self.refuses('environment "production" is closed until', 409, comment="now")
        self.rule(approvals=0)
        self.refuses('environment "production" is closed until', 409, name="bob", comment="now")
        self.way("promote", "boss", comment="the old one burns")
        self.assertEqual(self.passed()[1:], [("boss", "promote", 2, ["windows"])])

    def test_where_branches_are_named_nothing_comes_by_hand_but_from_an_owner(self):
        self.serve()
        self.first()
        self.rule(branches=["main"])
        self.refuses("is of none", 409, comment="from my branch")
        self.way("deploy", "boss", comment="the pipeline is broken")
        self.assertEqual(self.passed()[1:], [("boss", "deploy", 2, ["branches"])])

    def test_back_is_always_free(self):
        tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%a").lower()
        self.serve()
        self.first()
        self.way("deploy", "bob", comment="the second")
        self.way("candidate", "bob", version=1, comment="look", share=50)
        self.rule(approvals=2, four_eyes=True, windows=[f"{tomorrow} 12:00-13:00"], branches=["main"])
        self.ask_as("bob", "PUT", f"{ENDPOINT}/candidate", share=5)
        self.ask_as("bob", "PUT", f"{ENDPOINT}/candidate", 403, share=6, comment="more")
        self.ask_as("bob", "PUT", f"{ENDPOINT}/candidate", version=1, shadow=True)
        self.ask_as("bob", "DELETE", f"{ENDPOINT}/candidate")
        self.ask_as("bob", "POST", f"{ENDPOINT}/rollback")
        self.assertEqual(self.serves(), (1, None))
        self.ask_as("dev", "POST", f"{ENDPOINT}/rollback", 403)

    def test_staging_goes_by_its_own_rules(self):
        self.serve(approvals=2)
        staging = "/api/v1/endpoints/shop-staging/deploy"
        self.ask_as("bob", "POST", staging, model="shop", version=1)
        self.ask_as("boss", "PUT", "/api/v1/environments/staging", approvals=2)
        self.ask_as("bob", "POST", staging, 403, model="shop", version=2, comment="x")

    def test_no_alias_moves_what_serves(self):
        self.serve()
        self.first()
        for alias in "champion", "production", "Production":
            self.ask_as("dev", "POST", "/api/2.0/mlflow/registered-models/alias", name="shop", alias=alias, version="2")
        self.ask_as("dev", "POST", "/api/2.0/mlflow/model-versions/transition-stage", name="shop", version="2",
                    stage="Production")
        self.assertEqual(self.serves(), (1, None))

    def test_without_tokens_one_person_deploys_as_before_but_not_past_two_approvals(self):
        self.token("app", "viewer")
        self.port = self.start()[1]
        self.command("deploy", "shop@1", "--endpoint", "shop")
        self.command("promote", "shop", "--model", "shop")
        self.assertEqual(self.expect(200, self.port, ENDPOINT)[1]["version"], 2)
        self.command("environment", "set", "production", "--approvals", "2")
        done = self.run_command("deploy", "shop@1", "--endpoint", "shop", "--comment", "x", "--data", self.data)
        self.assertEqual((done.returncode, RELEASE in done.stderr), (3, True))
        self.command("rollback", "shop")


if __name__ == "__main__":
    run(ByHandTest)
