/* mlflow_old_traces.c: /api/2.0/mlflow/traces, of clients before version 3. A trace is announced
 * when it starts and told of when it ends; its spans are a file of theirs. */

#include <inttypes.h>
#include <string.h>

#include "api/mlflow_trace.h"
#include "base/id.h"

static const char *const statuses[] = {"OK", "ERROR", "IN_PROGRESS"};

static void write_info(JsonWriter *json, const char *key, const Trace *trace, Arena *arena)
{
    json_open_object(json, key);
    {
        json_text(json, "request_id", trace->id);
        json_text(json, "experiment_id", arena_format(arena, "%" PRId64, trace->experiment_id));
        json_int(json, "timestamp_ms", trace->requested_at);
        json_int(json, "execution_time_ms", trace->duration >= 0 ? trace->duration : 0);
        json_text(json, "status",
                  trace->status ? trace_status_name(trace->status) : "TRACE_STATUS_UNSPECIFIED");
        mlflow_write_pairs(json, "request_metadata", &trace->metadata);
        mlflow_write_pairs(json, "tags", &trace->tags);
    }
    json_close(json);
}

static bool answer(Response *response, const Trace *trace, Arena *arena)
{
    json_open_object(response->json, NULL);
    write_info(response->json, "trace_info", trace, arena);
    json_close(response->json);
    return true;
}

typedef struct OldBody {
    const char *experiment_id, *status;
    int64_t timestamp_ms;
    const JsonValue *metadata, *tags;
} OldBody;

#define NOTE_FIELDS                                                                                \
    {"request_metadata", JSON_ARRAY, offsetof(OldBody, metadata), JSON_OPTIONAL,                   \
     "[{\"key\", \"value\"}]"},                                                                    \
    {                                                                                              \
        "tags", JSON_ARRAY, offsetof(OldBody, tags), JSON_OPTIONAL, "[{\"key\", \"value\"}]"       \
    }

static const JsonField start_body[] = {
    {"experiment_id", JSON_TEXT, offsetof(OldBody, experiment_id), JSON_REQUIRED, "\"3\""},
    {"timestamp_ms", JSON_INT, offsetof(OldBody, timestamp_ms), JSON_REQUIRED, "ms since 1970"},
    NOTE_FIELDS,
    {0},
};

static bool read_notes(Scope *scope, const OldBody *body, Trace *trace)
{
    return mlflow_read_pairs(scope, body->metadata, "request_metadata", &trace->metadata) &&
           mlflow_read_pairs(scope, body->tags, "tags", &trace->tags);
}

static bool start_trace(Scope *scope, const Request *request, Response *response)
{
    char id[ID_TEXT_SIZE];
    OldBody body = {0};
    Trace told = {.id = id_random(id), .duration = -1, .status = TRACE_IN_PROGRESS}, trace;

    if (!mlflow_read(scope, request, start_body, &body) ||
        !mlflow_read_experiment_id(scope, body.experiment_id, &told.experiment_id) ||
        !read_notes(scope, &body, &told))
        return false;
    told.requested_at = body.timestamp_ms;
    return trace_start(scope, &told, &trace) && answer(response, &trace, scope->arena);
}

static const JsonField end_body[] = {
    {"timestamp_ms", JSON_INT, offsetof(OldBody, timestamp_ms), JSON_REQUIRED,
     "ms since 1970: its end"},
    {"status", JSON_ENUM, offsetof(OldBody, status), JSON_REQUIRED, "OK, ERROR or IN_PROGRESS"},
    NOTE_FIELDS,
    {0},
};

