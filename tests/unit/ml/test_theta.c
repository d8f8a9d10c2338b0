#include "ml/theta.h"

#include "base/text.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { LEARNT = 132 }; /* the last year is forecast */

static Forecast forecast_of(const SeriesLearner *learner, const Series *series, Arena *arena)
{
    SeriesModel model;
    Forecast forecast;
    Error error = {0};

    EXPECT_OK(series_fit(learner, series, arena, &model, &error), error);
    EXPECT_OK(series_forecast(&model, 12, arena, &forecast, &error), error);
    return forecast;
}

/* R 4.2, forecast 8.20: thetaf(ts(AirPassengers[1:132], frequency = 12), h = 12)$mean. Its search
 * stops earlier than ours. */
static void test_theta_is_rs_with_a_season(void)
{
    static const double mean[] = {
        411.325703594914, 402.231234744597, 462.832955860366, 444.627166102774,
        447.884394183234, 509.540697914156, 561.779352298657, 559.398660314070,
        490.376949584655, 427.236169948594, 371.918186882702, 418.961791193967,
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forecast forecast = forecast_of(&theta_learner, &(Series){passengers, LEARNT, 12}, arena);

    for (size_t i = 0; i < COUNT(mean); i++)
        EXPECT_NEAR(forecast.mean[i], mean[i], 2e-3 * mean[i]);
}

/* thetaf(ts(AirPassengers[1:132]), h = 3, level = 95): $mean and $upper */
static void test_theta_is_rs_without_a_season(void)
{
    static const double mean[] = {406.277684389443, 407.559541443598, 408.841398497753};
    static const double upper[] = {467.925050844697, 494.737722778603, 515.610648803681};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forecast forecast = forecast_of(&theta_learner, &(Series){passengers, LEARNT, 1}, arena);
    double low[12], high[12];

    forecast_interval(&forecast, 0.95, low, high);
    for (size_t i = 0; i < COUNT(mean); i++) {
        EXPECT_NEAR(forecast.mean[i], mean[i], 1e-3);
        EXPECT_NEAR(high[i], upper[i], 0.02);
    }
}

/* The line through the first values, by the normal equations. */
static void fit_line(const double *values, size_t count, double *intercept, double *slope)
{
    double n = (double)count, sum = 0, weighted = 0, times = n * (n + 1) / 2;
    double squares = n * (n + 1) * (2 * n + 1) / 6;

    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        weighted += (double)(i + 1) * values[i];
    }
    *slope = count > 1 ? (n * weighted - times * sum) / (n * squares - times * times) : 0;
    *intercept = (sum - *slope * times) / n;
}

/* The sum of squared errors as the paper writes the model. */
static double paper_sum(const double *values, size_t count, double alpha, double theta,
                        double level)
{
    double sum = 0, intercept = 0, slope = 0;

    for (size_t t = 1; t <= count; t++) {
        double mean = level + (1 - 1 / theta) * (pow(1 - alpha, (double)t - 1) * intercept +
                                                 (1 - pow(1 - alpha, (double)t)) / alpha * slope);
        double error = values[t - 1] - mean;

        sum += t >= 4 ? error * error : 0;
        level = alpha * values[t - 1] + (1 - alpha) * level;
        fit_line(values, t, &intercept, &slope);
    }
    return sum;
}

/* The sum is a parabola in the first level: three points give its least. */
static double paper_sum_at_best_level(const double *values, size_t count, double alpha,
                                      double theta)
{
    double low = paper_sum(values, count, alpha, theta, -1);
    double middle = paper_sum(values, count, alpha, theta, 0);
    double high = paper_sum(values, count, alpha, theta, 1);
    double bend = low - 2 * middle + high;
    double best = bend > 0 ? (low - high) / 2 / bend : 0;

    return fmin(paper_sum(values, count, alpha, theta, best), middle);
}

