/* text_model_internal.h: what a TextModel is made of, for the files text_model*.c and the search
 * that builds it. */
#pragma once

#include <math.h>

#include "ml/calibration.h"
#include "ml/corpus.h"
#include "ml/linear.h"
#include "ml/term_table.h"
#include "ml/text_model.h"
#include "ml/vectorizer.h"

/* A block of features. What it points to lies in the model's bytes. */
typedef struct ModelBlock {
    BlockSpec spec;  /* spec.column: an index into the model's inputs */
    TermTable terms; /* a number has one row and no buckets */
    double mean, deviation;
    const uint32_t *text_starts; /* by row, and one more; NULL: characters have no texts */
    const char *texts;
    size_t text_bytes;
} ModelBlock;

struct TextModel {
    Arena *arena;      /* owns the model itself, and bytes unless the caller does */
    const char *bytes; /* the file, in today's format */
    size_t size;
    ClassNames classes;
    size_t positive, margin_count;
    ModelInput *inputs;
    size_t input_count;
    ModelBlock *blocks;
    size_t block_count;
    double *intercepts;
    Calibration calibration;
    double threshold; /* two classes: the least probability of the positive class to name it */
};

/* Bounds for what a file may claim; a model that is built stays inside them. */
enum {
    MODEL_INPUTS_MAX = 4096,
    MODEL_CLASSES_MAX = 4096,
    MODEL_BLOCKS_MAX = 2 * MODEL_INPUTS_MAX,
    MODEL_GRAM_MAX = 16,
};

typedef struct ModelParts {
    const Frame *frame;
    const ClassNames *classes;
    size_t positive;
    const Vectorizer *vectorizer; /* with its corpus */
    const LinearModel *linear;
    const Calibration *calibration;
    double threshold;
} ModelParts;

TextModel *text_model_build(const ModelParts *parts);

/* ---- reading rows ---- */

/* The buffers for reading one row after another. */
typedef struct RowReader {
    Tokens tokens;
    TermCounter counter;
    double *sums; /* margin_count: what a block adds */
    TextRef read; /* what tokens hold: the blocks of a column read its text once */
    TokenStyle style;
} RowReader;

RowReader row_reader_of(const TextModel *model, Arena *arena);

/* For margins only. Buffers for texts of up to some hundred bytes, on the stack: taking and
 * clearing them costs nothing. A longer text gets its own from the arena. */
typedef struct RowScratch {
    char bytes[2048];
    Token words[512], chunks[256];
    uint64_t keys[4096];
    TermCount counts[1 + 2048];
    uint32_t slots[4 * 2048];
} RowScratch;

RowReader row_reader_on(RowScratch *scratch, const TextModel *model, Arena *arena);

/* Weights are not looked at when a model is loaded: one that is no number counts as none. */
static inline double model_finite(float value)
{
    return isfinite(value) ? (double)value : 0;
}

/* The idf and the weights of a term. */
static inline const float *model_block_values(const ModelBlock *block, uint32_t term)
{
    return term_table_weights(&block->terms, term)->values;
}

/* Counts the known terms of a text into reader->counter. */
void model_block_count(const ModelBlock *block, RowReader *reader, TextRef text);

/* 1 / the length of the vector of tf-idf of the counted terms; 0 with no known term. */
double model_block_scale(const ModelBlock *block, const TermCounter *counter);

/* The columns of the frame that the inputs of the model are, by input. */
bool text_model_bind(const TextModel *model, const Frame *frame, Arena *arena,
                     const FrameColumn ***columns, Error *error) MUST_CHECK;

void text_model_margins(const TextModel *model, const FrameColumn *const *columns, size_t row,
                        RowReader *reader, double *margins);

typedef struct RowRange {
    size_t first, count;
} RowRange;

/* The same of some rows, one after the other into margins, in less time where texts are short. */
void text_model_margins_of_rows(const TextModel *model, const FrameColumn *const *columns,
                                RowRange rows, RowReader *reader, double *margins);
