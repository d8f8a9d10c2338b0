/* json_read.c: the reading half of json.h, on yyjson. */

#include <assert.h>
#include <string.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/lanes.h"

/* yyjson's readers take no const, though they change nothing. */
static yyjson_val *raw(const JsonValue *value)
{
    return (yyjson_val *)(uintptr_t)value;
}

enum { OPENER_BIT = 0x20 }; /* what '{' has and '[' has not */

static bool opens(char byte)
{
    return (byte | OPENER_BIT) == '{';
}

/* What opens less, in texts or outside, is not deep: this is soon known of most documents. */
static bool opens_more_than(const char *bytes, size_t size, size_t most)
{
    size_t count = 0;

    for (; size >= sizeof(uint64_t) && count <= most;
         bytes += sizeof(uint64_t), size -= sizeof(uint64_t))
        count += lanes_count_equal(lanes_eight(bytes) | LANE_EACH * OPENER_BIT, '{');
    for (; size && count <= most; bytes++, size--)
        count += opens(*bytes);
    return count > most;
}

static bool nests_deeper_than(const char *bytes, size_t size, size_t most)
{
    size_t depth = 0;
    bool in_text = false;

    for (size_t i = 0; i < size; i++) {
        char byte = bytes[i];

        if (in_text) {
            if (byte == '\\')
                i++;
            else if (byte == '"')
                in_text = false;
        } else if (byte == '"') {
            in_text = true;
        } else if (opens(byte)) {
            if (++depth > most)
                return true;
        } else if ((byte == '}' || byte == ']') && depth) {
            depth--;
        }
    }
    return false;
}

/* yyjson reads without recursion, so depth is ours to limit, before it allocates anything. */
static bool depth_is_allowed(const char *bytes, size_t size)
{
    return !opens_more_than(bytes, size, JSON_DEPTH_MAX) ||
           !nests_deeper_than(bytes, size, JSON_DEPTH_MAX);
}

static void *arena_malloc(void *arena, size_t size)
{
    return arena_take(arena, size);
}

static void *arena_realloc(void *arena, void *old, size_t old_size, size_t size)
{
    void *grown = arena_take(arena, size);

    memcpy(grown, old, old_size < size ? old_size : size);
    return grown;
}

static void arena_ignore_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static bool has_nul(const JsonValue *value)
{
    const char *text = yyjson_get_str(raw(value));

    return text && memchr(text, '\0', yyjson_get_len(raw(value)));
}

/* Texts with a NUL in them would be cut short by every reader. Only an escape can mean one. Values
 * of a document lie one behind another. */
static bool texts_are_whole(yyjson_doc *document, const char *bytes, size_t size)
{
    const JsonValue *value = document->root;

    if (!memchr(bytes, '\\', size))
        return true;
    for (size_t i = 0; i < document->val_read; i++)
        if (has_nul(value + i))
            return false;
    return true;
}

typedef struct Source {
    const char *bytes;
    size_t size;
    yyjson_read_flag flags;
} Source;

static bool parse(const Source *source, Arena *arena, const JsonValue **value, Error *error)
{
    const yyjson_alc allocator = {arena_malloc, arena_realloc, arena_ignore_free, arena};
    yyjson_read_err reason;
    yyjson_doc *document;

    if (!source->size)
        return fail(error, ERROR_INVALID, "the JSON document is empty");
    if (!depth_is_allowed(source->bytes, source->size))
        return fail(error, ERROR_INVALID, "the JSON is nested deeper than %d levels",
                    JSON_DEPTH_MAX);
    document = yyjson_read_opts((char *)(uintptr_t)source->bytes, source->size, source->flags,
                                &allocator, &reason);
    if (!document)
        return fail(error, ERROR_INVALID, "malformed JSON at byte %zu: %s", reason.pos, reason.msg);
    if (!texts_are_whole(document, source->bytes, source->size))
        return fail(error, ERROR_INVALID, "the JSON has a text with a NUL character in it");
    *value = yyjson_doc_get_root(document);
    return true;
}

