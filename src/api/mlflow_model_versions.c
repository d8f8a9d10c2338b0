/* mlflow_model_versions.c: /api/2.0/mlflow/model-versions */

#include "api/mlflow_registry.h"
#include "registry/source.h"
#include "tracking/artifact_place.h"

typedef struct VersionBody {
    const char *name, *version, *path;
    const char *description, *stage, *key, *value;
    bool archive_existing;
} VersionBody;

static const JsonField version_body[] = {
    {"name", JSON_TEXT, offsetof(VersionBody, name), JSON_REQUIRED, "of a registered model"},
    {"version", JSON_TEXT, offsetof(VersionBody, version), JSON_REQUIRED, "\"3\""},
    {0},
};

/* Reads the body by the table and finds the version that it names. */
static bool find_version(Scope *scope, const Request *request, const JsonField fields[],
                         VersionBody *body, ModelVersion *found)
{
    int64_t number = 0;

    return mlflow_read(scope, request, fields, body) &&
           mlflow_read_version(scope, body->version, &number) &&
           model_version_find(scope, body->name, number, found);
}

static bool answer_changed(Scope *scope, const ModelVersion *changed, Response *response)
{
    ModelVersion version;

    return model_version_find(scope, changed->model, changed->version, &version) &&
           mlflow_answer_version(response, &version);
}

static bool get_version(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {0};
    ModelVersion found;

    return find_version(scope, request, version_body, &body, &found) &&
           mlflow_answer_version(response, &found);
}

static bool get_download_uri(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {0};
    ModelVersion found;

    if (!find_version(scope, request, version_body, &body, &found))
        return false;
    if (!found.location)
        return fail(
            &scope->error, ERROR_NOT_FOUND,
            "version %s of model \"%s\" was not made by a run of this server, so no URI leads "
            "to its files",
            body.version, found.model);
    json_open_object(response->json, NULL);
    json_text(response->json, "artifact_uri", found.location);
    json_close(response->json);
    return true;
}

static const JsonField file_query[] = {
    {"name", JSON_TEXT, offsetof(VersionBody, name), JSON_REQUIRED, "of a registered model"},
    {"version", JSON_TEXT, offsetof(VersionBody, version), JSON_REQUIRED, "\"3\""},
    {"path", JSON_TEXT, offsetof(VersionBody, path), JSON_REQUIRED, "\"MLmodel\""},
    {0},
};

static bool download(Scope *scope, const Request *request, Response *response)
{
    VersionBody query = {0};
    ModelVersion found;
    TreeEntry entry;

    return find_version(scope, request, file_query, &query, &found) &&
           artifact_path_read(scope, query.path, &query.path) &&
           model_version_file(scope, &found, query.path, &entry) &&
           mlflow_answer_file(scope, &entry, response);
}

