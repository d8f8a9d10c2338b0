/* encoding.h: bodies that come packed, by their "Content-Encoding". */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct PackedBody {
    const char *encoding; /* or NULL */
    const char *bytes;
    size_t size;
} PackedBody;

typedef struct PlainBody {
    const char *bytes;
    size_t size;
} PlainBody;

/* Unpacks gzip, and deflate with and without zlib's frame; NULL and "identity": the bytes as they
 * are. Never more than size_max bytes: ERROR_TOO_LARGE, whatever the packed bytes promise. Another
 * encoding is ERROR_MEDIA_TYPE. */
bool body_decode(const PackedBody *packed, size_t size_max, Arena *arena, PlainBody *plain,
                 Error *error) MUST_CHECK;
