#include "ml/combination.h"

#include "base/text.h"
#include "tests/test.h"

enum { WINDOWS = 3, HORIZON = 2, STEPS = WINDOWS * HORIZON };

static const double actual[STEPS] = {10, 20, 30, 40, 50, 60};

/* Rows that are off by a fixed amount. */
static Backtest backtest_of(const double *offsets, size_t count, Arena *arena)
{
    Backtest backtest = {HORIZON, WINDOWS, actual, 1, arena_array(arena, BacktestRow, count),
                         count};

    for (size_t i = 0; i < count; i++) {
        BacktestRow *row = &backtest.rows[i];

        row->means = arena_array(arena, double, STEPS);
        row->deviations = arena_array(arena, double, STEPS);
        row->window_errors = arena_array(arena, double, WINDOWS);
        for (size_t j = 0; j < STEPS; j++) {
            row->means[j] = actual[j] + offsets[i];
            row->deviations[j] = 1 + (double)i;
        }
        for (size_t j = 0; j < WINDOWS; j++)
            row->window_errors[j] = fabs(offsets[i]);
    }
    return backtest;
}

static void test_standings_are_logarithms_about_their_mean(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest backtest = backtest_of((double[]){1, -2, 4}, 3, arena);
    double *standings = combination_standings(&backtest, SIZE_MAX, arena);

    EXPECT_NEAR(standings[0], -log(2), 1e-12);
    EXPECT_NEAR(standings[1], 0, 1e-12);
    EXPECT_NEAR(standings[2], log(2), 1e-12);
    backtest.rows[1].failed_count = 1;
    standings = combination_standings(&backtest, SIZE_MAX, arena);
    EXPECT(isnan(standings[1]));
    EXPECT_NEAR(standings[2], log(2), 1e-12);
}

static void test_a_window_that_is_left_out_does_not_count(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest backtest = backtest_of((double[]){1, 2}, 2, arena);
    double *standings;

    backtest.rows[0].window_errors[1] = 1000;
    standings = combination_standings(&backtest, 1, arena);
    EXPECT_NEAR(standings[1] - standings[0], log(2), 1e-12);
    standings = combination_standings(&backtest, 0, arena);
    EXPECT(standings[0] > standings[1]);
}

static void test_rules_take_the_best_weigh_and_shrink(void)
{
    static const double standings[] = {0.5, -0.2, NAN, 0.1};
    static const double common[] = {-2, 0, 0, 0};
    CombinationRule rule = {COMBINATION_WEIGHTED, 2, 2, 0};
    Combination combination;

    EXPECT(combination_make(&rule, standings, NULL, 4, &combination));
    EXPECT(combination.count == 2 && combination.members[0] == 1 && combination.members[1] == 3);
    EXPECT_NEAR(combination.weights[1] / combination.weights[0], exp(-2 * 0.3), 1e-12);
    EXPECT_NEAR(combination.weights[0] + combination.weights[1], 1, 1e-12);
    rule.common = 0.5;
    EXPECT(combination_make(&rule, standings, common, 4, &combination));
    EXPECT(combination.members[0] == 0); /* -0.75 against -0.1 and 0.05 */
    EXPECT(combination_make(&rule, (double[]){-1, 1, -1}, NULL, 3, &combination));
    EXPECT(combination.members[0] == 0 && combination.members[1] == 1); /* 2 is 0 once more */
    EXPECT(!combination_make(&rule, (double[]){NAN, NAN}, NULL, 2, &combination));
}

