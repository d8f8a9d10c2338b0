/* digest_set.h: many digests, 32 bytes each, to ask whether one is among them.
 *
 *     CLEANUP(digest_set_clear) DigestSet set = {0};
 *
 *     digest_set_add(&set, digest);
 *     digest_set_sort(&set);
 *     if (digest_set_has(&set, digest))
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_BYTES = 32 };

typedef struct DigestSet {
    unsigned char (*items)[DIGEST_BYTES];
    size_t count, room;
} DigestSet;

/* The digest is a valid one. Adding one again takes no room for long. */
void digest_set_add(DigestSet *set, const char *digest);

/* Each valid digest that stands in the text, between other characters. */
void digest_set_add_found(DigestSet *set, const char *text);

/* After the last addition, before the first question. */
void digest_set_sort(DigestSet *set);
bool digest_set_has(const DigestSet *set, const char *digest);
void digest_set_clear(DigestSet *set); /* for CLEANUP too */
