#include "ml/outlier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/stl.h"

enum { MEDIAN_HALF = 3, COUNT_MIN = 8, SEASON_WINDOW = 11, SEASON_REPEATS = 2 };

static const double fence = 3;
static const double rounding_share = 1e-12; /* of the largest value: what is less is no spread */

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

/* Of the values around a time, the nearest ones that there are. */
static double median_around(const double *values, size_t count, size_t time)
{
    double near[2 * MEDIAN_HALF + 1];
    size_t first = time < MEDIAN_HALF ? 0 : time - MEDIAN_HALF;

    if (first + COUNT(near) > count)
        first = count - COUNT(near);
    memcpy(near, values + first, sizeof(near));
    qsort(near, COUNT(near), sizeof(*near), compare_doubles);
    return near[MEDIAN_HALF];
}

/* What trend and season say. */
static void fit_usual(const Series *series, double *usual, Arena *scratch)
{
    bool has_season = series->period >= 2 && series->count / SEASON_REPEATS >= series->period &&
                      series->count <= OUTLIER_STL_MAX;
    StlSpec spec;
    Stl parts;

    if (!has_season) {
        for (size_t i = 0; i < series->count; i++)
            usual[i] = median_around(series->values, series->count, i);
        return;
    }
    spec = stl_usual(series->period, SEASON_WINDOW, true);
    parts = stl_decompose(series->values, series->count, &spec, scratch);
    for (size_t i = 0; i < series->count; i++)
        usual[i] = parts.season[i] + parts.trend[i];
}

size_t outliers_find(const Series *series, double *expected)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count = series->count, found = 0;
    double *usual = arena_array(scratch, double, count);
    double *rising = arena_array(scratch, double, count), lower, upper, width, rounding = 0;

    for (size_t i = 0; i < count; i++)
        expected[i] = NAN;
    if (count < COUNT_MIN)
        return 0;
    fit_usual(series, usual, scratch);
    for (size_t i = 0; i < count; i++)
        rising[i] = series->values[i] - usual[i];
    for (size_t i = 0; i < count; i++)
        rounding = fmax(rounding, rounding_share * fabs(series->values[i]));
    qsort(rising, count, sizeof(*rising), compare_doubles);
    lower = rising[count / 4];
    upper = rising[count - 1 - count / 4];
    width = fence * (upper - lower);
    for (size_t i = 0; i < count && width > rounding; i++) {
        double left = series->values[i] - usual[i];

        if (left >= lower - width && left <= upper + width)
            continue;
        expected[i] = usual[i];
        found++;
    }
    return found;
}
