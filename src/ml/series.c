#include "ml/series.h"

#include <math.h>

static bool check_value(double value, size_t i, Error *error)
{
    if (isnan(value))
        return fail(error, ERROR_INVALID,
                    "value %zu of the series is missing, but every value must be there", i);
    if (!(fabs(value) <= SERIES_VALUE_MAX))
        return fail(error, ERROR_INVALID,
                    "value %zu of the series is %g, but at most %g is allowed", i, value,
                    SERIES_VALUE_MAX);
    return true;
}

static bool check_longer(const Series *series, Error *error)
{
    size_t least = series->period;

    if (series->longer_count > SERIES_LONGER_MAX)
        return fail(error, ERROR_INVALID,
                    "a series has at most %d longer seasons beside its period, not %zu",
                    SERIES_LONGER_MAX, series->longer_count);
    for (size_t i = 0; i < series->longer_count; i++) {
        if (series->longer[i] <= least || series->longer[i] > SERIES_PERIOD_MAX)
            return fail(error, ERROR_INVALID, "a longer season has %zu to %d values here, not %zu",
                        least + 1, SERIES_PERIOD_MAX, series->longer[i]);
        least = series->longer[i];
    }
    return true;
}

bool series_check(const Series *series, size_t least, Error *error)
{
    if (series->count < least)
        return fail(error, ERROR_INVALID, "the series has %zu value%s, but at least %zu are needed",
                    series->count, series->count == 1 ? "" : "s", least);
    if (series->count > SERIES_COUNT_MAX)
        return fail(error, ERROR_TOO_LARGE, "the series has %zu values, but at most %d are allowed",
                    series->count, SERIES_COUNT_MAX);
    if (series->period == 0 || series->period > SERIES_PERIOD_MAX)
        return fail(error, ERROR_INVALID, "a season has 1 to %d values, not %zu", SERIES_PERIOD_MAX,
                    series->period);
    if (!check_longer(series, error))
        return false;
    for (size_t i = 0; i < series->count; i++)
        if (!check_value(series->values[i], i, error))
            return false;
    return true;
}

bool series_is_constant(const Series *series)
{
    for (size_t i = 1; i < series->count; i++)
        if (series->values[i] != series->values[0])
            return false;
    return true;
}

bool series_is_positive(const Series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (!(series->values[i] > 0))
            return false;
    return true;
}
