/* Training a forecast model: what is common to the series first, from a sample of them, then each
 * series by itself. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/flag.h"
#include "base/parallel.h"
#include "ml/forecast_model_internal.h"
#include "ml/forecast_model_watch.h"

enum { DEFAULT_MEMBERS = 3 };

/* What is taken where there is no back-test at all: some learners together. */
static const CombinationRule untested_rule = {COMBINATION_MEDIAN, DEFAULT_MEMBERS, 0, 1};

typedef struct Sample {
    Arena *arena;
    size_t input;
    Backtest backtest; /* no rows where the series is not allowed */
} Sample;

typedef struct Training {
    const ForecastSpec *spec;
    size_t thread_count;
    SeriesCandidates candidates;
    bool is_limited; /* there were more of them */
    ForecastWatch watch;
    LagBoost *shared; /* candidates ask it; NULL where the series are too few */
    Sample *samples;
    size_t sample_count;
    Backtest *tested; /* of those samples that have windows */
    size_t tested_count;
    const double *common; /* combination.h; NULL without */
    const CombinationRule *rule;
    ForecastPoints points;      /* what it would have forecast in them */
    ForecastDraft draft;        /* its arenas guarded by lock while threads run */
    double *errors, *automatic; /* forecast_model_internal.h's board */
    pthread_mutex_t lock;
    const char **notes;  /* by candidate; guarded by lock, as the next two */
    size_t *note_inputs; /* the first input that has the note, so that it is always the same one */
    double *seconds;
    size_t *chosen_by;
} Training;

static Series series_of(const Training *training, size_t input)
{
    const ForecastSpec *spec = training->spec;

    return (Series){training->draft.inputs[input].values, training->draft.inputs[input].count,
                    spec->periods[0], spec->periods + 1, spec->period_count - 1};
}

static Backtest test_series(Training *training, size_t input, size_t thread_count, Arena *arena)
{
    const ForecastInput *from = &training->draft.inputs[input];
    Series series = series_of(training, input);
    size_t windows = backtest_window_count(series.count, series.period, training->spec->horizon);
    BacktestLimits limits = forecast_watch_limits(&training->watch, windows);
    const BacktestSpec spec = {.horizon = training->spec->horizon,
                               .windows = training->spec->windows,
                               .candidates = training->candidates,
                               .thread_count = thread_count,
                               .limits = &limits,
                               .behind = forecast_draft_behind(&training->draft, input),
                               .known = {&training->draft.model->known, from->known, from->count}};
    Backtest made = backtest_run(&series, &spec, arena);

    forecast_watch_tested(&training->watch, &made);
    return made;
}

/* ---- what is common ---- */

static void test_sample(void *context, size_t turn)
{
    Training *training = context;
    Sample *sample = &training->samples[turn];
    Series series = series_of(training, sample->input);
    Error error;

    /* A series alone has the threads for its windows. */
    if (series_check(&series, 1, &error))
        sample->backtest =
            test_series(training, sample->input,
                        training->draft.count == 1 ? training->thread_count : 1, sample->arena);
}

static void draw_samples(Training *training, Arena *scratch)
{
    size_t count =
        training->draft.count < FORECAST_SAMPLES_MAX ? training->draft.count : FORECAST_SAMPLES_MAX;

    training->samples = arena_array(scratch, Sample, count);
    training->sample_count = count;
    for (size_t i = 0; i < count; i++)
        training->samples[i] =
            (Sample){.arena = arena_create(), .input = i * training->draft.count / count};
    parallel_run(count, training->thread_count, test_sample, training);
    training->tested = arena_array(scratch, Backtest, count);
    for (size_t i = 0; i < count; i++)
        if (training->samples[i].backtest.window_count > 0)
            training->tested[training->tested_count++] = training->samples[i].backtest;
}

static void destroy_samples(Training *training)
{
    for (size_t i = 0; i < training->sample_count; i++)
        arena_destroy(training->samples[i].arena);
}

