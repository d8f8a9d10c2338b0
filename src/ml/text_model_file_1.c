/* The first version of a text model's file, which is still read and no longer written.
 *
 * As today's, but for its blocks of features: keys, values and texts of the terms, each in the
 * order of their ids, and no table to look them up in. */
#include <string.h>

#include "ml/text_model_file.h"

/* A key that is there twice, empty or beyond the mask is not from training. */
static bool keys_are_sound(const DraftBlock *block)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Terms terms;

    terms_init(&terms, block->count, block->key_mask, scratch);
    for (size_t i = 0; i < block->count; i++)
        if (terms_masked(&terms, block->keys[i]) != block->keys[i] ||
            terms_add(&terms, block->keys[i]) != i)
            return false;
    return true;
}

static void read_block(const TextModel *head, ByteReader *reader, DraftBlock *block, Arena *arena)
{
    size_t rows;

    block->spec = model_read_block_spec(head, reader);
    block->mean = read_double(reader);
    block->deviation = read_double(reader);
    block->key_mask = read_u64(reader);
    block->count = read_count(reader, sizeof(uint64_t) + sizeof(float), UINT32_MAX - 1);
    rows = block->spec.kind == BLOCK_NUMBER ? 1 : block->count;
    block->keys = read_keys(reader, block->count, arena);
    block->values = read_floats(reader, rows * (1 + head->margin_count), arena);
    reader->is_bad |= block->spec.kind == BLOCK_NUMBER && (block->count || !(block->deviation > 0));
    if (reader->is_bad)
        return;
    block->texts = arena_array(arena, const char *, block->count);
    read_texts(reader, block->texts, block->count, arena);
    reader->is_bad |= !keys_are_sound(block);
}

bool text_model_read_version_1(const char *bytes, size_t size, ModelDraft *draft, Arena *arena)
{
    ByteReader table = {.bytes = bytes, .size = size, .at = MODEL_PREFIX_BYTES - sizeof(uint32_t)};
    size_t count = read_u32(&table), end = MODEL_PREFIX_BYTES + MODEL_ENTRY_BYTES * count;

    if (count < 2 || count > MODEL_BLOCKS_MAX + 2 || end > size)
        return false;
    *draft = (ModelDraft){.block_count = count - 2};
    draft->blocks = arena_array(arena, DraftBlock, count - 2);
    for (size_t i = 0; i < count; i++) {
        ModelSection section = model_section_next(&table, &end, 1);

        if (table.is_bad || section.kind != model_section_kind(i))
            return false;
        if (i == 0)
            model_read_header(&draft->head, &section.reader, arena);
        else if (i == 1)
            calibration_read(&section.reader, draft->head.margin_count, arena,
                             &draft->head.calibration);
        else
            read_block(&draft->head, &section.reader, &draft->blocks[i - 2], arena);
        if (section.reader.is_bad || section.reader.at != section.reader.size)
            return false;
    }
    return end == size;
}
