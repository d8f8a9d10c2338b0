/* mlflow_run_inputs.c: what runs took and gave: data sets and logged models. */

#include <inttypes.h>
#include <stdio.h>

#include "api/mlflow.h"

typedef struct InputsBody {
    const char *run_id;
    const JsonValue *datasets, *models;
    const char *model_json;
} InputsBody;

/* ---- data sets ---- */

static const JsonField input_fields[] = {
    {"tags", JSON_ARRAY, 0, JSON_OPTIONAL, ""},
    {"dataset", JSON_OBJECT, sizeof(JsonValue *), JSON_REQUIRED, ""},
    {0},
};

static const JsonField dataset_fields[] = {
    {"name", JSON_TEXT, offsetof(DatasetInput, name), JSON_REQUIRED, ""},
    {"digest", JSON_TEXT, offsetof(DatasetInput, digest), JSON_REQUIRED, ""},
    {"source_type", JSON_TEXT, offsetof(DatasetInput, source_type), JSON_OPTIONAL, ""},
    {"source", JSON_TEXT, offsetof(DatasetInput, source), JSON_OPTIONAL, ""},
    {"schema", JSON_TEXT, offsetof(DatasetInput, schema), JSON_OPTIONAL, ""},
    {"profile", JSON_TEXT, offsetof(DatasetInput, profile), JSON_OPTIONAL, ""},
    {0},
};

static bool read_dataset(Scope *scope, const JsonValue *item, const char *path, DatasetInput *input)
{
    const JsonValue *parts[2] = {0}; /* tags, dataset */
    DatasetInput taken = {.source_type = "", .source = ""};

    if (!mlflow_read_item(scope, item, path, input_fields, parts) ||
        !mlflow_read_item(scope, parts[1], arena_format(scope->arena, "%s.dataset", path),
                          dataset_fields, &taken) ||
        !mlflow_read_pairs(scope, parts[0], arena_format(scope->arena, "%s.tags", path),
                           &taken.tags))
        return false;
    *input = taken;
    return true;
}

bool mlflow_read_datasets(Scope *scope, const JsonValue *array, DatasetInputList *list)
{
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        const char *path = arena_format(scope->arena, "datasets[%zu]", walk.index);

        if (!read_dataset(scope, walk.value, path, arena_push(scope->arena, list)))
            return false;
    }
    return true;
}

/* ---- models ---- */

static const JsonField model_fields[] = {
    {"model_id", JSON_TEXT, offsetof(ModelOutput, model_id), JSON_REQUIRED, ""},
    {"step", JSON_INT, offsetof(ModelOutput, step), JSON_OPTIONAL, ""},
    {0},
};

bool mlflow_read_run_models(Scope *scope, const JsonValue *array, ModelOutputList *list)
{
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        const char *path = arena_format(scope->arena, "models[%zu]", walk.index);

        if (!mlflow_read_item(scope, walk.value, path, model_fields,
                              arena_push(scope->arena, list)))
            return false;
    }
    return true;
}

static TextList ids_of(const ModelOutputList *models, Arena *arena)
{
    TextList ids = {0};

    for (size_t i = 0; i < models->count; i++)
        text_list_add(&ids, arena, models->items[i].model_id);
    return ids;
}

/* ---- routes ---- */

static const JsonField inputs_body[] = {
    {"run_id", JSON_TEXT, offsetof(InputsBody, run_id), JSON_REQUIRED, "the run"},
    {"datasets", JSON_ARRAY, offsetof(InputsBody, datasets), JSON_OPTIONAL,
     "at most 1000 of {\"tags\", \"dataset\": {\"name\", \"digest\", \"source_type\", \"source\", "
     "\"schema\", \"profile\"}}"},
    {"models", JSON_ARRAY, offsetof(InputsBody, models), JSON_OPTIONAL,
     "at most 1000 of {\"model_id\"}"},
    {0},
};

