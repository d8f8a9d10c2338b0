/* What is seen in a table before a model learns from it: planted cases, and that honest columns are
 * left in peace. */
#include "ml/guardrail.h"
#include "ml/random.h"
#include "tests/test.h"

enum { ROWS = 1000, COLUMNS_MAX = 6 };

typedef struct Planted {
    double numbers[COLUMNS_MAX][ROWS], targets[ROWS];
    TextRef texts[COLUMNS_MAX][ROWS];
    int labels[ROWS];
    FrameColumn columns[COLUMNS_MAX];
    Frame frame;
    Random random;
} Planted;

static const char *const names[] = {"no", "yes"};
static const ClassNames classes = {names, 2};

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static size_t add_number(Planted *planted, const char *name)
{
    size_t at = planted->frame.column_count++;

    planted->columns[at] = (FrameColumn){name, COLUMN_NUMBER, NULL, planted->numbers[at]};
    return at;
}

static size_t add_category(Planted *planted, const char *name)
{
    size_t at = planted->frame.column_count++;

    planted->columns[at] = (FrameColumn){name, COLUMN_CATEGORY, planted->texts[at], NULL};
    return at;
}

/* One number that tells a little, of two classes of the same size and of a number. */
static Planted *make(Arena *arena)
{
    Planted *planted = arena_new(arena, Planted);
    size_t at;

    planted->random = random_seeded(11);
    planted->frame.columns = planted->columns;
    planted->frame.row_count = ROWS;
    at = add_number(planted, "honest");
    for (size_t row = 0; row < ROWS; row++) {
        double value = random_unit(&planted->random);

        planted->numbers[at][row] = value;
        planted->targets[row] = value + 2 * random_unit(&planted->random);
        planted->labels[row] = planted->targets[row] > 1.5;
    }
    return planted;
}

static GuardrailList look_at_classes(const Planted *planted, Arena *arena)
{
    return guardrail_look(&planted->frame, &(Target){planted->labels, &classes, NULL}, false,
                          arena);
}

static GuardrailList look_at_numbers(const Planted *planted, Arena *arena)
{
    return guardrail_look(&planted->frame, &(Target){.numbers = planted->targets}, false, arena);
}

static const Guardrail *find(const GuardrailList *list, GuardrailKind kind, const char *column)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == kind && (!column || text_equal(list->items[i].column, column)))
            return &list->items[i];
    return NULL;
}

static void expect_alone(const GuardrailList *list, GuardrailKind kind, const char *sentence)
{
    EXPECT(list->count == 1);
    EXPECT(list->items[0].kind == kind);
    EXPECT_TEXT(list->items[0].sentence, sentence);
}

/* ---- nothing to say ---- */

static void test_of_honest_columns_and_of_a_few_rows_nothing_is_said(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);

    EXPECT(look_at_classes(planted, arena).count == 0);
    EXPECT(look_at_numbers(planted, arena).count == 0);
    memcpy(planted->numbers[0], planted->targets, sizeof(planted->targets));
    planted->frame.row_count = GUARDRAIL_ROWS_LEAST - 1;
    EXPECT(look_at_numbers(planted, arena).count == 0);
}

/* ---- the target ---- */

static void test_a_copy_of_the_target_is_left_out(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t text = add_category(planted, "y"), number = add_number(planted, "amount");
    GuardrailList list;
    Frame kept;

    for (size_t row = 0; row < ROWS; row++) {
        planted->texts[text][row] = ref(names[planted->labels[row]]);
        planted->numbers[number][row] = planted->targets[row];
    }
    list = look_at_classes(planted, arena);
    EXPECT_TEXT(find(&list, GUARDRAIL_COPY, "y")->sentence,
                "\"y\" is left out: it has the target's own value in every row");
    kept = guardrail_keep(&planted->frame, &list, arena);
    EXPECT(kept.column_count == 2 && kept.row_count == ROWS);
    EXPECT_TEXT(kept.columns[1].name, "amount");
    list = look_at_numbers(planted, arena);
    EXPECT(find(&list, GUARDRAIL_COPY, "amount") && guardrail_leaves_out(&list, "amount"));
    EXPECT(!guardrail_leaves_out(&list, "y"));
}

