/* corpus.h: a frame as counts of terms, read once and shared by all candidates and folds of a
 * search.
 *
 * Every column gives one or two blocks of features: a text its words and its characters, a category
 * its values, a number itself. A block knows nothing of folds: the vectorizer picks rows and
 * weighs.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "ml/frame.h"
#include "ml/terms.h"
#include "ml/tokenizer.h"

typedef enum BlockKind {
    BLOCK_WORDS,
    BLOCK_CHARACTERS,
    BLOCK_CATEGORY,
    BLOCK_NUMBER,
    BLOCK_KIND_COUNT,
} BlockKind;

typedef struct BlockSpec {
    BlockKind kind;
    size_t column;        /* of the frame */
    TokenStyle style;     /* words */
    uint32_t least, most; /* words, characters: sizes of the n-grams */
    uint32_t least_rows;  /* terms in fewer rows of the training part are left out */
    bool sublinear;       /* 1 + ln(tf) instead of tf */
} BlockSpec;

typedef struct Block {
    BlockSpec spec;
    Terms terms;
    size_t *starts;        /* row_count + 1 */
    TermCount *counts;     /* the distinct terms of each row */
    const double *numbers; /* number blocks: one a row, NaN when missing */
} Block;

typedef struct Corpus {
    Block *blocks;
    size_t block_count, row_count;
} Corpus;

/* Reads one block of the frame. Everything lives in the arena (texts of terms too). */
void block_read(Block *block, const Frame *frame, const BlockSpec *spec, Arena *arena);

/* The n-grams of the text that was read as a block wants them, into tokens->grams. */
void block_grams(const BlockSpec *spec, Tokens *tokens);

/* Bytes of all texts of a column. */
size_t column_bytes(const Frame *frame, size_t column);
