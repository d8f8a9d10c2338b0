#include "plan/name_index.h"

#include <stdlib.h>
#include <string.h>

typedef struct NameIndexEntry {
    const char *name;
    size_t place;
} NameIndexEntry;

static int compare_entries(const void *a, const void *b)
{
    const NameIndexEntry *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order ? order : (left->place > right->place) - (left->place < right->place);
}

NameIndex name_index_create(const TextList *names, Arena *arena)
{
    NameIndexEntry *entries = arena_array(arena, NameIndexEntry, names->count + 1);

    for (size_t i = 0; i < names->count; i++)
        entries[i] = (NameIndexEntry){names->items[i], i};
    qsort(entries, names->count, sizeof(*entries), compare_entries);
    return (NameIndex){entries, names->count};
}

bool name_index_find(const NameIndex *index, const char *name, size_t *place)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(index->items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->count || strcmp(index->items[low].name, name) != 0)
        return false;
    *place = index->items[low].place;
    return true;
}

bool name_index_twice(const NameIndex *index, size_t *first, size_t *second)
{
    for (size_t i = 1; i < index->count; i++) {
        if (strcmp(index->items[i - 1].name, index->items[i].name) != 0)
            continue;
        *first = index->items[i - 1].place;
        *second = index->items[i].place;
        return true;
    }
    return false;
}
