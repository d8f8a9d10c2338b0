/* text.h: small helpers for NUL-terminated texts, and a text that grows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct TextList {
    const char **items;
    size_t count;
} TextList;

/* Bytes that are appended to; always followed by a NUL once anything was. {.arena = arena} is a
 * valid empty one. */
typedef struct TextBuilder {
    Arena *arena;
    char *items;
    size_t count, capacity;
} TextBuilder;

void text_grow(TextBuilder *builder, size_t size); /* makes room for that many more bytes */
void text_append(TextBuilder *builder, const char *text);
void text_append_bytes(TextBuilder *builder, const char *bytes, size_t size);
void text_append_int(TextBuilder *builder, int64_t number);

/* Room for that many more bytes; whoever fills it adds to the count. */
static inline char *text_reserve(TextBuilder *builder, size_t size)
{
    if (builder->count + size >= builder->capacity)
        text_grow(builder, size);
    builder->items[builder->count] = '\0';
    return builder->items + builder->count;
}

void text_append_format(TextBuilder *builder, const char *format, ...) PRINTF_LIKE(2, 3);
const char *text_built(TextBuilder *builder); /* never NULL */

/* A copy outside of any arena, for who frees it; NULL stays NULL. */
char *text_duplicate(const char *text);

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_has_prefix(const char *text, const char *prefix);
bool text_has_suffix(const char *text, const char *suffix);
bool text_list_has(const TextList *list, const char *text);
void text_list_add(TextList *list, Arena *arena, const char *text);

/* How many bytes of a character that ends a line, moves the cursor or turns the direction of what
 * is read: control characters, U+0080 to U+009F, U+2028 to U+202E, U+2066 to U+2069. 0: another
 * one. */
size_t text_control_length(const char *at);

/* A copy of size bytes with blanks in place of those, for people: whoever wrote it adds no line to
 * what they read, and nothing to their screen. */
const char *text_as_line(const char *text, size_t size, Arena *arena);

/* The parts between separators; an empty text has none. */
TextList text_split(const char *text, char separator, Arena *arena);
const char *text_trim(const char *text, Arena *arena);

/* Whole-text decimal numbers: false on anything before, behind or out of range, and on what is no
 * number (0x10, nan, inf). */
bool text_to_int(const char *text, int64_t *number);
bool text_to_double(const char *text, double *number);

/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF), with no NUL. */
bool text_is_utf8(const char *bytes, size_t size);

/* How many bytes the first character has; 0 when there is none, or no valid one. */
size_t text_utf8_length(const char *bytes, size_t size);

/* As many of the first limit bytes as hold whole characters. */
size_t text_cut(const char *text, size_t limit);

/* The names of the product: 1 to 128 bytes of letters, digits, "-", "_" and ".", not starting with
 * ".". */
bool name_is_valid(const char *name);
/* field: what the user called it; what: what it names ("data set"). */
bool name_check(const char *field, const char *what, const char *name, Error *error) MUST_CHECK;