static bool log_inputs(Scope *scope, const Request *request, Response *response)
{
    InputsBody body = {0};
    DatasetInputList datasets = {0};
    ModelOutputList models = {0};
    TextList ids;

    if (!mlflow_read(scope, request, inputs_body, &body) ||
        !mlflow_read_datasets(scope, body.datasets, &datasets) ||
        !mlflow_read_run_models(scope, body.models, &models))
        return false;
    ids = ids_of(&models, scope->arena);
    return run_log_inputs(scope, body.run_id, &datasets, &ids) && mlflow_answer_nothing(response);
}

static const JsonField outputs_body[] = {
    {"run_id", JSON_TEXT, offsetof(InputsBody, run_id), JSON_REQUIRED, "the run"},
    {"models", JSON_ARRAY, offsetof(InputsBody, models), JSON_REQUIRED,
     "at most 1000 of {\"model_id\", \"step\"}"},
    {0},
};

static bool log_outputs(Scope *scope, const Request *request, Response *response)
{
    InputsBody body = {0};
    ModelOutputList models = {0};

    return mlflow_read(scope, request, outputs_body, &body) &&
           mlflow_read_run_models(scope, body.models, &models) &&
           run_log_outputs(scope, body.run_id, &models) && mlflow_answer_nothing(response);
}

static const JsonField model_body[] = {
    {"run_id", JSON_TEXT, offsetof(InputsBody, run_id), JSON_REQUIRED, "the run"},
    {"model_json", JSON_TEXT, offsetof(InputsBody, model_json), JSON_REQUIRED,
     "an object with \"run_id\", \"artifact_path\", \"utc_time_created\" and \"flavors\""},
    {0},
};

static bool log_model(Scope *scope, const Request *request, Response *response)
{
    InputsBody body = {0};

    return mlflow_read(scope, request, model_body, &body) &&
           run_log_model_history(scope, body.run_id, body.model_json) &&
           mlflow_answer_nothing(response);
}

typedef struct SearchBody {
    TextList experiment_ids;
} SearchBody;

static const JsonField search_body[] = {
    {"experiment_ids", JSON_TEXT_LIST, offsetof(SearchBody, experiment_ids), JSON_REQUIRED,
     "1 to 20"},
    {0},
};

static void write_summaries(JsonWriter *json, const DatasetSummaryList *list)
{
    json_open_object(json, NULL);
    if (list->count) {
        json_open_array(json, "dataset_summaries");
        for (size_t i = 0; i < list->count; i++) {
            const DatasetSummary *summary = &list->items[i];
            char id[24];

            snprintf(id, sizeof(id), "%" PRId64, summary->experiment_id);
            json_open_object(json, NULL);
            json_text(json, "experiment_id", id);
            json_text(json, "name", summary->name);
            json_text(json, "digest", summary->digest);
            if (summary->context)
                json_text(json, "context", summary->context);
            json_close(json);
        }
        json_close(json);
    }
    json_close(json);
}

static bool search_datasets(Scope *scope, const Request *request, Response *response)
{
    SearchBody body = {0};
    DatasetSummaryList list = {0};
    int64_t *ids = NULL;

    if (!mlflow_read(scope, request, search_body, &body) ||
        !mlflow_read_experiment_ids(scope, &body.experiment_ids, &ids) ||
        !dataset_summaries(scope, ids, body.experiment_ids.count, &list))
        return false;
    write_summaries(response->json, &list);
    return true;
}

const Route mlflow_run_input_routes[] = {
    {"POST", "/api/2.0/mlflow/runs/log-inputs", ROLE_STEP, ROUTE_WRITE, log_inputs,
     "Log what a run took: data sets and logged models; the same again changes nothing.",
     inputs_body},
    {"POST", "/api/2.0/mlflow/runs/outputs", ROLE_STEP, ROUTE_WRITE, log_outputs,
     "Log which models a run gave.", outputs_body},
    {"POST", "/api/2.0/mlflow/runs/log-model", ROLE_STEP, ROUTE_WRITE, log_model,
     "Log a model as clients before MLflow 3 do.", model_body},
    {"POST", "/api/2.0/mlflow/experiments/search-datasets", ROLE_VIEWER, ROUTE_READ,
     search_datasets, "List the data sets that runs took.", search_body},
    {0},
};
