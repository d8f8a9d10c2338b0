/* test_artifact_purge.c: what nothing refers to goes, and nothing else, whoever adds meanwhile. */

#include "store/artifact_purge.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/time.h"
#include "tests/test.h"

typedef struct Shed {
    Arena *arena;
    const char *folder;
    ArtifactStore *store;
    Error error;
} Shed;

static Shed shed_open(void)
{
    Shed shed = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", shed.arena, &shed.folder, &shed.error), shed.error);
    shed.store = artifact_store_open(shed.folder, &shed.error);
    EXPECT_OK(shed.store, shed.error);
    return shed;
}

static void shed_close(Shed *shed)
{
    artifact_store_close(shed->store);
    EXPECT_OK(folder_remove(shed->folder, &shed->error), shed->error);
    arena_destroy(shed->arena);
}

static Artifact add(Shed *shed, const char *text)
{
    Artifact artifact;

    EXPECT_OK(artifact_add_bytes(shed->store, text, strlen(text), &artifact, &shed->error),
              shed->error);
    return artifact;
}

/* As if it had been added two hours ago. */
static void age(Shed *shed, const Artifact *artifact)
{
    int64_t then = time_now_ms() / 1000 - 7200;
    struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};

    EXPECT(utimensat(AT_FDCWD, artifact_path(shed->store, artifact->digest, shed->arena), times,
                     0) == 0);
}

static Artifact add_old(Shed *shed, const char *text)
{
    Artifact artifact = add(shed, text);

    age(shed, &artifact);
    return artifact;
}

/* Keeps those of the list, which ends with NULL. */
static ArtifactPurged purge(Shed *shed, const Artifact *const kept[], bool is_rehearsal)
{
    CLEANUP(digest_set_clear) DigestSet set = {0};
    ArtifactPurge spec = {
        .kept = &set, .since = time_now_ms() - ARTIFACT_GRACE_MS, .is_rehearsal = is_rehearsal};
    ArtifactPurged purged = {0};

    for (; *kept; kept++)
        digest_set_add(&set, (*kept)->digest);
    digest_set_sort(&set);
    EXPECT_OK(artifact_purge(shed->store, &spec, &purged, &shed->error), shed->error);
    return purged;
}

static const Artifact *const nothing[] = {NULL};

static void test_what_nothing_refers_to_goes_and_the_rest_stays(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact kept = add_old(&shed, "kept"), left = add_old(&shed, "left"),
             young = add(&shed, "new");
    const Artifact *const list[] = {&kept, NULL};
    ArtifactPurged rehearsed = purge(&shed, list, true);
    ArtifactPurged purged;

    EXPECT(artifact_exists(shed.store, left.digest));
    purged = purge(&shed, list, false);
    EXPECT(memcmp(&rehearsed, &purged, sizeof(purged)) == 0);
    EXPECT(purged.removed.count == 1 && purged.removed.bytes == 4);
    EXPECT(purged.in_use.count == 1 && purged.young.count == 1 && purged.young.bytes == 3);
    EXPECT(artifact_exists(shed.store, kept.digest) && artifact_exists(shed.store, young.digest));
    EXPECT(!artifact_exists(shed.store, left.digest));
    EXPECT(purge(&shed, list, false).removed.count == 0);
}

static void test_what_is_claimed_stays_and_what_is_gone_cannot_be_claimed(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact blob = add_old(&shed, "blob");

    EXPECT_OK(artifact_claim(shed.store, blob.digest, &shed.error), shed.error);
    EXPECT(purge(&shed, nothing, false).removed.count == 0);
    age(&shed, &blob);
    EXPECT(purge(&shed, nothing, false).removed.count == 1);
    EXPECT(!artifact_claim(shed.store, blob.digest, &shed.error));
    EXPECT(shed.error.kind == ERROR_NOT_FOUND);
    EXPECT(!artifact_claim(shed.store, "../../etc", &shed.error));
    EXPECT(shed.error.kind == ERROR_INVALID);
}

