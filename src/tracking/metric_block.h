/* metric_block.h: many points of one metric of a run as few bytes.
 *
 * A loss that is logged at each step takes 60 to 80 bytes a point as rows and some 7 in a block:
 * steps and times are differences of differences, values are the bits that changed, all of it
 * packed by zstd. Pure: the store holds blocks, metric_store.c says when.
 *
 *     byte 0      the version of the layout, 1
 *     then        the number of points, a varint
 *     then        a zstd frame with a checksum: for each point a varint of its timestamp's and one
 * of its step's second difference; then 8 planes, the first with the lowest byte of each value
 * after XOR with the one before
 */
#pragma once

#include "tracking/run.h"

enum { METRIC_BLOCK_POINTS = 1024, METRIC_BLOCK_POINTS_MAX = 4096 };

typedef struct MetricBlock {
    const void *bytes;
    size_t size;
} MetricBlock;

/* At most METRIC_BLOCK_POINTS_MAX points, in the order in which they will be read. Keys are not
 * kept. */
MetricBlock metric_block_write(const MetricList *points, Arena *arena);

/* ERROR_INTERNAL when the bytes are no whole block. Each point gets the key. */
bool metric_block_read(const MetricBlock *block, const char *key, Arena *arena, MetricList *points,
                       Error *error) MUST_CHECK;
