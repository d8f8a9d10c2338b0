#include "prepare/recipe.h"

#include <string.h>

#include "base/file.h"
#include "data/dataset.h"
#include "prepare/formula.h"

const char *const recipe_kinds[RECIPE_KIND_COUNT] = {
    [RECIPE_READ] = "read",     [RECIPE_CONCAT] = "concat",     [RECIPE_COMPUTE] = "compute",
    [RECIPE_FILTER] = "filter", [RECIPE_RENAME] = "rename",     [RECIPE_DROP] = "drop",
    [RECIPE_JOIN] = "join",     [RECIPE_RESAMPLE] = "resample", [RECIPE_SHUFFLE] = "shuffle",
};

typedef struct Reader {
    Arena *arena;
    Error *error;
} Reader;

#define refuse(reader, node, ...) yaml_fail((node), (reader)->arena, (reader)->error, __VA_ARGS__)

static bool check_words(const Reader *reader, const YamlNode *map, const char *name,
                        const char *words)
{
    const YamlNode *node = yaml_member(map, name);
    TextList list = text_split(words, ' ', reader->arena);

    return yaml_is_null(node) || text_list_has(&list, node->text) ||
           refuse(reader, node, "\"%s\" is one of %s, not \"%s\"", name, words, node->text);
}

/* ---- sources ---- */

static bool add_file(const Reader *reader, const YamlNode *node, RecipeSource *source)
{
    if (node->type != YAML_SCALAR || yaml_is_null(node) || !path_is_inside(node->text))
        return refuse(reader, node, "a file is a relative path of plain parts");
    text_list_add(&source->files, reader->arena, node->text);
    return true;
}

static bool add_files(const Reader *reader, const YamlNode *node, RecipeSource *source)
{
    if (node->type == YAML_LIST && !node->count)
        return refuse(reader, node, "there is no file in this list");
    if (node->type != YAML_LIST)
        return add_file(reader, node, source);
    for (const YamlNode *item = node->first; item; item = item->next)
        if (!add_file(reader, item, source))
            return false;
    return true;
}

/* What stands beside "files" is how they are read, as for a data set. */
static bool read_options(const Reader *reader, const YamlNode *map, RecipeSource *source)
{
    JsonWriter *json = json_writer_create(reader->arena);
    DatasetOptions options = {0};
    Error error = {0};

    json_open_object(json, NULL);
    for (const YamlNode *node = map->first; node; node = node->next)
        if (strcmp(node->key, "files") != 0)
            yaml_write_json(json, node->key, node);
    json_close(json);
    source->options = json_finish(json);
    return (json_read(source->options, strlen(source->options), dataset_options_fields, &options,
                      reader->arena, &error) &&
            dataset_options_check(&options, &error)) ||
           refuse(reader, map, "%s", error.message);
}

static bool read_source(const Reader *reader, const YamlNode *node, RecipeSource *source)
{
    const YamlNode *files = yaml_member(node, "files"), *data = yaml_member(node, "data");

    if (!node || node->type != YAML_MAP)
        return node && add_files(reader, node, source);
    if (data && node->count == 1 && data->type == YAML_SCALAR && !yaml_is_null(data)) {
        source->data = data->text;
        return true;
    }
    if (data || !files)
        return refuse(reader, node,
                      "it reads a file, a list of files, {files: ..., and how they "
                      "are read}, or {data: NAME} alone");
    return add_files(reader, files, source) && read_options(reader, node, source);
}

/* ---- each kind ---- */

static bool check_pairs(const Reader *reader, const YamlNode *map)
{
    if (!map || map->type != YAML_MAP || !map->count)
        return map && refuse(reader, map, "it is a map of names");
    for (const YamlNode *node = map->first; node; node = node->next)
        if (node->type != YAML_SCALAR || yaml_is_null(node) || !*node->text)
            return refuse(reader, node, "\"%s\" is a text", yaml_path(node, reader->arena));
    return true;
}

