/* season.h: whether a series has a season, and the season taken out and put back.
 *
 *     Season season = season_detect(&series, arena);
 *     season_remove(&season, &series, adjusted);
 *     forecast = season_restore(&season, series.count + step, adjusted_forecast);
 */
#pragma once

#include "base/arena.h"
#include "ml/series.h"

typedef enum SeasonKind {
    SEASON_NONE,
    SEASON_ADDITIVE,
    SEASON_MULTIPLICATIVE,
} SeasonKind;

typedef struct Season {
    SeasonKind kind;
    size_t period;
    const double *indices; /* by time modulo period: they sum to 0, or to the period */
} Season;

/* M4's test ("Benchmarks and Evaluation.R", SeasonalityTest): three periods, and the
 * autocorrelation at the period's lag is outside its 90 % limits, 1.645 sqrt((1 + 2 sum of the
 * squared autocorrelations at shorter lags) / n) (Bartlett 1946). */
bool season_is_significant(const Series *series);

/* Classical decomposition (R's decompose()): the trend is a centred moving average of one period,
 * the index of a position the mean of value - trend, or value / trend, there; scaled to sum to 0,
 * or to the period. Needs two periods; for a multiplicative one all values positive. */
Season season_decompose(const Series *series, SeasonKind kind, Arena *arena);

/* Multiplicative where the test finds a season and all values are positive, additive where some are
 * not or an index comes out near 0, else none. */
Season season_detect(const Series *series, Arena *arena);

void season_remove(const Season *season, const Series *series, double *adjusted);

/* The adjusted values over their mean size, scale, so that sums of squares are near 1; 1 where all
 * are 0. */
double *season_adjusted(const Season *season, const Series *series, double *scale, Arena *arena);

/* What the season makes of a value, and of a deviation, at that time. */
double season_restore(const Season *season, size_t time, double value);
double season_restore_deviation(const Season *season, size_t time, double deviation);
