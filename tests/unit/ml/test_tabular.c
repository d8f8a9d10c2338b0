/* Models of tables of made-up rows; without the library of boosted trees they are linear ones. */
#include "ml/boost.h"
#include "ml/random.h"
#include "ml/tabular_model.h"
#include "tests/test.h"
#include "tests/unit/ml/tabular_damage.h"

enum { ROWS = 240, COLUMNS = 4 };

/* Two classes tell by colour and size; three by size; the number is made of both. */
typedef struct Goods {
    TextRef colours[ROWS], cities[ROWS];
    double sizes[ROWS], noise[ROWS], prices[ROWS];
    int two[ROWS], three[ROWS];
    FrameColumn columns[COLUMNS];
    Frame frame;
} Goods;

static const char *const names[] = {"bad", "fair", "good"};
static const ClassNames two_classes = {names, 2}, three_classes = {names, 3};

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static Goods *make_goods(Arena *arena)
{
    static const char *const colours[] = {"red", "green", "blue", NULL};
    Goods *goods = arena_new(arena, Goods);
    Random random = random_seeded(5);

    for (size_t row = 0; row < ROWS; row++) {
        size_t colour = random_below(&random, 4);
        double size = 10 * random_unit(&random);

        goods->colours[row] = ref(colours[colour]);
        goods->cities[row] = ref(arena_format(arena, "city %d", (int)random_below(&random, 30)));
        goods->sizes[row] = row % 9 ? size : NAN;
        goods->noise[row] = random_unit(&random);
        goods->two[row] = (colour == 1) != (size > 6);
        goods->three[row] = size < 3 ? 0 : size < 7 ? 1 : 2;
        goods->prices[row] = 100 + 20 * size + (colour == 2 ? 50 : 0) + goods->noise[row];
    }
    goods->columns[0] = (FrameColumn){"colour", COLUMN_CATEGORY, goods->colours, NULL};
    goods->columns[1] = (FrameColumn){"size", COLUMN_NUMBER, NULL, goods->sizes};
    goods->columns[2] = (FrameColumn){"city", COLUMN_CATEGORY, goods->cities, NULL};
    goods->columns[3] = (FrameColumn){"noise", COLUMN_NUMBER, NULL, goods->noise};
    goods->frame = (Frame){goods->columns, COLUMNS, ROWS};
    return goods;
}

static Target target_of(const Goods *goods, size_t class_count)
{
    if (class_count == 0)
        return (Target){.numbers = goods->prices};
    return class_count == 2 ? (Target){goods->two, &two_classes, NULL}
                            : (Target){goods->three, &three_classes, NULL};
}

/* 0 classes: numbers. */
static TabularResult learn_on(size_t threads, const Goods *goods, size_t class_count, Arena *arena)
{
    Target target = target_of(goods, class_count);
    SearchSpec spec = {.seed = 3, .fold_count = 2, .trials_max = 4, .thread_count = threads};
    TabularResult result;
    Error error;

    EXPECT_OK(tabular_search(&goods->frame, &target, &spec, arena, &result, &error), error);
    return result;
}

static TabularResult learn(const Goods *goods, size_t class_count, Arena *arena)
{
    return learn_on(2, goods, class_count, arena);
}

static void expect_refused(const Frame *frame, Target target, const char *sentence)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SearchSpec spec = {.seed = 3, .fold_count = 3};
    TabularResult result = {0};
    Error error = {0};

    EXPECT(!tabular_search(frame, &target, &spec, arena, &result, &error));
    EXPECT_TEXT(error.message, sentence);
    EXPECT(!result.model);
}

static bool has_trees(void)
{
    Error error;

    return boost_open(&error);
}

/* Numbers, two classes, three. */
static void for_each_target(void (*check)(const Goods *goods, size_t class_count, Arena *arena))
{
    static const size_t counts[] = {0, 2, 3};

    for (size_t i = 0; i < 3; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        check(make_goods(arena), counts[i], arena);
    }
}

/* ---- searching ---- */

static void expect_row(const LeaderboardRow *row)
{
    EXPECT(!row->chosen || (!row->below_baseline && !row->is_baseline && isfinite(row->score)));
    EXPECT(isfinite(row->score) || row->note[0]);
}

