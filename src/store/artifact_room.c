/* artifact_room.c: who puts, claims and removes blobs at the same time, and how much they are. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/artifact_internal.h"

void artifact_room_open(ArtifactRoom *room)
{
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->placed, NULL);
}

void artifact_room_close(ArtifactRoom *room)
{
    pthread_cond_destroy(&room->placed);
    pthread_mutex_destroy(&room->lock);
}

size_t artifact_folder_index(const char *digest)
{
    char digits[3] = {digest[0], digest[1]};

    return strtoul(digits, NULL, 16);
}

static bool read_status(const ArtifactStore *store, const char *digest, struct stat *status)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return stat(artifact_path(store, digest, arena), status) == 0 && S_ISREG(status->st_mode);
}

/* 0: it is not there. */
static int64_t size_of(const ArtifactStore *store, const char *digest)
{
    struct stat status;

    return read_status(store, digest, &status) ? status.st_size : 0;
}

/* ---- claims ---- */

/* By the clock itself: the system's own stamps are some milliseconds behind it. */
static bool touch(const ArtifactStore *store, const char *digest)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    clock_gettime(CLOCK_REALTIME, &times[1]);
    return utimensat(AT_FDCWD, artifact_path(store, digest, arena), times, 0) == 0;
}

bool artifact_claim(ArtifactStore *store, const char *digest, Error *error)
{
    int number = 0;

    if (!digest_is_valid(digest))
        return fail(error, ERROR_INVALID, "a digest has 64 lowercase hexadecimal digits");
    pthread_mutex_lock(&store->room.lock);
    if (!touch(store, digest))
        number = errno;
    pthread_mutex_unlock(&store->room.lock);
    if (number == ENOENT || number == ENOTDIR)
        return fail(error, ERROR_NOT_FOUND, "artifact %.12s is not in the store", digest);
    errno = number;
    return !number || fail_errno(error, "mark artifact", digest);
}

/* With the lock held. */
static bool is_being_placed(const ArtifactRoom *room, const char *digest)
{
    for (const ArtifactPlacing *at = room->placing; at; at = at->next)
        if (strcmp(at->artifact->digest, digest) == 0)
            return true;
    return false;
}

/* ---- putting ---- */

/* With the lock held. */
static bool check_room(const ArtifactRoom *room, int64_t size, Error *error)
{
    int64_t used = atomic_load(&room->bytes) + room->reserved;
    int64_t most = atomic_load(&room->bytes_max);

    return !most || size <= 0 || size <= most - used ||
           fail(error, ERROR_NO_ROOM,
                "the artifact store may hold %lld bytes and has %lld: there is no room for %lld "
                "more",
                (long long)most, (long long)used, (long long)size);
}

bool artifact_store_check_room(ArtifactStore *store, int64_t size, Error *error)
{
    bool has;

    pthread_mutex_lock(&store->room.lock);
    has = check_room(&store->room, size, error);
    pthread_mutex_unlock(&store->room.lock);
    return has;
}

bool artifact_placing_begin(ArtifactStore *store, ArtifactPlacing *placing, Error *error)
{
    const Artifact *artifact = placing->artifact;
    ArtifactRoom *room = &store->room;
    bool has;

    pthread_mutex_lock(&room->lock);
    while (is_being_placed(room, artifact->digest)) {
        placing->has_waited = true;
        pthread_cond_wait(&room->placed, &room->lock);
    }
    placing->replaced = size_of(store, artifact->digest);
    has = check_room(room, artifact->size - placing->replaced, error);
    if (has) {
        room->reserved += artifact->size - placing->replaced;
        placing->next = room->placing;
        room->placing = placing;
    }
    pthread_mutex_unlock(&room->lock);
    return has;
}

static void leave(ArtifactRoom *room, const ArtifactPlacing *placing)
{
    ArtifactPlacing **at = &room->placing;

    while (*at != placing)
        at = &(*at)->next;
    *at = placing->next;
}

