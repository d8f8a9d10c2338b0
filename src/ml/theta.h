/* theta.h: the Theta method and its dynamic optimised form.
 *
 * Both take a season that is significant out first and put it back (season.h).
 * - theta (Assimakopoulos and Nikolopoulos 2000), as Hyndman and Billah 2003 show it to be and R's
 *   thetaf() does it: simple exponential smoothing plus half the slope of the least-squares line,
 *   f_h = l + b/2 (h - 1 + (1 - (1 - a)^n) / a); deviation s sqrt(1 + (h - 1) a^2), s from the
 *   smoothing's residuals. M4's benchmark "Theta".
 * - dotm, the dynamic optimised Theta model (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler
 *   2016, section 3): its level, a in [0.1, 0.99] and theta >= 1 make the sum of the squared errors
 *   from the fourth on least. Its forecasts go on with each mean as the value that came. Its
 *   forecast is linear in the errors before it; deviations are those of errors of one variance.
 */
#pragma once

#include "ml/forecast.h"

extern const SeriesLearner theta_learner, dotm_learner;
