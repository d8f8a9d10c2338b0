/* prediction_batch_internal.h: what the two halves of prediction_batch.h share with its fuzzer. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum {
    BATCH_VERSION = 1,         /* of labels */
    BATCH_VERSION_NUMBERS = 2, /* of numbers */
    BATCH_HEAD_BYTES = 1 + sizeof(uint32_t),
};

/* Of the first version the byte that says so is not part of it; of the others it is, so that none
 * passes for another. */
static inline uint32_t batch_checksum(unsigned char version, const void *bytes, size_t size)
{
    unsigned long start = crc32_z(0, NULL, 0);

    if (version != BATCH_VERSION)
        start = crc32_z(start, &version, 1);
    return (uint32_t)crc32_z(start, bytes, size);
}
