/* mlflow_traces.c: /api/3.0/mlflow/traces */

#include <string.h>

#include "api/mlflow_trace.h"

/* ---- one trace ---- */

typedef struct StartBody {
    const JsonValue *trace;
} StartBody;

static const JsonField start_body[] = {
    {"trace", JSON_OBJECT, offsetof(StartBody, trace), JSON_REQUIRED, "{\"trace_info\"}"},
    {0},
};

static bool answer_info(Response *response, const Trace *trace, Arena *arena)
{
    json_open_object(response->json, NULL);
    json_open_object(response->json, "trace");
    mlflow_write_trace_info(response->json, "trace_info", trace, arena);
    json_close(response->json);
    json_close(response->json);
    return true;
}

static bool start_trace(Scope *scope, const Request *request, Response *response)
{
    StartBody body = {0};
    Trace told, trace;

    return mlflow_read(scope, request, start_body, &body) &&
           mlflow_read_trace_info(scope, json_member(body.trace, "trace_info"), &told) &&
           trace_start(scope, &told, &trace) && answer_info(response, &trace, scope->arena);
}

static bool get_info(Scope *scope, const Request *request, Response *response)
{
    Trace trace;

    return trace_find(scope, request_parameter(request, "trace_id"), &trace) &&
           answer_info(response, &trace, scope->arena);
}

typedef struct GetQuery {
    const char *trace_id;
    bool allow_partial;
} GetQuery;

static const JsonField get_query[] = {
    {"trace_id", JSON_TEXT, offsetof(GetQuery, trace_id), JSON_REQUIRED, "the trace"},
    {"allow_partial", JSON_BOOL, offsetof(GetQuery, allow_partial), JSON_OPTIONAL,
     "also while spans are missing; false"},
    {0},
};

static bool get_trace(Scope *scope, const Request *request, Response *response)
{
    GetQuery query = {0};
    Trace trace;
    SpanList spans;

    if (!mlflow_read(scope, request, get_query, &query) ||
        !trace_find(scope, query.trace_id, &trace) || !trace_spans(scope, &trace, &spans))
        return false;
    if (!query.allow_partial && !trace_is_whole(&trace, &spans, scope->arena))
        return fail(&scope->error, ERROR_NOT_FOUND,
                    "Trace with ID %.100s is not fully exported yet, please try again later.",
                    trace.id);
    json_open_object(response->json, NULL);
    mlflow_write_trace(response->json, "trace", &trace, &spans, scope->arena);
    json_close(response->json);
    return true;
}

/* ---- several ---- */

typedef struct IdsBody {
    TextList trace_ids;
    const char *run_id;
} IdsBody;

static const JsonField ids_body[] = {
    {"trace_ids", JSON_TEXT_LIST, offsetof(IdsBody, trace_ids), JSON_REQUIRED, "the traces"},
    {0},
};

static bool find_all(Scope *scope, const Request *request, TraceList *list)
{
    IdsBody body = {0};

    return mlflow_read(scope, request, ids_body, &body) &&
           trace_find_all(scope, &body.trace_ids, list);
}

/* All of them are in memory at once. */
static bool check_size(Scope *scope, const TraceList *list)
{
    int64_t size = 0;

    for (size_t i = 0; i < list->count; i++)
        size += list->items[i].span_bytes;
    return size <= TRACE_BYTES_MAX ||
           fail(&scope->error, ERROR_INVALID,
                "the spans of these traces are more than %d bytes; ask for fewer traces",
                TRACE_BYTES_MAX);
}

static bool batch_get(Scope *scope, const Request *request, Response *response)
{
    TraceList list;

    if (!find_all(scope, request, &list) || !check_size(scope, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "traces");
    for (size_t i = 0; i < list.count; i++) {
        SpanList spans;

        if (!trace_spans(scope, &list.items[i], &spans))
            return false;
        if (trace_is_whole(&list.items[i], &spans, scope->arena))
            mlflow_write_trace(response->json, NULL, &list.items[i], &spans, scope->arena);
    }
    json_close(response->json);
    json_close(response->json);
    return true;
}

static void write_infos(JsonWriter *json, const char *key, const TraceList *list, Arena *arena)
{
    if (!list->count)
        return;
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++)
        mlflow_write_trace_info(json, NULL, &list->items[i], arena);
    json_close(json);
}

