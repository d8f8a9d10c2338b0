/* time_window.h: the times of the week at which something may begin, in the time of a place.
 *
 *     mon-fri 08:00-17:00 Europe/Amsterdam
 *     sat,sun 22:00-06:00                       of UTC, until the morning of the next day
 *     daily 00:00-24:00
 *
 * The clock on the wall counts: a window that begins in an hour that is jumped over begins after
 * the jump, and an hour that comes twice is inside both times. Pure, but that parsing reads the
 * zone.
 */
#pragma once

#include "base/zone.h"

enum { TIME_WINDOW_BYTES_MAX = 128 };

typedef struct TimeWindow {
    uint32_t days;            /* on which it begins: bit 0 is Monday */
    int64_t begin_ms, end_ms; /* of the day; the end of one over midnight is behind 24 hours */
    const Zone *zone;
} TimeWindow;

typedef struct TimeWindowList {
    TimeWindow *items;
    size_t count;
} TimeWindowList;

bool time_window_parse(const char *text, Arena *arena, TimeWindow *window, Error *error) MUST_CHECK;

/* now_ms when one of them is open or there is none, else the moment when the next one opens;
 * INT64_MAX: never. */
int64_t time_window_next(const TimeWindowList *list, int64_t now_ms);
