#include "ml/least_squares.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double damping_start = 1e-3;
static const double damping_max = 1e12;
static const double ridge = 1e-14; /* for a parameter that changes nothing */

/* The parameters that may move, and their part of the equations. */
typedef struct System {
    size_t count, free[LEAST_SQUARES_MAX];
    double factor[LEAST_SQUARES_MAX][LEAST_SQUARES_MAX];
    double step[LEAST_SQUARES_MAX];
} System;

static bool is_held(const LeastSquares *problem, const NormalEquations *equations, size_t i)
{
    double value = problem->point[i];

    return !(problem->low[i] < problem->high[i]) ||
           (value <= problem->low[i] && equations->gradient[i] > 0) ||
           (value >= problem->high[i] && equations->gradient[i] < 0);
}

static void choose_free(const LeastSquares *problem, const NormalEquations *equations,
                        System *system)
{
    system->count = 0;
    for (size_t i = 0; i < problem->count; i++)
        if (!is_held(problem, equations, i))
            system->free[system->count++] = i;
}

/* Cholesky's L L' = J'J + damping x its diagonal. */
static bool factorize(const NormalEquations *equations, double damping, System *system)
{
    for (size_t i = 0; i < system->count; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = equations->matrix[system->free[j]][system->free[i]];

            if (i == j)
                sum += damping * sum + ridge;
            for (size_t k = 0; k < j; k++)
                sum -= system->factor[i][k] * system->factor[j][k];
            if (i == j && !(sum > 0))
                return false;
            system->factor[i][j] = i == j ? sqrt(sum) : sum / system->factor[j][j];
        }
    return true;
}

static void solve(const NormalEquations *equations, System *system)
{
    double *step = system->step;

    for (size_t i = 0; i < system->count; i++) {
        step[i] = -equations->gradient[system->free[i]];
        for (size_t k = 0; k < i; k++)
            step[i] -= system->factor[i][k] * step[k];
        step[i] /= system->factor[i][i];
    }
    for (size_t i = system->count; i-- > 0;) {
        for (size_t k = i + 1; k < system->count; k++)
            step[i] -= system->factor[k][i] * step[k];
        step[i] /= system->factor[i][i];
    }
}

/* By how much the model of the sum gets smaller with the step that Cholesky gave. */
static double foreseen(const NormalEquations *equations, const System *system, double damping)
{
    double sum = 0;

    for (size_t i = 0; i < system->count; i++) {
        size_t at = system->free[i];

        sum += system->step[i] *
               (damping * equations->matrix[at][at] * system->step[i] - equations->gradient[at]);
    }
    return sum;
}

static void move(const LeastSquares *problem, const System *system, double *trial)
{
    memcpy(trial, problem->point, problem->count * sizeof(*trial));
    for (size_t i = 0; i < system->count; i++) {
        size_t at = system->free[i];

        trial[at] = fmin(fmax(trial[at] + system->step[i], problem->low[at]), problem->high[at]);
    }
}

double least_squares(LeastSquares *problem)
{
    NormalEquations equations = {0};
    System system;
    double trial[LEAST_SQUARES_MAX], damping = damping_start, growth = 2;
    double least = problem->value(problem->context, problem->point);

    if (!isfinite(least))
        return INFINITY;
    least = problem->equations(problem->context, problem->point, &equations);
    for (size_t turn = 0; turn < problem->turns_max && damping < damping_max; turn++) {
        double found = INFINITY, promised = 0;

        choose_free(problem, &equations, &system);
        if (system.count == 0)
            break;
        if (factorize(&equations, damping, &system)) {
            solve(&equations, &system);
            promised = foreseen(&equations, &system, damping);
            if (promised <= problem->tolerance * least)
                break;
            move(problem, &system, trial);
            found = problem->value(problem->context, trial);
        }
        if (!(found < least)) {
            damping *= growth;
            growth *= 2;
            continue;
        }
        damping *= fmax(1.0 / 3, 1 - pow(2 * (least - found) / promised - 1, 3));
        growth = 2;
        memcpy(problem->point, trial, problem->count * sizeof(*trial));
        if (least - found <= problem->tolerance * least)
            return found;
        least = problem->equations(problem->context, problem->point, &equations);
    }
    return least;
}
