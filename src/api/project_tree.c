#include "api/project_tree.h"

#include <string.h>

#include "base/file.h"

typedef struct FileBody {
    const char *path, *digest;
} FileBody;

static const JsonField file_fields[] = {
    {"path", JSON_TEXT, offsetof(FileBody, path), JSON_REQUIRED, NULL},
    {"digest", JSON_TEXT, offsetof(FileBody, digest), JSON_REQUIRED, NULL},
    {0},
};

static bool read_file(Scope *scope, const JsonValue *item, Tree *tree)
{
    TreeEntry entry = {0};
    FileBody file = {0};

    if (!json_read_value(item, file_fields, &file, scope->arena, &scope->error))
        return false;
    if (!digest_is_valid(file.digest))
        return fail_field(&scope->error, "digest", "a digest has 64 lowercase hexadecimal digits");
    entry.path = file.path;
    memcpy(entry.digest, file.digest, sizeof(entry.digest));
    if (!artifact_exists(scope->platform->artifacts, entry.digest))
        return fail(&scope->error, ERROR_NOT_FOUND, "artifact %.12s (\"%s\") is not in the store",
                    entry.digest, entry.path);
    *arena_push(scope->arena, tree) = entry;
    return file_size(artifact_path(scope->platform->artifacts, entry.digest, scope->arena),
                     &tree->items[tree->count - 1].size, &scope->error);
}

bool project_tree_read(Scope *scope, const JsonValue *files, Tree *tree)
{
    for (JsonWalk walk = json_walk(files); json_walk_next(&walk);)
        if (!read_file(scope, walk.value, tree))
            return false;
    return true;
}
