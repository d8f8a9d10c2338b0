#include "tracking/run.h"

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "base/id.h"
#include "base/time.h"
#include "tracking/experiment.h"
#include "tracking/purge.h"
#include "tracking/run_internal.h"
#include "tracking/step_bounds.h"

enum { NAME_CHARACTERS_MAX = 250, USER_CHARACTERS_MAX = 256 };

static const char *const status_names[] = {
    [RUN_RUNNING] = "RUNNING", [RUN_SCHEDULED] = "SCHEDULED", [RUN_FINISHED] = "FINISHED",
    [RUN_FAILED] = "FAILED",   [RUN_KILLED] = "KILLED",
};

const char *run_status_name(RunStatus status)
{
    return status_names[status];
}

bool run_status_find(const char *name, RunStatus *status)
{
    for (size_t i = 0; i < COUNT(status_names); i++) {
        if (strcmp(status_names[i], name) != 0)
            continue;
        *status = (RunStatus)i;
        return true;
    }
    return false;
}

static bool has_ended(RunStatus status)
{
    return status == RUN_FINISHED || status == RUN_FAILED || status == RUN_KILLED;
}

Run run_from_row(const Query *query, Arena *arena)
{
    Run run = {
        .key = query_int(query, 0),
        .id = query_text(query, 1, arena),
        .experiment_id = query_int(query, 2),
        .name = query_text(query, 3, arena),
        .user = query_text(query, 4, arena),
        .failure = query_text(query, 6, arena),
        .started_at = query_int(query, 7),
        .ended_at = query_int(query, 8),
        .is_deleted = query_int(query, 9) != 0,
        .is_trial = query_int(query, 11) != 0,
    };

    run.artifact_uri = arena_format(
        arena, "%s/%s/artifacts",
        experiment_location(run.experiment_id, query_text(query, 10, arena), arena), run.id);
    /* What a newer version may have written reads as RUNNING: it cannot be registered. */
    if (!run_status_find(query_text(query, 5, arena), &run.status))
        run.status = RUN_RUNNING;
    return run;
}

bool run_find_row(Scope *scope, const char *id, Run *run)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_RUN " WHERE runs.id = $1", db_text(id));

    if (query_next(&query)) {
        *run = run_from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "run \"%.64s\" does not exist", id);
}

bool run_find_writable(Scope *scope, const char *id, Run *run)
{
    Run found;

    if (!run_find_row(scope, id, &found))
        return false;
    if (found.is_deleted)
        return fail(&scope->error, ERROR_CONFLICT, "run \"%s\" is deleted; restore it to change it",
                    id);
    if (!step_bounds_check_run(scope, &found))
        return false;
    *run = found;
    return true;
}

bool run_find(Scope *scope, const char *id, Run *run)
{
    Run found;
    RunList one = {&found, 1};

    if (!run_find_row(scope, id, &found) || !run_load_details(scope, &one))
        return false;
    *run = found;
    return true;
}

static bool append_event(Scope *scope, const char *action, const Run *run)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", run->experiment_id);
    json_text(json, "name", run->name);
    json_text(json, "status", run_status_name(run->status));
    json_close(json);
    return event_append(scope, action, run->id, json_finish(json));
}

bool run_name_check(Scope *scope, const char *name)
{
    size_t length = text_characters(name);

    if (length < 1 || length > NAME_CHARACTERS_MAX || !text_is_utf8(name, strlen(name)))
        return fail_field(&scope->error, "name", "a run name has 1 to %d characters",
                          NAME_CHARACTERS_MAX);
    return true;
}

/* The name may come as a tag; both, and different, is a mistake. */
static bool choose_name(Scope *scope, const RunSpec *spec, const char **name)
{
    const char *given = spec->name && *spec->name ? spec->name : NULL;
    const char *tag = param_find(&spec->tags, RUN_NAME_TAG);

    if (given && tag && strcmp(given, tag) != 0)
        return fail_field(&scope->error, "name",
                          "the run's name and its tag \"" RUN_NAME_TAG "\" differ");
    if (!given)
        given = tag && *tag ? tag : run_name_random(scope->arena);
    if (!run_name_check(scope, given))
        return false;
    *name = given;
    return true;
}

static bool check_spec(Scope *scope, const RunSpec *spec)
{
    if (!experiment_check_active(scope, spec->experiment_id))
        return false;
    if (spec->user && text_characters(spec->user) > USER_CHARACTERS_MAX)
        return fail_field(&scope->error, "user", "a user has at most %d characters",
                          USER_CHARACTERS_MAX);
    if (spec->started_at < 0)
        return fail_field(&scope->error, "started_at", "a time is not before 1970");
    return param_list_check("tag", &spec->tags, TAG_CHARACTERS_MAX, &scope->error);
}

static bool insert(Scope *scope, Run *run)
{
    static const char sql[] =
        "INSERT INTO runs(key, id, experiment_id, name, user_name, status, started_at)"
        "VALUES (" NEXT_RUN_KEY ", $1, $2, $3, $4, $5, $6)"
        "RETURNING key";

    return db_get_int(scope->db, &scope->error, &run->key, sql, db_text(run->id),
                      db_int(run->experiment_id), db_text(run->name), db_text(run->user),
                      db_text(run_status_name(run->status)), db_int(run->started_at));
}

