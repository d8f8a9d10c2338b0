#include "base/zone_rule.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum {
    SECOND_MS = 1000,
    DAY_MS = 24 * 60 * 60 * SECOND_MS,
    OFFSET_HOURS_MAX = 24,
    CHANGE_HOURS_MAX = 167,
    NAME_LETTERS_MIN = 3,
    /* A change can be a week and a day off the year that it is of: two years on either side have
     * the one before any moment and the one behind it. */
    YEARS_AROUND = 2,
    CHANGES_AROUND = 2 * (2 * YEARS_AROUND + 1)
};

static bool take(const char **cursor, char expected)
{
    if (**cursor != expected)
        return false;
    ++*cursor;
    return true;
}

static bool read_number(const char **cursor, int least, int most, int *number)
{
    int value = 0;

    if (!isdigit((unsigned char)**cursor))
        return false;
    for (; isdigit((unsigned char)**cursor) && value <= most; ++*cursor)
        value = value * 10 + (**cursor - '0');
    *number = value;
    return value >= least && value <= most;
}

/* [+-]hours[:minutes[:seconds]] */
static bool read_time(const char **cursor, int hours_max, int64_t *time_ms)
{
    int sign = take(cursor, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;

    if (sign > 0)
        take(cursor, '+');
    if (!read_number(cursor, 0, hours_max, &hours) ||
        (take(cursor, ':') && (!read_number(cursor, 0, 59, &minutes) ||
                               (take(cursor, ':') && !read_number(cursor, 0, 59, &seconds)))))
        return false;
    *time_ms = (int64_t)sign * ((hours * 60 + minutes) * 60 + seconds) * SECOND_MS;
    return true;
}

/* "CET" or "<+0545>"; what it is does not matter here. */
static bool skip_name(const char **cursor)
{
    bool is_quoted = take(cursor, '<');
    const char *begin = *cursor;

    while (isalpha((unsigned char)**cursor) ||
           (is_quoted && **cursor && (isdigit((unsigned char)**cursor) || strchr("+-", **cursor))))
        ++*cursor;
    return *cursor - begin >= NAME_LETTERS_MIN && (!is_quoted || take(cursor, '>'));
}

/* The name of a time and by how much it is behind UTC, as POSIX has it. */
static bool read_offset(const char **cursor, int64_t *offset_ms)
{
    int64_t behind_ms;

    if (!read_time(cursor, OFFSET_HOURS_MAX, &behind_ms))
        return false;
    *offset_ms = -behind_ms;
    return true;
}

static bool read_day(const char **cursor, ZoneDate *date)
{
    if (take(cursor, 'M')) {
        date->kind = ZONE_DATE_WEEKDAY;
        return read_number(cursor, 1, 12, &date->month) && take(cursor, '.') &&
               read_number(cursor, 1, 5, &date->week) && take(cursor, '.') &&
               read_number(cursor, 0, 6, &date->day);
    }
    date->kind = take(cursor, 'J') ? ZONE_DATE_COMMON_DAY : ZONE_DATE_DAY;
    return read_number(cursor, date->kind == ZONE_DATE_COMMON_DAY, 365, &date->day);
}

static bool read_date(const char **cursor, ZoneDate *date)
{
    date->time_ms = 2 * 60 * 60 * SECOND_MS;
    return take(cursor, ',') && read_day(cursor, date) &&
           (!take(cursor, '/') || read_time(cursor, CHANGE_HOURS_MAX, &date->time_ms));
}

bool zone_rule_parse(const char *text, ZoneRule *rule)
{
    ZoneRule read = {0};

    if (!skip_name(&text) || !read_offset(&text, &read.standard_ms))
        return false;
    if (*text) {
        read.has_summer = true;
        read.summer_ms = read.standard_ms + 60 * 60 * SECOND_MS;
        if (!skip_name(&text) || (*text != ',' && !read_offset(&text, &read.summer_ms)) ||
            !read_date(&text, &read.begin) || !read_date(&text, &read.end) || *text)
            return false;
    }
    *rule = read;
    return true;
}

/* The beginning of a day; the calendar goes on where the day is not one of that month. */
static int64_t day_ms(int year, int month, int day, int *weekday)
{
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    int64_t time_ms = (int64_t)timegm(&parts) * SECOND_MS;

    *weekday = parts.tm_wday;
    return time_ms;
}

static int64_t weekday_ms(const ZoneDate *date, int year)
{
    int weekday, ignored;
    int64_t first_ms = day_ms(year, date->month, 1, &weekday);
    int64_t next_ms = day_ms(year, date->month + 1, 1, &ignored);
    int days = (date->day - weekday + 7) % 7 + (date->week - 1) * 7;
    int64_t time_ms = first_ms + (int64_t)days * DAY_MS;

    return time_ms < next_ms ? time_ms : time_ms - 7 * (int64_t)DAY_MS;
}

static int64_t date_ms(const ZoneDate *date, int year)
{
    enum { BEFORE_MARCH = 59 };
    int ignored;

    if (date->kind == ZONE_DATE_WEEKDAY)
        return weekday_ms(date, year) + date->time_ms;
    if (date->kind == ZONE_DATE_DAY)
        return day_ms(year, 1, date->day + 1, &ignored) + date->time_ms;
    if (date->day <= BEFORE_MARCH)
        return day_ms(year, 1, date->day, &ignored) + date->time_ms;
    return day_ms(year, 3, date->day - BEFORE_MARCH, &ignored) + date->time_ms;
}

/* Of changes at the same moment the later one of the rule holds: summer time that ends as the next
 * begins goes on. */
static void insert_change(ZoneChange *changes, size_t count, ZoneChange change)
{
    for (; count > 0 && changes[count - 1].at_ms > change.at_ms; count--)
        changes[count] = changes[count - 1];
    changes[count] = change;
}

static void collect_changes(const ZoneRule *rule, int year, ZoneChange changes[CHANGES_AROUND])
{
    size_t count = 0;

    for (int each = year - YEARS_AROUND; count < CHANGES_AROUND; each++) {
        ZoneChange begin = {date_ms(&rule->begin, each) - rule->standard_ms, rule->summer_ms};
        ZoneChange end = {date_ms(&rule->end, each) - rule->summer_ms, rule->standard_ms};

        insert_change(changes, count++, begin);
        insert_change(changes, count++, end);
    }
}

static int year_of(int64_t time_ms)
{
    time_t seconds = time_ms / SECOND_MS;
    struct tm parts;

    gmtime_r(&seconds, &parts);
    return parts.tm_year + 1900;
}

ZoneSpan zone_rule_span(const ZoneRule *rule, int64_t time_ms)
{
    ZoneChange changes[CHANGES_AROUND];
    size_t at = 0;

    if (!rule->has_summer)
        return (ZoneSpan){INT64_MIN, INT64_MAX, rule->standard_ms};
    collect_changes(rule, year_of(time_ms), changes);
    while (at + 2 < CHANGES_AROUND && changes[at + 1].at_ms <= time_ms)
        at++;
    return (ZoneSpan){changes[at].at_ms, changes[at + 1].at_ms, changes[at].offset_ms};
}
