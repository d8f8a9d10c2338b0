/* pipeline_stages.c: the stages as the file has them, before anything in them has a value. */

#include <ctype.h>
#include <string.h>

#include "plan/pipeline_internal.h"
#include "plan/pipeline_values.h"

enum { ENV_NAME_MAX = 256 };

static const char *path_of(const PipelineReader *reader, const YamlNode *node)
{
    return yaml_path(node, reader->fields.arena);
}

static bool is_expression(const PipelineReader *reader, const YamlNode *node)
{
    return node->type == YAML_SCALAR && template_has_expression(node->text, reader->parts->style);
}

/* Exactly one of what a stage can do. */
static bool check_action(PipelineReader *reader, const PipelineStage *stage)
{
    const YamlNode *actions[] = {stage->parts.cmd, stage->parts.argv, stage->parts.uses};
    const YamlNode *found = NULL;

    for (size_t i = 0; i < COUNT(actions); i++) {
        if (actions[i] && found)
            return fail_node(reader, actions[i], "stage \"%s\" has \"%s\" and \"%s\": it does one",
                             stage->name, found->key, actions[i]->key);
        found = actions[i] ? actions[i] : found;
    }
    if (!found)
        return fail_node(reader, stage->node, "stage \"%s\" does nothing: it has cmd, argv or uses",
                         stage->name);
    if (found != stage->parts.uses && stage->parts.with)
        return fail_node(reader, stage->parts.with, "\"with\" belongs to a stage with \"uses\"");
    if (found == stage->parts.uses && stage->parts.env)
        return fail_node(reader, stage->parts.env, "\"env\" belongs to a stage with cmd or argv");
    if (found == stage->parts.uses && stage->parts.wdir)
        return fail_node(reader, stage->parts.wdir, "\"wdir\" belongs to a stage with cmd or argv");
    return found->type == YAML_SCALAR || found->first ||
           fail_node(reader, found, "\"%s\" is empty", path_of(reader, found));
}

/* Built-in steps. */

static const char *builtin_names(const PipelineReader *reader)
{
    TextBuilder names = {.arena = reader->fields.arena};

    for (const PlanBuiltin *builtin = reader->parts->builtins; builtin->name; builtin++)
        text_append_format(&names, "%s%s", builtin == reader->parts->builtins ? "" : ", ",
                           builtin->name);
    return text_built(&names);
}

static const char *with_names(const PlanBuiltin *builtin, Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (const PlanBuiltinField *field = builtin->fields; field->name; field++)
        text_append_format(&names, "%s%s", field == builtin->fields ? "" : ", ", field->name);
    return names.count ? text_built(&names) : "none";
}

const PlanBuiltin *plan_builtin_find(const PlanBuiltin builtins[], const char *name)
{
    for (const PlanBuiltin *builtin = builtins; builtin->name; builtin++)
        if (strcmp(builtin->name, name) == 0)
            return builtin;
    return NULL;
}

