/* lag_boost.h: boosted trees on the past values of many series, one model for all of them.
 *
 * Each series is told by rows that are alike for all sizes (lag_rows.h), of at most LAG_ROWS_MAX
 * pairs of an origin and a step, drawn evenly from all series, and of LAG_SERIES_MAX series. Trees
 * learn from four fifths of the series and stop where they help the rest no more. A forecast is
 * direct: the step is a feature. Steps behind the block that was learnt go on with the means as the
 * values that came. Deviations are what the rest of the series missed.
 *
 * Back-tests need models that have not seen what they forecast: model i is learnt only from values
 * before the last i horizons of the latest series, by the steps that each series ends before it. A
 * series is forecast at an origin by the newest model of which no value, of any series, lies behind
 * that origin's date. Series whose dates differ are not compared by how far from their ends they
 * are: that would let one be forecast by what happened to another one later.
 *
 * The same series give the same forecasts for any number of threads. A LagBoost is immutable: any
 * number of threads may ask it. It needs the series no longer.
 *
 *     CLEANUP(lag_boost_destroy) LagBoost *boost = lag_boost_learn(&spec);
 *     if (!lag_boost_forecast(boost, &(LagAsk){{values, origin, behind}, 28}, arena, &forecast,
 *                             error))
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "ml/forecast.h"
#include "ml/lag_rows.h"

enum {
    LAG_SERIES_MIN = 16, /* fewer are not worth it */
    LAG_VALUES_MIN = 2000,
    LAG_SERIES_MAX = 1 << 13,
    LAG_ROWS_MAX = 30000,
    LAG_BLOCK_MAX = 128, /* steps that are learnt */
    LAG_MODELS_MAX = 14, /* ten windows, of series that end up to three horizons early */
};

typedef struct LagBoost LagBoost;

typedef struct LagBoostSpec {
    const LagSeries *series; /* checked, or of no values */
    size_t count;
    size_t horizon;
    const size_t *periods; /* rising; as series_candidates() has them */
    size_t period_count;
    size_t model_count; /* 1 to LAG_MODELS_MAX; the first is of all values */
    size_t thread_count;
    int64_t deadline_us;       /* by time_monotonic_us(); 0: none */
    const atomic_bool *finish; /* or NULL: set, it is as the deadline */
} LagBoostSpec;

/* Whether there is as much as the limits ask for. */
bool lag_boost_is_worth(const LagSeries *series, size_t count);

/* A model that cannot be learnt says why when it is asked. When not all models can be learnt by the
 * deadline, as those so far tell, it is stopped, and none of them forecasts. Owned by the caller.
 */
LagBoost *lag_boost_learn(const LagBoostSpec *spec);
bool lag_boost_is_stopped(const LagBoost *boost);
void lag_boost_destroy(LagBoost **boost); /* for CLEANUP too */

/* CPU time that learning took. */
double lag_boost_seconds(const LagBoost *boost);

typedef struct LagAsk {
    LagSeries series; /* or the first values of one, which then ends so much earlier */
    size_t steps;     /* 1 to FORECAST_HORIZON_MAX */
} LagAsk;

bool lag_boost_forecast(const LagBoost *boost, const LagAsk *ask, Arena *arena, Forecast *forecast,
                        Error *error) MUST_CHECK;

/* Its name in leaderboards; a learner of many series has no fit of one, and is no row of
 * series_learners. */
extern const SeriesLearner lag_boost_learner;
