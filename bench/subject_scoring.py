"""Scoring itself, without HTTP: words, and what the automatic choice takes, in a loop, beside scikit-learn and a bare loop."""
import gzip
import json
import os
import subprocess

import measure
import peer_text
import report
import server

NEWS = "20newsgroups/20news-bydate-train.jsonl.gz"
NEWS_ROWS = 4000
BYTES = 80_000_000  # that a way of scoring reads in a round


def model_file(slipway):
    """The model inside the package of spam@1, which lists a digest, size and path a line."""
    def blob(digest):
        return os.path.join(slipway.data, "artifacts", digest[:2], digest[2:])
    package = slipway.run("model", "show", "spam@1")["version"]["package"]
    with open(blob(package)) as file:
        return blob(next(line.split()[0] for line in file if line.endswith(" model.slipway\n")))


class Texts:
    """Texts and labels, "0" or "1", a line each in two files."""

    def __init__(self, bench, name, texts, labels):
        self.name, self.count = name, len(texts)
        self.texts, self.labels = (os.path.join(bench.work, f"{name}-{what}.txt") for what in ("texts", "labels"))
        lines = [" ".join(text.split("\n")) for text in texts]
        self.bytes = sum(len(line.encode()) for line in lines)
        for path, content in ((self.texts, lines), (self.labels, labels)):
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(content))

    def described(self):
        return f"{self.count:,} {self.name} of {self.bytes / self.count:,.0f} bytes"


def read_news(bench):
    """Posts of 20newsgroups, those of the comp groups against the rest; None where they are not."""
    path = os.path.join(bench.data, NEWS)
    if not os.path.exists(path):
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        posts = [json.loads(line) for line, _ in zip(file, range(NEWS_ROWS))]
    return Texts(bench, "posts", [post["text"] for post in posts],
                 ["1" if post["label"].startswith("comp") else "0" for post in posts])


def read_figures(text):
    """Microseconds a text and megabytes a second, by name."""
    figures = {}
    for line in text.splitlines():
        name, seconds, rows, size = line.split()[:4]
        figures[name] = (float(seconds) / int(rows) * 1e6, int(size) / float(seconds) / 1e6)
    return figures


def medians(rounds):
    return {name: tuple(measure.median(values) for values in zip(*(figures[name] for figures in rounds)))
            for name in rounds[0]}


def measure_own(bench, model, texts):
    times = max(1, BYTES // texts.bytes)
    program = bench.program("bench_score")
    return medians([read_figures(measure.run_process([program, *model, texts.texts, times]).output)
                    for _ in range(bench.rounds)])


def measure_peer(bench, texts):
    command = [bench.python, os.path.join(bench.root, "bench", "peer_score.py"), texts.labels, texts.texts]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return medians([read_figures(subprocess.run(command, check=True, capture_output=True, text=True, env=alone).stdout)
                    for _ in range(bench.rounds)])


def rows_of(name, own, peer):
    for way, key in (("a call a text", "one"), ("all in a call", "bulk"), ("all in a call, all cores", "cores"),
                     ("bare loop", "limit")):
        if key in own:
            theirs = [f"{peer[key][0]:.1f}", f"{peer[key][1]:.1f}", report.ratio(peer[key][0] / own[key][0])] \
                if key in peer else ["", "", ""]
            yield [name, way, f"{own[key][0]:.2f}", f"{own[key][1]:.1f}", *theirs]


def measure_all(bench):
    files = server.comment_files(bench)
    slipway = server.Slipway(bench, os.path.join(bench.work, "scoring"))
    slipway.learn_comments(files)
    comments = Texts(bench, "comments", *peer_text.read_comments(files))
    automatic, rows, best = [model_file(slipway)], [], {}
    sets = [texts for texts in (comments, read_news(bench)) if texts]
    for texts in sets:
        peer = measure_peer(bench, texts)
        for features, model in (("words", ["words", texts.labels]),
                                ("automatic", automatic if texts is comments else ["grams", texts.labels])):
            best[features, texts.name] = own = measure_own(bench, model, texts)
            rows.extend(rows_of(f"{features}, {texts.name}", own, peer))
    out = report.Report(bench, "scoring", "Scoring without HTTP",
                        f"A loop over {' and '.join(texts.described() for texts in sets)} on average, median of "
                        f"{bench.rounds} rounds: CPU time of one thread, or wall-clock time of all cores. \"words\" are those "
                        "of TfidfVectorizer; \"automatic\" is what the automatic choice takes, words 1-2 and characters 2-5, "
                        "some twenty times as many. scikit-learn: TfidfVectorizer (words) and LogisticRegression, beside "
                        "both. The bare loop cuts ASCII words, hashes and looks up, and does nothing else.")
    out.table(["features, texts", "way", "Slipway us a text", "MB/s", "scikit-learn us a text", "MB/s", "ratio"], rows)
    out.bar("a comment, automatic", best["automatic", "comments"]["one"][0], 4, " us")
    for texts in sets:
        for features in "words", "automatic":
            out.bar(f"{features} of {texts.name} in bulk", best[features, texts.name]["bulk"][1], 300, " MB/s", at_least=True)
    out.write()
