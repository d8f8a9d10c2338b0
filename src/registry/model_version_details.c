/* model_version_details.c: the tags and aliases of many versions, a chunk of them at a time. */

#include <stdlib.h>

#include "registry/model_internal.h"
#include "store/statement.h"

enum { CHUNK = 500 };

/* The versions of one turn, sorted by id, so that a detail finds its version. */
typedef struct Turn {
    ModelVersion **versions;
    int64_t *ids;
    size_t count;
} Turn;

static int compare_versions(const void *left, const void *right)
{
    const ModelVersion *a = *(ModelVersion *const *)left, *b = *(ModelVersion *const *)right;

    return (a->id > b->id) - (a->id < b->id);
}

static Turn turn_create(Arena *arena, ModelVersion *versions, size_t count)
{
    Turn turn = {arena_array(arena, ModelVersion *, count), arena_array(arena, int64_t, count),
                 count};

    for (size_t i = 0; i < count; i++)
        turn.versions[i] = &versions[i];
    qsort(turn.versions, count, sizeof(ModelVersion *), compare_versions);
    for (size_t i = 0; i < count; i++)
        turn.ids[i] = turn.versions[i]->id;
    return turn;
}

static void take_tag(ModelVersion *version, const Query *query, Arena *arena)
{
    *arena_push(arena, &version->tags) =
        (Param){query_text(query, 1, arena), query_text(query, 2, arena)};
}

static void take_alias(ModelVersion *version, const Query *query, Arena *arena)
{
    text_list_add(&version->aliases, arena, query_text(query, 1, arena));
}

/* Each select gives the version's id first, and is ordered by it. */
static const struct {
    const char *before, *after;
    void (*take)(ModelVersion *version, const Query *query, Arena *arena);
} details[] = {
    {"SELECT model_version_id, key, value FROM model_version_tags WHERE model_version_id IN ",
     " ORDER BY model_version_id, key", take_tag},
    {"SELECT v.id, alias FROM model_versions v"
     "  JOIN model_aliases a ON a.model_id = v.model_id AND a.version = v.version WHERE v.id IN ",
     " ORDER BY v.id, alias", take_alias},
};

static bool load_detail(Scope *scope, const Turn *turn, size_t which)
{
    Statement statement = statement_create(scope->arena);
    size_t at = 0;

    statement_add(&statement, details[which].before);
    statement_add_integers(&statement, turn->ids, turn->count);
    statement_add(&statement, details[which].after);

    CLEANUP(query_finalize) Query query = statement_query(&statement, scope->db);

    while (query_next(&query)) {
        while (turn->ids[at] < query_int(&query, 0))
            at++;
        details[which].take(turn->versions[at], &query, scope->arena);
    }
    return query_end(&query, &scope->error);
}

bool model_version_load_details(Scope *scope, ModelVersionList *list)
{
    for (size_t start = 0; start < list->count; start += CHUNK) {
        size_t left = list->count - start;
        Turn turn = turn_create(scope->arena, list->items + start, left < CHUNK ? left : CHUNK);

        for (size_t i = 0; i < COUNT(details); i++)
            if (!load_detail(scope, &turn, i))
                return false;
    }
    return true;
}
