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

static void test_each_step_of_the_horizon_has_its_own_figures(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Made made;
    Report report;
    ForecastPoints half;
    Error error = {0};

    make(&made);
    half = made.points;
    half.count = STEPS / 2; /* of the two horizons that the twelve steps are here */
    EXPECT_OK(report_make_forecast(&made.points, &report, &error), error);
    EXPECT_OK(report_add_steps(&report, &(StepPoints){&made.points, &half, 6}, arena, &error),
              error);
    EXPECT(report.step_count == 6);
    for (size_t i = 0; i < 6; i++) {
        const HorizonPart *part = &report.steps[i];
        double first = fabs(passengers[LEARNT + i] - made.mean[i]);
        double second = fabs(passengers[LEARNT + 6 + i] - made.mean[6 + i]);

        EXPECT(part->first == i + 1 && part->last == i + 1);
        EXPECT(part->judged.row_count == 2 && part->tested.row_count == 1);
        EXPECT(is_close(part->judged.mae, (first + second) / 2));
        EXPECT(is_close(part->tested.mae, first) && isnan(part->tested.r2));
        EXPECT(is_close(part->judged.mase, (first + second) / 2 / made.scales[0]));
    }
}

static void test_a_long_horizon_has_figures_by_ranges_of_steps(void)
{
    enum { LONG = 101 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static double truth[LONG], mean[LONG], low[LONG], high[LONG], scales[LONG];
    ForecastPoints points = {truth, mean, low, high, scales, LONG, 0.95};
    Report report;
    size_t next = 1, counted = 0;
    double sum = 0;
    Error error = {0};

    for (size_t i = 0; i < LONG; i++) {
        truth[i] = (double)i;
        high[i] = i < 50 ? 100 : -1;
        scales[i] = 1;
    }
    EXPECT_OK(report_make_forecast(&points, &report, &error), error);
    EXPECT_OK(report_add_steps(&report, &(StepPoints){&points, NULL, LONG}, arena, &error), error);
    EXPECT(report.step_count == HORIZON_PARTS_MAX);
    for (size_t i = 0; i < report.step_count; i++) {
        const HorizonPart *part = &report.steps[i];

        EXPECT(part->first == next && part->last >= part->first && part->tested.row_count == 0);
        next = part->last + 1;
        counted += part->judged.row_count;
        sum += part->judged.mae * (double)part->judged.row_count;
    }
    EXPECT(next == LONG + 1 && counted == LONG && is_close(sum / LONG, report.mae));
    EXPECT(report.steps[0].judged.coverage == 1);
    EXPECT(report.steps[HORIZON_PARTS_MAX - 1].judged.coverage == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_figure_is_that_of_the_score_of_a_series),
        TEST(test_a_metric_is_the_mean_of_its_losses_or_has_none),
        TEST(test_without_a_scale_what_needs_one_has_no_number),
        TEST(test_each_step_of_the_horizon_has_its_own_figures),
        TEST(test_a_long_horizon_has_figures_by_ranges_of_steps),
        TEST(test_each_metric_knows_the_tasks_that_it_is_of),
        {0},
    };
    return test_main(tests, count, names);
}
