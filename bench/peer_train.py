"""The same training by scikit-learn, whole process: read, count, weigh, fit, judge on the test part.

usage: peer_train.py logistic_regression|linear_svm FOLDER      (of 20newsgroups)
"""
import gzip
import json
import os
import sys

from sklearn.feature_extraction.text import TfidfVectorizer

TRAIN, TEST = "20news-bydate-train.jsonl.gz", "20news-bydate-test.jsonl.gz"


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def main():
    learner, folder = sys.argv[1:]
    if learner == "linear_svm":
        from sklearn.svm import LinearSVC
        model = LinearSVC()
    else:
        from sklearn.linear_model import LogisticRegression
        model = LogisticRegression(max_iter=1000)
    texts, labels = read(os.path.join(folder, TRAIN))
    vectorizer = TfidfVectorizer()
    model.fit(vectorizer.fit_transform(texts), labels)
    texts, labels = read(os.path.join(folder, TEST))
    print(len(vectorizer.vocabulary_), f"{model.score(vectorizer.transform(texts), labels):.4f}")


if __name__ == "__main__":
    main()
