/* fuzz_yaml.c: any bytes are refused with a message or become a tree whose shape is whole, and
 * which can be written as JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

typedef struct Target {
    const char *text;
    int64_t integer;
    double number;
    bool truth;
    TextList list;
    const YamlNode *map, *any;
} Target;

static const YamlField target_fields[] = {
    {"text", YAML_FIELD_TEXT, offsetof(Target, text), JSON_REQUIRED},
    {"integer", YAML_FIELD_INT, offsetof(Target, integer), JSON_OPTIONAL},
    {"number", YAML_FIELD_NUMBER, offsetof(Target, number), JSON_OPTIONAL},
    {"truth", YAML_FIELD_BOOL, offsetof(Target, truth), JSON_OPTIONAL},
    {"list", YAML_FIELD_TEXT_LIST, offsetof(Target, list), JSON_OPTIONAL},
    {"map", YAML_FIELD_MAP, offsetof(Target, map), JSON_OPTIONAL},
    {"any", YAML_FIELD_ANY, offsetof(Target, any), JSON_OPTIONAL},
    {0},
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Depth-first without recursion would need a stack; the parser promises that it is not deep. */
static void check_node(const YamlNode *node, size_t depth)
{
    size_t count = 0;

    require(depth <= YAML_DEPTH_MAX + 1 && node->line >= 1 && node->column >= 1);
    require((node->type == YAML_SCALAR) == (node->text != NULL));
    for (const YamlNode *child = node->first; child; child = child->next, count++) {
        require((node->type == YAML_MAP) == (child->key != NULL));
        require(node->type != YAML_MAP || yaml_member(node, child->key) == child);
        check_node(child, depth + 1);
    }
    require(count == node->count);
}

static void check_json(const YamlNode *root, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    const JsonValue *value;
    Error error = {0};

    yaml_write_json(json, NULL, root);
    require(json_parse(json_finish(json), json_size(json), arena, &value, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const YamlNode *root = NULL;
    Target target = {0};
    Error error = {0};

    if (!yaml_parse((const char *)data, size, arena, &root, &error)) {
        require(error.kind && error.message[0]);
        return 0;
    }
    check_node(root, 0);
    check_json(root, arena);
    if (yaml_read(root, target_fields, &target, arena, &error))
        require(target.text != NULL);
    else
        require(error.kind && error.message[0]);
    return 0;
}
