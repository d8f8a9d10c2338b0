#include "transfer/local_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

/* Of ".../3/<run>/artifacts" the last three parts; of a logged model ".../3/models/<id>/artifacts"
 * the last four. An experiment whose folder has a name of its own is found without its part. */
enum { RUN_PARTS = 3, MODEL_PARTS = 4 };

static bool is_local(const char *uri)
{
    const char *colon = strstr(uri, ":");

    return !colon || strchr(uri, '/') < colon || text_has_prefix(uri, "file:") ||
           text_has_prefix(uri, "mlflow-artifacts:");
}

/* Its last parts, joined; NULL: there are not so many, or they are not plain. */
static const char *tail_of(const char *uri, size_t count, Arena *arena)
{
    TextList parts = text_split(uri, '/', arena);
    TextBuilder tail = {.arena = arena};

    while (parts.count && !*parts.items[parts.count - 1])
        parts.count--;
    if (parts.count < count)
        return NULL;
    for (size_t i = parts.count - count; i < parts.count; i++)
        text_append_format(&tail, "%s%s", tail.count ? "/" : "", parts.items[i]);
    return path_is_inside(text_built(&tail)) ? text_built(&tail) : NULL;
}

/* A folder below another, none of the steps to it being a link. */
static bool is_folder_inside(const char *root, const char *path, Arena *arena)
{
    TextList parts = text_split(path, '/', arena);
    const char *at = root;
    struct stat found;

    for (size_t i = 0; i < parts.count; i++) {
        at = arena_format(arena, "%s/%s", at, parts.items[i]);
        if (lstat(at, &found) != 0 || !S_ISDIR(found.st_mode))
            return false;
    }
    return true;
}

static const char *find_folder(const char *root, const TransferFiles *files, Arena *arena)
{
    size_t parts = files->model_id ? MODEL_PARTS : RUN_PARTS;

    for (size_t count = parts; count >= parts - 1; count--) {
        const char *tail = tail_of(files->uri, count, arena);

        if (tail && is_folder_inside(root, tail, arena))
            return arena_format(arena, "%s/%s", root, tail);
    }
    return NULL;
}

/* Whether the source's own path leads to files that are out of reach: it is looked at, not into. */
static bool is_outside(const char *uri)
{
    const char *path = text_has_prefix(uri, "file://") ? uri + strlen("file://") : uri;
    struct stat found;

    return *path == '/' && lstat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

bool local_files_list(const char *root, Arena *arena, TransferFiles *files, Error *error)
{
    const char *folder;
    TextList paths = {0};

    if (!files->uri || !*files->uri)
        return true;
    if (!is_local(files->uri)) {
        files->elsewhere = "another store has them";
        return true;
    }
    if (!root) {
        files->elsewhere = "no folder with files is there; --artifacts names one";
        return true;
    }
    folder = find_folder(root, files, arena);
    if (!folder) {
        if (is_outside(files->uri))
            files->elsewhere = "they are outside of the folder with files; --artifacts names one";
        return true;
    }
    if (!folder_walk(folder, arena, &paths, error))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        TransferFile file = {.path = paths.items[i],
                             .place = arena_format(arena, "%s/%s", folder, paths.items[i])};

        if (!file_size(file.place, &file.size, error))
            return false;
        *arena_push(arena, files) = file;
    }
    return true;
}
