#include "registry/flavor.h"

#include <string.h>

#include "base/yaml.h"

/* What MLflow adds to most of its kinds: any of them, called from Python. */
#define FLAVOR_OF_ALL "python_function"

static bool read_mlmodel(const ArtifactStore *store, const Tree *tree, Arena *arena,
                         const YamlNode **root, Error *error)
{
    const TreeEntry *entry = tree_find(tree, "MLmodel");
    const char *bytes;
    size_t size;

    if (!entry)
        return fail(error, ERROR_INVALID, "there is no file \"MLmodel\"");
    if (!artifact_read(store, entry->digest, YAML_BYTES_MAX, arena, &bytes, &size, error) ||
        !yaml_parse(bytes, size, arena, root, error))
        return fail_in(error, "MLmodel");
    return true;
}

bool flavors_read(const ArtifactStore *store, const Tree *tree, Arena *arena, TextList *flavors,
                  Error *error)
{
    TextList found = {0};
    const YamlNode *root, *map;

    if (!read_mlmodel(store, tree, arena, &root, error))
        return false;
    map = yaml_member(root, "flavors");
    if (!map || map->type != YAML_MAP || !map->count)
        return fail(error, ERROR_INVALID, "MLmodel: it lists no \"flavors\", as MLflow's do");
    for (const YamlNode *node = map->first; node; node = node->next)
        text_list_add(&found, arena, node->key);
    *flavors = found;
    return true;
}

/* A JSON document in a text, in YAML. */
const JsonValue *flavors_read_inputs(const ArtifactStore *store, const Tree *tree, Arena *arena)
{
    const YamlNode *root, *inputs;
    const JsonValue *value;
    Error ignored = {0};

    if (!read_mlmodel(store, tree, arena, &root, &ignored))
        return NULL;
    inputs = yaml_member(yaml_member(root, "signature"), "inputs");
    if (!inputs || !inputs->text ||
        !json_parse(inputs->text, strlen(inputs->text), arena, &value, &ignored))
        return NULL;
    return json_is_array(value) ? value : NULL;
}

const char *flavors_refusal(const TextList *flavors, Arena *arena)
{
    TextBuilder names = {.arena = arena};

    if (text_list_has(flavors, FLAVOR_OWN))
        return NULL;
    for (size_t i = 0; i < flavors->count; i++)
        if (strcmp(flavors->items[i], FLAVOR_OF_ALL) != 0)
            text_append_format(&names, "%s%.64s", names.count ? ", " : "", flavors->items[i]);
    return arena_format(arena,
                        "a model of kind %s is kept and handed out, but not served: Slipway serves "
                        "those of its own kind, \"" FLAVOR_OWN "\"",
                        names.count ? text_built(&names) : FLAVOR_OF_ALL);
}
