/* import_models.c: /api/v1/import: logged models, registered models, their versions and aliases. */

#include <string.h>

#include "api/import.h"
#include "registry/moving_model.h"
#include "registry/stage.h"

enum { VERSIONS_BODY_BYTES_MAX = 64 * 1024 * 1024 };

/* ---- logged models ---- */

typedef struct ModelItem {
    int64_t experiment_id;
    const JsonValue *model;
} ModelItem;

static const JsonField model_item[] = {
    {"experiment_id", JSON_INT, offsetof(ModelItem, experiment_id), JSON_REQUIRED, ""},
    {"model", JSON_OBJECT, offsetof(ModelItem, model), JSON_REQUIRED, ""},
    {0},
};

typedef struct ModelInfo {
    LoggedModel model;
    const char *status, *stage;
    const JsonValue *tags;
} ModelInfo;

static const JsonField model_info[] = {
    {"model_id", JSON_TEXT, offsetof(ModelInfo, model.id), JSON_REQUIRED, ""},
    {"name", JSON_TEXT, offsetof(ModelInfo, model.name), JSON_REQUIRED, ""},
    {"model_type", JSON_TEXT, offsetof(ModelInfo, model.model_type), JSON_OPTIONAL, ""},
    {"source_run_id", JSON_TEXT, offsetof(ModelInfo, model.source_run_id), JSON_OPTIONAL, ""},
    {"creation_timestamp_ms", JSON_INT, offsetof(ModelInfo, model.created_at), JSON_OPTIONAL, ""},
    {"last_updated_timestamp_ms", JSON_INT, offsetof(ModelInfo, model.updated_at), JSON_OPTIONAL,
     ""},
    {"status", JSON_TEXT, offsetof(ModelInfo, status), JSON_OPTIONAL, ""},
    {"lifecycle_stage", JSON_TEXT, offsetof(ModelInfo, stage), JSON_OPTIONAL, ""},
    {"tags", JSON_ARRAY, offsetof(ModelInfo, tags), JSON_OPTIONAL, ""},
    {0},
};

static const JsonField metric_item[] = {
    {"key", JSON_TEXT, offsetof(ModelMetric, point.key), JSON_REQUIRED, ""},
    {"value", JSON_NUMBER, offsetof(ModelMetric, point.value), JSON_REQUIRED, ""},
    {"timestamp", JSON_INT, offsetof(ModelMetric, point.timestamp), JSON_REQUIRED, ""},
    {"step", JSON_INT, offsetof(ModelMetric, point.step), JSON_OPTIONAL, ""},
    {"run_id", JSON_TEXT, offsetof(ModelMetric, run_id), JSON_REQUIRED, ""},
    {"dataset_name", JSON_TEXT, offsetof(ModelMetric, dataset_name), JSON_OPTIONAL, ""},
    {"dataset_digest", JSON_TEXT, offsetof(ModelMetric, dataset_digest), JSON_OPTIONAL, ""},
    {0},
};

static LoggedModelStatus status_of(const char *given)
{
    if (text_equal(given, "LOGGED_MODEL_READY"))
        return LOGGED_MODEL_READY;
    return text_equal(given, "LOGGED_MODEL_UPLOAD_FAILED") ? LOGGED_MODEL_FAILED
                                                           : LOGGED_MODEL_PENDING;
}

static bool read_metrics(Scope *scope, const JsonValue *array, LoggedModel *model)
{
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        ModelMetric metric = {.model_id = model->id};

        if (!mlflow_read_item(scope, walk.value, "metrics", metric_item, &metric))
            return false;
        *arena_push(scope->arena, &model->metrics) = metric;
    }
    return true;
}

bool import_take_logged_model(Import *import, const JsonValue *value)
{
    Scope *scope = import->scope;
    ModelItem item = {0};
    ModelInfo info = {.model = {.user = "", .model_type = "", .source_run_id = ""}};
    const JsonValue *data;

    if (!mlflow_read_item(scope, value, "logged_models", model_item, &item) ||
        !mlflow_read_item(scope, json_member(item.model, "info"), "info", model_info, &info))
        return false;
    data = json_member(item.model, "data");
    if (!mlflow_read_pairs(scope, info.tags, "tags", &info.model.tags) ||
        !mlflow_read_pairs(scope, json_member(data, "params"), "params", &info.model.params) ||
        !read_metrics(scope, json_member(data, "metrics"), &info.model))
        return false;
    info.model.experiment_id = item.experiment_id;
    info.model.status = status_of(info.status);
    info.model.is_deleted = import_is_deleted(info.stage);
    return logged_model_import(scope, &info.model, &import->counts);
}

/* ---- registered models ---- */

typedef struct RegisteredItem {
    RegisteredModel model;
    const JsonValue *tags;
} RegisteredItem;

static const JsonField registered_item[] = {
    {"name", JSON_TEXT, offsetof(RegisteredItem, model.name), JSON_REQUIRED, ""},
    {"description", JSON_TEXT, offsetof(RegisteredItem, model.description), JSON_OPTIONAL, ""},
    {"creation_timestamp", JSON_INT, offsetof(RegisteredItem, model.created_at), JSON_OPTIONAL, ""},
    {"last_updated_timestamp", JSON_INT, offsetof(RegisteredItem, model.updated_at), JSON_OPTIONAL,
     ""},
    {"tags", JSON_ARRAY, offsetof(RegisteredItem, tags), JSON_OPTIONAL, ""},
    {0},
};

