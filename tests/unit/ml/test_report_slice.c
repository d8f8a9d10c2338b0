#include "base/text.h"
#include "ml/report_slice.h"
#include "tests/test.h"

enum { ROWS = 400 };

/* Answers are right but for those of green rows, of which every other is wrong. */
typedef struct Judged {
    TextRef colours[ROWS], rare[ROWS];
    double sizes[ROWS], truth_numbers[ROWS], numbers[ROWS], probabilities[2 * ROWS];
    int truth[ROWS], predicted[ROWS];
    FrameColumn columns[3];
    Frame frame;
    JudgedRows rows;
} Judged;

static const char *const names[] = {"no", "yes"};
static const ClassNames classes = {names, 2};

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static Judged *make_judged(const char *metric, Arena *arena)
{
    static const char *const colours[] = {"red", "green", "blue", NULL};
    Judged *judged = arena_new(arena, Judged);

    for (size_t row = 0; row < ROWS; row++) {
        bool is_wrong = row % 4 == 1 && row % 8 == 1;

        judged->colours[row] = ref(colours[row % 4]);
        judged->rare[row] = ref(row < 20 ? "rare" : "usual");
        judged->sizes[row] = row < 40 ? NAN : (double)row;
        judged->truth[row] = (row / 8) % 2;
        judged->predicted[row] = is_wrong ? 1 - judged->truth[row] : judged->truth[row];
        judged->probabilities[2 * row + 1] = judged->predicted[row] ? 0.9 : 0.1;
        judged->probabilities[2 * row] = 1 - judged->probabilities[2 * row + 1];
        judged->truth_numbers[row] = (double)row;
        judged->numbers[row] = (double)row + (row >= 310 ? 10 : row % 2 ? 1 : -1);
    }
    judged->columns[0] = (FrameColumn){"colour", COLUMN_CATEGORY, judged->colours, NULL};
    judged->columns[1] = (FrameColumn){"size", COLUMN_NUMBER, NULL, judged->sizes};
    judged->columns[2] = (FrameColumn){"rarity", COLUMN_CATEGORY, judged->rare, NULL};
    judged->frame = (Frame){judged->columns, 3, ROWS};
    judged->rows = (JudgedRows){.truth = judged->truth,
                                .predictions = {judged->predicted, judged->probabilities, NULL},
                                .classes = &classes,
                                .positive = 1,
                                .row_count = ROWS,
                                .metric = metric_find(metric)};
    return judged;
}

static void judge_numbers(Judged *judged)
{
    judged->rows.numbers = judged->truth_numbers;
    judged->rows.classes = NULL;
    judged->rows.predictions = (Predictions){.numbers = judged->numbers};
}

static SliceReport slices_of(const Judged *judged, Arena *arena)
{
    SliceSpec spec = {&judged->frame, &judged->rows, 42};
    SliceReport report;

    slices_make(&spec, arena, &report);
    return report;
}

static const Slice *find(const SliceReport *report, const char *column, const char *value)
{
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->items[i].column, column) == 0 &&
            strcmp(report->items[i].value, value) == 0)
            return &report->items[i];
    return NULL;
}

static void test_the_worst_value_comes_first_with_its_interval(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SliceReport report = slices_of(make_judged("accuracy", arena), arena);
    const Slice *worst = &report.items[0];

    EXPECT_NEAR(report.score, 0.875, 1e-12);
    EXPECT_TEXT(worst->column, "colour");
    EXPECT_TEXT(worst->value, "green");
    EXPECT(worst->row_count == 100 && worst->is_apart);
    EXPECT_NEAR(worst->interval.score, 0.5, 1e-12);
    EXPECT_NEAR(worst->interval.low, 0.5 - 1.96 * 0.05, 0.03);
    EXPECT_NEAR(worst->interval.high, 0.5 + 1.96 * 0.05, 0.03);
    EXPECT(find(&report, "colour", "red")->interval.low == 1);
    EXPECT(!find(&report, "colour", "red")->is_apart);
    EXPECT(find(&report, "colour", "missing")->row_count == 100);
    for (size_t i = 1; i < report.count; i++)
        EXPECT(report.items[i].interval.score >= report.items[i - 1].interval.score);
}

