/* lag_rows.h: a series' past as rows of numbers, alike for series of any size, for trees.
 *
 * A row asks for the value so many steps behind an origin, and looks at nothing from the origin on.
 * Guesses of that value are made first: the last value, the mean of the last ones, and by each
 * season the value at the same place, the mean of four of them, and the one carried to today's
 * level. How far each guess was off in the series' past, newer misses counting more, gives the
 * row's anchor, their mean weighed by 1 / error^4, and its scale, the error that is to be expected
 * of it. The features are guesses, lags, neighbours in the last seasons and rolling means, each
 * less the anchor and over the scale; the guesses' errors over the scale; the place in each season,
 * the step, and how long and how even the past is. The target is (value - anchor) / scale.
 *
 *     LagShape shape = lag_shape(periods, period_count, 48);
 *     LagView view = lag_view(&shape, &series, 0, arena);
 *     if (lag_row(&view, origin, step, &row))
 */
#pragma once

#include "base/arena.h"
#include "ml/series.h"

enum {
    LAG_SEASONS_MAX = SERIES_LONGER_MAX + 1,
    LAG_GUESSES_MAX = 2 + 3 * LAG_SEASONS_MAX,
    LAG_FEATURES_MAX = 2 * LAG_GUESSES_MAX + 5 * LAG_SEASONS_MAX + 20,
    LAG_COUNT_KEPT = 1 << 14, /* of a series; older values are left out */
};

/* What rows of a set of series have alike. */
typedef struct LagShape {
    size_t seasons[LAG_SEASONS_MAX], season_count; /* rising, without 1 */
    size_t block;                                  /* steps that are asked for at once, at most */
    size_t span;                                   /* values of the shortest mean */
    size_t least;                                  /* the first origin that has rows */
    size_t memory;                                 /* misses that count */
    size_t guess_count, feature_count;
} LagShape;

LagShape lag_shape(const size_t *periods, size_t period_count, size_t block);

typedef struct LagSeries {
    const double *values;
    size_t count;
    size_t behind; /* steps that it ends before the latest of all series */
} LagSeries;

/* A series with what its rows are made of. Lives in the arena. */
typedef struct LagView {
    const LagShape *shape;
    size_t came, count;    /* values that came; with those behind them that were appended */
    size_t end;            /* where the latest of all series ends */
    double *values, *sums; /* sums: of the values before each */
    const double *errors;  /* (came + 1) x guess_count: before each origin; NaN: not known */
    double low, high;      /* of the values that came */
} LagView;

/* With room for more values behind them; the shape must outlive the view. */
LagView lag_view(const LagShape *shape, const LagSeries *series, size_t room, Arena *arena);

/* A value that is taken for one that came: later origins see it, but errors stay as they were. */
void lag_view_append(LagView *view, double value);

typedef struct LagRow {
    double anchor, scale; /* scale: 0 where nothing was ever missed */
    float features[LAG_FEATURES_MAX];
} LagRow;

/* origin: how many values are known, at most count; step: 1 to block. False before the shape's
 * least origin and where no guess has an error. */
bool lag_row(const LagView *view, size_t origin, size_t step, LagRow *row);
