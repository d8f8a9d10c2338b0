/* db.c: db.h on SQLite. */

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "store/db_internal.h"
#include "store/migrations.h"

enum { STATEMENT_SLOTS = 128, SLOT_WAYS = 4, BUSY_TIMEOUT_MS = 5000 };

/* Preparing costs more than most statements do, so each connection keeps those that it has used, by
 * their text: each in one of a few slots, of which the one that was not used for longest goes. */
typedef struct Slot {
    sqlite3_stmt *statement;
    bool in_use;
    bool is_in_order; /* $1 is its first parameter, $2 the second, and so on */
    uint64_t used_at; /* the count of statements when it was used last */
} Slot;

struct Db {
    sqlite3 *handle;
    DbMode mode;
    uint64_t used_count;
    Slot slots[STATEMENT_SLOTS];
};

static ErrorKind error_kind(int status)
{
    switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
        return ERROR_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
        return ERROR_CONFLICT;
    case SQLITE_NOTADB:
        return ERROR_INVALID;
    default:
        return ERROR_INTERNAL;
    }
}

/* The connection's own words are about the last call alone, which may be another one by now. */
static bool fail_with_status(Error *error, const Db *db, int status)
{
    const char *words =
        sqlite3_errcode(db->handle) == status ? sqlite3_errmsg(db->handle) : sqlite3_errstr(status);

    return fail(error, error_kind(status), "the store says: %s", words);
}

/* There may be many readers, and the system keeps the pages for all of them: each has little of its
 * own. */
static const char *connection_settings(DbMode mode)
{
    return mode == DB_WRITE ? "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON;"
                            : "PRAGMA query_only = ON;"
                              "PRAGMA cache_size = -256;" /* KiB */

                              "PRAGMA foreign_keys = ON;";
}

void db_create_file(const char *path)
{
    CLEANUP(file_close) int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    (void)descriptor; /* it is there already, or SQLite says why not */
}

static bool open_handle(Db *db, const char *path, Error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int status;

    if (db->mode == DB_WRITE) {
        db_create_file(path);
        flags |= SQLITE_OPEN_CREATE;
    }
    status = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (status != SQLITE_OK)
        return fail_with_status(error, db, status);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    return db_run_script(db, connection_settings(db->mode), error);
}

Db *db_open(const char *path, DbMode mode, Error *error)
{
    Db *db = calloc(1, sizeof(*db));

    if (!db)
        out_of_memory();
    db->mode = mode;
    if (open_handle(db, path, error) && (mode == DB_READ || migrate(db, path, migrations, error)))
        return db;

    fail_in(error, "could not open the database \"%s\"", path);
    db_close(db);
    return NULL;
}

void db_close(Db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(db->slots[i].statement);
    sqlite3_close(db->handle);
    free(db);
}

bool db_can_write(const Db *db)
{
    return db->mode == DB_WRITE;
}

bool db_run_script(Db *db, const char *sql, Error *error)
{
    int status = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return status == SQLITE_OK || fail_with_status(error, db, status);
}

void db_read_much(Db *db, bool begins)
{
    Error ignored;
    bool done;

    if (db->mode != DB_READ || db_in_transaction(db) == begins)
        return;
    done = begins ? db_run_script(db, "PRAGMA cache_size = -8192; BEGIN", &ignored)
                  : db_run_script(db, "COMMIT; PRAGMA cache_size = -256; PRAGMA shrink_memory",
                                  &ignored);
    (void)done; /* it only saves time */
}

const char *db_statement(const Db *db, size_t index)
{
    if (index >= STATEMENT_SLOTS)
        return NULL;
    return db->slots[index].statement ? sqlite3_sql(db->slots[index].statement) : "";
}

