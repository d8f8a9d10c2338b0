/* What answers owe to columns: importance and partial dependence, against what is known by hand. */
#include "ml/dependence.h"
#include "ml/importance.h"
#include "ml/random.h"
#include "tests/test.h"

enum { ROWS = 400, COLUMNS = 4 };

static const double slope = 3, other_slope = -2, step_of_red = 5;

/* A number that is 3 a - 2 b + 5 where the colour is red, exactly; the class is whether it is above
 * its middle. The constant says nothing, so no model looks at it. */
typedef struct Goods {
    double a[ROWS], b[ROWS], constant[ROWS], numbers[ROWS];
    TextRef colours[ROWS], texts[ROWS];
    int labels[ROWS], thirds[ROWS];
    FrameColumn columns[COLUMNS];
    Frame frame;
} Goods;

static const char *const names[] = {"high", "low", "middle"};
static const ClassNames two = {names, 2}, three = {names, 3};

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static Goods *make_goods(Arena *arena)
{
    static const char *const colours[] = {"red", "green", "green", "blue"};
    Goods *goods = arena_new(arena, Goods);
    Random random = random_seeded(11);

    for (size_t row = 0; row < ROWS; row++) {
        const char *colour = colours[random_below(&random, 4)];

        goods->a[row] = 10 * random_unit(&random);
        goods->b[row] = 10 * random_unit(&random);
        goods->constant[row] = 7;
        goods->colours[row] = ref(colour);
        goods->numbers[row] = slope * goods->a[row] + other_slope * goods->b[row] +
                              (colour[0] == 'r' ? step_of_red : 0);
        goods->labels[row] = goods->numbers[row] < 6;
        goods->thirds[row] = goods->a[row] > 6 ? 0 : goods->a[row] < 3 ? 1 : 2;
        goods->texts[row] =
            ref(arena_format(arena, "%s word%d", goods->labels[row] ? "dull" : "new",
                             (int)random_below(&random, 20)));
    }
    goods->columns[0] = (FrameColumn){"a", COLUMN_NUMBER, NULL, goods->a};
    goods->columns[1] = (FrameColumn){"b", COLUMN_NUMBER, NULL, goods->b};
    goods->columns[2] = (FrameColumn){"colour", COLUMN_CATEGORY, goods->colours, NULL};
    goods->columns[3] = (FrameColumn){"constant", COLUMN_NUMBER, NULL, goods->constant};
    goods->frame = (Frame){goods->columns, COLUMNS, ROWS};
    return goods;
}

static Target target_of(const Goods *goods, size_t class_count)
{
    if (class_count == 0)
        return (Target){.numbers = goods->numbers};
    return class_count == 2 ? (Target){.labels = goods->labels, .classes = &two}
                            : (Target){.labels = goods->thirds, .classes = &three};
}

/* trials 1: a linear model, as that is what the search begins with. */
static Predictor *learn(const Goods *goods, size_t class_count, size_t trials)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Target target = target_of(goods, class_count);
    SearchSpec spec = {.seed = 3,
                       .fold_count = 2,
                       .trials_max = trials,
                       .thread_count = 2,
                       .metric =
                           metric_default(class_count ? TASK_CLASSIFICATION : TASK_REGRESSION)};
    Learnt found;
    Error error;

    EXPECT_OK(predictor_learn(&goods->frame, &target, &spec, arena, &found, &error), error);
    return found.model;
}

static Importance measure(const Predictor *model, const Goods *goods, size_t class_count,
                          const char *metric, Arena *arena)
{
    Target target = target_of(goods, class_count);
    ImportanceSpec spec = {.model = model,
                           .frame = &goods->frame,
                           .target = &target,
                           .metric = metric_find(metric),
                           .positive = 1,
                           .seconds = 100,
                           .seed = 42,
                           .thread_count = 2};
    Importance importance;
    Error error;

    EXPECT_OK(importance_measure(&spec, arena, &importance, &error), error);
    return importance;
}

