#include <math.h>

#include "ml/linear.h"
#include "ml/linear_internal.h"

typedef struct ClassSums {
    double *sums;   /* class_count x column_count */
    double *totals; /* column_count: over all classes */
    size_t *row_counts;
} ClassSums;

static ClassSums sum_classes(const TrainingSet *set, Arena *arena)
{
    const Matrix *matrix = set->matrix;
    ClassSums sums = {arena_array(arena, double, set->class_count * matrix->column_count),
                      arena_array(arena, double, matrix->column_count),
                      arena_array(arena, size_t, set->class_count)};

    for (size_t row = 0; row < matrix->row_count; row++) {
        size_t index = (size_t)set->labels[row];
        double *target = sums.sums + index * matrix->column_count;

        sums.row_counts[index]++;
        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++) {
            /* a standardised number can be negative: naive Bayes has no use for it */
            target[matrix->columns[at]] += fmax(matrix->values[at], 0);
            sums.totals[matrix->columns[at]] += fmax(matrix->values[at], 0);
        }
    }
    return sums;
}

/* Fills the weights of one class; its intercept is returned. */
typedef double ClassWeights(const TrainingSet *set, const ClassSums *sums, size_t class_index,
                            double smoothing, double *weights);

static double multinomial_weights(const TrainingSet *set, const ClassSums *sums, size_t class_index,
                                  double smoothing, double *weights)
{
    size_t columns = set->matrix->column_count;
    const double *counts = sums->sums + class_index * columns;
    double sum = 0;

    for (size_t column = 0; column < columns; column++)
        sum += counts[column] + smoothing;
    for (size_t column = 0; column < columns; column++)
        weights[column] = log((counts[column] + smoothing) / sum);
    if (set->balance_classes)
        return 0;
    return log(((double)sums->row_counts[class_index] + smoothing) /
               (double)set->matrix->row_count);
}

/* How unlike the other classes (Rennie, Shih, Teevan & Karger 2003): no intercept, the complement
 * has no prior. */
static double complement_weights(const TrainingSet *set, const ClassSums *sums, size_t class_index,
                                 double smoothing, double *weights)
{
    size_t columns = set->matrix->column_count;
    const double *counts = sums->sums + class_index * columns;
    double sum = 0;

    for (size_t column = 0; column < columns; column++)
        sum += sums->totals[column] - counts[column] + smoothing;
    for (size_t column = 0; column < columns; column++)
        weights[column] = -log((fmax(sums->totals[column] - counts[column], 0) + smoothing) / sum);
    return 0;
}

/* The margins of two classes are one: the second's less the first's. */
static LinearModel fit(const TrainingSet *set, double smoothing, ClassWeights *weigh, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    LinearModel model = linear_model_new(set, arena);
    ClassSums sums = sum_classes(set, scratch);
    double *first;

    if (set->class_count > 2) {
        for (size_t index = 0; index < set->class_count; index++)
            model.intercepts[index] =
                weigh(set, &sums, index, smoothing, model.weights + index * model.column_count);
        return model;
    }
    first = arena_array(scratch, double, model.column_count);
    model.intercepts[0] = weigh(set, &sums, 1, smoothing, model.weights);
    model.intercepts[0] -= weigh(set, &sums, 0, smoothing, first);
    for (size_t column = 0; column < model.column_count; column++)
        model.weights[column] -= first[column];
    return model;
}

LinearModel multinomial_nb_fit(const TrainingSet *set, double smoothing, Arena *arena)
{
    return fit(set, smoothing, multinomial_weights, arena);
}

LinearModel complement_nb_fit(const TrainingSet *set, double smoothing, Arena *arena)
{
    return fit(set, smoothing, complement_weights, arena);
}
