/* logged_model_details.c: params, tags and metrics of logged models. */

#include <math.h>
#include <string.h>

#include "tracking/key_list.h"
#include "tracking/logged_model_internal.h"
#include "tracking/run_internal.h"

/* ---- params and tags ---- */

static LoggedModel *find_key(LoggedModel *models, size_t count, int64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (models[i].key == key)
            return &models[i];
    return NULL;
}

/* The rows of one model stand together. */
static bool load_pairs(Scope *scope, LoggedModel *models, const KeyList *keys, bool is_tag)
{
    static const char *const sql[] = {
        "SELECT model_key, key, value FROM logged_model_params WHERE model_key IN ?"
        " ORDER BY model_key, key",
        "SELECT model_key, key, value FROM logged_model_tags WHERE model_key IN ?"
        " ORDER BY model_key, key",
    };
    CLEANUP(query_finalize)
    Query query = key_list_query(keys, scope->db, sql[is_tag], scope->arena);
    LoggedModel *model = NULL;

    while (query_next(&query)) {
        if (!model || model->key != query_int(&query, 0))
            model = find_key(models, keys->count, query_int(&query, 0));
        *arena_push(scope->arena, is_tag ? &model->tags : &model->params) =
            (Param){query_text(&query, 1, scope->arena), query_text(&query, 2, scope->arena)};
    }
    return query_end(&query, &scope->error);
}

/* Clients note a version at the end although the server has just done so. */
static bool is_last(const LoggedModelVersionList *list, const LoggedModelVersion *version)
{
    const LoggedModelVersion *last = list->count ? &list->items[list->count - 1] : NULL;

    return last && strcmp(last->name, version->name) == 0 &&
           strcmp(last->version, version->version) == 0;
}

LoggedModelVersionList logged_model_read_versions(const char *tag, Arena *arena)
{
    LoggedModelVersionList list = {0};
    const JsonValue *read = NULL;

    if (!tag || !json_parse(tag, strlen(tag), arena, &read, &(Error){0}) || !json_is_array(read))
        return list;
    for (JsonWalk walk = json_walk(read); json_walk_next(&walk);) {
        const JsonValue *version = json_member(walk.value, "version");
        LoggedModelVersion found = {
            json_as_text(json_member(walk.value, "name"), NULL),
            json_is_number(version) ? json_print(version, arena) : json_as_text(version, NULL),
        };

        if (found.name && found.version && !is_last(&list, &found))
            *arena_push(arena, &list) = found;
    }
    return list;
}

/* ---- metrics ---- */

/* The points of the run's metrics have been checked; a deleted model is judged like another. */
static bool find_model(Scope *scope, const ModelMetric *metric, int64_t *key)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT key FROM logged_models WHERE id = $1",
                           db_text(metric->model_id));

    if (query_next(&query)) {
        *key = query_int(&query, 0);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "Logged model with ID '%.64s' not found.",
                metric->model_id);
}

static bool check_dataset(Scope *scope, const ModelMetric *metric)
{
    if (!metric->dataset_name != !metric->dataset_digest)
        return fail_field(&scope->error, "metrics",
                          "Both dataset_name and dataset_digest must be provided if one is "
                          "provided");
    return !metric->dataset_name ||
           (text_characters(metric->dataset_name) <= DATASET_NAME_MAX &&
            text_characters(metric->dataset_digest) <= DATASET_DIGEST_MAX) ||
           fail_field(&scope->error, "metrics",
                      "the name of a data set has at most %d characters, its digest %d",
                      DATASET_NAME_MAX, DATASET_DIGEST_MAX);
}

static bool put_metric(Scope *scope, const Run *run, int64_t model_key, const ModelMetric *metric)
{
    static const char sql[] =
        "INSERT INTO logged_model_metrics(model_key, key_id, timestamp, step, run_key,"
        "  dataset_name, dataset_digest, value, is_nan)"
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    const Metric *point = &metric->point;
    int64_t key_id = 0;

    return metric_key_ensure(scope, point->key, &key_id) &&
           db_run(scope->db, &scope->error, sql, db_int(model_key), db_int(key_id),
                  db_int(point->timestamp), db_int(point->step), db_int(run->key),
                  db_text(metric->dataset_name ? metric->dataset_name : ""),
                  db_text(metric->dataset_digest ? metric->dataset_digest : ""),
                  db_double(metric_value_stored(point->value)), db_int(isnan(point->value)));
}

bool logged_model_put_metrics(Scope *scope, const Run *run, const ModelMetricList *metrics)
{
    const char *found = NULL; /* most batches judge one model */
    int64_t key = 0;

    for (size_t i = 0; i < metrics->count; i++) {
        const ModelMetric *metric = &metrics->items[i];

        if (!check_dataset(scope, metric) ||
            (!text_equal(found, metric->model_id) && !find_model(scope, metric, &key)) ||
            !put_metric(scope, run, key, metric))
            return false;
        found = metric->model_id;
    }
    return true;
}

static const char *text_or_null(const Query *query, int column, Arena *arena)
{
    const char *text = query_text(query, column, arena);

    return text && *text ? text : NULL;
}

static ModelMetric metric_from_row(const Query *query, const LoggedModel *model, Arena *arena)
{
    return (ModelMetric){
        .point =
            {
                .key = query_text(query, 0, arena),
                .value = metric_value_read(query_double(query, 1), query_int(query, 2)),
                .timestamp = query_int(query, 3),
                .step = query_int(query, 4),
            },
        .model_id = model->id,
        .run_id = query_text(query, 5, arena),
        .dataset_name = text_or_null(query, 6, arena),
        .dataset_digest = text_or_null(query, 7, arena),
    };
}

/* One model at a time, so that each has its newest points however many the others have. */
static bool load_metrics(Scope *scope, LoggedModel *model)
{
    static const char sql[] =
        "SELECT metric_keys.name, value, is_nan, timestamp, step, runs.id, dataset_name,"
        "       dataset_digest"
        "  FROM (SELECT * FROM logged_model_metrics WHERE model_key = $1"
        "         ORDER BY timestamp DESC, step DESC, key_id LIMIT $2) AS newest"
        "  JOIN metric_keys ON metric_keys.id = key_id"
        "  JOIN runs ON runs.key = run_key"
        " ORDER BY metric_keys.name, timestamp, step, runs.id, dataset_name, dataset_digest, value";
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_int(model->key), db_int(LOGGED_MODEL_POINTS_MAX));

    while (query_next(&query))
        *arena_push(scope->arena, &model->metrics) = metric_from_row(&query, model, scope->arena);
    return query_end(&query, &scope->error);
}

static bool load_some(Scope *scope, LoggedModel *models, size_t count)
{
    KeyList keys = key_list_create(scope->arena, 0, count);

    for (size_t i = 0; i < count; i++)
        key_list_set(&keys, i, models[i].key);
    if (!load_pairs(scope, models, &keys, false) || !load_pairs(scope, models, &keys, true))
        return false;
    for (size_t i = 0; i < count; i++) {
        models[i].versions = logged_model_read_versions(
            param_find(&models[i].tags, MODEL_VERSIONS_TAG), scope->arena);
        if (!load_metrics(scope, &models[i]))
            return false;
    }
    return true;
}

bool logged_model_load_details(Scope *scope, LoggedModelList *list)
{
    for (size_t start = 0; start < list->count; start += KEY_LIST_MAX) {
        size_t left = list->count - start;

        if (!load_some(scope, list->items + start, left < KEY_LIST_MAX ? left : KEY_LIST_MAX))
            return false;
    }
    return true;
}
