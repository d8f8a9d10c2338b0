/* prediction_batch_internal.h: what the two halves of prediction_batch.h share with its fuzzer. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum { BATCH_VERSION = 1, BATCH_HEAD_BYTES = 1 + sizeof(uint32_t) };

static inline uint32_t batch_checksum(const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size);
}
