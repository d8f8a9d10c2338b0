#include "ml/forecast_metric.h"

#include <assert.h>
#include <math.h>

typedef struct Sums {
    size_t count, inside;
    double smape, absolute, squared, truth, interval;
} Sums;

double seasonal_naive_scale(const Series *series, int power)
{
    double sum = 0;
    size_t count = 0;

    for (size_t i = series->period; i < series->count; i++) {
        double difference = fabs(series->values[i] - series->values[i - series->period]);

        if (isnan(difference))
            continue;
        sum += power == 2 ? difference * difference : difference;
        count++;
    }
    return count > 0 ? sum / (double)count : NAN;
}

double overall_weighted_average(double smape, double mase, double naive2_smape, double naive2_mase)
{
    return (smape / naive2_smape + mase / naive2_mase) / 2;
}

static double over(double value, double scale)
{
    return scale > 0 ? value / scale : NAN;
}

static double step_smape(double truth, double forecast)
{
    double size = fabs(truth) + fabs(forecast);

    return size > 0 ? 200 * fabs(truth - forecast) / size : 0;
}

static double interval_score(double truth, double low, double high, double level)
{
    double outside = truth < low ? low - truth : truth > high ? truth - high : 0;

    return high - low + 2 / (1 - level) * outside;
}

static void add_step(Sums *sums, double truth, const ForecastIntervals *forecast, size_t step,
                     double level)
{
    double error = truth - forecast->mean[step];
    double low = forecast->low[step], high = forecast->high[step];

    sums->count++;
    sums->truth += truth;
    sums->smape += step_smape(truth, forecast->mean[step]);
    sums->absolute += fabs(error);
    sums->squared += error * error;
    sums->interval += interval_score(truth, low, high, level);
    sums->inside += truth >= low && truth <= high;
}

static double spread_of(const double *actual, size_t count, double mean)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        if (!isnan(actual[i]))
            sum += (actual[i] - mean) * (actual[i] - mean);
    return sum;
}

ForecastScore forecast_score_intervals(const double *actual, const ForecastIntervals *forecast,
                                       double level, const Series *series)
{
    Sums sums = {0};
    double scale = seasonal_naive_scale(series, 1), count;

    assert(level > 0 && level < 1);
    for (size_t step = 0; step < forecast->horizon; step++)
        if (!isnan(actual[step]))
            add_step(&sums, actual[step], forecast, step, level);
    count = (double)sums.count;
    return (ForecastScore){
        .count = sums.count,
        .smape = over(sums.smape, count),
        .mae = over(sums.absolute, count),
        .rmse = sqrt(over(sums.squared, count)),
        .mase = over(over(sums.absolute, count), scale),
        .rmsse = sqrt(over(over(sums.squared, count), seasonal_naive_scale(series, 2))),
        .r2 = 1 - over(sums.squared, spread_of(actual, forecast->horizon, sums.truth / count)),
        .msis = over(over(sums.interval, count), scale),
        .coverage = isnan(sums.interval) ? NAN : over((double)sums.inside, count),
    };
}

ForecastScore forecast_score(const double *actual, const Forecast *forecast, double level,
                             const Series *series)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *low = arena_array(scratch, double, forecast->horizon);
    double *high = arena_array(scratch, double, forecast->horizon);

    assert(level > 0 && level < 1);
    forecast_interval(forecast, level, low, high);
    return forecast_score_intervals(
        actual, &(ForecastIntervals){forecast->horizon, forecast->mean, low, high}, level, series);
}
