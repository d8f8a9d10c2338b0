/* test_purge.c: deleted means deleted, and what somebody needs stays. */

#include "pipelines/purge.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "access/event.h"
#include "base/time.h"
#include "registry/model.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/artifact_place.h"
#include "tracking/artifact_upload.h"
#include "tracking/experiment.h"
#include "tracking/logged_model.h"
#include "tracking/moving.h"
#include "tracking/purge.h"
#include "tracking/run.h"
#include "tracking/trace.h"

/* ---- what is there ---- */

static Run start_run(Fixture *fixture, int64_t experiment_id)
{
    Scope *scope = &fixture->scope;
    RunSpec spec = {.experiment_id = experiment_id};
    Run run;

    EXPECT_OK(run_create(scope, &spec, &run), scope->error);
    return run;
}

static Artifact add_blob(Fixture *fixture, const char *text)
{
    Scope *scope = &fixture->scope;
    Artifact artifact;

    EXPECT_OK(artifact_add_bytes(fixture->platform->artifacts, text, strlen(text), &artifact,
                                 &scope->error),
              scope->error);
    return artifact;
}

static Artifact log_file(Fixture *fixture, const Run *run, const char *path, const char *text)
{
    Scope *scope = &fixture->scope;
    Artifact artifact = add_blob(fixture, text);

    EXPECT_OK(run_log_artifact(scope, run->id, path, &artifact), scope->error);
    return artifact;
}

static void delete_run(Fixture *fixture, const Run *run)
{
    EXPECT_OK(run_delete(&fixture->scope, run->id), fixture->scope.error);
}

/* As if everything in the store had been put there two hours ago. */
static void age_blobs(Fixture *fixture)
{
    Arena *arena = fixture->scope.arena;
    const char *folder = arena_format(arena, "%s/artifacts", fixture->folder);
    struct timespec times[2] = {{.tv_sec = time_now_ms() / 1000 - 7200},
                                {.tv_sec = time_now_ms() / 1000 - 7200}};
    TextList paths;

    EXPECT_OK(folder_walk(folder, arena, &paths, &fixture->scope.error), fixture->scope.error);
    for (size_t i = 0; i < paths.count; i++)
        EXPECT(utimensat(AT_FDCWD, arena_format(arena, "%s/%s", folder, paths.items[i]), times,
                         0) == 0);
}

static PurgeReport purge_older(Fixture *fixture, int64_t days, bool is_rehearsal)
{
    PurgeSpec spec = {.older_than_days = days, .is_rehearsal = is_rehearsal};
    PurgeReport report;

    age_blobs(fixture);
    EXPECT_OK(purge_run(&fixture->reader, &spec, &report), fixture->reader.error);
    return report;
}

static PurgeReport purge(Fixture *fixture)
{
    return purge_older(fixture, 0, false);
}

static bool run_exists(Fixture *fixture, const Run *run)
{
    bool is = run_find(&fixture->reader, run->id, &(Run){0});

    fixture->reader.error = (Error){0};
    return is;
}

static bool blob_exists(Fixture *fixture, const Artifact *artifact)
{
    return artifact_exists(fixture->platform->artifacts, artifact->digest);
}

static int64_t count(Fixture *fixture, const char *sql, int64_t value)
{
    int64_t counted = -1;

    EXPECT_OK(db_get_int(fixture->db, &fixture->scope.error, &counted, sql, db_int(value)),
              fixture->scope.error);
    return counted;
}

/* ---- runs ---- */

static void test_a_deleted_run_can_be_restored_until_it_is_purged(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0), other = start_run(&fixture, 0);
    Artifact own = log_file(&fixture, &run, "own", "own"),
             shared = log_file(&fixture, &run, "shared", "shared");
    PurgeReport report;

    log_file(&fixture, &other, "shared", "shared");
    delete_run(&fixture, &run);
    report = purge_older(&fixture, 1, false);
    EXPECT(report.runs.count == 0 && purge_report_is_empty(&report));
    EXPECT_OK(run_restore(&fixture.scope, run.id), fixture.scope.error);
    EXPECT(purge(&fixture).runs.count == 0 && run_exists(&fixture, &run));
    delete_run(&fixture, &run);
    report = purge(&fixture);
    EXPECT(report.runs.count == 1 && report.runs.bytes == 9);
    EXPECT(report.blobs.removed.count == 1 && report.blobs.removed.bytes == 3);
    EXPECT(!run_exists(&fixture, &run) && run_exists(&fixture, &other));
    EXPECT(!blob_exists(&fixture, &own) && blob_exists(&fixture, &shared));
    EXPECT_FAILS(run_restore(&fixture.scope, run.id), &fixture.scope, ERROR_NOT_FOUND,
                 arena_format(fixture.scope.arena, "run \"%s\" does not exist", run.id));
}

