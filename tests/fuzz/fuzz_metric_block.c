/* fuzz_metric_block.c: any bytes as a block of a metric's points are refused, or read and written
 * again they give the same points. A frame with a checksum that fits is made of the bytes, or
 * nothing would come past it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tracking/metric_block.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_again(const MetricList *points, Arena *arena)
{
    MetricList again;
    MetricBlock block = metric_block_write(points, arena);
    Error error = {0};

    require(metric_block_read(&block, "", arena, &again, &error));
    require(again.count == points->count);
    for (size_t i = 0; i < again.count; i++) {
        require(again.items[i].timestamp == points->items[i].timestamp);
        require(again.items[i].step == points->items[i].step);
        require(memcmp(&again.items[i].value, &points->items[i].value, sizeof(double)) == 0);
    }
}

static void read_block(const char *bytes, size_t size, Arena *arena)
{
    MetricList points;
    Error error = {0};

    if (metric_block_read(&(MetricBlock){bytes, size}, "", arena, &points, &error))
        check_again(&points, arena);
    else
        require(error.message[0] != '\0');
}

/* The first two bytes stand for layout and count, the others are what the frame holds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *block = arena_alloc(arena, 2 + ZSTD_compressBound(size), 1);
    size_t packed;

    read_block((const char *)data, size, arena);
    if (size < 2)
        return 0;
    memcpy(block, data, 2);
    packed = ZSTD_compress(block + 2, ZSTD_compressBound(size), data + 2, size - 2, 1);
    require(!ZSTD_isError(packed));
    read_block(block, 2 + packed, arena);
    return 0;
}
