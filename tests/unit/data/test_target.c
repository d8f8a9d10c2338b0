/* The target of a data set as numbers: which it is, how it is read, how a hold-out is drawn. */
#include "data/duck.h"
#include "data/holdout.h"
#include "data/rows.h"
#include "platform_fixture.h"

static DatasetVersion add_csv(Bench *bench, const char *csv, const char *columns)
{
    DatasetSpec spec = {.name = "made-up", .source = "made up", .options.target = "y"};
    TreeEntry entry = {.path = "rows.csv"};
    DatasetVersion version;
    Artifact artifact;
    bool is_new;

    EXPECT_OK(artifact_add_bytes(bench->platform->artifacts, csv, strlen(csv), &artifact,
                                 &bench->scope.error),
              bench->scope.error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(bench->arena, &spec.files) = entry;
    spec.options.columns = bench_json(bench, columns);
    EXPECT_OK(dataset_add(&bench->scope, &spec, &version, &is_new), bench->scope.error);
    return version;
}

/* y goes round through so many values, from 0 up, each divided by divisor. */
static const char *csv_of(Bench *bench, size_t row_count, size_t value_count, int divisor)
{
    TextBuilder csv = {.arena = bench->arena};

    text_append(&csv, "x,y\n");
    for (size_t i = 0; i < row_count; i++)
        text_append_format(&csv, "%zu,%g\n", i * 7, (double)(i % value_count) / divisor);
    return text_built(&csv);
}

static RowsSpec rows_spec(Bench *bench, const DatasetVersion *version, const char *rows)
{
    return (RowsSpec){
        .path = artifact_path(bench->platform->artifacts, rows, bench->arena),
        .columns = version->columns,
        .task = TASK_REGRESSION,
    };
}

static RowsSpec bench_rows(Bench *bench, const char *csv)
{
    DatasetVersion version = add_csv(bench, csv, "{\"x\":\"number\",\"y\":\"number\"}");

    return rows_spec(bench, &version, version.rows);
}

static ModelTask task_of(Bench *bench, const DatasetVersion *version)
{
    return dataset_target_task(version, dataset_column_by_role(&version->columns, "target"),
                               bench->arena);
}

static void test_a_number_is_regression_and_an_integer_of_more_than_twenty_values(void)
{
    static const struct {
        size_t value_count;
        int divisor;
        const char *columns;
        ModelTask task;
    } cases[] = {
        {3, 2, "{\"y\":\"number\"}", TASK_REGRESSION},
        {20, 1, "{\"y\":\"integer\"}", TASK_CLASSIFICATION},
        {21, 1, "{\"y\":\"integer\"}", TASK_REGRESSION},
        {2, 1, "{\"y\":\"integer\"}", TASK_CLASSIFICATION},
        {40, 1, "{\"y\":\"category\"}", TASK_CLASSIFICATION},
        {2, 1, "{\"y\":\"boolean\"}", TASK_CLASSIFICATION},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        Bench bench = bench_start();
        const char *csv = csv_of(&bench, 80, cases[i].value_count, cases[i].divisor);
        DatasetVersion version = add_csv(&bench, csv, cases[i].columns);

        EXPECT(task_of(&bench, &version) == cases[i].task);
        bench_end(&bench);
    }
}

static void test_a_target_is_read_as_numbers_and_what_is_missing_is_none(void)
{
    Bench bench = bench_start();
    DatasetVersion version =
        add_csv(&bench, "x,y\n1,2.5\n2,\n3,-4\n", "{\"x\":\"number\",\"y\":\"number\"}");
    RowsSpec spec = rows_spec(&bench, &version, version.rows);
    Rows rows;

    EXPECT_OK(rows_read(&spec, bench.arena, &rows, &bench.scope.error), bench.scope.error);
    EXPECT(rows.row_count == 3 && rows.frame.column_count == 1);
    EXPECT(!rows.labels && rows.classes.count == 0);
    EXPECT(rows.targets[0] == 2.5 && isnan(rows.targets[1]) && rows.targets[2] == -4);
    EXPECT(rows_have_answer(&rows, 0) && !rows_have_answer(&rows, 1));

    spec.task = TASK_CLASSIFICATION;
    EXPECT_OK(rows_read(&spec, bench.arena, &rows, &bench.scope.error), bench.scope.error);
    EXPECT(!rows.targets && rows.classes.count == 2 && rows.labels[1] == -1);
    EXPECT(rows_have_answer(&rows, 0) && !rows_have_answer(&rows, 1));
    bench_end(&bench);
}

static void test_of_too_many_rows_some_are_drawn_and_the_same_ones_again(void)
{
    Bench bench = bench_start();
    TextBuilder csv = {.arena = bench.arena};
    RowsSpec spec;
    Rows rows, again, all;

    text_append(&csv, "x,y\n");
    for (int i = 0; i < 1000; i++)
        text_append_format(&csv, "%d,%d.5\n", i, i);
    spec = bench_rows(&bench, text_built(&csv));
    EXPECT_OK(rows_read(&spec, bench.arena, &all, &bench.scope.error), bench.scope.error);
    EXPECT(all.row_count == 1000 && all.undrawn_count == 0);
    spec.cells_max = 3000; /* an id is a cell, too */
    EXPECT_OK(rows_read(&spec, bench.arena, &all, &bench.scope.error), bench.scope.error);
    EXPECT(all.row_count == 1000 && all.undrawn_count == 0);
    spec.cells_max = 1200;
    EXPECT_OK(rows_read(&spec, bench.arena, &rows, &bench.scope.error), bench.scope.error);
    EXPECT(rows.row_count > 330 && rows.row_count < 470);
    EXPECT(rows.row_count + rows.undrawn_count == 1000 && rows.left_out_count == 0);
    EXPECT_OK(rows_read(&spec, bench.arena, &again, &bench.scope.error), bench.scope.error);
    EXPECT(again.row_count == rows.row_count);
    EXPECT(memcmp(again.targets, rows.targets, rows.row_count * sizeof(double)) == 0);
    bench_end(&bench);
}

static void test_a_target_that_is_no_number_is_refused(void)
{
    Bench bench = bench_start();
    DatasetVersion version = add_csv(&bench, "x,y\n1,7\n2,8\n3,7\n", "{\"y\":\"category\"}");
    RowsSpec spec = rows_spec(&bench, &version, version.rows);
    Rows rows = {.row_count = 77};

    EXPECT(!rows_read(&spec, bench.arena, &rows, &bench.scope.error));
    EXPECT_TEXT(bench.scope.error.message,
                "the target \"y\" is of type category: numbers are learnt from one of type number "
                "or integer");
    EXPECT(rows.row_count == 77);
    bench_end(&bench);
}

/* An import lets none in; a file that was made by others may have one. */
static void test_an_infinite_target_is_refused_with_its_row(void)
{
    static DatasetColumn columns[] = {{"x", "number", "feature"}, {"y", "number", "target"}};
    Bench bench = bench_start();
    const char *path = arena_format(bench.arena, "%s/rows.parquet", bench.folder);
    DuckSpec files = {.folder = bench.folder};
    RowsSpec spec = {.path = path, .columns = {columns, 2}, .task = TASK_REGRESSION};
    Duck *duck;
    Rows rows;

    text_list_add(&files.files, bench.arena, path);
    duck = duck_open(&files, &bench.scope.error);
    EXPECT_OK(duck, bench.scope.error);
    EXPECT_OK(duck_run(duck, &bench.scope.error,
                       arena_format(bench.arena,
                                    "COPY (SELECT '0' AS _id, 1.0 AS x, 2.5::DOUBLE AS y UNION ALL"
                                    "      SELECT '1', 2.0, '-inf'::DOUBLE) TO %s (FORMAT parquet)",
                                    duck_literal(path, bench.arena))),
              bench.scope.error);
    duck_close(&duck);
    EXPECT(!rows_read(&spec, bench.arena, &rows, &bench.scope.error));
    EXPECT_TEXT(bench.scope.error.message,
                "the target \"y\" of row 2 is -inf: numbers to learn from are finite");
    bench_end(&bench);
}

static Holdout freeze(Bench *bench)
{
    static const HoldoutSpec spec = {
        .project = "p", .dataset = "made-up", .share = 0.2, .by = "stratified", .seed = 42};
    Holdout holdout;

    EXPECT_OK(holdout_ensure(&bench->scope, &spec, &holdout), bench->scope.error);
    return holdout;
}

static void test_a_stratified_holdout_of_numbers_has_as_many_of_each_tenth(void)
{
    static const struct {
        size_t value_count;
        int divisor;
        const char *columns;
    } cases[] = {
        {200, 8, "{\"y\":\"number\"}"}, /* all different */
        {50, 1, "{\"y\":\"integer\"}"},
        {100, 4, "{\"y\":\"number\"}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        Bench bench = bench_start();
        size_t count = cases[i].value_count, held[10] = {0};
        DatasetVersion version =
            add_csv(&bench, csv_of(&bench, 200, count, cases[i].divisor), cases[i].columns);
        Holdout holdout = freeze(&bench);
        RowsSpec spec = rows_spec(&bench, &version, holdout.rows);
        Rows rows;

        EXPECT(holdout.row_count == 40);
        EXPECT_OK(rows_read(&spec, bench.arena, &rows, &bench.scope.error), bench.scope.error);
        for (size_t row = 0; row < rows.row_count; row++)
            held[(size_t)(rows.targets[row] * cases[i].divisor) * 10 / count]++;
        for (size_t part = 0; part < 10; part++)
            EXPECT(held[part] == 4);
        bench_end(&bench);
    }
}

static void test_a_holdout_of_numbers_says_which_it_has_of_each_part(void)
{
    Bench bench = bench_start();
    Holdout holdout;

    add_csv(&bench, csv_of(&bench, 100, 100, 1), "{\"y\":\"integer\"}");
    holdout = freeze(&bench);
    EXPECT_TEXT(holdout.classes,
                "{\"0 to 9\":2,\"over 9 to 19\":2,\"over 19 to 29\":2,\"over 29 to 39\":2,"
                "\"over 39 to 49\":2,\"over 49 to 59\":2,\"over 59 to 69\":2,"
                "\"over 69 to 79\":2,\"over 79 to 89\":2,\"over 89 to 99\":2}");
    bench_end(&bench);
}

static void test_integers_of_few_values_are_held_out_by_value(void)
{
    Bench bench = bench_start();

    add_csv(&bench, csv_of(&bench, 100, 4, 1), "{\"y\":\"integer\"}");
    EXPECT_TEXT(freeze(&bench).classes, "{\"0\":5,\"1\":5,\"2\":5,\"3\":5}");
    bench_end(&bench);
}

static void test_equal_numbers_are_in_one_part(void)
{
    Bench bench = bench_start();
    TextBuilder csv = {.arena = bench.arena};

    text_append(&csv, "x,y\n");
    for (int i = 0; i < 100; i++)
        text_append_format(&csv, "%d,%g\n", i, i < 90 ? 0 : (double)i);
    add_csv(&bench, text_built(&csv), "{\"y\":\"number\"}");
    EXPECT_TEXT(freeze(&bench).classes, "{\"0 to 0\":18,\"over 0 to 99\":2}");
    bench_end(&bench);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_number_is_regression_and_an_integer_of_more_than_twenty_values),
        TEST(test_a_target_is_read_as_numbers_and_what_is_missing_is_none),
        TEST(test_of_too_many_rows_some_are_drawn_and_the_same_ones_again),
        TEST(test_a_target_that_is_no_number_is_refused),
        TEST(test_an_infinite_target_is_refused_with_its_row),
        TEST(test_a_stratified_holdout_of_numbers_has_as_many_of_each_tenth),
        TEST(test_a_holdout_of_numbers_says_which_it_has_of_each_part),
        TEST(test_integers_of_few_values_are_held_out_by_value),
        TEST(test_equal_numbers_are_in_one_part),
        {0},
    };

    return is_step(count, names) ? run_as_step(names[2]) : test_main(tests, count, names);
}
