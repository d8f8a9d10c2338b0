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

/* The id of a key, TERM_NONE when it was never added. */
uint32_t terms_find(const Terms *terms, uint64_t key);

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
void term_counter_add(TermCounter *counter, uint32_t id);

/* Where a counted id is in items; SIZE_MAX when it was not counted. */
size_t term_counter_find(const TermCounter *counter, uint32_t id);
