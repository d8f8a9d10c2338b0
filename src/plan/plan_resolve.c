/* plan_resolve.c: expressions of a stage's texts become values. */

#include <string.h>

#include "plan/plan_internal.h"

void planner_set_place(Planner *planner, const YamlNode *node)
{
    yaml_fail(node, planner->arena, planner->error, "%s",
              arena_text(planner->arena, planner->error->message));
}

ExpressionNames planner_names(Planner *planner)
{
    return (ExpressionNames){value_find, &planner->scope, planner->arena, planner->error};
}

bool planner_count(Planner *planner, const YamlNode *node, size_t bytes)
{
    planner->node_count++;
    planner->byte_count += bytes;
    if (planner->node_count <= PIPELINE_NODES_MAX && planner->byte_count <= PIPELINE_BYTES_MAX)
        return true;
    return yaml_fail(node, planner->arena, planner->error,
                     "the plan is too large: all its steps together have at most %d values and %d "
                     "bytes",
                     PIPELINE_NODES_MAX, PIPELINE_BYTES_MAX);
}

static size_t bucket_of(const char *text)
{
    return (uintptr_t)text / sizeof(void *) % PLAN_TEMPLATE_BUCKETS;
}

bool planner_template(Planner *planner, const YamlNode *node, const char *text,
                      TemplatePartList *parts)
{
    PlanTemplate **bucket = &planner->templates[bucket_of(text)], *template = *bucket;

    while (template && template->text != text)
        template = template->next;
    if (!template) {
        template = arena_new(planner->arena, PlanTemplate);
        if (!template_parse(text, planner->file->parts->style, planner->arena, &template->parts,
                            planner->error))
            return planner_fail_at(planner, node);
        template->text = text;
        template->next = *bucket;
        *bucket = template;
    }
    *parts = template->parts;
    planner->node_count += parts->count;
    return true;
}

bool planner_settle(Planner *planner, const YamlNode *node, const char **text)
{
    const ExpressionNames names = planner_names(planner);
    TemplatePartList parts;

    *text = node->text;
    if (!template_has_expression(node->text, planner->file->parts->style))
        return planner_count(planner, node, 0);
    if (!planner_template(planner, node, node->text, &parts))
        return false;
    if (!template_settle(&parts, &names, text))
        return planner_fail_at(planner, node);
    return planner_count(planner, node, strlen(*text));
}

/* A node of its own in place of another one. */
static YamlNode *node_like(Planner *planner, const YamlNode *node, const YamlNode *parent)
{
    YamlNode *copy = arena_new(planner->arena, YamlNode);

    *copy = *node;
    copy->parent = parent;
    copy->first = copy->last = copy->next = NULL;
    copy->count = 0;
    return copy;
}

static void node_add(YamlNode *parent, YamlNode *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

/* A value as the tree that says it, all at the place of the expression. */
static bool node_of_json(Planner *planner, const JsonValue *json, YamlNode *node)
{
    const ExpressionValue value = expression_value_of(json, planner->arena);

    if (!planner_count(planner, node, 0))
        return false;
    node->type = json_is_array(json) ? YAML_LIST : json_is_object(json) ? YAML_MAP : YAML_SCALAR;
    if (node->type == YAML_SCALAR) {
        node->is_quoted = value.type == EXPRESSION_TEXT;
        if (value.type == EXPRESSION_NULL)
            node->text = "null";
        else if (!expression_value_text(&value, &node->text, planner->error))
            return false;
        return true;
    }
    for (JsonWalk walk = json_walk(json); json_walk_next(&walk);) {
        YamlNode *child = node_like(planner, node, node);

        child->key = walk.key;
        if (!node_of_json(planner, walk.value, child))
            return false;
        node_add(node, child);
    }
    return true;
}

/* An expression alone keeps the type of its value. */
static bool resolve_exact(Planner *planner, const TemplatePart *part, YamlNode *node)
{
    const ExpressionNames names = planner_names(planner);
    ExpressionValue value;

    if (expression_is_late(part->expression) ||
        !expression_evaluate(part->expression, &names, &value))
        return false;
    if (value.json)
        return node_of_json(planner, value.json, node);
    node->is_quoted = value.type == EXPRESSION_TEXT;
    node->text = "null";
    return value.type == EXPRESSION_NULL ||
           expression_value_text(&value, &node->text, planner->error);
}

static bool resolve_scalar(Planner *planner, const YamlNode *node, YamlNode *copy)
{
    const ExpressionNames names = planner_names(planner);
    TemplatePartList parts;

    if (!planner_template(planner, node, node->text, &parts))
        return false;
    if (template_is_exact(&parts) && !expression_is_late(parts.items[0].expression)) {
        if (!resolve_exact(planner, &parts.items[0], copy))
            return fail_in(planner->error, "\"%.100s\"", node->text) ||
                   planner_fail_at(planner, node);
        return true;
    }
    copy->is_quoted = true;
    if (!template_fill(&parts, &names, &copy->text))
        return planner_fail_at(planner, node);
    return planner_count(planner, node, strlen(copy->text));
}

static bool resolve_key(Planner *planner, const YamlNode *node, YamlNode *copy)
{
    const ExpressionNames names = planner_names(planner);
    TemplatePartList parts;

    if (!node->key || !template_has_expression(node->key, planner->file->parts->style))
        return true;
    if (!planner_template(planner, node, node->key, &parts))
        return false;
    return template_fill(&parts, &names, &copy->key) || planner_fail_at(planner, node);
}

static bool has_expression(Planner *planner, const YamlNode *node)
{
    TemplateStyle style = planner->file->parts->style;

    planner->node_count++;
    if (node->key && template_has_expression(node->key, style))
        return true;
    if (node->type == YAML_SCALAR)
        return template_has_expression(node->text, style);
    for (const YamlNode *child = node->first; child; child = child->next)
        if (has_expression(planner, child))
            return true;
    return false;
}

static bool resolve_tree(Planner *planner, const YamlNode *node, const YamlNode *parent,
                         YamlNode **resolved)
{
    YamlNode *copy = node_like(planner, node, parent);

    if (!planner_count(planner, node, 0) || !resolve_key(planner, node, copy))
        return false;
    *resolved = copy;
    if (node->type == YAML_SCALAR)
        return !template_has_expression(node->text, planner->file->parts->style) ||
               resolve_scalar(planner, node, copy);
    for (const YamlNode *child = node->first; child; child = child->next) {
        YamlNode *made;

        if (!resolve_tree(planner, child, copy, &made))
            return false;
        node_add(copy, made);
    }
    return true;
}

bool planner_resolve(Planner *planner, const YamlNode *node, const YamlNode **resolved)
{
    YamlNode *made;

    *resolved = node;
    if (!node || !has_expression(planner, node))
        return !node || planner_count(planner, node, 0);
    if (!resolve_tree(planner, node, node->parent, &made))
        return false;
    *resolved = made;
    return true;
}
