/* arena.h: memory that is freed all at once.
 *
 * One arena serves one unit of work: a request, a step, a command line. What a
 * function returns from an arena stays valid until the arena is destroyed, so
 * nothing taken from it is ever freed on its own. Memory comes zeroed. There is
 * no failure to check: out of memory aborts the process.
 *
 *     CLEANUP(arena_cleanup) Arena *arena = arena_create();
 *     char *path = arena_format(arena, "%s/%s", folder, name);
 *
 * Long loops over big data use an arena of their own per turn, or arena_reset().
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/attributes.h"

typedef struct Arena Arena;

/* What every allocation that fails comes to, in an arena or not: one sentence on standard error,
 * and the process ends at once. */
void out_of_memory(void) NORETURN;

/* Gives the system what is free in the heaps' midst, which freeing alone does not. It holds each
 * heap up for a moment: for who has nothing else to do. */
void memory_give_back(void);

Arena *arena_create(void);
void arena_destroy(Arena *arena);

/* Forgets everything taken so far, but keeps one block for the next turn. */
void arena_reset(Arena *arena);

void *arena_alloc(Arena *arena, size_t count, size_t size);

/* The exception: not zeroed, for what is written over at once. */
void *arena_take(Arena *arena, size_t size);

/* A copy of length bytes with a NUL behind it. */
char *arena_copy(Arena *arena, const char *text, size_t length);

/* A copy of a text; NULL stays NULL. */
char *arena_text(Arena *arena, const char *text);
char *arena_format(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_format_list(Arena *arena, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

#define arena_new(arena, type)          ((type *)arena_alloc((arena), 1, sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))

/* Makes room for one more item in an array kept as {items, count}, doubling at
 * powers of two; the outgrown block stays in the arena until the end. */
#define arena_push(arena, list)                                                                    \
    ((list)->items = arena_grow((arena), (list)->items, (list)->count, sizeof(*(list)->items)),    \
     &(list)->items[(list)->count++])

void *arena_grow(Arena *arena, void *items, size_t count, size_t size);

static inline void arena_cleanup(Arena **arena)
{
    arena_destroy(*arena);
}
