#!/usr/bin/env python3
"""The server and the command line as their users meet them: processes, ports, exit codes.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_server.py [WORD]
"""
import concurrent.futures
import json
import os
import re
import signal
import socket
import sqlite3

from harness import SECONDS_MAX, SlipwayTest, run


class ServerTest(SlipwayTest):
    # HTTP

    def test_a_server_is_alive_and_describes_itself(self):
        _, port = self.start()
        self.assertEqual(self.expect(200, port, "/healthz")[1], {"live": True})
        self.assertIn("/healthz", self.expect(200, port, "/openapi.json")[1]["paths"])
        self.assertIn(b"slipway_requests_total", self.expect(200, port, "/metrics")[1])
        answer, body = self.ask(port, "/healthz", method="HEAD")
        self.assertEqual((answer.status, body), (200, b""))

    def test_every_answer_has_a_request_id_and_the_callers_own_if_it_is_fit(self):
        _, port = self.start()
        for path in "/healthz", "/api/v1/tokens", "/nothing/here":
            own, _ = self.ask(port, path, headers={"X-Request-Id": "job-7.a"})
            self.assertEqual(own.getheader("X-Request-Id"), "job-7.a")
            for unfit in "two words", "x" * 65, "a\"b", ".dot":
                answer, _ = self.ask(port, path, headers={"X-Request-Id": unfit})
                self.assertRegex(answer.getheader("X-Request-Id"), "^[0-9a-f]{32}$")

    def test_without_tokens_only_loopback_names_and_pages_are_answered(self):
        _, port = self.start()
        for host in "localhost", f"127.0.0.1:{port}", "[::1]", f"LOCALHOST:{port}":
            self.expect(200, port, "/api/v1/tokens", headers={"Host": host})
        for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example",
                     "127.0.0.1.evil.example", "127.0.0.1:80:80", ""):
            self.expect(403, port, "/api/v1/tokens", headers={"Host": host})
            self.expect(403, port, "/healthz", headers={"Host": host})
        for origin in "http://localhost:5000", f"https://127.0.0.1:{port}":
            self.expect(200, port, "/api/v1/tokens", headers={"Origin": origin})
        for origin in ("https://evil.example", "null", "http://localhost.evil.example", "",
                       "http://localhost@evil.example", "file://localhost"):
            self.expect(403, port, "/api/v1/tokens", headers={"Origin": origin})

    def ask_while_the_store_is_locked(self, port, headers):
        """40 changes that wait for the disk, more than there are workers, and a question meanwhile."""
        store = sqlite3.connect(os.path.join(self.data, "slipway.db"), isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            changes = [pool.submit(self.expect, 201, port, "/api/v1/models", method="POST", headers=headers,
                                   body=json.dumps({"name": f"model-{number}"})) for number in range(40)]
            concurrent.futures.wait(changes, timeout=0.5)  # some are on their way, more would be better
            self.expect(200, port, "/api/v1/runs", headers=headers)
            self.assertFalse(any(change.done() for change in changes))
            store.execute("ROLLBACK")
            for change in changes:
                change.result()
        store.close()
        models = self.expect(200, port, "/api/v1/models", headers=headers)[1]
        self.assertEqual(len(next(iter(models.values()))), 40)

    def test_changes_that_wait_for_the_disk_hold_up_no_question(self):
        _, port = self.start()
        self.ask_while_the_store_is_locked(port, {})

    def test_changes_with_tokens_that_wait_for_the_disk_hold_up_no_question(self):
        token = self.token("ada", "owner")
        _, port = self.start("--demand-token")
        self.ask_while_the_store_is_locked(port, {"Authorization": f"Bearer {token}"})

    def test_mistakes_in_a_request_get_one_sentence(self):
        _, port = self.start()
        cases = [
            (404, "not_found", "GET", "/nothing", None),
            (404, "not_found", "GET", "/api/v1/tokens/", None),
            (404, "not_found", "DELETE", "/api/v1/tokens/", None),
            (404, "not_found", "DELETE", "/api/v1/tokens/nobody", None),
            (405, "method_not_allowed", "PUT", "/api/v1/tokens", None),
            (400, "invalid", "POST", "/api/v1/tokens", b""),
            (400, "invalid", "POST", "/api/v1/tokens", b"{"),
            (400, "invalid", "POST", "/api/v1/tokens", b"[]"),
            (400, "invalid", "GET", "/api/v1/tokens", b"{}"),
            (422, "invalid_field", "POST", "/api/v1/tokens", b"{}"),
            (422, "invalid_field", "POST", "/api/v1/tokens", b'{"name":7}'),
            (422, "invalid_field", "POST", "/api/v1/tokens", b'{"name":"a","name":"b"}'),
            (422, "invalid_field", "POST", "/api/v1/tokens", b'{"name":"a b"}'),
            (422, "invalid_field", "POST", "/api/v1/tokens", b'{"name":"a","role":"king"}'),
            (422, "invalid_field", "GET", "/api/v1/audit?limit=ten", None),
            (422, "invalid_field", "GET", "/api/v1/audit?limits=10", None),
            (422, "invalid_field", "GET", "/api/v1/audit?limit=1&limit=2", None),
        ]
        for status, code, method, path, body in cases:
            with self.subTest(method=method, path=path, body=body):
                _, answer = self.expect(status, port, path, method=method, body=body)
                self.assertEqual(answer["error"]["code"], code)
        answer, _ = self.expect(405, port, "/api/v1/tokens", method="PUT")
        self.assertEqual(answer.getheader("Allow"), "GET, HEAD, POST")

    def test_answers_are_utf8_whatever_was_sent(self):
        _, port = self.start()
        member = ("\u00e9" * 300).encode()
        self.expect(422, port, "/api/v1/tokens", method="POST", body=b'{"' + member + b'":1}')
        for path in "/api/v1/audit?%ff=1", "/api/v1/audit?object=%ff", "/api/v1/audit?%c3=1":
            self.assertIn(self.ask(port, path)[0].status, (200, 400, 422))
        self.expect(404, port, "/api/v1/tokens/%ff%fe", method="DELETE")
        self.expect(404, port, "/" + "%C3%A9" * 100)

    def test_a_token_on_a_probe_is_no_matter(self):
        _, port = self.start()
        for path in "/healthz", "/openapi.json", "/":
            self.expect(200, port, path, headers={"Authorization": "Bearer nonsense"})
        self.expect(401, port, "/metrics", headers={"Authorization": "Bearer nonsense"})

    # tokens

    def test_a_demanded_token_is_needed_and_its_role_is_enough_or_not(self):
        viewer, owner = self.token("reader", "viewer"), self.token("boss", "owner")
        server, port = self.start("--demand-token")
        answer, _ = self.expect(401, port, "/api/v1/tokens")
        self.assertEqual(answer.getheader("WWW-Authenticate"), "Bearer")
        self.expect(401, port, "/metrics")
        for wrong in "Bearer nonsense", "Bearer ", "Basic abc", viewer, f"Bearer {viewer}x":
            self.expect(401, port, "/api/v1/audit", headers={"Authorization": wrong})
        as_viewer = {"Authorization": f"Bearer {viewer}"}
        as_owner = {"Authorization": f"bearer {owner}"}
        self.expect(200, port, "/api/v1/audit", headers=as_viewer)
        self.expect(200, port, "/metrics", headers=as_viewer)
        self.expect(403, port, "/api/v1/tokens", headers=as_viewer)
        self.expect(200, port, "/api/v1/tokens", headers=as_owner)
        self.expect(200, port, "/healthz")
        self.expect(200, port, "/healthz", headers={"Authorization": "Bearer nonsense"})
        self.expect(200, port, "/api/v1/audit", headers=dict(as_viewer, Host="slipway.example"))
        self.expect(204, port, "/api/v1/tokens/reader", method="DELETE", headers=as_owner)
        self.expect(401, port, "/api/v1/audit", headers=as_viewer)
        self.stop(server)

    def test_a_token_of_many_requests_is_refused_right_after_it_is_revoked(self):
        owner = {"Authorization": f"Bearer {self.token('boss', 'owner')}"}
        secrets = [self.token(f"reader-{turn}", "viewer") for turn in range(5)]
        server, port = self.start("--demand-token")
        for turn, secret in enumerate(secrets):
            reader = {"Authorization": f"Bearer {secret}"}
            for path in "/endpoints/none/openapi.json", "/endpoints/none/openapi.json", "/metrics":
                self.expect(404 if "none" in path else 200, port, path, headers=reader)
            self.expect(204, port, f"/api/v1/tokens/reader-{turn}", method="DELETE", headers=owner)
            self.expect(401, port, "/endpoints/none/openapi.json", headers=reader)
            self.expect(401, port, "/metrics", headers=reader)
        self.stop(server)

    def test_an_open_address_without_tokens_is_refused(self):
        first = "needs a token that works: run slipway token create NAME --role owner first"
        self.refused(5, f"an address other than loopback {first}",
                     "server", "--host", "0.0.0.0", "--port", "0")
        self.refused(5, f"--demand-token {first}", "server", "--demand-token", "--port", "0")
        self.token("gone", "owner")
        self.command("token", "revoke", "gone")
        self.refused(5, f"an address other than loopback {first}",
                     "server", "--host", "0.0.0.0", "--port", "0")
        self.assertFalse(os.path.exists(os.path.join(self.data, "address")))

    def test_an_open_address_demands_tokens(self):
        owner = self.token("boss", "owner")
        _, port = self.start("--host", "0.0.0.0")
        self.expect(401, port, "/api/v1/audit")
        self.expect(200, port, "/api/v1/audit", headers={"Authorization": f"Bearer {owner}"})

    # the folder

    def test_a_second_server_on_a_folder_is_refused(self):
        server, port = self.start()
        self.refused(6, f'another slipway is using the data folder "{self.data}"',
                     "server", "--port", "0")
        self.expect(200, port, "/healthz")
        self.stop(server)

    def test_commands_find_the_server_of_their_folder(self):
        server, _ = self.start()
        self.token("ci", "contributor")
        self.assertIn("token.created", self.command("audit", "log"))
        self.assertIn("the audit trail is whole: 1 events;", self.command("audit", "verify"))
        self.stop(server)
        self.assertIn("ci", self.command("token", "list"))

    def test_commands_send_their_token_to_the_server(self):
        owner = self.token("boss", "owner")
        _, port = self.start("--demand-token")
        done = self.run_command("token", "list", "--data", self.data)
        self.assertEqual(done.returncode, 3)
        self.assertIn("this needs a token", done.stderr)
        self.command("token", "list", "--token", owner)
        done = self.run_command("token", "list", "--server", f"http://127.0.0.1:{port}/",
                                SLIPWAY_TOKEN=owner)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_server_that_is_not_there_is_unavailable(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            done = self.run_command("token", "list", "--server",
                                    f"http://127.0.0.1:{free.getsockname()[1]}")
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertTrue(done.stderr.startswith("slipway: could not ask the server at http://"))

    def test_a_command_alone_works_in_its_folder(self):
        done = self.run_command("token", "create", "ci")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "^slw_[0-9a-f]{64}\n$")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "slipway-data", "slipway.db")))
        listed = self.run_command("token", "list", "--json")
        self.assertEqual(json.loads(listed.stdout)["tokens"][0]["name"], "ci")
        other = self.run_command("token", "list", "--json", SLIPWAY_FOLDER=self.data)
        self.assertEqual(json.loads(other.stdout), {"tokens": [], "next": None})

    def test_a_stop_signal_ends_the_server_cleanly(self):
        for number in signal.SIGTERM, signal.SIGINT:
            server, _ = self.start()
            self.assertTrue(os.path.exists(os.path.join(self.data, "address")))
            server.send_signal(number)
            self.assertEqual(server.wait(SECONDS_MAX), 0)
            self.assertFalse(os.path.exists(os.path.join(self.data, "address")))

    def test_a_killed_server_starts_again_with_all_that_it_answered(self):
        server, port = self.start()
        for i in range(20):
            body = json.dumps({"name": f"token-{i}"}).encode()
            self.expect(201, port, "/api/v1/tokens", method="POST", body=body)
        server.kill()
        server.wait(SECONDS_MAX)
        self.assertTrue(os.path.exists(os.path.join(self.data, "address")))
        self.assertIn("the audit trail is whole: 20 events;", self.command("audit", "verify"))
        self.assertFalse(os.path.exists(os.path.join(self.data, "address")))
        server, port = self.start()
        self.assertEqual(len(self.expect(200, port, "/api/v1/tokens")[1]["tokens"]), 20)
        self.stop(server)

    def test_a_newer_database_is_refused_with_its_sentence(self):
        self.command("token", "list")
        database = os.path.join(self.data, "slipway.db")
        with open(database, "r+b") as file:
            file.seek(60)  # where SQLite keeps the number of the schema
            file.write((1000).to_bytes(4, "big"))
        done = self.run_command("token", "list", "--data", self.data)
        self.assertEqual(done.returncode, 5)
        self.assertRegex(done.stderr, r'^slipway: could not open the database ".*": the schema is '
                                      r"at step 1000, newer than this slipway, which knows \d+ "
                                      r"steps\n$")

    def test_an_audit_trail_that_lost_its_end_is_found_by_a_mark_kept_elsewhere(self):
        self.token("a", "viewer")
        self.token("b", "viewer")
        mark = re.search(r"its end is (2:[0-9a-f]{64})\n", self.command("audit", "verify"))[1]
        self.token("c", "viewer")
        self.command("audit", "verify", "--known", mark)
        with sqlite3.connect(os.path.join(self.data, "slipway.db")) as database:
            database.execute("DELETE FROM events WHERE id >= 2")
        self.assertIn("whole: 1 events", self.command("audit", "verify"))
        self.refused(5, "the audit trail is broken: event 2 is missing",
                     "audit", "verify", "--known", mark)
        self.refused(2, '--known takes NUMBER:HASH, not "7"', "audit", "verify", "--known", "7")
        self.refused(2, '"event" must be an integer', "audit", "verify", "--known", "x:y")

    # the command line

    def test_a_list_of_many_pages_is_shown_whole(self):
        _, port = self.start()
        names = [f"robot-{number:03}" for number in range(105)]
        for name in names:
            self.expect(201, port, "/api/v1/tokens", method="POST", body=json.dumps({"name": name}))
            self.expect(201, port, "/api/v1/models", method="POST", body=json.dumps({"name": name}))
        for what in "token", "model":
            page = self.expect(200, port, f"/api/v1/{what}s")[1]
            self.assertEqual((len(page[f"{what}s"]), page["next"]), (100, "robot-099"))
            page = self.expect(200, port, f"/api/v1/{what}s?limit=10&after=robot-099")[1]
            self.assertEqual(([item["name"] for item in page[f"{what}s"]], page["next"]), (names[100:], None))
            shown = self.command(what, "list").splitlines()[1:]
            self.assertEqual([line.split()[0] for line in shown], names)
            listed = json.loads(self.command(what, "list", "--json"))[f"{what}s"]
            self.assertEqual([item["name"] for item in listed], names)

    def test_help_lists_the_commands_and_their_options(self):
        for arguments in [], ["help"], ["--help"]:
            done = self.run_command(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("token create NAME", done.stdout)
        done = self.run_command("token", "create", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--expires-days DAYS", done.stdout)
        self.assertEqual(os.listdir(self.folder), [])

    def test_mistakes_on_the_command_line_are_named(self):
        cases = [
            (["tokn"], 'there is no command "tokn"; there are:'),
            (["token"], 'there is no command "token"; there are:'),
            (["--json", "token", "list"], "the command comes before its options"),
            (["token", "list", "--rolle", "x"], "slipway token list has no option --rolle"),
            (["token", "create"], "usage: slipway token create NAME"),
            (["token", "create", "a", "b"], "usage: slipway token create NAME"),
            (["token", "create", "a", "--role"], "--role needs a value: ROLE"),
            (["token", "create", "a", "--expires-days", "soon"],
             '--expires-days takes an integer, not "soon"'),
            (["token", "list", "--json=yes"], "--json takes no value"),
            (["server", "--port", "70000"], "a port is 0 to 65535"),
            (["server", "--port", "-1"], "a port is 0 to 65535"),
        ]
        for arguments, sentence in cases:
            with self.subTest(arguments=arguments):
                done = self.run_command(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(f"slipway: {sentence}", done.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_with_json_an_error_is_json_on_standard_error(self):
        for arguments, code, word in [
                (["token", "revoke", "nobody", "--json"], 4, "not_found"),
                (["token", "create", "a b", "--json"], 2, "invalid_field"),
                (["token", "create", "--wrong", "--json"], 2, "invalid"),
                (["token", "create", "--json"], 2, "invalid")]:
            with self.subTest(arguments=arguments):
                done = self.run_command(*arguments)
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                error = json.loads(done.stderr)["error"]
                self.assertEqual(error["code"], word)
                self.assertTrue(error["message"])
        self.assertEqual(self.run_command("token", "revoke", "no", "--json").stderr,
                         '{"error":{"code":"not_found",'
                         '"message":"token \\"no\\" does not exist"}}\n')


if __name__ == "__main__":
    run(ServerTest)
