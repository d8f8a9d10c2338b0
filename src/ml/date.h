/* date.h: what a text says as a date or a time, and the parts of it that models read.
 *
 * The forms are those by which a column of dates is recognised when data is added
 * (data/import_type.c): "2026-01-31", "2026-01-31 13:45", "2026-01-31T13:45:00.250+02:00", and
 * "2026-01", which is its first day. It is taken as it is written, in no zone; one with an offset
 * is what it is in UTC. Years 1 to 9999, by the calendar of today for all of them.
 *
 *     double seconds, parts[DATE_PART_COUNT];
 *
 *     if (!date_read(text, &seconds)) ...
 *     date_parts(seconds, parts);
 */
#pragma once

#include "ml/frame.h"

typedef enum DatePart {
    DATE_DAYS,    /* whole ones since 1970 */
    DATE_MONTH,   /* 1 to 12 */
    DATE_DAY,     /* of the month: 1 to 31 */
    DATE_WEEKDAY, /* 1 to 7, from Monday on */
    DATE_HOUR,    /* with its fraction: 13.75 */
    DATE_PART_COUNT,
} DatePart;

/* The values of a part that comes round again: count of them, from first on. None of the days. */
typedef struct DateSteps {
    const char *name;
    double first;
    size_t count;
} DateSteps;

extern const DateSteps date_steps[DATE_PART_COUNT];

/* What a sentence about a text that is none names as one. */
#define DATE_EXAMPLES "2026-01-31 or 2026-01-31 13:45:00"

/* Days since 1970 that a date may be at least and at most. */
enum { DATE_DAYS_MIN = -719162, DATE_DAYS_MAX = 2932896 };

/* Seconds since 1970. Spaces around it do not count. False for what is no date, and for a missing
 * text. */
bool date_read(TextRef text, double *seconds);

/* Whether it says nothing: missing, empty or spaces. */
bool date_is_missing(TextRef text);

/* NaN: all of them are. */
void date_parts(double seconds, double parts[DATE_PART_COUNT]);

/* "2026-01-31" */
const char *date_text(double days, Arena *arena);
