/* mlflow_runs.c: /api/2.0/mlflow/runs, but for what logs to them (mlflow_run_log.c) and for
 * searches (mlflow_search.c). */

#include "api/mlflow.h"

static bool answer(Response *response, const Run *run)
{
    json_open_object(response->json, NULL);
    mlflow_write_run(response->json, "run", run);
    json_close(response->json);
    return true;
}

static bool answer_new(Response *response, const Run *run)
{
    json_open_object(response->json, NULL);
    mlflow_write_new_run(response->json, "run", run);
    json_close(response->json);
    return true;
}

typedef struct CreateBody {
    const char *experiment_id;
    RunSpec spec;
    const JsonValue *tags;
} CreateBody;

static const JsonField create_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(CreateBody, experiment_id), JSON_OPTIONAL, "\"0\""},
    {"user_id", JSON_TEXT, offsetof(CreateBody, spec.user), JSON_OPTIONAL, "who sends it"},
    {"run_name", JSON_TEXT, offsetof(CreateBody, spec.name), JSON_OPTIONAL, "made up if not given"},
    {"start_time", JSON_INT, offsetof(CreateBody, spec.started_at), JSON_OPTIONAL,
     "ms since 1970; now"},
    {"tags", JSON_ARRAY, offsetof(CreateBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"},
    {0},
};

static bool create_run(Scope *scope, const Request *request, Response *response)
{
    CreateBody body = {.experiment_id = "0"};
    Run created;

    return mlflow_read(scope, request, create_body, &body) &&
           mlflow_read_experiment_id(scope, *body.experiment_id ? body.experiment_id : "0",
                                     &body.spec.experiment_id) &&
           mlflow_read_pairs(scope, body.tags, "tags", &body.spec.tags) &&
           run_create(scope, &body.spec, &created) && answer_new(response, &created);
}

typedef struct RunBody {
    const char *run_id, *run_uuid;
    const char *status;
    RunChange change;
} RunBody;

static const JsonField run_body[] = {
    {"run_id", JSON_TEXT, offsetof(RunBody, run_id), JSON_OPTIONAL, "the run"},
    {"run_uuid", JSON_TEXT, offsetof(RunBody, run_uuid), JSON_OPTIONAL, "the same, of old clients"},
    {0},
};

static bool read_run(Scope *scope, const Request *request, const JsonField fields[], RunBody *body)
{
    return mlflow_read(scope, request, fields, body) &&
           mlflow_require_run_id(scope, &body->run_id, body->run_uuid);
}

static bool get_run(Scope *scope, const Request *request, Response *response)
{
    RunBody body = {0};
    Run run;

    return read_run(scope, request, run_body, &body) && run_find(scope, body.run_id, &run) &&
           answer(response, &run);
}

static const JsonField update_body[] = {
    {"run_id", JSON_TEXT, offsetof(RunBody, run_id), JSON_OPTIONAL, "the run"},
    {"run_uuid", JSON_TEXT, offsetof(RunBody, run_uuid), JSON_OPTIONAL, "the same, of old clients"},
    {"status", JSON_ENUM, offsetof(RunBody, status), JSON_OPTIONAL,
     "RUNNING, SCHEDULED, FINISHED, FAILED or KILLED"},
    {"end_time", JSON_INT, offsetof(RunBody, change.ended_at), JSON_OPTIONAL,
     "ms since 1970; now, when the status ends the run"},
    {"run_name", JSON_TEXT, offsetof(RunBody, change.name), JSON_OPTIONAL, "the new name"},
    {0},
};

static bool read_status(Scope *scope, RunBody *body)
{
    static const char *const words[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    size_t index = 0;

    if (!body->status)
        return true;
    if (!mlflow_find_word(body->status, words, COUNT(words), &index))
        return fail(&scope->error, ERROR_INVALID,
                    "a run's status is RUNNING, SCHEDULED, FINISHED, FAILED or KILLED");
    body->change.status = words[index];
    return true;
}

static bool update_run(Scope *scope, const Request *request, Response *response)
{
    RunBody body = {0};
    Run run;

    if (!read_run(scope, request, update_body, &body) || !read_status(scope, &body))
        return false;
    if (body.change.name && !*body.change.name)
        body.change.name = NULL;
    if (!run_update(scope, body.run_id, &body.change) || !run_find(scope, body.run_id, &run))
        return false;
    json_open_object(response->json, NULL);
    mlflow_write_run_info(response->json, "run_info", &run);
    json_close(response->json);
    return true;
}

static bool delete_run(Scope *scope, const Request *request, Response *response)
{
    RunBody body = {0};

    return read_run(scope, request, run_body, &body) && run_delete(scope, body.run_id) &&
           mlflow_answer_nothing(response);
}

static bool restore_run(Scope *scope, const Request *request, Response *response)
{
    RunBody body = {0};

    return read_run(scope, request, run_body, &body) && run_restore(scope, body.run_id) &&
           mlflow_answer_nothing(response);
}

const Route mlflow_run_routes[] = {
    {"GET", "/api/2.0/mlflow/runs/get", ROLE_VIEWER, ROUTE_READ, get_run, "Show a run.", NULL,
     run_body},
    {"POST", "/api/2.0/mlflow/runs/create", ROLE_STEP, ROUTE_WRITE, create_run, "Start a run.",
     create_body},
    {"POST", "/api/2.0/mlflow/runs/update", ROLE_STEP, ROUTE_WRITE, update_run,
     "End or rename a run.", update_body},
    {"POST", "/api/2.0/mlflow/runs/delete", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_run,
     "Delete a run; it can be restored.", run_body},
    {"POST", "/api/2.0/mlflow/runs/restore", ROLE_CONTRIBUTOR, ROUTE_WRITE, restore_run,
     "Restore a deleted run.", run_body},
    {0},
};
