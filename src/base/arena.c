#include "base/arena.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024, ALIGNMENT = 16 };

typedef struct Block {
    struct Block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGNMENT) char bytes[];
} Block;

struct Arena {
    Block *newest;
};

void out_of_memory(void)
{
    fputs("slipway: out of memory\n", stderr);
    abort();
}

void memory_give_back(void)
{
    malloc_trim(0);
}

static void *checked(void *memory)
{
    if (!memory)
        out_of_memory();
    return memory;
}

/* Its memory is cleared when it is taken: most of a block never is. */
static Block *block_create(Block *next)
{
    Block *block = checked(malloc(sizeof(Block) + BLOCK_SIZE));

    block->next = next;
    block->size = BLOCK_SIZE;
    block->used = 0;
    return block;
}

static void free_blocks(Block *block)
{
    while (block) {
        Block *next = block->next;

        free(block);
        block = next;
    }
}

Arena *arena_create(void)
{
    Arena *arena = checked(malloc(sizeof(Arena)));

    arena->newest = block_create(NULL);
    return arena;
}

void arena_destroy(Arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->newest);
    free(arena);
}

void arena_reset(Arena *arena)
{
    Block *kept = arena->newest;

#ifdef __SANITIZE_ADDRESS__
    arena->newest = block_create(NULL); /* so that it sees who uses what was forgotten */
    free_blocks(kept);
    return;
#endif
    free_blocks(kept->next);
    kept->next = NULL;
    kept->used = 0;
}

/* What is larger than a block gets one of its own, behind the newest, which goes on being filled.
 * Zeroes from calloc() cost nothing where the system has untouched pages to give. */
static void *take_large(Arena *arena, size_t bytes)
{
    Block *block = checked(calloc(1, sizeof(Block) + bytes));

    block->next = arena->newest->next;
    block->size = block->used = bytes;
    arena->newest->next = block;
    return block->bytes;
}

static void *take_in_new_block(Arena *arena, size_t bytes)
{
    Block *block = arena->newest = block_create(arena->newest);

    block->used = bytes;
    return block->bytes;
}

static inline void *take_small(Arena *arena, size_t bytes)
{
    Block *block = arena->newest;

    if (bytes > block->size - block->used)
        return take_in_new_block(arena, bytes);
    block->used += bytes;
    return block->bytes + block->used - bytes;
}

static size_t rounded(size_t count, size_t size)
{
    if (size && count > (SIZE_MAX - sizeof(Block) - ALIGNMENT) / size)
        out_of_memory();
    return (count * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void *arena_take(Arena *arena, size_t size)
{
    size_t bytes = rounded(size, 1);

    return bytes > BLOCK_SIZE ? take_large(arena, bytes) : take_small(arena, bytes);
}

void *arena_alloc(Arena *arena, size_t count, size_t size)
{
    size_t bytes = rounded(count, size);

    if (bytes > BLOCK_SIZE)
        return take_large(arena, bytes);
    return memset(take_small(arena, bytes), 0, bytes);
}

void *arena_grow(Arena *arena, void *items, size_t count, size_t size)
{
    void *grown;

    if (count & (count - 1))
        return items;
    grown = arena_alloc(arena, count ? count * 2 : 1, size);
    if (count)
        memcpy(grown, items, count * size);
    return grown;
}

char *arena_copy(Arena *arena, const char *text, size_t length)
{
    char *copy;

    if (length == SIZE_MAX)
        out_of_memory();
    copy = arena_take(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_text(Arena *arena, const char *text)
{
    return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *arena_format_list(Arena *arena, const char *format, va_list arguments)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    text = arena_alloc(arena, (size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_format(Arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = arena_format_list(arena, format, arguments);
    va_end(arguments);
    return text;
}
