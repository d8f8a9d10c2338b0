#!/usr/bin/env python3
"""Run one tool over every C file, two at a time, and remember which files were fine.

usage: check_each.py headers|clang|cppcheck|tidy

A file is looked at again when the file, a header of this tree it includes, the tool's version or
its settings change; the memory is build/check/TOOL.json.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

PARALLEL = 2
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)
INCLUDE_FOLDERS = ["src", ".", "tests"]


def compiler_flags():
    flags = subprocess.run(["make", "-s", "--no-print-directory", "SETUP=no", "print-flags"],
                           capture_output=True, text=True, check=True)
    return flags.stdout.split()


def tracked(*patterns):
    """The files of the tree, new ones included."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                            capture_output=True, text=True, check=True).stdout.split()
    return sorted({path for path in listed if os.path.exists(path)})


def header_command(path, flags):
    name = path[len("src/"):] if path.startswith("src/") else path
    script = 'printf \'#include "%s"\\n\' "$1" | "${@:2}"'
    return ["bash", "-c", script, "-", name, "cc", "-fsyntax-only", *flags, "-x", "c", "-"]


def clang_command(path, flags):
    return ["clang", "-fsyntax-only", *flags, path]


def cppcheck_command(path, flags):
    del flags  # cppcheck reads the source its own way: system headers only confuse it
    return ["cppcheck", "--quiet", "--std=c11", "--language=c", "--inline-suppr",
            "--enable=warning,portability,performance", "--suppress=missingIncludeSystem",
            "--suppress=unknownMacro", "--suppress=internalAstError",
            "--suppressions-list=tools/cppcheck.suppressions", "--error-exitcode=1",
            "-D__GNUC__", "-Isrc", "-I.", path]


def tidy_command(path, flags):
    return ["clang-tidy", "--quiet", "--warnings-as-errors=*", path, "--",
            *[flag for flag in flags if flag != "-Werror"]]


# tool: the files it takes, its command, the program that has a version, the file of its settings
TOOLS = {
    "headers": (("src/*.h", "tests/*.h"), header_command, "cc", "Makefile"),
    "clang": (("src/*.c", "tests/*.c"), clang_command, "clang", "Makefile"),
    "cppcheck": (("src/*.c",), cppcheck_command, "cppcheck", "tools/cppcheck.suppressions"),
    "tidy": (("src/*.c",), tidy_command, "clang-tidy", ".clang-tidy"),
}


class Digests:
    """The digest of a file and of all it includes from this tree."""

    def __init__(self, salt):
        self.salt, self.known = salt, {}

    def read(self, path):
        if path not in self.known:
            with open(path, "rb") as file:
                text = file.read()
            self.known[path] = (hashlib.sha256(text).hexdigest(),
                                [name.decode() for name in INCLUDE.findall(text)])
        return self.known[path]

    def find(self, name, near):
        for folder in [os.path.dirname(near)] + INCLUDE_FOLDERS:
            path = os.path.normpath(os.path.join(folder, name))
            if os.path.isfile(path):
                return path
        return None

    def of(self, path):
        seen, waiting = set(), [path]
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            included = [self.find(name, current) for name in self.read(current)[1]]
            waiting += [found for found in included if found]
        parts = [f"{each} {self.read(each)[0]}" for each in sorted(seen)]
        return hashlib.sha256("\n".join([self.salt] + parts).encode()).hexdigest()


def load(path):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def save(path, memory):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as file:
        json.dump(memory, file, indent=0, sort_keys=True)
    os.replace(path + ".new", path)


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace")
    # clang-tidy counts what it left out on stderr; its findings are on stdout.
    return done.returncode, (done.stdout or done.stderr).strip()


def main():
    tool = sys.argv[1]
    patterns, make_command, program, settings = TOOLS[tool]
    flags = compiler_flags()
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    with open(settings) as file, open(os.path.abspath(__file__)) as self_file:
        salt = "\n".join([version, file.read(), self_file.read()])
    digests, memory_path = Digests(salt), f"build/check/{tool}.json"
    memory, failed = load(memory_path), 0

    current = {path: digests.of(path) for path in tracked(*patterns)}
    stale = [path for path in current if memory.get(path) != current[path]]
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        jobs = {pool.submit(run, make_command(path, flags)): path for path in stale}
        for job in concurrent.futures.as_completed(jobs):
            status, output = job.result()
            if status == 0:
                memory[jobs[job]] = current[jobs[job]]
                continue
            failed += 1
            memory.pop(jobs[job], None)
            print(output or f"{jobs[job]}: {tool} ended with status {status}", flush=True)
    save(memory_path, {path: digest for path, digest in memory.items() if path in current})
    print(f"{len(current)} files, {len(stale)} looked at, {failed} not fine")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
