#include "ml/naive.h"

#include <math.h>
#include <string.h>

#include "ml/season.h"

/* All of them: a value for each position of the season that comes after the end, and how the
 * deviation grows. */
typedef struct NaiveModel {
    size_t count, period;
    const double *next; /* by step modulo period */
    double slope, deviation;
    const size_t *support; /* seasonal mean: values behind each of next */
    Season season;
} NaiveModel;

static double root_mean(double squares, size_t count)
{
    return count > 0 ? sqrt(squares / (double)count) : NAN;
}

static double lag_deviation(const double *values, size_t count, size_t lag)
{
    double sum = 0;

    for (size_t i = lag; i < count; i++)
        sum += (values[i] - values[i - lag]) * (values[i] - values[i - lag]);
    return root_mean(sum, count > lag ? count - lag : 0);
}

static NaiveModel *repeat_last(const double *values, size_t count, size_t period, Arena *arena)
{
    NaiveModel *model = arena_new(arena, NaiveModel);
    double *next = arena_array(arena, double, period);

    memcpy(next, values + count - period, period * sizeof(*next));
    *model = (NaiveModel){.count = count,
                          .period = period,
                          .next = next,
                          .deviation = lag_deviation(values, count, period)};
    return model;
}

static const void *fit_naive(const Series *series, Arena *arena)
{
    return repeat_last(series->values, series->count, 1, arena);
}

static const void *fit_seasonal_naive(const Series *series, Arena *arena)
{
    size_t period = series->count >= series->period ? series->period : 1;

    return repeat_last(series->values, series->count, period, arena);
}

static const void *fit_drift(const Series *series, Arena *arena)
{
    NaiveModel *model = repeat_last(series->values, series->count, 1, arena);
    size_t steps = series->count - 1;
    double sum = 0;

    model->slope = (series->values[steps] - series->values[0]) / (double)steps;
    for (size_t i = 1; i < series->count; i++) {
        double residual = series->values[i] - series->values[i - 1] - model->slope;

        sum += residual * residual;
    }
    model->deviation = root_mean(sum, steps);
    return model;
}

static const void *fit_naive2(const Series *series, Arena *arena)
{
    Season season = season_detect(series, arena);
    double *adjusted = arena_array(arena, double, series->count);
    NaiveModel *model;

    season_remove(&season, series, adjusted);
    model = repeat_last(adjusted, series->count, 1, arena);
    model->season = season;
    return model;
}

static double seasonal_residuals(const Series *series, const double *next, size_t period)
{
    double sum = 0;

    for (size_t i = 0; i < series->count; i++) {
        double residual = series->values[i] - next[(i + period - series->count % period) % period];

        sum += residual * residual;
    }
    return root_mean(sum, series->count);
}

static const void *fit_seasonal_mean(const Series *series, Arena *arena)
{
    NaiveModel *model = arena_new(arena, NaiveModel);
    size_t period = series->count >= series->period ? series->period : 1;
    double *next = arena_array(arena, double, period);
    size_t *support = arena_array(arena, size_t, period);

    for (size_t i = 0; i < series->count; i++) {
        size_t step = (i + period - series->count % period) % period;

        next[step] += series->values[i];
        support[step]++;
    }
    for (size_t step = 0; step < period; step++)
        next[step] /= (double)support[step];
    *model = (NaiveModel){.count = series->count,
                          .period = period,
                          .next = next,
                          .support = support,
                          .deviation = seasonal_residuals(series, next, period)};
    return model;
}

static void forecast_repeated(const void *state, Forecast *forecast, Arena *arena)
{
    const NaiveModel *model = state;

    (void)arena;
    for (size_t step = 0; step < forecast->horizon; step++) {
        size_t periods = step / model->period + 1;
        double spread = sqrt((double)periods);

        forecast->mean[step] =
            season_restore(&model->season, model->count + step, model->next[step % model->period]);
        forecast->deviation[step] = season_restore_deviation(&model->season, model->count + step,
                                                             model->deviation * spread);
    }
}

static void forecast_drift(const void *state, Forecast *forecast, Arena *arena)
{
    const NaiveModel *model = state;

    (void)arena;
    for (size_t step = 0; step < forecast->horizon; step++) {
        double ahead = (double)(step + 1);

        forecast->mean[step] = model->next[0] + model->slope * ahead;
        forecast->deviation[step] =
            model->deviation * sqrt(ahead * (1 + ahead / (double)(model->count - 1)));
    }
}

static void forecast_seasonal_mean(const void *state, Forecast *forecast, Arena *arena)
{
    const NaiveModel *model = state;

    (void)arena;
    for (size_t step = 0; step < forecast->horizon; step++) {
        size_t position = step % model->period;

        forecast->mean[step] = model->next[position];
        forecast->deviation[step] =
            model->deviation * sqrt(1 + 1 / (double)model->support[position]);
    }
}

const SeriesLearner naive_learner = {.name = "naive",
                                     .summary = "the last value",
                                     .least = 1,
                                     .fit = fit_naive,
                                     .forecast = forecast_repeated,
                                     .period_max = 1,
                                     .is_baseline = true};

const SeriesLearner seasonal_naive_learner = {.name = "seasonal_naive",
                                              .summary = "the value a period ago",
                                              .least = 1,
                                              .fit = fit_seasonal_naive,
                                              .forecast = forecast_repeated,
                                              .is_baseline = true};

const SeriesLearner seasonal_mean_learner = {.name = "seasonal_mean",
                                             .summary = "the mean at that place of a period",
                                             .least = 1,
                                             .fit = fit_seasonal_mean,
                                             .forecast = forecast_seasonal_mean,
                                             .is_baseline = true};

const SeriesLearner drift_learner = {.name = "drift",
                                     .summary = "the last value and the mean step",
                                     .least = 2,
                                     .fit = fit_drift,
                                     .forecast = forecast_drift,
                                     .period_max = 1,
                                     .is_baseline = true};

const SeriesLearner naive2_learner = {.name = "naive2",
                                      .summary = "the last value, seasonally adjusted",
                                      .least = 1,
                                      .fit = fit_naive2,
                                      .forecast = forecast_repeated,
                                      .is_baseline = true};
