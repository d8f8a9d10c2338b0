#include "ml/frequency.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ml/series.h"

static const int64_t year_ms = 31556952000; /* 365.2425 days */
enum { YEARS_MAX = 1000, MONTHS_A_YEAR = 12, DAYS_A_MONTH_MAX = 31, SEASON_REPEATS = 3 };

typedef struct Unit {
    const char *name;
    int64_t step_ms;
    unsigned months;
} Unit;

/* Larger ones behind. */
static const Unit units[] = {
    {"millisecond", 1, 0},
    {"second", FREQUENCY_SECOND_MS, 0},
    {"minute", FREQUENCY_MINUTE_MS, 0},
    {"hour", FREQUENCY_HOUR_MS, 0},
    {"day", FREQUENCY_DAY_MS, 0},
    {"week", FREQUENCY_WEEK_MS, 0},
    {"month", 0, 1},
    {"quarter", 0, 3},
    {"year", 0, MONTHS_A_YEAR},
};

bool frequency_is_valid(const Frequency *frequency)
{
    if (frequency->months == 0)
        return frequency->step_ms > 0 && frequency->step_ms <= YEARS_MAX * year_ms;
    return frequency->step_ms == 0 && frequency->months <= YEARS_MAX * MONTHS_A_YEAR &&
           frequency->day >= 1 && frequency->day <= DAYS_A_MONTH_MAX;
}

static struct tm parts_of(int64_t time_ms)
{
    int64_t rest = (time_ms % FREQUENCY_SECOND_MS + FREQUENCY_SECOND_MS) % FREQUENCY_SECOND_MS;
    time_t seconds = (time_t)((time_ms - rest) / FREQUENCY_SECOND_MS);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    return parts;
}

int64_t calendar_month(int64_t time_ms)
{
    struct tm parts = parts_of(time_ms);

    return (int64_t)parts.tm_year * MONTHS_A_YEAR + parts.tm_mon;
}

unsigned calendar_day(int64_t time_ms)
{
    return (unsigned)parts_of(time_ms).tm_mday;
}

int64_t calendar_begin(int64_t month)
{
    struct tm parts = {.tm_year = (int)(month / MONTHS_A_YEAR),
                       .tm_mon = (int)(month % MONTHS_A_YEAR),
                       .tm_mday = 1};

    return (int64_t)timegm(&parts) * FREQUENCY_SECOND_MS;
}

/* The same time of day in another month, on that day or the month's last one. */
static int64_t add_months(int64_t time_ms, int64_t months, unsigned day)
{
    int64_t month = calendar_month(time_ms) + months, begin = calendar_begin(month);
    int64_t days = (calendar_begin(month + 1) - begin) / FREQUENCY_DAY_MS;
    int64_t of_day = (time_ms % FREQUENCY_DAY_MS + FREQUENCY_DAY_MS) % FREQUENCY_DAY_MS;

    return begin + ((day < days ? day : days) - 1) * FREQUENCY_DAY_MS + of_day;
}

bool frequency_add(const Frequency *frequency, int64_t time_ms, int64_t steps, int64_t *later_ms)
{
    int64_t width =
        frequency->months ? frequency->months * year_ms / MONTHS_A_YEAR : frequency->step_ms;
    int64_t most = (FREQUENCY_TIME_MAX_MS - FREQUENCY_TIME_MIN_MS) / width + 1, later;

    if (steps > most || steps < -most)
        return false;
    later = frequency->months ? add_months(time_ms, steps * frequency->months, frequency->day)
                              : time_ms + steps * frequency->step_ms;
    if (later < FREQUENCY_TIME_MIN_MS || later > FREQUENCY_TIME_MAX_MS)
        return false;
    *later_ms = later;
    return true;
}

static int64_t times_of(const Frequency *frequency, const Unit *unit)
{
    if (frequency->months)
        return unit->months && frequency->months % unit->months == 0
                   ? frequency->months / unit->months
                   : 0;
    return unit->step_ms && frequency->step_ms % unit->step_ms == 0
               ? frequency->step_ms / unit->step_ms
               : 0;
}

const char *frequency_name(const Frequency *frequency, Arena *arena)
{
    for (size_t i = COUNT(units); i-- > 0;) {
        int64_t times = times_of(frequency, &units[i]);

        if (times == 1)
            return units[i].name;
        if (times > 1)
            return arena_format(arena, "%lld %ss", (long long)times, units[i].name);
    }
    return "none";
}

static bool is_named(const char *text, const char *name, bool is_plural)
{
    size_t length = strlen(name);

    return strncmp(text, name, length) == 0 && strcmp(text + length, is_plural ? "s" : "") == 0;
}

bool frequency_parse(const char *text, Frequency *frequency)
{
    char *end = NULL;
    bool has_number = *text >= '1' && *text <= '9';
    long long times = has_number ? strtoll(text, &end, 10) : 1;
    const char *word = has_number ? end + (*end == ' ') : text;

    if (times > FREQUENCY_DAY_MS)
        return false;
    for (size_t i = 0; i < COUNT(units); i++) {
        Frequency found = {times * units[i].step_ms, (unsigned)times * units[i].months,
                           units[i].months ? DAYS_A_MONTH_MAX : 0};

        if (!is_named(word, units[i].name, times > 1) || !frequency_is_valid(&found))
            continue;
        *frequency = found;
        return true;
    }
    return false;
}

/* Which seasons steps of a width may have: those of the first row that is not narrower. */
typedef struct Seasons {
    int64_t step_ms_max;
    int64_t lengths_ms[FREQUENCY_PERIODS_MAX];
} Seasons;

static const Seasons seasons[] = {
    {FREQUENCY_MINUTE_MS - 1, {FREQUENCY_MINUTE_MS, FREQUENCY_HOUR_MS, FREQUENCY_DAY_MS}},
    {FREQUENCY_HOUR_MS - 1, {FREQUENCY_DAY_MS, FREQUENCY_WEEK_MS}},
    {FREQUENCY_DAY_MS - 1, {FREQUENCY_DAY_MS, FREQUENCY_WEEK_MS}},
    {FREQUENCY_DAY_MS, {FREQUENCY_WEEK_MS}},
    {INT64_MAX, {364 * FREQUENCY_DAY_MS}}, /* 52 weeks */
};

static void add_period(size_t *periods, size_t *found, size_t period, size_t count)
{
    if (period >= 2 && period <= SERIES_PERIOD_MAX && count / SEASON_REPEATS >= period)
        periods[(*found)++] = period;
}

static size_t fixed_periods(int64_t step_ms, size_t count, size_t periods[FREQUENCY_PERIODS_MAX])
{
    const Seasons *row = seasons;
    size_t found = 0;

    while (step_ms > row->step_ms_max)
        row++;
    if (step_ms > FREQUENCY_DAY_MS)
        periods[found++] = 1;
    for (size_t i = 0; i < FREQUENCY_PERIODS_MAX && row->lengths_ms[i]; i++)
        if (row->lengths_ms[i] % step_ms == 0)
            add_period(periods, &found, (size_t)(row->lengths_ms[i] / step_ms), count);
    return found;
}

size_t frequency_periods(const Frequency *frequency, size_t count,
                         size_t periods[FREQUENCY_PERIODS_MAX])
{
    size_t found = 0;

    if (frequency->months == 0)
        found = fixed_periods(frequency->step_ms, count, periods);
    else if (MONTHS_A_YEAR % frequency->months == 0)
        add_period(periods, &found, MONTHS_A_YEAR / frequency->months, count);
    if (found == 0)
        periods[found++] = 1;
    return found;
}
