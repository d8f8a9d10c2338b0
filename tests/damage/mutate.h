/* mutate.h: damage to the bytes of a file, by what the file is.
 *
 *     Bytes damaged = mutate_json(golden, &random, arena);
 *
 * What comes out differs from what went in; both live in the arena. The same numbers give the same
 * damage. Binary files are taken as bytes, as 32 and 64 bit numbers (counts, offsets, weights), and
 * as pieces that change places; their beginning, where heads and tables are, is hit most.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "ml/random.h"

typedef struct Bytes {
    const char *items;
    size_t size;
} Bytes;

/* Any file: cut, flipped, zeroed, longer, its pieces in another order. */
Bytes mutate_bytes(Bytes bytes, Random *random, Arena *arena);

/* A binary file: the same, or numbers of it set to what a count or an offset should not be. */
Bytes mutate_binary(Bytes bytes, Random *random, Arena *arena);

/* A JSON or YAML file: the same, or one number, text or bracket replaced, removed or doubled. */
Bytes mutate_json(Bytes bytes, Random *random, Arena *arena);

/* The listing of a tree: the same, or a line dropped, doubled, moved, or with another path, digest
 * or size. */
Bytes mutate_listing(Bytes bytes, Random *random, Arena *arena);