static void find_table(Training *training)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Misses *misses = arena_array(scratch, Misses, training->tested_count);
    size_t count = 0;
    Forecast made;

    for (size_t i = 0; i < training->tested_count; i++)
        if (combination_backtest(&training->tested[i], training->rule, training->common, scratch,
                                 &made))
            misses[count++] = forecast_misses(&training->tested[i], &made, scratch);
    training->draft.model->table =
        interval_table_make(misses, count, training->spec->horizon, training->draft.model->arena);
    training->points = forecast_sample_points(
        &(ForecastSample){training->tested, training->tested_count, training->rule,
                          training->common, &training->draft.model->table},
        training->draft.arena);
}

/* ---- each series ---- */

/* A series too short for back-tests is forecast by what is good for others, or by the learners that
 * learn, earlier ones in the table first. */
static void stand_untested(const Training *training, double *standings)
{
    for (size_t i = 0; i < training->candidates.count; i++) {
        const SeriesCandidate *candidate = &training->candidates.items[i];

        if (training->common)
            standings[i] = training->common[i];
        else
            standings[i] = (double)i + (candidate->learner->is_baseline ? 1e6 : 0);
        if (candidate->shared && !training->common)
            standings[i] = NAN; /* there is no telling whether it could be learnt */
    }
}

typedef struct Choice {
    const CombinationRule *rule;
    double *standings;
    Combination combination;
} Choice;

/* A candidate that cannot learn all values falls out, and the choice is made again. */
static bool fit_choice(const Training *training, size_t input, Choice *choice, ForecastFit *fit)
{
    SeriesCandidate members[COMBINATION_MAX];
    Combination *combination = &choice->combination;

    while (combination_make(choice->rule, choice->standings, training->common,
                            training->candidates.count, combination)) {
        for (size_t i = 0; i < combination->count; i++)
            members[i] = training->candidates.items[combination->members[i]];
        if (forecast_draft_fit(&training->draft, input, members, combination, fit))
            return true;
        choice->standings[combination->members[fit->failed]] = NAN;
    }
    return false;
}

static void keep_notes(Training *training, size_t input, const Backtest *backtest)
{
    for (size_t i = 0; i < backtest->row_count; i++) {
        const BacktestRow *row = &backtest->rows[i];

        training->seconds[i] += row->seconds;
        if (row->failed_count == 0 || row->is_stopped ||
            (training->notes[i][0] && training->note_inputs[i] < input))
            continue;
        training->notes[i] = arena_text(training->draft.arena, row->note);
        training->note_inputs[i] = input;
    }
}

static void keep_entry(Training *training, size_t input, const Combination *combination)
{
    ForecastEntry *entry = &training->draft.model->entries[input];

    entry->kind = combination->kind;
    entry->member_count = combination->count;
    for (size_t i = 0; i < combination->count; i++) {
        const SeriesCandidate *candidate = &training->candidates.items[combination->members[i]];

        entry->members[i] = (EntryMember){candidate->learner->name, candidate->period,
                                          combination->weights[i], candidate->with_known};
    }
    training->chosen_by[combination->members[0]]++;
}

static void keep_path(Training *training, size_t input, const Forecast *forecast, double spread)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *usual = arena_array(scratch, double, forecast->horizon);

    for (size_t i = 0; i < forecast->horizon; i++)
        usual[i] = spread;
    forecast_draft_keep(&training->draft, input, forecast, usual);
}

/* What the back-tests of a series say besides its choice. */
static void keep_scores(Training *training, size_t input, const Backtest *backtest,
                        const Forecast *made)
{
    ForecastOutcome *outcome = &training->draft.outcomes[input];
    Series series = series_of(training, input);
    double *errors = training->errors + input * training->candidates.count;

    series.count = (size_t)(backtest->actual - series.values);
    outcome->window_count = backtest->window_count;
    outcome->score = forecast_score(backtest->actual, made, BACKTEST_LEVEL, &series);
    training->automatic[input] = outcome->score.mase;
    for (size_t i = 0; i < backtest->row_count; i++)
        errors[i] = backtest->rows[i].failed_count == 0 ? backtest->rows[i].score.mase : NAN;
}

