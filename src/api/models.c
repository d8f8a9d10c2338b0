/* models.c: /api/v1/models */

#include <string.h>

#include "api/api.h"
#include "pipelines/model_report.h"
#include "registry/model.h"

static const char *model_name(const Request *request)
{
    return request_parameter(request, "name");
}

static bool answer_model(Scope *scope, const char *name, Response *response)
{
    RegisteredModel model;

    if (!model_find(scope, name, &model))
        return false;
    model_write_json(response->json, NULL, &model);
    return true;
}

/* The version of the path: a number, "latest" or an alias. */
static bool resolve(Scope *scope, const Request *request, ModelVersion *version)
{
    return model_version_resolve(scope, model_name(request), request_parameter(request, "version"),
                                 version);
}

static bool show_version(Scope *scope, const Request *request, Response *response)
{
    ModelVersion version;

    if (!resolve(scope, request, &version))
        return false;
    model_version_write_json(response->json, NULL, &version);
    return true;
}

static bool list_models(Scope *scope, const Request *request, Response *response)
{
    ModelList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !model_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "models");
    for (size_t i = 0; i < list.count; i++)
        model_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

typedef struct ModelBody {
    const char *name, *description;
    const JsonValue *tags;
} ModelBody;

static const JsonField create_body[] = {
    {"name", JSON_TEXT, offsetof(ModelBody, name), JSON_REQUIRED,
     "1 to 256 characters without \"/\" and \":\""},
    {"description", JSON_TEXT, offsetof(ModelBody, description), JSON_OPTIONAL, "for people"},
    {0},
};

static bool create_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    RegisteredModel model;

    if (!request_read(scope, request, create_body, &body) ||
        !model_create(scope, body.name, body.description, NULL, &model))
        return false;
    response->status = 201;
    model_write_json(response->json, NULL, &model);
    return true;
}

static bool show_model(Scope *scope, const Request *request, Response *response)
{
    return answer_model(scope, model_name(request), response);
}

static const JsonField tags_body[] = {
    {"tags", JSON_OBJECT, offsetof(ModelBody, tags), JSON_REQUIRED, "{\"task\": \"spam\"}"},
    {0},
};

static bool tag_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};
    ParamList tags = {0};

    return request_read(scope, request, tags_body, &body) &&
           param_list_read(body.tags, "tags", scope->arena, &tags, &scope->error) &&
           model_set_tags(scope, model_name(request), &tags) &&
           answer_model(scope, model_name(request), response);
}

static const JsonField description_body[] = {
    {"description", JSON_TEXT, offsetof(ModelBody, description), JSON_REQUIRED, "for people"},
    {0},
};

static bool describe_model(Scope *scope, const Request *request, Response *response)
{
    ModelBody body = {0};

    return request_read(scope, request, description_body, &body) &&
           model_describe(scope, model_name(request), body.description) &&
           answer_model(scope, model_name(request), response);
}

static bool list_versions(Scope *scope, const Request *request, Response *response)
{
    ModelVersionList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !model_version_list(scope, model_name(request), &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "versions");
    for (size_t i = 0; i < list.count; i++)
        model_version_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &page, list.count,
                           list.count ? list.items[list.count - 1].version : 0);
    json_close(response->json);
    return true;
}

static bool tag_version(Scope *scope, const Request *request, Response *response)
{
    ModelVersion version;
    ModelBody body = {0};
    ParamList tags = {0};

    return request_read(scope, request, tags_body, &body) &&
           param_list_read(body.tags, "tags", scope->arena, &tags, &scope->error) &&
           resolve(scope, request, &version) &&
           model_version_set_tags(scope, version.model, version.version, &tags) &&
           show_version(scope, request, response);
}

static bool describe_version(Scope *scope, const Request *request, Response *response)
{
    ModelVersion version;
    ModelBody body = {0};

    return request_read(scope, request, description_body, &body) &&
           resolve(scope, request, &version) &&
           model_version_describe(scope, version.model, version.version, body.description) &&
           show_version(scope, request, response);
}

/* By number only: what "latest" names may change between looking and deleting. */
static bool delete_version(Scope *scope, const Request *request, Response *response)
{
    int64_t number = 0;

    if (!text_to_int(request_parameter(request, "version"), &number))
        return fail(&scope->error, ERROR_INVALID, "a version to delete is given by its number");
    response->status = 204;
    return model_version_delete(scope, model_name(request), number);
}

static bool show_lineage(Scope *scope, const Request *request, Response *response)
{
    Lineage lineage;

    if (!model_version_lineage(scope, model_name(request), request_parameter(request, "version"),
                               &lineage))
        return false;
    lineage_write_json(response->json, NULL, &lineage);
    return true;
}

/* ---- the report ---- */

typedef struct ReportQuery {
    const char *format;
} ReportQuery;

static const JsonField report_query[] = {
    {"format", JSON_TEXT, offsetof(ReportQuery, format), JSON_OPTIONAL,
     "\"json\", \"markdown\" or \"html\"; json if absent"},
    {0},
};

static void write_report_json(const ModelReport *report, Arena *arena, Response *response)
{
    model_report_write_json(response->json, report, arena);
}

