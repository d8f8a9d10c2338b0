#include "tracking/run.h"

#include "access/event.h"
#include "base/time.h"
#include "tests/unit/tracking/store_fixture.h"

static bool log_metrics(Scope *scope, const char *id, const Metric *metrics, size_t count)
{
    return run_log_batch(scope, id, &(RunBatch){.metrics = {(Metric *)metrics, count}});
}

static bool log_param(Scope *scope, const char *id, const char *key, const char *value)
{
    return run_log_batch(scope, id, &(RunBatch){.params = {(Param[]){{key, value}}, 1}});
}

static bool set_tag(Scope *scope, const char *id, const char *key, const char *value)
{
    return run_log_batch(scope, id, &(RunBatch){.tags = {(Param[]){{key, value}}, 1}});
}

static Run started(Scope *scope)
{
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){0}, &run), scope->error);
    return run;
}

static Run reread(Scope *scope, const Run *run)
{
    Run found;

    EXPECT_OK(run_find(scope, run->id, &found), scope->error);
    return found;
}

static double latest(Scope *scope, const Run *run)
{
    Run found = reread(scope, run);

    EXPECT(found.metrics.count == 1);
    return found.metrics.items[0].value;
}

static void test_a_new_run_has_an_id_a_name_a_user_and_runs(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = started(&fixture.scope);

    EXPECT(strlen(run.id) == 32 && strspn(run.id, "0123456789abcdef") == 32);
    EXPECT(text_split(run.name, '-', fixture.scope.arena).count == 3);
    EXPECT_TEXT(run.user, "ada");
    EXPECT(run.status == RUN_RUNNING && run.experiment_id == 0 && run.started_at && !run.ended_at);
}

static void test_ten_lines_of_a_script_log_all_kinds(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    Metric points[1001];
    MetricList history = {0};
    Artifact plot;
    Tree tree = {0};

    for (int i = 0; i < 1001; i++)
        points[i] = (Metric){"loss", 1.0 / (i + 1), 1000 + i, i};
    EXPECT_OK(log_param(scope, run.id, "C", "1.0"), scope->error);
    EXPECT_OK(set_tag(scope, run.id, "note", "first try"), scope->error);
    EXPECT_OK(log_metrics(scope, run.id, points, 1000), scope->error);
    EXPECT_OK(log_metrics(scope, run.id, points + 1000, 1), scope->error);
    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.93, 5, 0}, 1), scope->error);
    EXPECT_OK(artifact_add_bytes(scope->platform->artifacts, "png", 3, &plot, &scope->error),
              scope->error);
    EXPECT_OK(run_log_artifact(scope, run.id, "plots/roc.png", &plot), scope->error);
    EXPECT_OK(run_finish(scope, run.id, RUN_FINISHED, NULL), scope->error);

    run = reread(&fixture.reader, &run);
    EXPECT_TEXT(param_find(&run.params, "C"), "1.0");
    EXPECT_TEXT(param_find(&run.tags, "note"), "first try");
    EXPECT(run.metrics.count == 2 && run.status == RUN_FINISHED && run.ended_at);
    EXPECT_TEXT(run.metrics.items[1].key, "loss");
    EXPECT(run.metrics.items[1].step == 1000 && run.metrics.items[1].value == 1.0 / 1001);
    EXPECT_OK(run_metric_history(&fixture.reader, run.id, &(MetricFilter){"loss", 0, 0}, &history),
              fixture.reader.error);
    EXPECT(history.count == 1001 && history.items[500].value == 1.0 / 501);
    EXPECT_OK(run_artifacts(&fixture.reader, run.id, &tree), fixture.reader.error);
    EXPECT(tree.count == 1 && tree.items[0].size == 3);
    EXPECT_TEXT(tree.items[0].digest, plot.digest);
}

static void test_a_param_never_changes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);

    EXPECT_OK(log_param(scope, run.id, "C", "1.0"), scope->error);
    EXPECT_OK(log_param(scope, run.id, "C", "1.0"), scope->error);
    EXPECT(!log_param(scope, run.id, "C", "2.0"));
    EXPECT(scope->error.kind == ERROR_CONFLICT);
    EXPECT_TEXT(scope->error.message,
                arena_format(scope->arena,
                             "param \"C\" of run \"%s\" is \"1.0\" and never changes, so it cannot "
                             "become \"2.0\"",
                             run.id));
    run = reread(scope, &run);
    EXPECT_TEXT(param_find(&run.params, "C"), "1.0");
}

