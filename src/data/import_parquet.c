#include <string.h>

#include "data/import.h"

/* How a type of Parquet (as DuckDB names it; a prefix) becomes a column of raw. What is not a
 * finite number is a missing one. */
static const struct {
    const char *prefix, *sql_type, *expression;
} conversions[] = {
    {"VARCHAR", "VARCHAR", "nullif($, '')"},
    {"ENUM", "VARCHAR", "nullif(CAST($ AS VARCHAR), '')"},
    {"UUID", "VARCHAR", "CAST($ AS VARCHAR)"},
    {"TINYINT", "BIGINT", "CAST($ AS BIGINT)"},
    {"SMALLINT", "BIGINT", "CAST($ AS BIGINT)"},
    {"INTEGER", "BIGINT", "CAST($ AS BIGINT)"},
    {"BIGINT", "BIGINT", "$"},
    {"UTINYINT", "BIGINT", "CAST($ AS BIGINT)"},
    {"USMALLINT", "BIGINT", "CAST($ AS BIGINT)"},
    {"UINTEGER", "BIGINT", "CAST($ AS BIGINT)"},
    {"UBIGINT", "DOUBLE", "CAST($ AS DOUBLE)"},
    {"HUGEINT", "DOUBLE", "CAST($ AS DOUBLE)"},
    {"DECIMAL", "DOUBLE", "CAST($ AS DOUBLE)"},
    {"FLOAT", "DOUBLE", "CASE WHEN isfinite($) THEN CAST($ AS DOUBLE) END"},
    {"DOUBLE", "DOUBLE", "CASE WHEN isfinite($) THEN $ END"},
    {"BOOLEAN", "BOOLEAN", "$"},
    {"DATE", "TIMESTAMP", "CAST($ AS TIMESTAMP)"},
    {"TIMESTAMP", "TIMESTAMP", "CAST($ AS TIMESTAMP)"},
};

/* The row of the table, or COUNT(conversions). Lists ("VARCHAR[]") and the like have none. */
static size_t find_conversion(const char *type)
{
    size_t i = 0;

    if (strchr(type, '[') || text_has_prefix(type, "TIMESTAMP_NS"))
        return COUNT(conversions);
    while (i < COUNT(conversions) && !text_has_prefix(type, conversions[i].prefix))
        i++;
    return i;
}

static bool look(Import *import, ImportFile *file)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        import->duck, arena_format(import->arena, "DESCRIBE SELECT * FROM read_parquet(%s)",
                                   duck_literal(file->path, import->arena)));

    while (duck_next(&query)) {
        const char *name = duck_text(&query, 0, import->arena);
        const char *type = duck_text(&query, 1, import->arena);
        size_t conversion = find_conversion(type);

        if (conversion == COUNT(conversions))
            return fail_field(import->error, name,
                              "\"%s\", column \"%s\" holds %s: a column holds texts, numbers, "
                              "booleans or times",
                              file->name, name, type);
        text_list_add(&file->columns, import->arena, name);
        text_list_add(&file->sql_types, import->arena, conversions[conversion].sql_type);
        text_list_add(&file->sources, import->arena, conversions[conversion].expression);
    }
    if (duck_end(&query, import->error))
        return true;
    /* DuckDB's own words name a path of the server. */
    return fail(import->error, ERROR_INVALID, "\"%s\" is not a Parquet file that can be read",
                file->name);
}

static bool check_types(const Import *import, const ImportFile *file)
{
    for (size_t i = 0; i < import->column_count; i++) {
        const char *type = file->sql_types.items[file->places[i]];

        if (!text_equal(type, import->columns[i].sql_type))
            return fail_field(import->error, import->columns[i].column.name,
                              "column \"%s\" is %s in \"%s\" and %s in \"%s\"",
                              import->columns[i].column.name, import->columns[i].sql_type,
                              import->files[0].name, type, file->name);
    }
    return true;
}

static bool load(Import *import, ImportFile *file)
{
    Arena *arena = import->arena;
    TextBuilder sql = {.arena = arena};

    if (!check_types(import, file))
        return false;
    text_append(&sql, "INSERT INTO raw SELECT ");
    for (size_t i = 0; i < import->column_count; i++) {
        size_t place = file->places[i];

        text_append(&sql, import_fill(file->sources.items[place],
                                      duck_name(file->columns.items[place], arena), arena));
        text_append(&sql, ", ");
    }
    text_append_format(&sql, "%zu, NULL FROM read_parquet(%s)", file->index,
                       duck_literal(file->path, arena));
    if (duck_get_int(import->duck, import->error, &file->row_count, text_built(&sql)))
        return true;
    import->error->kind = ERROR_INVALID;
    return fail_in(import->error, "\"%s\"", file->name);
}

const ImportFormat import_parquet = {"parquet", look, load};
