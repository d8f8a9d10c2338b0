/* test_artifact.c: blobs and trees: the bytes that went in, or an error, and no rubbish. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/artifact.h"
#include "tests/test.h"

typedef struct Shed {
    Arena *arena;
    const char *folder, *blobs;
    ArtifactStore *store;
    Error error;
} Shed;

static Shed shed_open(void)
{
    Shed shed = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", shed.arena, &shed.folder, &shed.error), shed.error);
    shed.blobs = arena_format(shed.arena, "%s/artifacts", shed.folder);
    shed.store = artifact_store_open(shed.blobs, &shed.error);
    EXPECT_OK(shed.store, shed.error);
    return shed;
}

static void shed_close(Shed *shed)
{
    artifact_store_close(shed->store);
    EXPECT_OK(folder_remove(shed->folder, &shed->error), shed->error);
    arena_destroy(shed->arena);
}

static size_t count_files(Shed *shed, const char *folder)
{
    TextList paths;

    EXPECT_OK(folder_walk(folder, shed->arena, &paths, &shed->error), shed->error);
    return paths.count;
}

static Artifact add(Shed *shed, const char *text)
{
    Artifact artifact;

    EXPECT_OK(artifact_add_bytes(shed->store, text, strlen(text), &artifact, &shed->error),
              shed->error);
    return artifact;
}

static const char *write_beside(Shed *shed, const char *name, const char *text)
{
    const char *path = arena_format(shed->arena, "%s/%s", shed->folder, name);

    EXPECT_OK(folder_make(path_folder(path, shed->arena), &shed->error), shed->error);
    EXPECT_OK(file_write(path, text, strlen(text), &shed->error), shed->error);
    return path;
}

static void damage(Shed *shed, const char *digest)
{
    FILE *file = fopen(artifact_path(shed->store, digest, shed->arena), "r+b");

    EXPECT(file && fputc('X', file) == 'X');
    fclose(file);
}

static void test_the_same_bytes_are_kept_once_under_their_digest(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact once = add(&shed, "hello"), twice = add(&shed, "hello"), filed;
    const char *bytes, *path = write_beside(&shed, "file", "hello");
    size_t size;

    EXPECT_TEXT(once.digest, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    EXPECT_TEXT(twice.digest, once.digest);
    EXPECT_OK(artifact_add_file(shed.store, path, &filed, &shed.error), shed.error);
    EXPECT_TEXT(filed.digest, once.digest);
    EXPECT(filed.size == 5 && once.size == 5 && file_exists(path));
    EXPECT(count_files(&shed, shed.blobs) == 1);
    EXPECT_OK(artifact_read(shed.store, once.digest, 5, shed.arena, &bytes, &size, &shed.error),
              shed.error);
    EXPECT(size == 5 && memcmp(bytes, "hello", 5) == 0);
}

static void test_a_file_that_is_taken_is_moved_and_the_same_bytes_are_kept_once(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *first = write_beside(&shed, "first", "hello");
    const char *second = write_beside(&shed, "second", "hello");
    Artifact taken, again, bytes = {.size = 42};

    EXPECT_OK(artifact_take_file(shed.store, first, &taken, &shed.error), shed.error);
    EXPECT_TEXT(taken.digest, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    EXPECT(taken.size == 5 && artifact_exists(shed.store, taken.digest) && !file_exists(first));
    damage(&shed, taken.digest);
    EXPECT_OK(artifact_take_file(shed.store, second, &again, &shed.error), shed.error);
    EXPECT_TEXT(again.digest, taken.digest);
    EXPECT_OK(artifact_check(shed.store, &again, &shed.error), shed.error);
    EXPECT(!artifact_take_file(shed.store, second, &bytes, &shed.error));
    EXPECT(shed.error.kind == ERROR_NOT_FOUND && bytes.size == 42);
    EXPECT(count_files(&shed, shed.folder) == 1);
}

static void test_joined_files_are_one_blob_and_stay_where_they_are(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    TextList paths = {0};
    Artifact joined;
    char digest[DIGEST_TEXT_SIZE];

    text_list_add(&paths, shed.arena, write_beside(&shed, "1", "hel"));
    text_list_add(&paths, shed.arena, write_beside(&shed, "2", ""));
    text_list_add(&paths, shed.arena, write_beside(&shed, "3", "lo"));
    EXPECT_OK(artifact_add_joined(shed.store, &paths, &joined, &shed.error), shed.error);
    EXPECT_TEXT(joined.digest, digest_bytes("hello", 5, digest));
    EXPECT(joined.size == 5 && count_files(&shed, shed.folder) == 4);
    text_list_add(&paths, shed.arena, "/nowhere/at/all");
    EXPECT(!artifact_add_joined(shed.store, &paths, &joined, &shed.error));
    EXPECT(count_files(&shed, shed.folder) == 4);
}

static void test_many_files_are_added_together_each_under_its_digest(void)
{
    enum { COUNT_OF_FILES = 300 };
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact added[COUNT_OF_FILES];
    TextList paths = {0};
    char digest[DIGEST_TEXT_SIZE];

    for (int i = 0; i < COUNT_OF_FILES; i++) {
        const char *text = arena_format(shed.arena, "%d", i / 2); /* each twice */

        text_list_add(&paths, shed.arena,
                      write_beside(&shed, arena_format(shed.arena, "made/%d", i), text));
    }
    EXPECT_OK(artifact_add_files(shed.store, &paths, added, &shed.error), shed.error);
    for (int i = 0; i < COUNT_OF_FILES; i++) {
        const char *text = arena_format(shed.arena, "%d", i / 2);

        EXPECT_TEXT(added[i].digest, digest_bytes(text, strlen(text), digest));
        EXPECT_OK(artifact_check(shed.store, &added[i], &shed.error), shed.error);
    }
    EXPECT(count_files(&shed, shed.blobs) == COUNT_OF_FILES / 2);
}

