/* From data to a registered version, through the real steps. */
#include "pipelines/evaluation.h"
#include "registry/model.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

static ModelVersion find_version(Fixture *fixture, int64_t number)
{
    ModelVersion version;

    EXPECT_OK(model_version_find(&fixture->scope, "spam", number, &version), fixture->scope.error);
    return version;
}

static void test_a_training_ends_in_a_version_with_its_lineage(void)
{
    Fixture fixture = fixture_open();
    DatasetVersion data = fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    ModelVersion version;
    Run run;

    fixture_put(&fixture, fixture_file);
    run = fixture_train(&fixture);
    version = find_version(&fixture, 1);
    EXPECT_TEXT(version.run_id, run.id);
    EXPECT_TEXT(version.dataset, "comments");
    EXPECT_TEXT(version.dataset_digest, data.digest);
    EXPECT_TEXT(version.holdout_digest, fixture_param(&run.tags, "slipway.holdout"));
    EXPECT_TEXT(version.package, fixture_param(&run.tags, "slipway.package"));
    EXPECT_TEXT(fixture_param(&run.tags, "slipway.model_version"), "spam@1");
    EXPECT_TEXT(fixture_param(&run.params, "rows"), "240");
    EXPECT_TEXT(fixture_param(&run.params, "holdout_rows"), "60");
    EXPECT(fixture_metric(&run, "holdout.f1") > 0.9);
    EXPECT(fixture_metric(&run, "cv.f1") > 0.9);
    fixture_close(&fixture);
}

static void test_f14_a_column_known_after_the_outcome_is_not_learnt_from_and_that_is_said(void)
{
    Fixture fixture = fixture_open();
    CLEANUP(package_close) Package package = {0};
    Run run;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    fixture_put(&fixture, fixture_file);
    run = fixture_train(&fixture);
    EXPECT_TEXT(fixture_param(&run.tags, "slipway.excluded"),
                "REMOVED (known only after the outcome)");
    EXPECT_OK(package_open(fixture.platform->artifacts, find_version(&fixture, 1).package,
                           fixture.arena, &package, &fixture.scope.error),
              fixture.scope.error);
    EXPECT(predictor_input_count(package.model) == 1);
    EXPECT_TEXT(predictor_input(package.model, 0).name, "CONTENT");
    fixture_close(&fixture);
}

static void test_the_leaderboard_of_a_run_has_the_majority_baseline_first(void)
{
    Fixture fixture = fixture_open();
    const JsonValue *leaderboard;
    JsonWalk walk;
    TreeEntry entry;
    const char *bytes;
    size_t size;
    Run run;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    fixture_put(&fixture, fixture_file);
    run = fixture_train(&fixture);
    EXPECT_OK(run_find_artifact(&fixture.scope, run.id, "leaderboard.json", &entry),
              fixture.scope.error);
    EXPECT_OK(artifact_read(fixture.platform->artifacts, entry.digest, 1 << 20, fixture.arena,
                            &bytes, &size, &fixture.scope.error),
              fixture.scope.error);
    EXPECT_OK(json_parse(bytes, size, fixture.arena, &leaderboard, &fixture.scope.error),
              fixture.scope.error);
    walk = json_walk(leaderboard);
    EXPECT(json_walk_next(&walk));
    EXPECT_TEXT(json_as_text(json_member(walk.value, "name"), ""), "majority");
    EXPECT(json_as_bool(json_member(walk.value, "is_baseline"), false));
    fixture_close(&fixture);
}

static size_t count_tagged(const RunList *trials, const char *tag, const char *value)
{
    size_t count = 0;

    for (size_t i = 0; i < trials->count; i++)
        count += text_equal(fixture_param(&trials->items[i].tags, tag), value);
    return count;
}

