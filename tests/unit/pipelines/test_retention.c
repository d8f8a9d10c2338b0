/* test_retention.c: what a rule of retention takes, and what stays whatever it says. */

#include "pipelines/retention.h"

#include "base/time.h"
#include "pipelines/pipeline.h"
#include "pipelines/purge.h"
#include "tests/unit/tracking/store_fixture.h"

static void write_row(Fixture *fixture, const char *sql)
{
    Scope *scope = &fixture->scope;

    EXPECT_OK(db_run(scope->db, &scope->error, sql), scope->error);
}

/* Runs 1 to count of project "p", each with a step and an attempt, ended a day ago. */
static void add_runs(Fixture *fixture, int count, const char *status)
{
    Arena *arena = fixture->scope.arena;

    for (int i = 1; i <= count; i++) {
        write_row(fixture,
                  arena_format(arena,
                               "INSERT INTO pipeline_runs (id, project, number, status, file,"
                               " params, origin, trigger_key, is_forced, open_steps, bad_steps,"
                               " created_at, created_by, ended_at) VALUES ('run%d', 'p', %d, '%s',"
                               " 'dvc.yaml', '{}', '{}', 'key%d', 0, 0, 0, %d, 'ada', %lld)",
                               i, i, status, i, i, (long long)(time_now_ms() - 86400000)));
        write_row(fixture, arena_format(arena,
                                        "INSERT INTO pipeline_steps (run_id, position, name, spec,"
                                        " status, waits_for, bad_needs, attempts, losses) VALUES"
                                        " ('run%d', 0, 'only', '{}', 'succeeded', 0, 0, 1, 0)",
                                        i));
        write_row(
            fixture,
            arena_format(arena,
                         "INSERT INTO step_attempts (run_id, position, attempt, key, status,"
                         " executor, boot, tracked_run, created_at) VALUES"
                         " ('run%d', 0, 1, 'run%d-0-1', 'succeeded', 'local', '', 'tracked%d',"
                         " 0)",
                         i, i, i));
    }
}

static void keep(Fixture *fixture, int64_t runs, int64_t days)
{
    Scope *scope = &fixture->scope;
    Retention rule;

    EXPECT_OK(retention_set(scope, "p", &(RetentionSpec){.runs = runs, .days = days}, &rule),
              scope->error);
}

static PurgeReport purge(Fixture *fixture)
{
    PurgeSpec spec = {.older_than_days = PURGE_DAYS_MAX};
    PurgeReport report;

    EXPECT_OK(purge_run(&fixture->reader, &spec, &report), fixture->reader.error);
    return report;
}

static bool is_purged(Fixture *fixture, const char *id)
{
    PipelineRun run;

    EXPECT_OK(pipeline_run_find(&fixture->reader, id, &run), fixture->reader.error);
    return run.purged_at;
}

static int64_t count(Fixture *fixture, const char *sql)
{
    int64_t counted = -1;

    EXPECT_OK(db_get_int(fixture->db, &fixture->scope.error, &counted, sql), fixture->scope.error);
    return counted;
}

/* Why run 1 stays, when all others go but the last. */
static void expect_kept(Fixture *fixture, const char *reason)
{
    PurgeReport report = purge(fixture);

    EXPECT(report.pipeline_runs.count == 1 && report.kept_count == 1);
    EXPECT_TEXT(report.kept.items[0].name, "p#1");
    EXPECT_TEXT(report.kept.items[0].reason, reason);
    EXPECT(!is_purged(fixture, "run1") && is_purged(fixture, "run2"));
}

static void test_a_run_goes_when_it_is_neither_among_the_newest_nor_young(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 5, "failed");
    EXPECT(purge(&fixture).pipeline_runs.count == 0);
    keep(&fixture, 5, 0);
    EXPECT(purge(&fixture).pipeline_runs.count == 0);
    keep(&fixture, 1, 2);
    EXPECT(purge(&fixture).pipeline_runs.count == 0);
    keep(&fixture, 3, 1);
    EXPECT(purge(&fixture).pipeline_runs.count == 2);
    EXPECT(is_purged(&fixture, "run2") && !is_purged(&fixture, "run3"));
    EXPECT(count(&fixture, "SELECT COUNT(*) FROM pipeline_steps") == 3);
    EXPECT(count(&fixture, "SELECT COUNT(*) FROM step_attempts") == 3);
}

