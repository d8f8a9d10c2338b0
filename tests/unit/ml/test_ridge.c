#include "ml/ridge.h"
#include "tests/test.h"

/* Two columns that never occur together, so that the closed form is short. */
static Matrix make_matrix(Arena *arena)
{
    static const double first[] = {1, 2, 3}, second[] = {1, -1};
    Matrix matrix = {5, 2, arena_array(arena, size_t, 6), arena_array(arena, uint32_t, 5),
                     arena_array(arena, double, 5)};

    for (size_t row = 0; row < 5; row++) {
        matrix.starts[row + 1] = row + 1;
        matrix.columns[row] = row >= 3;
        matrix.values[row] = row < 3 ? first[row] : second[row - 3];
    }
    return matrix;
}

static void test_without_a_penalty_an_exact_line_is_found(void)
{
    static const double targets[] = {3, 5, 7, -2, 4}; /* 1 + 2 first - 3 second */
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Matrix matrix = make_matrix(arena);
    LinearModel model = ridge_fit(&matrix, targets, 0, arena);

    EXPECT_NEAR(model.weights[0], 2, 1e-8);
    EXPECT_NEAR(model.weights[1], -3, 1e-8);
    EXPECT_NEAR(model.intercepts[0], 1, 1e-8);
}

/* The gradient of the penalised sum of squares is zero. */
static void test_a_penalty_draws_weights_to_zero_but_not_the_intercept(void)
{
    static const double targets[] = {103, 105, 107, 98, 104};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Matrix matrix = make_matrix(arena);
    LinearModel model = ridge_fit(&matrix, targets, 2, arena);
    double gradient[3] = {2 * model.weights[0], 2 * model.weights[1], 0}, answers[5];

    linear_margins(&model, &matrix, answers);
    for (size_t row = 0; row < 5; row++) {
        gradient[matrix.columns[row]] += (answers[row] - targets[row]) * matrix.values[row];
        gradient[2] += answers[row] - targets[row];
    }
    EXPECT_NEAR(gradient[0], 0, 1e-6);
    EXPECT_NEAR(gradient[1], 0, 1e-6);
    EXPECT_NEAR(gradient[2], 0, 1e-6);
    EXPECT(fabs(model.weights[1]) < 3 && model.intercepts[0] > 90);
}

static void test_columns_that_say_the_same_share_the_weight(void)
{
    static const double targets[] = {0, 2, 4};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t starts[] = {0, 2, 4, 6};
    uint32_t columns[] = {0, 1, 0, 1, 0, 1};
    double values[] = {0, 0, 1, 1, 2, 2};
    Matrix matrix = {3, 2, starts, columns, values};
    LinearModel model = ridge_fit(&matrix, targets, 1e-6, arena);

    EXPECT_NEAR(model.weights[0], 1, 1e-4);
    EXPECT_NEAR(model.weights[1], 1, 1e-4);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_without_a_penalty_an_exact_line_is_found),
        TEST(test_a_penalty_draws_weights_to_zero_but_not_the_intercept),
        TEST(test_columns_that_say_the_same_share_the_weight),
        {0},
    };

    return test_main(tests, count, names);
}
