/* packed.h: bytes made fewer by zstd, with a checksum, and read back with care.
 *
 *     char *packed = arena_take(arena, packed_bound(size));
 *     size_t packed_size = packed_write(plain, size, packed);
 */
#pragma once

#include "base/arena.h"
#include "base/varint.h"

/* The most that so many bytes can become. */
size_t packed_bound(size_t size);

/* One frame, at the level that costs least; there is room for packed_bound(size). */
size_t packed_write(const char *plain, size_t size, char *packed);

/* The plain bytes, at most so many, in the arena; or a damaged cursor. */
ByteCursor packed_read(ByteCursor packed, size_t most, Arena *arena);
