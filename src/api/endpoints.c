/* endpoints.c: /api/v1/endpoints, GET /endpoints/{name} */

#include "api/api.h"
#include "base/crash.h"
#include "pipelines/by_hand.h"
#include "registry/package.h"
#include "serving/serving.h"

enum { TAKE_UP_TRIES = 3 };

static bool list_endpoints(Scope *scope, const Request *request, Response *response)
{
    EndpointList list;
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !endpoint_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "endpoints");
    for (size_t i = 0; i < list.count; i++)
        endpoint_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

typedef struct EndpointSpec {
    const char *name, *project;
} EndpointSpec;

static const JsonField endpoint_spec_fields[] = {
    {"name", JSON_TEXT, offsetof(EndpointSpec, name), JSON_REQUIRED, "never changes"},
    {"project", JSON_TEXT, offsetof(EndpointSpec, project), JSON_OPTIONAL, "\"default\""},
    {0},
};

typedef struct EndpointWork {
    EndpointSpec spec;
    Endpoint endpoint;
} EndpointWork;

static bool do_create(Scope *scope, void *context)
{
    EndpointWork *work = context;

    return endpoint_ensure(scope, work->spec.name, work->spec.project, &work->endpoint);
}

static bool create_endpoint(Scope *scope, const Request *request, Response *response)
{
    EndpointWork work = {0};

    if (!request_read(scope, request, endpoint_spec_fields, &work.spec) ||
        !scope_write(scope, do_create, &work))
        return false;
    api_show_endpoints(request->application, scope);
    endpoint_write_json(response->json, NULL, &work.endpoint);
    return true;
}

static bool show_endpoint(Scope *scope, const Request *request, Response *response)
{
    Endpoint endpoint;

    if (!endpoint_find(scope, request_parameter(request, "name"), &endpoint))
        return false;
    endpoint_write_json(response->json, NULL, &endpoint);
    return true;
}

static bool list_deployments(Scope *scope, const Request *request, Response *response)
{
    DeploymentList list;
    Page page = {0};

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !endpoint_deployments(scope, request_parameter(request, "name"), &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "deployments");
    for (size_t i = 0; i < list.count; i++)
        deployment_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_number(response->json, &page, list.count,
                           list.count ? list.items[list.count - 1].id : 0);
    json_close(response->json);
    return true;
}

static bool set_rule(Scope *scope, const Request *request, Response *response)
{
    const char *name = request_parameter(request, "name"), *warning;
    GateRule rule = gate_rule_default();

    if (!request_read(scope, request, gate_rule_fields, &rule) ||
        !endpoint_set_rule(scope, name, &rule))
        return false;
    warning = gate_rule_warning(&rule, scope->arena);
    json_open_object(response->json, NULL);
    json_text(response->json, "name", name);
    gate_rule_write_json(response->json, "rule", &rule);
    json_open_array(response->json, "warnings");
    if (warning)
        json_text(response->json, NULL, warning);
    json_close(response->json);
    json_close(response->json);
    return true;
}

typedef struct DeployBody {
    const char *model, *comment, *project;
    int64_t version;
} DeployBody;

static const JsonField deploy_fields[] = {
    {"model", JSON_TEXT, offsetof(DeployBody, model), JSON_REQUIRED, "a registered model"},
    {"version", JSON_INT, offsetof(DeployBody, version), JSON_REQUIRED, "its number"},
    {"comment", JSON_TEXT, offsetof(DeployBody, comment), JSON_OPTIONAL,
     "why; needed where a version serves already, for the gate is not asked"},
    {"project", JSON_TEXT, offsetof(DeployBody, project), JSON_OPTIONAL,
     "of an endpoint that is not there yet"},
    {0},
};

static bool prepare_new(const Application *application, Scope *scope, const char *package)
{
    return serving_prepare_new(application->serving, scope, package) ||
           fail_in(&scope->error, "the package did not pass its check");
}

/* A version that cannot serve any more is refused before it is live by the record. */
static bool prepare_rollback(const Application *application, Scope *scope, const char *endpoint)
{
    const char *package;

    if (!endpoint_rollback_package(scope, endpoint, &package))
        return false;
    return serving_prepare(application->serving, scope, package) ||
           fail_in(&scope->error, "what served before cannot be loaded");
}

typedef struct DeployWork {
    DeploySpec spec;
    Endpoint endpoint;
} DeployWork;

static bool do_deploy(Scope *scope, void *context)
{
    DeployWork *work = context;

    return by_hand_deploy(scope, &work->spec, &work->endpoint);
}

static bool do_rollback(Scope *scope, void *context)
{
    DeployWork *work = context;

    return endpoint_rollback(scope, work->spec.endpoint, work->spec.comment, &work->endpoint);
}

