#include "ml/ridge.h"

#include <math.h>
#include <string.h>

enum { TURNS_MAX = 500 };

static const double residual_least = 1e-10; /* of the first one */

/* The unknowns are the weights and, last, the intercept. */
typedef struct Equations {
    const Matrix *matrix;
    double penalty;
    double *answers; /* by row: scratch of apply() */
    size_t count;
} Equations;

static void predict(const Matrix *matrix, const double *weights, double *answers)
{
    for (size_t row = 0; row < matrix->row_count; row++) {
        answers[row] = weights[matrix->column_count];
        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
            answers[row] += weights[matrix->columns[at]] * matrix->values[at];
    }
}

/* sums: of the rows, each times its value. */
static void add_up(const Matrix *matrix, const double *values, double *sums)
{
    memset(sums, 0, (matrix->column_count + 1) * sizeof(double));
    for (size_t row = 0; row < matrix->row_count; row++) {
        sums[matrix->column_count] += values[row];
        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
            sums[matrix->columns[at]] += values[row] * matrix->values[at];
    }
}

static void apply(const Equations *equations, const double *weights, double *result)
{
    predict(equations->matrix, weights, equations->answers);
    add_up(equations->matrix, equations->answers, result);
    for (size_t i = 0; i + 1 < equations->count; i++)
        result[i] += equations->penalty * weights[i];
}

static double *diagonal_of(const Equations *equations, Arena *arena)
{
    const Matrix *matrix = equations->matrix;
    double *diagonal = arena_array(arena, double, equations->count);

    for (size_t at = 0; at < matrix->starts[matrix->row_count]; at++)
        diagonal[matrix->columns[at]] += matrix->values[at] * matrix->values[at];
    for (size_t i = 0; i + 1 < equations->count; i++)
        diagonal[i] = diagonal[i] + equations->penalty > 0 ? diagonal[i] + equations->penalty : 1;
    diagonal[equations->count - 1] = matrix->row_count ? (double)matrix->row_count : 1;
    return diagonal;
}

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* weights: zeros; residual: what they leave of the right side. */
static void solve(const Equations *equations, double *residual, double *weights, Arena *scratch)
{
    size_t count = equations->count;
    double *diagonal = diagonal_of(equations, scratch);
    double *scaled = arena_array(scratch, double, count);
    double *direction = arena_array(scratch, double, count);
    double *change = arena_array(scratch, double, count);
    double first = 0, before = 1;

    for (size_t turn = 0; turn < TURNS_MAX; turn++) {
        double size, curve;

        for (size_t i = 0; i < count; i++)
            scaled[i] = residual[i] / diagonal[i];
        size = dot(residual, scaled, count);
        first = turn == 0 ? size : first;
        if (!(size > residual_least * residual_least * first))
            return;
        for (size_t i = 0; i < count; i++)
            direction[i] = scaled[i] + (turn == 0 ? 0 : size / before * direction[i]);
        before = size;
        apply(equations, direction, change);
        curve = dot(direction, change, count);
        if (!(curve > 0))
            return;
        for (size_t i = 0; i < count; i++) {
            weights[i] += size / curve * direction[i];
            residual[i] -= size / curve * change[i];
        }
    }
}

LinearModel ridge_fit(const Matrix *matrix, const double *targets, double penalty, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count = matrix->column_count + 1;
    Equations equations = {matrix, penalty, arena_array(scratch, double, matrix->row_count + 1),
                           count};
    double *residual = arena_array(scratch, double, count);
    double *weights = arena_array(arena, double, count);

    add_up(matrix, targets, residual);
    solve(&equations, residual, weights, scratch);
    return (LinearModel){1, matrix->column_count, weights, weights + matrix->column_count};
}
