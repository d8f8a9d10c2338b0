"""Scoring by scikit-learn: TF-IDF words and logistic regression learnt from the texts, then asked for them.

usage: peer_score.py LABELS.txt TEXTS.txt      (a label and a text a line; figures as bench_score prints them)
"""
import sys
import time

CALLS_MAX = 500


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return file.read().split("\n")


def measure(name, texts, work):
    work()
    began = time.process_time()
    work()
    print(name, time.process_time() - began, len(texts), sum(len(text.encode()) for text in texts))


def main():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    labels, texts = (read_lines(path) for path in sys.argv[1:])
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(texts, labels)
    some = texts[:CALLS_MAX]
    measure("one", some, lambda: [model.predict_proba([text]) for text in some])
    measure("bulk", texts, lambda: model.predict_proba(texts))


if __name__ == "__main__":
    main()
