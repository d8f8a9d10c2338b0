#include "ml/linear.h"

#include <math.h>
#include <stdbool.h>

#include "ml/linear_internal.h"
#include "ml/random.h"

/* The dual problem: min over alpha >= 0 of alpha'(Q + D)alpha / 2 - sum alpha, where Q holds the
 * signed inner products and D = 1 / (2 cost). Each step solves it for one row. */

/* ---- more than two classes ---- */

static DualStep hinge_step(DualRow row)
{
    float added = 0.5F / row.cost, old = row.multiplier, wrong = fmaxf(1 - row.margin, 0);
    float gradient = row.margin - 1 + old * added;

    return (DualStep){fmaxf(old - gradient / (row.square + added), 0), row.cost * wrong * wrong,
                      row.cost * wrong * wrong + old * (old * added / 2 + row.margin - 1)};
}

/* ---- two classes: alone in its row a margin that rests can be left out ---- */

typedef struct BinaryProblem {
    const Matrix *matrix;
    const double *values;     /* of the matrix, or scaled ones */
    const signed char *signs; /* +1 or -1 a row */
    MarginCosts costs;
    uint64_t seed;
} BinaryProblem;

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
    double cost = problem->signs[row] > 0 ? problem->costs.positive : problem->costs.negative;

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

/* weights: column_count and then the intercept. */
static void solve_binary(const BinaryProblem *problem, double *weights, Arena *scratch)
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

/* NULL: the matrix as it is. */
static const double *scaled_values(const Matrix *matrix, const double *ratios, Arena *scratch)
{
    size_t entries = matrix->starts[matrix->row_count];
    double *scaled;

    if (!ratios)
        return matrix->values;
    scaled = arena_array(scratch, double, entries);
    for (size_t at = 0; at < entries; at++)
        scaled[at] = matrix->values[at] * ratios[matrix->columns[at]];
    return scaled;
}

static LinearModel fit_binary(const TrainingSet *set, double cost, bool scale_by_ratio,
                              Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Matrix *matrix = set->matrix;
    size_t columns = matrix->column_count;
    signed char *signs = arena_array(scratch, signed char, matrix->row_count);
    size_t positives = linear_mark_rows(set, 0, signs);
    double *ratios = scale_by_ratio ? arena_array(scratch, double, columns) : NULL;
    double *weights = arena_array(scratch, double, columns + 1);
    LinearModel model = linear_model_new(set, arena);

    if (ratios)
        linear_log_ratios(matrix, signs, ratios, scratch);
    solve_binary(&(BinaryProblem){matrix, scaled_values(matrix, ratios, scratch), signs,
                                  linear_costs(set, cost, positives), set->seed},
                 weights, scratch);
    for (size_t column = 0; column < columns; column++)
        model.weights[column] = weights[column] * (ratios ? ratios[column] : 1);
    model.intercepts[0] = weights[columns];
    return model;
}

/* ---- both ---- */

LinearModel svm_fit(const TrainingSet *set, double cost, Arena *arena)
{
    return set->class_count == 2 ? fit_binary(set, cost, false, arena)
                                 : dual_fit(set, cost, hinge_step, false, arena);
}

LinearModel nb_svm_fit(const TrainingSet *set, double cost, Arena *arena)
{
    return set->class_count == 2 ? fit_binary(set, cost, true, arena)
                                 : dual_fit(set, cost, hinge_step, true, arena);
}