static void test_each_trial_is_a_run_below_the_one_of_the_training(void)
{
    Fixture fixture = fixture_open();
    RunList trials = {0}, all = {0};
    int64_t total;
    Run run;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    fixture_put(&fixture, fixture_file);
    run = fixture_train(&fixture);
    EXPECT_OK(run_list(&fixture.scope, &(RunFilter){.parent = run.id}, &trials, &total),
              fixture.scope.error);
    EXPECT_TEXT(fixture_param(&run.tags, "slipway.trials"),
                arena_format(fixture.arena, "%zu", trials.count));
    EXPECT(trials.count > 2);
    EXPECT(count_tagged(&trials, "slipway.trial", "finished") == trials.count);
    EXPECT(count_tagged(&trials, "slipway.chosen", "true") == 1);
    EXPECT(count_tagged(&trials, "slipway.baseline", "true") == 1);
    for (size_t i = 0; i < trials.count; i++) {
        const Run *trial = &trials.items[i];

        EXPECT(trial->status == RUN_FINISHED && trial->experiment_id == run.experiment_id);
        EXPECT(run.started_at <= trial->started_at && trial->started_at <= trial->ended_at);
        EXPECT(trial->ended_at <= run.ended_at);
        EXPECT(fixture_metric(trial, "f1") >= 0 && fixture_metric(trial, "folds") == 5);
    }
    EXPECT_OK(run_list(&fixture.scope, &(RunFilter){0}, &all, &total), fixture.scope.error);
    EXPECT(total == 1 && strcmp(all.items[0].id, run.id) == 0);
    EXPECT(fixture_count_events(&fixture, "run.created") == 1);
    fixture_close(&fixture);
}

static void test_e3_a_rerun_gives_the_same_metric_and_the_same_package_and_no_version(void)
{
    Fixture fixture = fixture_open();
    ModelVersionList versions = {0};
    Run first, again;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 7));
    fixture_put(&fixture, fixture_file);
    first = fixture_train(&fixture);
    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 400, 7));
    EXPECT_OK(training_start_again(&fixture.scope, fixture.trainer, first.id, &again),
              fixture.scope.error);
    again = fixture_wait(&fixture, again.id);
    EXPECT(again.status == RUN_FINISHED);
    EXPECT_TEXT(fixture_param(&again.tags, "slipway.rerun_of"), first.id);
    EXPECT_TEXT(fixture_param(&again.tags, "slipway.rerun_equal"), "true");
    EXPECT_TEXT(fixture_param(&again.tags, "slipway.package"),
                fixture_param(&first.tags, "slipway.package"));
    EXPECT_OK(model_version_list(&fixture.scope, "spam", NULL, &versions), fixture.scope.error);
    EXPECT(versions.count == 1);
    fixture_close(&fixture);
}

/* A CSV of rows that take turns; # is the row's number. */
static const char *rows_like(Arena *arena, const char *even, const char *odd, size_t count)
{
    TextBuilder csv = {.arena = arena};

    text_append(&csv, "CONTENT,REMOVED,CLASS\n");
    for (size_t i = 0; i < count; i++) {
        for (const char *at = i % 2 ? odd : even; *at; at++) {
            if (*at == '#')
                text_append_format(&csv, "%zu", i);
            else
                text_append_bytes(&csv, at, 1);
        }
        text_append(&csv, "\n");
    }
    return text_built(&csv);
}