static void test_the_target_under_other_names_or_in_cents_is_a_leak_that_stays(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t alive = add_category(planted, "alive"), cents = add_number(planted, "cents");
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        planted->texts[alive][row] = ref(planted->labels[row] ? "1" : "0");
        planted->numbers[cents][row] = 5 - 100 * planted->targets[row];
    }
    list = look_at_classes(planted, arena);
    EXPECT(find(&list, GUARDRAIL_LEAK, "alive")->figure > 0.999);
    EXPECT_TEXT(find(&list, GUARDRAIL_LEAK, "alive")->sentence,
                "\"alive\" alone nearly decides the target (AUC 1.000): if it is known only after "
                "the outcome, give it the role known_after");
    EXPECT(find(&list, GUARDRAIL_LEAK, "cents")); /* the classes are made of it */
    list = look_at_numbers(planted, arena);
    EXPECT(find(&list, GUARDRAIL_LEAK, "cents")->figure > 0.999);
    EXPECT(!find(&list, GUARDRAIL_LEAK, "alive") && !find(&list, GUARDRAIL_COPY, NULL));
}

static void test_a_column_of_three_classes_is_a_leak_too(void)
{
    static const char *const three[] = {"a", "b", "c"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t at = add_number(planted, "code");
    const ClassNames of_three = {three, 3};
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        planted->labels[row] = (int)random_below(&planted->random, 3);
        planted->numbers[at][row] = (planted->labels[row] * 7) % 5; /* in another order */
    }
    list =
        guardrail_look(&planted->frame, &(Target){planted->labels, &of_three, NULL}, false, arena);
    expect_alone(&list, GUARDRAIL_LEAK,
                 "\"code\" alone nearly decides the target (AUC 1.000): if it is known only after "
                 "the outcome, give it the role known_after");
}

/* As the length of a call does, which lasts when somebody says yes. */
static void test_a_column_that_tells_more_than_all_others_together_is_asked_about(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t late = add_number(planted, "late"), other = add_number(planted, "other");
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        planted->numbers[late][row] = planted->targets[row] + 1.5 * random_unit(&planted->random);
        planted->numbers[other][row] = random_unit(&planted->random);
    }
    list = look_at_classes(planted, arena);
    EXPECT(list.count == 1);
    EXPECT(find(&list, GUARDRAIL_STRONGEST, "late")->figure > 0.7);
    list = look_at_numbers(planted, arena);
    EXPECT(list.count == 1 && find(&list, GUARDRAIL_STRONGEST, "late"));
}

/* ---- columns ---- */

static void test_numbers_that_count_rows_are_ids_whatever_their_order(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t rising = add_number(planted, "instant"), shuffled = add_number(planted, "id"),
           sparse = add_number(planted, "population"), order[ROWS];
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++)
        order[row] = row;
    random_shuffle(&planted->random, order, ROWS);
    for (size_t row = 0; row < ROWS; row++) {
        planted->numbers[rising][row] = 7.0 + 1000.0 * (double)row;
        planted->numbers[shuffled][row] = (double)order[row] + 1;
        planted->numbers[sparse][row] = (double)(order[row] * order[row]);
    }
    list = look_at_classes(planted, arena);
    EXPECT(list.count == 2);
    EXPECT_TEXT(find(&list, GUARDRAIL_ID, "instant")->sentence,
                "\"instant\" is another whole number in every row, as row numbers are: give it the "
                "role ignore, unless its order means something");
    EXPECT(find(&list, GUARDRAIL_ID, "id"));
}

static void test_a_column_that_says_what_another_one_says_is_named_with_it(void)
{
    static const char *const degrees[] = {"school", "bachelor", "master", NULL};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t degree = add_category(planted, "degree"), years = add_number(planted, "years"),
           same = add_number(planted, "again"), near = add_number(planted, "near");
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        size_t drawn = random_below(&planted->random, 4);

        planted->texts[degree][row] = ref(degrees[drawn]);
        planted->numbers[years][row] = degrees[drawn] ? 20 - 3 * (double)drawn : NAN;
        planted->numbers[same][row] = planted->numbers[0][row];
        planted->numbers[near][row] = row == 500 ? 1 : planted->numbers[years][row];
    }
    list = look_at_classes(planted, arena);
    EXPECT(list.count == 2);
    EXPECT_TEXT(find(&list, GUARDRAIL_DUPLICATE, "years")->sentence,
                "\"years\" says what \"degree\" says under other names in every row");
    EXPECT_TEXT(find(&list, GUARDRAIL_DUPLICATE, "again")->sentence,
                "\"again\" has the values of \"honest\" in every row");
    EXPECT_TEXT(find(&list, GUARDRAIL_DUPLICATE, "again")->other, "honest");
}

