/* backtest.h: learners of one series, judged on its own past by rolling origins.
 *
 * The last values of a series are cut into windows of one horizon each, which follow one another to
 * the series' end. Before each window stands its origin: every candidate is fitted anew on what
 * lies before it, and forecasts the window. A candidate never gets a value of its window or of what
 * comes after. There are max(3, min(10, n / 2h)) windows; fewer, down to none, where the first
 * origin would have less than two periods and BACKTEST_LEARNT_MIN values before it.
 *
 * A candidate that was learnt from many series forecasts each window by a model that has seen no
 * value, of any series, behind its origin (lag_boost.h).
 *
 * Where columns are known for the future (known.h) a candidate may forecast with them: what they do
 * is learnt anew before each window (known_effect.h), the learner forecasts the values without it,
 * and the effect of the window's rows is added.
 *
 * A candidate that fails on a window is no failure of the back-test: its row says so. Same series,
 * same figures but seconds, for any number of threads. A Backtest lives in its arena and needs the
 * series' values as long.
 *
 * Limits give a back-test an end: candidates are tried in an order, and none begins a window after
 * the deadline, or when its windows so far say that it would not have all of them by then. It has
 * failed on the others, and its row is stopped; so is that of a candidate that was to be learnt
 * from many series, and was stopped in it.
 *
 *     SeriesCandidates all = series_candidates(periods, period_count, arena);
 *     Backtest backtest = backtest_run(&series, &(BacktestSpec){.horizon = 12, .candidates = all},
 *                                      arena);
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "ml/forecast.h"
#include "ml/forecast_metric.h"
#include "ml/known.h"
#include "ml/lag_boost.h"

enum {
    BACKTEST_WINDOWS_MIN = 3,
    BACKTEST_WINDOWS_MAX = 10,
    BACKTEST_LEARNT_MIN = 8, /* values before the first origin */
};

/* A learner, and the seasons that it is told. */
typedef struct SeriesCandidate {
    const SeriesLearner *learner;
    size_t period;
    const size_t *longer; /* rising; as series.h has them */
    size_t longer_count;
    const LagBoost *shared; /* learnt from many series before; NULL: the learner fits each itself */
    bool with_known;        /* forecasts with the known columns */
} SeriesCandidate;

typedef struct SeriesCandidates {
    SeriesCandidate *items;
    size_t count;
} SeriesCandidates;

/* Every learner with every one of the rising periods that it can see (period_max), but at least
 * once; one that knows longer seasons is told all at once. The first period is the main one. The
 * periods must live as long as the candidates. */
SeriesCandidates series_candidates(const size_t *periods, size_t period_count, Arena *arena);

/* The candidates, and each again with the known columns, but baselines: what others have to beat
 * stays as it is, and a naive forecast that is mended by chance is soon the luckiest of all. */
SeriesCandidates series_candidates_with_known(const SeriesCandidates *candidates, Arena *arena);

/* The series as the candidate is told it, with its first count values. */
Series series_candidate_view(const SeriesCandidate *candidate, const double *values, size_t count);

/* What the candidate forecasts from all values of a series, or its first ones. */
bool series_candidate_forecast(const SeriesCandidate *candidate, const LagAsk *ask, Arena *arena,
                               Forecast *forecast, Error *error) MUST_CHECK;

/* "dotm", or "dotm (season 52)" where its period is not the main one. */
const char *series_candidate_name(const SeriesCandidate *candidate, size_t main_period,
                                  Arena *arena);

typedef struct BacktestRow BacktestRow;

typedef struct BacktestLimits {
    const size_t *order;       /* the candidates' numbers, as they are tried; NULL: as they come */
    size_t kept;               /* so many of them have all windows, whatever the time is */
    int64_t deadline_us;       /* by time_monotonic_us(); 0: none */
    const atomic_bool *finish; /* or NULL: set by somebody else, it is as the deadline */
    /* Told of each row when it is finished, by one thread at a time; NULL: nobody is. */
    void (*row_done)(void *context, const BacktestRow *row, size_t candidate);
    void *context;
} BacktestLimits;

typedef struct BacktestSpec {
    size_t horizon; /* 1 to FORECAST_HORIZON_MAX */
    size_t windows; /* at most; 0: by the rule */
    SeriesCandidates candidates;
    size_t thread_count;          /* at most; 0: 1 */
    const BacktestLimits *limits; /* NULL: there are none */
    size_t behind;   /* steps that the series ends before the latest one (lag_boost.h) */
    KnownRows known; /* the rows of the series' values, where a candidate is with them */
} BacktestSpec;

struct BacktestRow {
    SeriesCandidate candidate;
    /* window_count x horizon, oldest window first; NaN in windows that it failed on */
    double *means, *deviations;
    double *window_errors; /* mean size of the errors in each window; NaN where it failed */
    ForecastScore score;   /* over the windows that it did not fail on; level BACKTEST_LEVEL */
    size_t failed_count;   /* windows */
    const char *note;      /* why it failed the first time, or "" */
    bool is_stopped;       /* by its deadline, on windows that it is said to have failed on */
    double seconds;        /* CPU time */
};

#define BACKTEST_LEVEL 0.95

typedef struct Backtest {
    size_t horizon, window_count;
    const double *actual; /* window_count x horizon values that came */
    double scale; /* of mase and msis: the seasonal naive's mean error before the first origin */
    BacktestRow *rows; /* one for each candidate, in their order */
    size_t row_count;
} Backtest;

/* How many windows a series of so many values and that main period has. */
size_t backtest_window_count(size_t count, size_t period, size_t horizon);

/* The series, whose period is the main one, is checked; longer seasons that it names are those that
 * effects of known columns are told from. */
Backtest backtest_run(const Series *series, const BacktestSpec *spec, Arena *arena);

/* The mean size of a row's errors at each step of the horizon, over the windows it did not fail on;
 * NaN without one. */
void backtest_step_errors(const Backtest *backtest, const BacktestRow *row, double *errors);

/* The error of the better of naive and seasonal_naive; NaN where neither is among the rows. */
double backtest_baseline(const Backtest *backtest);
