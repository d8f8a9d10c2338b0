/* runs.c: /api/v1/runs */

#include <string.h>

#include "api/api.h"
#include "api/run_batch.h"
#include "tracking/metric_sample.h"
#include "tracking/run.h"

static const char *run_id(const Request *request)
{
    return request_parameter(request, "run_id");
}

/* What a change leaves behind is its answer. */
static bool answer(Scope *scope, const char *id, Response *response)
{
    Run run;

    if (!run_find(scope, id, &run))
        return false;
    run_write_json(response->json, NULL, &run);
    return true;
}

typedef struct ListQuery {
    const char *experiments;
    RunFilter filter;
    bool deleted;
} ListQuery;

static const JsonField list_query[] = {
    {"experiment_id", JSON_TEXT, offsetof(ListQuery, experiments), JSON_OPTIONAL,
     "one, or several with commas between; all"},
    {"status", JSON_TEXT, offsetof(ListQuery, filter.status), JSON_OPTIONAL,
     "RUNNING, SCHEDULED, FINISHED, FAILED or KILLED"},
    {"name", JSON_TEXT, offsetof(ListQuery, filter.name_part), JSON_OPTIONAL,
     "the name contains this, in any case"},
    {"parent", JSON_TEXT, offsetof(ListQuery, filter.parent), JSON_OPTIONAL,
     "those below this run: the trials of a training, which are in no other list, and MLflow's "
     "child "
     "runs"},
    {"order_by", JSON_TEXT, offsetof(ListQuery, filter.order_by), JSON_OPTIONAL,
     "\"started_at desc\"; also \"name\", \"metrics.f1 desc\", \"params.C\""},
    {"deleted", JSON_BOOL, offsetof(ListQuery, deleted), JSON_OPTIONAL,
     "the deleted ones instead; false"},
    {"limit", JSON_COUNT, offsetof(ListQuery, filter.limit), JSON_OPTIONAL, "1 to 50000; 100"},
    {"offset", JSON_INT, offsetof(ListQuery, filter.offset), JSON_OPTIONAL, "runs to skip; 0"},
    {0},
};

static bool take_experiments(Scope *scope, const char *text, RunFilter *filter)
{
    TextList parts = text_split(text ? text : "", ',', scope->arena);
    int64_t *ids = arena_array(scope->arena, int64_t, parts.count + 1);

    for (size_t i = 0; i < parts.count; i++)
        if (!text_to_int(parts.items[i], &ids[i]))
            return fail_field(&scope->error, "experiment_id",
                              "\"experiment_id\" is a list of integers with commas between");
    filter->experiment_ids = ids;
    filter->experiment_count = parts.count;
    return true;
}

static bool list_runs(Scope *scope, const Request *request, Response *response)
{
    ListQuery query = {0};
    RunList list = {0};
    int64_t total = 0;

    if (!request_read_query(scope, request, list_query, &query) ||
        !take_experiments(scope, query.experiments, &query.filter))
        return false;
    query.filter.life = query.deleted ? RUN_LIFE_DELETED : RUN_LIFE_ACTIVE;
    if (!run_list(scope, &query.filter, &list, &total))
        return false;
    json_open_object(response->json, NULL);
    json_int(response->json, "total", total);
    json_open_array(response->json, "runs");
    for (size_t i = 0; i < list.count; i++)
        run_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    json_close(response->json);
    return true;
}

typedef struct CreateBody {
    RunSpec spec;
    const JsonValue *tags;
} CreateBody;

static const JsonField create_body[] = {
    {"experiment_id", JSON_INT, offsetof(CreateBody, spec.experiment_id), JSON_OPTIONAL,
     "0, the experiment \"Default\""},
    {"name", JSON_TEXT, offsetof(CreateBody, spec.name), JSON_OPTIONAL, "made up if not given"},
    {"tags", JSON_OBJECT, offsetof(CreateBody, tags), JSON_OPTIONAL, "{\"note\": \"first try\"}"},
    {0},
};

static bool create_run(Scope *scope, const Request *request, Response *response)
{
    CreateBody body = {0};
    Run run;

    if (!request_read(scope, request, create_body, &body) ||
        !param_list_read(body.tags, "tags", scope->arena, &body.spec.tags, &scope->error) ||
        !run_create(scope, &body.spec, &run))
        return false;
    response->status = 201;
    run_write_json(response->json, NULL, &run);
    return true;
}

static bool show_run(Scope *scope, const Request *request, Response *response)
{
    return answer(scope, run_id(request), response);
}

static const JsonField change_body[] = {
    {"name", JSON_TEXT, offsetof(RunChange, name), JSON_OPTIONAL, "the new name"},
    {0},
};

static bool change_run(Scope *scope, const Request *request, Response *response)
{
    RunChange change = {0};

    return request_read(scope, request, change_body, &change) &&
           run_update(scope, run_id(request), &change) && answer(scope, run_id(request), response);
}