/* ---- rows ---- */

static void test_rows_that_come_again_and_contradict_each_other_bound_what_can_be_reached(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    GuardrailList list;

    for (size_t row = 0; row < 100; row++) { /* 50 pairs, each with both answers */
        planted->numbers[0][row] = floor((double)row / 2);
        planted->labels[row] = row % 2;
        planted->targets[row] = row % 2 ? 100 : -100;
    }
    list = look_at_classes(planted, arena);
    EXPECT_TEXT(find(&list, GUARDRAIL_REPEATED, NULL)->sentence,
                "5.0 % of the rows repeat the features of an earlier one: where one of them is "
                "learnt from and another one judges, the folds are too hopeful");
    EXPECT_TEXT(find(&list, GUARDRAIL_CONTRADICTION, NULL)->sentence,
                "10.0 % of the rows have the features of a row with another target: no model can "
                "be right in more than 95.0 % of these rows");
    list = look_at_numbers(planted, arena);
    EXPECT(find(&list, GUARDRAIL_CONTRADICTION, NULL)->figure < 0.01);
}

static void test_a_row_number_hides_no_row_that_comes_again(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t at = add_number(planted, "instant");
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        planted->numbers[at][row] = (double)row;
        planted->numbers[0][row] = row < 100 ? 1 : planted->numbers[0][row];
    }
    list = look_at_classes(planted, arena);
    EXPECT_NEAR(find(&list, GUARDRAIL_REPEATED, NULL)->figure, 0.099, 1e-9);
    EXPECT(guardrail_count_shared(&planted->frame, &planted->frame, &list, &(TextList){0}) == ROWS);
}

static void test_rows_of_a_hold_out_that_were_learnt_from_are_counted(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *learnt = make(arena), *held = make(arena);
    size_t ids = add_category(learnt, "id");
    GuardrailList list = {0};
    TextList ignored = {0};

    held->frame.row_count = 100;
    for (size_t row = 0; row < 60; row++)
        held->numbers[0][row] += 5;
    EXPECT(guardrail_count_shared(&learnt->frame, &held->frame, &list, &ignored) == 40);
    EXPECT(add_category(held, "id") == ids);
    for (size_t row = 0; row < ROWS; row++) {
        learnt->texts[ids][row] = ref("a");
        held->texts[ids][row] = ref("b");
    }
    EXPECT(guardrail_count_shared(&learnt->frame, &held->frame, &list, &ignored) == 0);
    text_list_add(&ignored, arena, "id");
    EXPECT(guardrail_count_shared(&learnt->frame, &held->frame, &list, &ignored) == 40);
}

static void test_a_rare_class_is_named_with_what_is_done_about_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    const Target target = {planted->labels, &classes, NULL};
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++)
        planted->labels[row] = row % 10 == 3;
    list = guardrail_look(&planted->frame, &target, false, arena);
    expect_alone(&list, GUARDRAIL_IMBALANCE,
                 "the class \"yes\" has 10 % of the rows (100): accuracy says little of it; choose "
                 "by auc, mcc or f1, and --balance has rare classes weigh more");
    list = guardrail_look(&planted->frame, &target, true, arena);
    expect_alone(&list, GUARDRAIL_IMBALANCE,
                 "the class \"yes\" has 10 % of the rows (100): classes weigh the more the rarer "
                 "they are, as it was asked for");
}

/* ---- anything ---- */

/* Whatever a table has, a look ends, and says what can be printed. */
static void test_missing_and_infinite_values_and_one_class_alone_are_looked_at(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t gone = add_number(planted, "gone"), wild = add_number(planted, "wild"),
           absent = add_category(planted, "absent");
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        planted->numbers[gone][row] = NAN;
        planted->numbers[wild][row] = row % 3 ? INFINITY : -1e308;
        planted->texts[absent][row] = ref(NULL);
        planted->labels[row] = 0;
        planted->targets[row] = 1e300;
    }
    list = look_at_classes(planted, arena);
    for (size_t i = 0; i < list.count; i++)
        EXPECT(list.items[i].sentence[0]);
    list = look_at_numbers(planted, arena);
    EXPECT(!find(&list, GUARDRAIL_LEAK, NULL));
    planted->frame.column_count = 0;
    EXPECT(look_at_numbers(planted, arena).count == 0);
}

/* ---- dates ---- */

static size_t add_date(Planted *planted, const char *name)
{
    size_t at = add_category(planted, name);

    planted->columns[at].kind = COLUMN_DATE;
    return at;
}

