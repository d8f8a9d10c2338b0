/* test_step_bounds.c: a step changes its own run and what it makes, and nothing that others have
 * logged. */

#include "tracking/step_bounds.h"

#include "tests/unit/tracking/store_fixture.h"
#include "tracking/assessment.h"
#include "tracking/experiment.h"
#include "tracking/trace.h"

/* What others have logged, in the experiment of the step's project. */
typedef struct Bench {
    Fixture fixture;
    Scope *scope, *step;
    Scope as_step;
    int64_t experiment;
    Run own, other;
    LoggedModel model;
} Bench;

static Run make_run(Scope *scope, int64_t experiment)
{
    Run run = {0};

    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = experiment}, &run), scope->error);
    return run;
}

static LoggedModel make_model(Scope *scope, int64_t experiment)
{
    LoggedModel model = {0};

    EXPECT_OK(logged_model_create(scope, &(LoggedModelSpec){.experiment_id = experiment}, &model),
              scope->error);
    return model;
}

static void bench_open(Bench *bench)
{
    Experiment experiment;

    bench->fixture = fixture_open();
    bench->scope = &bench->fixture.scope;
    EXPECT_OK(experiment_ensure(bench->scope, "shop", &experiment), bench->scope->error);
    bench->experiment = experiment.id;
    bench->own = make_run(bench->scope, experiment.id);
    bench->other = make_run(bench->scope, experiment.id);
    bench->model = make_model(bench->scope, experiment.id);
    bench->as_step = *bench->scope;
    bench->as_step.principal =
        (Principal){"shop#1/train", ROLE_STEP, bench->own.id, bench->experiment};
    bench->step = &bench->as_step;
}

static void bench_close(Bench *bench)
{
    fixture_close(&bench->fixture);
}

static bool is_refused(bool done, Scope *scope)
{
    bool is = !done && scope->error.kind == ERROR_FORBIDDEN;

    scope->error = (Error){0};
    return is;
}

static bool log_metric(Scope *scope, const char *run_id)
{
    Metric metric = {.key = "f1", .value = 1, .timestamp = 1};

    return run_log_batch(scope, run_id, &(RunBatch){.metrics = {&metric, 1}});
}

static void test_it_logs_to_its_run_and_to_those_that_it_makes(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    Run child;

    bench_open(&bench);
    child = make_run(bench.step, bench.experiment);
    EXPECT_OK(log_metric(bench.step, bench.own.id), bench.step->error);
    EXPECT_OK(log_metric(bench.step, child.id), bench.step->error);
    EXPECT_TEXT(param_find(&child.tags, STEP_RUN_TAG), bench.own.id);
    EXPECT(!log_metric(bench.step, bench.other.id));
    EXPECT_TEXT(bench.step->error.message,
                arena_format(bench.scope->arena,
                             "a step changes its own run and what it makes itself, and "
                             "\"shop#1/train\" has not made run \"%s\"",
                             bench.other.id));
    EXPECT_OK(log_metric(bench.scope, bench.other.id), bench.scope->error);
}

/* The next attempt has another run, and those that this one makes are not its own. */
static void test_what_another_attempt_has_made_is_not_its_own(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    Run child;

    bench_open(&bench);
    child = make_run(bench.step, bench.experiment);
    bench.step->principal.run_id = bench.other.id;
    EXPECT(is_refused(log_metric(bench.step, child.id), bench.step));
    EXPECT(is_refused(log_metric(bench.step, bench.own.id), bench.step));
}

static void test_a_tag_that_it_sends_gives_it_nothing(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    Param tag;
    Run run = {0};

    bench_open(&bench);
    tag = (Param){STEP_RUN_TAG, bench.other.id};
    EXPECT_OK(run_create(bench.step,
                         &(RunSpec){.experiment_id = bench.experiment, .tags = {&tag, 1}}, &run),
              bench.step->error);
    EXPECT_TEXT(param_find(&run.tags, STEP_RUN_TAG), bench.own.id);
    tag.value = bench.own.id;
    EXPECT(is_refused(run_log_batch(bench.step, bench.other.id, &(RunBatch){.tags = {&tag, 1}}),
                      bench.step));
}

static void test_it_logs_to_the_experiment_of_its_project_alone(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    LoggedModel model;
    Run run;

    bench_open(&bench);
    EXPECT(is_refused(run_create(bench.step, &(RunSpec){.experiment_id = 0}, &run), bench.step));
    EXPECT(
        is_refused(logged_model_create(bench.step, &(LoggedModelSpec){.experiment_id = 0}, &model),
                   bench.step));
}

