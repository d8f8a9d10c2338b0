/* ridge.h: least squares of sparse rows, with a price on large weights (Hoerl & Kennard 1970). */
#pragma once

#include "ml/linear.h"

/* The weights and the intercept that make sum (w . row + b - target)^2 + penalty |w|^2 least, by
 * conjugate gradients on the normal equations, each feature scaled by its own length. */
LinearModel ridge_fit(const Matrix *matrix, const double *targets, double penalty, Arena *arena);
