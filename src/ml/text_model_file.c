/* The file of a text model, which is looked up where it lies: loading it checks and builds nothing.
 * All numbers are little-endian.
 *
 *     8 bytes  "SLPTEXT" and a NUL
 *     u32      version: 2
 *     u32      number of sections
 *     per section: u32 kind, u32 0, u64 offset, u64 size
 *     the sections, in order, each on the next multiple of 64 bytes, up to the end of the file
 *
 * Sections: one header (classes, inputs, intercepts, threshold), one calibration, one for each
 * block of features. A block says how much it has and then has it, each array on the next multiple
 * of 64 bytes, so that its counts alone say where everything lies:
 *
 *     8 u32    kind, input, style, least, most, least_rows, sublinear, 0
 *     doubles  mean, deviation
 *     u64      key mask, rows, buckets, bytes of texts
 *     buckets  32 bytes each: ml/term_table.h
 *     rows     u64 key, float idf, a float weight for each margin; each row on a multiple of 8
 *     u32      where the text of each row begins, and where the last one ends (not for characters)
 *     texts    without anything between them
 *
 * The counts are checked against the size of the file. What rows and buckets hold is not read
 * before it is needed: a row number or the place of a text is bounded where it is used, a weight
 * that is no number ends in a margin that is bounded (text_model_row.c).
 *
 * A caller who maps the file promises that it stays as it is while the model lives. The artifact
 * store does: a blob has the name of its digest, is written under another name and renamed, is
 * never opened for writing again, and is not cut; removing it leaves a mapping whole. Whoever cuts
 * a file of the store by other means ends the program, as he would by writing into its memory. */
#include <math.h>
#include <string.h>

#include "ml/text_model_file.h"

enum { VERSION_BUILT_ON_LOADING = 1 };

const char model_magic[8] = "SLPTEXT";

/* Bytes of a row: the next one's key is aligned. */
size_t model_row_bytes(const TextModel *model)
{
    return (sizeof(uint64_t) + (1 + model->margin_count) * sizeof(float) + 7) & ~(size_t)7;
}

bool model_block_has_texts(BlockKind kind)
{
    return kind == BLOCK_WORDS || kind == BLOCK_CATEGORY;
}

uint32_t model_section_kind(size_t index)
{
    return index < 2 ? (uint32_t)index + 1 : 3;
}

static void read_classes(TextModel *model, ByteReader *reader, Arena *arena)
{
    size_t count = read_count(reader, 8, MODEL_CLASSES_MAX);
    const char **names = arena_array(arena, const char *, count);

    for (size_t i = 0; i < count && !reader->is_bad; i++)
        names[i] = read_text(reader, arena);
    reader->is_bad |= count < 2;
    model->classes = (ClassNames){names, count};
    model->margin_count = margin_count_of(count);
}

static void read_inputs(TextModel *model, ByteReader *reader, Arena *arena)
{
    model->input_count = read_count(reader, 12, MODEL_INPUTS_MAX);
    model->inputs = arena_array(arena, ModelInput, model->input_count);
    for (size_t i = 0; i < model->input_count && !reader->is_bad; i++) {
        uint32_t kind = read_u32(reader);

        reader->is_bad |= kind > COLUMN_NUMBER;
        model->inputs[i].kind = (ColumnKind)kind;
        model->inputs[i].name = read_text(reader, arena);
    }
}

void model_read_header(TextModel *model, ByteReader *reader, Arena *arena)
{
    read_classes(model, reader, arena);
    read_inputs(model, reader, arena);
    model->positive = read_u64(reader);
    model->threshold = read_double(reader);
    model->intercepts = read_doubles(reader, model->margin_count, arena);
    reader->is_bad |= model->positive >= model->classes.count;
}

