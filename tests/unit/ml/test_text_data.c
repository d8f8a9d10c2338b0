/* The classifier on real messages: 5,574 SMS, one in seven spam. SLIPWAY_DATA names the folder. */
#include "base/file.h"
#include "ml/report.h"
#include "ml/split.h"
#include "ml/text_model.h"
#include "tests/test.h"

enum { ROWS_MAX = 6000 };

typedef struct Sms {
    TextRef texts[2][ROWS_MAX];
    int labels[2][ROWS_MAX];
    size_t counts[2];
} Sms;

static const char *const names[] = {"ham", "spam"};
static const ClassNames classes = {names, 2};

static bool read_lines(Arena *arena, TextRef *texts, int *labels, size_t *count)
{
    const char *root = getenv("SLIPWAY_DATA"), *bytes;
    const char *path =
        arena_format(arena, "%s/sms-spam/SMSSpamCollection.tsv", root ? root : "../shared/data");
    size_t size;
    Error error;

    if (!file_read(path, 1 << 20, arena, &bytes, &size, &error)) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    for (const char *line = bytes, *end; line < bytes + size; line = end + 1) {
        const char *tab = strchr(line, '\t');

        end = strchrnul(line, '\n');
        if (!tab || tab > end || *count == ROWS_MAX)
            continue;
        labels[*count] = line[0] == 's';
        texts[(*count)++] = (TextRef){tab + 1, (size_t)(end - tab - 1)};
    }
    return true;
}

/* Half to learn from, half to judge. */
static bool load(Sms *sms, Arena *arena)
{
    static TextRef texts[ROWS_MAX];
    static int labels[ROWS_MAX];
    static uint8_t sides[ROWS_MAX];
    size_t count = 0;
    SplitSpec spec = {.share = 0.5, .seed = 42};
    Error error;

    *sms = (Sms){0};
    if (!read_lines(arena, texts, labels, &count))
        return false;
    spec.row_count = count;
    EXPECT(count == 5574);
    EXPECT_OK(split_stratified(&spec, labels, sides, &error), error);
    for (size_t row = 0; row < count; row++) {
        size_t at = sms->counts[sides[row]]++;

        sms->texts[sides[row]][at] = texts[row];
        sms->labels[sides[row]][at] = labels[row];
    }
    return true;
}

static Frame frame_of(const Sms *sms, size_t side, FrameColumn *column)
{
    *column = (FrameColumn){"text", COLUMN_TEXT, sms->texts[side], NULL};
    return (Frame){column, 1, sms->counts[side]};
}

static void judge(const TextModel *model, const Sms *sms, Report *report, Arena *arena)
{
    static double probabilities[ROWS_MAX * 2];
    static int predicted[ROWS_MAX];
    FrameColumn column;
    Frame frame = frame_of(sms, 1, &column);
    Error error;

    EXPECT_OK(text_model_predict(model, &frame, probabilities, arena, &error), error);
    for (size_t row = 0; row < frame.row_count; row++)
        predicted[row] = (int)text_model_decide(model, probabilities + row * 2);
    EXPECT_OK(report_make(sms->labels[1], predicted, probabilities, frame.row_count, &classes, 1,
                          arena, report, &error),
              error);
}

static void test_spam_is_found_and_probabilities_mean_what_they_say(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Sms sms;
    SearchSpec spec = {.metric = "f1", .seed = 42};
    SearchResult result;
    FrameColumn column;
    Frame frame;
    Report report;
    Error error;

    if (!load(&sms, arena))
        return;
    frame = frame_of(&sms, 0, &column);
    EXPECT_OK(text_model_search(&frame, sms.labels[0], &classes, &spec, arena, &result, &error),
              error);
    model = result.model;
    judge(model, &sms, &report, arena);
    EXPECT(report.accuracy > 0.98);
    EXPECT(report.f1 > 0.94);
    EXPECT(report.calibration_error < 0.02);
    for (size_t row = 0; row < 300; row++) {
        Explanation explanation;
        double sum;

        EXPECT_OK(text_model_explain(model, &frame, row, 1, arena, &explanation, &error), error);
        sum = explanation.intercept;
        for (size_t i = 0; i < explanation.count; i++)
            sum += explanation.items[i].weight;
        EXPECT_NEAR(sum, explanation.margin, 1e-6);
    }
}

static void test_balanced_classes_find_more_of_the_rare_class(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Sms sms;
    double recall[2];

    if (!load(&sms, arena))
        return;
    for (int balance = 0; balance < 2; balance++) {
        CLEANUP(text_model_unload) TextModel *model = NULL;
        SearchSpec spec = {.metric = "log_loss",
                           .seed = 42,
                           .fold_count = 2,
                           .balance_classes = balance,
                           .budget_seconds = 1e-9};
        SearchResult result;
        FrameColumn column;
        Frame frame = frame_of(&sms, 0, &column);
        Report report;
        Error error;

        EXPECT_OK(text_model_search(&frame, sms.labels[0], &classes, &spec, arena, &result, &error),
                  error);
        model = result.model;
        judge(model, &sms, &report, arena);
        recall[balance] = report.recall;
    }
    EXPECT(recall[0] > 0.85);
    EXPECT(recall[1] > recall[0] + 0.005);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_spam_is_found_and_probabilities_mean_what_they_say),
        TEST(test_balanced_classes_find_more_of_the_rare_class),
        {0},
    };

    return test_main(tests, count, arguments);
}
