/* train_ids.h: which rows a model has learnt from, by their content.
 *
 * A package carries them as the file "train_ids": the first 8 bytes of each row's id, big-endian,
 * sorted, each once. Two rows among a million pass for one another once in 30 million tries.
 */
#pragma once

#include "data/rows.h"
#include "store/artifact.h"

typedef struct TrainIds {
    uint64_t *items; /* ascending */
    size_t count;
} TrainIds;

/* Fails on an id that is not hexadecimal. */
bool train_ids_write(const Rows *rows, const char *folder, Arena *arena, Error *error) MUST_CHECK;

/* Conflict when the package does not say what it has learnt from. */
bool train_ids_read(const ArtifactStore *store, const char *package, Arena *arena, TrainIds *ids,
                    Error *error) MUST_CHECK;

/* How many of the rows the model has learnt from. */
size_t train_ids_count_in(const TrainIds *ids, const Rows *rows);
