/* fuzz_cron.c: any text is refused with a message or becomes a schedule that fires: strictly after
 * any moment, with nothing between, at a minute that it names unless the clock jumped over that.
 * The first byte chooses the zone, the next eight are the moment. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cron.h"

enum { MINUTE_MS = 60 * 1000, TICKS = 5, WINDOW_MS = 100 * MINUTE_MS };

/* Files of a zone without a table: a header twice, one type, a rule. */
static const char *const rules[] = {"\nUTC0\n", "\nCET-1CEST,M3.5.0,M10.5.0/3\n",
                                    "\nLHST-10:30LHDT-11,M10.1.0,M4.1.0\n",
                                    "\nAAA12BBB-12,0/0,J182/167\n"};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static const Zone *zone_of(const char *rule, Arena *arena)
{
    static const char type[] = {0, 0, 0, 0, 0, 0, 0};
    char header[44] = "TZif2";
    char file[256];
    const Zone *zone = NULL;
    Error error = {0};
    size_t size = 0;

    header[39] = header[43] = 1; /* types, bytes of names */
    for (int block = 0; block < 2; block++) {
        memcpy(file + size, header, sizeof(header));
        memcpy(file + size + sizeof(header), type, sizeof(type));
        size += sizeof(header) + sizeof(type);
    }
    memcpy(file + size, rule, strlen(rule));
    require(zone_parse(file, size + strlen(rule), arena, &zone, &error));
    return zone;
}

static bool names_minute(const CronSchedule *schedule, int64_t local_ms)
{
    time_t seconds = local_ms / 1000;
    struct tm local;
    bool day, weekday;

    gmtime_r(&seconds, &local);
    day = schedule->days >> local.tm_mday & 1;
    weekday = schedule->weekdays >> local.tm_wday & 1;
    return (schedule->minutes >> local.tm_min & 1) && (schedule->hours >> local.tm_hour & 1) &&
           (schedule->months >> (local.tm_mon + 1) & 1) &&
           (schedule->either_day ? day || weekday : day && weekday);
}

static void check_tick(const CronSchedule *schedule, const Zone *zone, int64_t after_ms,
                       int64_t tick_ms)
{
    ZoneSpan span = zone_span_at(zone, tick_ms);
    int64_t between_ms = after_ms + (tick_ms - after_ms) / 2, again_ms = 0;

    require(tick_ms > after_ms && tick_ms % MINUTE_MS == 0);
    require(names_minute(schedule, tick_ms + span.offset_ms) ||
            (!schedule->by_elapsed && tick_ms == span.begin_ms));
    require(cron_next(schedule, zone, between_ms, &again_ms) && again_ms == tick_ms);
    require(cron_next(schedule, zone, tick_ms - 1, &again_ms) && again_ms == tick_ms);
}

static void check_missed(const CronSchedule *schedule, const Zone *zone, int64_t after_ms,
                         Arena *arena)
{
    CronWindow window = {after_ms, after_ms + WINDOW_MS, CRON_MISSED_ALL, TICKS};
    CronTicks ticks = cron_missed(schedule, zone, &window, arena);
    int64_t next_ms;

    require(ticks.count <= TICKS && (!ticks.has_older || ticks.count == TICKS));
    for (size_t i = 0; i < ticks.count; i++) {
        bool has_next = cron_next(schedule, zone, ticks.items[i], &next_ms);

        require(ticks.items[i] > after_ms && ticks.items[i] <= window.until_ms);
        require(i + 1 < ticks.count ? has_next && next_ms == ticks.items[i + 1]
                                    : !has_next || next_ms > window.until_ms);
    }
}

static void check_schedule(const CronSchedule *schedule, const Zone *zone, int64_t after_ms,
                           Arena *arena)
{
    CronTicks ticks = cron_list(schedule, zone, after_ms, TICKS, arena);

    require(schedule->minutes && schedule->hours && schedule->days && schedule->months &&
            schedule->weekdays);
    require(ticks.count <= TICKS);
    for (size_t i = 0; i < ticks.count; i++) {
        check_tick(schedule, zone, after_ms, ticks.items[i]);
        after_ms = ticks.items[i];
    }
    check_missed(schedule, zone, after_ms, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CronSchedule schedule = {0};
    Error error = {0};
    int64_t after_ms, next_ms = 0;
    const char *text;

    if (size < 1 + sizeof(after_ms))
        return 0;
    memcpy(&after_ms, data + 1, sizeof(after_ms));
    text = arena_copy(arena, (const char *)data + 9, size - 9);
    if (!cron_parse(text, &schedule, &error)) {
        require(error.kind && error.message[0] && !schedule.minutes);
        return 0;
    }
    if (!cron_next(&schedule, zone_of(rules[0], arena), after_ms, &next_ms))
        require(after_ms > 251000000000000); /* the last fifty years */
    after_ms %= 251000000000000;
    if (after_ms < -62000000000000)
        after_ms = -after_ms;
    check_schedule(&schedule, zone_of(rules[data[0] % COUNT(rules)], arena), after_ms, arena);
    return 0;
}
