/* fuzz_span_block.c: any bytes as a block of spans are refused, or read and written again they give
 * the same spans. A frame with a checksum that fits is made of the bytes, or nothing would come
 * past it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/varint.h"
#include "tracking/span_block.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* A text with a NUL in it, which no writer makes, is cut at it. */
static void check_again(const SpanList *spans, Arena *arena)
{
    SpanList again = {0};
    SpanBlock block;
    Error error = {0};

    require(span_block_write(spans, arena, &block, &error));
    require(span_block_read(block.bytes, block.size, arena, &again, &error));
    require(again.count == spans->count);
    for (size_t i = 0; i < again.count; i++) {
        require(memcmp(again.items[i].id, spans->items[i].id, SPAN_ID_SIZE) == 0);
        require(again.items[i].is_root == spans->items[i].is_root);
        require(again.items[i].started_ns == spans->items[i].started_ns);
        require(strcmp(again.items[i].json, spans->items[i].json) == 0);
    }
}

static void read_block(const char *bytes, size_t size, Arena *arena)
{
    SpanList spans = {0};
    Error error = {0};

    if (span_block_read(bytes, size, arena, &spans, &error))
        check_again(&spans, arena);
    else
        require(error.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t bound = ZSTD_compressBound(size), packed;
    char *block = arena_alloc(arena, 1 + NUMBER_BYTES_MAX + bound, 1), *at = block;

    read_block((const char *)data, size, arena);
    *at++ = 1;
    at = put_number(at, size);
    packed = ZSTD_compress(at, bound, data, size, 1);
    require(!ZSTD_isError(packed));
    read_block(block, (size_t)(at - block) + packed, arena);
    return 0;
}
