/* csv.h: the rows of a CSV text in memory (RFC 4180).
 *
 * Fields are separated by commas and may be quoted; inside quotes a comma, a line end and a doubled
 * quote stand for themselves. Lines end with LF or CRLF; an empty line is no row. A byte order mark
 * is skipped. Fields point into the text where they can, into the arena where a doubled quote was
 * taken out.
 *
 *     CsvReader reader = csv_reader(bytes, size, arena);
 *     while (csv_next(&reader, &row, error)) ...
 *     if (error->kind) return false;
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "ml/frame.h"

enum { CSV_FIELDS_MAX = 4096 };

typedef struct CsvReader {
    const char *next, *end;
    Arena *arena;
    size_t line; /* of the row read last, from 1 */
    size_t next_line;
} CsvReader;

typedef struct CsvRow {
    TextRef *items; /* reused by the next call */
    size_t count, capacity;
} CsvRow;

CsvReader csv_reader(const char *bytes, size_t size, Arena *arena);

/* false at the end, and at a mistake, which is then in error. */
bool csv_next(CsvReader *reader, CsvRow *row, Error *error) MUST_CHECK;