static void test_a_rehearsal_says_what_the_purge_does_then_and_changes_nothing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);
    Artifact own = log_file(&fixture, &run, "own", "own");
    int64_t events = count(&fixture, "SELECT count(*) + $1 FROM events", 0);
    PurgeReport rehearsed, done;

    delete_run(&fixture, &run);
    rehearsed = purge_older(&fixture, 0, true);
    EXPECT(run_exists(&fixture, &run) && blob_exists(&fixture, &own));
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM events", 0) == events + 1);
    done = purge(&fixture);
    EXPECT(done.runs.count == 1 && rehearsed.runs.count == 1 && rehearsed.runs.bytes == 3);
    EXPECT(memcmp(&rehearsed.blobs, &done.blobs, sizeof(done.blobs)) == 0);
    EXPECT(done.blobs.removed.count == 1);
}

static void test_one_event_tells_what_went_and_none_that_nothing_did(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);
    EventList list;

    purge(&fixture);
    delete_run(&fixture, &run);
    purge(&fixture);
    purge(&fixture);
    EXPECT_OK(event_list(&fixture.reader, &(EventFilter){.action = "store."}, &list),
              fixture.reader.error);
    EXPECT(list.count == 1);
    EXPECT_TEXT(list.items[0].action, "store.purged");
    EXPECT_TEXT(list.items[0].principal, "ada");
    EXPECT(strstr(list.items[0].detail, "\"runs\":{\"count\":1,\"bytes\":0}"));
}

/* ---- tables ---- */

static bool is_listed(const PurgeTable *tables, const char *name)
{
    for (; tables->table; tables++)
        if (strcmp(tables->table, name) == 0)
            return true;
    return false;
}

/* Whoever adds such a table adds it to the list. */
static void expect_all_listed(Fixture *fixture, const char *column, const PurgeTable *tables)
{
    static const char sql[] = "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c"
                              " WHERE t.type = 'table' AND c.name = $1";
    CLEANUP(query_finalize) Query query = db_query(fixture->db, sql, db_text(column));
    size_t found = 0, listed = 0;

    for (; query_next(&query); found++) {
        const char *name = query_text(&query, 0, fixture->scope.arena);

        if (!is_listed(tables, name))
            fprintf(stderr, "%s has a %s and is not purged\n", name, column);
        EXPECT(is_listed(tables, name));
    }
    while (tables[listed].table)
        listed++;
    EXPECT_OK(query_end(&query, &fixture->scope.error), fixture->scope.error);
    EXPECT(found == listed && found > 2);
}

/* What a table with the column is to a purge is written down here, one by one. */
static void expect_known(Fixture *fixture, const char *column, const char *const *known)
{
    static const char sql[] = "SELECT t.name FROM sqlite_master t, pragma_table_info(t.name) c"
                              " WHERE t.type = 'table' AND c.name = $1";
    CLEANUP(query_finalize) Query query = db_query(fixture->db, sql, db_text(column));

    while (query_next(&query)) {
        const char *name = query_text(&query, 0, fixture->scope.arena);
        const char *const *at = known;

        while (*at && strcmp(*at, name) != 0)
            at++;
        if (!*at)
            fprintf(stderr, "what becomes of %s when its %s is purged?\n", name, column);
        EXPECT(*at);
    }
    EXPECT_OK(query_end(&query, &fixture->scope.error), fixture->scope.error);
}

