/* A model's bytes from what training found, or from an older file: text_model_file.c describes
 * them. */
#include <assert.h>
#include <string.h>

#include "ml/text_model_file.h"

static void write_padding(ByteWriter *writer)
{
    static const char zeros[MODEL_ALIGNMENT];

    write_items(writer, zeros, model_aligned(writer->size) - writer->size, 1);
}

static void write_header(const TextModel *model, ByteWriter *writer)
{
    write_u64(writer, model->classes.count);
    for (size_t i = 0; i < model->classes.count; i++)
        write_text(writer, model->classes.items[i]);
    write_u64(writer, model->input_count);
    for (size_t i = 0; i < model->input_count; i++) {
        write_u32(writer, model->inputs[i].kind);
        write_text(writer, model->inputs[i].name);
    }
    write_u64(writer, model->positive);
    write_double(writer, model->threshold);
    write_items(writer, model->intercepts, model->margin_count, sizeof(double));
}

/* The keys of the terms by row. */
static void write_rows(const TextModel *head, const DraftBlock *block, const TermLayout *layout,
                       ByteWriter *writer)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t row_bytes = model_row_bytes(head), values = 1 + head->margin_count;
    size_t count = block->spec.kind == BLOCK_NUMBER ? 1 : block->count;
    char *rows = arena_alloc(scratch, count, row_bytes);

    for (size_t i = 0; i < count; i++) {
        TermWeights *row = (void *)(rows + (block->count ? layout->rows[i] : 0) * row_bytes);

        row->key = block->count ? block->keys[i] : 0;
        memcpy(row->values, block->values + i * values, values * sizeof(float));
    }
    write_items(writer, rows, count, row_bytes);
    write_padding(writer);
}

/* By row. */
static const char **order_texts(const DraftBlock *block, const TermLayout *layout, Arena *arena)
{
    const char **texts = arena_array(arena, const char *, block->count);

    assert(layout->rows || block->count == 0);
    for (size_t i = 0; i < block->count; i++)
        texts[layout->rows[i]] = block->texts[i];
    return texts;
}

static void write_texts(const char *const *texts, size_t count, ByteWriter *writer)
{
    uint32_t start = 0;

    write_u32(writer, start);
    for (size_t i = 0; i < count; i++)
        write_u32(writer, start += (uint32_t)strlen(texts[i]));
    write_padding(writer);
    for (size_t i = 0; i < count; i++)
        write_items(writer, texts[i], strlen(texts[i]), 1);
    write_padding(writer);
}

static size_t bytes_of_texts(const DraftBlock *block)
{
    size_t bytes = 0;

    for (size_t i = 0; i < block->count && model_block_has_texts(block->spec.kind); i++)
        bytes += strlen(block->texts[i]);
    return bytes;
}

static void write_block(const TextModel *head, const DraftBlock *block, ByteWriter *writer)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const BlockSpec *spec = &block->spec;
    bool is_number = spec->kind == BLOCK_NUMBER;
    uint32_t plain[] = {spec->kind, (uint32_t)spec->column, spec->style,     spec->least,
                        spec->most, spec->least_rows,       spec->sublinear, 0};
    TermLayout layout = {0};

    if (!is_number)
        layout = term_table_lay_out(block->keys, block->count, block->key_mask, scratch);
    write_items(writer, plain, COUNT(plain), sizeof(*plain));
    write_double(writer, block->mean);
    write_double(writer, block->deviation);
    write_u64(writer, block->key_mask);
    write_u64(writer, is_number ? 1 : block->count);
    write_u64(writer, layout.bucket_count);
    write_u64(writer, bytes_of_texts(block));
    write_padding(writer);
    write_items(writer, layout.buckets, layout.bucket_count, sizeof(TermBucket));
    write_padding(writer);
    write_rows(head, block, &layout, writer);
    if (model_block_has_texts(spec->kind))
        write_texts(order_texts(block, &layout, scratch), block->count, writer);
}

static void write_section(const ModelDraft *draft, size_t index, ByteWriter *writer)
{
    if (index == 0)
        write_header(&draft->head, writer);
    else if (index == 1)
        calibration_write(&draft->head.calibration, writer);
    else
        write_block(&draft->head, &draft->blocks[index - 2], writer);
}

ByteWriter model_write_draft(const ModelDraft *draft, Arena *arena)
{
    size_t count = 2 + draft->block_count;
    size_t start = model_aligned(MODEL_PREFIX_BYTES + MODEL_ENTRY_BYTES * count);
    ByteWriter table = {.arena = arena}, body = {.arena = arena};

    write_items(&table, model_magic, 1, sizeof(model_magic));
    write_u32(&table, MODEL_VERSION);
    write_u32(&table, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t before = body.size;

        write_section(draft, i, &body);
        write_u32(&table, model_section_kind(i));
        write_u32(&table, 0);
        write_u64(&table, start + before);
        write_u64(&table, body.size - before);
        write_padding(&body);
    }
    write_padding(&table);
    write_items(&table, body.bytes, body.size, 1);
    return table;
}
