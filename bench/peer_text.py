"""The same work by scikit-learn: a pipeline of TF-IDF words and logistic regression on the comments.

usage: peer_text.py PIPELINE.joblib MLFLOW_FOLDER FILE.csv...     (writes both)
"""
import csv
import io
import sys


def read_comments(paths):
    texts, labels = [], []
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(io.StringIO(file.read().lstrip())):  # some begin with a blank line
                texts.append(row["CONTENT"])
                labels.append(row["CLASS"])
    return texts, labels


def main():
    import joblib
    import mlflow.sklearn
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    pipeline, folder, *paths = sys.argv[1:]
    texts, labels = read_comments(paths)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(texts, labels)
    joblib.dump(model, pipeline)
    mlflow.sklearn.save_model(model, folder, serialization_format="cloudpickle", pip_requirements=["scikit-learn"])


if __name__ == "__main__":
    main()