static double least_on_a_grid(const double *values, size_t count)
{
    double least = INFINITY;

    for (int i = 0; i <= 89; i++)
        for (double weight = 0; weight < 1; weight += 0.02)
            least = fmin(least,
                         paper_sum_at_best_level(values, count, 0.1 + 0.01 * i, 1 / (1 - weight)));
    return least;
}

static void test_dotm_finds_the_least_sum_of_the_papers_model(void)
{
    static const size_t counts[] = {12, 40, LEARNT};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(counts); i++) {
        Series series = {passengers, counts[i], 1};
        double deviation = forecast_of(&dotm_learner, &series, arena).deviation[0];
        double sum = deviation * deviation * (double)(counts[i] - 3);
        double least = least_on_a_grid(passengers, counts[i]);

        EXPECT(sum <= least * (1 + 1e-6));
        EXPECT(sum >= least * 0.99);
    }
}

/* statsforecast 2.0: DynamicOptimizedTheta(season_length=12).fit(y[:132]).predict(12)["mean"], and
 * season_length=1. Its sum counts errors otherwise, so that its theta is a little smaller. */
static void test_dotm_is_near_the_library_of_its_name(void)
{
    static const double seasonal[] = {412.69764482, 404.63858326, 466.8291013,  449.64348099,
                                      454.12264597, 517.98484739, 572.5727973,  571.62173396,
                                      502.3832633,  438.81977993, 382.97795503, 432.51774034};
    static const double plain[] = {405.15741893, 405.73232277, 406.30506307, 406.87558956};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forecast one = forecast_of(&dotm_learner, &(Series){passengers, LEARNT, 12}, arena);
    Forecast two = forecast_of(&dotm_learner, &(Series){passengers, LEARNT, 1}, arena);

    for (size_t i = 0; i < COUNT(seasonal); i++)
        EXPECT_NEAR(one.mean[i], seasonal[i], 3e-3 * seasonal[i]);
    for (size_t i = 0; i < COUNT(plain); i++)
        EXPECT_NEAR(two.mean[i], plain[i], 3e-3 * plain[i]);
}

static void test_deviations_grow_and_scale_with_the_values(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double large[LEARNT];

    for (size_t i = 0; i < LEARNT; i++)
        large[i] = passengers[i] * 1e90;
    for (const SeriesLearner *const *learner =
             (const SeriesLearner *const[]){&theta_learner, &dotm_learner, NULL};
         *learner; learner++) {
        Forecast one = forecast_of(*learner, &(Series){passengers, LEARNT, 1}, arena);
        Forecast two = forecast_of(*learner, &(Series){large, LEARNT, 1}, arena);

        for (size_t i = 0; i < 12; i++) {
            EXPECT(i == 0 || one.deviation[i] > one.deviation[i - 1]);
            EXPECT_NEAR(two.mean[i], one.mean[i] * 1e90, 1e83);
            EXPECT_NEAR(two.deviation[i], one.deviation[i] * 1e90, 1e83);
        }
    }
}

static void test_three_values_are_too_few(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SeriesModel model;
    Error error = {0};

    EXPECT(!series_fit(&theta_learner, &(Series){passengers, 3, 1}, arena, &model, &error));
    EXPECT_TEXT(error.message, "theta: the series has 3 values, but at least 4 are needed");
    EXPECT(!series_fit(&dotm_learner, &(Series){passengers, 5, 1}, arena, &model, &error));
    EXPECT_TEXT(error.message, "dotm: the series has 5 values, but at least 6 are needed");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_theta_is_rs_with_a_season),
        TEST(test_theta_is_rs_without_a_season),
        TEST(test_dotm_finds_the_least_sum_of_the_papers_model),
        TEST(test_dotm_is_near_the_library_of_its_name),
        TEST(test_deviations_grow_and_scale_with_the_values),
        TEST(test_three_values_are_too_few),
        {0},
    };
    return test_main(tests, count, names);
}
