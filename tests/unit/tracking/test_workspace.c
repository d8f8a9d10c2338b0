/* test_workspace.c: what the files of some experiments may be together, and what they are. */

#include "tracking/workspace.h"

#include "access/event.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/artifact_place.h"
#include "tracking/artifact_upload.h"
#include "tracking/experiment.h"
#include "tracking/logged_model.h"
#include "tracking/moving.h"
#include "tracking/purge.h"

static Workspace set(Scope *scope, const char *name, int64_t bytes_max)
{
    Workspace workspace;

    EXPECT_OK(workspace_set(scope, name, &(WorkspaceSpec){bytes_max}, &workspace), scope->error);
    return workspace;
}

static int64_t bytes_of(Scope *scope, const char *name)
{
    Workspace workspace;

    EXPECT_OK(workspace_find(scope, name, &workspace), scope->error);
    return workspace.artifact_bytes;
}

/* workspace NULL: the default. */
static Experiment make(Scope *scope, const char *name, const char *workspace)
{
    Param tag = {WORKSPACE_TAG, workspace};
    ExperimentSpec spec = {.name = name, .tags = {&tag, workspace != NULL}};
    Experiment experiment;

    EXPECT_OK(experiment_create(scope, &spec, &experiment), scope->error);
    return experiment;
}

static Run start(Scope *scope, int64_t experiment_id)
{
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = experiment_id}, &run), scope->error);
    return run;
}

/* Each time other bytes. */
static Artifact blob_of(Scope *scope, size_t size)
{
    static int number;
    char *bytes = arena_alloc(scope->arena, size + 32, 1);
    Artifact artifact;

    memset(bytes, 'x', size);
    snprintf(bytes, size + 32, "%d", number++);
    EXPECT_OK(artifact_add_bytes(scope->platform->artifacts, bytes, size, &artifact, &scope->error),
              scope->error);
    return artifact;
}

static bool log_file(Scope *scope, const Run *run, const char *path, size_t size)
{
    Artifact artifact = blob_of(scope, size);

    return run_log_artifact(scope, run->id, path, &artifact);
}

static void put(Scope *scope, const char *path, size_t size)
{
    Artifact artifact = blob_of(scope, size);
    ArtifactPlace place;

    EXPECT_OK(artifact_place_find(scope, path, &place) &&
                  artifact_place_put(scope, &place, &artifact),
              scope->error);
}

static void delete (Scope *scope, const char *path)
{
    ArtifactPlace place;

    EXPECT_OK(artifact_place_find(scope, path, &place) && artifact_place_delete(scope, &place),
              scope->error);
}

/* The counts are what the rows come to, summed anew. */
static void expect_exact(Scope *scope)
{
    static const char wrong[] =
        "SELECT (SELECT count(*) FROM workspaces w WHERE w.artifact_bytes <>"
        "         (SELECT coalesce(sum(s.artifact_bytes), 0) FROM experiment_shares s"
        "           WHERE s.workspace_id = w.id))"
        "     + (SELECT count(*) FROM experiment_shares s WHERE s.artifact_bytes <>"
        "         (SELECT coalesce(sum(a.size), 0) FROM run_artifacts a"
        "            JOIN runs r ON r.key = a.run_key WHERE r.experiment_id = s.experiment_id)"
        "       + (SELECT coalesce(sum(f.size), 0) FROM artifact_files f"
        "           WHERE f.experiment_id = s.experiment_id))"
        "     + (SELECT count(*) FROM artifact_files WHERE size > 0 AND experiment_id NOT IN"
        "         (SELECT experiment_id FROM experiment_shares))"
        "     + (SELECT count(*) FROM run_artifacts a JOIN runs r ON r.key = a.run_key"
        "         WHERE a.size > 0 AND r.experiment_id NOT IN"
        "         (SELECT experiment_id FROM experiment_shares))";
    int64_t count = -1;

    EXPECT_OK(db_get_int(scope->db, &scope->error, &count, wrong), scope->error);
    EXPECT(count == 0);
}

