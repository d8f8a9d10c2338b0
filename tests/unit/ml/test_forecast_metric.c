#include "ml/forecast_metric.h"

#include "tests/test.h"

/* Learnt from 2 4 3 6 5 8 with period 2: |x_t - x_{t-2}| is 1 2 2 2, mean 1.75, of squares 3.25. */
static const double learnt[] = {2, 4, 3, 6, 5, 8};
static const Series series = {learnt, 6, 2};

static ForecastScore score_of(const double *actual, double *mean, double *deviation, size_t horizon,
                              const Series *from)
{
    Forecast forecast = {horizon, mean, deviation};

    return forecast_score(actual, &forecast, 0.95, from);
}

static void test_figures_are_those_reckoned_by_hand(void)
{
    double actual[] = {6, 10, 7, 8}, mean[] = {4, 10, 9, 12}, deviation[] = {1, 1, 2, 1};
    ForecastScore score = score_of(actual, mean, deviation, 4, &series);
    double z = 1.959963984540054;

    EXPECT(score.count == 4);
    EXPECT_NEAR(score.smape, (200 * 2 / 10.0 + 0 + 200 * 2 / 16.0 + 200 * 4 / 20.0) / 4, 1e-12);
    EXPECT_NEAR(score.mae, 2, 1e-12);
    EXPECT_NEAR(score.rmse, sqrt(6), 1e-12);
    EXPECT_NEAR(score.mase, 2 / 1.75, 1e-12);
    EXPECT_NEAR(score.rmsse, sqrt(6 / 3.25), 1e-12);
    EXPECT_NEAR(score.r2, 1 - 24 / 8.75, 1e-12);
    EXPECT_NEAR(score.coverage, 0.5, 1e-12);
    EXPECT_NEAR(score.msis, (2 * z * 5 + 40 * (2 - z) + 40 * (4 - z)) / 4 / 1.75, 1e-9);
}

static void test_a_missing_value_is_left_out_everywhere(void)
{
    double actual[] = {6, NAN, 8}, mean[] = {4, 1000, 12}, deviation[] = {1, 1, 1};
    double holes[] = {2, 4, NAN, 6, 5, 8};
    ForecastScore score = score_of(actual, mean, deviation, 3, &(Series){holes, 6, 2});

    EXPECT(score.count == 2);
    EXPECT_NEAR(score.mae, 3, 1e-12);
    EXPECT_NEAR(score.mase, 3 / 2.0, 1e-12);
}

static void test_what_is_not_defined_is_nan(void)
{
    double flat[] = {3, 3, 3, 3}, actual[] = {5, 5}, mean[] = {0, 5}, deviation[] = {NAN, NAN};
    ForecastScore score = score_of(actual, mean, deviation, 2, &(Series){flat, 4, 1});

    EXPECT(isnan(score.mase) && isnan(score.rmsse) && isnan(score.msis));
    EXPECT(isnan(score.r2) && isnan(score.coverage));
    EXPECT_NEAR(score.smape, 100, 1e-12);
    EXPECT(isnan(seasonal_naive_scale(&(Series){flat, 4, 4}, 1)));
}

static void test_two_zeros_are_no_error(void)
{
    double actual[] = {0, 0}, mean[] = {0, 1}, deviation[] = {1, 1};

    EXPECT_NEAR(score_of(actual, mean, deviation, 2, &series).smape, 100, 1e-12);
}

static void test_where_no_value_came_there_is_no_figure(void)
{
    double actual[] = {NAN}, one[] = {1};
    ForecastScore score = score_of(actual, one, one, 1, &series);

    EXPECT(score.count == 0);
    EXPECT(isnan(score.smape) && isnan(score.mase) && isnan(score.rmse) && isnan(score.coverage));
}

static void test_owa_is_the_mean_of_two_ratios(void)
{
    /* M4's Theta on Hourly: 18.138 / 2.455 beside Naive2's 18.383 / 2.395, published as 1.006. */
    EXPECT_NEAR(overall_weighted_average(18.138, 2.455, 18.383, 2.395), 1.006, 5e-4);
}

/* scipy.stats.norm.ppf */
static void test_quantiles_of_the_normal_distribution(void)
{
    EXPECT_NEAR(normal_quantile(0.5), 0, 1e-15);
    EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
    EXPECT_NEAR(normal_quantile(0.9), 1.2815515655446004, 1e-13);
    EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-12);
    EXPECT_NEAR(normal_quantile(1e-12), -7.034483825301131, 1e-11);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_figures_are_those_reckoned_by_hand),
        TEST(test_a_missing_value_is_left_out_everywhere),
        TEST(test_what_is_not_defined_is_nan),
        TEST(test_two_zeros_are_no_error),
        TEST(test_where_no_value_came_there_is_no_figure),
        TEST(test_owa_is_the_mean_of_two_ratios),
        TEST(test_quantiles_of_the_normal_distribution),
        {0},
    };
    return test_main(tests, count, names);
}
