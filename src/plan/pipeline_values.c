#include "plan/pipeline_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/path.h"

#define DEFAULT_PARAMS_FILE "params.yaml"

/* Trees as JSON. */

/* YAML 1.2's 0x1f and 0o17, which base/yaml.h leaves a text. */
static bool read_based(const char *text, int64_t *integer)
{
    bool is_hex = text_has_prefix(text, "0x"), is_octal = text_has_prefix(text, "0o");
    char *end;

    if ((!is_hex && !is_octal) || !isxdigit((unsigned char)text[2]))
        return false;
    errno = 0;
    *integer = strtoll(text + 2, &end, is_hex ? 16 : 8);
    return !*end && !errno;
}

/* An integer or a real number is written so that it is read as the same: 1.0 stays one. */
static void write_scalar(JsonWriter *json, const char *key, const YamlNode *node, Arena *arena)
{
    int64_t integer;
    double number;

    if (!node->is_quoted && read_based(node->text, &integer)) {
        json_int(json, key, integer);
        return;
    }
    if (node->is_quoted || text_to_int(node->text, &integer) || !yaml_to_number(node, &number)) {
        yaml_write_json(json, key, node);
        return;
    }
    json_raw(json, key, number_text(number, arena));
}

static void write_tree(JsonWriter *json, const char *key, const YamlNode *node, Arena *arena)
{
    if (node->type == YAML_SCALAR) {
        write_scalar(json, key, node, arena);
        return;
    }
    if (node->type == YAML_MAP)
        json_open_object(json, key);
    else
        json_open_array(json, key);
    for (const YamlNode *child = node->first; child; child = child->next)
        write_tree(json, node->type == YAML_MAP ? child->key : NULL, child, arena);
    json_close(json);
}

bool yaml_to_json(const YamlNode *node, Arena *arena, const JsonValue **json, Error *error)
{
    JsonWriter *writer = json_writer_create(arena);

    write_tree(writer, NULL, node, arena);
    return json_parse(json_finish(writer), json_size(writer), arena, json, error);
}

static const JsonValue *item_at(const JsonValue *list, const char *number)
{
    int64_t index;

    if (!text_to_int(number, &index))
        return NULL;
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        if ((int64_t)walk.index == index)
            return walk.value;
    return NULL;
}

const JsonValue *json_at(const JsonValue *root, const TextList *name, size_t position)
{
    for (; root && position < name->count; position++)
        root = json_is_array(root) ? item_at(root, name->items[position])
                                   : json_member(root, name->items[position]);
    return root;
}

const JsonValue *value_find(void *context, const TextList *name)
{
    const ValueScope *scope = context;
    const char *root = name->items[0];
    const JsonValue *values = NULL;
    size_t position = 1;

    if (strcmp(root, EXPRESSION_DVC_ROOT) == 0) { /* ${item.x}, ${key}, ${anything of vars} */
        bool is_inserted = (scope->item && strcmp(name->items[1], "item") == 0) ||
                           (scope->key && strcmp(name->items[1], "key") == 0);

        if (!is_inserted)
            return json_at(scope->vars, name, 1);
        root = name->items[position++];
    }
    if (strcmp(root, "params") == 0)
        values = scope->params;
    else if (strcmp(root, "vars") == 0)
        values = scope->vars;
    else if (strcmp(root, "item") == 0)
        values = scope->item;
    else if (strcmp(root, "key") == 0)
        values = scope->key;
    else if (strcmp(root, "matrix") == 0)
        values = scope->is_matrix ? scope->item : NULL;
    return json_at(values, name, position);
}

/* Files of values. */

static bool parse_file(ValueFiles *files, const char *path, const PlanBytes *file,
                       const JsonValue **json)
{
    const YamlNode *root;

    if (file->size > YAML_BYTES_MAX)
        return fail(files->error, ERROR_TOO_LARGE, "%s has more than %d bytes", path,
                    YAML_BYTES_MAX);
    if (text_has_suffix(path, ".json"))
        return json_parse(file->bytes, file->size, files->arena, json, files->error);
    return yaml_parse(file->bytes, file->size, files->arena, &root, files->error) &&
           yaml_to_json(root, files->arena, json, files->error);
}

static bool is_readable_kind(const char *path)
{
    return text_has_suffix(path, ".yaml") || text_has_suffix(path, ".yml") ||
           text_has_suffix(path, ".json");
}

bool value_file_read(ValueFiles *files, const char *path, const JsonValue **json)
{
    PlanBytes bytes;

    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].path, path) != 0)
            continue;
        *json = files->items[i].json;
        return true;
    }
    if (!is_readable_kind(path))
        return fail(files->error, ERROR_INVALID,
                    "values are read from YAML (.yaml, .yml) and JSON (.json), not from \"%s\"",
                    path);
    if (!files->source)
        return fail(files->error, ERROR_INVALID, "\"%s\" cannot be read here", path);
    if (!files->source->read(files->source->context, path, files->arena, &bytes, files->error))
        return false;
    if (!parse_file(files, path, &bytes, json))
        return fail_in(files->error, "%s", path);
    if (!json_is_object(*json))
        return fail(files->error, ERROR_INVALID, "%s is no map of values", path);
    *arena_push(files->arena, files) = (ValueFile){path, *json};
    return true;
}

/* Vars: maps and files, merged as DVC merges them. */

typedef struct MapList {
    JsonItem *items;
    size_t count;
} MapList;

static bool merge_maps(const MapList *maps, JsonWriter *json, Arena *arena, const char **twice);

static bool is_first(const MapList *maps, size_t position, const char *key)
{
    for (size_t i = 0; i < position; i++)
        if (json_member(maps->items[i].value, key))
            return false;
    return true;
}