static void test_a_number_is_cut_into_quarters_and_its_missing_rows(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("rmse", arena);
    SliceReport report;

    judge_numbers(judged);
    report = slices_of(judged, arena);
    EXPECT_TEXT(report.items[0].value, "310 to 399");
    EXPECT(report.items[0].row_count == 90);
    EXPECT_NEAR(report.items[0].interval.score, 10, 1e-9);
    EXPECT(report.items[0].is_apart);
    EXPECT_NEAR(find(&report, "size", "130 to 219")->interval.score, 1, 1e-9);
    EXPECT_NEAR(find(&report, "size", "missing")->interval.score, 1, 1e-9);
    EXPECT(find(&report, "size", "missing")->row_count == 40);
}

static void test_equal_numbers_stay_together(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("accuracy", arena);
    SliceReport report;

    for (size_t row = 0; row < ROWS; row++)
        judged->sizes[row] = row % 10 < 7 ? 1 : 2;
    report = slices_of(judged, arena);
    EXPECT(find(&report, "size", "1")->row_count == 280);
    EXPECT(find(&report, "size", "2")->row_count == 120);
}

static void test_few_rows_and_all_rows_are_no_slice(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("accuracy", arena);
    SliceReport report = slices_of(judged, arena);

    EXPECT(!find(&report, "rarity", "rare"));
    EXPECT(find(&report, "rarity", "usual"));
    for (size_t row = 0; row < ROWS; row++)
        judged->rare[row] = ref("usual");
    report = slices_of(judged, arena);
    EXPECT(!find(&report, "rarity", "usual"));
}

static void test_a_figure_of_a_class_needs_rows_of_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("f1", arena);
    SliceReport report;

    for (size_t row = 0; row < ROWS; row += 4)
        judged->truth[row] = judged->predicted[row] = 0; /* the red ones */
    report = slices_of(judged, arena);
    EXPECT(!find(&report, "colour", "red"));
    EXPECT(find(&report, "colour", "blue"));
    judged->rows.metric = metric_find("accuracy");
    report = slices_of(judged, arena);
    EXPECT(find(&report, "colour", "red"));
}

static void test_of_many_slices_the_worst_are_kept(void)
{
    enum { COLUMNS = 20 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("accuracy", arena);
    FrameColumn columns[COLUMNS + 1];
    SliceReport report;

    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (FrameColumn){"size", COLUMN_NUMBER, NULL, judged->truth_numbers};
    columns[COLUMNS] = judged->columns[0];
    judged->frame = (Frame){columns, COLUMNS + 1, ROWS};
    report = slices_of(judged, arena);
    EXPECT(report.judged_count == 4 * COLUMNS + 4);
    EXPECT(report.count == SLICES_MAX);
    EXPECT_TEXT(report.items[0].value, "green");
}

static void test_where_all_rows_have_no_figure_there_are_no_slices(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("auc", arena);
    SliceReport report;

    memset(judged->truth, 0, sizeof(judged->truth));
    report = slices_of(judged, arena);
    EXPECT(report.count == 0 && isnan(report.score));
}

static void test_slices_as_json(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Judged *judged = make_judged("accuracy", arena);
    JsonWriter *json = json_writer_create(arena);
    SliceReport report;
    const char *text;

    judged->frame.column_count = 1;
    report = slices_of(judged, arena);
    json_open_object(json, NULL);
    slices_write_json(json, "slices", &report);
    json_close(json);
    text = json_finish(json);
    EXPECT(text_has_prefix(text, "{\"slices\":{\"metric\":\"accuracy\",\"score\":0.875,"
                                 "\"level\":0.95,\"judged\":4,\"items\":[{\"column\":\"colour\","
                                 "\"value\":\"green\",\"row_count\":100,\"score\":0.5,\"low\":"));
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_the_worst_value_comes_first_with_its_interval),
        TEST(test_a_number_is_cut_into_quarters_and_its_missing_rows),
        TEST(test_equal_numbers_stay_together),
        TEST(test_few_rows_and_all_rows_are_no_slice),
        TEST(test_a_figure_of_a_class_needs_rows_of_it),
        TEST(test_of_many_slices_the_worst_are_kept),
        TEST(test_where_all_rows_have_no_figure_there_are_no_slices),
        TEST(test_slices_as_json),
        {0},
    };

    return test_main(tests, count, arguments);
}
