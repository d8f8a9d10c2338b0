#include "ml/split.h"

#include "ml/random.h"

#include "tests/test.h"

/* The shape of the YouTube spam collection: five videos' comments, a part of them spam, one video
 * partly without dates. */
enum { ROW_COUNT = 1956, VIDEO_COUNT = 5, FOLD_COUNT = 5 };

static const struct {
    size_t row_count, spam_count, undated_count;
} videos[VIDEO_COUNT] = {
    {350, 175, 0}, {350, 175, 0}, {438, 236, 0}, {448, 245, 245}, {370, 174, 0}};

typedef struct Comments {
    int labels[ROW_COUNT];
    size_t groups[ROW_COUNT];
    int64_t times[ROW_COUNT];
    size_t spam_count;
} Comments;

static void comments_init(Comments *comments)
{
    Random random = random_seeded(3);
    size_t row = 0;

    comments->spam_count = 0;
    for (size_t i = 0; i < VIDEO_COUNT; i++) {
        for (size_t j = 0; j < videos[i].row_count; j++, row++) {
            comments->labels[row] = j < videos[i].spam_count;
            comments->groups[row] = 1000 - i;
            comments->times[row] = j < videos[i].undated_count
                                       ? SPLIT_TIME_MISSING
                                       : (int64_t)random_below(&random, 400) * 86400000;
        }
        comments->spam_count += videos[i].spam_count;
    }
    EXPECT(row == ROW_COUNT && comments->spam_count == 1005);
}

static size_t count_holdout(const uint8_t *sides, const int *labels, int label)
{
    size_t count = 0;

    for (size_t row = 0; row < ROW_COUNT; row++)
        count += sides[row] == SPLIT_HOLDOUT && (label < 0 || labels[row] == label);
    return count;
}

/* FNV-1a: one number to know a split by. */
static uint64_t fingerprint(const uint8_t *sides)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t row = 0; row < ROW_COUNT; row++)
        hash = (hash ^ sides[row]) * UINT64_C(0x100000001b3);
    return hash;
}

static void test_a_stratified_split_keeps_the_shares_of_classes_within_a_row(void)
{
    static const double shares[] = {0.01, 0.2, 0.25, 1.0 / 3, 0.5, 0.9};
    Comments comments;
    uint8_t sides[ROW_COUNT];
    Error error = {0};

    comments_init(&comments);
    for (size_t i = 0; i < COUNT(shares); i++) {
        SplitSpec spec = {ROW_COUNT, shares[i], 42};

        EXPECT_OK(split_stratified(&spec, comments.labels, sides, &error), error);
        EXPECT_NEAR((double)count_holdout(sides, NULL, -1), shares[i] * ROW_COUNT, 0.5);
        EXPECT(fabs((double)count_holdout(sides, comments.labels, 1) - shares[i] * 1005) < 1);
        EXPECT(fabs((double)count_holdout(sides, comments.labels, 0) - shares[i] * 951) < 1);
    }
}

static void test_the_same_seed_gives_the_same_sides_on_every_machine(void)
{
    Comments comments;
    uint8_t sides[ROW_COUNT], other[ROW_COUNT];
    SplitSpec spec = {ROW_COUNT, 0.2, 42}, other_spec = {ROW_COUNT, 0.2, 43};
    Error error = {0};

    comments_init(&comments);
    EXPECT_OK(split_stratified(&spec, comments.labels, sides, &error), error);
    EXPECT(fingerprint(sides) == UINT64_C(0xde6ecddde0de7ffc));
    EXPECT_OK(split_stratified(&other_spec, comments.labels, other, &error), error);
    EXPECT(memcmp(sides, other, ROW_COUNT) != 0);
    EXPECT_OK(split_by_group(&spec, comments.groups, sides, &error), error);
    EXPECT(fingerprint(sides) == UINT64_C(0x708b9bc11910e5ef));
}

static void test_a_class_with_one_row_stays_in_training(void)
{
    static const int labels[] = {0, 0, 0, 0, 1, 2, 2};
    Error error = {0};

    for (uint64_t seed = 0; seed < 20; seed++) {
        SplitSpec spec = {7, 0.9, seed};
        uint8_t sides[7];

        EXPECT_OK(split_stratified(&spec, labels, sides, &error), error);
        EXPECT(sides[4] == SPLIT_TRAIN);
        EXPECT(sides[5] == SPLIT_TRAIN || sides[6] == SPLIT_TRAIN);
        EXPECT(sides[0] + sides[1] + sides[2] + sides[3] == 3 * SPLIT_HOLDOUT);
    }
}

