/* The figures of forecasts, against ml/forecast_metric.h, which reckons them by itself. */
#include "ml/forecast_metric.h"
#include "ml/report.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { LEARNT = 132, STEPS = 12 };

typedef struct Made {
    double mean[STEPS], low[STEPS], high[STEPS], scales[STEPS];
    ForecastPoints points;
    ForecastIntervals intervals;
    Series series;
} Made;

/* The year before, with intervals that miss some of it. */
static void make(Made *made)
{
    made->series = (Series){passengers, LEARNT, 12};
    for (size_t i = 0; i < STEPS; i++) {
        made->mean[i] = passengers[LEARNT + i - 12];
        made->low[i] = made->mean[i] - 5 * (double)i;
        made->high[i] = made->mean[i] + 9 * (double)i;
        made->scales[i] = seasonal_naive_scale(&made->series, 1);
    }
    made->points = (ForecastPoints){passengers + LEARNT, made->mean, made->low, made->high,
                                    made->scales,        STEPS,      0.9};
    made->intervals = (ForecastIntervals){STEPS, made->mean, made->low, made->high};
}

static bool is_close(double actual, double expected)
{
    return fabs(actual - expected) <= 1e-9 * fmax(1, fabs(expected));
}

static void test_every_figure_is_that_of_the_score_of_a_series(void)
{
    Made made;
    Report report;
    ForecastScore score;
    Error error = {0};

    make(&made);
    score = forecast_score_intervals(passengers + LEARNT, &made.intervals, 0.9, &made.series);
    EXPECT_OK(report_make_forecast(&made.points, &report, &error), error);
    EXPECT(report.task == TASK_FORECAST && report.row_count == STEPS);
    EXPECT(is_close(report.mase, score.mase) && is_close(report.smape, score.smape));
    EXPECT(is_close(report.msis, score.msis) && is_close(report.coverage, score.coverage));
    EXPECT(is_close(report.rmse, score.rmse) && is_close(report.mae, score.mae));
    EXPECT(is_close(report.r2, score.r2));
    EXPECT(report.coverage > 0 && report.coverage < 1);
}

static void test_a_metric_is_the_mean_of_its_losses_or_has_none(void)
{
    Made made;
    Report report;
    size_t found = 0;
    Error error = {0};

    make(&made);
    EXPECT_OK(report_make_forecast(&made.points, &report, &error), error);
    for (const MetricKind *kind = metric_kinds; kind->name; kind++) {
        double losses[STEPS], mean = 0;

        if (!metric_is_of(kind, TASK_FORECAST) || !forecast_losses(&made.points, kind, losses))
            continue;
        for (size_t i = 0; i < STEPS; i++)
            mean += losses[i] / STEPS;
        EXPECT(is_close(mean, metric_value(kind, &report)));
        found++;
    }
    EXPECT(found == 4);
    EXPECT(!forecast_losses(&made.points, metric_find("rmse"), made.scales));
    EXPECT(!forecast_losses(&made.points, metric_find("r2"), made.scales));
}

static void test_without_a_scale_what_needs_one_has_no_number(void)
{
    Made made;
    Report report;
    Error error = {0};

    make(&made);
    made.scales[3] = NAN;
    EXPECT_OK(report_make_forecast(&made.points, &report, &error), error);
    EXPECT(isnan(report.mase) && isnan(report.msis) && report.smape > 0 && report.rmse > 0);
}

static void test_each_metric_knows_the_tasks_that_it_is_of(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Error error = {0};

    EXPECT_TEXT(metric_names(TASK_FORECAST, arena), "rmse, mae, r2, mase, smape, msis");
    EXPECT_TEXT(metric_default(TASK_FORECAST), "mase");
    EXPECT_OK(metric_check("rmse", TASK_FORECAST, &error), error);
    EXPECT(!metric_check("mase", TASK_REGRESSION, &error));
    EXPECT(!metric_check("mape", TASK_FORECAST, &error));
    EXPECT_TEXT(error.message, "\"mape\" is a metric of regression, not of forecast, whose are "
                               "rmse, mae, r2, mase, smape, msis");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_figure_is_that_of_the_score_of_a_series),
        TEST(test_a_metric_is_the_mean_of_its_losses_or_has_none),
        TEST(test_without_a_scale_what_needs_one_has_no_number),
        TEST(test_each_metric_knows_the_tasks_that_it_is_of),
        {0},
    };
    return test_main(tests, count, names);
}