typedef struct BatchCall {
    const char *id;
    RunBatch batch;
} BatchCall;

static bool log_call(Scope *scope, void *context)
{
    BatchCall *call = context;

    return run_log_batch(scope, call->id, &call->batch);
}

static void test_a_batch_that_fails_changes_nothing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = started(&fixture.scope);
    BatchCall call = {.id = run.id,
                      .batch = {.params = {(Param[]){{"depth", "3"}, {"C", "2.0"}}, 2},
                                .tags = {(Param[]){{"note", "x"}}, 1}}};

    EXPECT_OK(log_param(&fixture.scope, run.id, "C", "1.0"), fixture.scope.error);
    EXPECT(!scope_write(&fixture.reader, log_call, &call));
    run = reread(&fixture.reader, &run);
    EXPECT(run.params.count == 1 && run.tags.count == 0);
}

static void test_a_tag_is_overwritten_and_the_last_one_of_a_batch_wins(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    RunBatch batch = {.tags = {(Param[]){{"note", "b"}, {"note", "c"}}, 2}};

    EXPECT_OK(set_tag(scope, run.id, "note", "a"), scope->error);
    EXPECT_OK(run_log_batch(scope, run.id, &batch), scope->error);
    run = reread(scope, &run);
    EXPECT_TEXT(param_find(&run.tags, "note"), "c");
    EXPECT_OK(run_delete_tag(scope, run.id, "note"), scope->error);
    EXPECT(!run_delete_tag(scope, run.id, "note") && scope->error.kind == ERROR_NOT_FOUND);
}

static void test_a_point_logged_twice_is_one_point(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    const Metric points[] = {{"f1", 0.5, 10, 1}, {"f1", 0.5, 10, 1}, {"f1", 0.6, 10, 1}};
    MetricList history = {0};

    EXPECT_OK(log_metrics(scope, run.id, points, 3), scope->error);
    EXPECT_OK(log_metrics(scope, run.id, points, 3), scope->error);
    EXPECT_OK(run_metric_history(scope, run.id, &(MetricFilter){"f1", 0, 0}, &history),
              scope->error);
    EXPECT(history.count == 2);
}

static void test_the_latest_is_the_greatest_by_step_then_time_then_value(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);

    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.9, 50, 1}, 1), scope->error);
    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.1, 10, 2}, 1), scope->error);
    EXPECT(latest(scope, &run) == 0.1);
    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.8, 99, 1}, 1), scope->error);
    EXPECT(latest(scope, &run) == 0.1);
    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.05, 11, 2}, 1), scope->error);
    EXPECT(latest(scope, &run) == 0.05);
    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.07, 11, 2}, 1), scope->error);
    EXPECT(latest(scope, &run) == 0.07);
    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 0.06, 11, 2}, 1), scope->error);
    EXPECT(latest(scope, &run) == 0.07);
}

static void test_within_a_batch_the_order_does_not_matter(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = started(&fixture.scope);
    const Metric points[] = {{"f1", 0.3, 1, 9}, {"f1", 0.1, 1, -4}, {"f1", 0.2, 2, 3}};

    EXPECT_OK(log_metrics(&fixture.scope, run.id, points, 3), fixture.scope.error);
    EXPECT(latest(&fixture.scope, &run) == 0.3);
}

static void test_nan_and_infinities_are_kept(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    const Metric points[] = {{"a", NAN, 1, 0}, {"b", INFINITY, 1, 0}, {"c", -INFINITY, 1, 0}};

    EXPECT_OK(log_metrics(scope, run.id, points, 3), scope->error);
    run = reread(scope, &run);
    EXPECT(run.metrics.count == 3 && isnan(run.metrics.items[0].value));
    EXPECT(run.metrics.items[1].value == 1.7976931348623157e308);
    EXPECT(run.metrics.items[2].value == -1.7976931348623157e308);
}

static void test_a_history_comes_in_pages_by_time(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    const Metric points[] = {{"f1", 1, 30, 0}, {"f1", 2, 10, 5}, {"f1", 3, 20, 1}};
    MetricList page = {0};

    EXPECT_OK(log_metrics(scope, run.id, points, 3), scope->error);
    EXPECT_OK(run_metric_history(scope, run.id, &(MetricFilter){"f1", 2, 0}, &page), scope->error);
    EXPECT(page.count == 2 && page.items[0].value == 2 && page.items[1].value == 3);
    EXPECT_OK(run_metric_history(scope, run.id, &(MetricFilter){"f1", 2, 2}, &page), scope->error);
    EXPECT(page.count == 1 && page.items[0].value == 1);
    EXPECT_OK(run_metric_history(scope, run.id, &(MetricFilter){"other", 0, 0}, &page),
              scope->error);
    EXPECT(page.count == 0);
}

