#!/usr/bin/env python3
"""The search for models of tables on public sets, beside scikit-learn on the same rows, into a page.

usage: study_tabular.py PROGRAM PAGE [SECONDS [WORD...]]

PROGRAM is bench/study_tabular.c's. SECONDS (60): the budget of each search; folds of 5 s keep to theirs. With words only
the rows of sets are written anew that are named so, or have the word in their names where none is.
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, "build", "bench-venv")
LIST = os.path.join(ROOT, "bench", "requirements.txt")

HEAD = """# Models of tables: how good

Written by `bench/study_tabular.py`: `tabular_search()` with the same settings for all sets, judged by MCC (two classes),
accuracy (more) or RMSE (numbers), {seconds} seconds each, beside scikit-learn on the same rows:
HistGradientBoosting with its defaults, and LogisticRegression or Ridge on standardised and one-hot columns. Hold-outs: a seeded
fifth (bank: a tenth) of the rows, in each class; adult's own test file, and both files together in ten seeded folds, each
searched anew and judged by its AUC: means; taxi: learnt from January, tested on February, trips of 1 to 60 minutes, with the
places, the distance, hour and weekday as numbers; "its date" and "its time" have that column as it is written (peers: as a
number of seconds), "alone" instead of what was made of it. Seconds are on the wall, of two cores that other work may share. A bar is
the one that the project set itself, which for most is the best peer on the same rows; "!" behind a figure: short of it.

| set | rows learnt from | tested on | figure | ours | bar | HistGradientBoosting | linear | seconds | others of ours | candidates | model, bytes |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""

# What the project wants of a set; of those that are not here: no worse than the better peer.
BARS = {"bank": 0.947, "adult, 10 folds of 5 s": 0.929, "adult, 10 folds": 0.9305, "covertype": 0.8105, "taxi": 5.85,
        "taxi 2023": 4.70}


def lines_of(command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def figures(fields):
    return dict(field.split("=") for field in fields if "=" in field)


def peers_of(program, name):
    if subprocess.run([os.path.join(ROOT, "tools", "venv.sh"), VENV, LIST], check=False).returncode != 0:
        return {}
    rows = subprocess.run([program, "rows", name], stdout=subprocess.PIPE, text=True, check=True).stdout
    peer = [os.path.join(VENV, "bin", "python"), os.path.join(ROOT, "bench", "peer_tabular.py")]
    return {line[0]: figures(line) for line in lines_of(peer, rows)}


def bar_of(name, main, theirs):
    best = min if main == "rmse" else max
    known = [float(figure) for figure in theirs if figure]
    return BARS.get(name, best(known) if known else None)


def is_short(main, ours, bar):
    return bar is not None and (ours > bar if main == "rmse" else ours < bar)


def row_of(program, name, seconds):
    own = lines_of([program, name, seconds])[-1]
    found = figures(own)
    main = next(key for key in ("rmse", "auc", "accuracy") if found.get(key, "nan") != "nan" and (key != "auc" or name != "covertype"))
    peers = peers_of(program, name)
    theirs = [peers.get(peer, {}).get(main, "") for peer in ("HistGradientBoosting", "linear")]
    others = ", ".join(f"{key} {value}" for key, value in found.items() if key != main and value != "nan")
    bar = bar_of(name, main, theirs)
    mark = "!" if is_short(main, float(found[main]), bar) else ""
    return (f"| {name} | {own[1]} | {own[2]} | {main} | {found[main]}{mark} | {'' if bar is None else f'{bar:g}'} | {theirs[0]} | "
            f"{theirs[1]} | {own[3]} | {others} | {own[-1]} ({own[-2]}) | {own[4]} |")


def old_rows(page):
    if not os.path.exists(page):
        return {}
    with open(page, encoding="utf-8") as file:
        rows = [line.strip() for line in file if line.startswith("| ")]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


def main():
    program, page, *rest = sys.argv[1:]
    seconds, wanted = (rest + ["60"])[0], rest[1:]
    kept = old_rows(page)
    text = HEAD.format(seconds=seconds)
    names = [name for (name,) in lines_of([program, "sets"])]
    wanted = {name for word in wanted for name in ([word] if word in names else [name for name in names if word in name])}
    for name in names:
        if not rest[1:] or name in wanted:
            kept[name] = row_of(program, name, seconds)
            print(kept[name], flush=True)
        text += kept[name] + "\n" if name in kept else ""
    with open(page, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
