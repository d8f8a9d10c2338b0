/* fuzz_range.c: whatever a Range header says, what is sent lies within the file. The first eight
 * bytes are the size of the file. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "net/http_range.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    HttpRange range;
    uint64_t whole;

    if (size < sizeof(whole))
        return 0;
    memcpy(&whole, data, sizeof(whole));
    range = http_range_read(
        arena_copy(arena, (const char *)data + sizeof(whole), size - sizeof(whole)), whole);
    if (range.kind == HTTP_RANGE_PART)
        require(range.size > 0 && range.offset < whole && range.size <= whole - range.offset);
    if (range.kind == HTTP_RANGE_WHOLE)
        require(range.offset == 0 && range.size == whole);
    return 0;
}
