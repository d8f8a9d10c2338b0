/* recipe_run.c: reads the rows, does the steps of a recipe one after the other, writes the CSV.
 *
 * Memory: DuckDB's limit (DUCK_MEMORY_BYTES); what does not fit goes to the step's folder. */
#include <glob.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "data/import.h"
#include "prepare/recipe_internal.h"
#include "prepare/recipe_step.h"

const char *preparation_table_name(Preparation *run)
{
    return arena_format(run->arena, "t%zu", run->table_count++);
}

PrepareColumn *preparation_column_add(Preparation *run, PrepareColumns *columns, const char *name,
                                      const char *type)
{
    PrepareColumn *column = arena_push(run->arena, columns);

    *column = (PrepareColumn){name, text_equal(type, "category") ? "text" : type,
                              arena_format(run->arena, "x%zu", run->column_count++)};
    return column;
}

const char *preparation_columns_sql(const Preparation *run, const PrepareColumns *columns,
                                    const char *prefix)
{
    TextBuilder sql = {.arena = run->arena};

    for (size_t i = 0; i < columns->count; i++)
        text_append_format(&sql, "%s%s%s", i ? ", " : "", prefix, columns->items[i].sql);
    return text_built(&sql);
}

bool preparation_find(const Preparation *run, const Table *table, const YamlNode *node,
                      const char *name, PrepareColumn **column)
{
    TextBuilder names = {.arena = run->arena};

    for (size_t i = 0; i < table->columns.count; i++) {
        *column = &table->columns.items[i];
        if (text_equal((*column)->name, name))
            return true;
        if (names.count < 200)
            text_append_format(&names, "%s%s", i ? ", " : "", (*column)->name);
    }
    return yaml_fail(node, run->arena, run->error, "there is no column \"%.100s\"; there are %s",
                     name, text_built(&names));
}

static bool count(Preparation *run)
{
    return duck_get_int(run->duck, run->error, &run->row_count,
                        arena_format(run->arena, "SELECT count(*) FROM %s", run->table.name));
}

bool preparation_take(Preparation *run, const PrepareColumns *columns, const char *select)
{
    const char *before = run->table.name;

    run->table.name = preparation_table_name(run);
    run->table.columns = *columns;
    return duck_run(run->duck, run->error,
                    arena_format(run->arena, "CREATE TABLE %s AS %s", run->table.name, select)) &&
           duck_run(run->duck, run->error, arena_format(run->arena, "DROP TABLE %s", before));
}

/* ---- reading ---- */

static bool add_found(Preparation *run, const YamlNode *node, const char *pattern, TextList *paths)
{
    glob_t found;
    size_t root = strlen(run->work) + 1;

    if (glob(arena_format(run->arena, "%s/%s", run->work, pattern), 0, NULL, &found) != 0)
        return yaml_fail(node, run->arena, run->error, "there is no file \"%.200s\"", pattern);
    for (size_t i = 0; i < found.gl_pathc && paths->count <= IMPORT_FILES_MAX; i++)
        text_list_add(paths, run->arena, arena_text(run->arena, found.gl_pathv[i] + root));
    globfree(&found);
    return true;
}

static bool set_files(Preparation *run, const RecipeStep *step, Import *import)
{
    TextList paths = {0};

    for (size_t i = 0; i < step->source.files.count; i++)
        if (!add_found(run, step->node, step->source.files.items[i], &paths))
            return false;
    if (paths.count > IMPORT_FILES_MAX)
        return yaml_fail(step->node, run->arena, run->error, "at most %d files are read at once",
                         IMPORT_FILES_MAX);
    import->files = arena_array(run->arena, ImportFile, paths.count);
    import->file_count = paths.count;
    for (size_t i = 0; i < paths.count; i++)
        import->files[i] =
            (ImportFile){.name = paths.items[i],
                         .path = arena_format(run->arena, "%s/%s", run->work, paths.items[i]),
                         .index = i};
    return true;
}

