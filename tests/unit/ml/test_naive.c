/* Baselines and the season; what every learner does with bad series. */
#include <float.h>

#include "base/text.h"
#include "ml/forecast.h"
#include "ml/season.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

static Forecast forecast_of(const char *learner, const Series *series, size_t horizon, Arena *arena)
{
    SeriesModel model;
    Forecast forecast;
    Error error = {0};

    EXPECT_OK(series_fit(series_learner_find(learner), series, arena, &model, &error), error);
    EXPECT_OK(series_forecast(&model, horizon, arena, &forecast, &error), error);
    return forecast;
}

static void expect_mean(const char *learner, const Series *series, const double *expected)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forecast forecast = forecast_of(learner, series, 4, arena);

    for (size_t i = 0; i < 4; i++)
        EXPECT_NEAR(forecast.mean[i], expected[i], 1e-12);
}

static void test_baselines_repeat_average_and_drift(void)
{
    static const double values[] = {1, 5, 3, 2, 7, 4, 3};
    Series series = {values, 7, 3};

    expect_mean("naive", &series, (double[]){3, 3, 3, 3});
    expect_mean("seasonal_naive", &series, (double[]){7, 4, 3, 7});
    expect_mean("seasonal_mean", &series, (double[]){6, 3.5, 2, 6});
    expect_mean("drift", &series, (double[]){3 + 1 / 3.0, 3 + 2 / 3.0, 4, 3 + 4 / 3.0});
}

static void test_deviations_grow_as_the_book_says(void)
{
    static const double values[] = {1, 3, 2, 4};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {values, 4, 2};
    double step = sqrt((4 + 1 + 4) / 3.0);

    EXPECT_NEAR(forecast_of("naive", &series, 9, arena).deviation[8], step * 3, 1e-12);
    EXPECT_NEAR(forecast_of("seasonal_naive", &series, 3, arena).deviation[1], 1, 1e-12);
    EXPECT_NEAR(forecast_of("seasonal_naive", &series, 3, arena).deviation[2], sqrt(2), 1e-12);
    EXPECT_NEAR(forecast_of("seasonal_mean", &series, 1, arena).deviation[0], 0.5 * sqrt(1.5),
                1e-12);
    EXPECT_NEAR(forecast_of("drift", &series, 1, arena).deviation[0],
                sqrt((1 + 4 + 1) / 3.0) * sqrt(1 + 1 / 3.0), 1e-12);
}

/* R 4.2: decompose(AirPassengers, "multiplicative")$figure, and "additive". */
static void test_the_season_of_air_passengers_is_rs(void)
{
    static const double multiplicative[] = {
        0.91023036737220, 0.88362532069438, 1.00736628760355, 0.97590601232285,
        0.98137802749513, 1.11277582667927, 1.22655554293120, 1.21991096944562,
        1.06049193264682, 0.92175724041050, 0.80117808241347, 0.89882438998501,
    };
    static const double additive[] = {
        -24.748737373737, -36.188131313131, -2.241161616162,  -8.036616161616,
        -4.506313131313,  35.402777777778,  63.830808080808,  62.823232323232,
        16.520202020202,  -20.642676767677, -53.593434343434, -28.619949494949,
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};
    Season season = season_detect(&series, arena);

    EXPECT(season.kind == SEASON_MULTIPLICATIVE);
    for (size_t i = 0; i < 12; i++)
        EXPECT_NEAR(season.indices[i], multiplicative[i], 1e-11);
    season = season_decompose(&series, SEASON_ADDITIVE, arena);
    for (size_t i = 0; i < 12; i++)
        EXPECT_NEAR(season.indices[i], additive[i], 1e-11);
}

static void test_an_odd_period_is_averaged_evenly(void)
{
    static const double values[] = {1, 2, 6, 1, 2, 6, 1, 2, 6};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Season season = season_decompose(&(Series){values, 9, 3}, SEASON_ADDITIVE, arena);

    EXPECT_NEAR(season.indices[0], -2, 1e-12);
    EXPECT_NEAR(season.indices[1], -1, 1e-12);
    EXPECT_NEAR(season.indices[2], 3, 1e-12);
}

static void test_a_season_that_is_removed_comes_back(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double moved[PASSENGER_COUNT], adjusted[PASSENGER_COUNT];
    Series series = {moved, PASSENGER_COUNT, 12};
    Season season;

    for (size_t i = 0; i < PASSENGER_COUNT; i++)
        moved[i] = passengers[i] - 300;
    season = season_detect(&series, arena);
    EXPECT(season.kind == SEASON_ADDITIVE);
    season_remove(&season, &series, adjusted);
    for (size_t i = 0; i < PASSENGER_COUNT; i++)
        EXPECT_NEAR(season_restore(&season, i, adjusted[i]), moved[i], 1e-10);
}

static void test_what_does_not_repeat_has_no_season(void)
{
    double line[60], flat[60] = {0};

    for (size_t i = 0; i < 60; i++)
        line[i] = i % 7 == 0 ? 9 : (double)(i * i % 11);
    EXPECT(!season_is_significant(&(Series){line, 60, 5}));
    EXPECT(!season_is_significant(&(Series){flat, 60, 12}));
    EXPECT(!season_is_significant(&(Series){passengers, 35, 12}));
    EXPECT(season_is_significant(&(Series){passengers, 144, 12}));
    EXPECT(!season_is_significant(&(Series){passengers, 144, 1}));
}

static void expect_refused(const SeriesLearner *learner, const Series *series, const char *sentence)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SeriesModel model;
    Error error = {0};

    EXPECT(!series_fit(learner, series, arena, &model, &error));
    EXPECT_TEXT(error.message, arena_format(arena, "%s: %s", learner->name, sentence));
}

