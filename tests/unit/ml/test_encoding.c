/* Rows of a table as numbers for learners. */
#include "ml/encoding.h"
#include "tests/test.h"

enum { ROWS = 8 };

typedef struct Sample {
    TextRef kinds[ROWS];
    double sizes[ROWS], numbers[ROWS];
    FrameColumn columns[2];
    Table table;
    RowList rows;
} Sample;

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static Sample *make_sample(Arena *arena)
{
    static const char *const kinds[ROWS] = {"a", "a", "a", "b", "b", NULL, NULL, "c"};
    static const size_t all[ROWS] = {0, 1, 2, 3, 4, 5, 6, 7};
    Sample *sample = arena_new(arena, Sample);
    Error error;

    for (size_t row = 0; row < ROWS; row++) {
        sample->kinds[row] = ref(kinds[row]);
        sample->sizes[row] = row == 2 ? INFINITY : (double)row;
        sample->numbers[row] = row < 3 ? 10 : 0;
    }
    sample->columns[0] = (FrameColumn){"kind", COLUMN_CATEGORY, sample->kinds, NULL};
    sample->columns[1] = (FrameColumn){"size", COLUMN_NUMBER, NULL, sample->sizes};
    EXPECT_OK(table_read(&(Frame){sample->columns, 2, ROWS}, arena, &sample->table, &error), error);
    sample->rows = (RowList){all, ROWS};
    return sample;
}

static void test_a_category_becomes_the_mean_of_its_targets_drawn_to_that_of_all(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    EncodingTarget target = {.numbers = sample->numbers};
    Encoding encoding = encoding_fit_trees(&sample->table, sample->rows, &target, arena);
    float features[2];
    Cell cells[] = {cell_of_text(ref("a")), {.number = NAN}};

    EXPECT(encoding.feature_count == 2);
    encoding_dense(&encoding, cells, features);
    EXPECT_NEAR(features[0], (30 + 20 * 3.75) / 23, 1e-5);
    EXPECT(isnan(features[1]));
    cells[0] = cell_of_text(ref("never seen"));
    encoding_dense(&encoding, cells, features);
    EXPECT_NEAR(features[0], 3.75, 1e-5);
    cells[0] = cell_of_text(ref(NULL));
    encoding_dense(&encoding, cells, features);
    EXPECT_NEAR(features[0], 20 * 3.75 / 22, 1e-5);
}

static void test_three_classes_have_a_code_each(void)
{
    static const int labels[ROWS] = {0, 0, 1, 1, 2, 2, 2, 2};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    EncodingTarget target = {labels, 3, NULL};
    Encoding encoding = encoding_fit_trees(&sample->table, sample->rows, &target, arena);
    float features[4];
    Cell cells[] = {cell_of_text(ref("a")), {.number = 7}};

    EXPECT(encoding.feature_count == 4);
    encoding_dense(&encoding, cells, features);
    EXPECT_NEAR(features[0] + features[1] + features[2], 1, 1e-6);
    EXPECT_NEAR(features[0], (2 + 20 * 0.25) / 23, 1e-6);
    EXPECT(features[3] == 7);
}

static void test_an_infinite_number_and_one_beyond_floats_are_missing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    EncodingTarget target = {.numbers = sample->numbers};
    Encoding encoding = encoding_fit_trees(&sample->table, sample->rows, &target, arena);
    float features[ROWS * 2], beyond[2];
    Cell cells[] = {cell_of_text(ref("a")), cell_of_number(1e300)};

    encoding_apply(&encoding, &sample->table, sample->rows, features);
    EXPECT(isnan(features[2 * 2 + 1]) && features[3 * 2 + 1] == 3);
    encoding_dense(&encoding, cells, beyond);
    EXPECT(isnan(beyond[1]));
}

