/* score_text.c: the rows of a CSV or JSONL file, whose values mean what they mean in the body of a
 * prediction request. The file is mapped, and what was read of it is let go. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "pipelines/score_internal.h"
#include "serving/cells.h"
#include "serving/csv.h"

struct ScoreReader {
    FileMap map;
    const char *next, *end;
    size_t line;        /* of JSONL: of the row read last */
    CsvReader csv;      /* of CSV, as the next three */
    size_t *columns;    /* of each field, the model's column */
    size_t *key_fields; /* of each key, the field */
    size_t field_count;
};

static void close_reader(ScoreReader *reader)
{
    file_unmap(&reader->map);
}

static bool open_file(ScoreInput *input, Arena *arena, Error *error)
{
    ScoreReader *reader = arena_new(arena, ScoreReader);

    input->reader = reader;
    input->close = close_reader;
    if (!file_map(input->source->path, SIZE_MAX, &reader->map, error))
        return false;
    if (!reader->map.size)
        return true; /* and no address */
    reader->next = reader->map.bytes;
    reader->end = reader->map.bytes + reader->map.size;
    return true;
}

static Cells cells_of(const ScoreInput *input, Arena *arena, Error *error)
{
    return (Cells){.inputs = input->inputs,
                   .leaves_out_others = true,
                   .first_row = input->row_count,
                   .arena = arena,
                   .error = error};
}

/* What is before at will not be read again. */
static void let_go(const ScoreReader *reader, const char *at)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t done = (size_t)(at - reader->map.bytes) / page * page;

    if (done)
        madvise((void *)(uintptr_t)reader->map.bytes, done, MADV_DONTNEED);
}

static bool check_text(const char *from, const char *to, Error *error)
{
    return text_is_utf8(from, (size_t)(to - from)) ||
           fail(error, ERROR_INVALID, "it must be UTF-8 text without NULs");
}

/* ---- CSV ---- */

static bool name_is(TextRef field, const char *name)
{
    return field.length == strlen(name) && memcmp(field.bytes, name, field.length) == 0;
}

static bool find_keys(ScoreInput *input, const CsvRow *header, Arena *arena, Error *error)
{
    const TextList *keys = &input->source->keys;
    ScoreReader *reader = input->reader;

    reader->key_fields = arena_array(arena, size_t, keys->count + 1);
    for (size_t i = 0; i < keys->count; i++) {
        size_t field = 0;

        while (field < header->count && !name_is(header->items[field], keys->items[i]))
            field++;
        if (field == header->count)
            return fail_field(error, keys->items[i], "the header has no column \"%.128s\"",
                              keys->items[i]);
        reader->key_fields[i] = field;
    }
    return true;
}

static bool read_header(ScoreInput *input, Arena *arena, Error *error)
{
    Cells cells = cells_of(input, arena, error);
    ScoreReader *reader = input->reader;
    CsvRow header = {0};
    size_t found = 0;

    if (!csv_next(&reader->csv, &header, error))
        return error->kind ? false
                           : fail(error, ERROR_INVALID, "a CSV file starts with a header line");
    reader->field_count = header.count;
    reader->columns = arena_array(arena, size_t, header.count);
    if (!cells_begin(&cells, 1, 1))
        return false;
    for (size_t i = 0; i < header.count; i++) {
        if (!cells_find(&cells, header.items[i], 0, &reader->columns[i]))
            return false;
        found += reader->columns[i] != COLUMN_LEFT_OUT;
    }
    return cells_end_row(&cells, 0) && score_input_check_found(input, found, error) &&
           find_keys(input, &header, arena, error);
}

static bool set_fields(ScoreInput *input, Cells *cells, size_t row, const CsvRow *fields,
                       ScoreBatch *batch)
{
    const ScoreReader *reader = input->reader;
    size_t key_count = input->source->keys.count;

    if (fields->count != reader->field_count)
        return fail(cells->error, ERROR_FIELD, "line %zu has %zu values where the header has %zu",
                    reader->csv.line, fields->count, reader->field_count);
    for (size_t i = 0; i < fields->count; i++)
        if (!cells_set_field(cells, row, reader->columns[i], fields->items[i]))
            return false;
    for (size_t i = 0; i < key_count; i++)
        batch->keys[row * key_count + i] = fields->items[reader->key_fields[i]];
    return true;
}

