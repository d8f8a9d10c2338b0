/* When schedules fire, as Python has it for a year and as a walk through all minutes has it for
 * schedules that dice make: strictly after, at what is named, and never between. */

#include <time.h>

#include "base/text.h"
#include "tests/fixtures/zone_cases.h"
#include "tests/unit/base/cron_fixture.h"

static void test_a_year_fires_as_often_as_python_has_it(void)
{
    const int64_t begin_ms = moment("2026-01-01T00:00:00Z"),
                  end_ms = moment("2027-01-01T00:00:00Z");

    for (size_t i = 0; i < COUNT(cron_years); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const Zone *zone = found(cron_years[i].zone, arena);
        CronSchedule schedule = parsed(cron_years[i].schedule);
        int64_t at_ms = begin_ms - 1, count = 0, sum = 0;

        while (cron_next(&schedule, zone, at_ms, &at_ms) && at_ms < end_ms) {
            EXPECT(at_ms % MINUTE_MS == 0);
            count++;
            sum += at_ms / MINUTE_MS;
        }
        EXPECT(count == cron_years[i].count && sum == cron_years[i].sum);
    }
}

/* A schedule as a table of what it names, and its text. */
typedef struct Naive {
    bool minutes[60], hours[24], days[32], months[13], weekdays[7];
    bool either_day, by_elapsed;
    CronSchedule schedule;
    int64_t last_ms, next_ms; /* of cron_next() */
} Naive;

static uint32_t dice_state = 1;

static int dice(int sides)
{
    dice_state = dice_state * 1664525 + 1013904223;
    return (int)(dice_state >> 8) % sides;
}

/* Values of one field, written as it comes. Returns whether a star is among them. */
static bool append_field(TextBuilder *text, bool *named, int least, int most)
{
    int items = dice(3) ? 1 : 1 + dice(3);
    bool has_star = false;

    for (int i = 0; i < items; i++) {
        int low = least + dice(most - least + 1), high = low + dice(most - low + 1);
        int step = 1 + dice(high - low + 1), form = dice(6);

        text_append(text, i ? "," : text->count ? " " : "");
        if (form < 2) {
            has_star = true;
            low = least, high = most, step = form ? 1 + dice(most - least) : 1;
            text_append_format(text, form ? "*/%d" : "*", step);
        } else if (form < 4) {
            high = low, step = 1;
            text_append_int(text, low);
        } else {
            text_append_format(text, form == 4 ? "%d-%d" : "%d-%d/%d", low, high, step);
            step = form == 4 ? 1 : step;
        }
        for (int value = low; value <= high; value += step)
            named[value] = true;
    }
    return has_star;
}

static Naive random_schedule(Arena *arena)
{
    Naive naive = {0};
    TextBuilder text = {.arena = arena};
    bool has_star, names_all = true;
    Error error = {0};

    append_field(&text, naive.minutes, 0, 59);
    naive.by_elapsed = append_field(&text, naive.hours, 0, 23);
    has_star = append_field(&text, naive.days, 1, 31);
    append_field(&text, naive.months, 1, 12);
    naive.either_day = !append_field(&text, naive.weekdays, 0, 6) && !has_star;
    for (int hour = 0; hour < 24; hour++)
        names_all = names_all && naive.hours[hour];
    naive.by_elapsed = naive.by_elapsed || names_all;
    if (!cron_parse(text_built(&text), &naive.schedule, &error)) {
        EXPECT(strstr(error.message, "never comes"));
        return random_schedule(arena);
    }
    return naive;
}

static bool names_local(const Naive *naive, const struct tm *local)
{
    bool day = naive->days[local->tm_mday], weekday = naive->weekdays[local->tm_wday];

    return naive->minutes[local->tm_min] && naive->hours[local->tm_hour] &&
           naive->months[local->tm_mon + 1] &&
           (naive->either_day ? day || weekday : day && weekday);
}

static struct tm parts_of(int64_t local_ms)
{
    time_t seconds = local_ms / 1000;
    struct tm parts;

    gmtime_r(&seconds, &parts);
    return parts;
}

/* Whether it fires as the clock shows a local time, having reached another before. */
static bool fires(const Naive *naive, int64_t local_ms, const struct tm *local, int64_t reached_ms)
{
    for (int64_t at_ms = reached_ms + MINUTE_MS; !naive->by_elapsed && at_ms < local_ms;
         at_ms += MINUTE_MS) {
        struct tm passed = parts_of(at_ms);

        if (names_local(naive, &passed))
            return true;
    }
    return (naive->by_elapsed || local_ms > reached_ms) && names_local(naive, local);
}