static void test_bytes_that_are_added_again_are_claimed(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact blob = add_old(&shed, "blob");
    const char *path = arena_format(shed.arena, "%s/file", shed.folder);

    add(&shed, "blob");
    EXPECT(purge(&shed, nothing, false).removed.count == 0);
    age(&shed, &blob);
    EXPECT_OK(file_write(path, "blob", 4, &shed.error), shed.error);
    EXPECT_OK(artifact_add_file(shed.store, path, &blob, &shed.error), shed.error);
    EXPECT(purge(&shed, nothing, false).removed.count == 0);
}

static void test_the_files_of_a_tree_are_claimed_with_it(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact blob = add_old(&shed, "blob"), tree_blob;
    Tree tree = {0};
    TreeEntry *entry = arena_push(shed.arena, &tree);

    *entry = (TreeEntry){.path = "a", .size = blob.size};
    memcpy(entry->digest, blob.digest, sizeof(entry->digest));
    EXPECT_OK(tree_add(shed.store, &tree, shed.arena, &tree_blob, &shed.error), shed.error);
    EXPECT(purge(&shed, nothing, false).removed.count == 0);
    age(&shed, &blob);
    EXPECT_OK(tree_claim(shed.store, &tree, &shed.error), shed.error);
    EXPECT(purge(&shed, nothing, false).removed.count == 0);
    age(&shed, &blob);
    EXPECT(purge(&shed, nothing, false).removed.count == 1);
    EXPECT(!tree_claim(shed.store, &tree, &shed.error) && strstr(shed.error.message, "(\"a\")"));
    EXPECT(!tree_add(shed.store, &tree, shed.arena, &tree_blob, &shed.error));
}

static void test_only_blobs_are_looked_at(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact blob = add_old(&shed, "blob");
    const char *path = artifact_path(shed.store, blob.digest, shed.arena);
    const char *beside = arena_format(shed.arena, "%s.1.partial", path);
    const char *note = arena_format(shed.arena, "%s/note", shed.folder);
    ArtifactPurged purged;

    EXPECT_OK(file_write(beside, "blo", 3, &shed.error), shed.error);
    EXPECT_OK(file_write(note, "mine", 4, &shed.error), shed.error);
    purged = purge(&shed, nothing, false);
    EXPECT(purged.removed.count == 1 && purged.young.count == 0);
    EXPECT(file_exists(beside) && file_exists(note));
}

static void test_a_purge_that_is_stopped_says_so(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact blob = add_old(&shed, "blob");
    CLEANUP(digest_set_clear) DigestSet set = {0};
    atomic_bool stopped = true;
    ArtifactPurge spec = {.kept = &set, .since = time_now_ms(), .stopped = &stopped};
    ArtifactPurged purged = {0};

    EXPECT(!artifact_purge(shed.store, &spec, &purged, &shed.error));
    EXPECT(shed.error.kind == ERROR_UNAVAILABLE && artifact_exists(shed.store, blob.digest));
}

static void test_a_set_has_what_was_added_and_what_a_text_names(void)
{
    CLEANUP(digest_set_clear) DigestSet set = {0};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char digest[DIGEST_TEXT_SIZE], other[DIGEST_TEXT_SIZE];

    for (int i = 0; i < 5000; i++)
        digest_set_add(&set, digest_bytes(&(int){i % 1500}, sizeof(i), digest));
    digest_bytes("x", 1, digest);
    digest_bytes("y", 1, other);
    digest_set_add_found(&set, arena_format(arena, "[{\"digest\":\"%s\"},\"%s0\"]", digest, other));
    EXPECT(set.room <= 4096);
    digest_set_sort(&set);
    EXPECT(set.count == 1501 && digest_set_has(&set, digest) && !digest_set_has(&set, other));
    for (int i = 0; i < 1500; i++)
        EXPECT(digest_set_has(&set, digest_bytes(&i, sizeof(i), digest)));
}

