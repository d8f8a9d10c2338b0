#include "tracking/metric_block.h"

#include <string.h>

#include "base/packed.h"

enum { LAYOUT = 1, POINT_BYTES_MAX = 2 * NUMBER_BYTES_MAX + 8 };

/* Differences of differences: nothing at all where steps and times are even. All arithmetic is
 * modulo 2^64, so that any two numbers have a difference. */
typedef struct Trend {
    uint64_t last, slope;
} Trend;

static char *put_next(Trend *trend, char *at, int64_t number)
{
    uint64_t slope = (uint64_t)number - trend->last;

    at = put_number(at, number_of_difference((int64_t)(slope - trend->slope)));
    *trend = (Trend){(uint64_t)number, slope};
    return at;
}

static int64_t take_next(Trend *trend, ByteCursor *cursor)
{
    trend->slope += (uint64_t)difference_of_number(take_number(cursor));
    trend->last += trend->slope;
    return (int64_t)trend->last;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static char *put_planes(const MetricList *points, char *at)
{
    size_t count = points->count;
    uint64_t before = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t bits = bits_of(points->items[i].value), changed = bits ^ before;

        for (size_t plane = 0; plane < 8; plane++)
            at[plane * count + i] = (char)(changed >> (8 * plane));
        before = bits;
    }
    return at + 8 * count;
}

static void take_planes(const char *planes, MetricList *points)
{
    size_t count = points->count;
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t plane = 0; plane < 8; plane++)
            bits ^= (uint64_t)(unsigned char)planes[plane * count + i] << (8 * plane);
        points->items[i].value = value_of(bits);
    }
}

MetricBlock metric_block_write(const MetricList *points, Arena *arena)
{
    char *plain = arena_take(arena, points->count * POINT_BYTES_MAX + 1), *end = plain;
    size_t bound = packed_bound(points->count * POINT_BYTES_MAX);
    char *block = arena_take(arena, 1 + NUMBER_BYTES_MAX + bound), *at = block;
    Trend times = {0}, steps = {0};

    for (size_t i = 0; i < points->count; i++) {
        end = put_next(&times, end, points->items[i].timestamp);
        end = put_next(&steps, end, points->items[i].step);
    }
    end = put_planes(points, end);
    *at++ = LAYOUT;
    at = put_number(at, points->count);
    at += packed_write(plain, (size_t)(end - plain), at);
    return (MetricBlock){block, (size_t)(at - block)};
}

static void take_points(ByteCursor *cursor, const char *key, MetricList *points)
{
    Trend times = {0}, steps = {0};

    for (size_t i = 0; i < points->count; i++) {
        Metric *point = &points->items[i];

        point->key = key;
        point->timestamp = take_next(&times, cursor);
        point->step = take_next(&steps, cursor);
    }
}

bool metric_block_read(const MetricBlock *block, const char *key, Arena *arena, MetricList *points,
                       Error *error)
{
    ByteCursor packed = {.at = block->bytes, .end = (const char *)block->bytes + block->size};
    ByteCursor cursor;
    const char *layout = take_bytes(&packed, 1), *planes;
    uint64_t count = take_number(&packed);
    MetricList taken;

    if (packed.is_damaged || *layout != LAYOUT || count == 0 || count > METRIC_BLOCK_POINTS_MAX)
        return fail(error, ERROR_INTERNAL, "a block of a metric's points is damaged");
    taken = (MetricList){arena_array(arena, Metric, count), count};
    cursor = packed_read(packed, count * POINT_BYTES_MAX, arena);
    take_points(&cursor, key, &taken);
    planes = take_bytes(&cursor, 8 * count);
    if (cursor.is_damaged || bytes_left(&cursor) > 0)
        return fail(error, ERROR_INTERNAL, "a block of a metric's points is damaged");
    take_planes(planes, &taken);
    *points = taken;
    return true;
}
