/* naive.h: forecasts without learning, the baselines that every other learner has to beat.
 *
 * Deviations follow Hyndman and Athanasopoulos, "Forecasting: Principles and Practice" (3rd
 * edition, table 5.2): s is the root of the mean squared residual, k the whole periods before step
 * h.
 * - naive: the last value; s sqrt(h).
 * - seasonal_naive: the last value at that position of the season; s sqrt(k + 1).
 * - seasonal_mean: the mean of all values at that position; s sqrt(1 + 1 / values there).
 * - drift: the last value and the mean step of the series; s sqrt(h (1 + h / (n - 1))).
 * - naive2: naive on the seasonally adjusted series, M4's yardstick (season.h; naive without
 * season). A series shorter than a period is taken as one without season.
 */
#pragma once

#include "ml/forecast.h"

extern const SeriesLearner naive_learner, seasonal_naive_learner, seasonal_mean_learner,
    drift_learner, naive2_learner;
