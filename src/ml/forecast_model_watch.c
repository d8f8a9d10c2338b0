#include "ml/forecast_model_watch.h"

#include <math.h>
#include <string.h>

#include "base/time.h"

enum { TELL_US = 300000 }; /* between two times that something is told */

/* Of the budget, for who learns the choice again from all values, and judges it. */
static const double reserve_share = 0.2;

/* Of what is left, for what is learnt from all series before the first is back-tested. */
static const double shared_share = 0.5;

/* Quick ones first, by docs/results/forecast.md; others come behind. What is learnt from all series
 * has cost what it costs when it is asked for one. */
static const char *const by_cost[] = {"lag_boost",           "theta", "dotm", "mstl",
                                      "seasonal_regression", "ets",   "arima"};

/* ---- the order ---- */

static size_t rank_of(const SeriesCandidate *candidate)
{
    if (candidate->learner->is_baseline)
        return 0;
    for (size_t i = 0; i < COUNT(by_cost); i++)
        if (strcmp(by_cost[i], candidate->learner->name) == 0)
            return i + 1;
    return COUNT(by_cost) + 1;
}

static void find_order(ForecastWatch *watch, Arena *scratch)
{
    watch->order = arena_array(scratch, size_t, watch->candidates.count);
    for (size_t i = 0; i < watch->candidates.count; i++) {
        size_t rank = rank_of(&watch->candidates.items[i]), at = i;

        for (; at > 0 && rank_of(&watch->candidates.items[watch->order[at - 1]]) > rank; at--)
            watch->order[at] = watch->order[at - 1];
        watch->order[at] = i;
        watch->kept_count += rank == 0;
    }
}

/* How many that are no baselines come before it. */
static size_t place_of(const SeriesCandidates *candidates, size_t index)
{
    size_t rank = rank_of(&candidates->items[index]), place = 0;

    for (size_t i = 0; i < candidates->count; i++) {
        size_t other = rank_of(&candidates->items[i]);

        place += other > 0 && (other < rank || (other == rank && i < index));
    }
    return place;
}

bool forecast_candidates_limit(SeriesCandidates *candidates, size_t trials_max)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    bool *kept = arena_array(scratch, bool, candidates->count);
    size_t count = 0;

    for (size_t i = 0; i < candidates->count; i++)
        kept[i] = candidates->items[i].learner->is_baseline || place_of(candidates, i) < trials_max;
    for (size_t i = 0; i < candidates->count; i++)
        if (kept[i])
            candidates->items[count++] = candidates->items[i];
    if (count == candidates->count)
        return false;
    candidates->count = count;
    return true;
}

void forecast_watch_begin(ForecastWatch *watch, const ForecastSpec *spec,
                          const ForecastInputs *inputs)
{
    *watch = (ForecastWatch){.spec = spec,
                             .known = &inputs->known,
                             .series_count = inputs->count,
                             .thread_count = inputs->thread_count > 1 ? inputs->thread_count : 1};
    pthread_mutex_init(&watch->lock, NULL);
    if (spec->budget_seconds > 0)
        watch->deadline_us =
            time_monotonic_us() + (int64_t)(spec->budget_seconds * (1 - reserve_share) * 1e6) + 1;
}

int64_t forecast_watch_shared_deadline(const ForecastWatch *watch)
{
    int64_t now_us = time_monotonic_us();

    if (!watch->deadline_us)
        return 0;
    return now_us + (int64_t)((double)(watch->deadline_us - now_us) * shared_share);
}

void forecast_watch_candidates(ForecastWatch *watch, const SeriesCandidates *candidates,
                               Arena *scratch)
{
    watch->candidates = *candidates;
    watch->sums = arena_array(scratch, double, candidates->count);
    watch->counts = arena_array(scratch, double, candidates->count);
    watch->seconds = arena_array(scratch, double, candidates->count);
    watch->stopped = arena_array(scratch, size_t, candidates->count);
    for (size_t i = 0; i < candidates->count; i++)
        watch->seconds[i] = forecast_candidate_seconds(&candidates->items[i]);
    if (watch->deadline_us || watch->spec->finish)
        find_order(watch, scratch);
}