static void test_a_rule_of_a_project_goes_before_that_for_all(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Retention rule;
    bool found;

    add_runs(&fixture, 3, "failed");
    EXPECT_OK(retention_set(scope, "*", &(RetentionSpec){.runs = 1}, &rule), scope->error);
    keep(&fixture, 2, 0);
    EXPECT_OK(retention_find(scope, "p", &rule, &found), scope->error);
    EXPECT(found && rule.spec.runs == 2);
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
    EXPECT_OK(retention_remove(scope, "p"), scope->error);
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
    EXPECT(!is_purged(&fixture, "run3"));
}

static void test_the_last_that_succeeded_stays(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 3, "failed");
    write_row(&fixture, "UPDATE pipeline_runs SET status = 'succeeded' WHERE number = 1");
    keep(&fixture, 1, 0);
    expect_kept(&fixture, "it is the last that succeeded");
}

static void test_what_has_not_ended_stays_however_old(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 3, "failed");
    write_row(&fixture, "UPDATE pipeline_runs SET ended_at = NULL WHERE number = 1");
    keep(&fixture, 1, 0);
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
    EXPECT(!is_purged(&fixture, "run1"));
}

static void add_version(Fixture *fixture, const char *run_id, const char *deleted_at)
{
    write_row(fixture, "INSERT INTO models (id, name, description, last_version, created_at,"
                       " updated_at) VALUES (1, 'm', '', 7, 0, 0)");
    write_row(fixture, arena_format(fixture->scope.arena,
                                    "INSERT INTO model_versions (id, model_id, version,"
                                    " description, package, run_id, created_by, created_at,"
                                    " deleted_at) VALUES (1, 1, 7, '', '', %s, 'ada', 0, %s)",
                                    run_id, deleted_at));
}

static void test_what_made_a_version_stays_until_that_is_deleted(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 3, "failed");
    add_version(&fixture, "'tracked1'", "NULL");
    keep(&fixture, 1, 0);
    expect_kept(&fixture, "a version of a model came from it");
    write_row(&fixture, "UPDATE model_versions SET deleted_at = 1, released_at = 1");
    EXPECT(purge(&fixture).pipeline_runs.count == 0);
    write_row(&fixture, "UPDATE model_versions SET released_at = NULL");
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
}

static void test_what_registered_a_version_that_was_trained_elsewhere_stays(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 3, "failed");
    add_version(&fixture, "NULL", "NULL");
    write_row(&fixture, "UPDATE pipeline_steps SET spec = '{\"uses\":\"register\"}',"
                        " result = '{\"model\":\"m\",\"version\":7}' WHERE run_id = 'run1'");
    keep(&fixture, 1, 0);
    expect_kept(&fixture, "a version of a model came from it");
}

static void test_what_put_a_version_at_an_endpoint_stays(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Artifact package;

    add_runs(&fixture, 3, "failed");
    EXPECT_OK(
        tree_add(fixture.platform->artifacts, &(Tree){0}, scope->arena, &package, &scope->error),
        scope->error);
    write_row(&fixture, "INSERT INTO endpoints (id, name, project, rule_metric, rule_margin,"
                        " rule_relative_margin, rule_level, rule_demand, created_at)"
                        " VALUES (1, 'e', 'p', 'f1', 0, 0, 0, '', 0)");
    write_row(&fixture,
              arena_format(scope->arena,
                           "INSERT INTO deployments (id, endpoint_id, model, version, package,"
                           " reason, comment, origin_id, created_at, created_by) VALUES (1, 1,"
                           " 'm', 1, '%s', 'deploy', 'pipeline run p#1', 1, 0, 'ada')",
                           package.digest));
    keep(&fixture, 1, 0);
    expect_kept(&fixture, "it put a version at an endpoint");
}

