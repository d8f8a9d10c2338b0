#include <math.h>
#include <string.h>

#include "ml/arima_internal.h"

static const double level_limit = 0.463; /* of the KPSS statistic, at 5 % */

enum { DIFFERENCED_MIN = 6, SEASON_WINDOW = 11, SEASON_TURNS = 2 };

/* ---- KPSS ---- */

static double autocovariance(const double *centred, size_t count, size_t lag)
{
    double sum = 0;

    for (size_t i = lag; i < count; i++)
        sum += centred[i] * centred[i - lag];
    return sum / (double)count;
}

/* The sum of squared partial sums over the long-run variance, with Bartlett's weights up to the lag
 * that auto.arima() takes. */
static double kpss_statistic(const double *values, size_t count, double *centred)
{
    size_t lags = (size_t)(3 * sqrt((double)count) / 13);
    double mean = 0, partial = 0, squares = 0, variance;

    for (size_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (size_t i = 0; i < count; i++) {
        centred[i] = values[i] - mean;
        partial += centred[i];
        squares += partial * partial;
    }
    variance = autocovariance(centred, count, 0);
    for (size_t lag = 1; lag <= lags; lag++)
        variance +=
            2 * (1 - (double)lag / (double)(lags + 1)) * autocovariance(centred, count, lag);
    return variance > 0 ? squares / variance / (double)count / (double)count : 0;
}

static bool is_even(const double *values, size_t count)
{
    return series_is_constant(&(Series){values, count, 1});
}

size_t arima_differences(const double *values, size_t count)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *left = arena_array(scratch, double, count), *room = arena_array(scratch, double, count);
    size_t times = 0;

    memcpy(left, values, count * sizeof(*left));
    while (times < ARIMA_DIFFERENCES_MAX && count > DIFFERENCED_MIN && !is_even(left, count) &&
           kpss_statistic(left, count, room) > level_limit) {
        arima_difference(left, count--, 1);
        times++;
    }
    return times;
}

/* ---- how strong a season is ---- */

/* Values that a line or a mean is drawn through. */
typedef struct Window {
    const double *values;
    size_t count, stride; /* how many, and how far apart they lie */
    size_t width;
} Window;

static double tricube(double distance)
{
    double rest = 1 - distance * distance * distance;

    return rest * rest * rest;
}

/* A local fit of the nearest values, weighted by tricube (Cleveland 1979). */
static double smooth_at(const Window *window, size_t at, bool is_line)
{
    size_t width = window->width < window->count ? window->width : window->count;
    size_t half = width / 2, last = window->count - width;
    size_t start = at < half ? 0 : at - half < last ? at - half : last;
    double far = fmax((double)(at - start), (double)(start + width - 1 - at)) + 1;
    double weights = 0, sum = 0, middle = 0, along = 0, across = 0, value;

    for (size_t i = start; i < start + width; i++) {
        double weight = tricube(fabs((double)i - (double)at) / far);

        weights += weight;
        sum += weight * window->values[i * window->stride];
        middle += weight * (double)i;
    }
    value = sum / weights;
    if (!is_line)
        return value;
    middle /= weights;
    for (size_t i = start; i < start + width; i++) {
        double weight = tricube(fabs((double)i - (double)at) / far), side = (double)i - middle;

        along += weight * side * side;
        across += weight * side * window->values[i * window->stride];
    }
    return along > 0 ? value + across / along * ((double)at - middle) : value;
}

/* Each position's values through the years, smoothed; less their own mean over a period, so that
 * they hold no trend. */
static void take_season(const Series *series, const double *trend, double *detrended,
                        double *season)
{
    size_t period = series->period, count = series->count;

    for (size_t i = 0; i < count; i++)
        detrended[i] = series->values[i] - trend[i];
    for (size_t i = 0; i < count; i++) {
        size_t position = i % period;
        Window window = {detrended + position, (count - position + period - 1) / period, period,
                         SEASON_WINDOW};

        season[i] = smooth_at(&window, i / period, false);
    }
    for (size_t i = 0; i < count; i++)
        detrended[i] = season[i];
    for (size_t i = 0; i < count; i++) {
        size_t half = period / 2, last = count - period;
        size_t start = i < half ? 0 : i - half < last ? i - half : last;
        double sum = 0;

        for (size_t k = 0; k < period; k++)
            sum += detrended[start + k];
        season[i] -= sum / (double)period;
    }
}

static double variance_of(const double *values, size_t count)
{
    double mean = 0, sum = 0;

    for (size_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum / (double)count;
}

/* A short form of STL (Cleveland, Cleveland, McRae and Terpenning 1990). */
double arima_season_strength(const Series *series)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count = series->count,
           width = (size_t)ceil(1.5 * (double)series->period / (1 - 1.5 / 11));
    double *trend = arena_array(scratch, double, count);
    double *rest = arena_array(scratch, double, count);
    double *season = arena_array(scratch, double, count);
    double around;

    for (size_t turn = 0; turn < SEASON_TURNS; turn++) {
        take_season(series, trend, rest, season);
        for (size_t i = 0; i < count; i++)
            rest[i] = series->values[i] - season[i];
        for (size_t i = 0; i < count; i++)
            trend[i] = smooth_at(&(Window){rest, count, 1, width | 1}, i, true);
    }
    for (size_t i = 0; i < count; i++) {
        rest[i] -= trend[i];
        trend[i] = rest[i] + season[i];
    }
    around = variance_of(trend, count);
    return around > 0 ? fmax(0, 1 - variance_of(rest, count) / around) : 0;
}
