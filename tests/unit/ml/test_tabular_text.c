/* Texts in tables of made-up rows: reviews of goods that have a size, too. */
#include "ml/boost.h"
#include "ml/predictor.h"
#include "ml/random.h"
#include "ml/tabular_model.h"
#include "tests/test.h"
#include "tests/unit/ml/tabular_damage.h"

enum { ROWS = 300, COLUMNS = 3 };

/* The two classes tell by the review and the size together; three by the review's mood and the
 * size; the number is made of both. */
typedef struct Reviews {
    TextRef texts[ROWS], colours[ROWS];
    double sizes[ROWS], prices[ROWS];
    int two[ROWS], three[ROWS];
    FrameColumn columns[COLUMNS];
    Frame frame;
} Reviews;

static const char *const names[] = {"bad", "fair", "good"};
static const ClassNames two_classes = {names, 2}, three_classes = {names, 3};

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static const char *make_review(bool is_good, size_t row, Random *random, Arena *arena)
{
    static const char *const good[] = {"lovely", "pleased", "splendid", "again"};
    static const char *const bad[] = {"awful", "broken", "refund", "never"};
    static const char *const filler[] = {"the", "parcel", "came", "today", "from", "a", "shop"};
    const char *const *mood = is_good ? good : bad;

    return arena_format(arena, "%s %s %s %s, number %zu",
                        filler[random_below(random, COUNT(filler))], mood[random_below(random, 4)],
                        filler[random_below(random, COUNT(filler))],
                        random_below(random, 3) ? mood[random_below(random, 4)] : "perhaps", row);
}

static Reviews *make_reviews(Arena *arena)
{
    Reviews *reviews = arena_new(arena, Reviews);
    Random random = random_seeded(7);

    for (size_t row = 0; row < ROWS; row++) {
        bool is_good = random_below(&random, 2);
        double size = 10 * random_unit(&random);

        reviews->texts[row] = ref(make_review(is_good, row, &random, arena));
        reviews->colours[row] = ref(random_below(&random, 2) ? "red" : "green");
        reviews->sizes[row] = size;
        reviews->two[row] = is_good && size > 4;
        reviews->three[row] = !is_good ? 0 : size > 5 ? 2 : 1;
        reviews->prices[row] = 50 + 6 * size + (is_good ? 40 : 0);
    }
    reviews->columns[0] = (FrameColumn){"review", COLUMN_TEXT, reviews->texts, NULL};
    reviews->columns[1] = (FrameColumn){"size", COLUMN_NUMBER, NULL, reviews->sizes};
    reviews->columns[2] = (FrameColumn){"colour", COLUMN_CATEGORY, reviews->colours, NULL};
    reviews->frame = (Frame){reviews->columns, COLUMNS, ROWS};
    return reviews;
}

/* 0 classes: numbers. */
static Target target_of(const Reviews *reviews, size_t class_count)
{
    if (class_count == 0)
        return (Target){.numbers = reviews->prices};
    return class_count == 2 ? (Target){reviews->two, &two_classes, NULL}
                            : (Target){reviews->three, &three_classes, NULL};
}

static TabularResult learn_frame(const Frame *frame, Target target, Arena *arena)
{
    SearchSpec spec = {.seed = 3, .fold_count = 3, .trials_max = 3, .thread_count = 2};
    TabularResult result;
    Error error;

    EXPECT_OK(tabular_search(frame, &target, &spec, arena, &result, &error), error);
    return result;
}

static TabularResult learn(const Reviews *reviews, size_t class_count, Arena *arena)
{
    return learn_frame(&reviews->frame, target_of(reviews, class_count), arena);
}

/* Numbers, two classes, three. */
static void for_each_target(void (*check)(const Reviews *reviews, size_t class_count, Arena *arena))
{
    static const size_t counts[] = {0, 2, 3};

    for (size_t i = 0; i < COUNT(counts); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        check(make_reviews(arena), counts[i], arena);
    }
}

/* ---- learning ---- */

/* The loss of the chosen model out of fold; of numbers the squared error. */
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

static void expect_both_better(const Reviews *reviews, size_t class_count, Arena *arena)
{
    Target target = target_of(reviews, class_count);
    Frame text = {reviews->columns, 1, ROWS}, table = {reviews->columns + 1, 2, ROWS};
    double both = loss_of(&reviews->frame, target);

    (void)arena;
    EXPECT(both < 0.75 * loss_of(&text, target));
    EXPECT(both < 0.75 * loss_of(&table, target));
}

static void test_a_text_and_a_table_tell_more_than_either(void)
{
    for_each_target(expect_both_better);
}