static void test_a_limit_is_set_changed_and_taken_back(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    WorkspaceList list = {0};
    Workspace workspace = set(scope, "fraud", 1000);
    EventList events = {0};

    EXPECT(workspace.spec.artifact_bytes_max == 1000 && workspace.artifact_bytes == 0);
    EXPECT_TEXT(workspace.updated_by, "ada");
    EXPECT(set(scope, "fraud", 1000).spec.artifact_bytes_max == 1000);
    EXPECT(set(scope, "fraud", 0).spec.artifact_bytes_max == 0);
    EXPECT_OK(workspace_list(scope, NULL, &list), scope->error);
    EXPECT(list.count == 2);
    EXPECT_TEXT(list.items[0].name, "default");
    EXPECT_OK(event_list(scope, &(EventFilter){.action = "workspace."}, &events), scope->error);
    EXPECT(events.count == 2);
    EXPECT_TEXT(events.items[1].detail, "{\"before\":{\"artifact_bytes_max\":1000},"
                                        "\"after\":{\"artifact_bytes_max\":0}}");
    EXPECT_FAILS(workspace_set(scope, "a b", &(WorkspaceSpec){0}, &workspace), scope, ERROR_FIELD,
                 "a workspace name has 1 to 128 letters, digits, \"-\", \"_\" or \".\" and does "
                 "not start with \".\"");
    EXPECT_FAILS(workspace_set(scope, "fraud", &(WorkspaceSpec){-1}, &workspace), scope,
                 ERROR_FIELD, "\"artifact_bytes_max\" is 0, for no limit, to 1152921504606846976");
}

static void test_a_file_that_has_no_room_is_refused_and_changes_nothing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run;

    set(scope, "fraud", 1000);
    run = start(scope, make(scope, "churn", "fraud").id);
    EXPECT_OK(log_file(scope, &run, "a", 900), scope->error);
    EXPECT_FAILS(log_file(scope, &run, "b", 101), scope, ERROR_NO_ROOM,
                 "workspace \"fraud\" may hold 1000 bytes and has 900: there is no room for 101 "
                 "more");
    EXPECT_FAILS(log_file(scope, &run, "a", 1001), scope, ERROR_NO_ROOM,
                 "workspace \"fraud\" may hold 1000 bytes and has 900: there is no room for 101 "
                 "more");
    EXPECT_OK(log_file(scope, &run, "a", 1000), scope->error);
    EXPECT(bytes_of(scope, "fraud") == 1000);
    EXPECT(!run_check_room(scope, &run, "b", 1) && run_check_room(scope, &run, "a", 1000));
    EXPECT(run_check_room(scope, &run, "empty", 0));
    EXPECT_OK(log_file(scope, &run, "empty", 0), scope->error);
    EXPECT_OK(log_file(scope, &run, "a", 10), scope->error);
    EXPECT(bytes_of(scope, "fraud") == 10 && bytes_of(scope, "default") == 0);
    expect_exact(scope);
}

static void test_a_limit_below_what_is_there_keeps_it_and_takes_no_more(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = start(scope, 0);

    EXPECT_OK(log_file(scope, &run, "a", 900), scope->error);
    set(scope, "default", 100);
    EXPECT_FAILS(log_file(scope, &run, "b", 1), scope, ERROR_NO_ROOM,
                 "workspace \"default\" may hold 100 bytes and has 900: there is no room for 1 "
                 "more");
    EXPECT_OK(log_file(scope, &run, "a", 899), scope->error);
    delete (scope, arena_format(scope->arena, "0/%s/artifacts/a", run.id));
    EXPECT(bytes_of(scope, "default") == 0);
    EXPECT_OK(log_file(scope, &run, "b", 100), scope->error);
    expect_exact(scope);
}

