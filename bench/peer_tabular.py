"""scikit-learn's HistGradientBoosting with its defaults, and a linear model, on a table from standard input
(study_tabular rows): a line for each, parted by tabs: name, figures as name=value, CPU seconds; of folds the means."""
import sys
import time

import numpy as np
from sklearn import compose, ensemble, impute, linear_model, metrics, pipeline, preprocessing

CATEGORIES_MAX = 255  # of HistGradientBoosting


def read():
    head, *kinds = sys.stdin.readline().rstrip("\n").split("\t")
    kind, folds = head.split(" ")
    rows = [line.rstrip("\n").split("\t") for line in sys.stdin]
    parts = np.array([int(row[0]) for row in rows])
    tests = [parts == fold for fold in range(int(folds))] if int(folds) > 1 else [parts == 1]
    target = np.array([float(row[-1]) for row in rows])
    columns = []
    for at, what in enumerate(kinds, 1):
        cells = [row[at] for row in rows]
        columns.append(np.array([float(cell) if cell else np.nan for cell in cells]) if what == "number"
                       else np.array(cells, dtype=object))
    return kind, kinds, columns, target, tests


def trees(kind, kinds, columns, test):
    """Categories as numbers: those of training; what is missing or new is NaN."""
    cells, is_category = [], []
    for what, column in zip(kinds, columns):
        if what == "category":
            codes = {value: code for code, value in enumerate(sorted(set(column[~test]) - {""}))}
            cells.append(np.array([codes.get(value, np.nan) for value in column], dtype=float))
            is_category.append(len(codes) <= CATEGORIES_MAX)
        else:
            cells.append(column)
            is_category.append(False)
    model = ensemble.HistGradientBoostingRegressor if kind == "numbers" else ensemble.HistGradientBoostingClassifier
    return np.column_stack(cells), model(random_state=42, categorical_features=is_category)


def linear(kind, kinds, columns):
    table = np.empty((len(columns[0]), len(columns)), dtype=object)
    for at, column in enumerate(columns):
        table[:, at] = column
    numbers = [at for at, what in enumerate(kinds) if what == "number"]
    categories = [at for at, what in enumerate(kinds) if what == "category"]
    shaped = compose.ColumnTransformer([
        ("numbers", pipeline.make_pipeline(impute.SimpleImputer(strategy="median"), preprocessing.StandardScaler()), numbers),
        ("categories", preprocessing.OneHotEncoder(handle_unknown="ignore"), categories)])
    model = linear_model.Ridge() if kind == "numbers" else linear_model.LogisticRegression(max_iter=1000)
    return table, pipeline.make_pipeline(shaped, model)


def figures(kind, truth, model, cells):
    answers = model.predict(cells)
    if kind == "numbers":
        return {"rmse": metrics.root_mean_squared_error(truth, answers), "mae": metrics.mean_absolute_error(truth, answers),
                "r2": metrics.r2_score(truth, answers)}
    found = {"mcc": metrics.matthews_corrcoef(truth, answers), "accuracy": metrics.accuracy_score(truth, answers)}
    probabilities = model.predict_proba(cells)
    if probabilities.shape[1] == 2:
        found["auc"] = metrics.roc_auc_score(truth, probabilities[:, 1])
    return found | {"log_loss": metrics.log_loss(truth, probabilities)}


def judge(kind, target, test, cells, model):
    started = time.process_time()
    model.fit(cells[~test], target[~test])
    seconds = time.process_time() - started
    return figures(kind, target[test], model, cells[test]) | {"seconds": seconds}


def main():
    kind, kinds, columns, target, tests = read()
    makers = {"HistGradientBoosting": lambda test: trees(kind, kinds, columns, test),
              "linear": lambda test: linear(kind, kinds, columns)}
    for name, make in makers.items():
        found = [judge(kind, target, test, *make(test)) for test in tests]
        means = {key: np.mean([one[key] for one in found]) for key in found[0]}
        seconds = means.pop("seconds")
        print(name, *(f"{key}={value:.5g}" for key, value in means.items()), f"{seconds:.2f}", sep="\t", flush=True)


if __name__ == "__main__":
    main()
