/* Dates in tables of made-up rows: sales of a shop that is busy at weekends and at noon, more so
 * from year to year. */
#include "ml/boost.h"
#include "ml/encoding.h"
#include "ml/predictor.h"
#include "ml/random.h"
#include "ml/tabular_model.h"
#include "tests/test.h"
#include "tests/unit/ml/tabular_damage.h"

enum { ROWS = 400, COLUMNS = 3 };

typedef struct Sales {
    TextRef dates[ROWS], kinds[ROWS];
    double sizes[ROWS], sold[ROWS];
    int two[ROWS], three[ROWS];
    FrameColumn columns[COLUMNS];
    Frame frame;
} Sales;

static const char *const names[] = {"idle", "normal", "rush"};
static const ClassNames two_classes = {names, 2}, three_classes = {names, 3};

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static Sales *make_sales(Arena *arena)
{
    Sales *sales = arena_new(arena, Sales);
    Random random = random_seeded(5);

    for (size_t row = 0; row < ROWS; row++) {
        int days = 18000 + (int)random_below(&random, 1000);
        int minutes = (int)random_below(&random, 1440);
        double parts[DATE_PART_COUNT];
        bool is_weekend;

        date_parts(days * 86400.0 + minutes * 60, parts);
        is_weekend = parts[DATE_WEEKDAY] > 5;
        sales->dates[row] = ref(arena_format(arena, "%s %02d:%02d:00", date_text(days, arena),
                                             minutes / 60, minutes % 60));
        sales->kinds[row] = ref(random_below(&random, 2) ? "bread" : "milk");
        sales->sizes[row] = random_unit(&random);
        sales->sold[row] = 10 + (is_weekend ? 20 : 0) - fabs(parts[DATE_HOUR] - 12) +
                           0.01 * (days - 18000) + sales->sizes[row];
        sales->two[row] = is_weekend;
        sales->three[row] = is_weekend ? 2 : fabs(parts[DATE_HOUR] - 12) < 4;
    }
    sales->columns[0] = (FrameColumn){"when", COLUMN_DATE, sales->dates, NULL};
    sales->columns[1] = (FrameColumn){"size", COLUMN_NUMBER, NULL, sales->sizes};
    sales->columns[2] = (FrameColumn){"kind", COLUMN_CATEGORY, sales->kinds, NULL};
    sales->frame = (Frame){sales->columns, COLUMNS, ROWS};
    return sales;
}

/* 0 classes: numbers. */
static Target target_of(const Sales *sales, size_t class_count)
{
    if (class_count == 0)
        return (Target){.numbers = sales->sold};
    return class_count == 2 ? (Target){sales->two, &two_classes, NULL}
                            : (Target){sales->three, &three_classes, NULL};
}

static TabularResult learn_frame(const Frame *frame, Target target, Arena *arena)
{
    SearchSpec spec = {.seed = 3, .fold_count = 3, .trials_max = 3, .thread_count = 2};
    TabularResult result;
    Error error;

    EXPECT_OK(tabular_search(frame, &target, &spec, arena, &result, &error), error);
    return result;
}

static TabularResult learn(const Sales *sales, size_t class_count, Arena *arena)
{
    return learn_frame(&sales->frame, target_of(sales, class_count), arena);
}

/* Numbers, two classes, three. */
static void for_each_target(void (*check)(Sales *sales, size_t class_count, Arena *arena))
{
    static const size_t counts[] = {0, 2, 3};

    for (size_t i = 0; i < COUNT(counts); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        check(make_sales(arena), counts[i], arena);
    }
}

static double *answer(const TabularModel *model, const Frame *frame, Arena *arena)
{
    double *answers = arena_array(arena, double, frame->row_count *tabular_model_width(model));
    Error error;

    EXPECT_OK(tabular_model_predict(model, frame, answers, arena, &error), error);
    return answers;
}

/* ---- a table ---- */

