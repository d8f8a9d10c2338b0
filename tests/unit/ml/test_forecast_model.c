#include "ml/forecast_model.h"

#include "base/text.h"
#include "base/time.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { LEARNT = 132, SERIES = 5 };

static const ForecastSpec months = {
    .frequency = {0, 1, 31}, .horizon = 12, .periods = {12}, .period_count = 1};

static const int64_t december_1959 = -315705600000; /* 1959-12-31 */

static double waves[120], flat[40], damaged[40];

/* One with a season, one short, one that never changes, one that cannot be learnt, one of two
 * values. */
static const ForecastInput *make_inputs(void)
{
    static const ForecastInput inputs[SERIES] = {
        {"passengers", passengers, LEARNT, december_1959},
        {"waves", waves, COUNT(waves), december_1959},
        {"damaged", damaged, COUNT(damaged), december_1959},
        {"flat", flat, COUNT(flat), december_1959},
        {"two", passengers, 2, december_1959},
    };

    for (size_t i = 0; i < COUNT(waves); i++)
        waves[i] = -3 + sin((double)i * 2 * M_PI / 12) + (double)(i * 7919 % 13) / 20;
    for (size_t i = 0; i < COUNT(flat); i++)
        flat[i] = damaged[i] = 7;
    damaged[5] = NAN;
    return inputs;
}

static ForecastResult train(const ForecastInput *inputs, size_t count, size_t thread_count,
                            Arena *arena)
{
    ForecastSpec spec = months;
    ForecastResult result = {0};
    Error error = {0};

    EXPECT_OK(forecast_model_train(&(ForecastInputs){inputs, count, thread_count}, &spec, arena,
                                   &result, &error),
              error);
    return result;
}

static DatedForecast predict(const ForecastModel *model, const char *id, size_t steps, double level,
                             Arena *arena)
{
    DatedForecast forecast = {0};
    size_t index = 0;
    Error error = {0};

    EXPECT(forecast_model_find(model, id, &index));
    EXPECT_OK(forecast_model_predict(model, &(ForecastAsk){index, steps, level}, arena, &forecast,
                                     &error),
              error);
    return forecast;
}

/* Holt-Winters, additive, of statsmodels has an RMSE of 15.7 on this year, the seasonal naive
 * 50.7, Theta 30.7. */
static void test_passengers_are_forecast_with_dates_and_intervals(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result = train(make_inputs(), 1, 2, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    DatedForecast forecast = predict(model, "passengers", 12, 0.95, arena);
    DatedForecast narrow = predict(model, "passengers", 12, 0.8, arena);
    double squares = 0;
    char text[TIME_TEXT_SIZE];

    EXPECT_TEXT(time_format(forecast.times_ms[0], text), "1960-01-31T00:00:00.000Z");
    EXPECT_TEXT(time_format(forecast.times_ms[1], text), "1960-02-29T00:00:00.000Z");
    for (size_t i = 0; i < 12; i++) {
        double error = passengers[LEARNT + i] - forecast.mean[i];

        squares += error * error;
        EXPECT(forecast.low[i] < narrow.low[i] && narrow.low[i] < forecast.mean[i]);
        EXPECT(forecast.high[i] > narrow.high[i] && narrow.high[i] > forecast.mean[i]);
    }
    EXPECT(sqrt(squares / 12) < 30);
    EXPECT(result.outcomes[0].window_count == 5 && result.outcomes[0].score.mase < 1.3);
}

static void test_one_failing_series_is_said_and_stops_nothing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result = train(make_inputs(), SERIES, 2, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    DatedForecast forecast = predict(model, "flat", 3, 0.9, arena);
    size_t index;

    EXPECT(result.failed_count == 1 && forecast_model_count(model) == SERIES - 1);
    EXPECT_TEXT(result.outcomes[2].failure,
                "value 5 of the series is missing, but every value must be there");
    EXPECT_TEXT(result.outcomes[2].choice, "");
    EXPECT(!forecast_model_find(model, "damaged", &index));
    EXPECT_NEAR(forecast.mean[2], 7, 1e-6);
    EXPECT_NEAR(forecast.high[2], 7, 1e-6);
    forecast = predict(model, "two", 48, 0.9, arena);
    EXPECT(isfinite(forecast.mean[47]) && result.outcomes[4].window_count == 0);
    EXPECT(result.outcomes[1].failure[0] == '\0' && result.outcomes[1].choice[0] != '\0');
}

static void test_any_number_of_threads_gives_the_same_bytes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult one = train(make_inputs(), SERIES, 1, arena);
    ForecastResult three = train(make_inputs(), SERIES, 3, arena);
    CLEANUP(forecast_model_unload) ForecastModel *first = one.model;
    CLEANUP(forecast_model_unload) ForecastModel *second = three.model;
    const char *bytes, *other;
    size_t size, other_size;

    forecast_model_save(first, arena, &bytes, &size);
    forecast_model_save(second, arena, &other, &other_size);
    EXPECT(size == other_size && memcmp(bytes, other, size) == 0);
    EXPECT(one.leaderboard.count == three.leaderboard.count);
    for (size_t i = 0; i < one.leaderboard.count; i++) {
        EXPECT_TEXT(three.leaderboard.items[i].name, one.leaderboard.items[i].name);
        EXPECT_TEXT(three.leaderboard.items[i].note, one.leaderboard.items[i].note);
    }
}