static void test_members_are_made_one_forecast(void)
{
    double first[] = {1, 2}, second[] = {3, 8}, third[] = {5, 5}, none[] = {NAN, NAN};
    double mean[2], deviation[2];
    const Forecast members[] = {{2, first, first}, {2, second, none}, {2, third, third}};
    Combination weighted = {COMBINATION_WEIGHTED, 2, {0, 1}, {0.75, 0.25}};
    Combination median = {COMBINATION_MEDIAN, 3, {0, 1, 2}, {1 / 3.0, 1 / 3.0, 1 / 3.0}};
    Forecast made = {2, mean, deviation};

    combination_forecast(&weighted, members, &made);
    EXPECT_NEAR(mean[0], 1.5, 1e-12);
    EXPECT_NEAR(mean[1], 3.5, 1e-12);
    EXPECT_NEAR(deviation[1], 2, 1e-12);
    combination_forecast(&median, members, &made);
    EXPECT_NEAR(mean[0], 3, 1e-12);
    EXPECT_NEAR(mean[1], 5, 1e-12);
    EXPECT_NEAR(deviation[0], 3, 1e-12);
}

enum { MANY = 20 };

/* The kind of the rule that is taken for many series of such candidates, or for one. */
static CombinationKind kind_for(const double *offsets, size_t count, size_t series_count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest all[MANY];

    for (size_t i = 0; i < series_count; i++)
        all[i] = backtest_of(offsets, count, arena);
    return combination_choose(all, series_count, NULL)->kind;
}

static void test_the_rule_that_wins_on_many_windows_is_taken(void)
{
    static const double opposite[] = {3, -3.1, 50}, one_side[] = {1, 1.1, 1.2};

    EXPECT(kind_for(opposite, 3, MANY) == COMBINATION_WEIGHTED);
    EXPECT(kind_for(one_side, 3, MANY) == COMBINATION_BEST);
}

static void test_few_windows_choose_no_rule(void)
{
    static const double one_side[] = {1, 1.1, 1.2};

    EXPECT(kind_for(one_side, 3, 1) == COMBINATION_WEIGHTED);
    EXPECT(combination_choose(NULL, 0, NULL) == combination_rules);
}

/* One that is best on all windows but one is the choice of the windows without that one only. */
static void test_a_window_is_forecast_by_what_the_others_choose(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest backtest = backtest_of((double[]){1, 5}, 2, arena);
    const CombinationRule best = {COMBINATION_BEST, 1, 0, 0};
    Forecast made;

    backtest.rows[0].window_errors[2] = 100;
    EXPECT(combination_backtest(&backtest, &best, NULL, arena, &made));
    EXPECT(made.horizon == STEPS);
    EXPECT_NEAR(made.mean[0], actual[0] + 5, 0);
    EXPECT_NEAR(made.mean[3], actual[3] + 5, 0);
    EXPECT_NEAR(made.mean[4], actual[4] + 1, 0);
    EXPECT_NEAR(made.deviation[5], 1, 0);
}

static void test_what_is_common_is_the_mean_over_the_series(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest all[] = {backtest_of((double[]){1, 4}, 2, arena),
                      backtest_of((double[]){1, 1}, 2, arena)};
    double *common = combination_common(all, 2, arena);

    EXPECT_NEAR(common[0], -log(2) / 2, 1e-12);
    EXPECT_NEAR(common[1], log(2) / 2, 1e-12);
    EXPECT(combination_common(all, 1, arena) == NULL);
}

static void test_a_series_without_errors_has_a_choice(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Backtest backtest = backtest_of((double[]){0, 0}, 2, arena);
    const CombinationRule *rule = combination_choose(&backtest, 1, NULL);
    Combination combination;

    EXPECT(combination_make(rule, combination_standings(&backtest, SIZE_MAX, arena), NULL, 2,
                            &combination));
    EXPECT(combination.members[0] == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_standings_are_logarithms_about_their_mean),
        TEST(test_a_window_that_is_left_out_does_not_count),
        TEST(test_rules_take_the_best_weigh_and_shrink),
        TEST(test_members_are_made_one_forecast),
        TEST(test_the_rule_that_wins_on_many_windows_is_taken),
        TEST(test_few_windows_choose_no_rule),
        TEST(test_a_window_is_forecast_by_what_the_others_choose),
        TEST(test_what_is_common_is_the_mean_over_the_series),
        TEST(test_a_series_without_errors_has_a_choice),
        {0},
    };
    return test_main(tests, count, names);
}
