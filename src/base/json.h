/* json.h: JSON in and out.
 *
 * Out: a JsonWriter appends to a growing text, so a whole document is written
 * without a check and finished with one. Braces after an open call are only
 * for the eye:
 *
 *     json_open_object(json, NULL);
 *     {
 *         json_text(json, "name", experiment->name);
 *         json_int(json, "run_count", experiment->run_count);
 *     }
 *     json_close(json);
 *
 * In: a table of JsonFields says which members an object may have and where each lands in a struct;
 * an unknown, missing, repeated or mistyped member is an error that names it. The same table feeds
 * OpenAPI and the command line's help. Parsing is yyjson's; nesting is limited to JSON_DEPTH_MAX
 * and texts hold no NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

enum {
    JSON_DEPTH_MAX = 64,        /* of what is read */
    JSON_WRITE_DEPTH_MAX = 256, /* of what is written */
};

typedef struct JsonWriter JsonWriter;

JsonWriter *json_writer_create(Arena *arena);
void json_open_object(JsonWriter *json, const char *key);
void json_open_array(JsonWriter *json, const char *key);
void json_close(JsonWriter *json);
void json_text(JsonWriter *json, const char *key, const char *value);       /* NULL: null */
void json_texts(JsonWriter *json, const char *key, const TextList *values); /* an array */
void json_bytes(JsonWriter *json, const char *key, const char *bytes,
                size_t size); /* UTF-8; else U+FFFD */
void json_int(JsonWriter *json, const char *key, int64_t value);
void json_double(JsonWriter *json, const char *key,
                 double value); /* shortest that reads back equal; NaN, Inf: null */
void json_bool(JsonWriter *json, const char *key, bool value);
void json_null(JsonWriter *json, const char *key);
void json_time(JsonWriter *json, const char *key, int64_t time_ms); /* RFC 3339; 0: null */
void json_raw(JsonWriter *json, const char *key,
              const char *document); /* a finished document; NULL: null */
const char *json_finish(JsonWriter *json);
size_t json_size(const JsonWriter *json);

/* A parsed value. Absent values are NULL and every accessor takes NULL. */
typedef struct yyjson_val JsonValue;

/* Reads one document; text values live in the arena. */
bool json_parse(const char *bytes, size_t size, Arena *arena, const JsonValue **value,
                Error *error) MUST_CHECK;

/* The same of what Python writes: NaN, Infinity and -Infinity are numbers, too. */
bool json_parse_python(const char *bytes, size_t size, Arena *arena, const JsonValue **value,
                       Error *error) MUST_CHECK;

const JsonValue *json_member(const JsonValue *object, const char *key);
bool json_is_object(const JsonValue *value);
bool json_is_array(const JsonValue *value);
bool json_is_text(const JsonValue *value);
bool json_is_number(const JsonValue *value);
bool json_is_bool(const JsonValue *value);
bool json_is_null(const JsonValue *value); /* null or absent */
const char *json_as_text(const JsonValue *value, const char *otherwise);
size_t json_text_size(const JsonValue *value);
int64_t json_as_int(const JsonValue *value, int64_t otherwise);
double json_as_double(const JsonValue *value, double otherwise);
bool json_as_bool(const JsonValue *value, bool otherwise);
size_t json_count(const JsonValue *value); /* of members or items */

/* for (JsonWalk walk = json_walk(value); json_walk_next(&walk);) walk.key (objects), walk.value */
typedef struct JsonWalk {
    const JsonValue *value;
    const char *key;
    size_t index;
    const JsonValue *next_, *container_; /* private */
    size_t left_;
} JsonWalk;

JsonWalk json_walk(const JsonValue *container);
bool json_walk_next(JsonWalk *walk);

/* The document again, as JSON text. */
const char *json_print(const JsonValue *value, Arena *arena);

typedef enum JsonType {
    JSON_END,
    JSON_TEXT,      /* const char * */
    JSON_INT,       /* int64_t */
    JSON_COUNT,     /* int64_t, 1 or more */
    JSON_NUMBER,    /* double */
    JSON_BOOL,      /* bool */
    JSON_ENUM,      /* const char *: one of some words; for MLflow also its number, as digits */
    JSON_TEXT_LIST, /* TextList */
    JSON_OBJECT,    /* const JsonValue *: any object */
    JSON_ARRAY,     /* const JsonValue *: any array */
    JSON_ANY,       /* const JsonValue * */
} JsonType;

typedef enum JsonNeed { JSON_OPTIONAL, JSON_REQUIRED } JsonNeed;

typedef struct JsonField {
    const char *name;
    JsonType type;
    size_t offset; /* of the member it fills */
    JsonNeed need;
    const char *summary; /* what it means, for OpenAPI and help */
} JsonField;

/* Fills target by the table; members not sent (or sent as null) are left as they are, and so is all
 * of it on a failure. fields NULL: no member is allowed, and an empty body is fine. */
bool json_read(const char *bytes, size_t size, const JsonField fields[], void *target, Arena *arena,
               Error *error) MUST_CHECK;
bool json_read_value(const JsonValue *object, const JsonField fields[], void *target, Arena *arena,
                     Error *error) MUST_CHECK;

/* "text", "integer", "number", ... as OpenAPI's type and format names say it. */
const char *json_type_name(JsonType type);
