/* Schedules: what is refused with which sentence, when they fire, what they do when clocks are
 * changed, and what is made up for. test_cron_walk.c compares with other reckonings. */

#include "base/text.h"
#include "tests/unit/base/cron_fixture.h"

/* What is written differently and means the same. */
static const struct {
    const char *text, *same;
} spellings[] = {
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "@daily"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {" @annually\n", "@yearly"},
    {"\t0  0 *\t* 7 \n", "0 0 * * 0"},
    {"00 05 01 1 *", "0 5 1 1 *"},
    {"0 0 * JAN-mar,Dec mOn", "0 0 * 1-3,12 1"},
    {"0 0 * * sun,mon,tue,wed,thu,fri,sat", "0 0 * * 0-6"},
    {"0 0 * jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec 1", "0 0 * 1-12 1"},
    {"0 0 * * fri-sun", "0 0 * * 5,6,0"},
    {"0 0 * * 5-0", "0 0 * * 5-7"},
    {"0 0 * * 0-7", "0 0 * * 0-6"},
    {"*/15 8-18/5 * * *", "0,15,30,45 8,13,18 * * *"},
    {"*/60 0 * * *", "0 0 * * *"},
    {"0 0 * * */7", "0 0 * * */7,0"},
    {"3,1,2,2-3 0 * * *", "1-3 0 * * *"},
    {"0 0-23 * * *", "0 * * * *"},
    {"0 0 1-31/15 * 1", "0 0 1,16,31 * mon"},
};

static void test_a_schedule_can_be_spelled_in_more_than_one_way(void)
{
    for (size_t i = 0; i < COUNT(spellings); i++) {
        CronSchedule schedule = parsed(spellings[i].text), same = parsed(spellings[i].same);

        EXPECT(schedule.minutes == same.minutes && schedule.hours == same.hours);
        EXPECT(schedule.days == same.days && schedule.months == same.months);
        EXPECT(schedule.weekdays == same.weekdays && schedule.either_day == same.either_day);
        EXPECT(schedule.by_elapsed == same.by_elapsed);
    }
}

#define ALLOWED(values)                                                                            \
    "; allowed are \"*\", " values                                                                 \
    ", ranges as 1-5, steps as */2 or 1-9/2, and lists of them with commas"
#define FIELDS(count)                                                                              \
    " has " count                                                                                  \
    " fields; it takes five, which are minute, hour, day of month, month and day of week"

