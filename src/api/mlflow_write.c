/* mlflow_write.c: answers as MLflow's clients read them: what is unset is left out, ids of
 * experiments are texts, times are milliseconds. */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "api/mlflow.h"

/* Clients try again for minutes on 408, 429 and 5xx, so a mistake of theirs is none of these. */
static const struct {
    ErrorKind kind;
    int status;
    const char *code;
} codes[] = {
    {ERROR_INVALID, 400, "INVALID_PARAMETER_VALUE"},
    {ERROR_FIELD, 400, "INVALID_PARAMETER_VALUE"},
    {ERROR_CONFLICT, 400, "INVALID_PARAMETER_VALUE"},
    {ERROR_EXISTS, 400, "RESOURCE_ALREADY_EXISTS"},
    {ERROR_UNAUTHENTICATED, 401, "UNAUTHENTICATED"},
    {ERROR_FORBIDDEN, 403, "PERMISSION_DENIED"},
    {ERROR_NOT_FOUND, 404, "RESOURCE_DOES_NOT_EXIST"},
    {ERROR_METHOD, 405, "BAD_REQUEST"},
    {ERROR_TOO_LARGE, 413, "INVALID_PARAMETER_VALUE"},
    {ERROR_MEDIA_TYPE, 415, "INVALID_PARAMETER_VALUE"},
    {ERROR_BUSY, 429, "RESOURCE_EXHAUSTED"},
    {ERROR_UNAVAILABLE, 503, "TEMPORARILY_UNAVAILABLE"},
    {ERROR_TIMEOUT, 504, "DEADLINE_EXCEEDED"},
    {ERROR_NOT_IMPLEMENTED, 501, "NOT_IMPLEMENTED"},
    {ERROR_NO_ROOM, 507, "RESOURCE_EXHAUSTED"},
    {ERROR_INTERNAL, 500, "INTERNAL_ERROR"},
};

static void write_code(JsonWriter *json, const char *code, const Error *error)
{
    json_open_object(json, NULL);
    {
        json_text(json, "error_code", code);
        json_text(json, "message", error->message);
    }
    json_close(json);
}

int mlflow_write_error(JsonWriter *json, const Error *error)
{
    size_t found = COUNT(codes) - 1;

    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].kind == error->kind)
            found = i;
    write_code(json, codes[found].code, error);
    return codes[found].status;
}

void mlflow_write_no_route(JsonWriter *json, const Error *error)
{
    write_code(json, "ENDPOINT_NOT_FOUND", error);
}

bool mlflow_answer_nothing(Response *response)
{
    json_open_object(response->json, NULL);
    json_close(response->json);
    return true;
}

void mlflow_write_page_token(JsonWriter *json, int64_t offset)
{
    char token[24];

    snprintf(token, sizeof(token), "%" PRId64, offset);
    json_text(json, "next_page_token", token);
}

void mlflow_write_number(JsonWriter *json, const char *key, double value)
{
    if (isfinite(value))
        json_double(json, key, value);
    else if (isnan(value))
        json_text(json, key, "NaN");
    else
        json_text(json, key, value > 0 ? "Infinity" : "-Infinity");
}

void mlflow_write_pairs(JsonWriter *json, const char *key, const ParamList *list)
{
    if (!list->count)
        return;
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "key", list->items[i].key);
        json_text(json, "value", list->items[i].value);
        json_close(json);
    }
    json_close(json);
}

static const char *stage_of(bool is_deleted)
{
    return is_deleted ? "deleted" : "active";
}

static void write_id(JsonWriter *json, const char *key, int64_t id)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, id);
    json_text(json, key, text);
}

void mlflow_write_experiment(JsonWriter *json, const char *key, const Experiment *experiment)
{
    json_open_object(json, key);
    {
        write_id(json, "experiment_id", experiment->id);
        json_text(json, "name", experiment->name);
        json_text(json, "artifact_location", experiment->artifact_location);
        json_text(json, "lifecycle_stage", stage_of(experiment->is_deleted));
        json_int(json, "last_update_time", experiment->updated_at);
        json_int(json, "creation_time", experiment->created_at);
        mlflow_write_pairs(json, "tags", &experiment->tags);
    }
    json_close(json);
}

void mlflow_write_point(JsonWriter *json, const Metric *metric)
{
    json_text(json, "key", metric->key);
    mlflow_write_number(json, "value", metric->value);
    json_int(json, "timestamp", metric->timestamp);
    json_int(json, "step", metric->step);
}

