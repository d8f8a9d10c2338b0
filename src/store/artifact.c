#include "store/artifact.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/id.h"
#include "store/artifact_internal.h"

ArtifactStore *artifact_store_open(const char *folder, Error *error)
{
    return artifact_store_open_guest(folder, folder, error);
}

ArtifactStore *artifact_store_open_guest(const char *folder, const char *own_folder, Error *error)
{
    ArtifactStore *store;

    /* Steps open it to read alone: they must not need to write. */
    if (!folder_exists(folder) && !folder_make(folder, error))
        return NULL;
    store = calloc(1, sizeof(*store));
    if (!store || !(store->folder = strdup(folder)) || !(store->partials = strdup(own_folder)))
        out_of_memory();
    pthread_mutex_init(&store->making, NULL);
    artifact_room_open(&store->room);
    return store;
}

void artifact_store_close(ArtifactStore *store)
{
    if (!store)
        return;
    pthread_mutex_destroy(&store->making);
    artifact_room_close(&store->room);
    free(store->folder);
    free(store->partials);
    free(store);
}

/* Looks at names alone: asking for each blob's kind would hold up the start of a large store. */
static bool sweep_folder(const char *folder, bool has_folders, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextList names;

    if (!folder_list(folder, arena, &names, error))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = arena_format(arena, "%s/%s", folder, names.items[i]);

        if (text_has_suffix(path, ".partial") && unlink(path) != 0)
            return fail_errno(error, "remove", path);
        if (has_folders && folder_exists(path) && !sweep_folder(path, false, error))
            return false;
    }
    return true;
}

static bool make_folders(const ArtifactStore *store, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (unsigned i = 0; i < ARTIFACT_FOLDERS; i++) {
        const char *path = arena_format(arena, "%s/%02x", store->folder, i);

        if (!folder_exists(path) && !folder_make(path, error))
            return false;
    }
    return folder_flush(store->folder, error);
}

bool artifact_store_sweep(ArtifactStore *store, Error *error)
{
    return sweep_folder(store->folder, true, error) && make_folders(store, error);
}

/* Two levels, so that no folder gets more than a few thousand entries: ab/cdef... */
const char *artifact_path(const ArtifactStore *store, const char *digest, Arena *arena)
{
    assert(digest_is_valid(digest));
    return arena_format(arena, "%s/%.2s/%s", store->folder, digest, digest + 2);
}

bool artifact_exists(const ArtifactStore *store, const char *digest)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return digest_is_valid(digest) && file_exists(artifact_path(store, digest, arena));
}

/* A new folder is on the disk before any thread adds to it. */
static bool make_room(ArtifactStore *store, const char *digest, Arena *arena, const char **path,
                      Error *error)
{
    const char *folder;
    bool done;

    *path = artifact_path(store, digest, arena);
    folder = path_folder(*path, arena);
    pthread_mutex_lock(&store->making);
    done =
        folder_exists(folder) || (folder_make(folder, error) && folder_flush(store->folder, error));
    pthread_mutex_unlock(&store->making);
    return done;
}

/* Whether its bytes are there and whole, and stay for now. Reading them costs less than writing
 * them again would, so it is no dearer to look than not to. */
static bool claim_whole(ArtifactStore *store, const Artifact *artifact)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *path = artifact_path(store, artifact->digest, arena);
    char digest[DIGEST_TEXT_SIZE];
    int64_t size;
    Error ignored = {0};

    return artifact_claim(store, artifact->digest, &ignored) && file_size(path, &size, &ignored) &&
           size == artifact->size && digest_file(path, digest, &ignored) &&
           strcmp(digest, artifact->digest) == 0;
}

/* What is there already may be so since a moment ago, or since an attempt that failed on its last
 * step: it is a promise only once its folder is flushed. */
static bool flush_place(const ArtifactStore *store, const char *digest, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return folder_flush(path_folder(artifact_path(store, digest, arena), arena), error);
}