static const struct {
    const char *text, *message;
} refused[] = {
    {"60 * * * *", "the minute \"60\" of a schedule is out of range" ALLOWED("0 to 59")},
    {"1,99999999999999999999 * * * *",
     "the minute \"99999999999999999999\" of a schedule is out of range" ALLOWED("0 to 59")},
    {"4294967296 * * * *",
     "the minute \"4294967296\" of a schedule is out of range" ALLOWED("0 to 59")},
    {"-1 * * * *", "the minute \"-1\" of a schedule is not understood" ALLOWED("0 to 59")},
    {"0 24 * * *", "the hour \"24\" of a schedule is out of range" ALLOWED("0 to 23")},
    {"0 2am * * *", "the hour \"2am\" of a schedule is not understood" ALLOWED("0 to 23")},
    {"0 5-1 * * *", "the hour \"5-1\" of a schedule runs backwards" ALLOWED("0 to 23")},
    {"0 1- * * *", "the hour \"1-\" of a schedule is not understood" ALLOWED("0 to 23")},
    {"0 0 0 * *", "the day of month \"0\" of a schedule is out of range" ALLOWED("1 to 31")},
    {"0 0 L * *", "the day of month \"L\" of a schedule is not understood" ALLOWED("1 to 31")},
    {"0 0 ? * *", "the day of month \"?\" of a schedule is not understood" ALLOWED("1 to 31")},
    {"0 0 1,, * *", "the day of month \"\" of a schedule is empty" ALLOWED("1 to 31")},
    {"0 0 , * *", "the day of month \"\" of a schedule is empty" ALLOWED("1 to 31")},
    {"0 0 1 13 *", "the month \"13\" of a schedule is out of range" ALLOWED("1 to 12, jan to dec")},
    {"0 0 1 dec-jan *",
     "the month \"dec-jan\" of a schedule runs backwards" ALLOWED("1 to 12, jan to dec")},
    {"0 0 1 january *",
     "the month \"january\" of a schedule is not understood" ALLOWED("1 to 12, jan to dec")},
    {"0 0 1 mon *",
     "the month \"mon\" of a schedule is not understood" ALLOWED("1 to 12, jan to dec")},
    {"0 0 * * 8",
     "the day of week \"8\" of a schedule is out of range" ALLOWED("0 to 7, sun to sat")},
    {"0 0 * * 5#3",
     "the day of week \"5#3\" of a schedule is not understood" ALLOWED("0 to 7, sun to sat")},
    {"*/0 * * * *", "the minute \"*/0\" of a schedule has a step of 0" ALLOWED("0 to 59")},
    {"*/90 * * * *",
     "the minute \"*/90\" of a schedule has a step beyond its range" ALLOWED("0 to 59")},
    {"1-9/10 * * * *",
     "the minute \"1-9/10\" of a schedule has a step beyond its range" ALLOWED("0 to 59")},
    {"*/ * * * *", "the minute \"*/\" of a schedule is not understood" ALLOWED("0 to 59")},
    {"*/-2 * * * *", "the minute \"*/-2\" of a schedule is not understood" ALLOWED("0 to 59")},
    {"*/2/2 * * * *", "the minute \"*/2/2\" of a schedule is not understood" ALLOWED("0 to 59")},
    {"5/15 * * * *",
     "the minute \"5/15\" of a schedule has a step without a range" ALLOWED("0 to 59")},
    {"** * * * *", "the minute \"**\" of a schedule is not understood" ALLOWED("0 to 59")},
    {"*-5 * * * *", "the minute \"*-5\" of a schedule is not understood" ALLOWED("0 to 59")},

    {"0 0 30 2 *", "the day of month \"30\" of a schedule never comes in month \"2\"; allowed are "
                   "days that one of its "
                   "months has"},
    {"0 0 31 feb,apr,jun,sep,nov */2", "the day of month \"31\" of a schedule never comes in month "
                                       "\"feb,apr,jun,sep,nov\"; allowed are "
                                       "days that one of its months has"},

    {"", "the schedule \"\"" FIELDS("0")},
    {"0 0 * *", "the schedule \"0 0 * *\"" FIELDS("4")},
    {"0 0 * * * *", "the schedule \"0 0 * * * *\"" FIELDS("6") ", and no seconds"},
    {"0 0 0 * * * 2026", "the schedule \"0 0 0 * * * 2026\"" FIELDS("7")},
    {"@reboot", "\"@reboot\" is no schedule; allowed are @hourly, @daily, @weekly, @monthly, "
                "@yearly and five fields"},
    {"@", "\"@\" is no schedule; allowed are @hourly, @daily, @weekly, @monthly, @yearly and five "
          "fields"},
};

static void test_what_is_no_schedule_is_refused_by_field_and_value(void)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        CronSchedule schedule = {.minutes = 7};
        Error error = {0};

        EXPECT(!cron_parse(refused[i].text, &schedule, &error));
        EXPECT_TEXT(error.message, refused[i].message);
        EXPECT(error.kind == ERROR_INVALID && schedule.minutes == 7);
    }
}

static void test_a_schedule_may_be_long_but_not_endless(void)
{
    CronSchedule schedule;
    Error error = {0};
    char text[CRON_TEXT_BYTES_MAX + 2];

    memset(text, ' ', sizeof(text));
    memcpy(text, "0 0 * * *", 9);
    text[CRON_TEXT_BYTES_MAX] = '\0';
    EXPECT_OK(cron_parse(text, &schedule, &error), error);
    text[CRON_TEXT_BYTES_MAX] = ' ';
    text[CRON_TEXT_BYTES_MAX + 1] = '\0';
    EXPECT(!cron_parse(text, &schedule, &error));
    EXPECT_TEXT(error.message, "a schedule has 257 bytes, at most 256 are allowed");
}

