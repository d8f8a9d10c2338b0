#include "data/duck.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/duck_library.h"

struct Duck {
    const DuckLibrary *library;
    duckdb_database database;
    duckdb_connection connection;
};

/* Everything that must be so before the first file is opened. One thread: the same rows then give
 * the same bytes and the same last digit of every mean, and the server beside keeps its cores. UTC,
 * because a time without a zone must not depend on the machine. */
static bool configure(const DuckLibrary *library, const DuckSpec *spec, duckdb_config config,
                      Arena *arena)
{
    int64_t memory = spec->memory_bytes ? spec->memory_bytes : DUCK_MEMORY_BYTES;
    const struct {
        const char *name, *value;
    } settings[] = {
        {"threads", "1"},
        {"memory_limit", arena_format(arena, "%" PRId64 "B", memory)},
        {"temp_directory", spec->folder ? arena_format(arena, "%s/duckdb", spec->folder) : ""},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
    };

    for (size_t i = 0; i < COUNT(settings); i++)
        if (library->set_config(config, settings[i].name, settings[i].value) != DuckDBSuccess)
            return false;
    return true;
}

static bool open_database(Duck *duck, const DuckSpec *spec, Arena *arena, Error *error)
{
    duckdb_config config = NULL;
    char *message = NULL;
    bool is_open =
        duck->library->create_config(&config) == DuckDBSuccess &&
        configure(duck->library, spec, config, arena) &&
        duck->library->open_ext(NULL, &duck->database, config, &message) == DuckDBSuccess &&
        duck->library->connect(duck->database, &duck->connection) == DuckDBSuccess;

    if (!is_open)
        fail(error, ERROR_INTERNAL, "could not start DuckDB: %s",
             message ? message : "a setting was refused");
    if (message)
        duck->library->free(message);
    duck->library->destroy_config(&config);
    return is_open;
}

/* The list of files is a setting that only SQL can write; the lock comes last. */
static bool lock_down(Duck *duck, const DuckSpec *spec, Arena *arena, Error *error)
{
    TextBuilder files = {.arena = arena};
    const char *folder =
        spec->folder ? duck_literal(arena_format(arena, "%s/", spec->folder), arena) : "";

    text_append(&files, "SET allowed_paths = [");
    for (size_t i = 0; i < spec->files.count; i++)
        text_append_format(&files, "%s%s", i ? ", " : "",
                           duck_literal(spec->files.items[i], arena));
    text_append(&files, "]");
    return duck_run(duck, error, arena_format(arena, "SET allowed_directories = [%s]", folder)) &&
           duck_run(duck, error, text_built(&files)) &&
           duck_run(duck, error, "SET TimeZone = 'UTC'") &&
           duck_run(duck, error, "SET enable_external_access = false") &&
           duck_run(duck, error, "SET lock_configuration = true");
}

Duck *duck_open(const DuckSpec *spec, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const DuckLibrary *library = duck_library_open(error);
    Duck *duck = library ? calloc(1, sizeof(*duck)) : NULL;

    if (!library)
        return NULL;
    if (!duck)
        out_of_memory();
    duck->library = library;
    if (!open_database(duck, spec, arena, error) || !lock_down(duck, spec, arena, error))
        duck_close(&duck);
    return duck;
}

void duck_close(Duck **duck)
{
    if (!*duck)
        return;
    (*duck)->library->disconnect(&(*duck)->connection);
    (*duck)->library->close(&(*duck)->database);
    free(*duck);
    *duck = NULL;
}

static duckdb_state bind(const DuckLibrary *library, duckdb_prepared_statement statement,
                         idx_t index, const DbValue *value)
{
    switch (value->type) {
    case DB_INT:
        return library->bind_int64(statement, index, value->integer);
    case DB_DOUBLE:
        return library->bind_double(statement, index, value->real);
    case DB_TEXT:
        return library->bind_varchar(statement, index, value->text);
    case DB_NULL:
    case DB_BLOB:
        break;
    }
    return library->bind_null(statement, index);
}

