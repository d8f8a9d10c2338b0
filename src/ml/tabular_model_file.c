/* The file of a model of a table. All numbers are little-endian.
 *
 *     8 bytes  "SLPTABL" and a NUL
 *     u32      version: 1, 2 where an input is a text, or 3 where one is a date
 *     u32      0
 *     classes  u64 count, then their names; none: numbers
 *     inputs   u64 count, then u32 kind and the name of each
 *     u64      the positive class
 *     doubles  threshold, shift, scale
 *     classes only: the calibration (ml/calibration.h)
 *     version 3 only: u64 count of dates, then for each u32 input, u32 parts (bits by ml/date.h)
 *              and the double of its first day; the parts are cells behind the inputs
 *     versions 2 and 3 only: u64 count of texts, then for each u32 input, u32 0, u64 size, and on
 *              the next multiple of 64 bytes its text model (text_model_file.c), of one column,
 *              whose margins are cells behind those
 *     the encodings (ml/encoding.h): u64 count, then for each u32 kind of its members, u32 0 and
 *              itself
 *     the members: u64 count, then for each u32 kind, u32 0, its weight, and on the next multiple
 *              of 64 bytes its forest (ml/forest.h), or its weights, intercepts and the means of
 *              its features
 *
 * A name is a u64 length and its bytes. Forests and text models are used where they lie. */
#include <string.h>

#include "ml/tabular_model_internal.h"

enum {
    TABULAR_VERSION_PLAIN = 1,
    TABULAR_VERSION_TEXTS = 2,
    TABULAR_VERSION_DATES = 3,
    TABULAR_ALIGNMENT = 64,
    TABULAR_PREFIX_BYTES = 16,
    INPUT_BYTES_LEAST = 12,
    ENCODING_BYTES_LEAST = 16,
    MEMBER_BYTES_LEAST = 16,
    TEXT_BYTES_LEAST = 16,
    DATE_BYTES = 16,
};

static const char tabular_magic[8] = "SLPTABL";

static size_t aligned(size_t size)
{
    return (size + TABULAR_ALIGNMENT - 1) & ~(size_t)(TABULAR_ALIGNMENT - 1);
}

/* ---- writing ---- */

static void write_padding(ByteWriter *writer)
{
    static const char zeros[TABULAR_ALIGNMENT];

    write_items(writer, zeros, aligned(writer->size) - writer->size, 1);
}

static bool has_inputs(const TabularModel *model, ColumnKind kind)
{
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i].kind == kind)
            return true;
    return false;
}

/* What no reader of older files would miss is written as they were. */
static uint32_t version_of(const TabularModel *model)
{
    if (has_inputs(model, COLUMN_DATE))
        return TABULAR_VERSION_DATES;
    return has_inputs(model, COLUMN_TEXT) ? TABULAR_VERSION_TEXTS : TABULAR_VERSION_PLAIN;
}

static void write_header(const TabularModel *model, ByteWriter *writer)
{
    write_items(writer, tabular_magic, 1, sizeof(tabular_magic));
    write_u32(writer, version_of(model));
    write_u32(writer, 0);
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
    write_double(writer, model->shift);
    write_double(writer, model->scale);
}

static void write_dates(const TabularModel *model, ByteWriter *writer)
{
    write_u64(writer, model->date_count);
    for (size_t i = 0; i < model->date_count; i++) {
        write_u32(writer, (uint32_t)model->dates[i].input);
        write_u32(writer, model->dates[i].parts);
        write_double(writer, model->dates[i].first_day);
    }
}

static void write_text_models(const TabularModel *model, ByteWriter *writer)
{
    write_u64(writer, model->text_count);
    for (size_t i = 0; i < model->text_count; i++) {
        const TextModel *text = model->texts[i].model;

        write_u32(writer, (uint32_t)model->texts[i].input);
        write_u32(writer, 0);
        write_u64(writer, text->size);
        write_padding(writer);
        write_items(writer, text->bytes, text->size, 1);
    }
}

static void write_member(const TabularMember *member, ByteWriter *writer)
{
    const LinearModel *linear = &member->linear;

    write_u32(writer, member->kind);
    write_u32(writer, (uint32_t)member->encoding);
    write_double(writer, member->weight);
    write_padding(writer);
    if (member->kind == MEMBER_FOREST) {
        forest_write(&member->forest, writer);
        return;
    }
    write_items(writer, linear->weights, linear->margin_count * linear->column_count,
                sizeof(double));
    write_items(writer, linear->intercepts, linear->margin_count, sizeof(double));
    write_items(writer, member->means, linear->column_count, sizeof(double));
}