static double best_accuracy(const TabularResult *result)
{
    double best = 0;

    for (size_t i = 0; i < result->leaderboard.count; i++)
        best = fmax(best, result->leaderboard.items[i].accuracy);
    return best;
}

/* Whoever had seen the row whose margin it is would know its class by its own words. */
static void test_texts_of_chance_teach_nothing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    Random random = random_seeded(11);
    TabularResult result;

    for (size_t row = 0; row < ROWS; row++) {
        reviews->texts[row] =
            ref(arena_format(arena, "w%zu x%zu y%zu", row, row * 7 + 1, row * 13 + 5));
        reviews->sizes[row] = random_unit(&random);
        reviews->two[row] = (int)random_below(&random, 2);
    }
    result = learn(reviews, 2, arena);
    EXPECT(best_accuracy(&result) < 0.6);
    tabular_model_unload(&result.model);
}

/* A class that is chance, the same in all copies of a text: whoever has seen a copy knows it. */
static void test_copies_of_a_text_judge_each_other_never(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    Random random = random_seeded(12);
    TabularResult result;

    for (size_t row = 0; row < ROWS; row++) {
        reviews->texts[row] =
            ref(arena_format(arena, "a%zu b%zu c%zu", row / 2, row / 2 * 7 + 1, row / 2 * 13 + 5));
        reviews->sizes[row] = random_unit(&random);
        reviews->two[row] = row % 2 ? reviews->two[row - 1] : (int)random_below(&random, 2);
    }
    result = learn(reviews, 2, arena);
    EXPECT(best_accuracy(&result) < 0.65);
    tabular_model_unload(&result.model);
}

typedef struct Bytes {
    const char *items;
    size_t size;
} Bytes;

static Bytes learn_on(size_t threads, const Reviews *reviews, size_t class_count, Arena *arena)
{
    Target target = target_of(reviews, class_count);
    SearchSpec spec = {.seed = 3, .fold_count = 2, .trials_max = 2, .thread_count = threads};
    TabularResult result;
    Bytes bytes;
    Error error;

    EXPECT_OK(tabular_search(&reviews->frame, &target, &spec, arena, &result, &error), error);
    tabular_model_save(result.model, arena, &bytes.items, &bytes.size);
    tabular_model_unload(&result.model);
    return bytes;
}

static void expect_same_bytes(const Reviews *reviews, size_t class_count, Arena *arena)
{
    Bytes first = learn_on(1, reviews, class_count, arena);
    Bytes second = learn_on(3, reviews, class_count, arena);

    EXPECT(first.size == second.size && memcmp(first.items, second.items, first.size) == 0);
}

static void test_the_same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads(void)
{
    for_each_target(expect_same_bytes);
}

static void test_a_note_says_how_each_text_is_read(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    TextRef same[ROWS];
    FrameColumn columns[] = {
        reviews->columns[0], {"same", COLUMN_TEXT, same, NULL}, reviews->columns[1]};
    TabularResult result;

    for (size_t row = 0; row < ROWS; row++)
        same[row] = ref("the same words");
    result = learn_frame(&(Frame){columns, 3, ROWS}, target_of(reviews, 3), arena);
    EXPECT(result.notes.count == 2);
    EXPECT_TEXT(result.notes.items[0], "\"same\" is left out: it has the same value in every row");
    EXPECT(strstr(result.notes.items[1], "review: words 1-2 + characters 2-5, weighed by "));
    EXPECT(strstr(result.notes.items[1], "become 3 numbers"));
    EXPECT(tabular_model_input_count(result.model) == 3);
    EXPECT(tabular_model_input(result.model, 1).kind == COLUMN_TEXT);
    EXPECT_TEXT(tabular_model_input(result.model, 1).name, "same");
    EXPECT_TEXT(tabular_model_input(result.model, 2).name, "review");
    tabular_model_unload(&result.model);
}

/* ---- who learns what ---- */

static bool is_of_table(const Frame *frame, Target target)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SearchSpec spec = {.seed = 3, .fold_count = 2, .trials_max = 1};
    const char *bytes;
    Learnt learnt;
    Error error;
    size_t size;

    EXPECT_OK(predictor_learn(frame, &target, &spec, arena, &learnt, &error), error);
    predictor_save(learnt.model, arena, &bytes, &size);
    predictor_unload(&learnt.model);
    return tabular_model_is_file(bytes, size);
}

static void test_classes_of_texts_alone_stay_with_the_learner_of_texts(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    Frame text = {reviews->columns, 1, ROWS};

    EXPECT(!is_of_table(&text, target_of(reviews, 2)));
    EXPECT(is_of_table(&text, target_of(reviews, 0)));
    EXPECT(is_of_table(&reviews->frame, target_of(reviews, 2)));
}

