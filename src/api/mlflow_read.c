/* mlflow_read.c: requests of MLflow's clients, by tables of fields. */

#include <math.h>
#include <string.h>
#include <strings.h>

#include "api/mlflow.h"

/* Two of these texts are matched by tests of clients. */
#define MISSING_FORMAT                                                                             \
    "Missing value for required parameter '%s%s'. See the API docs for more information about "    \
    "request parameters."
#define WRONG_FORMAT "Invalid value %s for parameter '%s%s' supplied: it must be %s"

/* Where a field is: "metrics[3]." and "name". */
typedef struct Place {
    const char *prefix;
    const JsonField *field;
} Place;

static const char *wanted(JsonType type)
{
    static const char *const words[] = {
        [JSON_TEXT] = "a text",
        [JSON_ENUM] = "a name or its number",
        [JSON_INT] = "an integer",
        [JSON_COUNT] = "an integer from 1 on",
        [JSON_NUMBER] = "a number",
        [JSON_BOOL] = "'true' or 'false'",
        [JSON_TEXT_LIST] = "a list of texts",
        [JSON_OBJECT] = "an object",
        [JSON_ARRAY] = "a list",
        [JSON_ANY] = "a value",
    };

    return words[type];
}

static bool fail_missing(Scope *scope, Place place)
{
    return fail(&scope->error, ERROR_INVALID, MISSING_FORMAT, place.prefix, place.field->name);
}

/* given NULL: NaN, which JSON cannot print. */
static bool fail_wrong(Scope *scope, Place place, const char *given)
{
    const char *shown = given ? given : "NaN";

    return fail(&scope->error, ERROR_INVALID, WRONG_FORMAT,
                strlen(shown) <= 100 ? shown : "(a long one)", place.prefix, place.field->name,
                wanted(place.field->type));
}

/* ---- scalars ---- */

static bool number_of_text(const char *text, double *number)
{
    static const struct {
        const char *text;
        double value;
    } words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcasecmp(text, words[i].text) != 0)
            continue;
        *number = words[i].value;
        return true;
    }
    return text_to_double(text, number);
}

/* 2.0 is an integer, too. */
static bool integer_of_number(double number, int64_t *integer)
{
    if (!(fabs(number) < 9007199254740992.0) || number != floor(number))
        return false;
    *integer = (int64_t)number;
    return true;
}

static bool integer_of_text(const char *text, int64_t *integer)
{
    double number = 0;

    return text_to_int(text, integer) ||
           (text_to_double(text, &number) && integer_of_number(number, integer));
}

static bool bool_of_text(const char *text, bool *value)
{
    *value = strcasecmp(text, "true") == 0;
    return *value || strcasecmp(text, "false") == 0;
}

static bool take_text(const char *text, JsonType type, void *target)
{
    switch (type) {
    case JSON_TEXT:
    case JSON_ENUM:
        *(const char **)target = text;
        return text_is_utf8(text, strlen(text));
    case JSON_INT:
        return integer_of_text(text, target);
    case JSON_COUNT:
        return integer_of_text(text, target) && *(int64_t *)target >= 1;
    case JSON_NUMBER:
        return number_of_text(text, target);
    case JSON_BOOL:
        return bool_of_text(text, target);
    default:
        return false;
    }
}

static bool take_integer(const JsonValue *value, int64_t *integer)
{
    *integer = json_as_int(value, 0);
    return json_as_int(value, 0) == json_as_int(value, 1) ||
           (json_is_number(value) && integer_of_number(json_as_double(value, 0), integer));
}

