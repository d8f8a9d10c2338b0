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

/* The distinct terms of a row. */
typedef struct CountedRow {
    const TermCount *items;
    size_t count;
} CountedRow;

typedef struct Block {
    BlockSpec spec;
    Terms terms;
    CountedRow *rows;
    size_t row_count;
    const double *numbers; /* number blocks: one a row, NaN when missing; they have no terms */
} Block;

typedef struct Corpus {
    Block *blocks;
    size_t block_count, row_count;
} Corpus;

/* Reads one block of the frame. Everything lives in the arena (texts of terms too). */
void block_read(Block *block, const Frame *frame, const BlockSpec *spec, Arena *arena);

/* Reads a block of texts or categories row by row, for texts that are not all in memory at once.
 *
 *     CLEANUP(block_reader_end) BlockReader reader;
 *     block_reader_start(&reader, &block, &spec, text_bytes, arena);
 *     while (next_text(&text)) block_reader_add(&reader, text);
 *
 * text_bytes: of all texts, about. The block lives in the arena and is whole after each row. */
typedef struct BlockReader {
    Block *block;
    Tokens tokens;
    TermCounter counter;
    TermCount *room; /* for the rows to come */
    size_t room_count, row_capacity;
    Arena *arena, *scratch;
} BlockReader;

void block_reader_start(BlockReader *reader, Block *block, const BlockSpec *spec, size_t text_bytes,
                        Arena *arena);
void block_reader_add(BlockReader *reader, TextRef text);
void block_reader_end(BlockReader *reader); /* for CLEANUP */

/* The n-grams of the text that was read as a block wants them, into tokens->grams. */
void block_grams(const BlockSpec *spec, Tokens *tokens);

/* Bytes of all texts of a column. */
size_t column_bytes(const Frame *frame, size_t column);
