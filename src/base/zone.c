#include "base/zone.h"

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/varint.h"
#include "base/zone_rule.h"

#define DATABASE_FOLDER "/usr/share/zoneinfo"
#define MAGIC           "TZif"

/* The years 1 to 9999. */
static const int64_t time_min_ms = -62135596800000, time_max_ms = 253402300799999;

enum {
    FILE_BYTES_MAX = 256 * 1024, /* the longest of 2025 has 3.5 KB */
    HEADER_BYTES = 44,
    COUNTS_OFFSET = 20,
    TYPE_BYTES = 6,
    SHORT_TIME_BYTES = 4, /* in the first block, which old readers take */
    LONG_TIME_BYTES = 8,
    RULE_BYTES_MAX = 128,
    OFFSET_SECONDS_MIN = -25 * 3600 + 1, /* as RFC 8536 has it */
    OFFSET_SECONDS_MAX = 26 * 3600 - 1
};

struct Zone {
    int64_t first_offset_ms; /* before the first change */
    ZoneChange *changes;     /* in order of time */
    size_t count;
    bool has_rule; /* for the time from the last change on; for all time when there is none */
    ZoneRule rule;
};

/* The counts of a block, in the order of its header. */
typedef struct Block {
    uint32_t ut_marks, standard_marks, leaps, changes, types, name_bytes;
} Block;

static int64_t read_time(const char *at, size_t time_bytes)
{
    uint32_t narrow;
    uint64_t wide;

    if (time_bytes == SHORT_TIME_BYTES) {
        memcpy(&narrow, at, sizeof(narrow));
        return (int32_t)be32toh(narrow);
    }
    memcpy(&wide, at, sizeof(wide));
    return (int64_t)be64toh(wide);
}

/* Some files begin at a time before the sun was there. */
static int64_t milliseconds(int64_t seconds)
{
    if (seconds > time_max_ms / 1000)
        return INT64_MAX;
    return seconds < time_min_ms / 1000 ? INT64_MIN : seconds * 1000;
}

static bool take_header(ByteCursor *cursor, Block *block, char *version)
{
    const char *header = take_bytes(cursor, HEADER_BYTES);

    if (!header || memcmp(header, MAGIC, strlen(MAGIC)) != 0)
        return false;
    *version = header[strlen(MAGIC)];
    memcpy(block, header + COUNTS_OFFSET, sizeof(*block));
    for (uint32_t *count = &block->ut_marks; count <= &block->name_bytes; count++)
        *count = be32toh(*count);
    return true;
}

static void skip_block(ByteCursor *cursor, const Block *block, size_t time_bytes)
{
    take_bytes(cursor, (uint64_t)block->changes * (time_bytes + 1));
    take_bytes(cursor, (uint64_t)block->types * TYPE_BYTES);
    take_bytes(cursor, block->name_bytes);
    take_bytes(cursor, (uint64_t)block->leaps * (time_bytes + 4));
    take_bytes(cursor, block->standard_marks);
    take_bytes(cursor, block->ut_marks);
}

static bool read_types(const char *types, uint32_t count, Arena *arena, int64_t **offsets)
{
    *offsets = arena_array(arena, int64_t, count);
    for (uint32_t i = 0; i < count; i++) {
        int64_t seconds = read_time(types + (size_t)i * TYPE_BYTES, SHORT_TIME_BYTES);

        if (seconds < OFFSET_SECONDS_MIN || seconds > OFFSET_SECONDS_MAX)
            return false;
        (*offsets)[i] = seconds * 1000;
    }
    return count > 0;
}

static bool read_block(const char *at, const Block *block, size_t time_bytes, Arena *arena,
                       Zone *zone)
{
    const char *indices = at + (size_t)block->changes * time_bytes;
    int64_t *offsets;

    if (!read_types(indices + block->changes, block->types, arena, &offsets))
        return false;
    zone->first_offset_ms = offsets[0];
    zone->count = block->changes;
    zone->changes = arena_array(arena, ZoneChange, zone->count);
    for (size_t i = 0; i < zone->count; i++) {
        unsigned char type = (unsigned char)indices[i];
        int64_t time = read_time(at + i * time_bytes, time_bytes);

        if (type >= block->types ||
            (i > 0 && time <= read_time(at + (i - 1) * time_bytes, time_bytes)))
            return false;
        zone->changes[i] = (ZoneChange){milliseconds(time), offsets[type]};
    }
    return true;
}

/* The line behind the second block; an empty one is no rule. */
static bool read_rule(ByteCursor *cursor, Zone *zone)
{
    char text[RULE_BYTES_MAX + 1];
    const char *begin = take_bytes(cursor, 1), *end;

    if (!begin || *begin != '\n')
        return false;
    begin = cursor->at;
    end = memchr(begin, '\n', bytes_left(cursor));
    if (!end || end - begin > RULE_BYTES_MAX)
        return false;
    memcpy(text, begin, (size_t)(end - begin));
    text[end - begin] = '\0';
    zone->has_rule = end > begin;
    return !zone->has_rule ||
           (strlen(text) == (size_t)(end - begin) && zone_rule_parse(text, &zone->rule));
}