static bool take_texts(const JsonValue *value, TextList *list, Arena *arena)
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
    if (json_is_text(value) && type < JSON_TEXT_LIST)
        return take_text(json_as_text(value, ""), type, target);
    switch (type) {
    case JSON_ENUM:
        *(const char **)target = json_print(value, arena);
        return json_is_number(value);
    case JSON_INT:
        return take_integer(value, target);
    case JSON_COUNT:
        return take_integer(value, target) && *(int64_t *)target >= 1;
    case JSON_NUMBER:
        *(double *)target = json_as_double(value, 0);
        return json_is_number(value);
    case JSON_BOOL:
        *(bool *)target = json_as_bool(value, false);
        return json_is_bool(value);
    case JSON_TEXT_LIST:
        return take_texts(value, target, arena);
    default:
        *(const JsonValue **)target = value;
        return (type == JSON_OBJECT && json_is_object(value)) ||
               (type == JSON_ARRAY && json_is_array(value)) || type == JSON_ANY;
    }
}

/* ---- objects and queries ---- */

static bool is_absent(const JsonValue *value, const JsonField *field)
{
    return json_is_null(value) ||
           (field->need == JSON_REQUIRED && json_is_text(value) && json_text_size(value) == 0);
}

static bool read_object(Scope *scope, const JsonValue *object, const char *prefix,
                        const JsonField fields[], void *target)
{
    for (const JsonField *field = fields; field->name; field++) {
        const JsonValue *value = json_member(object, field->name);
        Place place = {prefix, field};

        if (is_absent(value, field)) {
            if (field->need == JSON_REQUIRED)
                return fail_missing(scope, place);
            continue;
        }
        if (!take_value(value, field->type, (char *)target + field->offset, scope->arena))
            return fail_wrong(scope, place, json_print(value, scope->arena));
    }
    return true;
}

static bool take_repeated(Scope *scope, const HttpPairList *query, Place place, void *target)
{
    TextList *list = target;

    for (size_t i = 0; i < query->count; i++) {
        const HttpPair *pair = &query->items[i];

        if (strcmp(pair->name, place.field->name) != 0)
            continue;
        if (!text_is_utf8(pair->value, strlen(pair->value)))
            return fail_wrong(scope, place, "(not UTF-8)");
        *arena_push(scope->arena, list) = pair->value;
    }
    return true;
}

static const char *query_value(const HttpPairList *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->items[i].name, name) == 0)
            return query->items[i].value;
    return NULL;
}

static bool read_query(Scope *scope, const HttpPairList *query, const JsonField fields[],
                       void *target)
{
    for (const JsonField *field = fields; field->name; field++) {
        const char *value = query_value(query, field->name);
        void *at = (char *)target + field->offset;
        Place place = {"", field};

        if (!value || (!*value && field->need == JSON_REQUIRED)) {
            if (field->need == JSON_REQUIRED)
                return fail_missing(scope, place);
            continue;
        }
        if (field->type == JSON_TEXT_LIST) {
            if (!take_repeated(scope, query, place, at))
                return false;
        } else if (!take_text(value, field->type, at)) {
            return fail_wrong(scope, place, text_is_utf8(value, strlen(value)) ? value : "(bytes)");
        }
    }
    return true;
}

/* Pages of other origins may send forms and plain texts without being asked; JSON they may not. */
static bool check_content_type(Scope *scope, const Request *request)
{
    const char *type = request->content_type;
    size_t length = type ? strcspn(type, "; ") : 0;

    if (strcmp(request->method, "POST") != 0 && strcmp(request->method, "PUT") != 0)
        return true;
    return (length == strlen("application/json") &&
            strncasecmp(type, "application/json", length) == 0) ||
           fail(&scope->error, ERROR_INVALID,
                "Bad Request. Content-Type must be one of ['application/json'].");
}

static bool read_body(Scope *scope, const Request *request, const JsonValue **object)
{
    const JsonValue *value = NULL;
    const char *inner;

    if (!request->body_size)
        return true;
    if (!json_parse_python(request->body, request->body_size, scope->arena, &value, &scope->error))
        return false;
    inner = json_as_text(value, NULL);
    if (inner &&
        !json_parse_python(inner, json_text_size(value), scope->arena, &value, &scope->error))
        return false;
    *object = value;
    return json_is_object(value) || json_is_null(value) ||
           fail(&scope->error, ERROR_INVALID, "the body must be a JSON object");
}

