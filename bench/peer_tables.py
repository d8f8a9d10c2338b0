"""scikit-learn's HistGradientBoosting learns one CSV and scores another, some rows at a time.

usage: peer_tables.py LEARN SCORE ANSWERS      (CSV files; the last column is the target)

Prints the seconds of CPU time that passed until it had learnt.
"""
import sys
import time

import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

ROWS = 100_000


def features_of(table, names):
    flags = table["store_and_fwd_flag"].map({"N": 0.0, "Y": 1.0})
    return table.assign(store_and_fwd_flag=flags)[names]


def main():
    learn, score, answers = sys.argv[1:]
    table = pd.read_csv(learn)
    names = [name for name in table.columns[:-1] if not name.endswith("datetime")]
    model = HistGradientBoostingRegressor(random_state=42).fit(features_of(table, names), table[table.columns[-1]])
    print(time.process_time())
    with open(answers, "w", encoding="utf-8") as file:
        first = 0
        for part in pd.read_csv(score, chunksize=ROWS):
            found = model.predict(features_of(part, names))
            file.writelines(f"{first + at},{number:.6g}\n" for at, number in enumerate(found))
            first += len(part)


if __name__ == "__main__":
    main()
