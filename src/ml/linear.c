#include "ml/linear.h"

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
