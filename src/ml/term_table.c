#include "ml/term_table.h"

#include <string.h>

/* Half full: then about two buckets in a hundred send a term on to the next one. */
enum { BUCKET_TERMS_WANTED = 7 };

uint32_t term_table_find(const TermTable *table, uint64_t key)
{
    TermPlace place = term_table_place(table, key);
    uint64_t kept = term_masked(key, table->key_mask);
    uint32_t at = place.bucket;

    for (int probe = 0; probe < BUCKET_PROBES_MAX; probe++) {
        const TermBucket *bucket = &table->buckets[at];

        for (uint32_t left = term_bucket_matches(bucket, place.tag); left; left &= left - 1) {
            uint32_t index = bucket->first + (uint32_t)__builtin_ctz(left);

            if (term_table_is(table, index, kept))
                return index;
        }
        if (!term_bucket_is_full(bucket))
            break;
        at = at + 1 < table->bucket_count ? at + 1 : 0;
    }
    return TERM_NONE;
}

/* ---- many keys at once ---- */

/* Both without a branch on whether a key is known, which cannot be foretold: one that is not leaves
 * its place to the next. */
static void match(const TermTable *table, const uint64_t *keys, size_t count, TermMatches *matches)
{
    const TermTable local = *table; /* nothing that is written below can change it */
    TermPlace places[MATCH_KEYS_MAX];
    size_t known = 0;

    for (size_t i = 0; i < count; i++) {
        places[i] = term_table_place(&local, keys[i]);
        __builtin_prefetch(&local.buckets[places[i].bucket]);
    }
    for (size_t i = 0; i < count; i++) {
        const TermBucket *bucket = &local.buckets[places[i].bucket];
        uint32_t found = term_bucket_matches(bucket, places[i].tag);
        uint32_t row = bucket->first + (uint32_t)__builtin_ctz(found | UINT32_C(1) << 31);

        matches->keys[known] = term_masked(keys[i], local.key_mask);
        matches->rows[known] = row;
        matches->places[known] = (uint8_t)i;
        __builtin_prefetch(local.rows + row * local.row_bytes);
        known += (found != 0) | term_bucket_is_full(bucket);
    }
    matches->count = known;
}

/* Keys under their mask and where they belong: 65,536 times the byte at which the bucket begins,
 * and the tag. */
typedef struct PlacedKeys {
    uint64_t keys[MATCH_KEYS_MAX], places[MATCH_KEYS_MAX];
} PlacedKeys;

/* term_place() of four keys at once. */
static LANES_AVX2 ALWAYS_INLINE void place_by_four(const TermTable *table, const uint64_t *keys,
                                                   size_t count, PlacedKeys *placed)
{
    const char *buckets = (const void *)table->buckets;
    const Lanes4 bucket_count = (Lanes4){0} + table->bucket_count;
    const uint64_t key_mask = table->key_mask;

    for (size_t i = 0; i < count; i += 4) {
        Lanes4 four, places;

        memcpy(&four, keys + i, sizeof(four));
        four &= key_mask;
        four -= (Lanes4)(four == 0);
        memcpy(placed->keys + i, &four, sizeof(four));
        four *= UINT64_C(0x9e3779b97f4a7c15);
        places = lanes_times_half(four >> 32, bucket_count) >> 32;
        places = places << 21 | (four >> 16 & 0xffff) | 1;
        memcpy(placed->places + i, &places, sizeof(places));
        for (int lane = 0; lane < 4; lane++)
            __builtin_prefetch(buckets + (places[lane] >> 16));
    }
}

static LANES_AVX2 ALWAYS_INLINE void match_by_four(const TermTable *table, const uint64_t *keys,
                                                   size_t count, TermMatches *matches)
{
    const char *buckets = (const void *)table->buckets, *rows = table->rows;
    const size_t row_bytes = table->row_bytes;
    PlacedKeys placed;
    size_t known = 0;

    place_by_four(table, keys, count, &placed);
    for (size_t i = 0; i < count; i++) {
        const TermBucket *bucket = (const void *)(buckets + (placed.places[i] >> 16));
        uint32_t found = lanes_equal_twice((const void *)bucket, (uint16_t)placed.places[i]) &
                         ~UINT32_C(0) << 2 * BUCKET_HEAD;
        uint32_t row = bucket->first + lanes_first(found) / 2 - BUCKET_HEAD;

        matches->keys[known] = placed.keys[i];
        matches->rows[known] = row;
        matches->places[known] = (uint8_t)i;
        __builtin_prefetch(rows + row * row_bytes);
        known += (found | bucket->tags[BUCKET_TERMS - 1]) != 0;
    }
    matches->count = known;
}

static LANES_AVX2 void match_avx2(const TermTable *table, const uint64_t *keys, size_t count,
                                  TermMatches *matches)
{
    match_by_four(table, keys, count, matches);
}

static LANES_AVX512 void match_avx512(const TermTable *table, const uint64_t *keys, size_t count,
                                      TermMatches *matches)
{
    match_by_four(table, keys, count, matches);
}

void term_table_match(const TermTable *table, LaneLevel level, const uint64_t *keys, size_t count,
                      TermMatches *matches)
{
    static void (*const ways[LANE_LEVELS])(const TermTable *, const uint64_t *, size_t,
                                           TermMatches *) = {
        [LANES_OF_ALL] = match,
        [LANES_OF_AVX2] = match_avx2,
        [LANES_OF_AVX512] = match_avx512,
    };

    ways[level](table, keys, count, matches);
}

/* ---- building ---- */

static size_t fill_of(const TermBucket *bucket)
{
    size_t fill = 0;

    while (fill < BUCKET_TERMS && bucket->tags[fill])
        fill++;
    return fill;
}

/* For now a row is 32 times its bucket and its place there. */
static bool place_term(TermLayout *layout, TermPlace place, uint32_t *row)
{
    size_t at = place.bucket;

    for (int probe = 0; probe < BUCKET_PROBES_MAX; probe++) {
        size_t fill = fill_of(&layout->buckets[at]);

        if (fill < BUCKET_TERMS) {
            layout->buckets[at].tags[fill] = place.tag;
            *row = (uint32_t)(at * 32 + fill);
            return true;
        }
        at = at + 1 < layout->bucket_count ? at + 1 : 0;
    }
    return false;
}

static bool place_terms(TermLayout *layout, const uint64_t *keys, size_t count, uint64_t key_mask)
{
    for (size_t i = 0; i < count; i++)
        if (!place_term(layout, term_place(keys[i], key_mask, (uint32_t)layout->bucket_count),
                        &layout->rows[i]))
            return false;
    return true;
}

static void number_rows(TermLayout *layout, size_t count)
{
    uint32_t first = 0;

    for (size_t i = 0; i < layout->bucket_count; i++) {
        layout->buckets[i].first = first;
        first += (uint32_t)fill_of(&layout->buckets[i]);
    }
    for (size_t i = 0; i < count; i++)
        layout->rows[i] = layout->buckets[layout->rows[i] / 32].first + layout->rows[i] % 32;
}

TermLayout term_table_lay_out(const uint64_t *keys, size_t count, uint64_t key_mask, Arena *arena)
{
    TermLayout layout = {.bucket_count = count / BUCKET_TERMS_WANTED + 1};

    layout.rows = arena_array(arena, uint32_t, count);
    for (;;) {
        layout.buckets = arena_array(arena, TermBucket, layout.bucket_count);
        if (place_terms(&layout, keys, count, key_mask))
            break;
        layout.bucket_count += layout.bucket_count / 2 + 1;
    }
    number_rows(&layout, count);
    return layout;
}
