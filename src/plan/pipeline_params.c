/* pipeline_params.c: what a run can be given: declarations, and values that are held to them. */

#include <math.h>
#include <string.h>

#include "base/time.h"
#include "plan/pipeline_values.h"

enum { VALUE_BYTES_MAX = 64 * 1024, DATE_LENGTH = 10 };

static const char *const type_wanted[] = {
    [PIPELINE_TEXT] = "a text",
    [PIPELINE_INTEGER] = "an integer",
    [PIPELINE_NUMBER] = "a number",
    [PIPELINE_BOOLEAN] = "true or false",
    [PIPELINE_DATE] = "a date such as 2026-03-29",
    [PIPELINE_CHOICE] = "one of its choices",
};

/* Values. */

/* A day that is in the calendar is the same when it comes back: February has no 30th. */
static bool is_date(const char *text)
{
    char instant[DATE_LENGTH + sizeof("T00:00:00Z")], again[TIME_TEXT_SIZE];
    int64_t time_ms;

    if (strlen(text) != DATE_LENGTH)
        return false;
    memcpy(instant, text, DATE_LENGTH);
    memcpy(instant + DATE_LENGTH, "T00:00:00Z", sizeof("T00:00:00Z"));
    return time_parse(instant, &time_ms) &&
           strncmp(time_format(time_ms, again), text, DATE_LENGTH) == 0;
}

static const char *text_json(const char *text, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_text(json, NULL, text);
    return json_finish(json);
}

/* The text as a value of the type, in JSON; NULL when it is none. */
static const char *read_text(PipelineParamType type, const char *text, Arena *arena)
{
    int64_t integer;
    double number;

    switch (type) {
    case PIPELINE_TEXT:
    case PIPELINE_CHOICE:
        return text_json(text, arena);
    case PIPELINE_DATE:
        return is_date(text) ? text_json(text, arena) : NULL;
    case PIPELINE_INTEGER:
        return text_to_int(text, &integer) ? arena_format(arena, "%lld", (long long)integer) : NULL;
    case PIPELINE_NUMBER:
        if (text_to_int(text, &integer))
            return arena_format(arena, "%lld", (long long)integer);
        return text_to_double(text, &number) ? number_text(number, arena) : NULL;
    case PIPELINE_BOOLEAN:
        break;
    }
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ? text : NULL;
}

/* What is no text already must have the type by itself. */
static bool has_type(PipelineParamType type, const JsonValue *value)
{
    if (json_is_text(value))
        return true;
    switch (type) {
    case PIPELINE_INTEGER:
    case PIPELINE_NUMBER:
        return json_is_number(value);
    case PIPELINE_BOOLEAN:
        return json_is_bool(value);
    case PIPELINE_CHOICE:
        return json_is_number(value) || json_is_bool(value);
    default:
        return false;
    }
}

static bool check_range(const PipelineParam *param, const char *text, Error *error)
{
    double number = 0;

    if ((param->type != PIPELINE_INTEGER && param->type != PIPELINE_NUMBER) ||
        !text_to_double(text, &number))
        return true;
    if (number < param->minimum)
        return fail_field(error, param->name, "\"%s\" is %g or more, not %s", param->name,
                          param->minimum, text);
    if (number > param->maximum)
        return fail_field(error, param->name, "\"%s\" is %g or less, not %s", param->name,
                          param->maximum, text);
    return true;
}

static bool check_choice(const PipelineParam *param, const char *text, Arena *arena, Error *error)
{
    TextBuilder choices = {.arena = arena};

    if (!param->choices.count || text_list_has(&param->choices, text))
        return true;
    for (size_t i = 0; i < param->choices.count; i++)
        text_append_format(&choices, "%s%s", i ? ", " : "", param->choices.items[i]);
    return fail_field(error, param->name, "\"%s\" is one of %s, not \"%.100s\"", param->name,
                      text_built(&choices), text);
}

bool param_take(const PipelineParam *param, const JsonValue *value, Arena *arena, const char **json,
                Error *error)
{
    ExpressionValue given = expression_value_of(value, arena);
    const char *text = "", *taken = NULL;
    Error ignored;

    if (has_type(param->type, value) && expression_value_text(&given, &text, &ignored))
        taken = read_text(param->type, text, arena);
    if (!taken)
        return fail_field(error, param->name, "\"%s\" is %s, not %.100s", param->name,
                          type_wanted[param->type], value ? json_print(value, arena) : "null");
    if (strlen(text) > VALUE_BYTES_MAX)
        return fail_field(error, param->name, "\"%s\" has at most %d bytes", param->name,
                          VALUE_BYTES_MAX);
    if (!check_range(param, text, error) || !check_choice(param, text, arena, error))
        return false;
    *json = taken;
    return true;
}

/* Declarations. */

static PipelineParamType type_of(const YamlNode *node)
{
    int64_t integer;
    double number;
    bool truth;

    if (!node)
        return PIPELINE_TEXT;
    if (yaml_to_bool(node, &truth))
        return PIPELINE_BOOLEAN;
    if (!node->is_quoted && text_to_int(node->text, &integer))
        return PIPELINE_INTEGER;
    return yaml_to_number(node, &number) ? PIPELINE_NUMBER : PIPELINE_TEXT;
}