bool zone_parse(const char *bytes, size_t size, Arena *arena, const Zone **zone, Error *error)
{
    ByteCursor cursor = {bytes, bytes + size, false};
    Zone *read = arena_new(arena, Zone);
    size_t time_bytes = SHORT_TIME_BYTES;
    const char *begin;
    Block block;
    char version;

    if (!take_header(&cursor, &block, &version))
        return fail(error, ERROR_INVALID, "it is not TZif data (RFC 8536)");
    if (version) {
        skip_block(&cursor, &block, time_bytes);
        time_bytes = LONG_TIME_BYTES;
        if (!take_header(&cursor, &block, &version))
            return fail(error, ERROR_INTERNAL, "its second header is missing");
    }
    if (block.leaps)
        return fail(error, ERROR_INVALID,
                    "it counts leap seconds, and only zones that do not are read");
    begin = cursor.at;
    skip_block(&cursor, &block, time_bytes);
    if (cursor.is_damaged || !read_block(begin, &block, time_bytes, arena, read))
        return fail(error, ERROR_INTERNAL, "its table is damaged");
    if (time_bytes == LONG_TIME_BYTES && !read_rule(&cursor, read))
        return fail(error, ERROR_INTERNAL, "its last line is no rule");
    *zone = read;
    return true;
}

bool zone_name_is_valid(const char *name)
{
    size_t length = strlen(name);

    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-+_", *at) &&
            (*at != '/' || at == name || at[-1] == '/'))
            return false;
    return length > 0 && length <= ZONE_NAME_BYTES_MAX && name[length - 1] != '/';
}

static bool fail_unknown(const char *name, Error *error)
{
    return fail(
        error, ERROR_INVALID,
        "the tz database has no time zone \"%s\"; its names are as \"Europe/Amsterdam\" or \"UTC\"",
        name);
}

static bool read_zone(const char *name, const char *path, Arena *arena, const Zone **zone,
                      Error *error)
{
    const char *bytes;
    size_t size;

    if (!file_read(path, FILE_BYTES_MAX, arena, &bytes, &size, error))
        return false;
    if (!text_has_prefix(bytes, MAGIC)) /* a list that lies beside the zones */
        return fail_unknown(name, error);
    return zone_parse(bytes, size, arena, zone, error) ||
           fail_in(error, "the file \"%s\" of the time zone \"%s\"", path, name);
}

bool zone_find(const char *name, Arena *arena, const Zone **zone, Error *error)
{
    const char *chosen = getenv("TZDIR"), *folder = chosen && *chosen ? chosen : DATABASE_FOLDER;
    const char *path;

    if (!zone_name_is_valid(name))
        return fail(
            error, ERROR_INVALID,
            "the name of a time zone is as \"Europe/Amsterdam\" or \"UTC\", at most %d letters, "
            "digits, \"-\", \"+\" and \"_\" with \"/\" between its parts",
            ZONE_NAME_BYTES_MAX);
    if (strcmp(name, "UTC") == 0) {
        *zone = arena_new(arena, Zone);
        return true;
    }
    if (!folder_exists(folder))
        return fail(
            error, ERROR_UNAVAILABLE,
            "the time zone \"%s\" needs the tz database, which is not in \"%s\"; install the "
            "package tzdata, name its folder in TZDIR, or take \"UTC\"",
            name, folder);
    path = arena_format(arena, "%s/%s", folder, name);
    return file_exists(path) ? read_zone(name, path, arena, zone, error)
                             : fail_unknown(name, error);
}

static int64_t within_years(int64_t time_ms)
{
    if (time_ms < time_min_ms)
        return time_min_ms;
    return time_ms < time_max_ms ? time_ms : time_max_ms;
}

/* How many changes of the table are not behind that moment. */
static size_t changes_until(const Zone *zone, int64_t time_ms)
{
    size_t low = 0, high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].at_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ZoneSpan zone_span_at(const Zone *zone, int64_t time_ms)
{
    int64_t at = within_years(time_ms);
    size_t past = changes_until(zone, at);
    ZoneSpan span = {INT64_MIN, INT64_MAX, zone->first_offset_ms};

    if (past == zone->count && zone->has_rule)
        span = zone_rule_span(&zone->rule, at);
    else if (past > 0)
        span.offset_ms = zone->changes[past - 1].offset_ms;
    if (past > 0 && span.begin_ms < zone->changes[past - 1].at_ms)
        span.begin_ms = zone->changes[past - 1].at_ms;
    if (past < zone->count)
        span.end_ms = zone->changes[past].at_ms;
    return span;
}

const char *zone_format(const Zone *zone, int64_t time_ms, char text[TIME_TEXT_SIZE])
{
    int64_t offset_ms = zone_span_at(zone, time_ms).offset_ms;
    int minutes = (int)(offset_ms / 60000), distance = abs(minutes);
    size_t length;

    time_format(time_ms + offset_ms, text);
    length = strlen(text) - 1; /* without its Z */
    snprintf(text + length, TIME_TEXT_SIZE - length, "%c%02d:%02d", minutes < 0 ? '-' : '+',
             distance / 60, distance % 60);
    return text;
}
