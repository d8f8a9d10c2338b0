/* mlflow_run_log.c: what MLflow's clients log to a run: metrics, params and tags. */

#include <stdio.h>

#include "api/mlflow.h"

typedef struct LogBody {
    const char *run_id, *run_uuid;
    ModelMetric metric; /* a logged model's as well when it names one */
    Param pair;
    const JsonValue *metrics, *params, *tags;
} LogBody;

#define RUN_FIELDS                                                                                 \
    {"run_id", JSON_TEXT, offsetof(LogBody, run_id), JSON_OPTIONAL, "the run"},                    \
    {                                                                                              \
        "run_uuid", JSON_TEXT, offsetof(LogBody, run_uuid), JSON_OPTIONAL,                         \
            "the same, of old clients"                                                             \
    }

/* The fields of a point in a list. */
static const JsonField point_fields[] = {
    {"key", JSON_TEXT, offsetof(ModelMetric, point.key), JSON_REQUIRED, ""},
    {"value", JSON_NUMBER, offsetof(ModelMetric, point.value), JSON_REQUIRED, ""},
    {"timestamp", JSON_INT, offsetof(ModelMetric, point.timestamp), JSON_REQUIRED, ""},
    {"step", JSON_INT, offsetof(ModelMetric, point.step), JSON_OPTIONAL, ""},
    {"model_id", JSON_TEXT, offsetof(ModelMetric, model_id), JSON_OPTIONAL, ""},
    {"dataset_name", JSON_TEXT, offsetof(ModelMetric, dataset_name), JSON_OPTIONAL, ""},
    {"dataset_digest", JSON_TEXT, offsetof(ModelMetric, dataset_digest), JSON_OPTIONAL, ""},
    {0},
};

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void add_metric(RunBatch *batch, ModelMetric metric, Arena *arena)
{
    *arena_push(arena, &batch->metrics) = metric.point;
    metric.model_id = text_or_null(metric.model_id);
    metric.dataset_name = text_or_null(metric.dataset_name);
    metric.dataset_digest = text_or_null(metric.dataset_digest);
    if (metric.model_id)
        *arena_push(arena, &batch->model_metrics) = metric;
}

static bool read_log(Scope *scope, const Request *request, const JsonField fields[], LogBody *body)
{
    return mlflow_read(scope, request, fields, body) &&
           mlflow_require_run_id(scope, &body->run_id, body->run_uuid);
}

