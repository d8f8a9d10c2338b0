#include "ml/arima_internal.h"
#include "ml/random.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { LONG = 12000, HORIZON = 100 };

static double noise(Random *random)
{
    return random_unit(random) - 0.5;
}

/* ---- series that are no help ---- */

typedef double (*Shape)(size_t time, Random *random);

static double constant(size_t time, Random *random)
{
    (void)time;
    (void)random;
    return 4.2;
}

static double line(size_t time, Random *random)
{
    (void)random;
    return 0.1 * (double)time;
}

static double square(size_t time, Random *random)
{
    (void)random;
    return 1e6 - (double)time * (double)time;
}

static double sine(size_t time, Random *random)
{
    (void)random;
    return sin((double)time / 5);
}

static double cycle(size_t time, Random *random)
{
    (void)random;
    return (double)(time * time % 12);
}

static double spike(size_t time, Random *random)
{
    (void)random;
    return time == 17 ? 1e9 : 0;
}

static double step(size_t time, Random *random)
{
    (void)random;
    return time < 20 ? 0 : 5;
}

static double explosion(size_t time, Random *random)
{
    return exp((double)(time % 1000) / 10) + noise(random);
}

static double even(size_t time, Random *random)
{
    (void)time;
    return noise(random);
}

static double huge(size_t time, Random *random)
{
    return (time % 2 ? 1 : -1) * SERIES_VALUE_MAX * random_unit(random);
}

static double tiny(size_t time, Random *random)
{
    (void)time;
    return 1e-300 * noise(random);
}

static double flat_with_noise(size_t time, Random *random)
{
    (void)time;
    return 1e9 + 1e-3 * noise(random);
}

static const Shape shapes[] = {constant, line,      square, sine, cycle, spike,
                               step,     explosion, even,   huge, tiny,  flat_with_noise};

static void expect_sound(const Series *series, Arena *arena)
{
    double means[HORIZON], deviations[HORIZON];
    Forecast forecast = {HORIZON, means, deviations};
    ArimaModel model = arima_choose(series, arena);

    arima_forecast(&model, &forecast, arena);
    for (size_t i = 0; i < HORIZON; i++) {
        EXPECT(isfinite(means[i]));
        EXPECT(deviations[i] >= 0 && isfinite(deviations[i]));
    }
    EXPECT(isfinite(model.likelihood));
}

static void test_any_series_gets_finite_forecasts(void)
{
    static const size_t counts[] = {3, 4, 5, 8, 13, 25, 60, 150};
    static const size_t periods[] = {1, 2, 7, 12, 60, 61};
    double values[150];

    for (size_t i = 0; i < COUNT(shapes) * COUNT(counts); i++) {
        Random random = random_seeded(i);
        size_t count = counts[i % COUNT(counts)];

        for (size_t t = 0; t < count; t++)
            values[t] = shapes[i / COUNT(counts)](t, &random);
        for (size_t k = 0; k < COUNT(periods); k++) {
            CLEANUP(arena_cleanup) Arena *arena = arena_create();

            expect_sound(&(Series){values, count, periods[k]}, arena);
        }
    }
}

static void test_a_long_series_is_learnt_from_its_end(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(4);
    double *values = arena_array(arena, double, LONG), last = 5, means[1], deviations[1];
    Forecast forecast = {1, means, deviations};
    ArimaModel model;

    for (size_t t = 0; t < LONG; t++) {
        last = 0.8 * last + 1 + noise(&random);
        values[t] = t < LONG - ARIMA_COUNT_MAX ? 1e6 : last;
    }
    model = arima_choose(&(Series){values, LONG, 1}, arena);
    arima_forecast(&model, &forecast, arena);
    EXPECT(model.count + model.order.differences == ARIMA_COUNT_MAX);
    EXPECT_NEAR(means[0], 0.8 * last + 1, 0.2);
}

