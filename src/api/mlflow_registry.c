#include "api/mlflow_registry.h"

#include <inttypes.h>
#include <stdio.h>

bool mlflow_read_version(Scope *scope, const char *given, int64_t *number)
{
    return text_to_int(given, number) ||
           fail(&scope->error, ERROR_INVALID,
                "Invalid value '%.100s' for parameter 'version' supplied: it must be an integer",
                given);
}

bool mlflow_read_search(Scope *scope, const Request *request, const JsonField fields[],
                        int64_t limit_max, RegistrySearch *read)
{
    if (!mlflow_read(scope, request, fields, read) ||
        !mlflow_read_page_token(scope, read->page_token, &read->search.offset))
        return false;
    return read->search.limit <= limit_max ||
           fail(&scope->error, ERROR_INVALID,
                "Invalid value for parameter 'max_results' supplied: it must be at most %" PRId64,
                limit_max);
}

static void write_number(JsonWriter *json, const char *key, int64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, number);
    json_text(json, key, text);
}

static void write_if(JsonWriter *json, const char *key, const char *text)
{
    if (text && *text)
        json_text(json, key, text);
}

static void write_or_empty(JsonWriter *json, const char *key, const char *text)
{
    json_text(json, key, text ? text : "");
}

void mlflow_write_version(JsonWriter *json, const char *key, const ModelVersion *version)
{
    json_open_object(json, key);
    {
        json_text(json, "name", version->model);
        write_number(json, "version", version->version);
        json_int(json, "creation_timestamp", version->created_at);
        json_int(json, "last_updated_timestamp", version->updated_at);
        json_text(json, "user_id", version->created_by);
        json_text(json, "current_stage", version->stage);
        write_or_empty(json, "description", version->description);
        write_if(json, "source", version->source);
        write_or_empty(json, "run_id", version->run_id);
        json_text(json, "status", "READY");
        mlflow_write_pairs(json, "tags", &version->tags);
        write_or_empty(json, "run_link", version->run_link);
        if (version->aliases.count)
            json_texts(json, "aliases", &version->aliases);
        write_if(json, "model_id", version->logged_model_id);
    }
    json_close(json);
}

void mlflow_write_versions(JsonWriter *json, const char *key, const ModelVersionList *list)
{
    if (!list->count)
        return;
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++)
        mlflow_write_version(json, NULL, &list->items[i]);
    json_close(json);
}

bool mlflow_answer_version(Response *response, const ModelVersion *version)
{
    json_open_object(response->json, NULL);
    mlflow_write_version(response->json, "model_version", version);
    json_close(response->json);
    return true;
}

static void write_aliases(JsonWriter *json, const ModelAliasList *list)
{
    if (!list->count)
        return;
    json_open_array(json, "aliases");
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "alias", list->items[i].alias);
        write_number(json, "version", list->items[i].version);
        json_close(json);
    }
    json_close(json);
}

void mlflow_write_model(JsonWriter *json, const char *key, const ModelOverview *overview)
{
    const RegisteredModel *model = &overview->model;

    json_open_object(json, key);
    {
        json_text(json, "name", model->name);
        json_int(json, "creation_timestamp", model->created_at);
        json_int(json, "last_updated_timestamp", model->updated_at);
        write_if(json, "description", model->description);
        mlflow_write_versions(json, "latest_versions", &overview->latest);
        mlflow_write_pairs(json, "tags", &model->tags);
        write_aliases(json, &overview->aliases);
    }
    json_close(json);
}