static void expect_board(const Goods *goods, size_t class_count, Arena *arena)
{
    TabularResult result = learn(goods, class_count, arena);
    size_t chosen = 0;

    tabular_model_unload(&result.model);
    EXPECT(result.leaderboard.items[0].is_baseline);
    EXPECT_TEXT(result.leaderboard.items[0].name, class_count ? "majority" : "mean");
    for (size_t i = 0; i < result.leaderboard.count; i++) {
        expect_row(&result.leaderboard.items[i]);
        chosen += result.leaderboard.items[i].chosen;
    }
    EXPECT(chosen == 1);
}

static void test_the_first_row_is_the_baseline_and_the_chosen_one_beats_it(void)
{
    for_each_target(expect_board);
}

static void test_trees_learn_what_no_line_can_part(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TabularResult result = learn(make_goods(arena), 2, arena);
    double linear = NAN, chosen = NAN;

    if (!has_trees()) {
        printf("SKIP: there is no library of boosted trees\n");
        return;
    }
    for (size_t i = 0; i < result.leaderboard.count; i++) {
        const LeaderboardRow *row = &result.leaderboard.items[i];

        if (strcmp(row->name, "logistic_regression") == 0)
            linear = row->accuracy;
        chosen = row->chosen ? row->accuracy : chosen;
    }
    EXPECT(chosen > linear + 0.1);
    tabular_model_unload(&result.model);
}

static void expect_same_bytes(const Goods *goods, size_t class_count, Arena *arena)
{
    TabularResult first = learn(goods, class_count, arena);
    TabularResult second = learn_on(1, goods, class_count, arena);
    const char *bytes[2];
    size_t sizes[2];

    tabular_model_save(first.model, arena, &bytes[0], &sizes[0]);
    tabular_model_save(second.model, arena, &bytes[1], &sizes[1]);
    tabular_model_unload(&first.model);
    tabular_model_unload(&second.model);
    EXPECT(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
}

static void test_the_same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads(void)
{
    for_each_target(expect_same_bytes);
}

static void test_a_budget_that_is_used_up_gives_the_best_so_far(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    Target target = target_of(goods, 2);
    SearchSpec spec = {.seed = 3, .budget_seconds = 1e-6};
    TabularResult result, whole = learn(goods, 2, arena);
    Error error;

    EXPECT_OK(tabular_search(&goods->frame, &target, &spec, arena, &result, &error), error);
    EXPECT(result.leaderboard.count >= 3);
    EXPECT(result.leaderboard.count < whole.leaderboard.count || !has_trees());
    tabular_model_unload(&result.model);
    tabular_model_unload(&whole.model);
}

static size_t count_learnt(const Leaderboard *board)
{
    size_t count = 0;

    for (size_t i = 0; i < board->count; i++)
        count += !board->items[i].is_baseline && strcmp(board->items[i].name, "ensemble") != 0;
    return count;
}

/* The portfolio has eight, and without a budget the steps away from the best one are six. */
static void test_a_limit_of_trials_is_kept_and_reached(void)
{
    static const size_t limits[] = {1, 2, 4, 20};

    for (size_t i = 0; i < COUNT(limits) && has_trees(); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Goods *goods = make_goods(arena);
        Target target = target_of(goods, 2);
        SearchSpec spec = {.seed = 3, .fold_count = 2, .trials_max = limits[i], .thread_count = 2};
        TabularResult result;
        Error error;

        EXPECT_OK(tabular_search(&goods->frame, &target, &spec, arena, &result, &error), error);
        EXPECT(count_learnt(&result.leaderboard) == limits[i]);
        EXPECT(result.ended_after == limits[i]);
        tabular_model_unload(&result.model);
    }
}

static void test_a_search_that_comes_to_its_own_end_was_not_limited(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    Target target = target_of(goods, 2);
    SearchSpec spec = {.seed = 3, .fold_count = 2, .thread_count = 2};
    TabularResult result;
    Error error;

    EXPECT_OK(tabular_search(&goods->frame, &target, &spec, arena, &result, &error), error);
    EXPECT(result.ended_after == 0);
    EXPECT(count_learnt(&result.leaderboard) == 15 || !has_trees());
    tabular_model_unload(&result.model);
}

static void count_call(void *context, const Leaderboard *so_far, size_t done, size_t planned)
{
    size_t *calls = context;

    EXPECT(planned == 10 && done <= planned);
    EXPECT(so_far->items[0].is_baseline);
    ++*calls;
}

static void test_a_listener_hears_of_the_baseline_and_of_each_candidate(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    Target target = target_of(goods, 0);
    size_t calls = 0;
    SearchSpec spec = {
        .metric = "mae", .fold_count = 2, .trials_max = 5, .listener = {count_call, &calls}};
    TabularResult result;
    Error error;

    EXPECT_OK(tabular_search(&goods->frame, &target, &spec, arena, &result, &error), error);
    EXPECT(calls + 1 >= result.leaderboard.count);
    tabular_model_unload(&result.model);
}

static void keep_planned(void *context, const Leaderboard *so_far UNUSED, size_t done UNUSED,
                         size_t planned)
{
    size_t *folds = context; /* of the only trial */

    *folds = planned;
}

static size_t folds_within(double seconds, size_t rows)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *numbers = arena_array(arena, double, rows);
    FrameColumn column = {"size", COLUMN_NUMBER, NULL, numbers};
    Target target = {.numbers = numbers};
    size_t folds = 0;
    SearchSpec spec = {
        .budget_seconds = seconds, .trials_max = 1, .listener = {keep_planned, &folds}};
    TabularResult result;
    Error error;

    for (size_t row = 0; row < rows; row++)
        numbers[row] = (double)row;
    EXPECT_OK(tabular_search(&(Frame){&column, 1, rows}, &target, &spec, arena, &result, &error),
              error);
    tabular_model_unload(&result.model);
    return folds;
}

