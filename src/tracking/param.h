/* param.h: named texts: the parameters of a run, and the tags of anything.
 *
 * The limits are MLflow's, so that what its clients send is taken. A key has 1 to 250 characters:
 * letters and digits of any script, "_", "-", ".", " ", ":" and "/", where "/" parts it like a
 * plain relative path. A list that comes from the store is sorted by key.
 */
#pragma once

#include "base/json.h"
#include "store/db.h"

enum {
    KEY_CHARACTERS_MAX = 250,
    PARAM_CHARACTERS_MAX = 6000,
    TAG_CHARACTERS_MAX = 8000,
    EXPERIMENT_TAG_CHARACTERS_MAX = 5000,
    MODEL_TAG_CHARACTERS_MAX = 100000,
};

typedef struct Param {
    const char *key, *value;
} Param;

typedef struct ParamList {
    Param *items;
    size_t count;
} ParamList; /* tags too */

/* what: "metric", "param", "tag", for the message. */
bool key_check(const char *what, const char *key, Error *error) MUST_CHECK;
bool param_check(const char *what, const Param *param, size_t value_characters_max,
                 Error *error) MUST_CHECK;
bool param_list_check(const char *what, const ParamList *list, size_t value_characters_max,
                      Error *error) MUST_CHECK;

/* Code points of a UTF-8 text. */
size_t text_characters(const char *text);

/* The value behind a key, or NULL. */
const char *param_find(const ParamList *list, const char *key);

/* Reads {"C": 1.0, "kernel": "rbf", "shuffle": true}: numbers and booleans as JSON writes them.
 * object NULL: an empty list. */
bool param_list_read(const JsonValue *object, const char *field, Arena *arena, ParamList *list,
                     Error *error) MUST_CHECK;

/* Collects the rows of a query whose first columns are key and value. */
bool param_list_from_rows(Query *query, Arena *arena, ParamList *list, Error *error) MUST_CHECK;

/* As an object. */
void param_list_write_json(JsonWriter *json, const char *key, const ParamList *list);