/* The tables of this reading, so that the next one begins as the first. */
static bool drop_raw(Preparation *run, const Import *import)
{
    for (size_t i = 0; i < import->file_count; i++)
        if (!duck_run(run->duck, run->error,
                      arena_format(run->arena, "DROP TABLE IF EXISTS rejects_%zu", i)) ||
            !duck_run(run->duck, run->error,
                      arena_format(run->arena, "DROP TABLE IF EXISTS scans_%zu", i)))
            return false;
    return duck_run(run->duck, run->error, "DROP TABLE raw");
}

static bool read_files(Preparation *run, const RecipeStep *step, Table *table)
{
    Import import = {
        .arena = run->arena, .error = run->error, .duck = run->duck, .folder = run->folder};
    const char *options = step->source.options ? step->source.options : "{}";
    TextBuilder sql = {.arena = run->arena};

    if (!json_read(options, strlen(options), dataset_options_fields, &import.options, run->arena,
                   run->error) ||
        !set_files(run, step, &import) || !import_look(&import) || !import_load(&import) ||
        !import_type(&import))
        return false;
    text_append_format(&sql, "CREATE TABLE %s AS SELECT ", table->name);
    for (size_t i = 0; i < import.column_count; i++) {
        const ImportColumn *column = &import.columns[i];
        const PrepareColumn *added =
            preparation_column_add(run, &table->columns, column->column.name, column->column.type);

        text_append_format(&sql, "%s%s AS %s", i ? ", " : "", column->expression, added->sql);
    }
    text_append_format(&sql, " FROM raw WHERE %s", import_keep_condition(&import));
    run->set_aside_count += import.rejected_count;
    return duck_run(run->duck, run->error, text_built(&sql)) && drop_raw(run, &import);
}

static const char *type_of_sql(const char *sql)
{
    static const char *const types[][2] = {
        {"BIGINT", "integer"}, {"DOUBLE", "number"}, {"BOOLEAN", "boolean"}, {"TIMESTAMP", "time"}};

    for (size_t i = 0; i < COUNT(types); i++)
        if (text_has_prefix(sql, types[i][0]))
            return types[i][1];
    return "text";
}

static bool list_data_columns(Preparation *run, const char *rows, Table *table, TextBuilder *sql)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(run->duck, arena_format(run->arena, "DESCRIBE SELECT * FROM %s", rows));

    while (duck_next(&query)) {
        const char *name = duck_text(&query, 0, run->arena);
        const PrepareColumn *column;

        if (text_equal(name, "_row") || text_equal(name, "_file") || text_equal(name, "_id"))
            continue;
        column = preparation_column_add(run, &table->columns, name,
                                        type_of_sql(duck_text(&query, 1, run->arena)));
        text_append_format(sql, "%s%s AS %s", sql->count ? ", " : "", duck_name(name, run->arena),
                           column->sql);
    }
    return duck_end(&query, run->error);
}

static bool read_data(Preparation *run, const RecipeStep *step, Table *table)
{
    const char *path = json_as_text(json_member(run->data, step->source.data), NULL);
    TextBuilder sql = {.arena = run->arena};
    const char *rows;

    if (!path)
        return yaml_fail(step->node, run->arena, run->error, "there is no data set \"%.200s\"",
                         step->source.data);
    rows = arena_format(run->arena, "read_parquet(%s)", duck_literal(path, run->arena));
    return list_data_columns(run, rows, table, &sql) &&
           duck_run(run->duck, run->error,
                    arena_format(run->arena, "CREATE TABLE %s AS SELECT %s FROM %s ORDER BY _row",
                                 table->name, text_built(&sql), rows));
}

bool preparation_read(Preparation *run, const RecipeStep *step, Table *table)
{
    *table = (Table){.name = preparation_table_name(run)};
    return step->source.data ? read_data(run, step, table) : read_files(run, step, table);
}

static bool recipe_read_first(Preparation *run, const RecipeStep *step)
{
    return preparation_read(run, step, &run->table);
}

/* ---- writing ---- */

