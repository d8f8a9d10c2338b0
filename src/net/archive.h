/* archive.h: zip and tar.gz files from strangers, unpacked safely.
 *
 * Only regular files come out, with plain permissions; folders are made as files
 * need them. An archive with anything else in it is refused as a whole: absolute
 * names, "..", links, devices, a name that appears twice, more or larger files than
 * the limits allow, or no file at all. What the archive says about sizes is not believed: bytes are
 * counted as they come out.
 *
 *     ArchiveEntryList entries;
 *     ArchiveSpec spec = {.path = "data.zip"};
 *     if (!archive_unpack(&spec, folder, arena, &entries, error))
 *         return false;
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Zero means the default that stands beside a limit. */
typedef struct ArchiveLimits {
    size_t file_count_max; /* 100,000 */
    uint64_t bytes_max;    /* 8 GiB, of all files together */
    uint64_t ratio_max;    /* 200 unpacked bytes for each packed one, counted from 16 MiB on */
} ArchiveLimits;

typedef struct ArchiveEntry {
    const char *path; /* relative, of plain parts */
    uint64_t size;
} ArchiveEntry;

typedef struct ArchiveEntryList {
    ArchiveEntry *items;
    size_t count;
} ArchiveEntryList;

typedef struct ArchiveSpec {
    const char *path; /* of a zip, tar or tar.gz; told by its content, not its name */
    ArchiveLimits limits;
} ArchiveSpec;

/* The files in the order of the archive. Unpacks everything to nowhere, so that the sizes are true
 * and a damaged archive is found. */
bool archive_list(const ArchiveSpec *spec, Arena *arena, ArchiveEntryList *entries,
                  Error *error) MUST_CHECK;

/* Unpacks into a folder that must not exist yet, or is empty; its parent must exist. It appears
 * when everything is there; after a failure it is untouched. */
bool archive_unpack(const ArchiveSpec *spec, const char *folder, Arena *arena,
                    ArchiveEntryList *entries, Error *error) MUST_CHECK;