bool mlflow_read(Scope *scope, const Request *request, const JsonField fields[], void *target)
{
    const JsonValue *object = NULL;

    if (strcmp(request->method, "GET") == 0 && request->query.count)
        return read_query(scope, &request->query, fields, target);
    return check_content_type(scope, request) && read_body(scope, request, &object) &&
           read_object(scope, object, "", fields, target);
}

bool mlflow_read_query(Scope *scope, const Request *request, const JsonField fields[], void *target)
{
    return read_query(scope, &request->query, fields, target);
}

bool mlflow_read_item(Scope *scope, const JsonValue *item, const char *path,
                      const JsonField fields[], void *target)
{
    if (!json_is_object(item))
        return fail(&scope->error, ERROR_INVALID, "Invalid value for parameter '%s' supplied: %s",
                    path, "it must be an object");
    return read_object(scope, item, arena_format(scope->arena, "%s.", path), fields, target);
}

/* ---- what several routes take ---- */

bool mlflow_require_run_id(Scope *scope, const char **run_id, const char *run_uuid)
{
    static const JsonField field = {"run_id", JSON_TEXT, 0, JSON_REQUIRED, ""};

    if (!*run_id || !**run_id)
        *run_id = run_uuid;
    return (*run_id && **run_id) || fail_missing(scope, (Place){"", &field});
}

bool mlflow_read_pairs(Scope *scope, const JsonValue *array, const char *field, ParamList *list)
{
    static const JsonField fields[] = {
        {"key", JSON_TEXT, offsetof(Param, key), JSON_REQUIRED, ""},
        {"value", JSON_TEXT, offsetof(Param, value), JSON_OPTIONAL, ""},
        {0},
    };
    ParamList taken = {0};

    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        Param pair = {.value = ""};
        const char *path = arena_format(scope->arena, "%s[%zu]", field, walk.index);

        if (!mlflow_read_item(scope, walk.value, path, fields, &pair))
            return false;
        *arena_push(scope->arena, &taken) = pair;
    }
    *list = taken;
    return true;
}

bool mlflow_find_word(const char *given, const char *const words[], size_t count, size_t *index)
{
    int64_t number = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(given, words[i]) != 0)
            continue;
        *index = i;
        return true;
    }
    if (!text_to_int(given, &number) || number < 1 || (size_t)number > count)
        return false;
    *index = (size_t)number - 1;
    return true;
}

bool mlflow_read_view(Scope *scope, const char *given, RunLife *life)
{
    static const char *const words[] = {"ACTIVE_ONLY", "DELETED_ONLY", "ALL"};
    static const RunLife lives[] = {RUN_LIFE_ACTIVE, RUN_LIFE_DELETED, RUN_LIFE_ALL};
    size_t index = 0;

    if (given && !mlflow_find_word(given, words, COUNT(words), &index))
        return fail(&scope->error, ERROR_INVALID,
                    "a view type is ACTIVE_ONLY, DELETED_ONLY or ALL");
    *life = lives[index];
    return true;
}

bool mlflow_read_experiment_id(Scope *scope, const char *given, int64_t *id)
{
    return text_to_int(given, id) ||
           fail(&scope->error, ERROR_INVALID,
                "Invalid experiment ID: '%.100s'; it must be an integer", given);
}

bool mlflow_read_experiment_ids(Scope *scope, const TextList *given, int64_t **ids)
{
    int64_t *read = arena_array(scope->arena, int64_t, given->count + 1);

    for (size_t i = 0; i < given->count; i++)
        if (!mlflow_read_experiment_id(scope, given->items[i], &read[i]))
            return false;
    *ids = read;
    return true;
}

bool mlflow_read_page_token(Scope *scope, const char *token, int64_t *offset)
{
    *offset = 0;
    if (!token || !*token)
        return true;
    return (text_to_int(token, offset) && *offset >= 0) ||
           fail(&scope->error, ERROR_INVALID,
                "Invalid page token: it must be one that an answer had");
}
