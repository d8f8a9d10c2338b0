/* split.h: which rows a model may learn from and which judge it: hold-outs and folds.
 *
 * The same input and seed give the same sides on every machine: choices come from ml/random.h and
 * shares are counted in whole numbers. Both sides of a split have rows, always. Keys are compared
 * for equality and order only, so groups may be any numbers (a hash of the group's name, say).
 *
 *     SplitSpec spec = {.row_count = count, .share = 0.2, .seed = 42};
 *     if (!split_stratified(&spec, labels, sides, error))
 *         return false;
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum {
    SPLIT_TRAIN,
    SPLIT_HOLDOUT,
};

/* A row without a time: always on the training side. */
#define SPLIT_TIME_MISSING INT64_MIN

typedef struct SplitSpec {
    size_t row_count;
    double share; /* of the rows that go to the hold-out; between 0 and 1 */
    uint64_t seed;
} SplitSpec;

/* sides: row_count of SPLIT_TRAIN or SPLIT_HOLDOUT. All three fail, and leave sides alone, when the
 * share is not between 0 and 1 or when one side would have no rows. */

/* Rows at random, the same share of each class: by largest remainders, so that each class has less
 * than a row more or less than its share. A class keeps a row in training, so one with a single row
 * is not held out. labels: class indices, 0 or more. */
bool split_stratified(const SplitSpec *spec, const int *labels, uint8_t *sides,
                      Error *error) MUST_CHECK;

/* Whole groups. The number of rows held out is the nearest to the share that groups can add up to
 * (a subset sum; the seed chooses among the ways to reach it). Where the search would take more
 * than SPLIT_SEARCH_STEPS_MAX steps, groups are taken in random order while they fit, which comes
 * within a small group of the share. */
bool split_by_group(const SplitSpec *spec, const size_t *groups, uint8_t *sides,
                    Error *error) MUST_CHECK;

#define SPLIT_SEARCH_STEPS_MAX (UINT64_C(1) << 27)

/* The latest rows: every time in training is before every time in the hold-out. Rows of the same
 * time stay together, so the cut is the nearest to the share that times allow. The seed is not
 * used. */
bool split_by_time(const SplitSpec *spec, const int64_t *times, uint8_t *sides,
                   Error *error) MUST_CHECK;

typedef struct FoldSpec {
    size_t row_count;
    size_t fold_count; /* 2 to FOLD_COUNT_MAX */
    uint64_t seed;
} FoldSpec;

enum { FOLD_COUNT_MAX = 1000 };

/* A fold per row, 0 to fold_count - 1. Without groups: folds differ by one row at most, in each
 * class and in all. With groups (else NULL): rows of a group share a fold; the largest groups are
 * dealt first, each to the fold that stays most even in rows of every class; labels may then be
 * NULL (only the numbers of rows count). Fails with fewer rows or groups than folds. */
bool fold_assign(const FoldSpec *spec, const int *labels, const size_t *groups, uint32_t *folds,
                 Error *error) MUST_CHECK;

/* A row of the hold-out whose content is in training too. */
typedef struct Duplicate {
    size_t row;
    size_t train_row; /* the first row of training with that content */
} Duplicate;

typedef struct DuplicateList {
    Duplicate *items; /* by row */
    size_t count;
} DuplicateList;

/* Content is what the caller hashed: as is, or without case and spaces. Two contents with the same
 * 64 bits pass for one, which among a million rows happens once in 30 million tries. */
DuplicateList duplicates_across(const uint64_t *hashes, const uint8_t *sides, size_t row_count,
                                Arena *arena);