static void expect_no_rows(Fixture *fixture, const char *column, int64_t key,
                           const PurgeTable *tables)
{
    for (; tables->table; tables++)
        EXPECT(count(fixture,
                     arena_format(fixture->scope.arena, "SELECT count(*) FROM %s WHERE %s = $1",
                                  tables->table, column),
                     key) == 0);
}

static LoggedModel log_model(Fixture *fixture, int64_t experiment_id, const char *run_id)
{
    Param one[] = {{"a", "b"}};
    LoggedModelSpec spec = {.experiment_id = experiment_id,
                            .source_run_id = run_id,
                            .params = {one, 1},
                            .tags = {one, 1}};
    LoggedModel model;

    EXPECT_OK(logged_model_create(&fixture->scope, &spec, &model), fixture->scope.error);
    return model;
}

/* One of everything. */
static void log_all(Fixture *fixture, const Run *run, const LoggedModel *model)
{
    Scope *scope = &fixture->scope;
    Param one[] = {{"a", "b"}};
    Metric points[] = {{.key = "loss", .value = 1, .timestamp = 1}};
    ModelMetric judged = {.point = points[0], .model_id = model->id};
    DatasetInput data = {
        .name = "d", .digest = "1", .source_type = "t", .source = "s", .tags = {one, 1}};
    ModelOutput output = {.model_id = model->id};
    const char *id = model->id;
    RunBatch batch = {.params = {one, 1},
                      .tags = {one, 1},
                      .metrics = {points, 1},
                      .model_metrics = {&judged, 1}};

    EXPECT_OK(run_log_batch(scope, run->id, &batch), scope->error);
    EXPECT_OK(run_log_inputs(scope, run->id, &(DatasetInputList){&data, 1}, &(TextList){&id, 1}),
              scope->error);
    EXPECT_OK(run_log_outputs(scope, run->id, &(ModelOutputList){&output, 1}), scope->error);
    log_file(fixture, run, "file", run->id);
}

/* Between these, changes share one flush of the disk. */
static void begin(Fixture *fixture)
{
    EXPECT_OK(db_run(fixture->db, &fixture->scope.error, "BEGIN"), fixture->scope.error);
}

static void commit(Fixture *fixture)
{
    EXPECT_OK(db_run(fixture->db, &fixture->scope.error, "COMMIT"), fixture->scope.error);
}

/* So many that they are folded into blocks, which come with the newest of a metric. */
static void log_points(Fixture *fixture, const Run *run, int count)
{
    Scope *scope = &fixture->scope;
    RunBatch batch = {0};

    begin(fixture);
    for (int i = 0; i < count; i++) {
        *arena_push(scope->arena, &batch.metrics) = (Metric){"long", i, i, i};
        if (batch.metrics.count < BATCH_METRICS_MAX && i + 1 < count)
            continue;
        EXPECT_OK(run_log_batch(scope, run->id, &batch), scope->error);
        batch.metrics.count = 0;
    }
    commit(fixture);
}

/* They go with the experiment, or its runs. */
static const char *const with_experiment[] = {"artifact_files",
                                              "experiment_shares",
                                              "experiment_tags",
                                              "logged_datasets",
                                              "logged_models",
                                              "latest_metrics",
                                              "runs",
                                              "run_params",
                                              "run_tags",
                                              "traces",
                                              NULL};

/* A version keeps its run, a pipeline's run the name of its own; the others lose theirs. What steps
 * and triggers call run_id is the run of their pipeline, which no purge takes. */
static const char *const with_run[] = {
    "model_versions", "trainings",        "trace_runs", "pipeline_runs", "pipeline_steps",
    "pipeline_edges", "step_attempts",    "step_cache", "schedules",     "pushes",
    "approvals",      "release_canaries", NULL};

