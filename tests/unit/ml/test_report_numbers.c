#include "ml/random.h"
#include "ml/report.h"

#include "tests/fixtures/report_number_cases.h"
#include "tests/test.h"

static Report make(const NumberCase *one)
{
    Report report;
    Error error = {0};

    EXPECT_OK(report_make_numbers(one->truth, one->predicted, one->row_count, &report, &error),
              error);
    return report;
}

/* The figures of numbers have no range of their own: of large ones it is relative. */
static bool is_close(double actual, double expected)
{
    return isnan(expected) ? isnan(actual)
                           : fabs(actual - expected) <= 1e-9 * fmax(1, fabs(expected));
}

static void test_every_figure_equals_scikit_learns(void)
{
    for (const NumberCase *one = number_cases; one->name; one++) {
        Report report = make(one);
        const ExpectedNumber *figure = one->figures;

        for (const MetricKind *kind = metric_kinds; kind->name; kind++) {
            if (kind->task != TASK_REGRESSION)
                continue;
            EXPECT_TEXT(figure->metric, kind->name);
            if (!is_close(metric_value(kind, &report), figure->value)) {
                fprintf(stderr, "%s: %s is %.17g, scikit-learn says %.17g\n", one->name, kind->name,
                        metric_value(kind, &report), figure->value);
                exit(1);
            }
            EXPECT(isnan(figure->value) ||
                   (figure->value >= kind->least && figure->value <= kind->most));
            figure++;
        }
        EXPECT(figure->metric == NULL);
    }
}

static void test_the_quantiles_of_the_residuals_are_numpys(void)
{
    for (const NumberCase *one = number_cases; one->name; one++) {
        Report report = make(one);

        for (size_t i = 0; i < RESIDUAL_QUANTILE_COUNT; i++)
            EXPECT(is_close(report.residual_quantiles[i].value, one->residual_quantiles[i]));
    }
}

static void test_residuals_are_shown_in_ten_parts_by_rising_prediction(void)
{
    double truth[25], predicted[25];
    size_t total = 0;
    Report report;
    Error error = {0};

    for (size_t i = 0; i < 25; i++) {
        predicted[i] = (double)(24 - i);
        truth[i] = predicted[i] + (i < 10 ? 2 : -1);
    }
    EXPECT_OK(report_make_numbers(truth, predicted, 25, &report, &error), error);
    EXPECT(report.residual_part_count == 10);
    for (size_t i = 0; i < 10; i++) {
        EXPECT(report.residuals[i].count == (i % 2 ? 3 : 2));
        EXPECT(i == 0 || report.residuals[i].low > report.residuals[i - 1].high);
        total += report.residuals[i].count;
    }
    EXPECT(total == 25);
    EXPECT(report.residuals[0].low == 0 && report.residuals[0].high == 1);
    EXPECT_NEAR(report.residuals[0].mean_residual, -1, 1e-15);
    EXPECT_NEAR(report.residuals[0].mean_truth, -0.5, 1e-15);
    EXPECT_NEAR(report.residuals[9].mean_prediction, 23, 1e-12);
    EXPECT_NEAR(report.residuals[9].rmse, 2, 1e-12);

    EXPECT_OK(report_make_numbers(truth, predicted, 3, &report, &error), error);
    EXPECT(report.residual_part_count == 3 && report.residuals[2].count == 1);
}

static const struct {
    double truth, predicted;
    size_t row_count;
    const char *message;
} refusals[] = {
    {0, 0, 0, "a report needs at least one row"},
    {NAN, 0, 1, "the true number of row 0 is nan, but it must be finite"},
    {HUGE_VAL, 0, 1, "the true number of row 0 is inf, but it must be finite"},
    {0, -HUGE_VAL, 1, "the predicted number of row 0 is -inf, but it must be finite"},
};

static void test_what_is_not_finite_is_refused_and_changes_nothing(void)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        Report report = {.row_count = 77};
        Error error = {0};

        EXPECT(!report_make_numbers(&refusals[i].truth, &refusals[i].predicted,
                                    refusals[i].row_count, &report, &error));
        EXPECT_TEXT(error.message, refusals[i].message);
        EXPECT(report.row_count == 77);
    }
}

