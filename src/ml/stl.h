/* stl.h: a series taken apart into trend, season and remainder by local regression.
 *
 * Cleveland, Cleveland, McRae and Terpenning 1990, "STL: A Seasonal-Trend Decomposition Procedure
 * Based on Loess", Journal of Official Statistics 6, sections 2 and 3; steps, roundings and ends
 * are those of the authors' program, which R's stl() and statsmodels' STL run, too.
 * - Loess fits a constant or a line around a time x to the window nearest values, weighed by
 *   (1 - (|t - x| / h)^3)^3, h the distance of the furthest, plus half of what the window is longer
 *   than the series. With a jump it does so at each jump-th value, and lines lie between.
 * - An inner turn: of the series without trend each position of the season is smoothed over the
 *   periods (one more at both ends); what moving averages of period, period and 3 values and loess
 *   find in that belongs to the trend and is taken out again; of the series without that season
 *   loess gives the trend.
 * - An outer turn weighs values by (1 - (r / 6 median |r|)^2)^2, r the remainder: what stands out
 *   counts less in the inner turns after it.
 * value = season + trend + remainder, to the last bits.
 *
 *     StlSpec spec = stl_usual(12, 11, false);
 *     Stl parts = stl_decompose(values, 144, &spec, arena);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef struct StlLoess {
    size_t window; /* odd, at least 3 */
    size_t jump;   /* at least 1 */
    bool is_flat;  /* a constant, not a line */
} StlLoess;

typedef struct StlSpec {
    size_t period; /* at least 2 */
    StlLoess season, trend, low;
    bool is_periodic; /* any season window's; each position's season is its mean in the end */
    size_t inner_turns, outer_turns;
} StlSpec;

enum { STL_PERIODIC = 0 }; /* the season window of a season that never changes */

typedef struct Stl {
    double *season, *trend, *remainder;
    double *weights; /* of the last outer turn; 1 without one */
} Stl;

/* R's stl(): a season of constants, lines for the rest, jumps of a tenth of the window; two inner
 * turns, or one and 15 outer ones. season_window is odd and at least 3 (7 and more in the paper),
 * or STL_PERIODIC. */
StlSpec stl_usual(size_t period, size_t season_window, bool is_robust);

/* Needs two periods of finite values. */
Stl stl_decompose(const double *values, size_t count, const StlSpec *spec, Arena *arena);
