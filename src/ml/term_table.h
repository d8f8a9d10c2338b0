/* term_table.h: the terms of a block of features as they lie in a model's file, looked up in place.
 *
 * Nothing is built and nothing is owned: a table points into the file's bytes, which are only read.
 * A bucket is half a line of the cache: the tags of up to 14 terms, 15 bits of their hashed keys
 * each, and the number of its first term; the terms of a bucket are neighbours. A term is in the
 * bucket that its key names, or in the next ones when that is full. One look into one line tells
 * nearly always that a key is unknown, or which single row to compare it with.
 *
 * The bytes may be anybody's: row numbers are bounded where they are used, and so is the search.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lanes.h"
#include "ml/terms.h"

enum {
    BUCKET_TERMS = 14,
    BUCKET_HEAD = 2,        /* tags that "first" takes the place of */
    BUCKET_PROBES_MAX = 16, /* a term is never farther from its bucket */
};

typedef struct TermBucket {
    uint32_t first;              /* the row of the first term */
    uint16_t tags[BUCKET_TERMS]; /* never 0; 0: no term from here on */
} TermBucket;

_Static_assert(sizeof(TermBucket) == 32, "a bucket is half a line");

typedef struct TermWeights {
    uint64_t key;
    float values[]; /* its idf (1 for a category), then its weight in each margin */
} TermWeights;

typedef struct TermTable {
    const TermBucket *buckets; /* aligned to 32 bytes */
    const char *rows;          /* aligned to 8 bytes */
    size_t row_bytes;          /* a multiple of 8 */
    uint64_t key_mask;         /* as in terms.h */
    uint32_t bucket_count, row_count;
} TermTable;

static inline const TermWeights *term_table_weights(const TermTable *table, uint32_t index)
{
    return (const void *)(table->rows + index * table->row_bytes);
}

static inline uint64_t term_masked(uint64_t key, uint64_t key_mask)
{
    uint64_t kept = key & key_mask;

    return kept + (kept == 0);
}

/* Where a key belongs. */
typedef struct TermPlace {
    uint32_t bucket;
    uint16_t tag;
} TermPlace;

static inline TermPlace term_place(uint64_t key, uint64_t key_mask, uint32_t bucket_count)
{
    /* multiplied, because a mask may have left low bits alone */
    uint64_t hash = term_masked(key, key_mask) * UINT64_C(0x9e3779b97f4a7c15);

    return (TermPlace){(uint32_t)(((hash >> 32) * bucket_count) >> 32), (uint16_t)(hash >> 16 | 1)};
}

static inline TermPlace term_table_place(const TermTable *table, uint64_t key)
{
    return term_place(key, table->key_mask, table->bucket_count);
}

/* The terms of a bucket that have the tag, a bit each. */
static inline uint32_t term_bucket_matches(const TermBucket *bucket, uint16_t tag)
{
    return lanes_equal((const void *)bucket, tag) >> BUCKET_HEAD;
}

static inline bool term_bucket_is_full(const TermBucket *bucket)
{
    return bucket->tags[BUCKET_TERMS - 1] != 0;
}

/* Whether a row is there and has the key, which is masked. */
static inline bool term_table_is(const TermTable *table, uint32_t index, uint64_t key)
{
    return index < table->row_count && term_table_weights(table, index)->key == key;
}

/* The row of a key, TERM_NONE when there is none. */
uint32_t term_table_find(const TermTable *table, uint64_t key);

/* ---- many keys at once ---- */

enum { MATCH_KEYS_MAX = 128 }; /* that are under way together: their lines fit the nearest cache */

/* Keys that are known by their tags, or may be, with the row that each is to be compared with.
 * There is room for one more. */
typedef struct TermMatches {
    uint64_t keys[MATCH_KEYS_MAX + 1]; /* masked */
    uint32_t rows[MATCH_KEYS_MAX + 1];
    uint8_t places[MATCH_KEYS_MAX + 1]; /* which of the keys each is */
    size_t count;
} TermMatches;

/* The matches of up to MATCH_KEYS_MAX keys, in their order, for the given level of the processor;
 * up to TERM_KEYS_SPARE more keys are read, which count for nothing. */
void term_table_match(const TermTable *table, LaneLevel level, const uint64_t *keys, size_t count,
                      TermMatches *matches);

enum { TERM_KEYS_SPARE = 3 };

/* ---- building ---- */

/* Terms to be laid out: keys that differ, under their mask, and are not 0. */
typedef struct TermLayout {
    TermBucket *buckets;
    size_t bucket_count;
    uint32_t *rows; /* by the index of a key */
} TermLayout;

TermLayout term_table_lay_out(const uint64_t *keys, size_t count, uint64_t key_mask, Arena *arena);
