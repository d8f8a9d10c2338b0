/* metrics.c: /metrics, as Prometheus text */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/time.h"
#include "serving/serving.h"

static void append_head(TextBuilder *text, const char *name, const char *type, const char *help)
{
    text_append_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_server(TextBuilder *text, const Application *application)
{
    double uptime = (double)(time_now_ms() - application->started_at) / 1000;

    append_head(text, "slipway_requests_total", "counter", "Requests answered.");
    text_append_format(text, "slipway_requests_total %lld\n",
                       atomic_load(&application->request_count));
    append_head(text, "slipway_requests_failed_total", "counter",
                "Requests answered with status 500 or above.");
    text_append_format(text, "slipway_requests_failed_total %lld\n",
                       atomic_load(&application->failed_count));
    append_head(text, "slipway_uptime_seconds", "gauge", "Seconds since the start.");
    text_append_format(text, "slipway_uptime_seconds %.3f\n", uptime);
}

/* Endpoint names have no character that a label value would have to escape (base/text.h,
 * name_is_valid). */
static void append_requests(TextBuilder *text, const EndpointStatistics *endpoint)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        uint64_t count = atomic_load(&endpoint->requests[i]);

        if (count)
            text_append_format(text,
                               "slipway_endpoint_requests_total{endpoint=\"%s\",status=\"%d\"} "
                               "%" PRIu64 "\n",
                               endpoint->name, counted_status[i], count);
    }
}

static void append_durations(TextBuilder *text, const EndpointStatistics *endpoint)
{
    static const char bucket[] =
        "slipway_endpoint_seconds_bucket{endpoint=\"%s\",le=\"%s\"} %" PRIu64 "\n";
    uint64_t count = 0;
    char limit[32];

    for (size_t i = 0; i < DURATION_BUCKETS; i++) {
        count += atomic_load(&endpoint->durations[i]);
        snprintf(limit, sizeof(limit), "%g", (double)duration_bucket_us[i] / 1e6);
        text_append_format(text, bucket, endpoint->name, limit, count);
    }
    count += atomic_load(&endpoint->durations[DURATION_BUCKETS]);
    text_append_format(text, bucket, endpoint->name, "+Inf", count);
    text_append_format(text, "slipway_endpoint_seconds_sum{endpoint=\"%s\"} %.6f\n", endpoint->name,
                       (double)atomic_load(&endpoint->duration_us) / 1e6);
    text_append_format(text, "slipway_endpoint_seconds_count{endpoint=\"%s\"} %" PRIu64 "\n",
                       endpoint->name, count);
}

static void append_endpoints(TextBuilder *text, const StatisticsList *list)
{
    const EndpointStatistics *first = atomic_load(&list->first);

    append_head(text, "slipway_endpoint_requests_total", "counter",
                "Predict requests answered, by endpoint and status.");
    for (const EndpointStatistics *endpoint = first; endpoint; endpoint = endpoint->next)
        append_requests(text, endpoint);
    append_head(text, "slipway_endpoint_rows_total", "counter", "Rows predicted.");
    for (const EndpointStatistics *endpoint = first; endpoint; endpoint = endpoint->next)
        text_append_format(text, "slipway_endpoint_rows_total{endpoint=\"%s\"} %" PRIu64 "\n",
                           endpoint->name, (uint64_t)atomic_load(&endpoint->rows));
    append_head(text, "slipway_endpoint_seconds", "histogram",
                "Time from the whole request to the answer, of answers with status 200.");
    for (const EndpointStatistics *endpoint = first; endpoint; endpoint = endpoint->next)
        append_durations(text, endpoint);
}

/* One of a live version and its candidate. */
typedef struct Compared {
    const char *labels;
    const Window *window;
} Compared;

typedef struct ComparedList {
    Compared *items;
    size_t count;
} ComparedList;

static void add_side(ComparedList *list, const SplitFigures *figures, bool is_candidate,
                     Arena *arena)
{
    const SplitSide *side = is_candidate ? &figures->candidate : &figures->live;
    const char *role = figures->is_shadow ? "shadow" : "canary";

    *arena_push(arena, list) = (Compared){
        arena_format(arena, "endpoint=\"%s\",deployment=\"%" PRId64 "\",role=\"%s\"",
                     figures->endpoint, side->deployment_id, is_candidate ? role : "live"),
        &side->window};
}