void forecast_watch_end(ForecastWatch *watch)
{
    pthread_mutex_destroy(&watch->lock);
}

/* ---- what is told ---- */

/* With the lock held, as all below. The rule is not known yet, so its row is not there. */
static Leaderboard board_so_far(const ForecastWatch *watch, Arena *arena)
{
    size_t count = watch->candidates.count;
    double *means = arena_array(arena, double, count);
    ForecastBoard board = {.candidates = watch->candidates.items,
                           .candidate_count = count,
                           .series_count = 1,
                           .main_period = watch->spec->periods[0],
                           .errors = means,
                           .seconds = watch->seconds,
                           .stopped = watch->stopped,
                           .known = known_columns_describe(watch->known, arena)};

    for (size_t i = 0; i < count; i++)
        means[i] = watch->counts[i] > 0 ? watch->sums[i] / watch->counts[i] : NAN;
    return forecast_leaderboard(&board, arena);
}

static void tell(ForecastWatch *watch, bool is_last)
{
    CLEANUP(arena_cleanup) Arena *arena = NULL;
    const ForecastListener *listener = &watch->spec->listener;
    int64_t now_us = time_monotonic_us();
    bool is_single = watch->series_count == 1;
    ForecastProgress progress;

    if (!listener->call || (!is_last && now_us < watch->told_us + TELL_US))
        return;
    arena = arena_create();
    watch->told_us = now_us;
    progress =
        (ForecastProgress){.unit = is_single ? "learners" : "series",
                           .done = is_single ? watch->rows_done : watch->done,
                           .planned = is_single ? watch->candidates.count : watch->series_count,
                           .so_far = board_so_far(watch, arena)};
    listener->call(listener->context, &progress);
}

static void add_row(ForecastWatch *watch, const BacktestRow *row, size_t candidate)
{
    watch->seconds[candidate] += row->seconds;
    watch->stopped[candidate] += row->is_stopped;
    if (row->failed_count > 0 || isnan(row->score.mase))
        return;
    watch->sums[candidate] += row->score.mase;
    watch->counts[candidate]++;
}

/* Of the only series, which has no other news. */
static void row_done(void *context, const BacktestRow *row, size_t candidate)
{
    ForecastWatch *watch = context;

    pthread_mutex_lock(&watch->lock);
    add_row(watch, row, candidate);
    watch->rows_done++;
    tell(watch, watch->rows_done == watch->candidates.count);
    pthread_mutex_unlock(&watch->lock);
}

void forecast_watch_tested(ForecastWatch *watch, const Backtest *backtest)
{
    pthread_mutex_lock(&watch->lock);
    if (watch->done < watch->series_count)
        watch->done++;
    if (watch->series_count > 1) {
        for (size_t i = 0; backtest && backtest->window_count > 0 && i < backtest->row_count; i++)
            add_row(watch, &backtest->rows[i], i);
        tell(watch, watch->done == watch->series_count);
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- the time ---- */

/* The clock on the wall until a series' back-tests must end: its share of what is left, less what
 * the fit on all values takes, which is about another window. */
static int64_t deadline_of(ForecastWatch *watch, size_t window_count)
{
    int64_t now_us = time_monotonic_us(), left_us = watch->deadline_us - now_us;
    size_t left = watch->series_count - watch->begun, at_once;
    double share;

    if (left_us <= 0)
        return now_us;
    left = left > 0 ? left : 1;
    at_once = watch->thread_count < left ? watch->thread_count : left;
    share = (double)left_us * (double)at_once / (double)left;
    return now_us + (int64_t)(share * (double)window_count / (double)(window_count + 1));
}

BacktestLimits forecast_watch_limits(ForecastWatch *watch, size_t window_count)
{
    BacktestLimits limits = {.order = watch->order,
                             .kept = watch->kept_count,
                             .finish = watch->spec->finish,
                             .context = watch};

    if (watch->series_count == 1)
        limits.row_done = row_done;
    pthread_mutex_lock(&watch->lock);
    if (watch->deadline_us)
        limits.deadline_us = deadline_of(watch, window_count);
    watch->begun++;
    pthread_mutex_unlock(&watch->lock);
    return limits;
}
