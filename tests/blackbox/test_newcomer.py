#!/usr/bin/env python3
"""What somebody new does and sees in the first hour: odd files, lines on the screen, an interrupted training.

usage: test_newcomer.py [WORD]      only the tests whose name contains WORD

SLIPWAY is the binary. The data are made up by "slipway sample comments" or written here.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import unittest

SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", "build/asan/slipway"))
SECONDS_MAX = 120
PROJECT = """project: notes
data:
  notes:
    source: {source}
    target: {target}
    columns: {{AUTHOR: ignore, COMMENT_ID: ignore, DATE: ignore}}
release: {{endpoint: notes}}
"""


def children(parent):
    """The ids of the processes that this one started."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                state, owner = file.read().rsplit(") ", 1)[1].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(owner) == parent and state != "Z":
            found.append(int(name))
    return found


def is_running(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_ended_by(command, stop):
    """The first interrupt ends the search with the best so far, the second one the command."""
    if command.poll() is None:
        command.send_signal(stop)
    return command.poll() is not None


class Newcomer(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="slipway-test-")
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("SLIPWAY_")}

    def tearDown(self):
        shutil.rmtree(self.folder)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_command(self, *arguments):
        return subprocess.run([SLIPWAY, *arguments], capture_output=True, text=True, cwd=self.folder,
                              env=self.environment, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL)

    def command(self, *arguments):
        done = self.run_command(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, code, sentence, *arguments):
        done = self.run_command(*arguments)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1:]), (code, [f"slipway: {sentence}"]))

    def wait_for(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        self.fail("it did not come to pass")

    def test_commands_work_at_once_while_a_server_starts_and_when_it_could_not(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            for port, starts in ("0", True), (str(taken.getsockname()[1]), False):
                server = subprocess.Popen([SLIPWAY, "server", "--port", port, "--quiet"], cwd=self.folder,
                                          env=self.environment, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.PIPE, text=True)
                for _ in range(5):
                    self.command("data", "list")
                if not starts:
                    self.assertIn("in use", server.communicate(timeout=SECONDS_MAX)[1])
                server.terminate()
                server.communicate(timeout=SECONDS_MAX)

    def test_two_commands_at_once_without_a_server_both_work_or_one_says_why_not(self):
        self.command("sample", "comments", "made-up")
        self.write("slipway.yaml", PROJECT.format(source="made-up", target="CLASS"))
        self.command("data", "add")
        training = subprocess.Popen([SLIPWAY, "train", "--budget", "600"], cwd=self.folder,
                                    env=self.environment, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True)
        self.assertEqual(training.stderr.readline(), "reading the data\n")
        other = self.run_command("data", "list")
        if other.returncode:
            self.assertEqual((other.returncode, other.stderr), (
                6, 'slipway: another slipway is using the data folder "slipway-data"; try again when it is done, '
                "or start slipway server on the folder: it takes any number of commands at once\n"))
        training.kill()
        training.communicate(timeout=SECONDS_MAX)
        self.assertIn("notes", self.command("data", "list"))

    def test_the_program_says_its_version(self):
        self.assertRegex(self.command("--version"), r"\Aslipway \d+\.\d+\.\d+\n\Z")

    def test_a_source_of_a_kind_that_is_not_read_is_named_as_such(self):
        for source in "ftp://example.org/a.csv", "s3://bucket/a.csv":
            self.refused(2, f'the source "{source}" is no file, folder, or http or https URL',
                         "data", "add", "notes", source)

    def test_a_damaged_zip_is_refused_by_its_own_name(self):
        self.write("bad.zip", "PK\x03\x04garbage")
        done = self.run_command("data", "add", "notes", "bad.zip")
        self.assertEqual(done.returncode, 2)
        self.assertIn('"bad.zip": it is not a zip, tar or tar.gz file', done.stderr)
        self.assertNotIn("slipway-data", done.stderr)

    def test_one_of_a_thing_is_not_called_many(self):
        self.write("one.csv", "text\nhello\n")
        self.assertEqual(self.command("data", "add", "one", "one.csv"), "one@1  1 row, 1 column, 1 file\n")

    def test_a_profile_shows_a_value_that_is_always_the_same_once_and_no_line_ends_in_spaces(self):
        rows = "".join(f"id{row:04},{row % 7}.5,{'x' * (1 + 90 * (row == 3))}\n" for row in range(40))
        self.write("rows.csv", "code,number,text\n" + rows)
        self.command("data", "add", "rows", "rows.csv", "--column", "code=text", "--column", "text=text")
        lines = self.command("data", "profile", "rows").splitlines()
        self.assertEqual([line for line in lines if line != line.rstrip()], [])
        code = lines.index(next(line for line in lines if line.startswith("code ")))
        self.assertRegex(lines[code + 2], r"^ +6 +40  █+$")
        self.assertEqual(lines[code + 3], "")

    def test_a_target_of_as_many_classes_as_rows_is_refused_with_their_numbers(self):
        rows = "".join(f"words {row},price {row * 1.7:.1f}\n" for row in range(50))
        self.write("rows.csv", "text,price\n" + rows)
        self.write("slipway.yaml", PROJECT.format(source="rows.csv", target="price").replace(
            "    columns: {AUTHOR: ignore, COMMENT_ID: ignore, DATE: ignore}\n", ""))
        self.command("data", "add")
        done = self.run_command("train")
        self.assertIn("nothing to hold out: none of the 50 values of the target has two different rows", done.stderr)

    def test_numbers_are_learnt_from_texts(self):
        self.write("rows.csv", "text,price\n" + "".join(f"words {row},{row * 1.7:.1f}\n" for row in range(50)))
        self.write("slipway.yaml", PROJECT.format(source="rows.csv", target="price").replace(
            "    columns: {AUTHOR: ignore, COMMENT_ID: ignore, DATE: ignore}\n", ""))
        self.command("data", "add")
        said = self.command("train", "--budget", "2")
        self.assertRegex(said, r"(?m)^regression, learnt from \d+ rows")
        self.assertRegex(said, r"text: words 1-2 \+ characters 2-5, weighed by ridge, become a number")

    def test_a_training_tells_once_that_it_reads_and_how_many_rows_have_no_target(self):
        self.command("sample", "comments", "made-up")
        with open(os.path.join(self.folder, "made-up", "sample01.csv"), encoding="utf-8") as file:
            head, *rows = file.read().splitlines(keepends=True)
        unlabelled = [row.rstrip("\r\n")[:-1] + "\n" for row in rows[:20]]
        self.write("rows.csv", head + "".join(unlabelled + rows[20:]))
        self.write("slipway.yaml", PROJECT.format(source="rows.csv", target="CLASS"))
        self.command("data", "add")
        done = self.run_command("train", "--budget", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("reading the data"), 1)
        self.assertIn("\nleft out: rows without a target: 20\n", done.stdout)
        self.assertEqual([line for line in done.stdout.splitlines() if line != line.rstrip()], [])

    def test_a_column_that_came_later_is_not_in_the_frozen_hold_out(self):
        rows = [f"text number {row},{row % 2}" for row in range(40)]
        self.write("slipway.yaml", "project: notes\ndata: {notes: {source: notes.csv, target: label}}\n")
        self.write("notes.csv", "\n".join(["text,label", *rows]) + "\n")
        self.command("data", "add")
        self.command("train", "--budget", "0")
        self.write("notes.csv", "\n".join(["text,label,length", *(f"{row},{len(row)}" for row in rows)]) + "\n")
        self.command("data", "add")
        done = self.run_command("train", "--budget", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn('failed: the frozen hold-out, drawn from an earlier version of the data: there is no column "length"',
                      done.stderr)

    def test_a_training_ends_with_the_command_that_was_interrupted(self):
        rows = "".join(f"word{row % 800} alpha{row % 800} beta{row},class{row % 800}\n" for row in range(4000))
        self.write("rows.csv", "text,CLASS\n" + rows)  # many classes: it learns for long
        self.write("slipway.yaml", PROJECT.format(source="rows.csv", target="CLASS").replace(
            "    columns: {AUTHOR: ignore, COMMENT_ID: ignore, DATE: ignore}\n", ""))
        self.command("data", "add")
        for stop in signal.SIGINT, signal.SIGKILL:
            training = subprocess.Popen([SLIPWAY, "train", "--budget", "600"], cwd=self.folder,
                                        env=self.environment, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
            self.assertEqual(training.stderr.readline(), "reading the data\n")
            self.assertIn("folds", training.stderr.readline())
            steps = self.wait_for(lambda parent=training.pid: children(parent))
            training.send_signal(stop)
            self.wait_for(lambda: is_ended_by(training, stop))
            training.communicate(timeout=SECONDS_MAX)
            self.wait_for(lambda ids=steps: not any(map(is_running, ids)))
        self.assertEqual(self.command("run", "list").count("FAILED"), 2)


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it starts behind itself ignore it
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    names = [name for name in unittest.TestLoader().getTestCaseNames(Newcomer) if word in name]
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(
        unittest.TestSuite(Newcomer(name) for name in names))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError:
        traceback.print_exc()
        print("0 passed, 1 failed")
        sys.exit(1)
