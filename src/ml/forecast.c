#include "ml/forecast.h"

#include <math.h>
#include <string.h>

#include "ml/arima.h"
#include "ml/ets.h"
#include "ml/mstl.h"
#include "ml/naive.h"
#include "ml/seasonal_regression.h"
#include "ml/theta.h"

const SeriesLearner *const series_learners[] = {
    &naive_learner,
    &seasonal_naive_learner,
    &seasonal_mean_learner,
    &drift_learner,
    &naive2_learner,
    &theta_learner,
    &dotm_learner,
    &ets_learner,
    &arima_learner,
    &mstl_learner,
    &seasonal_regression_learner,
    NULL,
};

const SeriesLearner *series_learner_find(const char *name)
{
    for (const SeriesLearner *const *learner = series_learners; *learner; learner++)
        if (strcmp((*learner)->name, name) == 0)
            return *learner;
    return NULL;
}

bool series_fit(const SeriesLearner *learner, const Series *series, Arena *arena,
                SeriesModel *model, Error *error)
{
    if (!series_check(series, learner->least, error))
        return fail_in(error, "%s", learner->name);
    *model = (SeriesModel){learner, learner->fit(series, arena)};
    return true;
}

bool series_forecast(const SeriesModel *model, size_t horizon, Arena *arena, Forecast *forecast,
                     Error *error)
{
    Forecast made = {horizon, NULL, NULL};

    if (horizon == 0 || horizon > FORECAST_HORIZON_MAX)
        return fail(error, ERROR_INVALID, "a forecast has 1 to %d steps, not %zu",
                    FORECAST_HORIZON_MAX, horizon);
    made.mean = arena_array(arena, double, horizon);
    made.deviation = arena_array(arena, double, horizon);
    model->learner->forecast(model->state, &made, arena);
    for (size_t step = 0; step < horizon; step++)
        if (!isfinite(made.mean[step]))
            return fail(error, ERROR_INVALID, "%s: step %zu of the forecast is not a finite number",
                        model->learner->name, step + 1);
    *forecast = made;
    return true;
}

void forecast_interval(const Forecast *forecast, double level, double *low, double *high)
{
    double quantile = normal_quantile((1 + level) / 2);

    for (size_t step = 0; step < forecast->horizon; step++) {
        low[step] = forecast->mean[step] - quantile * forecast->deviation[step];
        high[step] = forecast->mean[step] + quantile * forecast->deviation[step];
    }
}

/* Newton's method on the distribution in its lower half, where it is convex, so that it climbs to
 * the root from the left without overshooting. */
double normal_quantile(double probability)
{
    double lower = probability < 0.5 ? probability : 1 - probability;
    double quantile = -sqrt(-2 * log(lower)), step = 1;

    for (int turn = 0; turn < 100 && fabs(step) > 1e-14 * fabs(quantile); turn++) {
        double density = exp(-quantile * quantile / 2) / sqrt(2 * M_PI);

        step = (erfc(-quantile * M_SQRT1_2) / 2 - lower) / density;
        quantile -= step;
    }
    return probability < 0.5 ? quantile : -quantile;
}
