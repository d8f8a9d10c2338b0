#include "ml/season.h"

#include <math.h>

static const double limit_quantile = 1.645;    /* as M4 wrote it */
static const double multiplicative_min = 1e-4; /* R's thetaf() takes less for no season, too */

static double mean_of(const Series *series)
{
    double sum = 0;

    for (size_t i = 0; i < series->count; i++)
        sum += series->values[i];
    return sum / (double)series->count;
}

static double autocovariance(const double *centred, size_t count, size_t lag)
{
    double sum = 0;

    for (size_t i = lag; i < count; i++)
        sum += centred[i] * centred[i - lag];
    return sum;
}

static bool is_outside_limits(const double *centred, size_t count, size_t period)
{
    double variance = autocovariance(centred, count, 0), sum = 0, last;

    for (size_t lag = 1; lag < period; lag++) {
        double correlation = autocovariance(centred, count, lag) / variance;

        sum += correlation * correlation;
    }
    last = autocovariance(centred, count, period) / variance;
    return fabs(last) > limit_quantile * sqrt((1 + 2 * sum) / (double)count);
}

bool season_is_significant(const Series *series)
{
    CLEANUP(arena_cleanup) Arena *scratch = NULL;
    double mean = mean_of(series), *centred;

    if (series->period < 2 || series->count / 3 < series->period || series_is_constant(series))
        return false;
    scratch = arena_create();
    centred = arena_array(scratch, double, series->count);
    for (size_t i = 0; i < series->count; i++)
        centred[i] = series->values[i] - mean;
    return is_outside_limits(centred, series->count, series->period);
}

/* The mean of a period around the time; with an even one half of each value at its ends. */
static double trend_at(const Series *series, size_t time)
{
    size_t period = series->period, half = period / 2;
    const double *start = series->values + time - half;
    double sum = 0;

    if (period % 2 == 1) {
        for (size_t i = 0; i < period; i++)
            sum += start[i];
        return sum / (double)period;
    }
    sum = (start[0] + start[period]) / 2;
    for (size_t i = 1; i < period; i++)
        sum += start[i];
    return sum / (double)period;
}

static double index_at(const Series *series, SeasonKind kind, size_t position)
{
    size_t half = series->period / 2, count = 0;
    double sum = 0;

    for (size_t time = position; time + half < series->count; time += series->period) {
        double value = series->values[time];

        if (time < half)
            continue;
        sum += kind == SEASON_ADDITIVE ? value - trend_at(series, time)
                                       : value / trend_at(series, time);
        count++;
    }
    return sum / (double)count;
}

Season season_decompose(const Series *series, SeasonKind kind, Arena *arena)
{
    double *indices = arena_array(arena, double, series->period), mean = 0;

    for (size_t i = 0; i < series->period; i++) {
        indices[i] = index_at(series, kind, i);
        mean += indices[i] / (double)series->period;
    }
    for (size_t i = 0; i < series->period; i++)
        indices[i] = kind == SEASON_ADDITIVE ? indices[i] - mean : indices[i] / mean;
    return (Season){kind, series->period, indices};
}

static bool is_usable(const Season *season)
{
    for (size_t i = 0; i < season->period; i++)
        if (!(season->indices[i] >= multiplicative_min))
            return false;
    return true;
}

Season season_detect(const Series *series, Arena *arena)
{
    if (!season_is_significant(series))
        return (Season){SEASON_NONE, 1, NULL};
    if (series_is_positive(series)) {
        Season season = season_decompose(series, SEASON_MULTIPLICATIVE, arena);

        if (is_usable(&season))
            return season;
    }
    return season_decompose(series, SEASON_ADDITIVE, arena);
}

void season_remove(const Season *season, const Series *series, double *adjusted)
{
    for (size_t i = 0; i < series->count; i++) {
        adjusted[i] = series->values[i];
        if (season->kind == SEASON_ADDITIVE)
            adjusted[i] -= season->indices[i % season->period];
        if (season->kind == SEASON_MULTIPLICATIVE)
            adjusted[i] /= season->indices[i % season->period];
    }
}

double *season_adjusted(const Season *season, const Series *series, double *scale, Arena *arena)
{
    double *adjusted = arena_array(arena, double, series->count), size = 0;

    season_remove(season, series, adjusted);
    for (size_t i = 0; i < series->count; i++)
        size += fabs(adjusted[i]) / (double)series->count;
    *scale = size > 0 ? size : 1;
    for (size_t i = 0; i < series->count; i++)
        adjusted[i] /= *scale;
    return adjusted;
}

double season_restore(const Season *season, size_t time, double value)
{
    switch (season->kind) {
    case SEASON_ADDITIVE:
        return value + season->indices[time % season->period];
    case SEASON_MULTIPLICATIVE:
        return value * season->indices[time % season->period];
    case SEASON_NONE:
        break;
    }
    return value;
}

double season_restore_deviation(const Season *season, size_t time, double deviation)
{
    return season->kind == SEASON_MULTIPLICATIVE ? season_restore(season, time, deviation)
                                                 : deviation;
}
