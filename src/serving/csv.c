#include "serving/csv.h"

#include <string.h>

static bool text_starts(const CsvReader *reader, const char *prefix, size_t length)
{
    return (size_t)(reader->end - reader->next) >= length &&
           memcmp(reader->next, prefix, length) == 0;
}

CsvReader csv_reader(const char *bytes, size_t size, Arena *arena)
{
    CsvReader reader = {.next = bytes, .end = bytes + size, .arena = arena, .next_line = 1};

    if (text_starts(&reader, "\xef\xbb\xbf", 3))
        reader.next += 3;
    return reader;
}

/* Steps over one line end, if there is one here. */
static bool skip_line_end(CsvReader *reader)
{
    size_t length = text_starts(reader, "\r\n", 2) ? 2 : text_starts(reader, "\n", 1) ? 1 : 0;

    reader->next += length;
    reader->next_line += length != 0;
    return length != 0;
}

static bool at_field_end(const CsvReader *reader)
{
    return reader->next == reader->end || *reader->next == ',' || *reader->next == '\n' ||
           text_starts(reader, "\r\n", 2);
}

/* The bytes between the quotes, with each doubled quote made one. */
static TextRef undouble(const CsvReader *reader, const char *start, size_t length)
{
    char *copy = arena_copy(reader->arena, start, length);
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        copy[kept++] = copy[i];
        i += copy[i] == '"';
    }
    return (TextRef){copy, kept};
}

/* The reader stands behind the opening quote. */
static bool read_quoted(CsvReader *reader, TextRef *field, Error *error)
{
    const char *start = reader->next;
    bool has_doubled = false;

    for (; reader->next < reader->end; reader->next++) {
        reader->next_line += *reader->next == '\n';
        if (*reader->next != '"')
            continue;
        if (!text_starts(reader, "\"\"", 2))
            break;
        has_doubled = true;
        reader->next++;
    }
    if (reader->next == reader->end)
        return fail(error, ERROR_INVALID, "the CSV has a quote in line %zu that is never closed",
                    reader->line);
    *field = (TextRef){start, (size_t)(reader->next - start)};
    if (has_doubled)
        *field = undouble(reader, start, field->length);
    reader->next++;
    if (!at_field_end(reader))
        return fail(error, ERROR_INVALID, "the CSV has text behind a closing quote in line %zu",
                    reader->next_line);
    return true;
}

static bool read_field(CsvReader *reader, TextRef *field, Error *error)
{
    const char *start = reader->next;

    if (text_starts(reader, "\"", 1)) {
        reader->next++;
        return read_quoted(reader, field, error);
    }
    while (!at_field_end(reader)) {
        if (*reader->next == '"')
            return fail(error, ERROR_INVALID,
                        "the CSV has a quote inside an unquoted field in line %zu",
                        reader->next_line);
        reader->next++;
    }
    *field = (TextRef){start, (size_t)(reader->next - start)};
    return true;
}

static void push_field(CsvReader *reader, CsvRow *row, TextRef field)
{
    if (row->count == row->capacity) {
        size_t capacity = row->capacity ? 2 * row->capacity : 16;
        TextRef *grown = arena_array(reader->arena, TextRef, capacity);

        if (row->count)
            memcpy(grown, row->items, row->count * sizeof(*grown));
        row->items = grown;
        row->capacity = capacity;
    }
    row->items[row->count++] = field;
}

bool csv_next(CsvReader *reader, CsvRow *row, Error *error)
{
    while (skip_line_end(reader))
        ;
    if (reader->next == reader->end)
        return false;
    reader->line = reader->next_line;
    row->count = 0;
    for (;;) {
        TextRef field = {0};

        if (row->count == CSV_FIELDS_MAX)
            return fail(error, ERROR_TOO_LARGE, "a line of CSV has at most %d fields",
                        CSV_FIELDS_MAX);
        if (!read_field(reader, &field, error))
            return false;
        push_field(reader, row, field);
        if (reader->next == reader->end || *reader->next != ',')
            break;
        reader->next++;
    }
    skip_line_end(reader);
    return true;
}
