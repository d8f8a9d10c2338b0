#include "tracking/artifact_place.h"

#include <stdlib.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "tracking/step_bounds.h"
#include "tracking/workspace.h"

enum { NAMES_MAX = 1000000, FILES_MAX = 1000000 };

/* Of a range of paths; NULL: of one. */
typedef struct Range {
    const char *from, *until;
} Range;

/* All below a folder: "a/" to "a0", which is the next one behind it. */
static Range range_of(const ArtifactPlace *place, Arena *arena)
{
    if (!*place->path) /* the last of all characters, which stands for nothing */
        return (Range){"", "\xf4\x8f\xbf\xbf"};
    return (Range){arena_format(arena, "%s/", place->path),
                   arena_format(arena, "%s0", place->path)};
}

static Query query_range(Scope *scope, const ArtifactPlace *place, Range range)
{
    if (place->run_key)
        return db_query(scope->db,
                        "SELECT path, digest, size FROM run_artifacts"
                        " WHERE run_key = $3 AND path >= $1 AND path < $2 ORDER BY path",
                        db_text(range.from), db_text(range.until), db_int(place->run_key));
    return db_query(scope->db,
                    "SELECT path, digest, size FROM artifact_files"
                    " WHERE path >= $1 AND path < $2 ORDER BY path",
                    db_text(range.from), db_text(range.until));
}

static Query query_one(Scope *scope, const ArtifactPlace *place, const char *path)
{
    if (place->run_key)
        return db_query(scope->db,
                        "SELECT path, digest, size FROM run_artifacts"
                        " WHERE run_key = $2 AND path = $1",
                        db_text(path), db_int(place->run_key));
    return db_query(scope->db, "SELECT path, digest, size FROM artifact_files WHERE path = $1",
                    db_text(path));
}

static TreeEntry entry_from_row(const Query *query, Arena *arena)
{
    const char *digest = query_text(query, 1, arena);
    TreeEntry entry = {.path = query_text(query, 0, arena), .size = query_int(query, 2)};

    memcpy(entry.digest, digest, strnlen(digest, DIGEST_TEXT_SIZE - 1));
    return entry;
}

static bool find_file(Scope *scope, const ArtifactPlace *place, const char *path, TreeEntry *entry,
                      bool *found)
{
    CLEANUP(query_finalize) Query query = query_one(scope, place, path);

    *found = query_next(&query);
    if (!*found)
        return query_end(&query, &scope->error);
    *entry = entry_from_row(&query, scope->arena);
    return true;
}

static bool is_folder(Scope *scope, const ArtifactPlace *place, bool *is)
{
    CLEANUP(query_finalize)
    Query query = query_range(scope, place, range_of(place, scope->arena));

    *is = query_next(&query);
    return *is || query_end(&query, &scope->error);
}

static bool fail_folder(Scope *scope, const ArtifactPlace *place)
{
    return fail(&scope->error, ERROR_INVALID, "\"%.200s\" is a folder, not a file", place->path);
}

bool artifact_place_file(Scope *scope, const ArtifactPlace *place, TreeEntry *entry)
{
    bool found = false, is = !*place->path;

    if (!find_file(scope, place, place->path, entry, &found))
        return false;
    if (found)
        return true;
    if (!is && !is_folder(scope, place, &is))
        return false;
    if (is)
        return fail_folder(scope, place);
    return fail(&scope->error, ERROR_NOT_FOUND, "there is no artifact \"%.200s\"", place->path);
}

/* ---- lists ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const ArtifactName *)a)->name, ((const ArtifactName *)b)->name);
}

/* Takes names from the range up to the next folder, behind which it goes on. */
static bool take_names(Scope *scope, const ArtifactPlace *place, size_t prefix, Range *range,
                       ArtifactNameList *list)
{
    CLEANUP(query_finalize) Query query = query_range(scope, place, *range);

    while (query_next(&query) && list->count < NAMES_MAX) {
        TreeEntry entry = entry_from_row(&query, scope->arena);
        const char *name = entry.path + prefix, *slash = strchr(name, '/');

        *arena_push(scope->arena, list) = (ArtifactName){
            .name = slash ? arena_copy(scope->arena, name, (size_t)(slash - name)) : name,
            .is_folder = slash != NULL,
            .size = slash ? 0 : entry.size,
        };
        if (!slash)
            continue;
        range->from = arena_format(scope->arena, "%.*s0", (int)(slash - entry.path), entry.path);
        return true;
    }
    range->from = NULL;
    return query_end(&query, &scope->error);
}

/* One look for each folder in it: what is below that is not read. */
bool artifact_place_list(Scope *scope, const ArtifactPlace *place, ArtifactNameList *list)
{
    Range range = range_of(place, scope->arena);
    size_t prefix = strlen(range.from);
    ArtifactNameList taken = {0};

    while (range.from)
        if (!take_names(scope, place, prefix, &range, &taken))
            return false;
    if (taken.count >= NAMES_MAX)
        return fail(&scope->error, ERROR_INVALID,
                    "\"%.200s\" has more than %d names, which are too many for one list",
                    place->path, NAMES_MAX);
    if (taken.count)
        qsort(taken.items, taken.count, sizeof(*taken.items), compare_names);
    *list = taken;
    return true;
}

