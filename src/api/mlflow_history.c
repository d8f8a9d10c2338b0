/* mlflow_history.c: /api/2.0/mlflow/metrics, of one run and of many. */

#include <stdlib.h>
#include <string.h>

#include "api/mlflow.h"
#include "tracking/metric_sample.h"

typedef struct HistoryQuery {
    const char *run_id, *run_uuid;
    const char *page_token;
    MetricFilter filter;
} HistoryQuery;

static const JsonField history_query[] = {
    {"run_id", JSON_TEXT, offsetof(HistoryQuery, run_id), JSON_OPTIONAL, "the run"},
    {"run_uuid", JSON_TEXT, offsetof(HistoryQuery, run_uuid), JSON_OPTIONAL,
     "the same, of old clients"},
    {"metric_key", JSON_TEXT, offsetof(HistoryQuery, filter.key), JSON_REQUIRED, "\"loss\""},
    {"page_token", JSON_TEXT, offsetof(HistoryQuery, page_token), JSON_OPTIONAL,
     "of the page before"},
    {"max_results", JSON_INT, offsetof(HistoryQuery, filter.limit), JSON_OPTIONAL,
     "points a page; 25000, which is the most"},
    {0},
};

/* Of a run that is not there a client expects no points, not an error. */
static bool read_history(Scope *scope, const char *run_id, const MetricFilter *filter,
                         MetricList *list)
{
    if (run_metric_history(scope, run_id, filter, list))
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

static void write_page(JsonWriter *json, const MetricList *list, size_t most)
{
    if (!list->count)
        return;
    json_open_array(json, "metrics");
    for (size_t i = 0; i < list->count && i < most; i++)
        mlflow_write_metric(json, NULL, &list->items[i]);
    json_close(json);
}

/* One more than the page, to know whether there is another. */
static bool get_history(Scope *scope, const Request *request, Response *response)
{
    HistoryQuery query = {0};
    MetricList list = {0};
    int64_t most;

    if (!mlflow_read(scope, request, history_query, &query) ||
        !mlflow_require_run_id(scope, &query.run_id, query.run_uuid) ||
        !mlflow_read_page_token(scope, query.page_token, &query.filter.offset))
        return false;
    if (query.filter.limit <= 0 || query.filter.limit > METRIC_LIMIT_MAX)
        query.filter.limit = METRIC_LIMIT_MAX;
    most = query.filter.limit++;
    if (!read_history(scope, query.run_id, &query.filter, &list))
        return false;
    json_open_object(response->json, NULL);
    write_page(response->json, &list, (size_t)most);
    if (list.count > (size_t)most)
        mlflow_write_page_token(response->json, query.filter.offset + most);
    json_close(response->json);
    return true;
}

/* ---- many runs ---- */

static void write_points(JsonWriter *json, const RunMetrics *run, int64_t most)
{
    for (size_t i = 0; i < run->points.count && (int64_t)i < most; i++) {
        const Metric *point = &run->points.items[i];

        json_open_object(json, NULL);
        json_text(json, "key", point->key);
        mlflow_write_number(json, "value", point->value);
        json_int(json, "timestamp", point->timestamp);
        json_int(json, "step", point->step);
        json_text(json, "run_id", run->run_id);
        json_close(json);
    }
}

typedef struct BulkQuery {
    TextList run_ids;
    const char *key;
    int64_t most;
} BulkQuery;

static const JsonField bulk_query[] = {
    {"run_id", JSON_TEXT_LIST, offsetof(BulkQuery, run_ids), JSON_REQUIRED, "1 to 100 runs"},
    {"metric_key", JSON_TEXT, offsetof(BulkQuery, key), JSON_REQUIRED, "\"loss\""},
    {"max_results", JSON_INT, offsetof(BulkQuery, most), JSON_OPTIONAL, "points in all; 25000"},
    {0},
};

static int compare_ids(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool check_runs(Scope *scope, const TextList *run_ids)
{
    return run_ids->count <= SAMPLE_RUNS_MAX ||
           fail(&scope->error, ERROR_INVALID, "metric histories are of at most %d runs at once",
                SAMPLE_RUNS_MAX);
}

static bool get_bulk(Scope *scope, const Request *request, Response *response)
{
    BulkQuery query = {.most = METRIC_LIMIT_MAX};

    if (!mlflow_read(scope, request, bulk_query, &query) || !check_runs(scope, &query.run_ids))
        return false;
    if (query.most <= 0 || query.most > METRIC_LIMIT_MAX)
        query.most = METRIC_LIMIT_MAX;
    qsort(query.run_ids.items, query.run_ids.count, sizeof(char *), compare_ids);
    json_open_object(response->json, NULL);
    json_open_array(response->json, "metrics");
    for (size_t i = 0; i < query.run_ids.count && query.most > 0; i++) {
        RunMetrics run = {.run_id = query.run_ids.items[i]};
        MetricFilter filter = {.key = query.key, .limit = query.most};

        if (!read_history(scope, run.run_id, &filter, &run.points))
            return false;
        write_points(response->json, &run, query.most);
        query.most -= (int64_t)run.points.count;
    }
    json_close(response->json);
    json_close(response->json);
    return true;
}

enum { NO_STEP = INT32_MIN }; /* a step of a range has 32 bits */

static const JsonField interval_query[] = {
    {"run_ids", JSON_TEXT_LIST, offsetof(MetricSampleSpec, run_ids), JSON_REQUIRED,
     "1 to 100 runs"},
    {"metric_key", JSON_TEXT, offsetof(MetricSampleSpec, key), JSON_REQUIRED, "\"loss\""},
    {"start_step", JSON_INT, offsetof(MetricSampleSpec, first_step), JSON_OPTIONAL,
     "the first step of a range; with end_step"},
    {"end_step", JSON_INT, offsetof(MetricSampleSpec, last_step), JSON_OPTIONAL,
     "the last step of a range; with start_step"},
    {"max_results", JSON_INT, offsetof(MetricSampleSpec, step_count), JSON_OPTIONAL,
     "steps, 1 to 2500; 2500"},
    {0},
};

static bool take_range(Scope *scope, MetricSampleSpec *spec)
{
    bool has_first = spec->first_step != NO_STEP, has_last = spec->last_step != NO_STEP;

    spec->has_range = has_first && has_last;
    return has_first == has_last ||
           fail(&scope->error, ERROR_INVALID,
                "If either start step or end step are specified, both must be specified.");
}

static bool get_interval(Scope *scope, const Request *request, Response *response)
{
    MetricSampleSpec spec = {
        .step_count = SAMPLE_STEPS_MAX, .first_step = NO_STEP, .last_step = NO_STEP};
    RunMetricsList list = {0};

    if (!mlflow_read(scope, request, interval_query, &spec) || !take_range(scope, &spec) ||
        !metric_sample(scope, &spec, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "metrics");
    for (size_t i = 0; i < list.count; i++)
        write_points(response->json, &list.items[i], METRIC_LIMIT_MAX);
    json_close(response->json);
    json_close(response->json);
    return true;
}

const Route mlflow_history_routes[] = {
    {"GET", "/api/2.0/mlflow/metrics/get-history", ROLE_VIEWER, ROUTE_READ, get_history,
     "Show the points of a metric.", NULL, history_query},
    {"GET", "/api/2.0/mlflow/metrics/get-history-bulk", ROLE_VIEWER, ROUTE_READ, get_bulk,
     "Show the points of a metric of several runs.", NULL, bulk_query},
    {"GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval", ROLE_VIEWER, ROUTE_READ,
     get_interval, "Show the points of a metric of several runs at the same, evenly chosen steps.",
     NULL, interval_query},
    {0},
};
