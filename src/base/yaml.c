#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* A map's keys are compared one by one when one comes in. */
enum { MEMBERS_MAX = 4096 };

typedef struct Builder {
    Arena *arena;
    Error *error;
    YamlNode *open[YAML_DEPTH_MAX];
    size_t depth, node_count, document_count;
    YamlNode *root;
    const char *key; /* of the member whose value comes next, or NULL */
    yaml_mark_t key_mark;
} Builder;

static bool fail_at(Error *error, yaml_mark_t mark, const char *problem)
{
    return fail(error, ERROR_INVALID, "line %zu, column %zu: %s", mark.line + 1, mark.column + 1,
                problem);
}

static bool add_node(Builder *builder, YamlNode *node)
{
    YamlNode *parent = builder->depth ? builder->open[builder->depth - 1] : NULL;

    node->key = builder->key;
    node->key_line = builder->key_mark.line + 1;
    node->key_column = builder->key_mark.column + 1;
    builder->key = NULL;
    if (!parent) {
        builder->root = node;
        return true;
    }
    node->parent = parent;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
    return true;
}

static bool is_before_key(const Builder *builder)
{
    const YamlNode *open = builder->depth ? builder->open[builder->depth - 1] : NULL;

    return open && open->type == YAML_MAP && !builder->key;
}

static bool take_key(Builder *builder, const yaml_event_t *event, const char *text)
{
    const YamlNode *map = builder->open[builder->depth - 1];

    if (map->count >= MEMBERS_MAX)
        return fail_at(builder->error, event->start_mark, "a map has at most 4096 members");
    if (yaml_member(map, text))
        return fail(builder->error, ERROR_INVALID,
                    "line %zu, column %zu: \"%s\" is here twice, first in line %zu",
                    event->start_mark.line + 1, event->start_mark.column + 1, text,
                    yaml_member(map, text)->key_line);
    builder->key = text;
    builder->key_mark = event->start_mark;
    return true;
}

static YamlNode *node_create(Builder *builder, const yaml_event_t *event, YamlType type)
{
    YamlNode *node = arena_new(builder->arena, YamlNode);

    node->type = type;
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    return node;
}

static bool take_scalar(Builder *builder, const yaml_event_t *event)
{
    const char *bytes = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    const char *text = arena_copy(builder->arena, bytes, size);
    YamlNode *node;

    if (strlen(text) != size)
        return fail_at(builder->error, event->start_mark, "a text holds no NUL");
    if (is_before_key(builder))
        return take_key(builder, event, text);
    node = node_create(builder, event, YAML_SCALAR);
    node->text = text;
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return add_node(builder, node);
}

static bool take_start(Builder *builder, const yaml_event_t *event, YamlType type)
{
    YamlNode *node = node_create(builder, event, type);

    if (is_before_key(builder))
        return fail_at(builder->error, event->start_mark, "a key is a text, not a list or a map");
    if (builder->depth == YAML_DEPTH_MAX)
        return fail_at(builder->error, event->start_mark, "the file is nested too deeply");
    add_node(builder, node);
    builder->open[builder->depth++] = node;
    return true;
}

/* Anchors would let a small file stand for a huge tree, and tags ask for types. */
static bool has_no_magic(Builder *builder, const yaml_event_t *event, const yaml_char_t *anchor,
                         const yaml_char_t *tag)
{
    if (anchor)
        return fail_at(builder->error, event->start_mark, "anchors (&name) are not read here");
    if (tag)
        return fail_at(builder->error, event->start_mark, "tags (!name) are not read here");
    if (++builder->node_count > YAML_NODES_MAX)
        return fail_at(builder->error, event->start_mark, "the file has too many values");
    return true;
}