/* From anywhere between two times the second is the next. */
static void expect_next(Naive *naive, const Zone *zone, int64_t now_ms)
{
    int64_t between =
        naive->last_ms + dice((int)((now_ms - naive->last_ms) / MINUTE_MS)) * (int64_t)MINUTE_MS;
    int64_t next_ms = 0;

    EXPECT(naive->next_ms == now_ms);
    EXPECT(cron_next(&naive->schedule, zone, between, &next_ms) && next_ms == now_ms);
    EXPECT(cron_next(&naive->schedule, zone, now_ms - 1, &next_ms) && next_ms == now_ms);
    naive->last_ms = now_ms;
    EXPECT(cron_next(&naive->schedule, zone, now_ms, &naive->next_ms) && naive->next_ms > now_ms);
}

/* Walks through all minutes and holds cron_next() to what the naive schedule says of each. */
static void walk(Naive *naive, size_t count, const Zone *zone, int64_t begin_ms, int64_t end_ms)
{
    int64_t reached_ms = INT64_MIN;
    ZoneSpan span = zone_span_at(zone, begin_ms - 3 * (int64_t)DAY_MS);

    for (size_t i = 0; i < count; i++) {
        naive[i].last_ms = begin_ms - 1;
        EXPECT(cron_next(&naive[i].schedule, zone, begin_ms - 1, &naive[i].next_ms));
    }
    for (int64_t at_ms = begin_ms - 3 * (int64_t)DAY_MS; at_ms < end_ms; at_ms += MINUTE_MS) {
        int64_t local_ms;
        struct tm local;

        if (at_ms >= span.end_ms)
            span = zone_span_at(zone, at_ms);
        local_ms = at_ms + span.offset_ms;
        local = parts_of(local_ms);
        if (reached_ms == INT64_MIN)
            reached_ms = local_ms;
        for (size_t i = 0; i < count && at_ms >= begin_ms; i++) {
            if (fires(&naive[i], local_ms, &local, reached_ms))
                expect_next(&naive[i], zone, at_ms);
            else
                EXPECT(naive[i].next_ms > at_ms);
        }
        reached_ms = local_ms > reached_ms ? local_ms : reached_ms;
    }
}

static const struct {
    const char *zone, *begin, *end;
} walks[] = {
    {"Europe/Amsterdam", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {"America/New_York", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {"Australia/Lord_Howe", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {"Asia/Kathmandu", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"},
    {"Africa/Casablanca", "2087-01-01T00:00:00Z", "2088-01-01T00:00:00Z"},
    {"America/New_York", "2037-01-01T00:00:00Z", "2039-01-01T00:00:00Z"},
    {"Pacific/Apia", "2011-12-01T00:00:00Z", "2012-02-01T00:00:00Z"},
    {"America/Nuuk", "2400-03-01T00:00:00Z", "2400-12-01T00:00:00Z"},
};

static void test_nothing_fires_but_the_minutes_that_are_named(void)
{
    enum { SCHEDULES = 24 };

    for (size_t i = 0; i < COUNT(walks); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Naive *naive = arena_array(arena, Naive, SCHEDULES);

        for (size_t j = 0; j < SCHEDULES; j++)
            naive[j] = random_schedule(arena);
        walk(naive, SCHEDULES, found(walks[i].zone, arena), moment(walks[i].begin),
             moment(walks[i].end));
    }
}

/* A zone whose clock is put back by three hours at 06:00 of 2 January 1970, and forth by two an
 * hour later: it has been in those hours before. */
static const char twice_changed[] = "TZif\0"
                                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\3\0\0\0\1"
                                    "\0\1\xa5\xe0\0\1\xb3\xf0"
                                    "\1\2"
                                    "\0\0\0\0\0\0"
                                    "\xff\xff\xd5\xd0\0\0"
                                    "\xff\xff\xf1\xf0\0\0"
                                    "";

static void test_a_clock_that_jumps_in_hours_it_had_fires_nothing_again(void)
{
    enum { SCHEDULES = 24 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Naive *naive = arena_array(arena, Naive, SCHEDULES);
    CronSchedule hours = parsed("0 5,7 * * *");
    const Zone *zone = NULL;
    Error error = {0};
    CronTicks ticks;

    EXPECT_OK(zone_parse(twice_changed, sizeof(twice_changed), arena, &zone, &error), error);
    ticks = cron_list(&hours, zone, moment("1970-01-02T04:00:00Z"), 3, arena);
    EXPECT(ticks.items[0] == moment("1970-01-02T05:00:00Z"));
    EXPECT(ticks.items[1] == moment("1970-01-02T08:00:00Z"));
    EXPECT(ticks.items[2] == moment("1970-01-03T06:00:00Z"));
    for (size_t i = 0; i < SCHEDULES; i++)
        naive[i] = random_schedule(arena);
    walk(naive, SCHEDULES, zone, 0, 4 * (int64_t)DAY_MS);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {TEST(test_a_year_fires_as_often_as_python_has_it),
                                 TEST(test_nothing_fires_but_the_minutes_that_are_named),
                                 TEST(test_a_clock_that_jumps_in_hours_it_had_fires_nothing_again),
                                 {0}};

    setenv("TZDIR", "tests/fixtures/zoneinfo", 1);
    return test_main(tests, count, arguments);
}
