#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/id.h"

enum { COPY_BYTES = 65536 };

void file_close(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

static bool read_all(int descriptor, char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(descriptor, bytes + done, size - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO; /* it became shorter meanwhile */
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool descriptor_write(int descriptor, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = write(descriptor, bytes + done, size - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

static bool open_to_read(const char *path, size_t size_max, int *descriptor, size_t *size,
                         Error *error)
{
    struct stat status;

    *descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (*descriptor < 0 || fstat(*descriptor, &status) != 0)
        return fail_errno(error, "open", path);
    if (!S_ISREG(status.st_mode))
        return fail(error, ERROR_INVALID, "\"%s\" is not a file", path);
    if ((uint64_t)status.st_size > size_max)
        return fail(error, ERROR_TOO_LARGE, "\"%s\" has %lld bytes, at most %zu are allowed", path,
                    (long long)status.st_size, size_max);
    *size = (size_t)status.st_size;
    return true;
}

bool file_read(const char *path, size_t size_max, Arena *arena, const char **bytes, size_t *size,
               Error *error)
{
    CLEANUP(file_close) int descriptor = -1;
    char *read_bytes;
    size_t file_bytes;

    if (!open_to_read(path, size_max, &descriptor, &file_bytes, error))
        return false;
    read_bytes = arena_alloc(arena, file_bytes + 1, 1);
    if (!read_all(descriptor, read_bytes, file_bytes))
        return fail_errno(error, "read", path);
    *bytes = read_bytes;
    *size = file_bytes;
    return true;
}

bool file_map(const char *path, size_t size_max, FileMap *map, Error *error)
{
    CLEANUP(file_close) int descriptor = -1;
    FileMap mapped = {0};

    if (!open_to_read(path, size_max, &descriptor, &mapped.size, error))
        return false;
    if (mapped.size) { /* nothing cannot be mapped */
        void *bytes = mmap(NULL, mapped.size, PROT_READ, MAP_SHARED, descriptor, 0);

        if (bytes == MAP_FAILED)
            return fail_errno(error, "map", path);
        mapped.bytes = bytes;
    }
    *map = mapped;
    return true;
}

void file_unmap(FileMap *map)
{
    if (map->bytes)
        munmap((void *)(uintptr_t)map->bytes, map->size);
    *map = (FileMap){0};
}

bool folder_flush(const char *path, Error *error)
{
    CLEANUP(file_close) int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (descriptor >= 0 && fsync(descriptor) == 0) || fail_errno(error, "flush", path);
}

static bool flush_folder_of(const char *path, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return folder_flush(path_folder(path, arena), error);
}

static const char *name_beside(const char *path, Arena *arena)
{
    char id[ID_TEXT_SIZE];

    return arena_format(arena, "%s.%s.partial", path, id_random(id));
}

static bool rename_flushed(const char *source, const char *target, Error *error)
{
    CRASH_POINT("file: flushed, not renamed");
    if (rename(source, target) != 0)
        return fail_errno(error, "rename to", target);
    CRASH_POINT("file: renamed, folder not flushed");
    return true;
}

static bool rename_durably(const char *source, const char *target, Error *error)
{
    return rename_flushed(source, target, error) && flush_folder_of(target, error);
}

bool file_write(const char *path, const char *bytes, size_t size, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *partial = name_beside(path, arena);
    CLEANUP(file_close)
    int descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (descriptor < 0)
        return fail_errno(error, "create", partial);
    CRASH_POINT("file: made, empty");
    if (descriptor_write(descriptor, bytes, size) && fsync(descriptor) == 0) {
        if (rename_durably(partial, path, error))
            return true;
    } else
        fail_errno(error, "write", path);
    unlink(partial); /* gone already if only flushing its folder failed */
    return false;
}

static bool copy_bytes(int source, int target)
{
    char buffer[COPY_BYTES];

    for (;;) {
        ssize_t got = read(source, buffer, sizeof(buffer));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        if (!descriptor_write(target, buffer, (size_t)got))
            return false;
        CRASH_POINT("file: part of a copy written");
    }
}

bool file_copy(const char *source, const char *target, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *partial = name_beside(target, arena);
    CLEANUP(file_close) int from = open(source, O_RDONLY | O_CLOEXEC);
    CLEANUP(file_close) int into = -1;

    if (from < 0)
        return fail_errno(error, "open", source);
    into = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (into < 0)
        return fail_errno(error, "create", partial);
    if (copy_bytes(from, into) && fsync(into) == 0) {
        if (rename_durably(partial, target, error))
            return true;
    } else
        fail_errno(error, "copy to", target);
    unlink(partial);
    return false;
}

static bool append_file(const char *source, int into, const char *target, Error *error)
{
    CLEANUP(file_close) int from = open(source, O_RDONLY | O_CLOEXEC);

    if (from < 0)
        return fail_errno(error, "open", source);
    return copy_bytes(from, into) || fail_errno(error, "write", target);
}

bool file_join(const TextList *sources, const char *target, Error *error)
{
    CLEANUP(file_close)
    int into = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (into < 0)
        return fail_errno(error, "create", target);
    for (size_t i = 0; i < sources->count; i++)
        if (!append_file(sources->items[i], into, target, error))
            return false;
    return true;
}

bool file_make(const char *path, const char *bytes, size_t size, Error *error)
{
    CLEANUP(file_close)
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (descriptor < 0)
        return fail_errno(error, "create", path);
    return descriptor_write(descriptor, bytes, size) || fail_errno(error, "write", path);
}

void descriptor_begin_flush(int descriptor)
{
    sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void file_begin_flush(const char *path)
{
    CLEANUP(file_close) int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor >= 0)
        descriptor_begin_flush(descriptor);
}

bool file_move(const char *source, const char *target, Error *error)
{
    CLEANUP(file_close) int descriptor = open(source, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0 || fsync(descriptor) != 0)
        return fail_errno(error, "flush", source);
    return rename_flushed(source, target, error);
}

bool file_move_durably(const char *source, const char *target, Error *error)
{
    return file_move(source, target, error) && flush_folder_of(target, error);
}

static bool has_type(const char *path, mode_t type)
{
    struct stat status;

    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

bool file_exists(const char *path)
{
    return has_type(path, S_IFREG);
}

bool folder_exists(const char *path)
{
    return has_type(path, S_IFDIR);
}

bool file_size(const char *path, int64_t *size, Error *error)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return fail_errno(error, "read the size of", path);
    *size = status.st_size;
    return true;
}

bool folder_make(const char *path, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *part = arena_text(arena, path);

    for (char *slash = strchr(part + (*part == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return fail_errno(error, "create folder", part);
        *slash = '/';
    }
    if (mkdir(part, 0700) == 0 || (errno == EEXIST && folder_exists(path)))
        return true;
    return fail_errno(error, "create folder", path);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_names(TextList *names)
{
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
}

bool folder_list(const char *path, Arena *arena, TextList *names, Error *error)
{
    DIR *folder = opendir(path);
    TextList found = {0};

    if (!folder)
        return fail_errno(error, "open folder", path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            text_list_add(&found, arena, entry->d_name);
    closedir(folder);
    sort_names(&found);
    *names = found;
    return true;
}

static bool walk_into(const char *root, const char *inside, Arena *arena, TextList *paths,
                      Error *error)
{
    const char *folder = *inside ? arena_format(arena, "%s/%s", root, inside) : root;
    TextList names;

    if (!folder_list(folder, arena, &names, error))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *relative =
            *inside ? arena_format(arena, "%s/%s", inside, names.items[i]) : names.items[i];
        struct stat status;

        if (lstat(arena_format(arena, "%s/%s", root, relative), &status) != 0)
            return fail_errno(error, "read", relative);
        if (S_ISDIR(status.st_mode) && !walk_into(root, relative, arena, paths, error))
            return false;
        if (S_ISREG(status.st_mode))
            *arena_push(arena, paths) = relative;
    }
    return true;
}

bool folder_walk(const char *path, Arena *arena, TextList *paths, Error *error)
{
    TextList found = {0};

    if (!walk_into(path, "", arena, &found, error))
        return false;
    sort_names(&found);
    *paths = found;
    return true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

bool folder_remove(const char *path, Error *error)
{
    enum { OPEN_FOLDERS_MAX = 16 };

    if (nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return true;
    return fail_errno(error, "remove", path);
}

bool folder_make_temporary(const char *parent, Arena *arena, const char **path, Error *error)
{
    char id[ID_TEXT_SIZE];
    const char *made = arena_format(arena, "%s/%s", parent, id_random(id));

    if (!folder_make(made, error))
        return false;
    *path = made;
    return true;
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *path_folder(const char *path, Arena *arena)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : arena_copy(arena, path, (size_t)(slash - path));
}

bool path_is_inside(const char *path)
{
    if (!*path || *path == '/')
        return false;
    for (const char *part = path; part;) {
        size_t length = strcspn(part, "/");

        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part = part[length] ? part + length + 1 : NULL;
    }
    return true;
}
