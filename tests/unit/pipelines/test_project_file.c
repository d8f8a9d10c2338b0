/* What slipway.yaml may say, and the exact sentence for what it may not. */
#include "pipelines/project_file.h"
#include "tests/test.h"

#define DATA "project: spam\ndata:\n  comments:\n"
#define GATE "project: spam\nrelease:\n  endpoint: spam\n  gate: "

static const struct {
    const char *yaml, *field, *message;
} mistakes[] = {
    {"data: {}\n", "project", "line 1, column 1: \"project\" is missing"},
    {"project: a b\n", "project",
     "line 1, column 10: \"project\" has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and "
     "does "
     "not start with \".\""},
    {"project: spam\nrelase: {}\n", "relase",
     "line 2, column 1: \"relase\" is not a setting of the file, which has project, data, release, "
     "stages, params, vars, env, on, concurrency, monitor, notify"},
    {DATA "    targt: CLASS\n", "data.comments.targt",
     "line 4, column 5: \"targt\" is not a setting of \"data.comments\", which has source, target, "
     "columns, group, time, known, format, delimiter, header, names, encoding, quote, on_error, "
     "holdout, expect"},
    {DATA "    target: CLASS\n    target: C\n", "",
     "line 5, column 5: \"target\" is here twice, first in line 4"},
    {DATA "    target: CLASS\n    columns: {CLASS: ignore}\n", "data.comments.target",
     "line 4, column 13: \"CLASS\" is the target and is listed as \"ignore\" in columns"},
    {DATA "    columns: {CONTENT: txt}\n", "data.comments.columns.CONTENT",
     "line 4, column 24: \"data.comments.columns.CONTENT\" is one of text, category, integer, "
     "number, boolean, time, date, feature, target, group, ignore, known, known_after"},
    {DATA "    encoding: utf-16\n", "data.comments.encoding",
     "line 4, column 15: \"data.comments.encoding\" is one of utf-8, latin-1, not \"utf-16\""},
    {DATA "    target: C\n    holdout: {share: 20%}\n", "data.comments.holdout.share",
     "line 5, column 22: \"data.comments.holdout.share\" is a number"},
    {DATA "    target: C\n    holdout: {share: 1}\n", "data.comments.holdout.share",
     "line 5, column 22: \"data.comments.holdout.share\" is between 0 and 1"},
    {DATA "    target: C\n    holdout: {by: date}\n", "data.comments.holdout.by",
     "line 5, column 19: \"data.comments.holdout.by\" is one of stratified, group, time, random, "
     "not \"date\""},
    {DATA "    target: C\n    holdout: {by: group}\n", "data.comments.holdout",
     "line 5, column 14: a hold-out by \"group\" needs the column \"group\""},
    {DATA "    target: C\n    holdout: {group_values: [a]}\n", "data.comments.holdout",
     "line 5, column 14: \"group_values\" needs a hold-out by \"group\", not by \"stratified\""},
    {DATA "    expect: {column: {}}\n", "data.comments.expect.column",
     "line 4, column 14: \"column\" is not a setting of \"data.comments.expect\", which has files, "
     "rows, columns, others"},
    {DATA "    expect: {rows: {minimum: 2, maximum: 1}}\n", "data.comments.expect.rows.maximum",
     "line 4, column 42: the maximum of 1 is below the minimum of 2"},
    {DATA "    expect: {files: {minimum: -2}}\n", "data.comments.expect.files.minimum",
     "line 4, column 31: \"data.comments.expect.files.minimum\" is 0 or more"},
    {DATA "    expect: {columns: {a: float}}\n", "data.comments.expect.columns.a",
     "line 4, column 27: \"data.comments.expect.columns.a\" is one of text, category, integer, "
     "number, boolean, time, not \"float\""},
    {DATA "    expect: {columns: {a: {missing: 11}}}\n", "data.comments.expect.columns.a.missing",
     "line 4, column 37: \"data.comments.expect.columns.a.missing\" is a share from 0 to 1"},
    {DATA "    expect: {columns: {a: {minimum: x}}}\n", "data.comments.expect.columns.a.minimum",
     "line 4, column 37: \"data.comments.expect.columns.a.minimum\" is a number or a time such as "
     "2021-01-31, not \"x\""},
    {DATA "    expect: {columns: {a: {type: text, maximum: 3}}}\n",
     "data.comments.expect.columns.a.maximum",
     "line 4, column 49: \"data.comments.expect.columns.a.maximum\" does not bound a column of the "
     "type text"},
    {DATA "    expect: {columns: {a: {minimum: 3, maximum: 2}}}\n",
     "data.comments.expect.columns.a.maximum",
     "line 4, column 49: the maximum of 2 is below the minimum of 3"},
    {DATA "    expect: {others: no}\n", "data.comments.expect.others",
     "line 4, column 22: \"data.comments.expect.others\" is one of allow, refuse, not \"no\""},
    {"project: spam\nrelease: {endpoint: spam, production: {approval: maybe}}\n",
     "release.production.approval", "line 2, column 50: \"approval\" is required, or left out"},
    {"project: spam\nrelease: {endpoint: spam, production: {approvals: 11}}\n",
     "release.production.approvals", "line 2, column 51: \"approvals\" is 0 to 10"},
    {"project: spam\nrelease: {endpoint: spam, production: {approvers: 2}}\n",
     "release.production.approvers",
     "line 2, column 40: \"approvers\" is not a setting of \"release.production\", which has "
     "approval, "
     "approvals, four_eyes, traffic, hold, wait, abort"},
    {"project: spam\nrelease: {gate: {metric: f1}}\n", "release.endpoint",
     "line 2, column 10: \"release.endpoint\" is missing"},
    {GATE "{metric: F1}\n", "release.gate.metric",
     "line 4, column 18: \"F1\" is not a metric; it is written \"f1\""},
    {GATE "{metric: R2}\n", "release.gate.metric",
     "line 4, column 18: \"R2\" is not a metric; it is written \"r2\""},
    {GATE "{metric: loss}\n", "release.gate.metric",
     "line 4, column 18: \"loss\" is not a metric; there are accuracy, balanced_accuracy, f1, "
     "f1_macro, f1_micro, f1_weighted, precision, recall, precision_macro, recall_macro, mcc, auc, "
     "average_precision, log_loss, brier, calibration_error, rmse, mae, r2, mape, "
     "median_absolute_error, explained_variance, max_error, mase, smape, msis"},
    {GATE "{metric: f1, margin: 1}\n", "release.gate.margin",
     "line 4, column 30: a margin of 1 is outside the range of \"f1\", which goes from 0 to 1"},
    {GATE "{margin: -0.1}\n", "release.gate.margin", "line 4, column 18: a margin is 0 or more"},
    {GATE "{metric: f1, minimum: 85}\n", "release.gate.minimum",
     "line 4, column 31: no model can reach a minimum of 85: \"f1\" goes from 0 to 1"},
    {GATE "{metric: log_loss, minimum: -1}\n", "release.gate.minimum", NULL},
    {GATE "{level: 95}\n", "release.gate.level",
     "line 4, column 17: a level is at least 0.5 and below 1, such as 0.95"},
    {GATE "{demand: best}\n", "release.gate.demand",
     "line 4, column 18: a demand is \"not-worse\" or \"better\", not \"best\""},
    {GATE "{minimun: 0.8}\n", "release.gate.minimun",
     "line 4, column 10: \"minimun\" is not a setting of \"release.gate\", which has metric, "
     "margin, relative_margin, "
     "minimum, level, demand"},
};