static void test_a_training_that_cannot_work_fails_with_the_reason_of_the_step(void)
{
    static const struct {
        const char *even, *odd; /* # is the row's number */
        size_t count;
        const char *failure;
    } rows[] = {
        {"a#,0,0", "b#,0,0", 40,
         "the target \"CLASS\" is \"0\" in every row to learn from: there is nothing to learn"},
        {"a#,0,0", "b#,0,1", 3,
         "training needs two classes with two rows each at least: 0 classes have them"},
        {"a,#,0", "a,#,1", 40, "all 40 rows have the same features: nothing tells them apart"},
        {",#,0", ",#,1", 40, "all 40 rows have the same features"},
        {"a#,0,", "b#,0,", 40, "no row has a value of the target"},
        {"a#,0,x#", "b#,0,y#", 40, "there is nothing to hold out: none of the 40 values"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        Fixture fixture = fixture_open();
        TrainingSpec spec = training_spec_default();
        Run run;

        fixture_add_data(&fixture,
                         rows_like(fixture.arena, rows[i].even, rows[i].odd, rows[i].count));
        fixture_put(&fixture, fixture_file);
        spec.project = "spam";
        EXPECT_OK(training_start(&fixture.scope, fixture.trainer, &spec, &run),
                  fixture.scope.error);
        run = fixture_wait(&fixture, run.id);
        EXPECT(run.status == RUN_FAILED);
        if (!text_has_prefix(run.failure, rows[i].failure))
            fprintf(stderr, "%s\n", run.failure);
        EXPECT(text_has_prefix(run.failure, rows[i].failure));
        fixture_close(&fixture);
    }
}

static void test_what_cannot_be_trained_makes_no_run(void)
{
    static const struct {
        TrainingSpec spec;
        const char *message;
    } rows[] = {
        {{.project = "ham"}, "project \"ham\" does not exist"},
        {{.project = "spam", .metric = "F1"},
         "\"F1\" is not a metric; those of classification are accuracy, balanced_accuracy, f1, "
         "f1_macro, f1_micro, f1_weighted, precision, recall, precision_macro, recall_macro, mcc, "
         "auc, average_precision, log_loss, brier, calibration_error"},
        {{.project = "spam", .task = "ranking"},
         "a task is \"classification\", \"regression\" or \"forecast\", not \"ranking\""},
        {{.project = "spam", .task = "regression"},
         "release.gate.metric of slipway.yaml: \"f1\" is a metric of classification, not of "
         "regression, whose are rmse, mae, r2, mape, median_absolute_error, explained_variance, "
         "max_error"},
        {{.project = "spam", .task = "regression", .metric = "rmse", .balance = true},
         "classes are balanced, and the target \"CLASS\" is learnt as numbers"},
        {{.project = "spam", .threshold_for = "recall"},
         "a threshold can be chosen for accuracy, balanced_accuracy, f1, f1_macro, f1_weighted, "
         "mcc, not for \"recall\""},
        {{.project = "spam", .task = "regression", .metric = "rmse", .threshold_for = "f1"},
         "a threshold parts two classes, and the target \"CLASS\" is learnt as numbers"},
        {{.project = "spam", .budget_seconds = -1}, "a budget is 0 to 604800 seconds"},
        {{.project = "spam", .trials = 65}, "a search has 1 to 64 trials"},
        {{.project = "spam", .threads = 65}, "a search has 1 to 64 threads"},
        {{.project = "spam", .data = "comments@x"},
         "\"comments@x\" names no version, as comments@3 does"},
        {{.project = "spam", .data = "words"}, "project \"spam\" has no data set \"words\""},
    };
    Fixture fixture = fixture_open();
    int64_t count;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 20, 0));
    fixture_put(&fixture, fixture_file);
    for (size_t i = 0; i < COUNT(rows); i++) {
        Run run;

        EXPECT(!training_start(&fixture.scope, fixture.trainer, &rows[i].spec, &run));
        EXPECT_TEXT(fixture.scope.error.message, rows[i].message);
    }
    EXPECT_OK(
        db_get_int(fixture.scope.db, &fixture.scope.error, &count, "SELECT count(*) FROM runs"),
        fixture.scope.error);
    EXPECT(count == 0);
    fixture_close(&fixture);
}