static void test_of_files_one_of_which_is_missing_no_copy_is_left(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact added[2];
    TextList paths = {0};

    text_list_add(&paths, shed.arena, write_beside(&shed, "there", "there"));
    text_list_add(&paths, shed.arena, "/nowhere/at/all");
    EXPECT(!artifact_add_files(shed.store, &paths, added, &shed.error));
    EXPECT(shed.error.kind == ERROR_NOT_FOUND && count_files(&shed, shed.blobs) == 0);
}

static void test_a_sweep_leaves_a_folder_for_every_blob(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    TextList names;

    EXPECT_OK(artifact_store_sweep(shed.store, &shed.error), shed.error);
    EXPECT_OK(folder_list(shed.blobs, shed.arena, &names, &shed.error), shed.error);
    EXPECT(names.count == 256);
    EXPECT_TEXT(names.items[0], "00");
    EXPECT_TEXT(names.items[255], "ff");
}

static void test_a_damaged_blob_is_found_when_it_is_read(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact artifact = add(&shed, "hello");
    const char *bytes = NULL;
    size_t size;

    damage(&shed, artifact.digest);
    EXPECT(
        !artifact_read(shed.store, artifact.digest, 100, shed.arena, &bytes, &size, &shed.error));
    EXPECT(shed.error.kind == ERROR_INTERNAL && strstr(shed.error.message, "is damaged"));
    EXPECT(bytes == NULL);
}

static void expect_hello(Shed *shed, const Artifact *artifact)
{
    const char *bytes;
    size_t size;

    EXPECT_OK(
        artifact_read(shed->store, artifact->digest, 5, shed->arena, &bytes, &size, &shed->error),
        shed->error);
    EXPECT(size == 5 && memcmp(bytes, "hello", 5) == 0);
}

static void test_adding_the_bytes_of_a_damaged_blob_again_heals_it(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *path = write_beside(&shed, "file", "hello");
    Artifact artifact = add(&shed, "hello");

    damage(&shed, artifact.digest);
    add(&shed, "hello");
    expect_hello(&shed, &artifact);
    EXPECT(truncate(artifact_path(shed.store, artifact.digest, shed.arena), 2) == 0);
    EXPECT_OK(artifact_add_file(shed.store, path, &artifact, &shed.error), shed.error);
    expect_hello(&shed, &artifact);
    EXPECT(count_files(&shed, shed.blobs) == 1);
}

static void test_what_killed_additions_left_is_swept_and_blobs_stay(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact artifact = add(&shed, "hello");
    const char *blob = artifact_path(shed.store, artifact.digest, shed.arena);

    write_beside(&shed, "artifacts/.1.partial", "hel");
    write_beside(&shed, "artifacts/.1.partial.2.partial", "hel");
    EXPECT_OK(file_write(arena_format(shed.arena, "%s.3.partial", blob), "h", 1, &shed.error),
              shed.error);
    EXPECT(count_files(&shed, shed.blobs) == 4);
    EXPECT_OK(artifact_store_sweep(shed.store, &shed.error), shed.error);
    EXPECT(count_files(&shed, shed.blobs) == 1);
    expect_hello(&shed, &artifact);
}

