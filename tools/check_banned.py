#!/usr/bin/env python3
"""Check that src/ calls no function that has a safer one.

A call is let through where the table says "with a reason" and the line, or the one above it, has a
comment that begins with "allowed:".
"""
import glob
import re
import sys

# function: what to use instead
BANNED = {
    "strcpy": "text_format or memcpy with a checked size",
    "strcat": "text_format",
    "stpcpy": "text_format",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "getline",
    "strtok": "strtok_r or a scanner",
    "atoi": "strtol with its end checked",
    "atol": "strtol with its end checked",
    "atoll": "strtoll with its end checked",
    "atof": "strtod with its end checked",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "ctime": "strftime",
    "asctime": "strftime",
    "rand": "ml/random.h",
    "srand": "ml/random.h",
    "random": "ml/random.h",
    "system": "posix_spawn",
    "popen": "posix_spawn",
    "alloca": "an arena",
    "tmpnam": "mkstemp",
    "mktemp": "mkstemp",
}
# Where a reason lets a call through: a library that draws from rand() must be seeded.
WITH_A_REASON = {"rand": "src/ml/", "srand": "src/ml/"}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_lines(text):
    """The text without comments and literals, line by line as before."""
    return NOT_CODE.sub(lambda match: "\n" * match[0].count("\n"), text).split("\n")


def check(path):
    with open(path, errors="replace") as file:
        text = file.read()
    lines = text.split("\n")
    for index, line in enumerate(code_lines(text)):
        for call in CALL.findall(line):
            folder = WITH_A_REASON.get(call)
            near = "\n".join(lines[max(0, index - 1):index + 1])
            if folder and path.startswith(folder) and "/* allowed:" in near:
                continue
            yield f"{path}:{index + 1}: {call}: use {BANNED[call]}"


def main():
    paths = sorted(glob.glob("src/**/*.[ch]", recursive=True))
    problems = [problem for path in paths for problem in check(path)]
    print("\n".join(problems) or f"{len(paths)} files call none of {len(BANNED)} functions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
