/* recipe_join.c: columns of another table, by a key that is there once: rows never multiply. */
#include <inttypes.h>
#include <string.h>

#include "prepare/recipe_internal.h"

typedef struct Join {
    const RecipeStep *step;
    Table right;
    TextList keys;         /* of the right table, in SQL */
    TextBuilder condition; /* of l and r */
    TextBuilder shown;     /* the key of a row as a text */
} Join;

static bool is_numeric(const char *type)
{
    return text_equal(type, "integer") || text_equal(type, "number");
}

static bool add_key(Preparation *run, Join *join, const YamlNode *node)
{
    PrepareColumn *left, *right;

    if (!preparation_find(run, &run->table, node, node->key, &left) ||
        !preparation_find(run, &join->right, node, node->text, &right))
        return false;
    if (!text_equal(left->type, right->type) &&
        !(is_numeric(left->type) && is_numeric(right->type)))
        return yaml_fail(node, run->arena, run->error, "column \"%s\" is %s, and \"%s\" is %s",
                         left->name, left->type, right->name, right->type);
    text_append_format(&join->condition, "%sl.%s = r.%s", join->keys.count ? " AND " : "",
                       left->sql, right->sql);
    text_append_format(&join->shown, "%sCAST(%s AS VARCHAR)", join->keys.count ? ", " : "",
                       right->sql);
    text_list_add(&join->keys, run->arena, right->sql);
    return true;
}

static const char *joined_keys(const Join *join, Arena *arena)
{
    TextBuilder keys = {.arena = arena};

    for (size_t i = 0; i < join->keys.count; i++)
        text_append_format(&keys, "%s%s", i ? ", " : "", join->keys.items[i]);
    return text_built(&keys);
}

static bool check_once(Preparation *run, Join *join)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        run->duck, arena_format(run->arena,
                                "SELECT concat_ws(', ', %s) FROM %s WHERE concat_ws(', ', %s) <> ''"
                                " GROUP BY %s HAVING count(*) > 1 ORDER BY min(rowid) LIMIT 1",
                                text_built(&join->shown), join->right.name,
                                text_built(&join->shown), joined_keys(join, run->arena)));

    if (duck_next(&query))
        return yaml_fail(join->step->node, run->arena, run->error,
                         "the key \"%.100s\" is there twice in what is joined",
                         duck_text(&query, 0, run->arena));
    return duck_end(&query, run->error);
}

static bool check_size(Preparation *run, const Join *join)
{
    int64_t rows;

    return duck_get_int(run->duck, run->error, &rows,
                        arena_format(run->arena, "SELECT count(*) FROM %s", join->right.name)) &&
           (rows <= RECIPE_JOIN_ROWS_MAX ||
            yaml_fail(join->step->node, run->arena, run->error,
                      "what is joined has %" PRId64 " rows, %d are allowed", rows,
                      RECIPE_JOIN_ROWS_MAX));
}

static bool check_matched(Preparation *run, Join *join)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        run->duck, arena_format(run->arena,
                                "SELECT l.rowid + 1 FROM %s l WHERE NOT EXISTS (SELECT 1 FROM %s r"
                                " WHERE %s) ORDER BY 1 LIMIT 1",
                                run->table.name, join->right.name, text_built(&join->condition)));

    if (duck_next(&query))
        return yaml_fail(join->step->node, run->arena, run->error,
                         "row %" PRId64 " has no match in what is joined", duck_int(&query, 0));
    return duck_end(&query, run->error);
}

/* All columns of both, without the keys of the right one. */
static bool list_columns(Preparation *run, const Join *join, PrepareColumns *columns,
                         TextBuilder *select)
{
    for (size_t i = 0; i < run->table.columns.count; i++)
        *arena_push(run->arena, columns) = run->table.columns.items[i];
    text_append(select, preparation_columns_sql(run, columns, "l."));
    for (size_t i = 0; i < join->right.columns.count; i++) {
        const PrepareColumn *column = &join->right.columns.items[i];

        if (text_list_has(&join->keys, column->sql))
            continue;
        if (prepare_column_find(columns, column->name))
            return yaml_fail(join->step->node, run->arena, run->error,
                             "column \"%s\" is in both tables: rename it before", column->name);
        *arena_push(run->arena, columns) = *column;
        text_append_format(select, ", r.%s", column->sql);
    }
    return true;
}

bool recipe_join(Preparation *run, const RecipeStep *step)
{
    Join join = {.step = step, .condition = {.arena = run->arena}, .shown = {.arena = run->arena}};
    TextBuilder select = {.arena = run->arena};
    PrepareColumns columns = {0};

    if (!preparation_read(run, step, &join.right))
        return false;
    for (const YamlNode *node = step->map->first; node; node = node->next)
        if (!add_key(run, &join, node))
            return false;
    if (!check_size(run, &join) || !check_once(run, &join) ||
        (text_equal(step->unmatched, "refuse") && !check_matched(run, &join)) ||
        !list_columns(run, &join, &columns, &select))
        return false;
    return preparation_take(run, &columns,
                            arena_format(run->arena,
                                         "SELECT %s FROM %s l %sJOIN %s r ON %s ORDER BY l.rowid",
                                         text_built(&select), run->table.name,
                                         text_equal(step->unmatched, "keep") ? "LEFT " : "",
                                         join.right.name, text_built(&join.condition))) &&
           duck_run(run->duck, run->error,
                    arena_format(run->arena, "DROP TABLE %s", join.right.name));
}
