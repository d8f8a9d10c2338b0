/* The thread that trains: cancelling, stopping, and what a killed program left. Runs under the
 * thread sanitizer too. */
#include <signal.h>

#include "registry/model.h"
#include "tests/unit/pipelines/pipeline_fixture.h"
#include "tracking/experiment.h"

static void test_e4_a_cancelled_training_is_killed_and_has_no_version(void)
{
    Fixture fixture = fixture_open();
    TrainingSpec spec = training_spec_default();
    RegisteredModel model;
    Run run;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    fixture_put(&fixture, fixture_file);
    spec.project = "spam";
    EXPECT_OK(training_start(&fixture.scope, fixture.trainer, &spec, &run), fixture.scope.error);
    EXPECT_OK(trainer_cancel(fixture.trainer, run.id, &fixture.scope.error), fixture.scope.error);
    run = fixture_wait(&fixture, run.id);
    EXPECT(run.status == RUN_KILLED);
    EXPECT(!model_find(&fixture.scope, "spam", &model));
    EXPECT(!trainer_cancel(fixture.trainer, run.id, &fixture.scope.error));
    EXPECT(fixture.scope.error.kind == ERROR_CONFLICT);
    fixture_close(&fixture);
}

static void test_e4_a_training_under_way_at_the_end_of_the_program_is_failed_with_that_reason(void)
{
    Fixture fixture = fixture_open();
    TrainingSpec spec = training_spec_default();
    Run run;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    fixture_put(&fixture, fixture_file);
    spec.project = "spam";
    EXPECT_OK(training_start(&fixture.scope, fixture.trainer, &spec, &run), fixture.scope.error);
    trainer_destroy(fixture.trainer);
    fixture.trainer = NULL;
    EXPECT_OK(run_find(&fixture.scope, run.id, &run), fixture.scope.error);
    EXPECT(run.status == RUN_FAILED);
    EXPECT_TEXT(run.failure, "the server stopped while it ran");
    fixture_close(&fixture);
}

typedef struct LeftBehind {
    Run run;
} LeftBehind;

/* What a program that was killed leaves: a run that runs, a training that has not ended. */
static bool leave_behind(Scope *scope, void *context)
{
    LeftBehind *left = context;
    Experiment experiment;
    RunSpec spec = {0};

    if (!experiment_ensure(scope, "spam", &experiment))
        return false;
    spec.experiment_id = experiment.id;
    return run_create(scope, &spec, &left->run) &&
           db_run(scope->db, &scope->error,
                  "INSERT INTO trainings (run_id, project, spec, created_at)"
                  " VALUES ($1, 'spam', '{}', 1)",
                  db_text(left->run.id));
}

static void test_e4_a_training_that_a_killed_program_left_is_failed_at_the_next_start(void)
{
    Fixture fixture = fixture_open();
    LeftBehind left = {0};
    Error error = {0};
    Run run;

    EXPECT_OK(scope_write(&fixture.scope, leave_behind, &left), fixture.scope.error);
    trainer_destroy(fixture.trainer);
    fixture.trainer = trainer_create(fixture.platform, &error);
    EXPECT_OK(run_find(&fixture.scope, left.run.id, &run), fixture.scope.error);
    EXPECT(run.status == RUN_FAILED);
    EXPECT_TEXT(run.failure, "the server stopped while it ran");
    fixture_close(&fixture);
}

/* The step that this program has started: the newest child. 0: none yet. */
static pid_t find_child(Fixture *fixture)
{
    const char *path = arena_format(fixture->arena, "/proc/%d/task", getpid());
    TextList threads;
    Error error = {0};
    int child = 0;

    EXPECT_OK(folder_list(path, fixture->arena, &threads, &error), error);
    for (size_t i = 0; i < threads.count && !child; i++) {
        FILE *file =
            fopen(arena_format(fixture->arena, "%s/%s/children", path, threads.items[i]), "r");

        if (file && fscanf(file, "%d", &child) != 1)
            child = 0;
        if (file)
            fclose(file);
    }
    return child;
}

static Run start_long_training(Fixture *fixture)
{
    TrainingSpec spec = training_spec_default();
    Run run;

    fixture_add_data(fixture, made_up_comments(fixture->arena, 0, 4000, 5));
    fixture_put(fixture, fixture_file);
    spec.project = "spam";
    spec.budget_seconds = 0;
    EXPECT_OK(training_start(&fixture->scope, fixture->trainer, &spec, &run), fixture->scope.error);
    while (!trainer_progress(fixture->trainer, run.id, fixture->arena).document)
        usleep(1000);
    return run;
}

typedef struct Talk {
    const char *run_id;
    ModelVersion version;
} Talk;

