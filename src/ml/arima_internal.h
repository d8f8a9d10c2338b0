/* arima_internal.h: what choosing, fitting and the filter share. */
#pragma once

#include "base/lanes.h"
#include "ml/arima.h"
#include "ml/least_squares.h"

enum {
    ARIMA_LANE = 4,
    ARIMA_POINT_MAX = 2 * (ARIMA_TERMS_MAX + ARIMA_SEASONAL_MAX),
    ARIMA_GROUPS = ARIMA_POINT_MAX / ARIMA_LANE + 1, /* the point itself has a lane */
    ARIMA_TAPS_MAX = (ARIMA_TERMS_MAX + 1) * (ARIMA_SEASONAL_MAX + 1) - 1,
    ARIMA_STATES_MAX = ARIMA_TERMS_MAX + ARIMA_SEASONAL_MAX * ARIMA_PERIOD_MAX,
};

/* ---- polynomials ---- */

/* A polynomial in the lag without its 1, by its terms that are not 0. Lags may repeat. */
typedef struct ArimaPolynomial {
    size_t count, degree, lags[ARIMA_TAPS_MAX];
    double values[ARIMA_TAPS_MAX];
} ArimaPolynomial;

/* From partial autocorrelations, in the order ar, ma, seasonal_ar, seasonal_ma. */
void arima_read_point(const ArimaOrder *order, const double *point,
                      ArimaCoefficients *coefficients);

size_t arima_point_count(const ArimaOrder *order);

/* w_t = sum of value x w_{t - lag} ..; and e_t + sum of value x e_{t - lag} */
ArimaPolynomial arima_ar(const ArimaOrder *order, const ArimaCoefficients *coefficients,
                         size_t period);
ArimaPolynomial arima_ma(const ArimaOrder *order, const ArimaCoefficients *coefficients,
                         size_t period);

/* (1 - L)^d (1 - L^m)^D */
ArimaPolynomial arima_differencing(const ArimaOrder *order, size_t period);

/* Whether all roots of ar and ma are outside the circle of that radius. */
bool arima_is_outside(const ArimaOrder *order, const ArimaCoefficients *coefficients,
                      double radius);

/* ---- where the filter starts ---- */

/* Room for arima_start(). */
typedef struct ArimaStart {
    double predictors[ARIMA_STATES_MAX * (ARIMA_STATES_MAX + 1) / 2];
    double variances[ARIMA_STATES_MAX + 1];
    double noiseless[2 * ARIMA_STATES_MAX + 1]; /* autocovariances of e / ar(L) */
    double half[2 * ARIMA_STATES_MAX + 1], covariances[ARIMA_STATES_MAX + 1];
    double effects[ARIMA_STATES_MAX + 1];
} ArimaStart;

/* The variance of w, and what w_t tells of each state that comes after it: both over that of e.
 * False where rounding leaves w no variance. */
bool arima_start(const ArimaPolynomial *ar, const ArimaPolynomial *ma, ArimaStart *room,
                 double *variance, double *gain);

/* ---- the filter ---- */

/* Four models side by side. */
typedef double ArimaLanes __attribute__((vector_size(ARIMA_LANE * sizeof(double))));

typedef struct ArimaTaps {
    size_t count, lags[ARIMA_TAPS_MAX];
    ArimaLanes values[ARIMA_TAPS_MAX];
} ArimaTaps;

/* The filter's state of a row of values; that of ones follows what a constant does. */
typedef struct ArimaColumn {
    ArimaLanes *state;   /* one more than there are states, which is 0 */
    ArimaLanes *pending; /* what is known of the values ahead, by their time, once it is settled */
    ArimaLanes *errors;  /* v / sqrt F; of the values, after the pass, without the constant's share
                          * and  times factor: their squares are what is made least */
} ArimaColumn;

typedef struct ArimaFilter {
    size_t count, state_count;
    const double *values;
    ArimaTaps ar, ma;
    ArimaLanes variance, *gain, *change, *dense; /* dense: ar by lag */
    ArimaColumn row, ones;
    ArimaLanes logs, factor; /* after the pass: sum ln F; the geometric mean of sqrt F */
    ArimaLanes mean;         /* the constant */
    ArimaLanes squares;
    size_t settled_at; /* from there on F is 1 */
} ArimaFilter;

/* Runs all values through. With finds_settled it looks where the filter settles, otherwise it takes
 * settled_at for it: so that derivatives by differences are smooth. The same bytes on every
 * processor. */
typedef void (*ArimaPass)(ArimaFilter *filter, bool finds_settled);

ArimaPass arima_pass(bool has_constant, LaneLevel level);

/* products[i] becomes the sum over rows of row[i] x column, for each of the four. */
typedef void (*ArimaProducts)(const ArimaLanes *rows, const ArimaLanes *columns, size_t count,
                              ArimaLanes *products);

ArimaProducts arima_products(LaneLevel level);

/* ---- fitting ---- */

/* Of one differenced series, for one order after the other. */
typedef struct ArimaProblem {
    ArimaOrder order;
    size_t period, count;
    double scale, offset; /* mean and size of w */
    ArimaFilter filter;
    ArimaPass pass;
    ArimaProducts products;
    ArimaStart *start;
    bool is_constant;              /* w, but for rounding */
    const double *centred, *plain; /* (w - offset) / scale for orders with a constant; w / scale */
    double *errors;                /* of the last value() */
    ArimaLanes *slopes[ARIMA_GROUPS];
} ArimaProblem;

/* w of the order's differences, ready for any order with as many of them. */
ArimaProblem *arima_problem(const Series *series, const ArimaOrder *order, Arena *arena);

void arima_set_order(ArimaProblem *problem, const ArimaOrder *order);

/* From the best of the usual starts and the other one (which may be NULL) to a least value;
 * INFINITY where none is allowed. tolerance: of -2 log likelihood. */
double arima_search(ArimaProblem *problem, const double *other, double tolerance, double *point);

/* AICc of a value that search gave. */
double arima_aicc(const ArimaProblem *problem, double value);

ArimaModel arima_model(ArimaProblem *problem, const double *point, const Series *series,
                       Arena *arena);

/* ---- differences ---- */

/* How often to difference, by KPSS tests of a level at 5 % (Kwiatkowski, Phillips, Schmidt and Shin
 * 1992), and at most ARIMA_DIFFERENCES_MAX times. */
size_t arima_differences(const double *values, size_t count);

/* How much of what moves around the trend is season: 1 - var R / var(R + S), from 0 to 1 (Wang,
 * Smith and Hyndman 2006). Needs more than two periods. */
double arima_season_strength(const Series *series);

/* values[i] - values[i - lag] in place; count - lag are left. */
void arima_difference(double *values, size_t count, size_t lag);
