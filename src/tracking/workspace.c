#include "tracking/workspace.h"

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "tracking/experiment.h"
#include "tracking/workspace_internal.h"

const JsonField workspace_spec_fields[] = {
    {"artifact_bytes_max", JSON_INT, offsetof(WorkspaceSpec, artifact_bytes_max), JSON_REQUIRED,
     "what the files of its experiments may be together; 0: no limit"},
    {0},
};

Workspace workspace_from_row(const Query *query, Arena *arena)
{
    return (Workspace){
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .artifact_bytes = query_int(query, 2),
        .spec = {.artifact_bytes_max = query_int(query, 3)},
        .updated_at = query_int(query, 4),
        .updated_by = query_text(query, 5, arena),
    };
}

void workspace_write_json(JsonWriter *json, const char *key, const Workspace *workspace)
{
    json_open_object(json, key);
    {
        json_text(json, "name", workspace->name);
        json_int(json, "artifact_bytes", workspace->artifact_bytes);
        json_int(json, "artifact_bytes_max", workspace->spec.artifact_bytes_max);
        json_time(json, "updated_at", workspace->updated_at);
        json_text(json, "updated_by", workspace->updated_by);
    }
    json_close(json);
}

static bool find(Scope *scope, const char *name, Workspace *workspace, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_WORKSPACE " WHERE name = $1", db_text(name));

    *found = query_next(&query);
    if (*found)
        *workspace = workspace_from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool workspace_find(Scope *scope, const char *name, Workspace *workspace)
{
    bool found;

    return find(scope, name, workspace, &found) &&
           (found ||
            fail(&scope->error, ERROR_NOT_FOUND, "workspace \"%.128s\" does not exist", name));
}

bool workspace_list(Scope *scope, const Page *page, WorkspaceList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_WORKSPACE " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, list) = workspace_from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool workspace_shares(Scope *scope, const Workspace *workspace, WorkspaceShareList *list)
{
    static const char sql[] =
        "SELECT s.experiment_id, e.name, s.artifact_bytes"
        "  FROM experiment_shares s LEFT JOIN experiments e ON e.id = s.experiment_id"
        " WHERE s.workspace_id = $1"
        " ORDER BY s.artifact_bytes DESC, s.experiment_id LIMIT $2";
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_int(workspace->id), db_int(WORKSPACE_SHARES_MAX));

    while (query_next(&query))
        *arena_push(scope->arena, list) = (WorkspaceShare){
            .experiment_id = query_int(&query, 0),
            .experiment = query_text(&query, 1, scope->arena),
            .artifact_bytes = query_int(&query, 2),
        };
    return query_end(&query, &scope->error);
}

/* ---- limits ---- */

static bool check(const char *name, const WorkspaceSpec *spec, Error *error)
{
    if (!name_check("workspace", "workspace", name, error))
        return false;
    return (spec->artifact_bytes_max >= 0 && spec->artifact_bytes_max <= WORKSPACE_BYTES_MAX) ||
           fail_field(error, "artifact_bytes_max",
                      "\"artifact_bytes_max\" is 0, for no limit, to %" PRId64,
                      WORKSPACE_BYTES_MAX);
}

static void write_spec(JsonWriter *json, const char *key, const WorkspaceSpec *spec)
{
    json_open_object(json, key);
    json_int(json, "artifact_bytes_max", spec->artifact_bytes_max);
    json_close(json);
}

/* before, after: NULL when there was or is no such workspace. */
static bool append_changed(Scope *scope, const char *action, const char *name,
                           const WorkspaceSpec *before, const WorkspaceSpec *after)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    if (before)
        write_spec(json, "before", before);
    if (after)
        write_spec(json, "after", after);
    json_close(json);
    return event_append(scope, action, name, json_finish(json));
}

static bool put(Scope *scope, const char *name, const WorkspaceSpec *spec)
{
    static const char sql[] =
        "INSERT INTO workspaces"
        "  (id, name, artifact_bytes, artifact_bytes_max, updated_at, updated_by)"
        "VALUES ((SELECT max(id) + 1 FROM workspaces), $1, 0, $2, $3, $4)"
        "ON CONFLICT (name) DO UPDATE SET artifact_bytes_max = excluded.artifact_bytes_max,"
        " updated_at = excluded.updated_at, updated_by = excluded.updated_by";

    return db_run(scope->db, &scope->error, sql, db_text(name),
                  db_int_or_null(spec->artifact_bytes_max), db_int(time_now_ms()),
                  db_text(scope->principal.name));
}

bool workspace_set(Scope *scope, const char *name, const WorkspaceSpec *spec, Workspace *workspace)
{
    Workspace now = {0};
    bool found;

    if (!check(name, spec, &scope->error) || !find(scope, name, &now, &found))
        return false;
    if (found && now.spec.artifact_bytes_max == spec->artifact_bytes_max) {
        *workspace = now;
        return true;
    }
    return put(scope, name, spec) &&
           append_changed(scope, "workspace.set", name, found ? &now.spec : NULL, spec) &&
           workspace_find(scope, name, workspace);
}