typedef struct CreateBody {
    SourceSpec source;
    const char *name, *run_link, *description;
    const JsonValue *tags;
} CreateBody;

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(CreateBody, name), JSON_REQUIRED, "of a registered model"},
    {"source", JSON_TEXT, offsetof(CreateBody, source.source), JSON_REQUIRED,
     "the URI of its files"},
    {"run_id", JSON_TEXT, offsetof(CreateBody, source.run_id), JSON_OPTIONAL,
     "of the run that made it"},
    {"model_id", JSON_TEXT, offsetof(CreateBody, source.logged_model_id), JSON_OPTIONAL,
     "of a logged model"},
    {"run_link", JSON_TEXT, offsetof(CreateBody, run_link), JSON_OPTIONAL, "a URL, for people"},
    {"description", JSON_TEXT, offsetof(CreateBody, description), JSON_OPTIONAL, "for people"},
    {"tags", JSON_ARRAY, offsetof(CreateBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

typedef struct Creation {
    ModelVersionSpec spec;
    ModelVersion version;
} Creation;

/* MLflow's clients register the model first. */
static bool do_create(Scope *scope, void *context)
{
    Creation *creation = context;
    RegisteredModel model;

    return model_find(scope, creation->spec.model, &model) &&
           model_version_create(scope, &creation->spec, &creation->version);
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static bool create_version(Scope *scope, const Request *request, Response *response)
{
    CreateBody body = {0};
    Creation creation = {0};
    ParamList tags = {0};
    Source source;

    if (!mlflow_read(scope, request, create_body, &body) ||
        !mlflow_read_pairs(scope, body.tags, "tags", &tags))
        return false;
    body.source.run_id = or_null(body.source.run_id);
    body.source.logged_model_id = or_null(body.source.logged_model_id);
    body.source.is_prompt = model_is_prompt(&tags);
    if (!source_resolve(scope, &body.source, &source))
        return false;
    creation.spec = (ModelVersionSpec){
        .model = body.name,
        .description = body.description,
        .run_link = or_null(body.run_link),
        .tags = tags,
        .may_be_running = true,
        .may_be_unknown = true,
    };
    source_fill_spec(&source, &creation.spec);
    return scope_write(scope, do_create, &creation) &&
           mlflow_answer_version(response, &creation.version);
}

static const JsonField update_body[] = {
    {"name", JSON_TEXT, offsetof(VersionBody, name), JSON_REQUIRED, "of a registered model"},
    {"version", JSON_TEXT, offsetof(VersionBody, version), JSON_REQUIRED, "\"3\""},
    {"description", JSON_TEXT, offsetof(VersionBody, description), JSON_OPTIONAL, "for people"},
    {0},
};

static bool update_version(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {.description = ""};
    ModelVersion found;

    return find_version(scope, request, update_body, &body, &found) &&
           model_version_describe(scope, found.model, found.version, body.description) &&
           answer_changed(scope, &found, response);
}

static const JsonField stage_body[] = {
    {"name", JSON_TEXT, offsetof(VersionBody, name), JSON_REQUIRED, "of a registered model"},
    {"version", JSON_TEXT, offsetof(VersionBody, version), JSON_REQUIRED, "\"3\""},
    {"stage", JSON_TEXT, offsetof(VersionBody, stage), JSON_REQUIRED,
     "None, Staging, Production or Archived, in any case; a label, nothing is deployed"},
    {"archive_existing_versions", JSON_BOOL, offsetof(VersionBody, archive_existing), JSON_OPTIONAL,
     "others at Staging or Production become Archived; false"},
    {0},
};

static bool transition_stage(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {0};
    ModelVersion found;

    return find_version(scope, request, stage_body, &body, &found) &&
           model_version_set_stage(scope,
                                   &(StageChange){
                                       .model = found.model,
                                       .version = found.version,
                                       .stage = body.stage,
                                       .archive_existing = body.archive_existing,
                                   },
                                   &found) &&
           mlflow_answer_version(response, &found);
}

static bool delete_version(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {0};
    ModelVersion found;

    return find_version(scope, request, version_body, &body, &found) &&
           model_version_delete(scope, found.model, found.version) &&
           mlflow_answer_nothing(response);
}

static const JsonField tag_body[] = {
    {"name", JSON_TEXT, offsetof(VersionBody, name), JSON_REQUIRED, "of a registered model"},
    {"version", JSON_TEXT, offsetof(VersionBody, version), JSON_REQUIRED, "\"3\""},
    {"key", JSON_TEXT, offsetof(VersionBody, key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_TEXT, offsetof(VersionBody, value), JSON_OPTIONAL,
     "at most 100000 characters; empty"},
    {0},
};

static bool set_tag(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {.value = ""};
    ModelVersion found;

    return find_version(scope, request, tag_body, &body, &found) &&
           model_version_set_tags(scope, found.model, found.version,
                                  &(ParamList){&(Param){body.key, body.value}, 1}) &&
           mlflow_answer_nothing(response);
}

static const JsonField tag_key_body[] = {
    {"name", JSON_TEXT, offsetof(VersionBody, name), JSON_REQUIRED, "of a registered model"},
    {"version", JSON_TEXT, offsetof(VersionBody, version), JSON_REQUIRED, "\"3\""},
    {"key", JSON_TEXT, offsetof(VersionBody, key), JSON_REQUIRED,
     "one that is missing is no error"},
    {0},
};

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    VersionBody body = {0};
    ModelVersion found;

    return find_version(scope, request, tag_key_body, &body, &found) &&
           model_version_delete_tag(scope, found.model, found.version, body.key) &&
           mlflow_answer_nothing(response);
}

static const JsonField search_query[] = {
    {"filter", JSON_TEXT, offsetof(RegistrySearch, search.filter), JSON_OPTIONAL,
     "name = 'spam' AND version_number > 3; all but prompts"},
    {"max_results", JSON_COUNT, offsetof(RegistrySearch, search.limit), JSON_OPTIONAL,
     "1 to 200000; all"},
    {"order_by", JSON_TEXT_LIST, offsetof(RegistrySearch, search.orders), JSON_OPTIONAL,
     "name, version_number, creation_timestamp, last_updated_timestamp; newest change first"},
    {"page_token", JSON_TEXT, offsetof(RegistrySearch, page_token), JSON_OPTIONAL,
     "of the page before"},
    {0},
};

static bool search_versions(Scope *scope, const Request *request, Response *response)
{
    RegistrySearch query = {.search = {.limit = MODEL_VERSION_SEARCH_MAX}};
    ModelVersionList list = {0};
    bool has_more = false;

    if (!mlflow_read_search(scope, request, search_query, MODEL_VERSION_SEARCH_MAX, &query) ||
        !model_version_search(scope, &query.search, &list, &has_more))
        return false;
    json_open_object(response->json, NULL);
    mlflow_write_versions(response->json, "model_versions", &list);
    if (has_more)
        mlflow_write_page_token(response->json, query.search.offset + query.search.limit);
    json_close(response->json);
    return true;
}

#define VERSIONS "/api/2.0/mlflow/model-versions"

const Route mlflow_model_version_routes[] = {
    {"GET", VERSIONS "/get", ROLE_VIEWER, ROUTE_READ, get_version, "Show a version of a model.",
     NULL, version_body},
    {"GET", VERSIONS "/search", ROLE_VIEWER, ROUTE_READ, search_versions,
     "Search versions of all models.", NULL, search_query},
    {"GET", VERSIONS "/get-download-uri", ROLE_VIEWER, ROUTE_READ, get_download_uri,
     "Say where the files of a version are.", NULL, version_body},
    {"GET", "/model-versions/get-artifact", ROLE_VIEWER, ROUTE_READ, download,
     "Download a file of a version's package.", NULL, file_query},
    {"POST", VERSIONS "/create", ROLE_STEP, ROUTE_SLOW, create_version,
     "Register a version; what this server holds of its files becomes its package.", create_body},
    {"PATCH", VERSIONS "/update", ROLE_CONTRIBUTOR, ROUTE_WRITE, update_version,
     "Describe a version.", update_body},
    {"POST", VERSIONS "/transition-stage", ROLE_CONTRIBUTOR, ROUTE_WRITE, transition_stage,
     "Label a version with a stage of MLflow's.", stage_body},
    {"DELETE", VERSIONS "/delete", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_version,
     "Delete a version, unless it was ever in production; its number is never given again.",
     version_body},
    {"POST", VERSIONS "/set-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE, set_tag, "Set a tag of a version.",
     tag_body},
    {"DELETE", VERSIONS "/delete-tag", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_tag,
     "Remove a tag of a version.", tag_key_body},
    {0},
};
