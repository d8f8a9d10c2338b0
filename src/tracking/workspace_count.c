/* workspace_count.c: the bytes of a workspace, which change with the rows of files. */

#include "tracking/workspace_internal.h"

/* So that no sum of two counts overflows. */
#define COUNTED_BYTES_MAX (INT64_MAX / 4)

bool workspace_of_experiment(Scope *scope, int64_t experiment_id, Workspace *workspace)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 SELECT_WORKSPACE " WHERE id = coalesce((SELECT workspace_id FROM experiment_shares"
                                  "                       WHERE experiment_id = $1), $2)",
                 db_int(experiment_id), db_int(WORKSPACE_DEFAULT_ID));

    if (query_next(&query)) {
        *workspace = workspace_from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_INTERNAL, "experiment %lld is in no workspace",
                (long long)experiment_id);
}

bool workspace_has_room(Scope *scope, const Workspace *workspace, int64_t bytes)
{
    int64_t most = workspace->spec.artifact_bytes_max;

    most = most ? most : COUNTED_BYTES_MAX;
    return bytes <= 0 || bytes <= most - workspace->artifact_bytes ||
           fail(&scope->error, ERROR_NO_ROOM,
                "workspace \"%s\" may hold %lld bytes and has %lld: there is no room for %lld more",
                workspace->name, (long long)most, (long long)workspace->artifact_bytes,
                (long long)bytes);
}

bool workspace_add_bytes(Scope *scope, int64_t id, int64_t bytes)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE workspaces SET artifact_bytes = artifact_bytes + $2 WHERE id = $1",
                  db_int(id), db_int(bytes));
}

static bool add_to_share(Scope *scope, int64_t experiment_id, int64_t workspace_id, int64_t bytes)
{
    static const char sql[] =
        "INSERT INTO experiment_shares (experiment_id, workspace_id, artifact_bytes)"
        "VALUES ($1, $2, $3)"
        "ON CONFLICT (experiment_id) DO UPDATE"
        "   SET artifact_bytes = experiment_shares.artifact_bytes + excluded.artifact_bytes";

    return db_run(scope->db, &scope->error, sql, db_int(experiment_id), db_int(workspace_id),
                  db_int(bytes)) &&
           workspace_add_bytes(scope, workspace_id, bytes);
}

/* bytes may be less than 0. */
static bool add(Scope *scope, int64_t experiment_id, int64_t bytes)
{
    Workspace workspace;

    return bytes == 0 || (workspace_of_experiment(scope, experiment_id, &workspace) &&
                          add_to_share(scope, experiment_id, workspace.id, bytes));
}

/* What goes makes room in its own workspace alone. */
bool workspace_check_room(Scope *scope, FileShare before, FileShare after)
{
    Workspace workspace, other;

    if (!workspace_of_experiment(scope, after.experiment_id, &workspace))
        return false;
    if (before.size > 0 && before.experiment_id != after.experiment_id) {
        if (!workspace_of_experiment(scope, before.experiment_id, &other))
            return false;
        before.size = other.id == workspace.id ? before.size : 0;
    }
    return workspace_has_room(scope, &workspace, after.size - before.size);
}

bool workspace_count(Scope *scope, FileShare before, FileShare after)
{
    if (!workspace_check_room(scope, before, after))
        return false;
    if (before.experiment_id == after.experiment_id)
        return add(scope, after.experiment_id, after.size - before.size);
    return add(scope, before.experiment_id, -before.size) &&
           add(scope, after.experiment_id, after.size);
}

typedef struct FileShareList {
    FileShare *items;
    size_t count;
} FileShareList;

/* Rows of one experiment come one behind the other: one addition for all of them. */
static void take_share(FileShareList *list, FileShare share, Arena *arena)
{
    FileShare *last = list->count ? &list->items[list->count - 1] : NULL;

    if (last && last->experiment_id == share.experiment_id)
        last->size += share.size;
    else
        *arena_push(arena, list) = share;
}

bool workspace_release(Scope *scope, Query *query, int64_t *count)
{
    FileShareList released = {0};

    *count = 0;
    for (; query_next(query); (*count)++)
        take_share(&released, (FileShare){query_int(query, 0), query_int(query, 1)}, scope->arena);
    if (!query_end(query, &scope->error))
        return false;
    for (size_t i = 0; i < released.count; i++)
        if (!add(scope, released.items[i].experiment_id, -released.items[i].size))
            return false;
    return true;
}
