#!/usr/bin/env python3
"""Check the sizes of files and functions.

A file has at most 800 lines, a C function at most 60 lines and 5 parameters. tools/sizes.allowed
lists the exceptions:

    PATH               COUNT  REASON     a file over 800 lines
    PATH:FUNCTION      COUNT  REASON     a function of 61 to 100 lines
    PATH:FUNCTION()    COUNT  REASON     a function of 6 to 12 parameters

COUNT is what the exception has today. It may only shrink: when the code does, so must the line.
At most one function in a hundred of src/ is an exception, and none has more than 100 lines.

A function is what clang-format makes of one: "{" alone at the beginning of a line, to the "}" there.
"""
import os
import re
import subprocess
import sys

LIST = "tools/sizes.allowed"
# kind of thing: its bar, the most of an exception, the word for what is counted
BARS = {
    "file": (800, 1500, "lines"),
    "function": (60, 100, "lines"),
    "parameters": (5, 12, "parameters"),
}
LONG_SHARE_MAX = 0.01
SUFFIXES = (".c", ".h", ".py", ".sh", ".ts", ".tsx", ".css", ".sql")
NAME = re.compile(r"(\w+)\s*\(")


def read_allowed():
    allowed = {}
    with open(LIST) as file:
        for line in file:
            words = line.split(None, 2)
            if words and not line.startswith("#"):
                if len(words) < 3:
                    sys.exit(f"{LIST}: {words[0]} has no reason")
                allowed[words[0]] = int(words[1])
    return allowed


def kind_of(name):
    return "parameters" if name.endswith("()") else "function" if ":" in name else "file"


def parameters_of(signature):
    """How many commas of the outer parentheses, plus one."""
    depth, count = 0, 1
    for character in signature[signature.find("("):]:
        depth += (character == "(") - (character == ")")
        count += character == "," and depth == 1
    return count


def functions_of(lines):
    """Name, lines from the first of the signature to the closing brace, and parameters."""
    start = opened = None
    for index, line in enumerate(lines):
        if line == "{":
            start = opened = index
            while start > 0 and (lines[start - 1][:1].isalpha() or lines[start - 1][:1] == " "):
                start -= 1
        elif line == "}" and start is not None:
            signature = " ".join(lines[start:opened])
            name = NAME.search(signature)
            yield (name[1] if name else "?"), index - start + 1, parameters_of(signature)
            start = None


def measure(paths):
    """Everything over its bar, by name, and how many functions src/ has."""
    over, count = {}, 0

    def note(name, value):
        if value > BARS[kind_of(name)][0]:
            over[name] = value

    for path in paths:
        with open(path, errors="replace") as file:
            lines = file.read().split("\n")
        note(path, len(lines) - 1)
        if not path.endswith((".c", ".h")):
            continue
        for name, length, parameters in functions_of(lines):
            count += path.startswith("src/")
            note(f"{path}:{name}", length)
            note(f"{path}:{name}()", parameters)
    return over, count


def problems_of(allowed, over, count):
    for name, value in sorted(over.items()):
        bar, most, unit = BARS[kind_of(name)]
        if name not in allowed:
            yield f"{name}: {value} {unit}, the most is {bar}"
        elif value > most:
            yield f"{name}: {value} {unit}, the most of an exception is {most}"
        elif value > allowed[name]:
            yield f"{name}: {value} {unit}, {LIST} allows {allowed[name]}"
        elif value < allowed[name]:
            yield f"{name}: has shrunk to {value} {unit}; so must its line in {LIST}"
    for name in sorted(set(allowed) - set(over)):
        yield f"{name}: is no exception any more; remove its line from {LIST}"
    long = sum(1 for name in over if name.startswith("src/") and kind_of(name) == "function")
    if long > count * LONG_SHARE_MAX:
        yield f"{long} of {count} functions of src/ have over 60 lines, the most is 1 in 100"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True,
                            text=True, check=True).stdout.splitlines()
    paths = [path for path in listed if path.endswith(SUFFIXES) and os.path.exists(path)]
    over, count = measure(paths)
    problems = list(problems_of(read_allowed(), over, count))
    print("\n".join(problems) or f"{len(paths)} files, {count} functions, {len(over)} exceptions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