static void test_a_constant_stays(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[] = {5, 5, 5, 5, 5, 5, 5, 5}, means[3], deviations[3];
    Forecast forecast = {3, means, deviations};
    ArimaModel model = arima_choose(&(Series){values, 8, 1}, arena);

    arima_forecast(&model, &forecast, arena);
    for (size_t i = 0; i < 3; i++) {
        EXPECT(means[i] == 5);
        EXPECT(deviations[i] == 0);
    }
}

static void test_a_line_goes_on(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[40], means[10], deviations[10];
    Forecast forecast = {10, means, deviations};
    ArimaModel model;

    for (size_t i = 0; i < 40; i++)
        values[i] = 7 + 0.1 * (double)i;
    model = arima_choose(&(Series){values, 40, 1}, arena);
    arima_forecast(&model, &forecast, arena);
    for (size_t i = 0; i < 10; i++)
        EXPECT_NEAR(means[i], 7 + 0.1 * (double)(40 + i), 1e-6);
}

/* R's auto.arima(log(AirPassengers)) comes to an AICc of -483.21, which is worse. */
static void test_values_whose_season_grows_are_looked_at_as_logarithms(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};
    double means[12], deviations[12], plain[12], spread[12], logarithms[PASSENGER_COUNT];
    double sum = 0;
    Forecast forecast = {12, means, deviations}, other = {12, plain, spread};
    ArimaModel chosen = arima_choose(&series, arena), model;
    Error error = {0};

    for (size_t i = 0; i < PASSENGER_COUNT; i++) {
        logarithms[i] = log(passengers[i]);
        sum += i >= PASSENGER_COUNT - chosen.count ? logarithms[i] : 0;
    }
    series.values = logarithms;
    EXPECT_OK(arima_fit(&series, chosen.order, arena, &model, &error), error);
    EXPECT(chosen.is_logarithmic && !model.is_logarithmic);
    EXPECT(chosen.aicc - 2 * sum < -483.21);
    EXPECT_NEAR(chosen.likelihood, model.likelihood - sum, 0.1);
    arima_forecast(&chosen, &forecast, arena);
    chosen.is_logarithmic = false;
    arima_forecast(&chosen, &other, arena);
    for (size_t i = 0; i < 12; i++) {
        EXPECT_NEAR(means[i], exp(plain[i]), 1e-12 * means[i]);
        EXPECT_NEAR(deviations[i], means[i] * spread[i], 0.01 * deviations[i]);
    }
}

/* ---- differences ---- */

static void test_walks_are_differenced_and_levels_are_not(void)
{
    Random random = random_seeded(2);
    double level[300], walk[300], sums[300];

    level[0] = walk[0] = sums[0] = 0;
    for (size_t i = 1; i < 300; i++) {
        level[i] = 0.5 * level[i - 1] + noise(&random);
        walk[i] = walk[i - 1] + noise(&random);
        sums[i] = sums[i - 1] + walk[i];
    }
    EXPECT(arima_differences(level, 300) == 0);
    EXPECT(arima_differences(walk, 300) == 1);
    EXPECT(arima_differences(sums, 300) == 2);
}

static void test_a_seasons_strength_is_its_share(void)
{
    Random random = random_seeded(2);
    double noisy[240], clear[240];

    for (size_t i = 0; i < 240; i++) {
        double season = sin(2 * M_PI * (double)i / 12);

        noisy[i] = 0.1 * season + noise(&random) + 0.01 * (double)i;
        clear[i] = season + 0.2 * noise(&random) + 0.01 * (double)i;
    }
    EXPECT(arima_season_strength(&(Series){noisy, 240, 12}) < 0.5);
    EXPECT(arima_season_strength(&(Series){clear, 240, 12}) > 0.9);
    EXPECT(arima_season_strength(&(Series){passengers, PASSENGER_COUNT, 12}) > 0.9);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_any_series_gets_finite_forecasts),
        TEST(test_a_long_series_is_learnt_from_its_end),
        TEST(test_a_constant_stays),
        TEST(test_a_line_goes_on),
        TEST(test_values_whose_season_grows_are_looked_at_as_logarithms),
        TEST(test_walks_are_differenced_and_levels_are_not),
        TEST(test_a_seasons_strength_is_its_share),
        {0},
    };
    return test_main(tests, count, names);
}