static const char *who(const Scope *scope, const RunSpec *spec)
{
    if (spec->user && *spec->user)
        return spec->user;
    return scope->principal.name ? scope->principal.name : "local";
}

bool run_create(Scope *scope, const RunSpec *spec, Run *run)
{
    ParamList bounds = step_bounds_tags(scope);
    char id[ID_TEXT_SIZE];
    Run created = {
        .experiment_id = spec->experiment_id,
        .user = who(scope, spec),
        .status = RUN_RUNNING,
        .started_at = spec->started_at ? spec->started_at : time_now_ms(),
    };

    if (!check_spec(scope, spec) || !choose_name(scope, spec, &created.name))
        return false;
    created.id = arena_text(scope->arena, id_random(id));
    return insert(scope, &created) && run_put_tags(scope, &created, &spec->tags) &&
           run_put_tags(scope, &created, &bounds) && append_event(scope, "run.created", &created) &&
           run_find(scope, created.id, run);
}

static bool set_status(Scope *scope, const Run *run, RunStatus status, int64_t ended_at)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE runs SET status = $2, ended_at = $3 WHERE key = $1", db_int(run->key),
                  db_text(run_status_name(status)), db_int_or_null(ended_at));
}

bool run_finish(Scope *scope, const char *id, RunStatus status, const char *failure)
{
    Run run;

    if (!has_ended(status))
        return fail_field(&scope->error, "status",
                          "a run ends as \"FINISHED\", \"FAILED\" or \"KILLED\"");
    if (!run_find_writable(scope, id, &run))
        return false;
    if (run.status == status)
        return true;
    if (has_ended(run.status))
        return fail(&scope->error, ERROR_CONFLICT, "run \"%s\" has already ended as %s", id,
                    run_status_name(run.status));
    run.status = status;
    return set_status(scope, &run, status, time_now_ms()) &&
           db_run(scope->db, &scope->error, "UPDATE runs SET failure = $2 WHERE key = $1",
                  db_int(run.key), db_text(failure)) &&
           append_event(scope, "run.finished", &run);
}

bool run_rename(Scope *scope, const Run *run, const char *name)
{
    if (strcmp(run->name, name) == 0)
        return true;
    return run_name_check(scope, name) &&
           db_run(scope->db, &scope->error, "UPDATE runs SET name = $2 WHERE key = $1",
                  db_int(run->key), db_text(name));
}

bool run_update(Scope *scope, const char *id, const RunChange *change)
{
    Run run;

    if (!run_find_writable(scope, id, &run) ||
        (change->name && !run_rename(scope, &run, change->name)))
        return false;
    if (!change->status)
        return true;
    if (!run_status_find(change->status, &run.status))
        return fail_field(&scope->error, "status",
                          "a run's status is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED");
    if (!has_ended(run.status))
        return set_status(scope, &run, run.status, 0) && append_event(scope, "run.continued", &run);
    return set_status(scope, &run, run.status,
                      change->ended_at ? change->ended_at : time_now_ms()) &&
           append_event(scope, "run.finished", &run);
}

/* Some of what it had is gone. */
static bool check_restorable(Scope *scope, const Run *run)
{
    int64_t is_purged = 0;

    return db_get_int(scope->db, &scope->error, &is_purged,
                      "SELECT purged_at IS NOT NULL FROM runs WHERE key = $1", db_int(run->key)) &&
           (!is_purged || fail(&scope->error, ERROR_CONFLICT,
                               "run \"%s\" is being purged, so it cannot be restored", run->id));
}

/* deleted_at 0: restores. */
static bool mark(Scope *scope, const char *id, int64_t deleted_at)
{
    Run run;

    if (!run_find_row(scope, id, &run))
        return false;
    if (run.is_deleted == (deleted_at != 0))
        return true;
    if (!deleted_at && (!check_restorable(scope, &run) || !run_check_trial(scope, &run)))
        return false;
    return run_mark_trials(scope, &run, deleted_at) &&
           db_run(scope->db, &scope->error, "UPDATE runs SET deleted_at = $2 WHERE key = $1",
                  db_int(run.key), db_int_or_null(deleted_at)) &&
           append_event(scope, deleted_at ? "run.deleted" : "run.restored", &run);
}

bool run_delete(Scope *scope, const char *id)
{
    return mark(scope, id, time_now_ms());
}

bool run_restore(Scope *scope, const char *id)
{
    return mark(scope, id, 0);
}

void run_write_json(JsonWriter *json, const char *key, const Run *run)
{
    json_open_object(json, key);
    {
        json_text(json, "id", run->id);
        json_int(json, "experiment_id", run->experiment_id);
        json_text(json, "name", run->name);
        json_text(json, "user", run->user);
        json_text(json, "status", run_status_name(run->status));
        json_text(json, "failure", run->failure);
        json_time(json, "started_at", run->started_at);
        json_time(json, "ended_at", run->ended_at);
        json_bool(json, "is_deleted", run->is_deleted);
        param_list_write_json(json, "params", &run->params);
        json_open_array(json, "metrics");
        for (size_t i = 0; i < run->metrics.count; i++)
            metric_write_json(json, NULL, &run->metrics.items[i]);
        json_close(json);
        param_list_write_json(json, "tags", &run->tags);
    }
    json_close(json);
}
