"""What black-box tests share: servers that are started and ended, commands, requests.

A test class derives from SlipwayTest; its file ends with run(ITS_CLASS), or with more of them. A file whose tests are functions of a folder
ends with run_functions(globals()); one that drives a tool of tools/, with run_driver(main).
"""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import unittest

SLIPWAY = os.path.abspath(os.environ.get("SLIPWAY", "build/asan/slipway"))
SECONDS_MAX = 60
JSON_TYPE = {"Content-Type": "application/json"}


class Caller:
    """One client with one connection that it keeps."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)

    def post(self, path, body, headers=None):
        self.connection.request("POST", path, body, dict(JSON_TYPE, **(headers or {})))
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


class SlipwayTest(unittest.TestCase):
    command_seconds = SECONDS_MAX  # that a command may take: where a model is searched, more

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="slipway-test-")
        self.data = os.path.join(self.folder, "data")
        self.servers = []

    def tearDown(self):
        """Ends what still runs; a sanitizer that found something says so by the exit code."""
        codes = []
        for server in self.servers:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
            errors = server.communicate(timeout=SECONDS_MAX)[1]
            if server.returncode not in (0, -signal.SIGKILL):
                codes.append((server.returncode, errors[-4000:]))
        shutil.rmtree(self.folder)
        self.assertEqual(codes, [])

    def start(self, *options, **variables):
        """Starts a server on self.data, with the variables in its environment; returns the process and its port."""
        server = subprocess.Popen(
            [SLIPWAY, "server", "--port", "0", "--data", self.data, "--quiet", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment(**variables))
        self.servers.append(server)
        line = server.stdout.readline()
        found = re.match(r"slipway is at http://\S+:(\d+), its data in (.+)$", line)
        if not found:
            self.fail(f"the server said {line!r} and {server.communicate()[1]!r}")
        self.assertEqual(found[2], self.data)
        return server, int(found[1])

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        output, errors = server.communicate(timeout=SECONDS_MAX)
        self.assertEqual((server.returncode, errors), (0, ""))
        return output

    def environment(self, **more):
        values = {name: value for name, value in os.environ.items()
                  if not name.startswith("SLIPWAY_")}
        return dict(values, **more)

    def run_command(self, *arguments, folder=None, **more):
        return subprocess.run([SLIPWAY, *arguments], capture_output=True, text=True,
                              cwd=folder or self.folder, env=self.environment(**more),
                              timeout=self.command_seconds, stdin=subprocess.DEVNULL)

    def command(self, *arguments, **more):
        """One that must work; returns what it printed."""
        done = self.run_command(*arguments, "--data", self.data, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, code, sentence, *arguments, **more):
        done = self.run_command(*arguments, "--data", self.data, **more)
        self.assertEqual((done.returncode, done.stderr), (code, f"slipway: {sentence}\n"))
        self.assertEqual(done.stdout, "")

    def ask(self, port, path, method="GET", body=None, headers=None, host="127.0.0.1"):
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS_MAX)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        is_json = answer.getheader("Content-Type") == "application/json" and raw
        return answer, json.loads(raw) if is_json else raw

    def expect(self, status, port, path, **more):
        answer, body = self.ask(port, path, **more)
        self.assertEqual(answer.status, status, body)
        if status >= 400:
            self.assertEqual(set(body), {"error"})
            self.assertLessEqual({"code", "message", "request_id"}, set(body["error"]))
            self.assertEqual(body["error"]["request_id"], answer.getheader("X-Request-Id"))
        return answer, body

    def edit(self, name, old, new):
        """In a file of the folder self.project."""
        path = os.path.join(self.project, name)
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        self.assertEqual(text.count(old), 1, old)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text.replace(old, new))

    def git(self, *arguments, folder=None, author="Ada", **variables):
        """In self.project, if no other folder is given; returns what it printed."""
        done = subprocess.run(["git", "-c", f"user.name={author}", "-c", f"user.email={author}@example.com", *arguments],
                              cwd=folder or self.project, capture_output=True, text=True,
                              env=self.environment(GIT_CONFIG_GLOBAL="/dev/null", **variables))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def install_hook(self, bare, script, secret):
        """The script that tells the server of pushes, in a bare repository."""
        for name, text in (("hooks/post-receive", script), ("slipway-secret", secret)):
            with open(os.path.join(bare, name), "w") as file:
                file.write(text)
        os.chmod(os.path.join(bare, "hooks/post-receive"), 0o755)

    def token(self, name, role):
        return self.command("token", "create", name, "--role", role).strip()


def run_cases(cases):
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [case(name) for case in cases for name in unittest.TestLoader().getTestCaseNames(case) if word in name]
    result = unittest.TextTestRunner(stream=sys.stdout).run(unittest.TestSuite(tests))
    broken = {test.id().split()[0] for test, _ in result.failures + result.errors}
    print(f"{len(tests) - len(broken)} passed, {len(broken)} failed")
    return 1 if broken else 0


def run(*cases):
    try:
        sys.exit(run_cases(cases))
    except OSError:
        traceback.print_exc()
        print("0 passed, 1 failed")
        sys.exit(1)


def build_faults():
    """The release build and the library that makes its calls fail, which no sanitizer bears beside it."""
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    targets = ["build", "build/release/fault.so"]
    subprocess.run(["make", "--no-print-directory", "-s", "MODE=release", *targets], cwd=root, check=True)
    folder = os.path.join(root, "build", "release")
    return os.path.join(folder, "slipway"), os.path.join(folder, "fault.so")


def run_driver(main):
    """Ends with the status of one of the drivers of tools/, or as one failure."""
    try:
        sys.exit(main())
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        print("0 passed, 1 failed")
        sys.exit(1)


def run_functions(namespace):
    """Runs each test_...(folder), or those with the word in their name, in an empty folder of its own."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    for name, test in list(namespace.items()):
        if not name.startswith("test_") or word not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                passed += 1
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"{name}:\n{traceback.format_exc()}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