/* Numbers that are noise: the mean of a value of one row is the row's own. */
static void test_codes_of_many_values_do_not_tell_training_its_own_targets(void)
{
    enum { MANY = 100 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextRef *texts = arena_array(arena, TextRef, MANY);
    double *numbers = arena_array(arena, double, MANY);
    size_t *rows = arena_array(arena, size_t, MANY);
    FrameColumn column = {"id", COLUMN_CATEGORY, texts, NULL};
    EncodingTarget target = {.numbers = numbers};
    float *features = arena_array(arena, float, MANY);
    Encoding encoding;
    Table table;
    Error error;
    double product = 0;

    for (size_t row = 0; row < MANY; row++) {
        texts[row] = ref(arena_format(arena, "%zu", row * 2 / 3));
        numbers[row] = row % 7 < 3 ? 1 : -1;
        rows[row] = row;
    }
    EXPECT_OK(table_read(&(Frame){&column, 1, MANY}, arena, &table, &error), error);
    encoding = encoding_fit_trees(&table, (RowList){rows, MANY}, &target, arena);
    encoding_apply_training(&encoding, &table, (RowList){rows, MANY}, &target, features);
    for (size_t row = 0; row < MANY; row += 3)
        product += (double)features[row] * numbers[row];
    EXPECT(product < 1);
    encoding_apply(&encoding, &table, (RowList){rows, MANY}, features);
    product = 0;
    for (size_t row = 0; row < MANY; row += 3)
        product += (double)features[row] * numbers[row];
    EXPECT(product > 1);
}

static void test_for_linear_models_numbers_are_standard_and_categories_one_hot(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    Encoding encoding = encoding_fit_linear(&sample->table, sample->rows, arena);
    Matrix matrix = encoding_apply_sparse(&encoding, &sample->table, sample->rows, arena);
    double sum = 0;

    /* "a", "b" and missing have two rows at least, "c" has no place; size has a flag */
    EXPECT(encoding.feature_count == 5);
    for (size_t row = 0; row < ROWS; row++) {
        size_t at = matrix.starts[row + 1] - 1;

        sum += matrix.columns[at] == 3 ? matrix.values[at] : 0;
    }
    EXPECT_NEAR(sum, 0, 1e-9);
    EXPECT(matrix.columns[matrix.starts[3] - 1] == 4); /* the infinite one is flagged */
    EXPECT(matrix.starts[8] - matrix.starts[7] == 1);
}

static bool is_same(float first, float second)
{
    return isnan(first) ? isnan(second) : first == second;
}

static void test_an_encoding_is_read_as_it_was_written(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample *sample = make_sample(arena);
    EncodingTarget target = {.numbers = sample->numbers};
    Encoding encoding = encoding_fit_trees(&sample->table, sample->rows, &target, arena), again;
    ByteWriter writer = {.arena = arena};
    float features[ROWS * 2], others[ROWS * 2];
    ByteReader reader;

    encoding_write(&encoding, &writer);
    reader = (ByteReader){.bytes = writer.bytes, .size = writer.size};
    encoding_read(&reader, 2, false, arena, &again);
    EXPECT(!reader.is_bad && reader.at == reader.size);
    encoding_apply(&encoding, &sample->table, sample->rows, features);
    encoding_apply(&again, &sample->table, sample->rows, others);
    for (size_t i = 0; i < ROWS * 2; i++)
        EXPECT(is_same(features[i], others[i]));
    reader = (ByteReader){.bytes = writer.bytes, .size = writer.size};
    encoding_read(&reader, 1, false, arena, &again); /* an input that is not there */
    EXPECT(reader.is_bad);
    reader = (ByteReader){.bytes = writer.bytes, .size = writer.size};
    encoding_read(&reader, 2, true, arena, &again); /* for the other kind of learner */
    EXPECT(reader.is_bad);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_category_becomes_the_mean_of_its_targets_drawn_to_that_of_all),
        TEST(test_three_classes_have_a_code_each),
        TEST(test_an_infinite_number_and_one_beyond_floats_are_missing),
        TEST(test_codes_of_many_values_do_not_tell_training_its_own_targets),
        TEST(test_for_linear_models_numbers_are_standard_and_categories_one_hot),
        TEST(test_an_encoding_is_read_as_it_was_written),
        {0},
    };

    return test_main(tests, count, names);
}
