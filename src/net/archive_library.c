#include "net/archive_library.h"

#include "base/library.h"

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "archive_" #name, offsetof(ArchiveLibrary, name)                                           \
    }

static const LibraryFunction functions[] = {
    FUNCTION(read_new),
    FUNCTION(read_free),
    FUNCTION(read_support_format_zip_seekable),
    FUNCTION(read_support_format_tar),
    FUNCTION(read_support_filter_gzip),
    FUNCTION(read_open_filename),
    FUNCTION(read_next_header),
    FUNCTION(read_data),
    FUNCTION(error_string),
    FUNCTION(entry_pathname),
    FUNCTION(entry_pathname_utf8),
    FUNCTION(entry_filetype),
    FUNCTION(entry_hardlink),
    FUNCTION(entry_symlink),
    FUNCTION(entry_is_encrypted),
    {0},
};

static const char *const files[] = {"libarchive.so.13", NULL};

static ArchiveLibrary archive;
static Library library = {"unpacking an archive", files, functions, &archive};

const ArchiveLibrary *archive_library_open(Error *error)
{
    return library_open(&library, error) ? &archive : NULL;
}
