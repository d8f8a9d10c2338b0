/* test_upkeep.c: a server counts its files and purges by itself, and stops doing so at once. */

#include "server/upkeep.h"

#include "base/time.h"
#include "pipelines/pipeline.h"
#include "pipelines/retention.h"
#include "tests/stage.h"
#include "tracking/run.h"

/* Deleted so long ago that anybody's rule is met. */
static bool write_deleted(Scope *scope, void *context)
{
    Run *run = context;

    return run_create(scope, &(RunSpec){.experiment_id = 0}, run) && run_delete(scope, run->id) &&
           db_run(scope->db, &scope->error, "UPDATE runs SET deleted_at = 1 WHERE key = $1",
                  db_int(run->key));
}

static Run add_deleted(Stage *stage)
{
    Run run;

    EXPECT_OK(scope_write(&stage->scope, write_deleted, &run), stage->scope.error);
    return run;
}

static bool is_there(Stage *stage, const Run *run)
{
    bool is = run_find(&stage->scope, run->id, &(Run){0});

    stage->scope.error = (Error){0};
    return is;
}

static Upkeep *start(Stage *stage, int64_t days)
{
    const UpkeepSpec spec = {.application = stage->application,
                             .purge_after_days = days,
                             .first_ms = 1,
                             .every_ms = 1,
                             .quiet_ms = 1};
    Error error = {0};
    Upkeep *upkeep = upkeep_create(&spec, &error);

    EXPECT_OK(upkeep, error);
    return upkeep;
}

static void test_what_was_deleted_long_ago_is_purged_day_after_day(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    Run first = add_deleted(&stage), second;
    Upkeep *upkeep = start(&stage, 30);

    while (is_there(&stage, &first))
        time_sleep_ms(1);
    second = add_deleted(&stage);
    while (is_there(&stage, &second))
        time_sleep_ms(1);
    upkeep_destroy(upkeep);
}

static void test_without_a_rule_nothing_is_purged_and_files_are_counted(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    ArtifactStore *store = stage.application->platform->artifacts;
    Run run = add_deleted(&stage);
    Artifact artifact;
    Upkeep *upkeep;

    EXPECT_OK(artifact_add_bytes(store, "hello", 5, &artifact, &stage.scope.error),
              stage.scope.error);
    upkeep = start(&stage, 0);
    while (!artifact_store_usage(store).is_counted)
        time_sleep_ms(1);
    upkeep_destroy(upkeep);
    EXPECT(artifact_store_usage(store).bytes == 5);
    EXPECT(is_there(&stage, &run));
}

/* Two runs of a pipeline that ended long ago, and a rule that keeps the newest alone. */
static bool write_old_runs(Scope *scope, void *context)
{
    static const char sql[] =
        "INSERT INTO pipeline_runs (id, project, number, status, file, params, origin, is_forced,"
        " open_steps, bad_steps, created_at, created_by, ended_at)"
        " VALUES ('a', 'p', 1, 'failed', 'dvc.yaml', '{}', '{}', 0, 0, 1, 0, 'ada', 1),"
        "        ('b', 'p', 2, 'failed', 'dvc.yaml', '{}', '{}', 0, 0, 1, 0, 'ada', 1)";

    return db_run(scope->db, &scope->error, sql) &&
           retention_set(scope, "p", &(RetentionSpec){.runs = 1}, context);
}

static bool is_purged(Stage *stage, const char *id)
{
    PipelineRun run;

    EXPECT_OK(pipeline_run_find(&stage->scope, id, &run), stage->scope.error);
    return run.purged_at;
}

static void test_runs_of_pipelines_go_by_their_rule_also_where_nothing_else_is_purged(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    Run run = add_deleted(&stage);
    Retention rule;
    Upkeep *upkeep;

    EXPECT_OK(scope_write(&stage.scope, write_old_runs, &rule), stage.scope.error);
    upkeep = start(&stage, 0);
    while (!is_purged(&stage, "a"))
        time_sleep_ms(1);
    upkeep_destroy(upkeep);
    EXPECT(!is_purged(&stage, "b"));
    EXPECT(is_there(&stage, &run));
}

static void test_it_ends_while_it_waits(void)
{
    CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
    UpkeepSpec spec = {.application = stage.application, .purge_after_days = 1};
    Error error = {0};
    Upkeep *upkeep = upkeep_create(&spec, &error);

    EXPECT_OK(upkeep, error);
    upkeep_destroy(upkeep); /* not ten minutes later */
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_what_was_deleted_long_ago_is_purged_day_after_day),
        TEST(test_without_a_rule_nothing_is_purged_and_files_are_counted),
        TEST(test_runs_of_pipelines_go_by_their_rule_also_where_nothing_else_is_purged),
        TEST(test_it_ends_while_it_waits),
        {0},
    };

    return test_main(tests, count, names);
}
