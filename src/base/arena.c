#include "base/arena.h"

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

static _Noreturn void out_of_memory(void)
{
    fputs("slipway: out of memory\n", stderr);
    abort();
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        out_of_memory();
    return memory;
}

static Block *block_create(Block *next, size_t size)
{
    Block *block = allocate(sizeof(Block) + size);

    block->next = next;
    block->size = size;
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
    Arena *arena = allocate(sizeof(Arena));

    arena->newest = block_create(NULL, BLOCK_SIZE);
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

    free_blocks(kept->next);
    if (kept->size > BLOCK_SIZE) {
        free(kept);
        arena->newest = block_create(NULL, BLOCK_SIZE);
        return;
    }
    memset(kept->bytes, 0, kept->used);
    kept->next = NULL;
    kept->used = 0;
}

void *arena_alloc(Arena *arena, size_t count, size_t size)
{
    Block *block = arena->newest;
    size_t bytes;

    if (size && count > (SIZE_MAX - sizeof(Block) - ALIGNMENT) / size)
        out_of_memory();
    bytes = (count * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (bytes > block->size - block->used)
        block = arena->newest = block_create(block, bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE);

    block->used += bytes;
    return block->bytes + block->used - bytes;
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
    char *copy = arena_alloc(arena, length + 1, 1);

    if (length)
        memcpy(copy, text, length);
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
