#include "tracking/param.h"

#include <string.h>
#include <utf8proc.h>

#include "base/file.h"

size_t text_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool is_letter_or_digit(utf8proc_int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);

    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static bool has_key_characters(const char *key)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)key;

    while (*at) {
        utf8proc_int32_t code = 0;
        utf8proc_ssize_t length = utf8proc_iterate(at, -1, &code);

        if (length <= 0 || (!is_letter_or_digit(code) && (code > 127 || !strchr("_-. :/", code))))
            return false;
        at += length;
    }
    return true;
}

bool key_check(const char *what, const char *key, Error *error)
{
    if (!key || !*key || text_characters(key) > KEY_CHARACTERS_MAX)
        return fail_field(error, what, "a %s key has 1 to %d characters", what, KEY_CHARACTERS_MAX);
    if (!has_key_characters(key))
        return fail_field(
            error, what,
            "a %s key has letters, digits, \"_\", \"-\", \".\", \" \", \":\" and \"/\" "
            "only",
            what);
    if (!path_is_inside(key))
        return fail_field(error, what,
                          "a %s key with \"/\" is a plain relative path, without \".\" and \"..\" "
                          "parts",
                          what);
    return true;
}

bool param_check(const char *what, const Param *param, size_t value_characters_max, Error *error)
{
    if (!key_check(what, param->key, error))
        return false;
    if (text_characters(param->value) > value_characters_max)
        return fail_field(error, what, "the value of a %s has at most %zu characters", what,
                          value_characters_max);
    return true;
}

bool param_list_check(const char *what, const ParamList *list, size_t value_characters_max,
                      Error *error)
{
    for (size_t i = 0; i < list->count; i++)
        if (!param_check(what, &list->items[i], value_characters_max, error))
            return false;
    return true;
}

const char *param_find(const ParamList *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].key, key) == 0)
            return list->items[i].value;
    return NULL;
}

bool param_list_read(const JsonValue *object, const char *field, Arena *arena, ParamList *list,
                     Error *error)
{
    ParamList taken = {0};

    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        bool is_plain = json_is_number(walk.value) || json_is_bool(walk.value);

        if (!is_plain && !json_is_text(walk.value))
            return fail_field(error, field, "a value in \"%s\" is a text, a number, true or false",
                              field);
        *arena_push(arena, &taken) = (Param){
            .key = walk.key,
            .value = is_plain ? json_print(walk.value, arena) : json_as_text(walk.value, ""),
        };
    }
    *list = taken;
    return true;
}

bool param_list_from_rows(Query *query, Arena *arena, ParamList *list, Error *error)
{
    ParamList taken = {0};

    while (query_next(query))
        *arena_push(arena, &taken) =
            (Param){query_text(query, 0, arena), query_text(query, 1, arena)};
    if (!query_end(query, error))
        return false;
    *list = taken;
    return true;
}

void param_list_write_json(JsonWriter *json, const char *key, const ParamList *list)
{
    json_open_object(json, key);
    for (size_t i = 0; i < list->count; i++)
        json_text(json, list->items[i].key, list->items[i].value);
    json_close(json);
}
