#include "tracking/run_trial.h"

#include "base/time.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/experiment.h"

/* A run with two trials of these names. */
static Run training_with(Scope *scope, const char *first, const char *second)
{
    RunTrial trials[] = {
        {.name = first,
         .status = RUN_FINISHED,
         .started_at = 1000,
         .ended_at = 2000,
         .params = {(Param[]){{"C", "0.3"}, {"learner", "linear_svm"}}, 2},
         .tags = {(Param[]){{"slipway.trial", "finished"}}, 1},
         .metrics = {(Metric[]){{"f1", 0.9, 2000, 0}}, 1}},
        {.name = second,
         .status = RUN_FAILED,
         .failure = "too short",
         .started_at = 2000,
         .ended_at = 3000},
    };
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){.user = "bob"}, &run), scope->error);
    EXPECT_OK(run_add_trials(scope, &run, &(RunTrialList){trials, COUNT(trials)}), scope->error);
    return run;
}

static RunList list(Scope *scope, RunFilter filter)
{
    RunList found = {0};
    int64_t total;

    EXPECT_OK(run_list(scope, &filter, &found, &total), scope->error);
    EXPECT((size_t)total == found.count);
    return found;
}

static RunList trials_of(Scope *scope, const Run *run, RunLife life)
{
    return list(scope, (RunFilter){.parent = run->id, .life = life, .order_by = "started_at asc"});
}

static void test_a_trial_is_a_run_with_all_that_is_known_of_it(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = training_with(&fixture.scope, "linear_svm C=0.3", "theta");
    RunList trials = trials_of(&fixture.scope, &run, RUN_LIFE_ACTIVE);
    const Run *first = &trials.items[0], *second = &trials.items[1];

    EXPECT(trials.count == 2);
    EXPECT_TEXT(first->name, "linear_svm C=0.3");
    EXPECT_TEXT(first->user, "bob");
    EXPECT(first->status == RUN_FINISHED && first->started_at == 1000 && first->ended_at == 2000);
    EXPECT(first->is_trial && !run.is_trial && first->experiment_id == run.experiment_id);
    EXPECT_TEXT(param_find(&first->params, "C"), "0.3");
    EXPECT_TEXT(param_find(&first->tags, "slipway.trial"), "finished");
    EXPECT_TEXT(param_find(&first->tags, "mlflow.parentRunId"), run.id);
    EXPECT(first->metrics.count == 1 && first->metrics.items[0].value == 0.9);
    EXPECT(second->status == RUN_FAILED);
    EXPECT_TEXT(second->failure, "too short");
}

static void test_lists_and_counts_leave_trials_out_unless_they_are_asked_for(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ParamList child = {(Param[]){{"mlflow.parentRunId", NULL}}, 1};
    Run run = training_with(scope, "a", "b"), nested;
    const RunFilter unknown = {.parent = "x"};
    RunList none = {0};
    Experiment experiment;

    child.items[0].value = run.id;
    EXPECT_OK(run_create(scope, &(RunSpec){.tags = child}, &nested), scope->error);
    EXPECT(list(scope, (RunFilter){0}).count == 2); /* what a client made below it is no trial */
    EXPECT(list(scope, (RunFilter){.parent = run.id}).count == 3);
    EXPECT(list(scope, (RunFilter){.parent = run.id, .status = "FAILED"}).count == 1);
    EXPECT(list(scope, (RunFilter){.parent = nested.id}).count == 0);
    EXPECT_FAILS(run_list(scope, &unknown, &none, NULL), scope, ERROR_NOT_FOUND,
                 "run \"x\" does not exist");
    EXPECT_OK(experiment_find(scope, 0, &experiment), scope->error);
    EXPECT_OK(experiment_count_runs(scope, &experiment), scope->error);
    EXPECT(experiment.run_count == 2);
}

static void test_what_mlflow_searches_has_trials_by_their_tags_too(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    int64_t experiment = 0;
    RunSearch search = {.experiment_ids = &experiment, .experiment_count = 1, .limit = 10};
    Run run = training_with(scope, "a", "b");
    const char *token;
    RunList found = {0};

    EXPECT_OK(run_search(scope, &search, &found, &token), scope->error);
    EXPECT(found.count == 3);
    search.filter =
        arena_format(scope->arena, "tags.mlflow.parentRunId = '%s' AND metrics.f1 > 0.5", run.id);
    EXPECT_OK(run_search(scope, &search, &found, &token), scope->error);
    EXPECT(found.count == 1);
    EXPECT_TEXT(found.items[0].name, "a");
}

static void test_trials_are_deleted_and_restored_with_their_run(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run other = training_with(scope, "c", "d"), run = training_with(scope, "a", "b");
    RunList trials = trials_of(scope, &run, RUN_LIFE_ACTIVE);

    EXPECT_OK(run_delete(scope, trials.items[0].id), scope->error);
    time_sleep_ms(2); /* so that the two deletions differ */
    EXPECT_OK(run_delete(scope, run.id), scope->error);
    EXPECT(trials_of(scope, &run, RUN_LIFE_DELETED).count == 2);
    EXPECT(trials_of(scope, &other, RUN_LIFE_ACTIVE).count == 2);
    EXPECT(list(scope, (RunFilter){.life = RUN_LIFE_DELETED}).count == 1);
    EXPECT_FAILS(run_restore(scope, trials.items[1].id), scope, ERROR_CONFLICT,
                 arena_format(scope->arena,
                              "run \"%s\" is a trial of a training that is deleted: it is restored "
                              "with that",
                              trials.items[1].id));
    EXPECT_OK(run_restore(scope, run.id), scope->error);
    EXPECT(trials_of(scope, &run, RUN_LIFE_ACTIVE).count == 1); /* the other had gone before */
    EXPECT_OK(run_restore(scope, trials.items[0].id), scope->error);
    EXPECT(trials_of(scope, &run, RUN_LIFE_ACTIVE).count == 2);
}

static void test_an_experiment_takes_trials_along_and_brings_them_back(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = training_with(scope, "a", "b");

    EXPECT_OK(experiment_delete(scope, 0), scope->error);
    EXPECT(trials_of(scope, &run, RUN_LIFE_ACTIVE).count == 0);
    EXPECT_OK(experiment_restore(scope, 0), scope->error);
    EXPECT(trials_of(scope, &run, RUN_LIFE_ACTIVE).count == 2);
}

static void test_what_no_run_can_have_no_trial_has(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = training_with(scope, "a", "b");
    RunTrial trial = {.name = "x", .status = RUN_FINISHED, .params = {(Param[]){{"a\nb", "1"}}, 1}};

    EXPECT(!run_add_trials(scope, &run, &(RunTrialList){&trial, 1}));
    EXPECT(scope->error.kind == ERROR_FIELD);
    trial = (RunTrial){.name = "", .status = RUN_FINISHED};
    EXPECT_FAILS(run_add_trials(scope, &run, &(RunTrialList){&trial, 1}), scope, ERROR_FIELD,
                 "a run name has 1 to 250 characters");
    EXPECT(trials_of(scope, &run, RUN_LIFE_ALL).count == 2);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_trial_is_a_run_with_all_that_is_known_of_it),
        TEST(test_lists_and_counts_leave_trials_out_unless_they_are_asked_for),
        TEST(test_what_mlflow_searches_has_trials_by_their_tags_too),
        TEST(test_trials_are_deleted_and_restored_with_their_run),
        TEST(test_an_experiment_takes_trials_along_and_brings_them_back),
        TEST(test_what_no_run_can_have_no_trial_has),
        {0},
    };

    return test_main(tests, count, names);
}
