#include "tracking/artifact_upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/id.h"
#include "base/time.h"
#include "tracking/artifact_place.h"

enum { UPLOADS_MAX = 256, PATH_BYTES_MAX = 4096, ID_DIGITS = ID_TEXT_SIZE - 1, TIME_DIGITS = 12 };

#define UPLOAD_MS_MAX INT64_C(86400000)

/* An upload is a folder, whose name says how far it is. */
#define OPEN    "upload-"
#define JOINING "joining-"
#define JOINED  "joined-"

static const char *folder_of(const Scope *scope, const char *state, const char *id)
{
    return arena_format(scope->arena, "%s/%s%s", scope->platform->temporary, state, id);
}

static const char *target_of(const Scope *scope, const char *state, const char *id)
{
    return arena_format(scope->arena, "%s/target", folder_of(scope, state, id));
}

/* An id becomes part of a name on the disk: it is nothing but digits. */
static bool check_id(Scope *scope, const char *id)
{
    return (strlen(id) == ID_DIGITS && strspn(id, "0123456789abcdef") == ID_DIGITS) ||
           fail(&scope->error, ERROR_INVALID, "an upload's id has %d hexadecimal digits",
                (int)ID_DIGITS);
}

static bool fail_missing(Scope *scope, const char *id)
{
    return fail(&scope->error, ERROR_NOT_FOUND, "there is no upload %s under way", id);
}

static bool move(Scope *scope, const char *from, const char *to)
{
    return rename(from, to) == 0 || fail_errno(&scope->error, "rename", from);
}

/* ---- beginning ---- */

/* The first digits of an id are the time when it was made. */
static bool is_old(const char *id)
{
    char digits[TIME_DIGITS + 1] = {0};

    memcpy(digits, id, strnlen(id, TIME_DIGITS));
    return time_now_ms() - strtoll(digits, NULL, 16) > UPLOAD_MS_MAX;
}

/* Whether it is the folder of an upload, and which id. */
static bool read_name(const char *name, const char **id, bool *is_joined)
{
    static const char *const states[] = {OPEN, JOINING, JOINED};

    for (size_t i = 0; i < COUNT(states); i++) {
        if (!text_has_prefix(name, states[i]))
            continue;
        *id = name + strlen(states[i]);
        *is_joined = strcmp(states[i], JOINED) == 0;
        return true;
    }
    return false;
}

static bool add_size(Scope *scope, const char *folder, int64_t *bytes)
{
    TextList paths;

    if (!folder_walk(folder, scope->arena, &paths, &scope->error))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        int64_t size;

        if (!file_size(arena_format(scope->arena, "%s/%s", folder, paths.items[i]), &size,
                       &scope->error))
            return false;
        *bytes += size;
    }
    return true;
}

static bool sweep_one(Scope *scope, const char *name, bool is_rehearsal, UploadSweep *sweep)
{
    const char *folder = folder_of(scope, "", name), *id;
    bool is_joined;

    if (!read_name(name, &id, &is_joined))
        return true;
    if (!is_old(id)) {
        sweep->open_count += !is_joined;
        return true;
    }
    if (!is_joined && !add_size(scope, folder, &sweep->bytes))
        return false;
    sweep->count += !is_joined;
    return is_rehearsal || folder_remove(folder, &scope->error);
}

bool artifact_upload_sweep(Scope *scope, bool is_rehearsal, UploadSweep *sweep)
{
    TextList names;

    if (!folder_list(scope->platform->temporary, scope->arena, &names, &scope->error))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!sweep_one(scope, names.items[i], is_rehearsal, sweep))
            return false;
    return true;
}

bool artifact_upload_begin(Scope *scope, const char *path, int64_t part_count, const char **id)
{
    char text[ID_TEXT_SIZE];
    const char *made = arena_text(scope->arena, id_timed(text));
    UploadSweep sweep = {0};

    if (part_count < 1 || part_count > UPLOAD_PARTS_MAX)
        return fail(&scope->error, ERROR_INVALID, "an upload has 1 to %d parts", UPLOAD_PARTS_MAX);
    if (!artifact_upload_sweep(scope, false, &sweep) ||
        !artifact_store_check_room(scope->platform->artifacts, 1, &scope->error))
        return false;
    if (sweep.open_count >= UPLOADS_MAX)
        return fail(&scope->error, ERROR_BUSY, "%d uploads in parts are under way, try again later",
                    UPLOADS_MAX);
    if (!folder_make(folder_of(scope, OPEN, made), &scope->error) ||
        !file_write(target_of(scope, OPEN, made), path, strlen(path), &scope->error))
        return false;
    *id = made;
    return true;
}

/* Of the file's workspace. */
static bool check_room(Scope *scope, const char *path, int64_t size)
{
    ArtifactPlace place;

    return artifact_place_find(scope, path, &place) &&
           artifact_place_check_room(scope, &place, size);
}