typedef struct FinishBody {
    const char *status, *failure;
} FinishBody;

static const JsonField finish_body[] = {
    {"status", JSON_TEXT, offsetof(FinishBody, status), JSON_REQUIRED,
     "FINISHED, FAILED or KILLED"},
    {"failure", JSON_TEXT, offsetof(FinishBody, failure), JSON_OPTIONAL,
     "why it failed, with its last log lines"},
    {0},
};

static bool finish_run(Scope *scope, const Request *request, Response *response)
{
    FinishBody body = {0};
    RunStatus status = RUN_RUNNING;

    if (!request_read(scope, request, finish_body, &body))
        return false;
    (void)run_status_find(body.status, &status); /* what it does not find stays refused */
    return run_finish(scope, run_id(request), status, body.failure) &&
           answer(scope, run_id(request), response);
}

static bool log_batch(Scope *scope, const Request *request, Response *response)
{
    RunBatch batch = {0};

    response->status = 204;
    return run_batch_read(scope, request, &batch) && run_log_batch(scope, run_id(request), &batch);
}

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    response->status = 204;
    return run_delete_tag(scope, run_id(request), request_parameter(request, "key"));
}

typedef struct HistoryQuery {
    MetricFilter filter;
    int64_t points;
} HistoryQuery;

static const JsonField history_query[] = {
    {"limit", JSON_COUNT, offsetof(HistoryQuery, filter.limit), JSON_OPTIONAL, "1 to 25000; 25000"},
    {"offset", JSON_INT, offsetof(HistoryQuery, filter.offset), JSON_OPTIONAL, "points to skip; 0"},
    {"points", JSON_COUNT, offsetof(HistoryQuery, points), JSON_OPTIONAL,
     "at most so many, for a chart, 2 to 10000: the least and the greatest of each stretch"},
    {0},
};

static bool read_history(Scope *scope, const char *id, const HistoryQuery *query, MetricList *list)
{
    if (!query->points)
        return run_metric_history(scope, id, &query->filter, list);
    if (query->filter.limit || query->filter.offset)
        return fail_field(&scope->error, "points", "\"points\" stands without limit and offset");
    return metric_chart(scope, id, query->filter.key, query->points, list);
}

static bool show_history(Scope *scope, const Request *request, Response *response)
{
    HistoryQuery query = {.filter.key = request_parameter(request, "key")};
    MetricList list = {0};

    if (!request_read_query(scope, request, history_query, &query) ||
        !read_history(scope, run_id(request), &query, &list))
        return false;
    json_open_object(response->json, NULL);
    json_text(response->json, "key", query.filter.key);
    json_open_array(response->json, "points");
    for (size_t i = 0; i < list.count; i++)
        metric_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    json_close(response->json);
    return true;
}

static bool delete_run(Scope *scope, const Request *request, Response *response)
{
    response->status = 204;
    return run_delete(scope, run_id(request));
}

static bool restore_run(Scope *scope, const Request *request, Response *response)
{
    return run_restore(scope, run_id(request)) && answer(scope, run_id(request), response);
}

const Route run_routes[] = {
    {"GET", "/api/v1/runs", ROLE_VIEWER, ROUTE_READ, list_runs,
     "List the runs of one, several or all experiments.", NULL, list_query},
    {"POST", "/api/v1/runs", ROLE_STEP, ROUTE_WRITE, create_run, "Start a run.", create_body},
    {"GET", "/api/v1/runs/{run_id}", ROLE_VIEWER, ROUTE_READ, show_run,
     "Show a run with its params, tags and latest metrics."},
    {"PATCH", "/api/v1/runs/{run_id}", ROLE_STEP, ROUTE_WRITE, change_run, "Rename a run.",
     change_body},
    {"POST", "/api/v1/runs/{run_id}/finish", ROLE_STEP, ROUTE_WRITE, finish_run, "End a run.",
     finish_body},
    {"POST", "/api/v1/runs/{run_id}/log", ROLE_STEP, ROUTE_WRITE, log_batch,
     "Log params, metrics and tags: all of them or none.", run_batch_fields},
    {"GET", "/api/v1/runs/{run_id}/metrics/{key}", ROLE_VIEWER, ROUTE_READ, show_history,
     "Show all points of a metric.", NULL, history_query},
    {"DELETE", "/api/v1/runs/{run_id}/tags/{key}", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_tag,
     "Remove a tag of a run."},
    {"DELETE", "/api/v1/runs/{run_id}", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_run,
     "Delete a run; it can be restored."},
    {"POST", "/api/v1/runs/{run_id}/restore", ROLE_CONTRIBUTOR, ROUTE_WRITE, restore_run,
     "Restore a deleted run."},
    {0},
};