static void append_counts(TextBuilder *text, const ComparedList *list)
{
    append_head(text, "slipway_compared_requests_total", "counter",
                "Requests of a live version and of its candidate, while there is one.");
    for (size_t i = 0; i < list->count; i++)
        text_append_format(text, "slipway_compared_requests_total{%s} %" PRIu64 "\n",
                           list->items[i].labels, list->items[i].window->requests);
    append_head(text, "slipway_compared_errors_total", "counter",
                "Those that failed by the fault of this version.");
    for (size_t i = 0; i < list->count; i++)
        text_append_format(text, "slipway_compared_errors_total{%s} %" PRIu64 "\n",
                           list->items[i].labels, list->items[i].window->errors);
    append_head(text, "slipway_compared_dropped_total", "counter",
                "Requests that a shadow had no room for.");
    for (size_t i = 0; i < list->count; i++)
        text_append_format(text, "slipway_compared_dropped_total{%s} %" PRIu64 "\n",
                           list->items[i].labels, list->items[i].window->dropped);
}

static void append_times(TextBuilder *text, const ComparedList *list)
{
    static const double shares[] = {0.5, 0.99};

    append_head(text, "slipway_compared_seconds", "summary",
                "Time to the answers of this version since they are compared.");
    for (size_t i = 0; i < list->count; i++) {
        const Compared *side = &list->items[i];
        uint64_t answers = side->window->requests - side->window->errors;

        for (size_t j = 0; j < COUNT(shares) && answers; j++)
            text_append_format(text, "slipway_compared_seconds{%s,quantile=\"%g\"} %g\n",
                               side->labels, shares[j],
                               window_quantile_ms(side->window, shares[j]) / 1000);
        text_append_format(text, "slipway_compared_seconds_sum{%s} %.6f\n", side->labels,
                           (double)side->window->duration_us / 1e6);
        text_append_format(text, "slipway_compared_seconds_count{%s} %" PRIu64 "\n", side->labels,
                           answers);
    }
}

static void append_candidates(TextBuilder *text, Serving *serving)
{
    SplitFiguresList all = serving_all_figures(serving, text->arena);
    ComparedList list = {0};

    if (!all.count)
        return;
    for (size_t i = 0; i < all.count; i++) {
        add_side(&list, &all.items[i], false, text->arena);
        add_side(&list, &all.items[i], true, text->arena);
    }
    append_counts(text, &list);
    append_times(text, &list);
}

static void append_log(TextBuilder *text, PredictionLogCounts counts)
{
    append_head(text, "slipway_predictions_logged_total", "counter",
                "Answers written to the prediction log.");
    text_append_format(text, "slipway_predictions_logged_total %" PRIu64 "\n", counts.written);
    append_head(text, "slipway_predictions_dropped_total", "counter",
                "Answers that the prediction log had no room for.");
    text_append_format(text, "slipway_predictions_dropped_total %" PRIu64 "\n", counts.dropped);
    append_head(text, "slipway_prediction_log_failures_total", "counter",
                "Batches of the prediction log that could not be written at once.");
    text_append_format(text, "slipway_prediction_log_failures_total %" PRIu64 "\n",
                       counts.failed_writes);
}

static void append_artifacts(TextBuilder *text, ArtifactUsage usage)
{
    if (!usage.is_counted)
        return;
    append_head(text, "slipway_artifact_bytes", "gauge", "Bytes of the artifact store.");
    text_append_format(text, "slipway_artifact_bytes %" PRId64 "\n", usage.bytes);
    append_head(text, "slipway_artifact_bytes_max", "gauge",
                "Bytes that the artifact store may have; 0: no limit.");
    text_append_format(text, "slipway_artifact_bytes_max %" PRId64 "\n", usage.bytes_max);
}

static bool show_metrics(Scope *scope, const Request *request, Response *response)
{
    const Application *application = request->application;
    TextBuilder text = {.arena = scope->arena};

    append_server(&text, application);
    append_endpoints(&text, serving_statistics(application->serving));
    append_candidates(&text, application->serving);
    append_log(&text, prediction_log_counts(serving_log(application->serving)));
    append_artifacts(&text, artifact_store_usage(application->platform->artifacts));
    response->content_type = "text/plain; version=0.0.4";
    response->body = text_built(&text);
    response->body_size = text.count;
    return true;
}

const Route metrics_routes[] = {
    {"GET", "/metrics", ROLE_VIEWER, ROUTE_FAST, show_metrics,
     "Show the server's figures as Prometheus text.", .is_probe = true},
    {0},
};
