/* varint.h: numbers as few bytes, written and read.
 *
 * A number takes seven bits a byte, the lowest first, the eighth bit set on all but the last. A
 * ByteCursor never reads behind its end: what is not there, or is no number, makes it damaged, and
 * everything after that is zero.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 10 };

typedef struct ByteCursor {
    const char *at, *end;
    bool is_damaged;
} ByteCursor;

/* Returns where the next byte goes. */
static inline char *put_number(char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

static inline size_t number_size(uint64_t number)
{
    size_t size = 1;

    for (; number >= 0x80; number >>= 7)
        size++;
    return size;
}

/* Small numbers of either sign become small ones without. */
static inline uint64_t number_of_difference(int64_t difference)
{
    return ((uint64_t)difference << 1) ^ (difference < 0 ? UINT64_MAX : 0);
}

static inline int64_t difference_of_number(uint64_t number)
{
    return (int64_t)((number >> 1) ^ (number & 1 ? UINT64_MAX : 0));
}

static inline size_t bytes_left(const ByteCursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline uint64_t take_damage(ByteCursor *cursor)
{
    cursor->is_damaged = true;
    cursor->at = cursor->end;
    return 0;
}

static inline uint64_t take_number(ByteCursor *cursor)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        unsigned char byte = (unsigned char)*cursor->at++;

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    return take_damage(cursor);
}

/* NULL: there are not so many. */
static inline const char *take_bytes(ByteCursor *cursor, uint64_t size)
{
    const char *at = cursor->at;

    if (size > bytes_left(cursor)) {
        take_damage(cursor);
        return NULL;
    }
    cursor->at += size;
    return at;
}

static inline double take_double(ByteCursor *cursor)
{
    double number = 0;
    const char *at = take_bytes(cursor, sizeof(number));

    if (at)
        memcpy(&number, at, sizeof(number));
    return number;
}