static void test_two_workspaces_that_list_the_same_bytes_pay_for_them_each(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Artifact shared = blob_of(scope, 700);
    Run ours, theirs;

    set(scope, "fraud", 1000);
    ours = start(scope, make(scope, "churn", "fraud").id);
    theirs = start(scope, 0);
    EXPECT_OK(run_log_artifact(scope, ours.id, "m", &shared), scope->error);
    EXPECT_OK(run_log_artifact(scope, ours.id, "m", &shared), scope->error);
    EXPECT_OK(run_log_artifact(scope, theirs.id, "m", &shared), scope->error);
    EXPECT(bytes_of(scope, "fraud") == 700 && bytes_of(scope, "default") == 700);
    EXPECT(!run_log_artifact(scope, ours.id, "again", &shared));
    EXPECT(scope->error.kind == ERROR_NO_ROOM);
    expect_exact(scope);
}

static LoggedModel log_model(Scope *scope, int64_t experiment_id)
{
    LoggedModelSpec spec = {.experiment_id = experiment_id};
    LoggedModel model;

    EXPECT_OK(logged_model_create(scope, &spec, &model), scope->error);
    return model;
}

static void test_files_of_no_run_are_paid_for_where_their_model_is_or_by_their_number(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    const char *path;
    Experiment own, far;
    LoggedModel model;

    set(scope, "fraud", 10000);
    own = make(scope, "churn", "fraud");
    path = arena_format(scope->arena, "%lld/notes.txt", (long long)own.id);
    put(scope, path, 40);
    EXPECT(bytes_of(scope, "fraud") == 40);
    put(scope, "elsewhere/notes.txt", 5);
    put(scope, "99/notes.txt", 6);
    EXPECT(bytes_of(scope, "default") == 11);
    EXPECT_OK(experiment_create(scope,
                                &(ExperimentSpec){.name = "far",
                                                  .artifact_location = "mlflow-artifacts:/team/x",
                                                  .tags = {&(Param){WORKSPACE_TAG, "fraud"}, 1}},
                                &far),
              scope->error);
    model = log_model(scope, far.id);
    path = arena_format(scope->arena, "team/x/models/%s/artifacts/MLmodel", model.id);
    put(scope, path, 100);
    EXPECT(bytes_of(scope, "fraud") == 140 && bytes_of(scope, "default") == 11);
    put(scope, path, 60);
    EXPECT(bytes_of(scope, "fraud") == 100);
    delete (scope, "team");
    EXPECT(bytes_of(scope, "fraud") == 40);
    expect_exact(scope);
    delete (scope, arena_format(scope->arena, "%lld", (long long)own.id));
    delete (scope, "99");
    delete (scope, "elsewhere");
    EXPECT(bytes_of(scope, "fraud") == 0 && bytes_of(scope, "default") == 0);
    expect_exact(scope);
}