const PlanBuiltinField *plan_builtin_field_find(const PlanBuiltin *builtin, const char *name)
{
    for (const PlanBuiltinField *field = builtin->fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static const struct {
    YamlType form;
    FieldShape shape;
    const char *wanted; /* where the form is not it */
} with_types[] = {
    [JSON_TEXT] = {YAML_SCALAR, SHAPE_TEXT, "a text"},
    [JSON_INT] = {YAML_SCALAR, SHAPE_NUMBER, "an integer"},
    [JSON_COUNT] = {YAML_SCALAR, SHAPE_COUNT, "a whole number of 1 or more"},
    [JSON_NUMBER] = {YAML_SCALAR, SHAPE_NUMBER, "a number"},
    [JSON_BOOL] = {YAML_SCALAR, SHAPE_BOOL, "true or false"},
    [JSON_ENUM] = {YAML_SCALAR, SHAPE_TEXT, "a word"},
    [JSON_TEXT_LIST] = {YAML_LIST, SHAPE_TEXT, "a list of texts"},
    [JSON_ARRAY] = {YAML_LIST, SHAPE_ANY, "a list"},
    [JSON_OBJECT] = {YAML_MAP, SHAPE_ANY, "a map"},
};

bool plan_builtin_value_check(const FieldReader *reader, const YamlNode *node,
                              const PlanBuiltinField *field)
{
    Field row = {.form = FORM_ONE};
    int64_t integer;

    if (field->type == JSON_ANY)
        return true;
    row.shape = with_types[field->type].shape;
    if (node->type != YAML_SCALAR)
        row.form = FORM_ONE_OR_LIST;
    if (node->type == YAML_SCALAR && reader->has_expressions &&
        template_has_expression(node->text, reader->style))
        return true;
    if (node->type != with_types[field->type].form ||
        (field->type == JSON_INT && !text_to_int(node->text, &integer)))
        return yaml_fail(node, reader->arena, reader->error, "\"%s\" is %s",
                         yaml_path(node, reader->arena), with_types[field->type].wanted);
    return field_check(reader, node, &row);
}

static bool check_with(PipelineReader *reader, const PipelineStage *stage,
                       const PlanBuiltin *builtin)
{
    const YamlNode *with = stage->parts.with;

    for (const YamlNode *node = with ? with->first : NULL; node; node = node->next) {
        const PlanBuiltinField *field = plan_builtin_field_find(builtin, node->key);

        if (!field)
            return fail_field(reader->fields.error, path_of(reader, node),
                              "line %zu, column %zu: \"%s\" takes no \"%s\"; it takes: %s",
                              node->key_line, node->key_column, builtin->name, node->key,
                              with_names(builtin, reader->fields.arena));
        if (!yaml_is_null(node) && !plan_builtin_value_check(&reader->fields, node, field))
            return false;
    }
    for (const PlanBuiltinField *field = builtin->fields; field->name; field++)
        if (field->need == JSON_REQUIRED && yaml_is_null(yaml_member(with, field->name)))
            return fail_node(reader, stage->parts.uses, "\"%s\" needs \"%s\" under \"with\"",
                             builtin->name, field->name);
    return true;
}

static bool check_uses(PipelineReader *reader, const PipelineStage *stage)
{
    const YamlNode *uses = stage->parts.uses;
    const PlanBuiltin *builtin =
        uses ? plan_builtin_find(reader->parts->builtins, uses->text) : NULL;

    if (uses && !builtin)
        return fail_node(reader, uses, "there is no built-in step \"%.100s\"; there are %s",
                         uses->text, builtin_names(reader));
    return !uses || check_with(reader, stage, builtin);
}

/* What the tables do not say. */

static bool is_variable(const char *name)
{
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return false;
    return *name && !isdigit((unsigned char)*name) && strlen(name) <= ENV_NAME_MAX;
}

bool env_check(PipelineReader *reader, const YamlNode *env)
{
    for (const YamlNode *node = env ? env->first : NULL; node; node = node->next) {
        if (!is_variable(node->key))
            return fail_node(reader, node,
                             "a variable of the environment has letters, digits and \"_\", and "
                             "does not start with a digit: not \"%.100s\"",
                             node->key);
        if (text_has_prefix(node->key, "SLIPWAY_"))
            return fail_node(reader, node, "the variables SLIPWAY_... are set by the server");
    }
    return true;
}

/* {file: [keys]}, {file: key}, {file: } */
static bool check_param_file(PipelineReader *reader, const YamlNode *item)
{
    static const Field keys = {.form = FORM_ONE_OR_LIST, .shape = SHAPE_TEXT};

    for (const YamlNode *file = item->first; file; file = file->next)
        if (!yaml_is_null(file) && !field_check(&reader->fields, file, &keys))
            return false;
    return true;
}

static bool check_params(PipelineReader *reader, const YamlNode *params)
{
    for (const YamlNode *item = field_first(params); item; item = field_next(params, item)) {
        if (item->type == YAML_LIST || yaml_is_null(item))
            return fail_node(reader, item,
                             "an item of \"%s\" is a key of params.yaml, or {file: [keys]}",
                             path_of(reader, params));
        if (item->type == YAML_MAP && !check_param_file(reader, item))
            return false;
    }
    return true;
}

static bool check_matrix(PipelineReader *reader, const YamlNode *matrix)
{
    if (!matrix || is_expression(reader, matrix))
        return true;
    for (const YamlNode *node = matrix->first; node; node = node->next)
        if (node->type != YAML_LIST && !is_expression(reader, node))
            return fail_node(reader, node, "\"%s\" is a list", path_of(reader, node));
    return matrix->first || fail_node(reader, matrix, "\"%s\" is empty", path_of(reader, matrix));
}

static bool check_foreach(PipelineReader *reader, const PipelineStage *stage)
{
    if (!stage->foreach)
        return true;
    if (stage->parts.matrix)
        return fail_node(reader, stage->parts.matrix, "stage \"%s\" has foreach and matrix",
                         stage->name);
    return stage->foreach->type != YAML_SCALAR || is_expression(reader, stage->foreach) ||
           fail_node(reader, stage->foreach, "\"%s\" is a list or a map",
                     path_of(reader, stage->foreach));
}

/* Some numbers have an upper end, too: whoever means more has written something else. */
bool numbers_check(const FieldReader *reader, const StageParts *parts)
{
    const YamlNode *retries = yaml_member(parts->retries, "max");

    if (field_int(parts->timeout, 1) > PIPELINE_TIMEOUT_MAX)
        return yaml_fail(parts->timeout, reader->arena, reader->error,
                         "a time limit is a year at most");
    return field_int(retries, 1) <= PIPELINE_RETRIES_MAX ||
           yaml_fail(retries, reader->arena, reader->error, "there are at most %d retries",
                     PIPELINE_RETRIES_MAX);
}

static bool read_stage(PipelineReader *reader, const YamlNode *node, PipelineStage *stage)
{
    StageParts around = {0};
    const YamlNode *body = node;

    *stage = (PipelineStage){.name = node->key, .node = node};
    if (!name_is_valid(node->key))
        return fail_node(reader, node,
                         "a stage's name has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and "
                         "does not start with \".\"");
    if (yaml_member(node, "foreach") || yaml_member(node, "do")) {
        if (!fields_read(&reader->fields, node, foreach_fields, &around))
            return false;
        body = around.body;
        stage->foreach = around.foreach;
    }
    return fields_read(&reader->fields, body, stage_fields, &stage->parts) &&
           check_action(reader, stage) && check_uses(reader, stage) &&
           env_check(reader, stage->parts.env) && check_params(reader, stage->parts.params) &&
           check_matrix(reader, stage->parts.matrix) && check_foreach(reader, stage) &&
           numbers_check(&reader->fields, &stage->parts) &&
           vars_check(reader, stage->parts.vars, &reader->parts->needs_files);
}

bool stages_read(PipelineReader *reader)
{
    const YamlNode *stages = reader->parts->nodes.stages;
    struct PipelineParts *parts = reader->parts;
    Arena *arena = reader->fields.arena;

    reader->fields.has_expressions = true;
    if (!env_check(reader, parts->nodes.env))
        return false;
    parts->stages = arena_array(arena, PipelineStage, stages ? stages->count + 1 : 1);
    for (const YamlNode *node = stages ? stages->first : NULL; node; node = node->next) {
        if (!read_stage(reader, node, &parts->stages[parts->stage_count]))
            return false;
        parts->stage_count++;
        *arena_push(arena, &reader->file->stages) = node->key;
    }
    parts->stage_index = name_index_create(&reader->file->stages, arena);
    return true;
}
