#include "serving/prediction.h"

#include <inttypes.h>

#define SELECT_PREDICTION                                                                          \
    "SELECT id, request_id, endpoint, model, version, deployment_id, created_at, duration_us,"     \
    " row_count, answers, inputs"                                                                  \
    " FROM predictions"

static LoggedPrediction from_row(const Query *query, Arena *arena)
{
    return (LoggedPrediction){
        .id = query_int(query, 0),
        .request_id = query_text(query, 1, arena),
        .endpoint = query_text(query, 2, arena),
        .model = query_text(query, 3, arena),
        .version = query_int(query, 4),
        .deployment_id = query_int(query, 5),
        .created_at = query_int(query, 6),
        .duration_us = query_int(query, 7),
        .row_count = query_int(query, 8),
        .answers = query_text(query, 9, arena),
        .inputs = query_text(query, 10, arena),
    };
}

bool prediction_find(Scope *scope, const char *request_id, LoggedPrediction *prediction)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_PREDICTION " WHERE request_id = $1 ORDER BY id DESC LIMIT 1",
                 db_text(request_id));

    if (query_next(&query)) {
        *prediction = from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "no prediction with the request id \"%.128s\"",
                request_id);
}

static Query query_after(Scope *scope, const char *endpoint, int64_t after, int64_t limit)
{
    if (endpoint)
        return db_query(scope->db,
                        SELECT_PREDICTION " WHERE endpoint = $1 AND id > $2 ORDER BY id LIMIT $3",
                        db_text(endpoint), db_int(after), db_int(limit));
    return db_query(scope->db, SELECT_PREDICTION " WHERE id > $1 ORDER BY id LIMIT $2",
                    db_int(after), db_int(limit));
}

bool prediction_list(Scope *scope, const char *endpoint, int64_t after, int64_t limit,
                     LoggedPredictionList *list)
{
    CLEANUP(query_finalize) Query query = query_after(scope, endpoint, after, limit);
    LoggedPredictionList found = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &found) = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *list = found;
    return true;
}

void logged_prediction_write_json(JsonWriter *json, const char *key,
                                  const LoggedPrediction *prediction)
{
    json_open_object(json, key);
    {
        json_int(json, "id", prediction->id);
        json_text(json, "request_id", prediction->request_id);
        json_text(json, "endpoint", prediction->endpoint);
        json_text(json, "model", prediction->model);
        json_int(json, "version", prediction->version);
        json_int(json, "deployment_id", prediction->deployment_id);
        json_time(json, "created_at", prediction->created_at);
        json_int(json, "duration_us", prediction->duration_us);
        json_int(json, "row_count", prediction->row_count);
        json_raw(json, "predictions", prediction->answers);
        json_raw(json, "inputs", prediction->inputs);
    }
    json_close(json);
}

bool prediction_write_lineage(Scope *scope, const LoggedPrediction *prediction, JsonWriter *json)
{
    const char *number = arena_format(scope->arena, "%" PRId64, prediction->version);
    Deployment deployment;
    Lineage lineage;

    if (!deployment_find(scope, prediction->deployment_id, &deployment) ||
        !model_version_lineage(scope, prediction->model, number, &lineage))
        return false;
    json_open_object(json, NULL);
    {
        logged_prediction_write_json(json, "prediction", prediction);
        deployment_write_json(json, "deployment", &deployment);
        lineage_write_json(json, "lineage", &lineage);
    }
    json_close(json);
    return true;
}
