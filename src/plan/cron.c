#include "plan/cron.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { CRON_FIELDS = 5, FIELD_DAY = 2, FIELD_WEEKDAY = 4, NAME_LENGTH = 3, SUNDAY_AGAIN = 7 };

typedef struct CronField {
    unsigned least, most;
    const char *names; /* of three letters each, the first is least's; or NULL */
    size_t offset;
} CronField;

static const CronField cron_fields[CRON_FIELDS] = {
    {0, 59, NULL, offsetof(PlanCron, minutes)},
    {0, 23, NULL, offsetof(PlanCron, hours)},
    {1, 31, NULL, offsetof(PlanCron, days)},
    {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", offsetof(PlanCron, months)},
    {0, 7, "sunmontuewedthufrisat", offsetof(PlanCron, weekdays)},
};

static bool take_number(const char **at, unsigned *number)
{
    enum { DIGITS_MAX = 3 };
    size_t length = strspn(*at, "0123456789");

    if (!length || length > DIGITS_MAX)
        return false;
    for (*number = 0; length; length--)
        *number = *number * 10 + (unsigned)(*(*at)++ - '0');
    return true;
}

static bool take_name(const CronField *field, const char **at, unsigned *number)
{
    for (size_t i = 0; field->names && field->names[i * NAME_LENGTH]; i++) {
        if (strncasecmp(*at, field->names + i * NAME_LENGTH, NAME_LENGTH) != 0)
            continue;
        *at += NAME_LENGTH;
        *number = field->least + (unsigned)i;
        return true;
    }
    return false;
}

static bool take_value(const CronField *field, const char **at, unsigned *number)
{
    if (!take_number(at, number) && !take_name(field, at, number))
        return false;
    return *number >= field->least && *number <= field->most;
}

static bool take_sign(const char **at, char sign)
{
    if (**at != sign)
        return false;
    (*at)++;
    return true;
}

static bool take_bounds(const CronField *field, const char **at, unsigned *from, unsigned *to)
{
    *from = field->least;
    *to = field->most;
    if (take_sign(at, '*'))
        return true;
    if (!take_value(field, at, from))
        return false;
    *to = *from;
    return !take_sign(at, '-') || take_value(field, at, to);
}

/* "*", "a" or "a-b", each with "/step"; "a/step" goes on to the end. */
static bool take_range(const CronField *field, const char **at, uint64_t *bits)
{
    unsigned from, to, step = 1;

    if (!take_bounds(field, at, &from, &to))
        return false;
    if (take_sign(at, '/')) {
        if (!take_number(at, &step) || !step)
            return false;
        to = from == to ? field->most : to;
    }
    for (unsigned number = from; number <= to; number += step)
        *bits |= UINT64_C(1) << number;
    return from <= to;
}

static bool take_field(const CronField *field, const char **at, PlanCron *cron)
{
    uint64_t *bits = (uint64_t *)(void *)((char *)cron + field->offset);

    do {
        if (!take_range(field, at, bits))
            return false;
    } while (take_sign(at, ','));
    return true;
}

bool plan_cron_read(const char *text, PlanCron *cron)
{
    PlanCron read = {0};
    const char *at = text;

    for (size_t i = 0; i < CRON_FIELDS; i++) {
        size_t blanks = strspn(at, " \t");

        if (i && !blanks)
            return false;
        at += blanks;
        read.is_any_day |= i == FIELD_DAY && *at == '*';
        read.is_any_weekday |= i == FIELD_WEEKDAY && *at == '*';
        if (!take_field(&cron_fields[i], &at, &read))
            return false;
    }
    if (at[strspn(at, " \t")])
        return false;
    read.weekdays |= read.weekdays >> SUNDAY_AGAIN & 1;
    read.weekdays &= ~(UINT64_C(1) << SUNDAY_AGAIN);
    *cron = read;
    return true;
}
