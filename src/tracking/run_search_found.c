/* run_search_found.c: the order of runs, and the best of those that were found. */

#include <stdlib.h>
#include <string.h>

#include "tracking/run_search_internal.h"

void key_set_add(KeySet *set, int64_t key, Arena *arena)
{
    size_t at;

    if (set->count * 2 >= set->capacity) {
        KeySet grown = {.capacity = set->capacity ? set->capacity * 2 : 1024};

        grown.slots = arena_array(arena, int64_t, grown.capacity);
        for (size_t i = 0; i < set->capacity; i++)
            if (set->slots[i])
                key_set_add(&grown, set->slots[i], arena);
        *set = grown;
    }
    at = ((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (set->capacity - 1);
    while (set->slots[at] && set->slots[at] != key)
        at = (at + 1) & (set->capacity - 1);
    set->count += !set->slots[at];
    set->slots[at] = key;
}

KeySet key_set_of(const int64_t *keys, size_t count, Arena *arena)
{
    KeySet set = {.capacity = 1024};

    while (set.capacity < count * 2 + 2)
        set.capacity *= 2;
    set.slots = arena_array(arena, int64_t, set.capacity);
    for (size_t i = 0; i < count; i++)
        key_set_add(&set, keys[i], arena);
    return set;
}

bool key_set_has(const KeySet *set, int64_t key)
{
    size_t at = ((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (set->capacity - 1);

    if (!set->capacity)
        return false;
    while (set->slots[at] && set->slots[at] != key)
        at = (at + 1) & (set->capacity - 1);
    return set->slots[at] == key;
}

static int compare_values(const OrderValue *a, const OrderValue *b, bool is_descending)
{
    int order;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank != RANK_VALUE)
        return 0;
    order = a->text ? strcmp(a->text, b->text) : (a->number > b->number) - (a->number < b->number);
    return is_descending ? -order : order;
}

int searcher_compare(const Searcher *searcher, const Candidate *a, const Candidate *b)
{
    for (size_t i = 0; i < searcher->orders.count; i++) {
        int order =
            compare_values(&a->values[i], &b->values[i], searcher->orders.items[i].is_descending);

        if (order)
            return order;
    }
    if (a->started_at != b->started_at)
        return a->started_at > b->started_at ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int compare_items(const void *a, const void *b, void *searcher)
{
    return searcher_compare(searcher, a, b);
}

void found_create(Searcher *searcher, size_t wanted)
{
    Found found = {
        .item_size = sizeof(Candidate) + searcher->orders.count * sizeof(OrderValue),
        .wanted = wanted,
    };

    searcher->found = found;
    searcher->worst = arena_alloc(searcher->scope->arena, 1, found.item_size);
}

Candidate *found_item(const Found *found, size_t index)
{
    return (Candidate *)(void *)(found->items + index * found->item_size);
}

void found_sort(Searcher *searcher)
{
    Found *found = &searcher->found;

    if (!found->count)
        return;
    qsort_r(found->items, found->count, found->item_size, compare_items, searcher);
    found->is_full = found->count >= found->wanted;
    if (found->is_full)
        found->count = found->wanted;
}

static void make_room(Searcher *searcher)
{
    Found *found = &searcher->found;
    size_t capacity = found->capacity ? found->capacity * 2 : 256;
    char *items;

    if (found->count < found->capacity)
        return;
    if (capacity > found->wanted * 2 + 256)
        capacity = found->wanted * 2 + 256;
    if (capacity == found->capacity) {
        found_sort(searcher);
        return;
    }
    items = arena_alloc(searcher->scope->arena, capacity, found->item_size);
    if (found->count)
        memcpy(items, found->items, found->count * found->item_size);
    found->items = items;
    found->capacity = capacity;
}

/* What comes behind the worst of a walk in order does not matter, once there is enough. */
static void take_worst(Searcher *searcher, const Candidate *candidate)
{
    searcher->matched++;
    if (!searcher->keeps_worst)
        return;
    if (searcher->matched == 1 || searcher_compare(searcher, candidate, searcher->worst) > 0)
        memcpy(searcher->worst, candidate, searcher->found.item_size);
}

void found_add(Searcher *searcher, const Candidate *candidate)
{
    Found *found = &searcher->found;
    Candidate *copy;

    if (searcher->after && searcher_compare(searcher, candidate, searcher->after) <= 0)
        return;
    if (found->is_full &&
        searcher_compare(searcher, candidate, found_item(found, found->wanted - 1)) > 0) {
        take_worst(searcher, candidate);
        return;
    }
    make_room(searcher);
    copy = found_item(found, found->count++);
    memcpy(copy, candidate, found->item_size);
    for (size_t i = 0; i < searcher->orders.count; i++)
        copy->values[i].text = arena_text(searcher->scope->arena, candidate->values[i].text);
    take_worst(searcher, copy);
}

void found_drop(Searcher *searcher, const OrderValue *first)
{
    Found *found = &searcher->found;
    size_t kept = 0;

    for (size_t i = 0; i < found->count; i++) {
        const Candidate *item = found_item(found, i);

        if (item->experiment_id == searcher->experiment_id &&
            (!first ||
             (item->values[0].rank == first->rank && item->values[0].number == first->number)))
            continue;
        memmove(found_item(found, kept++), item, found->item_size);
    }
    found->count = kept;
    found->is_full = false;
}