/* The values of a key in all maps: one, or maps that are merged in turn. */
static bool merge_key(const MapList *maps, const char *key, JsonWriter *json, Arena *arena,
                      const char **twice)
{
    MapList values = {0};

    for (size_t i = 0; i < maps->count; i++) {
        const JsonValue *value = json_member(maps->items[i].value, key);

        if (!value)
            continue;
        arena_push(arena, &values)->value = value;
        if (values.count > 1 && !(json_is_object(value) && json_is_object(values.items[0].value))) {
            *twice = key;
            return false;
        }
    }
    if (values.count == 1) {
        json_raw(json, key, json_print(values.items[0].value, arena));
        return true;
    }
    json_open_object(json, key);
    if (!merge_maps(&values, json, arena, twice))
        return false;
    json_close(json);
    return true;
}

static bool merge_maps(const MapList *maps, JsonWriter *json, Arena *arena, const char **twice)
{
    for (size_t i = 0; i < maps->count; i++)
        for (JsonWalk walk = json_walk(maps->items[i].value); json_walk_next(&walk);)
            if (is_first(maps, i, walk.key) && !merge_key(maps, walk.key, json, arena, twice))
                return false;
    return true;
}

typedef struct VarsReader {
    ValueFiles *files;
    const char *folder;
    const YamlNode *node; /* being read */
    MapList maps;
    TextList whole; /* files that are all there */
} VarsReader;

static bool fail_vars(VarsReader *reader)
{
    return yaml_fail(reader->node, reader->files->arena, reader->files->error, "%s",
                     arena_text(reader->files->arena, reader->files->error->message));
}

static bool select_keys(VarsReader *reader, const JsonValue *map, const TextList *keys,
                        const JsonValue **selected)
{
    Arena *arena = reader->files->arena;
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    for (size_t i = 0; i < keys->count; i++) {
        const JsonValue *value = json_member(map, keys->items[i]);

        if (!value)
            return fail(reader->files->error, ERROR_INVALID, "there is no \"%s\" in it",
                        keys->items[i]);
        json_raw(json, keys->items[i], json_print(value, arena));
    }
    json_close(json);
    return json_parse(json_finish(json), json_size(json), arena, selected, reader->files->error);
}

/* "file", or "file:key,key". */
static bool add_file(VarsReader *reader, const char *text)
{
    Arena *arena = reader->files->arena;
    const char *colon = strchrnul(text, ':'), *path;
    TextList keys = text_split(*colon ? colon + 1 : "", ',', arena);
    const JsonValue *map;

    if (!path_settle(reader->folder, arena_copy(arena, text, (size_t)(colon - text)), arena, &path,
                     reader->files->error))
        return false;
    if (text_list_has(&reader->whole, path)) /* it may be named again; its keys are there */
        return keys.count == 0 || fail(reader->files->error, ERROR_INVALID,
                                       "all keys of \"%s\" are there already", path);
    if (!value_file_read(reader->files, path, &map) ||
        (keys.count && !select_keys(reader, map, &keys, &map)))
        return false;
    if (!keys.count)
        *arena_push(arena, &reader->whole) = path;
    arena_push(arena, &reader->maps)->value = map;
    return true;
}

static bool add_item(VarsReader *reader, const YamlNode *item)
{
    const JsonValue *map;

    reader->node = item;
    if (item->type == YAML_SCALAR)
        return add_file(reader, item->text) || fail_vars(reader);
    if (!yaml_to_json(item, reader->files->arena, &map, reader->files->error))
        return false;
    arena_push(reader->files->arena, &reader->maps)->value = map;
    return true;
}

static bool add_default(VarsReader *reader)
{
    const PlanSource *source = reader->files->source;

    if (!source || !source->exists(source->context, DEFAULT_PARAMS_FILE))
        return true;
    return add_file(reader, DEFAULT_PARAMS_FILE);
}

static bool finish_vars(VarsReader *reader, const JsonValue **vars)
{
    Arena *arena = reader->files->arena;
    JsonWriter *json;
    const char *twice;

    if (reader->maps.count == 1) {
        *vars = reader->maps.items[0].value;
        return true;
    }
    json = json_writer_create(arena);
    json_open_object(json, NULL);
    if (!merge_maps(&reader->maps, json, arena, &twice)) {
        if (reader->node)
            return yaml_fail(reader->node, arena, reader->files->error,
                             "\"%s\" is in vars twice, with two values", twice);
        return fail(reader->files->error, ERROR_INVALID, "\"%s\" is in vars twice", twice);
    }
    json_close(json);
    return json_parse(json_finish(json), json_size(json), arena, vars, reader->files->error);
}

bool vars_read(ValueFiles *files, const VarsSpec *spec, const JsonValue **vars)
{
    VarsReader reader = {.files = files, .folder = spec->folder};

    if (spec->before)
        arena_push(files->arena, &reader.maps)->value = spec->before;
    if (spec->has_default && !add_default(&reader))
        return false;
    for (const YamlNode *item = field_first(spec->node); item; item = field_next(spec->node, item))
        if (!add_item(&reader, item))
            return false;
    return finish_vars(&reader, vars);
}

bool vars_check(const PipelineReader *reader, const YamlNode *node, bool *has_files)
{
    for (const YamlNode *item = field_first(node); item; item = field_next(node, item)) {
        if (item->type == YAML_LIST || yaml_is_null(item))
            return fail_node(reader, item,
                             "an item of \"%s\" is a map of values, or a file of them",
                             yaml_path(node, reader->fields.arena));
        *has_files |= item->type == YAML_SCALAR;
    }
    return true;
}