/* Trips of so many minutes, begun at some minute of May. */
static void set_trip(Planted *planted, size_t row, int minutes, Arena *arena)
{
    int begun = (int)random_below(&planted->random, 20000);

    for (size_t i = 0; i < 2; i++) {
        int at = begun + (i ? minutes : 0);

        planted->texts[planted->frame.column_count - 2 + i][row] = ref(
            arena_format(arena, "2026-05-%02d %02d:%02d", 1 + at / 1440, at / 60 % 24, at % 60));
    }
}

static void test_how_long_one_date_is_after_another_is_named_where_it_is_the_target(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    GuardrailList list;

    add_date(planted, "begun");
    add_date(planted, "over");
    for (size_t row = 0; row < ROWS; row++)
        set_trip(planted, row, 1 + (int)(30 * planted->targets[row]), arena);
    list = look_at_numbers(planted, arena);
    EXPECT_TEXT(
        find(&list, GUARDRAIL_LEAK, NULL)->sentence,
        "how long \"over\" is after \"begun\" nearly decides the target (R2 1.000): if one of "
        "them is known only after the outcome, give it the role known_after");
    EXPECT_TEXT(find(&list, GUARDRAIL_LEAK, "over")->other, "begun");
    EXPECT(guardrail_keep(&planted->frame, &list, arena).column_count == 3);
    list = look_at_classes(planted, arena);
    EXPECT(find(&list, GUARDRAIL_LEAK, "over"));
}

static void test_of_honest_dates_nothing_is_said_though_each_row_has_another_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t rising = add_date(planted, "rising");

    for (size_t row = 0; row < ROWS; row++)
        planted->texts[rising][row] =
            ref(arena_format(arena, "2026-01-01 %02d:%02d:%02d", (int)row / 3600,
                             (int)row / 60 % 60, (int)row % 60));
    add_date(planted, "begun");
    add_date(planted, "over");
    for (size_t row = 0; row < ROWS; row++)
        set_trip(planted, row, 1 + (int)random_below(&planted->random, 60), arena);
    EXPECT(look_at_numbers(planted, arena).count == 0);
    EXPECT(look_at_classes(planted, arena).count == 0);
}

static void test_a_date_that_tells_the_target_alone_is_named_and_no_pair_of_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Planted *planted = make(arena);
    size_t late = add_date(planted, "closed"), other = add_date(planted, "begun");
    GuardrailList list;

    for (size_t row = 0; row < ROWS; row++) {
        planted->texts[late][row] = ref(planted->labels[row] ? "2026-05-01" : NULL);
        planted->texts[other][row] =
            ref(arena_format(arena, "2026-01-%02d", 1 + (int)random_below(&planted->random, 31)));
    }
    list = look_at_classes(planted, arena);
    EXPECT_TEXT(
        find(&list, GUARDRAIL_LEAK, NULL)->sentence,
        "\"closed\" alone nearly decides the target (AUC 1.000): if it is known only after the "
        "outcome, give it the role known_after");
    for (size_t i = 0; i < list.count; i++)
        EXPECT(list.items[i].kind != GUARDRAIL_LEAK || !list.items[i].other);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_of_honest_columns_and_of_a_few_rows_nothing_is_said),
        TEST(test_a_copy_of_the_target_is_left_out),
        TEST(test_the_target_under_other_names_or_in_cents_is_a_leak_that_stays),
        TEST(test_a_column_of_three_classes_is_a_leak_too),
        TEST(test_a_column_that_tells_more_than_all_others_together_is_asked_about),
        TEST(test_numbers_that_count_rows_are_ids_whatever_their_order),
        TEST(test_a_column_that_says_what_another_one_says_is_named_with_it),
        TEST(test_rows_that_come_again_and_contradict_each_other_bound_what_can_be_reached),
        TEST(test_a_row_number_hides_no_row_that_comes_again),
        TEST(test_rows_of_a_hold_out_that_were_learnt_from_are_counted),
        TEST(test_a_rare_class_is_named_with_what_is_done_about_it),
        TEST(test_missing_and_infinite_values_and_one_class_alone_are_looked_at),
        TEST(test_how_long_one_date_is_after_another_is_named_where_it_is_the_target),
        TEST(test_of_honest_dates_nothing_is_said_though_each_row_has_another_one),
        TEST(test_a_date_that_tells_the_target_alone_is_named_and_no_pair_of_it),
        {0},
    };

    return test_main(tests, count, arguments);
}
