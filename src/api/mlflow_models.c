/* mlflow_models.c: /api/2.0/mlflow/registered-models */

#include "api/mlflow_registry.h"

static bool answer(Scope *scope, const char *name, Response *response)
{
    ModelOverview found;

    if (!model_overview(scope, name, &found))
        return false;
    json_open_object(response->json, NULL);
    mlflow_write_model(response->json, "registered_model", &found);
    json_close(response->json);
    return true;
}

typedef struct ModelBody {
    const char *name, *new_name, *description;
    const char *key, *value, *alias, *version;
    const JsonValue *tags;
    TextList stages;
} ModelBody;

static const JsonField name_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {0},
};

static bool get_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};

    return mlflow_read(scope, request, name_body, &body) && answer(scope, body.name, response);
}

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED,
     "1 to 256 characters without \"/\" and \":\", unique"},
    {"description", JSON_TEXT, offsetof(ModelBody, description), JSON_OPTIONAL, "for people"},
    {"tags", JSON_ARRAY, offsetof(ModelBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

static bool create_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    ParamList tags = {0};
    RegisteredModel created;

    return mlflow_read(scope, request, create_body, &body) &&
           mlflow_read_pairs(scope, body.tags, "tags", &tags) &&
           model_create(scope, body.name, body.description, &tags, &created) &&
           answer(scope, body.name, response);
}

static const JsonField rename_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"new_name", JSON_TEXT, offsetof(ModelBody, new_name), JSON_REQUIRED,
     "1 to 256 characters without \"/\" and \":\", unique"},
    {0},
};

static bool rename_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    RegisteredModel renamed;

    return mlflow_read(scope, request, rename_body, &body) &&
           model_rename(scope, body.name, body.new_name, &renamed) &&
           answer(scope, body.new_name, response);
}

static const JsonField update_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"description", JSON_TEXT, offsetof(ModelBody, description), JSON_OPTIONAL, "for people"},
    {0},
};

static bool update_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {.description = ""};

    return mlflow_read(scope, request, update_body, &body) &&
           model_describe(scope, body.name, body.description) && answer(scope, body.name, response);
}

static bool delete_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};

    return mlflow_read(scope, request, name_body, &body) && model_delete(scope, body.name) &&
           mlflow_answer_nothing(response);
}

static const JsonField stages_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"stages", JSON_TEXT_LIST, offsetof(ModelBody, stages), JSON_OPTIONAL,
     "[\"None\", \"Staging\", \"Production\", \"Archived\"]; all"},
    {0},
};

static bool get_latest_versions(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    ModelVersionList list = {0};

    if (!mlflow_read(scope, request, stages_body, &body) ||
        !model_latest_versions(scope, body.name, &body.stages, &list))
        return false;
    json_open_object(response->json, NULL);
    mlflow_write_versions(response->json, "model_versions", &list);
    json_close(response->json);
    return true;
}

static const JsonField tag_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"key", JSON_TEXT, offsetof(ModelBody, key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_TEXT, offsetof(ModelBody, value), JSON_OPTIONAL,
     "at most 100000 characters; empty"},
    {0},
};

static bool set_tag(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {.value = ""};

    return mlflow_read(scope, request, tag_body, &body) &&
           model_set_tags(scope, body.name, &(ParamList){&(Param){body.key, body.value}, 1}) &&
           mlflow_answer_nothing(response);
}

static const JsonField tag_key_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"key", JSON_TEXT, offsetof(ModelBody, key), JSON_REQUIRED, "one that is missing is no error"},
    {0},
};

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};

    return mlflow_read(scope, request, tag_key_body, &body) &&
           model_delete_tag(scope, body.name, body.key) && mlflow_answer_nothing(response);
}

static const JsonField alias_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"alias", JSON_TEXT, offsetof(ModelBody, alias), JSON_REQUIRED,
     "1 to 255 letters, digits, \"-\" or \"_\""},
    {"version", JSON_TEXT, offsetof(ModelBody, version), JSON_REQUIRED, "\"3\""},
    {0},
};

static bool set_alias(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    int64_t number = 0;

    return mlflow_read(scope, request, alias_body, &body) &&
           mlflow_read_version(scope, body.version, &number) &&
           model_alias_set(scope, body.name, body.alias, number) && mlflow_answer_nothing(response);
}

static const JsonField alias_name_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED, "of a registered model"},
    {"alias", JSON_TEXT, offsetof(ModelBody, alias), JSON_REQUIRED, "\"champion\""},
    {0},
};