static void test_every_learner_refuses_what_is_no_series(void)
{
    double values[40] = {1, 2, 3, NAN}, huge[40] = {1, -INFINITY};

    for (const SeriesLearner *const *learner = series_learners; *learner; learner++) {
        expect_refused(*learner, &(Series){values, 40, 1},
                       "value 3 of the series is missing, but every value must be there");
        expect_refused(*learner, &(Series){huge, 40, 1},
                       "value 1 of the series is -inf, but at most 1e+100 is allowed");
        expect_refused(*learner, &(Series){values, 40, 0}, "a season has 1 to 10000 values, not 0");
    }
    expect_refused(series_learner_find("naive"), &(Series){values, 0, 1},
                   "the series has 0 values, but at least 1 are needed");
    expect_refused(series_learner_find("drift"), &(Series){values, 1, 1},
                   "the series has 1 value, but at least 2 are needed");
}

static void test_a_horizon_is_bounded(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SeriesModel model;
    Forecast forecast;
    Error error = {0};

    EXPECT(series_fit(series_learner_find("naive"), &(Series){passengers, 3, 1}, arena, &model,
                      &error));
    EXPECT(!series_forecast(&model, 0, arena, &forecast, &error));
    EXPECT_TEXT(error.message, "a forecast has 1 to 10000 steps, not 0");
    EXPECT(!series_forecast(&model, 10001, arena, &forecast, &error));
}

/* Series that are odd but right: nobody may crash, overflow or come back with no number. */
static void fill_odd(size_t kind, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double wave = (double)(i * 7 % 5) + (double)(i % 4);

        switch (kind) {
        case 0:
            values[i] = 5;
            break;
        case 1:
            values[i] = 0;
            break;
        case 2:
            values[i] = -wave - (double)i;
            break;
        case 3:
            values[i] = 1e100 * (wave - 3) / 10;
            break;
        case 4:
            values[i] = (double)i;
            break;
        case 5:
            values[i] = i == count / 2 ? 1 : 0;
            break;
        case 6:
            values[i] = 1e-100 * (wave + 1);
            break;
        case 7:
            values[i] = wave + (i > count / 2 ? 1e6 : 1);
            break;
        case 8:
            values[i] = DBL_MIN * wave;
            break;
        case 9:
            values[i] = exp((double)i);
            break;
        default:
            values[i] = wave * wave + 1;
            break;
        }
    }
}

static void expect_numbers(const SeriesLearner *learner, const Series *series, size_t kind)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SeriesModel model;
    Forecast forecast;
    Error error = {0};

    if (series->count < learner->least)
        return;
    EXPECT_OK(series_fit(learner, series, arena, &model, &error), error);
    EXPECT_OK(series_forecast(&model, 13, arena, &forecast, &error), error);
    for (size_t i = 0; i < 13; i++) {
        if (isfinite(forecast.mean[i]) && !(forecast.deviation[i] < 0) &&
            !isinf(forecast.deviation[i]))
            continue;
        fprintf(stderr, "%s, kind %zu, %zu values, period %zu: step %zu is %g +- %g\n",
                learner->name, kind, series->count, series->period, i, forecast.mean[i],
                forecast.deviation[i]);
        exit(1);
    }
}

static void test_odd_series_give_numbers(void)
{
    static const size_t counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 25, 60};
    static const size_t periods[] = {1, 2, 4, 7, 12, 24, 52};
    double values[60];

    for (size_t kind = 0; kind <= 10; kind++)
        for (size_t i = 0; i < COUNT(counts) * COUNT(periods); i++) {
            Series series = {values, counts[i / COUNT(periods)], periods[i % COUNT(periods)]};

            fill_odd(kind, values, series.count);
            for (const SeriesLearner *const *learner = series_learners; *learner; learner++)
                expect_numbers(*learner, &series, kind);
        }
}

static void test_same_rows_give_the_same_bytes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};

    for (const SeriesLearner *const *learner = series_learners; *learner; learner++) {
        Forecast one = forecast_of((*learner)->name, &series, 30, arena);
        Forecast two = forecast_of((*learner)->name, &series, 30, arena);

        EXPECT(memcmp(one.mean, two.mean, 30 * sizeof(double)) == 0);
        EXPECT(memcmp(one.deviation, two.deviation, 30 * sizeof(double)) == 0);
    }
}

static void test_learners_are_found_by_name(void)
{
    EXPECT(series_learner_find("naive2") != NULL);
    EXPECT(series_learner_find("Naive2") == NULL);
}

static void test_an_interval_leaves_out_evenly(void)
{
    double mean[] = {10}, deviation[] = {2}, low[1], high[1];

    forecast_interval(&(Forecast){1, mean, deviation}, 0.8, low, high);
    EXPECT_NEAR(low[0], 10 - 2 * 1.2815515655446004, 1e-12);
    EXPECT_NEAR(high[0], 10 + 2 * 1.2815515655446004, 1e-12);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_baselines_repeat_average_and_drift),
        TEST(test_deviations_grow_as_the_book_says),
        TEST(test_the_season_of_air_passengers_is_rs),
        TEST(test_an_odd_period_is_averaged_evenly),
        TEST(test_a_season_that_is_removed_comes_back),
        TEST(test_what_does_not_repeat_has_no_season),
        TEST(test_every_learner_refuses_what_is_no_series),
        TEST(test_a_horizon_is_bounded),
        TEST(test_odd_series_give_numbers),
        TEST(test_same_rows_give_the_same_bytes),
        TEST(test_learners_are_found_by_name),
        TEST(test_an_interval_leaves_out_evenly),
        {0},
    };
    return test_main(tests, count, names);
}
