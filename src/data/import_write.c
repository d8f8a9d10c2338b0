#include <inttypes.h>

#include "data/import.h"
#include "data/row_id.h"

static DatasetColumns all_columns(const Import *import)
{
    DatasetColumns columns = {0};

    for (size_t i = 0; i < import->column_count; i++)
        *arena_push(import->arena, &columns) = import->columns[i].column;
    return columns;
}

static const char *id_expression(const Import *import)
{
    const DatasetColumns all = all_columns(import);
    const DatasetColumns counted = row_id_columns(&all, import->arena);
    const char **names = arena_array(import->arena, const char *, counted.count + 1);
    size_t found = 0;

    for (size_t i = 0; i < all.count && found < counted.count; i++)
        if (text_equal(all.items[i].name, counted.items[found].name))
            names[found++] = arena_format(import->arena, "c%zu", i);
    return row_id_expression(&counted, names, import->arena);
}

static const char *id_note(const Import *import)
{
    const DatasetColumns all = all_columns(import);
    const DatasetColumns counted = row_id_columns(&all, import->arena);

    return row_id_note(&counted, import->arena);
}

static const char *typed_statement(const Import *import)
{
    TextBuilder sql = {.arena = import->arena};

    text_append_format(&sql,
                       "CREATE TABLE typed AS SELECT r, f, %s AS id, * EXCLUDE (r, f) FROM ("
                       "SELECT row_number() OVER () - 1 AS r, file_index AS f",
                       id_expression(import));
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
    text_append_format(&sql,
                       " FROM typed) TO %s (FORMAT parquet, COMPRESSION zstd,"
                       " ROW_GROUP_SIZE 122880, KV_METADATA {" ROW_ID_KEY ": %s})",
                       duck_literal(import->rows_path, arena),
                       duck_literal(id_note(import), arena));
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
    if (!duck_run(import->duck, import->error, typed_statement(import)) ||
        !duck_run(import->duck, import->error, "DROP TABLE raw") || !check_order(import) ||
        !duck_get_int(import->duck, import->error, &import->row_count,
                      "SELECT count(*) FROM typed"))
        return false;
    if (import->row_count == 0)
        return fail(import->error, ERROR_INVALID, "\"%s\" has no rows", import->files[0].name);
    return duck_run(import->duck, import->error, copy_statement(import));
}
