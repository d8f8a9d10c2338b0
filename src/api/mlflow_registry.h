/* mlflow_registry.h: how MLflow's clients read registered models and their versions. */
#pragma once

#include "api/mlflow.h"
#include "registry/model_search.h"

/* A version's number, which MLflow has as a text. */
bool mlflow_read_version(Scope *scope, const char *given, int64_t *number) MUST_CHECK;

/* What both searches take. */
typedef struct RegistrySearch {
    ModelSearch search;
    const char *page_token;
} RegistrySearch;

/* search.limit is the default on the way in. */
bool mlflow_read_search(Scope *scope, const Request *request, const JsonField fields[],
                        int64_t limit_max, RegistrySearch *read) MUST_CHECK;

void mlflow_write_model(JsonWriter *json, const char *key, const ModelOverview *overview);
void mlflow_write_version(JsonWriter *json, const char *key, const ModelVersion *version);

/* Nothing when there are none. */
void mlflow_write_versions(JsonWriter *json, const char *key, const ModelVersionList *list);

/* {"model_version": ...} */
bool mlflow_answer_version(Response *response, const ModelVersion *version);