static bool batch_get_infos(Scope *scope, const Request *request, Response *response)
{
    TraceList list;

    if (!find_all(scope, request, &list))
        return false;
    json_open_object(response->json, NULL);
    write_infos(response->json, "trace_infos", &list, scope->arena);
    json_close(response->json);
    return true;
}

typedef struct SearchBody {
    const JsonValue *locations;
    const char *page_token;
    TraceFilter filter;
} SearchBody;

static const JsonField search_body[] = {
    {"locations", JSON_ARRAY, offsetof(SearchBody, locations), JSON_REQUIRED,
     "[{\"mlflow_experiment\": {\"experiment_id\"}}]"},
    {"filter", JSON_TEXT, offsetof(SearchBody, filter.filter), JSON_OPTIONAL,
     "\"tags.team = 'fraud' AND status = 'ERROR'\""},
    {"max_results", JSON_INT, offsetof(SearchBody, filter.limit), JSON_OPTIONAL, "1 to 500; 100"},
    {"order_by", JSON_TEXT_LIST, offsetof(SearchBody, filter.order_by), JSON_OPTIONAL,
     "[\"timestamp_ms DESC\"]"},
    {"page_token", JSON_TEXT, offsetof(SearchBody, page_token), JSON_OPTIONAL,
     "of the page before"},
    {0},
};

static bool read_locations(Scope *scope, const JsonValue *locations, TraceFilter *filter)
{
    int64_t *ids = arena_array(scope->arena, int64_t, json_count(locations) + 1);

    for (JsonWalk walk = json_walk(locations); json_walk_next(&walk);) {
        const JsonValue *experiment = json_member(walk.value, "mlflow_experiment");
        const char *id = json_as_text(json_member(experiment, "experiment_id"), NULL);

        if (id && !mlflow_read_experiment_id(scope, id, &ids[filter->experiment_count++]))
            return false;
    }
    filter->experiment_ids = ids;
    return true;
}

static bool search_traces_v3(Scope *scope, const Request *request, Response *response)
{
    SearchBody body = {.filter.limit = 100};
    TraceList list;
    bool has_more = false;

    if (!mlflow_read(scope, request, search_body, &body) ||
        !read_locations(scope, body.locations, &body.filter) ||
        !mlflow_read_page_token(scope, body.page_token, &body.filter.offset) ||
        !trace_search(scope, &body.filter, &list, &has_more))
        return false;
    json_open_object(response->json, NULL);
    write_infos(response->json, "traces", &list, scope->arena);
    if (has_more)
        mlflow_write_page_token(response->json, body.filter.offset + body.filter.limit);
    json_close(response->json);
    return true;
}

typedef struct DeleteBody {
    const char *experiment_id;
    TraceDeletion deletion;
} DeleteBody;

static const JsonField delete_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(DeleteBody, experiment_id), JSON_REQUIRED, "\"3\""},
    {"max_timestamp_millis", JSON_INT, offsetof(DeleteBody, deletion.until), JSON_OPTIONAL,
     "those that were requested until then"},
    {"max_traces", JSON_INT, offsetof(DeleteBody, deletion.count_max), JSON_OPTIONAL,
     "at most so many, the oldest"},
    {"request_ids", JSON_TEXT_LIST, offsetof(DeleteBody, deletion.ids), JSON_OPTIONAL, "these"},
    {0},
};

static bool delete_traces(Scope *scope, const Request *request, Response *response)
{
    DeleteBody body = {.deletion = {.until = -1, .count_max = -1}};
    int64_t count = 0;

    if (!mlflow_read(scope, request, delete_body, &body) ||
        !mlflow_read_experiment_id(scope, body.experiment_id, &body.deletion.experiment_id) ||
        !trace_delete(scope, &body.deletion, &count))
        return false;
    json_open_object(response->json, NULL);
    json_int(response->json, "traces_deleted", count);
    json_close(response->json);
    return true;
}

/* ---- tags and links ---- */

