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

void term_counter_start(TermCounter *counter, size_t most)
{
    counter->count = 0;
    counter->turn++;
    if (most <= counter->capacity && counter->turn)
        return;
    if (most < counter->capacity) /* 2^32 rows later the turns start again on a clean table */
        most = counter->capacity;
    counter->capacity = power_of_two_above(most);
    counter->items = arena_array(counter->arena, TermCount, counter->capacity);
    counter->slots =
        arena_alloc(counter->arena, counter->capacity * 2, sizeof(struct TermCounterSlot));
    counter->slot_mask = counter->capacity * 2 - 1;
    counter->turn = 1;
}

size_t term_counter_find(const TermCounter *counter, uint32_t id)
{
    const struct TermCounterSlot *slot;

    if (counter->count == 0)
        return SIZE_MAX;
    slot = term_counter_slot(counter, id);
    return slot->turn == counter->turn ? slot->position : SIZE_MAX;
}
