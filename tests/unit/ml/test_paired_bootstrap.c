#include "ml/random.h"
#include "ml/report.h"

#include "tests/test.h"

enum { ROW_COUNT = 80, RESAMPLE_COUNT = 60 };

static const char *const names[] = {"a", "b", "c"};

/* Two models for the same rows: the second is nearer to the truth. Rounded, so that scores tie. */
typedef struct Rivals {
    size_t class_count;
    int truth[ROW_COUNT], predicted[2][ROW_COUNT];
    double probabilities[2][ROW_COUNT * 3];
    Predictions models[2];
} Rivals;

static void fill_row(Rivals *rivals, size_t model, size_t row, Random *random)
{
    double *place = &rivals->probabilities[model][row * rivals->class_count], sum = 0;
    size_t named = 0;

    for (size_t i = 0; i < rivals->class_count; i++) {
        double hint = (int)i == rivals->truth[row] ? 0.3 + 0.5 * (double)model : 0;

        place[i] = floor((random_unit(random) + hint) * 8) + 1;
        sum += place[i];
    }
    for (size_t i = 0; i < rivals->class_count; i++) {
        place[i] /= sum;
        if (place[i] > place[named])
            named = i;
    }
    rivals->predicted[model][row] = (int)named;
}

static void rivals_init(Rivals *rivals, size_t class_count)
{
    Random random = random_seeded(5);

    rivals->class_count = class_count;
    for (size_t row = 0; row < ROW_COUNT; row++) {
        rivals->truth[row] = (int)(row % class_count);
        fill_row(rivals, 0, row, &random);
        fill_row(rivals, 1, row, &random);
    }
    for (size_t i = 0; i < 2; i++)
        rivals->models[i] = (Predictions){rivals->predicted[i], rivals->probabilities[i]};
}

static bool compare(const Rivals *rivals, const char *metric, size_t resamples, uint64_t seed,
                    PairedInterval *interval, Error *error)
{
    ClassNames classes = {names, rivals->class_count};

    return paired_bootstrap(rivals->truth, &rivals->models[0], &rivals->models[1], ROW_COUNT,
                            &classes, 1, metric_find(metric), 0.9, resamples, seed, interval,
                            error);
}

/* The slow way: draws the rows themselves and makes a whole report of them. */
static double difference_of_rows(const Rivals *rivals, const size_t *rows, const MetricKind *metric)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ClassNames classes = {names, rivals->class_count};
    double values[2];

    for (size_t model = 0; model < 2; model++) {
        int truth[ROW_COUNT], predicted[ROW_COUNT];
        double probabilities[ROW_COUNT * 3];
        size_t width = rivals->class_count;
        Report report;
        Error error = {0};

        for (size_t i = 0; i < ROW_COUNT; i++) {
            truth[i] = rivals->truth[rows[i]];
            predicted[i] = rivals->predicted[model][rows[i]];
            memcpy(&probabilities[i * width], &rivals->probabilities[model][rows[i] * width],
                   width * sizeof(double));
        }
        EXPECT_OK(report_make(truth, predicted, probabilities, ROW_COUNT, &classes, 1, arena,
                              &report, &error),
                  error);
        values[model] = metric_value(metric, &report);
    }
    return values[1] - values[0];
}

static int number_compare(const void *left, const void *right)
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
    qsort(differences, RESAMPLE_COUNT + 1, sizeof(double), number_compare);
    EXPECT_OK(compare(rivals, metric->name, RESAMPLE_COUNT + 1, 11, &interval, &error), error);
    EXPECT(interval.resamples == RESAMPLE_COUNT + 1);
    EXPECT_NEAR(interval.low, differences[3], 1e-12); /* 5 % of 60 steps */
    EXPECT_NEAR(interval.high, differences[57], 1e-12);
}

static void test_a_resample_gives_the_figures_of_a_whole_report_of_its_rows(void)
{
    for (size_t class_count = 2; class_count <= 3; class_count++) {
        Rivals rivals;

        rivals_init(&rivals, class_count);
        for (const MetricKind *metric = metric_kinds; metric->name; metric++)
            if (metric->task == TASK_CLASSIFICATION)
                expect_same_as_whole_reports(&rivals, metric);
    }
}

