"""Training: whole process against whole process on 20newsgroups, and time and memory against rows."""
import csv
import os
import random

import measure
import peer_text
import report
import server

ROW_COUNTS = [1_000, 10_000, 100_000, 1_000_000]
BUDGET = 40  # seconds of the search, so that reading, calibration and the last fit end within the bar's 60
LEARNERS = {"logistic_regression": "LogisticRegression", "linear_svm": "LinearSVC"}


def compare_learners(bench, out):
    folder = os.path.join(bench.data, "20newsgroups")
    if not os.path.isdir(folder):
        out.say(f"20newsgroups is not at {bench.data}: not compared.")
        return
    program, script = bench.program("bench_train"), os.path.join(bench.root, "bench", "peer_train.py")
    environment = {**os.environ, "SLIPWAY_DATA": bench.data, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    rows, bars = [], []
    for learner, peer in LEARNERS.items():
        runs = {"own": [], "peer": []}
        for turn in range(bench.rounds):
            runs["own"].append(measure.run_process([program, learner], env=environment))
            runs["peer"].append(measure.run_process([bench.python, script, learner, folder], env=environment))
            bench.say(f"round {turn + 1}, {learner}: {runs['own'][-1].cpu:.2f} s, scikit-learn {runs['peer'][-1].cpu:.2f} s")
        own, theirs = measure.median_run(runs["own"]), measure.median_run(runs["peer"])
        for name, run in ((f"Slipway {learner}", own), (f"scikit-learn {peer}", theirs)):
            features, accuracy = run.output.split()
            rows.append([name, f"{run.cpu:.2f}", f"{run.wall:.2f}", report.mebibytes(run.peak), features, accuracy,
                         report.ratio(run.cpu / own.cpu), report.ratio(run.wall / own.wall)])
        bars.append((peer, theirs.cpu / own.cpu, theirs.wall / own.wall, own.peak / theirs.peak))
    out.say("## 20newsgroups, whole process\n\nRead the gzipped lines, cut words, weigh by TF-IDF (features as "
            "TfidfVectorizer's defaults), fit one against the rest with C = 1 on the 11,314 posts of the train part, judge "
            "the 7,532 of the test part. Slipway fits the classes on all cores, the rest runs on one; scikit-learn has one "
            "thread, its default; its LogisticRegression is one softmax of all classes, with 1000 steps at most.")
    out.table(["program", "CPU s", "wall s", "peak memory, MiB", "features", "accuracy", "of Slipway's CPU",
               "of Slipway's wall"], rows)
    for (peer, less, faster, memory), least in zip(bars, (20, 5)):
        out.bar(f"TfidfVectorizer + {peer}'s CPU", less, least, " x", at_least=True)
        out.bar(f"TfidfVectorizer + {peer}'s wall clock", faster, least, " x", at_least=True)
        out.bar(f"memory, of TfidfVectorizer + {peer}'s", memory, 1 / 3, " x")


def follow(texts):
    """For each word those that came after it; None begins and ends a comment."""
    after = {}
    for text in texts:
        words = [None, *text.split(), None]
        for word, following in zip(words, words[1:]):
            after.setdefault(word, []).append(following)
    return after


def invent(after, chance):
    words = []
    while len(words) < 60:
        word = chance.choice(after[words[-1] if words else None])
        if word is None:
            break
        words.append(word)
    return " ".join(words)


def write_comments(path, files, count):
    """Made-up comments: chains of words as the real ones of their class have them; one in fifty has the wrong label."""
    texts, labels = peer_text.read_comments(files)
    chance = random.Random(42)
    chains = {name: follow(text for text, label in zip(texts, labels) if label == name) for name in sorted(set(labels))}
    names = list(chains)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["CONTENT", "CLASS"])
        for _ in range(count):
            name = chance.choice(names)
            writer.writerow([invent(chains[name], chance), chance.choice(names) if chance.random() < 0.04 else name])


def train_generated(bench, files, count):
    name = f"rows-{count}"
    slipway = server.Slipway(bench, os.path.join(bench.work, name))
    path = os.path.join(bench.work, f"{name}.csv")
    write_comments(path, files, count)
    with open(os.path.join(slipway.folder, "slipway.yaml"), "w") as file:
        file.write(server.PROJECT.replace("columns: {CONTENT: text, COMMENT_ID: ignore, AUTHOR: ignore, DATE: ignore}",
                                          "columns: {CONTENT: text}"))
    common = ["--data", slipway.data, "--json"]
    add = measure.run_process([bench.slipway, "data", "add", "comments", path, "--target", "CLASS", *common],
                              cwd=slipway.folder, stderr=-3)
    train = measure.run_process([bench.slipway, "train", "--dataset", "comments@1", "--budget", BUDGET, *common],
                                cwd=slipway.folder, stderr=-3)
    metrics = {metric["key"]: metric["value"] for metric in slipway.run("run", "list")["runs"][0]["metrics"]}
    size = os.path.getsize(path)
    server.remove_folder(slipway.folder)
    os.remove(path)
    bench.say(f"{count} rows: {train.wall:.1f} s, {report.mebibytes(train.peak)} MiB")
    return size, add, train, metrics


def table_of_rows(bench, out):
    files = server.comment_files(bench)
    rows = []
    for count in ROW_COUNTS:
        size, add, train, metrics = train_generated(bench, files, count)
        rows.append([f"{count:,}", report.mebibytes(size), f"{add.wall:.1f}", f"{train.wall:.1f}", f"{train.cpu:.1f}",
                     report.mebibytes(max(train.peak, add.peak)), f"{metrics.get('holdout.f1', float('nan')):.4f}"])
    out.say("## Rows\n\n`slipway data add` and `slipway train` on generated comments (chains of the words of real ones, one "
            f"label in fifty wrong), the automatic choice with a budget of {BUDGET} s. Once each, no server.")
    out.table(["rows", "CSV MiB", "import wall s", "train wall s", "train CPU s", "peak memory, MiB", "F1"], rows)
    out.bar("1,000,000 comments, wall clock of the training", train.wall, 60, " s")
    out.bar("1,000,000 comments, peak memory", max(train.peak, add.peak) / 2**30, 2, " GiB")


def measure_all(bench):
    out = report.Report(bench, "training", "Training",
                        f"Times are of whole processes, from start to end; median of {bench.rounds} rounds in turn.")
    compare_learners(bench, out)
    table_of_rows(bench, out)
    out.write()
