/* fuzz_archive.c: any bytes as a zip or tar are refused as a whole, or unpack to the files they
 * list, within the limits and inside the folder. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "net/archive.h"

enum { FILE_COUNT_MAX = 20, BYTES_MAX = 256 * 1024 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_unpacked(const ArchiveEntryList *entries, const char *folder, Arena *arena)
{
    uint64_t bytes = 0;

    require(entries->count > 0 && entries->count <= FILE_COUNT_MAX);
    for (size_t i = 0; i < entries->count; i++) {
        const char *path = arena_format(arena, "%s/%s", folder, entries->items[i].path);
        Error error = {0};
        int64_t size;

        require(path_is_inside(entries->items[i].path));
        require(file_size(path, &size, &error) && (uint64_t)size == entries->items[i].size);
        bytes += entries->items[i].size;
    }
    require(bytes <= BYTES_MAX);
}

/* Unpacks into memory: /dev/shm. */
static void check(const ArchiveSpec *spec, Arena *arena)
{
    ArchiveEntryList listed = {0}, unpacked = {0};
    const char *parent, *folder;
    Error error = {0};
    bool lists = archive_list(spec, arena, &listed, &error);

    require(lists || (error.kind && error.message[0] && !listed.count));
    error = (Error){0};
    require(folder_make_temporary("/dev/shm", arena, &parent, &error));
    folder = arena_format(arena, "%s/out", parent);
    if (archive_unpack(spec, folder, arena, &unpacked, &error)) {
        require(lists && unpacked.count == listed.count);
        check_unpacked(&unpacked, folder, arena);
    } else
        require(error.kind && !unpacked.count && access(folder, F_OK) != 0);
    require(folder_remove(parent, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(file_close) int file = memfd_create("archive", MFD_CLOEXEC);
    ArchiveSpec spec = {
        .path = arena_format(arena, "/proc/self/fd/%d", file),
        .limits = {.file_count_max = FILE_COUNT_MAX, .bytes_max = BYTES_MAX},
    };

    require(file >= 0 && write(file, data, size) == (ssize_t)size);
    check(&spec, arena);
    return 0;
}
