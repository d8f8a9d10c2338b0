/* train_ids.h: which rows a model has learnt from, by their content.
 *
 * A package carries them as the file "train_ids": a line with the columns that the content is of (a
 * JSON array of names), then the first 8 bytes of each row's id, big-endian, sorted, each once. Two
 * rows among a million pass for one another once in 30 million tries.
 *
 * Later versions of the data may have other feature columns, so the rows that are asked about get
 * ids of the model's columns; where they lack one, that is an error and never a "no".
 */
#pragma once

#include "data/rows.h"
#include "store/artifact.h"

typedef struct TrainIds {
    const char *columns; /* a JSON array of names */
    uint64_t *items;     /* ascending */
    size_t count;
} TrainIds;

/* Fails on an id that is not hexadecimal. */
bool train_ids_write(const Rows *rows, const char *folder, Arena *arena, Error *error) MUST_CHECK;

/* Conflict when the package does not say what it has learnt from. */
bool train_ids_read(const ArtifactStore *store, const char *package, Arena *arena, TrainIds *ids,
                    Error *error) MUST_CHECK;

/* How many of the labelled rows the model has learnt from. */
bool train_ids_count_in(const TrainIds *ids, const RowsSpec *spec, Arena *arena, size_t *count,
                        Error *error) MUST_CHECK;