/* ---- what is in which ---- */

static bool take_over(Scope *scope, const Workspace *from, const Workspace *to)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM experiment_tags WHERE key = $2 AND experiment_id IN"
                  " (SELECT experiment_id FROM experiment_shares WHERE workspace_id = $1)",
                  db_int(from->id), db_text(WORKSPACE_TAG)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE experiment_shares SET workspace_id = $2 WHERE workspace_id = $1",
                  db_int(from->id), db_int(to->id)) &&
           workspace_add_bytes(scope, to->id, from->artifact_bytes);
}

bool workspace_remove(Scope *scope, const char *name)
{
    Workspace workspace, rest;

    if (!workspace_find(scope, name, &workspace) ||
        !workspace_find(scope, WORKSPACE_DEFAULT, &rest))
        return false;
    if (workspace.id == rest.id)
        return fail(&scope->error, ERROR_CONFLICT,
                    "workspace \"" WORKSPACE_DEFAULT "\" stays: it has all experiments that are in "
                    "no other");
    return workspace_has_room(scope, &rest, workspace.artifact_bytes) &&
           take_over(scope, &workspace, &rest) &&
           db_run(scope->db, &scope->error, "DELETE FROM workspaces WHERE id = $1",
                  db_int(workspace.id)) &&
           append_changed(scope, "workspace.removed", name, &workspace.spec, NULL);
}

static bool find_bytes(Scope *scope, int64_t experiment_id, int64_t *bytes)
{
    return db_get_int(scope->db, &scope->error, bytes,
                      "SELECT coalesce(max(artifact_bytes), 0) FROM experiment_shares"
                      " WHERE experiment_id = $1",
                      db_int(experiment_id));
}

static bool put_share(Scope *scope, int64_t experiment_id, int64_t workspace_id)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO experiment_shares (experiment_id, workspace_id, artifact_bytes)"
                  "VALUES ($1, $2, 0)"
                  "ON CONFLICT (experiment_id) DO UPDATE SET workspace_id = excluded.workspace_id",
                  db_int(experiment_id), db_int(workspace_id));
}

/* The default one is told by no tag. */
static bool put_tag(Scope *scope, int64_t experiment_id, const Workspace *workspace)
{
    if (workspace->id == WORKSPACE_DEFAULT_ID)
        return db_run(scope->db, &scope->error,
                      "DELETE FROM experiment_tags WHERE experiment_id = $1 AND key = $2",
                      db_int(experiment_id), db_text(WORKSPACE_TAG));
    return db_run(scope->db, &scope->error,
                  "INSERT INTO experiment_tags(experiment_id, key, value) VALUES ($1, $2, $3)"
                  "ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value",
                  db_int(experiment_id), db_text(WORKSPACE_TAG), db_text(workspace->name));
}

static bool change(Scope *scope, int64_t experiment_id, const Workspace *from, const Workspace *to)
{
    int64_t bytes;

    if (from->id == to->id)
        return put_tag(scope, experiment_id, to);
    return find_bytes(scope, experiment_id, &bytes) && workspace_has_room(scope, to, bytes) &&
           put_share(scope, experiment_id, to->id) &&
           workspace_add_bytes(scope, from->id, -bytes) &&
           workspace_add_bytes(scope, to->id, bytes) && put_tag(scope, experiment_id, to);
}

bool workspace_enter(Scope *scope, int64_t experiment_id, const char *name)
{
    Workspace from, to;

    return workspace_find(scope, name, &to) &&
           workspace_of_experiment(scope, experiment_id, &from) &&
           change(scope, experiment_id, &from, &to);
}

static bool append_moved(Scope *scope, const Experiment *experiment, const Workspace *from,
                         const Workspace *to)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", experiment->id);
    json_text(json, "before", from->name);
    json_text(json, "after", to->name);
    json_close(json);
    return event_append(scope, "experiment.moved", experiment->name, json_finish(json));
}

bool workspace_move(Scope *scope, const char *experiment, const char *name, Workspace *workspace)
{
    Workspace from, to;
    Experiment found;

    if (!experiment_find_by_name(scope, experiment, &found) || !workspace_find(scope, name, &to) ||
        !workspace_of_experiment(scope, found.id, &from) || !change(scope, found.id, &from, &to))
        return false;
    return (from.id == to.id || append_moved(scope, &found, &from, &to)) &&
           workspace_find(scope, name, workspace);
}

bool workspace_check_tag(Scope *scope, const char *key)
{
    return strcmp(key, WORKSPACE_TAG) != 0 ||
           fail(&scope->error, ERROR_INVALID,
                "the tag \"" WORKSPACE_TAG "\" is given when an experiment is made; an owner moves "
                "it later: slipway workspace move");
}