/* The times behind a moment, in local time to the minute; as many as are expected. */
static const struct {
    const char *zone, *schedule, *after, *expected;
} lists[] = {
    /* strictly after */
    {"UTC", "0 0 * * *", "2026-01-01T00:00:00Z", "2026-01-02T00:00+00:00"},
    {"UTC", "0 0 * * *", "2025-12-31T23:59:59.999Z", "2026-01-01T00:00+00:00"},
    {"UTC", "0 0 * * *", "1969-12-30T12:00:00Z", "1969-12-31T00:00+00:00 1970-01-01T00:00+00:00"},
    /* day of month or day of week, when neither has a star; else both */
    {"UTC", "0 0 13 * fri", "2026-02-01T00:00:00Z",
     "2026-02-06T00:00+00:00 2026-02-13T00:00+00:00 2026-02-20T00:00+00:00"},
    {"UTC", "0 0 */2 * fri", "2026-02-01T00:00:00Z",
     "2026-02-13T00:00+00:00 2026-02-27T00:00+00:00"},
    {"UTC", "0 0 30 2 mon", "2026-02-20T00:00:00Z",
     "2026-02-23T00:00+00:00 2027-02-01T00:00+00:00"},
    /* leap years, none in 2100, one in 2000; 29 February on a Sunday */
    {"UTC", "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00+00:00 2032-02-29T00:00+00:00"},
    {"UTC", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00+00:00"},
    {"UTC", "0 0 29 2 *", "1996-03-01T00:00:00Z", "2000-02-29T00:00+00:00"},
    {"UTC", "0 0 29 2 */7", "2026-01-01T00:00:00Z",
     "2032-02-29T00:00+00:00 2060-02-29T00:00+00:00"},
    {"UTC", "0 0 29 2 */7", "2088-03-01T00:00:00Z", "2128-02-29T00:00+00:00"},
    {"UTC", "59 23 31 12 *", "2026-12-31T23:58:59Z",
     "2026-12-31T23:59+00:00 2027-12-31T23:59+00:00"},

    /* Amsterdam, 29 March 2026: no time from 02:00 to 03:00 */
    {"Europe/Amsterdam", "30 2 * * *", "2026-03-28T00:00:00Z",
     "2026-03-28T02:30+01:00 2026-03-29T03:00+02:00 2026-03-30T02:30+02:00"},
    {"Europe/Amsterdam", "*/20 2 * * *", "2026-03-28T01:30:00Z",
     "2026-03-28T02:40+01:00 2026-03-29T03:00+02:00 2026-03-30T02:00+02:00"},
    {"Europe/Amsterdam", "0 2,3 * * *", "2026-03-28T12:00:00Z",
     "2026-03-29T03:00+02:00 2026-03-30T02:00+02:00"},
    {"Europe/Amsterdam", "0 */2 * * *", "2026-03-28T23:00:00Z",
     "2026-03-29T04:00+02:00 2026-03-29T06:00+02:00"},
    {"Europe/Amsterdam", "30 * * * *", "2026-03-29T00:00:00Z",
     "2026-03-29T01:30+01:00 2026-03-29T03:30+02:00"},
    /* 25 October 2026: 02:00 to 03:00 twice */
    {"Europe/Amsterdam", "30 2 * * *", "2026-10-24T22:00:00Z",
     "2026-10-25T02:30+02:00 2026-10-26T02:30+01:00"},
    {"Europe/Amsterdam", "30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T02:30+01:00"},
    {"Europe/Amsterdam", "0 2,3 * * *", "2026-10-24T22:00:00Z",
     "2026-10-25T02:00+02:00 2026-10-25T03:00+01:00"},
    {"Europe/Amsterdam", "0 */2 * * *", "2026-10-24T22:00:00Z",
     "2026-10-25T02:00+02:00 2026-10-25T02:00+01:00 2026-10-25T04:00+01:00"},
    {"Europe/Amsterdam", "30 * * * *", "2026-10-25T00:00:00Z",
     "2026-10-25T02:30+02:00 2026-10-25T02:30+01:00 2026-10-25T03:30+01:00"},
    {"Europe/Amsterdam", "30 0-23 * * *", "2026-10-25T00:00:00Z",
     "2026-10-25T02:30+02:00 2026-10-25T02:30+01:00"},
    /* by the rule behind the table, which ends in 1996 in this file */
    {"Europe/Amsterdam", "30 2 29 3 *", "2499-03-01T00:00:00Z", "2499-03-29T03:00+02:00"},
    {"Europe/Amsterdam", "30 2 * * *", "2038-03-27T12:00:00Z", "2038-03-28T03:00+02:00"},
    {"America/New_York", "30 2 * * *", "2038-03-13T12:00:00Z", "2038-03-14T03:00-04:00"},
    {"America/New_York", "30 1 * * *", "2037-10-31T12:00:00Z",
     "2037-11-01T01:30-04:00 2037-11-02T01:30-05:00"},
    /* Lord Howe: 4 October 2026 no time from 02:00 to 02:30, 5 April 01:30 to 02:00 twice */
    {"Australia/Lord_Howe", "0,15,30 2 * * *", "2026-10-03T12:00:00Z",
     "2026-10-04T02:30+11:00 2026-10-05T02:00+11:00"},
    {"Australia/Lord_Howe", "15,45 1 * * *", "2026-04-04T13:00:00Z",
     "2026-04-05T01:15+11:00 2026-04-05T01:45+11:00 2026-04-06T01:15+10:30"},
    {"Australia/Lord_Howe", "45 * * * *", "2026-04-04T14:00:00Z",
     "2026-04-05T01:45+11:00 2026-04-05T01:45+10:30 2026-04-05T02:45+10:30"},
    {"Asia/Kathmandu", "0 6 * * *", "2026-03-29T00:14:59.999Z",
     "2026-03-29T06:00+05:45 2026-03-30T06:00+05:45"},
    /* Casablanca: back for Ramadan on 15 February 2026, forth on 22 March */
    {"Africa/Casablanca", "30 2 * * *", "2026-02-14T12:00:00Z",
     "2026-02-15T02:30+01:00 2026-02-16T02:30+00:00"},
    {"Africa/Casablanca", "30 2 * * *", "2026-03-21T12:00:00Z",
     "2026-03-22T03:00+01:00 2026-03-23T02:30+01:00"},
    /* Apia had no 30 December 2011 */
    {"Pacific/Apia", "0 6,18 * * *", "2011-12-30T00:00:00Z",
     "2011-12-29T18:00-10:00 2011-12-31T00:00+14:00 2011-12-31T06:00+14:00"},
    {"Pacific/Apia", "0 0 30 12 *", "2011-12-01T00:00:00Z",
     "2011-12-31T00:00+14:00 2012-12-30T00:00+14:00"},
    /* offsets of seconds: Amsterdam was 00:19:32 ahead, from 1 July 1937 on 00:20 */
    {"Europe/Amsterdam", "0 12 * * *", "1930-01-01T00:00:00Z", "1930-01-01T12:00+00:19"},
};

static void test_the_next_times_are_these(void)
{
    for (size_t i = 0; i < COUNT(lists); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const Zone *zone = found(lists[i].zone, arena);
        CronSchedule schedule = parsed(lists[i].schedule);
        TextList expected = text_split(lists[i].expected, ' ', arena);
        CronTicks ticks = cron_list(&schedule, zone, moment(lists[i].after), expected.count, arena);

        EXPECT(ticks.count == expected.count && !ticks.has_older);
        for (size_t j = 0; j < ticks.count; j++) {
            char text[TIME_TEXT_SIZE];

            zone_format(zone, ticks.items[j], text);
            EXPECT_TEXT(arena_format(arena, "%.16s%s", text, text + 23), expected.items[j]);
        }
    }
}

static void test_time_ends_with_the_year_9999(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Zone *zone = found("Europe/Amsterdam", arena);
    CronSchedule daily = parsed("@daily"), leap = parsed("0 0 29 2 *");
    int64_t next_ms = 7;
    char text[TIME_TEXT_SIZE];

    EXPECT(!cron_next(&daily, zone, INT64_MAX, &next_ms) && next_ms == 7);
    EXPECT(!cron_next(&leap, zone, moment("9996-03-01T00:00:00Z"), &next_ms) && next_ms == 7);
    EXPECT(!cron_next(&daily, zone, moment("9999-12-31T23:00:00Z"), &next_ms) && next_ms == 7);
    EXPECT(cron_next(&daily, zone, moment("9999-12-30T12:00:00Z"), &next_ms));
    EXPECT_TEXT(time_format(next_ms, text), "9999-12-30T23:00:00.000Z");
    EXPECT(cron_next(&daily, zone, INT64_MIN, &next_ms) &&
           next_ms == -62135596800000 + DAY_MS - 1172000);
    EXPECT(cron_list(&daily, zone, moment("9999-12-28T12:00:00Z"), 9, arena).count == 4);
}

static void test_a_list_has_an_end(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CronSchedule schedule = parsed("* * * * *");
    CronTicks ticks = cron_list(&schedule, found("UTC", arena), 0, SIZE_MAX, arena);

    EXPECT(ticks.count == CRON_TICKS_MAX &&
           ticks.items[CRON_TICKS_MAX - 1] == CRON_TICKS_MAX * MINUTE_MS);
    EXPECT(cron_list(&schedule, found("UTC", arena), 0, 0, arena).count == 0);
}

/* Of "0 6 * * *" in Amsterdam, where 06:00 is 05:00Z in winter and 04:00Z in summer. */
static const struct {
    const char *after, *until;
    CronMissed rule;
    size_t count_max;
    const char *expected;
    bool has_older;
} windows[] = {
    {"2026-03-27T05:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_ALL, 9,
     "2026-03-28T05:00Z 2026-03-29T04:00Z 2026-03-30T04:00Z", false},
    {"2026-03-27T04:59:59.999Z", "2026-03-30T03:59:59.999Z", CRON_MISSED_ALL, 3,
     "2026-03-27T05:00Z 2026-03-28T05:00Z 2026-03-29T04:00Z", false},
    {"2026-03-27T05:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_ALL, 2,
     "2026-03-29T04:00Z 2026-03-30T04:00Z", true},
    {"2026-03-27T05:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_ALL, 0, "", true},
    {"2026-03-27T05:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_LATEST, 0, "2026-03-30T04:00Z",
     true},
    {"2026-03-29T05:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_LATEST, 0, "2026-03-30T04:00Z",
     false},
    {"2026-03-27T05:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_SKIP, 9, "", true},
    {"2026-03-30T04:00:00Z", "2026-03-31T03:59:59Z", CRON_MISSED_ALL, 9, "", false},
    {"2026-03-30T04:00:00Z", "2026-03-31T03:59:59Z", CRON_MISSED_LATEST, 9, "", false},
    {"2026-03-30T04:00:00Z", "2026-03-31T03:59:59Z", CRON_MISSED_SKIP, 9, "", false},
    {"2026-03-30T04:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_ALL, 9, "", false},
    {"2026-03-30T04:00:00Z", "2026-03-20T04:00:00Z", CRON_MISSED_ALL, 9, "", false},
    {"0001-01-01T00:00:00Z", "2026-03-30T04:00:00Z", CRON_MISSED_ALL, 1, "2026-03-30T04:00Z", true},
};

static void test_ticks_that_were_missed_are_made_up_for_by_rule(void)
{
    CronSchedule schedule = parsed("0 6 * * *");

    for (size_t i = 0; i < COUNT(windows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CronWindow window = {moment(windows[i].after), moment(windows[i].until), windows[i].rule,
                             windows[i].count_max};
        CronTicks ticks = cron_missed(&schedule, found("Europe/Amsterdam", arena), &window, arena);
        TextBuilder text = {.arena = arena};

        for (size_t j = 0; j < ticks.count; j++) {
            char tick[TIME_TEXT_SIZE];

            text_append_format(&text, "%s%.16sZ", j ? " " : "", time_format(ticks.items[j], tick));
        }
        EXPECT_TEXT(text_built(&text), windows[i].expected);
        EXPECT(ticks.has_older == windows[i].has_older);
    }
}

static void test_of_very_many_missed_ticks_the_last_are_left(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CronWindow window = {INT64_MIN, INT64_MAX, CRON_MISSED_ALL, SIZE_MAX};
    CronSchedule schedule = parsed("* * * * *");
    CronTicks ticks;

    window.until_ms = moment("2026-01-01T00:00:00Z");
    ticks = cron_missed(&schedule, found("UTC", arena), &window, arena);
    EXPECT(ticks.count == CRON_TICKS_MAX && ticks.has_older);
    for (size_t i = 0; i < ticks.count; i++)
        EXPECT(ticks.items[i] == window.until_ms - (int64_t)(ticks.count - 1 - i) * MINUTE_MS);
}

int main(int count, char **names)
{
    static const Test tests[] = {TEST(test_a_schedule_can_be_spelled_in_more_than_one_way),
                                 TEST(test_what_is_no_schedule_is_refused_by_field_and_value),
                                 TEST(test_a_schedule_may_be_long_but_not_endless),
                                 TEST(test_the_next_times_are_these),
                                 TEST(test_time_ends_with_the_year_9999),
                                 TEST(test_a_list_has_an_end),
                                 TEST(test_ticks_that_were_missed_are_made_up_for_by_rule),
                                 TEST(test_of_very_many_missed_ticks_the_last_are_left),
                                 {0}};

    setenv("TZDIR", "tests/fixtures/zoneinfo", 1);
    return test_main(tests, count, names);
}