static ByteWriter write_model(const TabularModel *model, Arena *arena)
{
    ByteWriter writer = {.arena = arena};
    uint32_t version = version_of(model);

    write_header(model, &writer);
    if (model->classes.count)
        calibration_write(&model->calibration, &writer);
    if (version >= TABULAR_VERSION_DATES)
        write_dates(model, &writer);
    if (version >= TABULAR_VERSION_TEXTS)
        write_text_models(model, &writer);
    write_u64(&writer, model->encoding_count);
    for (size_t i = 0; i < model->encoding_count; i++) {
        write_u32(&writer, model->encodings[i].kind);
        write_u32(&writer, 0);
        encoding_write(&model->encodings[i].encoding, &writer);
    }
    write_u64(&writer, model->member_count);
    for (size_t i = 0; i < model->member_count; i++)
        write_member(&model->members[i], &writer);
    return writer;
}

/* ---- reading ---- */

static void skip_padding(ByteReader *reader)
{
    size_t at = aligned(reader->at);

    reader->is_bad |= at > reader->size;
    for (; !reader->is_bad && reader->at < at; reader->at++)
        reader->is_bad = reader->bytes[reader->at] != 0;
}

static void read_classes(TabularModel *model, ByteReader *reader)
{
    size_t count = read_count(reader, sizeof(uint64_t), TABULAR_CLASSES_MAX);
    const char **names = arena_array(model->arena, const char *, count);

    for (size_t i = 0; i < count && !reader->is_bad; i++)
        names[i] = read_text(reader, model->arena);
    reader->is_bad |= count == 1;
    model->classes = (ClassNames){names, count};
    model->margin_count = count ? margin_count_of(count) : 1;
}

static bool kind_is_known(uint32_t kind, uint32_t version)
{
    return kind == COLUMN_CATEGORY || kind == COLUMN_NUMBER ||
           (kind == COLUMN_TEXT && version >= TABULAR_VERSION_TEXTS) ||
           (kind == COLUMN_DATE && version >= TABULAR_VERSION_DATES);
}

static void read_inputs(TabularModel *model, uint32_t version, ByteReader *reader)
{

    model->input_count = read_count(reader, INPUT_BYTES_LEAST, TABLE_COLUMNS_MAX);
    model->inputs = arena_array(model->arena, ModelInput, model->input_count);
    for (size_t i = 0; i < model->input_count && !reader->is_bad; i++) {
        uint32_t kind = read_u32(reader);

        reader->is_bad |= !kind_is_known(kind, version);
        model->inputs[i] = (ModelInput){read_text(reader, model->arena), (ColumnKind)kind};
    }
}

static void read_header(TabularModel *model, uint32_t version, ByteReader *reader)
{
    reader->is_bad |= read_u32(reader) != 0;
    read_classes(model, reader);
    read_inputs(model, version, reader);
    model->positive = read_u64(reader);
    model->threshold = read_double(reader);
    model->shift = read_double(reader);
    model->scale = read_double(reader);
    reader->is_bad |= model->positive >= model->classes.count + (model->classes.count == 0);
    if (model->classes.count)
        calibration_read(reader, model->margin_count, model->arena, &model->calibration);
}

static void read_dates(TabularModel *model, ByteReader *reader)
{
    size_t count = read_count(reader, DATE_BYTES, TABLE_COLUMNS_MAX);

    model->dates = arena_array(model->arena, TabularDate, count + 1);
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        uint32_t input = read_u32(reader), parts = read_u32(reader);
        double first_day = read_double(reader);

        reader->is_bad |= input >= model->input_count || model->inputs[input].kind != COLUMN_DATE ||
                          parts >> DATE_PART_COUNT ||
                          !(first_day >= DATE_DAYS_MIN && first_day <= DATE_DAYS_MAX);
        if (reader->is_bad)
            return;
        model->dates[model->date_count++] = (TabularDate){input, parts, first_day};
        model->date_cell_count += tabular_date_cell_count(parts);
    }
    model->cell_count += model->date_cell_count;
    reader->is_bad |= model->cell_count > TABULAR_CELLS_MAX;
}

