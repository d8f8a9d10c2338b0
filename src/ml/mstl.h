/* mstl.h: a series with several seasons, taken apart by STL and forecast.
 *
 * Bandara, Hyndman and Bergmeir 2021, "MSTL: A Seasonal-Trend Decomposition Algorithm for Time
 * Series with Multiple Seasonal Patterns", as R's mstl() does it: seasons one after the other,
 * shorter ones first, each by STL (stl.h) of the series without the others, twice; the season
 * window of the i-th is 7 + 4 i.
 *
 * The learner looks for the seasons itself. Of the period and the longer ones a series names
 * (series.h), shorter ones first, one is there when the values without the trend that STL finds
 * with it, and without the seasons before it, pass the season's test (season.h: three periods, the
 * autocorrelation at its lag). Seasons multiply where the logarithms leave the smaller remainder:
 * n ln sum r^2 / 2 of the logarithms' plus sum ln y is less than that of the values. The series
 * without its seasons is forecast as one that has none, by the mean of exponential smoothing
 * (ets.h) and dotm (theta.h), and the last period of each season is put back. Deviations are the
 * mean of theirs; seasons are taken as known.
 */
#pragma once

#include "ml/forecast.h"

enum { MSTL_SEASONS_MAX = SERIES_LONGER_MAX + 1 };

typedef struct Mstl {
    size_t season_count;
    size_t periods[MSTL_SEASONS_MAX];
    double *seasons[MSTL_SEASONS_MAX]; /* count values each */
    double *trend, *remainder;
} Mstl;

/* value = sum of the seasons + trend + remainder. 1 to MSTL_SEASONS_MAX rising periods, each at
 * least 2 and at most half of the count. */
Mstl mstl_decompose(const double *values, size_t count, const size_t *periods, size_t period_count,
                    Arena *arena);

/* Which of the series' seasons are there, by the learner's rule: how many, into periods. It looks
 * at the last 16,384 values, or six of the longest period where that is more. */
size_t mstl_find_seasons(const Series *series, size_t periods[MSTL_SEASONS_MAX]);

extern const SeriesLearner mstl_learner;