static const ColumnImportance *find(const Importance *importance, const char *column)
{
    const ColumnImportance *found = NULL;

    for (size_t i = 0; i < importance->count; i++)
        if (strcmp(importance->items[i].column, column) == 0)
            found = &importance->items[i];
    EXPECT(found);
    return found;
}

/* ---- importance ---- */

static double variance(const double *values)
{
    double mean = 0, sum = 0;

    for (size_t row = 0; row < ROWS; row++)
        mean += values[row] / ROWS;
    for (size_t row = 0; row < ROWS; row++)
        sum += (values[row] - mean) * (values[row] - mean);
    return sum / (ROWS - 1);
}

/* Of numbers that are met exactly the mean squared error becomes c^2 E (x - x')^2 = 2 c^2 Var(x) of
 * two different rows, and of the same row 0. */
static double shuffled_rmse(double coefficient, const double *values)
{
    return sqrt(2 * coefficient * coefficient * variance(values) * (ROWS - 1) / ROWS);
}

static void test_what_a_shuffle_costs_a_linear_model_is_known(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 0, 1);
    Importance importance = measure(model, goods, 0, "rmse", arena);
    double a = shuffled_rmse(slope, goods->a), b = shuffled_rmse(other_slope, goods->b);

    EXPECT_NEAR(importance.score, 0, 0.3);
    EXPECT(importance.row_count == ROWS && importance.of_rows == ROWS);
    EXPECT_NEAR(find(&importance, "a")->mean, a, 0.05 * a);
    EXPECT_NEAR(find(&importance, "b")->mean, b, 0.05 * b);
    EXPECT_TEXT(importance.items[0].column, "a");
    EXPECT_TEXT(importance.items[1].column, "b");
    EXPECT_TEXT(importance.items[2].column, "colour");
}

static void test_the_interval_holds_the_mean_and_what_is_known(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 0, 1);
    Importance importance = measure(model, goods, 0, "rmse", arena);
    const ColumnImportance *a = find(&importance, "a");
    double known = shuffled_rmse(slope, goods->a);

    EXPECT(importance.level == 0.95 && importance.repeats == IMPORTANCE_REPEATS);
    EXPECT(a->low < a->mean && a->mean < a->high);
    EXPECT(a->low < known && known < a->high);
    EXPECT(a->high - a->low < 0.2 * known);
}

static void expect_unused(size_t class_count, const char *const metrics[], size_t count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, class_count, 2);

    for (size_t i = 0; i < count; i++) {
        Importance importance = measure(model, goods, class_count, metrics[i], arena);
        const ColumnImportance *unused = find(&importance, "constant");

        EXPECT(unused->mean == 0 && unused->low == 0 && unused->high == 0);
        EXPECT(!signbit(unused->mean) && !signbit(unused->low) && !signbit(unused->high));
        EXPECT(find(&importance, "a")->low > 0);
    }
}

static void test_a_column_that_no_model_looks_at_has_exactly_0(void)
{
    static const char *const of_numbers[] = {"rmse", "median_absolute_error"};
    static const char *const of_two[] = {"f1", "auc", "log_loss"};
    static const char *const of_three[] = {"f1_macro", "auc"};

    expect_unused(0, of_numbers, 2);
    expect_unused(2, of_two, 3);
    expect_unused(3, of_three, 2);
}

static void test_more_is_worse_whichever_way_the_metric_counts(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 0, 1);
    Importance less = measure(model, goods, 0, "rmse", arena);
    Importance more = measure(model, goods, 0, "r2", arena);

    EXPECT(find(&less, "a")->mean > 0 && find(&more, "a")->mean > 0);
    EXPECT(find(&more, "a")->low > 0 && find(&more, "a")->low < find(&more, "a")->high);
    EXPECT_NEAR(more.score, 1, 0.01);
}

