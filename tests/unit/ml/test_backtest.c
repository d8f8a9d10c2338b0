#include "ml/backtest.h"

#include "base/text.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

static const size_t periods[] = {12};

static Backtest test_passengers(size_t horizon, size_t thread_count, Arena *arena)
{
    Series series = {passengers, PASSENGER_COUNT, 12};
    BacktestSpec spec = {horizon, 0, series_candidates(periods, 1, arena), thread_count};

    return backtest_run(&series, &spec, arena);
}

static const BacktestRow *row_of(const Backtest *backtest, const char *learner)
{
    for (size_t i = 0; i < backtest->row_count; i++)
        if (strcmp(backtest->rows[i].candidate.learner->name, learner) == 0)
            return &backtest->rows[i];
    EXPECT(strcmp(learner, "no row of that name") == 0);
    return NULL;
}

static void test_windows_are_between_three_and_ten_where_they_fit(void)
{
    EXPECT(backtest_window_count(100, 1, 10) == 5);
    EXPECT(backtest_window_count(1000, 24, 10) == 10);
    EXPECT(backtest_window_count(50, 1, 10) == 3);
    EXPECT(backtest_window_count(30, 1, 10) == 2);
    EXPECT(backtest_window_count(30, 12, 10) == 0);
    EXPECT(backtest_window_count(0, 1, 1) == 0);
}

static void test_a_naive_forecast_repeats_the_value_before_each_window(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest backtest = test_passengers(12, 1, arena);
    const BacktestRow *row = row_of(&backtest, "naive");
    size_t first = PASSENGER_COUNT - 6 * 12;
    double sum = 0;

    EXPECT(backtest.window_count == 6);
    EXPECT(backtest.actual == passengers + first);
    for (size_t i = 0; i < 72; i++) {
        EXPECT_NEAR(row->means[i], passengers[first + i / 12 * 12 - 1], 0);
        sum += fabs(passengers[first + i] - row->means[i]);
        if (i % 12 == 11) {
            EXPECT_NEAR(row->window_errors[i / 12], sum / 12, 1e-9);
            sum = 0;
        }
    }
}

/* What comes after an origin is changed; nothing that was forecast before it does. */
static void test_no_window_sees_what_comes_after_its_origin(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest one = test_passengers(12, 1, arena), two;
    double other[PASSENGER_COUNT];
    Series series = {other, PASSENGER_COUNT, 12};
    BacktestSpec spec = {12, 0, series_candidates(periods, 1, arena), 1};

    memcpy(other, passengers, sizeof(other));
    for (size_t i = PASSENGER_COUNT - 36; i < PASSENGER_COUNT; i++)
        other[i] = 1e6 * (double)(i % 3);
    two = backtest_run(&series, &spec, arena);
    for (size_t i = 0; i < one.row_count; i++) {
        EXPECT(memcmp(one.rows[i].means, two.rows[i].means, 4 * 12 * sizeof(double)) == 0);
        EXPECT(memcmp(one.rows[i].means, two.rows[i].means, 5 * 12 * sizeof(double)) != 0);
    }
}

static void test_any_number_of_threads_gives_the_same_figures(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest one = test_passengers(12, 1, arena), three = test_passengers(12, 3, arena);

    for (size_t i = 0; i < one.row_count; i++) {
        EXPECT(memcmp(one.rows[i].means, three.rows[i].means, 72 * sizeof(double)) == 0);
        EXPECT(memcmp(one.rows[i].deviations, three.rows[i].deviations, 72 * sizeof(double)) == 0);
        EXPECT(memcmp(&one.rows[i].score, &three.rows[i].score, sizeof(ForecastScore)) == 0);
    }
}

static void test_the_scores_are_those_of_all_windows_together(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest backtest = test_passengers(12, 1, arena);
    const BacktestRow *row = row_of(&backtest, "dotm");
    double steps[12], mean = 0;

    for (size_t window = 0; window < 6; window++)
        mean += row->window_errors[window] / 6;
    EXPECT_NEAR(row->score.mae, mean, 1e-9);
    EXPECT_NEAR(row->score.mase, mean / backtest.scale, 1e-9);
    backtest_step_errors(&backtest, row, steps);
    for (size_t i = 0; i < 12; i++)
        mean -= steps[i] / 12;
    EXPECT_NEAR(mean, 0, 1e-9);
    EXPECT(row->score.mae < backtest_baseline(&backtest));
    EXPECT_NEAR(backtest_baseline(&backtest), row_of(&backtest, "seasonal_naive")->score.mae, 0);
}

/* Fails on what is longer than 120 values. */
static const void *fit_short(const Series *series, Arena *arena)
{
    double *value = arena_new(arena, double);

    *value = series->count > 120 ? INFINITY : 1;
    return value;
}

static void forecast_short(const void *model, Forecast *forecast, Arena *arena)
{
    (void)arena;
    for (size_t i = 0; i < forecast->horizon; i++)
        forecast->mean[i] = *(const double *)model;
}

