"""Small projects with made-up data of several shapes, and what they are trained with over HTTP."""
import csv
import datetime
import glob
import os
import random

from scenario import SECONDS_MAX, comments, digest_of, must, wait_for_training

YAML = """project: {name}
data:
  {name}-data: {{source: data.csv, target: label}}
release:
  endpoint: {name}
  gate: {{metric: {metric}, margin: 0.9}}
"""
WORDS = {"sport": "match goal team score league coach", "music": "song guitar singer album tune chorus",
         "food": "recipe oven sugar taste dinner spoon"}


def topics(seed):
    """Three classes; a text and a category column."""
    draw = random.Random(seed)
    rows = ["text,channel,label"]
    for _ in range(50):
        for label, words in WORDS.items():
            text = " ".join(draw.choice(words.split()) for _ in range(5))
            rows.append(f"{text} {draw.random():.5f},{draw.choice('abc')}-{label[0]},{label}")
    return ("\n".join(rows) + "\n").encode()


def numbers(seed):
    """Two classes; numbers and a category alone."""
    draw = random.Random(seed)
    rows = ["height,weight,kind,label"]
    for _ in range(120):
        label = draw.choice(["big", "small"])
        size = draw.gauss(10 if label == "big" else 7, 1)
        rows.append(f"{size:.4f},{draw.gauss(size, 1):.4f},{draw.choice(['x', 'y', 'z'])},{label}")
    return ("\n".join(rows) + "\n").encode()


def sizes(seed):
    """A number of each row; numbers and a category."""
    draw = random.Random(seed)
    rows = ["height,kind,label"]
    for _ in range(120):
        height, kind = draw.gauss(10, 2), draw.choice("xyz")
        rows.append(f"{height:.4f},{kind},{2 * height + 'xyz'.index(kind) + draw.gauss(0, 1):.4f}")
    return ("\n".join(rows) + "\n").encode()


def days(seed):
    """A number a day, which is another at weekends."""
    draw = random.Random(seed)
    first = datetime.date(2024, 1, 1)
    rows = ["day,label"] + [f"{first + datetime.timedelta(number)},{50 + 20 * (number % 7 > 4) + draw.gauss(0, 3):.3f}"
                            for number in range(120)]
    return ("\n".join(rows) + "\n").encode()


def real_comments(_seed):
    """The public ones where they are; None where they are not."""
    folder = os.path.join(os.environ.get("SLIPWAY_DATA", "../shared/data"), "youtube-spam")
    rows = ["text,label"]
    for path in sorted(glob.glob(os.path.join(folder, "*.csv"))):
        with open(path, encoding="utf-8-sig", newline="") as file:
            read = csv.DictReader(line for line in file if line.strip())
            rows += ['"' + row["CONTENT"].replace('"', '""') + '",' + row["CLASS"] for row in read]
    return ("\n".join(rows) + "\n").encode() if len(rows) > 1 else None


# name: how its data is made, its metric
PROJECTS = {"comments": (comments, "f1"), "topics": (topics, "f1_macro"), "numbers": (numbers, "accuracy"),
            "sizes": (sizes, "rmse"), "days": (days, "rmse"), "real": (real_comments, "f1")}
# name: what is said of its data, and of its training, beside the rest
OPTIONS = {"days": {"time": "day"}}
ORDERS = {"days": {"task": "forecast", "horizon": 7}}


def add_project(server, name):
    server.get("PUT", f"/api/v1/projects/{name}", YAML.format(name=name, metric=PROJECTS[name][1]).encode())


def add_data(server, name, seed):
    """Returns the version as the server shows it; None when there is no such data."""
    content = PROJECTS[name][0](seed)
    if content is None:
        return None
    server.get("PUT", f"/api/v1/artifacts/{digest_of(content)}", content)
    return server.get("POST", f"/api/v1/datasets/{name}-data/versions",
                      {"files": [{"path": "data.csv", "digest": digest_of(content)}],
                       "options": {"target": "label", **OPTIONS.get(name, {})}})


def train(server, name, budget_seconds=0.2):
    """Returns the version's number and its package's digest."""
    run = server.get("POST", f"/api/v1/projects/{name}/train", {"budget_seconds": budget_seconds, **ORDERS.get(name, {})})["run_id"]
    shown = wait_for_training(server, run, SECONDS_MAX)
    must(shown["status"] == "FINISHED", f"training {run} is {shown['status']}: {shown.get('failure')}")
    return int(shown["tags"]["slipway.model_version"].split("@")[1]), shown["tags"]["slipway.package"]
