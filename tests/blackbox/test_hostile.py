#!/usr/bin/env python3
"""Clients that mean no good, or more of them than the server can take: who is answered all the same.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_hostile.py [WORD]
"""
import os
import re
import socket
import sqlite3
import time

from harness import SECONDS_MAX, SlipwayTest, run

DRIPPERS = 500
WRITES = 1200  # more than workers and queue have room for
HEAD = b"POST /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\n"
BEGINNINGS = [b"", b"GET /healthz HT", HEAD + b"X-Slow: ", HEAD + b"Content-Length: 90\r\n\r\n{\"name\":"]
PROBES = ["/healthz", "/readyz", "/metrics"]


def connect(port, sent=b"", source=""):
    client = socket.create_connection(("127.0.0.1", port), SECONDS_MAX, (source, 0) if source else None)
    client.sendall(sent)
    return client


def received(client):
    """What has come so far, and whether the connection has ended."""
    client.setblocking(False)
    text = b""
    try:
        while part := client.recv(65536):
            text += part
        return text, True
    except BlockingIOError:
        return text, False
    except ConnectionError:
        return text, True


def wait_until(ready):
    """For what the server does in its own time."""
    ends = time.monotonic() + SECONDS_MAX
    while not ready():
        if time.monotonic() > ends:
            raise AssertionError("it did not happen")
        time.sleep(0.01)


class HostileTest(SlipwayTest):
    def start_with_probes(self, *options):
        server, port = self.start("--probe-port", "0", *options)
        found = re.match(r"probes are at http://127\.0\.0\.1:(\d+)\n$", server.stdout.readline())
        return port, int(found[1])

    def test_drippers_far_above_the_limit_keep_nobody_out(self):
        port, probes = self.start_with_probes("--connections", "40")
        body = BEGINNINGS.index(BEGINNINGS[-1])
        clients = []
        for i in range(DRIPPERS):
            clients.append(connect(port, BEGINNINGS[i % len(BEGINNINGS)]))
            if i % 25 == 0:
                self.expect(200, port, "/healthz")
                self.expect(200, port, "/api/v1/tokens")
                self.expect(200, probes, PROBES[i // 25 % 3])
        answers = []
        wait_until(lambda: sum(received(client)[1] for client in clients) >= DRIPPERS - 40)
        for i, client in enumerate(clients):
            text, _ = received(client)
            answers += [text] if text else []
            self.assertTrue(not text or i % len(BEGINNINGS) == body, text)
            client.close()
        self.expect(200, port, "/healthz")

    def test_a_body_that_is_cut_for_room_is_told_when_to_come_again(self):
        port, _ = self.start_with_probes("--connections", "2")
        for _ in range(20):  # a reset may take the words with it
            slow = connect(port, BEGINNINGS[-1])
            self.expect(200, port, "/healthz")
            time.sleep(0.01)
            others = [connect(port) for _ in range(8)]
            slow.settimeout(SECONDS_MAX)
            try:
                text = slow.recv(65536)
            except ConnectionError:
                text = b""
            for client in [slow, *others]:
                client.close()
            if text:
                break
        self.assertTrue(text.startswith(b"HTTP/1.1 429 "), text)
        self.assertIn(b"\r\nRetry-After: 1\r\n", text)
        self.assertIn(b'"code":"busy"', text)

    def test_one_address_takes_no_more_than_its_share(self):
        port, _ = self.start_with_probes("--connections-per-address", "10")
        own = [connect(port, source="127.0.0.2") for _ in range(50)]
        other = connect(port, source="127.0.0.3")
        wait_until(lambda: sum(received(client)[1] for client in own) >= 40)
        self.expect(200, port, "/healthz")
        self.assertEqual(received(other), (b"", False))
        for client in [*own, other]:
            client.close()

    def test_more_writes_than_can_wait_get_429_at_once_and_hold_up_no_probe(self):
        port, probes = self.start_with_probes()
        texts = [b""] * WRITES

        def count(status):
            for i, client in enumerate(clients):
                texts[i] += received(client)[0]
            return sum(text.startswith(b"HTTP/1.1 " + status) for text in texts)

        clients = []
        with sqlite3.connect(os.path.join(self.data, "slipway.db"), isolation_level=None) as database:
            database.execute("BEGIN IMMEDIATE")  # as a disk that takes its time
            for i in range(WRITES):
                body = b'{"name":"t%d"}' % i
                clients.append(connect(port, HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)))
            wait_until(lambda: count(b"429") >= 50)
            for path in PROBES:
                self.expect(200, port, path)
                self.expect(200, probes, path)
            database.execute("ROLLBACK")
        for text in texts:
            if text.startswith(b"HTTP/1.1 429 "):
                self.assertRegex(text, rb"\r\nRetry-After: \d+\r\n")
                self.assertIn(b"too many changes are waiting for the disk, try again later", text)
        wait_until(lambda: count(b"201") >= 500)
        for client in clients:
            client.close()

    def test_the_port_for_probes_answers_nothing_else(self):
        port, probes = self.start_with_probes()
        for path in PROBES:
            self.expect(200, port, path)
            self.expect(200, probes, path)
        for path in "/", "/docs", "/api/v1/tokens", "/endpoints/spam/predict":
            self.expect(404, probes, path)
        self.expect(404, probes, "/healthz", method="DELETE")
        self.expect(413, probes, "/healthz", method="POST", body=b"x")

    def test_the_port_for_probes_demands_the_same_tokens(self):
        viewer = self.token("reader", "viewer")
        _, probes = self.start_with_probes("--demand-token")
        self.expect(200, probes, "/healthz")
        self.expect(401, probes, "/metrics")
        self.expect(200, probes, "/metrics", headers={"Authorization": f"Bearer {viewer}"})

    def test_limits_that_make_no_sense_are_refused(self):
        self.refused(2, "--connections takes 1 to 1000000", "server", "--connections", "0")
        self.refused(2, "--connections-per-address takes 1 to 1000000",
                     "server", "--connections-per-address", "-1")
        self.refused(2, "a port is 0 to 65535", "server", "--probe-port", "65536")


if __name__ == "__main__":
    run(HostileTest)