static bool end_trace(Scope *scope, const Request *request, Response *response)
{
    OldBody body = {0};
    Trace told, trace;
    size_t index = 0;

    if (!mlflow_read(scope, request, end_body, &body) ||
        !trace_find(scope, request_parameter(request, "request_id"), &told) ||
        !read_notes(scope, &body, &told))
        return false;
    if (!mlflow_find_word(body.status, statuses, COUNT(statuses), &index))
        return fail(&scope->error, ERROR_INVALID,
                    "the status of a trace is OK, ERROR or IN_PROGRESS");
    told.status = (TraceStatus)(index + 1);
    told.duration =
        body.timestamp_ms > told.requested_at ? body.timestamp_ms - told.requested_at : 0;
    told.assessments = (AssessmentList){0};
    return trace_start(scope, &told, &trace) && answer(response, &trace, scope->arena);
}

static bool get_info(Scope *scope, const Request *request, Response *response)
{
    Trace trace;

    return trace_find(scope, request_parameter(request, "request_id"), &trace) &&
           answer(response, &trace, scope->arena);
}

typedef struct SearchQuery {
    TextList experiment_ids;
    const char *page_token;
    TraceFilter filter;
} SearchQuery;

static const JsonField search_query[] = {
    {"experiment_ids", JSON_TEXT_LIST, offsetof(SearchQuery, experiment_ids), JSON_REQUIRED,
     "of these experiments"},
    {"filter", JSON_TEXT, offsetof(SearchQuery, filter.filter), JSON_OPTIONAL,
     "\"tags.team = 'fraud'\""},
    {"max_results", JSON_INT, offsetof(SearchQuery, filter.limit), JSON_OPTIONAL, "1 to 500; 100"},
    {"order_by", JSON_TEXT_LIST, offsetof(SearchQuery, filter.order_by), JSON_OPTIONAL,
     "\"timestamp_ms DESC\""},
    {"page_token", JSON_TEXT, offsetof(SearchQuery, page_token), JSON_OPTIONAL,
     "of the page before"},
    {0},
};

static bool read_experiments(Scope *scope, const TextList *given, TraceFilter *filter)
{
    int64_t *ids = arena_array(scope->arena, int64_t, given->count + 1);

    for (size_t i = 0; i < given->count; i++)
        if (!mlflow_read_experiment_id(scope, given->items[i], &ids[i]))
            return false;
    filter->experiment_ids = ids;
    filter->experiment_count = given->count;
    return true;
}

static void write_infos(JsonWriter *json, const TraceList *list, Arena *arena)
{
    if (!list->count)
        return;
    json_open_array(json, "traces");
    for (size_t i = 0; i < list->count; i++)
        write_info(json, NULL, &list->items[i], arena);
    json_close(json);
}

static bool search(Scope *scope, const Request *request, Response *response)
{
    SearchQuery query = {.filter.limit = 100};
    TraceList list;
    bool has_more = false;

    if (!mlflow_read(scope, request, search_query, &query) ||
        !read_experiments(scope, &query.experiment_ids, &query.filter) ||
        !mlflow_read_page_token(scope, query.page_token, &query.filter.offset) ||
        !trace_search(scope, &query.filter, &list, &has_more))
        return false;
    json_open_object(response->json, NULL);
    write_infos(response->json, &list, scope->arena);
    if (has_more)
        mlflow_write_page_token(response->json, query.filter.offset + query.filter.limit);
    json_close(response->json);
    return true;
}

const Route mlflow_old_trace_routes[] = {
    {"POST", "/api/2.0/mlflow/traces", ROLE_STEP, ROUTE_WRITE, start_trace,
     "Announce a trace (of clients before version 3).", start_body},
    {"GET", "/api/2.0/mlflow/traces", ROLE_VIEWER, ROUTE_READ, search,
     "Search traces (of clients before version 3).", NULL, search_query},
    {"PATCH", "/api/2.0/mlflow/traces/{request_id}", ROLE_STEP, ROUTE_WRITE, end_trace,
     "Tell of a trace that has ended (of clients before version 3).", end_body},
    {"GET", "/api/2.0/mlflow/traces/{request_id}/info", ROLE_VIEWER, ROUTE_READ, get_info,
     "Show a trace (of clients before version 3)."},
    {0},
};
