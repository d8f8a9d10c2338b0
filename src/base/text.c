#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 128 };

void text_grow(TextBuilder *builder, size_t size)
{
    size_t capacity = builder->capacity ? builder->capacity : 64;
    char *grown;

    while (capacity - builder->count <= size)
        capacity *= 2;
    grown = arena_take(builder->arena, capacity);
    if (builder->count)
        memcpy(grown, builder->items, builder->count);
    builder->items = grown;
    builder->capacity = capacity;
}

void text_append_bytes(TextBuilder *builder, const char *bytes, size_t size)
{
    char *at = text_reserve(builder, size);

    if (size)
        memcpy(at, bytes, size);
    builder->count += size;
    builder->items[builder->count] = '\0';
}

void text_append_int(TextBuilder *builder, int64_t number)
{
    enum { DIGITS_MAX = 20 };
    char digits[DIGITS_MAX], *at = digits + DIGITS_MAX;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0)
        *--at = '-';
    text_append_bytes(builder, at, (size_t)(digits + DIGITS_MAX - at));
}

void text_append(TextBuilder *builder, const char *text)
{
    text_append_bytes(builder, text, strlen(text));
}

void text_append_format(TextBuilder *builder, const char *format, ...)
{
    va_list arguments, again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    vsnprintf(text_reserve(builder, (size_t)length), (size_t)length + 1, format, again);
    builder->count += (size_t)length;
    va_end(again);
    va_end(arguments);
}

const char *text_built(TextBuilder *builder)
{
    return builder->items ? builder->items : "";
}

char *text_duplicate(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        out_of_memory();
    return copy;
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);

    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

bool text_list_has(const TextList *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void text_list_add(TextList *list, Arena *arena, const char *text)
{
    *arena_push(arena, list) = arena_text(arena, text);
}

TextList text_split(const char *text, char separator, Arena *arena)
{
    TextList parts = {0};

    while (*text) {
        const char *end = strchrnul(text, separator);

        *arena_push(arena, &parts) = arena_copy(arena, text, (size_t)(end - text));
        text = *end ? end + 1 : end;
    }
    return parts;
}

const char *text_trim(const char *text, Arena *arena)
{
    size_t length;

    while (isspace((unsigned char)*text))
        text++;
    length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    return arena_copy(arena, text, length);
}

bool text_to_int(const char *text, int64_t *number)
{
    char *end;
    long long value;

    if (!text || !*text || isspace((unsigned char)*text))
        return false;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *number = value;
    return true;
}

bool text_to_double(const char *text, double *number)
{
    char *end;
    double value;

    if (!text || !*text || text[strspn(text, "0123456789+-.eE")])
        return false;
    value = strtod(text, &end);
    if (*end || !isfinite(value)) /* 1e999; too small for a double is 0, which is near enough */
        return false;
    *number = value;
    return true;
}

/* How many bytes follow a lead byte, and the least code point that needs so many; -1: not a lead
 * byte. */
static int sequence_length(unsigned char lead, uint32_t *code, uint32_t *least)
{
    static const struct {
        unsigned char mask, value;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (int i = 0; i < (int)COUNT(forms); i++) {
        if ((lead & forms[i].mask) != forms[i].value)
            continue;
        *code = lead & (unsigned char)~forms[i].mask;
        *least = forms[i].least;
        return i;
    }
    return -1;
}

size_t text_utf8_length(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    uint32_t code, least;
    int more = size ? sequence_length(*at, &code, &least) : -1;

    if (more < 0 || size < (size_t)more + 1)
        return 0;
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return (size_t)more + 1;
}

bool text_is_utf8(const char *bytes, size_t size)
{
    for (size_t at = 0, length; at < size; at += length) {
        length = text_utf8_length(bytes + at, size - at);
        if (!length)
            return false;
    }
    return true;
}

size_t text_cut(const char *text, size_t limit)
{
    size_t length = strlen(text), at = limit;

    if (length <= limit)
        return length;
    while (at && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at ? at : limit; /* no UTF-8 at all: it goes forward all the same */
}

bool name_is_valid(const char *name)
{
    size_t length = name ? strlen(name) : 0;

    if (length < 1 || length > NAME_BYTES_MAX || name[0] == '.')
        return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
            return false;
    return true;
}

bool name_check(const char *field, const char *what, const char *name, Error *error)
{
    if (name_is_valid(name))
        return true;
    return fail_field(error, field,
                      "%s %s name has 1 to %d letters, digits, \"-\", \"_\" or \".\" and does not "
                      "start with \".\"",
                      strchr("aeiou", *what) ? "an" : "a", what, NAME_BYTES_MAX);
}

size_t text_control_length(const char *at)
{
    unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1], third;

    if (first < ' ' || first == 0x7f)
        return 1;
    if (first == 0xc2)
        return second >= 0x80 && second <= 0x9f ? 2 : 0;
    if (first != 0xe2 || (second != 0x80 && second != 0x81))
        return 0;
    third = (unsigned char)at[2];
    if (second == 0x80)
        return third >= 0xa8 && third <= 0xae ? 3 : 0;
    return third >= 0xa6 && third <= 0xa9 ? 3 : 0;
}

const char *text_as_line(const char *text, size_t size, Arena *arena)
{
    char *line = arena_copy(arena, text, size);

    for (char *at = line; *at;) {
        size_t length = text_control_length(at);

        memset(at, ' ', length);
        at += length ? length : 1;
    }
    return line;
}
