#!/usr/bin/env python3
"""fuzz.py [WORD]: build the fuzzers (tests/fuzz/fuzz_NAME.c; with WORD those whose name has it) and
run each for FUZZ_SECONDS (10), FUZZ_JOBS (2) of them at a time, on tests/fuzz/corpus/NAME/.

What they learn goes to build/fuzz/corpus/NAME/, where the next run finds it; an input that breaks
something goes to build/fuzz/found/. FUZZ_SEED (1) begins libFuzzer's dice. A table of what was done
goes to FUZZ_RESULTS (build/fuzz/results.md). The last line is "N passed, N failed".
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
from collections import namedtuple

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, "bench")
import measure  # noqa: E402  pylint: disable=wrong-import-position

SECONDS = os.environ.get("FUZZ_SECONDS", "10")
JOBS = int(os.environ.get("FUZZ_JOBS", "2"))
SEED = os.environ.get("FUZZ_SEED", "1")
RESULTS = os.environ.get("FUZZ_RESULTS", "build/fuzz/results.md")
FOUND = "build/fuzz/found"
LINES_SHOWN = 40

Target = namedtuple("Target", "name fine inputs edges corpus cpu output")


def build(names):
    make = ["make", "-s", "--no-print-directory", "-j2", "MODE=fuzz"]
    subprocess.run(make + [f"build/fuzz/fuzz_{name}" for name in names], check=True)


def fixed_addresses():
    """clang 14's runtime fails at start under a kernel that spreads addresses widely."""
    try:
        subprocess.run(["setarch", "-R", "true"], check=True, capture_output=True)
        return ["setarch", "-R"]
    except (OSError, subprocess.CalledProcessError):
        return []


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def fuzz(name):
    learnt, given = f"build/fuzz/corpus/{name}", f"tests/fuzz/corpus/{name}"
    os.makedirs(learnt, exist_ok=True)
    command = fixed_addresses() + [
        f"build/fuzz/fuzz_{name}", f"-max_total_time={SECONDS}", f"-seed={SEED}", "-timeout=10",
        "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={FOUND}/{name}-", learnt, given]
    log = f"build/fuzz/{name}.log"
    with open(log, "w", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    with open(log, encoding="utf-8", errors="replace") as output:
        text = output.read()
    return Target(name, process.returncode == 0, last_number(r"number_of_executed_units: *(\d+)", text),
                  last_number(r"\bcov: (\d+)", text), len(os.listdir(learnt)),
                  used.ru_utime + used.ru_stime, text)


def tell(target):
    if target.fine:
        print(f"fuzz_{target.name}: fine, {target.inputs} inputs in {target.cpu:.0f} s of CPU", flush=True)
        return
    print("\n".join(target.output.splitlines()[-LINES_SHOWN:]))
    print(f"fuzz_{target.name}: FAILED; the input is in {FOUND}/", flush=True)


def write_results(targets):
    total = sum(target.cpu for target in targets) / 60
    lines = [
        "# Fuzzing", "",
        f"Written by `make fuzz` with `FUZZ_SECONDS={SECONDS} FUZZ_SEED={SEED}` on {measure.today()}: "
        f"{total:.1f} minutes of CPU in all. Each target is tests/fuzz/fuzz_NAME.c, built with the address and "
        "undefined-behaviour sanitizers; what it must keep is said at its head.", "",
        f"Machine: {measure.machine()}.", "",
        "| target | inputs | edges reached | inputs worth keeping | CPU s | |", "|---|---|---|---|---|---|"]
    lines += [f"| {target.name} | {target.inputs:,} | {target.edges:,} | {target.corpus:,} | {target.cpu:.0f} | "
              f"{'clean' if target.fine else 'FAILED'} |" for target in targets]
    with open(RESULTS, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    names = [os.path.basename(path)[len("fuzz_"):-len(".c")] for path in sorted(glob.glob("tests/fuzz/fuzz_*.c"))]
    names = [name for name in names if word in f"fuzz_{name}"]
    if not names:
        print(f'fuzz: no fuzzer\'s name has "{word}"')
        return 1
    build(names)
    os.makedirs(FOUND, exist_ok=True)
    targets = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for target in pool.map(fuzz, names):
            targets.append(target)
            tell(target)
    write_results(targets)
    failed = sum(not target.fine for target in targets)
    print(f"{len(targets) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
