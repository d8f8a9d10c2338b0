"""Scoring itself, without HTTP: the model of the automatic choice in a loop, beside scikit-learn's pipeline."""
import os
import subprocess

import measure
import peer_text
import report
import server

TIMES = 40


def model_file(slipway):
    """The model inside the package of spam@1, which lists a digest, size and path a line."""
    def blob(digest):
        return os.path.join(slipway.data, "artifacts", digest[:2], digest[2:])
    package = slipway.run("model", "show", "spam@1")["version"]["package"]
    with open(blob(package)) as file:
        return blob(next(line.split()[0] for line in file if line.endswith(" model.slipway\n")))


def measure_peer(bench, pipeline, texts):
    code = ("import joblib, sys, time\n"
            "model, texts = joblib.load(sys.argv[1]), open(sys.argv[2], encoding='utf-8').read().split('\\n')\n"
            "for name, work in (('one', lambda: [model.predict_proba([text]) for text in texts[:500]]),\n"
            "                   ('bulk', lambda: model.predict_proba(texts))):\n"
            "    work()\n"
            "    began = time.process_time()\n"
            "    work()\n"
            "    rows = texts[:500] if name == 'one' else texts\n"
            "    print(name, time.process_time() - began, len(rows), sum(len(row.encode()) for row in rows))\n")
    done = subprocess.run([bench.python, "-c", code, pipeline, texts], check=True, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    return read_figures(done.stdout)


def read_figures(text):
    """Microseconds a comment and megabytes a second, by name."""
    figures = {}
    for line in text.splitlines():
        name, seconds, rows, size = line.split()[:4]
        figures[name] = (float(seconds) / int(rows) * 1e6, int(size) / float(seconds) / 1e6)
    return figures


def measure_all(bench):
    files = server.comment_files(bench)
    slipway = server.Slipway(bench, os.path.join(bench.work, "scoring"))
    slipway.learn_comments(files)
    pipeline = os.path.join(bench.work, "scoring.joblib")
    subprocess.run([bench.python, os.path.join(bench.root, "bench", "peer_text.py"), pipeline,
                    os.path.join(bench.work, "scoring-mlflow"), *files], check=True, capture_output=True)
    texts = os.path.join(bench.work, "comments.txt")
    comments, _ = peer_text.read_comments(files)
    with open(texts, "w", encoding="utf-8") as file:
        file.write("\n".join(comment.replace("\n", " ") for comment in comments))
    program, model = bench.program("bench_score"), model_file(slipway)
    own = [read_figures(measure.run_process([program, model, texts, TIMES]).output) for _ in range(bench.rounds)]
    peer = [measure_peer(bench, pipeline, texts) for _ in range(bench.rounds)]
    mean = sum(len(comment.encode()) for comment in comments) / len(comments)
    out = report.Report(bench, "scoring", "Scoring without HTTP",
                        f"CPU time in a loop over {len(comments):,} comments of {mean:.0f} bytes on average, one thread, median "
                        f"of {bench.rounds} rounds. Slipway: the model of the automatic choice (words 1-2 and characters 2-5); "
                        "scikit-learn: TfidfVectorizer (words) and LogisticRegression.")
    best = {name: tuple(measure.median(values) for values in zip(*(figures[name] for figures in own))) for name in own[0]}
    theirs = {name: tuple(measure.median(values) for values in zip(*(figures[name] for figures in peer))) for name in peer[0]}
    out.table(["way", "Slipway us a comment", "MB/s", "scikit-learn us a comment", "MB/s", "ratio"],
              [[name, f"{best[key][0]:.2f}", f"{best[key][1]:.1f}", f"{theirs[key][0]:.1f}", f"{theirs[key][1]:.1f}",
                report.ratio(theirs[key][0] / best[key][0])]
               for name, key in (("a call a comment", "one"), ("all comments in a call", "bulk"))])
    out.bar("a comment", best["one"][0], 4, " us")
    out.bar("text in bulk", best["bulk"][1], 300, " MB/s", at_least=True)
    out.write()
