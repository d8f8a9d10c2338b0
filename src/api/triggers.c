/* triggers.c: /api/v1/pipelines, /api/v1/schedules: what starts runs of pipelines when nobody sends
 * files. */

#include "pipelines/triggers.h"

#include "api/api.h"
#include "api/project_tree.h"
#include "base/time.h"
#include "pipelines/backfill.h"
#include "pipelines/occasion.h"
#include "pipelines/pipeline_source.h"
#include "pipelines/schedule.h"
#include "pipelines/scheduler.h"

/* ---- the project's pipeline ---- */

typedef struct SourceBody {
    PipelineOrder order;
    const JsonValue *files;
} SourceBody;

static const JsonField source_fields[] = {
    {"file", JSON_TEXT, offsetof(SourceBody, order.file), JSON_OPTIONAL,
     "The pipeline's file among the files: slipway.yaml, else dvc.yaml, if absent."},
    {"files", JSON_ARRAY, offsetof(SourceBody, files), JSON_REQUIRED,
     "[{path, digest}] of the project's files, put to /api/v1/artifacts."},
    {"commit", JSON_TEXT, offsetof(SourceBody, order.commit), JSON_OPTIONAL,
     "The commit that the files are of."},
    {"branch", JSON_TEXT, offsetof(SourceBody, order.branch), JSON_OPTIONAL, "Its branch."},
    {"is_dirty", JSON_BOOL, offsetof(SourceBody, order.is_dirty), JSON_OPTIONAL,
     "Files have changed since the commit."},
    {0},
};

static bool put_source(Scope *scope, const Request *request, Response *response)
{
    SourceBody body = {0};
    PipelineSource source;

    if (!request_read(scope, request, source_fields, &body) ||
        !project_tree_read(scope, body.files, &body.order.files))
        return false;
    body.order.project = request_parameter(request, "project");
    if (!pipeline_source_put(scope, &body.order, &source))
        return false;
    api_show_endpoints(request->application, scope);
    pipeline_source_write_json(response->json, NULL, &source);
    return true;
}

static bool list_sources(Scope *scope, const Request *request, Response *response)
{
    PipelineSourceList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !pipeline_source_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "pipelines");
    for (size_t i = 0; i < list.count; i++)
        pipeline_source_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].project : NULL);
    json_close(response->json);
    return true;
}

static bool show_source(Scope *scope, const Request *request, Response *response)
{
    PipelineSource source;

    if (!pipeline_source_find(scope, request_parameter(request, "project"), &source))
        return false;
    pipeline_source_write_json(response->json, NULL, &source);
    return true;
}

/* ---- starting it ---- */

static const JsonField start_fields[] = {
    {"params", JSON_OBJECT, offsetof(PipelineOrder, params), JSON_OPTIONAL,
     "Values of the file's params."},
    {"key", JSON_TEXT, offsetof(PipelineOrder, trigger_key), JSON_OPTIONAL,
     "What the run is for: a second call with the same key gives the first one's run."},
    {"force", JSON_BOOL, offsetof(PipelineOrder, is_forced), JSON_OPTIONAL,
     "Take nothing from the cache."},
    {0},
};

static void wake(const Request *request)
{
    scheduler_wake(((const Application *)request->application)->scheduler);
}

static bool start_source(Scope *scope, const Request *request, Response *response)
{
    PipelineOrder order = {.trigger = "api"};
    PipelineRun run;
    bool is_new;

    if (!request_read(scope, request, start_fields, &order))
        return false;
    order.project = request_parameter(request, "project");
    if (!pipeline_source_start(scope, &order, &run, &is_new))
        return false;
    wake(request);
    response->status = is_new ? 202 : 200;
    pipeline_run_write_json(response->json, NULL, &run);
    return true;
}

static const JsonField backfill_fields[] = {
    {"param", JSON_TEXT, offsetof(BackfillSpec, param), JSON_REQUIRED,
     "The param that gets the dates."},
    {"from", JSON_TEXT, offsetof(BackfillSpec, from), JSON_REQUIRED, "The first date: 2020-01-01."},
    {"to", JSON_TEXT, offsetof(BackfillSpec, to), JSON_REQUIRED, "The last date."},
    {"every", JSON_TEXT, offsetof(BackfillSpec, every), JSON_OPTIONAL,
     "day (if absent), week, month or year."},
    {"params", JSON_OBJECT, offsetof(BackfillSpec, params), JSON_OPTIONAL,
     "Values of the other params."},
    {"force", JSON_BOOL, offsetof(BackfillSpec, is_forced), JSON_OPTIONAL,
     "Take nothing from the cache."},
    {0},
};