static void test_what_is_no_digest_missing_or_too_large_is_refused(void)
{
    static const char *const wrong[] = {"", "ab", "../../../etc/passwd",
                                        ("2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E7304336"
                                         "2938B9824")};
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact artifact = add(&shed, "hello");
    const char *bytes;
    size_t size;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        EXPECT(!artifact_exists(shed.store, wrong[i]));
        EXPECT(!artifact_read(shed.store, wrong[i], 100, shed.arena, &bytes, &size, &shed.error));
        EXPECT(shed.error.kind == ERROR_INVALID);
    }
    EXPECT(!artifact_read(shed.store, artifact.digest, 4, shed.arena, &bytes, &size, &shed.error));
    EXPECT(shed.error.kind == ERROR_TOO_LARGE);
    artifact.digest[0] ^= 1;
    EXPECT(!artifact_read(shed.store, artifact.digest, 4, shed.arena, &bytes, &size, &shed.error));
    EXPECT(shed.error.kind == ERROR_NOT_FOUND);
}

static void test_a_file_that_cannot_be_read_leaves_nothing_behind(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact artifact = {.size = 42};

    EXPECT(!artifact_add_file(shed.store, "/nowhere/at/all", &artifact, &shed.error));
    EXPECT(shed.error.kind == ERROR_NOT_FOUND);
    EXPECT(!artifact_add_file(shed.store, shed.folder, &artifact, &shed.error));
    EXPECT(artifact.size == 42 && count_files(&shed, shed.blobs) == 0);
}

/* Stands in for a full disk: writing past the limit fails half-way through the file. */
static void test_a_write_that_breaks_off_leaves_nothing_behind(void)
{
    enum { ALLOWED_BYTES = 4096, BYTES = 100000 };
    CLEANUP(shed_close) Shed shed = shed_open();
    const struct rlimit limit = {ALLOWED_BYTES, ALLOWED_BYTES};
    char *bytes = arena_alloc(shed.arena, BYTES, 1);
    const char *path = arena_format(shed.arena, "%s/big", shed.folder);
    Artifact artifact = {.size = 42};

    EXPECT_OK(file_write(path, bytes, BYTES, &shed.error), shed.error);
    signal(SIGXFSZ, SIG_IGN);
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    EXPECT(!artifact_add_bytes(shed.store, bytes, BYTES, &artifact, &shed.error));
    EXPECT(!artifact_add_file(shed.store, path, &artifact, &shed.error));
    EXPECT(shed.error.kind != ERROR_NONE && artifact.size == 42);
    EXPECT(count_files(&shed, shed.blobs) == 0);
}

static void test_a_folder_that_cannot_be_written_leaves_nothing_behind(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *path = write_beside(&shed, "file", "hello");
    Artifact artifact;

    if (geteuid() == 0) {
        printf("SKIP the administrator may write anywhere\n");
        return;
    }
    EXPECT(chmod(shed.blobs, 0500) == 0);
    EXPECT(!artifact_add_bytes(shed.store, "hello", 5, &artifact, &shed.error));
    EXPECT(!artifact_add_file(shed.store, path, &artifact, &shed.error));
    EXPECT(chmod(shed.blobs, 0700) == 0);
    EXPECT(count_files(&shed, shed.blobs) == 0);
}

/* The place of the blob is taken by a folder, so the last step, the rename, is what fails. */
static void test_a_rename_that_fails_leaves_nothing_behind(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *path = write_beside(&shed, "file", "hello");
    char digest[DIGEST_TEXT_SIZE];
    Artifact artifact;

    digest_bytes("hello", 5, digest);
    EXPECT_OK(folder_make(artifact_path(shed.store, digest, shed.arena), &shed.error), shed.error);
    EXPECT(!artifact_add_bytes(shed.store, "hello", 5, &artifact, &shed.error));
    EXPECT(!artifact_add_file(shed.store, path, &artifact, &shed.error));
    EXPECT(!file_copy(path, shed.blobs, &shed.error));
    EXPECT(count_files(&shed, shed.folder) == 1);
}

static Artifact add_folder(Shed *shed, const char *name)
{
    Artifact tree;

    EXPECT_OK(tree_add_folder(shed->store, arena_format(shed->arena, "%s/%s", shed->folder, name),
                              shed->arena, &tree, &shed->error),
              shed->error);
    return tree;
}

