/* ets.h: exponential smoothing in its state-space forms, the best one chosen by AICc.
 *
 * Hyndman, Koehler, Ord and Snyder 2008, "Forecasting with Exponential Smoothing" (the book below).
 * A form has errors that add or that are relative, no trend, a trend or a damped one, and no
 * season, one that adds or one that multiplies. With u = l + phi b, d = y - mu and the season s of
 * a period ago:
 *
 *     season   mu      l'                b'                   s'
 *     none     u       u + a d           phi b + beta d
 *     adds     u + s   u + a d           phi b + beta d       s + gamma d
 *     times    u s     u + a d / s       phi b + beta d / s   s + gamma d / u
 *
 * where relative errors are e = d / mu, others e = d. (The book writes relative forms with mu e;
 * these are the same.) What is made least is -2 log likelihood less a constant of the count,
 * n ln sum e^2 + 2 sum ln |mu|, the last only where errors are relative; R's ets() has the same
 * figure as -2 loglik. The region is ets()'s: 1e-4 <= a <= 0.9999, beta <= a, gamma <= 1 - a,
 * 0.8 <= phi <= 0.98, and with a season the forecasts stay stable (the book, chapter 10). Left
 * out, as ets() does, are trends that multiply, and errors that add with a season that multiplies.
 */
#pragma once

#include "ml/forecast.h"

typedef enum EtsTrend { ETS_TREND_NONE, ETS_TREND_LINEAR, ETS_TREND_DAMPED } EtsTrend;

typedef enum EtsSeason { ETS_SEASON_NONE, ETS_SEASON_ADDS, ETS_SEASON_TIMES } EtsSeason;

typedef struct EtsForm {
    bool is_relative;
    EtsTrend trend;
    EtsSeason season;
} EtsForm;

typedef struct EtsState {
    double level, slope;
    double *seasonal; /* by time modulo period; NULL without a season */
} EtsState;

typedef struct EtsModel {
    EtsForm form;
    size_t count, period; /* of the series; period 1 without a season */
    size_t parameter_count;
    double alpha, beta, gamma, phi;
    EtsState first, last; /* before the first value, after the last one */
    double deviance;      /* -2 log likelihood less a constant of the count */
    double aicc;
    double variance; /* of e: sum e^2 / (count - parameters but the variance itself) */
} EtsModel;

enum {
    ETS_PERIOD_MAX = 24, /* a longer season is left out, as ets() does */
    ETS_COUNT_MIN = 5,
};

/* Whether the series is long and positive enough for the form, which is one of those above. */
bool ets_can_fit(const Series *series, EtsForm form);

/* The form's likeliest parameters and first states. The series is one that ets_can_fit(). */
EtsModel ets_fit(const Series *series, EtsForm form, Arena *arena);

/* The form of least AICc, but for relative errors with a trend that never turns, unless the line of
 * least squares through all values is about as steep: its slope follows the steps up from low
 * values. (On M4 Hourly that made forecasts much worse, on M4 Weekly, nn5-daily and the days of
 * bike sharing a little; air passengers, who go along a line, need it.) The series is checked and
 * has ETS_COUNT_MIN values. */
EtsModel ets_choose(const Series *series, Arena *arena);

/* Means are those without further errors; variances those of the book's chapter 6: exact for
 * additive components, its approximation for small variances where the season multiplies. */
void ets_forecast(const EtsModel *model, Forecast *forecast, Arena *arena);

/* "ETS(M,Ad,N)" */
const char *ets_form_name(EtsForm form, Arena *arena);

extern const SeriesLearner ets_learner;