static bool check_formula(const Reader *reader, const YamlNode *node)
{
    FormulaSql sql;
    Error error = {0};

    if (node->type != YAML_SCALAR || yaml_is_null(node))
        return refuse(reader, node, "a formula is a text");
    return formula_sql(node->text, NULL, reader->arena, &sql, &error) ||
           refuse(reader, node, "%s", error.message);
}

static bool read_source_step(const Reader *reader, RecipeStep *step)
{
    return read_source(reader, step->node, &step->source);
}

static bool read_compute(const Reader *reader, RecipeStep *step)
{
    step->map = step->node;
    if (!check_pairs(reader, step->map))
        return false;
    for (const YamlNode *node = step->map->first; node; node = node->next)
        if (!check_formula(reader, node))
            return false;
    return true;
}

static bool read_filter(const Reader *reader, RecipeStep *step)
{
    return check_formula(reader, step->node);
}

static bool read_rename(const Reader *reader, RecipeStep *step)
{
    step->map = step->node;
    return check_pairs(reader, step->map);
}

static bool read_drop(const Reader *reader, RecipeStep *step)
{
    step->list = step->node;
    if (step->node->type != YAML_LIST || !step->node->count)
        return refuse(reader, step->node, "\"drop\" is a list of columns");
    for (const YamlNode *node = step->node->first; node; node = node->next)
        if (node->type != YAML_SCALAR)
            return refuse(reader, node, "a column is a name");
    return true;
}

typedef struct JoinParts {
    const YamlNode *read, *on;
    const char *unmatched;
} JoinParts;

static const YamlField join_fields[] = {
    {"read", YAML_FIELD_ANY, offsetof(JoinParts, read), JSON_REQUIRED},
    {"on", YAML_FIELD_MAP, offsetof(JoinParts, on), JSON_REQUIRED},
    {"unmatched", YAML_FIELD_TEXT, offsetof(JoinParts, unmatched), JSON_OPTIONAL},
    {0},
};

static bool read_join(const Reader *reader, RecipeStep *step)
{
    JoinParts parts = {.unmatched = "keep"};

    if (!yaml_read(step->node, join_fields, &parts, reader->arena, reader->error) ||
        !check_words(reader, step->node, "unmatched", "keep drop refuse"))
        return false;
    step->map = parts.on;
    step->unmatched = parts.unmatched;
    return read_source(reader, parts.read, &step->source) && check_pairs(reader, parts.on);
}

typedef struct ResampleParts {
    const char *time, *every, *fill;
    const YamlNode *columns;
} ResampleParts;

static const YamlField resample_fields[] = {
    {"time", YAML_FIELD_TEXT, offsetof(ResampleParts, time), JSON_REQUIRED},
    {"every", YAML_FIELD_TEXT, offsetof(ResampleParts, every), JSON_REQUIRED},
    {"columns", YAML_FIELD_MAP, offsetof(ResampleParts, columns), JSON_REQUIRED},
    {"fill", YAML_FIELD_TEXT, offsetof(ResampleParts, fill), JSON_OPTIONAL},
    {0},
};

static bool read_every(const Reader *reader, const YamlNode *node, int64_t *every_us)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    size_t digits = strspn(node->text, "0123456789");
    int64_t count;

    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(node->text + digits, units[i].unit) == 0 &&
            text_to_int(arena_copy(reader->arena, node->text, digits), &count) && count > 0 &&
            count <= 366 * INT64_C(86400) / units[i].seconds) {
            *every_us = count * units[i].seconds * 1000000;
            return true;
        }
    return refuse(reader, node, "\"every\" is a time such as 15m, 1h or 1d, of at most 366d");
}

