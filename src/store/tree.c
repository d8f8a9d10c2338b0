/* tree.c: named lists of blobs. The listing is one line a file: digest, size, path. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "store/artifact.h"

static const char listing_head[] = "slipway-tree 1\n";

enum { LISTING_BYTES_MAX = 64 * 1024 * 1024 };

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const TreeEntry *)a)->path, ((const TreeEntry *)b)->path);
}

/* A line of the listing holds it, and so does a folder that a tree is written to. */
static bool path_is_allowed(const char *path)
{
    return path_is_inside(path) && !strpbrk(path, "\n\r");
}

static bool claim_entry(ArtifactStore *store, const TreeEntry *entry, Error *error)
{
    if (artifact_claim(store, entry->digest, error))
        return true;
    if (error->kind != ERROR_NOT_FOUND)
        return false;
    return fail(error, ERROR_NOT_FOUND, "artifact %.12s (\"%s\") is not in the store",
                entry->digest, entry->path);
}

bool tree_claim(ArtifactStore *store, const Tree *tree, Error *error)
{
    for (size_t i = 0; i < tree->count; i++)
        if (!claim_entry(store, &tree->items[i], error))
            return false;
    return true;
}

static bool check_entry(ArtifactStore *store, const Tree *tree, size_t i, Error *error)
{
    const TreeEntry *entry = &tree->items[i];

    if (!path_is_allowed(entry->path))
        return fail(error, ERROR_INVALID, "\"%s\" is not a relative path of plain parts",
                    entry->path);
    if (i && strcmp(tree->items[i - 1].path, entry->path) == 0)
        return fail(error, ERROR_INVALID, "\"%s\" is listed twice", entry->path);
    return claim_entry(store, entry, error);
}

bool tree_add(ArtifactStore *store, Tree *tree, Arena *arena, Artifact *artifact, Error *error)
{
    TextBuilder listing = {.arena = arena};

    if (tree->count)
        qsort(tree->items, tree->count, sizeof(*tree->items), compare_paths);
    text_append(&listing, listing_head);
    for (size_t i = 0; i < tree->count; i++) {
        const TreeEntry *entry = &tree->items[i];

        if (!check_entry(store, tree, i, error))
            return false;
        text_append_format(&listing, "%s %lld %s\n", entry->digest, (long long)entry->size,
                           entry->path);
    }
    return artifact_add_bytes(store, text_built(&listing), listing.count, artifact, error);
}

bool tree_add_folder(ArtifactStore *store, const char *folder, Arena *arena, Artifact *tree,
                     Error *error)
{
    TextList paths, files = {0};
    Tree listing = {0};
    Artifact *added;

    if (!folder_walk(folder, arena, &paths, error))
        return false;
    for (size_t i = 0; i < paths.count; i++)
        text_list_add(&files, arena, arena_format(arena, "%s/%s", folder, paths.items[i]));
    added = arena_array(arena, Artifact, paths.count + 1);
    if (!artifact_add_files(store, &files, added, error))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        TreeEntry *entry = arena_push(arena, &listing);

        entry->path = paths.items[i];
        entry->size = added[i].size;
        memcpy(entry->digest, added[i].digest, sizeof(entry->digest));
    }
    return tree_add(store, &listing, arena, tree, error);
}

/* "DIGEST SIZE PATH"; a path may begin with a space. */
static bool read_line(char *line, TreeEntry *entry)
{
    char *size = line + DIGEST_TEXT_SIZE;
    char *path;

    if (strlen(line) < DIGEST_TEXT_SIZE || size[-1] != ' ')
        return false;
    path = strchr(size, ' ');
    if (!path)
        return false;
    memcpy(entry->digest, line, DIGEST_TEXT_SIZE - 1);
    *path = '\0';
    entry->path = path + 1;
    return digest_is_valid(entry->digest) && isdigit((unsigned char)*size) &&
           text_to_int(size, &entry->size) && path_is_allowed(entry->path);
}

bool tree_parse(const char *bytes, size_t size, Arena *arena, Tree *tree, Error *error)
{
    size_t head = strlen(listing_head);
    Tree found = {0};
    TextList lines;

    if (!text_has_prefix(bytes, listing_head))
        return fail(error, ERROR_INVALID, "it is a file, not a tree");
    if (strlen(bytes) != size || bytes[size - 1] != '\n')
        return fail(error, ERROR_INVALID, "the tree does not end with a whole line");
    lines = text_split(bytes + head, '\n', arena);
    for (size_t i = 0; i < lines.count; i++) {
        TreeEntry *entry = arena_push(arena, &found);

        if (!read_line(arena_text(arena, lines.items[i]), entry))
            return fail(error, ERROR_INVALID, "line %zu of the tree is malformed", i + 2);
        if (i && strcmp(entry[-1].path, entry->path) >= 0)
            return fail(error, ERROR_INVALID, "line %zu of the tree is out of order", i + 2);
    }
    *tree = found;
    return true;
}

bool tree_read(const ArtifactStore *store, const char *digest, Arena *arena, Tree *tree,
               Error *error)
{
    const char *bytes;
    size_t size;

    if (!artifact_read(store, digest, LISTING_BYTES_MAX, arena, &bytes, &size, error))
        return false;
    return tree_parse(bytes, size, arena, tree, error) || fail_in(error, "artifact %.12s", digest);
}

bool tree_check(const ArtifactStore *store, const Tree *tree, Error *error)
{
    for (size_t i = 0; i < tree->count; i++) {
        const TreeEntry *entry = &tree->items[i];
        Artifact file = {.size = entry->size};

        memcpy(file.digest, entry->digest, sizeof(file.digest));
        if (!artifact_check(store, &file, error))
            return fail_in(error, "file \"%s\"", entry->path);
    }
    return true;
}

const TreeEntry *tree_find(const Tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(tree->items[i].path, path) == 0)
            return &tree->items[i];
    return NULL;
}

static bool extract_entry(const ArtifactStore *store, const TreeEntry *entry, const char *folder,
                          Arena *arena, Error *error)
{
    const char *target = arena_format(arena, "%s/%s", folder, entry->path);
    char actual[DIGEST_TEXT_SIZE];

    if (!folder_make(path_folder(target, arena), error) ||
        !file_copy(artifact_path(store, entry->digest, arena), target, error) ||
        !digest_file(target, actual, error))
        return false;
    if (strcmp(actual, entry->digest) == 0)
        return true;
    unlink(target);
    return fail(error, ERROR_INTERNAL, "\"%s\" is damaged: its bytes have digest %.12s",
                entry->path, actual);
}

bool tree_extract(const ArtifactStore *store, const char *digest, const char *folder, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tree tree;

    if (!tree_read(store, digest, arena, &tree, error))
        return false;
    for (size_t i = 0; i < tree.count; i++)
        if (!extract_entry(store, &tree.items[i], folder, arena, error))
            return false;
    return true;
}
