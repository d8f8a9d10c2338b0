/* linear.h: linear classifiers of sparse rows: a margin is weights . row + intercept.
 *
 * Two classes have one margin (positive: the second class); more have one each, every class against
 * the rest. All fits are deterministic: same rows, labels and seed, same bits, on any number of
 * threads.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "ml/matrix.h"

typedef struct LinearModel {
    size_t margin_count, column_count;
    double *weights; /* margin_count x column_count */
    double *intercepts;
} LinearModel;

typedef struct TrainingSet {
    const Matrix *matrix;
    const int *labels; /* a class index a row */
    size_t class_count;
    const double *numbers; /* what is learnt instead, by those that can (ml/ridge.h) */
    bool balance_classes;  /* weigh rows by 1/frequency of their class */
    uint64_t seed;
    size_t thread_count; /* that several margins are fitted on; the model is the same for any */
} TrainingSet;

/* Support vectors with squared hinge loss by dual coordinate descent (Hsieh, Chang, Lin, Keerthi &
 * Sundararajan 2008). */
LinearModel svm_fit(const TrainingSet *set, double cost, Arena *arena);

/* The same on features scaled by the log ratio of their frequencies in and out of the class (Wang &
 * Manning 2012). */
LinearModel nb_svm_fit(const TrainingSet *set, double cost, Arena *arena);

/* Logistic regression by dual coordinate descent (Yu, Huang & Lin 2011). */
LinearModel logistic_fit(const TrainingSet *set, double cost, Arena *arena);

/* Naive Bayes on weighted values; smoothing is added to every sum of a feature. */
LinearModel multinomial_nb_fit(const TrainingSet *set, double smoothing, Arena *arena);
LinearModel complement_nb_fit(const TrainingSet *set, double smoothing, Arena *arena);

/* One whose weights are all zero. */
LinearModel linear_model_new(const TrainingSet *set, Arena *arena);

/* margins: row_count x margin_count. */
void linear_margins(const LinearModel *model, const Matrix *matrix, double *margins);

static inline size_t margin_count_of(size_t class_count)
{
    return class_count == 2 ? 1 : class_count;
}