static bool read_resample(const Reader *reader, RecipeStep *step)
{
    ResampleParts parts = {.fill = "none"};

    if (!yaml_read(step->node, resample_fields, &parts, reader->arena, reader->error) ||
        !check_words(reader, step->node, "fill", "none skip previous interpolate zero") ||
        !read_every(reader, yaml_member(step->node, "every"), &step->every_us) ||
        !check_pairs(reader, parts.columns))
        return false;
    for (const YamlNode *node = parts.columns->first; node; node = node->next)
        if (!check_words(reader, parts.columns, node->key, "mean sum min max first last count"))
            return false;
    step->map = parts.columns;
    step->time = parts.time;
    step->fill = parts.fill;
    return true;
}

static const YamlField shuffle_fields[] = {
    {"seed", YAML_FIELD_INT, offsetof(RecipeStep, seed), JSON_REQUIRED},
    {0},
};

static bool read_shuffle(const Reader *reader, RecipeStep *step)
{
    return yaml_read(step->node, shuffle_fields, step, reader->arena, reader->error);
}

static bool (*const readers[RECIPE_KIND_COUNT])(const Reader *reader, RecipeStep *step) = {
    [RECIPE_READ] = read_source_step, [RECIPE_CONCAT] = read_source_step,
    [RECIPE_COMPUTE] = read_compute,  [RECIPE_FILTER] = read_filter,
    [RECIPE_RENAME] = read_rename,    [RECIPE_DROP] = read_drop,
    [RECIPE_JOIN] = read_join,        [RECIPE_RESAMPLE] = read_resample,
    [RECIPE_SHUFFLE] = read_shuffle,
};

static const char *all_kinds(Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < RECIPE_KIND_COUNT; i++)
        text_append_format(&names, "%s%s", i ? ", " : "", recipe_kinds[i]);
    return text_built(&names);
}

static bool read_step(const Reader *reader, const YamlNode *item, Recipe *recipe)
{
    RecipeStep step = {.node = item->first};
    bool is_first = recipe->count == 0;

    if (item->type != YAML_MAP || item->count != 1)
        return refuse(reader, item, "a step is one of %s, with what it takes",
                      all_kinds(reader->arena));
    while (step.kind < RECIPE_KIND_COUNT && strcmp(recipe_kinds[step.kind], item->first->key) != 0)
        step.kind++;
    if (step.kind == RECIPE_KIND_COUNT)
        return refuse(reader, item, "there is no step \"%.100s\"; there are %s", item->first->key,
                      all_kinds(reader->arena));
    if (is_first != (step.kind == RECIPE_READ))
        return refuse(reader, item,
                      is_first ? "the first step is \"read\""
                               : "\"read\" is the first step; others add with "
                                 "\"concat\" or \"join\"");
    if (recipe->count == RECIPE_STEPS_MAX)
        return refuse(reader, item, "a recipe has at most %d steps", RECIPE_STEPS_MAX);
    if (!readers[step.kind](reader, &step))
        return false;
    *arena_push(reader->arena, recipe) = step;
    return true;
}

typedef struct RecipeParts {
    const YamlNode *steps;
} RecipeParts;

static const YamlField recipe_fields[] = {
    {"steps", YAML_FIELD_ANY, offsetof(RecipeParts, steps), JSON_REQUIRED},
    {0},
};

bool recipe_read(const char *bytes, size_t size, Arena *arena, Recipe *recipe, Error *error)
{
    const Reader reader = {arena, error};
    const YamlNode *root;
    RecipeParts parts = {0};
    Recipe read = {0};

    if (size > RECIPE_BYTES_MAX)
        return fail(error, ERROR_TOO_LARGE, "a recipe has at most %d bytes", RECIPE_BYTES_MAX);
    if (!yaml_parse(bytes, size, arena, &root, error) ||
        !yaml_read(root, recipe_fields, &parts, arena, error))
        return false;
    if (parts.steps->type != YAML_LIST || !parts.steps->count)
        return yaml_fail(parts.steps, arena, error, "\"steps\" is a list of steps");
    for (const YamlNode *item = parts.steps->first; item; item = item->next)
        if (!read_step(&reader, item, &read))
            return false;
    *recipe = read;
    return true;
}