static bool block_is_sound(const TextModel *model, const uint32_t plain[8])
{
    static const ColumnKind columns[] = {
        [BLOCK_WORDS] = COLUMN_TEXT,
        [BLOCK_CHARACTERS] = COLUMN_TEXT,
        [BLOCK_CATEGORY] = COLUMN_CATEGORY,
        [BLOCK_NUMBER] = COLUMN_NUMBER,
    };
    bool is_text = plain[0] == BLOCK_WORDS || plain[0] == BLOCK_CHARACTERS;

    if (plain[0] >= BLOCK_KIND_COUNT || plain[1] >= model->input_count ||
        model->inputs[plain[1]].kind != columns[plain[0]] || plain[2] > TOKEN_STYLE_RICH ||
        plain[6] > 1 || plain[7] != 0)
        return false;
    return !is_text || (plain[3] >= 1 && plain[3] <= plain[4] && plain[4] <= MODEL_GRAM_MAX);
}

BlockSpec model_read_block_spec(const TextModel *model, ByteReader *reader)
{
    uint32_t plain[8];

    for (size_t i = 0; i < COUNT(plain); i++)
        plain[i] = read_u32(reader);
    reader->is_bad = reader->is_bad || !block_is_sound(model, plain);
    if (reader->is_bad)
        return (BlockSpec){0};
    return (BlockSpec){
        (BlockKind)plain[0], plain[1], (TokenStyle)plain[2], plain[3], plain[4], plain[5],
        plain[6] != 0};
}

/* So many bytes where they lie, and the reader behind their padding. */
static const void *take_array(ByteReader *reader, size_t count, size_t item_bytes)
{
    size_t start = reader->at, size;

    if (reader->is_bad || count > (reader->size - start) / item_bytes ||
        model_aligned(start + count * item_bytes) > reader->size) {
        reader->is_bad = true;
        return NULL;
    }
    size = model_aligned(start + count * item_bytes) - start;
    reader->at += size;
    return reader->bytes + start;
}

static bool counts_are_sound(const ModelBlock *block)
{
    if (block->spec.kind == BLOCK_NUMBER)
        return block->terms.row_count == 1 && !block->terms.bucket_count && block->deviation > 0;
    return block->terms.bucket_count > 0;
}

static void view_block(TextModel *model, ByteReader *reader)
{
    ModelBlock *block = &model->blocks[model->block_count++];
    TermTable *terms = &block->terms;
    bool has_text;

    block->spec = model_read_block_spec(model, reader);
    block->mean = read_double(reader);
    block->deviation = read_double(reader);
    terms->key_mask = read_u64(reader);
    terms->row_bytes = model_row_bytes(model);
    terms->row_count = (uint32_t)read_count(reader, terms->row_bytes, UINT32_MAX - 1);
    terms->bucket_count = (uint32_t)read_count(reader, sizeof(TermBucket), UINT32_MAX - 1);
    has_text = model_block_has_texts(block->spec.kind);
    block->text_bytes = read_count(reader, 1, has_text ? UINT32_MAX - 1 : 0);
    take_array(reader, 0, 1);
    terms->buckets = take_array(reader, terms->bucket_count, sizeof(TermBucket));
    terms->rows = take_array(reader, terms->row_count, terms->row_bytes);
    if (has_text) {
        block->text_starts = take_array(reader, (size_t)terms->row_count + 1, sizeof(uint32_t));
        block->texts = take_array(reader, block->text_bytes, 1);
    }
    reader->is_bad = reader->is_bad || !counts_are_sound(block);
}

ModelSection model_section_next(ByteReader *table, size_t *end, size_t alignment)
{
    ModelSection section = {.kind = read_u32(table)};
    uint32_t reserved = read_u32(table);
    uint64_t offset = read_u64(table), size = read_u64(table);
    size_t start = (*end + alignment - 1) & ~(alignment - 1);

    if (table->is_bad || reserved || offset != start || start > table->size ||
        size > table->size - start) {
        table->is_bad = true;
        return section;
    }
    section.reader = (ByteReader){.bytes = table->bytes + offset, .size = size};
    *end = start + size;
    return section;
}

