/* The file of a text model. All numbers are little-endian.
 *
 *     8 bytes  "SLPTEXT" and a NUL
 *     u32      version
 *     u32      number of sections
 *     per section: u32 kind, u32 0, u64 offset, u64 size     in order, without gaps, up to the end
 * of the file
 *
 * Sections: one header (classes, inputs, intercepts, threshold), one calibration, one for each
 * block of features. A block holds its terms as keys, values (idf and weights) and texts; the hash
 * table over the keys is built on loading. */
#include <math.h>
#include <string.h>

#include "ml/bytes.h"
#include "ml/text_model_internal.h"

static const char magic[8] = "SLPTEXT";

enum { VERSION = 1, PREFIX_BYTES = 16, ENTRY_BYTES = 24 };
enum { SECTION_HEADER = 1, SECTION_CALIBRATION = 2, SECTION_BLOCK = 3 };

/* ---- saving ---- */

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

static void write_calibration(const Calibration *calibration, ByteWriter *writer)
{
    write_u32(writer, calibration->kind);
    write_u64(writer, calibration->row_count);
    write_items(writer, calibration->slopes, calibration->margin_count, sizeof(double));
    write_items(writer, calibration->offsets, calibration->margin_count, sizeof(double));
    write_u64(writer, calibration->knot_count);
    write_items(writer, calibration->knot_margins, calibration->knot_count, sizeof(double));
    write_items(writer, calibration->knot_values, calibration->knot_count, sizeof(double));
}

static void write_block(const TextModel *model, const ModelBlock *block, ByteWriter *writer)
{
    const BlockSpec *spec = &block->spec;
    size_t rows = spec->kind == BLOCK_NUMBER ? 1 : block->terms.count;
    uint32_t plain[] = {spec->kind, (uint32_t)spec->column, spec->style,     spec->least,
                        spec->most, spec->least_rows,       spec->sublinear, 0};

    write_items(writer, plain, COUNT(plain), sizeof(*plain));
    write_double(writer, block->mean);
    write_double(writer, block->deviation);
    write_u64(writer, block->terms.key_mask);
    write_u64(writer, block->terms.count);
    write_items(writer, block->terms.keys, block->terms.count, sizeof(uint64_t));
    write_items(writer, block->values, rows * (1 + model->margin_count), sizeof(float));
    for (size_t i = 0; i < block->terms.count; i++)
        write_text(writer, block->terms.texts[i]);
}

static void write_section(const TextModel *model, size_t index, ByteWriter *writer)
{
    if (index == 0)
        write_header(model, writer);
    else if (index == 1)
        write_calibration(&model->calibration, writer);
    else
        write_block(model, &model->blocks[index - 2], writer);
}

static uint32_t section_kind(size_t index)
{
    return index < 2 ? (uint32_t)index + SECTION_HEADER : SECTION_BLOCK;
}

void text_model_save(const TextModel *model, Arena *arena, const char **bytes, size_t *size)
{
    size_t count = 2 + model->block_count;
    ByteWriter table = {.arena = arena}, body = {.arena = arena};
    uint64_t start = PREFIX_BYTES + ENTRY_BYTES * count;

    write_items(&table, magic, 1, sizeof(magic));
    write_u32(&table, VERSION);
    write_u32(&table, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        uint64_t before = body.size;

        write_section(model, i, &body);
        write_u32(&table, section_kind(i));
        write_u32(&table, 0);
        write_u64(&table, start + before);
        write_u64(&table, body.size - before);
    }
    write_items(&table, body.bytes, body.size, 1);
    *bytes = table.bytes;
    *size = table.size;
}

/* ---- loading ---- */

static void load_classes(TextModel *model, ByteReader *reader)
{
    size_t count = read_count(reader, 8, MODEL_CLASSES_MAX);
    const char **names = arena_array(model->arena, const char *, count);

    for (size_t i = 0; i < count && !reader->is_bad; i++)
        names[i] = read_text(reader, model->arena);
    reader->is_bad |= count < 2;
    model->classes = (ClassNames){names, count};
    model->margin_count = margin_count_of(count);
}

static void load_inputs(TextModel *model, ByteReader *reader)
{
    model->input_count = read_count(reader, 12, MODEL_INPUTS_MAX);
    model->inputs = arena_array(model->arena, ModelInput, model->input_count);
    for (size_t i = 0; i < model->input_count && !reader->is_bad; i++) {
        uint32_t kind = read_u32(reader);

        reader->is_bad |= kind > COLUMN_NUMBER;
        model->inputs[i].kind = (ColumnKind)kind;
        model->inputs[i].name = read_text(reader, model->arena);
    }
}

static void load_header(TextModel *model, ByteReader *reader)
{
    load_classes(model, reader);
    load_inputs(model, reader);
    model->positive = read_u64(reader);
    model->threshold = read_double(reader);
    model->intercepts = read_doubles(reader, model->margin_count, model->arena);
    reader->is_bad |= model->positive >= model->classes.count;
}

static bool is_rising(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] < values[i - 1])
            return false;
    return true;
}