/* ---- limits ---- */

static void test_what_is_there_is_counted_and_kept_up_to_date(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact first = add_old(&shed, "first");

    EXPECT(!artifact_store_usage(shed.store).is_counted);
    EXPECT_OK(artifact_store_count(shed.store, NULL, &shed.error), shed.error);
    EXPECT(artifact_store_usage(shed.store).is_counted);
    EXPECT(artifact_store_usage(shed.store).bytes == 5);
    add(&shed, "second");
    add(&shed, "second");
    EXPECT(artifact_store_usage(shed.store).bytes == 11);
    EXPECT(truncate(artifact_path(shed.store, first.digest, shed.arena), 4) == 0);
    add(&shed, "first");
    EXPECT(artifact_store_usage(shed.store).bytes == 12); /* one more than it was cut to */
    age(&shed, &first);
    purge(&shed, nothing, false);
    EXPECT(artifact_store_usage(shed.store).bytes == 7);
}

static void test_nothing_is_added_that_takes_the_store_over_its_limit(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Artifact refused;

    EXPECT_OK(artifact_store_count(shed.store, NULL, &shed.error), shed.error);
    artifact_store_limit(shed.store, 10);
    add(&shed, "123456");
    EXPECT(!artifact_add_bytes(shed.store, "12345", 5, &refused, &shed.error));
    EXPECT(shed.error.kind == ERROR_NO_ROOM && error_http_status(&shed.error) == 507);
    EXPECT_TEXT(shed.error.message, "the artifact store may hold 10 bytes and has 6: there is no "
                                    "room for 5 more");
    add(&shed, "123456");
    add(&shed, "1234");
    EXPECT(artifact_store_usage(shed.store).bytes == 10);
    EXPECT(!artifact_store_check_room(shed.store, 1, &shed.error));
    artifact_store_limit(shed.store, 0);
    add(&shed, "12345");
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 200, TEXTS = 8 };

typedef struct Crowd {
    ArtifactStore *store;
    atomic_bool ended;
    atomic_int lost;
} Crowd;

static const char *const texts[TEXTS] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void *use(void *context)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Crowd *crowd = context;
    unsigned seed = (unsigned)(uintptr_t)&arena;

    for (int i = 0; i < ROUNDS; i++) {
        Artifact artifact;
        Error error = {0};

        if (!artifact_add_bytes(crowd->store, texts[rand_r(&seed) % TEXTS], 1, &artifact, &error))
            atomic_fetch_add(&crowd->lost, 1);
    }
    return NULL;
}

static void *purge_all(void *context)
{
    CLEANUP(digest_set_clear) DigestSet set = {0};
    Crowd *crowd = context;

    do {
        ArtifactPurge spec = {.kept = &set, .since = time_now_ms() - ARTIFACT_GRACE_MS};
        ArtifactPurged purged = {0};
        Error error = {0};

        if (!artifact_purge(crowd->store, &spec, &purged, &error))
            atomic_fetch_add(&crowd->lost, 1);
    } while (!atomic_load(&crowd->ended));
    return NULL;
}

static void *grow_old(void *context)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Crowd *crowd = context;
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    char digest[DIGEST_TEXT_SIZE];

    for (size_t i = 0; !atomic_load(&crowd->ended); i++) {
        utimensat(AT_FDCWD,
                  artifact_path(crowd->store, digest_bytes(texts[i % TEXTS], 1, digest), arena),
                  times, 0);
        time_sleep_ms(1);
    }
    return NULL;
}

static void run_crowd(Crowd *crowd, void *(*rival)(void *), void *(*other)(void *))
{
    pthread_t users[THREADS], rivals[2];

    EXPECT(pthread_create(&rivals[0], NULL, rival, crowd) == 0);
    EXPECT(!other || pthread_create(&rivals[1], NULL, other, crowd) == 0);
    for (size_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&users[i], NULL, use, crowd) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(users[i], NULL);
    atomic_store(&crowd->ended, true);
    pthread_join(rivals[0], NULL);
    if (other)
        pthread_join(rivals[1], NULL);
}

