#include "ml/stl.h"

#include "ml/random.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { TIMES = 9 };

static const size_t times[TIMES] = {0, 1, 12, 49, 76, 100, 130, 142, 143};

static void expect_parts(const StlSpec *spec, const double *season, const double *trend,
                         const double *weights)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Stl parts = stl_decompose(passengers, PASSENGER_COUNT, spec, arena);

    for (size_t i = 0; i < TIMES; i++) {
        EXPECT_NEAR(parts.season[times[i]], season[i], 1e-6);
        EXPECT_NEAR(parts.trend[times[i]], trend[i], 1e-6);
        EXPECT_NEAR(parts.weights[times[i]], weights[i], 1e-6);
    }
}

static const double ones[TIMES] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

/* R 4.2: stl(AirPassengers, s.window = 11)$time.series */
static void test_parts_are_rs(void)
{
    static const double season[] = {-16.9770740864, -17.1776333372, -17.3264451909,
                                    -23.3541716794, -5.0492631429,  -5.4731904078,
                                    -74.5650478333, -75.5946342551, -44.1963249790};
    static const double trend[] = {123.1450569281, 123.7250692399, 131.7389452447,
                                   217.7462657926, 277.8015047994, 362.9592605845,
                                   446.7302940128, 493.1383737025, 496.6832540252};
    StlSpec spec = stl_usual(12, 11, false);

    expect_parts(&spec, season, trend, ones);
}

/* stl(AirPassengers, s.window = 7, robust = TRUE, outer = 5), and its $weights. (After 15 turns R
 * and statsmodels differ in the third digit behind the point.) */
static void test_robust_parts_are_rs(void)
{
    static const double season[] = {-13.3176693988, -7.9232047697,  -13.5428696787,
                                    -16.0099699529, -4.0853582072,  -5.6124201506,
                                    -75.0824733595, -75.6819964394, -39.2972130729};
    static const double trend[] = {122.8198667793, 123.5324583092, 132.0091659857,
                                   214.4428682187, 277.9297259130, 359.7834161068,
                                   441.7327387570, 497.0351566259, 501.6112359116};
    static const double weights[] = {0.9732333202, 0.9746139575, 0.9497102142,
                                     0.9809906927, 0.9415493810, 0.9976051563,
                                     0.8996203239, 0.0000000000, 0.0000000000};
    StlSpec spec = stl_usual(12, 7, true);

    EXPECT(spec.outer_turns == 15);
    spec.outer_turns = 5;
    expect_parts(&spec, season, trend, weights);
}

/* stl(AirPassengers, s.window = "periodic") */
static void test_a_season_that_never_changes_is_rs(void)
{
    static const double season[] = {-25.4977183398, -35.2209348016, -25.4977183398,
                                    -35.2209348016, -5.7372888132,  -5.7372888132,
                                    -57.4818505137, -57.4818505137, -31.7405155017};
    static const double trend[] = {127.1873484373, 126.6495319863, 134.3390278321,
                                   220.1263394217, 278.5656735704, 365.3580268897,
                                   444.9104036588, 494.3772873537, 497.4299050518};
    StlSpec spec = stl_usual(12, STL_PERIODIC, false);

    expect_parts(&spec, season, trend, ones);
}

/* statsmodels 0.14: STL(passengers, period=12, seasonal=13).fit() */
static void test_lines_in_the_season_are_statsmodels(void)
{
    static const double season[] = {-9.1571125830,  0.9613566924,   -11.5461922473,
                                    -23.0123599710, -4.6572770519,  -4.9087781604,
                                    -90.0411847086, -97.3198138248, -60.3511830615};
    static const double trend[] = {121.4633273572, 122.3925074045, 131.6093441126,
                                   217.9513087160, 277.7043488754, 363.1253322449,
                                   447.3628220068, 491.3729613482, 494.7387281688};
    StlSpec spec = {.period = 12,
                    .season = {13, 1, false},
                    .trend = {21, 1, false},
                    .low = {13, 1, false},
                    .inner_turns = 5};

    expect_parts(&spec, season, trend, ones);
}

/* statsmodels 0.14: STL(passengers, period=12, seasonal=15, trend=25, low_pass=13, trend_deg=0,
 * seasonal_jump=2, trend_jump=4, low_pass_jump=3).fit(inner_iter=3, outer_iter=2) */