static void test_a_tree_comes_out_as_it_went_in(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *target = arena_format(shed.arena, "%s/out", shed.folder), *bytes;
    Artifact artifact;
    size_t size;
    Tree tree;

    write_beside(&shed, "in/b.txt", "second");
    write_beside(&shed, "in/ a space first", "third");
    write_beside(&shed, "in/folder/caf\xc3\xa9", "");
    artifact = add_folder(&shed, "in");
    EXPECT_OK(tree_read(shed.store, artifact.digest, shed.arena, &tree, &shed.error), shed.error);
    EXPECT(tree.count == 3);
    EXPECT_TEXT(tree.items[0].path, " a space first");
    EXPECT(tree_find(&tree, "b.txt")->size == 6 && !tree_find(&tree, "c.txt"));
    EXPECT_OK(tree_extract(shed.store, artifact.digest, target, &shed.error), shed.error);
    EXPECT_OK(file_read(arena_format(shed.arena, "%s/ a space first", target), 100, shed.arena,
                        &bytes, &size, &shed.error),
              shed.error);
    EXPECT_TEXT(bytes, "third");
    EXPECT_TEXT(add_folder(&shed, "out").digest, artifact.digest);
}

static void test_a_tree_is_whole_only_with_each_file_of_its_digest_and_size(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact artifact;
    Tree tree;

    write_beside(&shed, "in/a", "first");
    write_beside(&shed, "in/b", "second");
    artifact = add_folder(&shed, "in");
    EXPECT_OK(tree_read(shed.store, artifact.digest, shed.arena, &tree, &shed.error), shed.error);
    EXPECT_OK(tree_check(shed.store, &tree, &shed.error), shed.error);
    tree.items[1].size++;
    EXPECT(!tree_check(shed.store, &tree, &shed.error));
    EXPECT(strstr(shed.error.message, "file \"b\"") &&
           strstr(shed.error.message, "has 6 bytes, not 7"));
    damage(&shed, tree.items[0].digest);
    EXPECT(!tree_check(shed.store, &tree, &shed.error));
    EXPECT(strstr(shed.error.message, "file \"a\"") && strstr(shed.error.message, "is damaged"));
    EXPECT(remove(artifact_path(shed.store, tree.items[0].digest, shed.arena)) == 0);
    EXPECT(!tree_check(shed.store, &tree, &shed.error));
    EXPECT(strstr(shed.error.message, "is not in the store"));
}

static void test_an_empty_folder_is_a_tree_too(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact artifact;
    Tree tree = {.count = 9};

    EXPECT_OK(folder_make(arena_format(shed.arena, "%s/in", shed.folder), &shed.error), shed.error);
    artifact = add_folder(&shed, "in");
    EXPECT_OK(tree_read(shed.store, artifact.digest, shed.arena, &tree, &shed.error), shed.error);
    EXPECT(tree.count == 0);
}

static TreeEntry entry_of(const Artifact *artifact, const char *path)
{
    TreeEntry entry = {.path = path, .size = artifact->size};

    memcpy(entry.digest, artifact->digest, sizeof(entry.digest));
    return entry;
}

static void test_a_listing_is_sorted_and_refuses_what_cannot_be(void)
{
    static const char *const hostile[] = {"../up", "/etc/passwd", "a//b", "", "a/", "line\nbreak"};
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact blob = add(&shed, "hello"), forward, backward, missing = blob;
    TreeEntry items[] = {entry_of(&blob, "b"), entry_of(&blob, "a")};
    TreeEntry same[] = {entry_of(&blob, "a"), entry_of(&blob, "b")};
    Tree tree = {items, 2};

    EXPECT_OK(tree_add(shed.store, &tree, shed.arena, &backward, &shed.error), shed.error);
    tree.items = same;
    EXPECT_OK(tree_add(shed.store, &tree, shed.arena, &forward, &shed.error), shed.error);
    EXPECT_TEXT(forward.digest, backward.digest);
    same[1].path = "a";
    EXPECT(!tree_add(shed.store, &tree, shed.arena, &forward, &shed.error));
    EXPECT_TEXT(shed.error.message, "\"a\" is listed twice");
    for (size_t i = 0; i < COUNT(hostile); i++) {
        same[0].path = hostile[i];
        same[1].path = "z";
        EXPECT(!tree_add(shed.store, &tree, shed.arena, &forward, &shed.error));
        EXPECT(shed.error.kind == ERROR_INVALID);
    }
    missing.digest[0] ^= 1;
    same[0] = entry_of(&missing, "a");
    EXPECT(!tree_add(shed.store, &tree, shed.arena, &forward, &shed.error));
    EXPECT(shed.error.kind == ERROR_NOT_FOUND);
}

