/* mlflow_trace_json.c: traces and assessments in and out. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/mlflow_trace.h"
#include "base/time.h"

/* ---- in ---- */

bool mlflow_read_map(Scope *scope, const JsonValue *object, const char *field, ParamList *list)
{
    ParamList taken = {0};

    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        if (!walk.key)
            return fail(&scope->error, ERROR_INVALID, "\"%s\" must be an object", field);
        *arena_push(scope->arena, &taken) = (Param){
            .key = walk.key,
            .value = json_is_text(walk.value) ? json_as_text(walk.value, "")
                                              : json_print(walk.value, scope->arena),
        };
    }
    *list = taken;
    return true;
}

static bool read_time(Scope *scope, const char *field, const char *text, int64_t *time_ms)
{
    return !text || time_parse(text, time_ms) ||
           fail(&scope->error, ERROR_INVALID,
                "Invalid value for parameter '%s' supplied: it must be a time as "
                "\"2026-01-31T12:00:00.000Z\"",
                field);
}

/* "1.5s" */
static bool read_duration(Scope *scope, const char *text, int64_t *duration_ms)
{
    size_t length = text ? strlen(text) : 0;
    double seconds = 0;

    if (!text)
        return true;
    if (length < 2 || text[length - 1] != 's' ||
        !text_to_double(arena_copy(scope->arena, text, length - 1), &seconds) || seconds < 0 ||
        seconds > 1e12)
        return fail(&scope->error, ERROR_INVALID,
                    "Invalid value for parameter 'execution_duration' supplied: it must be seconds "
                    "as \"1.5s\"");
    *duration_ms = llround(seconds * 1000);
    return true;
}

static bool read_state(Scope *scope, const char *given, TraceStatus *status)
{
    static const char *const words[] = {"OK", "ERROR", "IN_PROGRESS"};
    size_t index = 0;

    if (!given || strcmp(given, "STATE_UNSPECIFIED") == 0 || strcmp(given, "0") == 0)
        return true;
    if (!mlflow_find_word(given, words, COUNT(words), &index))
        return fail(&scope->error, ERROR_INVALID,
                    "the state of a trace is OK, ERROR, IN_PROGRESS or STATE_UNSPECIFIED");
    *status = (TraceStatus)(index + 1);
    return true;
}

typedef struct InfoBody {
    Trace trace;
    const JsonValue *location, *tags, *metadata, *assessments;
    const char *request_time, *execution_duration, *state;
} InfoBody;

static const JsonField info_fields[] = {
    {"trace_id", JSON_TEXT, offsetof(InfoBody, trace.id), JSON_REQUIRED, ""},
    {"client_request_id", JSON_TEXT, offsetof(InfoBody, trace.client_request_id), JSON_OPTIONAL,
     ""},
    {"trace_location", JSON_OBJECT, offsetof(InfoBody, location), JSON_REQUIRED, ""},
    {"request_preview", JSON_TEXT, offsetof(InfoBody, trace.request_preview), JSON_OPTIONAL, ""},
    {"response_preview", JSON_TEXT, offsetof(InfoBody, trace.response_preview), JSON_OPTIONAL, ""},
    {"request_time", JSON_TEXT, offsetof(InfoBody, request_time), JSON_OPTIONAL, ""},
    {"execution_duration", JSON_TEXT, offsetof(InfoBody, execution_duration), JSON_OPTIONAL, ""},
    {"state", JSON_ENUM, offsetof(InfoBody, state), JSON_OPTIONAL, ""},
    {"trace_metadata", JSON_OBJECT, offsetof(InfoBody, metadata), JSON_OPTIONAL, ""},
    {"tags", JSON_OBJECT, offsetof(InfoBody, tags), JSON_OPTIONAL, ""},
    {"assessments", JSON_ARRAY, offsetof(InfoBody, assessments), JSON_OPTIONAL, ""},
    {0},
};

static bool read_location(Scope *scope, const JsonValue *location, int64_t *experiment_id)
{
    const JsonValue *experiment = json_member(location, "mlflow_experiment");
    const char *id = json_as_text(json_member(experiment, "experiment_id"), NULL);

    return id ? mlflow_read_experiment_id(scope, id, experiment_id)
              : fail(&scope->error, ERROR_INVALID,
                     "the location of a trace is an experiment: {\"mlflow_experiment\": "
                     "{\"experiment_id\"}}");
}