static Table read_table(const char *const *texts, size_t count, Arena *arena)
{
    TextRef *dates = arena_array(arena, TextRef, count);
    FrameColumn *column = arena_new(arena, FrameColumn);
    Table table;
    Error error;

    for (size_t i = 0; i < count; i++)
        dates[i] = ref(texts[i]);
    *column = (FrameColumn){"when", COLUMN_DATE, dates, NULL};
    EXPECT_OK(table_read(&(Frame){column, 1, count}, arena, &table, &error), error);
    return table;
}

static void test_the_parts_of_a_date_that_differ_are_columns(void)
{
    static const char *const texts[] = {"2024-02-29 06:30", "1969-12-31 06:30", NULL};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Table table = read_table(texts, 3, arena);

    EXPECT(table.column_count == 4 && table.date_count == 1 && table.parts_of_dates == 4);
    EXPECT(table.dates[0].first_day == -1);
    EXPECT(table.columns[0].cells[0].number == 19783 && table.columns[0].cells[1].number == 0);
    EXPECT(table.columns[1].cells[0].number == 2 && table.columns[1].cells[1].number == 12);
    EXPECT(table.columns[2].cells[0].number == 29 && table.columns[2].cells[1].number == 31);
    EXPECT(table.columns[3].cells[0].number == 4 && table.columns[3].cells[1].number == 3);
    for (size_t i = 0; i < 4; i++)
        EXPECT(isnan(table.columns[i].cells[2].number));
    EXPECT(table.notes.count == 1);
    EXPECT_TEXT(table.notes.items[0],
                "\"when\" becomes days since 1969-12-31, month, day of the month, weekday");
}

