/* run_metrics.c: the points of metrics, and the latest of each. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/metric_series.h"

double metric_value_read(double value, int64_t is_nan)
{
    return is_nan ? NAN : value;
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By key, then by what decides which point is the latest. */
static int compare_metrics(const void *left, const void *right)
{
    const Metric *a = left, *b = right;
    double a_value = metric_value_stored(a->value), b_value = metric_value_stored(b->value);
    int order = strcmp(a->key, b->key);

    if (order == 0)
        order = compare_int(a->step, b->step);
    if (order == 0)
        order = compare_int(a->timestamp, b->timestamp);
    return order ? order : (a_value > b_value) - (a_value < b_value);
}

/* One key at a time: its points in order. */
bool run_put_metrics(Scope *scope, const Run *run, const MetricList *metrics)
{
    Metric *sorted = arena_array(scope->arena, Metric, metrics->count + 1);
    int64_t key_id = 0;

    if (metrics->count)
        memcpy(sorted, metrics->items, metrics->count * sizeof(*sorted));
    qsort(sorted, metrics->count, sizeof(*sorted), compare_metrics);
    for (size_t first = 0, end; first < metrics->count; first = end) {
        end = first + 1;
        while (end < metrics->count && strcmp(sorted[end].key, sorted[first].key) == 0)
            end++;
        if (!metric_key_ensure(scope, sorted[first].key, &key_id) ||
            !metric_series_add(scope, run, key_id, &(MetricList){sorted + first, end - first}))
            return false;
    }
    return true;
}

/* A page of points under way. */
typedef struct Page {
    Arena *arena;
    MetricList points;
    size_t most;
} Page;

static bool take_point(void *context, const Metric *point)
{
    Page *page = context;

    *arena_push(page->arena, &page->points) = *point;
    return page->points.count < page->most;
}

bool run_metric_history(Scope *scope, const char *id, const MetricFilter *filter, MetricList *list)
{
    Page page = {.arena = scope->arena,
                 .most = filter->limit ? (size_t)filter->limit : METRIC_LIMIT_MAX};
    MetricWalk walk = {0, filter->key, filter->offset, take_point, &page};
    Run run;

    if (filter->limit < 0 || filter->limit > METRIC_LIMIT_MAX + 1 || filter->offset < 0)
        return fail_field(&scope->error, "limit", "a page of a metric has 1 to %d points",
                          METRIC_LIMIT_MAX);
    if (!run_find_row(scope, id, &run))
        return false;
    walk.run_key = run.key;
    if (!metric_series_walk(scope, &walk))
        return false;
    *list = page.points;
    return true;
}

void metric_write_json(JsonWriter *json, const char *key, const Metric *metric)
{
    json_open_object(json, key);
    {
        json_text(json, "key", metric->key);
        if (isnan(metric->value))
            json_text(json, "value", "NaN");
        else
            json_double(json, "value", metric->value);
        json_int(json, "step", metric->step);
        json_int(json, "timestamp", metric->timestamp);
    }
    json_close(json);
}
