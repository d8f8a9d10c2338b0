#!/usr/bin/env python3
"""Build and run the tests, and add up what they say.

usage: run_tests.py all|asan|tsan [WORD]

asan: every unit test under the address and undefined-behaviour sanitizers, then every
      tests/blackbox/test_*.py and test_*.sh against the binary of the same build.
tsan: the tests that tests/tsan.txt lists, under the thread sanitizer.
all:  both. With WORD only tests whose path contains it.

Each test is a program whose last line is "N passed, N failed"; one that ends otherwise
counts as one failure. Black-box tests find the binary in SLIPWAY and the shared data in
SLIPWAY_DATA. The output of a test is printed when it fails; lines that begin with SKIP always are.
The last line is the sum, in the same words; the exit status is 1 when anything failed.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

PARALLEL = 2
TIMEOUT_SECONDS = 600
OUTPUT_LINES_MAX = 60
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$")
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=0:exitcode=99:second_deadlock_stack=1",
}
# What a test wants installed by pip, in a folder of build/; it says SKIP by itself where that fails.
MLFLOW = ("tools/venv.sh", "build/mlflow-venv", "tests/requirements-mlflow.txt")
MLFLOW2 = ("tools/venv.sh", "build/mlflow2-venv", "tests/requirements-mlflow2.txt")
VENVS = {
    "tests/blackbox/test_mlflow_client.py": MLFLOW,
    "tests/blackbox/test_mlflow_compare.py": MLFLOW,
    "tests/blackbox/test_mlflow2_client.py": MLFLOW2,
    "tests/blackbox/test_xgboost3.py": MLFLOW2,
    "tests/blackbox/test_mlflow_pytorch.py": ("tools/torch.sh", "build/torch-venv", "tests/requirements-torch.txt"),
}


class Result:
    def __init__(self, name, passed, failed, output, seconds=0.0):
        self.name, self.passed, self.failed = name, passed, failed
        self.output, self.seconds = output, seconds


def fixed_addresses():
    """Old sanitizer runtimes fail at start under a kernel that spreads addresses widely."""
    try:
        subprocess.run(["setarch", "-R", "true"], check=True, capture_output=True)
        return ["setarch", "-R"]
    except (OSError, subprocess.CalledProcessError):
        return []


def environment(mode):
    values = dict(os.environ, **SANITIZERS)
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        values.pop(name, None)
    values["SLIPWAY"] = os.path.abspath(f"build/{mode}/slipway")
    values.setdefault("SLIPWAY_DATA", "../shared/data")
    values["SLIPWAY_DATA"] = os.path.abspath(values["SLIPWAY_DATA"])
    return values


def run_test(name, command, mode):
    began = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=environment(mode),
                              timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return Result(name, 0, 1, output + f"\nended after {TIMEOUT_SECONDS} s")
    except OSError as error:
        return Result(name, 0, 1, str(error))
    output = done.stdout.decode(errors="replace").strip()
    summary = SUMMARY.match(output.splitlines()[-1]) if output else None
    passed, failed = (int(summary[1]), int(summary[2])) if summary else (0, 0)
    if not summary or (done.returncode != 0 and failed == 0):
        failed += 1
        output += f"\nended with status {done.returncode}" + ("" if summary else ", without a summary")
    return Result(name, passed, failed, output, time.monotonic() - began)


def report(result):
    for line in result.output.splitlines():
        if line.startswith("SKIP"):
            print(f"{result.name}: {line}")
    if not result.failed:
        return
    lines = result.output.splitlines()
    print(f"--- {result.name}: {result.passed} passed, {result.failed} failed")
    if len(lines) > OUTPUT_LINES_MAX:
        print(f"... {len(lines) - OUTPUT_LINES_MAX} lines before")
    print("\n".join(lines[-OUTPUT_LINES_MAX:]), flush=True)


def build(mode, targets):
    """Builds what it can; says what does not build."""
    command = ["make", "--no-print-directory", "-k", "-s", "-j", str(PARALLEL), f"MODE={mode}"]
    done = subprocess.run(command + targets, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == 0:
        return []
    return [Result(f"make MODE={mode}", 0, 1, done.stdout.decode(errors="replace"))]


def begin_to_install(scripts):
    """While the tests are built; what it says is left to the test, which asks again."""
    return [subprocess.Popen(VENVS[path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for path, _ in scripts if path in VENVS]


def listed_for_tsan():
    """Unit tests, and black-box tests with the word that chooses among their cases."""
    with open("tests/tsan.txt") as listed:
        lines = [line.split("#")[0].split() for line in listed]
    tests = [f"tests/unit/{line[0]}.c" for line in lines if len(line) == 1]
    return tests, [(f"tests/{line[0]}", line[1:]) for line in lines if len(line) == 2]


def tests_of(mode, word):
    if mode == "tsan":
        units, scripts = listed_for_tsan()
    else:
        units = sorted(glob.glob("tests/unit/*/test_*.c"))
        scripts = [(path, []) for path in sorted(glob.glob("tests/blackbox/test_*.*"))
                   if path.endswith((".py", ".sh"))]
    return ([unit for unit in units if word in unit],
            [(path, arguments) for path, arguments in scripts if word in path])


def run_mode(mode, word):
    units, scripts = tests_of(mode, word)
    programs = {source: source.replace("tests/unit", f"build/{mode}/tests")[:-2] for source in units}
    targets = list(programs.values()) + (["build"] if scripts else [])
    installing = begin_to_install(scripts)
    results = build(mode, targets) if targets else []
    for process in installing:
        process.wait()
    prefix = fixed_addresses()
    jobs = [(source, prefix + [program]) for source, program in programs.items()]
    jobs += [(path, prefix + [{"py": "python3", "sh": "bash"}[path[-2:]], path] + arguments)
             for path, arguments in scripts]
    for result in results:
        report(result)
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for future in [pool.submit(run_test, name, command, mode) for name, command in jobs]:
            results.append(future.result())
            report(results[-1])
    return results


def main():
    modes = {"all": ["asan", "tsan"], "asan": ["asan"], "tsan": ["tsan"]}.get(sys.argv[1])
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    results = []

    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    for mode in modes:
        results += run_mode(mode, word)
    if not results:
        print(f'no test has "{word}" in its path')
        return 1
    slowest = max(results, key=lambda result: result.seconds)
    print(f"{len(results)} programs; the slowest: {slowest.name}, {slowest.seconds:.1f} s")
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
