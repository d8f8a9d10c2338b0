#!/usr/bin/env python3
"""Check that a folder of src/ includes only the folders that LAYERS allows it.

usage: check_layers.py SRC LAYERS

A line of LAYERS, "folder: folder folder", says what a folder may include beside itself; "#" begins a
comment. Every folder must have a line, and may only name folders of lines above its own: so the
order of the file is the order of the floors, and there can be no cycle. src/main.c may include all.
"""
import glob
import os
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"/]+)/[^"]+"')


def read_layers(path):
    allowed, problems = {}, []
    with open(path) as file:
        for number, line in enumerate(file, 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            folder, _, below = line.partition(":")
            for name in below.split():
                if name not in allowed:
                    problems.append(f"{path}:{number}: {name} is not a line above {folder.strip()}")
            allowed[folder.strip()] = set(below.split())
    return allowed, problems


def check_file(source, folder, allowed):
    with open(source, errors="replace") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match[1]
            if target in allowed and target != folder and target not in allowed[folder]:
                yield f"{source}:{number}: {folder} may not include {target}"


def main():
    src, layers = sys.argv[1], sys.argv[2]
    allowed, problems = read_layers(layers)
    sources = sorted(glob.glob(f"{src}/*/**/*.[ch]", recursive=True))

    for source in sources:
        folder = os.path.relpath(source, src).split(os.sep)[0]
        if folder not in allowed:
            problems.append(f"{source}: {layers} has no line for {folder}")
            continue
        problems += check_file(source, folder, allowed)
    print("\n".join(problems) or f"{len(sources)} files include only what is below them")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