static void test_a_deleted_run_is_read_but_not_written_until_restored(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);

    EXPECT_OK(run_delete(scope, run.id), scope->error);
    EXPECT_OK(run_delete(scope, run.id), scope->error);
    EXPECT(reread(scope, &run).is_deleted);
    EXPECT(!log_param(scope, run.id, "C", "1") && scope->error.kind == ERROR_CONFLICT);
    EXPECT_TEXT(
        scope->error.message,
        arena_format(scope->arena, "run \"%s\" is deleted; restore it to change it", run.id));
    EXPECT(!run_finish(scope, run.id, RUN_FINISHED, NULL));
    EXPECT(!run_delete_tag(scope, run.id, "note") && scope->error.kind == ERROR_CONFLICT);
    EXPECT_OK(run_restore(scope, run.id), scope->error);
    EXPECT_OK(log_param(scope, run.id, "C", "1"), scope->error);
}

static void test_a_failure_is_kept_and_not_talked_away(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);

    EXPECT_OK(run_finish(scope, run.id, RUN_FAILED, "killed by signal 9"), scope->error);
    EXPECT_OK(run_finish(scope, run.id, RUN_FAILED, "again"), scope->error);
    EXPECT(!run_finish(scope, run.id, RUN_FINISHED, NULL) && scope->error.kind == ERROR_CONFLICT);
    run = reread(scope, &run);
    EXPECT(run.status == RUN_FAILED);
    EXPECT_TEXT(run.failure, "killed by signal 9");
    EXPECT_FAILS(run_finish(scope, run.id, RUN_RUNNING, NULL), scope, ERROR_FIELD,
                 "a run ends as \"FINISHED\", \"FAILED\" or \"KILLED\"");
}

static void test_the_name_and_its_tag_are_one_thing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    RunSpec spec = {.tags = {(Param[]){{"mlflow.runName", "tuned"}, {"note", "x"}}, 2}};
    Run run;

    EXPECT_OK(run_create(scope, &spec, &run), scope->error);
    EXPECT_TEXT(run.name, "tuned");
    EXPECT(run.tags.count == 1);
    EXPECT_OK(set_tag(scope, run.id, "mlflow.runName", "final"), scope->error);
    EXPECT_TEXT(reread(scope, &run).name, "final");
    spec.name = "other";
    EXPECT_FAILS(run_create(scope, &spec, &run), scope, ERROR_FIELD,
                 "the run's name and its tag \"mlflow.runName\" differ");
}

static void test_keys_and_values_over_a_limit_are_refused_in_one_sentence(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    char long_key[252] = {0}, long_value[8002] = {0};

    memset(long_key, 'k', 251);
    memset(long_value, 'v', 8001);
    EXPECT_FAILS(log_param(scope, run.id, long_key, "1"), scope, ERROR_FIELD,
                 "a param key has 1 to 250 characters");
    EXPECT_FAILS(
        log_param(scope, run.id, "a?b", "1"), scope, ERROR_FIELD,
        "a param key has letters, digits, \"_\", \"-\", \".\", \" \", \":\" and \"/\" only");
    EXPECT_FAILS(set_tag(scope, run.id, "../x", "1"), scope, ERROR_FIELD,
                 "a tag key with \"/\" is a plain relative path, without \".\" and \"..\" parts");
    EXPECT_FAILS(log_param(scope, run.id, "k", long_value), scope, ERROR_FIELD,
                 "the value of a param has at most 6000 characters");
    EXPECT_FAILS(set_tag(scope, run.id, "k", long_value), scope, ERROR_FIELD,
                 "the value of a tag has at most 8000 characters");
    EXPECT_FAILS(log_metrics(scope, run.id, &(Metric){"f1", 1, -1, 0}, 1), scope, ERROR_FIELD,
                 "the timestamp of a metric is not before 1970");
    EXPECT_OK(log_param(scope, run.id, "größe/数 1.a:b-c_d", ""), scope->error);
    EXPECT_OK(log_param(scope, run.id, long_key + 1, long_value + 2001), scope->error);
}