/* Calls the run finished after all, and registers it. */
static bool talk_away(Scope *scope, void *context)
{
    Talk *talk = context;
    RunChange change = {.status = "FINISHED"};
    Artifact mlmodel;
    Tree tree = {0};
    TreeEntry entry = {.path = "MLmodel"};
    Artifact package;
    ModelVersionSpec spec = {.model = "spam", .run_id = talk->run_id};

    if (!artifact_add_bytes(scope->platform->artifacts, "x: 1\n", 5, &mlmodel, &scope->error))
        return false;
    memcpy(entry.digest, mlmodel.digest, sizeof(entry.digest));
    *arena_push(scope->arena, &tree) = entry;
    if (!tree_add(scope->platform->artifacts, &tree, scope->arena, &package, &scope->error))
        return false;
    spec.package = package.digest;
    return run_update(scope, talk->run_id, &change) &&
           model_version_create(scope, &spec, &talk->version);
}

static bool delete_run(Scope *scope, void *context)
{
    return run_delete(scope, context);
}

static bool restore_run(Scope *scope, void *context)
{
    return run_restore(scope, context);
}

static void test_e4_a_killed_step_fails_the_run_with_its_last_lines_and_is_never_registered(void)
{
    Fixture fixture = fixture_open();
    Run run = start_long_training(&fixture);
    Talk talk = {.run_id = run.id};
    const char *failure,
        *ended = "the step \"train\" was ended by signal 9 (killed, or out of memory): ";

    EXPECT(kill(find_child(&fixture), SIGKILL) == 0);
    run = fixture_wait(&fixture, run.id);
    EXPECT(run.status == RUN_FAILED);
    EXPECT(text_has_prefix(run.failure, ended));
    EXPECT(strlen(run.failure) > strlen(ended)); /* what the step said last: "7 of 45 folds" */
    EXPECT(!scope_write(&fixture.scope, talk_away, &talk));
    EXPECT(strstr(fixture.scope.error.message, "has failed, so it cannot be registered"));
    failure = run.failure;
    EXPECT(scope_write(&fixture.scope, delete_run, (void *)(uintptr_t)run.id));
    EXPECT(scope_write(&fixture.scope, restore_run, (void *)(uintptr_t)run.id));
    EXPECT_OK(run_find(&fixture.scope, run.id, &run), fixture.scope.error);
    EXPECT(!run.is_deleted && run.status == RUN_FAILED);
    EXPECT_TEXT(run.failure, failure);
    fixture_close(&fixture);
}

static void test_e4_a_run_deleted_while_it_trains_has_ended_when_it_is_restored(void)
{
    Fixture fixture = fixture_open();
    Run run = start_long_training(&fixture);
    RegisteredModel model;

    EXPECT(scope_write(&fixture.scope, delete_run, (void *)(uintptr_t)run.id));
    EXPECT_OK(trainer_cancel(fixture.trainer, run.id, &fixture.scope.error), fixture.scope.error);
    run = fixture_wait(&fixture, run.id);
    EXPECT(run.is_deleted && run.status == RUN_KILLED);
    EXPECT(scope_write(&fixture.scope, restore_run, (void *)(uintptr_t)run.id));
    EXPECT(!model_find(&fixture.scope, "spam", &model));
    fixture_close(&fixture);
}

static void test_trainings_wait_for_one_another_in_order(void)
{
    enum { COUNT_OF_RUNS = 4 };
    Fixture fixture = fixture_open();
    Principal ada = {"ada", ROLE_CONTRIBUTOR};
    Error error = {0};
    TrainerProgress progress;

    for (int i = 0; i < COUNT_OF_RUNS; i++) {
        const char *run_id = arena_format(fixture.arena, "%032d", i);

        EXPECT_OK(trainer_submit(fixture.trainer, run_id, &ada, &error), error);
        progress = trainer_progress(fixture.trainer, run_id, fixture.arena);
        EXPECT(progress.ahead <= (size_t)i);
    }
    trainer_drain(fixture.trainer);
    progress = trainer_progress(fixture.trainer, "00000000000000000000000000000003", fixture.arena);
    EXPECT(!progress.is_here && !progress.document);
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_e4_a_cancelled_training_is_killed_and_has_no_version),
        TEST(test_e4_a_training_under_way_at_the_end_of_the_program_is_failed_with_that_reason),
        TEST(test_e4_a_training_that_a_killed_program_left_is_failed_at_the_next_start),
        TEST(test_e4_a_killed_step_fails_the_run_with_its_last_lines_and_is_never_registered),
        TEST(test_e4_a_run_deleted_while_it_trains_has_ended_when_it_is_restored),
        TEST(test_trainings_wait_for_one_another_in_order),
        {0},
    };

    return fixture_main(tests, count, arguments);
}
