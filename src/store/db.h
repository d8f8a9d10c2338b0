/* db.h: the SQL store without its ceremony.
 *
 * A Query is prepared, bound and stepped in one loop; its first mistake sticks
 * to it and comes out of query_end(), so the loop itself has no checks:
 *
 *     CLEANUP(query_finalize) Query query = db_query(db, SELECT_RUN " WHERE id = $1", db_int(id));
 *
 *     while (query_next(&query))
 *         *arena_push(arena, runs) = run_from_row(&query, arena);
 *     return query_end(&query, error);
 *
 * Values are only ever bound, never printed into the SQL. SQL is what SQLite and PostgreSQL both
 * accept: $1, $2 ... parameters, ON CONFLICT, RETURNING, 64-bit integers, no dialect of either.
 *
 * A Db is one connection and belongs to one thread. All changes go through the one writing
 * connection (writer.h); every other one is opened for reading and refuses to write.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct Db Db;

typedef enum DbMode { DB_READ, DB_WRITE } DbMode;

typedef struct DbValue {
    enum { DB_NULL, DB_INT, DB_DOUBLE, DB_TEXT, DB_BLOB } type;
    union {
        int64_t integer;
        double real;
        const char *text;
        const void *bytes;
    };
    size_t size; /* of a blob */
} DbValue;

typedef struct Query {
    Db *db;
    void *statement;
    int status; /* the driver's last result code */
} Query;

/* Opens the database file; DB_WRITE creates it and brings its schema up to date (migrations.h). */
Db *db_open(const char *path, DbMode mode, Error *error) MUST_CHECK;
void db_close(Db *db);
bool db_can_write(const Db *db);

/* Between the two, a connection for reading sees one state of the store, and remembers some
 * megabytes of it: for work of many statements. */
void db_read_much(Db *db, bool begins);

static inline DbValue db_int(int64_t value)
{
    return (DbValue){.type = DB_INT, .integer = value};
}

/* 0 is NULL: for optional references and times. */
static inline DbValue db_int_or_null(int64_t value)
{
    return (DbValue){.type = value ? DB_INT : DB_NULL, .integer = value};
}

/* NaN is NULL. */
static inline DbValue db_double(double value)
{
    return (DbValue){.type = value == value ? DB_DOUBLE : DB_NULL, .real = value};
}

static inline DbValue db_text(const char *value)
{
    return (DbValue){.type = value ? DB_TEXT : DB_NULL, .text = value};
}

static inline DbValue db_blob(const void *bytes, size_t size)
{
    return (DbValue){.type = bytes ? DB_BLOB : DB_NULL, .bytes = bytes, .size = size};
}

/* db_query(db, sql, values...) starts a query; db_run() also steps it to its end; db_get_int() and
 * db_get_text() fetch the first column of the first row (also of an INSERT ... RETURNING) and fail
 * with ERROR_NOT_FOUND where there is none. The array starts with a dummy so that there may be no
 * value at all. */
#define db_query(db, sql, ...)      db_query_values((db), (sql), DB_VALUES(__VA_ARGS__))
#define db_run(db, error, sql, ...) db_run_values((db), (error), (sql), DB_VALUES(__VA_ARGS__))
#define db_get_int(db, error, number, sql, ...)                                                    \
    db_get_int_values((db), (error), (number), (sql), DB_VALUES(__VA_ARGS__))
#define DB_VALUES(...) (DbValue[]){{0}, ##__VA_ARGS__}, COUNT(((DbValue[]){{0}, ##__VA_ARGS__}))

Query db_query_values(Db *db, const char *sql, const DbValue *values, size_t count);
bool db_run_values(Db *db, Error *error, const char *sql, const DbValue *values,
                   size_t count) MUST_CHECK;
bool db_get_int_values(Db *db, Error *error, int64_t *number, const char *sql,
                       const DbValue *values, size_t count) MUST_CHECK;

bool query_next(Query *query);
bool query_end(Query *query, Error *error) MUST_CHECK;
void query_finalize(Query *query);

/* Columns count from 0. A NULL is 0, NaN, or NULL. */
int64_t query_int(const Query *query, int column);
double query_double(const Query *query, int column);
const char *query_text(const Query *query, int column, Arena *arena);
const void *query_blob(const Query *query, int column, Arena *arena, size_t *size);
bool query_is_null(const Query *query, int column);

/* Rows that the last INSERT, UPDATE or DELETE changed. */
int64_t db_changes(const Db *db);