static void test_the_same_seed_gives_the_same_on_any_number_of_threads(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 2, 1);
    Target target = target_of(goods, 2);
    const char *written[3];

    for (size_t i = 0; i < 3; i++) {
        JsonWriter *json = json_writer_create(arena);
        ImportanceSpec spec = {.model = model,
                               .frame = &goods->frame,
                               .target = &target,
                               .metric = metric_find("f1"),
                               .positive = 1,
                               .seed = i < 2 ? 1 : 2,
                               .thread_count = i + 1};
        Importance importance;
        Error error;

        EXPECT_OK(importance_measure(&spec, arena, &importance, &error), error);
        importance_write_json(json, NULL, &importance);
        written[i] = json_finish(json);
    }
    EXPECT_TEXT(written[0], written[1]);
    EXPECT(strcmp(written[0], written[2]) != 0);
}

static void test_little_time_takes_few_rows_and_says_so(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 2, 1);
    Target target = target_of(goods, 2);
    ImportanceSpec spec = {.model = model,
                           .frame = &goods->frame,
                           .target = &target,
                           .metric = metric_find("f1"),
                           .positive = 1,
                           .seconds = 1e-9};
    Importance importance;
    Error error;

    EXPECT_OK(importance_measure(&spec, arena, &importance, &error), error);
    EXPECT(importance.row_count == 300 && importance.of_rows == ROWS);
    EXPECT(importance.count == COLUMNS && importance.left_out == 0);
}

enum { WIDE = 12 };

static void test_of_more_columns_than_there_is_time_for_those_that_add_most_are_measured(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    FrameColumn columns[WIDE];
    Frame frame = {columns, WIDE, ROWS};
    Target target = target_of(goods, 0);
    SearchSpec search = {.seed = 3, .fold_count = 2, .trials_max = 1, .metric = "rmse"};
    ImportanceSpec spec = {
        .frame = &frame, .target = &target, .metric = metric_find("rmse"), .seconds = 1e-9};
    Random random = random_seeded(1);
    Importance importance;
    Learnt found;
    Error error;

    for (size_t i = 0; i < WIDE; i++) {
        double *noise = arena_array(arena, double, ROWS);

        for (size_t row = 0; row < ROWS; row++)
            noise[row] = random_unit(&random);
        columns[i] = (FrameColumn){arena_format(arena, "noise%zu", i), COLUMN_NUMBER, NULL, noise};
    }
    memcpy(columns + WIDE - 2, goods->columns, 2 * sizeof(*columns));
    EXPECT_OK(predictor_learn(&frame, &target, &search, arena, &found, &error), error);
    spec.model = found.model;
    EXPECT_OK(importance_measure(&spec, arena, &importance, &error), error);
    EXPECT(importance.count == 8 && importance.left_out == WIDE - 8);
    EXPECT_TEXT(importance.items[0].column, "a");
    EXPECT_TEXT(importance.items[1].column, "b");
    predictor_unload(&found.model);
}

static void test_a_model_of_text_and_more_has_each_column_once(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    Importance importance;

    goods->columns[1] = (FrameColumn){"text", COLUMN_TEXT, goods->texts, NULL};
    {
        CLEANUP(predictor_unload) Predictor *model = learn(goods, 2, 1);

        importance = measure(model, goods, 2, "f1", arena);
        EXPECT(importance.count == predictor_input_count(model));
        EXPECT(find(&importance, "text")->low > 0);
    }
}

static void expect_refused(const Goods *goods, const Frame *frame, const char *sentence)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Target target = target_of(goods, 2);
    SearchSpec search = {.seed = 3, .fold_count = 2, .trials_max = 1, .metric = "f1"};
    ImportanceSpec spec = {.frame = frame, .target = &target, .metric = metric_find("f1")};
    Importance importance;
    Learnt found;
    Error error = {0};

    EXPECT_OK(predictor_learn(frame, &target, &search, arena, &found, &error), error);
    spec.model = found.model;
    EXPECT(!importance_measure(&spec, arena, &importance, &error));
    EXPECT_TEXT(error.message, sentence);
    predictor_unload(&found.model);
}

