#include <inttypes.h>
#include <string.h>

#include "data/byte_source.h"
#include "data/import.h"

enum { ARRAY_BYTES_MAX = 256 << 20, ROWS_PER_ARENA = 256 };

/* What is done with each object of a file, in order. */
typedef struct ObjectCall {
    bool (*take)(Import *import, ImportFile *file, const JsonValue *object, int64_t line);
    bool (*reject)(Import *import, ImportFile *file, int64_t line, const char *reason);
} ObjectCall;

static bool take_value(Import *import, ImportFile *file, const ObjectCall *call,
                       const JsonValue *value, int64_t line)
{
    if (!json_is_object(value))
        return call->reject(import, file, line, "not a JSON object");
    return call->take(import, file, value, line);
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r")] == '\0';
}

static bool take_line(Import *import, ImportFile *file, const ObjectCall *call,
                      const TextBuilder *line, int64_t number)
{
    const JsonValue *value;
    Error error = {0};

    if (line->count > IMPORT_RECORD_BYTES_MAX)
        return call->reject(import, file, number, "the line is too long");
    if (line->count == 0 || (is_blank(line->items) && strlen(line->items) == line->count))
        return true;
    if (!json_parse(line->items, line->count, line->arena, &value, &error))
        return call->reject(import, file, number, arena_text(import->arena, error.message));
    return take_value(import, file, call, value, number);
}

static void append_limited(TextBuilder *line, int byte)
{
    char one = (char)byte;

    if (line->count <= IMPORT_RECORD_BYTES_MAX)
        text_append_bytes(line, &one, 1);
}

static bool walk_lines(Import *import, ImportFile *file, const ObjectCall *call)
{
    CLEANUP(byte_source_close) ByteSource source;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder line = {.arena = arena};
    int64_t number = 1;
    int byte;

    if (!byte_source_open(&source, file->path, CSV_BYTES_MAX, import->error))
        return false;
    do {
        byte = byte_source_next(&source);
        if (byte >= 0 && byte != '\n') {
            append_limited(&line, byte);
            continue;
        }
        if (!take_line(import, file, call, &line, number++))
            return false;
        line.count = 0;
        if (number % ROWS_PER_ARENA == 0) {
            arena_reset(arena);
            line = (TextBuilder){.arena = arena};
        }
    } while (byte >= 0);
    return byte_source_end(&source, import->error) || fail_in(import->error, "\"%s\"", file->name);
}

static bool walk_array(Import *import, ImportFile *file, const ObjectCall *call)
{
    CLEANUP(byte_source_close) ByteSource source;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder text = {.arena = arena};
    const JsonValue *array;

    if (!byte_source_open(&source, file->path, ARRAY_BYTES_MAX, import->error))
        return false;
    for (int byte = byte_source_next(&source); byte >= 0; byte = byte_source_next(&source))
        text_append_bytes(&text, (char[]){(char)byte}, 1);
    if (!byte_source_end(&source, import->error) ||
        !json_parse(text_built(&text), text.count, arena, &array, import->error))
        return fail_in(import->error, "\"%s\"", file->name);
    if (!json_is_array(array))
        return fail(import->error, ERROR_INVALID, "\"%s\" is not an array of objects", file->name);
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        if (!take_value(import, file, call, walk.value, (int64_t)walk.index + 1))
            return false;
    return true;
}

static bool walk_file(Import *import, ImportFile *file, const ObjectCall *call)
{
    return file->format == &import_json ? walk_array(import, file, call)
                                        : walk_lines(import, file, call);
}

/* Members mostly come in the same order: the place behind the last one is tried first. */
static size_t find_name(const TextList *names, const char *name, size_t guess)
{
    if (guess < names->count && strcmp(names->items[guess], name) == 0)
        return guess;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return i;
    return names->count;
}

static bool collect_names(Import *import, ImportFile *file, const JsonValue *object, int64_t line)
{
    size_t guess = 0;

    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        size_t at = find_name(&file->columns, walk.key, guess);

        if (at == file->columns.count && at == IMPORT_COLUMNS_MAX)
            return fail(import->error, ERROR_TOO_LARGE,
                        "\"%s\" line %" PRId64 ": more than %d different members", file->name, line,
                        IMPORT_COLUMNS_MAX);
        if (at == file->columns.count)
            text_list_add(&file->columns, import->arena, arena_text(import->arena, walk.key));
        guess = at + 1;
    }
    return true;
}

static bool reject(Import *import, ImportFile *file, int64_t line, const char *reason)
{
    const ImportRejected rejected = {.file = file, .line = line, .reason = reason};

    return import_reject(import, &rejected);
}

/* Broken lines are counted once, when the rows are read. */
static bool reject_later(Import *import, ImportFile *file, int64_t line, const char *reason)
{
    return import_sets_aside(import) || reject(import, file, line, reason);
}

static bool look(Import *import, ImportFile *file)
{
    static const ObjectCall call = {collect_names, reject_later};

    return walk_file(import, file, &call);
}

/* The rows under way: values by the file's column. */
typedef struct Loader {
    DuckAppender appender;
    const JsonValue **values;
    Arena *scratch;
} Loader;

static bool set_values(ImportFile *file, Loader *loader, const JsonValue *object)
{
    size_t guess = 0;

    for (size_t i = 0; i < file->columns.count; i++)
        loader->values[i] = NULL;
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        size_t at = find_name(&file->columns, walk.key, guess);

        if (at == file->columns.count || loader->values[at])
            return false;
        loader->values[at] = walk.value;
        guess = at + 1;
    }
    return true;
}

static void append_value(Import *import, Loader *loader, const JsonValue *value, size_t column)
{
    const char *text;

    if (json_is_null(value) || (json_is_text(value) && json_text_size(value) == 0)) {
        duck_append_text(&loader->appender, NULL, 0);
        return;
    }
    if (json_is_text(value)) {
        import->columns[column].is_text = true;
        duck_append_text(&loader->appender, json_as_text(value, ""), json_text_size(value));
        return;
    }
    text = json_print(value, loader->scratch);
    duck_append_text(&loader->appender, text, strlen(text));
}

static bool append_object(Import *import, ImportFile *file, const JsonValue *object, int64_t line)
{
    Loader *loader = file->loader;

    if (!set_values(file, loader, object))
        return reject(import, file, line, "a member is there twice");
    for (size_t i = 0; i < import->column_count; i++)
        append_value(import, loader, loader->values[file->places[i]], i);
    duck_append_int(&loader->appender, (int64_t)file->index);
    duck_append_int(&loader->appender, line);
    duck_append_row_end(&loader->appender);
    if (++file->row_count % ROWS_PER_ARENA == 0)
        arena_reset(loader->scratch);
    return true;
}

static bool load(Import *import, ImportFile *file)
{
    static const ObjectCall call = {append_object, reject};
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Loader loader = {
        .appender = duck_append_begin(import->duck, "raw"),
        .values = arena_array(import->arena, const JsonValue *, file->columns.count + 1),
        .scratch = scratch,
    };
    Error error = {0};
    bool is_read, is_stored;

    file->loader = &loader;
    is_read = walk_file(import, file, &call);
    is_stored = duck_append_end(&loader.appender, &error);
    file->loader = NULL;
    if (is_read && !is_stored)
        *import->error = error;
    return is_read && is_stored;
}

const ImportFormat import_jsonl = {"jsonl", look, load};
const ImportFormat import_json = {"json", look, load};