/* It makes as many margins as the table has of its one column. */
static bool text_fits(const TabularModel *model, const TextModel *text)
{
    return text->input_count == 1 && text->inputs[0].kind == COLUMN_TEXT &&
           text->margin_count == model->margin_count;
}

/* The model of a text where it lies. */
static void read_text_model(TabularModel *model, ByteReader *reader, size_t size, TabularText *text)
{
    Error ignored = {0};

    skip_padding(reader);
    reader->is_bad =
        reader->is_bad || size > reader->size - reader->at ||
        !text_model_load_in_place(reader->bytes + reader->at, size, &text->model, &ignored) ||
        !text_fits(model, text->model);
    if (!reader->is_bad)
        reader->at += size;
}

static void read_text_models(TabularModel *model, ByteReader *reader)
{
    size_t count = read_count(reader, TEXT_BYTES_LEAST, TABLE_COLUMNS_MAX);

    model->cell_count += count * model->margin_count;
    reader->is_bad |= model->cell_count > TABULAR_CELLS_MAX;
    model->texts = arena_array(model->arena, TabularText, count);
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        uint32_t input = read_u32(reader), reserved = read_u32(reader);
        uint64_t size = read_u64(reader);

        reader->is_bad |= reserved != 0 || input >= model->input_count ||
                          model->inputs[input].kind != COLUMN_TEXT;
        if (reader->is_bad)
            return;
        model->texts[model->text_count++].input = input;
        read_text_model(model, reader, size, &model->texts[i]);
    }
}

/* A date is read as its parts, a text as its margins: these are numbers. */
static ColumnKind kind_of_cell(const TabularModel *model, size_t cell)
{
    return cell < model->input_count ? model->inputs[cell].kind : COLUMN_NUMBER;
}

static bool is_part_of_date(const TabularModel *model, size_t cell)
{
    return cell >= model->input_count && cell - model->input_count < model->date_cell_count;
}

static bool column_fits(const TabularModel *model, const EncodedColumn *column)
{
    ColumnKind kind = kind_of_cell(model, column->input);

    switch (column->kind) {
    case ENCODED_NUMBER:
    case ENCODED_STANDARD:
        return kind == COLUMN_NUMBER;
    case ENCODED_STEPS:
        return is_part_of_date(model, column->input);
    default:
        return kind == COLUMN_CATEGORY;
    }
}

static bool kinds_fit(const TabularModel *model, const Encoding *encoding)
{
    for (size_t i = 0; i < encoding->column_count; i++)
        if (!column_fits(model, &encoding->columns[i]))
            return false;
    return encoding->column_count <= model->cell_count;
}

static void read_encodings(TabularModel *model, ByteReader *reader)
{
    model->encoding_count = read_count(reader, ENCODING_BYTES_LEAST, TABULAR_ENCODINGS_MAX);
    model->encodings = arena_array(model->arena, TabularEncoding, model->encoding_count);
    for (size_t i = 0; i < model->encoding_count && !reader->is_bad; i++) {
        TabularEncoding *encoding = &model->encodings[i];
        uint32_t kind = read_u32(reader);

        reader->is_bad |= kind >= MEMBER_KIND_COUNT || read_u32(reader) != 0;
        encoding->kind = (MemberKind)kind;
        encoding_read(reader, model->cell_count, kind == MEMBER_LINEAR, model->arena,
                      &encoding->encoding);
        reader->is_bad = reader->is_bad || !kinds_fit(model, &encoding->encoding);
    }
}

static void read_linear(const TabularModel *model, ByteReader *reader, TabularMember *member)
{
    size_t features = model->encodings[member->encoding].encoding.feature_count;
    size_t margins = model->margin_count;

    member->linear.margin_count = margins;
    member->linear.column_count = features;
    member->linear.weights = read_doubles(reader, margins * features, model->arena);
    member->linear.intercepts = read_doubles(reader, margins, model->arena);
    member->means = read_doubles(reader, features, model->arena);
}

