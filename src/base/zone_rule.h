/* zone_rule.h: what a time zone does for good, as a POSIX TZ text says it: by how much its clocks
 * are ahead of UTC and, where they change twice a year, when.
 *
 *     CET-1CEST,M3.5.0,M10.5.0/3      one hour ahead; two from the last Sunday of March, 02:00, to
 *                                     the last of October, 03:00
 *
 * It is the last line of a file of the tz database (RFC 8536, 3.3), where hours of a change go from
 * -167 to 167. Only base/zone.c has use for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/zone.h"

typedef enum ZoneDateKind {
    ZONE_DATE_WEEKDAY,   /* Mm.w.d: the w-th day d of month m; the fifth is the last */
    ZONE_DATE_DAY,       /* n: a day of the year from 0, 29 February counted */
    ZONE_DATE_COMMON_DAY /* Jn: a day of the year from 1, 29 February never counted */
} ZoneDateKind;

typedef struct ZoneDate {
    ZoneDateKind kind;
    int month, week, day;
    int64_t time_ms; /* after the beginning of that day; of another day where it is long */
} ZoneDate;

typedef struct ZoneRule {
    int64_t standard_ms, summer_ms; /* ahead of UTC */
    bool has_summer;
    ZoneDate begin, end; /* of summer time, by the clock that is left */
} ZoneRule;

/* From that moment on clocks are so much ahead of UTC. */
typedef struct ZoneChange {
    int64_t at_ms, offset_ms;
} ZoneChange;

/* False when it is no such text as a whole. */
bool zone_rule_parse(const char *text, ZoneRule *rule) MUST_CHECK;

/* The span of a moment of the years 1 to 9999. */
ZoneSpan zone_rule_span(const ZoneRule *rule, int64_t time_ms);
