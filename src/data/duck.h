/* duck.h: DuckDB for the length of one worker step.
 *
 * The library is large, so it is opened at run time and only by the steps that read data; the
 * server never loads it. The database lives in memory, spills into the step's folder, and is locked
 * before the first query: it reads and writes the named files and nothing else, loads no extension,
 * and cannot be configured back. Queries look like those of store/db.h:
 *
 *     CLEANUP(duck_close) Duck *duck = duck_open(&spec, error);
 *     CLEANUP(duck_finalize) DuckQuery query = duck_query(duck, "SELECT CAST(n AS BIGINT) FROM t");
 *
 *     while (duck_next(&query))
 *         sum += duck_int(&query, 0);
 *     return duck_end(&query, error);
 *
 * Results are streamed, so a connection has one open query at a time. A column read as int, double
 * or text must be BIGINT, DOUBLE or VARCHAR: queries cast.
 */
#pragma once

#include "base/text.h"
#include "data/duck_header.h"
#include "store/db.h"

typedef struct Duck Duck;

typedef struct DuckSpec {
    const char *folder;   /* of the step: may be read and written, and takes what does not fit into
                             memory; NULL: none */
    TextList files;       /* that may be read besides */
    int64_t memory_bytes; /* 0: DUCK_MEMORY_BYTES */
} DuckSpec;

#define DUCK_MEMORY_BYTES (INT64_C(1) << 30)

Duck *duck_open(const DuckSpec *spec, Error *error) MUST_CHECK;
void duck_close(Duck **duck);

typedef struct DuckQuery {
    Duck *duck;
    duckdb_prepared_statement statement;
    duckdb_result result;
    duckdb_data_chunk chunk;
    idx_t row, row_count; /* in the chunk */
    bool is_open;
    Error error; /* the first mistake sticks */
} DuckQuery;

#define duck_query(duck, sql, ...) duck_query_values((duck), (sql), DB_VALUES(__VA_ARGS__))
#define duck_run(duck, error, sql, ...)                                                            \
    duck_run_values((duck), (error), (sql), DB_VALUES(__VA_ARGS__))

DuckQuery duck_query_values(Duck *duck, const char *sql, const DbValue *values, size_t count);
bool duck_run_values(Duck *duck, Error *error, const char *sql, const DbValue *values,
                     size_t count) MUST_CHECK;
/* The first column of the first row. */
bool duck_get_int(Duck *duck, Error *error, int64_t *number, const char *sql) MUST_CHECK;
bool duck_next(DuckQuery *query);
bool duck_end(DuckQuery *query, Error *error) MUST_CHECK;
void duck_finalize(DuckQuery *query);

/* Of the row that duck_next() came to. A NULL is 0, NaN, or NULL. */
int64_t duck_int(const DuckQuery *query, int column);
double duck_double(const DuckQuery *query, int column);
bool duck_is_null(const DuckQuery *query, int column);
const char *duck_text(const DuckQuery *query, int column, Arena *arena);
size_t duck_column_count(DuckQuery *query);

/* The bytes as they are, which may hold NULs; *length is their number. */
const char *duck_bytes(const DuckQuery *query, int column, Arena *arena, size_t *length);

/* Many rows at once, for learners: the next chunk, then its columns as arrays. Not to be mixed with
 * duck_next(). */
typedef struct DuckVector {
    const void *values; /* int64_t, double or duckdb_string_t */
    const uint64_t *validity;
    size_t count;
} DuckVector;

bool duck_next_chunk(DuckQuery *query);
DuckVector duck_vector(const DuckQuery *query, int column);

static inline bool duck_vector_has(const DuckVector *vector, size_t row)
{
    return !vector->validity || (vector->validity[row / 64] >> (row % 64) & 1);
}

/* The bytes of a text; they live as long as the chunk. */
const char *duck_vector_text(const DuckVector *vector, size_t row, size_t *length);

/* Rows in bulk, all columns of the table in order. A mistake sticks and comes out of
 * duck_append_end(). */
typedef struct DuckAppender {
    Duck *duck;
    duckdb_appender handle;
    bool failed;
} DuckAppender;

DuckAppender duck_append_begin(Duck *duck, const char *table);
void duck_append_text(DuckAppender *appender, const char *bytes, size_t length); /* NULL: missing */
void duck_append_int(DuckAppender *appender, int64_t value);
void duck_append_row_end(DuckAppender *appender);
bool duck_append_end(DuckAppender *appender, Error *error) MUST_CHECK;

/* "name" and 'text', for the places of a statement that take no parameter. */
const char *duck_name(const char *name, Arena *arena);
const char *duck_literal(const char *text, Arena *arena);
