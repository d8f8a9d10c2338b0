/* ets_step.h: one value on its way through the recursion of ets.h. Inlined with a form that the
 * compiler knows, so that what a form has not costs nothing. */
#pragma once

#include <math.h>

#include "ml/ets_internal.h"

typedef struct Parameters {
    double alpha, beta, gamma, phi;
    EtsLanes by_alpha, by_beta, by_gamma, by_phi; /* their derivatives by the first four */
} Parameters;

static ALWAYS_INLINE void read_parameters(const double *point, Parameters *parameters)
{
    double alpha = point[ETS_ALPHA], beta_share = point[ETS_BETA_SHARE];
    double gamma_share = point[ETS_GAMMA_SHARE];

    *parameters = (Parameters){
        .alpha = alpha,
        .beta = alpha * beta_share,
        .gamma = (1 - alpha) * gamma_share,
        .phi = point[ETS_PHI],
        .by_alpha = {1, 0, 0, 0},
        .by_beta = {beta_share, alpha, 0, 0},
        .by_gamma = {-gamma_share, 0, 1 - alpha, 0},
        .by_phi = {0, 0, 0, 1},
    };
}

enum { ETS_LOG_STRIDE = 8 };

/* The sum of ln mu, by products of a few means: a logarithm is dear. */
typedef struct Logs {
    double sum, product;
} Logs;

static ALWAYS_INLINE void add_log(Logs *logs, double mean, size_t t)
{
    logs->product *= mean;
    if (t % ETS_LOG_STRIDE != ETS_LOG_STRIDE - 1)
        return;
    logs->sum += log(logs->product);
    logs->product = 1;
}

/* A value on its way through the recursion. */
typedef struct Step {
    double level, slope; /* before it */
    double season, ahead, mean, miss;
    double change;         /* of the level, over alpha */
    double error;          /* miss, or miss / mean */
    double inverse, share; /* 1 / mean; -d error / d mean. Set where errors are relative */
} Step;

static ALWAYS_INLINE void see_value(Step *step, const Parameters *p, double value, EtsForm form)
{
    step->ahead = form.trend ? step->level + p->phi * step->slope : step->level;
    step->mean = form.season == ETS_SEASON_TIMES ? step->ahead * step->season
                 : form.season                   ? step->ahead + step->season
                                                 : step->ahead;
    step->error = step->miss = step->change = value - step->mean;
    if (form.season == ETS_SEASON_TIMES)
        step->change = step->miss / step->season;
    if (form.is_relative) {
        step->inverse = 1 / step->mean;
        step->error = step->miss * step->inverse;
    }
}

static ALWAYS_INLINE double next_season(const Step *step, const Parameters *p, EtsForm form)
{
    double miss = form.season == ETS_SEASON_TIMES ? step->miss / step->ahead : step->miss;

    return step->season + p->gamma * miss;
}

static ALWAYS_INLINE void move_on(Step *step, const Parameters *p, EtsForm form)
{
    step->level = step->ahead + p->alpha * step->change;
    if (form.trend)
        step->slope = p->phi * step->slope + p->beta * step->change;
}
