#include "plan/field.h"

#include <string.h>

#include "base/unit.h"

enum { DIGITS_MAX = 15 };

static const Unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 24 * 3600 * 1000}, {0},
};

static bool is_duration(const YamlNode *node)
{
    int64_t value;

    return unit_read(node->text, durations, DIGITS_MAX, &value);
}

static bool is_size(const YamlNode *node)
{
    int64_t value;

    return unit_read(node->text, unit_sizes, DIGITS_MAX, &value) && value > 0;
}

static bool is_text(const YamlNode *node)
{
    (void)node;
    return true;
}

static bool is_name(const YamlNode *node)
{
    return name_is_valid(node->text);
}

static bool is_count(const YamlNode *node)
{
    int64_t value;

    return !node->is_quoted && text_to_int(node->text, &value) && value >= 1;
}

static bool is_number(const YamlNode *node)
{
    double value;

    return yaml_to_number(node, &value);
}

static bool is_bool(const YamlNode *node)
{
    bool value;

    return yaml_to_bool(node, &value);
}

/* What a scalar is asked for, and how a message calls it. */
static const struct {
    bool (*is)(const YamlNode *node);
    const char *wanted;
} shapes[] = {
    [SHAPE_TEXT] = {is_text, "a text"},
    [SHAPE_NAME] = {is_name, "a name of 1 to 128 letters, digits, \"-\", \"_\" and \".\", not "
                             "starting with \".\""},
    [SHAPE_COUNT] = {is_count, "a whole number of 1 or more"},
    [SHAPE_NUMBER] = {is_number, "a number"},
    [SHAPE_BOOL] = {is_bool, "true or false"},
    [SHAPE_DURATION] = {is_duration, "a duration such as 500ms, 5s, 2m, 1h or 1d"},
    [SHAPE_BYTES] = {is_size, "a size such as 512MB, 2GB or 1GiB"},
};

const char *field_words(const char *const words[], Arena *arena)
{
    TextBuilder joined = {.arena = arena};

    for (size_t i = 0; words[i]; i++)
        text_append_format(&joined, "%s%s", i ? ", " : "", words[i]);
    return text_built(&joined);
}

const char *field_names(const Field fields[], Arena *arena)
{
    TextBuilder joined = {.arena = arena};

    for (const Field *field = fields; field->name; field++)
        text_append_format(&joined, "%s%s", field == fields ? "" : ", ", field->name);
    return text_built(&joined);
}

static bool fail_wanted(const FieldReader *reader, const YamlNode *node, const char *wanted)
{
    const char *path = yaml_path(node, reader->arena);

    if (node->type == YAML_SCALAR && !yaml_is_null(node))
        return yaml_fail(node, reader->arena, reader->error, "\"%s\" is %s, not \"%.100s\"", path,
                         wanted, node->text);
    return yaml_fail(node, reader->arena, reader->error, "\"%s\" is %s", path, wanted);
}

static bool check_word(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    for (size_t i = 0; field->words[i]; i++)
        if (strcmp(field->words[i], node->text) == 0)
            return true;
    return fail_wanted(
        reader, node,
        arena_format(reader->arena, "one of %s", field_words(field->words, reader->arena)));
}

static bool check_scalar(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    if (node->type != YAML_SCALAR || yaml_is_null(node))
        return fail_wanted(
            reader, node,
            field->shape == SHAPE_WORD
                ? arena_format(reader->arena, "one of %s", field_words(field->words, reader->arena))
                : shapes[field->shape].wanted);
    if (reader->has_expressions && template_has_expression(node->text, reader->style))
        return true;
    if (field->shape == SHAPE_WORD)
        return check_word(reader, node, field);
    return shapes[field->shape].is(node) || fail_wanted(reader, node, shapes[field->shape].wanted);
}

static bool is_expression(const FieldReader *reader, const YamlNode *node)
{
    return reader->has_expressions && node->type == YAML_SCALAR &&
           template_has_expression(node->text, reader->style);
}

static bool check_members(const FieldReader *reader, const YamlNode *map, const Field fields[])
{
    const YamlNode **nodes;
    size_t count = 0;

    while (fields[count].name)
        count++;
    nodes = arena_array(reader->arena, const YamlNode *, count + 1);
    return fields_read(reader, map, fields, nodes);
}

static bool check_one(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    if (field->shape == SHAPE_ANY)
        return true;
    if (field->shape != SHAPE_FIELDS)
        return check_scalar(reader, node, field);
    if (field->is_short && node->type != YAML_MAP)
        return field_check(reader, node, &field->fields[0]);
    return check_members(reader, node, field->fields);
}

