/* boost.h: boosted trees, learnt by the library XGBoost (1.7 to 3.x).
 *
 * The library is opened when it is first needed; nothing else here is. It starts threads of OpenMP,
 * after which a process must not fork and go on: training belongs into the processes of steps.
 * The same rows, settings and version of the library give the same trees.
 *
 *     BoostJob job = {&spec, training, held};
 *     if (!boost_fit(&job, arena, &result, error) ||
 *         !boost_model_save(result.model, arena, &json, &size, error))
 *         return false;
 *     forest_from_xgboost(json, size, arena, &forest, error);
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum BoostObjective {
    BOOST_NUMBER,  /* a number, by its squared error */
    BOOST_TWO,     /* the log-odds of class 1 against class 0 */
    BOOST_CLASSES, /* a margin for each class, by softmax */
} BoostObjective;

/* XGBoost's own settings, under longer names. */
typedef struct BoostSpec {
    BoostObjective objective;
    size_t class_count; /* BOOST_CLASSES */
    size_t rounds;      /* at most; a round has a tree for each margin */
    size_t patience;    /* rounds without a better loss on the rows watched, after which it ends */
    double learning_rate;
    unsigned depth;
    double least_weight; /* of the rows in a leaf: "min_child_weight" */
    double row_share;    /* drawn for each tree */
    double column_share; /* drawn for each split */
    double lambda;       /* what squared weights of leaves cost */
    double base;         /* the margin before any tree; BOOST_TWO: a probability; 0: one half */
    uint64_t seed;
    size_t thread_count; /* 0: 1 */
} BoostSpec;

typedef struct BoostRows {
    const float *values; /* row_count x feature_count; NaN where missing, never infinite */
    size_t row_count, feature_count;
    const float *targets; /* numbers or class indices */
    const float *weights; /* or NULL */
    bool is_binned; /* only learnt from, and held as the number of the bin that each value is in: a
                       byte or four instead of twelve */
} BoostRows;

/* Rows as the library holds them. Many fits may use them one after the other. */
typedef struct BoostMatrix BoostMatrix;

bool boost_matrix_create(const BoostRows *rows, BoostMatrix **matrix, Error *error) MUST_CHECK;
void boost_matrix_destroy(BoostMatrix **matrix); /* for CLEANUP too */

/* Trees up to a round. */
typedef struct BoostModel BoostModel;

typedef struct BoostJob {
    const BoostSpec *spec;
    const BoostMatrix *training;
    const BoostMatrix *held;   /* not learnt from: they say when more trees help no more */
    int64_t deadline_us;       /* by time_monotonic_us(); 0: none */
    const atomic_bool *finish; /* or NULL: set, it is as the deadline */
} BoostJob;

typedef struct BoostResult {
    BoostModel *model; /* of the best round; owned by the caller: boost_model_destroy() */
    size_t rounds;     /* the best */
    double *margins;   /* of the rows held, after the best round */
    double loss;       /* theirs: log loss, or mean squared error */
    bool is_stopped;   /* the deadline came before the end */
} BoostResult;

bool boost_fit(const BoostJob *job, Arena *arena, BoostResult *result, Error *error) MUST_CHECK;
void boost_model_destroy(BoostModel **model); /* for CLEANUP too */

/* The JSON that XGBoost writes. */
bool boost_model_save(const BoostModel *model, Arena *arena, const char **json, size_t *size,
                      Error *error) MUST_CHECK;

/* About how many bytes its trees take in a model's file (ml/forest.h). */
bool boost_model_size(const BoostModel *model, size_t *bytes, Error *error) MUST_CHECK;

/* Whether the library is there; the error says what to install. */
bool boost_open(Error *error) MUST_CHECK;

static inline size_t boost_margin_count(const BoostSpec *spec)
{
    return spec->objective == BOOST_CLASSES ? spec->class_count : 1;
}