static void test_f14_rows_that_were_learnt_from_judge_only_when_that_is_wanted_and_said(void)
{
    Fixture fixture = fixture_open();
    EvaluationSpec spec = {.project = "spam", .data = "comments@1"};
    Evaluation evaluation;

    fixture_add_data(&fixture, made_up_comments(fixture.arena, 0, 300, 0));
    fixture_put(&fixture, fixture_file);
    fixture_train(&fixture);
    EXPECT(!evaluation_run(&fixture.scope, &spec, &evaluation));
    EXPECT(fixture.scope.error.kind == ERROR_CONFLICT);
    EXPECT(text_has_prefix(fixture.scope.error.message,
                           "240 of 300 rows are training data of this model"));
    spec.allow_training_rows = true;
    EXPECT_OK(evaluation_run(&fixture.scope, &spec, &evaluation), fixture.scope.error);
    EXPECT_TEXT(json_as_text(json_member(evaluation.result, "judged_on"), ""), "training data");
    EXPECT(json_as_int(json_member(evaluation.result, "training_rows"), 0) == 240);
    spec = (EvaluationSpec){.project = "spam"};
    EXPECT_OK(evaluation_run(&fixture.scope, &spec, &evaluation), fixture.scope.error);
    EXPECT_TEXT(json_as_text(json_member(evaluation.result, "judged_on"), ""), "unseen data");
    EXPECT(json_as_int(json_member(evaluation.result, "rows"), 0) == 60);
    fixture_close(&fixture);
}

static void test_f14_learnt_rows_are_known_again_in_a_version_with_other_features(void)
{
    Fixture fixture = fixture_open();
    const char *csv = made_up_comments(fixture.arena, 0, 300, 0);
    EvaluationSpec spec = {.project = "spam", .data = "comments@2"};
    Evaluation evaluation;

    fixture_add_data(&fixture, csv);
    fixture_put(&fixture, fixture_file);
    fixture_train(&fixture);
    fixture_add_columns(&fixture, csv, "{\"CONTENT\":\"text\"}"); /* REMOVED is a feature now */
    EXPECT(!evaluation_run(&fixture.scope, &spec, &evaluation));
    EXPECT(text_has_prefix(fixture.scope.error.message,
                           "240 of 300 rows are training data of this model"));
    fixture_close(&fixture);
}

static void test_f14_rows_without_a_column_that_tells_learnt_rows_apart_are_refused(void)
{
    Fixture fixture = fixture_open();
    const char *csv = made_up_comments(fixture.arena, 0, 300, 0);
    EvaluationSpec spec = {.project = "spam", .data = "comments@2", .allow_training_rows = true};
    Evaluation evaluation;

    fixture_add_columns(&fixture, csv, "{\"CONTENT\":\"text\"}");
    fixture_put(&fixture, fixture_file);
    fixture_train(&fixture);
    fixture_add_columns(&fixture, "CONTENT,CLASS\nlove the song,0\nclick to win,1\n",
                        "{\"CONTENT\":\"text\"}");
    EXPECT(!evaluation_run(&fixture.scope, &spec, &evaluation));
    EXPECT_TEXT(fixture.scope.error.message,
                "it cannot be told which rows the model has learnt from: the rows that are "
                "compared are told apart by column \"REMOVED\", which these rows do not have");
    fixture_close(&fixture);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_a_training_ends_in_a_version_with_its_lineage),
        TEST(test_f14_a_column_known_after_the_outcome_is_not_learnt_from_and_that_is_said),
        TEST(test_the_leaderboard_of_a_run_has_the_majority_baseline_first),
        TEST(test_each_trial_is_a_run_below_the_one_of_the_training),
        TEST(test_e3_a_rerun_gives_the_same_metric_and_the_same_package_and_no_version),
        TEST(test_a_training_that_cannot_work_fails_with_the_reason_of_the_step),
        TEST(test_what_cannot_be_trained_makes_no_run),
        TEST(test_f14_rows_that_were_learnt_from_judge_only_when_that_is_wanted_and_said),
        TEST(test_f14_learnt_rows_are_known_again_in_a_version_with_other_features),
        TEST(test_f14_rows_without_a_column_that_tells_learnt_rows_apart_are_refused),
        {0},
    };

    return fixture_main(tests, count, arguments);
}
