/* encoding.h: rows of a table as numbers for learners, fitted on the rows that they learn from.
 *
 * For trees a number stays as it is and a category becomes the mean of the target over its value's
 * rows, drawn to the mean of all by ENCODING_PRIOR rows (Micci-Barreca 2001): one code, or with
 * more than two classes one for each. For a value seen in few rows that mean gives away the row's
 * own target; where there are many values, the rows of training get codes that were made without
 * them (by fifths). For linear models numbers are standardised, with a flag where they are missing,
 * and categories are one-hot. A missing category is a value like others; a value that was not there
 * gets the mean of all, or no flag. A part of a date that comes round again (month, weekday, hour)
 * is one-hot for linear models: Sunday is no seven times Monday.
 *
 * An Encoding is immutable and owns nothing.
 */
#pragma once

#include "ml/bytes.h"
#include "ml/matrix.h"
#include "ml/table.h"
#include "ml/vectorizer.h" /* RowList */

typedef enum EncodedKind {
    ENCODED_NUMBER,   /* as it is */
    ENCODED_STANDARD, /* (number - mean) * scale, 0 where missing; then 1 where missing */
    ENCODED_CODES,    /* a row of codes by value */
    ENCODED_ONE_HOT,  /* 1 at the value's place */
    ENCODED_STEPS, /* of a number: 1 at the place of the whole ones from mean on; missing: none */
    ENCODED_KIND_COUNT,
} EncodedKind;

typedef struct EncodedColumn {
    EncodedKind kind;
    uint32_t input;         /* which column */
    size_t first, count;    /* features */
    double mean, scale;     /* ENCODED_STANDARD; the mean of ENCODED_STEPS, too */
    size_t level_count;     /* values of a category */
    const uint64_t *levels; /* their keys, rising */
    const float
        *codes; /* ENCODED_CODES: level_count + 1 rows of count, the last for other values */
} EncodedColumn;

typedef struct Encoding {
    EncodedColumn *columns;
    size_t column_count, feature_count;
} Encoding;

/* What is learnt: class indices, or numbers. */
typedef struct EncodingTarget {
    const int *labels;
    size_t class_count;
    const double *numbers; /* NULL: labels */
} EncodingTarget;

enum {
    ENCODING_PRIOR = 20,
    ENCODING_CODES_MAX = 16, /* classes with a code of their own; with more there is one for all */
    ENCODING_MANY_LEVELS = 32,   /* above: codes for training are made without the row itself */
    ENCODING_ONE_HOT_MAX = 1000, /* values of a column, the most frequent ones */
    ENCODING_FEATURES_MAX = 1 << 22,
    ENCODING_STEPS_MAX = 64,
};

Encoding encoding_fit_trees(const Table *table, RowList rows, const EncodingTarget *target,
                            Arena *arena);
Encoding encoding_fit_linear(const Table *table, RowList rows, Arena *arena);

/* features: row_count x feature_count. The rows that it was fitted on, and others. */
void encoding_apply_training(const Encoding *encoding, const Table *table, RowList rows,
                             const EncodingTarget *target, float *features);
void encoding_apply(const Encoding *encoding, const Table *table, RowList rows, float *features);
Matrix encoding_apply_sparse(const Encoding *encoding, const Table *table, RowList rows,
                             Arena *arena);

/* One row, its cells by input. Those for trees are dense; those for linear models give the values
 * that are not 0, at most one a column, and say how many. */
void encoding_dense(const Encoding *encoding, const Cell *cells, float *features);
size_t encoding_sparse(const Encoding *encoding, const Cell *cells, uint32_t *features,
                       double *values);

void encoding_write(const Encoding *encoding, ByteWriter *writer);

/* Goes bad on what is no encoding of so many inputs, for trees or for linear models. */
void encoding_read(ByteReader *reader, size_t input_count, bool is_sparse, Arena *arena,
                   Encoding *encoding);
