/* Training a forecast model: what is common to the series first, from a sample of them, then each
 * series by itself. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/parallel.h"
#include "ml/forecast_model_internal.h"

enum { DEFAULT_MEMBERS = 3 };

/* What is taken where there is no back-test at all: some learners together. */
static const CombinationRule untested_rule = {COMBINATION_MEDIAN, DEFAULT_MEMBERS, 0, 1};

typedef struct Sample {
    Arena *arena;
    size_t input;
    Backtest backtest; /* no rows where the series is not allowed */
} Sample;

typedef struct Training {
    const ForecastInput *inputs;
    const ForecastSpec *spec;
    size_t count;
    SeriesCandidates candidates;
    Sample *samples;
    size_t sample_count;
    Backtest *tested; /* of those samples that have windows */
    size_t tested_count;
    const double *common; /* combination.h; NULL without */
    const CombinationRule *rule;
    ForecastModel *model; /* its entries are the inputs' until the failed ones are taken out */
    double *means, *deviations; /* the paths of all entries */
    ForecastOutcome *outcomes;
    double *errors, *automatic; /* forecast_model_internal.h's board */
    Arena *arena;               /* of the result; guarded by lock while threads run */
    pthread_mutex_t lock;
    const char **notes;  /* by candidate; guarded by lock, as the next two */
    size_t *note_inputs; /* the first input that has the note, so that it is always the same one */
    double *seconds;
    size_t *chosen_by;
} Training;

static Series series_of(const Training *training, size_t input)
{
    return (Series){training->inputs[input].values, training->inputs[input].count,
                    training->spec->periods[0]};
}

static Backtest test_series(const Training *training, const Series *series, size_t thread_count,
                            Arena *arena)
{
    const BacktestSpec spec = {training->spec->horizon, training->spec->windows,
                               training->candidates, thread_count};

    return backtest_run(series, &spec, arena);
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
            test_series(training, &series, training->count == 1 ? training->spec->thread_count : 1,
                        sample->arena);
}

