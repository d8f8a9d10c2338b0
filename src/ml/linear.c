#include "ml/linear.h"

#include <linear.h>
#include <math.h>
#include <string.h>

#include "ml/linear_internal.h"

LinearModel linear_model_new(const TrainingSet *set, Arena *arena)
{
    LinearModel model = {.margin_count = margin_count_of(set->class_count),
                         .column_count = set->matrix->column_count};

    model.weights = arena_array(arena, double, model.margin_count *model.column_count);
    model.intercepts = arena_array(arena, double, model.margin_count);
    return model;
}

/* Which rows are of the class of a margin; returns how many. */
static size_t mark_rows(const TrainingSet *set, size_t margin, signed char *signs)
{
    int positive = set->class_count == 2 ? 1 : (int)margin;
    size_t count = 0;

    for (size_t row = 0; row < set->matrix->row_count; row++) {
        signs[row] = set->labels[row] == positive ? 1 : -1;
        count += set->labels[row] == positive;
    }
    return count;
}

/* ln of (share of the feature among the features of the class) / (the same of the rest), presence
 * counted, plus one. */
static void find_log_ratios(const Matrix *matrix, const signed char *signs, double *ratios,
                            Arena *scratch)
{
    double *rest = arena_array(scratch, double, matrix->column_count);
    double sum = 0, rest_sum = 0;

    for (size_t column = 0; column < matrix->column_count; column++)
        ratios[column] = rest[column] = 1;
    for (size_t row = 0; row < matrix->row_count; row++) {
        double *counts = signs[row] > 0 ? ratios : rest;

        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
            counts[matrix->columns[at]] += matrix->values[at] > 0;
    }
    for (size_t column = 0; column < matrix->column_count; column++) {
        sum += ratios[column];
        rest_sum += rest[column];
    }
    for (size_t column = 0; column < matrix->column_count; column++)
        ratios[column] = log(ratios[column] / sum * rest_sum / rest[column]);
}

typedef struct EachMargin {
    const TrainingSet *set;
    double cost;
    BinaryFit *fit;
    bool scale_by_ratio;
    LinearModel *model;
} EachMargin;

static void fit_margin(const EachMargin *each, size_t margin)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Matrix *matrix = each->set->matrix;
    size_t rows = matrix->row_count, columns = matrix->column_count, entries = matrix->starts[rows];
    signed char *signs = arena_array(scratch, signed char, rows);
    double *weights = arena_array(scratch, double, columns + 1);
    double *ratios = NULL;
    double *target = each->model->weights + margin * columns;
    double positives = (double)mark_rows(each->set, margin, signs);
    double negatives = (double)rows - positives;
    BinaryProblem problem = {matrix,     matrix->values, signs,
                             each->cost, each->cost,     each->set->seed + margin};

    if (each->set->balance_classes && positives > 0 && negatives > 0) {
        problem.positive_cost *= (double)rows / (2 * positives);
        problem.negative_cost *= (double)rows / (2 * negatives);
    }
    if (each->scale_by_ratio) {
        double *scaled = arena_array(scratch, double, entries);

        ratios = arena_array(scratch, double, columns);
        find_log_ratios(matrix, signs, ratios, scratch);
        for (size_t at = 0; at < entries; at++)
            scaled[at] = matrix->values[at] * ratios[matrix->columns[at]];
        problem.values = scaled;
    }
    each->fit(&problem, weights, scratch);
    for (size_t column = 0; column < columns; column++)
        target[column] = weights[column] * (ratios ? ratios[column] : 1);
    each->model->intercepts[margin] = weights[columns];
}

LinearModel linear_fit_each(const TrainingSet *set, double cost, BinaryFit *fit,
                            bool scale_by_ratio, Arena *arena)
{
    LinearModel model = linear_model_new(set, arena);
    EachMargin each = {set, cost, fit, scale_by_ratio, &model};

    for (size_t margin = 0; margin < model.margin_count; margin++)
        fit_margin(&each, margin);
    return model;
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

/* ---- margins ---- */

void linear_margins(const LinearModel *model, const Matrix *matrix, double *margins)
{
    for (size_t row = 0; row < matrix->row_count; row++) {
        for (size_t margin = 0; margin < model->margin_count; margin++) {
            const double *weights = model->weights + margin * model->column_count;
            double sum = model->intercepts[margin];

            for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
                sum += weights[matrix->columns[at]] * matrix->values[at];
            margins[row * model->margin_count + margin] = sum;
        }
    }
}
