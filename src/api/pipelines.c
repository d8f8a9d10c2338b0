/* pipelines.c: /api/v1/pipelines, /api/v1/pipeline-runs: runs of pipelines, their steps and logs.
 */

#include "pipelines/pipeline.h"

#include <string.h>

#include "api/api.h"
#include "api/pipelines.h"
#include "api/project_tree.h"
#include "base/file.h"
#include "pipelines/reproduction.h"
#include "pipelines/scheduler.h"

enum { LOG_BYTES_A_CALL = 1024 * 1024, STEPS_A_PAGE = 1000 };

static void wake(const Request *request)
{
    scheduler_wake(((const Application *)request->application)->scheduler);
}

/* ---- starting ---- */

typedef struct StartBody {
    PipelineOrder order;
    const JsonValue *files;
} StartBody;

static const JsonField start_fields[] = {
    {"project", JSON_TEXT, offsetof(StartBody, order.project), JSON_OPTIONAL,
     "The project, where its file does not name it."},
    {"file", JSON_TEXT, offsetof(StartBody, order.file), JSON_OPTIONAL,
     "The pipeline's file among the files: slipway.yaml, else dvc.yaml, if absent."},
    {"files", JSON_ARRAY, offsetof(StartBody, files), JSON_REQUIRED,
     "[{path, digest}] of the project's files, put to /api/v1/artifacts."},
    {"params", JSON_OBJECT, offsetof(StartBody, order.params), JSON_OPTIONAL,
     "Values of the file's params."},
    {"key", JSON_TEXT, offsetof(StartBody, order.trigger_key), JSON_OPTIONAL,
     "What the run is for: a second call with the same key gives the first one's run."},
    {"commit", JSON_TEXT, offsetof(StartBody, order.commit), JSON_OPTIONAL,
     "The commit that the files are of."},
    {"branch", JSON_TEXT, offsetof(StartBody, order.branch), JSON_OPTIONAL, "Its branch."},
    {"is_dirty", JSON_BOOL, offsetof(StartBody, order.is_dirty), JSON_OPTIONAL,
     "Files have changed since the commit."},
    {"force", JSON_BOOL, offsetof(StartBody, order.is_forced), JSON_OPTIONAL,
     "Take nothing from the cache."},
    {0},
};

static bool start_run(Scope *scope, const Request *request, Response *response)
{
    StartBody body = {.order = {.trigger = "manual"}};
    PipelineRun run;
    bool is_new;

    if (!request_read(scope, request, start_fields, &body))
        return false;
    if (!project_tree_read(scope, body.files, &body.order.files) ||
        !pipeline_start(scope, &body.order, &run, &is_new))
        return false;
    api_show_endpoints(request->application, scope);
    wake(request);
    response->status = is_new ? 202 : 200;
    pipeline_run_write_json(response->json, NULL, &run);
    return true;
}

/* ---- reading ---- */