static bool read_assessments(Scope *scope, const JsonValue *array, AssessmentList *list)
{
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        if (!mlflow_read_assessment(scope, walk.value, arena_push(scope->arena, list)))
            return false;
    return true;
}

bool mlflow_read_trace_info(Scope *scope, const JsonValue *info, Trace *trace)
{
    InfoBody body = {.trace.duration = -1};

    if (!mlflow_read_item(scope, info, "trace.trace_info", info_fields, &body) ||
        !read_location(scope, body.location, &body.trace.experiment_id) ||
        !read_time(scope, "request_time", body.request_time, &body.trace.requested_at) ||
        !read_duration(scope, body.execution_duration, &body.trace.duration) ||
        !read_state(scope, body.state, &body.trace.status) ||
        !mlflow_read_map(scope, body.tags, "tags", &body.trace.tags) ||
        !mlflow_read_map(scope, body.metadata, "trace_metadata", &body.trace.metadata) ||
        !read_assessments(scope, body.assessments, &body.trace.assessments))
        return false;
    *trace = body.trace;
    return true;
}

typedef struct AssessmentBody {
    Assessment assessment;
    const JsonValue *source, *feedback, *expectation, *issue, *metadata;
    const char *create_time, *last_update_time;
    bool is_valid;
} AssessmentBody;

static const JsonField assessment_fields[] = {
    {"assessment_id", JSON_TEXT, offsetof(AssessmentBody, assessment.id), JSON_OPTIONAL, ""},
    {"assessment_name", JSON_TEXT, offsetof(AssessmentBody, assessment.name), JSON_OPTIONAL, ""},
    {"span_id", JSON_TEXT, offsetof(AssessmentBody, assessment.span_id), JSON_OPTIONAL, ""},
    {"rationale", JSON_TEXT, offsetof(AssessmentBody, assessment.rationale), JSON_OPTIONAL, ""},
    {"overrides", JSON_TEXT, offsetof(AssessmentBody, assessment.overrides), JSON_OPTIONAL, ""},
    {"source", JSON_OBJECT, offsetof(AssessmentBody, source), JSON_OPTIONAL, ""},
    {"feedback", JSON_OBJECT, offsetof(AssessmentBody, feedback), JSON_OPTIONAL, ""},
    {"expectation", JSON_OBJECT, offsetof(AssessmentBody, expectation), JSON_OPTIONAL, ""},
    {"issue", JSON_OBJECT, offsetof(AssessmentBody, issue), JSON_OPTIONAL, ""},
    {"metadata", JSON_OBJECT, offsetof(AssessmentBody, metadata), JSON_OPTIONAL, ""},
    {"create_time", JSON_TEXT, offsetof(AssessmentBody, create_time), JSON_OPTIONAL, ""},
    {"last_update_time", JSON_TEXT, offsetof(AssessmentBody, last_update_time), JSON_OPTIONAL, ""},
    {"valid", JSON_BOOL, offsetof(AssessmentBody, is_valid), JSON_OPTIONAL, ""},
    {0},
};

static const char *print(const JsonValue *value, Arena *arena)
{
    return value ? json_print(value, arena) : NULL;
}

static void take_value(Scope *scope, AssessmentBody *body)
{
    const struct {
        const char *kind;
        const JsonValue *value;
    } kinds[] = {
        {"expectation", body->expectation}, {"feedback", body->feedback}, {"issue", body->issue}};

    for (size_t i = 0; i < COUNT(kinds) && !body->assessment.kind; i++) {
        if (!kinds[i].value)
            continue;
        body->assessment.kind = kinds[i].kind;
        body->assessment.value = print(kinds[i].value, scope->arena);
    }
}

