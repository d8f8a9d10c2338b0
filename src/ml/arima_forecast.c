#include <math.h>
#include <string.h>

#include "ml/arima_internal.h"

/* Of logarithms, beyond which values run out of what a number can hold. */
static const double mean_max = 600;
static const double deviation_max = 5;

/* w - c ahead: what is known of it, and what its forecasts tell of those after them. */
static void follow_state(const ArimaModel *model, const ArimaPolynomial *ar, Forecast *forecast)
{
    for (size_t step = 0; step < forecast->horizon; step++) {
        double mean = step < model->state_count ? model->state[step] : 0;

        for (size_t i = 0; i < ar->count; i++)
            if (ar->lags[i] <= step)
                mean += ar->values[i] * forecast->mean[step - ar->lags[i]];
        forecast->mean[step] = mean;
    }
}

/* From differences back to values, which follow on those before them. */
static void undo_differences(const ArimaModel *model, const ArimaPolynomial *differencing,
                             Forecast *forecast)
{
    size_t before = differencing->degree;

    for (size_t step = 0; step < forecast->horizon; step++) {
        double mean = forecast->mean[step] + model->constant;

        for (size_t i = 0; i < differencing->count; i++) {
            size_t lag = differencing->lags[i];
            double value =
                lag <= step ? forecast->mean[step - lag] : model->last_values[before + step - lag];

            mean -= differencing->values[i] * value;
        }
        forecast->mean[step] = mean;
    }
}

/* effects[k] is what an error does to the value k after it. */
static void divide(double *effects, size_t count, const ArimaPolynomial *polynomial, double sign)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < polynomial->count; i++)
            if (polynomial->lags[i] <= k)
                effects[k] += sign * polynomial->values[i] * effects[k - polynomial->lags[i]];
}

static void follow_deviations(const ArimaModel *model, const ArimaPolynomial *ar,
                              const ArimaPolynomial *differencing, Forecast *forecast,
                              double *effects)
{
    ArimaPolynomial ma = arima_ma(&model->order, &model->coefficients, model->period);
    double sum = 0;

    effects[0] = 1;
    for (size_t i = 0; i < ma.count; i++)
        if (ma.lags[i] < forecast->horizon)
            effects[ma.lags[i]] += ma.values[i];
    divide(effects, forecast->horizon, ar, 1);
    divide(effects, forecast->horizon, differencing, -1);
    for (size_t step = 0; step < forecast->horizon; step++) {
        sum += effects[step] * effects[step];
        forecast->deviation[step] = sqrt(model->variance * sum);
    }
}

static void undo_logarithm(Forecast *forecast)
{
    for (size_t step = 0; step < forecast->horizon; step++) {
        double deviation = fmin(forecast->deviation[step], deviation_max);
        double variance = deviation * deviation;

        forecast->mean[step] = exp(fmin(forecast->mean[step], mean_max));
        forecast->deviation[step] = forecast->mean[step] * sqrt(expm1(variance) * exp(variance));
    }
}

void arima_forecast(const ArimaModel *model, Forecast *forecast, Arena *arena)
{
    ArimaPolynomial ar = arima_ar(&model->order, &model->coefficients, model->period);
    ArimaPolynomial differencing = arima_differencing(&model->order, model->period);
    double *effects = arena_array(arena, double, forecast->horizon);

    follow_state(model, &ar, forecast);
    undo_differences(model, &differencing, forecast);
    follow_deviations(model, &ar, &differencing, forecast, effects);
    if (model->is_logarithmic)
        undo_logarithm(forecast);
}
