/* fuzz_recipe.c: any bytes as a prepare.yaml are read whole or refused with a sentence, and any
 * text as a formula becomes SQL with a type, or is refused. */
#include <stdint.h>
#include <stdlib.h>

#include "prepare/formula.h"
#include "prepare/recipe.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    PrepareColumn items[] = {{"n", "number", "x0"},
                             {"i", "integer", "x1"},
                             {"t", "text", "x2"},
                             {"b", "boolean", "x3"},
                             {"d", "time", "x4"}};
    const PrepareColumns columns = {items, 5};
    FormulaSql sql = {0};
    Recipe recipe = {0};
    Error error = {0};

    if (recipe_read((const char *)data, size, arena, &recipe, &error))
        require(recipe.count && recipe.items[0].kind == RECIPE_READ);
    else
        require(error.message[0] && !recipe.count);
    error = (Error){0};
    if (formula_sql(arena_copy(arena, (const char *)data, size), &columns, arena, &sql, &error))
        require(sql.type && sql.sql);
    else
        require(error.message[0] && !sql.sql);
    return 0;
}
