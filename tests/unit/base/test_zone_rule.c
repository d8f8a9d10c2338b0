/* The rules of time zones: when clocks change by them, and what is none. */
#include "base/zone_rule.h"

#include "base/time.h"
#include "tests/test.h"

/* A span of 2024, a leap year, at 1 May: when it begins and ends, and its offset in minutes. */
static const struct {
    const char *rule, *begin, *end;
    int minutes;
} rules[] = {
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2024-03-31T01:00:00.000Z", "2024-10-27T01:00:00.000Z", 120},
    {"EST5EDT4,M3.2.0/2:00:00,M11.1.0", "2024-03-10T07:00:00.000Z", "2024-11-03T06:00:00.000Z",
     -240},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", "2024-03-31T01:00:00.000Z", "2024-10-27T01:00:00.000Z", 60},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2024-04-06T15:00:00.000Z", "2024-10-05T15:30:00.000Z",
     630},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T01:00:00.000Z", "2024-10-27T01:00:00.000Z",
     -60},
    {"AAA0BBB,J60/0,J61/0", "2024-03-01T23:00:00.000Z", "2025-03-01T00:00:00.000Z", 0},
    {"AAA0BBB,59/0,60/0", "2024-02-29T23:00:00.000Z", "2025-03-01T00:00:00.000Z", 0},
    {"AAA0BBB,M2.5.4/0,M6.1.0/0", "2024-02-29T00:00:00.000Z", "2024-06-01T23:00:00.000Z", 60},
    {"AAA0BBB,M4.1.0/167,M6.1.0/-167", "2024-04-13T23:00:00.000Z", "2024-05-26T00:00:00.000Z", 60},
    {"XXX3EDT4,0/0,J365/23", "2024-01-01T03:00:00.000Z", "2025-01-01T03:00:00.000Z", -240},
};

static void test_a_rule_changes_the_clocks_when_posix_says(void)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        char text[TIME_TEXT_SIZE];
        ZoneRule rule;
        ZoneSpan span;
        int64_t may_ms;

        EXPECT(time_parse("2024-05-01T00:00:00Z", &may_ms));
        EXPECT(zone_rule_parse(rules[i].rule, &rule));
        span = zone_rule_span(&rule, may_ms);
        EXPECT_TEXT(time_format(span.begin_ms, text), rules[i].begin);
        EXPECT_TEXT(time_format(span.end_ms, text), rules[i].end);
        EXPECT(span.offset_ms == rules[i].minutes * 60000);
    }
}

static void test_a_text_that_is_no_rule_is_refused(void)
{
    static const char *const texts[] = {"",
                                        "CE-1",
                                        "CET",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M3.5.0,",
                                        "<CET-1",
                                        "<>-1",
                                        "CET-25",
                                        "CET-1:60",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.0.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,J0,J9",
                                        "CET-1CEST,J366,J9",
                                        "CET-1CEST,366,9",
                                        "CET-1CEST,M3.5.0/168,M10.5.0",
                                        "CET-1CEST,M3.5.0,M10.5.0/3x",
                                        "CET-99999999999999999999"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        ZoneRule rule;

        EXPECT(!zone_rule_parse(texts[i], &rule));
    }
}

/* Both changes of a year belong to the next one, so that a January has them from two years before.
 */
static void test_changes_a_week_behind_their_year_are_found(void)
{
    char text[TIME_TEXT_SIZE];
    ZoneRule rule;
    ZoneSpan span;
    int64_t january_ms;

    EXPECT(time_parse("2024-01-01T00:00:00Z", &january_ms));
    EXPECT(zone_rule_parse("AAA0BBB,J365/100,J365/167", &rule));
    span = zone_rule_span(&rule, january_ms);
    EXPECT_TEXT(time_format(span.begin_ms, text), "2023-01-06T22:00:00.000Z");
    EXPECT_TEXT(time_format(span.end_ms, text), "2024-01-04T04:00:00.000Z");
    EXPECT(span.offset_ms == 0);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {TEST(test_a_rule_changes_the_clocks_when_posix_says),
                                 TEST(test_a_text_that_is_no_rule_is_refused),
                                 TEST(test_changes_a_week_behind_their_year_are_found),
                                 {0}};

    return test_main(tests, count, arguments);
}
