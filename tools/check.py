#!/usr/bin/env python3
"""Run every check of the tree; one line for each that is fine, its findings where it is not.

usage: check.py [WORD]      only the checks whose name contains WORD

The last line is "check: all fine", or "check: N of M failed" with exit status 1.
"""
import os
import subprocess
import sys

# name, command: quick ones first, so that a slip shows at once
CHECKS = [
    ("words", ["tools/check_words.sh"]),
    ("layers", ["tools/check_layers.py", "src", "LAYERS"]),
    ("banned", ["tools/check_banned.py"]),
    ("sizes", ["tools/check_sizes.py"]),
    ("migrations", ["tools/check_migrations.py"]),
    ("reference", ["tools/make_reference.py", "--check"]),
    ("format", ["tools/check_format.sh"]),
    ("headers", ["tools/check_each.py", "headers"]),
    ("clang", ["tools/check_each.py", "clang"]),
    ("cppcheck", ["tools/check_each.py", "cppcheck"]),
    ("tidy", ["tools/check_each.py", "tidy"]),
    ("gcc", ["tools/check_gcc.sh"]),
]


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [(name, command) for name, command in CHECKS if word in name]
    failed = 0

    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    for name, command in chosen:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        text = done.stdout.strip()
        if done.returncode == 0:
            print(f"{name}: {text.splitlines()[-1] if text else 'fine'}", flush=True)
            continue
        failed += 1
        print(f"{name}: FAILED\n{text}", flush=True)
    print(f"check: {failed} of {len(chosen)} failed" if failed else "check: all fine")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