static PipelineParamType declared_type(const ParamParts *parts)
{
    size_t type = 0;

    if (!parts->type)
        return parts->choices ? PIPELINE_CHOICE : type_of(parts->fallback);
    while (strcmp(param_types[type], parts->type->text) != 0)
        type++;
    return (PipelineParamType)type;
}

static bool read_default(PipelineReader *reader, const YamlNode *node, PipelineParam *param)
{
    Arena *arena = reader->fields.arena;
    const char *text = text_json(node->text, arena);
    const JsonValue *value;
    Error error = {0};

    if (!json_parse(text, strlen(text), arena, &value, &error) ||
        !param_take(param, value, arena, &param->fallback, &error))
        return fail_node(reader, node, "%s", error.message);
    return true;
}

static bool read_choices(PipelineReader *reader, const YamlNode *map, const ParamParts *parts,
                         PipelineParam *param)
{
    if (param->type == PIPELINE_CHOICE && (!parts->choices || !parts->choices->first))
        return fail_node(reader, map,
                         "\"params.%s\" is a choice: list its values under \"choices\"",
                         param->name);
    for (const YamlNode *item = field_first(parts->choices); item;
         item = field_next(parts->choices, item)) {
        if (!read_text(param->type, item->text, reader->fields.arena))
            return fail_node(reader, item, "a choice of \"%s\" is %s, not \"%.100s\"", param->name,
                             type_wanted[param->type], item->text);
        *arena_push(reader->fields.arena, &param->choices) = item->text;
    }
    return true;
}

static bool read_range(PipelineReader *reader, const ParamParts *parts, PipelineParam *param)
{
    const YamlNode *node = parts->minimum ? parts->minimum : parts->maximum;

    if (node && param->type != PIPELINE_INTEGER && param->type != PIPELINE_NUMBER)
        return fail_node(reader, node, "only an integer or a number has a minimum or a maximum");
    if (parts->minimum && !yaml_to_number(parts->minimum, &param->minimum))
        return false;
    if (parts->maximum && !yaml_to_number(parts->maximum, &param->maximum))
        return false;
    return param->minimum <= param->maximum ||
           fail_node(reader, parts->maximum, "the maximum is below the minimum");
}

static bool read_param(PipelineReader *reader, const YamlNode *node)
{
    PipelineParam param = {.name = node->key, .minimum = -INFINITY, .maximum = INFINITY};
    ParamParts parts = {0};

    if (!name_is_valid(node->key))
        return fail_node(reader, node,
                         "a param's name has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and "
                         "does not start with \".\"");
    if (node->type == YAML_MAP) {
        if (!fields_read(&reader->fields, node, param_fields, &parts))
            return false;
    } else if (node->type == YAML_SCALAR && !yaml_is_null(node)) {
        parts.fallback = node;
    } else {
        return fail_node(reader, node, "\"params.%s\" is its default, or a map of %s", param.name,
                         field_names(param_fields, reader->fields.arena));
    }
    param.type = declared_type(&parts);
    param.description = field_text(parts.description, NULL);
    if (!read_choices(reader, node, &parts, &param) || !read_range(reader, &parts, &param) ||
        (parts.fallback && !read_default(reader, parts.fallback, &param)))
        return false;
    *arena_push(reader->fields.arena, &reader->file->params) = param;
    return true;
}

bool params_read(PipelineReader *reader)
{
    const YamlNode *params = reader->parts->nodes.params;

    if (!params || (reader->file->is_dvc && params->type == YAML_LIST))
        return true;
    if (params->type != YAML_MAP)
        return fail_node(reader, params, "\"params\" is a map of names to defaults");
    for (const YamlNode *node = params->first; node; node = node->next)
        if (!read_param(reader, node))
            return false;
    return true;
}

/* The values of one run. */

static const PipelineParam *find_param(const PipelineParamList *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name) == 0)
            return &params->items[i];
    return NULL;
}

const char *param_names(const PipelineParamList *params, Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < params->count; i++)
        text_append_format(&names, "%s%s", i ? ", " : "", params->items[i].name);
    return params->count ? text_built(&names) : "none";
}

static bool check_names(const PipelineParamList *params, const JsonValue *values, Arena *arena,
                        Error *error)
{
    for (JsonWalk walk = json_walk(values); json_walk_next(&walk);)
        if (!find_param(params, walk.key))
            return fail_field(error, walk.key, "there is no param \"%.100s\"; there are: %s",
                              walk.key, param_names(params, arena));
    return true;
}

bool params_take(const PipelineParamList *params, const JsonValue *values, Arena *arena,
                 const JsonValue **taken, Error *error)
{
    JsonWriter *json = json_writer_create(arena);

    if (values && !json_is_object(values))
        return fail_field(error, "params", "the values of params are an object of names");
    if (!check_names(params, values, arena, error))
        return false;
    json_open_object(json, NULL);
    for (size_t i = 0; i < params->count; i++) {
        const PipelineParam *param = &params->items[i];
        const JsonValue *value = json_member(values, param->name);
        const char *written = param->fallback;

        if (!value && !written)
            return fail_field(error, param->name, "param \"%s\" has no default: give it a value",
                              param->name);
        if (value && !param_take(param, value, arena, &written, error))
            return false;
        json_raw(json, param->name, written);
    }
    json_close(json);
    return json_parse(json_finish(json), json_size(json), arena, taken, error);
}