/* The whole file; false when it is not what write_draft() writes. */
static bool view_sections(TextModel *model)
{
    ByteReader table = {.bytes = model->bytes, .size = model->size, .at = sizeof(model_magic) + 4};
    size_t count = read_u32(&table), end = MODEL_PREFIX_BYTES + MODEL_ENTRY_BYTES * count;

    if (count < 2 || count > MODEL_BLOCKS_MAX + 2 || end > model->size)
        return false;
    model->blocks = arena_array(model->arena, ModelBlock, count - 2);
    for (size_t i = 0; i < count; i++) {
        ModelSection section = model_section_next(&table, &end, MODEL_ALIGNMENT);

        if (table.is_bad || section.kind != model_section_kind(i))
            return false;
        if (i == 0)
            model_read_header(model, &section.reader, model->arena);
        else if (i == 1)
            calibration_read(&section.reader, model->margin_count, model->arena,
                             &model->calibration);
        else
            view_block(model, &section.reader);
        if (section.reader.is_bad || section.reader.at != section.reader.size)
            return false;
    }
    return model_aligned(end) == model->size;
}

/* Takes the arena, which may own the bytes; destroyed with them when they are not a model's. */
static TextModel *view(Arena *arena, const char *bytes, size_t size)
{
    TextModel *model = arena_new(arena, TextModel);

    model->arena = arena;
    model->bytes = bytes;
    model->size = size;
    if (view_sections(model))
        return model;
    arena_destroy(arena);
    return NULL;
}

static TextModel *view_copy(const char *bytes, size_t size)
{
    Arena *arena = arena_create();
    char *copy = arena_alloc(arena, size + MODEL_ALIGNMENT, 1);

    copy += model_aligned((uintptr_t)copy) - (uintptr_t)copy;
    memcpy(copy, bytes, size);
    return view(arena, copy, size);
}

TextModel *text_model_of_draft(const ModelDraft *draft)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ByteWriter file = model_write_draft(draft, scratch);

    return view_copy(file.bytes, file.size);
}

static TextModel *convert(const char *bytes, size_t size)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ModelDraft draft;

    return text_model_read_version_1(bytes, size, &draft, scratch) ? text_model_of_draft(&draft)
                                                                   : NULL;
}

static bool check_version(const char *bytes, size_t size, uint32_t *version, Error *error)
{
    ByteReader reader = {.bytes = bytes, .size = size, .at = sizeof(model_magic)};

    if (size < MODEL_PREFIX_BYTES || memcmp(bytes, model_magic, sizeof(model_magic)) != 0)
        return fail(error, ERROR_INVALID, "the file is not a text model of Slipway");
    *version = read_u32(&reader);
    return *version == MODEL_VERSION || *version == VERSION_BUILT_ON_LOADING ||
           fail(error, ERROR_INVALID,
                "the text model has format version %u, this program reads versions 1 to %d",
                *version, MODEL_VERSION);
}

static bool give(TextModel *loaded, TextModel **model, Error *error)
{
    if (!loaded)
        return fail(error, ERROR_INVALID, "the text model is damaged");
    *model = loaded;
    return true;
}

bool text_model_load(const char *bytes, size_t size, TextModel **model, Error *error)
{
    uint32_t version;

    return check_version(bytes, size, &version, error) &&
           give(version == MODEL_VERSION ? view_copy(bytes, size) : convert(bytes, size), model,
                error);
}

bool text_model_load_in_place(const char *bytes, size_t size, TextModel **model, Error *error)
{
    uint32_t version;

    if ((uintptr_t)bytes % MODEL_ALIGNMENT != 0)
        return text_model_load(bytes, size, model, error);
    return check_version(bytes, size, &version, error) &&
           give(version == MODEL_VERSION ? view(arena_create(), bytes, size) : convert(bytes, size),
                model, error);
}

void text_model_save(const TextModel *model, Arena *arena, const char **bytes, size_t *size)
{
    *bytes = arena_copy(arena, model->bytes, model->size);
    *size = model->size;
}
