/* forecast.h: learners of one time series, in one table.
 *
 * A learner takes a series and gives a model; the model gives the mean and the standard deviation
 * of each step after the series' end. Same series, same bytes. Models and forecasts live in the
 * arena that they were made in; a model needs its series no longer.
 *
 *     SeriesModel model;
 *     Forecast forecast;
 *     if (!series_fit(series_learner_find("ets"), &series, arena, &model, error) ||
 *         !series_forecast(&model, 12, arena, &forecast, error))
 *         return false;
 *     forecast_interval(&forecast, 0.95, low, high);
 */
#pragma once

#include "base/arena.h"
#include "ml/series.h"

enum { FORECAST_HORIZON_MAX = 10000 };

typedef struct Forecast {
    size_t horizon;
    double *mean;
    double *deviation; /* NaN where the learner has no residuals to tell it from */
} Forecast;

typedef struct SeriesLearner {
    const char *name, *summary;
    size_t least; /* values that it needs */
    /* The series is checked and has at least that many values. */
    const void *(*fit)(const Series *series, Arena *arena);
    /* Fills mean and deviation, which have forecast->horizon items. */
    void (*forecast)(const void *model, Forecast *forecast, Arena *arena);
    size_t period_max; /* a longer season is not tried; 0: any length is */
    bool is_baseline;  /* learns next to nothing: what others have to beat */
    bool knows_longer; /* looks for longer seasons than the series' period by itself */
} SeriesLearner;

typedef struct SeriesModel {
    const SeriesLearner *learner;
    const void *state; /* what the learner learnt */
} SeriesModel;

/* All learners, baselines first; ends with a row whose name is NULL. */
extern const SeriesLearner *const series_learners[];

/* NULL when there is none of that name. */
const SeriesLearner *series_learner_find(const char *name);

/* Fails on a series that series_check() refuses or that is too short for the learner. */
bool series_fit(const SeriesLearner *learner, const Series *series, Arena *arena,
                SeriesModel *model, Error *error) MUST_CHECK;

/* Fails on a horizon that is not 1 to FORECAST_HORIZON_MAX, and when the forecast runs out of what
 * a number can hold. */
bool series_forecast(const SeriesModel *model, size_t horizon, Arena *arena, Forecast *forecast,
                     Error *error) MUST_CHECK;

/* low and high have forecast->horizon items: mean -+ z deviation, z the normal quantile that level
 * (above 0, below 1) leaves out evenly on both sides. */
void forecast_interval(const Forecast *forecast, double level, double *low, double *high);

/* The number that a standard normal draw is below with that probability (above 0, below 1). */
double normal_quantile(double probability);