static void test_a_split_by_group_has_no_group_on_both_sides_and_the_nearest_share(void)
{
    static const struct {
        double share;
        size_t row_count;
    } cases[] = {
        {0.2, 370},  /* of 391.2 wanted: Shakira */
        {0.22, 438}, /* of 430.3: LMFAO */
        {0.01, 350}, /* no group is as small: one of the two smallest */
        {0.37, 720}, /* of 723.7: 350 + 370 */
        {0.99, 1606},
    };
    Comments comments;
    Error error = {0};

    comments_init(&comments);
    for (size_t i = 0; i < COUNT(cases); i++) {
        SplitSpec spec = {ROW_COUNT, cases[i].share, 7};
        uint8_t sides[ROW_COUNT];

        EXPECT_OK(split_by_group(&spec, comments.groups, sides, &error), error);
        EXPECT(count_holdout(sides, NULL, -1) == cases[i].row_count);
        for (size_t row = 1; row < ROW_COUNT; row++)
            EXPECT(comments.groups[row] != comments.groups[row - 1] ||
                   sides[row] == sides[row - 1]);
    }
}

static void test_the_seed_chooses_among_groups_of_the_same_size(void)
{
    static const size_t groups[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    size_t held_out[5] = {0};
    Error error = {0};

    for (uint64_t seed = 0; seed < 200; seed++) {
        SplitSpec spec = {10, 0.2, seed};
        uint8_t sides[10];

        EXPECT_OK(split_by_group(&spec, groups, sides, &error), error);
        for (size_t i = 0; i < 5; i++)
            held_out[i] += sides[2 * i];
    }
    for (size_t i = 0; i < 5; i++)
        EXPECT(held_out[i] > 20 && held_out[i] < 60);
}

static void test_many_groups_come_near_the_share_without_the_long_search(void)
{
    enum { MANY = 60000 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t *groups = arena_array(arena, size_t, MANY), held_out = 0;
    uint8_t *sides = arena_array(arena, uint8_t, MANY),
            *side_of = arena_array(arena, uint8_t, MANY);
    SplitSpec spec = {MANY, 0.3, 1};
    Error error = {0};

    for (size_t row = 0; row < MANY; row++)
        groups[row] = row * row % MANY;
    EXPECT_OK(split_by_group(&spec, groups, sides, &error), error);
    for (size_t row = 0; row < MANY; row++) {
        held_out += sides[row];
        side_of[groups[row]] |= (uint8_t)(sides[row] + 1);
    }
    EXPECT_NEAR((double)held_out, 0.3 * MANY, 10);
    for (size_t group = 0; group < MANY; group++)
        EXPECT(side_of[group] != 3);
}

static void test_a_split_by_time_has_no_training_row_at_or_after_a_held_out_one(void)
{
    Comments comments;
    uint8_t sides[ROW_COUNT];
    SplitSpec spec = {ROW_COUNT, 0.2, 42};
    int64_t last_train = INT64_MIN, first_holdout = INT64_MAX;
    Error error = {0};

    comments_init(&comments);
    EXPECT_OK(split_by_time(&spec, comments.times, sides, &error), error);
    for (size_t row = 0; row < ROW_COUNT; row++) {
        int64_t time = comments.times[row];

        if (sides[row] == SPLIT_TRAIN && time > last_train)
            last_train = time;
        if (sides[row] == SPLIT_HOLDOUT && time < first_holdout)
            first_holdout = time;
    }
    EXPECT(last_train < first_holdout);
    EXPECT_NEAR((double)count_holdout(sides, NULL, -1), 0.2 * ROW_COUNT, 6); /* ~4 rows a day */
}

static void test_ties_of_time_stay_together_at_the_nearest_cut(void)
{
    static const int64_t times[] = {5, -3, 5, 5, SPLIT_TIME_MISSING, 9, 5, 5};
    static const uint8_t late[] = {0, 0, 0, 0, 0, 1, 0, 0}, early[] = {1, 0, 1, 1, 0, 1, 1, 1};
    SplitSpec spec = {8, 0.3, 0};
    uint8_t sides[8];
    Error error = {0};

    EXPECT_OK(split_by_time(&spec, times, sides, &error), error); /* 1 is nearer to 2.4 than 6 */
    EXPECT(memcmp(sides, late, 8) == 0);
    spec.share = 0.99; /* the row without a time is never held out, but the first may be */
    EXPECT_OK(split_by_time(&spec, times, sides, &error), error);
    EXPECT(sides[4] == SPLIT_TRAIN && sides[1] == SPLIT_HOLDOUT);
    spec.share = 0.7;
    EXPECT_OK(split_by_time(&spec, times, sides, &error), error);
    EXPECT(memcmp(sides, early, 8) == 0);
}

static void test_impossible_splits_are_refused_and_change_nothing(void)
{
    static const int different[] = {0, 1, 2}, negative[] = {0, -1, 0};
    static const size_t same_group[] = {8, 8, 8};
    static const int64_t same_time[] = {4, 4, 4};
    static const double shares[] = {0, 1, -0.2, 20, NAN};
    uint8_t sides[3] = {7, 7, 7};
    SplitSpec spec = {3, 0.2, 1}, one_row = {1, 0.2, 1};
    Error error = {0};

    for (size_t i = 0; i < COUNT(shares); i++) {
        SplitSpec wrong = {3, shares[i], 1};

        EXPECT(!split_stratified(&wrong, different, sides, &error));
        EXPECT(strstr(error.message, "but it must be between 0 and 1") != NULL);
    }
    EXPECT(!split_stratified(&one_row, different, sides, &error));
    EXPECT_TEXT(error.message, "a split needs at least 2 rows, not 1");
    EXPECT(!split_stratified(&spec, different, sides, &error));
    EXPECT_TEXT(error.message, "no class has 2 rows, so a stratified split cannot hold any out");
    EXPECT(!split_stratified(&spec, negative, sides, &error));
    EXPECT_TEXT(error.message, "the label of row 1 is -1, but labels start at 0");
    EXPECT(!split_by_group(&spec, same_group, sides, &error));
    EXPECT_TEXT(error.message, "all rows are of one group, but a split by group needs at least 2");
    EXPECT(!split_by_time(&spec, same_time, sides, &error));
    EXPECT_TEXT(error.message, "all rows have the same time, so they cannot be split by it");
    EXPECT(sides[0] == 7 && sides[1] == 7 && sides[2] == 7);
}

static void test_stratified_folds_differ_by_a_row_at_most(void)
{
    Comments comments;
    uint32_t folds[ROW_COUNT], again[ROW_COUNT];
    size_t rows[FOLD_COUNT] = {0}, spam[FOLD_COUNT] = {0};
    FoldSpec spec = {ROW_COUNT, FOLD_COUNT, 42};
    Error error = {0};

    comments_init(&comments);
    EXPECT_OK(fold_assign(&spec, comments.labels, NULL, folds, &error), error);
    EXPECT_OK(fold_assign(&spec, comments.labels, NULL, again, &error), error);
    EXPECT(memcmp(folds, again, sizeof(folds)) == 0);
    for (size_t row = 0; row < ROW_COUNT; row++) {
        EXPECT(folds[row] < FOLD_COUNT);
        rows[folds[row]]++;
        spam[folds[row]] += comments.labels[row] == 1;
    }
    for (size_t i = 0; i < FOLD_COUNT; i++) {
        EXPECT(rows[i] == 391 || rows[i] == 392);
        EXPECT(spam[i] == 201);
    }
}

static void test_folds_by_group_keep_groups_whole_and_classes_even(void)
{
    enum { GROUP_ROWS = 400, GROUPS = 80 };
    int labels[GROUP_ROWS];
    size_t groups[GROUP_ROWS], spam[4] = {0}, rows[4] = {0};
    uint32_t folds[GROUP_ROWS];
    FoldSpec spec = {GROUP_ROWS, 4, 9};
    Error error = {0};

    for (size_t row = 0; row < GROUP_ROWS; row++) {
        groups[row] = row / 5;
        labels[row] = groups[row] % 4 == 0; /* each group has one class only */
    }
    EXPECT_OK(fold_assign(&spec, labels, groups, folds, &error), error);
    for (size_t row = 0; row < GROUP_ROWS; row++) {
        EXPECT(folds[row] == folds[row - row % 5]);
        spam[folds[row]] += labels[row] == 1;
        rows[folds[row]]++;
    }
    for (size_t i = 0; i < 4; i++)
        EXPECT(spam[i] == 25 && rows[i] == 100);
}

static void test_no_fold_is_empty_while_there_are_groups_enough(void)
{
    Comments comments;
    static const int labels[] = {0, 0, 0, 1, 2};
    static const size_t groups[] = {6, 6, 6, 5, 4};
    uint32_t folds[ROW_COUNT], small[5], seen = 0;
    FoldSpec spec = {ROW_COUNT, FOLD_COUNT, 1}, small_spec = {5, 3, 1};
    Error error = {0};

    EXPECT_OK(fold_assign(&small_spec, labels, groups, small, &error), error);
    EXPECT(small[0] != small[3] && small[3] != small[4] && small[4] != small[0]);
    comments_init(&comments);
    EXPECT_OK(fold_assign(&spec, NULL, comments.groups, folds, &error), error);
    for (size_t row = 0; row < ROW_COUNT; row++)
        seen |= 1U << folds[row];
    EXPECT(seen == 0x1f); /* five videos, five folds */
}

static void test_impossible_folds_are_refused(void)
{
    static const int labels[] = {0, 1, 0, 1};
    static const size_t groups[] = {1, 1, 2, 2};
    uint32_t folds[4];
    FoldSpec one = {4, 1, 1}, many = {4, 5, 1}, three = {4, 3, 1};
    Error error = {0};

    EXPECT(!fold_assign(&one, labels, NULL, folds, &error));
    EXPECT_TEXT(error.message, "there are 2 to 1000 folds, not 1");
    EXPECT(!fold_assign(&many, labels, NULL, folds, &error));
    EXPECT_TEXT(error.message, "4 rows are too few for 5 folds");
    EXPECT(!fold_assign(&three, labels, groups, folds, &error));
    EXPECT_TEXT(error.message, "2 groups are too few for 3 folds");
}

static void test_rows_of_the_hold_out_that_training_has_too_are_reported(void)
{
    static const uint64_t hashes[] = {7, 9, 7, 8, 9, 9, 5, 5, UINT64_MAX, UINT64_MAX};
    static const uint8_t sides[] = {1, 0, 0, 1, 0, 1, 1, 1, 0, 1};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    DuplicateList list = duplicates_across(hashes, sides, COUNT(hashes), arena);

    EXPECT(list.count == 3); /* 8 is alone, and both rows of 5 are held out */
    EXPECT(list.items[0].row == 0 && list.items[0].train_row == 2);
    EXPECT(list.items[1].row == 5 && list.items[1].train_row == 1);
    EXPECT(list.items[2].row == 9 && list.items[2].train_row == 8);
    EXPECT(duplicates_across(hashes, sides, 0, arena).count == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_stratified_split_keeps_the_shares_of_classes_within_a_row),
        TEST(test_the_same_seed_gives_the_same_sides_on_every_machine),
        TEST(test_a_class_with_one_row_stays_in_training),
        TEST(test_a_split_by_group_has_no_group_on_both_sides_and_the_nearest_share),
        TEST(test_the_seed_chooses_among_groups_of_the_same_size),
        TEST(test_many_groups_come_near_the_share_without_the_long_search),
        TEST(test_a_split_by_time_has_no_training_row_at_or_after_a_held_out_one),
        TEST(test_ties_of_time_stay_together_at_the_nearest_cut),
        TEST(test_impossible_splits_are_refused_and_change_nothing),
        TEST(test_stratified_folds_differ_by_a_row_at_most),
        TEST(test_folds_by_group_keep_groups_whole_and_classes_even),
        TEST(test_no_fold_is_empty_while_there_are_groups_enough),
        TEST(test_impossible_folds_are_refused),
        TEST(test_rows_of_the_hold_out_that_training_has_too_are_reported),
        {0},
    };

    return test_main(tests, count, names);
}
