#include <math.h>
#include <string.h>

#include "ml/ets_internal.h"

enum { DEGREE_MAX = ETS_PERIOD_MAX + 1 };

static const double slope_min = 1e-7; /* of beta: below it the trend is as good as fixed */

/* Whether all roots lie within the unit circle: the degree goes down by one while the last
 * coefficient is smaller than the first (Schur 1918, Cohn 1922). The first is 1. */
static bool is_inside(double *coefficients, size_t degree)
{
    double lower[DEGREE_MAX + 1];

    for (; degree > 0; degree--) {
        double last = coefficients[degree], rest = 1 - last * last;

        if (!(rest > 0))
            return false;
        for (size_t i = 0; i < degree; i++)
            lower[i] = (coefficients[i] - last * coefficients[degree - i]) / rest;
        memcpy(coefficients, lower, degree * sizeof(*lower));
    }
    return true;
}

/* Divides by z - 1, a root that level and season share where nothing moves the trend: it is no
 * memory of what is past, only a choice of what is called level. */
static void divide_out_one(double *coefficients, size_t degree)
{
    for (size_t i = 1; i < degree; i++)
        coefficients[i] += coefficients[i - 1];
}

/* The errors are y over 1 + K(L), K the effects of an error on what comes after; the polynomial is
 * that denominator's, from the highest power on, as Hyndman, Akram and Archibald 2008 ("The
 * admissible parameter space for exponential smoothing models") have it, for the forms of ets.h. */
bool ets_is_stable(EtsTrend trend, const double *point, size_t period)
{
    double alpha = point[ETS_ALPHA], beta = alpha * point[ETS_BETA_SHARE], phi = point[ETS_PHI];
    double gamma = (1 - alpha) * point[ETS_GAMMA_SHARE], coefficients[DEGREE_MAX + 1];
    bool is_fixed = trend == ETS_TREND_NONE || (trend == ETS_TREND_LINEAR && beta < slope_min);
    double middle;

    if (is_fixed)
        beta = 0;
    middle = alpha + phi * beta - alpha * phi;
    coefficients[0] = 1;
    coefficients[1] = alpha + phi * beta - phi;
    for (size_t i = 2; i < period; i++)
        coefficients[i] = middle;
    coefficients[period] = middle + gamma - 1;
    coefficients[period + 1] = phi * (1 - alpha - gamma);
    if (!is_fixed)
        return is_inside(coefficients, period + 1);
    divide_out_one(coefficients, period + 1);
    return is_inside(coefficients, period);
}