bool import_take_model(Import *import, const JsonValue *value)
{
    Scope *scope = import->scope;
    RegisteredItem item = {.model = {.description = ""}};

    return mlflow_read_item(scope, value, "models", registered_item, &item) &&
           mlflow_read_pairs(scope, item.tags, "tags", &item.model.tags) &&
           model_import(scope, &item.model, &import->counts);
}

typedef struct AliasItem {
    const char *name;
    ModelAlias alias;
} AliasItem;

static const JsonField alias_item[] = {
    {"name", JSON_TEXT, offsetof(AliasItem, name), JSON_REQUIRED, ""},
    {"alias", JSON_TEXT, offsetof(AliasItem, alias.alias), JSON_REQUIRED, ""},
    {"version", JSON_INT, offsetof(AliasItem, alias.version), JSON_REQUIRED, ""},
    {0},
};

bool import_take_alias(Import *import, const JsonValue *value)
{
    AliasItem item = {0};

    return mlflow_read_item(import->scope, value, "aliases", alias_item, &item) &&
           model_alias_import(import->scope, item.name, &item.alias, &import->counts);
}

/* ---- versions ---- */

typedef struct VersionItem {
    ModelVersion version;
    const char *stage;
    const JsonValue *tags;
} VersionItem;

static const JsonField version_item[] = {
    {"name", JSON_TEXT, offsetof(VersionItem, version.model), JSON_REQUIRED, ""},
    {"version", JSON_INT, offsetof(VersionItem, version.version), JSON_REQUIRED, ""},
    {"creation_timestamp", JSON_INT, offsetof(VersionItem, version.created_at), JSON_OPTIONAL, ""},
    {"last_updated_timestamp", JSON_INT, offsetof(VersionItem, version.updated_at), JSON_OPTIONAL,
     ""},
    {"description", JSON_TEXT, offsetof(VersionItem, version.description), JSON_OPTIONAL, ""},
    {"user_id", JSON_TEXT, offsetof(VersionItem, version.created_by), JSON_OPTIONAL, ""},
    {"current_stage", JSON_TEXT, offsetof(VersionItem, stage), JSON_OPTIONAL, ""},
    {"source", JSON_TEXT, offsetof(VersionItem, version.source), JSON_OPTIONAL, ""},
    {"storage_location", JSON_TEXT, offsetof(VersionItem, version.location), JSON_OPTIONAL, ""},
    {"run_id", JSON_TEXT, offsetof(VersionItem, version.run_id), JSON_OPTIONAL, ""},
    {"run_link", JSON_TEXT, offsetof(VersionItem, version.run_link), JSON_OPTIONAL, ""},
    {"model_id", JSON_TEXT, offsetof(VersionItem, version.logged_model_id), JSON_OPTIONAL, ""},
    {"tags", JSON_ARRAY, offsetof(VersionItem, tags), JSON_OPTIONAL, ""},
    {0},
};

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static bool read_version(Scope *scope, const JsonValue *value, ModelVersion *version)
{
    VersionItem item = {.version = {.description = "", .created_by = scope->principal.name}};

    if (!mlflow_read_item(scope, value, "versions", version_item, &item) ||
        !model_stage_read(scope, item.stage ? item.stage : "None", &item.version.stage) ||
        !mlflow_read_pairs(scope, item.tags, "tags", &item.version.tags))
        return false;
    *version = item.version;
    version->run_id = text_or_null(version->run_id);
    version->run_link = text_or_null(version->run_link);
    version->logged_model_id = text_or_null(version->logged_model_id);
    version->location = text_or_null(version->location);
    version->source = version->source ? version->source : "";
    return true;
}

/* What is taken below: where its files are was found before the write. */
typedef struct Versions {
    Import import;
    const JsonValue *items;
    ModelVersion *settled; /* of each item; those that cannot be read have no model */
} Versions;

static bool take_version(Import *import, const JsonValue *value)
{
    const Versions *versions = (const Versions *)import;
    const ModelVersion *settled = &versions->settled[import->file_at];
    ModelVersion unread;

    if (!settled->model) /* says why */
        return read_version(import->scope, value, &unread);
    return model_version_import(import->scope, settled, &import->counts);
}

static bool take_versions(Scope *scope, void *context)
{
    Versions *versions = context;

    versions->import.scope = scope;
    return import_take_all(&versions->import, "version", versions->items, take_version);
}

static bool settle_all(Scope *scope, Versions *versions)
{
    versions->settled = arena_array(scope->arena, ModelVersion, json_count(versions->items) + 1);
    for (JsonWalk walk = json_walk(versions->items); json_walk_next(&walk);) {
        ModelVersion *version = &versions->settled[walk.index];

        if (!read_version(scope, walk.value, version)) {
            *version = (ModelVersion){0};
            scope->error = (Error){0};
        } else if (!model_version_settle(scope, version)) {
            return false;
        }
    }
    return true;
}

static const JsonField versions_body[] = {
    {"versions", JSON_ARRAY, 0, JSON_REQUIRED, "as MLflow's model-versions/get answers them"},
    {0},
};

static bool import_versions(Scope *scope, const Request *request, Response *response)
{
    Versions versions = {.import = {.scope = scope}};

    if (!request_read(scope, request, versions_body, &versions.items) ||
        !settle_all(scope, &versions) || !scope_write(scope, take_versions, &versions))
        return false;
    import_write_answer(response->json, &versions.import);
    return true;
}

const Route import_version_routes[] = {
    {"POST", "/api/v1/import/versions", ROLE_OWNER, ROUTE_SLOW, import_versions,
     "Take in versions of registered models of another MLflow store, with their numbers.",
     versions_body, .body_bytes_max = VERSIONS_BODY_BYTES_MAX},
    {0},
};
