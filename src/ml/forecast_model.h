/* forecast_model.h: forecasts of one or many series, each by what did best on its own past.
 *
 * Training back-tests every candidate on every series (backtest.h), takes the rule by which they
 * are chosen or combined (combination.h) and the intervals (interval.h) from at most
 * FORECAST_SAMPLES_MAX of the series, evenly spread, and then fits each series' choice on all its
 * values. A series that fails is left out and said; the others do not notice. Same series, same
 * bytes, for any number of threads; within a budget, if it suffices (forecast_model_watch.h).
 *
 * Columns that are known for the future (known.h) may come with the values. Then every candidate is
 * back-tested without and with them (backtest.h), and what is chosen may be with them, too.
 *
 * What a ForecastModel keeps of a series are its values, what was chosen and the forecast itself:
 * the mean and the deviation of each of steps_max steps after its end; of a choice with known
 * columns those of each member at usual values of the columns, the weights of their effect
 * (known_effect.h), and the rows behind the series' end that came with it. That says all that the
 * learners' own states would say, so that a file needs no format for each learner, loading learns
 * nothing and takes as long as reading, and an old file answers as it did whatever becomes of the
 * learners. A model is immutable: any number of threads may predict with it at once.
 *
 *     CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
 *     if (!forecast_model_load(bytes, size, &model, error) ||
 *         !forecast_model_find(model, "store 7", &index) ||
 *         !forecast_model_predict(model, &(ForecastAsk){index, 28, 0.8}, arena, &dated, error))
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "ml/backtest.h"
#include "ml/frequency.h"
#include "ml/report.h"     /* ForecastPoints */
#include "ml/text_model.h" /* Leaderboard */

typedef struct ForecastModel ForecastModel;

enum {
    FORECAST_SERIES_MAX = 1 << 20,
    FORECAST_SAMPLES_MAX = 256, /* their back-tests are kept in memory while training */
    FORECAST_PERIODS_MAX = 4,
    FORECAST_STEPS_FACTOR = 4, /* a model forecasts so many horizons where nothing else is said */
};

#define FORECAST_LEVEL_MIN 0.01 /* of intervals */
#define FORECAST_LEVEL_MAX 0.999

/* A series to learn from; nothing is kept of it but copies. */
typedef struct ForecastInput {
    const char *id; /* no other one's; "" is allowed */
    const double *values;
    size_t count;
    int64_t last_ms; /* the time of the last value */
    /* Rows of known columns: one for each value, then future_count behind the last one. */
    const double *known;
    size_t future_count;
} ForecastInput;

typedef struct ForecastInputs {
    const ForecastInput *items;
    size_t count;        /* 1 to FORECAST_SERIES_MAX */
    size_t thread_count; /* that learn, at most; 0: 1 */
    KnownColumns known;  /* of all series; none: the inputs have no rows of them */
} ForecastInputs;

/* How far a training is, and what it has found so far. */
typedef struct ForecastProgress {
    const char *unit; /* "series" that are back-tested, or "learners" of the only one */
    size_t done, planned;
    Leaderboard so_far; /* mean MASE over the series that are done */
} ForecastProgress;

/* Called by one thread at a time, now and then. */
typedef struct ForecastListener {
    void (*call)(void *context, const ForecastProgress *progress);
    void *context;
} ForecastListener;

typedef struct ForecastSpec {
    Frequency frequency;
    size_t horizon;   /* steps that it is judged by, 1 to FORECAST_HORIZON_MAX */
    size_t steps_max; /* that can be asked for; 0: FORECAST_STEPS_FACTOR horizons */
    size_t periods[FORECAST_PERIODS_MAX]; /* the main one first */
    size_t period_count;
    size_t windows;        /* of a back-test, at most; 0: by backtest.h's rule */
    double budget_seconds; /* wall clock; 0: none. What was not tried by then is left out */
    size_t trials_max;     /* learners that each series is tried with, beside the baselines: those
                              that a budget comes to first; 0: all */
    ForecastListener listener;
    const atomic_bool
        *finish; /* or NULL: set by somebody else, it is as a budget that is used up */
} ForecastSpec;

