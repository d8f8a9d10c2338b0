#include "ml/seasonal_regression.h"

#include <string.h>

#include "ml/random.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

static Forecast forecast_of(const Series *series, size_t horizon, Arena *arena)
{
    SeriesModel model;
    Forecast forecast;
    Error error = {0};

    EXPECT_OK(series_fit(&seasonal_regression_learner, series, arena, &model, &error), error);
    EXPECT_OK(series_forecast(&model, horizon, arena, &forecast, &error), error);
    return forecast;
}

/* Whatever their length, waves are linear recursions. */
static void test_waves_go_on_without_a_season_being_named(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[260];
    Forecast forecast;

    for (size_t t = 0; t < 260; t++)
        values[t] = sin((double)t / 3.1) + 0.5 * cos((double)t / 1.7);
    forecast = forecast_of(&(Series){values, 240, 1}, 20, arena);
    for (size_t step = 0; step < 20; step++)
        EXPECT_NEAR(forecast.mean[step], values[240 + step], 0.02);
}

/* Half of what the seasonal naive is off. */
static void test_the_airlines_last_year_is_forecast_well(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forecast forecast = forecast_of(&(Series){passengers, PASSENGER_COUNT - 12, 12}, 12, arena);
    double error = 0;

    for (size_t i = 0; i < 12; i++)
        error += fabs(forecast.mean[i] / passengers[PASSENGER_COUNT - 12 + i] - 1) / 12;
    EXPECT(error < 0.05);
}

static void fill_walk(double *values, size_t count)
{
    Random random = random_seeded(5);

    for (size_t t = 0; t < count; t++)
        values[t] = (t > 0 ? values[t - 1] : 0) + random_unit(&random) - 0.5;
}

static void test_of_a_walk_the_last_value_is_forecast_ever_less_surely(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[1000], spread = sqrt(1.0 / 12);
    Forecast forecast;

    fill_walk(values, 1000);
    forecast = forecast_of(&(Series){values, 1000, 1}, 16, arena);
    for (size_t step = 0; step < 16; step++) {
        double expected = spread * sqrt((double)(step + 1));

        EXPECT_NEAR(forecast.mean[step], values[999], expected);
        EXPECT_NEAR(log(forecast.deviation[step] / expected), 0, log(2));
    }
}

static void test_scaled_values_have_scaled_forecasts(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double small[PASSENGER_COUNT], large[PASSENGER_COUNT];
    Forecast one, two;

    for (size_t t = 0; t < PASSENGER_COUNT; t++) {
        small[t] = passengers[t] - 300;
        large[t] = small[t] * 1e90;
    }
    one = forecast_of(&(Series){small, PASSENGER_COUNT, 12}, 24, arena);
    two = forecast_of(&(Series){large, PASSENGER_COUNT, 12}, 24, arena);
    for (size_t step = 0; step < 24; step++) {
        EXPECT_NEAR(two.mean[step], one.mean[step] * 1e90, 1e84);
        EXPECT_NEAR(two.deviation[step], one.deviation[step] * 1e90, 1e84);
    }
}

/* A recursion that explodes on its way is held where the values were, give or take their range. */
static void test_ten_thousand_steps_stay_in_reach_of_the_values(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[80];
    Forecast forecast;

    for (size_t t = 0; t < 80; t++)
        values[t] = (t % 2 ? -1 : 1) * exp((double)t / 5);
    forecast = forecast_of(&(Series){values, 80, 1}, FORECAST_HORIZON_MAX, arena);
    for (size_t step = 0; step < FORECAST_HORIZON_MAX; step++) {
        EXPECT(fabs(forecast.mean[step]) <= 3.1 * exp(79 / 5.0));
        EXPECT(forecast.deviation[step] <= 6 * exp(79 / 5.0));
    }
}

static void test_of_long_series_the_end_is_learnt(void)
{
    enum { COUNT_ALL = 20000, COUNT_END = 16384 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *values = arena_array(arena, double, COUNT_ALL);
    Forecast one, two;

    fill_walk(values, COUNT_ALL);
    one = forecast_of(&(Series){values, COUNT_ALL, 7}, 10, arena);
    two = forecast_of(&(Series){values + COUNT_ALL - COUNT_END, COUNT_END, 7}, 10, arena);
    EXPECT(memcmp(one.mean, two.mean, 10 * sizeof(double)) == 0);
}

static void test_eleven_values_are_too_few(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SeriesModel model;
    Error error = {0};

    EXPECT(!series_fit(&seasonal_regression_learner, &(Series){passengers, 11, 1}, arena, &model,
                       &error));
    EXPECT_TEXT(error.message,
                "seasonal_regression: the series has 11 values, but at least 12 are needed");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_waves_go_on_without_a_season_being_named),
        TEST(test_the_airlines_last_year_is_forecast_well),
        TEST(test_of_a_walk_the_last_value_is_forecast_ever_less_surely),
        TEST(test_scaled_values_have_scaled_forecasts),
        TEST(test_ten_thousand_steps_stay_in_reach_of_the_values),
        TEST(test_of_long_series_the_end_is_learnt),
        TEST(test_eleven_values_are_too_few),
        {0},
    };
    return test_main(tests, count, names);
}
