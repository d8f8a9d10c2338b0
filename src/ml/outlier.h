/* outlier.h: values of a series that stand out from what is around them.
 *
 * What is left of a value without its trend and season is looked at: an outlier is further below
 * the lower, or above the upper quartile of all of that than three times their distance (Tukey
 * 1977, "far out"; R's tsoutliers() has the same limits). Trend and season are those of a robust
 * STL (stl.h), which outliers do not move; without a season, or with more than OUTLIER_STL_MAX
 * values, the median of the seven values around is taken. Where half of what is left is the same
 * number, as in a series of many zeros, nothing stands out.
 */
#pragma once

#include "base/arena.h"
#include "ml/series.h"

enum { OUTLIER_STL_MAX = 20000 };

/* Into expected (count values) what trend and season say of each outlier, NaN for all others.
 * Returns how many there are. */
size_t outliers_find(const Series *series, double *expected);
