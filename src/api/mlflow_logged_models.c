/* mlflow_logged_models.c: /api/2.0/mlflow/logged-models, but for searches and their files. */

#include <inttypes.h>
#include <stdio.h>

#include "api/mlflow.h"
#include "api/mlflow_logged_model.h"

/* As MLflow numbers them, from 1. */
static const char *const status_words[] = {
    [LOGGED_MODEL_PENDING] = "LOGGED_MODEL_PENDING",
    [LOGGED_MODEL_READY] = "LOGGED_MODEL_READY",
    [LOGGED_MODEL_FAILED] = "LOGGED_MODEL_UPLOAD_FAILED",
};

static void write_versions(JsonWriter *json, const LoggedModelVersionList *versions)
{
    if (!versions->count)
        return;
    json_open_array(json, "registrations");
    for (size_t i = 0; i < versions->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", versions->items[i].name);
        json_text(json, "version", versions->items[i].version);
        json_close(json);
    }
    json_close(json);
}

static void write_info(JsonWriter *json, const LoggedModel *model)
{
    char experiment_id[24];

    snprintf(experiment_id, sizeof(experiment_id), "%" PRId64, model->experiment_id);
    json_open_object(json, "info");
    {
        json_text(json, "model_id", model->id);
        json_text(json, "experiment_id", experiment_id);
        json_text(json, "name", model->name);
        json_int(json, "creation_timestamp_ms", model->created_at);
        json_int(json, "last_updated_timestamp_ms", model->updated_at);
        json_text(json, "artifact_uri", model->artifact_uri);
        json_text(json, "status", status_words[model->status]);
        json_text(json, "model_type", model->model_type);
        json_text(json, "source_run_id", model->source_run_id);
        mlflow_write_pairs(json, "tags", &model->tags);
        write_versions(json, &model->versions);
    }
    json_close(json);
}

static void write_metrics(JsonWriter *json, const ModelMetricList *metrics)
{
    if (!metrics->count)
        return;
    json_open_array(json, "metrics");
    for (size_t i = 0; i < metrics->count; i++) {
        const ModelMetric *metric = &metrics->items[i];

        json_open_object(json, NULL);
        mlflow_write_point(json, &metric->point);
        if (metric->dataset_name) {
            json_text(json, "dataset_name", metric->dataset_name);
            json_text(json, "dataset_digest", metric->dataset_digest);
        }
        json_text(json, "model_id", metric->model_id);
        json_text(json, "run_id", metric->run_id);
        json_close(json);
    }
    json_close(json);
}

void mlflow_write_logged_model(JsonWriter *json, const char *key, const LoggedModel *model)
{
    json_open_object(json, key);
    {
        write_info(json, model);
        json_open_object(json, "data");
        mlflow_write_pairs(json, "params", &model->params);
        write_metrics(json, &model->metrics);
        json_close(json);
    }
    json_close(json);
}

static bool answer(Response *response, const LoggedModel *model)
{
    json_open_object(response->json, NULL);
    mlflow_write_logged_model(response->json, "model", model);
    json_close(response->json);
    return true;
}

/* ---- one model ---- */

typedef struct ModelBody {
    const char *experiment_id;
    LoggedModelSpec spec;
    const JsonValue *params, *tags;
    const char *status;
    bool allow_deleted;
} ModelBody;

