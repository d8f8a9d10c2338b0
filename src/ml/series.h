/* series.h: a time series: values at equal distances, oldest first.
 *
 * A Series owns nothing. Its values are finite and at most SERIES_VALUE_MAX in size; only the
 * functions that say so take NaN for a value that is missing. The period is the number of values in
 * a season (12 for months of a year), 1 where there is none. Longer seasons that may be there are
 * named beside it (168 for hours, 365 for days, 52 for weeks): a learner that knows several seasons
 * looks whether the values have them, the others know the period alone.
 *
 *     Series series = {values, 144, 12};
 *     if (!series_check(&series, 2, error))
 *         return false;
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct Series {
    const double *values;
    size_t count, period;
    const size_t *longer; /* rising, each longer than the period; NULL for none */
    size_t longer_count;
} Series;

enum {
    SERIES_COUNT_MAX = 1 << 20,
    SERIES_PERIOD_MAX = 10000, /* the season test looks at each lag up to it */
    SERIES_LONGER_MAX = 3,
};

#define SERIES_VALUE_MAX 1e100 /* so that sums of squares stay finite */

/* Fails on fewer values than least, more than the limit, and a value or period that is not allowed.
 */
bool series_check(const Series *series, size_t least, Error *error) MUST_CHECK;

bool series_is_constant(const Series *series);
bool series_is_positive(const Series *series);
