/* mlflow_system.c: how MLflow's clients find out what server this is. */

#include "api/mlflow.h"

static bool show_health(Scope *scope, const Request *request, Response *response)
{
    (void)scope, (void)request;
    response->content_type = "text/plain; charset=utf-8";
    response->body = "OK";
    response->body_size = 2;
    return true;
}

static bool show_version(Scope *scope, const Request *request, Response *response)
{
    (void)scope, (void)request;
    response->content_type = "text/plain; charset=utf-8";
    response->body = MLFLOW_VERSION;
    response->body_size = sizeof(MLFLOW_VERSION) - 1;
    return true;
}

static bool show_server_info(Scope *scope, const Request *request, Response *response)
{
    (void)scope, (void)request;
    json_open_object(response->json, NULL);
    json_text(response->json, "store_type", "SqlStore");
    json_bool(response->json, "workspaces_enabled", false);
    json_bool(response->json, "trace_archival_enabled", false);
    /* They work; a file in one piece is faster. A client that has its reasons says so itself. */
    json_bool(response->json, "multipart_uploads_enabled", false);
    json_bool(response->json, "multipart_downloads_enabled", false);
    json_close(response->json);
    return true;
}

const Route mlflow_system_routes[] = {
    {"GET", "/health", ROLE_ANYONE, ROUTE_FAST, show_health,
     "Say OK to MLflow's clients and to load balancers."},
    {"GET", "/version", ROLE_ANYONE, ROUTE_FAST, show_version,
     "Say which version of MLflow's REST is spoken here."},
    {"GET", "/api/3.0/mlflow/server-info", ROLE_VIEWER, ROUTE_FAST, show_server_info,
     "Say that there are no MLflow workspaces."},
    {0},
};
