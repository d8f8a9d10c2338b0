/* test_artifact_place.c: where paths of MLflow's clients lead, and what is there. */

#include "tracking/artifact_place.h"

#include "access/event.h"
#include "tests/unit/tracking/store_fixture.h"
#include "tracking/experiment.h"

/* NULL: refused. */
static const struct {
    const char *given, *path;
} paths[] = {
    {NULL, ""},
    {"", ""},
    {"a/b.txt", "a/b.txt"},
    {"a/b/", "a/b"},
    {"a%20b", "a b"},
    {"a%2520b", "a b"},
    {"95%.png", "95%.png"},
    {"100%25", "100%"},
    {"%4", "%4"},
    {"a;b", "a;b"},
    {"a:b/c:", "a:b/c:"},
    {"...", "..."},
    {"a..b", "a..b"},
    {"%c3%bc", "\xc3\xbc"},
    {"/a", NULL},
    {"a//b", NULL},
    {"%2e%2e/a", NULL},
    {"%252525252525252525252561", NULL}, /* decoded eleven times, it would be "a" */
    {"a%5cb", NULL},
    {"C:/a", NULL},
    {"file:/a", NULL},
    {"..;x/a", NULL},
    {"a%00", NULL},
    {"\xff", NULL},
    {"a%ff", NULL},
};

static void test_a_path_is_decoded_for_good_and_plain_or_refused(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();

    for (size_t i = 0; i < COUNT(paths); i++) {
        const char *path = NULL;
        bool is_read = artifact_path_read(&fixture.reader, paths[i].given, &path);

        if (is_read != (paths[i].path != NULL))
            fprintf(stderr, "%s\n", paths[i].given);
        EXPECT(is_read == (paths[i].path != NULL));
        EXPECT(!is_read || text_equal(path, paths[i].path));
    }
}

static void test_a_uri_of_this_server_has_a_path_and_others_have_none(void)
{
    static const struct {
        const char *uri, *path;
    } rows[] = {
        {"mlflow-artifacts:/0/m", "0/m"},
        {"mlflow-artifacts://host:5000/0//m/", "0/m"},
        {"mlflow-artifacts:/", ""},
        {"http://host/api/2.0/mlflow-artifacts/artifacts/0/m", "0/m"},
        {"https://host/prefix/api/2.0/mlflow-artifacts/artifacts/0/m", "0/m"},
        {"http://host/0/m", NULL},
        {"s3://bucket/0/m", NULL},
        {"file:///0/m", NULL},
        {"/0/m", NULL},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT(text_equal(artifact_path_of_uri(rows[i].uri, arena), rows[i].path));
}

static ArtifactPlace place_of(Scope *scope, const char *path)
{
    ArtifactPlace place;

    EXPECT_OK(artifact_place_find(scope, path, &place), scope->error);
    return place;
}

static void put(Scope *scope, const char *path)
{
    ArtifactPlace place = place_of(scope, path);
    Artifact blob;

    EXPECT_OK(
        artifact_add_bytes(scope->platform->artifacts, path, strlen(path), &blob, &scope->error),
        scope->error);
    EXPECT_OK(artifact_place_put(scope, &place, &blob), scope->error);
}

/* The names as one text: "a b/ c". */
static const char *names_of(Scope *scope, const char *path)
{
    ArtifactPlace place = place_of(scope, path);
    TextBuilder names = {.arena = scope->arena};
    ArtifactNameList list;

    EXPECT_OK(artifact_place_list(scope, &place, &list), scope->error);
    for (size_t i = 0; i < list.count; i++)
        text_append_format(&names, "%s%s%s", i ? " " : "", list.items[i].name,
                           list.items[i].is_folder ? "/" : "");
    return text_built(&names);
}

static Run started(Scope *scope, int64_t experiment_id)
{
    Run run;

    EXPECT_OK(run_create(scope, &(RunSpec){.experiment_id = experiment_id}, &run), scope->error);
    return run;
}

static void test_a_run_s_files_are_where_its_uri_says_and_nowhere_else(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope, 0);
    ArtifactPlace place =
        place_of(scope, arena_format(scope->arena, "0/%s/artifacts/plots/a", run.id));

    EXPECT(place.run_key == run.key);
    EXPECT_TEXT(place.path, "plots/a");
    EXPECT_TEXT(place_of(scope, arena_format(scope->arena, "0/%s/artifacts", run.id)).path, "");
    EXPECT(!place_of(scope, arena_format(scope->arena, "1/%s/artifacts/a", run.id)).run_key);
    EXPECT(!place_of(scope, arena_format(scope->arena, "0/%s/artifactsx", run.id)).run_key);
    EXPECT(!place_of(scope, arena_format(scope->arena, "0/%s", run.id)).run_key);
    EXPECT_OK(artifact_place_below(scope, run.artifact_uri, "a", &place), scope->error);
    EXPECT(place.run_key == run.key);
    EXPECT_FAILS(artifact_place_below(scope, "s3://b/c", "a", &place), scope, ERROR_INVALID,
                 "the files at \"s3://b/c\" are not with this server");
}

