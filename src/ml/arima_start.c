#include <math.h>
#include <string.h>

#include "ml/arima_internal.h"

/* The coefficients that predict from the last k values stand in row k, which has k items. */
static double *row_of(ArimaStart *room, size_t k)
{
    return room->predictors + k * (k - 1) / 2;
}

/* Levinson's steps down: the predictors of all smaller orders, and their errors' variances. */
static bool step_down(const ArimaPolynomial *ar, ArimaStart *room)
{
    double *top = row_of(room, ar->degree);

    memset(top, 0, ar->degree * sizeof(*top));
    for (size_t i = 0; i < ar->count; i++)
        top[ar->lags[i] - 1] += ar->values[i];
    room->variances[ar->degree] = 1;
    for (size_t k = ar->degree; k > 0; k--) {
        const double *row = row_of(room, k);
        double last = row[k - 1], rest = 1 - last * last, *lower;

        if (!(rest > 0))
            return false;
        room->variances[k - 1] = room->variances[k] / rest;
        if (k == 1)
            break;
        lower = row_of(room, k - 1);
        for (size_t i = 0; i + 1 < k; i++)
            lower[i] = (row[i] + last * row[k - 2 - i]) / rest;
    }
    return true;
}

/* Of the autoregression without a moving average, up to the lag. */
static void follow_noiseless(const ArimaPolynomial *ar, size_t last_lag, ArimaStart *room)
{
    double *covariances = room->noiseless;

    covariances[0] = room->variances[0];
    for (size_t k = 1; k <= ar->degree && k <= last_lag; k++) {
        double sum = row_of(room, k)[k - 1] * room->variances[k - 1];

        for (size_t i = 0; i + 1 < k; i++)
            sum += row_of(room, k - 1)[i] * covariances[k - 1 - i];
        covariances[k] = sum;
    }
    for (size_t k = ar->degree + 1; k <= last_lag; k++) {
        covariances[k] = 0;
        for (size_t i = 0; i < ar->count; i++)
            covariances[k] += ar->values[i] * covariances[k - ar->lags[i]];
    }
}

/* The moving average applied to both sides, one after the other. */
static void follow_covariances(const ArimaPolynomial *ma, size_t count, ArimaStart *room)
{
    size_t back = ma->degree;

    for (size_t at = 0; at < count + back; at++) {
        size_t lag = at > back ? at - back : back - at;

        room->half[at] = room->noiseless[lag];
        for (size_t i = 0; i < ma->count; i++) {
            size_t ahead = at + ma->lags[i];

            room->half[at] +=
                ma->values[i] * room->noiseless[ahead > back ? ahead - back : back - ahead];
        }
    }
    for (size_t k = 0; k < count; k++) {
        room->covariances[k] = room->half[k + back];
        for (size_t i = 0; i < ma->count; i++)
            room->covariances[k] += ma->values[i] * room->half[k + back - ma->lags[i]];
    }
}

/* What an error does to the value that comes k after it. */
static void follow_effects(const ArimaPolynomial *ar, const ArimaPolynomial *ma, ArimaStart *room)
{
    memset(room->effects, 0, (ma->degree + 1) * sizeof(*room->effects));
    room->effects[0] = 1;
    for (size_t i = 0; i < ma->count; i++)
        room->effects[ma->lags[i]] += ma->values[i];
    for (size_t k = 1; k <= ma->degree; k++)
        for (size_t i = 0; i < ar->count; i++)
            if (ar->lags[i] <= k)
                room->effects[k] += ar->values[i] * room->effects[k - ar->lags[i]];
}

/* State i is what is known of the value i + 1 ahead: the sums over later lags of ar x w, ma x e. */
bool arima_start(const ArimaPolynomial *ar, const ArimaPolynomial *ma, ArimaStart *room,
                 double *variance, double *gain)
{
    size_t states = ar->degree > ma->degree ? ar->degree : ma->degree;
    size_t covariances = ar->degree > 0 ? ar->degree : 1;

    if (!step_down(ar, room))
        return false;
    follow_noiseless(ar, covariances - 1 + ma->degree, room);
    follow_covariances(ma, covariances, room);
    follow_effects(ar, ma, room);
    memset(gain, 0, states * sizeof(*gain));
    for (size_t k = 0; k < ar->count; k++)
        for (size_t i = 0; i < ar->lags[k]; i++)
            gain[i] += ar->values[k] * room->covariances[ar->lags[k] - i - 1];
    for (size_t k = 0; k < ma->count; k++)
        for (size_t i = 0; i < ma->lags[k]; i++)
            gain[i] += ma->values[k] * room->effects[ma->lags[k] - i - 1];
    *variance = room->covariances[0];
    return isfinite(*variance) && *variance > 0;
}