static void test_nothing_of_a_purged_run_or_model_is_left_in_any_table(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0), other = start_run(&fixture, 0);
    LoggedModel model = log_model(&fixture, 0, run.id), live = log_model(&fixture, 0, "");

    expect_all_listed(&fixture, "run_key", run_purge_tables);
    expect_all_listed(&fixture, "model_key", logged_model_purge_tables);
    expect_all_listed(&fixture, "trace_key", trace_purge_tables);
    expect_known(&fixture, "experiment_id", with_experiment);
    expect_known(&fixture, "run_id", with_run);
    log_all(&fixture, &run, &model);
    log_all(&fixture, &other, &live);
    log_points(&fixture, &run, 5000);
    EXPECT(count(&fixture, "SELECT count(*) FROM metric_blocks WHERE run_key = $1", run.key) > 1);
    delete_run(&fixture, &run);
    EXPECT_OK(logged_model_delete(&fixture.scope, model.id), fixture.scope.error);
    EXPECT(purge(&fixture).logged_models.count == 1);
    expect_no_rows(&fixture, "run_key", run.key, run_purge_tables);
    expect_no_rows(&fixture, "model_key", model.key, logged_model_purge_tables);
    for (const PurgeTable *table = run_purge_tables; table->table; table++)
        EXPECT(strcmp(table->table, "metric_blocks") == 0 ||
               count(&fixture,
                     arena_format(fixture.scope.arena, "SELECT count(*) FROM %s WHERE run_key = $1",
                                  table->table),
                     other.key) > 0);
    EXPECT(!run_exists(&fixture, &run));
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM logged_datasets", 0) == 1);
}

static bool purge_a_little(Scope *scope, void *context)
{
    int64_t rows = 100;
    bool is_gone = false;

    return run_purge(scope, *(const int64_t *)context, &rows, &is_gone) && !is_gone;
}

static void test_a_run_that_is_half_gone_is_not_restored_and_the_next_purge_goes_on(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    int64_t lab = 0;
    Experiment experiment;
    Run run;

    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &experiment),
              fixture.scope.error);
    lab = experiment.id;
    run = start_run(&fixture, lab);
    log_points(&fixture, &run, 1500);
    EXPECT_OK(experiment_delete(&fixture.scope, lab), fixture.scope.error);
    EXPECT_OK(scope_write(&fixture.reader, purge_a_little, &run.key), fixture.reader.error);
    EXPECT_FAILS(run_restore(&fixture.scope, run.id), &fixture.scope, ERROR_CONFLICT,
                 arena_format(fixture.scope.arena,
                              "run \"%s\" is being purged, so it cannot be restored", run.id));
    fixture.scope.error = (Error){0};
    EXPECT_OK(experiment_restore(&fixture.scope, lab), fixture.scope.error);
    EXPECT(count(&fixture, "SELECT count(*) FROM runs WHERE deleted_at IS NULL AND key = $1",
                 run.key) == 0);
    EXPECT(purge_older(&fixture, 30, false).runs.count == 1);
    expect_no_rows(&fixture, "run_key", run.key, run_purge_tables);
    EXPECT(!run_exists(&fixture, &run));
}

static void test_many_runs_and_rows_take_several_units_and_all_go(void)
{
    enum { RUNS = 150 };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);

    log_points(&fixture, &run, 999);
    for (int i = 0; i < 5; i++) {
        char text[] = {(char)('a' + i), 0};
        Metric point = {.key = text, .value = 1};

        EXPECT_OK(run_log_batch(&fixture.scope, run.id, &(RunBatch){.metrics = {&point, 1}}),
                  fixture.scope.error);
    }
    begin(&fixture);
    for (int i = 0; i < RUNS; i++)
        (void)start_run(&fixture, 0);
    commit(&fixture);
    EXPECT_OK(db_run(fixture.db, &fixture.scope.error, "UPDATE runs SET deleted_at = 1"),
              fixture.scope.error);
    EXPECT(purge_older(&fixture, 30, false).runs.count == RUNS + 1);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM runs", 0) == 0);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM metric_points", 0) == 0);
}

static void test_keys_of_runs_and_ids_of_experiments_are_never_given_again(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Experiment first, second;
    Run run = start_run(&fixture, 0);

    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &first),
              fixture.scope.error);
    delete_run(&fixture, &run);
    EXPECT_OK(experiment_delete(&fixture.scope, first.id), fixture.scope.error);
    EXPECT_OK(experiment_delete(&fixture.scope, 0), fixture.scope.error);
    EXPECT(purge(&fixture).experiment_count == 1);
    EXPECT_OK(experiment_restore(&fixture.scope, 0), fixture.scope.error);
    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &second),
              fixture.scope.error);
    EXPECT(second.id == first.id + 1);
    EXPECT(start_run(&fixture, 0).key == run.key + 1);
}