static void test_a_model_of_one_column_or_of_texts_has_nothing_to_compare(void)
{
    static const char sentence[] =
        "a model of texts alone, or of one column, has no columns to compare";
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    FrameColumn texts[] = {{"text", COLUMN_TEXT, goods->texts, NULL},
                           {"same", COLUMN_TEXT, goods->texts, NULL}};
    Frame one = {goods->columns, 1, ROWS}, words = {texts, 2, ROWS};

    expect_refused(goods, &one, sentence);
    expect_refused(goods, &words, sentence);
}

/* ---- dependence ---- */

static Dependence ask(const Predictor *model, const Frame *frame, const char *column, Arena *arena)
{
    DependenceSpec spec = {
        .model = model, .frame = frame, .column = column, .seed = 1, .thread_count = 2};
    Dependence dependence;
    Error error;

    EXPECT_OK(dependence_measure(&spec, arena, &dependence, &error), error);
    return dependence;
}

static double sum_of_shares(const Dependence *dependence)
{
    double sum = 0;

    for (size_t i = 0; i < dependence->count; i++)
        sum += dependence->points[i].share;
    return sum;
}

static void expect_line(const Dependence *dependence, double coefficient)
{
    const DependencePoint *first = &dependence->points[0];

    EXPECT(dependence->count == DEPENDENCE_POINTS_MAX && !dependence->answers.count);
    EXPECT_NEAR(sum_of_shares(dependence), 1, 1e-12);
    for (size_t i = 1; i < dependence->count; i++) {
        const DependencePoint *point = &dependence->points[i];
        double run = point->number - first->number;

        EXPECT(run > 0);
        EXPECT_NEAR((point->answers[0] - first->answers[0]) / run, coefficient,
                    0.02 * fabs(coefficient));
        EXPECT_NEAR(point->share, 0.1, 1e-12);
    }
}

static void test_of_a_linear_model_it_is_a_line_with_the_columns_coefficient(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 0, 1);
    Dependence a = ask(model, &goods->frame, "a", arena);
    Dependence b = ask(model, &goods->frame, "b", arena);

    expect_line(&a, slope);
    expect_line(&b, other_slope);
    EXPECT(a.row_count == DEPENDENCE_ROWS_MAX);
}

static void test_categories_come_by_how_often_they_are_there(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 0, 1);
    Dependence colour = ask(model, &goods->frame, "colour", arena);
    double red = NAN, blue = NAN;

    EXPECT(colour.count == 3 && colour.kind == COLUMN_CATEGORY);
    EXPECT(strncmp(colour.points[0].text.bytes, "green", 5) == 0);
    EXPECT(colour.points[0].share > colour.points[1].share);
    EXPECT(colour.points[1].share >= colour.points[2].share);
    EXPECT_NEAR(sum_of_shares(&colour), 1, 1e-12);
    for (size_t i = 0; i < 3; i++) {
        if (colour.points[i].text.bytes[0] == 'r')
            red = colour.points[i].answers[0];
        if (colour.points[i].text.bytes[0] == 'b')
            blue = colour.points[i].answers[0];
    }
    EXPECT_NEAR(red - blue, step_of_red, 0.15);
}

static void test_few_values_are_all_there_and_so_is_what_is_missing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    Dependence a;

    for (size_t row = 0; row < ROWS; row++)
        goods->a[row] = row % 8 == 0 ? NAN : row % 2 ? 1 : 4;
    {
        CLEANUP(predictor_unload) Predictor *model = learn(goods, 2, 1);

        a = ask(model, &goods->frame, "a", arena);
        EXPECT(a.count == 3);
        EXPECT(a.points[0].number == 1 && a.points[1].number == 4 && a.points[2].is_missing);
        EXPECT_NEAR(a.points[0].share, 0.5, 1e-12);
        EXPECT_NEAR(a.points[1].share, 0.375, 1e-12);
        EXPECT_NEAR(a.points[2].share, 0.125, 1e-12);
    }
}