void artifact_placing_end(ArtifactStore *store, ArtifactPlacing *placing, bool done)
{
    const char *digest = placing->artifact->digest;
    ArtifactRoom *room = &store->room;

    pthread_mutex_lock(&room->lock);
    if (done)
        (void)!touch(store, digest); /* it was written some moments ago at most */
    if (room->is_counted[artifact_folder_index(digest)]) /* what failed may be there all the same */
        atomic_fetch_add(&room->bytes, size_of(store, digest) - placing->replaced);
    room->reserved -= placing->artifact->size - placing->replaced;
    leave(room, placing);
    pthread_cond_broadcast(&room->placed);
    pthread_mutex_unlock(&room->lock);
}

/* ---- removing ---- */

/* With the lock held. */
static bool remove_now(ArtifactStore *store, const char *digest, int64_t size, bool *removed,
                       Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *path = artifact_path(store, digest, arena);

    *removed = unlink(path) == 0;
    if (*removed && store->room.is_counted[artifact_folder_index(digest)])
        atomic_fetch_sub(&store->room.bytes, size);
    return *removed || errno == ENOENT || fail_errno(error, "remove", path);
}

bool artifact_remove_unclaimed(ArtifactStore *store, const char *digest, int64_t since,
                               bool *removed, Error *error)
{
    ArtifactRoom *room = &store->room;
    struct stat status;
    bool done = true;

    *removed = false;
    pthread_mutex_lock(&room->lock);
    if (read_status(store, digest, &status) && artifact_changed_ms(&status) < since &&
        !is_being_placed(room, digest))
        done = remove_now(store, digest, status.st_size, removed, error);
    pthread_mutex_unlock(&room->lock);
    return done;
}

/* ---- counting ---- */

void artifact_store_limit(ArtifactStore *store, int64_t bytes_max)
{
    atomic_store(&store->room.bytes_max, bytes_max);
}

ArtifactUsage artifact_store_usage(const ArtifactStore *store)
{
    return (ArtifactUsage){
        .bytes = atomic_load(&store->room.bytes),
        .bytes_max = atomic_load(&store->room.bytes_max),
        .is_counted = atomic_load(&store->room.all_counted),
    };
}

bool artifact_name_is_blob(const char *name)
{
    return strspn(name, "0123456789abcdef") == DIGEST_TEXT_SIZE - 3 && !name[DIGEST_TEXT_SIZE - 3];
}

/* What is being placed counts at its end; now it is what it was before. */
static int64_t count_placing(const ArtifactStore *store, size_t index)
{
    int64_t bytes = 0;

    for (const ArtifactPlacing *at = store->room.placing; at; at = at->next)
        if (artifact_folder_index(at->artifact->digest) == index)
            bytes += at->replaced - size_of(store, at->artifact->digest);
    return bytes;
}

/* With the lock held. */
static bool count_folder(ArtifactStore *store, size_t index, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder = arena_format(arena, "%s/%02zx", store->folder, index);
    int64_t bytes = count_placing(store, index);
    TextList names = {0};

    if (folder_exists(folder) && !folder_list(folder, arena, &names, error))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        char digest[DIGEST_TEXT_SIZE];

        if (!artifact_name_is_blob(names.items[i]))
            continue;
        snprintf(digest, sizeof(digest), "%02zx%s", index, names.items[i]);
        bytes += size_of(store, digest);
    }
    atomic_fetch_add(&store->room.bytes, bytes);
    store->room.is_counted[index] = true;
    return true;
}

bool artifact_store_count(ArtifactStore *store, const atomic_bool *stopped, Error *error)
{
    for (size_t i = 0; i < ARTIFACT_FOLDERS; i++) {
        bool done;

        if (stopped && atomic_load(stopped))
            return fail(error, ERROR_UNAVAILABLE, "the server is stopping");
        pthread_mutex_lock(&store->room.lock);
        done = store->room.is_counted[i] || count_folder(store, i, error);
        pthread_mutex_unlock(&store->room.lock);
        if (!done)
            return false;
    }
    atomic_store(&store->room.all_counted, true);
    return true;
}