static bool check_room_of_part(Scope *scope, const char *id, int64_t size)
{
    const char *path;
    size_t length;

    return file_read(target_of(scope, OPEN, id), PATH_BYTES_MAX, scope->arena, &path, &length,
                     &scope->error) &&
           check_room(scope, path, size);
}

bool artifact_upload_add(Scope *scope, const char *id, int64_t number, const char *file)
{
    const char *folder;
    int64_t size;

    if (!check_id(scope, id) || !file_size(file, &size, &scope->error) ||
        !artifact_store_check_room(scope->platform->artifacts, size, &scope->error))
        return false;
    if (number < 1 || number > UPLOAD_PARTS_MAX)
        return fail(&scope->error, ERROR_INVALID, "the parts of an upload are 1 to %d",
                    UPLOAD_PARTS_MAX);
    folder = folder_of(scope, OPEN, id);
    if (!folder_exists(folder))
        return fail_missing(scope, id);
    return check_room_of_part(scope, id, size) &&
           move(scope, file, arena_format(scope->arena, "%s/%" PRId64, folder, number));
}

/* ---- joining ---- */

static bool check_target(Scope *scope, const char *state, const ArtifactJoin *join)
{
    const char *target;
    size_t size;

    return file_read(target_of(scope, state, join->id), PATH_BYTES_MAX, scope->arena, &target,
                     &size, &scope->error) &&
           (strcmp(target, join->path) == 0 ||
            fail(&scope->error, ERROR_INVALID, "upload %s is that of \"%.200s\"", join->id,
                 target));
}

static bool list_parts(Scope *scope, const ArtifactJoin *join, TextList *paths)
{
    for (size_t i = 0; i < join->count; i++) {
        int64_t number = join->numbers[i];
        const char *path =
            arena_format(scope->arena, "%s/%" PRId64, folder_of(scope, OPEN, join->id), number);

        if (i && number <= join->numbers[i - 1])
            return fail(&scope->error, ERROR_INVALID, "the parts of an upload come in their order");
        if (!file_exists(path))
            return fail(&scope->error, ERROR_INVALID, "part %" PRId64 " of upload %s is missing",
                        number, join->id);
        text_list_add(
            paths, scope->arena,
            arena_format(scope->arena, "%s/%" PRId64, folder_of(scope, JOINING, join->id), number));
    }
    return join->count || fail(&scope->error, ERROR_INVALID, "an upload has at least one part");
}

/* So that no bytes are stored that have no place. */
static bool check_room_of_parts(Scope *scope, const ArtifactJoin *join)
{
    int64_t size = 0;

    for (size_t i = 0; i < join->count; i++) {
        const char *part = arena_format(scope->arena, "%s/%" PRId64,
                                        folder_of(scope, OPEN, join->id), join->numbers[i]);
        int64_t bytes;

        if (!file_size(part, &bytes, &scope->error))
            return false;
        size += bytes;
    }
    return check_room(scope, join->path, size);
}

static bool check_whether_joined(Scope *scope, const ArtifactJoin *join)
{
    if (folder_exists(folder_of(scope, JOINED, join->id)))
        return check_target(scope, JOINED, join);
    if (folder_exists(folder_of(scope, JOINING, join->id)))
        return fail(&scope->error, ERROR_UNAVAILABLE,
                    "the parts of upload %s are being joined, ask again later", join->id);
    return fail_missing(scope, join->id);
}

bool artifact_upload_join(Scope *scope, const ArtifactJoin *join, Artifact *artifact,
                          bool *was_joined)
{
    const char *open = folder_of(scope, OPEN, join->id);
    const char *joining = folder_of(scope, JOINING, join->id);
    TextList paths = {0};

    if (!check_id(scope, join->id))
        return false;
    *was_joined = !folder_exists(open);
    if (*was_joined)
        return check_whether_joined(scope, join);
    if (!check_target(scope, OPEN, join) || !list_parts(scope, join, &paths) ||
        !check_room_of_parts(scope, join) || !move(scope, open, joining))
        return false;
    if (artifact_add_joined(scope->platform->artifacts, &paths, artifact, &scope->error))
        return true;
    rename(joining, open);
    return false;
}

/* What is left of one that is done is a name, for who asks again. */
bool artifact_upload_end(Scope *scope, const char *id, bool done)
{
    const char *joining = folder_of(scope, JOINING, id), *joined = folder_of(scope, JOINED, id);

    if (!done)
        return move(scope, joining, folder_of(scope, OPEN, id));
    return folder_make(joined, &scope->error) &&
           move(scope, target_of(scope, JOINING, id), target_of(scope, JOINED, id)) &&
           folder_remove(joining, &scope->error);
}

bool artifact_upload_abort(Scope *scope, const char *id)
{
    return check_id(scope, id) && folder_remove(folder_of(scope, OPEN, id), &scope->error);
}
