/* sqlite_file.h: somebody else's SQLite file, for reading alone.
 *
 * Its schema may be older or newer than any we know: a column that a table lacks reads as NULL, a
 * table that is missing has no rows.
 *
 *     CLEANUP(rows_end) Rows rows = rows_of(file, "params", "key, value", " WHERE run_uuid = ?1",
 * id);
 *
 *     while (rows_next(&rows))
 *         ... rows_text(&rows, 0) ...
 *     return rows_check(&rows, error);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct SqliteFile SqliteFile;

typedef struct Rows {
    SqliteFile *file;
    void *statement; /* NULL: no rows */
    int status;      /* the library's last result code */
} Rows;

/* NULL on failure: it is missing, or no SQLite database. */
SqliteFile *sqlite_file_open(const char *path, Error *error) MUST_CHECK;
void sqlite_file_close(SqliteFile *file);

bool sqlite_file_has(SqliteFile *file, const char *table, const char *column); /* NULL: the table */

/* columns: "key, value"; tail: what comes behind the table; value: of ?1, or NULL. */
Rows rows_of(SqliteFile *file, const char *table, const char *columns, const char *tail,
             const char *value);
bool rows_next(Rows *rows);
bool rows_check(Rows *rows, Error *error) MUST_CHECK;
void rows_end(Rows *rows);

/* Until the next row; NULL stays NULL. */
const char *rows_text(const Rows *rows, int column, size_t *size);
int64_t rows_int(const Rows *rows, int column);
double rows_double(const Rows *rows, int column);
bool rows_is_null(const Rows *rows, int column);

/* -1: there is no such table. */
int64_t sqlite_file_count(SqliteFile *file, const char *table, const char *tail);