static void test_an_experiment_takes_its_files_along_as_far_as_there_is_room(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment churn = make(scope, "churn", NULL);
    Run run = start(scope, churn.id);
    WorkspaceShareList shares = {0};
    EventList events = {0};
    Workspace fraud = set(scope, "fraud", 99);

    EXPECT_OK(log_file(scope, &run, "a", 100), scope->error);
    EXPECT_FAILS(workspace_move(scope, "churn", "fraud", &fraud), scope, ERROR_NO_ROOM,
                 "workspace \"fraud\" may hold 99 bytes and has 0: there is no room for 100 more");
    EXPECT_FAILS(workspace_move(scope, "churn", "nobody", &fraud), scope, ERROR_NOT_FOUND,
                 "workspace \"nobody\" does not exist");
    EXPECT_FAILS(workspace_move(scope, "nobody", "fraud", &fraud), scope, ERROR_NOT_FOUND,
                 "experiment \"nobody\" does not exist");
    set(scope, "fraud", 150);
    for (int i = 0; i < 2; i++)
        EXPECT_OK(workspace_move(scope, "churn", "fraud", &fraud), scope->error);
    EXPECT(fraud.artifact_bytes == 100 && bytes_of(scope, "default") == 0);
    EXPECT_OK(experiment_find(scope, churn.id, &churn), scope->error);
    EXPECT_TEXT(param_find(&churn.tags, WORKSPACE_TAG), "fraud");
    EXPECT(!log_file(scope, &run, "b", 51));
    EXPECT_OK(workspace_shares(scope, &fraud, &shares), scope->error);
    EXPECT(shares.count == 1 && shares.items[0].artifact_bytes == 100);
    EXPECT_TEXT(shares.items[0].experiment, "churn");
    EXPECT_OK(event_list(scope, &(EventFilter){.action = "experiment.moved"}, &events),
              scope->error);
    EXPECT(events.count == 1);
    EXPECT_OK(workspace_move(scope, "churn", "default", &fraud), scope->error);
    EXPECT_OK(experiment_find(scope, churn.id, &churn), scope->error);
    EXPECT(!param_find(&churn.tags, WORKSPACE_TAG) && bytes_of(scope, "fraud") == 0);
    expect_exact(scope);
}

static void test_the_tag_is_said_once_and_of_a_workspace_that_is_there(void)
{
    static const char sentence[] = "the tag \"slipway.workspace\" is given when an experiment is "
                                   "made; an owner moves it later: slipway workspace move";
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Param tag = {WORKSPACE_TAG, "fraud"};
    ExperimentSpec spec = {.name = "churn", .tags = {&tag, 1}};
    Experiment experiment, given = {.id = 70, .name = "theirs", .tags = {&tag, 1}};
    MovingCounts counts = {0};

    EXPECT_FAILS(experiment_create(scope, &spec, &experiment), scope, ERROR_NOT_FOUND,
                 "workspace \"fraud\" does not exist");
    set(scope, "fraud", 0);
    EXPECT_FAILS(experiment_set_tags(scope, 0, &spec.tags), scope, ERROR_INVALID, sentence);
    EXPECT_FAILS(experiment_delete_tag(scope, 0, WORKSPACE_TAG), scope, ERROR_INVALID, sentence);
    EXPECT_OK(experiment_import(scope, &given, &experiment, &counts), scope->error);
    EXPECT(!param_find(&experiment.tags, WORKSPACE_TAG));
    experiment = make(scope, "plain", "default");
    EXPECT(!param_find(&experiment.tags, WORKSPACE_TAG));
}

static void test_what_a_removed_workspace_had_is_in_the_default_one(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment churn;
    Run run;

    set(scope, "fraud", 0);
    churn = make(scope, "churn", "fraud");
    run = start(scope, churn.id);
    EXPECT_OK(log_file(scope, &run, "a", 100), scope->error);
    set(scope, "default", 99);
    EXPECT(!workspace_remove(scope, "fraud") && scope->error.kind == ERROR_NO_ROOM);
    set(scope, "default", 100);
    EXPECT_OK(workspace_remove(scope, "fraud"), scope->error);
    EXPECT(bytes_of(scope, "default") == 100);
    EXPECT_OK(experiment_find(scope, churn.id, &churn), scope->error);
    EXPECT(churn.tags.count == 0);
    EXPECT_FAILS(workspace_remove(scope, "fraud"), scope, ERROR_NOT_FOUND,
                 "workspace \"fraud\" does not exist");
    EXPECT_FAILS(workspace_remove(scope, "default"), scope, ERROR_CONFLICT,
                 "workspace \"default\" stays: it has all experiments that are in no other");
    expect_exact(scope);
}

/* As often as it takes, with few rows each time. */
static void purge_some(Scope *scope, bool (*purge)(Scope *, int64_t, int64_t *, bool *),
                       int64_t key)
{
    for (bool is_gone = false; !is_gone;) {
        int64_t rows = 2;

        EXPECT_OK(purge(scope, key, &rows, &is_gone), scope->error);
        expect_exact(scope);
    }
}