static void test_many_rows_are_judged_in_five_folds_where_there_is_time(void)
{
    EXPECT(folds_within(0, 20000) == 5);
    EXPECT(folds_within(0, 20001) == 3);
    EXPECT(folds_within(20, 20001) == 3);
    EXPECT(folds_within(21, 20001) == 5);
}

/* A target that is chance, the same in all rows of a group: whoever sees the group knows it. */
static void test_rows_of_a_group_judge_each_other_never(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    size_t groups[ROWS];
    Random random = random_seeded(8);
    Target target = target_of(goods, 2);
    SearchSpec spec = {.seed = 3, .fold_count = 3, .trials_max = 4, .groups = groups};
    TabularResult result;
    double best = 0;
    Error error;

    for (size_t row = 0; row < ROWS; row++) {
        groups[row] = row / 8;
        goods->two[row] = row % 8 ? goods->two[row - 1] : (int)random_below(&random, 2);
        goods->noise[row] = (double)groups[row];
        goods->cities[row] = ref(arena_format(arena, "city %zu", groups[row]));
    }
    EXPECT_OK(tabular_search(&goods->frame, &target, &spec, arena, &result, &error), error);
    for (size_t i = 0; i < result.leaderboard.count; i++)
        best = fmax(best, result.leaderboard.items[i].accuracy);
    EXPECT(best < 0.75);
    tabular_model_unload(&result.model);
}

/* ---- answering ---- */

static double *answer(const TabularModel *model, const Frame *frame, Arena *arena)
{
    double *answers = arena_array(arena, double, frame->row_count *tabular_model_width(model));
    Error error;

    EXPECT_OK(tabular_model_predict(model, frame, answers, arena, &error), error);
    return answers;
}

static void expect_same_answers(const Goods *goods, size_t class_count, Arena *arena)
{
    TabularResult result = learn(goods, class_count, arena);
    CLEANUP(tabular_model_unload) TabularModel *model = result.model;
    CLEANUP(tabular_model_unload) TabularModel *loaded = NULL;
    CLEANUP(tabular_model_unload) TabularModel *in_place = NULL;
    size_t bytes_count = ROWS * tabular_model_width(model) * sizeof(double), size;
    double *answers = answer(model, &goods->frame, arena), *others;
    const char *bytes;
    Error error;

    tabular_model_save(model, arena, &bytes, &size);
    EXPECT(tabular_model_is_file(bytes, size));
    EXPECT_OK(tabular_model_load(bytes, size, &loaded, &error), error);
    EXPECT_OK(tabular_model_load_in_place(bytes, size, &in_place, &error), error);
    others = answer(loaded, &goods->frame, arena);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
    others = answer(in_place, &goods->frame, arena);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
    EXPECT_OK(tabular_model_predict_on(3, loaded, &goods->frame, others, &error), error);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
}