bool json_parse(const char *bytes, size_t size, Arena *arena, const JsonValue **value, Error *error)
{
    return parse(&(Source){bytes, size, 0}, arena, value, error);
}

bool json_parse_python(const char *bytes, size_t size, Arena *arena, const JsonValue **value,
                       Error *error)
{
    return parse(&(Source){bytes, size, YYJSON_READ_ALLOW_INF_AND_NAN}, arena, value, error);
}

const JsonValue *json_member(const JsonValue *object, const char *key)
{
    return yyjson_obj_get(raw(object), key);
}

bool json_is_object(const JsonValue *value)
{
    return yyjson_is_obj(raw(value));
}

bool json_is_array(const JsonValue *value)
{
    return yyjson_is_arr(raw(value));
}

bool json_is_text(const JsonValue *value)
{
    return yyjson_is_str(raw(value));
}

bool json_is_number(const JsonValue *value)
{
    return yyjson_is_num(raw(value));
}

bool json_is_bool(const JsonValue *value)
{
    return yyjson_is_bool(raw(value));
}

bool json_is_null(const JsonValue *value)
{
    return !value || yyjson_is_null(raw(value));
}

const char *json_as_text(const JsonValue *value, const char *otherwise)
{
    return json_is_text(value) ? yyjson_get_str(raw(value)) : otherwise;
}

size_t json_text_size(const JsonValue *value)
{
    return json_is_text(value) ? yyjson_get_len(raw(value)) : 0;
}

int64_t json_as_int(const JsonValue *value, int64_t otherwise)
{
    if (yyjson_is_sint(raw(value)))
        return yyjson_get_sint(raw(value));
    if (yyjson_is_uint(raw(value)) && yyjson_get_uint(raw(value)) <= INT64_MAX)
        return (int64_t)yyjson_get_uint(raw(value));
    return otherwise;
}

double json_as_double(const JsonValue *value, double otherwise)
{
    return json_is_number(value) ? yyjson_get_num(raw(value)) : otherwise;
}

bool json_as_bool(const JsonValue *value, bool otherwise)
{
    return json_is_bool(value) ? yyjson_get_bool(raw(value)) : otherwise;
}

size_t json_count(const JsonValue *value)
{
    bool is_container = json_is_array(value) || json_is_object(value);

    return is_container ? yyjson_get_len(raw(value)) : 0;
}

JsonWalk json_walk(const JsonValue *container)
{
    JsonWalk walk = {.container_ = container, .left_ = json_count(container)};

    if (walk.left_)
        walk.next_ = container + 1;
    return walk;
}

bool json_walk_next(JsonWalk *walk)
{
    yyjson_val *next = raw(walk->next_);

    if (!walk->left_)
        return false;
    walk->index = json_count(walk->container_) - walk->left_--;
    walk->key = NULL;
    if (json_is_object(walk->container_)) {
        walk->key = yyjson_get_str(next);
        next++;
    }
    walk->value = next;
    walk->next_ = unsafe_yyjson_get_next(next);
    return true;
}

const char *json_print(const JsonValue *value, Arena *arena)
{
    const yyjson_alc allocator = {arena_malloc, arena_realloc, arena_ignore_free, arena};
    size_t size;

    return yyjson_val_write_opts(raw(value), 0, &allocator, &size, NULL);
}

static const struct {
    const char *name;
    const char *wanted;
} types[] = {
    [JSON_END] = {"", ""},
    [JSON_TEXT] = {"string", "a text"},
    [JSON_INT] = {"integer", "an integer"},
    [JSON_COUNT] = {"integer", "an integer from 1 on"},
    [JSON_NUMBER] = {"number", "a number"},
    [JSON_BOOL] = {"boolean", "true or false"},
    [JSON_ENUM] = {"string", "a word"},
    [JSON_TEXT_LIST] = {"array", "a list of texts"},
    [JSON_OBJECT] = {"object", "an object"},
    [JSON_ARRAY] = {"array", "a list"},
    [JSON_ANY] = {"", "a value"},
};

