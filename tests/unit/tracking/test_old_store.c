/* test_old_store.c: what a store of an older slipway held is there after its upgrade. */
#include "store/db_internal.h"
#include "store/migrations.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/experiment.h"
#include "tracking/run.h"
#include "tracking/workspace.h"

enum { STEPS_BEFORE = 26 };

#define RUN_ID  "0123456789abcdef0123456789abcdef"
#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* The rows were put in against the order of their keys. */
static const char old_rows[] =
    "INSERT INTO runs(key, id, experiment_id, name, user_name, status, started_at)"
    "  VALUES (7, '" RUN_ID "', 0, 'old', 'ada', 'RUNNING', 1000);"
    "INSERT INTO run_params(run_key, key, value, experiment_id)"
    "  VALUES (7, 'short', 'x', 0), (7, 'full', '" HUNDRED "', 0), (7, 'long', '" HUNDRED
    "!', 0), (7, 'empty', '', 0), (7, 'accents', '\u00e9" HUNDRED "', 0);"
    "INSERT INTO run_tags(run_key, key, value, experiment_id)"
    "  VALUES (7, 'team', 'blue', 0), (7, 'note', '" HUNDRED HUNDRED "', 0);"
    "INSERT INTO metric_keys(id, name) VALUES (1, 'loss'), (2, 'bad');"
    "INSERT INTO metric_points(run_key, key_id, step, timestamp, value, is_nan)"
    "  VALUES (7, 1, 2, 30, 0.25, 0), (7, 1, 1, 20, 0.5, 0), (7, 2, 0, 20, 0, 1);"
    "INSERT INTO latest_metrics(run_key, key_id, experiment_id, step, timestamp, value, is_nan,"
    "                           tail_count)"
    "  VALUES (7, 2, 0, 0, 20, 0, 1, 1), (7, 1, 0, 2, 30, 0.25, 0, 2);"
    "INSERT INTO experiments(id, name, created_at, updated_at, artifact_location)"
    "  VALUES (1, 'one', 0, 0, NULL), (12, 'twelve', 0, 0, 'mlflow-artifacts:/team/x');"
    "INSERT INTO experiment_tags(experiment_id, key, value)"
    "  VALUES (1, 'slipway.workspace', 'mine'), (1, 'team', 'blue');"
    "INSERT INTO run_artifacts(run_key, path, digest, size)"
    "  VALUES (7, 'a', 'da', 100), (7, 'b', 'db', 0);"
    "INSERT INTO artifact_files(path, digest, size, created_at)"
    "  VALUES ('1/models/m-1/artifacts/a', 'a', 10, 0), ('12', 'b', 1, 0), ('0/x', 'c', 2, 0),"
    "         ('team/x/models/m-2/artifacts/a', 'd', 30, 0), ('team/xy', 'e', 4, 0)";

/* A data folder at the schema's step 26. */
static const char *make_old_store(Arena *arena)
{
    Migration before[STEPS_BEFORE + 1] = {0};
    const char *folder, *path;
    Error error = {0};
    Db *db;

    for (size_t i = 0; i < STEPS_BEFORE; i++)
        before[i] = migrations[i];
    EXPECT_OK(folder_make_temporary("/tmp", arena, &folder, &error), error);
    path = arena_format(arena, "%s/slipway.db", folder);
    EXPECT_OK(file_write(path, "", 0, &error), error);
    db = db_open(path, DB_READ, &error); /* opened for writing it would be upgraded */
    EXPECT_OK(db, error);
    EXPECT_OK(db_run_script(db, "PRAGMA query_only = OFF", &error), error);
    EXPECT_OK(migrate(db, path, before, &error), error);
    EXPECT_OK(db_run_script(db, old_rows, &error), error);
    db_close(db);
    return folder;
}

static Fixture old_fixture_open(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return fixture_open_folder(make_old_store(arena));
}

static const char *pairs(const ParamList *list, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < list->count; i++)
        text_append_format(&text, "%s=%s;", list->items[i].key, list->items[i].value);
    return text_built(&text);
}

static void test_params_and_tags_are_whole(void)
{
    CLEANUP(fixture_close) Fixture fixture = old_fixture_open();
    Scope *scope = &fixture.reader;
    Run run;

    EXPECT_OK(run_find(scope, RUN_ID, &run), scope->error);
    EXPECT_TEXT(pairs(&run.params, scope->arena),
                "accents=\u00e9" HUNDRED ";empty=;full=" HUNDRED ";long=" HUNDRED "!;short=x;");
    EXPECT_TEXT(pairs(&run.tags, scope->arena), "note=" HUNDRED HUNDRED ";team=blue;");
}

