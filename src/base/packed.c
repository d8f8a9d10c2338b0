#include "base/packed.h"

#include <zstd.h>

enum { PACK_LEVEL = 1 };

size_t packed_bound(size_t size)
{
    return ZSTD_compressBound(size);
}

size_t packed_write(const char *plain, size_t size, char *packed)
{
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    size_t packed_size;

    if (!packer)
        out_of_memory();
    ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, PACK_LEVEL);
    ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1);
    packed_size = ZSTD_compress2(packer, packed, packed_bound(size), plain, size);
    ZSTD_freeCCtx(packer);
    if (ZSTD_isError(packed_size)) /* there is room for whatever comes */
        out_of_memory();
    return packed_size;
}

ByteCursor packed_read(ByteCursor packed, size_t most, Arena *arena)
{
    char *plain = arena_take(arena, most + 1);
    size_t size = ZSTD_decompress(plain, most, packed.at, bytes_left(&packed));

    if (ZSTD_isError(size))
        return (ByteCursor){.is_damaged = true};
    return (ByteCursor){.at = plain, .end = plain + size};
}
