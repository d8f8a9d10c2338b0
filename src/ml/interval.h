/* interval.h: prediction intervals from what was missed in back-tests (normalised conformal
 * prediction: Papadopoulos, Gammerman and Vovk 2008; Lei, G'Sell, Rinaldo, Tibshirani and Wasserman
 * 2018, "Distribution-Free Predictive Inference for Regression").
 *
 * What was missed at a step is counted in deviations that the forecast gave it, times a factor of
 * the step (the same for all series), times a scale of the series (how many times larger its misses
 * are than its deviations say). Such scores are alike over steps, windows and series, and their
 * quantiles make the interval: mean + quantile x scale x factor x deviation.
 *
 * A score of a window is counted with the scale that the other windows of its series give, so that
 * it is as uncertain as the scale of the future will be. A quantile is the ceil((N + 1) p)-th of N
 * scores. Both tails have quantiles of their own where there are enough windows to tell them apart
 * (at least 2 / (1 - level) - 1), else they share one of the scores' sizes. With fewer scores than
 * a level needs the largest one is taken, but not less than a normal draw's.
 *
 *     IntervalTable table = interval_table_make(misses, series_count, horizon, arena);
 *     double scale = interval_scale(&table, &misses[0]);
 *     interval_apply(&table, scale, &forecast, 0.95, (IntervalBounds){low, high});
 */
#pragma once

#include "ml/forecast.h"

enum { INTERVAL_SCORES_MAX = 2001 };

/* What the back-tests of one series missed: window_count x horizon. */
typedef struct Misses {
    size_t window_count;
    const double *errors;     /* what came less the mean */
    const double *deviations; /* as the forecast gave them; may be NaN or 0 */
} Misses;

typedef struct IntervalTable {
    size_t horizon, window_count; /* windows of all series */
    double *factors;              /* by step; positive. Steps behind the last have its factor */
    double usual;                 /* the scale of a series without back-tests; positive */
    size_t count;
    double *scores; /* rising; each how-manieth where there are more than INTERVAL_SCORES_MAX */
    double *sizes;  /* of the scores, rising */
} IntervalTable;

/* horizon is 1 or more. Without any window intervals are the forecasts' own. */
IntervalTable interval_table_make(const Misses *misses, size_t count, size_t horizon, Arena *arena);

double interval_scale(const IntervalTable *table, const Misses *misses);

typedef struct IntervalBounds {
    double *low, *high; /* forecast->horizon of each */
} IntervalBounds;

/* level is above 0 and below 1. */
void interval_apply(const IntervalTable *table, double scale, const Forecast *forecast,
                    double level, IntervalBounds bounds);

/* The root of the mean squared miss: the deviation where a forecast gave none. 0 without misses. */
double interval_spread(const Misses *misses, size_t horizon);