static const JsonField metric_body[] = {
    RUN_FIELDS,
    {"key", JSON_TEXT, offsetof(LogBody, metric.point.key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_NUMBER, offsetof(LogBody, metric.point.value), JSON_REQUIRED,
     "a number, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {"timestamp", JSON_INT, offsetof(LogBody, metric.point.timestamp), JSON_REQUIRED,
     "ms since 1970"},
    {"step", JSON_INT, offsetof(LogBody, metric.point.step), JSON_OPTIONAL, "0"},
    {"model_id", JSON_TEXT, offsetof(LogBody, metric.model_id), JSON_OPTIONAL,
     "the logged model that it judges"},
    {"dataset_name", JSON_TEXT, offsetof(LogBody, metric.dataset_name), JSON_OPTIONAL,
     "the data that it was judged on"},
    {"dataset_digest", JSON_TEXT, offsetof(LogBody, metric.dataset_digest), JSON_OPTIONAL,
     "and its digest"},
    {0},
};

static bool log_metric(Scope *scope, const Request *request, Response *response)
{
    LogBody body = {0};
    RunBatch batch = {0};

    if (!read_log(scope, request, metric_body, &body))
        return false;
    add_metric(&batch, body.metric, scope->arena);
    return run_log_batch(scope, body.run_id, &batch) && mlflow_answer_nothing(response);
}

static const JsonField pair_body[] = {
    RUN_FIELDS,
    {"key", JSON_TEXT, offsetof(LogBody, pair.key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_TEXT, offsetof(LogBody, pair.value), JSON_OPTIONAL, "empty"},
    {0},
};

static bool log_parameter(Scope *scope, const Request *request, Response *response)
{
    LogBody body = {.pair.value = ""};

    return read_log(scope, request, pair_body, &body) &&
           run_log_batch(scope, body.run_id,
                         &(RunBatch){.params = {.items = &body.pair, .count = 1}}) &&
           mlflow_answer_nothing(response);
}

static bool set_tag(Scope *scope, const Request *request, Response *response)
{
    LogBody body = {.pair.value = ""};

    return read_log(scope, request, pair_body, &body) &&
           run_log_batch(scope, body.run_id,
                         &(RunBatch){.tags = {.items = &body.pair, .count = 1}}) &&
           mlflow_answer_nothing(response);
}

static const JsonField tag_key_body[] = {
    RUN_FIELDS,
    {"key", JSON_TEXT, offsetof(LogBody, pair.key), JSON_REQUIRED, "that it has"},
    {0},
};

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    LogBody body = {0};

    return read_log(scope, request, tag_key_body, &body) &&
           run_delete_tag(scope, body.run_id, body.pair.key) && mlflow_answer_nothing(response);
}

static bool read_metrics(Scope *scope, const JsonValue *array, RunBatch *batch)
{
    if (json_count(array) > BATCH_METRICS_MAX)
        return fail(&scope->error, ERROR_INVALID,
                    "A batch logging request can contain at most %d metrics", BATCH_METRICS_MAX);
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        ModelMetric metric = {0};
        char path[32];

        snprintf(path, sizeof(path), "metrics[%zu]", walk.index);
        if (!mlflow_read_item(scope, walk.value, path, point_fields, &metric))
            return false;
        add_metric(batch, metric, scope->arena);
    }
    return true;
}

static const JsonField batch_body[] = {
    RUN_FIELDS,
    {"metrics", JSON_ARRAY, offsetof(LogBody, metrics), JSON_OPTIONAL,
     "at most 1000 of {\"key\", \"value\", \"timestamp\", \"step\", \"model_id\", "
     "\"dataset_name\", "
     "\"dataset_digest\"}"},
    {"params", JSON_ARRAY, offsetof(LogBody, params), JSON_OPTIONAL,
     "at most 100 of {\"key\", \"value\"}"},
    {"tags", JSON_ARRAY, offsetof(LogBody, tags), JSON_OPTIONAL,
     "at most 100 of {\"key\", \"value\"}"},
    {0},
};

static bool log_batch(Scope *scope, const Request *request, Response *response)
{
    LogBody body = {0};
    RunBatch batch = {0};

    return read_log(scope, request, batch_body, &body) &&
           read_metrics(scope, body.metrics, &batch) &&
           mlflow_read_pairs(scope, body.params, "params", &batch.params) &&
           mlflow_read_pairs(scope, body.tags, "tags", &batch.tags) &&
           run_log_batch(scope, body.run_id, &batch) && mlflow_answer_nothing(response);
}

const Route mlflow_run_log_routes[] = {
    {"POST", "/api/2.0/mlflow/runs/log-metric", ROLE_STEP, ROUTE_WRITE, log_metric,
     "Log a point of a metric; the same point again is no other.", metric_body},
    {"POST", "/api/2.0/mlflow/runs/log-batch", ROLE_STEP, ROUTE_WRITE, log_batch,
     "Log metrics, params and tags: all of them or none.", batch_body},
    {"POST", "/api/2.0/mlflow/runs/log-parameter", ROLE_STEP, ROUTE_WRITE, log_parameter,
     "Log a param, which never changes.", pair_body},
    {"POST", "/api/2.0/mlflow/runs/set-tag", ROLE_STEP, ROUTE_WRITE, set_tag, "Set a tag of a run.",
     pair_body},
    {"POST", "/api/2.0/mlflow/runs/delete-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_tag,
     "Remove a tag of a run.", tag_key_body},
    {0},
};
