#include <linear.h>
#include <math.h>

#include "ml/linear.h"
#include "ml/linear_internal.h"

/* ---- BLAS ---- */

/* The four functions that LIBLINEAR calls, so that no BLAS library (tens of megabytes and a thread
 * of its own) is linked. Names, parameters and meaning are the BLAS standard's. They live in this
 * file because the linker takes a file of our library only for a name that is wanted before it
 * comes to LIBLINEAR. */
double ddot_(int *count, double *x, int *x_step, double *y, int *y_step);
int daxpy_(int *count, double *factor, double *x, int *x_step, double *y, int *y_step);
double dnrm2_(int *count, double *x, int *x_step);
int dscal_(int *count, double *factor, double *x, int *x_step);

double ddot_(int *count, double *x, int *x_step, double *y, int *y_step)
{
    double sum = 0;

    for (long i = 0; i < *count; i++)
        sum += x[i * *x_step] * y[i * *y_step];
    return sum;
}

int daxpy_(int *count, double *factor, double *x, int *x_step, double *y, int *y_step)
{
    for (long i = 0; i < *count; i++)
        y[i * *y_step] += *factor * x[i * *x_step];
    return 0;
}

double dnrm2_(int *count, double *x, int *x_step)
{
    return sqrt(ddot_(count, x, x_step, x, x_step));
}

int dscal_(int *count, double *factor, double *x, int *x_step)
{
    for (long i = 0; i < *count; i++)
        x[i * *x_step] *= *factor;
    return 0;
}

/* ---- LIBLINEAR ---- */

static void print_nothing(const char *text)
{
    (void)text;
}

static struct feature_node **make_nodes(const BinaryProblem *problem, Arena *scratch)
{
    const Matrix *matrix = problem->matrix;
    size_t rows = matrix->row_count;
    struct feature_node **starts = arena_array(scratch, struct feature_node *, rows);
    struct feature_node *node =
        arena_array(scratch, struct feature_node, matrix->starts[rows] + 2 * rows);

    for (size_t row = 0; row < rows; row++) {
        starts[row] = node;
        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
            *node++ = (struct feature_node){(int)matrix->columns[at] + 1, problem->values[at]};
        *node++ = (struct feature_node){(int)matrix->column_count + 1, 1};
        *node++ = (struct feature_node){-1, 0};
    }
    return starts;
}

static void logistic_fit_binary(const BinaryProblem *problem, double *weights, Arena *scratch)
{
    const Matrix *matrix = problem->matrix;
    int labels[2] = {1, -1};
    double class_costs[2] = {problem->positive_cost, problem->negative_cost};
    struct parameter parameter = {.solver_type = L2R_LR,
                                  .eps = 0.01,
                                  .C = 1,
                                  .nr_weight = 2,
                                  .weight_label = labels,
                                  .weight = class_costs};
    struct problem rows = {
        .l = (int)matrix->row_count, .n = (int)matrix->column_count + 1, .bias = 1};
    struct model *fitted;
    double sign;

    rows.x = make_nodes(problem, scratch);
    rows.y = arena_array(scratch, double, matrix->row_count);
    for (size_t row = 0; row < matrix->row_count; row++)
        rows.y[row] = problem->signs[row];
    set_print_string_function(print_nothing);
    fitted = train(&rows, &parameter);
    sign = fitted->label[0] > 0 ? 1 : -1; /* LIBLINEAR's first class is the first it sees */
    for (size_t column = 0; column <= matrix->column_count; column++)
        weights[column] = sign * fitted->w[column];
    free_and_destroy_model(&fitted);
}

LinearModel logistic_fit(const TrainingSet *set, double cost, Arena *arena)
{
    return linear_fit_each(set, cost, logistic_fit_binary, false, arena);
}
