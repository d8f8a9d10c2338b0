"""statsforecast on series from standard input (study_forecast series), one thread: a line for each, parted
by tabs: learner, id, deviance (none), sMAPE, MASE, CPU seconds. What it compiles, it compiles before.

usage: peer_forecast.py ets|theta|arima < SERIES
"""
import sys
import time

import numpy as np
from statsforecast.models import AutoARIMA, AutoETS, DynamicOptimizedTheta

KINDS = {"arima": AutoARIMA, "ets": AutoETS, "theta": DynamicOptimizedTheta}


def forecast(kind, y, period, horizon):
    return kind(season_length=period).fit(y).predict(h=horizon)["mean"]


def main():
    kind = KINDS[sys.argv[1]]
    is_warm = False
    for line in sys.stdin:
        fields = line.rstrip("\n").split("\t")
        learnt, period = int(fields[1]), int(fields[2])
        values = np.array([float(field) for field in fields[3:]])
        y, actual = values[:learnt], values[learnt:]
        if not is_warm:
            forecast(kind, y[-10 * period - 30:], period, 2)
            is_warm = True
        started = time.process_time()
        mean = forecast(kind, y, period, len(actual))
        seconds = time.process_time() - started
        miss = np.abs(actual - mean)
        scale = np.mean(np.abs(y[period:] - y[:-period]))
        smape = np.nanmean(200 * miss / (np.abs(actual) + np.abs(mean)))
        print(sys.argv[1], fields[0], "NA", smape, np.nanmean(miss) / scale, f"{seconds:.4f}", sep="\t")


if __name__ == "__main__":
    main()