static bool check_list(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    for (const YamlNode *item = node->first; item; item = item->next)
        if (!is_expression(reader, item) && !check_one(reader, item, field))
            return false;
    return true;
}

/* A text, or {text: {fields}}; null stands for no fields. */
static bool check_entry(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    static const Field text = {.shape = SHAPE_TEXT};

    if (node->type == YAML_SCALAR)
        return check_scalar(reader, node, &text);
    if (node->type != YAML_MAP || node->count != 1)
        return yaml_fail(node, reader->arena, reader->error,
                         "an item of \"%s\" is a path, or a path with a map of %s",
                         yaml_path(node, reader->arena), field_names(field->fields, reader->arena));
    return yaml_is_null(node->first) || check_members(reader, node->first, field->fields);
}

static bool check_entries(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    if (node->type != YAML_LIST)
        return fail_wanted(reader, node, "a list");
    for (const YamlNode *item = node->first; item; item = item->next)
        if (!check_entry(reader, item, field))
            return false;
    return true;
}

bool field_check(const FieldReader *reader, const YamlNode *node, const Field *field)
{
    if (is_expression(reader, node))
        return true;
    switch (field->form) {
    case FORM_ONE:
        return check_one(reader, node, field);
    case FORM_ONE_OR_LIST:
        return node->type == YAML_LIST ? check_list(reader, node, field)
                                       : check_one(reader, node, field);
    case FORM_LIST:
        return node->type == YAML_LIST ? check_list(reader, node, field)
                                       : fail_wanted(reader, node, "a list");
    case FORM_MAP:
        return node->type == YAML_MAP ? check_list(reader, node, field)
                                      : fail_wanted(reader, node, "a map");
    case FORM_ENTRIES:
        break;
    }
    return check_entries(reader, node, field);
}

static const Field *field_find(const Field fields[], const char *name)
{
    for (const Field *field = fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

/* As a message calls a map. */
static const char *map_name(const YamlNode *map, Arena *arena)
{
    const char *path = yaml_path(map, arena);

    return path[0] ? arena_format(arena, "\"%s\"", path) : "the file";
}

static bool read_member(const FieldReader *reader, const YamlNode *member, const Field fields[],
                        void *target)
{
    const Field *field = field_find(fields, member->key);

    if (!field)
        return fail_field(reader->error, yaml_path(member, reader->arena),
                          "line %zu, column %zu: \"%s\" is not a setting of %s, which has %s",
                          member->key_line, member->key_column, member->key,
                          map_name(member->parent, reader->arena),
                          field_names(fields, reader->arena));
    if (yaml_is_null(member))
        return true;
    if (!field_check(reader, member, field))
        return false;
    *(const YamlNode **)(void *)((char *)target + field->offset) = member;
    return true;
}

bool fields_read(const FieldReader *reader, const YamlNode *map, const Field fields[], void *target)
{
    if (map->type != YAML_MAP)
        return yaml_fail(map, reader->arena, reader->error, "%s is a map",
                         map_name(map, reader->arena));
    for (const YamlNode *member = map->first; member; member = member->next)
        if (!read_member(reader, member, fields, target))
            return false;
    for (const Field *field = fields; field->name; field++)
        if (field->is_required && yaml_is_null(yaml_member(map, field->name)))
            return yaml_fail(map, reader->arena, reader->error, "%s has no \"%s\"",
                             map_name(map, reader->arena), field->name);
    return true;
}

const char *field_text(const YamlNode *node, const char *otherwise)
{
    return node ? node->text : otherwise;
}

int64_t field_int(const YamlNode *node, int64_t otherwise)
{
    int64_t value = otherwise;

    return node && text_to_int(node->text, &value) ? value : otherwise;
}

bool field_bool(const YamlNode *node, bool otherwise)
{
    bool value = otherwise;

    return yaml_to_bool(node, &value) ? value : otherwise;
}

int64_t field_duration_ms(const YamlNode *node, int64_t otherwise)
{
    int64_t value;

    return node && unit_read(node->text, durations, DIGITS_MAX, &value) ? value : otherwise;
}

int64_t field_bytes(const YamlNode *node, int64_t otherwise)
{
    int64_t value;

    return node && unit_read(node->text, unit_sizes, DIGITS_MAX, &value) ? value : otherwise;
}

const YamlNode *field_first(const YamlNode *node)
{
    if (!node)
        return NULL;
    return node->type == YAML_LIST ? node->first : node;
}

const YamlNode *field_next(const YamlNode *node, const YamlNode *item)
{
    return node->type == YAML_LIST ? item->next : NULL;
}