bool artifact_place_tree(Scope *scope, const ArtifactPlace *place, Tree *tree)
{
    Range range = range_of(place, scope->arena);
    CLEANUP(query_finalize) Query query = query_range(scope, place, range);
    Tree taken = {0};

    while (query_next(&query)) {
        TreeEntry entry = entry_from_row(&query, scope->arena);

        if (taken.count == FILES_MAX)
            return fail(&scope->error, ERROR_INVALID, "\"%.200s\" has more than %d files",
                        place->path, FILES_MAX);
        entry.path += strlen(range.from);
        *arena_push(scope->arena, &taken) = entry;
    }
    if (!query_end(&query, &scope->error))
        return false;
    *tree = taken;
    return true;
}

/* ---- changes ---- */

static bool check_writable(Scope *scope, const ArtifactPlace *place)
{
    return !place->is_read_only ||
           fail(&scope->error, ERROR_CONFLICT, "run \"%s\" is deleted; restore it to change it",
                place->run_id);
}

/* None of the folders that the path leads through is a file. */
static bool check_folders(Scope *scope, const ArtifactPlace *place)
{
    for (const char *slash = strchr(place->path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_copy(scope->arena, place->path, (size_t)(slash - place->path));
        TreeEntry entry;
        bool found = false;

        if (!find_file(scope, place, folder, &entry, &found))
            return false;
        if (found)
            return fail(&scope->error, ERROR_INVALID, "\"%.200s\" is a file, not a folder", folder);
    }
    return true;
}

/* Of the file that is there, or of none. */
static bool find_share(Scope *scope, const ArtifactPlace *place, FileShare *share)
{
    static const char of_run[] =
        "SELECT experiment_id, size FROM run_artifacts JOIN runs ON runs.key = run_key"
        " WHERE run_key = $2 AND path = $1";
    static const char of_none[] = "SELECT experiment_id, size FROM artifact_files WHERE path = $1";
    CLEANUP(query_finalize)
    Query query = place->run_key
                      ? db_query(scope->db, of_run, db_text(place->path), db_int(place->run_key))
                      : db_query(scope->db, of_none, db_text(place->path));

    *share = (FileShare){0};
    if (query_next(&query))
        *share = (FileShare){query_int(&query, 0), query_int(&query, 1)};
    return query_end(&query, &scope->error);
}

bool artifact_place_check_room(Scope *scope, const ArtifactPlace *place, int64_t size)
{
    FileShare before, after = {.size = size};

    return find_share(scope, place, &before) &&
           artifact_place_owner(scope, place, &after.experiment_id) &&
           workspace_check_room(scope, before, after);
}

bool artifact_place_check_put(Scope *scope, const ArtifactPlace *place, int64_t size)
{
    bool is = !*place->path;

    if (!check_writable(scope, place) || !step_bounds_check_place(scope, place) ||
        (!is && !is_folder(scope, place, &is)))
        return false;
    if (is)
        return fail_folder(scope, place);
    return (!place->run_key || run_check_artifact_path(scope, place->path)) &&
           check_folders(scope, place) && artifact_place_check_room(scope, place, size);
}

static bool put_file(Scope *scope, const ArtifactPlace *place, const Artifact *artifact)
{
    static const char sql[] =
        "INSERT INTO artifact_files(path, digest, size, created_at, experiment_id)"
        "VALUES ($1, $2, $3, $4, $5)"
        "ON CONFLICT (path) DO UPDATE SET digest = excluded.digest, size = excluded.size,"
        " created_at = excluded.created_at, experiment_id = excluded.experiment_id";
    FileShare before, after = {.size = artifact->size};

    return artifact_claim(scope->platform->artifacts, artifact->digest, &scope->error) &&
           find_share(scope, place, &before) &&
           artifact_place_owner(scope, place, &after.experiment_id) &&
           workspace_count(scope, before, after) &&
           db_run(scope->db, &scope->error, sql, db_text(place->path), db_text(artifact->digest),
                  db_int(artifact->size), db_int(time_now_ms()), db_int(after.experiment_id));
}

bool artifact_place_put(Scope *scope, const ArtifactPlace *place, const Artifact *artifact)
{
    if (!artifact_place_check_put(scope, place, artifact->size))
        return false;
    return place->run_key ? run_log_artifact(scope, place->run_id, place->path, artifact)
                          : put_file(scope, place, artifact);
}

static Query query_delete(Scope *scope, const ArtifactPlace *place)
{
    Range range = range_of(place, scope->arena);

    if (place->run_key)
        return db_query(scope->db,
                        "DELETE FROM run_artifacts"
                        " WHERE run_key = $4 AND (path = $1 OR (path >= $2 AND path < $3))"
                        "RETURNING (SELECT experiment_id FROM runs WHERE key = $4), size",
                        db_text(place->path), db_text(range.from), db_text(range.until),
                        db_int(place->run_key));
    return db_query(scope->db,
                    "DELETE FROM artifact_files"
                    " WHERE path = $1 OR (path >= $2 AND path < $3)"
                    "RETURNING experiment_id, size",
                    db_text(place->path), db_text(range.from), db_text(range.until));
}

static bool delete_rows(Scope *scope, const ArtifactPlace *place, int64_t *count)
{
    CLEANUP(query_finalize) Query query = query_delete(scope, place);

    return workspace_release(scope, &query, count);
}

static bool append_event(Scope *scope, const ArtifactPlace *place, int64_t count)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "path", place->path);
    json_int(json, "file_count", count);
    json_close(json);
    return event_append(scope, "artifacts.deleted", place->run_id ? place->run_id : place->path,
                        json_finish(json));
}

bool artifact_place_delete(Scope *scope, const ArtifactPlace *place)
{
    int64_t count = 0;

    if (!check_writable(scope, place) || !delete_rows(scope, place, &count))
        return false;
    return !count || append_event(scope, place, count);
}
