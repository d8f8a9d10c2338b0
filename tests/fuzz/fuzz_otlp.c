/* fuzz_otlp.c: any bytes as a batch of spans, in protobuf and in JSON, are refused with a message,
 * or become spans whose JSON is whole: UTF-8 on one line, and where it is not nested too deep for
 * our own reader, an object that has the span's id. What is packed of them is read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/otlp.h"
#include "tracking/span_block.h"
#include "tracking/trace.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_span(const OtlpSpan *span, Arena *arena)
{
    const JsonValue *object = NULL;
    size_t length = strlen(span->json);
    Error error = {0};

    require(strlen(span->trace_id) == OTLP_TRACE_ID_SIZE - 1);
    require(strlen(span->id) == OTLP_SPAN_ID_SIZE - 1);
    require(span->started_ns >= 0 && span->ended_ns >= 0);
    require(text_is_utf8(span->json, length) && !strchr(span->json, '\n'));
    if (json_parse(span->json, length, arena, &object, &error))
        require(json_text_size(json_member(object, "span_id")) == 12);
    else
        require(strstr(error.message, "nested deeper") || strstr(error.message, "NUL"));
    for (size_t i = 0; i < span->notes.count; i++)
        require(text_is_utf8(span->notes.items[i].value, strlen(span->notes.items[i].value)));
}

static void check_batch(const char *bytes, size_t size, bool is_json)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    OtlpBatch batch = {0};
    Error error = {0};

    if (!otlp_read(&(OtlpBody){bytes, size, is_json}, arena, &batch, &error))
        require(error.kind == ERROR_INVALID && error.message[0]);
    require(batch.count <= OTLP_SPANS_MAX);
    for (size_t i = 0; i < batch.count; i++)
        check_span(&batch.items[i], arena);
}

static void check_traces(const char *bytes, size_t size, bool is_json)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TraceSpansList list = {0};
    Error error = {0};

    if (!trace_spans_read(&(OtlpBody){bytes, size, is_json}, arena, &list, &error))
        return;
    for (size_t i = 0; i < list.count; i++) {
        SpanList spans = {0};

        require(span_block_read(list.items[i].block.bytes, list.items[i].block.size, arena, &spans,
                                &error));
        require(spans.count == list.items[i].span_count);
    }
}

/* The first byte says which of the two encodings it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_json = size && data[0] == '{';
    const char *bytes = (const char *)data;

    check_batch(bytes, size, is_json);
    check_traces(bytes, size, is_json);
    return 0;
}