static void draw_samples(Training *training, Arena *scratch)
{
    size_t count = training->count < FORECAST_SAMPLES_MAX ? training->count : FORECAST_SAMPLES_MAX;

    training->samples = arena_array(scratch, Sample, count);
    training->sample_count = count;
    for (size_t i = 0; i < count; i++)
        training->samples[i] =
            (Sample){.arena = arena_create(), .input = i * training->count / count};
    parallel_run(count, training->spec->thread_count, test_sample, training);
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

/* What the rule would have missed; no windows where it can choose nothing. */
static Misses misses_of(const Backtest *backtest, const Forecast *made, Arena *arena)
{
    double *errors = arena_array(arena, double, made->horizon);

    for (size_t i = 0; i < made->horizon; i++)
        errors[i] = backtest->actual[i] - made->mean[i];
    return (Misses){made->horizon / backtest->horizon, errors, made->deviation};
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
            misses[count++] = misses_of(&training->tested[i], &made, scratch);
    training->model->table =
        interval_table_make(misses, count, training->spec->horizon, training->model->arena);
}

/* ---- each series ---- */

/* A series too short for back-tests is forecast by what is good for others, or by the learners that
 * learn. */
static void stand_untested(const Training *training, double *standings)
{
    for (size_t i = 0; i < training->candidates.count; i++) {
        const SeriesCandidate *candidate = &training->candidates.items[i];

        if (training->common)
            standings[i] = training->common[i];
        else
            standings[i] = candidate->learner->is_baseline ? 1 : 0;
    }
}

/* The last fit of a series: by what, from what, and what came out. */
typedef struct Fit {
    const Training *training;
    const ForecastInput *input;
    Arena *arena;
    Combination combination;
    Forecast forecast;
    size_t failed; /* the candidate that failed */
} Fit;

static bool fit_members(Fit *fit, Error *error)
{
    const Combination *combination = &fit->combination;
    size_t steps = fit->training->model->steps_max;
    Forecast members[COMBINATION_MAX];

    for (size_t i = 0; i < combination->count; i++) {
        const SeriesCandidate *candidate =
            &fit->training->candidates.items[combination->members[i]];
        Series series = series_candidate_view(candidate, fit->input->values, fit->input->count);
        SeriesModel model;

        fit->failed = combination->members[i];
        if (!series_fit(candidate->learner, &series, fit->arena, &model, error) ||
            !series_forecast(&model, steps, fit->arena, &members[i], error))
            return false;
    }
    fit->forecast = (Forecast){steps, arena_array(fit->arena, double, steps),
                               arena_array(fit->arena, double, steps)};
    combination_forecast(combination, members, &fit->forecast);
    return true;
}

/* A candidate that cannot learn all values falls out, and the choice is made again. */
static bool fit_choice(Fit *fit, const CombinationRule *rule, double *standings, Error *error)
{
    const Training *training = fit->training;

    while (combination_make(rule, standings, training->common, training->candidates.count,
                            &fit->combination)) {
        if (fit_members(fit, error))
            return true;
        standings[fit->failed] = NAN;
    }
    return false;
}

static void keep_notes(Training *training, size_t input, const Backtest *backtest)
{
    for (size_t i = 0; i < backtest->row_count; i++) {
        const BacktestRow *row = &backtest->rows[i];

        training->seconds[i] += row->seconds;
        if (row->failed_count == 0 || (training->notes[i][0] && training->note_inputs[i] < input))
            continue;
        training->notes[i] = arena_text(training->arena, row->note);
        training->note_inputs[i] = input;
    }
}

static void keep_entry(Training *training, size_t input, const Fit *fit)
{
    ForecastEntry *entry = &training->model->entries[input];
    const Combination *combination = &fit->combination;

    entry->kind = combination->kind;
    entry->member_count = combination->count;
    for (size_t i = 0; i < combination->count; i++) {
        const SeriesCandidate *candidate = &training->candidates.items[combination->members[i]];

        entry->members[i] =
            (EntryMember){candidate->learner->name, candidate->period, combination->weights[i]};
    }
    training->chosen_by[combination->members[0]]++;
}

static void keep_path(Training *training, size_t input, const Forecast *forecast, double spread)
{
    const ForecastInput *from = &training->inputs[input];
    size_t steps = training->model->steps_max;
    double *mean = training->means + input * steps;
    double *deviation = training->deviations + input * steps;
    bool is_nonnegative = true;

    for (size_t i = 0; i < from->count && is_nonnegative; i++)
        is_nonnegative = from->values[i] >= 0;
    for (size_t i = 0; i < steps; i++) {
        mean[i] = is_nonnegative ? fmax(forecast->mean[i], 0) : forecast->mean[i];
        deviation[i] = forecast->deviation[i] > 0 && isfinite(forecast->deviation[i])
                           ? forecast->deviation[i]
                           : spread;
    }
    training->model->entries[input].is_nonnegative = is_nonnegative;
}

/* What the back-tests of a series say besides its choice. */
static void keep_scores(Training *training, size_t input, const Backtest *backtest,
                        const Forecast *made)
{
    ForecastOutcome *outcome = &training->outcomes[input];
    Series series = series_of(training, input);
    double *errors = training->errors + input * training->candidates.count;

    series.count = (size_t)(backtest->actual - series.values);
    outcome->window_count = backtest->window_count;
    outcome->score = forecast_score(backtest->actual, made, BACKTEST_LEVEL, &series);
    training->automatic[input] = outcome->score.mase;
    for (size_t i = 0; i < backtest->row_count; i++)
        errors[i] = backtest->rows[i].failed_count == 0 ? backtest->rows[i].score.mase : NAN;
}

static bool learn_series(Training *training, size_t input, const Backtest *backtest, Arena *arena,
                         Error *error)
{
    double *standings = combination_standings(backtest, SIZE_MAX, arena), spread = 0;
    const CombinationRule *rule = training->rule;
    ForecastEntry *entry = &training->model->entries[input];
    Fit fit = {.training = training, .input = &training->inputs[input], .arena = arena};
    Forecast made;
    Misses misses = {0};

    if (combination_backtest(backtest, rule, training->common, arena, &made)) {
        misses = misses_of(backtest, &made, arena);
        spread = interval_spread(&misses, backtest->horizon);
        keep_scores(training, input, backtest, &made);
    } else {
        stand_untested(training, standings);
        rule = training->common ? rule : &untested_rule;
    }
    if (!fit_choice(&fit, rule, standings, error))
        return false;
    keep_path(training, input, &fit.forecast, spread);
    entry->scale = interval_scale(&training->model->table, &misses);
    pthread_mutex_lock(&training->lock);
    keep_entry(training, input, &fit);
    keep_notes(training, input, backtest);
    pthread_mutex_unlock(&training->lock);
    return true;
}

static bool check_input(const ForecastInput *input, const Series *series, Error *error)
{
    if (input->last_ms < FREQUENCY_TIME_MIN_MS || input->last_ms > FREQUENCY_TIME_MAX_MS)
        return fail(error, ERROR_INVALID, "the last time is not of the years 1 to 9999");
    return series_check(series, 1, error);
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
    Series series = series_of(training, input);
    const Backtest *kept = find_sample(training, input);
    Backtest own;
    Error error = {0};

    for (size_t i = 0; i < training->candidates.count; i++)
        training->errors[input * training->candidates.count + i] = NAN;
    training->automatic[input] = NAN;
    if (check_input(&training->inputs[input], &series, &error)) {
        if (!kept)
            own = test_series(training, &series, 1, arena);
        if (learn_series(training, input, kept ? kept : &own, arena, &error))
            return;
    }
    pthread_mutex_lock(&training->lock);
    training->outcomes[input].failure = arena_text(training->arena, error.message);
    pthread_mutex_unlock(&training->lock);
}

/* ---- the whole ---- */

static bool check_spec(const ForecastSpec *spec, size_t count, Error *error)
{
    if (count == 0 || count > FORECAST_SERIES_MAX)
        return fail(error, ERROR_INVALID, "a forecast model has 1 to %d series, not %zu",
                    FORECAST_SERIES_MAX, count);
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

static ForecastModel *create_model(const Training *training)
{
    Arena *arena = arena_create();
    ForecastModel *model = arena_new(arena, ForecastModel);

    *model = (ForecastModel){.arena = arena,
                             .frequency = training->spec->frequency,
                             .horizon = training->spec->horizon,
                             .steps_max = steps_of(training->spec),
                             .entries = arena_array(arena, ForecastEntry, training->count),
                             .count = training->count};
    for (size_t i = 0; i < training->count; i++) {
        const ForecastInput *input = &training->inputs[i];

        model->entries[i].id = arena_text(arena, input->id);
        model->entries[i].last_ms = input->last_ms;
    }
    return model;
}

static void prepare(Training *training, Arena *scratch)
{
    size_t candidates;

    training->candidates =
        series_candidates(training->spec->periods, training->spec->period_count, scratch);
    candidates = training->candidates.count;
    training->outcomes = arena_array(training->arena, ForecastOutcome, training->count);
    training->means = arena_array(scratch, double, training->count * training->model->steps_max);
    training->deviations =
        arena_array(scratch, double, training->count * training->model->steps_max);
    training->errors = arena_array(scratch, double, training->count *candidates);
    training->automatic = arena_array(scratch, double, training->count);
    training->notes = arena_array(scratch, const char *, candidates);
    training->note_inputs = arena_array(scratch, size_t, candidates);
    training->seconds = arena_array(scratch, double, candidates);
    training->chosen_by = arena_array(scratch, size_t, candidates);
    for (size_t i = 0; i < candidates; i++)
        training->notes[i] = "";
    for (size_t i = 0; i < training->count; i++)
        training->outcomes[i] = (ForecastOutcome){
            .id = arena_text(training->arena, training->inputs[i].id), .choice = "", .failure = ""};
}

/* Of what failed nothing is kept; of the others what threads must not allocate is added. */
static size_t keep_those_that_learnt(Training *training)
{
    ForecastModel *model = training->model;
    size_t kept = 0, bytes = model->steps_max * sizeof(double);

    for (size_t i = 0; i < training->count; i++) {
        const ForecastInput *input = &training->inputs[i];
        ForecastEntry *entry = &model->entries[kept];
        double *values, *mean, *deviation;

        if (training->outcomes[i].failure[0])
            continue;
        *entry = model->entries[i];
        values = arena_array(model->arena, double, input->count);
        mean = arena_array(model->arena, double, model->steps_max);
        deviation = arena_array(model->arena, double, model->steps_max);
        memcpy(values, input->values, input->count * sizeof(*values));
        memcpy(mean, training->means + i * model->steps_max, bytes);
        memcpy(deviation, training->deviations + i * model->steps_max, bytes);
        entry->values = values;
        entry->count = input->count;
        entry->mean = mean;
        entry->deviation = deviation;
        entry->choice = forecast_entry_describe(entry, model->arena);
        training->outcomes[i].choice = arena_text(training->arena, entry->choice);
        kept++;
    }
    model->count = kept;
    return training->count - kept;
}

static Leaderboard board_of(const Training *training)
{
    const ForecastBoard board = {training->candidates.items,
                                 training->candidates.count,
                                 training->count,
                                 training->spec->periods[0],
                                 training->errors,
                                 training->automatic,
                                 training->notes,
                                 training->seconds,
                                 training->rule,
                                 training->chosen_by};

    return forecast_leaderboard(&board, training->arena);
}

static void train(Training *training, Arena *scratch)
{
    draw_samples(training, scratch);
    training->common = combination_common(training->tested, training->tested_count, scratch);
    training->rule = combination_choose(training->tested, training->tested_count, training->common);
    find_table(training);
    parallel_run(training->count, training->spec->thread_count, learn_turn, training);
    destroy_samples(training);
}

bool forecast_model_train(const ForecastInputs *inputs, const ForecastSpec *spec, Arena *arena,
                          ForecastResult *result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
    Training training = {
        .inputs = inputs->items, .count = inputs->count, .spec = spec, .arena = arena};
    const char *twice = NULL;
    size_t failed;

    if (!check_spec(spec, inputs->count, error))
        return false;
    model = training.model = create_model(&training);
    if (!forecast_model_index(model, &twice))
        return fail(error, ERROR_INVALID, "two series have the id \"%.80s\"", twice);
    prepare(&training, scratch);
    pthread_mutex_init(&training.lock, NULL);
    train(&training, scratch);
    pthread_mutex_destroy(&training.lock);
    failed = keep_those_that_learnt(&training);
    if (model->count == 0)
        return fail(error, ERROR_INVALID, "no series can be forecast; \"%.80s\": %s",
                    inputs->items[0].id, training.outcomes[0].failure);
    if (!forecast_model_index(model, &twice))
        return fail(error, ERROR_INTERNAL, "two series have the id \"%.80s\"", twice);
    *result = (ForecastResult){.model = model,
                               .leaderboard = board_of(&training),
                               .rule = forecast_rule_describe(training.rule, arena),
                               .outcomes = training.outcomes,
                               .failed_count = failed};
    model = NULL;
    return true;
}
