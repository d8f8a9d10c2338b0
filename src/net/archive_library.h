/* archive_library.h: the functions of libarchive, found when the first archive is read. */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

typedef struct ArchiveLibrary {
    __typeof__(archive_read_new) *read_new;
    __typeof__(archive_read_free) *read_free;
    __typeof__(archive_read_support_format_zip_seekable) *read_support_format_zip_seekable;
    __typeof__(archive_read_support_format_tar) *read_support_format_tar;
    __typeof__(archive_read_support_filter_gzip) *read_support_filter_gzip;
    __typeof__(archive_read_open_filename) *read_open_filename;
    __typeof__(archive_read_next_header) *read_next_header;
    __typeof__(archive_read_data) *read_data;
    __typeof__(archive_error_string) *error_string;
    __typeof__(archive_entry_pathname) *entry_pathname;
    __typeof__(archive_entry_pathname_utf8) *entry_pathname_utf8;
    __typeof__(archive_entry_filetype) *entry_filetype;
    __typeof__(archive_entry_hardlink) *entry_hardlink;
    __typeof__(archive_entry_symlink) *entry_symlink;
    __typeof__(archive_entry_is_encrypted) *entry_is_encrypted;
} ArchiveLibrary;

/* NULL when it is not there. */
const ArchiveLibrary *archive_library_open(Error *error) MUST_CHECK;
