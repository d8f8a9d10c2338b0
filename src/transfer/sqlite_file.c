#include "transfer/sqlite_file.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "net/url.h"

enum { BUSY_TIMEOUT_MS = 10000, HEADER_BYTES = 20, JOURNAL_AT = 18, WAL = 2, STATEMENTS_MAX = 64 };

/* Statements that were used, by their text: each run asks the same. */
typedef struct Kept {
    const char *sql;
    sqlite3_stmt *statement;
    bool in_use;
} Kept;

struct SqliteFile {
    sqlite3 *handle;
    const char *path;
    Arena *arena;
    Kept kept[STATEMENTS_MAX];
    size_t kept_count;
};

static bool fail_with_status(Error *error, const SqliteFile *file, int status)
{
    if ((status & 0xff) == SQLITE_NOTADB)
        return fail(error, ERROR_INVALID, "\"%s\" is not an SQLite database", file->path);
    if ((status & 0xff) == SQLITE_BUSY)
        return fail(error, ERROR_BUSY, "\"%s\" is being written to; try again later", file->path);
    return fail(error, ERROR_INVALID, "could not read \"%s\": %s", file->path,
                sqlite3_errmsg(file->handle));
}

static bool check_file(const char *path, Error *error)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return fail_errno(error, "read", path);
    return S_ISREG(found.st_mode) || fail(error, ERROR_INVALID, "\"%s\" is not a file", path);
}

/* A database in WAL mode whose log is gone has no user, and everything in it: it is opened as one
 * that cannot change, for otherwise SQLite would make files beside it. Others are opened with their
 * locks, so that a server may go on writing. */
static bool is_at_rest(const char *path, Arena *arena)
{
    unsigned char header[HEADER_BYTES] = {0};
    FILE *file = fopen(path, "rbe");
    struct stat log;
    size_t size;

    if (!file)
        return false;
    size = fread(header, 1, sizeof(header), file);
    fclose(file);
    return size == sizeof(header) && header[JOURNAL_AT] == WAL &&
           stat(arena_format(arena, "%s-wal", path), &log) != 0;
}

