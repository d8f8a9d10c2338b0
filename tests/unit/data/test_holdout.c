#include "data/holdout.h"
#include "data/rows.h"
#include "platform_fixture.h"

static DatasetVersion add(Bench *bench, const DatasetSpec *spec)
{
    DatasetVersion version;
    bool is_new;

    EXPECT_OK(dataset_add(&bench->scope, spec, &version, &is_new), bench->scope.error);
    return version;
}

static Holdout freeze(Bench *bench, const HoldoutSpec *spec)
{
    Holdout holdout;

    EXPECT_OK(holdout_ensure(&bench->scope, spec, &holdout), bench->scope.error);
    return holdout;
}

static Rows read_rows(Bench *bench, const DatasetVersion *version, const char *rows,
                      const char *without)
{
    const ArtifactStore *store = bench->platform->artifacts;
    RowsSpec spec = {
        .path = artifact_path(store, rows, bench->arena),
        .without_path = without ? artifact_path(store, without, bench->arena) : NULL,
        .columns = version->columns,
    };
    Rows read;

    EXPECT_OK(rows_read(&spec, bench->arena, &read, &bench->scope.error), bench->scope.error);
    return read;
}

static size_t count_label(const Rows *rows, int label)
{
    size_t count = 0;

    for (size_t i = 0; i < rows->row_count; i++)
        count += rows->labels[i] == label;
    return count;
}

static bool has_id(const Rows *rows, const char *id)
{
    for (size_t i = 0; i < rows->row_count; i++)
        if (strcmp(rows->row_ids[i], id) == 0)
            return true;
    return false;
}

static const HoldoutSpec a_fifth = {
    .project = "spam", .dataset = "comments", .share = 0.2, .by = "stratified", .seed = 42};

static void test_a_stratified_holdout_keeps_the_class_shares_within_a_point(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 3);
    DatasetVersion version = add(&bench, &spec);
    Holdout holdout = freeze(&bench, &a_fifth);
    Rows all = read_rows(&bench, &version, version.rows, NULL);
    Rows held = read_rows(&bench, &version, holdout.rows, NULL);

    EXPECT((int64_t)held.row_count == holdout.row_count);
    EXPECT(count_label(&held, 0) == 110 && count_label(&held, 1) == 117);
    EXPECT(all.classes.count == 2);
    EXPECT_TEXT(all.classes.items[0], "0");
    EXPECT_TEXT(all.classes.items[1], "1");
    EXPECT(count_label(&all, 0) == 552 && count_label(&all, 1) == 586);
    EXPECT_NEAR((double)count_label(&held, 1) / (double)held.row_count, 586.0 / 1138, 0.01);
    bench_end(&bench);
}

static void test_rows_with_the_same_text_stay_on_one_side(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 3);
    DatasetVersion version = add(&bench, &spec);
    Holdout holdout = freeze(&bench, &a_fifth);
    Rows held = read_rows(&bench, &version, holdout.rows, NULL);
    Rows train = read_rows(&bench, &version, version.rows, holdout.rows);

    EXPECT(train.left_out_count == held.row_count);
    EXPECT(train.row_count + held.row_count == 1138);
    EXPECT(holdout.duplicate_row_count > 0);
    for (size_t i = 0; i < train.row_count; i++)
        EXPECT(!has_id(&held, train.row_ids[i]));
    bench_end(&bench);
}

static void test_the_holdout_stays_frozen_when_rows_are_added_and_other_wishes_are_refused(void)
{
    Bench bench = bench_start();
    DatasetSpec three = bench_spam(&bench, 3), four = bench_spam(&bench, 4);
    DatasetVersion version = add(&bench, &three);
    Holdout first = freeze(&bench, &a_fifth), again;
    HoldoutSpec other = a_fifth;
    Rows held, train;

    version = add(&bench, &four);
    again = freeze(&bench, &a_fifth);
    EXPECT_TEXT(again.rows, first.rows);
    EXPECT(again.dataset_version == 1 && again.id == first.id);
    held = read_rows(&bench, &version, again.rows, NULL);
    train = read_rows(&bench, &version, version.rows, again.rows);
    EXPECT(train.row_count + train.left_out_count == 1586);
    EXPECT(train.left_out_count >= held.row_count);
    other.seed = 43;
    EXPECT(!holdout_ensure(&bench.scope, &other, &again));
    EXPECT(bench.scope.error.kind == ERROR_CONFLICT);
    EXPECT_TEXT(bench.scope.error.message,
                "the hold-out of project \"spam\" is frozen: stratified, share 0.2, seed 42");
    bench_end(&bench);
}

static void test_a_holdout_is_drawn_from_the_version_that_is_trained_on(void)
{
    Bench bench = bench_start();
    DatasetSpec three = bench_spam(&bench, 3), four = bench_spam(&bench, 4);
    HoldoutSpec spec = a_fifth;
    Holdout holdout;

    add(&bench, &three);
    add(&bench, &four);
    spec.version = 1;
    holdout = freeze(&bench, &spec);
    EXPECT(holdout.dataset_version == 1 && holdout.row_count == 227);
    spec.version = 2;
    EXPECT(freeze(&bench, &spec).dataset_version == 1);
    bench_end(&bench);
}

static void test_the_same_seed_draws_the_same_rows_and_another_seed_others(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 3);
    HoldoutSpec same = a_fifth, other = a_fifth;
    Holdout first, second, third;

    add(&bench, &spec);
    same.project = "spam-again";
    other.project = "spam-other";
    other.seed = 7;
    first = freeze(&bench, &a_fifth);
    second = freeze(&bench, &same);
    third = freeze(&bench, &other);
    EXPECT_TEXT(second.rows, first.rows);
    EXPECT(strcmp(third.rows, first.rows) != 0);
    bench_end(&bench);
}

