#include "tracking/experiment.h"

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "tracking/experiment_internal.h"
#include "tracking/purge.h"
#include "tracking/step_bounds.h"
#include "tracking/workspace.h"

enum { NAME_CHARACTERS_MAX = 500, LOCATION_BYTES_MAX = 2048 };

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_EXPERIMENT                                                                          \
    "SELECT id, name, created_at, updated_at, deleted_at IS NOT NULL, artifact_location"           \
    "  FROM experiments"

const char *experiment_location(int64_t id, const char *given, Arena *arena)
{
    return given ? given : arena_format(arena, "mlflow-artifacts:/%" PRId64, id);
}

static Experiment from_row(const Query *query, Arena *arena)
{
    return (Experiment){
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .created_at = query_int(query, 2),
        .updated_at = query_int(query, 3),
        .is_deleted = query_int(query, 4) != 0,
        .artifact_location =
            experiment_location(query_int(query, 0), query_text(query, 5, arena), arena),
    };
}

static bool load_tags(Scope *scope, Experiment *experiment)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT key, value FROM experiment_tags"
                           " WHERE experiment_id = $1 ORDER BY key",
                           db_int(experiment->id));

    return param_list_from_rows(&query, scope->arena, &experiment->tags, &scope->error);
}

/* The one row of a query, or *found false. */
static bool take_one(Scope *scope, Query *query, Experiment *experiment, bool *found)
{
    Experiment taken = {0};

    *found = query_next(query);
    if (!*found)
        return query_end(query, &scope->error);
    taken = from_row(query, scope->arena);
    if (!load_tags(scope, &taken))
        return false;
    *experiment = taken;
    return true;
}

static bool find_name(Scope *scope, const char *name, Experiment *experiment, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_EXPERIMENT " WHERE name = $1", db_text(name));

    return take_one(scope, &query, experiment, found);
}

static bool fail_missing(Scope *scope, int64_t id)
{
    return fail(&scope->error, ERROR_NOT_FOUND, "experiment %" PRId64 " does not exist", id);
}

bool experiment_find(Scope *scope, int64_t id, Experiment *experiment)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_EXPERIMENT " WHERE id = $1", db_int(id));
    bool found = false;

    if (!take_one(scope, &query, experiment, &found))
        return false;
    return found || fail_missing(scope, id);
}

bool experiment_count_runs(Scope *scope, Experiment *experiment)
{
    return db_get_int(scope->db, &scope->error, &experiment->run_count,
                      "SELECT count(*) FROM runs WHERE experiment_id = $1 AND deleted_at IS NULL"
                      "   AND trial_of IS NULL",
                      db_int(experiment->id));
}

bool experiment_check_active(Scope *scope, int64_t id)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, "SELECT deleted_at IS NOT NULL FROM experiments WHERE id = $1", db_int(id));

    if (!query_next(&query))
        return query_end(&query, &scope->error) && fail_missing(scope, id);
    if (query_int(&query, 0))
        return fail(&scope->error, ERROR_CONFLICT,
                    "experiment %" PRId64 " is deleted; restore it to change it", id);
    return step_bounds_check_experiment(scope, id);
}

bool experiment_find_by_name(Scope *scope, const char *name, Experiment *experiment)
{
    bool found = false;

    if (!find_name(scope, name, experiment, &found))
        return false;
    return found || fail(&scope->error, ERROR_NOT_FOUND, "experiment \"%s\" does not exist", name);
}

bool experiment_name_check(Scope *scope, const char *name)
{
    size_t length = name ? text_characters(name) : 0;

    if (length < 1 || length > NAME_CHARACTERS_MAX || !text_is_utf8(name, strlen(name)))
        return fail_field(&scope->error, "name", "an experiment name has 1 to %d characters",
                          NAME_CHARACTERS_MAX);
    return true;
}

static bool fail_taken(Scope *scope, const Experiment *other)
{
    return fail(&scope->error, ERROR_EXISTS,
                other->is_deleted ? "experiment \"%s\" already exists; it is deleted: restore it"
                                  : "experiment \"%s\" already exists",
                other->name);
}

/* renamed_to: the new name, or NULL. */
static bool append_event(Scope *scope, const char *action, const Experiment *experiment,
                         const char *renamed_to)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", experiment->id);
    if (renamed_to) {
        json_text(json, "before", experiment->name);
        json_text(json, "after", renamed_to);
    }
    json_close(json);
    return event_append(scope, action, renamed_to ? renamed_to : experiment->name,
                        json_finish(json));
}

/* Clients take it for a URI and put their own paths behind it: what would make these lead elsewhere
 * is refused. */
