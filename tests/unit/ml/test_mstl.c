#include "ml/mstl.h"

#include "base/text.h"
#include "ml/random.h"
#include "ml/seasonal_regression.h"
#include "ml/stl.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { HOURS = 840, AHEAD = 200 };

static const size_t week[] = {168};

static Forecast forecast_of(const SeriesLearner *learner, const Series *series, size_t horizon,
                            Arena *arena)
{
    SeriesModel model;
    Forecast forecast;
    Error error = {0};

    EXPECT_OK(series_fit(learner, series, arena, &model, &error), error);
    EXPECT_OK(series_forecast(&model, horizon, arena, &forecast, &error), error);
    return forecast;
}

/* R 4.2, forecast 8.20: mstl(msts(AirPassengers, seasonal.periods = c(12, 36))) */
static void test_parts_are_rs(void)
{
    static const size_t times[] = {0, 1, 12, 49, 76, 100, 130, 142, 143};
    static const double year[] = {-16.2069329036, -17.2393116502, -16.4701733108,
                                  -22.4200038816, -4.7713015578,  -5.5907525444,
                                  -74.0715744710, -75.0307200810, -43.9493028130};
    static const double three[] = {-3.2087612185, -0.5511369328,  -6.0257776727,
                                   -2.2343229412, -11.7446692366, 9.7577203858,
                                   -0.3696950893, 4.0828233266,   4.4424587141};
    static const double trend[] = {117.5814654784, 119.2330248139, 137.8161645329,
                                   211.4775316473, 280.0163542200, 355.1849556109,
                                   443.8924314213, 482.1030163230, 485.3307631616};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Mstl parts = mstl_decompose(passengers, PASSENGER_COUNT, (size_t[]){12, 36}, 2, arena);

    for (size_t i = 0; i < COUNT(times); i++) {
        EXPECT_NEAR(parts.seasons[0][times[i]], year[i], 1e-6);
        EXPECT_NEAR(parts.seasons[1][times[i]], three[i], 1e-6);
        EXPECT_NEAR(parts.trend[times[i]], trend[i], 1e-6);
    }
}

static void test_one_season_is_stls(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    StlSpec spec = stl_usual(12, 11, false);
    Stl stl = stl_decompose(passengers, PASSENGER_COUNT, &spec, arena);
    Mstl parts = mstl_decompose(passengers, PASSENGER_COUNT, (size_t[]){12}, 1, arena);

    for (size_t t = 0; t < PASSENGER_COUNT; t++) {
        EXPECT_NEAR(parts.seasons[0][t], stl.season[t], 1e-10);
        EXPECT_NEAR(parts.trend[t], stl.trend[t], 1e-10);
    }
}

static void test_parts_add_up(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Mstl parts = mstl_decompose(passengers, PASSENGER_COUNT, (size_t[]){2, 12, 36}, 3, arena);

    for (size_t t = 0; t < PASSENGER_COUNT; t++)
        EXPECT_NEAR(parts.seasons[0][t] + parts.seasons[1][t] + parts.seasons[2][t] +
                        parts.trend[t] + parts.remainder[t],
                    passengers[t], 1e-10);
}

/* ---- which seasons ---- */

static double day_part(size_t hour)
{
    return 5 * sin(2 * M_PI * (double)(hour % 24) / 24) + (hour % 24 < 6 ? -3 : 1);
}

static double week_part(size_t hour)
{
    return hour % 168 >= 120 ? -4 : 1.6;
}

/* Hours of a day and of a week, with noise, around a level. */
static void fill_hours(double *values, size_t count, double day, double of_week, double noise)
{
    Random random = random_seeded(7);

    for (size_t t = 0; t < count; t++)
        values[t] =
            50 + day * day_part(t) + of_week * week_part(t) + noise * (random_unit(&random) - 0.5);
}

static size_t seasons_of(double day, double of_week, size_t count, size_t *periods)
{
    double values[HOURS];

    fill_hours(values, count, day, of_week, 2);
    return mstl_find_seasons(&(Series){values, count, 24, week, 1}, periods);
}

static void test_seasons_are_found_where_they_are(void)
{
    size_t periods[MSTL_SEASONS_MAX];

    EXPECT(seasons_of(1, 1, HOURS, periods) == 2 && periods[0] == 24 && periods[1] == 168);
    EXPECT(seasons_of(1, 0, HOURS, periods) == 1 && periods[0] == 24);
    EXPECT(seasons_of(0, 1, HOURS, periods) >= 1);
    EXPECT(seasons_of(0, 0, HOURS, periods) == 0);
    EXPECT(seasons_of(1, 1, 3 * 168 - 1, periods) == 1);
    EXPECT(seasons_of(1, 1, 71, periods) == 0);
}

static void test_noise_and_walks_have_seldom_a_season(void)
{
    Random random = random_seeded(3);
    size_t periods[MSTL_SEASONS_MAX], found = 0;
    double noise[400], walk[400];

    for (size_t turn = 0; turn < 50; turn++) {
        for (size_t t = 0; t < 400; t++) {
            noise[t] = random_unit(&random);
            walk[t] = (t > 0 ? walk[t - 1] : 0) + random_unit(&random) - 0.5;
        }
        found += mstl_find_seasons(&(Series){noise, 400, 1, (size_t[]){52}, 1}, periods);
        found += mstl_find_seasons(&(Series){walk, 400, 1, (size_t[]){52}, 1}, periods);
    }
    EXPECT(found <= 10);
}

/* ---- forecasts ---- */

