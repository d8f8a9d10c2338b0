/* guardrail_internal.h: what the files of guardrail.h share. */
#pragma once

#include "ml/guardrail.h"

enum { GUARDRAIL_ANSWERS_MAX = 16 }; /* classes that are looked at, the most frequent ones */

/* Rows that stand for all, with what is to be told of each: the number; or for each class 1 and 0,
 * of two classes only for the second. */
typedef struct GuardrailSample {
    const Frame *frame;
    size_t *rows; /* of the frame, rising */
    size_t count;
    uint8_t *sides; /* 0 or 1: which half learns from which */
    bool is_number;
    size_t answer_count;
    const double *answers; /* answer_count x count */
} GuardrailSample;

/* What a column has in the rows of the sample. */
typedef struct GuardrailColumn {
    const FrameColumn *from;
    uint32_t *bins; /* by row: a value of its own, or a stretch of numbers */
    size_t bin_count;
    size_t distinct, present; /* values; rows that have one */
    uint64_t content;         /* equal: the same values in all rows */
    uint64_t pattern;         /* equal: the same values under other names */
    double alone;             /* what it tells of the target, see guardrail_figure() */
} GuardrailColumn;

/* A cell as a number that equal values share; numbers rise with it. CELL_MISSING: it has none. */
uint64_t guardrail_key(const FrameColumn *column, size_t row);

static inline uint64_t guardrail_mix(uint64_t state, uint64_t key)
{
    state = (state ^ key) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ state >> 29;
}

GuardrailSample guardrail_sample(const Frame *frame, const Target *target, Arena *arena);

/* All but what it tells. */
GuardrailColumn guardrail_column(const GuardrailSample *sample, const FrameColumn *from,
                                 Arena *arena);

/* scores: answer_count x count: what the column alone says of each row, learnt from the half that
 * the row is not in; log odds above those of all rows, or numbers above their mean. */
void guardrail_score(const GuardrailSample *sample, const GuardrailColumn *column, double *scores);

/* How well scores tell the answers: the AUC (of classes the mean by their rows), or the squared
 * correlation; NaN where there is nothing to tell. */
double guardrail_figure(const GuardrailSample *sample, const double *scores);

/* The squared correlation of a column's own numbers with those of the target; 0 for categories. */
double guardrail_straight(const GuardrailSample *sample, const GuardrailColumn *column);

/* The frame with its dates as numbers, their seconds. */
Frame guardrail_dated(const Frame *frame, Arena *arena);

/* How far two columns of such seconds are apart, as a column of numbers. */
FrameColumn guardrail_apart(const FrameColumn *later, const FrameColumn *earlier, size_t row_count,
                            Arena *arena);

/* What is said of whole rows, as the columns that count have them. */
typedef struct GuardrailRows {
    double repeated;     /* the share of rows that have the features of an earlier one */
    double contradicted; /* of rows that share features with a row of another target */
    double ceiling; /* the best accuracy, or R2, that features like these allow in these rows */
} GuardrailRows;

GuardrailRows guardrail_rows(const Frame *frame, const bool *counts, const Target *target);