static void test_a_model_answers_the_same_when_loaded_again_and_on_threads(void)
{
    for_each_target(expect_same_answers);
}

static double explain(const TabularModel *model, const Goods *goods, size_t row, size_t class_index,
                      Arena *arena)
{
    Explanation explanation;
    Error error;
    double sum;

    EXPECT_OK(
        tabular_model_explain(model, &goods->frame, row, class_index, arena, &explanation, &error),
        error);
    sum = explanation.intercept;
    for (size_t i = 0; i < explanation.count; i++)
        sum += explanation.items[i].weight;
    EXPECT_NEAR(sum, explanation.margin, 1e-9);
    return explanation.margin;
}

/* What is explained is what is answered: the number, and of two classes the same margin from both
 * sides. Of three, the larger margin has the larger probability. */
static void expect_margins(const TabularModel *model, const Goods *goods, size_t row,
                           const double *answers, Arena *arena)
{
    size_t width = tabular_model_width(model);
    double first = explain(model, goods, row, 0, arena);
    double last = explain(model, goods, row, width - 1, arena);

    if (width == 1)
        EXPECT_NEAR(first, answers[row], 1e-3);
    if (width == 2)
        EXPECT_NEAR(first, -last, 1e-9);
    if (width == 3 && fabs(first - last) > 2)
        EXPECT((first > last) == (answers[row * 3] > answers[row * 3 + 2]));
}

static void expect_explained(const Goods *goods, size_t class_count, Arena *arena)
{
    TabularResult result = learn(goods, class_count, arena);
    CLEANUP(tabular_model_unload) TabularModel *model = result.model;
    double *answers = answer(model, &goods->frame, arena);

    for (size_t row = 0; row < 20; row++)
        expect_margins(model, goods, row, answers, arena);
}

static void test_contributions_of_columns_add_up(void)
{
    for_each_target(expect_explained);
}

static void test_an_explanation_names_columns_and_values(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    TabularResult result = learn(goods, 0, arena);
    Explanation explanation;
    Error error;

    goods->sizes[1] = 9.5;
    EXPECT_OK(tabular_model_explain(result.model, &goods->frame, 1, 0, arena, &explanation, &error),
              error);
    EXPECT_TEXT(explanation.items[0].column, "size");
    EXPECT_TEXT(explanation.items[0].text, "size=9.5");
    EXPECT(explanation.items[0].weight > 10);
    tabular_model_unload(&result.model);
}

static void test_values_that_training_did_not_see_are_answered(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    TabularResult result = learn(goods, 3, arena);
    TextRef texts[] = {ref("ultraviolet"), {0}, ref("")};
    double sizes[] = {INFINITY, NAN, -1e300};
    FrameColumn columns[] = {{"size", COLUMN_NUMBER, NULL, sizes},
                             {"noise", COLUMN_NUMBER, NULL, sizes},
                             {"city", COLUMN_CATEGORY, texts, NULL},
                             {"colour", COLUMN_CATEGORY, texts, NULL}};
    double *answers = answer(result.model, &(Frame){columns, 4, 3}, arena);

    for (size_t row = 0; row < 3; row++)
        EXPECT_NEAR(answers[row * 3] + answers[row * 3 + 1] + answers[row * 3 + 2], 1, 1e-9);
    tabular_model_unload(&result.model);
}

static void test_a_column_that_the_model_lacks_is_named(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    TabularResult result = learn(goods, 2, arena);
    Frame frame = {goods->columns, 1, ROWS};
    double answers[2 * ROWS];
    Error error = {0};

    EXPECT(!tabular_model_predict(result.model, &frame, answers, arena, &error));
    EXPECT_TEXT(error.message, "the model needs a column \"size\"");
    tabular_model_unload(&result.model);
}

/* ---- inputs that are hard ---- */

