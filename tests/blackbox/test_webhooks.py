#!/usr/bin/env python3
"""Webhooks and mails: told what was committed, in order, at least once, signed; whatever receivers and servers do."""
import json
import os

from harness import JSON_TYPE, SlipwayTest, run
from receiver import MailServer, Receiver, wait_for

SECRET = "a secret of the receiver"
CREATED = "registered_model.created"


class WebhooksTest(SlipwayTest):
    def setUp(self):
        super().setUp()
        self.listeners = []
        self.secret_file = os.path.join(self.folder, "secret")
        with open(self.secret_file, "w") as file:
            file.write(SECRET + "\n")

    def tearDown(self):
        for listener in self.listeners:
            listener.close()
        super().tearDown()

    def listen(self, listener):
        self.listeners.append(listener)
        return listener

    def start_here(self, *options):
        return self.start("--webhook-host", "127.0.0.1", *options)

    def add(self, name, url, *options, event=CREATED):
        self.command("webhook", "add", name, url, "--event", event, *options)

    def create(self, port, *names):
        for name in names:
            self.expect(201, port, "/api/v1/models", method="POST", body=json.dumps({"name": name}), headers=JSON_TYPE)

    def shown(self, port, name, rest=""):
        return self.expect(200, port, f"/api/v1/webhooks/{name}{rest}")[1]

    def wait_until_told(self, port, name):
        wait_for(lambda: self.shown(port, name)["waiting"] == 0, f"all deliveries to {name}")

    def test_events_come_signed_and_in_order_and_again_after_a_refusal(self):
        receiver = self.listen(Receiver([200, 503, 429]))
        port = self.start_here()[1]
        self.add("ci", receiver.url, "--secret-file", self.secret_file)
        self.create(port, "a", "b", "c")
        heard = receiver.wait(5)
        self.assertEqual([(one.data["name"], one.status) for one in heard],
                         [("a", 200), ("b", 503), ("b", 429), ("b", 200), ("c", 200)])
        self.assertEqual(len({one.id for one in heard}), 3)
        self.assertEqual(len({one.id for one in heard[1:4]}), 1)
        self.assertTrue(all(one.is_signed_with(SECRET) for one in heard))
        self.wait_until_told(port, "ci")
        self.assertEqual([(one["state"], one["tries"], one["status"]) for one in self.shown(port, "ci", "/deliveries")["deliveries"]],
                         [("delivered", 1, 200), ("delivered", 3, 200), ("delivered", 1, 200)])
        self.assertIn("delivered", self.command("webhook", "show", "ci"))

    def test_what_was_committed_is_told_after_the_server_was_killed(self):
        receiver = self.listen(Receiver())
        receiver.free.clear()
        server, port = self.start_here()
        self.add("ci", receiver.url)
        self.create(port, "a", "b")
        receiver.wait(1)  # and does not answer
        server.kill()
        server.wait()
        receiver.free.set()
        port = self.start_here()[1]
        heard = receiver.wait(3)
        self.assertEqual([one.data["name"] for one in heard], ["a", "a", "b"])
        self.assertEqual(heard[0].id, heard[1].id)
        self.wait_until_told(port, "ci")

    def test_what_a_command_did_without_a_server_is_told_by_the_next_one(self):
        receiver = self.listen(Receiver())
        server, port = self.start_here()
        self.add("ci", receiver.url, event="model_version_alias.created")
        self.create(port, "m")
        self.expect(200, port, "/api/2.0/mlflow/model-versions/create", method="POST",
                    body=b'{"name": "m", "source": "s3://b/m"}', headers=JSON_TYPE)
        self.stop(server)
        self.command("model", "alias", "m", "best", "1")
        self.assertEqual(receiver.heard, [])
        self.start_here()
        self.assertEqual(receiver.wait(1)[0].data, {"name": "m", "alias": "best", "version": "1"})

    def test_a_receiver_that_is_away_is_told_when_it_is_back(self):
        receiver = self.listen(Receiver())
        port = self.start_here()[1]
        self.add("ci", receiver.url)
        receiver.close()
        self.listeners.clear()
        self.create(port, "a")
        wait_for(lambda: self.shown(port, "ci", "/deliveries")["deliveries"][0]["tries"] > 0, "a try")
        self.assertIn("could not be reached", self.shown(port, "ci", "/deliveries")["deliveries"][0]["reason"])
        again = self.listen(Receiver(port=receiver.port))
        self.assertEqual(again.wait(1)[0].data["name"], "a")

    def test_a_slow_receiver_holds_up_neither_others_nor_changes(self):
        slow, quick = self.listen(Receiver()), self.listen(Receiver())
        slow.free.clear()
        port = self.start_here()[1]
        self.add("slow", slow.url)
        self.add("quick", quick.url)
        self.create(port, *(f"m{i}" for i in range(30)))
        quick.wait(30)
        self.assertEqual(len(slow.heard), 1)
        self.assertEqual(self.shown(port, "slow")["waiting"], 30)

    def test_answers_that_no_second_try_mends_end_a_delivery(self):
        receiver = self.listen(Receiver([404, 302]))
        port = self.start_here()[1]
        self.add("ci", receiver.url)
        self.create(port, "a", "b", "c")
        receiver.wait(3)
        self.wait_until_told(port, "ci")
        told = self.shown(port, "ci", "/deliveries")["deliveries"]
        self.assertEqual([(one["state"], one["status"]) for one in told],
                         [("delivered", 200), ("given up", 302), ("given up", 404)])
        self.assertEqual(told[1]["reason"], "it answered with status 302; redirects are not followed")
        server = self.servers.pop()  # it has warned of both on standard error
        server.terminate()
        errors = server.communicate()[1]
        self.assertEqual((server.returncode, errors.count("webhook_failed")), (0, 2))
        self.assertNotIn("/hook", errors)

    def test_disabled_ones_wait_and_deleted_ones_are_forgotten(self):
        receiver = self.listen(Receiver())
        port = self.start_here()[1]
        self.add("ci", receiver.url)
        self.command("webhook", "disable", "ci")
        self.create(port, "a")
        self.command("webhook", "enable", "ci")
        self.create(port, "b")
        self.assertEqual([one.data["name"] for one in receiver.wait(1)], ["b"])
        self.command("webhook", "delete", "ci")
        self.create(port, "c")
        self.refused(4, 'webhook "ci" does not exist', "webhook", "show", "ci")
        self.assertEqual(len(receiver.heard), 1)

    def test_only_named_hosts_are_private_ones(self):
        receiver = self.listen(Receiver())
        port = self.start()[1]
        self.refused(2, "a webhook's URL begins with https://; http:// is for hosts that the server was started with: "
                        "--webhook-host 127.0.0.1", "webhook", "add", "ci", receiver.url, "--event", CREATED)
        self.refused(2, '"169.254.169.254" is not a public address; webhooks may lead there when the server was started with '
                        "--webhook-host 169.254.169.254", "webhook", "add", "ci", "https://169.254.169.254/", "--event", CREATED)
        self.refused(2, 'there is no event "model.created"; docs/reference/webhook.md lists them',
                     "webhook", "add", "ci", "https://example.com/", "--event", "model.created")
        self.assertEqual(self.expect(200, port, "/api/v1/webhooks")[1]["webhooks"], [])
        self.assertEqual(receiver.heard, [])

    def test_a_host_that_is_no_longer_named_is_not_called(self):
        receiver = self.listen(Receiver())
        server, port = self.start_here()
        self.add("ci", receiver.url)
        self.stop(server)
        port = self.start()[1]
        self.create(port, "a")
        wait_for(lambda: self.shown(port, "ci", "/deliveries")["deliveries"][0]["tries"] > 0, "a try")
        self.assertEqual(receiver.heard, [])
        self.assertEqual(self.run_command("webhook", "test", "ci", "--data", self.data).returncode, 2)

    def test_owners_make_webhooks_and_others_see_where_they_lead(self):
        receiver = self.listen(Receiver())
        owner, viewer, approver = self.token("o", "owner"), self.token("v", "viewer"), self.token("a", "approver")
        port = self.start_here("--demand-token")[1]
        body = json.dumps({"name": "ci", "url": receiver.url, "events": [CREATED], "secret": SECRET})

        def as_one(token):
            return dict(JSON_TYPE, Authorization=f"Bearer {token}")

        self.expect(401, port, "/api/v1/webhooks", method="POST", body=body, headers=JSON_TYPE)
        self.expect(403, port, "/api/v1/webhooks", method="POST", body=body, headers=as_one(approver))
        self.expect(201, port, "/api/v1/webhooks", method="POST", body=body, headers=as_one(owner))
        self.expect(403, port, "/api/v1/webhooks/ci", method="PATCH", body='{"active": false}', headers=as_one(approver))
        self.expect(403, port, "/api/v1/webhooks/ci", method="DELETE", headers=as_one(approver))
        self.expect(403, port, "/api/v1/webhooks/ci/test", method="POST", body="{}", headers=as_one(approver))
        seen = self.expect(200, port, "/api/v1/webhooks/ci", headers=as_one(viewer))[1]
        self.assertEqual((seen["url"], seen["signed"]), (receiver.url.removesuffix("/hook"), True))
        for token in owner, viewer:
            for path in "/api/v1/webhooks", "/api/v1/webhooks/ci", "/api/v1/audit", "/api/2.0/mlflow/webhooks":
                self.assertNotIn(SECRET, str(self.ask(port, path, headers=as_one(token))[1]))
        self.assertEqual(receiver.heard, [])

    def test_a_test_sends_an_example_and_says_what_was_answered(self):
        receiver = self.listen(Receiver([200, 500]))
        port = self.start_here()[1]
        self.add("ci", receiver.url, "--secret-file", self.secret_file)
        self.assertIn("took an example", self.command("webhook", "test", "ci"))
        self.assertEqual((receiver.heard[0].event, receiver.heard[0].data["name"]), (CREATED, "example_model"))
        self.assertTrue(receiver.heard[0].is_signed_with(SECRET))
        self.refused(6, 'webhook "ci" was not told: it answered with status 500', "webhook", "test", "ci")
        self.assertEqual(self.shown(port, "ci", "/deliveries")["deliveries"], [])

    def start_with_mail(self, mail, *options):
        return self.start_here("--smtp-url", mail.url, "--smtp-from", "slipway@example.com", *options)

    def test_mails_go_to_addresses_and_urls_are_called_for_the_same_event(self):
        mail, receiver = self.listen(MailServer()), self.listen(Receiver())
        port = self.start_with_mail(mail)[1]
        self.add("ops", "mailto:ops@example.com")
        self.add("ci", receiver.url)
        self.create(port, "spam")
        sender, recipient, message, _ = mail.wait(1)[0]
        self.assertTrue(sender.startswith("MAIL FROM:<slipway@example.com>"), sender)
        self.assertTrue(recipient.startswith("RCPT TO:<ops@example.com>"), recipient)
        self.assertEqual((message["From"], message["To"], message["Subject"]),
                         ("Slipway <slipway@example.com>", "ops@example.com", f"{CREATED}: spam"))
        self.assertIn('"name":"spam"', message.get_content())
        self.assertEqual(receiver.wait(1)[0].data["name"], "spam")
        self.wait_until_told(port, "ops")
        told = self.shown(port, "ops", "/deliveries")["deliveries"][0]
        self.assertEqual((told["state"], told["status"], f"<{told['id']}@example.com>"), ("delivered", 250, message["Message-ID"]))
        self.assertIn("with status 250", self.command("webhook", "test", "ops"))

    def test_a_mail_server_that_says_later_is_asked_again_and_one_that_says_no_is_not(self):
        mail = self.listen(MailServer(["451 later", "250 ok", "550 nobody here"]))
        port = self.start_with_mail(mail)[1]
        self.add("ops", "mailto:ops@example.com")
        self.create(port, "a", "b")
        self.assertEqual(len(mail.wait(1)), 1)
        self.wait_until_told(port, "ops")
        told = self.shown(port, "ops", "/deliveries")["deliveries"]
        self.assertEqual([(one["state"], one["tries"], one["status"]) for one in told], [("given up", 1, 550), ("delivered", 2, 250)])
        server = self.servers.pop()
        server.terminate()
        self.assertIn("webhook_failed", server.communicate()[1])

    def test_the_mail_servers_secret_comes_from_a_file(self):
        mail = self.listen(MailServer(with_auth=True))
        port = self.start_with_mail(mail, "--smtp-user", "slipway", "--smtp-secret-file", self.secret_file)[1]
        self.add("ops", "mailto:ops@example.com")
        self.create(port, "a")
        self.assertEqual(mail.wait(1)[0][3], ["slipway", SECRET])

    def test_the_secret_goes_to_no_other_machine_without_tls(self):
        mail = self.listen(MailServer(with_auth=True))
        mail.url = mail.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")  # the same place, not by a loopback's name
        port = self.start_with_mail(mail, "--smtp-user", "slipway", "--smtp-secret-file", self.secret_file)[1]
        self.add("ops", "mailto:ops@example.com")
        self.create(port, "a")
        wait_for(lambda: self.shown(port, "ops", "/deliveries")["deliveries"][0]["tries"] > 0, "a try")
        self.assertEqual((mail.mails, [line for line in mail.commands if line.startswith("AUTH")]), ([], []))
        self.assertIn("EHLO", "".join(mail.commands))

    def test_mail_options_are_checked(self):
        for options, sentence in (
                (["--smtp-url", "smtp://a"], "mails need --smtp-url and --smtp-from, which is an address as slipway@example.com"),
                (["--smtp-url", "http://a", "--smtp-from", "a@b.c"], "--smtp-url takes smtp://HOST:PORT or smtps://HOST:PORT"),
                (["--smtp-url", "smtp://a", "--smtp-from", "a@b.c\nBcc: d@e.f"],
                 "mails need --smtp-url and --smtp-from, which is an address as slipway@example.com"),
                (["--smtp-url", "smtp://a", "--smtp-from", "a@b.c", "--smtp-user", "x"],
                 "--smtp-user and --smtp-secret-file come together")):
            self.refused(2, sentence, "server", "--port", "0", *options)
        self.start()
        self.refused(2, "mails need a mail server: start the server with --smtp-url",
                     "webhook", "add", "ops", "mailto:ops@example.com", "--event", CREATED)


if __name__ == "__main__":
    run(WebhooksTest)