static void test_a_report_of_numbers_says_its_task_and_has_its_metrics_only(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    const JsonValue *document, *metrics;
    Report report = make(&number_cases[0]);
    const char *text;
    Error error = {0};

    report_write_json(json, NULL, &report, NULL);
    text = json_finish(json);
    EXPECT_OK(json_parse(text, strlen(text), arena, &document, &error), error);
    EXPECT_TEXT(json_as_text(json_member(document, "task"), ""), "regression");
    EXPECT(json_as_int(json_member(document, "row_count"), 0) == 60);
    metrics = json_member(document, "metrics");
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        EXPECT(json_is_number(json_member(metrics, kind->name)) == (kind->task == TASK_REGRESSION));
    EXPECT(json_count(json_member(document, "residual_quantiles")) == RESIDUAL_QUANTILE_COUNT);
    EXPECT(json_count(json_member(document, "residuals")) == RESIDUAL_PART_COUNT);
    EXPECT(!json_member(document, "classes") && !json_member(document, "confusion"));
}

static void test_a_metric_of_the_other_task_is_not_a_number(void)
{
    Report report = make(&number_cases[0]);

    EXPECT(isnan(metric_value(metric_find("f1"), &report)));
    report.task = TASK_CLASSIFICATION;
    EXPECT(isnan(metric_value(metric_find("rmse"), &report)));
}

static void test_a_metric_of_the_other_task_is_refused_with_those_that_are_allowed(void)
{
    Error error = {0};

    EXPECT(metric_check("rmse", TASK_REGRESSION, &error));
    EXPECT(metric_check(metric_default(TASK_REGRESSION), TASK_REGRESSION, &error));
    EXPECT(metric_check(metric_default(TASK_CLASSIFICATION), TASK_CLASSIFICATION, &error));
    EXPECT(!metric_check("f1", TASK_REGRESSION, &error));
    EXPECT_TEXT(error.message,
                "\"f1\" is a metric of classification, not of regression, whose are rmse, mae, r2, "
                "mape, median_absolute_error, explained_variance, max_error");
    EXPECT_TEXT(error.field, "metric");
    EXPECT(!metric_check("R2", TASK_REGRESSION, &error));
    EXPECT_TEXT(error.message,
                "\"R2\" is not a metric; those of regression are rmse, mae, r2, mape, "
                "median_absolute_error, explained_variance, max_error");
    EXPECT(!metric_check("mae", TASK_CLASSIFICATION, &error));
    EXPECT(strstr(error.message, "\"mae\" is a metric of regression, not of classification, whose "
                                 "are accuracy, ") == error.message);
    EXPECT(strstr(error.message, ", calibration_error") != NULL);
}

/* The bootstrap. */

enum { ROW_COUNT = 80, RESAMPLE_COUNT = 60 };

/* Two models for the same rows: the second is nearer to the truth. Rounded, so that errors tie. */
typedef struct Rivals {
    double truth[ROW_COUNT], predicted[2][ROW_COUNT];
} Rivals;

static void rivals_init(Rivals *rivals)
{
    Random random = random_seeded(5);

    for (size_t row = 0; row < ROW_COUNT; row++) {
        rivals->truth[row] = floor(random_unit(&random) * 50);
        for (size_t i = 0; i < 2; i++)
            rivals->predicted[i][row] =
                rivals->truth[row] + floor((random_unit(&random) - 0.4) * (i ? 8 : 16));
    }
}

static bool compare(const Rivals *rivals, const char *metric, size_t resamples,
                    PairedInterval *interval, Error *error)
{
    const NumberRivals both = {.truth = rivals->truth,
                               .champion = rivals->predicted[0],
                               .challenger = rivals->predicted[1],
                               .row_count = ROW_COUNT,
                               .metric = metric_find(metric),
                               .level = 0.9,
                               .resamples = resamples,
                               .seed = 11};

    return paired_bootstrap_numbers(&both, interval, error);
}