static void test_a_purge_makes_room_with_each_row_that_goes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment churn;
    LoggedModel model;
    Run run;

    set(scope, "fraud", 1000);
    churn = make(scope, "churn", "fraud");
    run = start(scope, churn.id);
    model = log_model(scope, churn.id);
    for (int i = 0; i < 5; i++) {
        EXPECT_OK(log_file(scope, &run, arena_format(scope->arena, "%d", i), 10), scope->error);
        put(scope,
            arena_format(scope->arena, "%lld/models/%s/artifacts/%d", (long long)churn.id, model.id,
                         i),
            20);
        put(scope, arena_format(scope->arena, "%lld/notes/%d", (long long)churn.id, i), 30);
    }
    EXPECT_OK(experiment_delete(scope, churn.id), scope->error);
    EXPECT(bytes_of(scope, "fraud") == 300);
    purge_some(scope, run_purge, run.key);
    EXPECT(bytes_of(scope, "fraud") == 250);
    purge_some(scope, logged_model_purge, model.key);
    EXPECT(bytes_of(scope, "fraud") == 150);
    purge_some(scope, experiment_purge, churn.id);
    EXPECT(bytes_of(scope, "fraud") == 0);
}

static void test_what_a_purged_experiment_leaves_is_paid_for_until_it_goes(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Experiment inside, churn = make(scope, "churn", NULL);
    const char *path = arena_format(scope->arena, "%lld/notes.txt", (long long)churn.id);
    const char *location =
        arena_format(scope->arena, "mlflow-artifacts:/%lld/inside", (long long)churn.id);
    WorkspaceShareList shares = {0};
    Workspace fraud = set(scope, "fraud", 1000);

    EXPECT_OK(experiment_create(
                  scope, &(ExperimentSpec){.name = "x", .artifact_location = location}, &inside),
              scope->error);
    EXPECT_OK(workspace_move(scope, "churn", "fraud", &fraud), scope->error);
    put(scope, path, 50);
    EXPECT_OK(experiment_delete(scope, churn.id), scope->error);
    purge_some(scope, experiment_purge, churn.id);
    EXPECT(bytes_of(scope, "fraud") == 50);
    EXPECT_OK(workspace_shares(scope, &fraud, &shares), scope->error);
    EXPECT(shares.count == 1 && !shares.items[0].experiment);
    delete (scope, path);
    EXPECT(bytes_of(scope, "fraud") == 0);
    expect_exact(scope);
}

static void test_a_moved_in_file_counts_as_much_as_it_has(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = start(scope, 0);
    Artifact artifact = blob_of(scope, 30);
    TreeEntry entry = {.path = "a", .size = 30};
    MovingCounts counts = {0};

    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    for (int i = 0; i < 2; i++)
        EXPECT_OK(run_import_file(scope, run.id, &entry, &counts), scope->error);
    EXPECT(counts.files.imported == 1 && counts.files.present == 1);
    EXPECT(bytes_of(scope, "default") == 30);
    entry.size = -30;
    EXPECT_FAILS(run_import_file(scope, run.id, &entry, &counts), scope, ERROR_FIELD,
                 arena_format(scope->arena, "blob \"%s\" has 30 bytes, not -30", entry.digest));
    entry.size = 30;
    entry.path = "b";
    set(scope, "default", 59);
    EXPECT(!run_import_file(scope, run.id, &entry, &counts));
    EXPECT(scope->error.kind == ERROR_NO_ROOM && bytes_of(scope, "default") == 30);
    expect_exact(scope);
}

/* ---- files in parts ---- */

