/* score_internal.h: what the kinds of score_input.h share. */
#pragma once

#include "pipelines/score_input.h"

enum { SCORE_BATCH_ROWS = 4096, SCORE_BATCH_BYTES = 4 << 20, SCORE_LINE_BYTES_MAX = 16 << 20 };

/* One kind: what it keeps between batches is its own. */
typedef struct ScoreReader ScoreReader;

struct ScoreInput {
    const ScoreSource *source;
    const InputList *inputs;
    size_t row_count; /* so far */
    bool (*next)(ScoreInput *input, Arena *arena, ScoreBatch *batch, Error *error);
    void (*close)(ScoreReader *reader);
    ScoreReader *reader; /* in the arena; close() gives back what it holds */
};

/* Of columns that may each be left out not all may: found is how many are there. */
bool score_input_check_found(const ScoreInput *input, size_t found, Error *error) MUST_CHECK;

bool score_open_csv(ScoreInput *input, Arena *arena, Error *error) MUST_CHECK;
bool score_open_jsonl(ScoreInput *input, Arena *arena, Error *error) MUST_CHECK;
bool score_open_parquet(ScoreInput *input, Arena *arena, Error *error) MUST_CHECK;