static void test_a_better_challenger_has_an_interval_above_zero(void)
{
    Rivals rivals;
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals, 2);
    EXPECT_OK(compare(&rivals, "f1", 2000, 1, &interval, &error), error);
    EXPECT(interval.resamples == 2000);
    EXPECT(interval.difference == interval.challenger - interval.champion);
    EXPECT(interval.low > 0 && interval.low < interval.difference);
    EXPECT(interval.high > interval.difference);
    EXPECT_OK(compare(&rivals, "log_loss", 2000, 1, &interval, &error), error);
    EXPECT(interval.high < 0); /* lower is better: the difference is still challenger - champion */
}

static void test_a_model_against_itself_differs_by_nothing(void)
{
    Rivals rivals;

    rivals_init(&rivals, 3);
    rivals.models[1] = rivals.models[0];
    for (const MetricKind *metric = metric_kinds; metric->name; metric++) {
        PairedInterval interval;
        Error error = {0};

        if (metric->task != TASK_CLASSIFICATION)
            continue;
        EXPECT_OK(compare(&rivals, metric->name, 50, 1, &interval, &error), error);
        EXPECT(interval.difference == 0 && interval.low == 0 && interval.high == 0);
    }
}

static void test_the_same_seed_gives_the_same_interval(void)
{
    Rivals rivals;
    PairedInterval first, second, other;
    Error error = {0};

    rivals_init(&rivals, 2);
    EXPECT_OK(compare(&rivals, "auc", 200, 1, &first, &error), error);
    EXPECT_OK(compare(&rivals, "auc", 200, 1, &second, &error), error);
    EXPECT_OK(compare(&rivals, "auc", 200, 2, &other, &error), error);
    EXPECT(first.low == second.low && first.high == second.high);
    EXPECT(first.low != other.low);
}

static void test_a_metric_of_probabilities_needs_them(void)
{
    Rivals rivals;
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals, 2);
    rivals.models[0].probabilities = NULL;
    EXPECT(!compare(&rivals, "auc", 200, 1, &interval, &error));
    EXPECT_TEXT(error.message, "the champion has no probabilities, which \"auc\" needs");
    EXPECT_OK(compare(&rivals, "f1", 200, 1, &interval, &error), error);
}

static void test_a_class_that_most_resamples_miss_is_refused(void)
{
    Rivals rivals;
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals, 2);
    memset(rivals.truth, 0, sizeof(rivals.truth));
    EXPECT(!compare(&rivals, "auc", 200, 1, &interval, &error));
    EXPECT_TEXT(error.message, "\"auc\" of the champion is not defined on these rows: "
                               "each class must occur in them");
    rivals.truth[7] = 1; /* drawn by 63 % of the resamples */
    EXPECT(!compare(&rivals, "auc", 200, 1, &interval, &error));
    EXPECT(strstr(error.message, "of 200 resamples gave a number for \"auc\"") != NULL);
}

static void test_requests_out_of_range_are_refused(void)
{
    Rivals rivals;
    ClassNames classes = {names, 2};
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals, 2);
    EXPECT(!compare(&rivals, "f1", 0, 1, &interval, &error));
    EXPECT_TEXT(error.message, "a bootstrap takes 1 to 1000000 resamples, not 0");
    EXPECT(!paired_bootstrap(rivals.truth, &rivals.models[0], &rivals.models[1], ROW_COUNT,
                             &classes, 1, metric_find("f1"), 95, 10, 1, &interval, &error));
    EXPECT_TEXT(error.message, "the level of an interval is 95, but it must be between 0 and 1");
    rivals.predicted[1][3] = 2;
    EXPECT(!compare(&rivals, "f1", 10, 1, &interval, &error));
    EXPECT_TEXT(error.message,
                "the challenger: the predicted class of row 3 is 2, but classes are 0 to 1");
}

/* ---- several answers of the challenger ---- */

typedef struct Answers {
    const Predictions *items;
    size_t count;
    const char *metric;
} Answers;

