/* span_block.h: spans of one trace that came together, as few bytes.
 *
 * Spans repeat the names of their attributes, and so they pack well. Pure: the store holds blocks,
 * trace_spans.c says when.
 *
 *     byte 0      the version of the layout, 1
 *     then        how many bytes are packed, a varint
 *     then        a zstd frame with a checksum: the number of spans, a varint; for each its id (16
 * bytes), a byte that is 1 for a root, varints of its start and of the length of its JSON, the JSON
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum { SPAN_ID_SIZE = 17, SPAN_BLOCK_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct Span {
    char id[SPAN_ID_SIZE]; /* 16 hexadecimal digits */
    bool is_root;
    int64_t started_ns;
    const char *json; /* protobuf's JSON, as clients read it */
} Span;

typedef struct SpanList {
    Span *items;
    size_t count;
} SpanList;

typedef struct SpanBlock {
    const void *bytes;
    size_t size;
    size_t plain_size; /* before it was packed */
} SpanBlock;

/* ERROR_INVALID when they are more than SPAN_BLOCK_BYTES_MAX. */
bool span_block_write(const SpanList *spans, Arena *arena, SpanBlock *block,
                      Error *error) MUST_CHECK;

/* Adds the spans to the list. ERROR_INTERNAL when the bytes are no whole block. */
bool span_block_read(const void *bytes, size_t size, Arena *arena, SpanList *spans,
                     Error *error) MUST_CHECK;