static void test_an_import_takes_no_purged_id_and_no_purged_bytes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0), other = start_run(&fixture, 0);
    Artifact artifact = log_file(&fixture, &run, "file", "file");
    TreeEntry entry = {.path = "file", .size = artifact.size};
    MovingCounts counts = {0};
    Experiment lab, given = {.name = "theirs"};

    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &lab),
              fixture.scope.error);
    EXPECT_OK(experiment_delete(&fixture.scope, lab.id), fixture.scope.error);
    delete_run(&fixture, &run);
    EXPECT(purge(&fixture).experiment_count == 1);
    given.id = lab.id;
    EXPECT_OK(experiment_import(&fixture.scope, &given, &given, &counts), fixture.scope.error);
    EXPECT(given.id == lab.id + 1);
    EXPECT(!run_import_file(&fixture.scope, other.id, &entry, &counts));
    EXPECT(fixture.scope.error.kind == ERROR_NOT_FOUND);
}

/* ---- what stays ---- */

static Artifact add_package(Fixture *fixture, const char *text)
{
    Scope *scope = &fixture->scope;
    Artifact model = add_blob(fixture, text), package;
    Tree tree = {0};
    TreeEntry *entry = arena_push(scope->arena, &tree);

    *entry = (TreeEntry){.path = "MLmodel", .size = model.size};
    memcpy(entry->digest, model.digest, sizeof(entry->digest));
    EXPECT_OK(tree_add(fixture->platform->artifacts, &tree, scope->arena, &package, &scope->error),
              scope->error);
    return package;
}

static ModelVersion add_version(Fixture *fixture, const Run *run, const Artifact *package)
{
    ModelVersionSpec spec = {.model = "spam", .package = package->digest, .run_id = run->id};
    ModelVersion version;

    EXPECT_OK(run_finish(&fixture->scope, run->id, RUN_FINISHED, NULL), fixture->scope.error);
    EXPECT_OK(model_version_create(&fixture->scope, &spec, &version), fixture->scope.error);
    return version;
}

static void test_a_run_that_a_version_came_from_stays_with_its_files_until_the_version_goes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);
    Artifact file = log_file(&fixture, &run, "notes", "notes");
    Artifact package = add_package(&fixture, "flavors: {}\n");
    ModelVersion version = add_version(&fixture, &run, &package);
    PurgeReport report;

    delete_run(&fixture, &run);
    report = purge(&fixture);
    EXPECT(report.runs.count == 0 && report.blobs.removed.count == 0 && report.kept_count == 1);
    EXPECT_TEXT(report.kept.items[0].noun, "run");
    EXPECT_TEXT(report.kept.items[0].name, run.id);
    EXPECT_TEXT(report.kept.items[0].reason, "version 1 of model \"spam\" came from it");
    EXPECT(run_exists(&fixture, &run) && blob_exists(&fixture, &file));
    EXPECT_OK(model_version_delete(&fixture.scope, "spam", version.version), fixture.scope.error);
    report = purge(&fixture);
    EXPECT(report.runs.count == 1 && report.model_versions.count == 1 && report.kept_count == 0);
    EXPECT(report.blobs.removed.count == 3 && !blob_exists(&fixture, &package));
    package = add_package(&fixture, "flavors: {}\n");
    run = start_run(&fixture, 0);
    EXPECT(add_version(&fixture, &run, &package).version == 2);
}

static void test_what_was_released_stays(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);
    Artifact package = add_package(&fixture, "flavors: {}\n");
    ModelVersion version = add_version(&fixture, &run, &package);
    PurgeReport report;

    EXPECT_OK(model_version_release(&fixture.scope, "spam", version.version), fixture.scope.error);
    EXPECT_OK(db_run(fixture.db, &fixture.scope.error, "UPDATE model_versions SET deleted_at = 1"),
              fixture.scope.error);
    delete_run(&fixture, &run);
    report = purge(&fixture);
    EXPECT(purge_report_is_empty(&report) && report.kept_count == 1);
    EXPECT(run_exists(&fixture, &run) && blob_exists(&fixture, &package));
}

