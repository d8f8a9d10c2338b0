/* recipe_internal.h: a recipe that is being done: the rows so far are a table of DuckDB. */
#pragma once

#include "data/duck.h"
#include "prepare/formula.h"
#include "prepare/recipe.h"

typedef struct Table {
    const char *name;
    PrepareColumns columns; /* as they are written, in order; each has a name of its own in SQL */
} Table;

typedef struct Preparation {
    Arena *arena;
    Error *error;
    Duck *duck;
    const char *work, *folder; /* where the files are; for work under way */
    const JsonValue *data;     /* {"trips@2": path of its Parquet file} */
    Table table;
    size_t table_count, column_count; /* that were named so far */
    int64_t row_count, set_aside_count;
} Preparation;

const char *preparation_table_name(Preparation *run);
PrepareColumn *preparation_column_add(Preparation *run, PrepareColumns *columns, const char *name,
                                      const char *type);

/* "a, b, c" of the table, each with the prefix. */
const char *preparation_columns_sql(const Preparation *run, const PrepareColumns *columns,
                                    const char *prefix);

/* The rows of a source as a table. */
bool preparation_read(Preparation *run, const RecipeStep *step, Table *table) MUST_CHECK;

/* The table of a select takes the place of the one so far. */
bool preparation_take(Preparation *run, const PrepareColumns *columns,
                      const char *select) MUST_CHECK;

/* The column, or a mistake at the node. */
bool preparation_find(const Preparation *run, const Table *table, const YamlNode *node,
                      const char *name, PrepareColumn **column) MUST_CHECK;

typedef bool RecipeWork(Preparation *run, const RecipeStep *step);

RecipeWork recipe_concat, recipe_compute, recipe_filter, recipe_rename, recipe_drop, recipe_join,
    recipe_resample, recipe_shuffle;
