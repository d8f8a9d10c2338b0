#include "data/row_id.h"

static const struct {
    const char *type, *text; /* $ is the column */
} canonical[] = {
    {"text", "$"},
    {"category", "$"},
    {"boolean", "CAST($ AS VARCHAR)"},
    {"integer", "CAST($ AS VARCHAR)"},
    {"number", "CASE WHEN $ = trunc($) AND abs($) < 9e15 THEN CAST(CAST($ AS BIGINT) AS VARCHAR)"
               " ELSE CAST($ AS VARCHAR) END"},
    {"time", "CAST(epoch_us($) AS VARCHAR)"},
};

static const char *fill(const char *template, const char *with, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (const char *at = template; *at; at++) {
        if (*at == '$')
            text_append(&text, with);
        else
            text_append_bytes(&text, at, 1);
    }
    return text_built(&text);
}

static const char *canonical_text(const char *type, const char *expression, Arena *arena)
{
    for (size_t i = 0; i < COUNT(canonical); i++)
        if (text_equal(canonical[i].type, type))
            return fill(canonical[i].text, expression, arena);
    return expression;
}

DatasetColumns row_id_columns(const DatasetColumns *columns, Arena *arena)
{
    bool has_features = dataset_column_by_role(columns, "feature") != NULL ||
                        dataset_column_by_role(columns, "known") != NULL;
    DatasetColumns counted = {0};

    for (size_t i = 0; i < columns->count; i++) {
        const DatasetColumn *column = &columns->items[i];
        bool counts =
            has_features ? dataset_column_is_feature(column) : !text_equal(column->role, "ignore");

        if (counts)
            *arena_push(arena, &counted) = *column;
    }
    return counted;
}

/* Each text with its length in front, so that no two contents run into one. */
const char *row_id_expression(const DatasetColumns *columns, const char *const *expressions,
                              Arena *arena)
{
    TextBuilder sql = {.arena = arena};

    text_append(&sql, "md5(concat(''");
    for (size_t i = 0; i < columns->count; i++) {
        const char *text = canonical_text(columns->items[i].type, expressions[i], arena);

        text_append_format(&sql, ", coalesce(strlen(%s) || ':' || %s, '-')", text, text);
    }
    text_append(&sql, "))");
    return text_built(&sql);
}

const char *row_id_note(const DatasetColumns *columns, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t i = 0; i < columns->count; i++)
        json_text(json, NULL, columns->items[i].name);
    json_close(json);
    return json_finish(json);
}