static void test_an_experiment_stays_while_something_in_it_does(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Experiment lab;
    Artifact package = add_package(&fixture, "flavors: {}\n");
    PurgeReport report;
    Run run;

    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &lab),
              fixture.scope.error);
    run = start_run(&fixture, lab.id);
    add_version(&fixture, &run, &package);
    (void)start_run(&fixture, lab.id);
    EXPECT_OK(experiment_delete(&fixture.scope, lab.id), fixture.scope.error);
    report = purge(&fixture);
    EXPECT(report.runs.count == 1 && report.experiment_count == 0 && report.kept_count == 2);
    EXPECT_TEXT(report.kept.items[1].noun, "experiment");
    EXPECT_TEXT(report.kept.items[1].reason, "something in it stays");
    EXPECT_OK(experiment_restore(&fixture.scope, lab.id), fixture.scope.error);
}

static void test_a_run_whose_training_is_not_over_stays(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);
    PurgeReport report;

    EXPECT_OK(db_run(fixture.db, &fixture.scope.error,
                     "INSERT INTO trainings(run_id, project, spec, created_at)"
                     " VALUES ($1, 'spam', '{}', 1)",
                     db_text(run.id)),
              fixture.scope.error);
    delete_run(&fixture, &run);
    report = purge(&fixture);
    EXPECT(report.kept_count == 1 && run_exists(&fixture, &run));
    EXPECT_TEXT(report.kept.items[0].reason, "its training is not over");
    EXPECT_OK(db_run(fixture.db, &fixture.scope.error, "UPDATE trainings SET ended_at = 2"),
              fixture.scope.error);
    EXPECT(purge(&fixture).runs.count == 1);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM trainings", 0) == 0);
}

/* ---- files by their whole path ---- */

static Artifact put_file(Fixture *fixture, const char *path)
{
    Artifact artifact = add_blob(fixture, path);
    ArtifactPlace place;

    EXPECT_OK(artifact_place_find(&fixture->scope, path, &place), fixture->scope.error);
    EXPECT_OK(artifact_place_put(&fixture->scope, &place, &artifact), fixture->scope.error);
    return artifact;
}

static void test_a_logged_model_goes_with_its_files_and_with_its_experiment(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Arena *arena = fixture.scope.arena;
    LoggedModel model, live;
    Experiment lab;
    Artifact file, kept, stray;
    PurgeReport report;

    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &lab),
              fixture.scope.error);
    model = log_model(&fixture, lab.id, "");
    live = log_model(&fixture, 0, "");
    file = put_file(&fixture, arena_format(arena, "%lld/models/%s/artifacts/MLmodel",
                                           (long long)lab.id, model.id));
    kept = put_file(&fixture, arena_format(arena, "0/models/%s/artifacts/MLmodel", live.id));
    stray = put_file(&fixture, arena_format(arena, "%lld/notes", (long long)lab.id));
    EXPECT_OK(experiment_delete(&fixture.scope, lab.id), fixture.scope.error);
    report = purge_older(&fixture, 0, true);
    EXPECT(report.logged_models.count == 1 && report.logged_models.bytes == file.size);
    EXPECT(report.blobs.removed.count == 2 && report.experiment_count == 1);
    report = purge(&fixture);
    EXPECT(report.logged_models.bytes == file.size && report.blobs.removed.count == 2);
    EXPECT(!blob_exists(&fixture, &file) && !blob_exists(&fixture, &stray));
    EXPECT(blob_exists(&fixture, &kept));
    EXPECT_OK(logged_model_find(&fixture.scope, live.id, &live), fixture.scope.error);
}

static Trace add_trace(Fixture *fixture, int64_t experiment_id, const char *id)
{
    Param one[] = {{"a", "b"}};
    Trace told = {.id = id,
                  .experiment_id = experiment_id,
                  .requested_at = 1,
                  .duration = 1,
                  .status = TRACE_OK,
                  .tags = {one, 1},
                  .metadata = {one, 1}};
    Trace trace;

    EXPECT_OK(trace_start(&fixture->scope, &told, &trace), fixture->scope.error);
    return trace;
}