void mlflow_write_metric(JsonWriter *json, const char *key, const Metric *metric)
{
    json_open_object(json, key);
    mlflow_write_point(json, metric);
    json_close(json);
}

void mlflow_write_run_info(JsonWriter *json, const char *key, const Run *run)
{
    json_open_object(json, key);
    {
        json_text(json, "run_uuid", run->id);
        write_id(json, "experiment_id", run->experiment_id);
        json_text(json, "run_name", run->name);
        json_text(json, "user_id", run->user);
        json_text(json, "status", run_status_name(run->status));
        json_int(json, "start_time", run->started_at);
        if (run->ended_at)
            json_int(json, "end_time", run->ended_at);
        json_text(json, "artifact_uri", run->artifact_uri);
        json_text(json, "lifecycle_stage", stage_of(run->is_deleted));
        json_text(json, "run_id", run->id);
    }
    json_close(json);
}

/* The name is a tag to MLflow. */
static void write_tags(JsonWriter *json, const Run *run)
{
    json_open_array(json, "tags");
    for (size_t i = 0; i <= run->tags.count; i++) {
        bool is_name = i == run->tags.count;

        json_open_object(json, NULL);
        json_text(json, "key", is_name ? "mlflow.runName" : run->tags.items[i].key);
        json_text(json, "value", is_name ? run->name : run->tags.items[i].value);
        json_close(json);
    }
    json_close(json);
}

static void write_data(JsonWriter *json, const Run *run)
{
    json_open_object(json, "data");
    if (run->metrics.count) {
        json_open_array(json, "metrics");
        for (size_t i = 0; i < run->metrics.count; i++)
            mlflow_write_metric(json, NULL, &run->metrics.items[i]);
        json_close(json);
    }
    mlflow_write_pairs(json, "params", &run->params);
    write_tags(json, run);
    json_close(json);
}

static void write_dataset_input(JsonWriter *json, const DatasetInput *input)
{
    json_open_object(json, NULL);
    mlflow_write_pairs(json, "tags", &input->tags);
    json_open_object(json, "dataset");
    {
        json_text(json, "name", input->name);
        json_text(json, "digest", input->digest);
        json_text(json, "source_type", input->source_type);
        json_text(json, "source", input->source);
        if (input->schema)
            json_text(json, "schema", input->schema);
        if (input->profile)
            json_text(json, "profile", input->profile);
    }
    json_close(json);
    json_close(json);
}

static void write_dataset_inputs(JsonWriter *json, const DatasetInputList *list)
{
    if (!list->count)
        return;
    json_open_array(json, "dataset_inputs");
    for (size_t i = 0; i < list->count; i++)
        write_dataset_input(json, &list->items[i]);
    json_close(json);
}

static void write_model_inputs(JsonWriter *json, const TextList *ids)
{
    if (!ids->count)
        return;
    json_open_array(json, "model_inputs");
    for (size_t i = 0; i < ids->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "model_id", ids->items[i]);
        json_close(json);
    }
    json_close(json);
}

static void write_inputs(JsonWriter *json, const Run *run)
{
    json_open_object(json, "inputs");
    write_dataset_inputs(json, &run->datasets);
    write_model_inputs(json, &run->model_inputs);
    json_close(json);
}

static void write_model_outputs(JsonWriter *json, const Run *run)
{
    if (!run->model_outputs.count)
        return;
    json_open_array(json, "model_outputs");
    for (size_t i = 0; i < run->model_outputs.count; i++) {
        json_open_object(json, NULL);
        json_text(json, "model_id", run->model_outputs.items[i].model_id);
        json_int(json, "step", run->model_outputs.items[i].step);
        json_close(json);
    }
    json_close(json);
}

static void write_known(JsonWriter *json, const Run *run)
{
    mlflow_write_run_info(json, "info", run);
    write_data(json, run);
    write_inputs(json, run);
}

void mlflow_write_run(JsonWriter *json, const char *key, const Run *run)
{
    json_open_object(json, key);
    {
        write_known(json, run);
        json_open_object(json, "outputs");
        write_model_outputs(json, run);
        json_close(json);
    }
    json_close(json);
}

void mlflow_write_new_run(JsonWriter *json, const char *key, const Run *run)
{
    json_open_object(json, key);
    write_known(json, run);
    json_close(json);
}
