/* run_metrics.c: the points of metrics, and the latest of each. */

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/run_internal.h"

double metric_value_read(double value, int64_t is_nan)
{
    return is_nan ? NAN : value;
}

double metric_value_stored(double value)
{
    if (isnan(value))
        return 0;
    if (isinf(value))
        return value > 0 ? DBL_MAX : -DBL_MAX;
    return value + 0.0; /* -0 is 0: equal numbers are one point */
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

bool metric_key_ensure(Scope *scope, const char *name, int64_t *id)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM metric_keys WHERE name = $1", db_text(name));

    if (query_next(&query)) {
        *id = query_int(&query, 0);
        return true;
    }
    return query_end(&query, &scope->error) &&
           db_get_int(scope->db, &scope->error, id,
                      "INSERT INTO metric_keys(id, name)"
                      "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM metric_keys), $1)"
                      "RETURNING id",
                      db_text(name));
}

static bool put_point(Scope *scope, const Run *run, int64_t key_id, const Metric *metric)
{
    static const char sql[] =
        "INSERT INTO metric_points(run_key, key_id, step, timestamp, value, is_nan)"
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

    return db_run(scope->db, &scope->error, sql, db_int(run->key), db_int(key_id),
                  db_int(metric->step), db_int(metric->timestamp),
                  db_double(metric_value_stored(metric->value)), db_int(isnan(metric->value)));
}

static bool put_latest(Scope *scope, const Run *run, int64_t key_id, const Metric *metric)
{
    static const char sql[] =
        "INSERT INTO latest_metrics"
        "  (run_key, key_id, experiment_id, step, timestamp, value, is_nan)"
        "VALUES ($1, $2, $3, $4, $5, $6, $7)"
        "ON CONFLICT (run_key, key_id) DO UPDATE"
        "   SET step = excluded.step, timestamp = excluded.timestamp,"
        "       value = excluded.value, is_nan = excluded.is_nan"
        " WHERE (excluded.step, excluded.timestamp, excluded.value)"
        "     > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)";

    return db_run(scope->db, &scope->error, sql, db_int(run->key), db_int(key_id),
                  db_int(run->experiment_id), db_int(metric->step), db_int(metric->timestamp),
                  db_double(metric_value_stored(metric->value)), db_int(isnan(metric->value)));
}

/* One key at a time: its points in order, then the last of them as the latest. */
bool run_put_metrics(Scope *scope, const Run *run, const MetricList *metrics)
{
    Metric *sorted = arena_array(scope->arena, Metric, metrics->count + 1);
    int64_t key_id = 0;

    if (metrics->count)
        memcpy(sorted, metrics->items, metrics->count * sizeof(*sorted));
    qsort(sorted, metrics->count, sizeof(*sorted), compare_metrics);
    for (size_t i = 0; i < metrics->count; i++) {
        bool is_first = i == 0 || strcmp(sorted[i].key, sorted[i - 1].key) != 0;
        bool is_last = i + 1 == metrics->count || strcmp(sorted[i].key, sorted[i + 1].key) != 0;

        if ((is_first && !metric_key_ensure(scope, sorted[i].key, &key_id)) ||
            !put_point(scope, run, key_id, &sorted[i]) ||
            (is_last && !put_latest(scope, run, key_id, &sorted[i])))
            return false;
    }
    return true;
}

bool run_metric_history(Scope *scope, const char *id, const MetricFilter *filter, MetricList *list)
{
    MetricList taken = {0};
    Run run;

    if (filter->limit < 0 || filter->limit > METRIC_LIMIT_MAX + 1 || filter->offset < 0)
        return fail_field(&scope->error, "limit", "a page of a metric has 1 to %d points",
                          METRIC_LIMIT_MAX);
    if (!run_find_row(scope, id, &run))
        return false;

    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT value, is_nan, timestamp, step FROM metric_points"
                 " WHERE run_key = $1"
                 "   AND key_id = (SELECT id FROM metric_keys WHERE name = $2)"
                 " ORDER BY timestamp, step, value LIMIT $3 OFFSET $4",
                 db_int(run.key), db_text(filter->key),
                 db_int(filter->limit ? filter->limit : METRIC_LIMIT_MAX), db_int(filter->offset));

    while (query_next(&query))
        *arena_push(scope->arena, &taken) = (Metric){
            .key = filter->key,
            .value = metric_value_read(query_double(&query, 0), query_int(&query, 1)),
            .timestamp = query_int(&query, 2),
            .step = query_int(&query, 3),
        };
    if (!query_end(&query, &scope->error))
        return false;
    *list = taken;
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
