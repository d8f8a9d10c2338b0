#include "api/run_batch.h"

#include <math.h>
#include <string.h>

#include "base/time.h"

typedef struct Body {
    const JsonValue *params, *tags, *metrics;
} Body;

const JsonField run_batch_fields[] = {
    {"params", JSON_OBJECT, offsetof(Body, params), JSON_OPTIONAL, "{\"C\": 1.0}"},
    {"metrics", JSON_ANY, offsetof(Body, metrics), JSON_OPTIONAL,
     "{\"f1\": 0.93}, or a list of {\"key\", \"value\", \"step\", \"timestamp\"}"},
    {"tags", JSON_OBJECT, offsetof(Body, tags), JSON_OPTIONAL, "{\"note\": \"first try\"}"},
    {0},
};

typedef struct Point {
    const char *key;
    const JsonValue *value;
    int64_t step, timestamp;
} Point;

static const JsonField point_fields[] = {
    {"key", JSON_TEXT, offsetof(Point, key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_ANY, offsetof(Point, value), JSON_REQUIRED,
     "a number, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {"step", JSON_INT, offsetof(Point, step), JSON_OPTIONAL, "0"},
    {"timestamp", JSON_INT, offsetof(Point, timestamp), JSON_OPTIONAL, "ms since 1970; now"},
    {0},
};

static bool take_value(const JsonValue *value, double *number)
{
    static const struct {
        const char *text;
        double value;
    } words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

    *number = json_as_double(value, 0);
    if (json_is_number(value))
        return true;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(json_as_text(value, ""), words[i].text) != 0)
            continue;
        *number = words[i].value;
        return true;
    }
    return false;
}

static bool add_metric(Scope *scope, const Point *point, MetricList *metrics)
{
    Metric metric = {.key = point->key, .timestamp = point->timestamp, .step = point->step};

    if (!take_value(point->value, &metric.value))
        return fail_field(&scope->error, "metrics",
                          "the value of a metric is a number, \"NaN\", \"Infinity\" or "
                          "\"-Infinity\"");
    *arena_push(scope->arena, metrics) = metric;
    return true;
}

static bool read_metrics(Scope *scope, const JsonValue *value, MetricList *metrics)
{
    int64_t now = time_now_ms();

    if (value && !json_is_object(value) && !json_is_array(value))
        return fail_field(&scope->error, "metrics", "\"metrics\" must be an object or a list");
    if (json_count(value) > BATCH_METRICS_MAX)
        return fail_field(&scope->error, "metrics", "a batch has at most %d metrics",
                          BATCH_METRICS_MAX);
    for (JsonWalk walk = json_walk(value); json_walk_next(&walk);) {
        Point point = {.key = walk.key, .value = walk.value, .timestamp = now};

        if (json_is_array(value) &&
            !json_read_value(walk.value, point_fields, &point, scope->arena, &scope->error))
            return fail_in(&scope->error, "metric %zu", walk.index);
        if (!add_metric(scope, &point, metrics))
            return false;
    }
    return true;
}

bool run_batch_read(Scope *scope, const Request *request, RunBatch *batch)
{
    Body body = {0};

    return request_read(scope, request, run_batch_fields, &body) &&
           param_list_read(body.params, "params", scope->arena, &batch->params, &scope->error) &&
           param_list_read(body.tags, "tags", scope->arena, &batch->tags, &scope->error) &&
           read_metrics(scope, body.metrics, &batch->metrics);
}