static void test_traces_go_with_their_experiment_and_forget_a_run_that_goes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    const char *live = "tr-1", *gone = "tr-2";
    Run run = start_run(&fixture, 0);
    Experiment lab;
    Artifact file;
    Trace trace;

    EXPECT_OK(experiment_create(
                  &fixture.scope,
                  &(ExperimentSpec){.name = "lab", .artifact_location = "mlflow-artifacts:/x"},
                  &lab),
              fixture.scope.error);
    add_trace(&fixture, 0, live);
    trace = add_trace(&fixture, lab.id, gone);
    file = put_file(&fixture, "x/traces/tr-2/artifacts/traces.json");
    EXPECT_OK(trace_link_run(&fixture.scope, &(TextList){&live, 1}, run.id), fixture.scope.error);
    EXPECT_OK(trace_link_run(&fixture.scope, &(TextList){&gone, 1}, run.id), fixture.scope.error);
    EXPECT_OK(experiment_delete(&fixture.scope, lab.id), fixture.scope.error);
    EXPECT(purge(&fixture).experiment_count == 1 && !blob_exists(&fixture, &file));
    expect_no_rows(&fixture, "trace_key", trace.key, trace_purge_tables);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM traces", 0) == 1);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM trace_runs", 0) == 1);
    delete_run(&fixture, &run);
    EXPECT(purge(&fixture).runs.count == 1);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM trace_runs", 0) == 0);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM traces", 0) == 1);
}

static bool purge_an_experiment_a_little(Scope *scope, void *context)
{
    int64_t rows = 15;
    bool is_gone = false;

    return experiment_purge(scope, *(const int64_t *)context, &rows, &is_gone) && !is_gone;
}

static void test_an_experiment_that_is_half_gone_is_not_restored_and_the_next_purge_goes_on(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Experiment lab;

    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &lab),
              fixture.scope.error);
    for (int i = 0; i < 5; i++)
        add_trace(&fixture, lab.id, arena_format(fixture.scope.arena, "tr-%d", i));
    EXPECT_OK(experiment_delete(&fixture.scope, lab.id), fixture.scope.error);
    EXPECT_OK(scope_write(&fixture.reader, purge_an_experiment_a_little, &lab.id),
              fixture.reader.error);
    EXPECT_FAILS(experiment_restore(&fixture.scope, lab.id), &fixture.scope, ERROR_CONFLICT,
                 arena_format(fixture.scope.arena,
                              "experiment %lld is being purged, so it cannot be restored",
                              (long long)lab.id));
    fixture.scope.error = (Error){0};
    EXPECT(purge_older(&fixture, 30, false).experiment_count == 1);
    EXPECT(count(&fixture, "SELECT count(*) + $1 FROM traces", 0) == 0);
}

static void test_files_of_an_experiment_that_is_inside_of_another_ones_place_stay(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Arena *arena = fixture.scope.arena;
    Experiment lab, tenant;
    Artifact file;

    EXPECT_OK(experiment_create(&fixture.scope, &(ExperimentSpec){.name = "lab"}, &lab),
              fixture.scope.error);
    EXPECT_OK(experiment_create(
                  &fixture.scope,
                  &(ExperimentSpec){.name = "tenant",
                                    .artifact_location = arena_format(
                                        arena, "mlflow-artifacts:/%lld/inside", (long long)lab.id)},
                  &tenant),
              fixture.scope.error);
    file = put_file(&fixture, arena_format(arena, "%lld/inside/notes", (long long)lab.id));
    EXPECT_OK(experiment_delete(&fixture.scope, lab.id), fixture.scope.error);
    EXPECT(purge(&fixture).experiment_count == 1 && blob_exists(&fixture, &file));
}

