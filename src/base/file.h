/* file.h: files and folders. Paths are joined with arena_format("%s/%s"). */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* The whole file, with a NUL behind it. Over size_max bytes is an error. */
bool file_read(const char *path, size_t size_max, Arena *arena, const char **bytes, size_t *size,
               Error *error) MUST_CHECK;

/* A file where it lies: read from the disk as it is looked at, and shared by all who map it. It
 * must not be cut meanwhile: looking behind its new end ends the program. */
typedef struct FileMap {
    const char *bytes; /* at the beginning of a page; NULL: nothing is mapped, or an empty file */
    size_t size;
} FileMap;

/* For reading alone. Over size_max bytes is an error. */
bool file_map(const char *path, size_t size_max, FileMap *map, Error *error) MUST_CHECK;
void file_unmap(FileMap *map); /* for CLEANUP too */

/* All or nothing: written beside the target, flushed to the disk, then renamed over it. */
bool file_write(const char *path, const char *bytes, size_t size, Error *error) MUST_CHECK;

/* All of it to what is open already, however the system cuts it; false: errno says why. */
bool descriptor_write(int descriptor, const char *bytes, size_t size) MUST_CHECK;

/* Copies through the same way; target and source may be on different file systems. */
bool file_copy(const char *source, const char *target, Error *error) MUST_CHECK;

/* A new file of the bytes of the others, one behind the other; not flushed, and left as it is when
 * that fails. */
bool file_join(const TextList *sources, const char *target, Error *error) MUST_CHECK;

/* A new file of these bytes; the same goes for it. */
bool file_make(const char *path, const char *bytes, size_t size, Error *error) MUST_CHECK;

/* Has the system begin to write the file to the disk, without waiting: to flush it then takes less
 * long. */
void file_begin_flush(const char *path);
void descriptor_begin_flush(int descriptor);

/* Flushes a finished file and renames it to target; for a caller who flushes target's folder once
 * for several. */
bool file_move(const char *source, const char *target, Error *error) MUST_CHECK;

/* The same, and flushes the folder. */
bool file_move_durably(const char *source, const char *target, Error *error) MUST_CHECK;

/* Flushes the entries of a folder. */
bool folder_flush(const char *path, Error *error) MUST_CHECK;

bool file_exists(const char *path);
bool folder_exists(const char *path);
bool file_size(const char *path, int64_t *size, Error *error) MUST_CHECK;

/* With its parents, for the owner alone; fine if it exists. */
bool folder_make(const char *path, Error *error) MUST_CHECK;

/* The names in a folder, sorted by bytes, without "." and "..". */
bool folder_list(const char *path, Arena *arena, TextList *names, Error *error) MUST_CHECK;

/* All regular files below a folder as paths relative to it, sorted by bytes. */
bool folder_walk(const char *path, Arena *arena, TextList *paths, Error *error) MUST_CHECK;

/* Removes a folder and everything in it, following no link; a missing one is fine. */
bool folder_remove(const char *path, Error *error) MUST_CHECK;

/* A new empty folder below parent with a random name. */
bool folder_make_temporary(const char *parent, Arena *arena, const char **path,
                           Error *error) MUST_CHECK;

const char *path_name(const char *path);                 /* what is behind the last "/" */
const char *path_folder(const char *path, Arena *arena); /* what is before it, or "." */

/* A relative path of plain parts: no "..", no empty part, not absolute. */
bool path_is_inside(const char *path);
void file_close(int *descriptor); /* for CLEANUP */
