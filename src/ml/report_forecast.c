#include <math.h>

#include "ml/report_internal.h"

typedef double Loss(const ForecastPoints *points, size_t at);

static double absolute_error(const ForecastPoints *points, size_t at)
{
    return fabs(points->truth[at] - points->mean[at]);
}

static double scaled_error(const ForecastPoints *points, size_t at)
{
    return absolute_error(points, at) / points->scales[at];
}

static double symmetric_error(const ForecastPoints *points, size_t at)
{
    double size = fabs(points->truth[at]) + fabs(points->mean[at]);

    return size > 0 ? 200 * absolute_error(points, at) / size : 0;
}

static double scaled_interval(const ForecastPoints *points, size_t at)
{
    double truth = points->truth[at], low = points->low[at], high = points->high[at];
    double missed = fmax(0, low - truth) + fmax(0, truth - high);

    return (high - low + 2 / (1 - points->level) * missed) / points->scales[at];
}

static double is_covered(const ForecastPoints *points, size_t at)
{
    return points->truth[at] >= points->low[at] && points->truth[at] <= points->high[at];
}

static const struct {
    size_t offset;
    Loss *loss;
} means[] = {
    {offsetof(Report, mae), absolute_error},
    {offsetof(Report, mase), scaled_error},
    {offsetof(Report, smape), symmetric_error},
    {offsetof(Report, msis), scaled_interval},
};

static double mean_of(const ForecastPoints *points, Loss *loss)
{
    double sum = 0;

    for (size_t i = 0; i < points->count; i++)
        sum += loss(points, i);
    return isfinite(sum) ? sum / (double)points->count : NAN;
}

bool report_make_forecast(const ForecastPoints *points, Report *report, Error *error)
{
    Report made;

    if (!report_make_numbers(points->truth, points->mean, points->count, &made, error))
        return false;
    made.task = TASK_FORECAST;
    made.mase = mean_of(points, scaled_error);
    made.smape = mean_of(points, symmetric_error);
    made.msis = mean_of(points, scaled_interval);
    made.coverage = mean_of(points, is_covered);
    *report = made;
    return true;
}

bool forecast_losses(const ForecastPoints *points, const MetricKind *metric, double *losses)
{
    for (size_t i = 0; i < COUNT(means); i++) {
        if (means[i].offset != metric->offset)
            continue;
        for (size_t at = 0; at < points->count; at++)
            losses[at] = means[i].loss(points, at);
        return true;
    }
    return false;
}