static bool put(ArtifactStore *store, const Artifact *artifact, const char *file, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *target;

    return make_room(store, artifact->digest, arena, &target, error) &&
           file_move(file, target, error);
}

/* Moves a file of this process alone to the place of the blob, unless its bytes are there. The
 * folder is still to be flushed: flush_place(). */
static bool settle(ArtifactStore *store, const Artifact *artifact, const char *file, Error *error)
{
    ArtifactPlacing placing = {.artifact = artifact};
    bool done;

    if (claim_whole(store, artifact))
        return true;
    if (!artifact_placing_begin(store, &placing, error))
        return false;
    if (placing.has_waited && claim_whole(store, artifact)) {
        artifact_placing_end(store, &placing, false);
        return true;
    }
    done = put(store, artifact, file, error);
    artifact_placing_end(store, &placing, done);
    return done;
}

static const char *name_partial(const ArtifactStore *store, Arena *arena)
{
    char id[ID_TEXT_SIZE];

    return arena_format(arena, "%s/.%s.partial", store->partials, id_random(id));
}

bool artifact_add_bytes(ArtifactStore *store, const char *bytes, size_t size, Artifact *artifact,
                        Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *made = name_partial(store, arena);
    Artifact added = {.size = (int64_t)size};
    bool done;

    digest_bytes(bytes, size, added.digest);
    done = claim_whole(store, &added) ||
           (file_make(made, bytes, size, error) && settle(store, &added, made, error));
    done = done && flush_place(store, added.digest, error);
    remove(made); /* gone already if it was moved, or never made */
    if (done)
        *artifact = added;
    return done;
}

/* The digest is taken from the copy, so that a file that changes meanwhile cannot land under a name
 * that is not its own. */
static bool settle_own(ArtifactStore *store, const char *copy, Artifact *artifact, Error *error)
{
    Artifact added;

    CRASH_POINT("artifact: copied, not in its place");
    if (!digest_file(copy, added.digest, error) || !file_size(copy, &added.size, error) ||
        !settle(store, &added, copy, error))
        return false;
    CRASH_POINT("artifact: in its place");
    *artifact = added;
    return true;
}

static bool add_own(ArtifactStore *store, const char *copy, Artifact *artifact, Error *error)
{
    Artifact added;

    if (!settle_own(store, copy, &added, error) || !flush_place(store, added.digest, error))
        return false;
    *artifact = added;
    return true;
}

/* Not flushed, but on its way. */
static bool copy_file(const char *path, const char *copy, Arena *arena, Error *error)
{
    TextList one = {0};

    text_list_add(&one, arena, path);
    if (!file_join(&one, copy, error))
        return false;
    file_begin_flush(copy);
    return true;
}

static bool settle_copies(ArtifactStore *store, const TextList *copies, Artifact *artifacts,
                          Error *error)
{
    bool is_touched[ARTIFACT_FOLDERS] = {false};

    for (size_t i = 0; i < copies->count; i++) {
        if (!settle_own(store, copies->items[i], &artifacts[i], error))
            return false;
        is_touched[artifact_folder_index(artifacts[i].digest)] = true;
    }
    for (size_t i = 0; i < copies->count; i++) {
        bool *is_due = &is_touched[artifact_folder_index(artifacts[i].digest)];

        if (*is_due && !flush_place(store, artifacts[i].digest, error))
            return false;
        *is_due = false;
    }
    return true;
}

/* So many at a time, whose copies are on their way to the disk while the others are made. */
enum { TURN_FILES = 256 };

static bool add_turn(ArtifactStore *store, const TextList *paths, Artifact *artifacts, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextList copies = {0};
    bool done = true;

    for (size_t i = 0; done && i < paths->count; i++) {
        text_list_add(&copies, arena, name_partial(store, arena));
        done = copy_file(paths->items[i], copies.items[i], arena, error);
    }
    done = done && settle_copies(store, &copies, artifacts, error);
    for (size_t i = 0; i < copies.count; i++)
        remove(copies.items[i]); /* gone already if it was moved */
    return done;
}

