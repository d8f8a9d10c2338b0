#include "registry/flavor.h"

#include <string.h>

#include "base/yaml.h"

/* What MLflow adds to most of its kinds: any of them, called from Python. */
#define FLAVOR_OF_ALL "python_function"

bool flavors_read(const ArtifactStore *store, const Tree *tree, Arena *arena, TextList *flavors,
                  Error *error)
{
    const TreeEntry *entry = tree_find(tree, "MLmodel");
    TextList found = {0};
    const YamlNode *root, *map;
    const char *bytes;
    size_t size;

    if (!entry)
        return fail(error, ERROR_INVALID, "there is no file \"MLmodel\"");
    if (!artifact_read(store, entry->digest, YAML_BYTES_MAX, arena, &bytes, &size, error) ||
        !yaml_parse(bytes, size, arena, &root, error))
        return fail_in(error, "MLmodel");
    map = yaml_member(root, "flavors");
    if (!map || map->type != YAML_MAP || !map->count)
        return fail(error, ERROR_INVALID, "MLmodel: it lists no \"flavors\", as MLflow's do");
    for (const YamlNode *node = map->first; node; node = node->next)
        text_list_add(&found, arena, node->key);
    *flavors = found;
    return true;
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
