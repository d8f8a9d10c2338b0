/* time.h: instants are milliseconds since 1970 UTC everywhere; RFC 3339 at the edges. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { TIME_TEXT_SIZE = 32 };

int64_t time_now_ms(void);

/* For durations: never goes back, no relation to the calendar. */
int64_t time_monotonic_us(void);

/* "2026-11-20T16:20:00.123Z"; returns text. */
const char *time_format(int64_t time_ms, char text[TIME_TEXT_SIZE]);

/* RFC 3339 with Z or an offset, with or without a fraction of a second. */
bool time_parse(const char *text, int64_t *time_ms);

/* What people and programs give as a moment: the same, and seconds may be left out. ERROR_FIELD
 * with the field's name. */
bool time_read_moment(const char *field, const char *text, int64_t *time_ms,
                      Error *error) MUST_CHECK;

/* Tells when the clock on the wall is put back, for who keeps instants that are still to come in
 * the store: the next look says by how much, from the second on. */
typedef struct ClockWatch {
    int64_t ahead_ms; /* of the machine's own clock, at the last look */
    bool has_looked;
} ClockWatch;

int64_t clock_watch_put_back_ms(ClockWatch *watch);

void time_sleep_ms(unsigned milliseconds);