typedef struct Heard {
    size_t calls, done, planned;
    bool is_series, has_naive;
} Heard;

static void hear(void *context, const ForecastProgress *progress)
{
    Heard *heard = context;

    heard->calls++;
    heard->done = progress->done;
    heard->planned = progress->planned;
    heard->is_series = strcmp(progress->unit, "series") == 0;
    for (size_t i = 0; i < progress->so_far.count; i++)
        heard->has_naive =
            heard->has_naive || (strcmp(progress->so_far.items[i].name, "naive") == 0 &&
                                 progress->so_far.items[i].score > 0);
}

static ForecastResult train_within(double seconds, size_t count, Heard *heard, Arena *arena)
{
    ForecastSpec spec = months;
    ForecastResult result = {0};
    Error error = {0};

    spec.budget_seconds = seconds;
    spec.listener = (ForecastListener){hear, heard};
    EXPECT_OK(forecast_model_train(&(ForecastInputs){make_inputs(), count, 2}, &spec, arena,
                                   &result, &error),
              error);
    return result;
}

static void test_a_budget_that_suffices_gives_the_same_bytes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Heard heard = {0};
    ForecastResult one = train(make_inputs(), SERIES, 1, arena);
    ForecastResult other = train_within(1e6, SERIES, &heard, arena);
    CLEANUP(forecast_model_unload) ForecastModel *first = one.model;
    CLEANUP(forecast_model_unload) ForecastModel *second = other.model;
    const char *bytes, *others;
    size_t size, other_size;

    forecast_model_save(first, arena, &bytes, &size);
    forecast_model_save(second, arena, &others, &other_size);
    EXPECT(size == other_size && memcmp(bytes, others, size) == 0);
    EXPECT(other.stopped_count == 0 && one.leaderboard.count == other.leaderboard.count);
    EXPECT(heard.calls > 0 && heard.done == SERIES && heard.planned == SERIES);
    EXPECT(heard.is_series && heard.has_naive);
}

