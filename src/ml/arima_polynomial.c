#include <string.h>

#include "ml/arima_internal.h"

size_t arima_point_count(const ArimaOrder *order)
{
    return order->ar + order->ma + order->seasonal_ar + order->seasonal_ma;
}

/* Durbin and Levinson's steps up: partial autocorrelations to an autoregression. */
static void step_up(const double *partial, size_t count, double *coefficients)
{
    double before[ARIMA_TERMS_MAX];

    for (size_t k = 0; k < count; k++) {
        memcpy(before, coefficients, k * sizeof(*before));
        for (size_t i = 0; i < k; i++)
            coefficients[i] = before[i] - partial[k] * before[k - 1 - i];
        coefficients[k] = partial[k];
    }
}

static void negate(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = -values[i];
}

void arima_read_point(const ArimaOrder *order, const double *point, ArimaCoefficients *coefficients)
{
    *coefficients = (ArimaCoefficients){0};
    step_up(point, order->ar, coefficients->ar);
    point += order->ar;
    step_up(point, order->ma, coefficients->ma);
    point += order->ma;
    step_up(point, order->seasonal_ar, coefficients->seasonal_ar);
    point += order->seasonal_ar;
    step_up(point, order->seasonal_ma, coefficients->seasonal_ma);
    negate(coefficients->ma, order->ma);
    negate(coefficients->seasonal_ma, order->seasonal_ma);
}

static void add_tap(ArimaPolynomial *polynomial, size_t lag, double value)
{
    polynomial->lags[polynomial->count] = lag;
    polynomial->values[polynomial->count++] = value;
    if (lag > polynomial->degree)
        polynomial->degree = lag;
}

/* A factor without its 1: terms at multiples of a lag. */
typedef struct Factor {
    const double *values;
    size_t count, lag;
} Factor;

/* The product of (1 + sign x one) (1 + sign x other), as sign x what is returned. */
static ArimaPolynomial multiply(const Factor *one, const Factor *other, double sign)
{
    ArimaPolynomial product = {0};

    for (size_t i = 0; i < one->count; i++)
        add_tap(&product, (i + 1) * one->lag, one->values[i]);
    for (size_t j = 0; j < other->count; j++) {
        size_t lag = (j + 1) * other->lag;

        add_tap(&product, lag, other->values[j]);
        for (size_t i = 0; i < one->count; i++)
            add_tap(&product, lag + (i + 1) * one->lag, sign * one->values[i] * other->values[j]);
    }
    return product;
}

ArimaPolynomial arima_ar(const ArimaOrder *order, const ArimaCoefficients *coefficients,
                         size_t period)
{
    return multiply(&(Factor){coefficients->ar, order->ar, 1},
                    &(Factor){coefficients->seasonal_ar, order->seasonal_ar, period}, -1);
}

ArimaPolynomial arima_ma(const ArimaOrder *order, const ArimaCoefficients *coefficients,
                         size_t period)
{
    return multiply(&(Factor){coefficients->ma, order->ma, 1},
                    &(Factor){coefficients->seasonal_ma, order->seasonal_ma, period}, 1);
}

ArimaPolynomial arima_differencing(const ArimaOrder *order, size_t period)
{
    static const double plain[][ARIMA_DIFFERENCES_MAX] = {{0}, {-1}, {-2, 1}};
    static const double seasonal = -1;
    size_t seasons = order->seasonal_differences ? 1 : 0;

    return multiply(&(Factor){plain[order->differences], order->differences, 1},
                    &(Factor){&seasonal, seasons, period}, 1);
}

/* Whether 1 - sum of c_i L^i, has all roots beyond 1: the steps down have to end with partial
 * autocorrelations within 1 (Schur 1918, Cohn 1922). */
static bool is_stationary(double *coefficients, size_t count)
{
    double lower[ARIMA_TERMS_MAX];

    for (; count > 0; count--) {
        double last = coefficients[count - 1], rest = 1 - last * last;

        if (!(rest > 0))
            return false;
        for (size_t i = 0; i + 1 < count; i++)
            lower[i] = (coefficients[i] + last * coefficients[count - 2 - i]) / rest;
        memcpy(coefficients, lower, (count - 1) * sizeof(*lower));
    }
    return true;
}

/* Roots are beyond the radius where those of the polynomial of L x radius are beyond 1. */
static bool is_outside(const double *coefficients, size_t count, double sign, double radius)
{
    double scaled[ARIMA_TERMS_MAX], power = 1;

    for (size_t i = 0; i < count; i++) {
        power *= radius;
        scaled[i] = sign * coefficients[i] * power;
    }
    return is_stationary(scaled, count);
}

bool arima_is_outside(const ArimaOrder *order, const ArimaCoefficients *coefficients, double radius)
{
    return is_outside(coefficients->ar, order->ar, 1, radius) &&
           is_outside(coefficients->ma, order->ma, -1, radius);
}
