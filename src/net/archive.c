#include "net/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "net/archive_library.h"

enum { PATH_LENGTH_MAX = 1024, PART_COUNT_MAX = 32, BLOCK_SIZE = 64 * 1024 };

static const ArchiveLimits defaults = {
    .file_count_max = 100000,
    .bytes_max = UINT64_C(8) << 30,
    .ratio_max = 200,
};

/* Small archives may be squeezed as hard as they like: a file of zeros is no bomb. */
static const uint64_t ratio_free_bytes = UINT64_C(16) << 20;

/* One pass over an archive. */
typedef struct Unpacking {
    const char *path;
    ArchiveLimits limits;
    uint64_t packed_size;
    const char *folder; /* where files go, or NULL to only look */
    const ArchiveLibrary *library;
    struct archive *archive;
    Arena *arena;
    ArchiveEntryList entries;
    uint64_t bytes; /* unpacked so far */
} Unpacking;

static void unpacking_close(Unpacking *unpacking)
{
    if (unpacking->archive)
        unpacking->library->read_free(unpacking->archive);
}

static uint64_t or_default(uint64_t limit, uint64_t standard)
{
    return limit ? limit : standard;
}

static bool unpacking_open(Unpacking *unpacking, const ArchiveSpec *spec, Error *error)
{
    const ArchiveLibrary *library = archive_library_open(error);
    struct archive *archive;
    int64_t size;

    if (!library)
        return false;
    unpacking->library = library;
    unpacking->archive = archive = library->read_new();
    unpacking->path = spec->path;
    unpacking->limits = (ArchiveLimits){
        .file_count_max = or_default(spec->limits.file_count_max, defaults.file_count_max),
        .bytes_max = or_default(spec->limits.bytes_max, defaults.bytes_max),
        .ratio_max = or_default(spec->limits.ratio_max, defaults.ratio_max),
    };
    if (!file_size(spec->path, &size, error))
        return false;
    unpacking->packed_size = (uint64_t)size;

    /* By its directory, which is at the end: of a zip that was cut, none is taken for whole. */
    library->read_support_format_zip_seekable(archive);
    library->read_support_format_tar(archive);
    library->read_support_filter_gzip(archive);
    if (library->read_open_filename(archive, spec->path, BLOCK_SIZE) != ARCHIVE_OK)
        return fail(error, ERROR_INVALID, "it is not a zip, tar or tar.gz file");
    return true;
}

