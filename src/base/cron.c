#include "base/cron.h"

#include <string.h>
#include <time.h>

#define MINUTE_MS (INT64_C(60) * 1000)
#define DAY_MS    (24 * 60 * MINUTE_MS)

/* Clocks of a zone are never more than this apart (RFC 8536: from 25 hours behind to 26 ahead). */
#define CLOCK_SHIFT_MAX_MS (3 * DAY_MS)

/* A 29 February of one day of the week can be 40 years after the last, as from 1872 to 1912. */
#define SEARCH_MS (50 * 366 * DAY_MS)

/* The years 1 to 9999. */
static const int64_t time_min_ms = -62135596800000, time_end_ms = 253402300800000;

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool has_bit(uint32_t bits, int bit)
{
    return bits >> bit & 1;
}

static bool is_day(const CronSchedule *schedule, const struct tm *date)
{
    bool day = has_bit(schedule->days, date->tm_mday);
    bool weekday = has_bit(schedule->weekdays, date->tm_wday);

    return schedule->either_day ? day || weekday : day && weekday;
}

static int64_t next_month(struct tm date)
{
    date.tm_mon++;
    date.tm_mday = 1;
    return timegm(&date) / (DAY_MS / 1000);
}

/* The first day of the schedule from that one on, as days since 1970; the end when there is none
 * before. */
static int64_t next_day(const CronSchedule *schedule, int64_t day, int64_t end)
{
    while (day < end) {
        time_t seconds = day * (DAY_MS / 1000);
        struct tm date;

        gmtime_r(&seconds, &date);
        if (!has_bit(schedule->months, date.tm_mon + 1))
            day = next_month(date);
        else if (is_day(schedule, &date))
            return day;
        else
            day++;
    }
    return end;
}

/* Both are minutes since the day began. */
static bool next_minute(const CronSchedule *schedule, int from, int *minute)
{
    for (int hour = from / 60; hour < 24; hour++) {
        int begin = hour == from / 60 ? from % 60 : 0;
        uint64_t left = schedule->minutes >> begin;

        if (!has_bit(schedule->hours, hour) || !left)
            continue;
        *minute = hour * 60 + begin + __builtin_ctzll(left);
        return true;
    }
    return false;
}

/* The first local time that the schedule names, from the one to before the other. */
static bool next_local(const CronSchedule *schedule, int64_t from_ms, int64_t end_ms,
                       int64_t *found_ms)
{
    int64_t from = divide_down(from_ms + MINUTE_MS - 1, MINUTE_MS) * MINUTE_MS;
    int64_t end = divide_down(end_ms + DAY_MS - 1, DAY_MS), first = divide_down(from, DAY_MS);

    for (int64_t day = first; (day = next_day(schedule, day, end)) < end; day++) {
        int begin = day == first ? (int)((from - first * DAY_MS) / MINUTE_MS) : 0, minute;

        if (!next_minute(schedule, begin, &minute))
            continue;
        *found_ms = day * DAY_MS + minute * MINUTE_MS;
        return *found_ms < end_ms;
    }
    return false;
}

/* Of the moments of a span from one on, before the end, the first that it fires. The clock had
 * reached a local time (not reached itself) before the span began. */
static bool next_in_span(const CronSchedule *schedule, const ZoneSpan *span, int64_t reached_ms,
                         int64_t from_ms, int64_t *fire_ms)
{
    int64_t begin_ms = greater(from_ms, span->begin_ms) + span->offset_ms;
    int64_t local_ms;

    if (!schedule->by_elapsed) {
        if (span->begin_ms >= from_ms && next_local(schedule, reached_ms, begin_ms, &local_ms)) {
            *fire_ms = span->begin_ms;
            return true;
        }
        begin_ms = greater(begin_ms, reached_ms);
    }
    if (!next_local(schedule, begin_ms, span->end_ms + span->offset_ms, &local_ms))
        return false;
    *fire_ms = local_ms - span->offset_ms;
    return true;
}

bool cron_next(const CronSchedule *schedule, const Zone *zone, int64_t after_ms, int64_t *next_ms)
{
    int64_t from_ms = greater(after_ms, time_min_ms - 1) + 1, reached_ms = INT64_MIN, end_ms;
    ZoneSpan span;

    if (after_ms >= time_end_ms)
        return false;
    end_ms = lesser(from_ms + SEARCH_MS, time_end_ms);
    for (int64_t at = from_ms - CLOCK_SHIFT_MAX_MS; at < end_ms; at = span.end_ms) {
        span = zone_span_at(zone, at);
        span.end_ms = lesser(span.end_ms, end_ms);
        if (span.end_ms > from_ms && next_in_span(schedule, &span, reached_ms, from_ms, next_ms))
            return true;
        reached_ms = greater(reached_ms, span.end_ms + span.offset_ms);
    }
    return false;
}

CronTicks cron_list(const CronSchedule *schedule, const Zone *zone, int64_t after_ms, size_t count,
                    Arena *arena)
{
    size_t most = count < CRON_TICKS_MAX ? count : CRON_TICKS_MAX;
    CronTicks ticks = {.items = arena_array(arena, int64_t, most)};

    while (ticks.count < most && cron_next(schedule, zone, after_ms, &after_ms))
        ticks.items[ticks.count++] = after_ms;
    return ticks;
}

/* The last tick behind the one moment, up to and with the other. */
static bool last_tick(const CronSchedule *schedule, const Zone *zone, int64_t after_ms,
                      int64_t until_ms, int64_t *last_ms)
{
    int64_t last = after_ms, quiet = until_ms; /* no tick is behind quiet */

    while (last < quiet) {
        int64_t middle = last + (quiet - last) / 2, next;

        if (cron_next(schedule, zone, middle, &next) && next <= until_ms)
            last = next;
        else
            quiet = middle;
    }
    if (last <= after_ms)
        return false;
    *last_ms = last;
    return true;
}

static size_t count_wanted(const CronWindow *window)
{
    if (window->rule != CRON_MISSED_ALL)
        return window->rule == CRON_MISSED_LATEST;
    return window->count_max < CRON_TICKS_MAX ? window->count_max : CRON_TICKS_MAX;
}

CronTicks cron_missed(const CronSchedule *schedule, const Zone *zone, const CronWindow *window,
                      Arena *arena)
{
    size_t wanted = count_wanted(window), first = wanted;
    int64_t *items = arena_array(arena, int64_t, wanted);
    int64_t after_ms = greater(window->after_ms, time_min_ms - 1);
    int64_t until_ms = lesser(window->until_ms, time_end_ms), last_ms;

    while (first > 0 && last_tick(schedule, zone, after_ms, until_ms, &last_ms)) {
        items[--first] = last_ms;
        until_ms = last_ms - 1;
    }
    return (CronTicks){
        .items = items + first,
        .count = wanted - first,
        .has_older = last_tick(schedule, zone, after_ms, until_ms, &last_ms),
    };
}
