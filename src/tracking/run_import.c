/* run_import.c: a run of another store, with its id and times. */

#include <stdlib.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "tracking/metric_series.h"
#include "tracking/moving.h"
#include "tracking/purge.h"

enum { ID_DIGITS = 32, USER_CHARACTERS_MAX = 256 };

static bool check_id(Scope *scope, const char *id)
{
    return (strlen(id) == ID_DIGITS && id[strspn(id, "0123456789abcdef")] == '\0') ||
           fail_field(&scope->error, "run_id", "a run's id has %d hexadecimal digits", ID_DIGITS);
}

static bool check_run(Scope *scope, const Run *run)
{
    if (!check_id(scope, run->id) || !run_name_check(scope, run->name))
        return false;
    if (text_characters(run->user) > USER_CHARACTERS_MAX)
        return fail_field(&scope->error, "user", "a user has at most %d characters",
                          USER_CHARACTERS_MAX);
    return run->started_at >= 0 ||
           fail_field(&scope->error, "start_time", "a time is not before 1970");
}

static bool insert(Scope *scope, const RunMove *move)
{
    static const char sql[] =
        "INSERT INTO runs(key, id, experiment_id, name, user_name, status, started_at, ended_at,"
        "                 deleted_at)"
        "VALUES (" NEXT_RUN_KEY ", $1, $2, $3, $4, $5, $6, $7, $8)";
    const Run *run = move->run;

    return db_run(scope->db, &scope->error, sql, db_text(run->id), db_int(run->experiment_id),
                  db_text(run->name), db_text(run->user), db_text(run_status_name(run->status)),
                  db_int(run->started_at), db_int_or_null(run->ended_at),
                  db_int_or_null(move->deleted_at));
}

static bool append_event(Scope *scope, const Run *run)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", run->experiment_id);
    json_text(json, "name", run->name);
    json_text(json, "status", run_status_name(run->status));
    json_close(json);
    return event_append(scope, "run.imported", run->id, json_finish(json));
}

/* It ended there since it came. */
static bool end(Scope *scope, const Run *present, const Run *given)
{
    bool is_over = given->status != RUN_RUNNING && given->status != RUN_SCHEDULED;

    if (present->status == given->status || !is_over ||
        (present->status != RUN_RUNNING && present->status != RUN_SCHEDULED))
        return true;
    return db_run(scope->db, &scope->error,
                  "UPDATE runs SET status = $2, ended_at = $3 WHERE key = $1", db_int(present->key),
                  db_text(run_status_name(given->status)),
                  db_int(given->ended_at ? given->ended_at : time_now_ms())) &&
           append_event(scope, given);
}

static bool ensure(Scope *scope, const RunMove *move, Run *run, MovingCounts *counts)
{
    if (run_find_row(scope, move->run->id, run)) {
        moving_count(&counts->runs, false);
        return end(scope, run, move->run);
    }
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    moving_count(&counts->runs, true);
    return insert(scope, move) && append_event(scope, move->run) &&
           run_find_row(scope, move->run->id, run);
}

/* The reason goes to whoever moves; the next one may be fine. */
static void refuse(Scope *scope, const RunMove *move, const char *kind, const char *key)
{
    move->refuse(move->context,
                 arena_format(scope->arena, "%s \"%.100s\" of run %s", kind, key, move->run->id),
                 scope->error.message);
    scope->error = (Error){0};
}

static bool is_users_mistake(const Scope *scope)
{
    return scope->error.kind != ERROR_INTERNAL && scope->error.kind != ERROR_UNAVAILABLE;
}

static bool put_params(Scope *scope, const RunMove *move, const Run *run, MovingCount *count)
{
    const ParamList *params = &move->run->params;

    for (size_t i = 0; i < params->count; i++) {
        bool is_new = false;

        if (param_check("param", &params->items[i], PARAM_CHARACTERS_MAX, &scope->error) &&
            run_put_param(scope, run, &params->items[i], &is_new))
            moving_count(count, is_new);
        else if (is_users_mistake(scope))
            refuse(scope, move, "param", params->items[i].key);
        else
            return false;
    }
    return true;
}

