/* What texts say as dates, and their parts; checked by hand and with GNU date. */
#include "ml/date.h"
#include "tests/test.h"

static TextRef ref(const char *text)
{
    return text ? (TextRef){text, strlen(text)} : (TextRef){0};
}

static void expect_seconds(const char *text, double expected)
{
    double seconds = NAN;

    EXPECT(date_read(ref(text), &seconds));
    EXPECT_NEAR(seconds, expected, 1e-6);
}

static void test_dates_and_times_are_seconds_since_1970(void)
{
    static const struct {
        const char *text;
        double seconds;
    } table[] = {
        {"1970-01-01", 0},
        {"1969-12-31 23:00", -3600},
        {"1969-12-31T23:59:59.5", -0.5},
        {"2000-02-29", 951782400},
        {"2024-02-29T12:30:15.25", 1709209815.25},
        {"2024-02-29 12:30:15.250000000", 1709209815.25},
        {"2026-01-31 00:30:00", 1769819400},
        {"2026-01-31T00:30:00Z", 1769819400},
        {"2026-01-31T00:30:00+02:00", 1769812200},
        {"2026-01-31 00:30:00+02", 1769812200},
        {"2026-01-31 00:30:00-0130", 1769824800},
        {"  2026-01-31 ", 1769817600},
        {"1949-01", -662688000},
        {"0001-01-01", -62135596800},
        {"9999-12-31 23:59:59", 253402300799},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        expect_seconds(table[i].text, table[i].seconds);
}

static void test_what_is_no_date_is_none(void)
{
    static const char *const table[] = {
        NULL,
        "",
        "  ",
        "yesterday",
        "2021",
        "1609459200",
        "2021-1-1",
        "2021-13-01",
        "2021-13",
        "2021-1",
        "2021-01-",
        "2021-00-01",
        "2021-04-31",
        "2021-04-00",
        "2023-02-29",
        "1900-02-29",
        "0000-01-01",
        "-2021-01-01",
        "12021-01-01",
        "2021-01-01x",
        "2021-01-01T",
        "2021-01-01 10",
        "2021-01-01 24:00",
        "2021-01-01 10:60",
        "2021-01-01 10:00:60",
        "2021-01-01 10:00Z",
        "2021-01-01 10:00:00.",
        "2021-01-01 10:00:00.1234567890",
        "2021-01-01 10:00:00 Z",
        "2021-01-01 10:00:00+2",
        "2021-01-01 10:00:00+02:",
        "2021-01-01 10:00:00+24",
        "2021-01-01 10:00:00+02:60",
        "2021-01-01\t",
        "9999-12-31 23:59:59-01",
        "0001-01-01 00:00:00+01",
        "31.01.2026",
        "infinity",
    };
    double seconds;

    for (size_t i = 0; i < COUNT(table); i++)
        EXPECT(!date_read(ref(table[i]), &seconds));
    EXPECT(!date_read((TextRef){"2021-01-01", 9}, &seconds));
}

static void expect_parts(const char *text, const double expected[DATE_PART_COUNT])
{
    double seconds, parts[DATE_PART_COUNT];

    EXPECT(date_read(ref(text), &seconds));
    date_parts(seconds, parts);
    for (size_t i = 0; i < DATE_PART_COUNT; i++)
        EXPECT_NEAR(parts[i], expected[i], 1e-9);
}

static void test_parts_are_those_of_the_calendar(void)
{
    expect_parts("1970-01-01", (const double[]){0, 1, 1, 4, 0});
    expect_parts("1969-07-20 20:17", (const double[]){-165, 7, 20, 7, 20 + 17.0 / 60});
    expect_parts("1969-12-31 23:59:59", (const double[]){-1, 12, 31, 3, 24 - 1.0 / 3600});
    expect_parts("2000-02-29", (const double[]){11016, 2, 29, 2, 0});
    expect_parts("2000-03-01", (const double[]){11017, 3, 1, 3, 0});
    expect_parts("1900-03-01", (const double[]){-25508, 3, 1, 4, 0});
    expect_parts("2024-02-29 06:30", (const double[]){19782, 2, 29, 4, 6.5});
    expect_parts("2024-12-31", (const double[]){20088, 12, 31, 2, 0});
    expect_parts("0001-01-01", (const double[]){DATE_DAYS_MIN, 1, 1, 1, 0});
    expect_parts("9999-12-31", (const double[]){DATE_DAYS_MAX, 12, 31, 5, 0});
}

static void expect_no_parts(double seconds)
{
    double parts[DATE_PART_COUNT];

    date_parts(seconds, parts);
    for (size_t part = 0; part < DATE_PART_COUNT; part++)
        EXPECT(isnan(parts[part]));
}

static void test_what_is_beyond_the_calendar_has_no_parts(void)
{
    static const double table[] = {NAN, INFINITY, -INFINITY, 1e300, 253402300800, -62135596801};

    for (size_t i = 0; i < COUNT(table); i++)
        expect_no_parts(table[i]);
}

static void expect_day(int days, const char *text)
{
    double seconds, parts[DATE_PART_COUNT];

    EXPECT(date_read(ref(text), &seconds));
    EXPECT(seconds == days * 86400.0);
    date_parts(seconds, parts);
    EXPECT(parts[DATE_DAYS] == days && parts[DATE_HOUR] == 0);
}

static void test_every_day_is_written_and_read_as_itself(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (int days = DATE_DAYS_MIN; days <= DATE_DAYS_MAX; days += 13)
        expect_day(days, date_text(days, arena));
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_dates_and_times_are_seconds_since_1970),
        TEST(test_what_is_no_date_is_none),
        TEST(test_parts_are_those_of_the_calendar),
        TEST(test_what_is_beyond_the_calendar_has_no_parts),
        TEST(test_every_day_is_written_and_read_as_itself),
        {0},
    };

    return test_main(tests, count, arguments);
}