static void test_very_many_classes_stay_with_the_learner_of_texts(void)
{
    enum { MANY = 40 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    const char *many[MANY];
    ClassNames classes = {many, MANY};

    for (size_t i = 0; i < MANY; i++)
        many[i] = arena_format(arena, "%02zu", i);
    for (size_t row = 0; row < ROWS; row++)
        reviews->two[row] = (int)(row % MANY);
    EXPECT(!is_of_table(&reviews->frame, (Target){reviews->two, &classes, NULL}));
}

/* ---- answering ---- */

static double *answer(const TabularModel *model, const Frame *frame, Arena *arena)
{
    double *answers = arena_array(arena, double, frame->row_count *tabular_model_width(model));
    Error error;

    EXPECT_OK(tabular_model_predict(model, frame, answers, arena, &error), error);
    return answers;
}

static void expect_same_alone(const TabularModel *model, const Reviews *reviews, size_t row,
                              const double *answers)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    FrameColumn columns[] = {{"review", COLUMN_TEXT, reviews->texts + row, NULL},
                             {"size", COLUMN_NUMBER, NULL, reviews->sizes + row},
                             {"colour", COLUMN_CATEGORY, reviews->colours + row, NULL}};
    const double *alone = answer(model, &(Frame){columns, COLUMNS, 1}, arena);

    EXPECT(memcmp(answers, alone, tabular_model_width(model) * sizeof(double)) == 0);
}

static void expect_same_answers(const Reviews *reviews, size_t class_count, Arena *arena)
{
    TabularResult result = learn(reviews, class_count, arena);
    CLEANUP(tabular_model_unload) TabularModel *model = result.model;
    CLEANUP(tabular_model_unload) TabularModel *loaded = NULL;
    CLEANUP(tabular_model_unload) TabularModel *in_place = NULL;
    size_t width = tabular_model_width(model), bytes_count = ROWS * width * sizeof(double), size;
    double *answers = answer(model, &reviews->frame, arena), *others;
    const char *bytes;
    Error error;

    tabular_model_save(model, arena, &bytes, &size);
    EXPECT_OK(tabular_model_load(bytes, size, &loaded, &error), error);
    EXPECT_OK(tabular_model_load_in_place(bytes, size, &in_place, &error), error);
    others = answer(loaded, &reviews->frame, arena);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
    others = answer(in_place, &reviews->frame, arena);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
    EXPECT_OK(tabular_model_predict_on(3, loaded, &reviews->frame, others, &error), error);
    EXPECT(memcmp(answers, others, bytes_count) == 0);
    for (size_t row = 0; row < 5; row++)
        expect_same_alone(loaded, reviews, row, answers + row * width);
}

static void test_a_model_answers_the_same_when_loaded_again_and_on_threads(void)
{
    for_each_target(expect_same_answers);
}

static void expect_new_rows_told(const Reviews *reviews, size_t class_count, Arena *arena)
{
    TabularResult result = learn(reviews, class_count, arena);
    TextRef texts[] = {ref("splendid and lovely"), ref("awful, never again, broken")};
    TextRef colours[] = {ref("red"), ref("red")};
    double sizes[] = {9, 9};
    FrameColumn columns[] = {{"colour", COLUMN_CATEGORY, colours, NULL},
                             {"review", COLUMN_TEXT, texts, NULL},
                             {"size", COLUMN_NUMBER, NULL, sizes}};
    size_t width = tabular_model_width(result.model), last = width - 1;
    double *answers = answer(result.model, &(Frame){columns, 3, 2}, arena);

    tabular_model_unload(&result.model);
    if (width == 1)
        EXPECT(answers[0] > 130 && answers[1] < 120);
    else
        EXPECT(answers[last] > 0.7 && answers[width + last] < 0.3);
}

static void test_new_texts_are_read_as_those_of_training(void)
{
    for_each_target(expect_new_rows_told);
}

static void test_an_empty_text_is_a_missing_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    TabularResult result;
    double *answers;

    for (size_t row = 0; row < ROWS; row += 5)
        reviews->texts[row] = row % 2 ? ref("") : (TextRef){0};
    result = learn(reviews, 0, arena);
    reviews->texts[0] = reviews->texts[1] = ref("");
    reviews->texts[2] = (TextRef){0};
    for (size_t row = 0; row < 3; row++) {
        reviews->sizes[row] = 5;
        reviews->colours[row] = ref("red");
    }
    answers = answer(result.model, &reviews->frame, arena);
    EXPECT(answers[0] == answers[2]);
    EXPECT(answers[0] > 80 && answers[0] < 120);
    tabular_model_unload(&result.model);
}

/* ---- explaining ---- */

