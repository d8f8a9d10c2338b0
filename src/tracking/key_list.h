/* key_list.h: "WHERE run_key IN ($1, $2, ...)" for the rows of one page at once.
 *
 *     KeyList keys = key_list_create(arena, 0, count);
 *     ... key_list_set(&keys, i, runs[i]->key);
 *     query = key_list_query(&keys, db, "SELECT ... WHERE run_key IN ? ORDER BY run_key", arena);
 */
#pragma once

#include "store/db.h"

enum { KEY_LIST_MAX = 1000 };

typedef struct KeyList {
    DbValue *values; /* [0] is db_query_values()'s dummy; then the others, then the keys */
    size_t others;   /* $1, $2 ... of the statement besides the keys, set by the caller */
    size_t count;
} KeyList;

/* count: 1 to KEY_LIST_MAX. */
KeyList key_list_create(Arena *arena, size_t others, size_t count);
void key_list_set(KeyList *keys, size_t index, int64_t key);

/* sql with the list in place of each "?". */
Query key_list_query(const KeyList *keys, Db *db, const char *sql, Arena *arena);
