/* score_output.h: the file of answers: a line a row, or of a forecast a line a step that a row asks
 * for, as CSV with a header or as JSON lines. The same rows and model give the same bytes. */
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "ml/frame.h"

typedef enum ScoreKind {
    SCORE_LABELS,    /* "label" and "confidence" */
    SCORE_NUMBERS,   /* "value" */
    SCORE_FORECASTS, /* "series", "time", "value", "low" and "high" */
} ScoreKind;

typedef struct ScoreOutput {
    FILE *file;
    const char *path;
    bool is_json;
    ScoreKind kind;
    TextList keys; /* none: the number of the row goes along, from 1, as "row" */
} ScoreOutput;

typedef struct ScoreAnswer {
    size_t row; /* from 0 */
    const TextRef *keys;
    const char *label;         /* of SCORE_LABELS */
    double number;             /* the confidence in the label, or the answer itself */
    const char *series, *time; /* of SCORE_FORECASTS, as the next */
    double low, high;
} ScoreAnswer;

/* output: zero but for keys and kind. The folder is made if it is missing. */
bool score_output_open(ScoreOutput *output, const char *path, Error *error) MUST_CHECK;
void score_output_write(ScoreOutput *output, const ScoreAnswer *answer, Arena *arena);

/* Says what went wrong with any of it. */
bool score_output_end(ScoreOutput *output, Error *error) MUST_CHECK;
void score_output_close(ScoreOutput *output); /* for CLEANUP */
