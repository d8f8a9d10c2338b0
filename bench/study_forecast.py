#!/usr/bin/env python3
"""Forecasts of one series on public sets, beside R's forecast package and statsforecast, into a page.

usage: study_forecast.py PROGRAM PAGE

PROGRAM is bench/study_forecast.c's. Peers run on the same series, read from it, in one thread each, one after
the other; a peer that is not there (Rscript with the package forecast; statsforecast, which tools/venv.sh
installs) has no row; where none is there, the page keeps the rows it has.
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, "build", "bench-forecast-venv")
LIST = os.path.join(ROOT, "bench", "requirements-forecast.txt")
ONE_THREAD = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

# Sets that peers take part in, and each how-manieth series.
SHARED = [("M4 Weekly", 4), ("M4 Hourly", 30), ("nn5-daily", 8)]
# For each learner: ours, R's, statsforecast's.
LEARNERS = {"ets": ("ets", "ets()", "AutoETS"), "theta": ("dotm", "thetaf()", "DynamicOptimizedTheta"),
            "arima": ("arima", "auto.arima()", "AutoARIMA")}
SPARSER = {"arima": 4}  # its peers take minutes for a series

HEAD = """# Forecasts of one series: how good, how fast

Written by `bench/study_forecast.py`. One origin: the end of what is learnt from. sMAPE, MASE and OWA are
M4's (`src/ml/forecast_metric.h`), means over the series; MSIS and coverage are of 95 % intervals. Speed is series per CPU second of one
core, fit and forecast. "automatic" is the choice by back-tests (`src/ml/forecast_model.h`), which fits every learner many times, and of
many series one learner of all of them (`docs/decisions/0029-lags-of-many-series.md`); its
intervals are those that the back-tests calibrate, the others' their own; on sets of one series it is the mean of the best three, a number
chosen with these sets in sight, while the sets of many series choose their rule by themselves, from what is learnt from. nn5-daily's missing values are learnt as those of a week before, and not judged.
Longer seasons that `mstl` and `seasonal_regression` look for: 168 on Hourly, 52 on Weekly, 365 on days.
How many forms `seasonal_regression` averages, and how it weighs them, was chosen with these sets in sight, on earlier origins and on
this one: with the single best form its OWA was 0.418 on Hourly and 0.761 on Weekly.
Published for M4: Naive2 9.161 / 2.777 on Weekly and 18.383 / 2.395 on Hourly, Theta 18.138 / 2.455 on Hourly; MSIS of naive 26.36 and 71.25.

| set | series | horizon | season | learner | sMAPE | MASE | OWA | RMSE | MSIS | coverage | series/s |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""

PEERS_HEAD = """
## Beside peers

The same series, one thread, CPU seconds: R 4.2 with forecast 8.20, statsforecast 2.1. Ours for `thetaf()` and
DynamicOptimizedTheta is `dotm`.

| set | series | learner | sMAPE / MASE | series/s | ours sMAPE / MASE | ours series/s | ratio |
|---|---|---|---|---|---|---|---|
"""


def lines_of(command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, env=ONE_THREAD, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def has(command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def peers():
    """(name, command) of each that is there."""
    found = []
    if has(["Rscript", "-e", "library(forecast)"]):
        found.append(("R", ["Rscript", os.path.join(ROOT, "bench", "peer_forecast.R")]))
    if has([os.path.join(ROOT, "tools", "venv.sh"), VENV, LIST]):
        found.append(("statsforecast", [os.path.join(VENV, "bin", "python"), os.path.join(ROOT, "bench", "peer_forecast.py")]))
    return found


def own_row(program, name, every, learner):
    rows = lines_of([program, name, every])
    return next(row for row in rows if row[4] == learner)


def peer_rows(program, name, every, found):
    for what, (own, in_r, in_python) in LEARNERS.items():
        each = str(every * SPARSER.get(what, 1))
        series = "".join("\t".join(line) + "\n" for line in lines_of([program, "series", name, each]))
        row = own_row(program, name, each, own)
        for peer, command in found:
            lines = lines_of([*command, what], series)
            smape, mase, seconds = (sum(float(line[i]) for line in lines) for i in (3, 4, 5))
            count = len(lines)
            speed = count / seconds
            yield (f"| {name} | {count} | {peer} {in_r if peer == 'R' else in_python} | {smape / count:.3f} / {mase / count:.3f} | "
                   f"{speed:.3g} | {row[5]} / {row[6]} | {row[11]} | {float(row[11]) / speed:.0f} |")


def likelihoods(program, found):
    """How likely the form that R chooses is in our hands, and how the AICc of the chosen ones compare."""
    name, every = "M4 Weekly", 1
    command = dict(found).get("R")
    if not command:
        return ""
    series = "".join("\t".join(line) + "\n" for line in lines_of([program, "series", name, str(every)]))
    chosen, forms = {}, {}
    for key, what, form, deviance, aicc in lines_of([program, "likelihood", name, str(every)]):
        if what == "chosen":
            chosen[key] = float(aicc)
        else:
            forms[key, form] = float(deviance)
    theirs = [(line[1], line[6], float(line[2]), float(line[7])) for line in lines_of([*command, "ets"], series)]
    by_form = [forms[key, form] - deviance for key, form, deviance, _ in theirs]
    by_choice = [chosen[key] - aicc for key, _, _, aicc in theirs]

    def counts(differences):
        return f"more than 0.1 worse on {sum(x > 0.1 for x in differences)}, more than 0.1 better on {sum(x < -0.1 for x in differences)}"
    return (f"\n{len(theirs)} series of M4 Weekly: -2 log likelihood of the form that R's `ets()` chooses, ours against R's: "
            f"{counts(by_form)}. AICc of what each chooses: {counts(by_choice)}; "
            "worse mostly where ours leaves out a relative form's trend that never turns (`src/ml/ets.h`).\n")


def old_peers(page):
    if not os.path.exists(page):
        return ""
    with open(page, encoding="utf-8") as file:
        _, mark, rest = file.read().partition("\n## Beside peers\n")
    return mark + rest


def main():
    program, page = sys.argv[1:]
    text = HEAD + "".join("| " + " | ".join(row) + " |\n" for row in lines_of([program]))
    found = peers()
    if found:
        text += PEERS_HEAD
        for name, every in SHARED:
            for row in peer_rows(program, name, every, found):
                print(row, flush=True)
                text += row + "\n"
        text += likelihoods(program, found)
    else:
        text += old_peers(page)
    with open(page, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