/* Times that are all days are written as days. */
static bool time_format(Preparation *run, const PrepareColumn *column, const char **sql)
{
    int64_t others;

    if (!duck_get_int(run->duck, run->error, &others,
                      arena_format(run->arena,
                                   "SELECT count(*) FROM %s WHERE %s <> date_trunc('day', %s)",
                                   run->table.name, column->sql, column->sql)))
        return false;
    *sql =
        others ? column->sql : arena_format(run->arena, "strftime(%s, '%%Y-%%m-%%d')", column->sql);
    return true;
}

static bool write_csv(Preparation *run, const char *path)
{
    TextBuilder sql = {.arena = run->arena};

    if (!folder_make(path_folder(path, run->arena), run->error))
        return false;
    text_append(&sql, "COPY (SELECT ");
    for (size_t i = 0; i < run->table.columns.count; i++) {
        const PrepareColumn *column = &run->table.columns.items[i];
        const char *value = column->sql;

        if (text_equal(column->type, "time") && !time_format(run, column, &value))
            return false;
        text_append_format(&sql, "%s%s AS %s", i ? ", " : "", value,
                           duck_name(column->name, run->arena));
    }
    text_append_format(&sql, " FROM %s) TO %s (FORMAT csv, HEADER true)", run->table.name,
                       duck_literal(path, run->arena));
    return duck_run(run->duck, run->error, text_built(&sql));
}

/* ---- the step ---- */

static RecipeWork *const works[RECIPE_KIND_COUNT] = {
    [RECIPE_READ] = recipe_read_first, [RECIPE_CONCAT] = recipe_concat,
    [RECIPE_COMPUTE] = recipe_compute, [RECIPE_FILTER] = recipe_filter,
    [RECIPE_RENAME] = recipe_rename,   [RECIPE_DROP] = recipe_drop,
    [RECIPE_JOIN] = recipe_join,       [RECIPE_RESAMPLE] = recipe_resample,
    [RECIPE_SHUFFLE] = recipe_shuffle,
};

static bool do_steps(Preparation *run, const Recipe *recipe, JsonWriter *result)
{
    json_open_array(result, "steps");
    for (size_t i = 0; i < recipe->count; i++) {
        const RecipeStep *step = &recipe->items[i];

        if (!works[step->kind](run, step) || !count(run))
            return false;
        json_open_object(result, NULL);
        json_int(result, "line", (int64_t)step->node->key_line);
        json_text(result, "step", recipe_kinds[step->kind]);
        json_int(result, "rows", run->row_count);
        json_close(result);
    }
    json_close(result);
    return true;
}

static void write_result(const Preparation *run, JsonWriter *result)
{
    json_int(result, "rows", run->row_count);
    json_int(result, "set_aside", run->set_aside_count);
    json_open_array(result, "columns");
    for (size_t i = 0; i < run->table.columns.count; i++) {
        json_open_object(result, NULL);
        json_text(result, "name", run->table.columns.items[i].name);
        json_text(result, "type", run->table.columns.items[i].type);
        json_close(result);
    }
    json_close(result);
}

bool prepare_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    const char *text = json_as_text(json_member(job, "recipe"), "");
    Preparation run = {
        .arena = arena,
        .error = error,
        .work = json_as_text(json_member(job, "work"), ""),
        .folder = json_as_text(json_member(job, "folder"), ""),
        .data = json_member(job, "data"),
    };
    DuckSpec spec = {.folder = run.work};
    CLEANUP(duck_close) Duck *duck = NULL;
    Recipe recipe;

    for (JsonWalk walk = json_walk(run.data); json_walk_next(&walk);)
        text_list_add(&spec.files, arena, json_as_text(walk.value, ""));
    duck = duck_open(&spec, error);
    run.duck = duck;
    if (!duck)
        return false;
    if (!recipe_read(text, strlen(text), arena, &recipe, error) ||
        !do_steps(&run, &recipe, result) ||
        !write_csv(&run, json_as_text(json_member(job, "out"), "")))
        return fail_in(error, "%s", json_as_text(json_member(job, "name"), "the recipe"));
    write_result(&run, result);
    return true;
}

const WorkerStep prepare_steps[] = {
    {"prepare", prepare_step},
    {0},
};
