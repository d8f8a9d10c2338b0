#include "ml/report.h"

#include "tests/fixtures/report_cases.h"
#include "tests/test.h"

static const char *const names[] = {"a", "b", "c", "d"};

static Report make(const ReportCase *one, Arena *arena)
{
    ClassNames classes = {names, one->class_count};
    Report report;
    Error error = {0};

    EXPECT_OK(report_make(one->truth, one->predicted, one->probabilities, one->row_count, &classes,
                          one->positive, arena, &report, &error),
              error);
    return report;
}

static bool is_close(double actual, double expected)
{
    return isnan(expected) ? isnan(actual) : fabs(actual - expected) <= 1e-9;
}

static void test_every_figure_equals_scikit_learns(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (const ReportCase *one = report_cases; one->name; one++) {
        Report report = make(one, arena);

        for (const ExpectedFigure *figure = one->figures; figure->metric; figure++) {
            const MetricKind *kind = metric_find(figure->metric);

            EXPECT(kind != NULL);
            if (!is_close(metric_value(kind, &report), figure->value)) {
                fprintf(stderr, "%s: %s is %.17g, scikit-learn says %.17g\n", one->name, kind->name,
                        metric_value(kind, &report), figure->value);
                exit(1);
            }
        }
    }
}

static void test_every_metric_has_an_expected_value_and_keeps_its_bounds(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (const ReportCase *one = report_cases; one->name; one++) {
        Report report = make(one, arena);
        const ExpectedFigure *figure = one->figures;

        for (const MetricKind *kind = metric_kinds; kind->name; kind++) {
            double value = metric_value(kind, &report);

            EXPECT(kind->summary[0] != '\0');
            if (kind->task != TASK_CLASSIFICATION)
                continue;
            EXPECT_TEXT(figure->metric, kind->name);
            EXPECT(isnan(value) || (value >= kind->least && value <= kind->most));
            figure++;
        }
        EXPECT(figure->metric == NULL);
    }
}

static void test_metric_names_are_exact(void)
{
    EXPECT(metric_find("f1") != NULL);
    EXPECT(metric_find("F1") == NULL);
    EXPECT(metric_find("") == NULL);
    EXPECT(!metric_find("log_loss")->higher_is_better);
    EXPECT(metric_find("mcc")->higher_is_better);
}

static void test_the_confusion_matrix_counts_truth_by_prediction(void)
{
    static const int truth[] = {0, 0, 0, 1, 1, 2};
    static const int predicted[] = {0, 1, 1, 1, 0, 2};
    static const size_t expected[] = {1, 2, 0, 1, 1, 0, 0, 0, 1};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ClassNames classes = {names, 3};
    Report report;
    Error error = {0};

    EXPECT_OK(report_make(truth, predicted, NULL, 6, &classes, 0, arena, &report, &error), error);
    EXPECT(memcmp(report.confusion, expected, sizeof(expected)) == 0);
    EXPECT_TEXT(report.classes[1].name, "b");
    EXPECT(report.classes[1].support == 2 && report.classes[1].predicted == 3);
    EXPECT_NEAR(report.classes[1].precision, 1.0 / 3, 1e-15);
    EXPECT_NEAR(report.classes[1].recall, 0.5, 1e-15);
    EXPECT_NEAR(report.classes[1].f1, 0.4, 1e-15);
}

static void test_without_probabilities_their_figures_are_not_numbers(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const int truth[] = {0, 1};
    ClassNames classes = {names, 2};
    Report report;
    Error error = {0};

    EXPECT_OK(report_make(truth, truth, NULL, 2, &classes, 1, arena, &report, &error), error);
    EXPECT(report.accuracy == 1 && report.f1 == 1);
    EXPECT(isnan(report.auc) && isnan(report.average_precision) && isnan(report.log_loss));
    EXPECT(isnan(report.brier) && isnan(report.calibration_error));
    EXPECT(report.calibration[9].high == 1 && report.calibration[9].count == 0);
    EXPECT(isnan(report.calibration[9].accuracy));
}

