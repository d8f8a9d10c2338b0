#include "pipelines/retention.h"

#include <string.h>

#include "access/event.h"
#include "base/time.h"

const JsonField retention_spec_fields[] = {
    {"runs", JSON_INT, offsetof(RetentionSpec, runs), JSON_REQUIRED,
     "the newest so many runs of a project stay, 1 to 1000000"},
    {"days", JSON_INT, offsetof(RetentionSpec, days), JSON_REQUIRED,
     "and those that ended within so many days, 0 to 36500"},
    {0},
};

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_RETENTION "SELECT project, runs, days, updated_at, updated_by FROM retentions"

static Retention from_row(const Query *query, Arena *arena)
{
    return (Retention){
        .project = query_text(query, 0, arena),
        .spec = {.runs = query_int(query, 1), .days = query_int(query, 2)},
        .updated_at = query_int(query, 3),
        .updated_by = query_text(query, 4, arena),
    };
}

void retention_write_json(JsonWriter *json, const char *key, const Retention *retention)
{
    json_open_object(json, key);
    {
        json_text(json, "project", retention->project);
        json_int(json, "runs", retention->spec.runs);
        json_int(json, "days", retention->spec.days);
        json_time(json, "updated_at", retention->updated_at);
        json_text(json, "updated_by", retention->updated_by);
    }
    json_close(json);
}

static bool take_one(Scope *scope, Query *query, Retention *retention, bool *found)
{
    *found = query_next(query);
    if (*found)
        *retention = from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

/* '*' sorts before every name. */
bool retention_find(Scope *scope, const char *project, Retention *retention, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_RETENTION " WHERE project IN ($1, '" RETENTION_OF_ALL "')"
                                            " ORDER BY project DESC LIMIT 1",
                           db_text(project));

    return take_one(scope, &query, retention, found);
}

static bool find_own(Scope *scope, const char *project, Retention *retention, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_RETENTION " WHERE project = $1", db_text(project));

    return take_one(scope, &query, retention, found);
}

bool retention_list(Scope *scope, const Page *page, RetentionList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_RETENTION " WHERE project > $1 ORDER BY project LIMIT $2",
                 db_text(page_after(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool retention_is_any(Scope *scope, bool *is)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, "SELECT 1 FROM retentions LIMIT 1");

    *is = query_next(&query);
    return query_end(&query, &scope->error);
}

/* ---- setting ---- */

static bool check(const char *project, const RetentionSpec *spec, Error *error)
{
    if (strcmp(project, RETENTION_OF_ALL) != 0 && !name_check("project", "project", project, error))
        return false;
    if (spec->runs < 1 || spec->runs > RETENTION_RUNS_MAX)
        return fail_field(error, "runs", "\"runs\" is 1 to %d", RETENTION_RUNS_MAX);
    return (spec->days >= 0 && spec->days <= RETENTION_DAYS_MAX) ||
           fail_field(error, "days", "\"days\" is 0 to %d", RETENTION_DAYS_MAX);
}

static void write_spec(JsonWriter *json, const char *key, const RetentionSpec *spec)
{
    json_open_object(json, key);
    json_int(json, "runs", spec->runs);
    json_int(json, "days", spec->days);
    json_close(json);
}

/* before, after: NULL when there was or is no rule. */
static bool append_changed(Scope *scope, const char *action, const char *project,
                           const RetentionSpec *before, const RetentionSpec *after)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    if (before)
        write_spec(json, "before", before);
    if (after)
        write_spec(json, "after", after);
    json_close(json);
    return event_append(scope, action, project, json_finish(json));
}

bool retention_set(Scope *scope, const char *project, const RetentionSpec *spec,
                   Retention *retention)
{
    Retention now = {0};
    bool found;

    if (!check(project, spec, &scope->error) || !find_own(scope, project, &now, &found))
        return false;
    if (found && now.spec.runs == spec->runs && now.spec.days == spec->days) {
        *retention = now;
        return true;
    }
    return db_run(scope->db, &scope->error,
                  "INSERT INTO retentions (project, runs, days, updated_at, updated_by)"
                  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (project) DO UPDATE SET"
                  " runs = excluded.runs, days = excluded.days,"
                  " updated_at = excluded.updated_at, updated_by = excluded.updated_by",
                  db_text(project), db_int(spec->runs), db_int(spec->days), db_int(time_now_ms()),
                  db_text(scope->principal.name)) &&
           append_changed(scope, "retention.set", project, found ? &now.spec : NULL, spec) &&
           find_own(scope, project, retention, &found);
}

bool retention_remove(Scope *scope, const char *project)
{
    Retention now = {0};
    bool found;

    if (!find_own(scope, project, &now, &found))
        return false;
    if (!found)
        return fail(&scope->error, ERROR_NOT_FOUND,
                    "project \"%.128s\" has no retention of its own", project);
    return db_run(scope->db, &scope->error, "DELETE FROM retentions WHERE project = $1",
                  db_text(project)) &&
           append_changed(scope, "retention.removed", project, &now.spec, NULL);
}
