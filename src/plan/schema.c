#include "plan/schema.h"

#include <string.h>

#include "plan/pipeline_internal.h"

#define NAME_PATTERN "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$"

/* What a scalar of a shape is: a JSON type, or a pattern of texts. */
static const struct {
    const char *type, *pattern;
} scalars[] = {
    [SHAPE_NAME] = {"string", NAME_PATTERN},
    [SHAPE_COUNT] = {"integer", NULL},
    [SHAPE_NUMBER] = {"number", NULL},
    [SHAPE_BOOL] = {"boolean", NULL},
    [SHAPE_DURATION] = {"string", "^[0-9]+(ms|s|m|h|d)$"},
    [SHAPE_BYTES] = {"string", "^[0-9]+(K|M|G|T)i?B$"},
};

static void write_field(JsonWriter *json, const char *key, const Field *field);

static void write_reference(JsonWriter *json, const char *key, const char *name)
{
    json_open_object(json, key);
    json_text(json, "$ref", name);
    json_close(json);
}

/* {"anyOf": [...]}: whoever opens it writes the items. */
static void open_choice(JsonWriter *json, const char *key, const Field *field)
{
    json_open_object(json, key);
    if (field->summary)
        json_text(json, "description", field->summary);
    json_open_array(json, "anyOf");
}

static void close_choice(JsonWriter *json)
{
    json_close(json);
    json_close(json);
}

static void write_words(JsonWriter *json, const char *const words[])
{
    json_open_array(json, "enum");
    for (size_t i = 0; words[i]; i++)
        json_text(json, NULL, words[i]);
    json_close(json);
}

static void write_fields(JsonWriter *json, const Field fields[])
{
    json_text(json, "type", "object");
    json_open_object(json, "properties");
    for (const Field *field = fields; field->name; field++)
        write_field(json, field->name, field);
    json_close(json);
    json_open_array(json, "required");
    for (const Field *field = fields; field->name; field++)
        if (field->is_required)
            json_text(json, NULL, field->name);
    json_close(json);
    json_bool(json, "additionalProperties", false);
}

static void write_object(JsonWriter *json, const char *key, const Field fields[])
{
    json_open_object(json, key);
    write_fields(json, fields);
    json_close(json);
}

/* Any scalar but null. */
static void write_text_types(JsonWriter *json)
{
    static const char *const types[] = {"string", "number", "boolean"};

    json_open_array(json, "type");
    for (size_t i = 0; i < COUNT(types); i++)
        json_text(json, NULL, types[i]);
    json_close(json);
}

/* Where another shape is asked for, an expression may stand for it. */
static void write_scalar(JsonWriter *json, const char *key, const Field *field)
{
    bool is_text = field->shape == SHAPE_TEXT;

    if (!is_text)
        open_choice(json, key, field);
    json_open_object(json, is_text ? key : NULL);
    if (is_text && field->summary)
        json_text(json, "description", field->summary);
    if (field->words)
        write_words(json, field->words);
    else if (is_text)
        write_text_types(json);
    else
        json_text(json, "type", scalars[field->shape].type);
    if (!is_text && !field->words && scalars[field->shape].pattern)
        json_text(json, "pattern", scalars[field->shape].pattern);
    if (field->shape == SHAPE_COUNT)
        json_int(json, "minimum", 1);
    json_close(json);
    if (is_text)
        return;
    write_reference(json, NULL, "#/$defs/expression");
    close_choice(json);
}

static void write_one(JsonWriter *json, const char *key, const Field *field)
{
    if (field->shape == SHAPE_ANY) {
        json_open_object(json, key);
        if (field->summary)
            json_text(json, "description", field->summary);
        json_close(json);
    } else if (field->fields == stage_fields) {
        write_reference(json, key, "#/$defs/stage");
    } else if (field->shape != SHAPE_FIELDS) {
        write_scalar(json, key, field);
    } else if (field->is_short) {
        open_choice(json, key, field);
        write_field(json, NULL, &field->fields[0]);
        write_object(json, NULL, field->fields);
        close_choice(json);
    } else {
        write_object(json, key, field->fields);
    }
}

static void write_list(JsonWriter *json, const char *key, const Field *item)
{
    json_open_object(json, key);
    json_text(json, "type", "array");
    write_one(json, "items", item);
    json_close(json);
}

static void write_map(JsonWriter *json, const char *key, const Field *item)
{
    json_open_object(json, key);
    json_text(json, "type", "object");
    write_one(json, "additionalProperties", item);
    json_close(json);
}

