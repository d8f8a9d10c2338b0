/* terms.h: which n-grams a corpus holds, each with a dense number: its id.
 *
 * An n-gram is known by its 64-bit key: two different ones share a key with a chance of n*n/2^64
 * (one in three million for ten million n-grams), and then only share a weight. Ids count from 0 in
 * the order of first sight.
 *
 * For very large texts a mask keeps only the low bits of the keys (feature hashing): the table
 * stays bounded and n-grams that meet in a bucket share it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/lanes.h"

enum { TERM_NONE = UINT32_MAX };

typedef struct TermSlot {
    uint64_t key; /* 0: empty */
    uint32_t id;
} TermSlot;

typedef struct Terms {
    TermSlot *slots;
    size_t slot_mask;   /* slot count - 1 */
    uint64_t key_mask;  /* all ones: exact */
    uint64_t *keys;     /* by id */
    const char **texts; /* by id */
    size_t count, capacity;
    Arena *arena;
} Terms;

/* expected: how many terms there will be about; the table grows when there are more. */
void terms_init(Terms *terms, size_t expected, uint64_t key_mask, Arena *arena);

static inline uint64_t terms_masked(const Terms *terms, uint64_t key)
{
    uint64_t kept = key & terms->key_mask;

    return kept ? kept : 1;
}

/* The id of a key, new ones being added without a text. */
uint32_t terms_add(Terms *terms, uint64_t key);

/* Counts the terms of one row in a small table. */
typedef struct TermCount {
    uint32_t id, count;
} TermCount;

typedef struct TermCounter {
    TermCount *items; /* distinct ids in order of first sight */
    size_t count;

    /* Buffers grow in the arena; the first ones may be the caller's: so many items with one before
     * them, four times as many slots, a power of two. */
    Arena *arena;
    uint32_t *slots;  /* one more than the position of an item; 0: empty */
    size_t slot_mask; /* 0: a row of few terms, whose items are all there is */
    size_t capacity;
} TermCounter;

TermCounter term_counter_in(Arena *arena);

/* Forgets the last row; most: how many terms this one has at most. */
void term_counter_start(TermCounter *counter, size_t most);

/* The slot of an id, or the empty one where it belongs. Whether a slot is taken cannot be foretold,
 * that it is not another's mostly can: an empty one leads to the item before the first, which is
 * made to look like the right one, and so there is one branch. */
static inline uint32_t *term_counter_slot(const TermCounter *counter, uint32_t id)
{
    size_t at = (id * UINT32_C(2654435761)) & counter->slot_mask;

    counter->items[-1].id = id;
    while (counter->items[(ptrdiff_t)counter->slots[at] - 1].id != id)
        at = (at + 1) & counter->slot_mask;
    return &counter->slots[at];
}

/* Without a branch on whether the id was there: the next item is made ready in any case, and a mask
 * chooses, because compilers make a branch of a condition. */
static inline void term_counter_add(TermCounter *counter, uint32_t id)
{
    uint32_t *slot = term_counter_slot(counter, id), next = (uint32_t)counter->count + 1;
    uint32_t is_new = *slot == 0, at = *slot + (-is_new & next);

    counter->items[next - 1] = (TermCount){id, 0};
    counter->items[at - 1].count++;
    counter->count += is_new;
    *slot = at;
}

enum { FEW_TERMS = 64 };

/* What term_counter_start() and term_counter_add() of up to FEW_TERMS ids in their order give, but
 * that TERM_NONE is left out: where the processor can, each is compared with all at once, and no
 * slots are emptied and filled. FEW_TERMS ids are readable. */
void term_counter_count_few(TermCounter *counter, LaneLevel level, const uint32_t *ids,
                            size_t count);

/* Where a counted id is in items; SIZE_MAX when it was not counted. */
size_t term_counter_find(const TermCounter *counter, uint32_t id);
