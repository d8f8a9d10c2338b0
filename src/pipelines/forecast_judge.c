#include "pipelines/forecast_judge.h"

#include <math.h>
#include <string.h>

#include "ml/forecast_metric.h"
#include "ml/forecast_rows.h"
#include "pipelines/gate.h"

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
    return (ForecastBench){
        .set = set, .horizon = horizon, .count = count, .truth = truth, .scales = scales};
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

typedef struct KnownTaking {
    const KnownColumns *columns; /* the data's */
    Arena *arena;
} KnownTaking;

/* What is known of the dates that the model forecasts, true as it came: that is what a known column
 * promises. */
static bool take_known(const ForecastModel *model, const DatedSeries *series, ForecastAsk *ask,
                       const KnownTaking *taking, Error *error)
{
    ForecastSeries asked = forecast_model_series(model, ask->series);
    Frequency frequency = forecast_model_frequency(model);
    const KnownColumns *columns = forecast_model_known(model);
    KnownRows rows = {taking->columns, series->known, series->index.count + series->future_count};
    Arena *arena = taking->arena;
    const double *translated;
    double *known;

    if (!asked.with_known)
        return true;
    if (!known_rows_translate(&rows, columns, arena, &translated, error))
        return false;
    known = arena_array(arena, double, ask->steps * columns->count);
    for (size_t i = 0; i < ask->steps * columns->count; i++)
        known[i] = NAN;
    for (size_t step = 0; step < ask->steps; step++) {
        int64_t time_ms;
        size_t place;

        if (frequency_add(&frequency, asked.last_ms, (int64_t)step + 1, &time_ms) &&
            time_index_place(&series->index, time_ms, &place) && place < rows.count)
            memcpy(known + step * columns->count, translated + place * columns->count,
                   columns->count * sizeof(*known));
    }
    ask->known = known;
    ask->may_miss_known = true;
    return true;
}

static bool ask_series(const ForecastBench *bench, const ForecastModel *model,
                       const DatedSeries *series, Points points, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ForecastAsk ask = {.steps = forecast_model_steps_max(model), .level = FORECAST_LEVEL};
    size_t size = bench->horizon * sizeof(double), step;
    KnownTaking taking = {&bench->set->known, arena};
    DatedForecast dated;

    if (!forecast_model_find(model, series->id, &ask.series))
        return fail(error, ERROR_CONFLICT, "it does not forecast series \"%.80s\"", series->id);
    if (!take_known(model, series, &ask, &taking, error) ||
        !forecast_model_predict(model, &ask, arena, &dated, error))
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

static ForecastPoints points_of(const ForecastBench *bench, const BenchForecast *asked)
{
    return (ForecastPoints){.truth = bench->truth,
                            .mean = asked->mean,
                            .low = asked->low,
                            .high = asked->high,
                            .scales = bench->scales,
                            .count = bench->count,
                            .level = FORECAST_LEVEL};
}

bool forecast_bench_report(const ForecastBench *bench, const BenchForecast *asked, Report *report,
                           Error *error)
{
    ForecastPoints points = points_of(bench, asked);

    return report_make_forecast(&points, report, error);
}

bool forecast_bench_add_steps(const ForecastBench *bench, const BenchForecast *asked, Arena *arena,
                              Report *report, Error *error)
{
    ForecastPoints points = points_of(bench, asked);
    StepPoints steps = {&points, bench->tested, bench->horizon};

    return report_add_steps(report, &steps, arena, error);
}

/* ---- two forecasts ---- */

/* What is drawn: numbers whose metric is the forecasts' own. */
typedef struct Draw {
    const char *metric; /* by which they come to it */
    const double *truth, *champion, *challenger;
    size_t count;
} Draw;

static bool draws_dates(const ForecastBench *bench)
{
    return bench->horizon >= FORECAST_DATES_MIN || bench->set->count == 1;
}

/* The mean over the series of each date, or, where points are drawn, the losses themselves. */
static const double *by_date(const ForecastBench *bench, const double *losses, Arena *arena)
{
    double *means = arena_array(arena, double, bench->horizon);

    if (!draws_dates(bench))
        return losses;
    for (size_t at = 0; at < bench->count; at++)
        means[at % bench->horizon] += losses[at] / (double)bench->set->count;
    return means;
}

static const double *squared_by_date(const ForecastBench *bench, const BenchForecast *asked,
                                     Arena *arena)
{
    double *squares = arena_array(arena, double, bench->count), *roots;
    const double *means;
    size_t count = draws_dates(bench) ? bench->horizon : bench->count;

    for (size_t at = 0; at < bench->count; at++)
        squares[at] = (bench->truth[at] - asked->mean[at]) * (bench->truth[at] - asked->mean[at]);
    means = by_date(bench, squares, arena);
    roots = arena_array(arena, double, count);
    for (size_t i = 0; i < count; i++)
        roots[i] = sqrt(means[i]);
    return roots;
}

static const double *losses_by_date(const ForecastBench *bench, const BenchForecast *asked,
                                    const MetricKind *metric, Arena *arena)
{
    double *losses = arena_array(arena, double, bench->count);
    ForecastPoints points = points_of(bench, asked);

    return forecast_losses(&points, metric, losses) ? by_date(bench, losses, arena) : NULL;
}

/* A mean of losses is the mean error of them against 0, and a root of mean squares the root mean
 * squared error of roots against 0. */
static Draw make_draw(const ForecastBench *bench, const ForecastRivals *rivals, Arena *arena)
{
    const MetricKind *metric = rivals->metric;
    size_t count = draws_dates(bench) ? bench->horizon : bench->count;
    Draw draw = {.metric = "mae", .truth = arena_array(arena, double, count), .count = count};

    draw.champion = losses_by_date(bench, rivals->champion, metric, arena);
    draw.challenger = losses_by_date(bench, rivals->challenger, metric, arena);
    if (draw.champion)
        return draw;
    draw.metric = metric->name;
    if (strcmp(metric->name, "rmse") == 0) {
        draw.champion = squared_by_date(bench, rivals->champion, arena);
        draw.challenger = squared_by_date(bench, rivals->challenger, arena);
        return draw;
    }
    draw.truth = bench->truth;
    draw.champion = rivals->champion->mean;
    draw.challenger = rivals->challenger->mean;
    draw.count = bench->count;
    return draw;
}

bool forecast_bench_compare(const ForecastBench *bench, const ForecastRivals *rivals, Arena *arena,
                            PairedInterval *interval, Error *error)
{
    Draw draw = make_draw(bench, rivals, arena);
    NumberRivals numbers = {
        draw.truth,    draw.champion,  draw.challenger, draw.count, metric_find(draw.metric),
        rivals->level, GATE_RESAMPLES, GATE_SEED};

    if (draw.count < 2)
        return fail(error, ERROR_CONFLICT,
                    "one date of one series judges nobody: train with a horizon of 2 or more");
    return paired_bootstrap_numbers(&numbers, interval, error);
}
