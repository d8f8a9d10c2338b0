#include "ml/backtest.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/flag.h"
#include "base/parallel.h"
#include "base/time.h"
#include "ml/known_effect.h"
#include "ml/naive.h"

static size_t seen_period(const SeriesLearner *learner, size_t period)
{
    return learner->period_max && period > learner->period_max ? 1 : period;
}

SeriesCandidates series_candidates(const size_t *periods, size_t period_count, Arena *arena)
{
    SeriesCandidates candidates = {0};

    for (const SeriesLearner *const *learner = series_learners; *learner; learner++)
        for (size_t i = 0; i < ((*learner)->knows_longer ? 1 : period_count); i++) {
            size_t period = seen_period(*learner, periods[i]);

            if (i == 0 || period == periods[i])
                *arena_push(arena, &candidates) =
                    (SeriesCandidate){*learner, period, periods + i + 1, period_count - i - 1};
        }
    return candidates;
}

SeriesCandidates series_candidates_with_known(const SeriesCandidates *candidates, Arena *arena)
{
    SeriesCandidates both = {0};

    for (size_t i = 0; i < candidates->count; i++)
        *arena_push(arena, &both) = candidates->items[i];
    for (size_t i = 0; i < candidates->count; i++) {
        SeriesCandidate candidate = candidates->items[i];

        candidate.with_known = true;
        if (!candidate.learner->is_baseline)
            *arena_push(arena, &both) = candidate;
    }
    return both;
}

Series series_candidate_view(const SeriesCandidate *candidate, const double *values, size_t count)
{
    return (Series){values, count, candidate->period, candidate->longer, candidate->longer_count};
}

const char *series_candidate_name(const SeriesCandidate *candidate, size_t main_period,
                                  Arena *arena)
{
    const SeriesLearner *learner = candidate->learner;

    if (candidate->period == seen_period(learner, main_period))
        return learner->name;
    if (candidate->period == 1)
        return arena_format(arena, "%s (no season)", learner->name);
    return arena_format(arena, "%s (season %zu)", learner->name, candidate->period);
}

size_t backtest_window_count(size_t count, size_t period, size_t horizon)
{
    size_t least = 2 * period > BACKTEST_LEARNT_MIN ? 2 * period : BACKTEST_LEARNT_MIN;
    size_t room = count > least ? (count - least) / horizon : 0;
    size_t wanted = count / horizon / 2;

    if (wanted < BACKTEST_WINDOWS_MIN)
        wanted = BACKTEST_WINDOWS_MIN;
    if (wanted > BACKTEST_WINDOWS_MAX)
        wanted = BACKTEST_WINDOWS_MAX;
    return wanted < room ? wanted : room;
}

bool series_candidate_forecast(const SeriesCandidate *candidate, const LagAsk *ask, Arena *arena,
                               Forecast *forecast, Error *error)
{
    Series view = series_candidate_view(candidate, ask->series.values, ask->series.count);
    SeriesModel model;

    if (candidate->shared)
        return lag_boost_forecast(candidate->shared, ask, arena, forecast, error);
    return series_fit(candidate->learner, &view, arena, &model, error) &&
           series_forecast(&model, ask->steps, arena, forecast, error);
}

/* How far a row is. */
typedef struct RowState {
    size_t begun, done; /* windows */
    double spent;       /* seconds of those that are done, by the clock on the wall */
    bool is_stopped;
} RowState;

/* What known columns do, as it is learnt before a window, by the first turn that asks for it. */
typedef struct WindowEffect {
    pthread_mutex_t lock; /* guards all until it is learnt */
    Arena *arena;         /* owns what is below; NULL: not learnt yet */
    KnownEffect effect;
    double *rest; /* the values before the window without it */
} WindowEffect;

/* What the turns share. Each writes into its own window of its own row, its own error and time. */
typedef struct Run {
    const Series *series;
    const BacktestSpec *spec;
    const BacktestLimits *limits;
    WindowEffect *effects; /* by window */
    Backtest *backtest;
    Error *errors; /* row by row, window by window; kind ERROR_NONE where all went well */
    double *seconds;
    pthread_mutex_t lock;
    RowState *states; /* by row; guarded by lock, as the next */
    Arena *arena;     /* of the back-test */
} Run;

static double thread_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double mean_error(const double *actual, const double *mean, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += fabs(actual[i] - mean[i]);
    return sum / (double)count;
}

static void keep_forecast(const Backtest *backtest, BacktestRow *row, size_t window,
                          const Forecast *forecast)
{
    size_t start = window * backtest->horizon, bytes = backtest->horizon * sizeof(double);

    memcpy(row->means + start, forecast->mean, bytes);
    memcpy(row->deviations + start, forecast->deviation, bytes);
    row->window_errors[window] =
        mean_error(backtest->actual + start, row->means + start, backtest->horizon);
}