/* There is always a model: the baselines are tried whatever the time is. */
static void test_a_budget_that_is_used_up_leaves_the_costly_learners_out(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Heard heard = {0};
    ForecastResult result = train_within(1e-6, 1, &heard, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;

    EXPECT(result.stopped_count > 0 && result.failed_count == 0);
    for (size_t i = 0; i < result.leaderboard.count; i++) {
        const LeaderboardRow *row = &result.leaderboard.items[i];

        if (row->is_baseline || row->chosen)
            EXPECT(isfinite(row->score));
        else
            EXPECT_TEXT(row->note, "stopped: the time budget is used up");
    }
    EXPECT(forecast_model_count(model) == 1 && !heard.is_series);
    EXPECT(heard.done == heard.planned && heard.planned == result.leaderboard.count - 1);
}

/* Those that a budget comes to first, however many series there are. */
static void test_a_limit_of_trials_leaves_the_baselines_and_the_quickest_learners(void)
{
    static const size_t counts[] = {1, 2};

    for (size_t at = 0; at < COUNT(counts); at++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
        ForecastSpec spec = months;
        ForecastResult result = {0};
        Error error = {0};
        size_t learnt = 0, baselines = 0;

        spec.trials_max = 2;
        EXPECT_OK(forecast_model_train(&(ForecastInputs){make_inputs(), counts[at], 2}, &spec,
                                       arena, &result, &error),
                  error);
        model = result.model;
        for (size_t i = 0; i < result.leaderboard.count; i++) {
            const LeaderboardRow *row = &result.leaderboard.items[i];

            baselines += row->is_baseline;
            if (row->is_baseline || row->chosen)
                continue;
            EXPECT(strcmp(row->name, "theta") == 0 || strcmp(row->name, "dotm") == 0);
            learnt++;
        }
        EXPECT(learnt == 2 && baselines >= 4 && result.ended_after == 2);
    }
}

static void test_a_limit_of_trials_that_suffices_gives_the_same_bytes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(forecast_model_unload) ForecastModel *first = train(make_inputs(), 2, 1, arena).model;
    CLEANUP(forecast_model_unload) ForecastModel *second = NULL;
    ForecastSpec spec = months;
    ForecastResult result = {0};
    const char *bytes, *others;
    size_t size, other_size;
    Error error = {0};

    spec.trials_max = TRIALS_MAX;
    EXPECT_OK(
        forecast_model_train(&(ForecastInputs){make_inputs(), 2, 2}, &spec, arena, &result, &error),
        error);
    second = result.model;
    EXPECT(result.ended_after == 0);
    forecast_model_save(first, arena, &bytes, &size);
    forecast_model_save(second, arena, &others, &other_size);
    EXPECT(size == other_size && memcmp(bytes, others, size) == 0);
}

static void test_what_was_tested_has_points_for_figures_by_the_step(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result = train(make_inputs(), 2, 2, arena);
    const ForecastPoints *tested = &result.tested;
    size_t windows = result.outcomes[0].window_count + result.outcomes[1].window_count;
    double misses = 0;

    EXPECT(windows > 0 && tested->count == windows * 12);
    for (size_t i = 0; i < result.outcomes[0].window_count * 12; i++) {
        misses += fabs(tested->truth[i] - tested->mean[i]);
        EXPECT(tested->low[i] < tested->mean[i] && tested->mean[i] < tested->high[i]);
    }
    misses /= (double)(result.outcomes[0].window_count * 12);
    EXPECT_NEAR(misses, result.outcomes[0].score.mae, 1e-9 * misses);
    EXPECT_NEAR(misses / tested->scales[0], result.outcomes[0].score.mase, 1e-9);
    forecast_model_unload(&result.model);
}

