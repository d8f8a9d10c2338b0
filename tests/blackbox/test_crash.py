#!/usr/bin/env python3
"""The server is killed at some crash points and random moments; see tools/crash.py for all of them.

usage: test_crash.py [WORD]      only the tests whose name contains WORD
"""
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", os.path.join(ROOT, "build/asan/slipway")))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import crash_writers  # noqa: E402
from crash import Driver  # noqa: E402

NAMES = {
    "empty": ["migration: a step done, not committed"],
    "old": ["migration: copy made, not in its place"],
    "used": [
        "artifact: copied, not in its place",
        "data set: blobs stored, no row",
        "training: package stored, nothing written",
        "training: written",
        "promotion: gate recorded, not deployed",
        "deployment: serves, not answered",
        "outbox: written, not committed",
        "courier: answered, not written down",
        "candidate: set, not recorded",
        "purge: some rows removed",
        "purge: rows removed, blobs not",
        "purge: some blobs removed",
    ],
}
RANDOM_KILLS = 10
WRITERS_ROUNDS = 3
SEED = 7


def test_a_killed_server_has_all_it_acknowledged_and_nothing_half_written():
    driver = Driver(SLIPWAY)
    try:
        driver.make_bases()
        for base, names in NAMES.items():
            driver.kill_at_names(base, names)
        driver.kill_at_random(RANDOM_KILLS, SEED)
        assert set(driver.reached) == {name for names in NAMES.values() for name in names}
    finally:
        driver.close()
    assert (driver.passed, driver.failed) == (14 + RANDOM_KILLS, 0)


def test_of_64_writers_none_loses_a_point_that_was_acknowledged():
    driver = crash_writers.Driver(SLIPWAY)
    try:
        driver.kill(WRITERS_ROUNDS, SEED)
    finally:
        driver.close()
    assert driver.acknowledged, "nothing was written"
    assert (driver.passed, driver.failed) == (WRITERS_ROUNDS, 0)


def children_of(process_id):
    done = subprocess.run(["ps", "--no-headers", "-o", "pid", "--ppid", str(process_id)],
                          stdout=subprocess.PIPE, text=True)
    return [int(word) for word in done.stdout.split()]


def wait_until(condition, sentence):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, sentence
        time.sleep(0.02)


def is_alive(process_id):
    try:
        with open(f"/proc/{process_id}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def unread_bytes(pipe):
    count = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def test_a_step_dies_with_its_parent():
    """It is held where it reads its job, which this test never ends."""
    start = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
    parent = subprocess.Popen([sys.executable, "-c", start, SLIPWAY, "step", "train"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    steps = []
    try:
        parent.stdin.write(b'{"rows": ')
        parent.stdin.flush()
        wait_until(lambda: unread_bytes(parent.stdin) == 0, "no step reads its job")
        steps = children_of(parent.pid)
        assert len(steps) == 1, steps
        parent.kill()
        parent.wait()
        wait_until(lambda: not is_alive(steps[0]), "the step outlives its parent")
    finally:
        parent.kill()
        for step in filter(is_alive, steps):
            os.kill(step, signal.SIGKILL)
        parent.communicate()


def main():
    tests = [(name, test) for name, test in sorted(globals().items())
             if name.startswith("test_") and (len(sys.argv) < 2 or sys.argv[1] in name)]
    failed = 0
    for name, test in tests:
        try:
            test()
        except Exception:
            failed += 1
            print(f"{name}:\n{traceback.format_exc()}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
