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
