/* recipe_change.c: the steps that change columns, or choose and order rows. */
#include <inttypes.h>
#include <string.h>

#include "prepare/recipe_internal.h"

enum { NAME_BYTES_MAX = 250 };

static bool check_name(const Preparation *run, const YamlNode *node, const char *name)
{
    if (!*name || strlen(name) > NAME_BYTES_MAX)
        return yaml_fail(node, run->arena, run->error, "a column's name has 1 to %d bytes",
                         NAME_BYTES_MAX);
    return true;
}

bool recipe_rename(Preparation *run, const RecipeStep *step)
{
    for (const YamlNode *node = step->map->first; node; node = node->next) {
        PrepareColumn *column;

        if (!preparation_find(run, &run->table, node, node->key, &column) ||
            !check_name(run, node, node->text))
            return false;
        if (prepare_column_find(&run->table.columns, node->text))
            return yaml_fail(node, run->arena, run->error, "there is a column \"%.100s\" already",
                             node->text);
        column->name = node->text;
    }
    return true;
}

bool recipe_drop(Preparation *run, const RecipeStep *step)
{
    PrepareColumns *columns = &run->table.columns;

    for (const YamlNode *node = step->list->first; node; node = node->next) {
        PrepareColumn *column;
        size_t at;

        if (!preparation_find(run, &run->table, node, node->text, &column))
            return false;
        at = (size_t)(column - columns->items);
        memmove(column, column + 1, (columns->count - at - 1) * sizeof(*column));
        columns->count--;
    }
    return columns->count > 0 || yaml_fail(step->node, run->arena, run->error, "no column is left");
}

/* ---- formulas ---- */

/* A text that is no number, with the row that has it. */
static bool check_guard(Preparation *run, const YamlNode *node, const char *name,
                        const FormulaGuard *guard)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(run->duck, arena_format(run->arena,
                                           "SELECT rowid + 1, left(%s, 60) FROM %s WHERE %s"
                                           " ORDER BY rowid LIMIT 1",
                                           guard->value, run->table.name, guard->bad));

    if (duck_next(&query))
        return yaml_fail(node, run->arena, run->error, "%s, row %" PRId64 ": \"%s\" is not %s %s",
                         name, duck_int(&query, 0), duck_text(&query, 1, run->arena),
                         text_equal(guard->type, "integer") ? "an" : "a", guard->type);
    return duck_end(&query, run->error);
}

static bool translate(Preparation *run, const YamlNode *node, const char *name, FormulaSql *sql)
{
    Error error = {0};

    if (!formula_sql(node->text, &run->table.columns, run->arena, sql, &error))
        return yaml_fail(node, run->arena, run->error, "%s", error.message);
    for (size_t i = 0; i < sql->guards.count; i++)
        if (!check_guard(run, node, name, &sql->guards.items[i]))
            return false;
    return true;
}

static const char *value_of(const Preparation *run, const FormulaSql *sql)
{
    if (!text_equal(sql->type, "number"))
        return sql->sql;
    /* What is no finite number is missing, as where data are read. */
    return arena_format(run->arena,
                        "CASE WHEN isfinite(CAST(%s AS DOUBLE)) THEN CAST(%s AS DOUBLE) END",
                        sql->sql, sql->sql);
}

static bool compute_one(Preparation *run, const YamlNode *node)
{
    const char *what = arena_format(run->arena, "column \"%s\"", node->key);
    PrepareColumns columns = {0};
    const PrepareColumn *added = NULL;
    const char *before;
    FormulaSql sql;

    if (!check_name(run, node, node->key) || !translate(run, node, what, &sql))
        return false;
    if (text_equal(sql.type, "null"))
        return yaml_fail(node, run->arena, run->error, "null alone has no type: text(null) has");
    before = preparation_columns_sql(run, &run->table.columns, "");
    for (size_t i = 0; i < run->table.columns.count; i++) {
        const PrepareColumn *column = &run->table.columns.items[i];

        if (text_equal(column->name, node->key))
            added = preparation_column_add(run, &columns, node->key, sql.type);
        else
            *arena_push(run->arena, &columns) = *column;
    }
    if (!added)
        added = preparation_column_add(run, &columns, node->key, sql.type);
    return preparation_take(run, &columns,
                            arena_format(run->arena, "SELECT %s, %s AS %s FROM %s ORDER BY rowid",
                                         before, value_of(run, &sql), added->sql, run->table.name));
}