/* Whose alias is not there has what it wanted. */
static bool delete_alias(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    RegisteredModel model;

    if (!mlflow_read(scope, request, alias_name_body, &body) ||
        !model_find(scope, body.name, &model))
        return false;
    if (!model_alias_delete(scope, body.name, body.alias)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
    }
    return mlflow_answer_nothing(response);
}

static bool get_by_alias(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    RegisteredModel model;
    ModelVersion version;

    if (!mlflow_read(scope, request, alias_name_body, &body) ||
        !model_find(scope, body.name, &model))
        return false;
    if (!model_alias_find(scope, body.name, body.alias, &version)) {
        if (scope->error.kind == ERROR_NOT_FOUND)
            scope->error.kind = ERROR_INVALID; /* clients tell it from a model that is missing */
        return false;
    }
    return mlflow_answer_version(response, &version);
}

static const JsonField search_query[] = {
    {"filter", JSON_TEXT, offsetof(RegistrySearch, search.filter), JSON_OPTIONAL,
     "name LIKE 'spam%' AND tags.team = 'fraud'; all but prompts"},
    {"max_results", JSON_COUNT, offsetof(RegistrySearch, search.limit), JSON_OPTIONAL,
     "1 to 1000; 100"},
    {"order_by", JSON_TEXT_LIST, offsetof(RegistrySearch, search.orders), JSON_OPTIONAL,
     "name, last_updated_timestamp, with ASC or DESC; name"},
    {"page_token", JSON_TEXT, offsetof(RegistrySearch, page_token), JSON_OPTIONAL,
     "of the page before"},
    {0},
};

static bool search_models(Scope *scope, const Request *request, Response *response)
{
    RegistrySearch query = {.search = {.limit = 100}};
    ModelOverviewList list = {0};
    bool has_more = false;

    if (!mlflow_read_search(scope, request, search_query, MODEL_SEARCH_MAX, &query) ||
        !model_search(scope, &query.search, &list, &has_more))
        return false;
    json_open_object(response->json, NULL);
    if (list.count) {
        json_open_array(response->json, "registered_models");
        for (size_t i = 0; i < list.count; i++)
            mlflow_write_model(response->json, NULL, &list.items[i]);
        json_close(response->json);
    }
    if (has_more)
        mlflow_write_page_token(response->json, query.search.offset + query.search.limit);
    json_close(response->json);
    return true;
}

#define MODELS "/api/2.0/mlflow/registered-models"

const Route mlflow_model_routes[] = {
    {"GET", MODELS "/get", ROLE_VIEWER, ROUTE_READ, get_model, "Show a registered model.", NULL,
     name_body},
    {"POST", MODELS "/create", ROLE_STEP, ROUTE_WRITE, create_model, "Register a model.",
     create_body},
    {"POST", MODELS "/rename", ROLE_CONTRIBUTOR, ROUTE_WRITE, rename_model,
     "Rename a model, unless a version of it was ever in production.", rename_body},
    {"PATCH", MODELS "/update", ROLE_CONTRIBUTOR, ROUTE_WRITE, update_model, "Describe a model.",
     update_body},
    {"DELETE", MODELS "/delete", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_model,
     "Delete a model and its versions, unless one was ever in production.", name_body},
    {"GET", MODELS "/search", ROLE_VIEWER, ROUTE_READ, search_models, "Search registered models.",
     NULL, search_query},
    {"POST", MODELS "/get-latest-versions", ROLE_VIEWER, ROUTE_READ, get_latest_versions,
     "Show the newest version of each stage.", stages_body},
    {"GET", MODELS "/get-latest-versions", ROLE_VIEWER, ROUTE_READ, get_latest_versions,
     "Show the newest version of each stage.", NULL, stages_body},
    {"POST", MODELS "/set-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE, set_tag, "Set a tag of a model.",
     tag_body},
    {"DELETE", MODELS "/delete-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_tag,
     "Remove a tag of a model.", tag_key_body},
    {"POST", MODELS "/alias", ROLE_CONTRIBUTOR, ROUTE_WRITE, set_alias,
     "Point an alias to a version.", alias_body},
    {"DELETE", MODELS "/alias", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_alias, "Remove an alias.",
     alias_name_body},
    {"GET", MODELS "/alias", ROLE_VIEWER, ROUTE_READ, get_by_alias,
     "Show the version that an alias points to.", NULL, alias_name_body},
    {0},
};
