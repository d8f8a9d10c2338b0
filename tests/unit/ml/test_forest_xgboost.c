/* XGBoost's library is the oracle: margins of the same bits, contributions within its own floats.
 * SLIPWAY_DATA names the folder. */
#include "ml/forest.h"
#include "tests/xgboost.h"

enum { ROUNDS = 20, LEARNT_MAX = 3000, COMPARED = 300 };

typedef struct ModelCase {
    const char *what;
    const NumbersSpec *data;
    float subtract, scale; /* what is learnt: (target - subtract) * scale */
    XgboostParameter parameters[8];
} ModelCase;

static const NumbersSpec adult = {"adult-income/adult-train.csv", 14, LEARNT_MAX};
static const NumbersSpec bank = {"bank-marketing/bankmarketing_train.csv", 20, LEARNT_MAX};
static const NumbersSpec housing = {"california-housing/housing.csv", 8, LEARNT_MAX};
static const NumbersSpec wine = {"wine-quality/winequality-white.csv", 11, LEARNT_MAX};

static const ModelCase model_cases[] = {
    {"two classes", &adult, 0, 1, {{"objective", "binary:logistic"}, {0}}},
    {"a base that is not one half",
     &bank,
     0,
     1,
     {{"objective", "binary:logistic"}, {"base_score", "0.1"}, {"max_depth", "3"}, {0}}},
    {"classes", &wine, 3, 1, {{"objective", "multi:softprob"}, {"num_class", "7"}, {0}}},
    {"numbers, values missing", &housing, 0, 1e-5F, {{"objective", "reg:squarederror"}, {0}}},
    {"counts", &wine, 0, 1, {{"objective", "count:poisson"}, {"max_delta_step", "0.7"}, {0}}},
    {"trees that were pruned",
     &adult,
     0,
     1,
     {{"objective", "binary:logistic"},
      {"tree_method", "exact"},
      {"gamma", "2"},
      {"max_depth", "9"},
      {0}}},
    {"leaf by leaf, far down",
     &housing,
     0,
     1e-5F,
     {{"objective", "reg:squarederror"},
      {"tree_method", "hist"},
      {"grow_policy", "lossguide"},
      {"max_depth", "0"},
      {"max_leaves", "200"},
      {"min_child_weight", "0"},
      {0}}},
};

static void compare_margins(const Forest *forest, const Numbers *numbers, const XgboostModel *model,
                            Arena *arena)
{
    const float *expected = xgboost_predict(model, XGBOOST_MARGIN);
    double *margins = arena_array(arena, double, COMPARED * forest->group_count);

    forest_margins(forest, numbers->values, COMPARED, margins);
    for (size_t i = 0; i < COMPARED * forest->group_count; i++)
        EXPECT_NEAR(margins[i], (double)expected[i], 0);
    for (size_t row = 0; row < COMPARED; row++) {
        forest_margins(forest, numbers->values + row * numbers->column_count, 1, margins);
        for (size_t group = 0; group < forest->group_count; group++)
            EXPECT_NEAR(margins[group], (double)expected[row * forest->group_count + group], 0);
    }
}

static void compare_contributions(const Forest *forest, const Numbers *numbers,
                                  const XgboostModel *model)
{
    size_t width = forest->group_count * (forest->feature_count + 1);
    const float *expected = xgboost_predict(model, XGBOOST_CONTRIBUTIONS);

    for (size_t row = 0; row < COMPARED; row++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const float *values = numbers->values + row * numbers->column_count;
        double *ours = arena_array(arena, double, width);
        double *margins = arena_array(arena, double, forest->group_count);

        forest_margins(forest, values, 1, margins);
        forest_contributions(forest, values, ours, arena);
        for (size_t i = 0; i < width; i++) {
            EXPECT_NEAR(ours[i], (double)expected[row * width + i], 1e-4);
            margins[i / (forest->feature_count + 1)] -= ours[i];
        }
        for (size_t group = 0; group < forest->group_count; group++)
            EXPECT_NEAR(margins[group], 0, 2e-5);
    }
}

static void compare(const ModelCase *model_case)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Numbers numbers;
    XgboostModel model;
    Forest forest;
    Error error = {0};

    if (!numbers_read(model_case->data, arena, &numbers))
        return;
    for (size_t row = 0; row < numbers.row_count; row++)
        numbers.targets[row] = (numbers.targets[row] - model_case->subtract) * model_case->scale;
    model = xgboost_train(&numbers, model_case->parameters, ROUNDS, COMPARED);
    EXPECT_OK(forest_from_xgboost(model.json, model.json_size, arena, &forest, &error), error);
    EXPECT(forest.feature_count == numbers.column_count &&
           forest.tree_count == ROUNDS * forest.group_count);
    compare_margins(&forest, &numbers, &model, arena);
    compare_contributions(&forest, &numbers, &model);
    xgboost_free(&model);
}

static void test_margins_are_xgboosts_bits_and_contributions_its_own(void)
{
    int major, minor, patch;

    if (!xgboost_open())
        return;
    xgboost.version(&major, &minor, &patch);
    printf("XGBoost %d.%d.%d\n", major, minor, patch);
    for (size_t i = 0; i < COUNT(model_cases); i++)
        compare(&model_cases[i]);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_margins_are_xgboosts_bits_and_contributions_its_own),
        {0},
    };

    return test_main(tests, count, names);
}