static const JsonField tag_body[] = {
    {"key", JSON_TEXT, offsetof(Param, key), JSON_REQUIRED, "1 to 250 characters"},
    {"value", JSON_TEXT, offsetof(Param, value), JSON_OPTIONAL, "at most 8000 characters; empty"},
    {0},
};

static bool set_tag(Scope *scope, const Request *request, Response *response)
{
    Param tag = {.value = ""};

    return mlflow_read(scope, request, tag_body, &tag) &&
           trace_set_tag(scope, request_parameter(request, "trace_id"), &tag) &&
           mlflow_answer_nothing(response);
}

static const JsonField tag_key_body[] = {
    {"key", JSON_TEXT, offsetof(Param, key), JSON_REQUIRED, "that it has"},
    {0},
};

static bool delete_tag(Scope *scope, const Request *request, Response *response)
{
    Param tag = {0};

    return mlflow_read(scope, request, tag_key_body, &tag) &&
           trace_delete_tag(scope, request_parameter(request, "trace_id"), tag.key) &&
           mlflow_answer_nothing(response);
}

static const JsonField link_body[] = {
    {"trace_ids", JSON_TEXT_LIST, offsetof(IdsBody, trace_ids), JSON_REQUIRED, "at most 100"},
    {"run_id", JSON_TEXT, offsetof(IdsBody, run_id), JSON_REQUIRED, "the run"},
    {0},
};

static bool link_to_run(Scope *scope, const Request *request, Response *response)
{
    IdsBody body = {0};

    return mlflow_read(scope, request, link_body, &body) &&
           trace_link_run(scope, &body.trace_ids, body.run_id) && mlflow_answer_nothing(response);
}

/* Paths with a word come before those with {trace_id}. */
const Route mlflow_trace_routes[] = {
    {"GET", "/api/3.0/mlflow/traces/get", ROLE_VIEWER, ROUTE_READ, get_trace,
     "Show a trace with its spans.", NULL, get_query},
    {"GET", "/api/3.0/mlflow/traces/batchGet", ROLE_VIEWER, ROUTE_READ, batch_get,
     "Show those of the traces that are whole, with their spans.", NULL, ids_body},
    {"POST", "/api/3.0/mlflow/traces/batchGetInfos", ROLE_VIEWER, ROUTE_READ, batch_get_infos,
     "Show the traces, without their spans.", ids_body},
    {"POST", "/api/3.0/mlflow/traces/search", ROLE_VIEWER, ROUTE_READ, search_traces_v3,
     "Search traces, without their spans.", search_body},
    {"POST", "/api/3.0/mlflow/traces/delete-traces", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_traces,
     "Delete traces for good.", delete_body},
    {"POST", "/api/2.0/mlflow/traces/delete-traces", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_traces,
     "Delete traces for good.", delete_body},
    {"POST", "/api/2.0/mlflow/traces/link-to-run", ROLE_STEP, ROUTE_WRITE, link_to_run,
     "Link traces to a run.", link_body},
    {"POST", "/api/3.0/mlflow/traces", ROLE_STEP, ROUTE_WRITE, start_trace,
     "Tell of a trace, whose spans come to /v1/traces.", start_body},
    {"GET", "/api/3.0/mlflow/traces/{trace_id}", ROLE_VIEWER, ROUTE_READ, get_info,
     "Show a trace, without its spans."},
    {"PATCH", "/api/3.0/mlflow/traces/{trace_id}/tags", ROLE_STEP, ROUTE_WRITE, set_tag,
     "Set a tag of a trace.", tag_body},
    {"PATCH", "/api/2.0/mlflow/traces/{trace_id}/tags", ROLE_STEP, ROUTE_WRITE, set_tag,
     "Set a tag of a trace.", tag_body},
    {"DELETE", "/api/3.0/mlflow/traces/{trace_id}/tags", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_tag,
     "Remove a tag of a trace.", tag_key_body},
    {"DELETE", "/api/2.0/mlflow/traces/{trace_id}/tags", ROLE_CONTRIBUTOR, ROUTE_WRITE, delete_tag,
     "Remove a tag of a trace.", tag_key_body},
    {0},
};
