#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PUT_BACK_MS_MIN = 1000 }; /* less is how clocks are kept right all day */

static int64_t read_clock(clockid_t clock, int64_t per_second)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * per_second + now.tv_nsec / (1000000000 / per_second);
}

int64_t time_now_ms(void)
{
    return read_clock(CLOCK_REALTIME, 1000);
}

int64_t time_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC, 1000000);
}

const char *time_format(int64_t time_ms, char text[TIME_TEXT_SIZE])
{
    int64_t remainder = ((time_ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((time_ms - remainder) / 1000);
    struct tm parts;
    size_t length;

    gmtime_r(&seconds, &parts);
    length = strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, TIME_TEXT_SIZE - length, ".%03dZ", (int)remainder);
    return text;
}

/* Milliseconds of ".25"; moves the cursor behind it. */
static int read_fraction(const char **cursor)
{
    int milliseconds = 0, weight = 100;

    if (**cursor != '.')
        return 0;
    for ((*cursor)++; **cursor >= '0' && **cursor <= '9'; (*cursor)++, weight /= 10)
        milliseconds += (**cursor - '0') * weight;
    return milliseconds;
}

static bool read_offset(const char *text, int *minutes)
{
    int hours, rest, length = 0;

    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *minutes = 0;
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &rest, &length) != 2 || text[1 + length])
        return false;
    *minutes = (hours * 60 + rest) * (text[0] == '-' ? -1 : 1);
    return true;
}

bool time_parse(const char *text, int64_t *time_ms)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    int milliseconds, minutes, day = parts.tm_mday;
    int64_t seconds;

    if (!rest)
        return false;
    seconds = timegm(&parts);
    if (parts.tm_mday != day) /* no month has so many days: 30 February became 2 March */
        return false;
    milliseconds = read_fraction(&rest);
    if (!read_offset(rest, &minutes))
        return false;
    *time_ms = (seconds - minutes * 60) * 1000 + milliseconds;
    return true;
}

/* A time without its zone is not one moment, and a day that no calendar has comes back as another
 * one. */
static bool parse_moment(const char *text, int64_t *time_ms)
{
    enum { MINUTE_LENGTH = 16, DAY_LENGTH = 10 }; /* "2026-05-01T10:00" */
    char whole[TIME_TEXT_SIZE + 8], day[TIME_TEXT_SIZE], again[TIME_TEXT_SIZE];
    size_t length = strnlen(text, TIME_TEXT_SIZE);
    int64_t midnight;

    if (length <= MINUTE_LENGTH || length >= TIME_TEXT_SIZE)
        return false;
    snprintf(whole, sizeof(whole), "%.*s%s%s", MINUTE_LENGTH, text,
             text[MINUTE_LENGTH] == ':' ? "" : ":00", text + MINUTE_LENGTH);
    snprintf(day, sizeof(day), "%.*sT00:00:00Z", DAY_LENGTH, text);
    return time_parse(whole, time_ms) && time_parse(day, &midnight) &&
           strncmp(time_format(midnight, again), text, DAY_LENGTH) == 0;
}

bool time_read_moment(const char *field, const char *text, int64_t *time_ms, Error *error)
{
    int64_t moment;

    if (!parse_moment(text, &moment))
        return fail_field(error, field,
                          "a moment has a day, a time and its zone, as 2026-05-01T10:00Z or "
                          "2026-05-01T12:00:00+02:00, not \"%.40s\"",
                          text);
    *time_ms = moment;
    return true;
}

int64_t clock_watch_put_back_ms(ClockWatch *watch)
{
    int64_t ahead_ms = time_now_ms() - time_monotonic_us() / 1000;
    int64_t put_back_ms = watch->has_looked ? watch->ahead_ms - ahead_ms : 0;

    *watch = (ClockWatch){.ahead_ms = ahead_ms, .has_looked = true};
    return put_back_ms >= PUT_BACK_MS_MIN ? put_back_ms : 0;
}

void time_sleep_ms(unsigned milliseconds)
{
    struct timespec left = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0)
        ;
}