static void test_parts_that_nobody_joins_go_after_a_day(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Arena *arena = fixture.scope.arena;
    const char *old =
        arena_format(arena, "%s/temporary/upload-000000000001%020d", fixture.folder, 7);
    const char *id;
    PurgeReport report;

    EXPECT_OK(artifact_upload_begin(&fixture.scope, "a", 1, &id), fixture.scope.error);
    EXPECT_OK(folder_make(old, &fixture.scope.error), fixture.scope.error);
    EXPECT_OK(file_write(arena_format(arena, "%s/1", old), "part", 4, &fixture.scope.error),
              fixture.scope.error);
    report = purge(&fixture);
    EXPECT(report.uploads.count == 1 && report.uploads.bytes == 4);
    EXPECT(!folder_exists(old));
    EXPECT(folder_exists(arena_format(arena, "%s/temporary/upload-%s", fixture.folder, id)));
}

/* ---- damage ---- */

static void test_a_listing_that_cannot_be_read_stops_the_purge_before_anything_is_removed(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0), deleted = start_run(&fixture, 0);
    Artifact file = log_file(&fixture, &deleted, "file", "file");
    Artifact package = add_package(&fixture, "flavors: {}\n");
    const char *path =
        artifact_path(fixture.platform->artifacts, package.digest, fixture.scope.arena);
    PurgeReport report;

    add_version(&fixture, &run, &package);
    delete_run(&fixture, &deleted);
    EXPECT(truncate(path, 20) == 0);
    age_blobs(&fixture);
    EXPECT(!purge_run(&fixture.reader, &(PurgeSpec){.older_than_days = 0}, &report));
    EXPECT(text_has_prefix(fixture.reader.error.message,
                           "nothing is purged, because the package of version 1 of model \"spam\" "
                           "cannot be read: artifact "));
    EXPECT(run_exists(&fixture, &deleted) && blob_exists(&fixture, &file));
    EXPECT(unlink(path) == 0);
    EXPECT(!purge_run(&fixture.reader, &(PurgeSpec){.older_than_days = 0}, &report));
    fixture.reader.error = (Error){0};
    EXPECT_OK(model_version_delete(&fixture.scope, "spam", 1), fixture.scope.error);
    EXPECT(purge(&fixture).runs.count == 1); /* a damaged version can be deleted */
}

static void test_a_purge_that_is_to_stop_stops(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Run run = start_run(&fixture, 0);
    atomic_bool stopped = true;
    PurgeReport report;

    delete_run(&fixture, &run);
    EXPECT_FAILS(purge_run(&fixture.reader, &(PurgeSpec){.stopped = &stopped}, &report),
                 &fixture.reader, ERROR_UNAVAILABLE, "the purge was stopped");
    EXPECT_FAILS(purge_run(&fixture.reader, &(PurgeSpec){.older_than_days = -1}, &report),
                 &fixture.reader, ERROR_FIELD, "\"older_than_days\" is 0 to 36500");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_deleted_run_can_be_restored_until_it_is_purged),
        TEST(test_a_rehearsal_says_what_the_purge_does_then_and_changes_nothing),
        TEST(test_one_event_tells_what_went_and_none_that_nothing_did),
        TEST(test_nothing_of_a_purged_run_or_model_is_left_in_any_table),
        TEST(test_a_run_that_is_half_gone_is_not_restored_and_the_next_purge_goes_on),
        TEST(test_many_runs_and_rows_take_several_units_and_all_go),
        TEST(test_keys_of_runs_and_ids_of_experiments_are_never_given_again),
        TEST(test_an_import_takes_no_purged_id_and_no_purged_bytes),
        TEST(test_a_run_that_a_version_came_from_stays_with_its_files_until_the_version_goes),
        TEST(test_what_was_released_stays),
        TEST(test_an_experiment_stays_while_something_in_it_does),
        TEST(test_a_run_whose_training_is_not_over_stays),
        TEST(test_a_logged_model_goes_with_its_files_and_with_its_experiment),
        TEST(test_traces_go_with_their_experiment_and_forget_a_run_that_goes),
        TEST(test_an_experiment_that_is_half_gone_is_not_restored_and_the_next_purge_goes_on),
        TEST(test_files_of_an_experiment_that_is_inside_of_another_ones_place_stay),
        TEST(test_parts_that_nobody_joins_go_after_a_day),
        TEST(test_a_listing_that_cannot_be_read_stops_the_purge_before_anything_is_removed),
        TEST(test_a_purge_that_is_to_stop_stops),
        {0},
    };

    return test_main(tests, count, names);
}
