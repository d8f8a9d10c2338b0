/* cron.h: when a schedule fires, as crontab(5) writes schedules.
 *
 *     minute hour day-of-month month day-of-week        0-59 0-23 1-31 1-12 0-7 (0, 7: Sunday)
 *
 * A field is a list, with commas, of "*", numbers and ranges (1-5). A "*" or a range may have a
 * step behind a "/": 8-18/2 is each second hour from 8 to 18. Months and days of the week have
 * names too (jan, MON). @hourly, @daily (@midnight), @weekly, @monthly and @yearly (@annually)
 * stand for five fields. There are no seconds.
 *
 * A day must be of a month that is named, and then: where day of month and day of week are both
 * without a "*", either is enough; else both must hold.
 *
 * Times are local. When the clocks of the zone are changed:
 * - A schedule fires once for each local time that it names, as the clock first reaches or passes
 *   it. A time that is jumped over fires at the first moment after the jump, together with others
 *   that were; a time that comes twice fires the first time only.
 * - One whose hours have a "*", or are all 24, fires at each moment whose local time it names, as
 *   vixie cron does: what is jumped over is left out, what comes twice fires twice. "0 * * * *" is
 *   every 60 minutes on the day of a change by an hour, too. (A "*" in the minutes alone does not
 *   count here: each five minutes from 2 to 3 is still of that hour, once.)
 *
 * Nothing here looks at a clock, keeps anything or can be disturbed by another thread.
 *
 *     CronSchedule schedule;
 *     int64_t next_ms;
 *
 *     if (!cron_parse("30 2 * * mon-fri", &schedule, error))
 *         return false;
 *     if (cron_next(&schedule, zone, time_now_ms(), &next_ms))
 *         wait_until(next_ms);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/zone.h"

enum { CRON_TEXT_BYTES_MAX = 256, CRON_TICKS_MAX = 1000 };

/* Filled by cron_parse() alone. Bit n stands for n; Sunday is 0. */
typedef struct CronSchedule {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays;
    bool either_day; /* day of month or day of week is enough */
    bool by_elapsed; /* each moment whose local time is named, however often it comes */
} CronSchedule;

/* Moments, the earlier first. */
typedef struct CronTicks {
    int64_t *items;
    size_t count;
    bool has_older; /* there were more before, which are left out */
} CronTicks;

/* What becomes of the ticks that nobody was there for. */
typedef enum CronMissed {
    CRON_MISSED_SKIP,   /* nothing */
    CRON_MISSED_LATEST, /* the last one counts for all */
    CRON_MISSED_ALL     /* each, but of many the last ones alone */
} CronMissed;

typedef struct CronWindow {
    int64_t after_ms, until_ms; /* behind the one, up to and with the other */
    CronMissed rule;
    size_t count_max; /* of CRON_MISSED_ALL; CRON_TICKS_MAX at most */
} CronWindow;

/* Refuses what is no schedule, and what never fires, as 30 February. */
bool cron_parse(const char *text, CronSchedule *schedule, Error *error) MUST_CHECK;

/* The first moment it fires strictly after another. False when there is none before the year 10000,
 * or within 50 years: the zone jumps over all its times. */
bool cron_next(const CronSchedule *schedule, const Zone *zone, int64_t after_ms,
               int64_t *next_ms) MUST_CHECK;

/* The next moments, CRON_TICKS_MAX at most. */
CronTicks cron_list(const CronSchedule *schedule, const Zone *zone, int64_t after_ms, size_t count,
                    Arena *arena);

CronTicks cron_missed(const CronSchedule *schedule, const Zone *zone, const CronWindow *window,
                      Arena *arena);
