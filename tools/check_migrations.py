#!/usr/bin/env python3
"""Check that no schema step was edited after it was written down.

usage: check_migrations.py [--add]

tools/migrations.sha256 has a line "DIGEST  FILE" for each src/store/schema/NNNN_*.sql. A database
that took a step never takes it again, so an edited step would leave two schemas of one number.
--add writes the lines of new steps; it never changes one.
"""
import glob
import hashlib
import os
import re
import sys

LIST = "tools/migrations.sha256"
FOLDER = "src/store/schema"


def read_list():
    if not os.path.exists(LIST):
        return {}
    with open(LIST) as file:
        return {name: digest for digest, name in (line.split() for line in file if line.strip())}


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def problems_of(listed, steps):
    for name in sorted(set(listed) - set(steps)):
        yield f"{name}: is listed in {LIST} but is gone"
    for number, name in enumerate(sorted(steps), 1):
        match = re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", name)
        if not match or int(match[1]) != number:
            yield f"{name}: step {number} is named {number:04d}_words.sql"
        if name not in listed:
            yield f"{name}: is not listed; run tools/check_migrations.py --add"
        elif listed[name] != steps[name]:
            yield (f"{name}: was edited; write a new step instead, or, if no release has it yet, "
                   f"remove its line from {LIST} and add it again")


def main():
    listed = read_list()
    steps = {os.path.basename(path): digest_of(path) for path in glob.glob(f"{FOLDER}/*.sql")}
    if "--add" in sys.argv[1:]:
        listed = {**steps, **listed}
        with open(LIST, "w") as file:
            file.writelines(f"{listed[name]}  {name}\n" for name in sorted(listed))
    problems = list(problems_of(listed, steps))
    print("\n".join(problems) or f"{len(steps)} schema steps, none edited")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
