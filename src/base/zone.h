/* zone.h: time zones, by the names that the IANA gives them.
 *
 * A Zone says by how much the clocks of a place are ahead of UTC, at every moment: spans with one
 * offset each, one behind the other without a hole. It is what the file of that name says in the
 * system's tz database, below /usr/share/zoneinfo or the folder that the variable TZDIR names: a
 * table, and a rule for the time after it (TZif, RFC 8536). "UTC" needs no file.
 *
 * A zone never changes, lives in its arena, and may be read by any number of threads. The time zone
 * of the process plays no part: TZ is neither looked at nor set.
 *
 *     const Zone *zone;
 *
 *     if (!zone_find("Europe/Amsterdam", arena, &zone, error))
 *         return false;
 *     local_ms = time_ms + zone_span_at(zone, time_ms).offset_ms;
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/time.h"

enum { ZONE_NAME_BYTES_MAX = 64 };

typedef struct Zone Zone;

typedef struct ZoneSpan {
    int64_t begin_ms, end_ms; /* from the one to before the other; INT64_MIN, INT64_MAX: no end */
    int64_t offset_ms;        /* local time is so much ahead of UTC */
} ZoneSpan;

/* Parts of letters, digits, "-", "+" and "_" with "/" between them. */
bool zone_name_is_valid(const char *name);

/* ERROR_INVALID when there is no such zone, ERROR_UNAVAILABLE when there is no database. */
bool zone_find(const char *name, Arena *arena, const Zone **zone, Error *error) MUST_CHECK;

/* From the bytes of such a file, which may go afterwards. */
bool zone_parse(const char *bytes, size_t size, Arena *arena, const Zone **zone,
                Error *error) MUST_CHECK;

/* The span of a moment; before the year 1 and after 9999 that of the nearest moment between. */
ZoneSpan zone_span_at(const Zone *zone, int64_t time_ms);

/* Local time with its offset, "2026-11-20T17:20:00.123+01:00"; returns text. */
const char *zone_format(const Zone *zone, int64_t time_ms, char text[TIME_TEXT_SIZE]);