static bool next_csv(ScoreInput *input, Arena *arena, ScoreBatch *batch, Error *error)
{
    CsvReader *csv = &input->reader->csv;
    Cells cells = cells_of(input, arena, error);
    const char *from = csv->next;
    CsvRow fields = {0};
    size_t row = 0;

    *error = (Error){0}; /* csv_next() tells its end from a mistake by it */
    let_go(input->reader, from);
    csv->arena = arena;
    batch->keys = arena_array(arena, TextRef, SCORE_BATCH_ROWS * input->source->keys.count + 1);
    if (!cells_begin(&cells, SCORE_BATCH_ROWS, SCORE_BATCH_ROWS))
        return false;
    while (row < SCORE_BATCH_ROWS && csv->next - from < SCORE_BATCH_BYTES &&
           csv_next(csv, &fields, error))
        if (!set_fields(input, &cells, row++, &fields, batch))
            return false;
    batch->frame = (Frame){cells.columns, input->inputs->count, row};
    return !error->kind && check_text(from, csv->next, error);
}

bool score_open_csv(ScoreInput *input, Arena *arena, Error *error)
{
    FileMap map;

    input->next = next_csv;
    if (!open_file(input, arena, error))
        return false;
    map = input->reader->map;
    input->reader->csv = csv_reader(map.size ? map.bytes : "", map.size, arena);
    *error = (Error){0};
    return read_header(input, arena, error) || fail_in(error, "%s", input->source->name);
}

/* ---- JSONL ---- */

static bool is_blank(TextRef line)
{
    for (size_t i = 0; i < line.length; i++)
        if (!strchr(" \t\r", line.bytes[i]))
            return false;
    return true;
}

static bool next_line(ScoreReader *reader, TextRef *line)
{
    while (reader->next < reader->end) {
        const char *start = reader->next;
        const char *stop = memchr(start, '\n', (size_t)(reader->end - start));

        stop = stop ? stop : reader->end;
        reader->next = stop < reader->end ? stop + 1 : stop;
        reader->line++;
        *line = (TextRef){start, (size_t)(stop - start)};
        if (!is_blank(*line))
            return true;
    }
    return false;
}

/* A key as a text, whatever it is; null and what is not there are missing. */
static TextRef key_of(const JsonValue *object, const char *name, Arena *arena)
{
    const JsonValue *value = json_member(object, name);
    const char *text;

    if (json_is_null(value))
        return (TextRef){0};
    if (json_is_text(value))
        return (TextRef){json_as_text(value, ""), json_text_size(value)};
    text = json_print(value, arena);
    return (TextRef){text, strlen(text)};
}

static bool set_object(ScoreInput *input, Cells *cells, size_t row, const JsonValue *object,
                       ScoreBatch *batch)
{
    const TextList *keys = &input->source->keys;

    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        size_t column;

        if (!cells_find(cells, (TextRef){walk.key, strlen(walk.key)}, cells->first_row + row + 1,
                        &column) ||
            !cells_set_json(cells, row, column, walk.value))
            return false;
    }
    for (size_t i = 0; i < keys->count; i++)
        batch->keys[row * keys->count + i] = key_of(object, keys->items[i], cells->arena);
    return cells_end_row(cells, cells->first_row + row + 1);
}

static bool read_object(const ScoreReader *reader, TextRef line, Cells *cells,
                        const JsonValue **object)
{
    if (line.length > SCORE_LINE_BYTES_MAX)
        return fail(cells->error, ERROR_TOO_LARGE, "line %zu has more than %d bytes", reader->line,
                    SCORE_LINE_BYTES_MAX);
    if (!json_parse(line.bytes, line.length, cells->arena, object, cells->error))
        return fail_in(cells->error, "line %zu", reader->line);
    return json_is_object(*object) ||
           fail(cells->error, ERROR_INVALID, "line %zu is no object of values by column name",
                reader->line);
}

static bool next_jsonl(ScoreInput *input, Arena *arena, ScoreBatch *batch, Error *error)
{
    ScoreReader *reader = input->reader;
    Cells cells = cells_of(input, arena, error);
    const char *from = reader->next;
    const JsonValue *object;
    size_t row = 0;
    TextRef line;

    let_go(reader, from);
    batch->keys = arena_array(arena, TextRef, SCORE_BATCH_ROWS * input->source->keys.count + 1);
    if (!cells_begin(&cells, SCORE_BATCH_ROWS, SCORE_BATCH_ROWS))
        return false;
    while (row < SCORE_BATCH_ROWS && reader->next - from < SCORE_BATCH_BYTES &&
           next_line(reader, &line))
        if (!read_object(reader, line, &cells, &object) ||
            !set_object(input, &cells, row++, object, batch))
            return false;
    batch->frame = (Frame){cells.columns, input->inputs->count, row};
    return true;
}

bool score_open_jsonl(ScoreInput *input, Arena *arena, Error *error)
{
    input->next = next_jsonl;
    return open_file(input, arena, error);
}
