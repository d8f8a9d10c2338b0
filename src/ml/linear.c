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

size_t linear_mark_rows(const TrainingSet *set, size_t margin, signed char *signs)
{
    int positive = set->class_count == 2 ? 1 : (int)margin;
    size_t count = 0;

    for (size_t row = 0; row < set->matrix->row_count; row++) {
        signs[row] = set->labels[row] == positive ? 1 : -1;
        count += set->labels[row] == positive;
    }
    return count;
}

MarginCosts linear_costs(const TrainingSet *set, double cost, size_t positives)
{
    double rows = (double)set->matrix->row_count, negatives = rows - (double)positives;

    if (!set->balance_classes || positives == 0 || negatives <= 0)
        return (MarginCosts){cost, cost};
    return (MarginCosts){cost * (rows / (2 * (double)positives)), cost * (rows / (2 * negatives))};
}

void linear_log_ratios(const Matrix *matrix, const signed char *signs, double *ratios,
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

/* One margin after the other: its weights stay in the cache where those of all would not. */
void linear_margins(const LinearModel *model, const Matrix *matrix, double *margins)
{
    for (size_t margin = 0; margin < model->margin_count; margin++) {
        const double *weights = model->weights + margin * model->column_count;

        for (size_t row = 0; row < matrix->row_count; row++) {
            double sum = model->intercepts[margin];

            for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++)
                sum += weights[matrix->columns[at]] * matrix->values[at];
            margins[row * model->margin_count + margin] = sum;
        }
    }
}
