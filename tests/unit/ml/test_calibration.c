#include "ml/calibration.h"

#include "ml/random.h"
#include "tests/test.h"

enum { ROWS = 4000 };

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Two classes whose true probability at margin m is logistic(2.5 m - 0.7). */
static void make_margins(double *margins, int *labels)
{
    Random random = random_seeded(11);

    for (size_t row = 0; row < ROWS; row++) {
        margins[row] = random_unit(&random) * 4 - 2;
        labels[row] = random_unit(&random) < logistic(2.5 * margins[row] - 0.7);
    }
}

static double probability_at(const Calibration *calibration, double margin)
{
    double probabilities[2];

    calibration_apply(calibration, &margin, probabilities);
    EXPECT_NEAR(probabilities[0] + probabilities[1], 1, 1e-12);
    return probabilities[1];
}

static void test_logistic_finds_the_curve_that_made_the_labels(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static double margins[ROWS];
    static int labels[ROWS];
    MarginSet set = {margins, labels, ROWS, 1};
    Calibration calibration;

    make_margins(margins, labels);
    calibration = calibration_fit(&set, CALIBRATION_LOGISTIC, arena);
    EXPECT_NEAR(calibration.slopes[0], 2.5, 0.2);
    EXPECT_NEAR(calibration.offsets[0], -0.7, 0.15);
}

static void test_isotonic_rises_and_follows_the_curve(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static double margins[ROWS];
    static int labels[ROWS];
    MarginSet set = {margins, labels, ROWS, 1};
    Calibration calibration;
    double last = 0, error = 0;

    make_margins(margins, labels);
    calibration = calibration_fit(&set, CALIBRATION_ISOTONIC, arena);
    for (double margin = -5; margin <= 5; margin += 0.01) {
        double value = probability_at(&calibration, margin);

        EXPECT(value >= last && value > 0 && value < 1);
        last = value;
        if (fabs(margin) < 1.5)
            error += fabs(value - logistic(2.5 * margin - 0.7)) / 300;
    }
    EXPECT(error < 0.03);
}

/* Rows that say the same to a model: their order must not matter, nor how a mean is rounded. */
static void test_isotonic_takes_rows_of_one_margin_as_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static double margins[ROWS];
    static int labels[ROWS];
    MarginSet set = {margins, labels, ROWS, 1};
    Calibration calibration;

    for (size_t row = 0; row < ROWS; row++) {
        margins[row] = 0.1 * (double)(row % 3) - 1.1;
        labels[row] = row < ROWS / 2; /* with ties in the order of the rows: falling */
    }
    calibration = calibration_fit(&set, CALIBRATION_ISOTONIC, arena);
    EXPECT(calibration.knot_count == 1);
    for (size_t row = 0; row < ROWS; row++)
        labels[row] = row >= ROWS / 2; /* rising */
    calibration = calibration_fit(&set, CALIBRATION_ISOTONIC, arena);
    EXPECT(calibration.knot_count <= 3);
    for (size_t i = 1; i < calibration.knot_count; i++)
        EXPECT(calibration.knot_margins[i] > calibration.knot_margins[i - 1]);
}

static void test_margins_that_separate_the_classes_give_no_certainty(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double margins[] = {-3, -2, -1, 1, 2, 3};
    int labels[] = {0, 0, 0, 1, 1, 1};
    MarginSet set = {margins, labels, 6, 1};

    for (CalibrationKind kind = CALIBRATION_LOGISTIC; kind <= CALIBRATION_ISOTONIC; kind++) {
        Calibration calibration = calibration_fit(&set, kind, arena);

        EXPECT(probability_at(&calibration, 1000) < 1);
        EXPECT(probability_at(&calibration, 1) > 0.5);
        EXPECT(probability_at(&calibration, -1000) > 0);
    }
}

static void test_margins_that_say_nothing_give_the_share_of_the_class(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static double margins[ROWS];
    static int labels[ROWS];
    MarginSet set = {margins, labels, ROWS, 1};

    for (size_t row = 0; row < ROWS; row++) {
        margins[row] = 0.25;
        labels[row] = row % 4 == 0;
    }
    for (CalibrationKind kind = CALIBRATION_LOGISTIC; kind <= CALIBRATION_ISOTONIC; kind++) {
        Calibration calibration = calibration_fit(&set, kind, arena);

        EXPECT_NEAR(probability_at(&calibration, 0.25), 0.25, 0.01);
    }
}

static void test_probabilities_of_many_classes_sum_to_one_and_name_the_largest_margin(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static double margins[ROWS * 3];
    static int labels[ROWS];
    static const CalibrationKind kinds[] = {CALIBRATION_LOGISTIC, CALIBRATION_SOFTMAX};
    MarginSet set = {margins, labels, ROWS, 3};
    Random random = random_seeded(5);

    for (size_t row = 0; row < ROWS; row++) {
        labels[row] = (int)random_below(&random, 3);
        for (int k = 0; k < 3; k++)
            margins[row * 3 + (size_t)k] = random_unit(&random) + (k == labels[row]);
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        Calibration calibration = calibration_fit(&set, kinds[i], arena);
        double probabilities[3], extreme[3] = {-1e6, 1e6, 0}, mean = 0;

        for (size_t row = 0; row < ROWS; row++) {
            calibration_apply(&calibration, margins + row * 3, probabilities);
            EXPECT_NEAR(probabilities[0] + probabilities[1] + probabilities[2], 1, 1e-12);
            mean += probabilities[labels[row]] / ROWS;
        }
        EXPECT(mean > 0.7);
        calibration_apply(&calibration, extreme, probabilities);
        EXPECT(probabilities[1] > 0.9 && probabilities[0] > 0 && probabilities[1] < 1);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_logistic_finds_the_curve_that_made_the_labels),
        TEST(test_isotonic_rises_and_follows_the_curve),
        TEST(test_isotonic_takes_rows_of_one_margin_as_one),
        TEST(test_margins_that_separate_the_classes_give_no_certainty),
        TEST(test_margins_that_say_nothing_give_the_share_of_the_class),
        TEST(test_probabilities_of_many_classes_sum_to_one_and_name_the_largest_margin),
        {0},
    };

    return test_main(tests, count, names);
}
