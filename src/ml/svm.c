#include "ml/linear.h"

#include <math.h>
#include <stdbool.h>

#include "ml/linear_internal.h"
#include "ml/random.h"

/* The dual problem has one multiplier a row: min over alpha >= 0 of alpha'(Q + D)alpha / 2 - sum
 * alpha, where Q holds the signed inner products and D = 1 / (2 cost). Each step solves it for one
 * row. */

enum { EPOCHS_MAX = 300 };
static const double tolerance = 0.05; /* of the projected gradient; margins are of the order of 1 */

typedef struct Dual {
    const BinaryProblem *problem;
    double *weights; /* the last one is the intercept */
    double *multipliers;
    double *diagonal;
    size_t *order;
    size_t active;      /* rows in order[0 .. active) still move */
    double bound;       /* rows at 0 with a gradient above it rest */
    double most, least; /* projected gradients of this epoch */
} Dual;

static double added_diagonal(const BinaryProblem *problem, size_t row)
{
    double cost = problem->signs[row] > 0 ? problem->positive_cost : problem->negative_cost;

    return 0.5 / cost;
}

static void start(Dual *dual, const BinaryProblem *problem, double *weights, Arena *scratch)
{
    const Matrix *matrix = problem->matrix;
    size_t rows = matrix->row_count;

    *dual = (Dual){.problem = problem, .weights = weights, .active = rows, .bound = HUGE_VAL};
    dual->multipliers = arena_array(scratch, double, rows);
    dual->diagonal = arena_array(scratch, double, rows);
    dual->order = arena_array(scratch, size_t, rows);
    for (size_t row = 0; row < rows; row++) {
        double sum = 1 + added_diagonal(problem, row); /* 1: the intercept's constant feature */

        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
            sum += problem->values[at] * problem->values[at];
        dual->diagonal[row] = sum;
        dual->order[row] = row;
    }
}

static double gradient_of(const Dual *dual, size_t row)
{
    const BinaryProblem *problem = dual->problem;
    const Matrix *matrix = problem->matrix;
    double margin = dual->weights[matrix->column_count];

    for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
        margin += dual->weights[matrix->columns[at]] * problem->values[at];
    return problem->signs[row] * margin - 1 + dual->multipliers[row] * added_diagonal(problem, row);
}

static void move_row(Dual *dual, size_t row, double gradient)
{
    const Matrix *matrix = dual->problem->matrix;
    double old = dual->multipliers[row], step;

    dual->multipliers[row] = fmax(old - gradient / dual->diagonal[row], 0);
    step = (dual->multipliers[row] - old) * dual->problem->signs[row];
    for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
        dual->weights[matrix->columns[at]] += step * dual->problem->values[at];
    dual->weights[matrix->column_count] += step;
}

/* Returns false when the row is put to rest. */
static bool visit_row(Dual *dual, size_t row)
{
    double gradient = gradient_of(dual, row), projected = gradient;

    if (dual->multipliers[row] <= 0) {
        if (gradient > dual->bound)
            return false;
        projected = fmin(gradient, 0);
    }
    dual->most = fmax(dual->most, projected);
    dual->least = fmin(dual->least, projected);
    if (fabs(projected) > 1e-12)
        move_row(dual, row, gradient);
    return true;
}

static void visit_active_rows(Dual *dual)
{
    dual->most = -HUGE_VAL;
    dual->least = HUGE_VAL;
    for (size_t i = 0; i < dual->active;) {
        size_t row = dual->order[i];

        if (visit_row(dual, row)) {
            i++;
            continue;
        }
        dual->active--;
        dual->order[i] = dual->order[dual->active];
        dual->order[dual->active] = row;
    }
}

static void svm_fit_binary(const BinaryProblem *problem, double *weights, Arena *scratch)
{
    Random random = random_seeded(problem->seed);
    size_t rows = problem->matrix->row_count;
    Dual dual;

    start(&dual, problem, weights, scratch);
    for (size_t epoch = 0; epoch < EPOCHS_MAX; epoch++) {
        random_shuffle(&random, dual.order, dual.active);
        visit_active_rows(&dual);
        if (dual.active && dual.most - dual.least > tolerance) {
            dual.bound = dual.most > 0 ? dual.most : HUGE_VAL;
            continue;
        }
        if (dual.active == rows)
            return;
        dual.active = rows; /* look once more at the rows at rest before believing it */
        dual.bound = HUGE_VAL;
    }
}

LinearModel svm_fit(const TrainingSet *set, double cost, Arena *arena)
{
    return linear_fit_each(set, cost, svm_fit_binary, false, arena);
}

LinearModel nb_svm_fit(const TrainingSet *set, double cost, Arena *arena)
{
    return linear_fit_each(set, cost, svm_fit_binary, true, arena);
}
