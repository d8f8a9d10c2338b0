/* linear_internal.h: what the learners of linear.h share: a class against the rest. */
#pragma once

#include "ml/linear.h"

typedef struct BinaryProblem {
    const Matrix *matrix;
    const double *values;     /* of the matrix, or scaled ones */
    const signed char *signs; /* +1 or -1 a row */
    double positive_cost, negative_cost;
    uint64_t seed;
} BinaryProblem;

/* weights: column_count and then the intercept. */
typedef void BinaryFit(const BinaryProblem *problem, double *weights, Arena *scratch);

/* Fits every margin by fit; scale_by_ratio: on features scaled as nb_svm_fit() says. */
LinearModel linear_fit_each(const TrainingSet *set, double cost, BinaryFit *fit,
                            bool scale_by_ratio, Arena *arena);