static bool start_backfill(Scope *scope, const Request *request, Response *response)
{
    BackfillSpec spec = {0};
    PipelineRunList runs = {0};
    int64_t started;
    bool done;

    if (!request_read(scope, request, backfill_fields, &spec))
        return false;
    spec.project = request_parameter(request, "project");
    done = backfill_start(scope, &spec, &runs, &started);
    wake(request);
    if (!done)
        return false;
    response->status = started ? 202 : 200;
    json_open_object(response->json, NULL);
    json_int(response->json, "started", started);
    json_open_array(response->json, "pipeline_runs");
    for (size_t i = 0; i < runs.count; i++)
        pipeline_run_write_json(response->json, NULL, &runs.items[i]);
    json_close(response->json);
    json_close(response->json);
    return true;
}

static const JsonField alarm_fields[] = {
    {"kind", JSON_TEXT, offsetof(Alarm, kind), JSON_REQUIRED, "As under on: alarm of the file."},
    {"detail", JSON_TEXT, offsetof(Alarm, detail), JSON_OPTIONAL, "What happened, for people."},
    {"key", JSON_TEXT, offsetof(Alarm, key), JSON_OPTIONAL,
     "The alarm's own: the same one again is the same run."},
    {0},
};

static bool raise_alarm(Scope *scope, const Request *request, Response *response)
{
    Alarm alarm = {0};
    PipelineRun run;
    bool is_on;

    if (!request_read(scope, request, alarm_fields, &alarm))
        return false;
    alarm.project = request_parameter(request, "project");
    if (!alarm_raise(scope, &alarm, &run, &is_on))
        return false;
    wake(request);
    response->status = is_on ? 202 : 200;
    json_open_object(response->json, NULL);
    if (is_on)
        pipeline_run_write_json(response->json, "pipeline_run", &run);
    else
        json_null(response->json, "pipeline_run");
    json_close(response->json);
    return true;
}

/* ---- schedules ---- */

static bool write_schedules(Scope *scope, const char *project, Response *response)
{
    int64_t now = time_now_ms();
    ScheduleList list = {0};

    if (!schedule_list(scope, project, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "schedules");
    for (size_t i = 0; i < list.count; i++)
        if (!schedule_write_json(scope, response->json, &list.items[i], now))
            return false;
    json_close(response->json);
    json_close(response->json);
    return true;
}

static bool list_schedules(Scope *scope, const Request *request, Response *response)
{
    (void)request;
    return write_schedules(scope, NULL, response);
}

static bool list_project_schedules(Scope *scope, const Request *request, Response *response)
{
    return write_schedules(scope, request_parameter(request, "project"), response);
}

const Route trigger_routes[] = {
    {"GET", "/api/v1/pipelines", ROLE_VIEWER, ROUTE_READ, list_sources,
     "List the pipelines of projects, by project.", NULL, page_by_name_fields},
    {"GET", "/api/v1/pipelines/{project}", ROLE_VIEWER, ROUTE_READ, show_source,
     "Show a project's pipeline: its files, params and what starts it."},
    {"POST", "/api/v1/pipelines/{project}/source", ROLE_CONTRIBUTOR, ROUTE_SLOW, put_source,
     "Put the files that a project's pipeline runs when nobody sends any; nothing runs.",
     source_fields},
    {"POST", "/api/v1/pipelines/{project}/runs", ROLE_CONTRIBUTOR, ROUTE_SLOW, start_source,
     "Run a project's pipeline; 202 with the accepted run, 200 with the one of that key.",
     start_fields},
    {"POST", "/api/v1/pipelines/{project}/backfill", ROLE_CONTRIBUTOR, ROUTE_SLOW, start_backfill,
     "Run a project's pipeline for each date of a range; asked again, for those that are missing.",
     backfill_fields},
    {"POST", "/api/v1/pipelines/{project}/alarm", ROLE_CONTRIBUTOR, ROUTE_SLOW, raise_alarm,
     "Raise an alarm; 202 with the run that it started, 200 when the file is not on that kind.",
     alarm_fields},
    {"GET", "/api/v1/pipelines/{project}/schedules", ROLE_VIEWER, ROUTE_READ,
     list_project_schedules, "List the schedules of a project, each with its next times."},
    {"GET", "/api/v1/schedules", ROLE_VIEWER, ROUTE_READ, list_schedules,
     "List the schedules of all projects, each with its next times."},
    {0},
};
