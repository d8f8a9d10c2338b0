#!/usr/bin/env python3
"""The demonstration: its data from each source, and the whole of it, twice.

usage: test_demo.py [WORD]      only the tests whose name contains WORD
"""
import csv
import functools
import http.server
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import urllib.request

from harness import run_functions

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", os.path.join(ROOT, "build/release/slipway")))
DATA = os.path.join(os.environ.get("SLIPWAY_DATA", os.path.join(ROOT, "../shared/data")), "youtube-spam")
ROW_COUNTS = [350, 350, 438, 448, 370]
COLUMNS = ["COMMENT_ID", "AUTHOR", "DATE", "CONTENT", "CLASS"]
DEMO_SECONDS_MAX = 400


def run(command, **settings):
    environment = dict(os.environ, SLIPWAY=SLIPWAY)
    environment.update(settings)
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=DEMO_SECONDS_MAX)


def get_data(folder, **settings):
    done = run([os.path.join(ROOT, "tools/demo_data.sh"), folder], **settings)
    assert done.returncode == 0, done.stdout
    said = [line for line in done.stdout.splitlines() if line.startswith("Comments: ")]
    assert len(said) == 1, done.stdout
    return done.stdout


def read_all(folder):
    tables = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]  # one file begins empty
        assert rows[0] == COLUMNS and all(len(row) == len(COLUMNS) for row in rows)
        tables.append([dict(zip(COLUMNS, row)) for row in rows[1:]])
    return tables


def check_tables(folder):
    tables = read_all(folder)
    assert [len(table) for table in tables] == ROW_COUNTS, [len(table) for table in tables]
    for table in tables:
        assert all(row["CLASS"] in ("0", "1") and row["CONTENT"] for row in table)
    return tables


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    handler = functools.partial(QuietHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def has_real_data():
    if os.path.isdir(DATA):
        return True
    print(f"SKIP no real comments in {DATA}")
    return False


def test_real_comments_of_this_machine_are_taken_first(folder):
    if has_real_data():
        assert "YouTube Spam Collection, from /" in get_data(folder)
        check_tables(folder)


def test_real_comments_are_fetched_and_their_digests_checked(folder):
    if has_real_data():
        server, url = serve(DATA)
        said = get_data(folder, SLIPWAY_DEMO_URL=url)
        server.shutdown()
        assert f"YouTube Spam Collection, from {url}" in said
        check_tables(folder)


def test_files_with_another_digest_are_not_used(folder):
    with tempfile.TemporaryDirectory() as wrong:
        with open(os.path.join(ROOT, "tools/demo_data.sha256"), encoding="ascii") as file:
            names = [line.split()[1] for line in file]
        for name in names:
            with open(os.path.join(wrong, name), "w", encoding="utf-8") as file:
                file.write("COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS\n1,A,,planted,0\n")
        server, url = serve(wrong)
        said = get_data(folder, SLIPWAY_DEMO_URL=url)
        server.shutdown()
    assert f"What {url} gave does not have the expected digests" in said
    assert "made up" in said
    tables = check_tables(folder)
    assert not any(row["CONTENT"] == "planted" for table in tables for row in table)


def test_an_address_that_does_not_answer_leads_to_made_up_comments(folder):
    said = get_data(folder, SLIPWAY_DEMO_URL="http://127.0.0.1:1")
    assert "Could not fetch http://127.0.0.1:1/" in said and "made up" in said
    check_tables(folder)


def test_made_up_comments_have_what_real_ones_have(folder):
    get_data(folder, SLIPWAY_DEMO_URL="none")
    rows = [row for table in check_tables(folder) for row in table]
    texts = [row["CONTENT"] for row in rows]
    for part in (",", '"', "\n", "\u2764", "http://"):
        assert any(part in text for text in texts), part
    assert 100 < len(texts) - len(set(texts)) < 400
    assert 1 <= sum(not row["DATE"] for row in rows) < len(rows) / 4
    assert sum(row["CLASS"] == "1" for row in rows) == 1005
    both = {row["CONTENT"] for row in rows if row["CLASS"] == "1"}
    assert both & {row["CONTENT"] for row in rows if row["CLASS"] == "0"}, "no ambiguous text"


def test_the_seed_decides_what_is_made_up(folder):
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        done = run([SLIPWAY, "sample", "comments", os.path.join(folder, name), "--seed", seed])
        assert done.returncode == 0, done.stdout
    one, same, other = (read_all(os.path.join(folder, name)) for name in "abc")
    assert one == same and one != other


def test_made_up_comments_never_replace_files(folder):
    path = os.path.join(folder, "sample05.csv")
    with open(path, "w", encoding="ascii") as file:
        file.write("mine")
    done = run([SLIPWAY, "sample", "comments", folder])
    assert done.returncode == 5 and "exists already" in done.stdout, done.stdout
    assert os.listdir(folder) == ["sample05.csv"]
    with open(path, encoding="ascii") as file:
        assert file.read() == "mine"


def test_a_seed_below_zero_is_refused(folder):
    done = run([SLIPWAY, "sample", "comments", folder, "--seed", "-1"])
    assert done.returncode == 2 and "a seed is 0 or more" in done.stdout, done.stdout
    assert not os.listdir(folder)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def run_demo(folder, url):
    demo = os.path.join(folder, "demo")
    done = run([os.path.join(ROOT, "tools/demo.sh")], SLIPWAY_DEMO_FOLDER=demo, SLIPWAY_DEMO_PORT="0",
               SLIPWAY_DEMO_BUDGET="10", SLIPWAY_DEMO_URL=url)
    assert done.returncode == 0, done.stdout[-6000:]
    pid = int(re.search(r"stop it +kill (\d+)", done.stdout)[1])
    url = re.search(r"^ +(http://127\.0\.0\.1:\d+) ", done.stdout, re.MULTILINE)[1]
    return done.stdout, pid, url


def test_the_demonstration_runs_twice_and_leaves_one_server_that_answers(folder):
    _, first, _ = run_demo(folder, "none")
    assert is_running(first)
    second = None
    try:
        said, second, url = run_demo(folder, "" if os.path.isdir(DATA) else "none")
        assert f"(process id {first})" in said and not is_running(first)
        request = urllib.request.Request(f"{url}/endpoints/spam/predict", data=b'{"data":["hello"]}',
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = json.load(answer)
        assert body["version"] == 1 and len(body["predictions"]) == 1, body
    finally:
        for pid in (first, second):
            if pid and is_running(pid):
                os.kill(pid, signal.SIGTERM)


def test_the_demonstration_does_not_touch_a_folder_that_is_not_its_own(folder):
    with open(os.path.join(folder, "mine"), "w", encoding="ascii") as file:
        file.write("mine")
    done = run([os.path.join(ROOT, "tools/demo.sh")], SLIPWAY_DEMO_FOLDER=folder)
    assert done.returncode == 1 and "is not from a demonstration" in done.stdout, done.stdout
    assert os.listdir(folder) == ["mine"]


if __name__ == "__main__":
    run_functions(globals())