static bool add_part(Fixture *fixture, const char *id, int64_t number, size_t size)
{
    Scope *scope = &fixture->scope;
    const char *file = arena_format(scope->arena, "%s/part", fixture->folder);
    char *bytes = arena_alloc(scope->arena, size + 1, 1);

    memset(bytes, 'p', size);
    EXPECT_OK(file_write(file, bytes, size, &scope->error), scope->error);
    return artifact_upload_add(scope, id, number, file);
}

static void test_parts_are_refused_one_by_one_and_together_before_they_are_joined(void)
{
    static const int64_t numbers[] = {1, 2};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ArtifactJoin join = {.path = "0/big", .numbers = numbers, .count = 2};
    Artifact artifact;
    bool was_joined;

    set(scope, "default", 100);
    EXPECT_OK(artifact_upload_begin(scope, join.path, 2, &join.id), scope->error);
    EXPECT(!add_part(&fixture, join.id, 1, 101) && scope->error.kind == ERROR_NO_ROOM);
    EXPECT_OK(add_part(&fixture, join.id, 1, 60), scope->error);
    EXPECT_OK(add_part(&fixture, join.id, 2, 41), scope->error);
    EXPECT_FAILS(artifact_upload_join(scope, &join, &artifact, &was_joined), scope, ERROR_NO_ROOM,
                 "workspace \"default\" may hold 100 bytes and has 0: there is no room for 101 "
                 "more");
    EXPECT(artifact_store_usage(scope->platform->artifacts).bytes == 0);
    EXPECT_OK(add_part(&fixture, join.id, 2, 40), scope->error);
    EXPECT_OK(artifact_upload_join(scope, &join, &artifact, &was_joined), scope->error);
    EXPECT(artifact.size == 100);
}

/* ---- what is undone ---- */

/* The run's id is in the entry's path. */
static bool log_twice(Scope *scope, void *context)
{
    const TreeEntry *entry = context;
    Artifact artifact = {.size = entry->size};

    memcpy(artifact.digest, entry->digest, sizeof(artifact.digest));
    return run_log_artifact(scope, entry->path, "a", &artifact) &&
           run_log_artifact(scope, entry->path, "b", &artifact);
}

static void test_a_file_that_is_undone_with_its_write_was_never_counted(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope, *reader = &fixture.reader;
    Run run = start(scope, 0);
    Artifact artifact = blob_of(scope, 10);
    TreeEntry entry = {.path = run.id, .size = artifact.size};

    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    set(scope, "default", 19);
    EXPECT(!scope_write(reader, log_twice, &entry));
    EXPECT(reader->error.kind == ERROR_NO_ROOM && bytes_of(scope, "default") == 0);
    expect_exact(scope);
    set(scope, "default", 20);
    EXPECT_OK(scope_write(reader, log_twice, &entry), reader->error);
    EXPECT(bytes_of(scope, "default") == 20);
    expect_exact(scope);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_limit_is_set_changed_and_taken_back),
        TEST(test_a_file_that_has_no_room_is_refused_and_changes_nothing),
        TEST(test_a_limit_below_what_is_there_keeps_it_and_takes_no_more),
        TEST(test_two_workspaces_that_list_the_same_bytes_pay_for_them_each),
        TEST(test_files_of_no_run_are_paid_for_where_their_model_is_or_by_their_number),
        TEST(test_an_experiment_takes_its_files_along_as_far_as_there_is_room),
        TEST(test_the_tag_is_said_once_and_of_a_workspace_that_is_there),
        TEST(test_what_a_removed_workspace_had_is_in_the_default_one),
        TEST(test_a_purge_makes_room_with_each_row_that_goes),
        TEST(test_what_a_purged_experiment_leaves_is_paid_for_until_it_goes),
        TEST(test_a_moved_in_file_counts_as_much_as_it_has),
        TEST(test_parts_are_refused_one_by_one_and_together_before_they_are_joined),
        TEST(test_a_file_that_is_undone_with_its_write_was_never_counted),
        {0},
    };
    return test_main(tests, count, names);
}
