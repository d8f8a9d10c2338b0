/* The thread that trains: cancelling, stopping, and what a killed program left. Runs under the
 * thread sanitizer too. */
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
        TEST(test_trainings_wait_for_one_another_in_order),
        {0},
    };

    return fixture_main(tests, count, arguments);
}