static void write_body(Response *response, const char *content_type, const char *body)
{
    response->content_type = content_type;
    response->body = body;
    response->body_size = strlen(body);
}

static void write_report_markdown(const ModelReport *report, Arena *arena, Response *response)
{
    write_body(response, "text/markdown; charset=utf-8",
               document_markdown(model_report_document(report, arena)));
}

/* It holds texts of other people: should one of them ever get through, the browser still runs
 * nothing. */
static void write_report_html(const ModelReport *report, Arena *arena, Response *response)
{
    write_body(response, "text/html; charset=utf-8",
               document_html(model_report_document(report, arena)));
    response->headers[0] = (HttpPair){"Content-Security-Policy", DOCUMENT_HTML_POLICY "; sandbox"};
}

typedef struct ReportFormat {
    const char *name;
    void (*write)(const ModelReport *report, Arena *arena, Response *response);
} ReportFormat;

static const ReportFormat report_formats[] = {
    {"json", write_report_json},
    {"markdown", write_report_markdown},
    {"html", write_report_html},
};

static bool find_format(Scope *scope, const char *name, const ReportFormat **format)
{
    for (size_t i = 0; i < COUNT(report_formats); i++) {
        if (!text_equal(report_formats[i].name, name))
            continue;
        *format = &report_formats[i];
        return true;
    }
    return fail_field(&scope->error, "format",
                      "a report is \"json\", \"markdown\" or \"html\", not \"%.40s\"", name);
}

static bool show_report(Scope *scope, const Request *request, Response *response)
{
    ReportQuery query = {.format = "json"};
    const ReportFormat *format;
    ModelReport report;

    if (!request_read_query(scope, request, report_query, &query) ||
        !find_format(scope, query.format, &format) ||
        !model_report_gather(scope, model_name(request), request_parameter(request, "version"),
                             &report))
        return false;
    format->write(&report, scope->arena, response);
    return true;
}

typedef struct AliasBody {
    int64_t version;
} AliasBody;

static const JsonField alias_body[] = {
    {"version", JSON_INT, offsetof(AliasBody, version), JSON_REQUIRED, "the number of a version"},
    {0},
};

static bool set_alias(Scope *scope, const Request *request, Response *response)
{
    AliasBody body = {0};
    ModelVersion version;

    if (!request_read(scope, request, alias_body, &body) ||
        !model_alias_set(scope, model_name(request), request_parameter(request, "alias"),
                         body.version) ||
        !model_version_find(scope, model_name(request), body.version, &version))
        return false;
    model_version_write_json(response->json, NULL, &version);
    return true;
}

static bool delete_alias(Scope *scope, const Request *request, Response *response)
{
    response->status = 204;
    return model_alias_delete(scope, model_name(request), request_parameter(request, "alias"));
}

const Route model_routes[] = {
    {"GET", "/api/v1/models", ROLE_VIEWER, ROUTE_READ, list_models,
     "List the registered models, by name.", NULL, page_by_name_fields},
    {"POST", "/api/v1/models", ROLE_STEP, ROUTE_WRITE, create_model, "Register a model.",
     create_body},
    {"GET", "/api/v1/models/{name}", ROLE_VIEWER, ROUTE_READ, show_model, "Show a model."},
    {"POST", "/api/v1/models/{name}/tags", ROLE_CONTRIBUTOR, ROUTE_WRITE, tag_model,
     "Set tags of a model.", tags_body},
    {"POST", "/api/v1/models/{name}/description", ROLE_CONTRIBUTOR, ROUTE_WRITE, describe_model,
     "Describe a model.", description_body},
    {"GET", "/api/v1/models/{name}/versions", ROLE_VIEWER, ROUTE_READ, list_versions,
     "List the versions of a model, newest first.", NULL, page_by_number_fields},
    {"GET", "/api/v1/models/{name}/versions/{version}", ROLE_VIEWER, ROUTE_READ, show_version,
     "Show a version: its number, \"latest\" or an alias."},
    {"GET", "/api/v1/models/{name}/versions/{version}/lineage", ROLE_VIEWER, ROUTE_READ,
     show_lineage, "Show where a version came from: run, params, metrics, data, code, events."},
    {"GET", "/api/v1/models/{name}/versions/{version}/report", ROLE_VIEWER, ROUTE_READ, show_report,
     "Show all that is known of a version, as JSON, as Markdown or as one page of HTML.", NULL,
     report_query},
    {"POST", "/api/v1/models/{name}/versions/{version}/tags", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     tag_version, "Set tags of a version.", tags_body},
    {"POST", "/api/v1/models/{name}/versions/{version}/description", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     describe_version, "Describe a version.", description_body},
    {"DELETE", "/api/v1/models/{name}/versions/{version}", ROLE_CONTRIBUTOR, ROUTE_WRITE,
     delete_version, "Delete a version; its number is never given again."},
    {"PUT", "/api/v1/models/{name}/aliases/{alias}", ROLE_CONTRIBUTOR, ROUTE_WRITE, set_alias,
     "Point an alias to a version.", alias_body},
    {"DELETE", "/api/v1/models/{name}/aliases/{alias}", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_alias,
     "Remove an alias."},
    {0},
};
