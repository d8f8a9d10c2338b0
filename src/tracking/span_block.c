#include "tracking/span_block.h"

#include <string.h>

#include "base/packed.h"

enum { LAYOUT = 1, ID_BYTES = SPAN_ID_SIZE - 1 };

static char *put_bytes(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static size_t plain_size_max(const SpanList *spans)
{
    size_t size = NUMBER_BYTES_MAX;

    for (size_t i = 0; i < spans->count; i++)
        size += ID_BYTES + 1 + 2 * NUMBER_BYTES_MAX + strlen(spans->items[i].json);
    return size;
}

static size_t put_spans(const SpanList *spans, char *plain)
{
    char *at = put_number(plain, spans->count);

    for (size_t i = 0; i < spans->count; i++) {
        const Span *span = &spans->items[i];
        size_t length = strlen(span->json);

        at = put_bytes(at, span->id, ID_BYTES);
        *at++ = (char)span->is_root;
        at = put_number(at, (uint64_t)span->started_ns);
        at = put_number(at, length);
        at = put_bytes(at, span->json, length);
    }
    return (size_t)(at - plain);
}

bool span_block_write(const SpanList *spans, Arena *arena, SpanBlock *block, Error *error)
{
    size_t most = plain_size_max(spans), size;
    char *plain, *bytes, *at;

    if (most > SPAN_BLOCK_BYTES_MAX)
        return fail(error, ERROR_INVALID, "spans that come together have at most %d bytes",
                    SPAN_BLOCK_BYTES_MAX);
    plain = arena_take(arena, most);
    size = put_spans(spans, plain);
    bytes = arena_take(arena, 1 + NUMBER_BYTES_MAX + packed_bound(size));
    bytes[0] = LAYOUT;
    at = put_number(bytes + 1, size);
    at += packed_write(plain, size, at);
    *block = (SpanBlock){bytes, (size_t)(at - bytes), size};
    return true;
}

static void take_span(ByteCursor *cursor, Arena *arena, Span *span)
{
    const char *id = take_bytes(cursor, ID_BYTES), *root = take_bytes(cursor, 1), *json;
    size_t length;

    span->started_ns = (int64_t)take_number(cursor);
    length = take_number(cursor);
    json = take_bytes(cursor, length);
    if (cursor->is_damaged)
        return;
    memcpy(span->id, id, ID_BYTES);
    span->is_root = *root != 0;
    span->json = arena_copy(arena, json, length);
}

bool span_block_read(const void *bytes, size_t size, Arena *arena, SpanList *spans, Error *error)
{
    ByteCursor packed = {.at = bytes, .end = (const char *)bytes + size}, cursor;
    const char *layout = take_bytes(&packed, 1);
    uint64_t plain_size = take_number(&packed), count;
    SpanList taken = *spans;

    if (packed.is_damaged || *layout != LAYOUT || plain_size > SPAN_BLOCK_BYTES_MAX)
        return fail(error, ERROR_INTERNAL, "a block of a trace's spans is damaged");
    cursor = packed_read(packed, plain_size, arena);
    if (bytes_left(&cursor) != plain_size)
        return fail(error, ERROR_INTERNAL, "a block of a trace's spans is damaged");
    count = take_number(&cursor);
    for (uint64_t i = 0; i < count && !cursor.is_damaged; i++) {
        Span span = {0};

        take_span(&cursor, arena, &span);
        if (!cursor.is_damaged)
            *arena_push(arena, &taken) = span;
    }
    if (cursor.is_damaged || bytes_left(&cursor) > 0)
        return fail(error, ERROR_INTERNAL, "a block of a trace's spans is damaged");
    *spans = taken;
    return true;
}
