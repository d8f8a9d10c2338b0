#include "registry/source.h"

#include "tests/unit/tracking/store_fixture.h"
#include "tracking/experiment.h"

/* A run with the file "model/MLmodel" and another one beside the folder. */
static Run run_with_model(Scope *scope)
{
    static const char *const paths[] = {"model/MLmodel", "model2/MLmodel", "modelling.txt"};
    Artifact blob;
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){.name = "fit"}, &run), scope->error);
    for (size_t i = 0; i < COUNT(paths); i++) {
        EXPECT_OK(artifact_add_bytes(scope->platform->artifacts, paths[i], strlen(paths[i]), &blob,
                                     &scope->error),
                  scope->error);
        EXPECT_OK(run_log_artifact(scope, run.id, paths[i], &blob), scope->error);
    }
    return run;
}

static Source resolved(Scope *scope, const char *uri, const char *run_id)
{
    Source source = {0};

    EXPECT_OK(source_resolve(scope, &(SourceSpec){.source = uri, .run_id = run_id}, &source),
              scope->error);
    return source;
}

static void test_the_files_of_a_folder_of_a_run_are_the_package(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = run_with_model(scope);
    Source source = resolved(scope, arena_format(scope->arena, "runs:/%s/model", run.id), NULL);
    Tree tree = {0};

    EXPECT_TEXT(source.run_id, run.id);
    EXPECT_OK(
        tree_read(scope->platform->artifacts, source.package, scope->arena, &tree, &scope->error),
        scope->error);
    EXPECT(tree.count == 1);
    EXPECT_TEXT(tree.items[0].path, "MLmodel");
    source = resolved(scope, arena_format(scope->arena, "%s/model/", run.artifact_uri), run.id);
    EXPECT(source.package && tree_find(&tree, "MLmodel"));
    source = resolved(scope, arena_format(scope->arena, "runs:/%s/none", run.id), NULL);
    EXPECT(!source.package);
}

static void test_a_version_of_a_version_has_its_data_and_its_holdout(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = run_with_model(scope);
    Source source = resolved(scope, arena_format(scope->arena, "runs:/%s/model", run.id), NULL);
    ModelVersionSpec spec = {
        .model = "spam",
        .dataset = "mails",
        .dataset_version = 3,
        .holdout_digest = "h1",
        .may_be_running = true,
    };
    ModelVersion version;

    source_fill_spec(&source, &spec);
    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    source = resolved(scope, "models:/spam/latest", NULL);
    EXPECT_TEXT(source.source, "models:/spam/1");
    spec = (ModelVersionSpec){.model = "prod", .may_be_running = true};
    source_fill_spec(&source, &spec);
    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    EXPECT_TEXT(version.dataset, "mails");
    EXPECT_TEXT(version.holdout_digest, "h1");
    EXPECT_TEXT(version.run_id, run.id);
    EXPECT(version.dataset_version == 3 && version.package);
}

static void test_a_path_of_a_file_is_taken_where_the_runs_own_files_are(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    const ExperimentSpec near = {.name = "near", .artifact_location = "file:///data/runs"};
    Experiment experiment;
    Source source;
    Run run;

    EXPECT_OK(experiment_create(scope, &near, &experiment), scope->error);
    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = experiment.id}, &run), scope->error);
    source =
        resolved(scope, arena_format(scope->arena, "/data/runs/%s/artifacts/m", run.id), run.id);
    EXPECT(!source.package);
    EXPECT(
        !source_resolve(scope, &(SourceSpec){.source = "/data/runs", .run_id = run.id}, &source));
    EXPECT(scope->error.kind == ERROR_INVALID);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_files_of_a_folder_of_a_run_are_the_package),
        TEST(test_a_version_of_a_version_has_its_data_and_its_holdout),
        TEST(test_a_path_of_a_file_is_taken_where_the_runs_own_files_are),
        {0},
    };
    return test_main(tests, count, names);
}
