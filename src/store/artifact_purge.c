#include "store/artifact_purge.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/crash.h"
#include "store/artifact_internal.h"

typedef struct Walk {
    ArtifactStore *store;
    const ArtifactPurge *purge;
    ArtifactPurged *purged;
    Error *error;
} Walk;

static void add(ArtifactTally *tally, const struct stat *status)
{
    tally->count++;
    tally->bytes += status->st_size;
}

static bool look_at(Walk *walk, const char *digest, const char *path)
{
    const ArtifactPurge *purge = walk->purge;
    struct stat status;
    bool removed = false;

    if (stat(path, &status) != 0)
        return errno == ENOENT || fail_errno(walk->error, "read", path);
    if (digest_set_has(purge->kept, digest)) {
        add(&walk->purged->in_use, &status);
        return true;
    }
    if (purge->is_rehearsal)
        removed = artifact_changed_ms(&status) < purge->since;
    else if (!artifact_remove_unclaimed(walk->store, digest, purge->since, &removed, walk->error))
        return false;
    if (removed && !purge->is_rehearsal)
        CRASH_POINT("purge: some blobs removed");
    add(removed ? &walk->purged->removed : &walk->purged->young, &status);
    return true;
}

static bool is_stopped(const Walk *walk)
{
    return walk->purge->stopped && atomic_load(walk->purge->stopped);
}

static bool walk_folder(Walk *walk, DIR *folder, size_t index)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char digest[DIGEST_TEXT_SIZE];

    for (struct dirent *entry; (entry = readdir(folder)) != NULL; arena_reset(arena)) {
        if (!artifact_name_is_blob(entry->d_name))
            continue;
        if (is_stopped(walk))
            return fail(walk->error, ERROR_UNAVAILABLE, "the purge was stopped");
        snprintf(digest, sizeof(digest), "%02zx%.62s", index, entry->d_name);
        if (!look_at(walk, digest, artifact_path(walk->store, digest, arena)))
            return false;
    }
    return true;
}

bool artifact_purge(ArtifactStore *store, const ArtifactPurge *purge, ArtifactPurged *purged,
                    Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Walk walk = {store, purge, purged, error};

    for (size_t i = 0; i < ARTIFACT_FOLDERS; i++) {
        const char *path = arena_format(arena, "%s/%02zx", store->folder, i);
        DIR *folder = opendir(path);
        bool done;

        if (!folder && errno == ENOENT)
            continue;
        if (!folder)
            return fail_errno(error, "open folder", path);
        done = walk_folder(&walk, folder, i);
        closedir(folder);
        if (!done)
            return false;
    }
    return true;
}
