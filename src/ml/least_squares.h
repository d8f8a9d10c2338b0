/* least_squares.h: a sum of squares made small within bounds, by Levenberg and Marquardt.
 *
 * Levenberg 1944, Marquardt 1963, damped by the gain (Nielsen 1999); a parameter at its bound whose
 * gradient points outwards is held there, and steps are cut off at bounds. One whose bounds are
 * equal is fixed. Nothing is allocated; the same problem takes the same steps.
 *
 *     LeastSquares problem = {.count = 2, .point = start, .low = low, .high = high,
 *                             .tolerance = 1e-8, .context = &context, .value = value_of,
 *                             .equations = equations_of};
 *     double least = least_squares(&problem);
 */
#pragma once

#include <stddef.h>

enum { LEAST_SQUARES_MAX = 32 }; /* parameters */

/* The normal equations at a point: the gradient J'r, and J'J, whose rows have LEAST_SQUARES_MAX
 * items; from the diagonal on to the right is enough. */
typedef struct NormalEquations {
    double gradient[LEAST_SQUARES_MAX];
    double matrix[LEAST_SQUARES_MAX][LEAST_SQUARES_MAX];
} NormalEquations;

typedef struct LeastSquares {
    size_t count;
    double *point; /* where it starts; then where it ended */
    const double *low, *high;
    double tolerance; /* ends when a step makes the sum smaller by no more than this part of it */
    size_t turns_max;
    void *context;
    /* The sum of squares; INFINITY where the point is not allowed. */
    double (*value)(void *context, const double *point);
    /* The same sum, at a point where value() was finite. */
    double (*equations)(void *context, const double *point, NormalEquations *equations);
} LeastSquares;

/* The least sum that was found. A start that is not allowed stays as it is, and gives INFINITY. */
double least_squares(LeastSquares *problem);