static void test_a_confidence_on_an_edge_belongs_to_the_bin_that_ends_there(void)
{
    static const int truth[] = {1, 0, 1}, predicted[] = {1, 1, 1};
    static const double probabilities[] = {0.7, 0.3, 0.4, 0.6, 1, 0};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ClassNames classes = {names, 2};
    Report report;
    Error error = {0};

    EXPECT_OK(report_make(truth, predicted, probabilities, 3, &classes, 1, arena, &report, &error),
              error);
    EXPECT(report.calibration[0].count == 1); /* 0 */
    EXPECT(report.calibration[2].count == 1); /* 0.3 */
    EXPECT(report.calibration[3].count == 0);
    EXPECT(report.calibration[5].count == 1); /* 0.6 */
    EXPECT(report.calibration[5].accuracy == 0 && report.calibration[5].mean_confidence == 0.6);
    EXPECT_NEAR(report.calibration_error, (1 + 0.7 + 0.6) / 3, 1e-15);
}

static const struct {
    int truth, predicted;
    double probability;
    size_t row_count, positive;
    const char *message;
} refusals[] = {
    {0, 0, 0.5, 0, 1, "a report needs at least one row"},
    {2, 0, 0.5, 1, 1, "the true class of row 0 is 2, but classes are 0 to 1"},
    {0, -1, 0.5, 1, 1, "the predicted class of row 0 is -1, but classes are 0 to 1"},
    {0, 0, 0.5, 1, 2, "the positive class is 2, but classes are 0 to 1"},
    {0, 0, 1.5, 1, 1, "the probability of \"b\" in row 0 is 1.5, but it must be from 0 to 1"},
    {0, 0, NAN, 1, 1, "the probability of \"b\" in row 0 is nan, but it must be from 0 to 1"},
    {0, 0, -1e-9, 1, 1, "the probability of \"b\" in row 0 is -1e-09, but it must be from 0 to 1"},
};

static void test_input_out_of_range_is_refused_and_changes_nothing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ClassNames classes = {names, 2};

    for (size_t i = 0; i < COUNT(refusals); i++) {
        double probabilities[] = {0.5, refusals[i].probability};
        Report report = {.row_count = 77};
        Error error = {0};

        EXPECT(!report_make(&refusals[i].truth, &refusals[i].predicted, probabilities,
                            refusals[i].row_count, &classes, refusals[i].positive, arena, &report,
                            &error));
        EXPECT_TEXT(error.message, refusals[i].message);
        EXPECT(report.row_count == 77);
    }
}

static void test_a_report_as_json_has_every_metric_and_null_for_what_is_not_a_number(void)
{
    static const int truth[] = {0, 0, 1}, predicted[] = {0, 1, 1};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    ClassNames classes = {names, 2};
    const JsonValue *document, *metrics;
    const char *text;
    Report report;
    Error error = {0};

    EXPECT_OK(report_make(truth, predicted, NULL, 3, &classes, 1, arena, &report, &error), error);
    report_write_json(json, NULL, &report, &classes);
    text = json_finish(json);
    EXPECT(strstr(text, "\"confusion\":[[1,1],[0,1]]") != NULL);
    EXPECT_OK(json_parse(text, strlen(text), arena, &document, &error), error);
    EXPECT_TEXT(json_as_text(json_member(document, "task"), ""), "classification");
    metrics = json_member(document, "metrics");
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        EXPECT(json_is_number(json_member(metrics, kind->name)) !=
               (bool)isnan(metric_value(kind, &report)));
    EXPECT(strstr(text, "\"auc\":null") != NULL);
    EXPECT_NEAR(json_as_double(json_member(metrics, "f1"), -1), 2.0 / 3, 1e-15);
    EXPECT_TEXT(json_as_text(json_member(document, "positive"), ""), "b");
    EXPECT(json_count(json_member(document, "classes")) == 2);
    EXPECT(json_count(json_member(document, "calibration")) == 10);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_every_figure_equals_scikit_learns),
        TEST(test_every_metric_has_an_expected_value_and_keeps_its_bounds),
        TEST(test_metric_names_are_exact),
        TEST(test_the_confusion_matrix_counts_truth_by_prediction),
        TEST(test_without_probabilities_their_figures_are_not_numbers),
        TEST(test_a_confidence_on_an_edge_belongs_to_the_bin_that_ends_there),
        TEST(test_a_report_as_json_has_every_metric_and_null_for_what_is_not_a_number),
        TEST(test_input_out_of_range_is_refused_and_changes_nothing),
        {0},
    };

    return test_main(tests, count, arguments);
}