/* A row like those of the training is answered; what is in a column that was left out is nothing.
 */
static void expect_taken_and_not_read(const TabularModel *model, const Frame *frame, double *same)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t count = ROWS * tabular_model_width(model);
    double *before = arena_array(arena, double, count), *after = arena_array(arena, double, count);
    Error error;

    EXPECT(tabular_model_input_count(model) == 5);
    EXPECT_TEXT(tabular_model_input(model, 2).name, "gone");
    EXPECT_TEXT(tabular_model_input(model, 4).name, "id");
    EXPECT_OK(tabular_model_predict(model, frame, before, arena, &error), error);
    for (size_t row = 0; row < ROWS; row++)
        same[row] = (double)row;
    EXPECT_OK(tabular_model_predict(model, frame, after, arena, &error), error);
    EXPECT(memcmp(before, after, count * sizeof(*before)) == 0);
}

static void test_columns_that_tell_nothing_are_left_out_with_a_note(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    double missing[ROWS], same[ROWS];
    TextRef ids[ROWS];
    FrameColumn columns[] = {goods->columns[0],
                             goods->columns[1],
                             {"gone", COLUMN_NUMBER, NULL, missing},
                             {"same", COLUMN_NUMBER, NULL, same},
                             {"id", COLUMN_CATEGORY, ids, NULL}};
    Frame frame = {columns, 5, ROWS};
    Target target = target_of(goods, 2);
    SearchSpec spec = {.fold_count = 2, .trials_max = 2};
    TabularResult result;
    Error error;

    for (size_t row = 0; row < ROWS; row++) {
        missing[row] = row % 2 ? NAN : -INFINITY;
        same[row] = 7;
        ids[row] = ref(arena_format(arena, "id %zu", row));
    }
    EXPECT_OK(tabular_search(&frame, &target, &spec, arena, &result, &error), error);
    expect_taken_and_not_read(result.model, &frame, same);
    EXPECT(result.notes.count == 3);
    EXPECT_TEXT(result.notes.items[0], "\"gone\" is left out: it is missing in every row");
    EXPECT_TEXT(result.notes.items[1], "\"same\" is left out: it has the same value in every row");
    EXPECT_TEXT(result.notes.items[2],
                "\"id\" is left out: nearly every row has a value of its own");
    tabular_model_unload(&result.model);
}

static void test_what_cannot_be_learnt_from_is_refused_with_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    double same[ROWS] = {0};
    int one[ROWS] = {0};
    FrameColumn nothing[] = {{"same", COLUMN_NUMBER, NULL, same}};
    FrameColumn text[] = {{"note", COLUMN_TEXT, NULL, NULL}};
    Target two = target_of(goods, 2), numbers = target_of(goods, 0);
    Frame frame = goods->frame;

    expect_refused(&(Frame){nothing, 1, ROWS}, two,
                   "no column can be learnt from: \"same\" is left out: it has the same value in "
                   "every row");
    expect_refused(&(Frame){text, 1, ROWS}, two, "the column \"note\" holds no texts");
    expect_refused(&(Frame){nothing, 0, ROWS}, two, "training needs a column beside the target");
    expect_refused(&frame, (Target){one, &two_classes, NULL},
                   "training needs two classes with two rows each at least: 1 class has them");
    expect_refused(&frame, (Target){.numbers = same}, "the target is the same number in every row");
    goods->prices[4] = NAN;
    expect_refused(&frame, numbers, "row 5 has no finite number to learn");
    frame.row_count = 1;
    expect_refused(&frame, two, "training needs two rows at least, there is 1");
}

static void test_a_metric_that_numbers_do_not_have_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    Target target = target_of(goods, 0);
    SearchSpec spec = {.metric = "f1"};
    TabularResult result;
    Error error = {0};

    EXPECT(!tabular_search(&goods->frame, &target, &spec, arena, &result, &error));
    EXPECT_TEXT(error.message,
                "\"f1\" is a metric of classification, not of regression, whose are rmse, mae, r2, "
                "mape, median_absolute_error, explained_variance, max_error");
}

