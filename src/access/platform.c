#include "access/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"

/* What platform_open() allocates: the public part and what only closing needs. */
typedef struct OpenPlatform {
    Platform public;
    Arena *arena;
    int lock;
} OpenPlatform;

static bool take_lock(OpenPlatform *open_platform, const char *folder, Error *error)
{
    const char *path = arena_format(open_platform->arena, "%s/lock", folder);

    open_platform->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (open_platform->lock < 0)
        return fail_errno(error, "open", path);
    if (flock(open_platform->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return fail_errno(error, "lock", path);
    return fail(error, ERROR_BUSY, "another slipway is using the data folder \"%s\"", folder);
}

/* A server that was killed could not take back its address, or was about to write it. */
static bool remove_address(const Platform *platform, Arena *arena, Error *error)
{
    TextList names;

    if (!folder_list(platform->folder, arena, &names, error))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = arena_format(arena, "%s/%s", platform->folder, names.items[i]);

        if ((text_equal(names.items[i], "address") ||
             text_has_prefix(names.items[i], "address.")) &&
            unlink(path) != 0)
            return fail_errno(error, "remove", path);
    }
    return true;
}

/* The steps of a server that was killed are killed with it, but not at the same moment: for a
 * little while they may still write there. */
static bool empty_temporary(const Platform *platform, Error *error)
{
    enum { TRIES = 50, PAUSE_US = 20000 };

    for (int i = 1; !folder_remove(platform->temporary, error); i++) {
        if (i == TRIES)
            return false;
        *error = (Error){0};
        usleep(PAUSE_US);
    }
    return folder_make(platform->temporary, error);
}

static bool open_parts(OpenPlatform *open_platform, const char *folder, Error *error)
{
    Platform *platform = &open_platform->public;
    Arena *arena = open_platform->arena;

    platform->folder = arena_text(arena, folder);
    platform->temporary = arena_format(arena, "%s/temporary", folder);
    if (!folder_make(folder, error) || !take_lock(open_platform, folder, error) ||
        !remove_address(platform, arena, error) || !empty_temporary(platform, error))
        return false;
    CRASH_POINT("platform: temporary folder emptied");
    platform->artifacts = artifact_store_open(arena_format(arena, "%s/artifacts", folder), error);
    if (!platform->artifacts || !artifact_store_sweep(platform->artifacts, error))
        return false;
    platform->writer = writer_create(platform_database(platform, arena), error);
    return platform->writer != NULL;
}

bool platform_open(const char *folder, Platform **platform, Error *error)
{
    OpenPlatform *open_platform = calloc(1, sizeof(*open_platform));

    if (!open_platform)
        out_of_memory();
    open_platform->arena = arena_create();
    open_platform->lock = -1;
    if (open_parts(open_platform, folder, error)) {
        *platform = &open_platform->public;
        return true;
    }
    platform_close(&open_platform->public);
    return false;
}

void platform_close(Platform *platform)
{
    OpenPlatform *open_platform = (OpenPlatform *)platform; /* its first member */

    if (!platform)
        return;
    writer_destroy(platform->writer);
    artifact_store_close(platform->artifacts);
    file_close(&open_platform->lock);
    arena_destroy(open_platform->arena);
    free(open_platform);
}

const char *platform_database(const Platform *platform, Arena *arena)
{
    return arena_format(arena, "%s/slipway.db", platform->folder);
}

bool session_open(const Platform *platform, Session *session, Error *error)
{
    Arena *arena = arena_create();
    Db *db = db_open(platform_database(platform, arena), DB_READ, error);

    if (!db) {
        arena_destroy(arena);
        return false;
    }
    *session = (Session){db, arena};
    return true;
}

void session_close(Session *session)
{
    if (!session->arena)
        return;
    db_close(session->db);
    arena_destroy(session->arena);
    *session = (Session){0};
}

Scope session_scope(const Session *session, const Platform *platform, Principal principal)
{
    return (Scope){
        .platform = platform,
        .db = session->db,
        .arena = session->arena,
        .principal = principal,
    };
}
