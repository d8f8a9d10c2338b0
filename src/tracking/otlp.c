#include "tracking/otlp.h"

#include <string.h>

#include "base/digest.h"
#include "tracking/otlp_internal.h"

enum { TRACE_ID_BYTES = 16, SPAN_ID_BYTES = 8, STATUS_ERROR = 2 };

OtlpNode *otlp_add(OtlpReader *reader, OtlpNode *parent, const OtlpField *field)
{
    OtlpNode *node;

    if (reader->node_count++ == OTLP_NODES_MAX) {
        fail(reader->error, ERROR_INVALID, "a batch of spans has at most %d values",
             OTLP_NODES_MAX);
        return NULL;
    }
    node = arena_new(reader->arena, OtlpNode);
    node->field = field;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

const OtlpNode *otlp_find(const OtlpNode *message, const char *name)
{
    const OtlpNode *found = NULL;

    for (const OtlpNode *node = message->first; node; node = node->next)
        if (strcmp(node->field->name, name) == 0)
            found = node;
    return found;
}

static bool is_named(const OtlpNode *node, const char *name)
{
    return strcmp(node->field->name, name) == 0;
}

/* ---- plain values ---- */

static const char *text_of(const OtlpNode *node, Arena *arena)
{
    return node ? arena_copy(arena, node->bytes, node->size) : "";
}

static void write_plain(JsonWriter *json, const char *key, const OtlpNode *value, Arena *arena);

static void write_members(JsonWriter *json, const char *key, const OtlpNode *list, Arena *arena)
{
    bool is_array = is_named(list, "array_value");

    if (is_array)
        json_open_array(json, key);
    else
        json_open_object(json, key);
    for (const OtlpNode *item = list->first; item; item = item->next) {
        if (is_array)
            write_plain(json, NULL, item, arena);
        else
            write_plain(json, text_of(otlp_find(item, "key"), arena), otlp_find(item, "value"),
                        arena);
    }
    json_close(json);
}

static void write_plain(JsonWriter *json, const char *key, const OtlpNode *value, Arena *arena)
{
    const OtlpNode *chosen = value ? value->last : NULL;

    if (!chosen)
        json_null(json, key);
    else if (chosen->field->type == OTLP_MESSAGE)
        write_members(json, key, chosen, arena);
    else if (chosen->field->type == OTLP_BOOL)
        json_bool(json, key, chosen->number != 0);
    else if (chosen->field->type == OTLP_INT)
        json_int(json, key, (int64_t)chosen->number);
    else if (chosen->field->type == OTLP_DOUBLE)
        json_double(json, key, chosen->real);
    else
        json_bytes(json, key, chosen->bytes, chosen->size);
}

const char *otlp_value_text(const OtlpNode *value, Arena *arena)
{
    JsonWriter *json;

    if (value && value->last && value->last->field->type == OTLP_TEXT)
        return text_of(value->last, arena);
    json = json_writer_create(arena);
    write_plain(json, NULL, value, arena);
    return json_finish(json);
}

/* ---- spans ---- */

/* What a trace learns from its spans; "mlflow.traceTag." is a prefix. */
static bool is_note(const char *key)
{
    static const char *const keys[] = {"mlflow.spanInputs", "mlflow.spanOutputs", "session.id",
                                       "gen_ai.conversation.id", "user.id"};

    for (size_t i = 0; i < COUNT(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return text_has_prefix(key, "mlflow.traceTag.");
}

static ParamList attributes_of(const OtlpNode *message, bool (*is_wanted)(const char *key),
                               Arena *arena)
{
    ParamList list = {0};

    for (const OtlpNode *node = message->first; node; node = node->next) {
        Param note;

        if (!is_named(node, "attributes"))
            continue;
        note.key = text_of(otlp_find(node, "key"), arena);
        if (!is_wanted(note.key))
            continue;
        note.value = otlp_value_text(otlp_find(node, "value"), arena);
        if (text_is_utf8(note.key, strlen(note.key)) &&
            text_is_utf8(note.value, strlen(note.value)))
            *arena_push(arena, &list) = note;
    }
    return list;
}

/* What says nothing about who sends it stays away, and so does what only the server sets. */
static bool is_resource_note(const char *key)
{
    return !text_has_prefix(key, "telemetry.sdk.") && !text_has_prefix(key, "mlflow.");
}

static bool take_id(OtlpReader *reader, const OtlpNode *id, size_t size, char *text)
{
    if (!id || id->size != size)
        return fail(reader->error, ERROR_INVALID,
                    "Cannot convert OpenTelemetry span to MLflow span: the id of a trace has %d "
                    "bytes, that of a span %d",
                    TRACE_ID_BYTES, SPAN_ID_BYTES);
    hex_format(id->bytes, size, text);
    return true;
}

static bool take_time(OtlpReader *reader, const OtlpNode *time, int64_t *time_ns)
{
    if (time && time->number > INT64_MAX)
        return fail(reader->error, ERROR_INVALID,
                    "Cannot convert OpenTelemetry span to MLflow span: a time is too far away");
    *time_ns = time ? (int64_t)time->number : 0;
    return true;
}

static bool take_span(OtlpReader *reader, const OtlpNode *node, const ParamList *resource,
                      OtlpSpan *span)
{
    const OtlpNode *parent = otlp_find(node, "parent_span_id"), *status = otlp_find(node, "status");
    const OtlpNode *code = status ? otlp_find(status, "code") : NULL;
    JsonWriter *json = json_writer_create(reader->arena);
    char parent_id[OTLP_SPAN_ID_SIZE];

    span->is_root = !parent || parent->size == 0;
    span->has_failed = code && code->number == STATUS_ERROR;
    span->resource = resource;
    if (!take_id(reader, otlp_find(node, "trace_id"), TRACE_ID_BYTES, span->trace_id) ||
        !take_id(reader, otlp_find(node, "span_id"), SPAN_ID_BYTES, span->id) ||
        (!span->is_root && !take_id(reader, parent, SPAN_ID_BYTES, parent_id)) ||
        !take_time(reader, otlp_find(node, "start_time_unix_nano"), &span->started_ns) ||
        !take_time(reader, otlp_find(node, "end_time_unix_nano"), &span->ended_ns))
        return false;
    otlp_write_json(json, NULL, node, node->field->message, reader->arena);
    span->json = json_finish(json);
    span->notes = attributes_of(node, is_note, reader->arena);
    return true;
}

static bool take_spans(OtlpReader *reader, const OtlpNode *scope_spans, const ParamList *resource,
                       OtlpBatch *batch)
{
    for (const OtlpNode *node = scope_spans->first; node; node = node->next) {
        if (batch->count == OTLP_SPANS_MAX)
            return fail(reader->error, ERROR_INVALID, "a batch has at most %d spans",
                        OTLP_SPANS_MAX);
        if (!take_span(reader, node, resource, arena_push(reader->arena, batch)))
            return false;
    }
    return true;
}

static bool take_resource_spans(OtlpReader *reader, const OtlpNode *node, OtlpBatch *batch)
{
    const OtlpNode *resource = otlp_find(node, "resource");
    ParamList *notes = arena_new(reader->arena, ParamList);

    if (resource)
        *notes = attributes_of(resource, is_resource_note, reader->arena);
    for (const OtlpNode *inner = node->first; inner; inner = inner->next)
        if (is_named(inner, "scope_spans") && !take_spans(reader, inner, notes, batch))
            return false;
    return true;
}

bool otlp_read(const OtlpBody *body, Arena *arena, OtlpBatch *batch, Error *error)
{
    OtlpReader reader = {.arena = arena, .error = error};
    OtlpNode request = {0};
    OtlpBatch taken = {0};

    if (body->is_json ? !otlp_read_json(&reader, body->bytes, body->size, &request)
                      : !otlp_read_protobuf(&reader, body->bytes, body->size, &request))
        return false;
    if (!request.first)
        return fail(error, ERROR_INVALID, "Invalid OpenTelemetry format - no spans found");
    for (const OtlpNode *node = request.first; node; node = node->next)
        if (!take_resource_spans(&reader, node, &taken))
            return false;
    *batch = taken;
    return true;
}
