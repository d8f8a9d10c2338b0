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

/* The id of a key, TERM_NONE when it was never added. In the header, like what counts below: a text
 * of a hundred bytes asks four hundred times. */
static inline uint32_t terms_find(const Terms *terms, uint64_t key)
{
    uint64_t kept = terms_masked(terms, key);
    size_t at = kept & terms->slot_mask;

    /* "&": whether a key is known cannot be foretold, that its place is another's mostly can. */
    while ((terms->slots[at].key != 0) & (terms->slots[at].key != kept))
        at = (at + 1) & terms->slot_mask;
    return terms->slots[at].key ? terms->slots[at].id : (uint32_t)TERM_NONE;
}

/* Has the place of a key on its way from memory before terms_find() asks for it. */
static inline void terms_prefetch(const Terms *terms, uint64_t key)
{
    __builtin_prefetch(&terms->slots[terms_masked(terms, key) & terms->slot_mask]);
}

/* The id of a key, new ones being added without a text. */
uint32_t terms_add(Terms *terms, uint64_t key);

/* Counts the terms of one row without touching memory per term: a small table that is emptied by
 * counting a turn. */
typedef struct TermCount {
    uint32_t id, count;
} TermCount;

typedef struct TermCounter {
    TermCount *items; /* distinct ids in order of first sight */
    size_t count;

    Arena *arena;
    struct TermCounterSlot {
        uint32_t turn, position;
    } * slots;
    size_t slot_mask, capacity;
    uint32_t turn;
} TermCounter;

TermCounter term_counter_in(Arena *arena);

/* Forgets the last row; most: how many terms this one has at most. */
void term_counter_start(TermCounter *counter, size_t most);

/* The slot of an id, or the empty one where it belongs. */
static inline struct TermCounterSlot *term_counter_slot(const TermCounter *counter, uint32_t id)
{
    size_t at = (id * UINT32_C(2654435761)) & counter->slot_mask;

    while (counter->slots[at].turn == counter->turn &&
           counter->items[counter->slots[at].position].id != id)
        at = (at + 1) & counter->slot_mask;
    return &counter->slots[at];
}

static inline void term_counter_add(TermCounter *counter, uint32_t id)
{
    struct TermCounterSlot *slot = term_counter_slot(counter, id);

    if (slot->turn == counter->turn) {
        counter->items[slot->position].count++;
        return;
    }
    *slot = (struct TermCounterSlot){counter->turn, (uint32_t)counter->count};
    counter->items[counter->count++] = (TermCount){id, 1};
}

/* Where a counted id is in items; SIZE_MAX when it was not counted. */
size_t term_counter_find(const TermCounter *counter, uint32_t id);