static void keep_error(DuckQuery *query, const char *message)
{
    const char *text = message && *message ? message : "the query failed";

    /* What follows the first line is the statement and advice for who wrote it. */
    if (query->error.kind == ERROR_NONE)
        fail(&query->error, ERROR_INTERNAL, "%.*s", (int)strcspn(text, "\n"), text);
}

static void execute(DuckQuery *query)
{
    const DuckLibrary *library = query->duck->library;
    duckdb_pending_result pending = NULL;

    if (library->pending_prepared_streaming(query->statement, &pending) != DuckDBSuccess) {
        keep_error(query, library->pending_error(pending));
    } else {
        query->is_open = true;
        if (library->execute_pending(pending, &query->result) != DuckDBSuccess)
            keep_error(query, library->result_error(&query->result));
    }
    library->destroy_pending(&pending);
}

DuckQuery duck_query_values(Duck *duck, const char *sql, const DbValue *values, size_t count)
{
    const DuckLibrary *library = duck->library;
    DuckQuery query = {.duck = duck};

    if (library->prepare(duck->connection, sql, &query.statement) != DuckDBSuccess) {
        keep_error(&query, library->prepare_error(query.statement));
        return query;
    }
    for (size_t i = 1; i < count; i++)
        if (bind(library, query.statement, i, &values[i]) != DuckDBSuccess)
            keep_error(&query, "a parameter could not be bound");
    if (query.error.kind == ERROR_NONE)
        execute(&query);
    return query;
}

bool duck_run_values(Duck *duck, Error *error, const char *sql, const DbValue *values, size_t count)
{
    CLEANUP(duck_finalize) DuckQuery query = duck_query_values(duck, sql, values, count);

    while (duck_next(&query))
        ;
    return duck_end(&query, error);
}

bool duck_get_int(Duck *duck, Error *error, int64_t *number, const char *sql)
{
    CLEANUP(duck_finalize) DuckQuery query = duck_query(duck, sql);

    if (duck_next(&query)) {
        *number = duck_int(&query, 0);
        return true;
    }
    return duck_end(&query, error) && fail(error, ERROR_NOT_FOUND, "the query has no row");
}

static bool fetch(DuckQuery *query)
{
    const DuckLibrary *library = query->duck->library;
    const char *message;

    library->destroy_data_chunk(&query->chunk);
    query->chunk = library->fetch_chunk(query->result);
    query->row = 0;
    query->row_count = query->chunk ? library->data_chunk_get_size(query->chunk) : 0;
    if (query->chunk)
        return true;
    message = library->result_error(&query->result);
    if (message && *message)
        keep_error(query, message);
    return false;
}

bool duck_next(DuckQuery *query)
{
    if (query->error.kind != ERROR_NONE || !query->is_open)
        return false;
    if (query->chunk && query->row + 1 < query->row_count) {
        query->row++;
        return true;
    }
    while (fetch(query))
        if (query->row_count > 0)
            return true;
    return false;
}

bool duck_next_chunk(DuckQuery *query)
{
    if (query->error.kind != ERROR_NONE || !query->is_open)
        return false;
    while (fetch(query))
        if (query->row_count > 0)
            return true;
    return false;
}

bool duck_end(DuckQuery *query, Error *error)
{
    if (query->error.kind == ERROR_NONE)
        return true;
    *error = query->error;
    return false;
}

void duck_finalize(DuckQuery *query)
{
    const DuckLibrary *library = query->duck->library;

    library->destroy_data_chunk(&query->chunk);
    if (query->is_open)
        library->destroy_result(&query->result);
    library->destroy_prepare(&query->statement);
}

DuckVector duck_vector(const DuckQuery *query, int column)
{
    const DuckLibrary *library = query->duck->library;
    duckdb_vector vector = library->data_chunk_get_vector(query->chunk, (idx_t)column);

    return (DuckVector){
        .values = library->vector_get_data(vector),
        .validity = library->vector_get_validity(vector),
        .count = query->row_count,
    };
}