static bool take_event(Builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return builder->document_count++ == 0 ||
               fail_at(builder->error, event->start_mark, "a file holds one document");
    case YAML_ALIAS_EVENT:
        return fail_at(builder->error, event->start_mark, "aliases (*name) are not read here");
    case YAML_SCALAR_EVENT:
        return has_no_magic(builder, event, event->data.scalar.anchor, event->data.scalar.tag) &&
               take_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return has_no_magic(builder, event, event->data.sequence_start.anchor,
                            event->data.sequence_start.tag) &&
               take_start(builder, event, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return has_no_magic(builder, event, event->data.mapping_start.anchor,
                            event->data.mapping_start.tag) &&
               take_start(builder, event, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->depth--;
        return true;
    default:
        return true;
    }
}

static bool parse_events(yaml_parser_t *parser, Builder *builder)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        bool taken;

        if (!yaml_parser_parse(parser, &event) && parser->error == YAML_MEMORY_ERROR)
            out_of_memory();
        if (parser->error != YAML_NO_ERROR)
            return fail_at(builder->error, parser->problem_mark,
                           parser->problem ? parser->problem : "this is not YAML");
        ended = event.type == YAML_STREAM_END_EVENT;
        taken = take_event(builder, &event);
        yaml_event_delete(&event);
        if (!taken)
            return false;
    }
    return builder->root || fail(builder->error, ERROR_INVALID, "the file is empty");
}

bool yaml_parse(const char *bytes, size_t size, Arena *arena, const YamlNode **root, Error *error)
{
    CLEANUP(yaml_parser_delete) yaml_parser_t parser = {0};
    Builder builder = {.arena = arena, .error = error};

    if (size > YAML_BYTES_MAX)
        return fail(error, ERROR_TOO_LARGE, "the file has more than %d bytes", YAML_BYTES_MAX);
    if (!text_is_utf8(bytes, size))
        return fail(error, ERROR_INVALID, "the file is not UTF-8");
    if (!yaml_parser_initialize(&parser))
        out_of_memory();
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);
    if (!parse_events(&parser, &builder))
        return false;
    *root = builder.root;
    return true;
}

const YamlNode *yaml_member(const YamlNode *node, const char *key)
{
    if (!node || node->type != YAML_MAP)
        return NULL;
    for (const YamlNode *member = node->first; member; member = member->next)
        if (strcmp(member->key, key) == 0)
            return member;
    return NULL;
}

const char *yaml_path(const YamlNode *node, Arena *arena)
{
    const char *before = node->parent ? yaml_path(node->parent, arena) : "";

    if (!node->key)
        return before;
    return before[0] ? arena_format(arena, "%s.%s", before, node->key) : node->key;
}

bool yaml_fail(const YamlNode *node, Arena *arena, Error *error, const char *format, ...)
{
    char problem[sizeof(error->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, sizeof(problem), format, arguments);
    va_end(arguments);
    return fail_field(error, yaml_path(node, arena), "line %zu, column %zu: %s", node->line,
                      node->column, problem);
}

bool yaml_is_null(const YamlNode *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    if (!node)
        return true;
    if (node->type != YAML_SCALAR || node->is_quoted)
        return false;
    for (size_t i = 0; i < COUNT(nulls); i++)
        if (strcmp(node->text, nulls[i]) == 0)
            return true;
    return false;
}

bool yaml_to_bool(const YamlNode *node, bool *value)
{
    static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};

    if (!node || node->type != YAML_SCALAR || node->is_quoted)
        return false;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(node->text, words[i]) != 0)
            continue;
        *value = i >= 3;
        return true;
    }
    return false;
}

/* Decimal only: what strtod() takes beyond that (0x10, nan, infinity) stays a text. */
bool yaml_to_number(const YamlNode *node, double *value)
{
    if (!node || node->type != YAML_SCALAR || node->is_quoted)
        return false;
    return text_to_double(node->text, value);
}

static bool to_int(const YamlNode *node, int64_t *value)
{
    return node->type == YAML_SCALAR && !node->is_quoted && text_to_int(node->text, value);
}

static void write_scalar(JsonWriter *json, const char *key, const YamlNode *node)
{
    int64_t integer;
    double number;
    bool truth;

    if (yaml_is_null(node))
        json_null(json, key);
    else if (yaml_to_bool(node, &truth))
        json_bool(json, key, truth);
    else if (to_int(node, &integer))
        json_int(json, key, integer);
    else if (yaml_to_number(node, &number))
        json_double(json, key, number);
    else
        json_text(json, key, node->text);
}

void yaml_write_json(JsonWriter *json, const char *key, const YamlNode *node)
{
    if (node->type == YAML_SCALAR) {
        write_scalar(json, key, node);
        return;
    }
    if (node->type == YAML_MAP)
        json_open_object(json, key);
    else
        json_open_array(json, key);
    for (const YamlNode *child = node->first; child; child = child->next)
        yaml_write_json(json, node->type == YAML_MAP ? child->key : NULL, child);
    json_close(json);
}