static void test_a_mistake_is_refused_with_its_line_and_what_is_allowed(void)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        ProjectFile file = {0};
        Error error = {0};

        EXPECT(
            !project_file_read(mistakes[i].yaml, strlen(mistakes[i].yaml), arena, &file, &error));
        EXPECT_TEXT(error.field, mistakes[i].field);
        if (mistakes[i].message)
            EXPECT_TEXT(error.message, mistakes[i].message);
        EXPECT(!file.name);
    }
}

static const char whole[] = "project: spam\n"
                            "data:\n"
                            "  comments:\n"
                            "    source: [a.csv, b.csv]\n"
                            "    target: CLASS\n"
                            "    columns: {CONTENT: text, COMMENT_ID: ignore, DATE: known_after}\n"
                            "    group: VIDEO\n"
                            "    known: [PROMOTED, HOLIDAY]\n"
                            "    delimiter: tab\n"
                            "    header: yes\n"
                            "    holdout: {share: 0.3, group_values: [Eminem, Shakira]}\n"
                            "release:\n"
                            "  endpoint: spam\n"
                            "  gate: {metric: f1, margin: 0.01, minimum: 0.85}\n";

static ProjectFile read_file(const char *yaml, Arena *arena)
{
    ProjectFile file;
    Error error = {0};

    EXPECT_OK(project_file_read(yaml, strlen(yaml), arena, &file, &error), error);
    return file;
}

static void test_a_whole_file_is_read_and_written_with_its_defaults(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProjectFile file = read_file(whole, arena);
    JsonWriter *json = json_writer_create(arena);

    EXPECT(file.warnings.count == 0);
    project_file_write_json(json, NULL, &file);
    EXPECT_TEXT(
        json_finish(json),
        "{\"project\":\"spam\",\"data\":{\"comments\":{\"source\":[\"a.csv\",\"b.csv\"],"
        "\"options\":{\"delimiter\":\"tab\",\"header\":\"yes\",\"known\":[\"PROMOTED\","
        "\"HOLIDAY\"],\"columns\":{\"CONTENT\":"
        "\"text\",\"COMMENT_ID\":\"ignore\",\"DATE\":\"known_after\"},\"target\":\"CLASS\","
        "\"group\":\"VIDEO\"},\"holdout\":{\"share\":0.3,\"by\":\"group\",\"seed\":42,"
        "\"group_values\":\"Eminem,Shakira\"}}},\"release\":{\"endpoint\":\"spam\",\"gate\":"
        "{\"metric\":\"f1\",\"margin\":0.01,\"relative_margin\":0,\"minimum\":0.85,\"level\":0.95,"
        "\"demand\":"
        "\"not-worse\"}}}");
}