/* A name for a message: short, and without what could disturb a terminal. */
static const char *shown_name(Unpacking *unpacking, const char *name)
{
    char *shown = arena_copy(unpacking->arena, name, strnlen(name, 120));

    for (char *at = shown; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return shown;
}

static bool fail_entry(Unpacking *unpacking, const char *name, const char *reason, Error *error)
{
    return fail(error, ERROR_INVALID, "\"%s\" in the archive %s", shown_name(unpacking, name),
                reason);
}

/* The name without what tar and zip habitually add: "./" in front, "/" behind a folder. In the C
 * locale libarchive cannot give every name in the locale's own charset, but in UTF-8. */
static const char *name_of(const Unpacking *unpacking, struct archive_entry *entry)
{
    const ArchiveLibrary *library = unpacking->library;
    const char *name = library->entry_pathname_utf8(entry);
    size_t length;

    if (!name)
        name = library->entry_pathname(entry);
    if (!name)
        return "";
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    length = strlen(name);
    if (library->entry_filetype(entry) == AE_IFDIR && length > 1 && name[length - 1] == '/')
        length--;
    return arena_copy(unpacking->arena, name, length);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static size_t count_parts(const char *path)
{
    size_t count = 1;

    for (; *path; path++)
        count += *path == '/';
    return count;
}

/* Why a file of that name is not unpacked, or NULL. */
static const char *fault_of_name(const char *name)
{
    if (name[0] == '/' || (name[0] && name[1] == ':'))
        return "has an absolute name";
    if (strlen(name) > PATH_LENGTH_MAX || count_parts(name) > PART_COUNT_MAX)
        return "has a name that is too long";
    if (has_control(name) || strchr(name, '\\') || !text_is_utf8(name, strlen(name)))
        return "has a name with characters that are not allowed";
    if (!path_is_inside(name))
        return "has a name that is not a plain relative path";
    return NULL;
}

static const char *fault_of_entry(const ArchiveLibrary *library, struct archive_entry *entry)
{
    if (library->entry_hardlink(entry) || library->entry_symlink(entry))
        return "is a link";
    if (library->entry_filetype(entry) != AE_IFREG && library->entry_filetype(entry) != AE_IFDIR)
        return "is not a regular file";
    if (library->entry_is_encrypted(entry))
        return "is encrypted";
    return NULL;
}

/* name: of the file in the archive; NULL: the archive itself, whose path the caller knows better.
 */
static bool fail_read(Unpacking *unpacking, const char *name, Error *error)
{
    const char *detail = unpacking->library->error_string(unpacking->archive);
    const char *what =
        name ? arena_format(unpacking->arena, "\"%s\" in the archive", shown_name(unpacking, name))
             : "the archive";

    return fail(error, ERROR_INVALID, "could not unpack %s: %.200s", what,
                detail ? detail : "it is damaged");
}

static bool count_bytes(Unpacking *unpacking, const char *name, size_t size, Error *error)
{
    const ArchiveLimits *limits = &unpacking->limits;

    unpacking->bytes += size;
    if (unpacking->bytes > limits->bytes_max)
        return fail(error, ERROR_TOO_LARGE,
                    "the archive has more than %" PRIu64 " bytes unpacked, reached in \"%s\"",
                    limits->bytes_max, shown_name(unpacking, name));
    if (unpacking->bytes > ratio_free_bytes &&
        unpacking->bytes / limits->ratio_max > unpacking->packed_size)
        return fail(error, ERROR_TOO_LARGE,
                    "the archive unpacks to more than %" PRIu64
                    " times its size, reached in \"%s\"",
                    limits->ratio_max, shown_name(unpacking, name));
    return true;
}

/* Reads the data of the entry that is on turn, into a file or to nowhere (-1). */
static bool read_data(Unpacking *unpacking, ArchiveEntry *entry, int file, Error *error)
{
    char block[BLOCK_SIZE];
    la_ssize_t size;

    while ((size = unpacking->library->read_data(unpacking->archive, block, sizeof(block))) > 0) {
        if (!count_bytes(unpacking, entry->path, (size_t)size, error))
            return false;
        entry->size += (uint64_t)size;
        if (file >= 0 && !descriptor_write(file, block, (size_t)size))
            return fail_errno(error, "write", entry->path);
    }
    return size == 0 || fail_read(unpacking, entry->path, error);
}

static bool unpack_file(Unpacking *unpacking, ArchiveEntry *entry, Error *error)
{
    const char *path = arena_format(unpacking->arena, "%s/%s", unpacking->folder, entry->path);
    CLEANUP(file_close) int file = -1;

    if (!folder_make(path_folder(path, unpacking->arena), error)) {
        if (errno == EEXIST || errno == ENOTDIR)
            fail_entry(unpacking, entry->path, "needs a folder where a file is", error);
        return false;
    }
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && (errno == EEXIST || errno == EISDIR))
        return fail_entry(unpacking, entry->path, "appears twice", error);
    if (file < 0)
        return fail_errno(error, "write", path);
    return read_data(unpacking, entry, file, error);
}

static bool take_entry(Unpacking *unpacking, struct archive_entry *found, Error *error)
{
    const char *name = name_of(unpacking, found);
    const char *fault = fault_of_entry(unpacking->library, found);
    bool is_folder = unpacking->library->entry_filetype(found) == AE_IFDIR;
    ArchiveEntry *entry;

    if (is_folder && (!*name || strcmp(name, ".") == 0))
        return true;
    if (!fault)
        fault = fault_of_name(name);
    if (fault)
        return fail_entry(unpacking, name, fault, error);
    if (is_folder)
        return true; /* made when a file needs it */
    if (unpacking->entries.count >= unpacking->limits.file_count_max)
        return fail(error, ERROR_TOO_LARGE, "the archive has more than %zu files",
                    unpacking->limits.file_count_max);

    entry = arena_push(unpacking->arena, &unpacking->entries);
    *entry = (ArchiveEntry){.path = name};
    return unpacking->folder ? unpack_file(unpacking, entry, error)
                             : read_data(unpacking, entry, -1, error);
}

static bool take_entries(Unpacking *unpacking, Error *error)
{
    struct archive_entry *found;
    int state;

    while ((state = unpacking->library->read_next_header(unpacking->archive, &found)) >=
               ARCHIVE_WARN &&
           state != ARCHIVE_EOF)
        if (!take_entry(unpacking, found, error))
            return false;
    if (state != ARCHIVE_EOF)
        return fail_read(unpacking, NULL, error);
    if (unpacking->entries.count == 0)
        return fail(error, ERROR_INVALID, "the archive holds no files");
    return true;
}

bool archive_list(const ArchiveSpec *spec, Arena *arena, ArchiveEntryList *entries, Error *error)
{
    CLEANUP(unpacking_close) Unpacking unpacking = {.arena = arena};

    if (!unpacking_open(&unpacking, spec, error) || !take_entries(&unpacking, error))
        return false;
    *entries = unpacking.entries;
    return true;
}

static bool unpack_into(Unpacking *unpacking, const ArchiveSpec *spec, const char *folder,
                        Error *error)
{
    if (!unpacking_open(unpacking, spec, error) || !take_entries(unpacking, error))
        return false;
    if (rename(unpacking->folder, folder) != 0)
        return fail_errno(error, "write", folder);
    return true;
}

bool archive_unpack(const ArchiveSpec *spec, const char *folder, Arena *arena,
                    ArchiveEntryList *entries, Error *error)
{
    CLEANUP(unpacking_close) Unpacking unpacking = {.arena = arena};
    Error ignored;

    if (!folder_make_temporary(path_folder(folder, arena), arena, &unpacking.folder, error))
        return false;
    if (!unpack_into(&unpacking, spec, folder, error)) {
        (void)!folder_remove(unpacking.folder, &ignored);
        return false;
    }
    *entries = unpacking.entries;
    return true;
}