bool pipelines_answer_runs(Scope *scope, const Request *request, const char *project,
                           Response *response)
{
    PipelineRunList list = {0};
    Page page = {0};
    int64_t last = 0;

    if (!request_read_page(scope, request, page_by_number_fields, &page) ||
        !pipeline_run_list(scope, project, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "pipeline_runs");
    for (size_t i = 0; i < list.count; i++) {
        pipeline_run_write_json(response->json, NULL, &list.items[i]);
        last = project ? list.items[i].number : list.items[i].created_at;
    }
    json_close(response->json);
    page_write_next_number(response->json, &page, list.count, last);
    json_close(response->json);
    return true;
}

static bool list_runs(Scope *scope, const Request *request, Response *response)
{
    return pipelines_answer_runs(scope, request, NULL, response);
}

static bool show_run(Scope *scope, const Request *request, Response *response)
{
    PipelineRun run;

    if (!pipeline_run_find(scope, request_parameter(request, "id"), &run))
        return false;
    pipeline_run_write_json(response->json, NULL, &run);
    return true;
}

static bool show_numbered(Scope *scope, const Request *request, Response *response)
{
    const char *number = request_parameter(request, "number");
    PipelineRun run;
    int64_t value;

    if (!text_to_int(number, &value))
        return fail(&scope->error, ERROR_NOT_FOUND, "\"%.64s\" is not the number of a run", number);
    if (!pipeline_run_find_number(scope, request_parameter(request, "project"), value, &run))
        return false;
    pipeline_run_write_json(response->json, NULL, &run);
    return true;
}

typedef struct StepsQuery {
    int64_t after, limit;
} StepsQuery;

static const JsonField steps_fields[] = {
    {"after", JSON_INT, offsetof(StepsQuery, after), JSON_OPTIONAL,
     "Only steps behind this position."},
    {"limit", JSON_COUNT, offsetof(StepsQuery, limit), JSON_OPTIONAL, "At most so many (1000)."},
    {0},
};

static bool list_steps(Scope *scope, const Request *request, Response *response)
{
    StepsQuery query = {.after = -1, .limit = STEPS_A_PAGE};
    PipelineStepList list = {0};
    PipelineRun run;

    if (!request_read_query(scope, request, steps_fields, &query) ||
        !pipeline_run_find(scope, request_parameter(request, "id"), &run))
        return false;
    if (query.limit > STEPS_A_PAGE)
        return fail_field(&scope->error, "limit", "a page has at most %d steps", STEPS_A_PAGE);
    if (!pipeline_step_list(scope, run.id, query.after, query.limit, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "steps");
    for (size_t i = 0; i < list.count; i++)
        pipeline_step_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    json_close(response->json);
    return true;
}

static bool find_step(Scope *scope, const Request *request, PipelineStep *step)
{
    PipelineRun run;

    return pipeline_run_find(scope, request_parameter(request, "id"), &run) &&
           pipeline_run_check_kept(&run, &scope->error) &&
           pipeline_step_find(scope, run.id, request_parameter(request, "step"), step);
}

static bool show_step(Scope *scope, const Request *request, Response *response)
{
    StepAttemptList attempts = {0};
    PipelineStep step;

    if (!find_step(scope, request, &step) ||
        !step_attempt_list(scope, step.run_id, step.position, &attempts))
        return false;
    json_open_object(response->json, NULL);
    pipeline_step_write_json(response->json, "step", &step);
    json_open_array(response->json, "attempts");
    for (size_t i = 0; i < attempts.count; i++)
        step_attempt_write_json(response->json, NULL, &attempts.items[i]);
    json_close(response->json);
    json_close(response->json);
    return true;
}

static bool explain_step(Scope *scope, const Request *request, Response *response)
{
    PipelineStep step;

    if (!find_step(scope, request, &step))
        return false;
    json_open_object(response->json, NULL);
    json_text(response->json, "step", step.name);
    if (!pipeline_step_explain(scope, &step, response->json))
        return false;
    json_close(response->json);
    return true;
}

/* ---- logs ---- */

typedef struct LogQuery {
    int64_t attempt, offset;
} LogQuery;

static const JsonField log_fields[] = {
    {"attempt", JSON_COUNT, offsetof(LogQuery, attempt), JSON_OPTIONAL, "The last one if absent."},
    {"offset", JSON_INT, offsetof(LogQuery, offset), JSON_OPTIONAL, "From this byte on."},
    {0},
};

/* While it runs, what stands in the attempt's folder; then the blob. */
static const char *log_path(Scope *scope, const StepAttempt *attempt)
{
    if (attempt->log_digest)
        return artifact_path(scope->platform->artifacts, attempt->log_digest, scope->arena);
    return arena_format(scope->arena, "%s/log",
                        step_attempt_folder(scope->platform, attempt->key, scope->arena));
}

static void write_log(Scope *scope, const StepAttempt *attempt, int64_t offset, JsonWriter *json)
{
    CLEANUP(file_unmap) FileMap map = {0};
    Error ignored = {0};
    size_t size = 0;

    if (file_map(log_path(scope, attempt), SIZE_MAX, &map, &ignored) && (size_t)offset < map.size)
        size = map.size - (size_t)offset;
    if (size > LOG_BYTES_A_CALL)
        size = LOG_BYTES_A_CALL;
    json_bytes(json, "text", size ? map.bytes + offset : "", size);
    json_int(json, "next_offset", offset + (int64_t)size);
    json_bool(json, "is_all", !size && attempt->ended_at);
}

static bool show_log(Scope *scope, const Request *request, Response *response)
{
    LogQuery query = {0};
    StepAttemptList attempts = {0};
    const StepAttempt *found = NULL;
    PipelineStep step;

    if (!request_read_query(scope, request, log_fields, &query) ||
        !find_step(scope, request, &step) ||
        !step_attempt_list(scope, step.run_id, step.position, &attempts))
        return false;
    if (query.offset < 0)
        return fail_field(&scope->error, "offset", "an offset is 0 or more");
    for (size_t i = 0; i < attempts.count; i++)
        if (!query.attempt || attempts.items[i].attempt == query.attempt)
            found = &attempts.items[i];
    if (query.attempt && !found)
        return fail(&scope->error, ERROR_NOT_FOUND, "step \"%s\" has no attempt %lld", step.name,
                    (long long)query.attempt);
    json_open_object(response->json, NULL);
    json_text(response->json, "step", step.name);
    json_text(response->json, "status", step.status);
    if (found) {
        json_int(response->json, "attempt", found->attempt);
        write_log(scope, found, query.offset, response->json);
    }
    json_close(response->json);
    return true;
}

/* ---- ending ---- */

typedef struct CancelWork {
    const char *id;
    PipelineRun run;
} CancelWork;

static bool do_cancel(Scope *scope, void *context)
{
    CancelWork *work = context;

    return pipeline_run_cancel(scope, work->id, &work->run);
}

static bool cancel_run(Scope *scope, const Request *request, Response *response)
{
    CancelWork work = {.id = request_parameter(request, "id")};

    if (!scope_write(scope, do_cancel, &work))
        return false;
    wake(request);
    response->status = 202;
    pipeline_run_write_json(response->json, NULL, &work.run);
    return true;
}

/* ---- again ---- */

static bool reproduce_run(Scope *scope, const Request *request, Response *response)
{
    PipelineRun run;

    if (!reproduction_start(scope, request_parameter(request, "id"), &run))
        return false;
    wake(request);
    response->status = 202;
    pipeline_run_write_json(response->json, NULL, &run);
    return true;
}

static bool show_reproduction(Scope *scope, const Request *request, Response *response)
{
    PipelineRun run;

    return pipeline_run_find(scope, request_parameter(request, "id"), &run) &&
           reproduction_write_json(scope, &run, response->json);
}

const Route pipeline_routes[] = {
    {"POST", "/api/v1/pipeline-runs", ROLE_CONTRIBUTOR, ROUTE_SLOW, start_run,
     "Run a pipeline of these files; 202 with the accepted run, 200 with the one of that key.",
     start_fields},
    {"GET", "/api/v1/pipeline-runs", ROLE_VIEWER, ROUTE_READ, list_runs,
     "List the runs of all pipelines, the newest first.", NULL, page_by_number_fields},
    {"GET", "/api/v1/pipelines/{project}/runs/{number}", ROLE_VIEWER, ROUTE_READ, show_numbered,
     "Show a run by its number."},
    {"GET", "/api/v1/pipeline-runs/{id}", ROLE_VIEWER, ROUTE_READ, show_run, "Show a run."},
    {"GET", "/api/v1/pipeline-runs/{id}/steps", ROLE_VIEWER, ROUTE_READ, list_steps,
     "List the steps of a run, in the plan's order.", NULL, steps_fields},
    {"GET", "/api/v1/pipeline-runs/{id}/steps/{step}", ROLE_VIEWER, ROUTE_READ, show_step,
     "Show a step with its attempts."},
    {"GET", "/api/v1/pipeline-runs/{id}/steps/{step}/why", ROLE_VIEWER, ROUTE_READ, explain_step,
     "Say why a step ran, or why it did not have to."},
    {"GET", "/api/v1/pipeline-runs/{id}/steps/{step}/log", ROLE_VIEWER, ROUTE_READ, show_log,
     "Show what a step prints, also while it runs.", NULL, log_fields},
    {"POST", "/api/v1/pipeline-runs/{id}/cancel", ROLE_CONTRIBUTOR, ROUTE_SLOW, cancel_run,
     "End a run and all that it has started."},
    {"POST", "/api/v1/pipeline-runs/{id}/reproduce", ROLE_CONTRIBUTOR, ROUTE_SLOW, reproduce_run,
     "Do a run again from what it recorded; 202 with the new run, which changes nothing outside."},
    {"GET", "/api/v1/pipeline-runs/{id}/reproduction", ROLE_VIEWER, ROUTE_READ, show_reproduction,
     "Compare a run with the one that it does again, step by step."},
    {0},
};