static void test_a_learner_that_fails_on_a_window_is_reported(void)
{
    static const SeriesLearner failing = {
        .name = "failing", .least = 80, .fit = fit_short, .forecast = forecast_short};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};
    SeriesCandidate candidate = {&failing, 12, NULL, 0};
    BacktestSpec spec = {12, 0, {&candidate, 1}, 2};
    Backtest backtest = backtest_run(&series, &spec, arena);
    const BacktestRow *row = backtest.rows;

    /* origins 72, 84, 96, 108, 120 and 132: too short at first, not finite at last */
    EXPECT(row->failed_count == 2);
    EXPECT_TEXT(row->note, "failing: the series has 72 values, but at least 80 are needed");
    EXPECT(isnan(row->window_errors[0]) && isnan(row->means[71]));
    EXPECT(!isnan(row->window_errors[1]) && row->score.count == 48);
    EXPECT(isnan(backtest_baseline(&backtest)));
}

static void test_a_series_too_short_for_a_window_has_none(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, 20, 12};
    BacktestSpec spec = {12, 0, series_candidates(periods, 1, arena), 1};
    Backtest backtest = backtest_run(&series, &spec, arena);

    EXPECT(backtest.window_count == 0 && backtest.row_count > 0);
    EXPECT(backtest.rows[0].failed_count == 0);
}

static void test_a_learner_is_tried_with_each_season_that_it_sees(void)
{
    static const size_t two[] = {24, 168};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SeriesCandidates candidates = series_candidates(two, 2, arena);
    size_t naive = 0, dotm = 0, ets = 0;

    for (size_t i = 0; i < candidates.count; i++) {
        const char *name = candidates.items[i].learner->name;

        naive += strcmp(name, "naive") == 0;
        dotm += strcmp(name, "dotm") == 0;
        ets += strcmp(name, "ets") == 0;
    }
    EXPECT(naive == 1 && dotm == 2 && ets == 1);
    EXPECT_TEXT(series_candidate_name(&(SeriesCandidate){series_learner_find("dotm"), 168, NULL, 0},
                                      24, arena),
                "dotm (season 168)");
    EXPECT_TEXT(series_candidate_name(&(SeriesCandidate){series_learner_find("ets"), 1, NULL, 0},
                                      24, arena),
                "ets (no season)");
    EXPECT_TEXT(series_candidate_name(&(SeriesCandidate){series_learner_find("naive"), 1, NULL, 0},
                                      24, arena),
                "naive");
}

typedef struct Told {
    size_t count, stopped;
} Told;

static void take_row(void *context, const BacktestRow *row, size_t candidate)
{
    Told *told = context;

    (void)candidate;
    told->count++;
    told->stopped += row->is_stopped;
}

static void test_what_the_time_does_not_suffice_for_is_stopped_and_said(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};
    Told told = {0};
    BacktestLimits limits = {.kept = 2, .deadline_us = 1, .row_done = take_row, .context = &told};
    BacktestSpec spec = {12, 0, series_candidates(periods, 1, arena), 2, &limits};
    size_t order[32], count = spec.candidates.count;
    Backtest backtest;

    EXPECT(count <= COUNT(order));
    for (size_t i = 0; i < count; i++)
        order[i] = count - 1 - i;
    limits.order = order;
    backtest = backtest_run(&series, &spec, arena);
    for (size_t i = 0; i < count; i++) {
        const BacktestRow *row = &backtest.rows[i];

        EXPECT(row->is_stopped == (i < count - 2));
        if (!row->is_stopped)
            continue;
        EXPECT(row->failed_count == backtest.window_count && isnan(row->score.mase));
        EXPECT_TEXT(row->note, "stopped: the time budget is used up");
    }
    EXPECT(told.count == count && told.stopped == count - 2);
}

static void test_limits_that_suffice_change_no_figure(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};
    Backtest one = test_passengers(12, 1, arena), two;
    BacktestLimits limits = {.deadline_us = INT64_MAX};
    BacktestSpec spec = {12, 0, series_candidates(periods, 1, arena), 2, &limits};
    size_t order[32];

    for (size_t i = 0; i < spec.candidates.count && i < COUNT(order); i++)
        order[i] = spec.candidates.count - 1 - i;
    limits.order = order;
    two = backtest_run(&series, &spec, arena);
    for (size_t i = 0; i < one.row_count; i++) {
        size_t bytes = one.window_count * one.horizon * sizeof(double);

        EXPECT(memcmp(one.rows[i].means, two.rows[i].means, bytes) == 0);
        EXPECT(!two.rows[i].is_stopped);
        EXPECT_TEXT(two.rows[i].note, one.rows[i].note);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_windows_are_between_three_and_ten_where_they_fit),
        TEST(test_a_naive_forecast_repeats_the_value_before_each_window),
        TEST(test_no_window_sees_what_comes_after_its_origin),
        TEST(test_any_number_of_threads_gives_the_same_figures),
        TEST(test_the_scores_are_those_of_all_windows_together),
        TEST(test_a_learner_that_fails_on_a_window_is_reported),
        TEST(test_a_series_too_short_for_a_window_has_none),
        TEST(test_a_learner_is_tried_with_each_season_that_it_sees),
        TEST(test_what_the_time_does_not_suffice_for_is_stopped_and_said),
        TEST(test_limits_that_suffice_change_no_figure),
        {0},
    };
    return test_main(tests, count, names);
}
