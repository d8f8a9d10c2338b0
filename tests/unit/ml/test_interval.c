#include "ml/interval.h"

#include "base/text.h"
#include "ml/random.h"
#include "tests/test.h"

enum { SERIES = 200, WINDOWS = 5, HORIZON = 10, STEPS = WINDOWS * HORIZON };

static double draw(Random *random)
{
    double unit = random_unit(random);

    return normal_quantile(unit > 1e-12 ? unit : 1e-12);
}

/* Mean 0, a long tail above. */
static double draw_skewed(Random *random)
{
    return -log(1 - random_unit(random)) - 1;
}

typedef struct World {
    Misses misses[SERIES];
    double sizes[SERIES]; /* of a series' errors */
    double deviations[STEPS];
    Random random;
    double (*draw)(Random *random);
} World;

/* Forecasts claim a deviation of 1 at each step; errors are as large as their series makes them,
 * and grow with the step. */
static double error_of(World *world, size_t series, size_t step)
{
    return world->sizes[series] * sqrt((double)step + 1) * world->draw(&world->random);
}

static void make_world(World *world, double (*draw_one)(Random *random), Arena *arena)
{
    world->random = random_seeded(7);
    world->draw = draw_one;
    for (size_t i = 0; i < STEPS; i++)
        world->deviations[i] = 1;
    for (size_t i = 0; i < SERIES; i++) {
        double *errors = arena_array(arena, double, STEPS);

        world->sizes[i] = exp(draw(&world->random));
        for (size_t j = 0; j < STEPS; j++)
            errors[j] = error_of(world, i, j % HORIZON);
        world->misses[i] = (Misses){WINDOWS, errors, world->deviations};
    }
}

typedef struct Outside {
    double below, above, first_steps, last_steps;
} Outside;

/* How often new errors are outside the intervals. */
static Outside count_outside(World *world, size_t series_count, double level, Arena *arena)
{
    enum { ROUNDS = 20 };
    IntervalTable table = interval_table_make(world->misses, series_count, HORIZON, arena);
    double mean[HORIZON] = {0}, low[HORIZON], high[HORIZON];
    double all = (double)(series_count * ROUNDS * HORIZON);
    Forecast forecast = {HORIZON, mean, world->deviations};
    Outside outside = {0};

    for (size_t i = 0; i < series_count; i++) {
        interval_apply(&table, interval_scale(&table, &world->misses[i]), &forecast, level,
                       (IntervalBounds){low, high});
        for (size_t j = 0; j < (size_t)ROUNDS * HORIZON; j++) {
            size_t step = j % HORIZON;
            double error = error_of(world, i, step);

            outside.below += (error < low[step]) / all;
            outside.above += (error > high[step]) / all;
            if (error >= low[step] && error <= high[step])
                continue;
            outside.first_steps += (step < HORIZON / 2) / all * 2;
            outside.last_steps += (step >= HORIZON / 2) / all * 2;
        }
    }
    return outside;
}

static void test_intervals_hold_what_they_promise_for_series_of_any_size(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    World *world = arena_new(arena, World);
    Outside outside;

    make_world(world, draw, arena);
    outside = count_outside(world, SERIES, 0.95, arena);
    EXPECT_NEAR(outside.below + outside.above, 0.05, 0.01);
    EXPECT_NEAR(outside.first_steps, 0.05, 0.015);
    EXPECT_NEAR(outside.last_steps, 0.05, 0.015);
    outside = count_outside(world, SERIES, 0.8, arena);
    EXPECT_NEAR(outside.below + outside.above, 0.2, 0.02);
}

static void test_both_tails_are_told_apart_with_many_windows(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    World *world = arena_new(arena, World);
    Outside outside;

    make_world(world, draw_skewed, arena);
    outside = count_outside(world, SERIES, 0.9, arena);
    EXPECT_NEAR(outside.below, 0.05, 0.02);
    EXPECT_NEAR(outside.above, 0.05, 0.02);
}

/* Five windows say little about 5 %; too wide is allowed, much too narrow is not. */
static void test_one_series_has_intervals_that_are_not_too_narrow(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    World *world = arena_new(arena, World);
    double outside = 0;

    for (size_t i = 0; i < 50; i++) {
        Outside one;

        make_world(world, draw, arena);
        world->misses[0] = world->misses[i];
        world->sizes[0] = world->sizes[i];
        one = count_outside(world, 1, 0.95, arena);
        outside += (one.below + one.above) / 50;
    }
    EXPECT(outside < 0.07);
}

static void test_without_misses_intervals_are_the_forecasts_own(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Misses none = {0};
    IntervalTable table = interval_table_make(&none, 1, 2, arena);
    double mean[] = {5, 6, 7}, deviation[] = {1, 2, 3}, low[3], high[3];
    Forecast forecast = {3, mean, deviation};

    interval_apply(&table, interval_scale(&table, &none), &forecast, 0.95,
                   (IntervalBounds){low, high});
    for (size_t i = 0; i < 3; i++) {
        EXPECT_NEAR(low[i], mean[i] - 1.959964 * deviation[i], 1e-5);
        EXPECT_NEAR(high[i], mean[i] + 1.959964 * deviation[i], 1e-5);
    }
}

static void test_a_forecast_without_a_deviation_has_that_of_its_misses(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const double errors[] = {3, -4, 3, -4}, none[] = {NAN, 0, NAN, 0};
    static const double zeros[4] = {0};
    Misses misses = {2, errors, none}, exact = {2, zeros, zeros};
    IntervalTable table = interval_table_make(&misses, 1, 2, arena);

    EXPECT_NEAR(interval_spread(&misses, 2), sqrt(12.5), 1e-12);
    EXPECT_NEAR(interval_scale(&table, &misses), 1, 0.1);
    table = interval_table_make(&exact, 1, 2, arena);
    EXPECT(interval_spread(&exact, 2) == 0 && isfinite(interval_scale(&table, &exact)));
    for (size_t i = 0; i < table.count; i++)
        EXPECT(table.scores[i] == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_intervals_hold_what_they_promise_for_series_of_any_size),
        TEST(test_both_tails_are_told_apart_with_many_windows),
        TEST(test_one_series_has_intervals_that_are_not_too_narrow),
        TEST(test_without_misses_intervals_are_the_forecasts_own),
        TEST(test_a_forecast_without_a_deviation_has_that_of_its_misses),
        {0},
    };
    return test_main(tests, count, names);
}