#define HEAD  "slipway-tree 1\n"
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* Anyone who may upload a file may upload one that reads like a listing. */
static void test_a_hostile_listing_is_refused_and_writes_nothing(void)
{
    static const char *const listings[] = {
        "not a tree\n",
        HEAD HELLO " 5 ../up\n",
        HEAD HELLO " 5 /tmp/absolute\n",
        HEAD HELLO " 5 a/../../up\n",
        HEAD HELLO " 5 \n",
        HEAD HELLO " 5\n",
        HEAD HELLO " -5 a\n",
        HEAD HELLO " +5 a\n",
        HEAD HELLO "  5 a\n",
        HEAD HELLO " 99999999999999999999 a\n",
        HEAD HELLO " x a\n",
        HEAD "2cf24d 5 a\n",
        HEAD "../../../../../../../../../../../../../../../../../../../../../up! 5 a\n",
        HEAD HELLO " 5 b\n" HELLO " 5 a\n",
        HEAD HELLO " 5 a\n" HELLO " 5 a\n",
        HEAD HELLO " 5 a\n\n",
        HEAD HELLO " 5 a",
        HEAD HELLO " 5 a\r\n",
    };
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *target = arena_format(shed.arena, "%s/out", shed.folder);

    add(&shed, "hello");
    for (size_t i = 0; i < COUNT(listings); i++) {
        Artifact listing = add(&shed, listings[i]);

        if (tree_extract(shed.store, listing.digest, target, &shed.error))
            fprintf(stderr, "taken: %s\n", listings[i]);
        EXPECT(shed.error.kind == ERROR_INVALID);
        shed.error = (Error){0};
    }
    EXPECT(!folder_exists(target));
}

static void test_a_listing_with_a_nul_in_it_is_refused(void)
{
    static const char listing[] = HEAD HELLO " 5 a\n\0" HELLO " 5 b\n";
    CLEANUP(shed_close) Shed shed = shed_open();
    Tree tree;

    EXPECT(!tree_parse(listing, sizeof(listing) - 1, shed.arena, &tree, &shed.error));
}

static void test_extracting_a_damaged_file_fails_without_leaving_it(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    const char *target = arena_format(shed.arena, "%s/out", shed.folder);
    Artifact tree;

    write_beside(&shed, "in/a", "hello");
    tree = add_folder(&shed, "in");
    damage(&shed, HELLO);
    EXPECT(!tree_extract(shed.store, tree.digest, target, &shed.error));
    EXPECT(strstr(shed.error.message, "\"a\" is damaged"));
    EXPECT(count_files(&shed, target) == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_same_bytes_are_kept_once_under_their_digest),
        TEST(test_a_file_that_is_taken_is_moved_and_the_same_bytes_are_kept_once),
        TEST(test_joined_files_are_one_blob_and_stay_where_they_are),
        TEST(test_a_damaged_blob_is_found_when_it_is_read),
        TEST(test_adding_the_bytes_of_a_damaged_blob_again_heals_it),
        TEST(test_what_killed_additions_left_is_swept_and_blobs_stay),
        TEST(test_what_is_no_digest_missing_or_too_large_is_refused),
        TEST(test_a_file_that_cannot_be_read_leaves_nothing_behind),
        TEST(test_a_write_that_breaks_off_leaves_nothing_behind),
        TEST(test_a_folder_that_cannot_be_written_leaves_nothing_behind),
        TEST(test_a_rename_that_fails_leaves_nothing_behind),
        TEST(test_a_tree_comes_out_as_it_went_in),
        TEST(test_a_tree_is_whole_only_with_each_file_of_its_digest_and_size),
        TEST(test_an_empty_folder_is_a_tree_too),
        TEST(test_many_files_are_added_together_each_under_its_digest),
        TEST(test_of_files_one_of_which_is_missing_no_copy_is_left),
        TEST(test_a_sweep_leaves_a_folder_for_every_blob),
        TEST(test_a_listing_is_sorted_and_refuses_what_cannot_be),
        TEST(test_a_hostile_listing_is_refused_and_writes_nothing),
        TEST(test_a_listing_with_a_nul_in_it_is_refused),
        TEST(test_extracting_a_damaged_file_fails_without_leaving_it),
        {0},
    };
    return test_main(tests, count, names);
}