static void keep_nothing(const Backtest *backtest, BacktestRow *row, size_t window)
{
    size_t start = window * backtest->horizon;

    for (size_t i = start; i < start + backtest->horizon; i++)
        row->means[i] = row->deviations[i] = NAN;
    row->window_errors[window] = NAN;
}

static size_t origin_of(const Run *run, size_t window)
{
    return (size_t)(run->backtest->actual - run->series->values) + window * run->backtest->horizon;
}

static KnownRows rows_of(const Run *run, size_t from, size_t count)
{
    const KnownRows *all = &run->spec->known;

    return (KnownRows){all->columns, all->values + from * all->columns->count, count};
}

/* With the window's lock held. */
static void learn_effect(const Run *run, size_t window)
{
    WindowEffect *effect = &run->effects[window];
    Series series = *run->series;
    KnownRows rows = rows_of(run, 0, origin_of(run, window));

    series.count = rows.count;
    effect->arena = arena_create();
    effect->rest = arena_array(effect->arena, double, rows.count);
    effect->effect = known_effect_learn(&series, &rows, effect->arena);
    known_effect_remove(&effect->effect, &rows, series.values, effect->rest);
}

static const WindowEffect *effect_of(const Run *run, size_t window)
{
    WindowEffect *effect = &run->effects[window];

    pthread_mutex_lock(&effect->lock);
    if (!effect->arena)
        learn_effect(run, window);
    pthread_mutex_unlock(&effect->lock);
    return effect;
}

static void add_effect(const Run *run, size_t window, Forecast *forecast)
{
    KnownRows rows = rows_of(run, origin_of(run, window), forecast->horizon);

    known_effect_add(&run->effects[window].effect, &rows, forecast);
}

/* A window of one candidate. */
typedef struct Turn {
    size_t row, place; /* its number, and how many are tried before it */
    size_t window;
} Turn;

static Turn find_turn(const Run *run, size_t number)
{
    size_t windows = run->backtest->window_count, place = number / windows;

    return (Turn){run->limits->order ? run->limits->order[place] : place, place, number % windows};
}

static void fit_window(const Run *run, const Turn *turn, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Backtest *backtest = run->backtest;
    BacktestRow *row = &backtest->rows[turn->row];
    bool with_known = row->candidate.with_known;
    size_t origin = origin_of(run, turn->window);
    const double *values = with_known ? effect_of(run, turn->window)->rest : run->series->values;
    LagAsk ask = {{values, origin, run->spec->behind + run->series->count - origin},
                  backtest->horizon};
    Forecast forecast;

    if (!series_candidate_forecast(&row->candidate, &ask, scratch, &forecast, error)) {
        keep_nothing(backtest, row, turn->window);
        return;
    }
    if (with_known)
        add_effect(run, turn->window, &forecast);
    keep_forecast(backtest, row, turn->window, &forecast);
}

/* Whether the rest of a row's windows, each as long as those so far, goes beyond the deadline. With
 * the lock held. */
static bool is_too_late(const Run *run, const RowState *state)
{
    size_t threads = run->spec->thread_count > 1 ? run->spec->thread_count : 1;
    size_t left = run->backtest->window_count - state->begun;
    double each = state->done > 0 ? state->spent / (double)state->done : 0;
    size_t rounds = (left + threads - 1) / threads;
    double rest_us = each * (double)rounds * 1e6;

    return (double)time_monotonic_us() + rest_us > (double)run->limits->deadline_us;
}

static bool may_begin(Run *run, const Turn *turn)
{
    RowState *state = &run->states[turn->row];
    const LagBoost *shared = run->backtest->rows[turn->row].candidate.shared;
    bool may;

    pthread_mutex_lock(&run->lock);
    state->is_stopped = state->is_stopped || (shared && lag_boost_is_stopped(shared));
    if (turn->place >= run->limits->kept && !state->is_stopped)
        state->is_stopped = flag_is_set(run->limits->finish) ||
                            (run->limits->deadline_us && is_too_late(run, state));
    may = !state->is_stopped;
    state->begun++;
    pthread_mutex_unlock(&run->lock);
    return may;
}

static void sum_up(const Run *run, size_t index, Arena *arena)
{
    Backtest *backtest = run->backtest;
    BacktestRow *row = &backtest->rows[index];
    size_t windows = backtest->window_count, steps = windows * backtest->horizon;
    double *actual = arena_array(arena, double, steps);
    const Forecast all = {steps, row->means, row->deviations};
    const Series learnt = {run->series->values, (size_t)(backtest->actual - run->series->values),
                           run->series->period};

    row->note = "";
    for (size_t window = 0; window < windows; window++) {
        size_t turn = index * windows + window;

        row->seconds += run->seconds[turn];
        if (run->errors[turn].kind == ERROR_NONE)
            continue;
        if (row->failed_count++ == 0)
            row->note = arena_text(arena, run->errors[turn].message);
    }
    for (size_t i = 0; i < steps; i++)
        actual[i] = isnan(row->means[i]) ? NAN : backtest->actual[i];
    row->score = forecast_score(actual, &all, BACKTEST_LEVEL, &learnt);
}

