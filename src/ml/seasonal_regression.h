/* seasonal_regression.h: a linear regression of a value on those before it, by ridge.
 *
 * With the anchor a_t, the mean of the last r values at the same place of a season of m values,
 *
 *     y_t - a_t = c + sum over lags k of b_k (y_{t-k} - a_t)
 *
 * b and c make the squares and lambda times the sum of b_k^2 q_k least (Hoerl and Kennard 1970,
 * "Ridge Regression"; q_k the sum of that feature's squares): the larger lambda, the nearer is the
 * forecast to the anchor, the seasonal naive one where r is 1. Lags are the first ones and those
 * around each season that the series has (mstl.h's rule) and its multiples. A form has values or
 * their logarithms, m (1 or one of the seasons), r (1 to 16; without a season to 4), and the lambda
 * of least absolute error on the last quarter, forecast from several origins by what was before it.
 * The eight forms of least error learn b and c anew from all values; the forecast is their mean,
 * weighed by 1 / error^16, so that what is much worse hardly counts. Each goes on with its means as
 * the values that came, at most the values' range beyond them. Deviations are those of a linear
 * recursion whose errors have one variance, so sized that they fit the errors of that quarter at
 * all steps, and then as much wider as Student's distribution with one degree of freedom for each
 * origin is than a normal one; none is wider than what means are held in. Of long series the last
 * 16,384 values are learnt.
 */
#pragma once

#include "ml/forecast.h"

extern const SeriesLearner seasonal_regression_learner;
