/* path.h: paths of a project as its pipeline names them. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* The path that starts at folder (plain, or ".") as one that starts at the top: plain parts without
 * "." or "..", no "/" at the end; "." for the top itself. ERROR_INVALID on what is absolute, a URL,
 * or leaves the project. */
bool path_settle(const char *folder, const char *path, Arena *arena, const char **settled,
                 Error *error) MUST_CHECK;

/* By parts: what is inside a folder stands right behind it. */
int path_compare(const char *a, const char *b);

/* Whether path is the folder or inside it. */
bool path_is_below(const char *path, const char *folder);