/* A list of texts, or of one text with settings. */
static void write_entries(JsonWriter *json, const char *key, const Field *field)
{
    json_open_object(json, key);
    json_text(json, "type", "array");
    open_choice(json, "items", &(Field){0});
    json_open_object(json, NULL);
    write_text_types(json);
    json_close(json);
    json_open_object(json, NULL);
    json_text(json, "type", "object");
    json_int(json, "minProperties", 1);
    json_int(json, "maxProperties", 1);
    open_choice(json, "additionalProperties", &(Field){0});
    write_object(json, NULL, field->fields);
    json_open_object(json, NULL);
    json_text(json, "type", "null");
    json_close(json);
    close_choice(json);
    json_close(json);
    close_choice(json);
    json_close(json);
}

/* A list or a map may be an expression as a whole. */
static void write_field(JsonWriter *json, const char *key, const Field *field)
{
    Field item = *field;

    if (field->form == FORM_ONE) {
        write_one(json, key, field);
        return;
    }
    item.summary = NULL;
    open_choice(json, key, field);
    if (field->form == FORM_ONE_OR_LIST)
        write_one(json, NULL, &item);
    if (field->form == FORM_LIST || field->form == FORM_ONE_OR_LIST)
        write_list(json, NULL, &item);
    else if (field->form == FORM_MAP)
        write_map(json, NULL, &item);
    else
        write_entries(json, NULL, &item);
    write_reference(json, NULL, "#/$defs/expression");
    close_choice(json);
}

/* {"if": the stage uses the built-in, "then": what its "with" has}. */
static void write_builtin(JsonWriter *json, const PlanBuiltin *builtin)
{
    json_open_object(json, NULL);
    json_open_object(json, "if");
    json_open_object(json, "properties");
    json_open_object(json, "uses");
    json_text(json, "const", builtin->name);
    json_close(json);
    json_close(json);
    json_open_array(json, "required");
    json_text(json, NULL, "uses");
    json_close(json);
    json_close(json);
    json_open_object(json, "then");
    json_open_object(json, "properties");
    json_open_object(json, "with");
    json_open_object(json, "properties");
    for (const PlanBuiltinField *field = builtin->fields; field->name; field++) {
        json_open_object(json, field->name);
        json_text(json, "description", field->summary);
        json_close(json);
    }
    json_close(json);
    json_bool(json, "additionalProperties", false);
    json_close(json);
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_stage(JsonWriter *json, const PlanBuiltin builtins[])
{
    json_open_object(json, "stage");
    write_fields(json, stage_fields);
    json_open_array(json, "allOf");
    json_open_object(json, NULL);
    json_open_array(json, "oneOf");
    for (size_t i = 0; i < 3; i++) { /* the first rows are what a stage can do: one of them */
        json_open_object(json, NULL);
        json_open_array(json, "required");
        json_text(json, NULL, stage_fields[i].name);
        json_close(json);
        json_close(json);
    }
    json_close(json);
    json_close(json);
    json_open_object(json, NULL);
    json_open_object(json, "properties");
    json_open_object(json, "uses");
    json_open_array(json, "enum");
    for (const PlanBuiltin *builtin = builtins; builtin->name; builtin++)
        json_text(json, NULL, builtin->name);
    json_close(json);
    json_close(json);
    json_close(json);
    json_close(json);
    for (const PlanBuiltin *builtin = builtins; builtin->name; builtin++)
        write_builtin(json, builtin);
    json_close(json);
    json_close(json);
}

void pipeline_schema_write_definitions(JsonWriter *json, const PlanBuiltin builtins[])
{
    json_open_object(json, "expression");
    json_text(json, "type", "string");
    json_text(json, "pattern", "\\$\\{");
    json_close(json);
    write_stage(json, builtins);
    write_object(json, "spread", foreach_fields);
}

static void write_stages(JsonWriter *json)
{
    json_open_object(json, "stages");
    json_text(json, "description", "what there is to run");
    json_text(json, "type", "object");
    open_choice(json, "additionalProperties", &(Field){0});
    write_reference(json, NULL, "#/$defs/stage");
    write_reference(json, NULL, "#/$defs/spread");
    close_choice(json);
    json_close(json);
}

static void write_params(JsonWriter *json, bool is_dvc)
{
    open_choice(json, "params", &(Field){.summary = "what a run can be given"});
    json_open_object(json, NULL);
    json_text(json, "type", "object");
    open_choice(json, "additionalProperties", &(Field){0});
    json_open_object(json, NULL);
    write_text_types(json);
    json_close(json);
    write_object(json, NULL, param_fields);
    close_choice(json);
    json_close(json);
    if (is_dvc)
        write_list(json, NULL, &(Field){.shape = SHAPE_ANY});
    close_choice(json);
}

void pipeline_schema_write_properties(JsonWriter *json, bool is_dvc)
{
    for (const Field *field = is_dvc ? dvc_fields : slipway_fields; field->name; field++) {
        if (field->offset == offsetof(FileParts, stages))
            write_stages(json);
        else if (field->offset == offsetof(FileParts, params))
            write_params(json, is_dvc);
        else if (!field->is_elsewhere)
            write_field(json, field->name, field);
    }
}
