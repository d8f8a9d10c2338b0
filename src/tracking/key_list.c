#include "tracking/key_list.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

KeyList key_list_create(Arena *arena, size_t others, size_t count)
{
    assert(count >= 1 && count <= KEY_LIST_MAX);
    return (KeyList){arena_array(arena, DbValue, 1 + others + count), others, count};
}

void key_list_set(KeyList *keys, size_t index, int64_t key)
{
    keys->values[1 + keys->others + index] = db_int(key);
}

static void append_list(TextBuilder *sql, const KeyList *keys)
{
    text_append(sql, "(");
    for (size_t i = 1; i <= keys->count; i++) {
        text_append(sql, i > 1 ? ", $" : "$");
        text_append_int(sql, (int64_t)(keys->others + i));
    }
    text_append(sql, ")");
}

Query key_list_query(const KeyList *keys, Db *db, const char *sql, Arena *arena)
{
    TextBuilder built = {.arena = arena};

    for (const char *hole = strchr(sql, '?'); hole; hole = strchr(sql, '?')) {
        text_append_bytes(&built, sql, (size_t)(hole - sql));
        append_list(&built, keys);
        sql = hole + 1;
    }
    text_append(&built, sql);
    return db_query_values(db, text_built(&built), keys->values, 1 + keys->others + keys->count);
}
