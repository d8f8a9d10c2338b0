/* logged_model_import.c: a logged model of another store, with its id and times. */

#include "access/event.h"
#include "tracking/logged_model_internal.h"
#include "tracking/moving.h"
#include "tracking/run_internal.h"

static bool insert(Scope *scope, const LoggedModel *given)
{
    static const char sql[] =
        "INSERT INTO logged_models(key, id, experiment_id, name, user_name, model_type,"
        "  source_run_id, status, created_at, updated_at, deleted_at)"
        "VALUES ((SELECT coalesce(max(key), 0) + 1 FROM logged_models),"
        "  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    return db_run(scope->db, &scope->error, sql, db_text(given->id), db_int(given->experiment_id),
                  db_text(given->name), db_text(given->user), db_text(given->model_type),
                  db_text(given->source_run_id), db_text(logged_model_status_name(given->status)),
                  db_int(given->created_at), db_int(given->updated_at),
                  db_int_or_null(given->is_deleted ? given->updated_at : 0));
}

static bool append_event(Scope *scope, const LoggedModel *given)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", given->experiment_id);
    json_text(json, "name", given->name);
    json_close(json);
    return event_append(scope, "logged_model.imported", given->id, json_finish(json));
}

/* What was waiting for its files when it came may have them since. */
static bool end(Scope *scope, const LoggedModel *present, const LoggedModel *given)
{
    if (present->status != LOGGED_MODEL_PENDING || given->status == LOGGED_MODEL_PENDING)
        return true;
    return db_run(scope->db, &scope->error,
                  "UPDATE logged_models SET status = $2, updated_at = $3 WHERE key = $1",
                  db_int(present->key), db_text(logged_model_status_name(given->status)),
                  db_int(given->updated_at));
}

static bool find(Scope *scope, const char *id, LoggedModel *model, bool *found)
{
    *found = logged_model_find_deleted(scope, id, model);
    if (*found)
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

static bool ensure(Scope *scope, const LoggedModel *given, LoggedModel *model, MovingCount *count)
{
    bool found = false;

    if (!find(scope, given->id, model, &found))
        return false;
    moving_count(count, !found);
    if (found)
        return end(scope, model, given);
    return insert(scope, given) && append_event(scope, given) &&
           logged_model_find_deleted(scope, given->id, model);
}

static bool put_tags(Scope *scope, const LoggedModel *model, const ParamList *tags)
{
    static const char sql[] = "INSERT INTO logged_model_tags(model_key, key, value)"
                              "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(model->key), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    return true;
}

/* A point of a run that the source no longer has says nothing. */
static bool put_metric(Scope *scope, const ModelMetric *metric)
{
    Run run;

    if (run_find_row(scope, metric->run_id, &run))
        return key_check("metric", metric->point.key, &scope->error) &&
               logged_model_put_metrics(scope, &run, &(ModelMetricList){(ModelMetric *)metric, 1});
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

bool logged_model_import(Scope *scope, const LoggedModel *given, MovingCounts *counts)
{
    MovingCount own = {0};
    LoggedModel model;

    if (!run_check_model_id(scope, given->id) || !logged_model_check(scope, given) ||
        !logged_model_check_params(scope, &given->params) ||
        !logged_model_check_tags(scope, &given->tags) || !ensure(scope, given, &model, &own) ||
        !logged_model_put_params(scope, &model, &given->params) ||
        !put_tags(scope, &model, &given->tags))
        return false;
    for (size_t i = 0; i < given->metrics.count; i++)
        if (!put_metric(scope, &given->metrics.items[i]))
            return false;
    counts->logged_models.imported += own.imported;
    counts->logged_models.present += own.present;
    return true;
}