static double miss_of(const SeriesLearner *learner, const Series *series, const double *truth)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forecast forecast = forecast_of(learner, series, AHEAD, arena);
    double sum = 0;

    for (size_t step = 0; step < AHEAD; step++)
        sum += fabs(forecast.mean[step] - truth[step]) / AHEAD;
    return sum;
}

static void test_a_pure_day_and_week_go_on(void)
{
    double values[HOURS + AHEAD];
    Series both = {values, HOURS, 24, week, 1};

    fill_hours(values, HOURS + AHEAD, 1, 1, 0);
    EXPECT(miss_of(&mstl_learner, &both, values + HOURS) < 0.05);
    EXPECT(miss_of(&seasonal_regression_learner, &both, values + HOURS) < 0.05);
}

static void test_with_the_week_forecasts_are_better_than_without(void)
{
    double values[HOURS + AHEAD], with, without;

    fill_hours(values, HOURS + AHEAD, 1, 1, 3);
    with = miss_of(&mstl_learner, &(Series){values, HOURS, 24, week, 1}, values + HOURS);
    without = miss_of(&mstl_learner, &(Series){values, HOURS, 24}, values + HOURS);
    EXPECT(with < 0.7 * without);
}

/* A season that grows with the level is a factor: the airline's last year. */
static void test_a_season_that_grows_with_the_level_does_so_in_the_forecast(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT - 12, 12};
    Forecast forecast = forecast_of(&mstl_learner, &series, 12, arena);
    double error = 0;

    for (size_t i = 0; i < 12; i++)
        error += fabs(forecast.mean[i] / passengers[PASSENGER_COUNT - 12 + i] - 1) / 12;
    EXPECT(error < 0.07);
}

static void test_without_a_season_it_is_the_mean_of_ets_and_dotm(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 1};
    Forecast both = forecast_of(&mstl_learner, &series, 12, arena);
    Forecast ets = forecast_of(series_learner_find("ets"), &series, 12, arena);
    Forecast dotm = forecast_of(series_learner_find("dotm"), &series, 12, arena);

    for (size_t i = 0; i < 12; i++) {
        EXPECT_NEAR(both.mean[i], (ets.mean[i] + dotm.mean[i]) / 2, 1e-9);
        EXPECT_NEAR(both.deviation[i], (ets.deviation[i] + dotm.deviation[i]) / 2, 1e-9);
    }
}

static void expect_refused(size_t first, size_t second, size_t count, const char *sentence)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t longer[] = {first, second, 100, 101};
    Series series = {passengers, PASSENGER_COUNT, 12, longer, count};
    SeriesModel model;
    Error error = {0};

    EXPECT(!series_fit(&mstl_learner, &series, arena, &model, &error));
    EXPECT_TEXT(error.message, arena_format(arena, "mstl: %s", sentence));
}

static void test_longer_seasons_rise_and_are_bounded(void)
{
    expect_refused(12, 24, 2, "a longer season has 13 to 10000 values here, not 12");
    expect_refused(24, 24, 2, "a longer season has 25 to 10000 values here, not 24");
    expect_refused(10001, 0, 1, "a longer season has 13 to 10000 values here, not 10001");
    expect_refused(24, 36, 4, "a series has at most 3 longer seasons beside its period, not 4");
}

/* Odd but right: constant, one spike, a step, halves of huge and tiny values. */
static void fill_odd(size_t kind, double *values, size_t count)
{
    static const double highs[] = {0, 1, 1e100, 1e-300, 7};

    for (size_t t = 0; t < count; t++) {
        values[t] = kind < COUNT(highs) ? 3 : 1 + (double)(t % 7) * (t > count / 2 ? 1e90 : 1e-90);
        if (kind < COUNT(highs) && (kind % 2 == 0 ? t == count / 2 : t > count / 2))
            values[t] = highs[kind];
    }
}

static void test_odd_series_with_longer_seasons_give_numbers(void)
{
    static const size_t counts[] = {5, 8, 12, 20, 36, 40, 90, 200};
    static const size_t longer[] = {12, 30, 60};
    double values[200];

    for (size_t i = 0; i < 6 * COUNT(counts); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Series series = {values, counts[i / 6], i % 3 == 0 ? 1 : 4, longer, 3};

        fill_odd(i % 6, values, series.count);
        for (const SeriesLearner *const *learner = series_learners; *learner; learner++) {
            Forecast forecast;

            if (series.count < (*learner)->least)
                continue;
            forecast = forecast_of(*learner, &series, 70, arena);
            for (size_t step = 0; step < 70; step++) {
                if (isfinite(forecast.mean[step]) && !(forecast.deviation[step] < 0) &&
                    !isinf(forecast.deviation[step]))
                    continue;
                fprintf(stderr, "%s, kind %zu, %zu values: step %zu is %g +- %g\n",
                        (*learner)->name, i % 6, series.count, step, forecast.mean[step],
                        forecast.deviation[step]);
                exit(1);
            }
        }
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_parts_are_rs),
        TEST(test_one_season_is_stls),
        TEST(test_parts_add_up),
        TEST(test_seasons_are_found_where_they_are),
        TEST(test_noise_and_walks_have_seldom_a_season),
        TEST(test_a_pure_day_and_week_go_on),
        TEST(test_with_the_week_forecasts_are_better_than_without),
        TEST(test_a_season_that_grows_with_the_level_does_so_in_the_forecast),
        TEST(test_without_a_season_it_is_the_mean_of_ets_and_dotm),
        TEST(test_longer_seasons_rise_and_are_bounded),
        TEST(test_odd_series_with_longer_seasons_give_numbers),
        {0},
    };
    return test_main(tests, count, names);
}
