#include "ml/vectorizer.h"

#include "tests/fixtures/tfidf_cases.h"
#include "tests/test.h"

enum { ROWS_MAX = 32 };

typedef struct Fitted {
    Corpus corpus;
    Block blocks[4];
    bool used[4];
    size_t rows[ROWS_MAX];
    Vectorizer vectorizer;
    Matrix matrix;
} Fitted;

static void fit(Fitted *fitted, const Frame *frame, const BlockSpec *specs, size_t count,
                Arena *arena)
{
    RowList rows = {fitted->rows, frame->row_count};

    fitted->corpus = (Corpus){fitted->blocks, count, frame->row_count};
    for (size_t i = 0; i < frame->row_count; i++)
        fitted->rows[i] = i;
    for (size_t i = 0; i < count; i++) {
        block_read(&fitted->blocks[i], frame, &specs[i], arena);
        fitted->used[i] = true;
    }
    fitted->vectorizer = vectorizer_fit(&fitted->corpus, fitted->used, rows, arena);
    fitted->matrix = vectorizer_apply(&fitted->vectorizer, rows, arena);
}

static const char *term_of(const Fitted *fitted, uint32_t column)
{
    const Block *block = &fitted->blocks[0];

    for (size_t id = 0; id < block->terms.count; id++)
        if (fitted->vectorizer.fits[0].columns[id] == column)
            return block->terms.texts[id];
    return "";
}

static const TfidfValue *expected_value(const TfidfValue *values, size_t count, size_t row,
                                        const char *term)
{
    for (size_t i = 0; i < count; i++)
        if ((size_t)values[i].row == row && strcmp(values[i].term, term) == 0)
            return &values[i];
    return NULL;
}

static void expect_scikit_learn(const BlockSpec *spec, const TfidfValue *values, size_t count,
                                size_t terms)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextRef texts[COUNT(tfidf_texts)];
    FrameColumn column = {"text", COLUMN_TEXT, texts, NULL};
    Frame frame = {&column, 1, COUNT(texts)};
    Fitted fitted;

    for (size_t i = 0; i < COUNT(texts); i++)
        texts[i] = (TextRef){tfidf_texts[i], strlen(tfidf_texts[i])};
    fit(&fitted, &frame, spec, 1, arena);
    EXPECT(fitted.matrix.column_count == terms);
    EXPECT(fitted.matrix.starts[COUNT(texts)] == count);
    for (size_t row = 0; row < COUNT(texts); row++) {
        for (size_t at = fitted.matrix.starts[row]; at < fitted.matrix.starts[row + 1]; at++) {
            const TfidfValue *expected =
                expected_value(values, count, row, term_of(&fitted, fitted.matrix.columns[at]));

            EXPECT(expected != NULL);
            EXPECT_NEAR(fitted.matrix.values[at], expected->value, 1e-9);
        }
    }
}

static void test_words_equal_scikit_learns_default(void)
{
    BlockSpec spec = {BLOCK_WORDS, 0, TOKEN_STYLE_PLAIN, 1, 1, 1, false};

    expect_scikit_learn(&spec, tfidf_words, COUNT(tfidf_words), TFIDF_WORDS_TERMS);
}

static void test_pairs_of_words_with_sublinear_counts_equal_scikit_learns(void)
{
    BlockSpec spec = {BLOCK_WORDS, 0, TOKEN_STYLE_PLAIN, 1, 2, 1, true};

    expect_scikit_learn(&spec, tfidf_pairs, COUNT(tfidf_pairs), TFIDF_PAIRS_TERMS);
}

static void test_characters_in_two_rows_or_more_equal_scikit_learns(void)
{
    BlockSpec spec = {BLOCK_CHARACTERS, 0, TOKEN_STYLE_PLAIN, 2, 4, 2, true};

    expect_scikit_learn(&spec, tfidf_characters, COUNT(tfidf_characters), TFIDF_CHARACTERS_TERMS);
}

static void test_characters_longer_than_chunks_equal_scikit_learns(void)
{
    BlockSpec spec = {BLOCK_CHARACTERS, 0, TOKEN_STYLE_PLAIN, 3, 9, 1, false};

    expect_scikit_learn(&spec, tfidf_long, COUNT(tfidf_long), TFIDF_LONG_TERMS);
}

