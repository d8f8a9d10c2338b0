/* arima.h: autoregressive integrated moving averages with a season, the order chosen by AICc.
 *
 * Box and Jenkins 1970. With w = (1 - L)^d (1 - L^m)^D y, L the lag and m the period,
 *
 *     ar(L) AR(L^m) (w_t - c) = ma(L) MA(L^m) e_t
 *     ar(L) = 1 - ar_1 L - .. - ar_p L^p      ma(L) = 1 + ma_1 L + .. + ma_q L^q
 *
 * AR and MA alike in L^m, with P and Q terms; signs are R's. c, the constant, is the mean of w.
 * What is made most is the exact likelihood of w: its innovations v_t and their variances F_t come
 * from a Kalman filter that starts in the stationary state (Gardner, Harvey and Phillips 1980), in
 * the form whose work grows with the number of states alone (Morf, Sidhu and Kailath 1974; for
 * ARMA: Pearlman 1980, Melard 1984). R's arima() has the same figure. With S = sum v_t^2 / F_t,
 * -2 log likelihood = n ln(S / n) + sum ln F_t + n (1 + ln 2 pi), which is a sum of squares made
 * small: that of v_t / sqrt(F_t) times the geometric mean of sqrt(F).
 *
 * Parameters are searched as partial autocorrelations (Barndorff-Nielsen and Schou 1973, Jones
 * 1980), which bounds alone keep stationary and invertible.
 *
 *     ArimaModel model = arima_choose(&series, arena);
 *     arima_forecast(&model, &forecast, arena);
 */
#pragma once

#include "ml/forecast.h"

enum {
    ARIMA_TERMS_MAX = 5, /* each of ar and ma */
    ARIMA_SEASONAL_MAX = 2,
    ARIMA_DIFFERENCES_MAX = 2,
    ARIMA_SEASONAL_DIFFERENCES_MAX = 1,
    ARIMA_PERIOD_MAX = 60,  /* a longer season is left out by the choice */
    ARIMA_COUNT_MAX = 5000, /* of a longer series the last values are learnt from */
    ARIMA_COUNT_MIN = 3,
    ARIMA_CANDIDATES_MAX = 94, /* as auto.arima() */
};

typedef struct ArimaOrder {
    size_t ar, differences, ma;
    size_t seasonal_ar, seasonal_differences, seasonal_ma;
    bool has_constant;
} ArimaOrder;

typedef struct ArimaCoefficients {
    double ar[ARIMA_TERMS_MAX], ma[ARIMA_TERMS_MAX];
    double seasonal_ar[ARIMA_SEASONAL_MAX], seasonal_ma[ARIMA_SEASONAL_MAX];
} ArimaCoefficients;

typedef struct ArimaModel {
    ArimaOrder order;
    bool is_logarithmic;  /* y is the logarithm of the series' values */
    size_t period, count; /* count: of w */
    ArimaCoefficients coefficients;
    double constant;   /* 0 without one */
    double likelihood; /* its logarithm; that of the values themselves, as aicc */
    double aicc;
    double variance; /* of e: S / (count - coefficients - constant); R's sigma2 divides by count */
    double squares;  /* S */
    const double *last_values; /* of y: differences + period x seasonal differences */
    size_t state_count;
    const double *state; /* what is known of each w - c ahead from e and w so far */
} ArimaModel;

/* The likeliest parameters that a few searches come to. Fails on a series that series_check()
 * refuses, on an order beyond the limits above, on seasonal
 * terms without a season, and on fewer values than the order has parameters to tell. */
bool arima_fit(const Series *series, ArimaOrder order, Arena *arena, ArimaModel *model,
               Error *error) MUST_CHECK;

/* The order of least AICc that the search of Hyndman and Khandakar 2008 comes by ("Automatic Time
 * Series Forecasting: The forecast Package for R"): D is 1 where the season is strong, d by KPSS
 * tests; from four orders on, one or two counts move by 1, or the constant comes or goes, as long
 * as that helps. Unlike theirs each order is judged by its exact likelihood. It is right near the
 * unit circle, too, so that only orders are left out whose ar or ma has a root nearer to it than
 * 1.001 (theirs: any root nearer than 1.01, in L for seasonal ones): on M4 Hourly and Weekly and on
 * nn5-daily all errors are smaller for it.
 *
 * Values that have a season and are positive are looked at as logarithms, too, and the likelier of
 * both is taken: on M4 Hourly and air passengers that forecasts much better. (Without a season it
 * does not: M4 Weekly.) The series is checked and has ARIMA_COUNT_MIN values. */
ArimaModel arima_choose(const Series *series, Arena *arena);

/* Means are those of the exact filter; deviations come from the effects of an error on what follows
 * (psi weights), on the scale of y. Of logarithms they are the median, and the deviation that a
 * log-normal value has. */
void arima_forecast(const ArimaModel *model, Forecast *forecast, Arena *arena);

/* "ARIMA(0,1,1)(0,1,1)[12]", "ARIMA(2,0,2) with constant" */
const char *arima_order_name(ArimaOrder order, size_t period, Arena *arena);

extern const SeriesLearner arima_learner;
