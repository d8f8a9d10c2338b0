#include <stdlib.h>

#include "ml/frequency.h"

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Months are left where every time is the one that follows from the first by whole months, on the
 * latest day of the month that any of them has. */
static bool detect_months(const int64_t *times_ms, size_t count, Frequency *frequency)
{
    Frequency found = {0};
    int64_t first = calendar_month(times_ms[0]), divisor = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned day = calendar_day(times_ms[i]);

        divisor = common_divisor(calendar_month(times_ms[i]) - first, divisor);
        if (day > found.day)
            found.day = day;
    }
    found.months = (unsigned)divisor;
    if (!frequency_is_valid(&found) || found.months == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t place;

        if (!frequency_add(&found, times_ms[0], (calendar_month(times_ms[i]) - first) / divisor,
                           &place) ||
            place != times_ms[i])
            return false;
    }
    *frequency = found;
    return true;
}

static int compare_distances(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, two = *(const int64_t *)b;

    return (one > two) - (one < two);
}

/* The distance that most have, the shortest of those; how many have it. */
static size_t find_mode(int64_t *distances, size_t count, int64_t *mode)
{
    size_t most = 0, run = 0;

    qsort(distances, count, sizeof(*distances), compare_distances);
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && distances[i] == distances[i - 1] ? run + 1 : 1;
        if (run <= most)
            continue;
        most = run;
        *mode = distances[i];
    }
    return most;
}

bool frequency_detect(const int64_t *times_ms, size_t count, Frequency *frequency, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    int64_t *distances, mode = 0;

    if (count < 2)
        return fail(error, ERROR_INVALID,
                    "a frequency cannot be found in %zu time%s, name it (day, month, 15 minutes)",
                    count, count == 1 ? "" : "s");
    if (detect_months(times_ms, count, frequency))
        return true;
    distances = arena_array(scratch, int64_t, count - 1);
    for (size_t i = 1; i < count; i++)
        distances[i - 1] = times_ms[i] - times_ms[i - 1];
    if (find_mode(distances, count - 1, &mode) * 2 < count - 1 ||
        !frequency_is_valid(&(Frequency){mode, 0, 0}))
        return fail(error, ERROR_INVALID,
                    "the times have no common distance; name the frequency and how the values of a "
                    "step are made one (as daily mean)");
    *frequency = (Frequency){mode, 0, 0};
    return true;
}