static void test_a_model_that_was_saved_answers_as_it_did(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result = train(make_inputs(), SERIES, 2, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    CLEANUP(forecast_model_unload) ForecastModel *loaded = NULL;
    const char *bytes, *again;
    size_t size, again_size;
    Error error = {0};

    forecast_model_save(model, arena, &bytes, &size);
    EXPECT(forecast_model_is_file(bytes, size));
    EXPECT_OK(forecast_model_load(bytes, size, &loaded, &error), error);
    forecast_model_save(loaded, arena, &again, &again_size);
    EXPECT(size == again_size && memcmp(bytes, again, size) == 0);
    EXPECT(forecast_model_count(loaded) == SERIES - 1 && forecast_model_horizon(loaded) == 12);
    EXPECT(forecast_model_steps_max(loaded) == 48);
    EXPECT(forecast_model_frequency(loaded).months == 1);
    for (size_t i = 0; i < SERIES - 1; i++) {
        ForecastSeries series = forecast_model_series(loaded, i);
        DatedForecast one = predict(model, series.id, 48, 0.9, arena);
        DatedForecast two = predict(loaded, series.id, 48, 0.9, arena);

        EXPECT(memcmp(one.low, two.low, 48 * sizeof(double)) == 0);
        EXPECT(memcmp(one.high, two.high, 48 * sizeof(double)) == 0);
        EXPECT(memcmp(one.times_ms, two.times_ms, 48 * sizeof(int64_t)) == 0);
        EXPECT_TEXT(series.choice, forecast_model_series(model, i).choice);
    }
}

/* The choice of eleven years, made of ten: as if it had been trained then, but for the search. */
static void test_a_model_is_renewed_with_newer_values(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const ForecastInput *inputs = make_inputs();
    const ForecastInput newer[] = {
        {"passengers", passengers, PASSENGER_COUNT, december_1959 + 366 * FREQUENCY_DAY_MS},
        {"unknown", flat, COUNT(flat), december_1959},
        {"flat", damaged, COUNT(damaged), december_1959},
    };
    ForecastResult result = train(inputs, SERIES, 1, arena), renewed, same;
    DatedForecast one, two;
    char text[TIME_TEXT_SIZE];
    Error error = {0};

    EXPECT_OK(
        forecast_model_renew(result.model, &(ForecastInputs){newer, 3, 2}, arena, &renewed, &error),
        error);
    EXPECT_OK(
        forecast_model_renew(result.model, &(ForecastInputs){inputs, 2, 1}, arena, &same, &error),
        error);
    one = predict(result.model, "passengers", 48, 0.9, arena);
    two = predict(same.model, "passengers", 48, 0.9, arena);
    EXPECT(memcmp(one.low, two.low, 48 * sizeof(double)) == 0);
    forecast_model_unload(&result.model);
    forecast_model_unload(&same.model);
    EXPECT(renewed.failed_count == 2 && forecast_model_count(renewed.model) == 1);
    EXPECT_TEXT(renewed.outcomes[1].failure, "the model has no series of that id");
    EXPECT_TEXT(renewed.outcomes[2].failure,
                "value 5 of the series is missing, but every value must be there");
    EXPECT_TEXT(renewed.outcomes[0].choice, forecast_model_series(renewed.model, 0).choice);
    two = predict(renewed.model, "passengers", 12, 0.9, arena);
    EXPECT_TEXT(time_format(two.times_ms[11], text), "1961-12-31T00:00:00.000Z");
    EXPECT(two.mean[6] > one.mean[6]); /* July 1961 and 1960 */
    forecast_model_unload(&renewed.model);
}

static void test_any_byte_may_be_wrong(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastSpec spec = months;
    ForecastResult result = {0};
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
    const char *bytes;
    size_t size;
    char *copy;
    Error error = {0};

    spec.horizon = spec.steps_max = 2;
    EXPECT_OK(forecast_model_train(&(ForecastInputs){make_inputs() + 3, 2, 1}, &spec, arena,
                                   &result, &error),
              error);
    model = result.model;
    forecast_model_save(model, arena, &bytes, &size);
    copy = arena_copy(arena, bytes, size);
    for (size_t at = 0; at < size; at++) {
        CLEANUP(forecast_model_unload) ForecastModel *other = NULL;
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        DatedForecast forecast;

        copy[at] = (char)0xff;
        if (forecast_model_load(copy, size, &other, &error) &&
            forecast_model_predict(other, &(ForecastAsk){0, 1, 0.9}, scratch, &forecast, &error))
            EXPECT(forecast.low[0] <= forecast.high[0]);
        copy[at] = bytes[at];
        EXPECT(!forecast_model_load(bytes, at, &other, &error) || at == size);
    }
}

static void test_what_is_asked_wrongly_gets_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result = train(make_inputs(), 1, 1, arena);
    CLEANUP(forecast_model_unload) ForecastModel *model = result.model;
    DatedForecast forecast;
    Error error = {0};

    EXPECT(!forecast_model_predict(model, &(ForecastAsk){0, 49, 0.9}, arena, &forecast, &error));
    EXPECT_TEXT(error.message, "this model forecasts 1 to 48 steps, not 49");
    EXPECT(!forecast_model_predict(model, &(ForecastAsk){0, 0, 0.9}, arena, &forecast, &error));
    EXPECT(!forecast_model_predict(model, &(ForecastAsk){1, 1, 0.9}, arena, &forecast, &error));
    EXPECT_TEXT(error.message, "the model has 1 series, there is no number 1");
    EXPECT(!forecast_model_predict(model, &(ForecastAsk){0, 1, 1}, arena, &forecast, &error));
    EXPECT_TEXT(error.message, "the level of an interval is 0.01 to 0.999, not 1");
    EXPECT(!forecast_model_predict(model, &(ForecastAsk){0, 1, NAN}, arena, &forecast, &error));
}

static void expect_refused(const ForecastInput *inputs, size_t count, ForecastSpec spec,
                           const char *sentence)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result;
    Error error = {0};

    EXPECT(
        !forecast_model_train(&(ForecastInputs){inputs, count, 1}, &spec, arena, &result, &error));
    EXPECT_TEXT(error.message, sentence);
}