static void test_a_batch_has_limits(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    static Metric metrics[1001];
    RunBatch batch = {.metrics = {metrics, 1001}};

    for (int i = 0; i < 1001; i++)
        metrics[i] = (Metric){"loss", i, 1, i};
    EXPECT_FAILS(run_log_batch(scope, run.id, &batch), scope, ERROR_INVALID,
                 "a batch has at most 1000 metrics, 100 params and 100 tags, and 1000 in all");
    batch = (RunBatch){.metrics = {metrics, 1000}, .params = {(Param[]){{"C", "1"}}, 1}};
    EXPECT(!run_log_batch(scope, run.id, &batch));
    batch = (RunBatch){.params = {(Param[]){{"C", "1"}, {"C", "1"}}, 2}};
    EXPECT_FAILS(run_log_batch(scope, run.id, &batch), scope, ERROR_FIELD,
                 "param \"C\" is given twice");
    EXPECT_OK(run_log_batch(scope, run.id, &(RunBatch){0}), scope->error);
}

/* Three runs of experiment 0 named a, b, c; f1 of a is 0.2, of b NaN, c has none. */
static void make_three(Scope *scope, Run runs[3])
{
    static const char *const names[] = {"a", "b", "c"};

    for (int i = 0; i < 3; i++)
        EXPECT_OK(run_create(scope, &(RunSpec){.name = names[i], .started_at = 1000 + i}, &runs[i]),
                  scope->error);
    EXPECT_OK(log_metrics(scope, runs[0].id, &(Metric){"f1", 0.2, 1, 0}, 1), scope->error);
    EXPECT_OK(log_metrics(scope, runs[1].id, &(Metric){"f1", NAN, 1, 0}, 1), scope->error);
}

static const char *listed(Scope *scope, const RunFilter *filter)
{
    TextBuilder names = {.arena = scope->arena};
    RunList list = {0};
    int64_t total = 0;

    EXPECT_OK(run_list(scope, filter, &list, &total), scope->error);
    for (size_t i = 0; i < list.count; i++)
        text_append(&names, list.items[i].name);
    text_append_format(&names, " of %lld", (long long)total);
    return text_built(&names);
}

static void test_runs_are_listed_newest_first_filtered_and_in_pages(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run runs[3];

    make_three(scope, runs);
    EXPECT_TEXT(listed(scope, &(RunFilter){0}), "cba of 3");
    EXPECT_TEXT(listed(scope, &(RunFilter){.limit = 1, .offset = 1}), "b of 3");
    EXPECT_TEXT(listed(scope, &(RunFilter){.name_part = "B"}), "b of 1");
    EXPECT_TEXT(listed(scope, &(RunFilter){.name_part = "%"}), " of 0");
    EXPECT_OK(run_finish(scope, runs[0].id, RUN_KILLED, NULL), scope->error);
    EXPECT_TEXT(listed(scope, &(RunFilter){.status = "KILLED"}), "a of 1");
    EXPECT_OK(run_delete(scope, runs[1].id), scope->error);
    EXPECT_TEXT(listed(scope, &(RunFilter){0}), "ca of 2");
    EXPECT_TEXT(listed(scope, &(RunFilter){.life = RUN_LIFE_DELETED}), "b of 1");
    EXPECT_TEXT(
        listed(scope, &(RunFilter){.experiment_ids = (int64_t[]){7, 0}, .experiment_count = 2}),
        "ca of 2");
    EXPECT_TEXT(
        listed(scope, &(RunFilter){.experiment_ids = (int64_t[]){7}, .experiment_count = 1}),
        " of 0");
}

static void test_runs_without_the_metric_come_last_in_both_directions(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run runs[3], more;
    RunFilter filter = {.order_by = "metrics.f1 desc"};

    make_three(scope, runs);
    EXPECT_OK(run_create(scope, &(RunSpec){.name = "d", .started_at = 1}, &more), scope->error);
    EXPECT_OK(log_metrics(scope, more.id, &(Metric){"f1", 0.9, 1, 0}, 1), scope->error);
    EXPECT_TEXT(listed(scope, &filter), "dabc of 4");
    filter.order_by = "metrics.f1";
    EXPECT_TEXT(listed(scope, &filter), "adbc of 4");
    EXPECT_OK(log_param(scope, runs[2].id, "C", "1"), scope->error);
    filter.order_by = "params.C asc";
    EXPECT_TEXT(listed(scope, &filter), "cbad of 4");
    filter.order_by = "name desc";
    EXPECT_TEXT(listed(scope, &filter), "dcba of 4");
    filter.order_by = "1; DROP TABLE runs";
    EXPECT(!run_list(scope, &filter, &(RunList){0}, NULL) && scope->error.kind == ERROR_FIELD);
}

