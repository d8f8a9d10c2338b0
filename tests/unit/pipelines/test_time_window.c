/* Windows as a table: a text, a moment, and when it opens. */
#include "pipelines/time_window.h"

#include "base/text.h"
#include "tests/test.h"

typedef struct Opening {
    const char *windows; /* one, or two with a "|" between them */
    const char *now, *next;
} Opening;

/* 27 November 2026 is a Friday. */
static const Opening openings[] = {
    {"mon-fri 08:00-17:00", "2026-11-27T08:00:00Z", "2026-11-27T08:00:00Z"},
    {"mon-fri 08:00-17:00", "2026-11-27T07:59:59.999Z", "2026-11-27T08:00:00Z"},
    {"mon-fri 08:00-17:00", "2026-11-27T16:59:59.999Z", "2026-11-27T16:59:59.999Z"},
    {"mon-fri 08:00-17:00", "2026-11-27T17:00:00Z", "2026-11-30T08:00:00Z"},
    {"mon-fri 08:00-17:00 Europe/Amsterdam", "2026-11-27T16:00:00Z", "2026-11-30T07:00:00Z"},
    {"mon-fri 08:00-17:00 America/New_York", "2026-11-27T21:59:00Z", "2026-11-27T21:59:00Z"},
    {"fri-mon 10:00-11:00", "2026-11-27T11:00:00Z", "2026-11-28T10:00:00Z"},
    {"fri 10:00-11:00", "2026-11-27T11:00:00Z", "2026-12-04T10:00:00Z"},
    {"mon,wed,sat-sun 10:00-11:00", "2026-11-27T11:00:00Z", "2026-11-28T10:00:00Z"},
    {"daily 00:00-24:00", "2026-11-27T23:59:59.999Z", "2026-11-27T23:59:59.999Z"},

    /* Over midnight it belongs to the day on which it began. */
    {"fri 22:00-06:00", "2026-11-28T05:59:00Z", "2026-11-28T05:59:00Z"},
    {"fri 22:00-06:00", "2026-11-28T06:00:00Z", "2026-12-04T22:00:00Z"},
    {"fri 22:00-06:00", "2026-11-27T05:00:00Z", "2026-11-27T22:00:00Z"},
    {"sun 22:00-06:00", "2026-11-30T01:00:00Z", "2026-11-30T01:00:00Z"},

    /* The nearest of several. */
    {"mon 08:00-09:00|tue 08:00-09:00", "2026-11-30T09:00:00Z", "2026-12-01T08:00:00Z"},
    {"tue 08:00-09:00|mon 08:00-09:00", "2026-11-30T08:30:00Z", "2026-11-30T08:30:00Z"},

    /* 29 March 2026: at 02:00 clocks go to 03:00. 25 October: at 03:00 back to 02:00. */
    {"sun 02:00-02:30 Europe/Amsterdam", "2026-03-29T00:00:00Z", "2026-04-05T00:00:00Z"},
    {"sun 02:30-04:00 Europe/Amsterdam", "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"},
    {"sun 02:00-02:30 Europe/Amsterdam", "2026-10-25T00:29:00Z", "2026-10-25T00:29:00Z"},
    {"sun 02:00-02:30 Europe/Amsterdam", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
    {"sun 02:00-02:30 Europe/Amsterdam", "2026-10-25T01:30:00Z", "2026-11-01T01:00:00Z"},

    {"mon 00:00-01:00", "1969-12-31T00:00:00Z", "1970-01-05T00:00:00Z"},
    {0},
};

static int64_t moment(const char *text)
{
    int64_t time_ms;

    EXPECT(time_parse(text, &time_ms));
    return time_ms;
}

static void test_a_window_opens_when_the_clock_on_the_wall_says_so(void)
{
    Arena *arena = arena_create();

    for (const Opening *row = openings; row->windows; row++) {
        TextList texts = text_split(row->windows, '|', arena);
        char expected[TIME_TEXT_SIZE], next[TIME_TEXT_SIZE];
        TimeWindowList list = {0};
        Error error = {0};

        for (size_t i = 0; i < texts.count; i++)
            EXPECT_OK(time_window_parse(texts.items[i], arena, arena_push(arena, &list), &error),
                      error);
        time_format(time_window_next(&list, moment(row->now)), next);
        if (strcmp(next, time_format(moment(row->next), expected)) != 0)
            fprintf(stderr, "%s at %s\n", row->windows, row->now);
        EXPECT_TEXT(next, expected);
    }
    arena_destroy(arena);
}

static void test_without_windows_it_is_always_open(void)
{
    EXPECT(time_window_next(&(TimeWindowList){0}, 7) == 7);
}

static void test_what_is_no_window_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "mon",
        "08:00-17:00",
        "mon 8:00-17:00",
        "mon 08:00-25:00",
        "mon 08:60-17:00",
        "mon 24:00-17:00",
        "mon 08:00-24:01",
        "mon 08:00-08:00",
        "mon 08:00-17:00-18:00",
        "mon 08:00",
        "mon -8:00-17:00",
        "Mon 08:00-17:00",
        "monday 08:00-17:00",
        "mon- 08:00-17:00",
        "-mon 08:00-17:00",
        "mon-tue-wed 08:00-17:00",
        "mon, 08:00-17:00",
        "mon,,tue 08:00-17:00",
        "daily,mon 08:00-17:00",
        "mon  08:00-17:00",
        "mon 08:00-17:00 Europe/Amsterdam now",
        "mon 08:00-17:00 Europe/Nowhere",
        "mon 08:00-17:00 ../../etc/passwd",
        "mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,mon,"
        "mon,"
        "mon,mon,mon,mon,mon,mon,mon,mon 08:00-17:00",
        NULL,
    };
    Arena *arena = arena_create();

    for (size_t i = 0; texts[i]; i++) {
        TimeWindow window = {.days = 7};
        Error error = {0};

        if (time_window_parse(texts[i], arena, &window, &error))
            fprintf(stderr, "\"%s\" was taken\n", texts[i]);
        EXPECT(error.kind == ERROR_INVALID);
        EXPECT(window.days == 7);
    }
    arena_destroy(arena);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_window_opens_when_the_clock_on_the_wall_says_so),
        TEST(test_without_windows_it_is_always_open),
        TEST(test_what_is_no_window_is_refused),
        {0},
    };

    return test_main(tests, count, names);
}
