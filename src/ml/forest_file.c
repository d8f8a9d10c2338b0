/* The section of a forest in a model's file. All numbers are little-endian:
 *
 *     u64      version: 1
 *     u64      features, groups, trees, nodes
 *     doubles  the base of each group
 *     u32      the place of each tree's root, and a 0 when they are odd
 *     nodes    16 bytes each: forest_internal.h
 *
 * All of it is checked before it is used, and walked where it lies. */
#include "ml/forest_internal.h"

enum { VERSION = 1, TREES_MAX = FOREST_NODES_MAX };

_Static_assert(sizeof(ForestNode) == 16, "nodes are written as they lie in memory");

void forest_write(const Forest *forest, ByteWriter *writer)
{
    write_u64(writer, VERSION);
    write_u64(writer, forest->feature_count);
    write_u64(writer, forest->group_count);
    write_u64(writer, forest->tree_count);
    write_u64(writer, forest->node_count);
    write_items(writer, forest->base, forest->group_count, sizeof(*forest->base));
    write_items(writer, forest->roots, forest->tree_count, sizeof(*forest->roots));
    if (forest->tree_count % 2)
        write_u32(writer, 0);
    write_items(writer, forest->nodes, forest->node_count, sizeof(*forest->nodes));
}

/* Items of multiples of four bytes: where they lie, or a copy of them. */
static const void *take_items(ByteReader *reader, size_t count, size_t item_bytes, Arena *arena)
{
    const char *items = reader->bytes + reader->at;

    if (reader->is_bad || count > (reader->size - reader->at) / item_bytes) {
        reader->is_bad = true;
        return NULL;
    }
    reader->at += count * item_bytes;
    return (uintptr_t)items % sizeof(uint32_t) == 0 ? items
                                                    : arena_copy(arena, items, count * item_bytes);
}

void forest_read(ByteReader *reader, Arena *arena, Forest *forest)
{
    Forest found = {0};
    Error error;

    reader->is_bad |= read_u64(reader) != VERSION;
    found.feature_count = read_u64(reader);
    found.group_count = read_count(reader, sizeof(double), FOREST_GROUPS_MAX);
    found.tree_count = read_count(reader, sizeof(uint32_t) + sizeof(ForestNode), TREES_MAX);
    found.node_count = read_count(reader, sizeof(ForestNode), FOREST_NODES_MAX);
    reader->is_bad |= found.feature_count > FOREST_FEATURES_MAX || found.group_count == 0;
    found.base = read_doubles(reader, found.group_count, arena);
    found.roots = take_items(reader, found.tree_count, sizeof(*found.roots), arena);
    if (found.tree_count % 2)
        reader->is_bad |= read_u32(reader) != 0;
    found.nodes = take_items(reader, found.node_count, sizeof(*found.nodes), arena);
    if (!reader->is_bad && forest_complete(&found, arena, &error))
        *forest = found;
    else
        reader->is_bad = true;
}