static void test_a_logged_model_of_others_stays_as_it_is(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    Param pair = {"depth", "3"};
    ParamList list = {&pair, 1};
    LoggedModel own, found;

    bench_open(&bench);
    own = make_model(bench.step, bench.experiment);
    EXPECT_OK(logged_model_set_tags(bench.step, own.id, &list), bench.step->error);
    EXPECT_OK(logged_model_log_params(bench.step, own.id, &list), bench.step->error);
    EXPECT_OK(logged_model_finish(bench.step, own.id, LOGGED_MODEL_READY, &found),
              bench.step->error);
    EXPECT(is_refused(logged_model_set_tags(bench.step, bench.model.id, &list), bench.step));
    EXPECT(is_refused(logged_model_log_params(bench.step, bench.model.id, &list), bench.step));
    EXPECT(is_refused(logged_model_finish(bench.step, bench.model.id, LOGGED_MODEL_READY, &found),
                      bench.step));
}

/* Where clients put files by a path. */
static bool put(Scope *scope, const char *path)
{
    ArtifactPlace place;
    Artifact artifact;

    return artifact_add_bytes(scope->platform->artifacts, "x", 1, &artifact, &scope->error) &&
           artifact_place_find(scope, path, &place) && artifact_place_put(scope, &place, &artifact);
}

static const char *below(const Bench *bench, const char *format, const char *id)
{
    Arena *arena = bench->scope->arena;

    return arena_format(arena, "%lld/%s", (long long)bench->experiment,
                        arena_format(arena, format, id));
}

static void test_files_of_others_stay_as_they_are(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    LoggedModel own;

    bench_open(&bench);
    own = make_model(bench.step, bench.experiment);
    for (int again = 0; again < 2; again++) {
        EXPECT_OK(put(bench.step, below(&bench, "%s/artifacts/a", bench.own.id)),
                  bench.step->error);
        EXPECT_OK(put(bench.step, below(&bench, "models/%s/artifacts/a", own.id)),
                  bench.step->error);
    }
    EXPECT(
        is_refused(put(bench.step, below(&bench, "%s/artifacts/a", bench.other.id)), bench.step));
    EXPECT(is_refused(put(bench.step, below(&bench, "models/%s/artifacts/a", bench.model.id)),
                      bench.step));
    EXPECT(!put(bench.step, below(&bench, "models/%s/artifacts/a", "m-0")));
    EXPECT(is_refused(put(bench.step, "0/models/m-0/artifacts/a"), bench.step));
    EXPECT(is_refused(put(bench.step, "a"), bench.step));
    EXPECT(is_refused(put(bench.step, below(&bench, "%s", "../a")), bench.step) ||
           !put(bench.step, below(&bench, "%s", "../a")));
    EXPECT_OK(put(bench.step, below(&bench, "traces/%s/artifacts/traces.json", "tr-1")),
              bench.step->error);
    EXPECT(is_refused(put(bench.step, below(&bench, "traces/%s/artifacts/traces.json", "tr-1")),
                      bench.step));
}

static bool start_trace(Scope *scope, const char *id, int64_t experiment)
{
    Trace trace, told = {.id = id, .experiment_id = experiment, .requested_at = 1, .duration = 1};

    return trace_start(scope, &told, &trace);
}

static void test_a_trace_of_another_experiment_stays_as_it_is(void)
{
    CLEANUP(bench_close) Bench bench = {0};
    const char *id = "tr-1";
    TextList ids = {&id, 1};
    Param tag = {"k", "v"};

    bench_open(&bench);
    EXPECT_OK(start_trace(bench.scope, "tr-0", 0), bench.scope->error);
    EXPECT_OK(start_trace(bench.step, "tr-1", bench.experiment), bench.step->error);
    EXPECT_OK(trace_set_tag(bench.step, "tr-1", &tag), bench.step->error);
    EXPECT_OK(trace_link_run(bench.step, &ids, bench.own.id), bench.step->error);
    EXPECT(is_refused(trace_link_run(bench.step, &ids, bench.other.id), bench.step));
    EXPECT(is_refused(trace_set_tag(bench.step, "tr-0", &tag), bench.step));
    EXPECT(is_refused(start_trace(bench.step, "tr-0", bench.experiment), bench.step));
    EXPECT(is_refused(start_trace(bench.step, "tr-2", 0), bench.step));
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_it_logs_to_its_run_and_to_those_that_it_makes),
        TEST(test_what_another_attempt_has_made_is_not_its_own),
        TEST(test_a_tag_that_it_sends_gives_it_nothing),
        TEST(test_it_logs_to_the_experiment_of_its_project_alone),
        TEST(test_a_logged_model_of_others_stays_as_it_is),
        TEST(test_files_of_others_stay_as_they_are),
        TEST(test_a_trace_of_another_experiment_stays_as_it_is),
        {0},
    };

    return test_main(tests, count, arguments);
}
