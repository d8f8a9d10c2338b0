#include "base/digest_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"

enum { ROOM_AT_FIRST = 1024 };

static const char hex_digits[] = "0123456789abcdef";

static unsigned char digit_value(char digit)
{
    return (unsigned char)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void read_digest(const char *digest, unsigned char bytes[DIGEST_BYTES])
{
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        bytes[i] =
            (unsigned char)(digit_value(digest[2 * i]) << 4 | digit_value(digest[2 * i + 1]));
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_BYTES);
}

void digest_set_sort(DigestSet *set)
{
    size_t kept = 0;

    if (set->count)
        qsort(set->items, set->count, DIGEST_BYTES, compare);
    for (size_t i = 0; i < set->count; i++)
        if (!kept || compare(set->items[kept - 1], set->items[i]) != 0)
            memmove(set->items[kept++], set->items[i], DIGEST_BYTES);
    set->count = kept;
}

/* Room is made by forgetting repetitions first: a file of a thousand runs is one digest. */
static void make_room(DigestSet *set)
{
    size_t room = set->room ? 2 * set->room : ROOM_AT_FIRST;
    void *grown;

    digest_set_sort(set);
    if (set->room && set->count <= set->room / 2)
        return;
    grown = reallocarray(set->items, room, DIGEST_BYTES);
    if (!grown)
        out_of_memory();
    set->items = grown;
    set->room = room;
}

void digest_set_add(DigestSet *set, const char *digest)
{
    if (set->count == set->room)
        make_room(set);
    read_digest(digest, set->items[set->count++]);
}

void digest_set_add_found(DigestSet *set, const char *text)
{
    enum { DIGITS = DIGEST_TEXT_SIZE - 1 };

    for (text += strcspn(text, hex_digits); *text; text += strcspn(text, hex_digits)) {
        size_t length = strspn(text, hex_digits);

        if (length == DIGITS)
            digest_set_add(set, text);
        text += length;
    }
}

bool digest_set_has(const DigestSet *set, const char *digest)
{
    unsigned char bytes[DIGEST_BYTES];

    read_digest(digest, bytes);
    return set->count && bsearch(bytes, set->items, set->count, DIGEST_BYTES, compare);
}

void digest_set_clear(DigestSet *set)
{
    free(set->items);
    *set = (DigestSet){0};
}