static bool open_handle(SqliteFile *file, Error *error)
{
    /* The encoding spares "/", which parts the path. */
    TextList parts = text_split(file->path, '/', file->arena);
    TextBuilder uri = {.arena = file->arena};
    int status;

    text_append(&uri, "file:");
    for (size_t i = 0; i < parts.count; i++)
        text_append_format(&uri, "%s%s", i ? "/" : "", url_encode(file->arena, parts.items[i]));
    text_append_format(&uri, "?mode=ro%s",
                       is_at_rest(file->path, file->arena) ? "&immutable=1" : "");
    status = sqlite3_open_v2(text_built(&uri), &file->handle,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    if (status != SQLITE_OK)
        return fail_with_status(error, file, status);
    sqlite3_busy_timeout(file->handle, BUSY_TIMEOUT_MS);
    /* Nobody's views, triggers and functions run because we read. */
    sqlite3_db_config(file->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(file->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(file->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    status = sqlite3_exec(file->handle, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
    return status == SQLITE_OK || fail_with_status(error, file, status);
}

SqliteFile *sqlite_file_open(const char *path, Error *error)
{
    SqliteFile *file;

    if (!check_file(path, error))
        return NULL;
    file = calloc(1, sizeof(*file));
    if (!file)
        out_of_memory();
    file->arena = arena_create();
    file->path = arena_text(file->arena, path);
    if (open_handle(file, error))
        return file;
    sqlite_file_close(file);
    return NULL;
}

void sqlite_file_close(SqliteFile *file)
{
    for (size_t i = 0; i < file->kept_count; i++)
        sqlite3_finalize(file->kept[i].statement);
    sqlite3_close(file->handle);
    arena_destroy(file->arena);
    free(file);
}

bool sqlite_file_has(SqliteFile *file, const char *table, const char *column)
{
    static const char sql[] = "SELECT 1 FROM pragma_table_info(?1) WHERE ?2 IS NULL OR name = ?2";
    sqlite3_stmt *statement = NULL;
    bool has;

    if (sqlite3_prepare_v2(file->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, column, -1, SQLITE_STATIC);
    has = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return has;
}

/* Names are ours, never the file's. */
static const char *select_of(SqliteFile *file, const char *table, const char *columns,
                             const char *tail)
{
    TextList names = text_split(columns, ',', file->arena);
    TextBuilder sql = {.arena = file->arena};

    text_append(&sql, "SELECT ");
    for (size_t i = 0; i < names.count; i++) {
        const char *name = text_trim(names.items[i], file->arena);

        text_append_format(&sql, "%s%s%s%s", i ? ", " : "",
                           sqlite_file_has(file, table, name) ? "\"" : "NULL /*", name,
                           sqlite_file_has(file, table, name) ? "\"" : "*/");
    }
    text_append_format(&sql, " FROM %s%s", table, tail);
    return text_built(&sql);
}

static Kept *find_kept(SqliteFile *file, const char *name)
{
    for (size_t i = 0; i < file->kept_count; i++)
        if (!file->kept[i].in_use && strcmp(file->kept[i].sql, name) == 0)
            return &file->kept[i];
    return NULL;
}

static Kept *prepare(SqliteFile *file, const char *name, const char *sql)
{
    Kept *kept = &file->kept[file->kept_count];

    if (file->kept_count == STATEMENTS_MAX ||
        sqlite3_prepare_v3(file->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &kept->statement,
                           NULL) != SQLITE_OK)
        return NULL;
    kept->sql = name;
    file->kept_count++;
    return kept;
}

Rows rows_of(SqliteFile *file, const char *table, const char *columns, const char *tail,
             const char *value)
{
    char name[512];
    Kept *kept;

    snprintf(name, sizeof(name), "%s(%s)%s", table, columns, tail);
    kept = find_kept(file, name);
    if (!kept && !sqlite_file_has(file, table, NULL))
        return (Rows){file, NULL, SQLITE_DONE};
    if (!kept)
        kept = prepare(file, arena_text(file->arena, name), select_of(file, table, columns, tail));
    if (!kept)
        return (Rows){file, NULL, SQLITE_ERROR};
    kept->in_use = true;
    if (value)
        sqlite3_bind_text(kept->statement, 1, value, -1, SQLITE_TRANSIENT);
    return (Rows){file, kept->statement, SQLITE_ROW};
}

bool rows_next(Rows *rows)
{
    if (rows->status == SQLITE_ROW)
        rows->status = sqlite3_step(rows->statement);
    return rows->status == SQLITE_ROW;
}

bool rows_check(Rows *rows, Error *error)
{
    return rows->status == SQLITE_ROW || rows->status == SQLITE_DONE ||
           fail_with_status(error, rows->file, rows->status);
}

void rows_end(Rows *rows)
{
    if (!rows->statement)
        return;
    for (size_t i = 0; i < rows->file->kept_count; i++)
        if (rows->file->kept[i].statement == rows->statement)
            rows->file->kept[i].in_use = false;
    sqlite3_reset(rows->statement);
}

const char *rows_text(const Rows *rows, int column, size_t *size)
{
    const char *text = (const char *)sqlite3_column_text(rows->statement, column);

    if (size)
        *size = text ? (size_t)sqlite3_column_bytes(rows->statement, column) : 0;
    return text;
}

int64_t rows_int(const Rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

double rows_double(const Rows *rows, int column)
{
    return sqlite3_column_double(rows->statement, column);
}

bool rows_is_null(const Rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t sqlite_file_count(SqliteFile *file, const char *table, const char *tail)
{
    sqlite3_stmt *statement = NULL;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *sql = arena_format(arena, "SELECT count(*) FROM %s%s", table, tail);
    int64_t count = -1;

    if (sqlite3_prepare_v2(file->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}