static void test_times_of_one_day_are_its_hours(void)
{
    static const char *const texts[] = {"2024-02-29 06:30", "2024-02-29 18:45:00"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Table table = read_table(texts, 2, arena);

    EXPECT(table.column_count == 1);
    EXPECT(table.columns[0].cells[0].number == 6.5 && table.columns[0].cells[1].number == 18.75);
    EXPECT_TEXT(table.notes.items[0], "\"when\" becomes hour");
}

static void test_that_a_date_is_missing_is_told_by_its_days(void)
{
    static const char *const texts[] = {"2024-02-29", NULL, "2024-02-29", "some day"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Table table = read_table(texts, 4, arena);

    EXPECT(table.column_count == 1 && table.columns[0].cells[0].number == 0);
    EXPECT(isnan(table.columns[0].cells[1].number) && isnan(table.columns[0].cells[3].number));
}

static void test_a_date_that_never_changes_is_left_out(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    TabularResult result;

    for (size_t row = 0; row < ROWS; row++)
        sales->dates[row] = ref(row % 2 ? "2024-02-29" : "2024-02-29 00:00");
    result = learn(sales, 0, arena);
    EXPECT(result.left_out.count == 1 && result.notes.count == 1);
    EXPECT_TEXT(result.notes.items[0], "\"when\" is left out: it has the same value in every row");
    EXPECT(tabular_model_input_count(result.model) == COLUMNS);
    sales->dates[0] = ref("2030-01-01");
    answer(result.model, &sales->frame, arena);
    tabular_model_unload(&result.model);
}

/* ---- encodings ---- */

static void test_trees_read_parts_as_numbers_and_lines_have_a_place_for_each(void)
{
    static const char *const texts[] = {"2024-02-29 06:30", "1969-12-31 23:30", "1970-01-01"};
    static const size_t all[] = {0, 1, 2};
    static const double numbers[] = {1, 2, 3};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Table table = read_table(texts, 3, arena);
    RowList rows = {all, 3};
    Encoding trees = encoding_fit_trees(&table, rows, &(EncodingTarget){.numbers = numbers}, arena);
    Encoding lines = encoding_fit_linear(&table, rows, arena);
    Cell cells[] = {
        {.number = 10}, {.number = 12}, {.number = 31}, {.number = 7}, {.number = 23.9}};
    Cell beyond[] = {
        {.number = 1e300}, {.number = 13}, {.number = 0}, {.number = -1}, {.number = NAN}};
    float features[DATE_PART_COUNT];
    uint32_t places[DATE_PART_COUNT];
    double values[DATE_PART_COUNT];

    EXPECT(trees.feature_count == DATE_PART_COUNT);
    encoding_dense(&trees, cells, features);
    EXPECT(features[0] == 10 && features[1] == 12 && features[2] == 31 && features[3] == 7);
    EXPECT_NEAR(features[4], 23.9, 1e-5);
    EXPECT(lines.feature_count == 2 + 12 + 31 + 7 + 24);
    EXPECT(encoding_sparse(&lines, cells, places, values) == 5);
    EXPECT(places[0] == 0 && places[1] == 2 + 11 && places[2] == 2 + 12 + 30);
    EXPECT(places[3] == 2 + 12 + 31 + 6 && places[4] == 2 + 12 + 31 + 7 + 23);
    EXPECT(values[1] == 1 && values[4] == 1);
    EXPECT(encoding_sparse(&lines, beyond, places, values) == 1);
    EXPECT(values[0] == 20);
}

/* ---- learning ---- */

static double loss_of(const Frame *frame, Target target)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TabularResult result = learn_frame(frame, target, arena);
    double loss = NAN;

    for (size_t i = 0; i < result.leaderboard.count; i++)
        if (result.leaderboard.items[i].chosen)
            loss = target.numbers ? result.leaderboard.items[i].score
                                  : result.leaderboard.items[i].log_loss;
    tabular_model_unload(&result.model);
    return loss;
}

static void expect_better_with_dates(Sales *sales, size_t class_count, Arena *arena)
{
    Target target = target_of(sales, class_count);
    Frame without = {sales->columns + 1, COLUMNS - 1, ROWS};

    (void)arena;
    EXPECT(loss_of(&sales->frame, target) < 0.5 * loss_of(&without, target));
}

static void test_what_goes_by_the_calendar_is_learnt(void)
{
    for_each_target(expect_better_with_dates);
}

/* Weekends are a place of their own, which no slope along the week is. */
static void test_a_linear_model_alone_learns_weekends(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    TabularResult result = learn(sales, 2, arena);
    const LeaderboardRow *line = &result.leaderboard.items[1];

    tabular_model_unload(&result.model);
    for (size_t i = 0; i < result.leaderboard.count; i++)
        if (strcmp(result.leaderboard.items[i].name, "logistic_regression") == 0)
            line = &result.leaderboard.items[i];
    EXPECT_TEXT(line->name, "logistic_regression");
    EXPECT(line->accuracy > 0.97);
}

static void test_the_same_rows_and_seed_give_the_same_bytes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    const char *bytes[2];
    size_t sizes[2];

    for (size_t i = 0; i < 2; i++) {
        TabularResult result = learn(sales, 3, arena);

        tabular_model_save(result.model, arena, &bytes[i], &sizes[i]);
        tabular_model_unload(&result.model);
    }
    EXPECT(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
}

static bool is_of_table(const Frame *frame, Target target, TextList *notes, Arena *arena)
{
    SearchSpec spec = {.seed = 3, .fold_count = 2, .trials_max = 1};
    const char *bytes;
    Learnt learnt;
    Error error;
    size_t size;

    EXPECT_OK(predictor_learn(frame, &target, &spec, arena, &learnt, &error), error);
    predictor_save(learnt.model, arena, &bytes, &size);
    predictor_unload(&learnt.model);
    *notes = learnt.notes;
    return tabular_model_is_file(bytes, size);
}

static void test_texts_beside_a_date_are_a_table_but_for_very_many_classes(void)
{
    enum { MANY = 40 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    FrameColumn columns[] = {{"note", COLUMN_TEXT, sales->kinds, NULL}, sales->columns[0]};
    Frame frame = {columns, 2, ROWS};
    const char *many[MANY];
    ClassNames classes = {many, MANY};
    TextList notes;

    EXPECT(is_of_table(&frame, target_of(sales, 2), &notes, arena));
    for (size_t i = 0; i < MANY; i++)
        many[i] = arena_format(arena, "%02zu", i);
    for (size_t row = 0; row < ROWS; row++) {
        sales->three[row] = (int)(row % MANY);
        sales->kinds[row] = ref(arena_format(arena, "word%zu and number %zu", row % MANY, row));
    }
    EXPECT(!is_of_table(&frame, (Target){sales->three, &classes, NULL}, &notes, arena));
    EXPECT(notes.count == 1);
    EXPECT_TEXT(notes.items[0],
                "\"when\" is left out: with more than 32 classes of texts and more a "
                "date is not learnt from");
}

/* ---- answering ---- */

static void expect_same_answers(Sales *sales, size_t class_count, Arena *arena)
{
    TabularResult result = learn(sales, class_count, arena);
    CLEANUP(tabular_model_unload) TabularModel *model = result.model;
    CLEANUP(tabular_model_unload) TabularModel *loaded = NULL;
    size_t bytes_count = ROWS * tabular_model_width(model) * sizeof(double), size;
    double *answers = answer(model, &sales->frame, arena), *others;
    const char *bytes;
    Error error;

    tabular_model_save(model, arena, &bytes, &size);
    EXPECT_OK(tabular_model_load(bytes, size, &loaded, &error), error);
    others = answer(loaded, &sales->frame, arena);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
    EXPECT_OK(tabular_model_predict_on(3, loaded, &sales->frame, others, &error), error);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
}

static void test_a_model_answers_the_same_when_loaded_again_and_on_threads(void)
{
    for_each_target(expect_same_answers);
}

static void expect_forms(const TabularModel *model, Sales *sales, const char *const *texts,
                         size_t count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Frame frame = {sales->columns, COLUMNS, count};
    double *answers;

    for (size_t row = 0; row < count; row++) {
        sales->dates[row] = ref(texts[row]);
        sales->kinds[row] = ref("milk");
        sales->sizes[row] = 0.5;
    }
    answers = answer(model, &frame, arena);
    for (size_t row = 1; row < count; row++)
        EXPECT(answers[row] == answers[0]);
}

static void test_one_time_in_many_forms_is_one_and_what_is_none_is_missing(void)
{
    static const char *const forms[] = {"2020-05-31 10:30", "2020-05-31T10:30:00",
                                        " 2020-05-31 10:30:00.000 ", "2020-05-31T10:30:00Z",
                                        "2020-05-31T12:30:00+02:00"};
    static const char *const none[] = {NULL, "", "2020-02-30", "1590921000"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    TabularResult result;

    sales->dates[7] = ref(NULL);
    result = learn(sales, 0, arena);
    expect_forms(result.model, sales, forms, COUNT(forms));
    expect_forms(result.model, sales, none, COUNT(none));
    tabular_model_unload(&result.model);
}

static void test_days_beyond_those_learnt_from_are_answered(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    TabularResult result = learn(sales, 0, arena);
    double *answers;

    sales->dates[0] = ref("9999-12-31");
    sales->dates[1] = ref("0001-01-01 12:00");
    answers = answer(result.model, &sales->frame, arena);
    tabular_model_unload(&result.model);
    EXPECT(answers[0] > -200 && answers[0] < 200);
    EXPECT(answers[1] > -200 && answers[1] < 200);
}

/* ---- explaining ---- */

/* number: the answer, which the contributions add up to; else NaN. */
static void expect_sum(const TabularModel *model, const Sales *sales, size_t row, double number)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Explanation explanation;
    double sum, of_date = NAN;
    Error error;

    EXPECT_OK(tabular_model_explain(model, &sales->frame, row, 0, arena, &explanation, &error),
              error);
    EXPECT(explanation.count == COLUMNS);
    sum = explanation.intercept;
    for (size_t i = 0; i < COLUMNS; i++) {
        sum += explanation.items[i].weight;
        if (strncmp(explanation.items[i].text, "when=20", 7) == 0)
            of_date = explanation.items[i].weight;
    }
    EXPECT(fabs(of_date) > 0);
    EXPECT_NEAR(sum, explanation.margin, 1e-9);
    EXPECT(isnan(number) || fabs(sum - number) < 1e-3);
}

static void expect_explained(Sales *sales, size_t class_count, Arena *arena)
{
    TabularResult result = learn(sales, class_count, arena);
    double *answers = answer(result.model, &sales->frame, arena);

    for (size_t row = 0; row < 10; row++)
        expect_sum(result.model, sales, row, class_count ? NAN : answers[row]);
    tabular_model_unload(&result.model);
}

static void test_a_date_adds_one_contribution_and_all_add_up(void)
{
    for_each_target(expect_explained);
}

/* ---- files ---- */

static void test_any_byte_may_be_wrong(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    TabularResult result = learn(sales, 3, arena);

    expect_any_byte_may_be_wrong(result.model, &(Frame){sales->columns, COLUMNS, 1}, 600, 1500);
    tabular_model_unload(&result.model);
}

static void expect_damaged_as(char version, char *bytes, size_t size)
{
    TabularModel *model = NULL;
    Error error = {0};

    bytes[8] = version;
    EXPECT(!tabular_model_load(bytes, size, &model, &error));
    EXPECT_TEXT(error.message, "the model of a table is damaged");
}

static void test_files_of_the_versions_before_have_no_dates(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    TabularResult result = learn(sales, 2, arena);
    const char *bytes;
    size_t size;
    char *old;

    tabular_model_save(result.model, arena, &bytes, &size);
    tabular_model_unload(&result.model);
    old = arena_copy(arena, bytes, size);
    EXPECT(old[8] == 3);
    expect_damaged_as(1, old, size);
    expect_damaged_as(2, old, size);
}

static void test_a_table_without_dates_is_written_as_before(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sales *sales = make_sales(arena);
    Frame frame = {sales->columns + 1, COLUMNS - 1, ROWS};
    TabularResult result = learn_frame(&frame, target_of(sales, 0), arena);
    const char *bytes;
    size_t size;

    tabular_model_save(result.model, arena, &bytes, &size);
    tabular_model_unload(&result.model);
    EXPECT(bytes[8] == 1);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_the_parts_of_a_date_that_differ_are_columns),
        TEST(test_times_of_one_day_are_its_hours),
        TEST(test_that_a_date_is_missing_is_told_by_its_days),
        TEST(test_a_date_that_never_changes_is_left_out),
        TEST(test_trees_read_parts_as_numbers_and_lines_have_a_place_for_each),
        TEST(test_what_goes_by_the_calendar_is_learnt),
        TEST(test_a_linear_model_alone_learns_weekends),
        TEST(test_the_same_rows_and_seed_give_the_same_bytes),
        TEST(test_texts_beside_a_date_are_a_table_but_for_very_many_classes),
        TEST(test_a_model_answers_the_same_when_loaded_again_and_on_threads),
        TEST(test_one_time_in_many_forms_is_one_and_what_is_none_is_missing),
        TEST(test_days_beyond_those_learnt_from_are_answered),
        TEST(test_a_date_adds_one_contribution_and_all_add_up),
        TEST(test_any_byte_may_be_wrong),
        TEST(test_files_of_the_versions_before_have_no_dates),
        TEST(test_a_table_without_dates_is_written_as_before),
        {0},
    };
    Error error;

    if (!boost_open(&error)) {
        printf("SKIP: %s\n", error.message);
        return test_none();
    }
    return test_main(tests, count, arguments);
}
