#include "store/artifact.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/id.h"

/* What is on its way in lies in a folder of its own, so that leftovers are found without a look at
 * everything that is stored. */
struct ArtifactStore {
    char *folder, *incoming;
};

ArtifactStore *artifact_store_open(const char *folder, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *incoming = arena_format(arena, "%s/incoming", folder);
    ArtifactStore *store;

    /* Steps open it to read alone: they must not need to write. */
    if (!folder_exists(incoming) && !folder_make(incoming, error))
        return NULL;
    store = calloc(1, sizeof(*store));
    if (!store || !(store->folder = strdup(folder)) || !(store->incoming = strdup(incoming)))
        abort();
    return store;
}

bool artifact_store_clean(ArtifactStore *store, Error *error)
{
    return folder_remove(store->incoming, error) && folder_make(store->incoming, error);
}

void artifact_store_close(ArtifactStore *store)
{
    if (!store)
        return;
    free(store->folder);
    free(store->incoming);
    free(store);
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

static const char *incoming_path(const ArtifactStore *store, Arena *arena)
{
    char id[ID_TEXT_SIZE];

    return arena_format(arena, "%s/%s", store->incoming, id_random(id));
}

/* Under its own name, durably. What is there already may be so since a moment ago, or since an
 * attempt that failed on its last step: it is a promise only once the folder is flushed. */
static bool put_in_place(const ArtifactStore *store, const char *file, const char *digest,
                         Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *target = artifact_path(store, digest, arena);
    const char *folder = path_folder(target, arena);

    if (file_exists(target))
        return folder_flush(folder, error);
    CRASH_POINT("artifact: whole, not in its place");
    if (!folder_make(folder, error) || !folder_flush(store->folder, error) ||
        !file_move_durably(file, target, error))
        return false;
    CRASH_POINT("artifact: in its place");
    return true;
}

bool artifact_add_bytes(ArtifactStore *store, const char *bytes, size_t size, Artifact *artifact,
                        Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *file = incoming_path(store, arena);
    Artifact added = {.size = (int64_t)size};
    bool done;

    digest_bytes(bytes, size, added.digest);
    done = (artifact_exists(store, added.digest) || file_write(file, bytes, size, error)) &&
           put_in_place(store, file, added.digest, error);
    remove(file); /* gone already if it was moved */
    if (done)
        *artifact = added;
    return done;
}

/* The digest is taken from the copy, so that a file that changes meanwhile cannot land under a name
 * that is not its own. */
bool artifact_add_file(ArtifactStore *store, const char *path, Artifact *artifact, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *copy = incoming_path(store, arena);
    Artifact added;
    bool done;

    done = file_copy(path, copy, error) && digest_file(copy, added.digest, error) &&
           file_size(copy, &added.size, error) && put_in_place(store, copy, added.digest, error);
    remove(copy); /* gone already if it was moved */
    if (done)
        *artifact = added;
    return done;
}

bool artifact_read(const ArtifactStore *store, const char *digest, size_t size_max, Arena *arena,
                   const char **bytes, size_t *size, Error *error)
{
    char actual[DIGEST_TEXT_SIZE];
    const char *read_bytes;
    size_t read_size;

    if (!digest_is_valid(digest))
        return fail(error, ERROR_INVALID, "a digest has 64 lowercase hexadecimal digits");
    if (!artifact_exists(store, digest))
        return fail(error, ERROR_NOT_FOUND, "artifact %.12s is not in the store", digest);
    if (!file_read(artifact_path(store, digest, arena), size_max, arena, &read_bytes, &read_size,
                   error))
        return false;
    if (strcmp(digest_bytes(read_bytes, read_size, actual), digest) != 0)
        return fail(error, ERROR_INTERNAL, "artifact %.12s is damaged: its bytes have digest %.12s",
                    digest, actual);
    *bytes = read_bytes;
    *size = read_size;
    return true;
}
