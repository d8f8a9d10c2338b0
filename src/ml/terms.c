#include "ml/terms.h"

#include <assert.h>
#include <string.h>

static size_t power_of_two_above(size_t least)
{
    size_t power = 16;

    while (power < least)
        power *= 2;
    return power;
}

static TermSlot *slot_of(const Terms *terms, uint64_t key)
{
    size_t at = key & terms->slot_mask;

    while (terms->slots[at].key && terms->slots[at].key != key)
        at = (at + 1) & terms->slot_mask;
    return &terms->slots[at];
}

static void make_slots(Terms *terms, size_t count)
{
    terms->slots = arena_array(terms->arena, TermSlot, count);
    terms->slot_mask = count - 1;
    for (size_t id = 0; id < terms->count; id++)
        *slot_of(terms, terms->keys[id]) = (TermSlot){terms->keys[id], (uint32_t)id};
}

/* Room for so many ids. What is outgrown stays in the arena, so a good guess saves half. */
static void reserve(Terms *terms, size_t capacity)
{
    uint64_t *keys = arena_array(terms->arena, uint64_t, capacity);
    const char **texts = arena_array(terms->arena, const char *, capacity);

    if (terms->count) {
        memcpy(keys, terms->keys, terms->count * sizeof(*keys));
        memcpy(texts, terms->texts, terms->count * sizeof(*texts));
    }
    terms->keys = keys;
    terms->texts = texts;
    terms->capacity = capacity;
}

void terms_init(Terms *terms, size_t expected, uint64_t key_mask, Arena *arena)
{
    *terms = (Terms){.key_mask = key_mask, .arena = arena};
    make_slots(terms, power_of_two_above(expected * 2));
    reserve(terms, expected);
}

uint32_t terms_add(Terms *terms, uint64_t key)
{
    uint64_t kept = terms_masked(terms, key);
    TermSlot *slot = slot_of(terms, kept);
    uint32_t id;

    if (slot->key)
        return slot->id;
    assert(terms->count < TERM_NONE);
    if (terms->count == terms->capacity)
        reserve(terms, terms->capacity ? terms->capacity * 2 : 1024);
    id = (uint32_t)terms->count++;
    terms->keys[id] = kept;
    *slot = (TermSlot){kept, id};
    if (terms->count * 2 > terms->slot_mask)
        make_slots(terms, (terms->slot_mask + 1) * 2);
    return id;
}

TermCounter term_counter_in(Arena *arena)
{
    return (TermCounter){.arena = arena};
}

enum { SLOTS_PER_ITEM = 4 };

static void reserve_items(TermCounter *counter, size_t capacity)
{
    if (capacity <= counter->capacity)
        return;
    counter->capacity = capacity;
    counter->items = arena_array(counter->arena, TermCount, capacity + 1) + 1;
    counter->slots = arena_array(counter->arena, uint32_t, capacity * SLOTS_PER_ITEM);
}

/* The table is as large as this row needs, so that emptying it costs a short row little. */
void term_counter_start(TermCounter *counter, size_t most)
{
    size_t capacity = power_of_two_above(most);

    assert(most < UINT32_MAX);
    reserve_items(counter, capacity);
    counter->count = 0;
    counter->slot_mask = capacity * SLOTS_PER_ITEM - 1;
    memset(counter->slots, 0, capacity * SLOTS_PER_ITEM * sizeof(*counter->slots));
}

/* ---- few terms ---- */

/* Each id takes the next place with the number of all that are the same, and keeps it when none
 * before it was. groups: of 16 ids, 1, 2 or 4. */
static LANES_AVX2 ALWAYS_INLINE size_t count_in_groups(const uint32_t *ids, size_t count,
                                                       size_t groups, TermCount *items)
{
    const uint64_t all = UINT64_MAX >> (FEW_TERMS - count);
    size_t known = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t same = lanes_equal_ids(ids, ids[i]);

        if (groups > 1)
            same |= (uint64_t)lanes_equal_ids(ids + 16, ids[i]) << 16;
        if (groups > 2)
            same |= (uint64_t)lanes_equal_ids(ids + 32, ids[i]) << 32 |
                    (uint64_t)lanes_equal_ids(ids + 48, ids[i]) << 48;
        same &= all;
        items[known] = (TermCount){ids[i], (uint32_t)__builtin_popcountll(same)};
        known += ((same & ((UINT64_C(1) << i) - 1)) == 0) & (ids[i] != (uint32_t)TERM_NONE);
    }
    return known;
}

static LANES_AVX2 size_t count_few_avx2(const uint32_t *ids, size_t count, TermCount *items)
{
    if (count <= 16)
        return count_in_groups(ids, count, 1, items);
    if (count <= 32)
        return count_in_groups(ids, count, 2, items);
    return count_in_groups(ids, count, 4, items);
}

void term_counter_count_few(TermCounter *counter, LaneLevel level, const uint32_t *ids,
                            size_t count)
{
    assert(count <= FEW_TERMS);
    if (level != LANES_OF_ALL && count > 0) {
        reserve_items(counter, FEW_TERMS);
        counter->slot_mask = 0;
        counter->count = count_few_avx2(ids, count, counter->items);
        return;
    }
    term_counter_start(counter, count);
    for (size_t i = 0; i < count; i++)
        if (ids[i] != (uint32_t)TERM_NONE)
            term_counter_add(counter, ids[i]);
}

static size_t find_in_items(const TermCounter *counter, uint32_t id)
{
    for (size_t i = 0; i < counter->count; i++)
        if (counter->items[i].id == id)
            return i;
    return SIZE_MAX;
}

size_t term_counter_find(const TermCounter *counter, uint32_t id)
{
    uint32_t slot;

    if (!counter->slot_mask)
        return find_in_items(counter, id);
    slot = counter->count ? *term_counter_slot(counter, id) : 0;
    return slot ? slot - 1 : SIZE_MAX;
}
