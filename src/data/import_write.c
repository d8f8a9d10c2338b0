#include <inttypes.h>

#include "data/import.h"

/* The text of a value that is the same whatever type its column has in this version: 5 as an
 * integer is 5.0 as a number, so that a row keeps its id when a later file brings a fraction. */
static const struct {
    const char *type, *expression;
} canonical[] = {
    {"text", "$"},
    {"category", "$"},
    {"boolean", "CAST($ AS VARCHAR)"},
    {"integer", "CAST($ AS VARCHAR)"},
    {"number", "CASE WHEN $ = trunc($) AND abs($) < 9e15 THEN CAST(CAST($ AS BIGINT) AS VARCHAR)"
               " ELSE CAST($ AS VARCHAR) END"},
    {"time", "CAST(epoch_us($) AS VARCHAR)"},
};

static const char *canonical_text(const char *type, const char *column, Arena *arena)
{
    for (size_t i = 0; i < COUNT(canonical); i++)
        if (text_equal(canonical[i].type, type))
            return import_fill(canonical[i].expression, column, arena);
    return column;
}

static bool has_features(const Import *import)
{
    for (size_t i = 0; i < import->column_count; i++)
        if (text_equal(import->columns[i].column.role, "feature"))
            return true;
    return false;
}

/* MD5 over each feature's length and text, so that no two contents run into one. Rows without any
 * feature (a series: time and target) are told apart by all that is not ignored. */
const char *import_id_expression(const Import *import)
{
    TextBuilder sql = {.arena = import->arena};
    bool features_only = has_features(import);

    text_append(&sql, "md5(concat(''");
    for (size_t i = 0; i < import->column_count; i++) {
        const DatasetColumn *column = &import->columns[i].column;
        bool counts = features_only ? text_equal(column->role, "feature")
                                    : !text_equal(column->role, "ignore");
        const char *name = arena_format(import->arena, "c%zu", i);
        const char *text = canonical_text(column->type, name, import->arena);

        if (counts)
            text_append_format(&sql, ", coalesce(strlen(%s) || ':' || %s, '-')", text, text);
    }
    text_append(&sql, "))");
    return text_built(&sql);
}

static const char *typed_statement(const Import *import)
{
    TextBuilder sql = {.arena = import->arena};

    text_append_format(&sql,
                       "CREATE TABLE typed AS SELECT r, f, %s AS id, * EXCLUDE (r, f) FROM ("
                       "SELECT row_number() OVER () - 1 AS r, file_index AS f",
                       import_id_expression(import));
    for (size_t i = 0; i < import->column_count; i++)
        text_append_format(&sql, ", %s AS c%zu", import->columns[i].expression, i);
    text_append_format(&sql, " FROM raw WHERE %s)", import_keep_condition(import));
    return text_built(&sql);
}

static const char *copy_statement(const Import *import)
{
    Arena *arena = import->arena;
    TextBuilder sql = {.arena = arena};

    text_append(&sql, "COPY (SELECT r AS \"_row\", ([");
    for (size_t i = 0; i < import->file_count; i++)
        text_append_format(&sql, "%s%s", i ? ", " : "", duck_literal(import->files[i].name, arena));
    text_append(&sql, "])[f + 1] AS \"_file\", id AS \"_id\"");
    for (size_t i = 0; i < import->column_count; i++)
        text_append_format(&sql, ", c%zu AS %s", i,
                           duck_name(import->columns[i].column.name, arena));
    text_append_format(
        &sql, " FROM typed) TO %s (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)",
        duck_literal(import->rows_path, arena));
    return text_built(&sql);
}

static bool check_order(Import *import)
{
    int64_t wrong = 0;

    /* Cheap, and the whole product relies on it. */
    return duck_get_int(import->duck, import->error, &wrong,
                        "SELECT count(*) FROM typed WHERE r <> rowid") &&
           (wrong == 0 || fail(import->error, ERROR_INTERNAL, "the rows came out of order"));
}

bool import_write(Import *import)
{
    if (!duck_run(import->duck, import->error, typed_statement(import)) || !check_order(import) ||
        !duck_get_int(import->duck, import->error, &import->row_count,
                      "SELECT count(*) FROM typed"))
        return false;
    if (import->row_count == 0)
        return fail(import->error, ERROR_INVALID, "\"%s\" has no rows", import->files[0].name);
    return duck_run(import->duck, import->error, copy_statement(import));
}
