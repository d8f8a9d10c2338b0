/* frequency.h: how far the times of a series are apart: so many milliseconds, or so many months of
 * the calendar in UTC. Times are milliseconds since 1970 UTC, of the years 1 to 9999.
 *
 *     Frequency month = {.months = 1, .day = 31};
 *     frequency_add(&month, january_31, 1)  is the last day of February
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum { FREQUENCY_PERIODS_MAX = 3 };

#define FREQUENCY_TIME_MIN_MS (-62135596800000LL) /* 0001-01-01 */
#define FREQUENCY_TIME_MAX_MS 253402300799999LL   /* 9999-12-31 */
#define FREQUENCY_SECOND_MS   1000LL
#define FREQUENCY_MINUTE_MS   (60 * FREQUENCY_SECOND_MS)
#define FREQUENCY_HOUR_MS     (60 * FREQUENCY_MINUTE_MS)
#define FREQUENCY_DAY_MS      (24 * FREQUENCY_HOUR_MS)
#define FREQUENCY_WEEK_MS     (7 * FREQUENCY_DAY_MS)

/* One of step_ms and months is 0. */
typedef struct Frequency {
    int64_t step_ms; /* 1 to 1000 years */
    unsigned months; /* 1 to 12000 */
    unsigned day;    /* of the month, 1 to 31, with months: a shorter month has its last day */
} Frequency;

bool frequency_is_valid(const Frequency *frequency);

/* The time so many steps later, or earlier; false where that is out of the years 1 to 9999. */
bool frequency_add(const Frequency *frequency, int64_t time_ms, int64_t steps, int64_t *later_ms);

/* "hour", "15 minutes", "week", "month", "quarter", "year" */
const char *frequency_name(const Frequency *frequency, Arena *arena);

/* "day" and the like, or a number and one of them ("15 minutes", "2 weeks"). False for other text.
 */
bool frequency_parse(const char *text, Frequency *frequency);

/* The seasons that such a series may have, rising, as numbers of its values: hours have 24 and 168,
 * days 7, months 12. Only those that so many values hold three times; { 1 } when none is left.
 * Before a year of weeks stands 1, as that season is often too weak to be learnt. Returns how many.
 */
size_t frequency_periods(const Frequency *frequency, size_t count,
                         size_t periods[FREQUENCY_PERIODS_MAX]);

/* Times that rise strictly, at least two of them. Fails where half of the neighbours or more have
 * no common distance. */
bool frequency_detect(const int64_t *times_ms, size_t count, Frequency *frequency,
                      Error *error) MUST_CHECK;

/* Months since January 1900, and the day of the month, of a time in UTC; when a month begins. */
int64_t calendar_month(int64_t time_ms);
unsigned calendar_day(int64_t time_ms);
int64_t calendar_begin(int64_t month);