static void test_jumps_and_robust_turns_are_statsmodels(void)
{
    static const double season[] = {-9.4388589800,  1.2372833990,   -11.8155749525,
                                    -22.7109393716, -5.4824618395,  -7.5319839598,
                                    -86.9940055915, -93.3717285769, -49.9341345069};
    static const double trend[] = {128.3998149480, 128.5215882653, 132.5382735548,
                                   213.8680113479, 278.2152670725, 361.1636478379,
                                   438.7943806649, 448.6251844898, 448.9718020120};
    static const double weights[] = {0.8688169156, 0.6545674805, 0.9096548750,
                                     0.9439711750, 0.9727314360, 0.9986044044,
                                     0.9256611357, 0.0270898823, 0.0022418704};
    StlSpec spec = {.period = 12,
                    .season = {15, 2, false},
                    .trend = {25, 4, true},
                    .low = {13, 3, false},
                    .inner_turns = 3,
                    .outer_turns = 2};

    expect_parts(&spec, season, trend, weights);
}

static void test_windows_and_jumps_are_rs(void)
{
    StlSpec spec = stl_usual(12, 11, false);

    EXPECT(spec.trend.window == 21 && spec.trend.jump == 3);
    EXPECT(spec.low.window == 13 && spec.low.jump == 2);
    EXPECT(spec.season.window == 11 && spec.season.jump == 2);
    EXPECT(stl_usual(6, STL_PERIODIC, false).trend.window == 11);
    EXPECT(stl_usual(7, 7, false).low.window == 7);
    EXPECT(stl_usual(2, 7, false).low.window == 3);
}

static void expect_sum(const double *values, size_t count, const StlSpec *spec)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Stl parts = stl_decompose(values, count, spec, arena);

    for (size_t t = 0; t < count; t++) {
        double sum = parts.season[t] + parts.trend[t] + parts.remainder[t];

        EXPECT(isfinite(sum));
        EXPECT_NEAR(sum, values[t],
                    1e-13 * (fabs(values[t]) + fabs(parts.season[t]) + fabs(parts.trend[t])));
        EXPECT(parts.weights[t] >= 0 && parts.weights[t] <= 1);
    }
}

static double odd_value(size_t kind, size_t time, Random *random)
{
    switch (kind) {
    case 0:
        return 5;
    case 1:
        return time == 9 ? 1e100 : 0;
    case 2:
        return random_unit(random);
    default:
        return (double)(time * time);
    }
}

static void test_parts_add_up_whatever_the_values(void)
{
    enum { MOST = 61 };
    static const size_t periods[] = {2, 3, 7, 12, 30};
    Random random = random_seeded(1);
    double values[MOST];

    for (size_t i = 0; i < 4 * COUNT(periods); i++) {
        size_t period = periods[i / 4];
        StlSpec usual = stl_usual(period, 7, false), robust = stl_usual(period, 7, true);
        StlSpec periodic = stl_usual(period, STL_PERIODIC, true);

        for (size_t t = 0; t < MOST; t++)
            values[t] = odd_value(i % 4, t, &random);
        for (size_t count = 2 * period; count <= MOST; count++) {
            expect_sum(values, count, &usual);
            expect_sum(values, count, &robust);
            expect_sum(values, count, &periodic);
        }
    }
}

static void test_a_line_and_a_season_are_told_apart(void)
{
    static const double season[] = {-3, 1, 4, -2};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[60];
    StlSpec spec = stl_usual(4, 7, false);
    Stl parts;

    for (size_t t = 0; t < 60; t++)
        values[t] = 10 + 0.5 * (double)t + season[t % 4];
    spec.inner_turns = 20;
    parts = stl_decompose(values, 60, &spec, arena);
    for (size_t t = 0; t < 60; t++) {
        EXPECT_NEAR(parts.season[t], season[t % 4], 1e-6);
        EXPECT_NEAR(parts.trend[t], 10 + 0.5 * (double)t, 1e-6);
    }
}

static void test_what_stands_out_weighs_nothing_and_moves_nothing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[PASSENGER_COUNT];
    StlSpec spec = stl_usual(12, 11, true);
    Stl clean = stl_decompose(passengers, PASSENGER_COUNT, &spec, arena), parts;

    for (size_t t = 0; t < PASSENGER_COUNT; t++)
        values[t] = passengers[t] + (t == 70 ? 5000 : 0);
    parts = stl_decompose(values, PASSENGER_COUNT, &spec, arena);
    EXPECT(parts.weights[70] == 0);
    for (size_t t = 0; t < PASSENGER_COUNT; t++)
        EXPECT_NEAR(parts.trend[t], clean.trend[t], 5);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_parts_are_rs),
        TEST(test_robust_parts_are_rs),
        TEST(test_a_season_that_never_changes_is_rs),
        TEST(test_lines_in_the_season_are_statsmodels),
        TEST(test_jumps_and_robust_turns_are_statsmodels),
        TEST(test_windows_and_jumps_are_rs),
        TEST(test_parts_add_up_whatever_the_values),
        TEST(test_a_line_and_a_season_are_told_apart),
        TEST(test_what_stands_out_weighs_nothing_and_moves_nothing),
        {0},
    };
    return test_main(tests, count, names);
}