bool api_take_up(const Application *application, Scope *scope, const char *endpoint,
                 int64_t deployment_id)
{
    bool serves = false;

    /* The deployment is on record already: what failed once, for memory, is tried again. */
    for (int i = 0; i < TAKE_UP_TRIES && !serves; i++) {
        scope->error = (Error){0};
        serves = serving_reload(application->serving, scope) ||
                 serving_serves(application->serving, endpoint, deployment_id);
    }
    CRASH_POINT("deployment: serves, not answered");
    return serves;
}

void api_show_endpoints(const Application *application, Scope *scope)
{
    if (!serving_reload(application->serving, scope))
        scope->error = (Error){0};
}

/* Changes what is live, and answers when it serves. */
static bool change_live(Scope *scope, const Request *request, Response *response, ScopeWork *change,
                        DeployWork *work)
{
    if (!scope_write(scope, change, work) ||
        !api_take_up(request->application, scope, work->endpoint.name,
                     work->endpoint.deployment_id))
        return false;
    endpoint_write_json(response->json, NULL, &work->endpoint);
    return true;
}

/* A deployment past the gate takes the place of a champion only with a reason, which the audit
 * trail keeps. */
static bool check_reason(Scope *scope, const char *endpoint, const char *comment)
{
    Endpoint found;

    if (!endpoint_find(scope, endpoint, &found)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        return true;
    }
    if (!found.model || (comment && *text_trim(comment, scope->arena)))
        return true;
    return fail_field(&scope->error, "comment",
                      "endpoint \"%s\" serves already and a deployment does not ask its gate: "
                      "promote the version, or say why in \"comment\" (--comment)",
                      endpoint);
}

static bool deploy(Scope *scope, const Request *request, Response *response)
{
    DeployBody body = {0};
    DeployWork work = {0};
    ModelVersion version;

    if (!request_read(scope, request, deploy_fields, &body) ||
        !check_reason(scope, request_parameter(request, "name"), body.comment) ||
        !model_version_find(scope, body.model, body.version, &version) ||
        !model_version_need_package(scope, &version))
        return false;
    work.spec = (DeploySpec){
        .endpoint = request_parameter(request, "name"),
        .project = body.project,
        .model = body.model,
        .reason = "deploy",
        .comment = body.comment,
        .version = body.version,
    };
    return by_hand_check(scope, &work.spec) &&
           prepare_new(request->application, scope, version.package) &&
           change_live(scope, request, response, do_deploy, &work);
}

typedef struct RollbackBody {
    const char *comment;
} RollbackBody;

static const JsonField rollback_fields[] = {
    {"comment", JSON_TEXT, offsetof(RollbackBody, comment), JSON_OPTIONAL, "why"},
    {0},
};

static bool rollback(Scope *scope, const Request *request, Response *response)
{
    RollbackBody body = {0};
    DeployWork work = {0};

    if (request->body_size && !request_read(scope, request, rollback_fields, &body))
        return false;
    work.spec =
        (DeploySpec){.endpoint = request_parameter(request, "name"), .comment = body.comment};
    if (!prepare_rollback(request->application, scope, work.spec.endpoint))
        return false;
    return change_live(scope, request, response, do_rollback, &work);
}

const Route endpoint_routes[] = {
    {"GET", "/api/v1/endpoints", ROLE_VIEWER, ROUTE_READ, list_endpoints,
     "List the endpoints, by name.", NULL, page_by_name_fields},
    {"POST", "/api/v1/endpoints", ROLE_CONTRIBUTOR, ROUTE_SLOW, create_endpoint,
     "Make an endpoint, or find the one with this name.", endpoint_spec_fields},
    {"GET", "/api/v1/endpoints/{name}", ROLE_VIEWER, ROUTE_READ, show_endpoint,
     "Show an endpoint: what is live, and the rule of its gate."},
    {"GET", "/endpoints/{name}", ROLE_VIEWER, ROUTE_READ, show_endpoint,
     "Show an endpoint: what is live, and the rule of its gate."},
    {"GET", "/api/v1/endpoints/{name}/deployments", ROLE_VIEWER, ROUTE_READ, list_deployments,
     "List what the endpoint served, the newest first.", NULL, page_by_number_fields},
    {"POST", "/api/v1/endpoints/{name}/deploy", ROLE_APPROVER, ROUTE_SLOW, deploy,
     "Check a model version in a process of its own, then serve it.", deploy_fields},
    {"POST", "/api/v1/endpoints/{name}/rollback", ROLE_APPROVER, ROUTE_SLOW, rollback,
     "Serve the version again that served before the live one.", rollback_fields},
    {"PUT", "/api/v1/endpoints/{name}/rule", ROLE_APPROVER, ROUTE_WRITE, set_rule,
     "Set the rule of the endpoint's gate.", gate_rule_fields},
    {0},
};
