/* experiment_import.c: an experiment of another store. */

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "tracking/experiment_internal.h"
#include "tracking/moving.h"
#include "tracking/purge.h"
#include "tracking/workspace.h"

/* Numbers above would make all that come after long; those of a folder have 18 digits. */
enum { KEPT_ID_MAX = 1000000000 };

static bool find_present(Scope *scope, const Experiment *given, Experiment *present, bool *found)
{
    *found = given->id == 0 ? experiment_find(scope, 0, present)
                            : experiment_find_by_name(scope, given->name, present);
    if (*found)
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

static bool insert(Scope *scope, const Experiment *given, const char *location, int64_t *id)
{
    static const char sql[] =
        "INSERT INTO experiments"
        "  (id, name, created_at, updated_at, deleted_at, artifact_location)"
        "VALUES (CASE WHEN $1 BETWEEN 1 AND $2"
        "              AND NOT EXISTS (SELECT 1 FROM experiments WHERE id = $1)"
        "              AND NOT EXISTS (SELECT 1 FROM purged_ids"
        "                               WHERE noun = 'experiment' AND id >= $1) THEN $1"
        "             ELSE " NEXT_EXPERIMENT_ID " END, $3, $4, $5, $6, $7)"
        "RETURNING id";

    return db_get_int(scope->db, &scope->error, id, sql, db_int(given->id), db_int(KEPT_ID_MAX),
                      db_text(given->name), db_int(given->created_at), db_int(given->updated_at),
                      db_int_or_null(given->is_deleted ? given->updated_at : 0), db_text(location));
}

/* In which workspace it is, is said here. */
static bool put_tags(Scope *scope, int64_t id, const ParamList *tags, MovingCount *count)
{
    static const char sql[] = "INSERT INTO experiment_tags(experiment_id, key, value)"
                              "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

    for (size_t i = 0; i < tags->count; i++) {
        if (strcmp(tags->items[i].key, WORKSPACE_TAG) == 0) {
            moving_count(count, false);
            continue;
        }
        if (!db_run(scope->db, &scope->error, sql, db_int(id), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
        moving_count(count, db_changes(scope->db) > 0);
    }
    return true;
}

static bool append_event(Scope *scope, const Experiment *given, int64_t id)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", id);
    json_int(json, "there", given->id);
    json_close(json);
    return event_append(scope, "experiment.imported", given->name, json_finish(json));
}

/* A location that would lead elsewhere is no use to anybody: the files are then with us. */
static bool make(Scope *scope, const Experiment *given, int64_t *id)
{
    const char *location = given->artifact_location;

    if (!experiment_location_check(scope, location)) {
        scope->error = (Error){0};
        location = NULL;
    }
    return experiment_name_check(scope, given->name) && insert(scope, given, location, id) &&
           append_event(scope, given, *id);
}

bool experiment_import(Scope *scope, const Experiment *given, Experiment *experiment,
                       MovingCounts *counts)
{
    Experiment present;
    bool found = false;
    int64_t id = 0;

    if (!param_list_check("tag", &given->tags, EXPERIMENT_TAG_CHARACTERS_MAX, &scope->error) ||
        !find_present(scope, given, &present, &found))
        return false;
    if (found)
        id = present.id;
    else if (!make(scope, given, &id))
        return false;
    moving_count(&counts->experiments, !found);
    return put_tags(scope, id, &given->tags, &counts->experiment_tags) &&
           experiment_find(scope, id, experiment);
}