static void read_member(const TabularModel *model, ByteReader *reader, TabularMember *member)
{
    uint32_t kind = read_u32(reader), encoding = read_u32(reader);

    member->kind = (MemberKind)kind;
    member->encoding = encoding;
    member->weight = read_double(reader);
    skip_padding(reader);
    reader->is_bad = reader->is_bad || encoding >= model->encoding_count ||
                     kind != (uint32_t)model->encodings[encoding].kind;
    if (reader->is_bad)
        return;
    if (kind == MEMBER_LINEAR) {
        read_linear(model, reader, member);
        return;
    }
    forest_read(reader, model->arena, &member->forest);
    reader->is_bad =
        reader->is_bad || member->forest.group_count != model->margin_count ||
        member->forest.feature_count != model->encodings[encoding].encoding.feature_count;
}

static bool read_model(TabularModel *model)
{
    ByteReader reader = {.bytes = model->bytes, .size = model->size, .at = sizeof(tabular_magic)};
    uint32_t version = read_u32(&reader);

    read_header(model, version, &reader);
    model->cell_count = model->input_count;
    if (version >= TABULAR_VERSION_DATES)
        read_dates(model, &reader);
    if (version >= TABULAR_VERSION_TEXTS)
        read_text_models(model, &reader);
    read_encodings(model, &reader);
    model->member_count = read_count(&reader, MEMBER_BYTES_LEAST, TABULAR_MEMBERS_MAX);
    model->members = arena_array(model->arena, TabularMember, model->member_count);
    for (size_t i = 0; i < model->member_count && !reader.is_bad; i++)
        read_member(model, &reader, &model->members[i]);
    return !reader.is_bad && reader.at == model->size;
}

/* ---- loading ---- */

/* Takes the arena, which may own the bytes; destroyed with them when they are not a model's. */
static TabularModel *view(Arena *arena, const char *bytes, size_t size)
{
    TabularModel *model = arena_new(arena, TabularModel);

    model->arena = arena;
    model->bytes = bytes;
    model->size = size;
    if (!read_model(model))
        tabular_model_unload(&model);
    return model;
}

static TabularModel *view_copy(const char *bytes, size_t size)
{
    Arena *arena = arena_create();
    char *copy = arena_alloc(arena, size + TABULAR_ALIGNMENT, 1);

    copy += aligned((uintptr_t)copy) - (uintptr_t)copy;
    memcpy(copy, bytes, size);
    return view(arena, copy, size);
}

TabularModel *tabular_model_of(const TabularModel *parts)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ByteWriter file = write_model(parts, scratch);

    return view_copy(file.bytes, file.size);
}

bool tabular_model_is_file(const char *bytes, size_t size)
{
    return size >= sizeof(tabular_magic) &&
           memcmp(bytes, tabular_magic, sizeof(tabular_magic)) == 0;
}

static bool check_version(const char *bytes, size_t size, Error *error)
{
    ByteReader reader = {.bytes = bytes, .size = size, .at = sizeof(tabular_magic)};
    uint32_t version;

    if (size < TABULAR_PREFIX_BYTES || !tabular_model_is_file(bytes, size))
        return fail(error, ERROR_INVALID, "the file is not a model of a table of Slipway");
    version = read_u32(&reader);
    return (version >= TABULAR_VERSION_PLAIN && version <= TABULAR_VERSION_DATES) ||
           fail(error, ERROR_INVALID,
                "the model of a table has format version %u, this program reads versions %d to %d",
                version, TABULAR_VERSION_PLAIN, TABULAR_VERSION_DATES);
}

static bool give(TabularModel *loaded, TabularModel **model, Error *error)
{
    if (!loaded)
        return fail(error, ERROR_INVALID, "the model of a table is damaged");
    *model = loaded;
    return true;
}

bool tabular_model_load(const char *bytes, size_t size, TabularModel **model, Error *error)
{
    return check_version(bytes, size, error) && give(view_copy(bytes, size), model, error);
}

bool tabular_model_load_in_place(const char *bytes, size_t size, TabularModel **model, Error *error)
{
    if ((uintptr_t)bytes % TABULAR_ALIGNMENT != 0)
        return tabular_model_load(bytes, size, model, error);
    return check_version(bytes, size, error) &&
           give(view(arena_create(), bytes, size), model, error);
}

void tabular_model_save(const TabularModel *model, Arena *arena, const char **bytes, size_t *size)
{
    *bytes = arena_copy(arena, model->bytes, model->size);
    *size = model->size;
}