static bool learn_series(Training *training, size_t input, const Backtest *backtest,
                         ForecastFit *fit)
{
    Choice choice = {training->rule, combination_standings(backtest, SIZE_MAX, fit->arena), {0}};
    ForecastModel *model = training->draft.model;
    double spread = 0;
    Forecast made;
    Misses misses = {0};

    if (combination_backtest(backtest, choice.rule, training->common, fit->arena, &made)) {
        misses = forecast_misses(backtest, &made, fit->arena);
        spread = interval_spread(&misses, backtest->horizon);
        keep_scores(training, input, backtest, &made);
    } else {
        stand_untested(training, choice.standings);
        choice.rule = training->common ? choice.rule : &untested_rule;
    }
    if (!fit_choice(training, input, &choice, fit))
        return false;
    keep_path(training, input, &fit->forecast, spread);
    model->entries[input].scale = interval_scale(&model->table, &misses);
    pthread_mutex_lock(&training->lock);
    keep_entry(training, input, &choice.combination);
    forecast_draft_keep_known(&training->draft, input, fit, choice.combination.count);
    keep_notes(training, input, backtest);
    pthread_mutex_unlock(&training->lock);
    return true;
}

static const Backtest *find_sample(const Training *training, size_t input)
{
    for (size_t i = 0; i < training->sample_count; i++)
        if (training->samples[i].input == input && training->samples[i].backtest.row_count > 0)
            return &training->samples[i].backtest;
    return NULL;
}

static void learn_turn(void *context, size_t input)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Training *training = context;
    const Backtest *kept = find_sample(training, input);
    ForecastFit fit = {.arena = arena};
    Backtest own;

    for (size_t i = 0; i < training->candidates.count; i++)
        training->errors[input * training->candidates.count + i] = NAN;
    training->automatic[input] = NAN;
    if (forecast_input_check(&training->draft.inputs[input], &fit.error)) {
        if (!kept)
            own = test_series(training, input, 1, arena);
        if (learn_series(training, input, kept ? kept : &own, &fit))
            return;
    } else {
        forecast_watch_tested(&training->watch, NULL);
    }
    pthread_mutex_lock(&training->lock);
    training->draft.outcomes[input].failure = arena_text(training->draft.arena, fit.error.message);
    pthread_mutex_unlock(&training->lock);
}

/* ---- the whole ---- */

static bool check_spec(const ForecastSpec *spec, Error *error)
{
    if (spec->horizon == 0 || spec->horizon > FORECAST_HORIZON_MAX)
        return fail(error, ERROR_INVALID, "a horizon has 1 to %d steps, not %zu",
                    FORECAST_HORIZON_MAX, spec->horizon);
    if (spec->steps_max > FORECAST_HORIZON_MAX)
        return fail(error, ERROR_INVALID, "a forecast has 1 to %d steps, not %zu",
                    FORECAST_HORIZON_MAX, spec->steps_max);
    if (spec->period_count == 0 || spec->period_count > FORECAST_PERIODS_MAX)
        return fail(error, ERROR_INVALID, "a series has 1 to %d seasons, not %zu",
                    FORECAST_PERIODS_MAX, spec->period_count);
    for (size_t i = 0; i < spec->period_count; i++)
        if (spec->periods[i] <= (i > 0 ? spec->periods[i - 1] : 0) ||
            spec->periods[i] > SERIES_PERIOD_MAX)
            return fail(error, ERROR_INVALID,
                        "seasons have 1 to %d values and rise, but one has %zu", SERIES_PERIOD_MAX,
                        spec->periods[i]);
    return frequency_is_valid(&spec->frequency) ||
           fail(error, ERROR_INVALID, "a frequency is so many milliseconds or months");
}

static size_t steps_of(const ForecastSpec *spec)
{
    size_t steps = spec->steps_max ? spec->steps_max : spec->horizon * FORECAST_STEPS_FACTOR;

    if (steps < spec->horizon)
        return spec->horizon;
    return steps < FORECAST_HORIZON_MAX ? steps : FORECAST_HORIZON_MAX;
}

/* A candidate like the others from here on. */
static void add_shared(Training *training, Arena *scratch)
{
    const LagLearning learning = {.windows = training->spec->windows ? training->spec->windows
                                                                     : BACKTEST_WINDOWS_MAX,
                                  .thread_count = training->thread_count,
                                  .deadline_us = forecast_watch_shared_deadline(&training->watch),
                                  .finish = training->spec->finish};

    training->shared = forecast_draft_learn_shared(&training->draft, &learning);
    if (training->shared)
        *arena_push(scratch, &training->candidates) =
            (SeriesCandidate){.learner = &lag_boost_learner,
                              .period = training->spec->periods[0],
                              .shared = training->shared};
}

