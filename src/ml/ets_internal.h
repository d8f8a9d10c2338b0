/* ets_internal.h: what fitting and its two passes over the values share. */
#pragma once

#include "base/lanes.h"
#include "ml/ets.h"
#include "ml/least_squares.h"

/* The parameters as they are searched: shares keep beta and gamma in their region by bounds alone.
 * The last season of the first period follows from the others. */
enum {
    ETS_ALPHA,
    ETS_BETA_SHARE,  /* beta / alpha */
    ETS_GAMMA_SHARE, /* gamma / (1 - alpha) */
    ETS_PHI,
    ETS_LEVEL,
    ETS_SLOPE,
    ETS_SEASONAL, /* period - 1 of them */
    ETS_LANE = 4,
    ETS_LANES_MAX = LEAST_SQUARES_MAX / ETS_LANE,
};

/* Four derivatives. */
typedef double EtsLanes __attribute__((vector_size(ETS_LANE * sizeof(double))));

/* Values over their mean size, and room for the passes. */
typedef struct EtsProblem {
    EtsForm form;
    size_t count, period;
    const double *values;
    EtsState last;        /* after value() */
    double squares, logs; /* sum e^2 and sum ln mu, after value() */
    EtsLanes season_slopes[ETS_PERIOD_MAX][ETS_LANES_MAX]; /* of the seasonal states */
} EtsProblem;

/* What least_squares() takes, for each form: squares over count x geometric mean of mu squared,
 * whose logarithm is the deviance. The same bytes on every
 * processor. A form with a season is not asked about stability here. */
typedef struct EtsPasses {
    double (*value)(EtsProblem *problem, const double *point);
    double (*equations)(EtsProblem *problem, const double *point, NormalEquations *equations);
} EtsPasses;

EtsPasses ets_passes(EtsForm form, LaneLevel level);

/* Whether the forecasts of a form with a season forget what is long past. */
bool ets_is_stable(EtsTrend trend, const double *point, size_t period);
