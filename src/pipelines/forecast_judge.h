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
    const ForecastPoints *tested; /* of back-tests, for figures by the step; NULL: none */
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

/* How a metric of two forecasts differs: the dates are drawn with replacement, each with all of its
 * series, as what happens on a day happens to many of them. Where the dates are fewer than
 * FORECAST_DATES_MIN points are drawn, and for r2, which is no mean over dates. Fails on one point.
 */
enum { FORECAST_DATES_MIN = 8 };

typedef struct ForecastRivals {
    const BenchForecast *champion, *challenger;
    const MetricKind *metric;
    double level;
} ForecastRivals;

bool forecast_bench_compare(const ForecastBench *bench, const ForecastRivals *rivals, Arena *arena,
                            PairedInterval *interval, Error *error) MUST_CHECK;

bool forecast_bench_report(const ForecastBench *bench, const BenchForecast *asked, Report *report,
                           Error *error) MUST_CHECK;

/* Adds how good each step is, of the dates and, where the bench has some, of back-tests. */
bool forecast_bench_add_steps(const ForecastBench *bench, const BenchForecast *asked, Arena *arena,
                              Report *report, Error *error) MUST_CHECK;
