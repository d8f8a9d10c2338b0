/* test_purge_trials.c: the trials of a training go when it goes, and stay when it stays. */

#include "pipelines/purge.h"
#include "registry/model.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/experiment.h"
#include "tracking/run_trial.h"

/* A run that has finished, with two trials. */
static Run training_of(Fixture *fixture)
{
    Scope *scope = &fixture->scope;
    RunTrial trials[] = {{.name = "a", .status = RUN_FINISHED},
                         {.name = "b", .status = RUN_KILLED}};
    Run run;

    trials[0].params = (ParamList){(Param[]){{"C", "1"}}, 1};
    EXPECT_OK(run_create(scope, &(RunSpec){0}, &run), scope->error);
    EXPECT_OK(run_add_trials(scope, &run, &(RunTrialList){trials, COUNT(trials)}), scope->error);
    EXPECT_OK(run_finish(scope, run.id, RUN_FINISHED, NULL), scope->error);
    return run;
}

static ModelVersion version_of(Fixture *fixture, const Run *run)
{
    Scope *scope = &fixture->scope;
    ModelVersionSpec spec = {.model = "spam", .run_id = run->id};
    Tree tree = {(TreeEntry[]){{.path = "MLmodel", .size = 12}}, 1};
    Artifact model, package;
    ModelVersion version;

    EXPECT_OK(
        artifact_add_bytes(scope->platform->artifacts, "flavors: {}\n", 12, &model, &scope->error),
        scope->error);
    memcpy(tree.items[0].digest, model.digest, sizeof(model.digest));
    EXPECT_OK(tree_add(scope->platform->artifacts, &tree, scope->arena, &package, &scope->error),
              scope->error);
    spec.package = package.digest;
    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    return version;
}

static PurgeReport purge(Fixture *fixture)
{
    PurgeReport report;

    EXPECT_OK(purge_run(&fixture->reader, &(PurgeSpec){0}, &report), fixture->reader.error);
    return report;
}

static size_t count_trials(Fixture *fixture, const Run *run, RunLife life)
{
    RunList trials = {0};
    RunFilter filter = {.parent = run->id, .life = life};

    EXPECT_OK(run_list(&fixture->scope, &filter, &trials, NULL), fixture->scope.error);
    return trials.count;
}

static void test_trials_go_and_stay_with_their_training(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = training_of(&fixture);
    ModelVersion version = version_of(&fixture, &run);
    PurgeReport report;
    int64_t left;

    EXPECT_OK(run_delete(scope, run.id), scope->error);
    report = purge(&fixture);
    EXPECT(report.runs.count == 0 && report.kept_count == 1); /* trials are not told of */
    EXPECT_OK(run_restore(scope, run.id), scope->error);
    EXPECT(count_trials(&fixture, &run, RUN_LIFE_ACTIVE) == 2);
    EXPECT_OK(run_delete(scope, run.id), scope->error);
    EXPECT_OK(model_version_delete(scope, "spam", version.version), scope->error);
    report = purge(&fixture);
    EXPECT(report.runs.count == 3 && report.kept_count == 0);
    EXPECT_OK(db_get_int(fixture.db, &scope->error, &left,
                         "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM run_params)"
                         " + (SELECT count(*) FROM run_tags) + $1",
                         db_int(0)),
              scope->error);
    EXPECT(left == 0);
}

static void test_a_trial_that_was_deleted_alone_goes_alone(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = training_of(&fixture);
    RunList trials = {0};

    EXPECT_OK(run_list(scope, &(RunFilter){.parent = run.id}, &trials, NULL), scope->error);
    EXPECT_OK(run_delete(scope, trials.items[0].id), scope->error);
    EXPECT(purge(&fixture).runs.count == 1);
    EXPECT(count_trials(&fixture, &run, RUN_LIFE_ALL) == 1);
    EXPECT(!run_find(scope, trials.items[0].id, &run) && scope->error.kind == ERROR_NOT_FOUND);
}

static void test_an_experiment_brings_trials_back_after_a_purge(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = training_of(&fixture);

    version_of(&fixture, &run);
    EXPECT_OK(experiment_delete(scope, 0), scope->error);
    EXPECT(purge(&fixture).runs.count == 0);
    EXPECT_OK(experiment_restore(scope, 0), scope->error);
    EXPECT(count_trials(&fixture, &run, RUN_LIFE_ACTIVE) == 2);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_trials_go_and_stay_with_their_training),
        TEST(test_a_trial_that_was_deleted_alone_goes_alone),
        TEST(test_an_experiment_brings_trials_back_after_a_purge),
        {0},
    };

    return test_main(tests, count, names);
}