static const JsonField create_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(ModelBody, experiment_id), JSON_REQUIRED, "\"3\""},
    {"name", JSON_TEXT, offsetof(ModelBody, spec.name), JSON_OPTIONAL,
     "1 to 500 characters, none of / : . % \" '; made up if not given"},
    {"model_type", JSON_TEXT, offsetof(ModelBody, spec.model_type), JSON_OPTIONAL,
     "what the client calls its kind"},
    {"source_run_id", JSON_TEXT, offsetof(ModelBody, spec.source_run_id), JSON_OPTIONAL,
     "the run that it comes from"},
    {"params", JSON_ARRAY, offsetof(ModelBody, params), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {"tags", JSON_ARRAY, offsetof(ModelBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

static bool create_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    LoggedModel model;

    if (!mlflow_read(scope, request, create_body, &body) ||
        !mlflow_read_experiment_id(scope, body.experiment_id, &body.spec.experiment_id) ||
        !mlflow_read_pairs(scope, body.params, "params", &body.spec.params) ||
        !mlflow_read_pairs(scope, body.tags, "tags", &body.spec.tags))
        return false;
    if (body.spec.name && !*body.spec.name)
        body.spec.name = NULL;
    return logged_model_create(scope, &body.spec, &model) && answer(response, &model);
}

static const JsonField get_query[] = {
    {"allow_deleted", JSON_BOOL, offsetof(ModelBody, allow_deleted), JSON_OPTIONAL,
     "also a deleted one"},
    {0},
};

static bool get_model(Scope *scope, const Request *request, Response *response)
{
    const char *id = request_parameter(request, "model_id");
    ModelBody body = {0};
    LoggedModel model;

    return mlflow_read(scope, request, get_query, &body) &&
           (body.allow_deleted ? logged_model_find_deleted(scope, id, &model)
                               : logged_model_find(scope, id, &model)) &&
           answer(response, &model);
}

static const JsonField finish_body[] = {
    {"status", JSON_ENUM, offsetof(ModelBody, status), JSON_REQUIRED,
     "LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED"},
    {0},
};

static bool finish_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    LoggedModel model;
    size_t status = 0;

    if (!mlflow_read(scope, request, finish_body, &body))
        return false;
    if (!mlflow_find_word(body.status, status_words, COUNT(status_words), &status))
        return fail(&scope->error, ERROR_INVALID,
                    "a logged model's status is LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or "
                    "LOGGED_MODEL_UPLOAD_FAILED");
    return logged_model_finish(scope, request_parameter(request, "model_id"),
                               (LoggedModelStatus)status, &model) &&
           answer(response, &model);
}

static bool delete_model(Scope *scope, const Request *request, Response *response)
{
    return logged_model_delete(scope, request_parameter(request, "model_id")) &&
           mlflow_answer_nothing(response);
}

static const JsonField params_body[] = {
    {"params", JSON_ARRAY, offsetof(ModelBody, params), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

static bool log_params(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    ParamList params = {0};

    return mlflow_read(scope, request, params_body, &body) &&
           mlflow_read_pairs(scope, body.params, "params", &params) &&
           logged_model_log_params(scope, request_parameter(request, "model_id"), &params) &&
           mlflow_answer_nothing(response);
}

static const JsonField tags_body[] = {
    {"tags", JSON_ARRAY, offsetof(ModelBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

static bool set_tags(Scope *scope, const Request *request, Response *response)
{
    const char *id = request_parameter(request, "model_id");
    ModelBody body = {0};
    ParamList tags = {0};
    LoggedModel model;

    return mlflow_read(scope, request, tags_body, &body) &&
           mlflow_read_pairs(scope, body.tags, "tags", &tags) &&
           logged_model_set_tags(scope, id, &tags) && logged_model_find(scope, id, &model) &&
           answer(response, &model);
}

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    return logged_model_delete_tag(scope, request_parameter(request, "model_id"),
                                   request_parameter(request, "tag_key")) &&
           mlflow_answer_nothing(response);
}

const Route mlflow_logged_model_routes[] = {
    {"POST", "/api/2.0/mlflow/logged-models", ROLE_STEP, ROUTE_WRITE, create_model,
     "Create a logged model, whose files are still to come.", create_body},
    {"GET", "/api/2.0/mlflow/logged-models/{model_id}", ROLE_VIEWER, ROUTE_READ, get_model,
     "Show a logged model with its newest 1000 points of metrics.", NULL, get_query},
    {"PATCH", "/api/2.0/mlflow/logged-models/{model_id}", ROLE_STEP, ROUTE_WRITE, finish_model,
     "Say whether a logged model's files are there.", finish_body},
    {"DELETE", "/api/2.0/mlflow/logged-models/{model_id}", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     delete_model, "Delete a logged model."},
    {"POST", "/api/2.0/mlflow/logged-models/{model_id}/params", ROLE_STEP, ROUTE_WRITE, log_params,
     "Log params of a logged model, which never change.", params_body},
    {"PATCH", "/api/2.0/mlflow/logged-models/{model_id}/tags", ROLE_STEP, ROUTE_WRITE, set_tags,
     "Set tags of a logged model.", tags_body},
    {"DELETE", "/api/2.0/mlflow/logged-models/{model_id}/tags/{*tag_key}", ROLE_CONTRIBUTOR,
     ROUTE_WRITE, delete_tag, "Remove a tag of a logged model."},
    {0},
};
