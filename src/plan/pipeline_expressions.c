/* pipeline_expressions.c: all expressions of a file, looked at before anything has a value: their
 * grammar, their names, and whether they may stand where they do. */

#include <string.h>

#include "plan/command.h"
#include "plan/pipeline_internal.h"
#include "plan/pipeline_values.h"

/* What may stand at one place of the file. */
typedef struct Place {
    PipelineReader *reader;
    const PipelineStage *stage; /* NULL: outside of all stages */
    const YamlNode *node;
    bool may_be_late, may_ask_status;
    bool is_spread; /* item, key and matrix mean something */
} Place;

static bool fail_count(const Place *place, const char *wanted)
{
    return fail_node(place->reader, place->node, "it is written %s", wanted);
}

static bool check_param(const Place *place, const TextList *name)
{
    const PipelineParamList *params = &place->reader->file->params;

    if (name->count != 2)
        return fail_count(place, "params.NAME");
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name->items[1]) == 0)
            return true;
    return fail_node(place->reader, place->node,
                     "there is no param \"%.100s\": declare it under \"params\"; there are: %s",
                     name->items[1], param_names(params, place->reader->fields.arena));
}

static bool check_vars(const Place *place, const TextList *name)
{
    return name->count >= 2 || fail_count(place, "vars.NAME");
}

static bool check_item(const Place *place, const TextList *name)
{
    const YamlNode *foreach = place->stage ? place->stage->foreach : NULL;

    if (!place->is_spread)
        return fail_node(place->reader, place->node,
                         "\"%s\" means something under foreach or matrix alone", name->items[0]);
    return strcmp(name->items[0], "key") != 0 || !foreach || foreach->type != YAML_LIST ||
           fail_node(place->reader, place->node,
                     "\"key\" means nothing under a foreach over a list");
}

static bool check_matrix(const Place *place, const TextList *name)
{
    const YamlNode *matrix = place->stage ? place->stage->parts.matrix : NULL;

    if (!place->is_spread || !matrix)
        return fail_node(place->reader, place->node,
                         "\"matrix\" means something in a stage with matrix alone");
    if (name->count < 2)
        return fail_count(place, "matrix.NAME");
    return matrix->type != YAML_MAP || yaml_member(matrix, name->items[1]) ||
           fail_node(place->reader, place->node, "there is no \"%.100s\" in this stage's matrix",
                     name->items[1]);
}

/* What a start can ask of another step, by the parts of the name. */
static const struct {
    const char *name;
    size_t least, most;
} step_members[] = {{"outcome", 3, 3}, {"metrics", 4, 4}, {"outputs", 4, 16}};

static bool is_step_member(const TextList *name)
{
    for (size_t i = 0; name->count > 2 && i < COUNT(step_members); i++)
        if (strcmp(step_members[i].name, name->items[2]) == 0)
            return name->count >= step_members[i].least && name->count <= step_members[i].most;
    return false;
}

/* NAME is a stage or one of its steps. */
static bool check_steps(const Place *place, const TextList *name)
{
    PipelineReader *reader = place->reader;
    const char *at;
    size_t found;

    if (!place->stage)
        return fail_node(reader, place->node, "\"steps\" means something in a stage alone");
    if (!is_step_member(name))
        return fail_count(place, "steps.NAME.outcome, steps.NAME.metrics.NAME or "
                                 "steps.NAME.outputs.NAME");
    at = strchrnul(name->items[1], '@');
    at = arena_copy(reader->fields.arena, name->items[1], (size_t)(at - name->items[1]));
    return name_index_find(&reader->parts->stage_index, at, &found) ||
           fail_node(reader, place->node, "there is no stage \"%.100s\"", at);
}

static bool check_run(const Place *place, const TextList *name)
{
    if (name->count == 2 &&
        (strcmp(name->items[1], "id") == 0 || strcmp(name->items[1], "number") == 0))
        return true;
    return fail_count(place, "run.id or run.number");
}

static bool check_trigger(const Place *place, const TextList *name)
{
    return name->count >= 2 || fail_count(place, "trigger.NAME");
}

static bool check_dvc(const Place *place, const TextList *name)
{
    bool is_inserted = place->is_spread &&
                       (strcmp(name->items[1], "item") == 0 || strcmp(name->items[1], "key") == 0);

    place->reader->parts->needs_files |= !is_inserted;
    return true;
}

static const struct {
    const char *name;
    bool (*check)(const Place *place, const TextList *name);
} roots[] = {
    {"params", check_param}, {"vars", check_vars},       {"item", check_item},
    {"key", check_item},     {"matrix", check_matrix},   {"steps", check_steps},
    {"run", check_run},      {"trigger", check_trigger}, {EXPRESSION_DVC_ROOT, check_dvc},
};

