/* cron_fixture.h: zones, schedules and moments by what they are called, for the tests of schedules.
 */
#pragma once

#include "base/cron.h"
#include "base/time.h"
#include "tests/test.h"

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

static inline const Zone *found(const char *name, Arena *arena)
{
    const Zone *zone = NULL;
    Error error = {0};

    EXPECT_OK(zone_find(name, arena, &zone, &error), error);
    return zone;
}

static inline CronSchedule parsed(const char *text)
{
    CronSchedule schedule = {0};
    Error error = {0};

    EXPECT_OK(cron_parse(text, &schedule, &error), error);
    return schedule;
}

static inline int64_t moment(const char *text)
{
    int64_t time_ms;

    EXPECT(time_parse(text, &time_ms));
    return time_ms;
}