static void test_metrics_have_their_points_and_the_latest_of_them(void)
{
    CLEANUP(fixture_close) Fixture fixture = old_fixture_open();
    Scope *scope = &fixture.reader;
    MetricFilter filter = {.key = "loss"};
    MetricList history = {0};
    Run run;

    EXPECT_OK(run_find(scope, RUN_ID, &run), scope->error);
    EXPECT(run.metrics.count == 2);
    EXPECT_TEXT(run.metrics.items[0].key, "bad");
    EXPECT(isnan(run.metrics.items[0].value));
    EXPECT(run.metrics.items[1].value == 0.25 && run.metrics.items[1].step == 2);
    EXPECT_OK(run_metric_history(scope, RUN_ID, &filter, &history), scope->error);
    EXPECT(history.count == 2);
    EXPECT(history.items[0].value == 0.5 && history.items[0].timestamp == 20);
}

static size_t found_by(Scope *scope, const char *filter)
{
    static const int64_t experiment = 0;
    RunSearch search = {
        .experiment_ids = &experiment, .experiment_count = 1, .filter = filter, .limit = 10};
    RunList list = {0};

    EXPECT_OK(run_search(scope, &search, &list, &search.page_token), scope->error);
    return list.count;
}

static void test_searches_find_the_run_by_each_of_them(void)
{
    CLEANUP(fixture_close) Fixture fixture = old_fixture_open();
    Scope *scope = &fixture.reader;

    EXPECT(found_by(scope, "metrics.loss < 0.3 AND params.short = 'x'") == 1);
    EXPECT(found_by(scope, "params.full = '" HUNDRED "'") == 1);
    EXPECT(found_by(scope, "params.long = '" HUNDRED "!'") == 1);
    EXPECT(found_by(scope, "params.long = '" HUNDRED "'") == 0);
    EXPECT(found_by(scope, "params.long LIKE '%9!'") == 1);
    EXPECT(found_by(scope, "tags.note = '" HUNDRED HUNDRED "' AND tags.team = 'blue'") == 1);
}

/* As a client does that sends its requests again. */
static void test_what_is_logged_again_is_known(void)
{
    CLEANUP(fixture_close) Fixture fixture = old_fixture_open();
    Scope *scope = &fixture.scope;
    RunBatch again = {
        .params = {&(Param){"long", HUNDRED "!"}, 1},
        .metrics = {&(Metric){.key = "loss", .value = 0.5, .timestamp = 20, .step = 1}, 1},
        .tags = {&(Param){"note", "short"}, 1},
    };
    int64_t count = 0;
    Run run;

    EXPECT_OK(run_log_batch(scope, RUN_ID, &again), scope->error);
    EXPECT_OK(run_find(scope, RUN_ID, &run), scope->error);
    EXPECT(run.params.count == 5);
    EXPECT_TEXT(pairs(&run.tags, scope->arena), "note=short;team=blue;");
    EXPECT_OK(db_get_int(scope->db, &scope->error, &count, "SELECT count(*) FROM metric_points"),
              scope->error);
    EXPECT(count == 3);
}

static void test_files_are_counted_where_they_are(void)
{
    static const struct {
        int64_t experiment_id, bytes;
    } rows[] = {{0, 107}, {1, 10}, {12, 30}};
    CLEANUP(fixture_close) Fixture fixture = old_fixture_open();
    Scope *scope = &fixture.reader;
    WorkspaceShareList shares = {0};
    Workspace workspace;
    Experiment one;

    EXPECT_OK(workspace_find(scope, "default", &workspace) &&
                  workspace_shares(scope, &workspace, &shares) && experiment_find(scope, 1, &one),
              scope->error);
    EXPECT(workspace.artifact_bytes == 147 && !workspace.spec.artifact_bytes_max);
    EXPECT(shares.count == COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t j = 0; j < shares.count; j++)
            EXPECT(shares.items[j].experiment_id != rows[i].experiment_id ||
                   shares.items[j].artifact_bytes == rows[i].bytes);
    EXPECT_TEXT(pairs(&one.tags, scope->arena), "team=blue;");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_params_and_tags_are_whole),
        TEST(test_metrics_have_their_points_and_the_latest_of_them),
        TEST(test_searches_find_the_run_by_each_of_them),
        TEST(test_what_is_logged_again_is_known),
        TEST(test_files_are_counted_where_they_are),
        {0},
    };
    return test_main(tests, count, names);
}