bool recipe_compute(Preparation *run, const RecipeStep *step)
{
    for (const YamlNode *node = step->map->first; node; node = node->next)
        if (!compute_one(run, node))
            return false;
    return true;
}

bool recipe_filter(Preparation *run, const RecipeStep *step)
{
    PrepareColumns columns = run->table.columns;
    FormulaSql sql;

    if (!translate(run, step->node, "the filter", &sql))
        return false;
    if (!text_equal(sql.type, "boolean"))
        return yaml_fail(step->node, run->arena, run->error,
                         "a filter is true or false, and this is a %s", sql.type);
    return preparation_take(run, &columns,
                            arena_format(run->arena, "SELECT %s FROM %s WHERE %s ORDER BY rowid",
                                         preparation_columns_sql(run, &columns, ""),
                                         run->table.name, sql.sql));
}

/* By MD5 of the seed and the row's number: the same in every version of the library. */
bool recipe_shuffle(Preparation *run, const RecipeStep *step)
{
    PrepareColumns columns = run->table.columns;

    return preparation_take(run, &columns,
                            arena_format(run->arena,
                                         "SELECT %s FROM %s ORDER BY md5('%" PRId64
                                         ":' || CAST(rowid AS VARCHAR)), rowid",
                                         preparation_columns_sql(run, &columns, ""),
                                         run->table.name, step->seed));
}

/* ---- concat ---- */

static bool is_numeric(const char *type)
{
    return text_equal(type, "integer") || text_equal(type, "number");
}

static bool match(Preparation *run, const RecipeStep *step, const Table *more, TextBuilder *select)
{
    for (size_t i = 0; i < run->table.columns.count; i++) {
        PrepareColumn *column = &run->table.columns.items[i], *other;

        if (!preparation_find(run, more, step->node, column->name, &other))
            return false;
        if (!text_equal(column->type, other->type) &&
            !(is_numeric(column->type) && is_numeric(other->type)))
            return yaml_fail(step->node, run->arena, run->error,
                             "column \"%s\" is %s so far, and %s here", column->name, column->type,
                             other->type);
        if (!text_equal(column->type, other->type))
            column->type = "number";
        text_append_format(select, "%s%s AS %s", i ? ", " : "", other->sql, column->sql);
    }
    for (size_t i = 0; i < more->columns.count; i++)
        if (!prepare_column_find(&run->table.columns, more->columns.items[i].name))
            return yaml_fail(step->node, run->arena, run->error,
                             "column \"%s\" is not among those so far",
                             more->columns.items[i].name);
    return true;
}

bool recipe_concat(Preparation *run, const RecipeStep *step)
{
    TextBuilder other = {.arena = run->arena};
    const char *columns;
    Table more;

    if (!preparation_read(run, step, &more) || !match(run, step, &more, &other))
        return false;
    columns = preparation_columns_sql(run, &run->table.columns, "");
    return preparation_take(
               run, &run->table.columns,
               arena_format(run->arena,
                            "SELECT %s FROM (SELECT 0 AS part, rowid AS row, %s FROM %s UNION ALL"
                            " SELECT 1, rowid, %s FROM %s) ORDER BY part, row",
                            columns, columns, run->table.name, text_built(&other), more.name)) &&
           duck_run(run->duck, run->error, arena_format(run->arena, "DROP TABLE %s", more.name));
}