bool experiment_location_check(Scope *scope, const char *location)
{
    size_t length = location ? strlen(location) : 0;

    if (!location)
        return true;
    if (length == 0 || length > LOCATION_BYTES_MAX || !text_is_utf8(location, length) ||
        location[strcspn(location, "?#\\%")] || strstr(location, "..") ||
        text_has_prefix(location, "runs:"))
        return fail_field(&scope->error, "artifact_location",
                          "an artifact location is a URI of at most %d bytes, without \"..\", and "
                          "not below \"runs:\"",
                          LOCATION_BYTES_MAX);
    for (; *location; location++)
        if ((unsigned char)*location < 0x20 || *location == 0x7f)
            return fail_field(&scope->error, "artifact_location",
                              "an artifact location has no control characters");
    return true;
}

static bool insert(Scope *scope, const ExperimentSpec *spec, int64_t *id)
{
    static const char sql[] =
        "INSERT INTO experiments(id, name, created_at, updated_at, artifact_location)"
        "VALUES (" NEXT_EXPERIMENT_ID ", $1, $2, $2, $3)"
        "RETURNING id";

    return db_get_int(scope->db, &scope->error, id, sql, db_text(spec->name), db_int(time_now_ms()),
                      db_text(spec->artifact_location));
}

static bool put_tags(Scope *scope, int64_t id, const ParamList *tags)
{
    static const char sql[] =
        "INSERT INTO experiment_tags(experiment_id, key, value)"
        "VALUES ($1, $2, $3)"
        "ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value";

    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(id), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    return true;
}

static bool enter_workspace(Scope *scope, int64_t id, const ParamList *tags)
{
    const char *name = param_find(tags, WORKSPACE_TAG);

    return !name || workspace_enter(scope, id, name);
}

bool experiment_create(Scope *scope, const ExperimentSpec *spec, Experiment *experiment)
{
    Experiment created;
    bool found = false;
    int64_t id = 0;

    if (!experiment_name_check(scope, spec->name) ||
        !experiment_location_check(scope, spec->artifact_location) ||
        !param_list_check("tag", &spec->tags, EXPERIMENT_TAG_CHARACTERS_MAX, &scope->error) ||
        !find_name(scope, spec->name, &created, &found))
        return false;
    if (found)
        return fail_taken(scope, &created);
    if (!insert(scope, spec, &id) || !put_tags(scope, id, &spec->tags) ||
        !enter_workspace(scope, id, &spec->tags) || !experiment_find(scope, id, &created) ||
        !append_event(scope, "experiment.created", &created, NULL))
        return false;
    *experiment = created;
    return true;
}

bool experiment_ensure(Scope *scope, const char *name, Experiment *experiment)
{
    Experiment present;
    bool found = false;

    if (!find_name(scope, name, &present, &found))
        return false;
    if (!found)
        return experiment_create(scope, &(ExperimentSpec){.name = name}, experiment);
    if (present.is_deleted)
        return fail_taken(scope, &present);
    *experiment = present;
    return true;
}

static bool load_all_tags(Scope *scope, ExperimentList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT experiment_id, key, value FROM experiment_tags"
                                      " ORDER BY experiment_id, key");
    size_t at = 0;

    while (query_next(&query)) {
        int64_t id = query_int(&query, 0);

        while (at < list->count && list->items[at].id < id)
            at++;
        if (at == list->count || list->items[at].id != id)
            continue;
        *arena_push(scope->arena, &list->items[at].tags) =
            (Param){query_text(&query, 1, scope->arena), query_text(&query, 2, scope->arena)};
    }
    return query_end(&query, &scope->error);
}

bool experiment_list(Scope *scope, const ExperimentFilter *filter, ExperimentList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 SELECT_EXPERIMENT " WHERE id > $1 AND ($2 OR deleted_at IS NULL)"
                                   " ORDER BY id LIMIT $3",
                 db_int(filter ? filter->after : -1), db_int(filter && filter->with_deleted),
                 db_int(page_limit(filter ? &filter->page : NULL)));
    ExperimentList taken = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &taken) = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error) || !load_all_tags(scope, &taken))
        return false;
    *list = taken;
    return true;
}

static bool mark_runs(Scope *scope, int64_t id, int64_t deleted_at)
{
    if (deleted_at)
        return db_run(scope->db, &scope->error,
                      "UPDATE runs SET deleted_at = $2"
                      " WHERE experiment_id = $1 AND deleted_at IS NULL",
                      db_int(id), db_int(deleted_at));
    return db_run(scope->db, &scope->error,
                  "UPDATE runs SET deleted_at = NULL"
                  " WHERE experiment_id = $1 AND purged_at IS NULL"
                  "   AND (trial_of IS NULL OR trial_of IN"
                  "        (SELECT key FROM runs WHERE experiment_id = $1 AND purged_at IS NULL))",
                  db_int(id));
}