static void test_categories_are_one_in_their_column_and_missing_ones_nowhere(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextRef texts[] = {{"red", 3}, {"blue", 4}, {NULL, 0}, {"red", 3}};
    FrameColumn column = {"colour", COLUMN_CATEGORY, texts, NULL};
    Frame frame = {&column, 1, 4};
    BlockSpec spec = {.kind = BLOCK_CATEGORY, .least_rows = 1};
    Fitted fitted;

    fit(&fitted, &frame, &spec, 1, arena);
    EXPECT(fitted.matrix.column_count == 2);
    EXPECT(fitted.matrix.starts[4] == 3);
    EXPECT(fitted.matrix.starts[2] == fitted.matrix.starts[3]);
    EXPECT(fitted.matrix.columns[0] == fitted.matrix.columns[2]);
    EXPECT_NEAR(fitted.matrix.values[0], 1, 0);
}

static void test_numbers_are_standardised_and_missing_ones_are_the_mean(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double numbers[] = {1, 3, NAN, 1, 3, INFINITY};
    FrameColumn column = {"size", COLUMN_NUMBER, NULL, numbers};
    Frame frame = {&column, 1, 6};
    BlockSpec spec = {.kind = BLOCK_NUMBER};
    double expected[] = {-1, 1, 0, -1, 1, 0};
    Fitted fitted;

    fit(&fitted, &frame, &spec, 1, arena);
    for (size_t row = 0; row < 6; row++)
        EXPECT_NEAR(fitted.matrix.values[row], expected[row], 1e-12);
}

static void test_numbers_that_are_all_alike_or_huge_stay_finite(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double alike[] = {7, 7, 7}, huge[] = {1.7e308, -1.7e308, 1.7e308};
    FrameColumn columns[] = {{"alike", COLUMN_NUMBER, NULL, alike},
                             {"huge", COLUMN_NUMBER, NULL, huge}};
    Frame frame = {columns, 2, 3};
    BlockSpec specs[] = {{.kind = BLOCK_NUMBER}, {.kind = BLOCK_NUMBER, .column = 1}};
    Fitted fitted;

    fit(&fitted, &frame, specs, 2, arena);
    for (size_t i = 0; i < 6; i++)
        EXPECT(isfinite(fitted.matrix.values[i]));
}

static void test_only_the_rows_fitted_decide_what_is_known(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextRef texts[] = {{"apple pear", 10}, {"apple", 5}, {"quince apple", 12}};
    FrameColumn column = {"text", COLUMN_TEXT, texts, NULL};
    Frame frame = {&column, 1, 3};
    BlockSpec spec = {BLOCK_WORDS, 0, TOKEN_STYLE_PLAIN, 1, 1, 1, false};
    size_t training[] = {0, 1}, judged[] = {2};
    Fitted fitted;
    Vectorizer vectorizer;
    Matrix matrix;

    fit(&fitted, &frame, &spec, 1, arena);
    vectorizer = vectorizer_fit(&fitted.corpus, fitted.used, (RowList){training, 2}, arena);
    matrix = vectorizer_apply(&vectorizer, (RowList){judged, 1}, arena);
    EXPECT(vectorizer.column_count == 2);
    EXPECT(matrix.starts[1] == 1); /* quince was never seen */
    EXPECT_NEAR(matrix.values[0], 1, 1e-12);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_words_equal_scikit_learns_default),
        TEST(test_pairs_of_words_with_sublinear_counts_equal_scikit_learns),
        TEST(test_characters_in_two_rows_or_more_equal_scikit_learns),
        TEST(test_characters_longer_than_chunks_equal_scikit_learns),
        TEST(test_categories_are_one_in_their_column_and_missing_ones_nowhere),
        TEST(test_numbers_are_standardised_and_missing_ones_are_the_mean),
        TEST(test_numbers_that_are_all_alike_or_huge_stay_finite),
        TEST(test_only_the_rows_fitted_decide_what_is_known),
        {0},
    };

    return test_main(tests, count, names);
}