static void test_what_was_approved_stays_and_what_was_rejected_does_not(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 3, "failed");
    for (int i = 1; i <= 2; i++)
        write_row(
            &fixture,
            arena_format(fixture.scope.arena,
                         "INSERT INTO approvals (id, subject, digest, environment, project,"
                         " title, detail, run_id, position, needed, four_eyes, status,"
                         " asked_by, created_at, expires_at) VALUES (%d, 's%d', 'd', 'e', 'p',"
                         " 't', '{}', 'run%d', 0, 1, 0, '%s', 'ada', 0, 0)",
                         i, i, i, i == 1 ? "approved" : "rejected"));
    keep(&fixture, 1, 0);
    expect_kept(&fixture, "it was approved");
}

static void test_what_a_run_that_stays_rests_on_stays_in_a_chain(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 4, "failed");
    write_row(&fixture, "UPDATE pipeline_runs SET reproduces = 'run3' WHERE number = 4");
    write_row(&fixture, "UPDATE pipeline_steps SET cached_run = 'run1', cached_position = 0"
                        " WHERE run_id = 'run3'");
    keep(&fixture, 1, 0);
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
    EXPECT(is_purged(&fixture, "run2") && !is_purged(&fixture, "run1") &&
           !is_purged(&fixture, "run3"));
}

static void test_runs_that_took_steps_of_each_other_go_together(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    add_runs(&fixture, 3, "failed");
    write_row(&fixture, "UPDATE pipeline_steps SET cached_run = 'run2', cached_position = 0"
                        " WHERE run_id = 'run1'");
    write_row(&fixture, "UPDATE pipeline_steps SET cached_run = 'run1', cached_position = 0"
                        " WHERE run_id = 'run2'");
    keep(&fixture, 1, 0);
    EXPECT(purge(&fixture).pipeline_runs.count == 2);
}

static void test_the_key_of_a_purged_run_starts_no_other(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Plan plan = {0};
    PipelineRunSpec spec = {.project = "p", .trigger_key = "key1", .plan = &plan};
    PipelineRun run;
    bool is_new;

    add_runs(&fixture, 2, "failed");
    keep(&fixture, 1, 0);
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
    EXPECT_OK(pipeline_run_create(&fixture.scope, &spec, &run, &is_new), fixture.scope.error);
    EXPECT(!is_new && run.number == 1 && run.purged_at);
}

static void test_a_purge_that_was_stopped_leaves_what_it_has_not_reached(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    atomic_bool stopped = true;
    PurgeSpec spec = {.older_than_days = PURGE_DAYS_MAX, .stopped = &stopped};
    PurgeReport report;

    add_runs(&fixture, 2, "failed");
    keep(&fixture, 1, 0);
    EXPECT_FAILS(purge_run(&fixture.reader, &spec, &report), &fixture.reader, ERROR_UNAVAILABLE,
                 "the purge was stopped");
    fixture.reader.error = (Error){0};
    EXPECT(!is_purged(&fixture, "run1"));
    EXPECT(purge(&fixture).pipeline_runs.count == 1);
}

int main(int count_of, char **names)
{
    static const Test tests[] = {
        TEST(test_a_run_goes_when_it_is_neither_among_the_newest_nor_young),
        TEST(test_a_rule_of_a_project_goes_before_that_for_all),
        TEST(test_the_last_that_succeeded_stays),
        TEST(test_what_has_not_ended_stays_however_old),
        TEST(test_what_made_a_version_stays_until_that_is_deleted),
        TEST(test_what_registered_a_version_that_was_trained_elsewhere_stays),
        TEST(test_what_put_a_version_at_an_endpoint_stays),
        TEST(test_what_was_approved_stays_and_what_was_rejected_does_not),
        TEST(test_what_a_run_that_stays_rests_on_stays_in_a_chain),
        TEST(test_runs_that_took_steps_of_each_other_go_together),
        TEST(test_the_key_of_a_purged_run_starts_no_other),
        TEST(test_a_purge_that_was_stopped_leaves_what_it_has_not_reached),
        {0},
    };

    return test_main(tests, count_of, names);
}