static bool put_tag(Scope *scope, const Run *run, const Param *tag, MovingCount *count)
{
    static const char sql[] = INSERT_DETAIL("run_tags") " ON CONFLICT DO NOTHING";

    if (!db_run(scope->db, &scope->error, sql, db_int(run->key), db_text(tag->key),
                db_text(tag->value), db_int(run->experiment_id)))
        return false;
    moving_count(count, db_changes(scope->db) > 0);
    return true;
}

/* The name of a run comes with the run. */
static bool put_tags(Scope *scope, const RunMove *move, const Run *run, MovingCounts *counts)
{
    const ParamList *tags = &move->run->tags;

    for (size_t i = 0; i < tags->count; i++) {
        if (strcmp(tags->items[i].key, RUN_NAME_TAG) == 0)
            moving_count(&counts->tags, counts->runs.imported > 0);
        else if (!param_check("tag", &tags->items[i], TAG_CHARACTERS_MAX, &scope->error))
            refuse(scope, move, "tag", tags->items[i].key);
        else if (!put_tag(scope, run, &tags->items[i], &counts->tags))
            return false;
    }
    return true;
}

static bool put_datasets(Scope *scope, const RunMove *move, const Run *run, MovingCount *count)
{
    const DatasetInputList *datasets = &move->run->datasets;

    for (size_t i = 0; i < datasets->count; i++) {
        bool is_new = false;

        if (!run_check_dataset(scope, &datasets->items[i]))
            refuse(scope, move, "data set", datasets->items[i].name);
        else if (!run_put_dataset(scope, run, &datasets->items[i], &is_new))
            return false;
        else
            moving_count(count, is_new);
    }
    return true;
}

static bool put_model(Scope *scope, const RunMove *move, const Run *run, bool is_output,
                      ModelOutput model)
{
    if (run_check_model_id(scope, model.model_id))
        return run_put_model(scope, run, is_output, model);
    refuse(scope, move, "model", model.model_id);
    return true;
}

static bool put_models(Scope *scope, const RunMove *move, const Run *run)
{
    const Run *given = move->run;

    for (size_t i = 0; i < given->model_inputs.count; i++)
        if (!put_model(scope, move, run, false, (ModelOutput){given->model_inputs.items[i], 0}))
            return false;
    for (size_t i = 0; i < given->model_outputs.count; i++)
        if (!put_model(scope, move, run, true, given->model_outputs.items[i]))
            return false;
    return true;
}

bool run_import(Scope *scope, const RunMove *move, MovingCounts *counts)
{
    MovingCounts own = {0};
    Run run;

    if (!check_run(scope, move->run) || !ensure(scope, move, &run, &own) ||
        !put_params(scope, move, &run, &own.params) || !put_tags(scope, move, &run, &own) ||
        !put_datasets(scope, move, &run, &own.datasets) || !put_models(scope, move, &run))
        return false;
    moving_add(counts, &own);
    return true;
}

static bool check_points(Scope *scope, const MetricList *points)
{
    if (!key_check("metric", points->items[0].key, &scope->error))
        return false;
    for (size_t i = 0; i < points->count; i++)
        if (points->items[i].timestamp < 0)
            return fail_field(&scope->error, "metrics",
                              "the timestamp of a metric is not before 1970");
    return true;
}

bool run_import_points(Scope *scope, const char *run_id, const MetricList *points,
                       MovingCounts *counts)
{
    int64_t key_id = 0, added = 0;
    Run run;

    if (!points->count)
        return true;
    if (!check_points(scope, points) || !run_find_row(scope, run_id, &run) ||
        !metric_key_ensure(scope, points->items[0].key, &key_id))
        return false;
    qsort(points->items, points->count, sizeof(*points->items), metric_compare_history);
    if (!metric_series_import(scope, &run, key_id, points, &added))
        return false;
    counts->points.imported += added;
    counts->points.present += (int64_t)points->count - added;
    return true;
}
