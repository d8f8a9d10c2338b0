/* forecast_model_watch.h: the time of a training, and what it has to tell while it goes on.
 *
 * Within a budget each series has its share of the time that is left, with others side by side;
 * what it leaves goes to those after it. In it learners are tried by what they cost: the baselines,
 * which are always tried, then quick ones first. What is learnt from all series together comes
 * before all of them and has half of the time; when it would take longer, it is left out. A part of
 * the share is for fitting the choice on all values, and a part of the budget for who learns and
 * judges it again. A fit that has begun is finished. Without a budget, and within one that
 * suffices, nothing depends on any of this.
 */
#pragma once

#include <pthread.h>

#include "ml/forecast_model_internal.h"

typedef struct ForecastWatch {
    const ForecastSpec *spec;
    const KnownColumns *known;
    SeriesCandidates candidates;
    size_t series_count, thread_count;
    int64_t deadline_us; /* of all back-tests and fits; 0: none */
    size_t *order;       /* of candidates; the first kept_count are baselines */
    size_t kept_count;
    pthread_mutex_t lock;            /* guards what follows */
    size_t begun, done;              /* series that are back-tested */
    size_t rows_done;                /* learners of the only series */
    double *sums, *counts, *seconds; /* by candidate: of mase, and how many series have one */
    size_t *stopped;                 /* by candidate: series that it was not tried on to the end */
    int64_t told_us;
} ForecastWatch;

/* Takes out all but the baselines and so many others, by what they cost. Whether there were more.
 */
bool forecast_candidates_limit(SeriesCandidates *candidates, size_t trials_max);

/* The time begins. */
void forecast_watch_begin(ForecastWatch *watch, const ForecastSpec *spec,
                          const ForecastInputs *inputs);

/* By when what is learnt from all series together must be there; 0: there is no budget. */
int64_t forecast_watch_shared_deadline(const ForecastWatch *watch);

/* Before the first back-test. What is in scratch must live as long as the watch. */
void forecast_watch_candidates(ForecastWatch *watch, const SeriesCandidates *candidates,
                               Arena *scratch);
void forecast_watch_end(ForecastWatch *watch);

/* Of the next series, with so many windows. */
BacktestLimits forecast_watch_limits(ForecastWatch *watch, size_t window_count);

/* A series was back-tested; NULL: it cannot be. */
void forecast_watch_tested(ForecastWatch *watch, const Backtest *backtest);
