/* Learning boosted trees by the library XGBoost; without it nothing is tested. */
#include "ml/boost.h"
#include "ml/forest.h"
#include "ml/random.h"
#include "ml/tabular_search_internal.h"
#include "tests/test.h"

enum { ROWS = 2000, FEATURES = 3 };

typedef struct Sample {
    float values[ROWS * FEATURES], targets[ROWS];
    BoostRows rows;
    BoostSpec spec;
} Sample;

/* Numbers of which each has few values, some missing: all of them have bins of their own. */
static Sample *make_sample(Arena *arena)
{
    Sample *sample = arena_new(arena, Sample);
    Random random = random_seeded(7);

    for (size_t row = 0; row < ROWS; row++) {
        float *values = sample->values + row * FEATURES;

        for (size_t i = 0; i < FEATURES; i++)
            values[i] = (float)random_below(&random, 50);
        sample->targets[row] = values[0] * values[1] / 100 + (values[2] > 20 ? 5 : 0);
        if (row % 11 == 0)
            values[row % FEATURES] = NAN;
    }
    sample->rows = (BoostRows){.values = sample->values,
                               .row_count = ROWS,
                               .feature_count = FEATURES,
                               .targets = sample->targets};
    sample->spec = (BoostSpec){.objective = BOOST_NUMBER,
                               .rounds = 40,
                               .patience = 10,
                               .learning_rate = 0.3,
                               .depth = 4,
                               .least_weight = 1,
                               .row_share = 1,
                               .column_share = 1,
                               .lambda = 1,
                               .seed = 5};
    return sample;
}

static BoostResult fit(const Sample *sample, bool is_binned, Arena *arena)
{
    BoostRows rows = sample->rows;
    BoostMatrix *training = NULL, *held = NULL;
    BoostResult result;
    Error error;

    EXPECT_OK(boost_matrix_create(&rows, &held, &error), error);
    rows.is_binned = is_binned;
    EXPECT_OK(boost_matrix_create(&rows, &training, &error), error);
    EXPECT_OK(
        boost_fit(&(BoostJob){&sample->spec, training, held, 0, NULL}, arena, &result, &error),
        error);
    boost_matrix_destroy(&training);
    boost_matrix_destroy(&held);
    return result;
}

static Forest forest_of(const BoostModel *model, Arena *arena)
{
    Forest forest = {0};
    const char *json;
    size_t size;
    Error error;

    EXPECT_OK(boost_model_save(model, arena, &json, &size, &error), error);
    EXPECT_OK(forest_from_xgboost(json, size, arena, &forest, &error), error);
    return forest;
}

static void test_binned_rows_are_learnt_as_others_are(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    BoostResult plain = fit(sample, false, arena), binned = fit(sample, true, arena);

    EXPECT(plain.rounds > 10 && plain.loss < 1);
    EXPECT_NEAR(binned.loss, plain.loss, plain.loss / 5);
    for (size_t row = 0; row < ROWS; row++)
        EXPECT_NEAR(binned.margins[row], plain.margins[row], 2);
    boost_model_destroy(&plain.model);
    boost_model_destroy(&binned.model);
}

static void test_weights_count_in_binned_rows_too(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    float *weights = arena_array(arena, float, ROWS);
    BoostResult result;

    for (size_t row = 0; row < ROWS; row++) {
        weights[row] = row % 2 ? 1.0F : 0.0F;
        sample->targets[row] = row % 2 ? 3 : -1000;
    }
    sample->rows.weights = weights;
    result = fit(sample, true, arena);
    EXPECT_NEAR(result.margins[0], 3, 0.1);
    boost_model_destroy(&result.model);
}

static void test_the_size_of_a_model_is_known_before_it_is_put_together(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    BoostResult result = fit(make_sample(arena), false, arena);
    Forest forest = forest_of(result.model, arena);
    size_t bytes = 0;
    Error error;

    EXPECT_OK(boost_model_size(result.model, &bytes, &error), error);
    EXPECT(bytes > forest.node_count * 16 * 9 / 10 && bytes < forest.node_count * 16 * 2);
    boost_model_destroy(&result.model);
}

static void test_rows_are_drawn_evenly(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t items[] = {5, 6, 7, 8, 9, 10, 11};
    RowList all = {items, COUNT(items)}, some = tabular_spread(all, 3, arena);

    EXPECT(some.count == 3);
    EXPECT(some.items[0] == 5 && some.items[1] == 8 && some.items[2] == 11);
    EXPECT(tabular_spread(all, 7, arena).items == items);
    EXPECT(tabular_spread((RowList){items, 0}, 3, arena).count == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_binned_rows_are_learnt_as_others_are),
        TEST(test_weights_count_in_binned_rows_too),
        TEST(test_the_size_of_a_model_is_known_before_it_is_put_together),
        TEST(test_rows_are_drawn_evenly),
        {0},
    };
    Error error;

    if (boost_open(&error))
        return test_main(tests, count, names);
    printf("SKIP: there is no library of boosted trees\n");
    return test_none();
}
