#include "pipelines/forecast_judge.h"

#include <math.h>
#include <string.h>

#include "ml/forecast_metric.h"
#include "ml/forecast_rows.h"

ForecastBench forecast_bench_make(const SeriesSet *set, size_t horizon, Arena *arena)
{
    size_t count = set->count * horizon, at = 0;
    double *truth = arena_array(arena, double, count), *scales = arena_array(arena, double, count);

    for (size_t i = 0; i < set->count; i++) {
        const TimeIndex *index = &set->items[i].index;
        Series before = {index->values, index->count - horizon,
                         set->period_count ? set->periods[0] : 1};
        double scale = seasonal_naive_scale(&before, 1);

        for (size_t step = 0; step < horizon; step++, at++) {
            truth[at] = index->values[before.count + step];
            scales[at] = scale > 0 ? scale : NAN;
        }
    }
    return (ForecastBench){set, horizon, count, truth, scales};
}

int64_t forecast_bench_begin(const ForecastBench *bench, const DatedSeries *series)
{
    return dated_series_time(bench->set, series, series->index.count - bench->horizon);
}

/* How many of the forecast's steps lie before the first date; false where that is none of them. */
static bool find_step(const DatedForecast *dated, int64_t begin_ms, size_t *step)
{
    for (size_t i = 0; i < dated->count; i++) {
        if (dated->times_ms[i] != begin_ms)
            continue;
        *step = i;
        return true;
    }
    return false;
}

/* Where the points of one series go. */
typedef struct Points {
    double *mean, *low, *high;
} Points;

static bool ask_series(const ForecastBench *bench, const ForecastModel *model,
                       const DatedSeries *series, Points points, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastAsk ask = {.steps = forecast_model_steps_max(model), .level = FORECAST_LEVEL};
    size_t size = bench->horizon * sizeof(double), step;
    DatedForecast dated;

    if (!forecast_model_find(model, series->id, &ask.series))
        return fail(error, ERROR_CONFLICT, "it does not forecast series \"%.80s\"", series->id);
    if (!forecast_model_predict(model, &ask, arena, &dated, error))
        return false;
    if (!find_step(&dated, forecast_bench_begin(bench, series), &step) ||
        step + bench->horizon > dated.count)
        return fail(
            error, ERROR_CONFLICT,
            "its forecast of series \"%.80s\" does not reach the dates that it is judged on",
            series->id);
    memcpy(points.mean, dated.mean + step, size);
    memcpy(points.low, dated.low + step, size);
    memcpy(points.high, dated.high + step, size);
    return true;
}

bool forecast_bench_ask(const ForecastBench *bench, const ForecastModel *model, Arena *arena,
                        BenchForecast *asked, Error *error)
{
    Points all = {arena_array(arena, double, bench->count),
                  arena_array(arena, double, bench->count),
                  arena_array(arena, double, bench->count)};

    for (size_t i = 0; i < bench->set->count; i++) {
        size_t at = i * bench->horizon;

        if (!ask_series(bench, model, &bench->set->items[i],
                        (Points){all.mean + at, all.low + at, all.high + at}, error))
            return false;
    }
    *asked = (BenchForecast){all.mean, all.low, all.high};
    return true;
}

static void fill_mean(const ForecastBench *bench, const TimeIndex *index, Points points)
{
    size_t count = index->count - bench->horizon;
    double mean = 0, squares = 0, half;

    for (size_t i = 0; i < count; i++)
        mean += index->values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (index->values[i] - mean) * (index->values[i] - mean);
    half = normal_quantile((1 + FORECAST_LEVEL) / 2) * sqrt(squares / (double)count);
    for (size_t step = 0; step < bench->horizon; step++) {
        points.mean[step] = mean;
        points.low[step] = mean - half;
        points.high[step] = mean + half;
    }
}

BenchForecast forecast_bench_baseline(const ForecastBench *bench, Arena *arena)
{
    Points all = {arena_array(arena, double, bench->count),
                  arena_array(arena, double, bench->count),
                  arena_array(arena, double, bench->count)};

    for (size_t i = 0; i < bench->set->count; i++) {
        size_t at = i * bench->horizon;

        fill_mean(bench, &bench->set->items[i].index,
                  (Points){all.mean + at, all.low + at, all.high + at});
    }
    return (BenchForecast){all.mean, all.low, all.high};
}

bool forecast_bench_report(const ForecastBench *bench, const BenchForecast *asked, Report *report,
                           Error *error)
{
    ForecastPoints points = {.truth = bench->truth,
                             .mean = asked->mean,
                             .low = asked->low,
                             .high = asked->high,
                             .scales = bench->scales,
                             .count = bench->count,
                             .level = FORECAST_LEVEL};

    return report_make_forecast(&points, report, error);
}