const char *duck_vector_text(const DuckVector *vector, size_t row, size_t *length)
{
    const duckdb_string_t *text = &((const duckdb_string_t *)vector->values)[row];

    *length = text->value.inlined.length;
    return *length <= sizeof(text->value.inlined.inlined) ? text->value.inlined.inlined
                                                          : text->value.pointer.ptr;
}

bool duck_is_null(const DuckQuery *query, int column)
{
    DuckVector vector = duck_vector(query, column);

    return !duck_vector_has(&vector, query->row);
}

int64_t duck_int(const DuckQuery *query, int column)
{
    DuckVector vector = duck_vector(query, column);

    return duck_vector_has(&vector, query->row) ? ((const int64_t *)vector.values)[query->row] : 0;
}

double duck_double(const DuckQuery *query, int column)
{
    DuckVector vector = duck_vector(query, column);

    return duck_vector_has(&vector, query->row) ? ((const double *)vector.values)[query->row] : NAN;
}

const char *duck_bytes(const DuckQuery *query, int column, Arena *arena, size_t *length)
{
    DuckVector vector = duck_vector(query, column);
    const char *bytes;

    *length = 0;
    if (!duck_vector_has(&vector, query->row))
        return NULL;
    bytes = duck_vector_text(&vector, query->row, length);
    return arena_copy(arena, bytes, *length);
}

const char *duck_text(const DuckQuery *query, int column, Arena *arena)
{
    size_t length;

    return duck_bytes(query, column, arena, &length);
}

size_t duck_column_count(DuckQuery *query)
{
    return query->is_open ? query->duck->library->column_count(&query->result) : 0;
}

DuckAppender duck_append_begin(Duck *duck, const char *table)
{
    DuckAppender appender = {.duck = duck};

    appender.failed = duck->library->appender_create(duck->connection, NULL, table,
                                                     &appender.handle) != DuckDBSuccess;
    return appender;
}

void duck_append_text(DuckAppender *appender, const char *bytes, size_t length)
{
    const DuckLibrary *library = appender->duck->library;
    duckdb_state state;

    if (appender->failed)
        return;
    state = bytes ? library->append_varchar_length(appender->handle, bytes, length)
                  : library->append_null(appender->handle);
    appender->failed = state != DuckDBSuccess;
}

void duck_append_int(DuckAppender *appender, int64_t value)
{
    if (!appender->failed)
        appender->failed =
            appender->duck->library->append_int64(appender->handle, value) != DuckDBSuccess;
}

void duck_append_row_end(DuckAppender *appender)
{
    if (!appender->failed)
        appender->failed =
            appender->duck->library->appender_end_row(appender->handle) != DuckDBSuccess;
}

bool duck_append_end(DuckAppender *appender, Error *error)
{
    const DuckLibrary *library = appender->duck->library;
    const char *message;

    if (!appender->failed)
        appender->failed = library->appender_close(appender->handle) != DuckDBSuccess;
    if (appender->failed) {
        message = library->appender_error(appender->handle);
        fail(error, ERROR_INTERNAL, "could not store rows: %s", message ? message : "no reason");
    }
    library->appender_destroy(&appender->handle);
    return !appender->failed;
}

static const char *quoted(const char *text, char quote, Arena *arena)
{
    TextBuilder builder = {.arena = arena};

    text_append_bytes(&builder, &quote, 1);
    for (const char *at = text; *at; at++) {
        if (*at == quote)
            text_append_bytes(&builder, &quote, 1);
        text_append_bytes(&builder, at, 1);
    }
    text_append_bytes(&builder, &quote, 1);
    return text_built(&builder);
}

const char *duck_name(const char *name, Arena *arena)
{
    return quoted(name, '"', arena);
}

const char *duck_literal(const char *text, Arena *arena)
{
    return quoted(text, '\'', arena);
}
