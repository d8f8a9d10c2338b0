#include <math.h>
#include <string.h>

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

/* ---- by the step ---- */

/* The points of steps first to last, from 1, of every horizon. */
static ForecastPoints points_of_steps(const ForecastPoints *all, size_t horizon,
                                      const HorizonPart *steps, Arena *arena)
{
    const double *from[] = {all->truth, all->mean, all->low, all->high, all->scales};
    double *columns[COUNT(from)];
    size_t width = steps->last - steps->first + 1, blocks = all->count / horizon;

    for (size_t i = 0; i < COUNT(from); i++) {
        columns[i] = arena_array(arena, double, blocks *width);
        for (size_t block = 0; block < blocks; block++)
            memcpy(columns[i] + block * width, from[i] + block * horizon + steps->first - 1,
                   width * sizeof(double));
    }
    return (ForecastPoints){columns[0], columns[1],     columns[2], columns[3],
                            columns[4], blocks * width, all->level};
}

static bool judge_steps(const ForecastPoints *all, size_t horizon, const HorizonPart *steps,
                        Report *report, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ForecastPoints points = points_of_steps(all, horizon, steps, scratch);

    return report_make_forecast(&points, report, error);
}

bool report_add_steps(Report *report, const StepPoints *points, Arena *arena, Error *error)
{
    size_t horizon = points->horizon;
    size_t count = horizon < HORIZON_PARTS_MAX ? horizon : HORIZON_PARTS_MAX;
    HorizonPart *steps = arena_array(arena, HorizonPart, count);

    for (size_t i = 0; i < count; i++) {
        steps[i].first = i * horizon / count + 1;
        steps[i].last = (i + 1) * horizon / count;
        if (!judge_steps(points->judged, horizon, &steps[i], &steps[i].judged, error))
            return false;
        if (points->tested && points->tested->count > 0 &&
            !judge_steps(points->tested, horizon, &steps[i], &steps[i].tested, error))
            return false;
    }
    report->steps = steps;
    report->step_count = count;
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