static void test_what_cannot_be_trained_gets_a_sentence(void)
{
    const ForecastInput *inputs = make_inputs();
    const ForecastInput twice[] = {inputs[0], inputs[1], inputs[0]};
    const ForecastInput nothing = {"none", passengers, 0, december_1959};
    ForecastSpec spec = months;

    expect_refused(twice, 3, spec, "two series have the id \"passengers\"");
    expect_refused(inputs + 2, 1, spec,
                   "no series can be forecast; \"damaged\": value 5 of the series is missing, but "
                   "every value must be there");
    expect_refused(&nothing, 1, spec,
                   "no series can be forecast; \"none\": the series has 0 values, but at least 1 "
                   "are needed");
    expect_refused(inputs, 0, spec, "a forecast model has 1 to 1048576 series, not 0");
    spec.horizon = 0;
    expect_refused(inputs, 1, spec, "a horizon has 1 to 10000 steps, not 0");
    spec = months;
    spec.periods[0] = 0;
    expect_refused(inputs, 1, spec, "seasons have 1 to 10000 values and rise, but one has 0");
    spec = months;
    spec.frequency.step_ms = 5;
    expect_refused(inputs, 1, spec, "a frequency is so many milliseconds or months");
}

static void test_the_leaderboard_has_baselines_first_and_marks_what_is_worse(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastResult result = train(make_inputs(), 1, 1, arena);
    bool has_seen_learner = false;
    size_t chosen = 0;
    double score = 0, baseline = INFINITY;

    for (size_t i = 0; i < result.leaderboard.count; i++)
        if (result.leaderboard.items[i].is_baseline)
            baseline = fmin(baseline, result.leaderboard.items[i].score);

    for (size_t i = 0; i < result.leaderboard.count; i++) {
        const LeaderboardRow *row = &result.leaderboard.items[i];

        EXPECT(!(row->is_baseline && has_seen_learner));
        if (!row->is_baseline && has_seen_learner)
            EXPECT(row->score >= score);
        has_seen_learner = has_seen_learner || !row->is_baseline;
        score = row->score;
        chosen += row->chosen;
        if (row->chosen)
            EXPECT_TEXT(row->name, "automatic");
        EXPECT(row->below_baseline == (!row->is_baseline && row->score > baseline));
        if (strcmp(row->name, "ets") == 0)
            EXPECT(!row->below_baseline);
    }
    forecast_model_unload(&result.model);
    EXPECT(chosen == 1 && has_seen_learner && result.rule[0] != '\0');
}

static void test_what_was_never_negative_is_not_forecast_so(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double falling[60];
    ForecastInput input = {"falling", falling, COUNT(falling), december_1959};
    ForecastResult result;
    DatedForecast forecast;

    for (size_t i = 0; i < COUNT(falling); i++)
        falling[i] = 60 - (double)i + (double)(i % 3) / 2;
    result = train(&input, 1, 1, arena);
    forecast = predict(result.model, "falling", 48, 0.95, arena);
    for (size_t i = 0; i < 48; i++)
        EXPECT(forecast.mean[i] >= 0 && forecast.low[i] >= 0 &&
               forecast.low[i] <= forecast.mean[i]);
    forecast_model_unload(&result.model);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_passengers_are_forecast_with_dates_and_intervals),
        TEST(test_one_failing_series_is_said_and_stops_nothing),
        TEST(test_any_number_of_threads_gives_the_same_bytes),
        TEST(test_a_budget_that_suffices_gives_the_same_bytes),
        TEST(test_a_budget_that_is_used_up_leaves_the_costly_learners_out),
        TEST(test_a_limit_of_trials_leaves_the_baselines_and_the_quickest_learners),
        TEST(test_a_limit_of_trials_that_suffices_gives_the_same_bytes),
        TEST(test_what_was_tested_has_points_for_figures_by_the_step),
        TEST(test_a_model_that_was_saved_answers_as_it_did),
        TEST(test_a_model_is_renewed_with_newer_values),
        TEST(test_any_byte_may_be_wrong),
        TEST(test_what_is_asked_wrongly_gets_a_sentence),
        TEST(test_what_cannot_be_trained_gets_a_sentence),
        TEST(test_the_leaderboard_has_baselines_first_and_marks_what_is_worse),
        TEST(test_what_was_never_negative_is_not_forecast_so),
        {0},
    };
    return test_main(tests, count, names);
}