/* Whoever was promised a blob finds it when all have ended: it was old when they began. */
typedef struct Promise {
    Crowd *crowd;
    bool adds; /* or claims */
    bool has[TEXTS];
} Promise;

static void *take(void *context)
{
    Promise *promise = context;
    ArtifactStore *store = promise->crowd->store;

    for (size_t i = 0; i < TEXTS; i++) {
        char digest[DIGEST_TEXT_SIZE];
        Artifact artifact;
        Error error = {0};

        promise->has[i] = promise->adds
                              ? artifact_add_bytes(store, texts[i], 1, &artifact, &error)
                              : artifact_claim(store, digest_bytes(texts[i], 1, digest), &error);
        if (promise->adds && !promise->has[i])
            atomic_fetch_add(&promise->crowd->lost, 1);
    }
    return NULL;
}

static void keep_promises(Shed *shed)
{
    Crowd crowd = {.store = shed->store, .ended = true};
    Promise promises[] = {{&crowd, false, {0}}, {&crowd, true, {0}}};
    pthread_t threads[3];
    char digest[DIGEST_TEXT_SIZE];

    EXPECT(pthread_create(&threads[0], NULL, purge_all, &crowd) == 0);
    EXPECT(pthread_create(&threads[1], NULL, take, &promises[0]) == 0);
    EXPECT(pthread_create(&threads[2], NULL, take, &promises[1]) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    EXPECT(atomic_load(&crowd.lost) == 0);
    for (size_t i = 0; i < TEXTS; i++)
        EXPECT((!promises[0].has[i] && !promises[1].has[i]) ||
               artifact_exists(shed->store, digest_bytes(texts[i], 1, digest)));
}

static void test_whoever_adds_or_claims_beside_a_purge_has_it(void)
{
    enum { TURNS = 40 };
    CLEANUP(shed_close) Shed shed = shed_open();

    for (int turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < TEXTS; i++)
            add_old(&shed, texts[i]);
        keep_promises(&shed);
    }
}

static void *count_blobs(void *context)
{
    Crowd *crowd = context;
    Error error = {0};

    if (!artifact_store_count(crowd->store, NULL, &error))
        atomic_fetch_add(&crowd->lost, 1);
    return NULL;
}

static void test_a_count_beside_additions_and_purges_is_exact(void)
{
    CLEANUP(shed_close) Shed shed = shed_open();
    Crowd crowd = {.store = shed.store};
    ArtifactPurged purged;

    add(&shed, "more than a letter");
    run_crowd(&crowd, count_blobs, NULL);
    EXPECT(artifact_store_usage(shed.store).bytes == 18 + TEXTS);
    crowd.ended = false;
    run_crowd(&crowd, purge_all, grow_old);
    purged = purge(&shed, nothing, true);
    EXPECT(artifact_store_usage(shed.store).bytes == purged.removed.bytes + purged.young.bytes);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_what_nothing_refers_to_goes_and_the_rest_stays),
        TEST(test_what_is_claimed_stays_and_what_is_gone_cannot_be_claimed),
        TEST(test_bytes_that_are_added_again_are_claimed),
        TEST(test_the_files_of_a_tree_are_claimed_with_it),
        TEST(test_only_blobs_are_looked_at),
        TEST(test_a_purge_that_is_stopped_says_so),
        TEST(test_a_set_has_what_was_added_and_what_a_text_names),
        TEST(test_what_is_there_is_counted_and_kept_up_to_date),
        TEST(test_nothing_is_added_that_takes_the_store_over_its_limit),
        TEST(test_whoever_adds_or_claims_beside_a_purge_has_it),
        TEST(test_a_count_beside_additions_and_purges_is_exact),
        {0},
    };

    return test_main(tests, count, names);
}