static void test_an_infinite_value_is_a_missing_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    const char *bytes[2];
    size_t sizes[2];

    for (size_t turn = 0; turn < 2; turn++) {
        TabularResult result;

        for (size_t row = 0; row < ROWS; row += 9)
            goods->sizes[row] = turn ? NAN : INFINITY;
        result = learn(goods, 2, arena);
        tabular_model_save(result.model, arena, &bytes[turn], &sizes[turn]);
        tabular_model_unload(&result.model);
    }
    EXPECT(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
}

static void test_ten_thousand_categories_are_learnt(void)
{
    enum { MANY = 12000, VALUES = 10000 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextRef *texts = arena_array(arena, TextRef, MANY);
    double *halves = arena_array(arena, double, MANY), *numbers = arena_array(arena, double, MANY);
    FrameColumn columns[] = {{"value", COLUMN_CATEGORY, texts, NULL},
                             {"half", COLUMN_NUMBER, NULL, halves}};
    Frame frame = {columns, 2, MANY};
    Target target = {.numbers = numbers};
    SearchSpec spec = {.fold_count = 2, .trials_max = 3, .thread_count = 2};
    TabularResult result;
    Error error;

    for (size_t row = 0; row < MANY; row++) {
        size_t value = row % VALUES;

        texts[row] = ref(arena_format(arena, "value %zu", value));
        halves[row] = (double)(row % 2);
        numbers[row] = (double)(value % 7) + 3 * halves[row];
    }
    EXPECT_OK(tabular_search(&frame, &target, &spec, arena, &result, &error), error);
    EXPECT(tabular_model_input_count(result.model) == 2);
    tabular_model_unload(&result.model);
}

/* ---- files ---- */

static void test_what_is_no_model_is_refused(void)
{
    TabularModel *model = NULL;
    Error error = {0};

    EXPECT(!tabular_model_is_file("SLPTEXT", 8));
    EXPECT(!tabular_model_load("SLPTEXT\0\1\0\0\0\0\0\0\0", 16, &model, &error));
    EXPECT_TEXT(error.message, "the file is not a model of a table of Slipway");
    EXPECT(!tabular_model_load("SLPTABL\0\4\0\0\0\0\0\0\0", 16, &model, &error));
    EXPECT_TEXT(error.message,
                "the model of a table has format version 4, this program reads versions 1 to 3");
    EXPECT(!tabular_model_load("SLPTABL\0\1\0\0\0\0\0\0\0", 16, &model, &error));
    EXPECT_TEXT(error.message, "the model of a table is damaged");
}

static void test_any_byte_may_be_wrong(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    TabularResult result = learn(goods, 3, arena);

    expect_any_byte_may_be_wrong(result.model, &(Frame){goods->columns, COLUMNS, 1}, 400, 1000);
    tabular_model_unload(&result.model);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_the_first_row_is_the_baseline_and_the_chosen_one_beats_it),
        TEST(test_trees_learn_what_no_line_can_part),
        TEST(test_the_same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads),
        TEST(test_a_budget_that_is_used_up_gives_the_best_so_far),
        TEST(test_a_limit_of_trials_is_kept_and_reached),
        TEST(test_a_search_that_comes_to_its_own_end_was_not_limited),
        TEST(test_many_rows_are_judged_in_five_folds_where_there_is_time),
        TEST(test_a_listener_hears_of_the_baseline_and_of_each_candidate),
        TEST(test_rows_of_a_group_judge_each_other_never),
        TEST(test_a_model_answers_the_same_when_loaded_again_and_on_threads),
        TEST(test_contributions_of_columns_add_up),
        TEST(test_an_explanation_names_columns_and_values),
        TEST(test_values_that_training_did_not_see_are_answered),
        TEST(test_a_column_that_the_model_lacks_is_named),
        TEST(test_columns_that_tell_nothing_are_left_out_with_a_note),
        TEST(test_what_cannot_be_learnt_from_is_refused_with_a_sentence),
        TEST(test_a_metric_that_numbers_do_not_have_is_refused),
        TEST(test_an_infinite_value_is_a_missing_one),
        TEST(test_ten_thousand_categories_are_learnt),
        TEST(test_what_is_no_model_is_refused),
        TEST(test_any_byte_may_be_wrong),
        {0},
    };

    return test_main(tests, count, arguments);
}
