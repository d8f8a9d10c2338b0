#include "ml/least_squares.h"

#include "tests/test.h"

/* Rosenbrock's valley: (1 - x)^2 + (10 (y - x^2))^2, least at 1, 1. Beyond x = 5 it is not allowed.
 */
static double valley_value(void *context, const double *point)
{
    double first = 1 - point[0], second = 10 * (point[1] - point[0] * point[0]);

    (*(size_t *)context)++;
    return point[0] > 5 ? INFINITY : first * first + second * second;
}

static double valley_equations(void *context, const double *point, NormalEquations *equations)
{
    double first = 1 - point[0], second = 10 * (point[1] - point[0] * point[0]);
    double slope = -20 * point[0];

    equations->gradient[0] = -first + second * slope;
    equations->gradient[1] = 10 * second;
    equations->matrix[0][0] = 1 + slope * slope;
    equations->matrix[0][1] = 10 * slope;
    equations->matrix[1][1] = 100;
    return valley_value(context, point);
}

static double least_of(double *point, const double *low, const double *high, size_t *looks)
{
    LeastSquares problem = {.count = 2,
                            .point = point,
                            .low = low,
                            .high = high,
                            .tolerance = 1e-14,
                            .turns_max = 500,
                            .context = looks,
                            .value = valley_value,
                            .equations = valley_equations};

    return least_squares(&problem);
}

static const double none_low[] = {-INFINITY, -INFINITY}, none_high[] = {INFINITY, INFINITY};

static void test_the_least_sum_is_found_along_a_bent_valley(void)
{
    double point[] = {-1.2, 1};
    size_t looks = 0;

    EXPECT_NEAR(least_of(point, none_low, none_high, &looks), 0, 1e-12);
    EXPECT_NEAR(point[0], 1, 1e-6);
    EXPECT_NEAR(point[1], 1, 1e-6);
    EXPECT(looks < 120);
}

static void test_bounds_hold_and_the_rest_goes_on(void)
{
    static const double high[] = {0.5, INFINITY};
    double point[] = {-1.2, 1};
    size_t looks = 0;

    EXPECT_NEAR(least_of(point, none_low, high, &looks), 0.25, 1e-9);
    EXPECT_NEAR(point[0], 0.5, 0);
    EXPECT_NEAR(point[1], 0.25, 1e-6);
}

static void test_equal_bounds_fix_a_parameter(void)
{
    static const double low[] = {-INFINITY, 4}, high[] = {INFINITY, 4};
    double point[] = {1, 4};
    size_t looks = 0;

    EXPECT(least_of(point, low, high, &looks) < 1.1);
    EXPECT_NEAR(point[1], 4, 0);
    EXPECT_NEAR(point[0], 2, 0.01);
}

static void test_what_is_not_allowed_is_not_started_from_and_not_gone_to(void)
{
    double forbidden[] = {6, 1}, far[] = {4.9, -40};
    size_t looks = 0;

    EXPECT(isinf(least_of(forbidden, none_low, none_high, &looks)));
    EXPECT(forbidden[0] == 6 && forbidden[1] == 1);
    EXPECT_NEAR(least_of(far, none_low, none_high, &looks), 0, 1e-12);
}

static void test_the_end_is_never_worse_than_the_start(void)
{
    double point[] = {1, 1};
    size_t looks = 0;

    EXPECT_NEAR(least_of(point, none_low, none_high, &looks), 0, 0);
    EXPECT(point[0] == 1 && point[1] == 1);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_least_sum_is_found_along_a_bent_valley),
        TEST(test_bounds_hold_and_the_rest_goes_on),
        TEST(test_equal_bounds_fix_a_parameter),
        TEST(test_what_is_not_allowed_is_not_started_from_and_not_gone_to),
        TEST(test_the_end_is_never_worse_than_the_start),
        {0},
    };
    return test_main(tests, count, names);
}
