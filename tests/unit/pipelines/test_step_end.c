/* The ends of attempts: each counts once, and one that was given up has no say any more. */
#include "base/time.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/pipeline_source.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

static const char yaml[] = "project: spam\nstages: {a: {cmd: x}, b: {cmd: y, needs: a}}\n";

static PipelineRun begin_run(Fixture *fixture)
{
    PipelineOrder order = {.project = "spam"}, start = {.project = "spam", .trigger = "api"};
    TreeEntry entry = {.path = "slipway.yaml"};
    PipelineSource source;
    Artifact artifact;
    PipelineRun run;
    bool is_new;

    EXPECT_OK(artifact_add_bytes(fixture->platform->artifacts, yaml, strlen(yaml), &artifact,
                                 &fixture->scope.error),
              fixture->scope.error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(fixture->arena, &order.files) = entry;
    EXPECT_OK(pipeline_source_put(&fixture->scope, &order, &source), fixture->scope.error);
    EXPECT_OK(pipeline_source_start(&fixture->scope, &start, &run, &is_new), fixture->scope.error);
    return run;
}

/* As the scheduler begins it. */
static bool write_attempt(Scope *scope, void *context)
{
    const StepAttempt *attempt = context;

    return db_run(scope->db, &scope->error,
                  "INSERT INTO step_attempts (run_id, position, attempt, key, status, executor,"
                  " boot, created_at) VALUES ($1, 0, $2, $3, 'running', 'local', '', $4)",
                  db_text(attempt->run_id), db_int(attempt->attempt), db_text(attempt->key),
                  db_int(time_now_ms())) &&
           db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET status = 'running', attempts = $2"
                  " WHERE run_id = $1 AND position = 0",
                  db_text(attempt->run_id), db_int(attempt->attempt));
}

static StepAttempt begin_attempt(Fixture *fixture, const PipelineRun *run, int64_t number)
{
    StepAttempt attempt = {
        .run_id = run->id,
        .attempt = number,
        .key = arena_format(fixture->arena, "%s-0-%d", run->id, (int)number),
    };

    EXPECT_OK(scope_write(&fixture->scope, write_attempt, &attempt), fixture->scope.error);
    return attempt;
}

static bool write_end(Scope *scope, void *context)
{
    return attempt_end_write(scope, context);
}

static void end_attempt(Fixture *fixture, const StepAttempt *attempt, const char *status)
{
    AttemptEnd end = {.attempt = attempt, .status = status, .reason = "so it is"};

    EXPECT_OK(scope_write(&fixture->scope, write_end, &end), fixture->scope.error);
}

/* "running/lost succeeded": the step, and its attempts. */
static const char *state_of(Fixture *fixture, const PipelineRun *run)
{
    TextBuilder text = {.arena = fixture->arena};
    StepAttemptList attempts = {0};
    PipelineStep step;

    EXPECT_OK(pipeline_step_at(&fixture->scope, run->id, 0, &step), fixture->scope.error);
    EXPECT_OK(step_attempt_list(&fixture->scope, run->id, 0, &attempts), fixture->scope.error);
    text_append_format(&text, "%s/", step.status);
    for (size_t i = 0; i < attempts.count; i++)
        text_append_format(&text, "%s%s", i ? " " : "", attempts.items[i].status);
    return text_built(&text);
}

static int64_t steps_left(Fixture *fixture, const PipelineRun *run)
{
    PipelineRun now;

    EXPECT_OK(pipeline_run_find(&fixture->scope, run->id, &now), fixture->scope.error);
    return now.open_steps;
}

static void test_an_attempt_that_was_given_up_has_no_say_any_more(void)
{
    Fixture fixture = fixture_open();
    PipelineRun run = begin_run(&fixture);
    StepAttempt first = begin_attempt(&fixture, &run, 1), second;

    end_attempt(&fixture, &first, "lost");
    EXPECT_TEXT(state_of(&fixture, &run), "ready/lost");
    second = begin_attempt(&fixture, &run, 2);
    end_attempt(&fixture, &first, "succeeded");
    EXPECT_TEXT(state_of(&fixture, &run), "running/lost running");
    end_attempt(&fixture, &second, "succeeded");
    EXPECT_TEXT(state_of(&fixture, &run), "succeeded/lost succeeded");
    EXPECT(steps_left(&fixture, &run) == 1);
    end_attempt(&fixture, &first, "failed");
    EXPECT_TEXT(state_of(&fixture, &run), "succeeded/lost succeeded");
    fixture_close(&fixture);
}

static void test_an_end_that_is_told_twice_counts_once(void)
{
    Fixture fixture = fixture_open();
    PipelineRun run = begin_run(&fixture);
    StepAttempt attempt = begin_attempt(&fixture, &run, 1);

    end_attempt(&fixture, &attempt, "succeeded");
    end_attempt(&fixture, &attempt, "succeeded");
    EXPECT_TEXT(state_of(&fixture, &run), "succeeded/succeeded");
    EXPECT(steps_left(&fixture, &run) == 1);
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_an_attempt_that_was_given_up_has_no_say_any_more),
        TEST(test_an_end_that_is_told_twice_counts_once),
        {0},
    };

    return fixture_main(tests, count, arguments);
}
