/* forecast_metric.h: how good a forecast of one series is.
 *
 * y are the values that came, f those that were forecast, h of them; a y that is NaN is missing and
 * its step is left out everywhere. x is the series that was learnt from, m its period.
 * - smape: mean of 200 |y - f| / (|y| + |f|), 0 where both are 0 (Makridakis, Spiliotis and
 *   Assimakopoulos 2020, "The M4 Competition", section 2.1: from 0 to 200);
 * - mase: mean of |y - f|, over the scale: the mean of |x_t - x_{t-m}| (Hyndman and Koehler 2006;
 *   M4's formula);
 * - rmsse: root of the mean of (y - f)^2 over the mean of (x_t - x_{t-m})^2 (Hyndman and Koehler
 *   2006, section 4; the M5 competition's with m = 1);
 * - rmse, mae; r2: 1 - sum (y - f)^2 / sum (y - mean y)^2, scikit-learn's r2_score;
 * - msis: mean of (U - L) + 2/a (L - y) where y < L + 2/a (y - U) where y > U, over mase's scale
 *   (Gneiting and Raftery 2007, section 6.2; M4's formula), where a = 1 - level;
 * - coverage: the share of y within [L, U].
 * A figure that is not defined is NaN: a scale that is 0 (a series that repeats itself exactly) or
 * has no pair of values, r2 of values that are all equal, intervals that were not given.
 *
 *     ForecastScore score = forecast_score(actual, &forecast, 0.95, &series);
 *     printf("%.3f\n", score.mase);
 */
#pragma once

#include "ml/forecast.h"

typedef struct ForecastScore {
    size_t count; /* steps that counted */
    double smape, mase, rmsse, rmse, mae, r2, msis, coverage;
} ForecastScore;

/* actual: as many values as the forecast has steps; level of the intervals: above 0, below 1. The
 * series may have missing values. Where no value came, count is 0 and every figure NaN. */
ForecastScore forecast_score(const double *actual, const Forecast *forecast, double level,
                             const Series *series);

typedef struct ForecastIntervals {
    size_t horizon;
    const double *mean, *low, *high;
} ForecastIntervals;

/* The same for intervals that were made otherwise. */
ForecastScore forecast_score_intervals(const double *actual, const ForecastIntervals *forecast,
                                       double level, const Series *series);

/* The mean of |x_t - x_{t-m}|^power, power 1 or 2, over pairs that are both there; NaN without one.
 */
double seasonal_naive_scale(const Series *series, int power);

/* The mean of the ratios to Naive2's averages over many series (M4's "overall weighted average").
 */
double overall_weighted_average(double smape, double mase, double naive2_smape, double naive2_mase);
