/* forecast_judge.h: forecasts judged on the last dates of each series. Used in worker steps only.
 *
 * The dates are the last horizon of the set. A judged forecast was made of nothing but what lies
 * before them: how that is come by is who asks's business, and forecast_bench_ask() says which of a
 * model's series it took as they are.
 *
 *     ForecastBench bench = forecast_bench_make(&set, horizon, arena);
 *
 *     if (!forecast_bench_ask(&bench, model, arena, &asked, error) ||
 *         !forecast_bench_report(&bench, &asked, &report, error))
 *         return false;
 */
#pragma once

#include "ml/report.h"
#include "pipelines/series_set.h"

typedef struct ForecastBench {
    const SeriesSet *set;
    size_t horizon;
    size_t count; /* points: series by series, each with horizon dates */
    const double *truth;
    const double *scales; /* of each point's series: its seasonal naive error before the dates */
} ForecastBench;

typedef struct BenchForecast {
    const double *mean, *low, *high; /* count of each */
} BenchForecast;

ForecastBench forecast_bench_make(const SeriesSet *set, size_t horizon, Arena *arena);

/* The first date that series is judged on. */
int64_t forecast_bench_begin(const ForecastBench *bench, const DatedSeries *series);

/* Conflict when the model lacks a series, has seen a date or cannot reach one. */
bool forecast_bench_ask(const ForecastBench *bench, const ForecastModel *model, Arena *arena,
                        BenchForecast *asked, Error *error) MUST_CHECK;

/* Always the mean of the values before, its intervals from their deviation. */
BenchForecast forecast_bench_baseline(const ForecastBench *bench, Arena *arena);

bool forecast_bench_report(const ForecastBench *bench, const BenchForecast *asked, Report *report,
                           Error *error) MUST_CHECK;