static void prepare(Training *training, const ForecastInputs *inputs, Arena *arena, Arena *scratch)
{
    const ForecastSpec *spec = training->spec;
    ForecastModel like = {.frequency = spec->frequency,
                          .horizon = spec->horizon,
                          .steps_max = steps_of(spec),
                          .period_count = spec->period_count,
                          .known = inputs->known};
    size_t candidates;

    forecast_watch_begin(&training->watch, spec, inputs);
    memcpy(like.periods, spec->periods, sizeof(like.periods));
    training->draft = forecast_draft_create(&like, inputs, arena, scratch);
    training->candidates = series_candidates(spec->periods, spec->period_count, scratch);
    add_shared(training, scratch);
    if (inputs->known.count > 0)
        training->candidates = series_candidates_with_known(&training->candidates, scratch);
    training->is_limited =
        spec->trials_max > 0 && forecast_candidates_limit(&training->candidates, spec->trials_max);
    candidates = training->candidates.count;
    training->errors = arena_array(scratch, double, inputs->count *candidates);
    training->automatic = arena_array(scratch, double, inputs->count);
    training->notes = arena_array(scratch, const char *, candidates);
    training->note_inputs = arena_array(scratch, size_t, candidates);
    training->seconds = arena_array(scratch, double, candidates);
    training->chosen_by = arena_array(scratch, size_t, candidates);
    forecast_watch_candidates(&training->watch, &training->candidates, scratch);
    for (size_t i = 0; i < candidates; i++)
        training->notes[i] = "";
    for (size_t i = 0; i < candidates; i++)
        training->seconds[i] = forecast_candidate_seconds(&training->candidates.items[i]);
}

static Leaderboard board_of(const Training *training)
{
    const ForecastBoard board = {
        .candidates = training->candidates.items,
        .candidate_count = training->candidates.count,
        .series_count = training->draft.count,
        .main_period = training->spec->periods[0],
        .errors = training->errors,
        .automatic = training->automatic,
        .notes = training->notes,
        .seconds = training->seconds,
        .rule = training->rule,
        .chosen_by = training->chosen_by,
        .stopped = training->watch.stopped,
        .known = known_columns_describe(&training->draft.model->known, training->draft.arena),
        .is_told = flag_is_set(training->spec->finish),
        .windows = training->draft.count == 1 ? training->draft.outcomes[0].window_count : 0,
    };

    return forecast_leaderboard(&board, training->draft.arena);
}

static size_t stopped_count_of(const Training *training)
{
    size_t count = 0;

    for (size_t i = 0; i < training->candidates.count; i++)
        count += training->watch.stopped[i];
    return count;
}

static void train(Training *training, Arena *scratch)
{
    draw_samples(training, scratch);
    training->common = combination_common(training->tested, training->tested_count, scratch);
    training->rule = combination_choose(training->tested, training->tested_count, training->common);
    find_table(training);
    parallel_run(training->draft.count, training->thread_count, learn_turn, training);
    destroy_samples(training);
    lag_boost_destroy(&training->shared);
}

bool forecast_model_train(const ForecastInputs *inputs, const ForecastSpec *spec, Arena *arena,
                          ForecastResult *result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
    Training training = {.spec = spec, .thread_count = inputs->thread_count};
    size_t failed;

    if (!check_spec(spec, error) || !forecast_inputs_check(inputs, error))
        return false;
    prepare(&training, inputs, arena, scratch);
    model = training.draft.model;
    pthread_mutex_init(&training.lock, NULL);
    train(&training, scratch);
    pthread_mutex_destroy(&training.lock);
    forecast_watch_end(&training.watch);
    if (!forecast_draft_finish(&training.draft, &failed, error))
        return false;
    *result = (ForecastResult){.model = model,
                               .leaderboard = board_of(&training),
                               .rule = forecast_rule_describe(training.rule, arena),
                               .outcomes = training.draft.outcomes,
                               .failed_count = failed,
                               .ended_after = training.is_limited ? spec->trials_max : 0,
                               .stopped_count = stopped_count_of(&training),
                               .tested = training.points};
    model = NULL;
    return true;
}
