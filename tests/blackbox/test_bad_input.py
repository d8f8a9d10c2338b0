#!/usr/bin/env python3
"""Bad input as a table (bad_input.py): each case has its status and its sentence, and changes nothing.

Run by tools/run_tests.py, or alone: SLIPWAY=build/asan/slipway tests/blackbox/test_bad_input.py [WORD]
"""
import json
import os
import re
import socket
import sqlite3
import time

import bad_input
from harness import SECONDS_MAX, SlipwayTest, run

CASE_COUNT_MIN = 200
COMMENTS = [("win a free phone now", "web", "win"), ("lovely song, thank you", "app", "ham")]
PROJECT = """project: shop
data:
  shop:
    source: shop.csv
    target: label
release:
  endpoint: shop
"""
# What grows by being asked, not by what was asked.
LOGS = ("predictions", "prediction_batches", "prediction_ids", "sqlite_sequence")


def write_table(path):
    with open(path, "w", encoding="utf-8") as file:
        file.write("note,channel,age,label\n")
        for number in range(40):
            note, channel, label = COMMENTS[number % 2]
            file.write(f'"{note}",{channel},{20 + number % 7},{label}\n')


def read_answer(connection):
    """All that comes until the server closes or has sent what it announced."""
    received = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return received
        received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not more or (length and len(body) >= int(length[1])):
            return received


class BadInputTest(SlipwayTest):
    def serve(self, *options):
        folder = os.path.join(self.folder, "shop")
        os.makedirs(folder)
        write_table(os.path.join(folder, "shop.csv"))
        with open(os.path.join(folder, "slipway.yaml"), "w", encoding="ascii") as file:
            file.write(PROJECT)
        for command in ("up",), ("data", "add"), ("train", "--budget", "0"), ("promote", "shop"):
            self.command(*command, folder=folder)
        return self.start(*options)[1]

    def send(self, port, raw):
        """The status and the sentence of the answer to these bytes; (0, "") where there is none."""
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as connection:
            try:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before all of it was sent
            head, _, body = read_answer(connection).partition(b"\r\n\r\n")
        if not head:
            return 0, ""
        status = int(head.split(b" ")[1])
        if b"application/json" not in head:
            return status, bad_input.PAGE if bad_input.PAGE in body.decode() else body.decode()
        error = json.loads(body)["error"]
        self.assertLessEqual({"code", "message", "request_id"}, set(error))
        return status, error["message"]

    def all_that_lasts(self):
        store = sqlite3.connect(f"file:{self.data}/slipway.db?mode=ro", uri=True)
        tables = [name for (name,) in
                  store.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        rows = [(name, store.execute(f"SELECT * FROM {name}").fetchall())
                for name in tables if name not in LOGS]
        store.close()
        files = sorted(os.path.join(folder, name) for folder, _, names in
                       os.walk(os.path.join(self.data, "artifacts")) for name in names)
        return rows, files, os.listdir(os.path.join(self.data, "temporary"))

    def check(self, port, cases):
        run_id = self.ask(port, "/api/v1/runs")[1]["runs"][0]["id"]
        before = self.all_that_lasts()
        for case in cases:
            with self.subTest(case=case.what):
                status, sentence = self.send(port, case.raw.replace(b"{run}", run_id.encode()))
                sentence = sentence.replace(run_id, "{run}")
                if case.sentence.endswith(":"):
                    sentence = sentence[:len(case.sentence)]
                if case.status != bad_input.GONE or status != 408:
                    self.assertEqual((status, sentence), (case.status, case.sentence))
                self.assertNotIn("\n", sentence)
                self.assertNotIn(self.folder, sentence)
                self.assert_unchanged(before)
        self.expect(200, port, "/healthz")

    def assert_unchanged(self, before):
        """The file of a body goes a moment after its answer."""
        until = time.monotonic() + SECONDS_MAX
        while self.all_that_lasts() != before and time.monotonic() < until:
            time.sleep(0.01)
        self.assertEqual(self.all_that_lasts(), before)

    def store_files(self, port):
        for content, _, _ in bad_input.FILES.values():
            path = f"/api/v1/artifacts/{bad_input.digest(content)}"
            self.assertIn(self.ask(port, path, method="PUT", body=content)[0].status, (200, 201))

    def test_nothing_of_the_table_passes_or_changes_anything(self):
        port = self.serve()
        self.store_files(port)
        cases = bad_input.cases()
        self.assertGreaterEqual(len(cases), CASE_COUNT_MIN)
        self.check(port, cases)
        golden = '{"data":[{"note":"lovely song","channel":"app","age":30}]}'
        _, answer = self.expect(200, port, "/endpoints/shop/predict", method="POST", body=golden)
        self.assertEqual(answer["predictions"][0]["label"], "ham")


if __name__ == "__main__":
    run(BadInputTest)