static void test_details_of_many_runs_stay_with_their_runs(void)
{
    enum { RUNS = 1203 };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    RunList list = {0};

    EXPECT(db_run(scope->db, &scope->error, "BEGIN"));
    for (int i = 0; i < RUNS; i++) {
        char value[16];
        Run run;

        snprintf(value, sizeof(value), "%d", i);
        EXPECT_OK(
            run_create(scope, &(RunSpec){.name = value, .started_at = 1 + i * 7919 % RUNS}, &run),
            scope->error);
        EXPECT_OK(log_param(scope, run.id, "i", value), scope->error);
        EXPECT_OK(log_metrics(scope, run.id, &(Metric){"i", i, 1, 0}, 1), scope->error);
    }
    EXPECT(db_run(scope->db, &scope->error, "COMMIT"));
    EXPECT_OK(run_list(scope, &(RunFilter){.limit = RUNS}, &list, NULL), scope->error);
    EXPECT(list.count == RUNS);
    for (size_t i = 0; i < list.count; i++) {
        EXPECT_TEXT(param_find(&list.items[i].params, "i"), list.items[i].name);
        EXPECT(list.items[i].metrics.items[0].value == atof(list.items[i].name));
    }
}

static void test_an_artifact_needs_its_blob_and_a_plain_path(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    Artifact artifact = {.size = 1};
    TreeEntry entry;

    memset(artifact.digest, 'a', 64);
    EXPECT(!run_log_artifact(scope, run.id, "x", &artifact));
    EXPECT(scope->error.kind == ERROR_NOT_FOUND);
    EXPECT(!run_log_artifact(scope, run.id, "../x", &artifact));
    EXPECT(scope->error.kind == ERROR_FIELD);
    EXPECT(!run_find_artifact(scope, run.id, "x", &entry));
    EXPECT(scope->error.kind == ERROR_NOT_FOUND);
}

static void test_the_changes_of_a_run_are_in_the_audit_trail_but_not_its_points(void)
{
    static const char *const actions[] = {"run.created", "run.finished", "run.deleted",
                                          "run.restored"};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope);
    EventList events = {0};
    EventMark last = {0};

    EXPECT_OK(log_metrics(scope, run.id, &(Metric){"f1", 1, 1, 0}, 1), scope->error);
    EXPECT_OK(run_finish(scope, run.id, RUN_FINISHED, NULL), scope->error);
    EXPECT_OK(run_delete(scope, run.id), scope->error);
    EXPECT_OK(run_restore(scope, run.id), scope->error);
    EXPECT_OK(event_list(scope, &(EventFilter){.object = run.id}, &events), scope->error);
    EXPECT(events.count == 4);
    for (size_t i = 0; i < 4; i++)
        EXPECT_TEXT(events.items[i].action, actions[i]);
    EXPECT_OK(event_verify(scope, NULL, &last), scope->error);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_new_run_has_an_id_a_name_a_user_and_runs),
        TEST(test_ten_lines_of_a_script_log_all_kinds),
        TEST(test_a_param_never_changes),
        TEST(test_a_batch_that_fails_changes_nothing),
        TEST(test_a_tag_is_overwritten_and_the_last_one_of_a_batch_wins),
        TEST(test_a_point_logged_twice_is_one_point),
        TEST(test_the_latest_is_the_greatest_by_step_then_time_then_value),
        TEST(test_within_a_batch_the_order_does_not_matter),
        TEST(test_nan_and_infinities_are_kept),
        TEST(test_a_history_comes_in_pages_by_time),
        TEST(test_a_deleted_run_is_read_but_not_written_until_restored),
        TEST(test_a_failure_is_kept_and_not_talked_away),
        TEST(test_the_name_and_its_tag_are_one_thing),
        TEST(test_keys_and_values_over_a_limit_are_refused_in_one_sentence),
        TEST(test_a_batch_has_limits),
        TEST(test_runs_are_listed_newest_first_filtered_and_in_pages),
        TEST(test_runs_without_the_metric_come_last_in_both_directions),
        TEST(test_details_of_many_runs_stay_with_their_runs),
        TEST(test_an_artifact_needs_its_blob_and_a_plain_path),
        TEST(test_the_changes_of_a_run_are_in_the_audit_trail_but_not_its_points),
        {0},
    };
    return test_main(tests, count, names);
}