/* number: the answer, which the contributions add up to; else NaN. */
static void expect_sum(const TabularModel *model, const Reviews *reviews, size_t row, double number)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Explanation explanation;
    Error error;
    double sum;

    EXPECT_OK(tabular_model_explain(model, &reviews->frame, row, 0, arena, &explanation, &error),
              error);
    EXPECT(explanation.count == COLUMNS);
    sum = explanation.intercept;
    for (size_t i = 0; i < COLUMNS; i++)
        sum += explanation.items[i].weight;
    EXPECT_NEAR(sum, explanation.margin, 1e-9);
    EXPECT(isnan(number) || fabs(sum - number) < 1e-3);
}

static void expect_explained(const Reviews *reviews, size_t class_count, Arena *arena)
{
    TabularResult result = learn(reviews, class_count, arena);
    CLEANUP(tabular_model_unload) TabularModel *model = result.model;
    double *answers = answer(model, &reviews->frame, arena);

    for (size_t row = 0; row < 10; row++)
        expect_sum(model, reviews, row, class_count ? NAN : answers[row]);
}

static void test_a_text_adds_one_contribution_and_all_add_up(void)
{
    for_each_target(expect_explained);
}

static const Contribution *contribution_of(const Explanation *explanation, const char *column)
{
    for (size_t i = 0; i < explanation->count; i++)
        if (strcmp(explanation->items[i].column, column) == 0)
            return &explanation->items[i];
    return NULL;
}

static void expect_shown(const TabularModel *model, Reviews *reviews, const char *text,
                         const char *shown)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Explanation explanation;
    Error error;

    reviews->texts[0] = ref(text);
    EXPECT_OK(tabular_model_explain(model, &reviews->frame, 0, 0, arena, &explanation, &error),
              error);
    EXPECT_TEXT(contribution_of(&explanation, "review")->text, shown);
}

static void test_an_explanation_shows_how_a_text_begins(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    TabularResult result = learn(reviews, 0, arena);
    const TabularModel *model = result.model;

    expect_shown(model, reviews, "awful", "review=awful");
    expect_shown(model, reviews, "", "review is missing");
    expect_shown(model, reviews, NULL, "review is missing");
    expect_shown(model, reviews, "awful awful awful awful awful awful awful awful awful awful",
                 "review=awful awful awful awful awful awful awful awful awful awful");
    expect_shown(model, reviews,
                 "awful awful awful awful awful awful awful awful awful awful\xc3\xa4wful",
                 "review=awful awful awful awful awful awful awful awful awful awful\xe2\x80\xa6");
    tabular_model_unload(&result.model);
}

/* ---- files ---- */

static void test_any_byte_may_be_wrong(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Reviews *reviews = make_reviews(arena);
    TabularResult result = learn(reviews, 3, arena);

    expect_any_byte_may_be_wrong(result.model, &(Frame){reviews->columns, COLUMNS, 1}, 800, 1500);
    tabular_model_unload(&result.model);
}

static void test_a_file_of_the_first_version_has_no_texts(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TabularResult result = learn(make_reviews(arena), 2, arena);
    TabularModel *model = NULL;
    const char *bytes;
    Error error = {0};
    size_t size;
    char *old;

    tabular_model_save(result.model, arena, &bytes, &size);
    tabular_model_unload(&result.model);
    old = arena_copy(arena, bytes, size);
    EXPECT(old[8] == 2);
    old[8] = 1; /* a version whose inputs are no texts */
    EXPECT(!tabular_model_load(old, size, &model, &error));
    EXPECT_TEXT(error.message, "the model of a table is damaged");
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_a_text_and_a_table_tell_more_than_either),
        TEST(test_texts_of_chance_teach_nothing),
        TEST(test_copies_of_a_text_judge_each_other_never),
        TEST(test_the_same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads),
        TEST(test_a_note_says_how_each_text_is_read),
        TEST(test_classes_of_texts_alone_stay_with_the_learner_of_texts),
        TEST(test_very_many_classes_stay_with_the_learner_of_texts),
        TEST(test_a_model_answers_the_same_when_loaded_again_and_on_threads),
        TEST(test_new_texts_are_read_as_those_of_training),
        TEST(test_an_empty_text_is_a_missing_one),
        TEST(test_a_text_adds_one_contribution_and_all_add_up),
        TEST(test_an_explanation_shows_how_a_text_begins),
        TEST(test_any_byte_may_be_wrong),
        TEST(test_a_file_of_the_first_version_has_no_texts),
        {0},
    };
    Error error;

    if (!boost_open(&error)) {
        printf("SKIP: %s\n", error.message);
        return test_none();
    }
    return test_main(tests, count, arguments);
}
