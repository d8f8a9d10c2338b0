/* split_internal.h: rows put together by a key, for splits and folds. */
#pragma once

#include "ml/random.h"
#include "ml/split.h"

/* The rows that share a key. */
typedef struct RowRun {
    uint64_t key;
    size_t count;
    const size_t *rows; /* in random order, or rising for an unshuffled list */
} RowRun;

typedef struct RowRunList {
    RowRun *items; /* by key */
    size_t count;
} RowRunList;

/* random: shuffles the rows of each run; NULL keeps them in order. */
RowRunList row_runs_create(const uint64_t *keys, size_t row_count, Random *random, Arena *arena);

/* Labels as keys; fails on a negative one. NULL gives one key for all. */
bool keys_of_labels(const int *labels, size_t row_count, Arena *arena, uint64_t **keys,
                    Error *error) MUST_CHECK;
uint64_t *keys_of_groups(const size_t *groups, size_t row_count, Arena *arena);