static void test_a_folder_lists_one_level_by_name(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    static const char *const files[] = {"m/a/1", "m/a/2/3", "m/a-b", "m/a.txt",
                                        "m/b",   "m/z/1",   "m0"};

    for (size_t i = 0; i < COUNT(files); i++)
        put(scope, files[i]);
    EXPECT_TEXT(names_of(scope, "m"), "a/ a-b a.txt b z/");
    EXPECT_TEXT(names_of(scope, "m/a"), "1 2/");
    EXPECT_TEXT(names_of(scope, "m/b"), "");
    EXPECT_TEXT(names_of(scope, ""), "m/ m0");
}

static void test_a_folder_is_a_tree_of_its_files(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope, 0);
    const char *root = arena_format(scope->arena, "0/%s/artifacts", run.id);
    ArtifactPlace place;
    Artifact listing;
    Tree tree;

    put(scope, arena_format(scope->arena, "%s/model/MLmodel", root));
    put(scope, arena_format(scope->arena, "%s/model/data/model.pkl", root));
    put(scope, arena_format(scope->arena, "%s/model2", root));
    place = place_of(scope, arena_format(scope->arena, "%s/model", root));
    EXPECT_OK(artifact_place_tree(scope, &place, &tree), scope->error);
    EXPECT(tree.count == 2);
    EXPECT_TEXT(tree.items[1].path, "data/model.pkl");
    EXPECT_OK(tree_add(scope->platform->artifacts, &tree, scope->arena, &listing, &scope->error),
              scope->error);
}

static void test_a_deletion_takes_all_below_and_is_in_the_audit_trail(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    ArtifactPlace place = place_of(scope, "m/a");
    EventList events = {0};

    put(scope, "m/a/1");
    put(scope, "m/a/2/3");
    put(scope, "m/ab");
    for (int i = 0; i < 2; i++) /* again there is nothing to delete, nor to record */
        EXPECT_OK(artifact_place_delete(scope, &place), scope->error);
    EXPECT_TEXT(names_of(scope, "m"), "ab");
    EXPECT_OK(event_list(scope, &(EventFilter){.action = "artifacts.deleted"}, &events),
              scope->error);
    EXPECT(events.count == 1);
    EXPECT_TEXT(events.items[0].detail, "{\"path\":\"m/a\",\"file_count\":2}");
}

static void test_a_deleted_run_takes_no_files(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Run run = started(scope, 0);
    const char *path = arena_format(scope->arena, "0/%s/artifacts/a", run.id);
    const char *sentence =
        arena_format(scope->arena, "run \"%s\" is deleted; restore it to change it", run.id);
    ArtifactPlace place, before;
    TreeEntry entry;

    put(scope, path);
    before = place_of(scope, path);
    EXPECT_OK(artifact_place_file(scope, &before, &entry), scope->error);
    EXPECT_OK(run_delete(scope, run.id), scope->error);
    place = place_of(scope, path);
    EXPECT_FAILS(artifact_place_check_put(scope, &place, 1), scope, ERROR_CONFLICT, sentence);
    EXPECT_FAILS(artifact_place_delete(scope, &place), scope, ERROR_CONFLICT, sentence);
    EXPECT_FAILS(artifact_place_put(scope, &before, &(Artifact){{0}, 0}), scope, ERROR_CONFLICT,
                 sentence);
    EXPECT_OK(artifact_place_file(scope, &place, &entry), scope->error);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_path_is_decoded_for_good_and_plain_or_refused),
        TEST(test_a_uri_of_this_server_has_a_path_and_others_have_none),
        TEST(test_a_run_s_files_are_where_its_uri_says_and_nowhere_else),
        TEST(test_a_folder_lists_one_level_by_name),
        TEST(test_a_folder_is_a_tree_of_its_files),
        TEST(test_a_deletion_takes_all_below_and_is_in_the_audit_trail),
        TEST(test_a_deleted_run_takes_no_files),
        {0},
    };
    return test_main(tests, count, names);
}
