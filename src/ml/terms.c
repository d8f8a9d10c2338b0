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

/* The table is as large as this row needs, so that emptying it costs a short row little. */
void term_counter_start(TermCounter *counter, size_t most)
{
    enum { SLOTS_PER_ITEM = 4 };
    size_t capacity = power_of_two_above(most), slot_bytes;

    assert(most < UINT32_MAX);
    slot_bytes = capacity * SLOTS_PER_ITEM * sizeof(*counter->slots);
    if (capacity > counter->capacity) {
        counter->capacity = capacity;
        counter->items = arena_array(counter->arena, TermCount, capacity + 1) + 1;
        counter->slots = arena_alloc(counter->arena, slot_bytes, 1);
    }
    counter->count = 0;
    counter->slot_mask = capacity * SLOTS_PER_ITEM - 1;
    memset(counter->slots, 0, slot_bytes);
}

size_t term_counter_find(const TermCounter *counter, uint32_t id)
{
    uint32_t slot = counter->count ? *term_counter_slot(counter, id) : 0;

    return slot ? slot - 1 : SIZE_MAX;
}
