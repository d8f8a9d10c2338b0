/* text_model_internal.h: what a TextModel is made of, for the files text_model*.c and the search
 * that builds it. */
#pragma once

#include "ml/calibration.h"
#include "ml/corpus.h"
#include "ml/linear.h"
#include "ml/text_model.h"
#include "ml/vectorizer.h"

typedef struct ModelBlock {
    BlockSpec spec; /* spec.column: an index into the model's inputs */
    Terms terms;    /* the kept terms; ids are their columns within the block */
    float *values; /* by term: its idf (1 for a category), then its weight in each margin; together,
                      because a term of a text costs a look into each place. Numbers: one term */
    double mean, deviation;
} ModelBlock;

struct TextModel {
    Arena *arena; /* owns everything below and the model itself */
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

/* The buffers for reading one row after another. */
typedef struct RowReader {
    Tokens tokens;
    TermCounter counter;
    double *sums; /* margin_count: what a block adds */
    TextRef read; /* what tokens hold: the blocks of a column read its text once */
    TokenStyle style;
} RowReader;

RowReader row_reader_of(const TextModel *model, Arena *arena);

/* The idf and the weights of a term. */
static inline const float *model_block_values(const TextModel *model, const ModelBlock *block,
                                              size_t term)
{
    return block->values + term * (1 + model->margin_count);
}

/* Counts the known terms of a text into reader->counter. */
void model_block_count(const ModelBlock *block, RowReader *reader, TextRef text);

/* 1 / the length of the vector of tf-idf of the counted terms; 0 with no known term. */
double model_block_scale(const TextModel *model, const ModelBlock *block,
                         const TermCounter *counter);

/* The columns of the frame that the inputs of the model are, by input. */
bool text_model_bind(const TextModel *model, const Frame *frame, Arena *arena,
                     const FrameColumn ***columns, Error *error) MUST_CHECK;

void text_model_margins(const TextModel *model, const FrameColumn *const *columns, size_t row,
                        RowReader *reader, double *margins);