static void test_the_holdout_follows_the_columns_where_it_is_not_given(void)
{
    static const struct {
        const char *yaml, *by;
    } rows[] = {
        {DATA "    target: C\n", "stratified"},
        {DATA "    target: C\n    group: G\n", "group"},
        {DATA "    target: C\n    time: T\n", "time"},
        {DATA "    source: a.csv\n", "random"},
        {DATA "    columns: {C: target, G: group}\n", "group"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        ProjectFile file = read_file(rows[i].yaml, arena);

        EXPECT_TEXT(file.data.items[0].holdout_by, rows[i].by);
        EXPECT(file.data.items[0].holdout_share == 0.2 && file.data.items[0].holdout_seed == 42);
    }
}

static void test_every_format_that_can_be_read_can_be_named(void)
{
    static const char *const formats[] = {"csv", "jsonl", "json", "parquet"};

    for (size_t i = 0; i < COUNT(formats); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        ProjectFile file =
            read_file(arena_format(arena, DATA "    format: %s\n", formats[i]), arena);

        EXPECT_TEXT(file.data.items[0].format, formats[i]);
    }
}

static void test_a_part_that_does_nothing_yet_says_so(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProjectFile file = read_file("project: spam\nmonitor: {window: 1d}\nnotify: []\n", arena);

    EXPECT(file.warnings.count == 2);
    EXPECT_TEXT(file.warnings.items[0], "line 2: \"monitor\" is not read yet");
    EXPECT_TEXT(file.warnings.items[1], "line 3: \"notify\" is not read yet");
}

static void test_of_production_all_is_read(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProjectFile file = read_file("project: spam\nrelease:\n  endpoint: spam\n"
                                 "  staging: {smoke: rows.json}\n"
                                 "  production: {approval: required, approvals: 2,\n"
                                 "    traffic: [10, 100]}\n",
                                 arena);

    EXPECT(file.warnings.count == 0);
    EXPECT_TEXT(file.release.smoke, "rows.json");
    EXPECT(file.release.approvals == 2 && file.release.shares.count == 1);
    EXPECT(file.release.shares.items[0].share == 100);
}

static void test_a_file_is_put_with_its_whole_pipeline_or_not_at_all(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *circle = DATA "    target: C\nstages:\n  a: {cmd: x, needs: b}\n"
                              "  b: {cmd: x, needs: a, deps: [comments]}\n";
    ProjectFile file = read_file("project: spam\nstages: {a: {uses: train, with: {data: c}}}\n"
                                 "on: {push: main}\nconcurrency: skip\n",
                                 arena);
    Error error = {0};

    EXPECT(file.warnings.count == 0 && file.pipeline.stages.count == 1);
    EXPECT_TEXT(file.pipeline.on.push.items[0], "main");
    EXPECT(file.pipeline.overlap == PIPELINE_SKIP);
    EXPECT(!project_file_read(circle, strlen(circle), arena, &file, &error));
    EXPECT_TEXT(error.message,
                "line 6, column 6: steps wait for each other in a circle: a -> b -> a");
}

static void test_f13_a_minimum_that_none_can_miss_is_warned_of(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProjectFile file = read_file(GATE "{metric: f1, minimum: 0.0}\n", arena);

    EXPECT(file.warnings.count == 1);
    EXPECT_TEXT(file.warnings.items[0],
                "line 4: every model passes a minimum of 0: \"f1\" goes from 0 to 1");
}

static void test_one_of_several_data_sets_must_be_named(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProjectFile file = read_file("project: p\ndata: {a: {target: x}, b: {target: y}}\n", arena);
    const ProjectData *data;
    Error error = {0};

    EXPECT(!project_file_data(&file, NULL, &data, &error));
    EXPECT_TEXT(error.message, "project \"p\" has several data sets; name one");
    EXPECT(project_file_data(&file, "b", &data, &error));
    EXPECT_TEXT(data->target, "y");
    EXPECT(!project_file_data(&file, "c", &data, &error));
    EXPECT_TEXT(error.message, "project \"p\" has no data set \"c\"");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_mistake_is_refused_with_its_line_and_what_is_allowed),
        TEST(test_a_whole_file_is_read_and_written_with_its_defaults),
        TEST(test_the_holdout_follows_the_columns_where_it_is_not_given),
        TEST(test_every_format_that_can_be_read_can_be_named),
        TEST(test_a_part_that_does_nothing_yet_says_so),
        TEST(test_of_production_all_is_read),
        TEST(test_a_file_is_put_with_its_whole_pipeline_or_not_at_all),
        TEST(test_f13_a_minimum_that_none_can_miss_is_warned_of),
        TEST(test_one_of_several_data_sets_must_be_named),
        {0},
    };

    return test_main(tests, count, names);
}
