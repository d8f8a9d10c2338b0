#include "api/api.h"
#include "api/mlflow.h"

/* clang-format off */
const Route *const api_tables[] = {
    predict_routes, /* the first, for they are called most */
    system_routes,
    metrics_routes,
    dataset_routes,
    experiment_routes,
    run_routes,
    run_artifact_routes,
    model_routes,
    project_routes,
    training_routes,
    pipeline_routes,
    trigger_routes,
    hook_routes,
    promotion_routes,
    environment_routes,
    approval_routes,
    purge_routes,
    retention_routes,
    workspace_routes,
    endpoint_routes,
    candidate_routes,
    access_routes,
    identity_routes,
    webhook_routes,
    import_routes,
    import_version_routes,
    mlflow_system_routes,
    mlflow_run_log_routes,
    mlflow_search_routes,
    mlflow_run_routes,
    mlflow_history_routes,
    mlflow_experiment_routes,
    mlflow_model_routes,
    mlflow_model_version_routes,
    mlflow_artifact_routes,
    mlflow_upload_routes,
    mlflow_run_input_routes,
    mlflow_logged_model_routes,
    mlflow_logged_model_search_routes,
    mlflow_otlp_routes,
    mlflow_trace_routes,
    mlflow_assessment_routes,
    mlflow_old_trace_routes,
    mlflow_webhook_routes,
    NULL,
};
/* clang-format on */

Principal api_caller_without_token(const Application *application)
{
    return application->demands_token ? (Principal){"anonymous", ROLE_ANYONE}
                                      : (Principal){"local", ROLE_OWNER};
}

static void write_error(JsonWriter *json, const Scope *scope)
{
    json_open_object(json, NULL);
    json_open_object(json, "error");
    {
        json_text(json, "code", error_code(&scope->error));
        json_text(json, "message", scope->error.message);
        if (scope->error.field[0])
            json_text(json, "field", scope->error.field);
        json_text(json, "request_id", scope->request_id);
    }
    json_close(json);
    json_close(json);
}

void api_answer_error(const Route *route, Scope *scope, Response *response)
{
    *response = (Response){.json = json_writer_create(scope->arena)};
    if (scope->error.kind == ERROR_NONE) /* nobody may take a failure for an answer */
        fail(&scope->error, ERROR_INTERNAL, "no reason was given");
    if (route_speaks_mlflow(route)) {
        response->status = mlflow_write_error(response->json, &scope->error);
        return;
    }
    response->status = error_http_status(&scope->error);
    write_error(response->json, scope);
}

void api_answer_no_route(const Request *request, Scope *scope, Response *response)
{
    if (!route_is_looked_for_by_mlflow(request)) {
        api_answer_error(NULL, scope, response);
        return;
    }
    *response = (Response){.status = 404, .json = json_writer_create(scope->arena)};
    if (scope->error.kind == ERROR_NOT_FOUND)
        mlflow_write_no_route(response->json, &scope->error);
    else
        response->status = mlflow_write_error(response->json, &scope->error);
}

bool api_check_role(const Route *route, Scope *scope)
{
    if (scope->principal.role >= route->role)
        return true;
    if (scope->principal.role == ROLE_ANYONE)
        return fail(&scope->error, ERROR_UNAUTHENTICATED,
                    "this needs a token: send the header \"Authorization: Bearer TOKEN\"");
    return fail(&scope->error, ERROR_FORBIDDEN, "this needs the role %s, \"%s\" has the role %s",
                role_name(role_of_token(route->role)), scope->principal.name,
                role_name(scope->principal.role));
}

static bool check_body(const Route *route, Scope *scope, const Request *request)
{
    if (route->body_kind != BODY_JSON || route->body || !request->body_size ||
        route->kind == ROUTE_FAST || route_speaks_mlflow(route))
        return true;
    return fail(&scope->error, ERROR_INVALID, "%s %s takes no body", route->method, route->path);
}

static bool check_query(const Route *route, Scope *scope, const Request *request)
{
    if (route->query || !request->query.count || route_speaks_mlflow(route))
        return true;
    return fail_field(&scope->error, request->query.items[0].name,
                      "unrecognized parameter \"%.100s\"", request->query.items[0].name);
}

static bool check_call(const ApiCall *call)
{
    return api_check_role(call->route, call->scope) &&
           check_query(call->route, call->scope, call->request) &&
           check_body(call->route, call->scope, call->request);
}

static bool call_handler(Scope *scope, void *context)
{
    const ApiCall *call = context;

    return call->route->handler(scope, call->request, call->response);
}

static void prepare_response(const ApiCall *call)
{
    *call->response = (Response){.status = 200, .json = json_writer_create(call->scope->arena)};
}

static bool prepare(const ApiCall *call)
{
    return check_call(call) &&
           (!call->route->prepare || call->route->prepare(call->scope, call->request));
}

void api_run(const Route *route, Scope *scope, Request *request, Response *response)
{
    ApiCall call = {route, scope, request, response};
    bool done;

    prepare_response(&call);
    done = prepare(&call);
    if (done && route->kind == ROUTE_WRITE)
        done = scope_write(scope, call_handler, &call);
    else if (done)
        done = call_handler(scope, &call);
    if (!done)
        api_answer_error(route, scope, response);
}

static void end_write(Scope *scope, void *context, bool durable)
{
    ApiCall *call = context;

    if (!durable)
        api_answer_error(call->route, scope, call->response);
    call->done(call);
}

void api_start(ApiCall *call)
{
    if (call->route->kind != ROUTE_WRITE) {
        api_run(call->route, call->scope, call->request, call->response);
        call->done(call);
        return;
    }
    prepare_response(call);
    if (prepare(call)) {
        scope_write_later(call->scope, call_handler, end_write, call);
        return;
    }
    api_answer_error(call->route, call->scope, call->response);
    call->done(call);
}
