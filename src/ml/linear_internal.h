/* linear_internal.h: what the learners of linear.h share: every class against the rest, solved in
 * the dual problem, which has one multiplier a row and margin. The weights are the sum over the
 * rows of multiplier x sign x row; a step chooses one row's multipliers anew.
 */
#pragma once

#include "ml/linear.h"

/* One row in one margin, as a step finds it. */
typedef struct DualRow {
    float margin;     /* times the row's sign: right answers are positive */
    float multiplier; /* never below 0 */
    float cost;
    float square; /* of the row's length, the intercept's constant 1 included */
} DualRow;

typedef struct DualStep {
    float multiplier; /* the better one */
    float loss;       /* cost included, before the step; */
    float gap;        /* the row's part of the duality gap then, or an upper bound of it */
} DualStep;

/* A loss, by what it makes of a row. */
typedef DualStep DualLoss(DualRow row);

/* Fits all margins side by side, until the duality gap of each is at most a thousandth of its
 * objective: so near the objective is to the least one. Where that takes too long (rows that
 * contradict each other, at a high cost) three hundred epochs are enough. scale_by_ratio: on
 * features scaled as nb_svm_fit() says. */
LinearModel dual_fit(const TrainingSet *set, double cost, DualLoss *loss, bool scale_by_ratio,
                     Arena *arena);

/* Which rows are of the class of a margin; returns how many. */
size_t linear_mark_rows(const TrainingSet *set, size_t margin, signed char *signs);

typedef struct MarginCosts {
    double positive, negative;
} MarginCosts;

/* What a row of the class and one of the rest cost, by the set's balance. */
MarginCosts linear_costs(const TrainingSet *set, double cost, size_t positives);

/* Of each feature ln of (its share among the features of the class) / (the same of the rest),
 * presence counted, plus one. */
void linear_log_ratios(const Matrix *matrix, const signed char *signs, double *ratios,
                       Arena *scratch);