bool artifact_add_files(ArtifactStore *store, const TextList *paths, Artifact *artifacts,
                        Error *error)
{
    for (size_t i = 0; i < paths->count; i += TURN_FILES) {
        size_t left = paths->count - i;
        TextList turn = {.items = paths->items + i, .count = left < TURN_FILES ? left : TURN_FILES};

        if (!add_turn(store, &turn, artifacts + i, error))
            return false;
    }
    return true;
}

bool artifact_add_file(ArtifactStore *store, const char *path, Artifact *artifact, Error *error)
{
    TextList one = {.items = &path, .count = 1};
    Artifact added;

    if (!artifact_add_files(store, &one, &added, error))
        return false;
    *artifact = added;
    return true;
}

bool artifact_take_file(ArtifactStore *store, const char *path, Artifact *artifact, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *taken = name_partial(store, arena);
    bool done;

    if (rename(path, taken) != 0) /* it is on another file system, or not there */
        return artifact_add_file(store, path, artifact, error);
    file_begin_flush(taken);
    done = add_own(store, taken, artifact, error);
    remove(taken);
    return done;
}

bool artifact_add_joined(ArtifactStore *store, const TextList *paths, Artifact *artifact,
                         Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *whole = name_partial(store, arena);
    bool done = file_join(paths, whole, error) && add_own(store, whole, artifact, error);

    remove(whole);
    return done;
}

static bool find_blob(const ArtifactStore *store, const char *digest, Error *error)
{
    if (!digest_is_valid(digest))
        return fail(error, ERROR_INVALID, "a digest has 64 lowercase hexadecimal digits");
    return artifact_exists(store, digest) ||
           fail(error, ERROR_NOT_FOUND, "artifact %.12s is not in the store", digest);
}

static bool check_digest(const char *digest, const char *actual, Error *error)
{
    return strcmp(actual, digest) == 0 ||
           fail(error, ERROR_INTERNAL, "artifact %.12s is damaged: its bytes have digest %.12s",
                digest, actual);
}

bool artifact_read(const ArtifactStore *store, const char *digest, size_t size_max, Arena *arena,
                   const char **bytes, size_t *size, Error *error)
{
    char actual[DIGEST_TEXT_SIZE];
    const char *read_bytes;
    size_t read_size;

    if (!find_blob(store, digest, error) ||
        !file_read(artifact_path(store, digest, arena), size_max, arena, &read_bytes, &read_size,
                   error) ||
        !check_digest(digest, digest_bytes(read_bytes, read_size, actual), error))
        return false;
    *bytes = read_bytes;
    *size = read_size;
    return true;
}

/* Read, not looked at through the map, for the digest: a disk that fails says so in a sentence, and
 * no page is taken before it is needed. */
bool artifact_map(const ArtifactStore *store, const char *digest, size_t size_max, FileMap *map,
                  Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char actual[DIGEST_TEXT_SIZE];
    const char *path;

    if (!find_blob(store, digest, error))
        return false;
    path = artifact_path(store, digest, arena);
    return digest_file(path, actual, error) && check_digest(digest, actual, error) &&
           file_map(path, size_max, map, error);
}

bool artifact_check(const ArtifactStore *store, const Artifact *artifact, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char actual[DIGEST_TEXT_SIZE];
    const char *path;
    int64_t size;

    if (!find_blob(store, artifact->digest, error))
        return false;
    path = artifact_path(store, artifact->digest, arena);
    if (!file_size(path, &size, error) || !digest_file(path, actual, error) ||
        !check_digest(artifact->digest, actual, error))
        return false;
    if (size != artifact->size)
        return fail(error, ERROR_INVALID, "artifact %.12s has %lld bytes, not %lld",
                    artifact->digest, (long long)size, (long long)artifact->size);
    return true;
}
