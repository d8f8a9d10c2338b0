/* score_input.h: rows to be scored, a batch at a time: of a CSV or JSONL file, read as a request's
 * body is, or of a data set's Parquet file. Memory does not grow with the number of rows. Used in
 * worker steps only.
 *
 *     while (score_input_next(input, arena, &batch, error) && batch.frame.row_count) ...
 */
#pragma once

#include "data/dataset.h"
#include "serving/body.h"

typedef struct ScoreSource {
    const char *path;
    const char *name;       /* as messages call it */
    const char *form;       /* "csv", "jsonl", "parquet" */
    DatasetColumns columns; /* of a Parquet file */
    TextList keys;          /* columns that go along, as texts */
} ScoreSource;

/* Lives until the next call: the values are where they were read from, or in the arena. */
typedef struct ScoreBatch {
    Frame frame;
    TextRef *keys; /* row_count x keys.count */
    size_t first;  /* rows that were before it */
} ScoreBatch;

typedef struct ScoreInput ScoreInput;

/* source and inputs must live as long. NULL on failure. */
ScoreInput *score_input_open(const ScoreSource *source, const InputList *inputs, Arena *arena,
                             Error *error) MUST_CHECK;

/* No rows: there are no more. */
bool score_input_next(ScoreInput *input, Arena *arena, ScoreBatch *batch, Error *error) MUST_CHECK;
void score_input_close(ScoreInput **input);
