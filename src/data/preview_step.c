#include "data/duck.h"
#include "data/steps.h"

enum { PREVIEW_ROWS_MAX = 1000 };

/* How each column is shown: numbers and booleans as such, all else as text. DESCRIBE names the
 * types. */
typedef struct PreviewColumns {
    TextList names, types;
} PreviewColumns;

static bool read_columns(Duck *duck, const char *path, Arena *arena, PreviewColumns *columns,
                         Error *error)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(duck, arena_format(arena, "DESCRIBE SELECT * FROM read_parquet(%s)",
                                      duck_literal(path, arena)));

    while (duck_next(&query)) {
        text_list_add(&columns->names, arena, duck_text(&query, 0, arena));
        text_list_add(&columns->types, arena, duck_text(&query, 1, arena));
    }
    return duck_end(&query, error);
}

static const char *select_rows(const PreviewColumns *columns, const char *path, Arena *arena)
{
    TextBuilder sql = {.arena = arena};

    text_append(&sql, "SELECT ");
    for (size_t i = 0; i < columns->names.count; i++) {
        const char *type = columns->types.items[i];
        bool is_typed = text_equal(type, "BIGINT") || text_equal(type, "DOUBLE");
        bool is_time = text_has_prefix(type, "TIMESTAMP");
        const char *name = duck_name(columns->names.items[i], arena);

        text_append_format(&sql,
                           is_typed  ? "%s, "
                           : is_time ? "strftime(%s, '%%Y-%%m-%%dT%%H:%%M:%%S.%%gZ'), "
                                     : "CAST(%s AS VARCHAR), ",
                           name);
    }
    text_append_format(&sql, "0 FROM read_parquet(%s) WHERE _row >= $1 AND _row < $2 ORDER BY _row",
                       duck_literal(path, arena));
    return text_built(&sql);
}

static void write_value(const DuckQuery *query, size_t at, const PreviewColumns *columns,
                        JsonWriter *json, Arena *arena)
{
    const char *name = columns->names.items[at], *type = columns->types.items[at];
    const char *text;
    size_t length;

    if (duck_is_null(query, (int)at)) {
        json_null(json, name);
    } else if (text_equal(type, "BIGINT")) {
        json_int(json, name, duck_int(query, (int)at));
    } else if (text_equal(type, "DOUBLE")) {
        json_double(json, name, duck_double(query, (int)at));
    } else if (text_equal(type, "BOOLEAN")) {
        json_bool(json, name, text_equal(duck_text(query, (int)at, arena), "true"));
    } else {
        text = duck_bytes(query, (int)at, arena, &length);
        json_bytes(json, name, text, length);
    }
}

bool preview_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    const char *path = json_as_text(json_member(job, "rows"), "");
    int64_t offset = json_as_int(json_member(job, "offset"), 0);
    int64_t limit = json_as_int(json_member(job, "limit"), 10);
    DuckSpec spec = {.folder = json_as_text(json_member(job, "folder"), "")};
    PreviewColumns columns = {0};
    CLEANUP(duck_close) Duck *duck = NULL;
    DuckQuery query;

    if (offset < 0 || limit < 1 || limit > PREVIEW_ROWS_MAX)
        return fail(error, ERROR_INVALID, "\"offset\" is 0 or more, \"limit\" is 1 to %d",
                    PREVIEW_ROWS_MAX);
    text_list_add(&spec.files, arena, path);
    duck = duck_open(&spec, error);
    if (!duck || !read_columns(duck, path, arena, &columns, error))
        return false;
    query = duck_query(duck, select_rows(&columns, path, arena), db_int(offset),
                       db_int(offset + limit));
    json_open_array(result, "rows");
    while (duck_next(&query)) {
        json_open_object(result, NULL);
        for (size_t i = 0; i < columns.names.count; i++)
            write_value(&query, i, &columns, result, arena);
        json_close(result);
    }
    json_close(result);
    bool is_done = duck_end(&query, error);
    duck_finalize(&query);
    return is_done;
}