/* Some of what it had is gone. */
static bool check_restorable(Scope *scope, int64_t id)
{
    int64_t is_purged = 0;

    return db_get_int(scope->db, &scope->error, &is_purged,
                      "SELECT purged_at IS NOT NULL FROM experiments WHERE id = $1", db_int(id)) &&
           (!is_purged ||
            fail(&scope->error, ERROR_CONFLICT,
                 "experiment %" PRId64 " is being purged, so it cannot be restored", id));
}

/* deleted_at 0: restores. */
static bool mark(Scope *scope, int64_t id, int64_t deleted_at)
{
    Experiment experiment;

    if (!experiment_find(scope, id, &experiment))
        return false;
    if (experiment.is_deleted == (deleted_at != 0))
        return true;
    if (!deleted_at && !check_restorable(scope, id))
        return false;
    return db_run(scope->db, &scope->error,
                  "UPDATE experiments SET deleted_at = $2, updated_at = $3 WHERE id = $1",
                  db_int(id), db_int_or_null(deleted_at), db_int(time_now_ms())) &&
           mark_runs(scope, id, deleted_at) &&
           append_event(scope, deleted_at ? "experiment.deleted" : "experiment.restored",
                        &experiment, NULL);
}

bool experiment_delete(Scope *scope, int64_t id)
{
    return mark(scope, id, time_now_ms());
}

bool experiment_restore(Scope *scope, int64_t id)
{
    return mark(scope, id, 0);
}

static bool find_active(Scope *scope, int64_t id, Experiment *experiment)
{
    return experiment_check_active(scope, id) && experiment_find(scope, id, experiment);
}

bool experiment_rename(Scope *scope, int64_t id, const char *name)
{
    Experiment experiment, other;
    bool found = false;

    if (!experiment_name_check(scope, name) || !find_active(scope, id, &experiment) ||
        !find_name(scope, name, &other, &found))
        return false;
    if (found)
        return other.id == id || fail_taken(scope, &other);
    return db_run(scope->db, &scope->error,
                  "UPDATE experiments SET name = $2, updated_at = $3 WHERE id = $1", db_int(id),
                  db_text(name), db_int(time_now_ms())) &&
           append_event(scope, "experiment.renamed", &experiment, name);
}

static bool touch(Scope *scope, const Experiment *experiment)
{
    return db_run(scope->db, &scope->error, "UPDATE experiments SET updated_at = $2 WHERE id = $1",
                  db_int(experiment->id), db_int(time_now_ms())) &&
           append_event(scope, "experiment.tagged", experiment, NULL);
}

bool experiment_set_tags(Scope *scope, int64_t id, const ParamList *tags)
{
    Experiment experiment;

    for (size_t i = 0; i < tags->count; i++)
        if (!workspace_check_tag(scope, tags->items[i].key))
            return false;
    return param_list_check("tag", tags, EXPERIMENT_TAG_CHARACTERS_MAX, &scope->error) &&
           find_active(scope, id, &experiment) && put_tags(scope, id, tags) &&
           touch(scope, &experiment);
}

bool experiment_delete_tag(Scope *scope, int64_t id, const char *key)
{
    Experiment experiment;

    if (!workspace_check_tag(scope, key) || !find_active(scope, id, &experiment))
        return false;
    if (!param_find(&experiment.tags, key))
        return fail(&scope->error, ERROR_NOT_FOUND, "experiment %" PRId64 " has no tag \"%.250s\"",
                    id, key);
    return db_run(scope->db, &scope->error,
                  "DELETE FROM experiment_tags WHERE experiment_id = $1 AND key = $2", db_int(id),
                  db_text(key)) &&
           touch(scope, &experiment);
}

void experiment_write_json(JsonWriter *json, const char *key, const Experiment *experiment)
{
    json_open_object(json, key);
    {
        json_int(json, "id", experiment->id);
        json_text(json, "name", experiment->name);
        json_bool(json, "is_deleted", experiment->is_deleted);
        json_time(json, "created_at", experiment->created_at);
        json_time(json, "updated_at", experiment->updated_at);
        json_int(json, "run_count", experiment->run_count);
        param_list_write_json(json, "tags", &experiment->tags);
    }
    json_close(json);
}