/* The thread that did a row's last window sums it up. */
static void end_turn(Run *run, const Turn *turn, double took)
{
    RowState *state = &run->states[turn->row];
    BacktestRow *row = &run->backtest->rows[turn->row];

    pthread_mutex_lock(&run->lock);
    state->spent += took;
    if (++state->done == run->backtest->window_count) {
        row->is_stopped = state->is_stopped;
        sum_up(run, turn->row, run->arena);
        if (run->limits->row_done)
            run->limits->row_done(run->limits->context, row, turn->row);
    }
    pthread_mutex_unlock(&run->lock);
}

static void run_turn(void *context, size_t number)
{
    Run *run = context;
    Turn turn = find_turn(run, number);
    size_t slot = turn.row * run->backtest->window_count + turn.window;
    int64_t began_us = time_monotonic_us();
    double started = thread_seconds();

    if (may_begin(run, &turn)) {
        fit_window(run, &turn, &run->errors[slot]);
    } else {
        keep_nothing(run->backtest, &run->backtest->rows[turn.row], turn.window);
        fail(&run->errors[slot], ERROR_CONFLICT, "stopped: the time budget is used up");
    }
    run->seconds[slot] = thread_seconds() - started;
    end_turn(run, &turn, (double)(time_monotonic_us() - began_us) / 1e6);
}

static void make_rows(Backtest *backtest, const SeriesCandidates *candidates, Arena *arena)
{
    size_t steps = backtest->window_count * backtest->horizon;

    backtest->row_count = candidates->count;
    backtest->rows = arena_array(arena, BacktestRow, candidates->count);
    for (size_t i = 0; i < candidates->count; i++)
        backtest->rows[i] = (BacktestRow){
            .candidate = candidates->items[i],
            .means = arena_array(arena, double, steps),
            .deviations = arena_array(arena, double, steps),
            .window_errors = arena_array(arena, double, backtest->window_count),
            .note = "",
        };
}

static void run_all(Run *run, size_t turns)
{
    size_t windows = run->backtest->window_count;

    for (size_t i = 0; i < windows; i++)
        pthread_mutex_init(&run->effects[i].lock, NULL);
    parallel_run(turns, run->spec->thread_count, run_turn, run);
    for (size_t i = 0; i < windows; i++) {
        pthread_mutex_destroy(&run->effects[i].lock);
        arena_destroy(run->effects[i].arena);
    }
    pthread_mutex_destroy(&run->lock);
}

Backtest backtest_run(const Series *series, const BacktestSpec *spec, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t windows = backtest_window_count(series->count, series->period, spec->horizon);
    Backtest backtest = {.horizon = spec->horizon, .window_count = windows};
    static const BacktestLimits none = {0};
    Run run = {.series = series,
               .spec = spec,
               .limits = spec->limits ? spec->limits : &none,
               .backtest = &backtest,
               .lock = PTHREAD_MUTEX_INITIALIZER,
               .arena = arena};
    size_t turns, first;

    if (spec->windows && windows > spec->windows)
        backtest.window_count = windows = spec->windows;
    first = series->count - windows * spec->horizon;
    backtest.actual = series->values + first;
    backtest.scale = seasonal_naive_scale(&(Series){series->values, first, series->period}, 1);
    make_rows(&backtest, &spec->candidates, arena);
    turns = windows * backtest.row_count;
    run.errors = arena_array(scratch, Error, turns);
    run.seconds = arena_array(scratch, double, turns);
    run.states = arena_array(scratch, RowState, backtest.row_count);
    run.effects = arena_array(scratch, WindowEffect, windows);
    run_all(&run, turns);
    return backtest;
}

void backtest_step_errors(const Backtest *backtest, const BacktestRow *row, double *errors)
{
    for (size_t step = 0; step < backtest->horizon; step++) {
        size_t count = 0;
        double sum = 0;

        for (size_t window = 0; window < backtest->window_count; window++) {
            size_t at = window * backtest->horizon + step;

            if (isnan(row->means[at]))
                continue;
            sum += fabs(backtest->actual[at] - row->means[at]);
            count++;
        }
        errors[step] = count > 0 ? sum / (double)count : NAN;
    }
}

double backtest_baseline(const Backtest *backtest)
{
    double best = NAN;

    for (size_t i = 0; i < backtest->row_count; i++) {
        const BacktestRow *row = &backtest->rows[i];

        if (row->candidate.learner == &naive_learner ||
            row->candidate.learner == &seasonal_naive_learner)
            best = fmin(best, row->score.mae);
    }
    return best;
}