const char *json_type_name(JsonType type)
{
    return types[type].name;
}

static bool take_list(const JsonValue *value, TextList *list, Arena *arena)
{
    TextList taken = {0};

    if (!json_is_array(value))
        return false;
    for (JsonWalk walk = json_walk(value); json_walk_next(&walk);) {
        if (!json_is_text(walk.value))
            return false;
        *arena_push(arena, &taken) = json_as_text(walk.value, "");
    }
    *list = taken;
    return true;
}

static bool take_value(const JsonValue *value, JsonType type, void *target, Arena *arena)
{
    switch (type) {
    case JSON_TEXT:
    case JSON_ENUM:
        *(const char **)target = json_as_text(value, *(const char **)target);
        return json_is_text(value);
    case JSON_INT:
        *(int64_t *)target = json_as_int(value, 0);
        return json_as_int(value, 0) == json_as_int(value, 1); /* both defaults: not an integer */
    case JSON_COUNT:
        *(int64_t *)target = json_as_int(value, 0);
        return json_as_int(value, 0) >= 1;
    case JSON_NUMBER:
        *(double *)target = json_as_double(value, 0);
        return json_is_number(value);
    case JSON_BOOL:
        *(bool *)target = json_as_bool(value, false);
        return json_is_bool(value);
    case JSON_TEXT_LIST:
        return take_list(value, target, arena);
    case JSON_OBJECT:
        *(const JsonValue **)target = value;
        return json_is_object(value);
    case JSON_ARRAY:
        *(const JsonValue **)target = value;
        return json_is_array(value);
    case JSON_ANY:
        *(const JsonValue **)target = value;
        return true;
    case JSON_END:
        break;
    }
    return false;
}

static const JsonField *find_field(const JsonField fields[], const char *name)
{
    for (const JsonField *field = fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static bool check_members(const JsonValue *object, const JsonField fields[], Arena *arena,
                          Error *error)
{
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        const JsonField *field;
        TextList scratch = {0}; /* no smaller than any other target */

        assert(walk.key); /* it is an object */
        field = find_field(fields, walk.key);
        if (!field)
            return fail_field(error, walk.key, "unrecognized field \"%.100s\"", walk.key);
        if (json_member(object, walk.key) != walk.value)
            return fail_field(error, walk.key, "\"%s\" is given twice", walk.key);
        if (!json_is_null(walk.value) && !take_value(walk.value, field->type, &scratch, arena))
            return fail_field(error, walk.key, "\"%s\" must be %s", walk.key,
                              types[field->type].wanted);
    }
    for (const JsonField *field = fields; field->name; field++)
        if (field->need == JSON_REQUIRED && json_is_null(json_member(object, field->name)))
            return fail_field(error, field->name, "\"%s\" is missing", field->name);
    return true;
}

bool json_read_value(const JsonValue *object, const JsonField fields[], void *target, Arena *arena,
                     Error *error)
{
    if (!json_is_object(object))
        return fail(error, ERROR_INVALID, "it must be a JSON object");
    if (!check_members(object, fields, arena, error))
        return false;
    for (const JsonField *field = fields; field->name; field++) {
        const JsonValue *value = json_member(object, field->name);

        if (!json_is_null(value))
            take_value(value, field->type, (char *)target + field->offset, arena);
    }
    return true;
}

bool json_read(const char *bytes, size_t size, const JsonField fields[], void *target, Arena *arena,
               Error *error)
{
    static const JsonField no_fields[] = {{0}};
    const JsonValue *object;

    if (!size && !fields)
        return true;
    if (!json_parse(bytes, size, arena, &object, error))
        return false;
    if (!json_is_object(object))
        return fail(error, ERROR_INVALID, "the body must be a JSON object");
    return json_read_value(object, fields ? fields : no_fields, target, arena, error);
}
