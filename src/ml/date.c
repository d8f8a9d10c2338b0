#include "ml/date.h"

#include <math.h>

enum { MONTHS = 12, DAYS_TO_1970 = 719162, DAYS_OF_400_YEARS = 146097, YEAR_MAX = 9999 };

static const double day_seconds = 86400, hour_seconds = 3600;

const DateSteps date_steps[DATE_PART_COUNT] = {
    [DATE_DAYS] = {"days", 0, 0},
    [DATE_MONTH] = {"month", 1, MONTHS},
    [DATE_DAY] = {"day of the month", 1, 31},
    [DATE_WEEKDAY] = {"weekday", 1, 7},
    [DATE_HOUR] = {"hour", 0, 24},
};

/* ---- the calendar: days are counted from 0001-01-01, a Monday ---- */

/* Of a year, before each month; the last one is the year's length. */
static const int days_before[2][MONTHS + 1] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
};

typedef struct Calendar {
    int64_t year;
    int month, day; /* from 1 */
} Calendar;

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;

    return 365 * past + past / 4 - past / 100 + past / 400;
}

static int days_of_month(int64_t year, int month)
{
    const int *before = days_before[is_leap(year)];

    return before[month] - before[month - 1];
}

static int64_t days_of(const Calendar *date)
{
    return days_before_year(date->year) + days_before[is_leap(date->year)][date->month - 1] +
           date->day - 1;
}

static Calendar calendar_of(int64_t days)
{
    Calendar date = {.year = days * 400 / DAYS_OF_400_YEARS + 1, .month = 1};
    const int *before;
    int rest;

    while (days_before_year(date.year) > days)
        date.year--;
    while (days_before_year(date.year + 1) <= days)
        date.year++;
    before = days_before[is_leap(date.year)];
    rest = (int)(days - days_before_year(date.year));
    while (before[date.month] <= rest)
        date.month++;
    date.day = rest - before[date.month - 1] + 1;
    return date;
}

/* ---- reading ---- */

typedef struct Cursor {
    const char *at, *end;
} Cursor;

static bool take(Cursor *cursor, char wanted)
{
    bool is_there = cursor->at < cursor->end && *cursor->at == wanted;

    cursor->at += is_there;
    return is_there;
}

static bool is_digit_next(const Cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool take_number(Cursor *cursor, size_t digits, int *number)
{
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit_next(cursor))
            return false;
        *number = *number * 10 + (*cursor->at++ - '0');
    }
    return true;
}

/* A month alone is its first day. */
static bool take_day(Cursor *cursor, int64_t *days)
{
    Calendar date = {.day = 1};
    int year;

    if (!take_number(cursor, 4, &year) || !take(cursor, '-') ||
        !take_number(cursor, 2, &date.month))
        return false;
    if (cursor->at < cursor->end && (!take(cursor, '-') || !take_number(cursor, 2, &date.day)))
        return false;
    date.year = year;
    if (year < 1 || date.month < 1 || date.month > MONTHS || date.day < 1 ||
        date.day > days_of_month(year, date.month))
        return false;
    *days = days_of(&date);
    return true;
}

/* Up to nine digits behind a point. */
static bool take_fraction(Cursor *cursor, double *seconds)
{
    enum { DIGITS_MAX = 9 };
    double weight = 0.1;
    int digits = 0;

    if (!take(cursor, '.'))
        return true;
    for (; is_digit_next(cursor); weight /= 10, digits++)
        *seconds += weight * (*cursor->at++ - '0');
    return digits >= 1 && digits <= DIGITS_MAX;
}

/* "Z", "+02", "+0200", "+02:00" */
static bool take_offset(Cursor *cursor, double *seconds)
{
    int hours = 0, minutes = 0;
    bool is_behind;

    if (cursor->at == cursor->end || take(cursor, 'Z'))
        return true;
    is_behind = take(cursor, '-');
    if ((!is_behind && !take(cursor, '+')) || !take_number(cursor, 2, &hours))
        return false;
    if ((take(cursor, ':') || cursor->at < cursor->end) && !take_number(cursor, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *seconds -= (is_behind ? -1 : 1) * (hours * hour_seconds + minutes * 60);
    return true;
}

/* Behind the day. */
static bool take_time(Cursor *cursor, double *seconds)
{
    int hours, minutes, whole = 0;

    if (!take_number(cursor, 2, &hours) || !take(cursor, ':') || !take_number(cursor, 2, &minutes))
        return false;
    if (take(cursor, ':')) {
        if (!take_number(cursor, 2, &whole) || !take_fraction(cursor, seconds) ||
            !take_offset(cursor, seconds))
            return false;
    }
    *seconds += hours * hour_seconds + minutes * 60 + whole;
    return hours <= 23 && minutes <= 59 && whole <= 59;
}

static Cursor trimmed(TextRef text)
{
    Cursor cursor = {text.bytes, text.bytes ? text.bytes + text.length : NULL};

    while (cursor.at < cursor.end && *cursor.at == ' ')
        cursor.at++;
    while (cursor.at < cursor.end && cursor.end[-1] == ' ')
        cursor.end--;
    return cursor;
}

bool date_is_missing(TextRef text)
{
    Cursor cursor = trimmed(text);

    return cursor.at == cursor.end;
}

bool date_read(TextRef text, double *seconds)
{
    Cursor cursor = trimmed(text);
    double time = 0, all, day;
    int64_t days;

    if (!take_day(&cursor, &days))
        return false;
    if ((take(&cursor, ' ') || take(&cursor, 'T')) && !take_time(&cursor, &time))
        return false;
    all = (double)(days - DAYS_TO_1970) * day_seconds + time;
    day = floor(all / day_seconds);
    if (cursor.at != cursor.end || day < DATE_DAYS_MIN || day > DATE_DAYS_MAX)
        return false;
    *seconds = all;
    return true;
}

/* ---- parts ---- */

void date_parts(double seconds, double parts[DATE_PART_COUNT])
{
    double days = floor(seconds / day_seconds);
    int64_t since;
    Calendar date;

    for (size_t i = 0; i < DATE_PART_COUNT; i++)
        parts[i] = NAN;
    if (!(days >= DATE_DAYS_MIN && days <= DATE_DAYS_MAX))
        return;
    since = (int64_t)days + DAYS_TO_1970;
    date = calendar_of(since);
    parts[DATE_DAYS] = days;
    parts[DATE_MONTH] = date.month;
    parts[DATE_DAY] = date.day;
    parts[DATE_WEEKDAY] = (double)(since % 7 + 1);
    parts[DATE_HOUR] = (seconds - days * day_seconds) / hour_seconds;
}

const char *date_text(double days, Arena *arena)
{
    Calendar date = calendar_of((int64_t)days + DAYS_TO_1970);

    return arena_format(arena, "%04d-%02d-%02d", (int)date.year, date.month, date.day);
}