/* What became of a series. */
typedef struct ForecastOutcome {
    const char *id, *choice; /* "ets", or "ets 0.6, dotm 0.4"; "" where it failed */
    size_t window_count;
    ForecastScore score; /* in its back-tests, each window by what the others choose */
    const char *failure; /* one sentence, or "" */
} ForecastOutcome;

typedef struct ForecastResult {
    ForecastModel *model;      /* owned by the caller: forecast_model_unload() */
    Leaderboard leaderboard;   /* score: mean MASE of the back-tests over the series */
    const char *rule;          /* "the mean of the best 5, weighed by 1 / error^2" */
    ForecastOutcome *outcomes; /* one for each input, in their order */
    size_t failed_count;
    size_t ended_after;   /* learners, where the limit of trials left others out; else 0 */
    size_t stopped_count; /* back-tests of a learner on a series that the budget left no time for */
    /* What the rule would have forecast in the back-tests of the sample, with intervals as the
     * model gives them: series by series, window by window. None where nothing was back-tested. */
    ForecastPoints tested;
} ForecastResult;

/* Fails when the spec or the known columns are not allowed, when two inputs have the same id, and
 * when every series fails.
 */
bool forecast_model_train(const ForecastInputs *inputs, const ForecastSpec *spec, Arena *arena,
                          ForecastResult *result, Error *error) MUST_CHECK;

/* The same choices, fitted on other values of the same series: newer ones as a rule, or those up to
 * a day that another model is to be compared at. Nothing is searched, and intervals keep what the
 * back-tests said. A series that the model has not, or whose choice cannot learn the values, fails;
 * all do where the inputs lack a known column that the model has.
 */
bool forecast_model_renew(const ForecastModel *model, const ForecastInputs *inputs, Arena *arena,
                          ForecastResult *result, Error *error) MUST_CHECK;

/* A series of a model. It lives as long as the model. */
typedef struct ForecastSeries {
    const char *id, *choice;
    const double *values;
    size_t count;
    int64_t last_ms;
    bool with_known; /* its forecast depends on the known columns */
} ForecastSeries;

size_t forecast_model_count(const ForecastModel *model);
ForecastSeries forecast_model_series(const ForecastModel *model, size_t index);
bool forecast_model_find(const ForecastModel *model, const char *id, size_t *index);
Frequency forecast_model_frequency(const ForecastModel *model);
size_t forecast_model_horizon(const ForecastModel *model);
size_t forecast_model_steps_max(const ForecastModel *model);
const KnownColumns *forecast_model_known(const ForecastModel *model);

typedef struct ForecastAsk {
    size_t series; /* its index */
    size_t steps;  /* 1 to steps_max */
    double level;  /* of the intervals, 0.01 to 0.999 */
    /* Rows of the model's known columns, one for each step; NaN, or NULL for all: as they came with
     * the series. */
    const double *known;
    bool may_miss_known; /* a value that is nowhere is taken as usual instead of failing */
} ForecastAsk;

typedef struct DatedForecast {
    size_t count;
    int64_t *times_ms;
    double *mean, *low, *high;
} DatedForecast;

/* Fails where a known column that the forecast depends on has no value at a step. */
bool forecast_model_predict(const ForecastModel *model, const ForecastAsk *ask, Arena *arena,
                            DatedForecast *forecast, Error *error) MUST_CHECK;

/* How much the known columns move a forecast: by step and column, what is forecast less what would
 * be if the column had its usual value there. */
typedef struct ForecastEffects {
    const double *rows;    /* steps x columns: the values that were taken; NaN: missing */
    const double *effects; /* steps x columns */
    const double *usual;   /* by column */
} ForecastEffects;

/* Of a series whose forecast depends on known columns. Fails as the prediction does. */
bool forecast_model_effects(const ForecastModel *model, const ForecastAsk *ask, Arena *arena,
                            ForecastEffects *effects, Error *error) MUST_CHECK;

/* The model's bytes; forecast_model_file.c describes them. */
void forecast_model_save(const ForecastModel *model, Arena *arena, const char **bytes,
                         size_t *size);

/* Everything is checked and copied: the bytes are needed no more. */
bool forecast_model_load(const char *bytes, size_t size, ForecastModel **model,
                         Error *error) MUST_CHECK;
bool forecast_model_is_file(const char *bytes, size_t size); /* by its first bytes */
void forecast_model_unload(ForecastModel **model);           /* for CLEANUP too */
