#include <float.h>
#include <math.h>

#include "ml/ets.h"

/* What an error of size 1 does to the mean j steps after it (the book's c_j). */
static void follow_error(const EtsModel *model, double *effects, size_t count)
{
    double level = model->alpha, slope = model->beta;

    for (size_t j = 1; j <= count; j++) {
        double ahead = level + model->phi * slope;
        bool recurs = model->form.season == ETS_SEASON_ADDS && j % model->period == 0;

        effects[j - 1] = ahead + (recurs ? model->gamma : 0);
        level = ahead;
        slope *= model->phi;
    }
}

static double season_at(const EtsModel *model, size_t step)
{
    return model->form.season ? model->last.seasonal[(model->count + step) % model->period] : 0;
}

/* Without the season that multiplies. */
static void follow_means(const EtsModel *model, double *means, size_t count)
{
    double level = model->last.level, slope = model->last.slope;

    for (size_t step = 0; step < count; step++) {
        slope *= model->phi;
        level += slope;
        means[step] = level;
        if (model->form.season == ETS_SEASON_ADDS)
            means[step] += season_at(model, step);
    }
}

/* Class 1: sigma^2 (1 + sum of c_j^2). */
static void variances_of_plain(const EtsModel *model, const double *effects, Forecast *forecast)
{
    double sum = 1;

    for (size_t step = 0; step < forecast->horizon; step++) {
        forecast->deviation[step] = sqrt(model->variance * sum);
        sum += effects[step] * effects[step];
    }
}

/* Class 2: theta_h = mu_h^2 + sigma^2 sum of c_j^2 theta_{h-j}, the variance is
 * (1 + sigma^2) theta_h - mu_h^2. Class 3, whose season multiplies, has (1 + gamma^2 sigma^2)^k
 * beside theta_h, k whole periods before the step, and all of it times the season's square. */
static void variances_of_relative(const EtsModel *model, const double *effects, double *thetas,
                                  Forecast *forecast)
{
    double variance = model->variance, grown = 1;

    for (size_t step = 0; step < forecast->horizon; step++) {
        double mean = forecast->mean[step], sum = 0;

        if (model->form.season == ETS_SEASON_TIMES && step > 0 && step % model->period == 0)
            grown *= 1 + model->gamma * model->gamma * variance;
        for (size_t j = 1; j <= step; j++)
            sum += effects[j - 1] * effects[j - 1] * thetas[step - j];
        thetas[step] = mean * mean + variance * sum;
        forecast->deviation[step] =
            sqrt(fmin(fmax(0, (1 + variance) * thetas[step] * grown - mean * mean), DBL_MAX));
    }
}

void ets_forecast(const EtsModel *model, Forecast *forecast, Arena *arena)
{
    double *effects = arena_array(arena, double, forecast->horizon);
    double *thetas = arena_array(arena, double, forecast->horizon);

    follow_means(model, forecast->mean, forecast->horizon);
    follow_error(model, effects, forecast->horizon);
    if (model->form.is_relative)
        variances_of_relative(model, effects, thetas, forecast);
    else
        variances_of_plain(model, effects, forecast);
    if (model->form.season != ETS_SEASON_TIMES)
        return;
    for (size_t step = 0; step < forecast->horizon; step++) {
        forecast->mean[step] *= season_at(model, step);
        forecast->deviation[step] *= season_at(model, step);
    }
}

static const void *fit_ets(const Series *series, Arena *arena)
{
    EtsModel *model = arena_new(arena, EtsModel);

    *model = ets_choose(series, arena);
    return model;
}

static void forecast_ets(const void *state, Forecast *forecast, Arena *arena)
{
    ets_forecast(state, forecast, arena);
}

const SeriesLearner ets_learner = {"ets",         "exponential smoothing, the form chosen by AICc",
                                   ETS_COUNT_MIN, fit_ets,
                                   forecast_ets,  ETS_PERIOD_MAX};