/* Reading by a table. */

/* As a message calls a map. */
static const char *map_name(const YamlNode *map, Arena *arena)
{
    const char *path = yaml_path(map, arena);

    return path[0] ? arena_format(arena, "\"%s\"", path) : "the file";
}

static const char *allowed_names(const YamlField fields[], Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (const YamlField *field = fields; field->name; field++)
        text_append_format(&names, "%s%s", field == fields ? "" : ", ", field->name);
    return text_built(&names);
}

static const YamlField *field_find(const YamlField fields[], const char *name)
{
    for (const YamlField *field = fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static bool read_text_list(const YamlNode *node, TextList *list, Arena *arena)
{
    TextList read = {0};

    if (node->type == YAML_MAP)
        return false;
    if (node->type == YAML_SCALAR)
        text_list_add(&read, arena, node->text);
    for (const YamlNode *item = node->first; item; item = item->next) {
        if (item->type != YAML_SCALAR || yaml_is_null(item))
            return false;
        text_list_add(&read, arena, item->text);
    }
    *list = read;
    return true;
}

static bool read_value(const YamlNode *node, YamlFieldType type, void *target, Arena *arena)
{
    switch (type) {
    case YAML_FIELD_TEXT:
        if (node->type != YAML_SCALAR)
            return false;
        *(const char **)target = node->text;
        return true;
    case YAML_FIELD_INT:
        return to_int(node, target);
    case YAML_FIELD_NUMBER:
        return yaml_to_number(node, target);
    case YAML_FIELD_BOOL:
        return yaml_to_bool(node, target);
    case YAML_FIELD_TEXT_LIST:
        return read_text_list(node, target, arena);
    case YAML_FIELD_MAP:
        if (node->type != YAML_MAP)
            return false;
        break;
    case YAML_FIELD_ANY:
        break;
    }
    *(const YamlNode **)target = node;
    return true;
}

static const char *type_name(YamlFieldType type)
{
    static const char *const names[] = {
        [YAML_FIELD_TEXT] = "a text",
        [YAML_FIELD_INT] = "a whole number",
        [YAML_FIELD_NUMBER] = "a number",
        [YAML_FIELD_BOOL] = "true or false",
        [YAML_FIELD_MAP] = "a map",
        [YAML_FIELD_ANY] = "anything",
        [YAML_FIELD_TEXT_LIST] = "a text or a list of texts",
    };

    return names[type];
}

static bool read_member(const YamlNode *member, const YamlField fields[], void *target,
                        Arena *arena, Error *error)
{
    const YamlField *field = field_find(fields, member->key);
    const char *path = yaml_path(member, arena);

    if (!field)
        return fail_field(error, path,
                          "line %zu, column %zu: \"%s\" is not a setting of %s, which has %s",
                          member->key_line, member->key_column, member->key,
                          map_name(member->parent, arena), allowed_names(fields, arena));
    if (yaml_is_null(member))
        return true;
    return read_value(member, field->type, (char *)target + field->offset, arena) ||
           yaml_fail(member, arena, error, "\"%s\" is %s", path, type_name(field->type));
}

static bool fail_missing(const YamlNode *map, const char *name, Arena *arena, Error *error)
{
    const char *path = yaml_path(map, arena);

    path = path[0] ? arena_format(arena, "%s.%s", path, name) : name;
    return fail_field(error, path, "line %zu, column %zu: \"%s\" is missing", map->line,
                      map->column, path);
}

bool yaml_read(const YamlNode *map, const YamlField fields[], void *target, Arena *arena,
               Error *error)
{
    if (map->type != YAML_MAP)
        return yaml_fail(map, arena, error, "%s is a map", map_name(map, arena));
    for (const YamlNode *member = map->first; member; member = member->next)
        if (!read_member(member, fields, target, arena, error))
            return false;
    for (const YamlField *field = fields; field->name; field++)
        if (field->need == JSON_REQUIRED && yaml_is_null(yaml_member(map, field->name)))
            return fail_missing(map, field->name, arena, error);
    return true;
}
