/* byte_source.h: the bytes of a file, uncompressed if it is gzip, one at a time. */
#pragma once

#include <stdint.h>
#include <zlib.h>

#include "base/error.h"

typedef struct ByteSource {
    gzFile file;
    const char *path; /* for messages; of the caller */
    unsigned char buffer[65536];
    int size, at;
    int64_t offset; /* of the next byte */
    int64_t size_max;
} ByteSource;

bool byte_source_open(ByteSource *source, const char *path, int64_t size_max,
                      Error *error) MUST_CHECK;
void byte_source_close(ByteSource *source);

/* The next byte, or -1 at the end or on a mistake, which byte_source_end() then returns. */
int byte_source_next(ByteSource *source);
bool byte_source_end(ByteSource *source, Error *error) MUST_CHECK;