static bool repeat(const Rivals *rivals, Answers answers, PairedInterval *interval, Error *error)
{
    ClassNames classes = {names, rivals->class_count};
    RepeatedRivals asked = {.truth = rivals->truth,
                            .champion = &rivals->models[0],
                            .challengers = answers.items,
                            .challenger_count = answers.count,
                            .row_count = ROW_COUNT,
                            .classes = &classes,
                            .positive = 1,
                            .metric = metric_find(answers.metric),
                            .level = 0.9,
                            .resamples = 4000,
                            .seed = 3};

    return repeated_bootstrap(&asked, interval, error);
}

/* Each draw of equal answers is the same, so what is left is the chance of the rows. */
static void test_equal_answers_have_the_interval_of_one(void)
{
    Rivals rivals;
    PairedInterval one, many;
    Error error = {0};

    rivals_init(&rivals, 2);
    {
        const Predictions equal[] = {rivals.models[1], rivals.models[1], rivals.models[1]};

        EXPECT_OK(compare(&rivals, "f1", 4000, 1, &one, &error), error);
        EXPECT_OK(repeat(&rivals, (Answers){equal, 3, "f1"}, &many, &error), error);
    }
    EXPECT_NEAR(many.difference, one.difference, 1e-12);
    EXPECT_NEAR(many.challenger, one.challenger, 1e-12);
    EXPECT(many.champion == one.champion);
    EXPECT_NEAR(many.low, one.low, 0.02);
    EXPECT_NEAR(many.high, one.high, 0.02);
}

/* The half of them are the champion's own answers: on average they differ by the half, and how many
 * of them are drawn is a chance of its own. */
static void test_answers_that_differ_among_themselves_widen_the_interval(void)
{
    Rivals rivals;
    PairedInterval one, mixed;
    Error error = {0};

    rivals_init(&rivals, 2);
    {
        const Predictions answers[] = {rivals.models[0], rivals.models[1]};

        EXPECT_OK(compare(&rivals, "log_loss", 4000, 1, &one, &error), error);
        EXPECT_OK(repeat(&rivals, (Answers){answers, 2, "log_loss"}, &mixed, &error), error);
    }
    EXPECT_NEAR(mixed.difference, one.difference / 2, 1e-12);
    EXPECT(mixed.high == 0); /* a quarter of the draws has the champion's twice */
    EXPECT_NEAR(mixed.low, one.difference, fabs(one.low - one.difference));
    EXPECT(mixed.high - mixed.low > (one.high - one.low) / 2);
}

static void test_an_interval_that_too_few_resamples_know_is_unknown(void)
{
    Rivals rivals;
    const Answers one = {&rivals.models[1], 1, "auc"};
    PairedInterval interval;
    Error error = {0};

    rivals_init(&rivals, 2);
    memset(rivals.truth, 0, sizeof(rivals.truth));
    rivals.truth[7] = 1;
    EXPECT_OK(repeat(&rivals, one, &interval, &error), error);
    EXPECT(isfinite(interval.difference) && isnan(interval.low) && isnan(interval.high));
    rivals.truth[7] = 0;
    EXPECT(!repeat(&rivals, one, &interval, &error));
    EXPECT_TEXT(error.message, "\"auc\" of the model is not defined on these rows: each class must "
                               "occur in them");
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_a_resample_gives_the_figures_of_a_whole_report_of_its_rows),
        TEST(test_a_better_challenger_has_an_interval_above_zero),
        TEST(test_a_model_against_itself_differs_by_nothing),
        TEST(test_the_same_seed_gives_the_same_interval),
        TEST(test_a_metric_of_probabilities_needs_them),
        TEST(test_a_class_that_most_resamples_miss_is_refused),
        TEST(test_requests_out_of_range_are_refused),
        TEST(test_equal_answers_have_the_interval_of_one),
        TEST(test_answers_that_differ_among_themselves_widen_the_interval),
        TEST(test_an_interval_that_too_few_resamples_know_is_unknown),
        {0},
    };

    return test_main(tests, count, arguments);
}
