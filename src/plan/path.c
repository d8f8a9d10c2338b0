#include "plan/path.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "plan/pipeline_file.h"

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

static bool check_path(const char *path, Error *error)
{
    if (!*path)
        return fail(error, ERROR_INVALID, "a path is not empty");
    if (strlen(path) > PIPELINE_PATH_MAX || has_control(path))
        return fail(error, ERROR_INVALID, "a path has at most %d bytes and no control characters",
                    PIPELINE_PATH_MAX);
    if (strstr(path, "://"))
        return fail(error, ERROR_INVALID,
                    "\"%s\" is outside of the project: register it as a data set", path);
    if (*path == '/')
        return fail(error, ERROR_INVALID,
                    "\"%s\" is absolute: a path starts at the project's folder", path);
    return true;
}

/* Adds the parts of path; false when ".." leaves the top. */
static bool add_parts(TextList *parts, const char *path, Arena *arena)
{
    TextList added = text_split(path, '/', arena);

    for (size_t i = 0; i < added.count; i++) {
        const char *part = added.items[i];

        if (!*part || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") != 0)
            *arena_push(arena, parts) = part;
        else if (parts->count)
            parts->count--;
        else
            return false;
    }
    return true;
}

bool path_settle(const char *folder, const char *path, Arena *arena, const char **settled,
                 Error *error)
{
    TextBuilder joined = {.arena = arena};
    TextList parts = {0};

    if (!check_path(path, error))
        return false;
    if (!add_parts(&parts, folder, arena) || !add_parts(&parts, path, arena))
        return fail(error, ERROR_INVALID, "\"%s\" leaves the project's folder", path);
    for (size_t i = 0; i < parts.count; i++) {
        text_append(&joined, i ? "/" : "");
        text_append(&joined, parts.items[i]);
    }
    *settled = parts.count ? text_built(&joined) : ".";
    return true;
}

/* "/" before all others. */
static int rank(char byte)
{
    if (byte == '/')
        return 1;
    return byte ? (int)(unsigned char)byte + 1 : 0;
}

int path_compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return rank(*a) - rank(*b);
}

bool path_is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
