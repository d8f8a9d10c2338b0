/* text_model_file.h: how a model gets its bytes and is found in them again, for the files
 * text_model*.c. text_model_file.c describes the format. */
#pragma once

#include "ml/bytes.h"
#include "ml/text_model_internal.h"

enum {
    MODEL_VERSION = 2,
    MODEL_ALIGNMENT = 64, /* of sections and arrays */
    MODEL_PREFIX_BYTES = 16,
    MODEL_ENTRY_BYTES = 24, /* of the table of sections */
};

extern const char model_magic[8];

static inline size_t model_aligned(size_t size)
{
    return (size + MODEL_ALIGNMENT - 1) & ~(size_t)(MODEL_ALIGNMENT - 1);
}

/* Bytes of a row of terms. */
size_t model_row_bytes(const TextModel *model);

/* Characters are folded into words where they are explained: nobody asks for their texts. */
bool model_block_has_texts(BlockKind kind);

/* A model before it has bytes: the head is a TextModel without blocks. */
typedef struct DraftBlock {
    BlockSpec spec;
    uint64_t key_mask;
    uint64_t *keys; /* count of them: under the mask, not 0, no two the same */
    const char **texts;
    float *values; /* by term: its idf, then its weight in each margin; numbers: one term */
    size_t count;
    double mean, deviation;
} DraftBlock;

typedef struct ModelDraft {
    TextModel head;
    DraftBlock *blocks;
    size_t block_count;
} ModelDraft;

/* The model of a draft, which is needed no more. */
TextModel *text_model_of_draft(const ModelDraft *draft);

/* Reads version 1; false when the bytes are not such a file. */
bool text_model_read_version_1(const char *bytes, size_t size, ModelDraft *draft, Arena *arena);

ByteWriter model_write_draft(const ModelDraft *draft, Arena *arena);

/* What both versions have alike: the table of sections, the header, and the beginning of a block.
 */
typedef struct ModelSection {
    uint32_t kind;
    ByteReader reader;
} ModelSection;

/* Sections lie one behind the other, each on a multiple of alignment. */
ModelSection model_section_next(ByteReader *table, size_t *end, size_t alignment);
uint32_t model_section_kind(size_t index);
void model_read_header(TextModel *model, ByteReader *reader, Arena *arena);
BlockSpec model_read_block_spec(const TextModel *model, ByteReader *reader);
