#include "pipelines/time_window.h"

#include <string.h>

#include "base/text.h"

enum {
    DAYS = 7,
    EPOCH_DAY = 3, /* 1 January 1970 was a Thursday */
    ALL_DAYS = (1 << DAYS) - 1,
    SPANS_MAX = 1000, /* of a zone, that are looked at for an opening */
    TIME_BYTES = 5,   /* "08:00" */
};

static const int64_t minute_ms = 60 * 1000, hour_ms = 60 * minute_ms, day_ms = 24 * hour_ms;

static const char *const day_names[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- reading ---- */

static bool fail_text(Error *error, const char *text, const char *what)
{
    return fail(error, ERROR_INVALID,
                "%s: a window is as \"mon-fri 08:00-17:00 Europe/Amsterdam\", not \"%.128s\"", what,
                text);
}

static bool find_day(const char *name, size_t *day)
{
    for (*day = 0; *day < DAYS; ++*day)
        if (strcmp(name, day_names[*day]) == 0)
            return true;
    return false;
}

/* "mon" or "mon-fri"; also over the end of the week. */
static bool add_days(const char *text, Arena *arena, uint32_t *days)
{
    TextList ends = text_split(text, '-', arena);
    size_t first, last;

    if (ends.count < 1 || ends.count > 2 || text_has_suffix(text, "-") ||
        !find_day(ends.items[0], &first) || !find_day(ends.items[ends.count - 1], &last))
        return false;
    for (size_t day = first;; day = (day + 1) % DAYS) {
        *days |= 1U << day;
        if (day == last)
            return true;
    }
}

static bool read_days(const char *text, Arena *arena, uint32_t *days)
{
    TextList parts = text_split(text, ',', arena);

    *days = strcmp(text, "daily") == 0 ? ALL_DAYS : 0;
    if (*days)
        return true;
    for (size_t i = 0; i < parts.count; i++)
        if (!add_days(parts.items[i], arena, days))
            return false;
    return *days && !text_has_suffix(text, ",");
}

static bool read_time(const char *text, int64_t *time_ms)
{
    static const char digits[] = "0123456789";
    int64_t hours, minutes;

    if (strlen(text) != TIME_BYTES || strspn(text, digits) != 2 || text[2] != ':' ||
        strspn(text + 3, digits) != 2)
        return false;
    hours = (text[0] - '0') * 10 + text[1] - '0';
    minutes = (text[3] - '0') * 10 + text[4] - '0';
    *time_ms = hours * hour_ms + minutes * minute_ms;
    return minutes < 60 && *time_ms <= day_ms;
}

static bool read_times(const char *text, Arena *arena, TimeWindow *window)
{
    TextList ends = text_split(text, '-', arena);

    if (strlen(text) != 2 * TIME_BYTES + 1 || ends.count != 2 ||
        !read_time(ends.items[0], &window->begin_ms) ||
        !read_time(ends.items[1], &window->end_ms) || window->begin_ms == day_ms ||
        window->begin_ms == window->end_ms)
        return false;
    if (window->end_ms < window->begin_ms)
        window->end_ms += day_ms;
    return true;
}

bool time_window_parse(const char *text, Arena *arena, TimeWindow *window, Error *error)
{
    TimeWindow read = {0};
    TextList parts;

    if (strlen(text) > TIME_WINDOW_BYTES_MAX)
        return fail(error, ERROR_INVALID, "a window has at most %d bytes", TIME_WINDOW_BYTES_MAX);
    parts = text_split(text, ' ', arena);
    if (parts.count != 2 && parts.count != 3)
        return fail_text(error, text, "days, times and a time zone");
    if (!read_days(parts.items[0], arena, &read.days))
        return fail_text(error, text, "days are daily, or of mon, tue, wed, thu, fri, sat, sun");
    if (!read_times(parts.items[1], arena, &read))
        return fail_text(error, text, "times are 00:00 to 24:00, and two of them");
    if (!zone_find(parts.count == 3 ? parts.items[2] : "UTC", arena, &read.zone, error))
        return false;
    *window = read;
    return true;
}

/* ---- asking ---- */

static int64_t day_of(int64_t local_ms)
{
    return local_ms >= 0 ? local_ms / day_ms : (local_ms - day_ms + 1) / day_ms;
}

static bool begins_on(const TimeWindow *window, int64_t day)
{
    return window->days >> (((day + EPOCH_DAY) % DAYS + DAYS) % DAYS) & 1;
}

static bool is_inside(const TimeWindow *window, int64_t day, int64_t local_ms)
{
    int64_t at = local_ms - day * day_ms;

    return begins_on(window, day) && at >= window->begin_ms && at < window->end_ms;
}

static bool is_open(const TimeWindow *window, int64_t local_ms)
{
    int64_t day = day_of(local_ms);

    return is_inside(window, day, local_ms) || is_inside(window, day - 1, local_ms);
}

/* The first beginning behind a moment; there is one within a week. */
static int64_t next_beginning(const TimeWindow *window, int64_t local_ms)
{
    int64_t day = day_of(local_ms);

    while (!begins_on(window, day) || day * day_ms + window->begin_ms <= local_ms)
        day++;
    return day * day_ms + window->begin_ms;
}

/* Within a span of the zone local time goes on as UTC does; with the next span it jumps, and may
 * have jumped into the window. */
static int64_t next_opening(const TimeWindow *window, int64_t now_ms)
{
    for (int i = 0; i < SPANS_MAX; i++) {
        ZoneSpan span = zone_span_at(window->zone, now_ms);
        int64_t local = now_ms + span.offset_ms, begin;

        if (is_open(window, local))
            return now_ms;
        begin = next_beginning(window, local) - span.offset_ms;
        if (begin < span.end_ms)
            return begin;
        now_ms = span.end_ms;
    }
    return INT64_MAX;
}

int64_t time_window_next(const TimeWindowList *list, int64_t now_ms)
{
    int64_t next = list->count ? INT64_MAX : now_ms;

    for (size_t i = 0; i < list->count; i++) {
        int64_t opening = next_opening(&list->items[i], now_ms);

        if (opening < next)
            next = opening;
    }
    return next;
}
