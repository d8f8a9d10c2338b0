/* name_index.h: which of many has a name. */
#pragma once

#include "base/text.h"

typedef struct NameIndex {
    const struct NameIndexEntry *items; /* sorted by name */
    size_t count;
} NameIndex;

/* names: in their places; the texts must stay. */
NameIndex name_index_create(const TextList *names, Arena *arena);

/* Of several with this name, the first. */
bool name_index_find(const NameIndex *index, const char *name, size_t *place) MUST_CHECK;

/* A place whose name is there before, too; false when all names differ. */
bool name_index_twice(const NameIndex *index, size_t *first, size_t *second);