static void load_calibration(TextModel *model, ByteReader *reader)
{
    Calibration *calibration = &model->calibration;
    uint32_t kind = read_u32(reader);

    calibration->kind = (CalibrationKind)kind;
    calibration->margin_count = model->margin_count;
    calibration->row_count = read_u64(reader);
    calibration->slopes = read_doubles(reader, model->margin_count, model->arena);
    calibration->offsets = read_doubles(reader, model->margin_count, model->arena);
    calibration->knot_count = read_count(reader, 2 * sizeof(double), SIZE_MAX);
    calibration->knot_margins = read_doubles(reader, calibration->knot_count, model->arena);
    calibration->knot_values = read_doubles(reader, calibration->knot_count, model->arena);
    if (reader->is_bad)
        return;
    reader->is_bad = kind >= CALIBRATION_KIND_COUNT ||
                     !calibration_suits(calibration->kind, model->margin_count) ||
                     (kind == CALIBRATION_ISOTONIC && calibration->knot_count == 0) ||
                     !is_rising(calibration->knot_margins, calibration->knot_count);
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

/* Adds the keys in the order of their ids; a key that is there twice, empty or beyond the mask is
 * no model's. */
static void load_terms(ModelBlock *block, ByteReader *reader, const uint64_t *keys, size_t count)
{
    for (size_t i = 0; i < count && !reader->is_bad; i++)
        reader->is_bad |= keys[i] == 0 || (keys[i] & ~block->terms.key_mask) != 0 ||
                          terms_add(&block->terms, keys[i]) != i;
}

static void load_block(TextModel *model, ByteReader *reader)
{
    ModelBlock *block = &model->blocks[model->block_count++];
    uint32_t plain[8];
    uint64_t key_mask, *keys;
    size_t count, rows;

    for (size_t i = 0; i < COUNT(plain); i++)
        plain[i] = read_u32(reader);
    if (reader->is_bad || !block_is_sound(model, plain)) {
        reader->is_bad = true;
        return;
    }
    block->spec = (BlockSpec){
        (BlockKind)plain[0], plain[1], (TokenStyle)plain[2], plain[3], plain[4], plain[5],
        plain[6] != 0};
    block->mean = read_double(reader);
    block->deviation = read_double(reader);
    key_mask = read_u64(reader);
    count = read_count(reader, sizeof(uint64_t) + sizeof(float), UINT32_MAX - 1);
    rows = block->spec.kind == BLOCK_NUMBER ? 1 : count;
    keys = read_keys(reader, count, model->arena);
    block->values = read_floats(reader, rows * (1 + model->margin_count), model->arena);
    reader->is_bad |= block->spec.kind == BLOCK_NUMBER && (count || !(block->deviation > 0));
    if (reader->is_bad)
        return;
    terms_init(&block->terms, count, key_mask, model->arena);
    load_terms(block, reader, keys, count);
    read_texts(reader, block->terms.texts, count, model->arena);
}

typedef struct Section {
    uint32_t kind;
    ByteReader reader;
} Section;

static Section next_section(ByteReader *table, size_t *end)
{
    Section section = {.kind = read_u32(table)};
    uint32_t reserved = read_u32(table);
    uint64_t offset = read_u64(table), size = read_u64(table);

    if (table->is_bad || reserved || offset != *end || size > table->size - *end) {
        table->is_bad = true;
        return section;
    }
    section.reader = (ByteReader){.bytes = table->bytes + offset, .size = size};
    *end += size;
    return section;
}

/* The whole file; false when it is not what text_model_save() writes. */
static bool load_sections(TextModel *model, ByteReader *table, size_t count)
{
    size_t end = PREFIX_BYTES + ENTRY_BYTES * count;

    if (count < 2 || count > MODEL_BLOCKS_MAX + 2 || end > table->size)
        return false;
    model->blocks = arena_array(model->arena, ModelBlock, count - 2);
    for (size_t i = 0; i < count; i++) {
        Section section = next_section(table, &end);

        if (table->is_bad || section.kind != section_kind(i))
            return false;
        if (i == 0)
            load_header(model, &section.reader);
        else if (i == 1)
            load_calibration(model, &section.reader);
        else
            load_block(model, &section.reader);
        if (section.reader.is_bad || section.reader.at != section.reader.size)
            return false;
    }
    return end == table->size;
}

bool text_model_load(const char *bytes, size_t size, TextModel **model, Error *error)
{
    ByteReader table = {.bytes = bytes, .size = size};
    TextModel *loaded;
    Arena *arena;
    uint32_t version;

    if (size < PREFIX_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0)
        return fail(error, ERROR_INVALID, "the file is not a text model of Slipway");
    table.at = sizeof(magic);
    version = read_u32(&table);
    if (version != VERSION)
        return fail(error, ERROR_INVALID,
                    "the text model has format version %u, this program reads version %d", version,
                    VERSION);
    arena = arena_create();
    loaded = arena_new(arena, TextModel);
    loaded->arena = arena;
    if (!load_sections(loaded, &table, read_u32(&table))) {
        arena_destroy(arena);
        return fail(error, ERROR_INVALID, "the text model is damaged");
    }
    *model = loaded;
    return true;
}
