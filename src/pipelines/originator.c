#include "pipelines/originator.h"

#include <string.h>

#include "access/identity.h"

/* ---- lists ---- */

static bool is_listed(const OriginatorList *list, const Originator *originator)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal(list->items[i].name, originator->name) &&
            strcmp(list->items[i].did, originator->did) == 0)
            return true;
    return false;
}

void originators_add(OriginatorList *list, Arena *arena, Originator originator)
{
    size_t size = originator.name ? strlen(originator.name) : 0;

    if (!size || size > ORIGINATOR_BYTES_MAX || !text_is_utf8(originator.name, size))
        originator.name = NULL;
    if (!is_listed(list, &originator))
        *arena_push(arena, list) = originator;
}

void originators_add_all(OriginatorList *list, Arena *arena, const OriginatorList *others)
{
    for (size_t i = 0; i < others->count; i++)
        originators_add(list, arena, others->items[i]);
}

void originators_add_caller(OriginatorList *list, const Scope *scope, const char *did)
{
    if (!text_equal(scope->principal.name, PRINCIPAL_SERVER))
        originators_add(list, scope->arena, (Originator){scope->principal.name, did});
}

/* ---- meaning ---- */

/* Of another system, where whoever has it may have chosen it. */
static bool is_foreign(const Originator *originator)
{
    return strcmp(originator->did, ORIGINATOR_PUSHED) == 0 ||
           strcmp(originator->did, ORIGINATOR_WRITTEN) == 0;
}

static bool resolve(Scope *scope, Originator *originator)
{
    bool is_foreign_name = is_foreign(originator);
    IdentityMeaning meaning;

    originator->principal = NULL;
    originator->is_known = false;
    if (!originator->name)
        return true;
    if (!is_foreign_name && strcmp(originator->name, PRINCIPAL_LOCAL) == 0) {
        originator->principal = PRINCIPAL_LOCAL;
        originator->is_known = true;
        return true;
    }
    if (!identity_resolve(scope, originator->name, &meaning))
        return false;
    originator->principal = meaning.principal;
    originator->is_known = meaning.principal && (meaning.is_set || !is_foreign_name);
    return true;
}

bool originators_resolve(Scope *scope, OriginatorList *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!resolve(scope, &list->items[i]))
            return false;
    return true;
}

bool originators_are_known(const OriginatorList *list)
{
    size_t known = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].did, ORIGINATOR_WRITTEN) == 0)
            continue;
        if (!list->items[i].is_known)
            return false;
        known++;
    }
    return known > 0;
}

const Originator *originators_find(const OriginatorList *list, const char *person)
{
    for (size_t i = 0; i < list->count; i++) {
        const Originator *one = &list->items[i];

        if (text_equal(one->principal ? one->principal : one->name, person))
            return one;
    }
    return NULL;
}

/* ---- as it is kept ---- */

void originators_write_json(JsonWriter *json, const char *key, const OriginatorList *list)
{
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", list->items[i].name);
        json_text(json, "did", list->items[i].did);
        json_text(json, "principal", list->items[i].principal);
        json_bool(json, "is_known", list->items[i].is_known);
        json_close(json);
    }
    json_close(json);
}

const char *originators_print(const OriginatorList *list, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    originators_write_json(json, NULL, list);
    return json_finish(json);
}

bool originators_parse(const char *text, Arena *arena, OriginatorList *list, Error *error)
{
    const JsonValue *array;

    if (!json_parse(text, strlen(text), arena, &array, error))
        return false;
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        *arena_push(arena, list) = (Originator){
            .name = json_as_text(json_member(walk.value, "name"), NULL),
            .did = json_as_text(json_member(walk.value, "did"), ORIGINATOR_STARTED),
            .principal = json_as_text(json_member(walk.value, "principal"), NULL),
            .is_known = json_as_bool(json_member(walk.value, "is_known"), false),
        };
    return true;
}
