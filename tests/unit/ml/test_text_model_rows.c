#include <string.h>

#include "base/text.h"
#include "ml/linear.h"
#include "ml/random.h"
#include "ml/text_model_internal.h"
#include "tests/test.h"

enum { ROWS = 300, WORDS_MAX = 200, VOCABULARY = 900 };

typedef struct Texts {
    TextRef items[ROWS];
    int labels[ROWS];
    FrameColumn column;
    Frame frame;
} Texts;

/* Of no word to some hundred, of all lengths, some of them not in ASCII; one text is missing. */
static void make_texts(Texts *texts, int class_count, Arena *arena)
{
    Random random = random_seeded(7);

    for (size_t row = 0; row < ROWS; row++) {
        size_t count = random_below(&random, row % 3 ? 30 : WORDS_MAX);
        TextBuilder text = {.arena = arena};

        for (size_t i = 0; i < count; i++)
            text_append_format(&text, "%s%.*s%zu%s", i % 4 ? " " : ", ",
                               (int)random_below(&random, 12), "abcdefghijklmn",
                               (size_t)random_below(&random, VOCABULARY / 12),
                               random_below(&random, 30) ? "" : "\xC3\xA9\xEF\xBB\xBF");
        texts->items[row] = (TextRef){text_built(&text), text.count};
        texts->labels[row] = (int)random_below(&random, (uint64_t)class_count);
    }
    texts->items[ROWS / 2] = (TextRef){0};
    texts->column = (FrameColumn){"text", COLUMN_TEXT, texts->items, NULL};
    texts->frame = (Frame){&texts->column, 1, ROWS};
}

/* Of words that are in every other row, so that some are not known. */
static TextModel *learn(Texts *texts, const BlockSpec *spec, int class_count, Arena *arena)
{
    static const char *const names[] = {"a", "b", "c"};
    static const bool used[] = {true};
    double slopes[3] = {1, 1, 1}, offsets[3] = {0};
    ClassNames classes = {names, (size_t)class_count};
    size_t rows[ROWS / 2];
    Block block;
    Corpus corpus = {&block, 1, ROWS};
    Vectorizer vectorizer;
    Matrix matrix;
    LinearModel linear;
    int labels[ROWS / 2];

    for (size_t i = 0; i < COUNT(rows); i++) {
        rows[i] = 2 * i;
        labels[i] = texts->labels[rows[i]];
    }
    block_read(&block, &texts->frame, spec, arena);
    vectorizer = vectorizer_fit(&corpus, used, (RowList){rows, COUNT(rows)}, arena);
    matrix = vectorizer_apply(&vectorizer, (RowList){rows, COUNT(rows)}, arena);
    linear = logistic_fit(
        &(TrainingSet){.matrix = &matrix, .labels = labels, .class_count = (size_t)class_count}, 1,
        arena);
    return text_model_build(
        &(ModelParts){.frame = &texts->frame,
                      .classes = &classes,
                      .positive = 1,
                      .vectorizer = &vectorizer,
                      .linear = &linear,
                      .calibration = &(Calibration){.kind = CALIBRATION_LOGISTIC,
                                                    .margin_count = class_count > 2 ? 3 : 1,
                                                    .row_count = ROWS,
                                                    .slopes = slopes,
                                                    .offsets = offsets},
                      .threshold = 0.5});
}

/* Row by row. */
static void read_singly(const TextModel *model, const FrameColumn *const *columns,
                        RowReader *reader, double *margins)
{
    for (size_t row = 0; row < ROWS; row++)
        text_model_margins(model, columns, row, reader, margins + row * model->margin_count);
}

/* By no special instructions, and all together by those of each level. */
static void expect_same_margins(const TextModel *model, const Texts *texts, Arena *arena)
{
    const FrameColumn *columns[] = {&texts->column};
    RowReader reader = row_reader_of(model, arena);
    double singly[ROWS * 3], together[ROWS * 3] = {0};
    size_t bytes = ROWS * model->margin_count * sizeof(double);
    bool same = true;

    reader.tokens.lanes = LANES_OF_ALL;
    read_singly(model, columns, &reader, singly);
    for (LaneLevel level = LANES_OF_ALL; level <= lanes_level(); level++) {
        reader.tokens.lanes = level;
        text_model_margins_of_rows(model, columns, (RowRange){0, ROWS}, &reader, together);
        same = same && memcmp(singly, together, bytes) == 0;
    }
    EXPECT(same);
}

static void test_rows_together_have_the_margins_of_each(void)
{
    static const BlockSpec specs[] = {
        {BLOCK_WORDS, 0, TOKEN_STYLE_PLAIN, 1, 1, 1, false},
        {BLOCK_WORDS, 0, TOKEN_STYLE_RICH, 1, 2, 2, true},
        {BLOCK_CHARACTERS, 0, TOKEN_STYLE_RICH, 2, 5, 2, true},
    };

    for (size_t i = 0; i < COUNT(specs) * 2; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CLEANUP(text_model_unload) TextModel *model = NULL;
        int class_count = i % 2 ? 3 : 2;
        static Texts texts;

        make_texts(&texts, class_count, arena);
        model = learn(&texts, &specs[i / 2], class_count, arena);
        expect_same_margins(model, &texts, arena);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_rows_together_have_the_margins_of_each),
        {0},
    };

    return test_main(tests, count, names);
}
