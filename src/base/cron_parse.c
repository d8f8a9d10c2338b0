#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cron.h"

enum { NAME_LETTERS = 3, ALL_HOURS = 0xffffff };

#define BLANKS " \t\r\n"

typedef enum FieldIndex { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT } FieldIndex;

/* A part of the schedule's text, which goes on behind it. */
typedef struct Slice {
    const char *at;
    size_t length;
} Slice;

typedef struct Field {
    const char *name, *allowed;
    int least, most, most_of_star;
    const char *const *names; /* of the values from least on */
} Field;

typedef struct Values {
    uint64_t bits;
    bool has_star;
} Values;

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const Field fields[FIELD_COUNT] = {
    [MINUTE] = {"minute", "0 to 59", 0, 59, 59, NULL},
    [HOUR] = {"hour", "0 to 23", 0, 23, 23, NULL},
    [DAY] = {"day of month", "1 to 31", 1, 31, 31, NULL},
    [MONTH] = {"month", "1 to 12, jan to dec", 1, 12, 12, month_names},
    [WEEKDAY] = {"day of week", "0 to 7, sun to sat", 0, 7, 6, weekday_names},
};

static const struct {
    const char *name, *text;
} short_forms[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

/* What reads a part moves the cursor behind it and returns NULL, or what is wrong with the item. */
static const char *read_value(const Field *field, const char **cursor, int *value)
{
    if (isdigit((unsigned char)**cursor)) {
        char *end;
        long number = strtol(*cursor, &end, 10);

        *cursor = end;
        *value = (int)number;
        return number < field->least || number > field->most ? "is out of range" : NULL;
    }
    for (int i = 0; field->names && field->names[i]; i++)
        if (strncasecmp(*cursor, field->names[i], NAME_LETTERS) == 0) {
            *cursor += NAME_LETTERS;
            *value = field->least + i;
            return NULL;
        }
    return "is not understood";
}

static const char *read_range(const Field *field, const char **cursor, int *low, int *high)
{
    const char *wrong = read_value(field, cursor, low);

    *high = *low;
    if (wrong || **cursor != '-')
        return wrong;
    ++*cursor;
    wrong = read_value(field, cursor, high);
    if (field == &fields[WEEKDAY] && *high == 0 && *low > 0)
        *high = field->most; /* a week may end with Sunday */
    return !wrong && *high < *low ? "runs backwards" : wrong;
}

static const char *read_step(const char **cursor, int length, int *step)
{
    const char *begin = ++*cursor;
    char *end = NULL;
    long number = isdigit((unsigned char)*begin) ? strtol(begin, &end, 10) : 0;

    if (!end)
        return "is not understood";
    *cursor = end;
    *step = (int)number;
    if (number < 1)
        return "has a step of 0";
    return number > length ? "has a step beyond its range" : NULL;
}

static const char *read_item(const Field *field, Slice item, Values *values)
{
    const char *cursor = item.at, *wrong = NULL;
    int low = field->least, high = field->most_of_star, step = 1;

    if (item.length == 0)
        return "is empty";
    if (*cursor == '*') {
        values->has_star = true;
        cursor++;
    } else {
        wrong = read_range(field, &cursor, &low, &high);
    }
    if (!wrong && *cursor == '/')
        wrong = cursor[-1] == '*' || memchr(item.at, '-', (size_t)(cursor - item.at))
                    ? read_step(&cursor, high - low + 1, &step)
                    : "has a step without a range";
    if (wrong || cursor != item.at + item.length)
        return wrong ? wrong : "is not understood";
    for (int value = low; value <= high; value += step)
        values->bits |= UINT64_C(1) << value;
    return NULL;
}

static bool read_field(const Field *field, Slice text, Values *values, Error *error)
{
    const char *end = text.at + text.length;

    for (Slice item = {text.at, 0};; item.at += item.length + 1) {
        const char *wrong;

        item.length = strcspn(item.at, "," BLANKS);
        wrong = read_item(field, item, values);
        if (wrong)
            return fail(error, ERROR_INVALID,
                        "the %s \"%.*s\" of a schedule %s; allowed are \"*\", %s, ranges as 1-5, "
                        "steps as */2 or 1-9/2, and lists of them with commas",
                        field->name, (int)item.length, item.at, wrong, field->allowed);
        if (item.at + item.length == end)
            return true;
    }
}

/* Of a leap year: what is longer never comes. */
static bool has_day(uint32_t months, uint32_t days)
{
    static const int month_days[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int first = __builtin_ctz(days);

    for (int month = 1; month <= 12; month++)
        if (months >> month & 1 && first <= month_days[month])
            return true;
    return false;
}

static bool read_fields(const Slice slices[FIELD_COUNT], CronSchedule *schedule, Error *error)
{
    Values values[FIELD_COUNT] = {0};
    CronSchedule read;

    for (int i = 0; i < FIELD_COUNT; i++)
        if (!read_field(&fields[i], slices[i], &values[i], error))
            return false;
    read = (CronSchedule){
        .minutes = values[MINUTE].bits,
        .hours = (uint32_t)values[HOUR].bits,
        .days = (uint32_t)values[DAY].bits,
        .months = (uint32_t)values[MONTH].bits,
        .weekdays = (uint32_t)((values[WEEKDAY].bits | values[WEEKDAY].bits >> 7) & 0x7f),
        .either_day = !values[DAY].has_star && !values[WEEKDAY].has_star,
        .by_elapsed = values[HOUR].has_star || values[HOUR].bits == ALL_HOURS,
    };
    if (!read.either_day && !has_day(read.months, read.days))
        return fail(
            error, ERROR_INVALID,
            "the day of month \"%.*s\" of a schedule never comes in month \"%.*s\"; allowed "
            "are days that one of its months has",
            (int)slices[DAY].length, slices[DAY].at, (int)slices[MONTH].length, slices[MONTH].at);
    *schedule = read;
    return true;
}

/* Returns how many there are; of the first five, where. */
static size_t split_fields(const char *text, Slice slices[FIELD_COUNT])
{
    size_t count = 0;

    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        size_t length = strcspn(text, BLANKS);

        if (count < FIELD_COUNT)
            slices[count] = (Slice){text, length};
        count++;
        text += length;
    }
    return count;
}

static const char *find_short_form(Slice name)
{
    for (size_t i = 0; i < COUNT(short_forms); i++)
        if (strlen(short_forms[i].name) == name.length &&
            memcmp(short_forms[i].name, name.at, name.length) == 0)
            return short_forms[i].text;
    return NULL;
}

bool cron_parse(const char *text, CronSchedule *schedule, Error *error)
{
    Slice slices[FIELD_COUNT];
    size_t count;

    if (strlen(text) > CRON_TEXT_BYTES_MAX)
        return fail(error, ERROR_INVALID, "a schedule has %zu bytes, at most %d are allowed",
                    strlen(text), CRON_TEXT_BYTES_MAX);
    count = split_fields(text, slices);
    if (count == 1 && *slices[0].at == '@') {
        const char *meant = find_short_form(slices[0]);

        if (!meant)
            return fail(error, ERROR_INVALID,
                        "\"%s\" is no schedule; allowed are @hourly, @daily, @weekly, @monthly, "
                        "@yearly and five fields",
                        text);
        count = split_fields(meant, slices);
    }
    if (count != FIELD_COUNT)
        return fail(
            error, ERROR_INVALID,
            "the schedule \"%s\" has %zu fields; it takes five, which are minute, hour, day of "
            "month, month and day of week%s",
            text, count, count == FIELD_COUNT + 1 ? ", and no seconds" : "");
    return read_fields(slices, schedule, error);
}