static void test_a_holdout_by_file_holds_out_whole_videos(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 4);
    HoldoutSpec eminem = {.project = "spam",
                          .dataset = "comments",
                          .by = "group",
                          .group_values = "Youtube04-Eminem.csv"};
    DatasetVersion version;
    Holdout holdout;
    Rows held;

    spec.options.group = "_file";
    version = add(&bench, &spec);
    holdout = freeze(&bench, &eminem);
    EXPECT(holdout.row_count == 448);
    held = read_rows(&bench, &version, holdout.rows, NULL);
    EXPECT(held.group_names.count == 1);
    EXPECT_TEXT(held.group_names.items[0], "Youtube04-Eminem.csv");
    bench_end(&bench);
}

static void test_a_holdout_by_time_is_later_than_all_training(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = {.name = "sales",
                        .options = {.target = "PaidAmount", .time = "TransactionDate"}};
    HoldoutSpec last = {.project = "sales", .dataset = "sales", .share = 0.1, .by = "time"};
    DatasetVersion version;
    Holdout holdout;
    Rows held, train;

    bench_put(&bench, "adventureworks-daily/mlops_forecast_data.csv", &spec);
    version = add(&bench, &spec);
    EXPECT(version.row_count == 305);
    holdout = freeze(&bench, &last);
    held = read_rows(&bench, &version, holdout.rows, NULL);
    train = read_rows(&bench, &version, version.rows, holdout.rows);
    EXPECT(held.row_count + train.row_count == 305);
    for (size_t i = 0; i < train.row_count; i++)
        for (size_t j = 0; j < held.row_count; j++)
            EXPECT(train.times[i] < held.times[j]);
    bench_end(&bench);
}

/* The guard compares contents by the hold-out's columns, whatever a later version calls a feature.
 */
static void test_rows_are_left_out_also_when_other_columns_are_features(void)
{
    Bench bench = bench_start();
    DatasetSpec narrow = bench_spam(&bench, 3), wide = bench_spam(&bench, 3);
    DatasetVersion version = add(&bench, &narrow);
    Holdout holdout = freeze(&bench, &a_fifth);
    Rows train;

    wide.options.columns =
        bench_json(&bench, "{\"CONTENT\": \"text\", \"COMMENT_ID\": \"ignore\"}");
    version = add(&bench, &wide);
    EXPECT(version.version == 2);
    train = read_rows(&bench, &version, version.rows, holdout.rows);
    EXPECT((int64_t)train.left_out_count == holdout.row_count);
    bench_end(&bench);
}

static void test_texts_are_read_byte_for_byte(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 3);
    DatasetVersion version = add(&bench, &spec);
    Rows rows = read_rows(&bench, &version, version.rows, NULL);
    const FrameColumn *content = &rows.frame.columns[0];
    static const char first[] = "Huh, anyway check out this you[tube] channel: kobyoshi02";
    size_t marks = 0;

    EXPECT(rows.frame.column_count == 1 && content->kind == COLUMN_TEXT);
    EXPECT_TEXT(content->name, "CONTENT");
    EXPECT(content->texts[0].length == strlen(first) &&
           memcmp(content->texts[0].bytes, first, strlen(first)) == 0);
    for (size_t i = 0; i < rows.row_count; i++) {
        TextRef text = content->texts[i];

        marks += text.length >= 3 && memcmp(text.bytes + text.length - 3, "\xef\xbb\xbf", 3) == 0;
    }
    EXPECT(marks > 500); /* the mark that many comments end with is part of them */
    bench_end(&bench);
}

static void test_a_column_known_only_after_the_outcome_is_no_feature(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = {.name = "bank", .options.target = "y"};
    DatasetVersion version;
    Rows rows;

    spec.options.columns = bench_json(&bench, "{\"duration\": \"known_after\"}");
    bench_put(&bench, "bank-marketing/bankmarketing_train.csv", &spec);
    version = add(&bench, &spec);
    rows = read_rows(&bench, &version, version.rows, NULL);
    EXPECT(rows.frame.column_count == 19);
    for (size_t i = 0; i < rows.frame.column_count; i++)
        EXPECT(strcmp(rows.frame.columns[i].name, "duration") != 0);
    EXPECT(rows.frame.columns[0].kind == COLUMN_NUMBER && rows.frame.columns[0].numbers[0] == 57);
    EXPECT(rows.frame.columns[1].kind == COLUMN_CATEGORY);
    EXPECT_TEXT(rows.classes.items[0], "no");
    EXPECT(count_label(&rows, 1) == 3692);
    bench_end(&bench);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_stratified_holdout_keeps_the_class_shares_within_a_point),
        TEST(test_rows_with_the_same_text_stay_on_one_side),
        TEST(test_the_holdout_stays_frozen_when_rows_are_added_and_other_wishes_are_refused),
        TEST(test_a_holdout_is_drawn_from_the_version_that_is_trained_on),
        TEST(test_the_same_seed_draws_the_same_rows_and_another_seed_others),
        TEST(test_a_holdout_by_file_holds_out_whole_videos),
        TEST(test_a_holdout_by_time_is_later_than_all_training),
        TEST(test_rows_are_left_out_also_when_other_columns_are_features),
        TEST(test_texts_are_read_byte_for_byte),
        TEST(test_a_column_known_only_after_the_outcome_is_no_feature),
        {0},
    };

    if (is_step(count, names))
        return run_as_step(names[2]);
    return data_is_absent() ? test_none() : test_main(tests, count, names);
}