static bool check_name(void *context, const TextList *name)
{
    const Place *place = context;

    for (size_t i = 0; i < COUNT(roots); i++)
        if (strcmp(roots[i].name, name->items[0]) == 0)
            return roots[i].check(place, name);
    return fail_node(
        place->reader, place->node,
        "there is no \"%.100s\"; there are params, vars, item, key, matrix, steps, run "
        "and trigger",
        name->items[0]);
}

static bool check_expression(Place *place, const Expression *expression)
{
    if (expression_asks_status(expression) && !place->may_ask_status)
        return fail_node(place->reader, place->node,
                         "success(), failure() and always() mean something in \"when\" alone");
    if (expression_is_late(expression) && !place->may_be_late)
        return fail_node(place->reader, place->node,
                         "what only the start of a step knows can stand in cmd, argv, env, with "
                         "and when");
    return expression_each_name(expression, check_name, place);
}

/* The sentence of an error that has no place yet, at the place. */
static bool fail_here(const Place *place)
{
    const Error *error = place->reader->fields.error;

    return fail_node(place->reader, place->node, "%s",
                     arena_text(place->reader->fields.arena, error->message));
}

static bool check_text(Place *place, const YamlNode *node, const char *text)
{
    PipelineReader *reader = place->reader;
    TemplatePartList parts;

    place->node = node;
    if (!template_has_expression(text, reader->parts->style))
        return true;
    if (!template_parse(text, reader->parts->style, reader->fields.arena, &parts,
                        reader->fields.error))
        return fail_here(place);
    for (size_t i = 0; i < parts.count; i++)
        if (parts.items[i].expression && !check_expression(place, parts.items[i].expression))
            return false;
    return true;
}

/* All texts of a tree; keys are texts, too. */
static bool check_tree(Place *place, const YamlNode *node)
{
    if (!node)
        return true;
    if (node->key && !check_text(place, node, node->key))
        return false;
    if (node->type == YAML_SCALAR)
        return check_text(place, node, node->text);
    for (const YamlNode *child = node->first; child; child = child->next)
        if (!check_tree(place, child))
            return false;
    return true;
}

/* Whether the quotes around its expressions let a variable stand there. */
static bool check_commands(Place *place, const YamlNode *cmd)
{
    PipelineReader *reader = place->reader;
    Command command = {.arena = reader->fields.arena, .error = reader->fields.error};

    for (const YamlNode *item = field_first(cmd); item; item = field_next(cmd, item)) {
        TemplatePartList parts;
        const char *line;

        place->node = item;
        if (!template_parse(item->text, reader->parts->style, command.arena, &parts,
                            command.error) ||
            !command_line(&command, &parts, &line))
            return fail_here(place);
    }
    return true;
}

bool when_parse(const YamlNode *node, Arena *arena, const Expression **expression, Error *error)
{
    TemplatePartList parts;

    if (!template_has_expression(node->text, TEMPLATE_PLAIN))
        return expression_parse(node->text, arena, expression, error);
    if (!template_parse(text_trim(node->text, arena), TEMPLATE_PLAIN, arena, &parts, error))
        return false;
    if (!template_is_exact(&parts))
        return fail(error, ERROR_INVALID, "\"when\" is one expression, with or without ${{ }}");
    *expression = parts.items[0].expression;
    return true;
}

static bool check_when(Place *place, const YamlNode *when)
{
    PipelineReader *reader = place->reader;
    const Expression *expression;

    if (!when)
        return true;
    place->node = when;
    place->may_ask_status = place->may_be_late = true;
    if (!when_parse(when, reader->fields.arena, &expression, reader->fields.error))
        return fail_here(place);
    return check_expression(place, expression);
}

/* vars, meta and desc are taken as they are. */
static bool check_stage(PipelineReader *reader, const PipelineStage *stage)
{
    const StageParts *parts = &stage->parts;
    const YamlNode *early[] = {
        parts->wdir,    parts->deps,      parts->outs,        parts->metrics,       parts->plots,
        parts->params,  parts->needs,     parts->environment, parts->executor,      parts->timeout,
        parts->retries, parts->resources, parts->frozen,      parts->always_changed};
    const YamlNode *late[] = {parts->cmd, parts->argv, parts->env, parts->with};
    Place place = {.reader = reader, .stage = stage};

    if (!check_tree(&place, stage->foreach) || !check_tree(&place, parts->matrix))
        return false;
    place.is_spread = stage->foreach || parts->matrix;
    for (size_t i = 0; i < COUNT(early); i++)
        if (!check_tree(&place, early[i]))
            return false;
    place.may_be_late = true;
    for (size_t i = 0; i < COUNT(late); i++)
        if (!check_tree(&place, late[i]))
            return false;
    return check_commands(&place, parts->cmd) && check_when(&place, parts->when);
}

bool expressions_check(PipelineReader *reader)
{
    Place place = {.reader = reader, .may_be_late = true};

    if (!check_tree(&place, reader->parts->nodes.env))
        return false;
    for (size_t i = 0; i < reader->parts->stage_count; i++)
        if (!check_stage(reader, &reader->parts->stages[i]))
            return false;
    return true;
}
