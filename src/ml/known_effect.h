/* known_effect.h: what known columns do to a series, learnt from its past.
 *
 * The effect of a row is a sum of weights over its features (known.h): added to the value, or, of a
 * series that is learnt in logarithms, a factor. A column has no effect at its usual value, the one
 * that most rows have, or else the mean; nor where it is missing.
 *
 * Weights are those of a ridge regression of what is left of values and features when a centred
 * moving mean, or a line, and the mean at each place of the seasons are taken from both (Frisch and
 * Waugh 1933 say that this is a regression on trend and season, too). Values or logarithms, the
 * width of the mean and the penalty are those that forecast the last quarter best by the two
 * seasons before, learnt from what was before the quarter; then weights are learnt from all values.
 * A number is scaled by its range, and errors beyond six usual ones count as six. Of long series
 * the last 16,384 values are learnt.
 *
 *     KnownEffect effect = known_effect_learn(&series, &rows, arena);
 *     known_effect_remove(&effect, &rows, values, rest);
 *     known_effect_add(&effect, &future, &forecast);
 */
#pragma once

#include "ml/forecast.h"
#include "ml/known.h"

typedef struct KnownEffect {
    bool is_log;
    const double *weights; /* by feature */
    const double *usual;   /* by column */
} KnownEffect;

/* The rows of the series' values, as many. It cannot fail: what is not to be seen in the past has
 * no effect. */
KnownEffect known_effect_learn(const Series *series, const KnownRows *rows, Arena *arena);

/* The sum of a row's weights less that of the usual row. */
double known_effect_of(const KnownEffect *effect, const KnownColumns *columns, const double *row);

/* The values without the effect of their rows. */
void known_effect_remove(const KnownEffect *effect, const KnownRows *rows, const double *values,
                         double *rest);

/* Of a forecast, whose rows they are, with deviations. */
void known_effect_add(const KnownEffect *effect, const KnownRows *rows, Forecast *forecast);