bool mlflow_read_assessment(Scope *scope, const JsonValue *object, Assessment *assessment)
{
    AssessmentBody body = {.is_valid = true};

    if (!mlflow_read_item(scope, object, "assessment", assessment_fields, &body) ||
        !read_time(scope, "create_time", body.create_time, &body.assessment.created_at) ||
        !read_time(scope, "last_update_time", body.last_update_time, &body.assessment.updated_at))
        return false;
    take_value(scope, &body);
    body.assessment.is_invalid = !body.is_valid;
    body.assessment.metadata = print(body.metadata, scope->arena);
    body.assessment.source_id = json_as_text(json_member(body.source, "source_id"), NULL);
    body.assessment.source_type = json_as_text(json_member(body.source, "source_type"), NULL);
    *assessment = body.assessment;
    return true;
}

/* ---- out ---- */

static void write_optional(JsonWriter *json, const char *key, const char *text)
{
    if (text)
        json_text(json, key, text);
}

static void write_map(JsonWriter *json, const char *key, const ParamList *list)
{
    if (list->count)
        param_list_write_json(json, key, list);
}

static void write_value(JsonWriter *json, const char *key, const char *document)
{
    if (document)
        json_raw(json, key, document);
}

void mlflow_write_assessment(JsonWriter *json, const char *key, const Assessment *assessment,
                             const char *trace_id)
{
    json_open_object(json, key);
    {
        json_text(json, "assessment_id", assessment->id);
        json_text(json, "assessment_name", assessment->name);
        json_text(json, "trace_id", trace_id);
        write_optional(json, "span_id", assessment->span_id);
        if (assessment->source_type) {
            json_open_object(json, "source");
            json_text(json, "source_type", assessment->source_type);
            write_optional(json, "source_id", assessment->source_id);
            json_close(json);
        }
        json_time(json, "create_time", assessment->created_at);
        json_time(json, "last_update_time", assessment->updated_at);
        json_raw(json, assessment->kind, assessment->value);
        write_optional(json, "rationale", assessment->rationale);
        write_value(json, "metadata", assessment->metadata);
        write_optional(json, "overrides", assessment->overrides);
        json_bool(json, "valid", !assessment->is_invalid);
    }
    json_close(json);
}

static void write_location(JsonWriter *json, int64_t experiment_id, Arena *arena)
{
    json_open_object(json, "trace_location");
    {
        json_text(json, "type", "MLFLOW_EXPERIMENT");
        json_open_object(json, "mlflow_experiment");
        json_text(json, "experiment_id", arena_format(arena, "%" PRId64, experiment_id));
        json_close(json);
    }
    json_close(json);
}

static void write_assessments(JsonWriter *json, const Trace *trace)
{
    if (!trace->assessments.count)
        return;
    json_open_array(json, "assessments");
    for (size_t i = 0; i < trace->assessments.count; i++)
        mlflow_write_assessment(json, NULL, &trace->assessments.items[i], trace->id);
    json_close(json);
}

void mlflow_write_trace_info(JsonWriter *json, const char *key, const Trace *trace, Arena *arena)
{
    char time[TIME_TEXT_SIZE];

    json_open_object(json, key);
    {
        json_text(json, "trace_id", trace->id);
        write_optional(json, "client_request_id", trace->client_request_id);
        write_location(json, trace->experiment_id, arena);
        write_optional(json, "request_preview", trace->request_preview);
        write_optional(json, "response_preview", trace->response_preview);
        json_text(json, "request_time", time_format(trace->requested_at, time));
        if (trace->duration >= 0)
            json_text(json, "execution_duration",
                      arena_format(arena, "%" PRId64 ".%03ds", trace->duration / 1000,
                                   (int)(trace->duration % 1000)));
        json_text(json, "state", trace_status_name(trace->status));
        write_map(json, "trace_metadata", &trace->metadata);
        write_map(json, "tags", &trace->tags);
        write_assessments(json, trace);
    }
    json_close(json);
}

void mlflow_write_trace(JsonWriter *json, const char *key, const Trace *trace,
                        const SpanList *spans, Arena *arena)
{
    json_open_object(json, key);
    mlflow_write_trace_info(json, "trace_info", trace, arena);
    if (spans->count) {
        json_open_array(json, "spans");
        for (size_t i = 0; i < spans->count; i++)
            json_raw(json, NULL, spans->items[i].json);
        json_close(json);
    }
    json_close(json);
}