static void test_two_classes_have_the_positive_one_and_three_have_each(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *pair = learn(goods, 2, 1);
    CLEANUP(predictor_unload) Predictor *many = learn(goods, 3, 1);
    Dependence two_ways = ask(pair, &goods->frame, "a", arena);
    Dependence three_ways = ask(many, &goods->frame, "a", arena);

    EXPECT(two_ways.answers.count == 1);
    EXPECT_TEXT(two_ways.answers.items[0], "low");
    EXPECT(two_ways.points[0].answers[0] > two_ways.points[9].answers[0]);
    EXPECT(three_ways.answers.count == 3);
    for (size_t i = 0; i < three_ways.count; i++) {
        const double *answers = three_ways.points[i].answers;

        EXPECT_NEAR(answers[0] + answers[1] + answers[2], 1, 1e-9);
    }
    EXPECT(three_ways.points[0].answers[1] > three_ways.points[9].answers[1]);
}

static void test_a_column_that_no_model_looks_at_is_flat(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    CLEANUP(predictor_unload) Predictor *model = learn(goods, 2, 2);
    double spread[ROWS];
    FrameColumn columns[COLUMNS];
    Frame frame = {columns, COLUMNS, ROWS};
    Dependence flat;

    for (size_t row = 0; row < ROWS; row++)
        spread[row] = (double)row;
    memcpy(columns, goods->columns, sizeof(columns));
    columns[3].numbers = spread;
    flat = ask(model, &frame, "constant", arena);
    EXPECT(flat.count == DEPENDENCE_POINTS_MAX);
    for (size_t i = 1; i < flat.count; i++)
        EXPECT(flat.points[i].answers[0] == flat.points[0].answers[0]);
}

static void test_what_has_no_grid_is_refused_by_name(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Goods *goods = make_goods(arena);
    DependenceSpec spec = {.frame = &goods->frame, .column = "text"};
    Dependence dependence;
    Error error = {0};

    goods->columns[1] = (FrameColumn){"text", COLUMN_TEXT, goods->texts, NULL};
    {
        CLEANUP(predictor_unload) Predictor *model = learn(goods, 2, 1);

        spec.model = model;
        EXPECT(!dependence_measure(&spec, arena, &dependence, &error));
        EXPECT_TEXT(error.message, "\"text\" is a text, which has no grid of values");
        spec.column = "price";
        EXPECT(!dependence_measure(&spec, arena, &dependence, &error));
        EXPECT_TEXT(error.message, "the model has no column \"price\"");
    }
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_what_a_shuffle_costs_a_linear_model_is_known),
        TEST(test_the_interval_holds_the_mean_and_what_is_known),
        TEST(test_a_column_that_no_model_looks_at_has_exactly_0),
        TEST(test_more_is_worse_whichever_way_the_metric_counts),
        TEST(test_the_same_seed_gives_the_same_on_any_number_of_threads),
        TEST(test_little_time_takes_few_rows_and_says_so),
        TEST(test_of_more_columns_than_there_is_time_for_those_that_add_most_are_measured),
        TEST(test_a_model_of_text_and_more_has_each_column_once),
        TEST(test_a_model_of_one_column_or_of_texts_has_nothing_to_compare),
        TEST(test_of_a_linear_model_it_is_a_line_with_the_columns_coefficient),
        TEST(test_categories_come_by_how_often_they_are_there),
        TEST(test_few_values_are_all_there_and_so_is_what_is_missing),
        TEST(test_two_classes_have_the_positive_one_and_three_have_each),
        TEST(test_a_column_that_no_model_looks_at_is_flat),
        TEST(test_what_has_no_grid_is_refused_by_name),
        {0},
    };

    return test_main(tests, count, arguments);
}