/* The slow way: draws the rows themselves and makes a whole report of them. */
static double difference_of_rows(const Rivals *rivals, const size_t *rows, const MetricKind *metric)
{
    double values[2];

    for (size_t model = 0; model < 2; model++) {
        double truth[ROW_COUNT], predicted[ROW_COUNT];
        Report report;
        Error error = {0};

        for (size_t i = 0; i < ROW_COUNT; i++) {
            truth[i] = rivals->truth[rows[i]];
            predicted[i] = rivals->predicted[model][rows[i]];
        }
        EXPECT_OK(report_make_numbers(truth, predicted, ROW_COUNT, &report, &error), error);
        values[model] = metric_value(metric, &report);
    }
    return values[1] - values[0];
}

static int double_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void expect_same_as_whole_reports(const Rivals *rivals, const MetricKind *metric)
{
    double differences[RESAMPLE_COUNT + 1];
    Random random = random_seeded(11);
    PairedInterval interval;
    Error error = {0};

    for (size_t i = 0; i <= RESAMPLE_COUNT; i++) {
        size_t rows[ROW_COUNT];

        for (size_t j = 0; j < ROW_COUNT; j++)
            rows[j] = (size_t)random_below(&random, ROW_COUNT);
        differences[i] = difference_of_rows(rivals, rows, metric);
    }
    qsort(differences, RESAMPLE_COUNT + 1, sizeof(double), double_compare);
    EXPECT_OK(compare(rivals, metric->name, RESAMPLE_COUNT + 1, &interval, &error), error);
    EXPECT(interval.resamples == RESAMPLE_COUNT + 1);
    EXPECT(is_close(interval.low, differences[3])); /* 5 % of 60 steps */
    EXPECT(is_close(interval.high, differences[57]));
}

static void test_a_resample_gives_the_figures_of_a_whole_report_of_its_rows(void)
{
    Rivals rivals;

    rivals_init(&rivals);
    for (const MetricKind *metric = metric_kinds; metric->name; metric++)
        if (metric->task == TASK_REGRESSION)
            expect_same_as_whole_reports(&rivals, metric);
}

static void test_a_better_challenger_has_an_interval_beyond_zero(void)
{
    Rivals rivals;
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals);
    EXPECT_OK(compare(&rivals, "rmse", 2000, &interval, &error), error);
    EXPECT(interval.high < 0 && interval.low < interval.difference);
    EXPECT(interval.difference == interval.challenger - interval.champion);
    EXPECT_OK(compare(&rivals, "r2", 2000, &interval, &error), error);
    EXPECT(interval.low > 0 && interval.high > interval.difference);
}

static void test_numbers_are_not_compared_by_a_metric_of_classes(void)
{
    Rivals rivals;
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals);
    EXPECT(!compare(&rivals, "f1", 10, &interval, &error));
    EXPECT(strstr(error.message, "\"f1\" is a metric of classification") == error.message);
    rivals.predicted[1][3] = NAN;
    EXPECT(!compare(&rivals, "mae", 10, &interval, &error));
    EXPECT_TEXT(error.message,
                "the challenger: the predicted number of row 3 is nan, but it must be finite");
}

static void test_r2_of_one_row_decides_nothing(void)
{
    const double truth = 5, number = 4;
    const NumberRivals both = {&truth, &number, &number, 1, metric_find("r2"), 0.9, 10, 1};
    PairedInterval interval;
    Error error = {0};

    EXPECT(!paired_bootstrap_numbers(&both, &interval, &error));
    EXPECT_TEXT(error.message, "\"r2\" of the champion is not defined on 1 row");
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_every_figure_equals_scikit_learns),
        TEST(test_the_quantiles_of_the_residuals_are_numpys),
        TEST(test_residuals_are_shown_in_ten_parts_by_rising_prediction),
        TEST(test_what_is_not_finite_is_refused_and_changes_nothing),
        TEST(test_a_report_of_numbers_says_its_task_and_has_its_metrics_only),
        TEST(test_a_metric_of_the_other_task_is_not_a_number),
        TEST(test_a_metric_of_the_other_task_is_refused_with_those_that_are_allowed),
        TEST(test_a_resample_gives_the_figures_of_a_whole_report_of_its_rows),
        TEST(test_a_better_challenger_has_an_interval_beyond_zero),
        TEST(test_numbers_are_not_compared_by_a_metric_of_classes),
        TEST(test_r2_of_one_row_decides_nothing),
        {0},
    };

    return test_main(tests, count, arguments);
}
