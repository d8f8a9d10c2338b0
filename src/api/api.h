/* api.h: all routes together, and how one request runs through them.
 *
 * The same dispatch serves HTTP (server/) and the command line that works alone in a folder (cli/):
 *
 *     find the route -> who acts -> may they -> the query and body by the route's tables -> the
 * handler -> the answer
 *
 * An error is {"error": {"code", "message", "field"?, "request_id"}} with the status that says the
 * same; to MLflow's clients it is {"error_code", "message"} (api/mlflow.h).
 */
#pragma once

#include <stdatomic.h>

#include "access/platform.h"
#include "api/route.h"

/* What lives as long as the program does. Owned by server/application.c, which makes and ends it.
 */
typedef struct Application {
    Platform *platform;
    struct Serving *serving;
    struct Trainer *trainer;
    struct Scheduler *scheduler;
    struct Triggers *triggers;
    bool demands_token; /* false: whoever reaches the loopback address is the owner "local" */
    int64_t started_at;
    atomic_llong request_count, failed_count; /* failed: status 500 and above */
    atomic_bool is_stopping;                  /* what may take minutes breaks off */
} Application;

/* Each api/ file's table; ends with NULL. */
extern const Route *const api_tables[];

/* Who sends no token. */
Principal api_caller_without_token(const Application *application);

/* Whether scope->principal may call the route. */
bool api_check_role(const Route *route, Scope *scope) MUST_CHECK;

/* Runs the route for scope->principal and always leaves an answer. */
void api_run(const Route *route, Scope *scope, Request *request, Response *response);

/* One call of a route on its way; all it points to lasts until done(). */
typedef struct ApiCall {
    const Route *route;
    Scope *scope;
    Request *request;
    Response *response;
    void (*done)(struct ApiCall *call);
    void *context; /* of done() */
} ApiCall;

/* The same without waiting for the disk: a ROUTE_WRITE only hands its work in, and done() is called
 * on the writer's thread once it is durable or undone. Of other kinds the answer is there, and
 * done() was called, when this returns. */
void api_start(ApiCall *call);

/* Leaves the scope's error as the answer, in the words that the route's clients read. route NULL:
 * it was not found. */
void api_answer_error(const Route *route, Scope *scope, Response *response);

/* The same for a request that has no route. */
void api_answer_no_route(const Request *request, Scope *scope, Response *response);

/* After a change of what is live: true once the endpoint serves that deployment, whatever ails
 * other endpoints. */
bool api_take_up(const Application *application, Scope *scope, const char *endpoint,
                 int64_t deployment_id) MUST_CHECK;

/* After an endpoint may have been made: its callers find it, with nothing deployed. What ails
 * others does not matter. */
void api_show_endpoints(const Application *application, Scope *scope);

/* The OpenAPI 3.0 document of all routes, from their tables. */
const char *api_openapi(Arena *arena);

extern const Route system_routes[], metrics_routes[], access_routes[], candidate_routes[],
    dataset_routes[], experiment_routes[], run_routes[], run_artifact_routes[], model_routes[],
    endpoint_routes[], predict_routes[], project_routes[], training_routes[], pipeline_routes[],
    trigger_routes[], hook_routes[], promotion_routes[], purge_routes[], mlflow_system_routes[],
    mlflow_experiment_routes[], mlflow_run_routes[], mlflow_run_log_routes[],
    mlflow_history_routes[], mlflow_artifact_routes[], mlflow_upload_routes[],
    mlflow_run_input_routes[], mlflow_logged_model_routes[], mlflow_logged_model_search_routes[],
    mlflow_model_routes[], mlflow_model_version_routes[], mlflow_search_routes[],
    mlflow_otlp_routes[], mlflow_trace_routes[], mlflow_assessment_routes[],
    mlflow_old_trace_routes[], import_routes[], import_version_routes[], webhook_routes[],
    mlflow_webhook_routes[], environment_routes[], approval_routes[], identity_routes[],
    retention_routes[], workspace_routes[];
