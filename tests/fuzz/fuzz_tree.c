/* fuzz_tree.c: any bytes as the listing of a tree are refused with a message, or every path in it
 * stays inside its folder and every digest is one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/artifact.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tree tree = {0};
    Error error = {0};

    if (!tree_parse(arena_copy(arena, (const char *)bytes, size), size, arena, &tree, &error)) {
        require(error.kind && error.message[0] && !tree.count);
        return;
    }
    for (size_t i = 0; i < tree.count; i++) {
        require(path_is_inside(tree.items[i].path) && !strchr(tree.items[i].path, '\n'));
        require(digest_is_valid(tree.items[i].digest) && tree.items[i].size >= 0);
        require(tree_find(&tree, tree.items[i].path) == &tree.items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size);
    return 0;
}