bool db_in_transaction(const Db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

/* Eight bytes a turn: statements have hundreds, and each run of one comes by here. */
static Slot *slots_for(Db *db, const char *sql)
{
    uint64_t hash = 5381, part;
    size_t left = strlen(sql);

    for (; left >= sizeof(part); sql += sizeof(part), left -= sizeof(part)) {
        memcpy(&part, sql, sizeof(part));
        hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    for (; left; sql++, left--)
        hash = hash * 33 + (unsigned char)*sql;
    return &db->slots[hash % (STATEMENT_SLOTS / SLOT_WAYS) * SLOT_WAYS];
}

/* *found: it has the statement. NULL: all are in use. */
static Slot *choose_slot(Db *db, const char *sql, bool *found)
{
    Slot *slots = slots_for(db, sql), *oldest = NULL;

    *found = false;
    for (size_t i = 0; i < SLOT_WAYS; i++) {
        if (slots[i].in_use)
            continue;
        *found = slots[i].statement && strcmp(sqlite3_sql(slots[i].statement), sql) == 0;
        if (*found)
            return &slots[i];
        if (!oldest || slots[i].used_at < oldest->used_at)
            oldest = &slots[i];
    }
    return oldest;
}

/* "$7" is a name to SQLite, and its place is that of its first use. To look for a name is to
 * compare it with all, so it is asked once whether each is where its number says. */
static bool is_in_order(sqlite3_stmt *statement)
{
    for (int i = sqlite3_bind_parameter_count(statement); i > 0; i--) {
        char name[16];

        snprintf(name, sizeof(name), "$%d", i);
        if (!text_equal(sqlite3_bind_parameter_name(statement, i), name))
            return false;
    }
    return true;
}

static int prepare(Db *db, const char *sql, sqlite3_stmt **statement, bool *in_order)
{
    bool found = false;
    Slot *slot = choose_slot(db, sql, &found);
    int status;

    if (slot)
        slot->used_at = ++db->used_count;
    if (slot && found) {
        slot->in_use = true;
        *statement = slot->statement;
        *in_order = slot->is_in_order;
        return SQLITE_OK;
    }
    status = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    if (status != SQLITE_OK)
        return status;
    *in_order = is_in_order(*statement);
    if (slot) {
        sqlite3_finalize(slot->statement);
        *slot = (Slot){*statement, true, *in_order, db->used_count};
    }
    return status;
}

static int bind(sqlite3_stmt *statement, int index, DbValue value)
{
    switch (value.type) {
    case DB_INT:
        return sqlite3_bind_int64(statement, index, value.integer);
    case DB_DOUBLE:
        return sqlite3_bind_double(statement, index, value.real);
    case DB_TEXT:
        return sqlite3_bind_text(statement, index, value.text, -1, SQLITE_TRANSIENT);
    case DB_BLOB:
        return sqlite3_bind_blob64(statement, index, value.bytes, value.size, SQLITE_TRANSIENT);
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(statement, index);
}

static int index_of(sqlite3_stmt *statement, size_t number)
{
    char name[24] = {'$', (char)('0' + number)};

    if (number > 9) /* few; the others are worth not to be formatted */
        snprintf(name, sizeof(name), "$%zu", number);
    return sqlite3_bind_parameter_index(statement, name);
}

Query db_query_values(Db *db, const char *sql, const DbValue *values, size_t count)
{
    Query query = {.db = db};
    sqlite3_stmt *statement = NULL;
    bool in_order = true;

    query.status = prepare(db, sql, &statement, &in_order);
    query.statement = statement;
    /* One left out would be NULL without a word. */
    if (query.status == SQLITE_OK && (size_t)sqlite3_bind_parameter_count(statement) != count - 1)
        query.status = SQLITE_RANGE;
    for (size_t i = 1; query.status == SQLITE_OK && i < count; i++)
        query.status = bind(statement, in_order ? (int)i : index_of(statement, i), values[i]);
    return query;
}

bool db_run_values(Db *db, Error *error, const char *sql, const DbValue *values, size_t count)
{
    CLEANUP(query_finalize) Query query = db_query_values(db, sql, values, count);

    while (query_next(&query))
        ;
    return query_end(&query, error);
}

bool db_get_int_values(Db *db, Error *error, int64_t *number, const char *sql,
                       const DbValue *values, size_t count)
{
    CLEANUP(query_finalize) Query query = db_query_values(db, sql, values, count);
    bool found = query_next(&query);
    int64_t value = found ? query_int(&query, 0) : 0;

    while (query_next(&query))
        ;
    if (!query_end(&query, error))
        return false;
    if (!found)
        return fail(error, ERROR_NOT_FOUND, "there is no such row");
    *number = value;
    return true;
}

bool query_next(Query *query)
{
    if (query->status == SQLITE_OK || query->status == SQLITE_ROW)
        query->status = sqlite3_step(query->statement);
    return query->status == SQLITE_ROW;
}

bool query_end(Query *query, Error *error)
{
    if (query->status == SQLITE_DONE || query->status == SQLITE_ROW)
        return true;
    return fail_with_status(error, query->db, query->status);
}

void query_finalize(Query *query)
{
    for (size_t i = 0; query->statement && i < STATEMENT_SLOTS; i++) {
        Slot *slot = &query->db->slots[i];

        if (slot->statement != query->statement)
            continue;
        sqlite3_reset(slot->statement);
        sqlite3_clear_bindings(slot->statement);
        slot->in_use = false;
        query->statement = NULL;
    }
    sqlite3_finalize(query->statement);
    query->statement = NULL;
}

int64_t query_int(const Query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

bool query_is_null(const Query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

double query_double(const Query *query, int column)
{
    return query_is_null(query, column) ? __builtin_nan("")
                                        : sqlite3_column_double(query->statement, column);
}

const char *query_text(const Query *query, int column, Arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(query->statement, column);
    int length = sqlite3_column_bytes(query->statement, column);

    return text ? arena_copy(arena, text, (size_t)length) : NULL;
}

const void *query_blob(const Query *query, int column, Arena *arena, size_t *size)
{
    const void *bytes = sqlite3_column_blob(query->statement, column);

    *size = (size_t)sqlite3_column_bytes(query->statement, column);
    if (query_is_null(query, column))
        return NULL;
    return arena_copy(arena, *size ? bytes : "", *size); /* an empty blob has no address there */
}

int64_t db_changes(const Db *db)
{
    return sqlite3_changes64(db->handle);
}
