/* plan_step.c: one step of a stage, with the values of its item in it. */

#include <string.h>

#include "plan/command.h"
#include "plan/path.h"
#include "plan/plan_internal.h"

static bool check_member(const FieldReader *reader, size_t offset, const YamlNode *node)
{
    for (const Field *field = stage_fields; field->name; field++)
        if (field->offset == offset)
            return field_check(reader, node, field);
    return false;
}

/* The stage's members after their expressions became values, in the tables' own shapes. */
static bool resolve_parts(Planner *planner, StageParts *parts)
{
    static const size_t members[] = {
        offsetof(StageParts, deps),           offsetof(StageParts, outs),
        offsetof(StageParts, metrics),        offsetof(StageParts, plots),
        offsetof(StageParts, params),         offsetof(StageParts, needs),
        offsetof(StageParts, timeout),        offsetof(StageParts, retries),
        offsetof(StageParts, resources),      offsetof(StageParts, environment),
        offsetof(StageParts, executor),       offsetof(StageParts, frozen),
        offsetof(StageParts, always_changed),
    };
    const FieldReader reader = {planner->arena, planner->error, planner->file->parts->style, false};

    for (size_t i = 0; i < COUNT(members); i++) {
        const YamlNode **member = (const YamlNode **)(void *)((char *)parts + members[i]);
        const YamlNode *written = *member;

        if (!planner_resolve(planner, written, member))
            return false;
        if (*member != written && !check_member(&reader, members[i], *member))
            return false;
    }
    return numbers_check(&reader, parts);
}

/* What it does. */

static bool add_commands(Planner *planner, const YamlNode *cmd, PlanStep *step)
{
    const ExpressionNames names = planner_names(planner);
    Command command = {.names = &names, .arena = planner->arena, .error = planner->error};

    for (const YamlNode *item = field_first(cmd); item; item = field_next(cmd, item)) {
        TemplatePartList parts;
        const char *line;

        if (!planner_template(planner, item, item->text, &parts))
            return false;
        if (!command_line(&command, &parts, &line))
            return planner_fail_at(planner, item);
        if (!planner_count(planner, item, strlen(line)))
            return false;
        *arena_push(planner->arena, &step->commands) = line;
    }
    for (size_t i = 0; i < command.values.count; i++) {
        if (!planner_count(planner, cmd, strlen(command.values.items[i].text)))
            return false;
        *arena_push(planner->arena, &step->environment) = command.values.items[i];
    }
    return true;
}

static bool add_arguments(Planner *planner, const YamlNode *argv, PlanStep *step)
{
    for (const YamlNode *item = field_first(argv); item; item = field_next(argv, item)) {
        const char *text;

        if (!planner_settle(planner, item, &text))
            return false;
        *arena_push(planner->arena, &step->arguments) = text;
    }
    return true;
}

static bool add_environment(Planner *planner, const YamlNode *env, const YamlNode *over,
                            PlanStep *step)
{
    for (const YamlNode *node = env ? env->first : NULL; node; node = node->next) {
        PlanValue value = {.name = node->key};

        if (yaml_member(over, node->key))
            continue;
        if (!planner_settle(planner, node, &value.text))
            return false;
        *arena_push(planner->arena, &step->environment) = value;
    }
    return true;
}

/* Built-in steps: texts as they are, all else as JSON. */

static bool is_late(Planner *planner, const YamlNode *node, bool *late)
{
    TemplatePartList parts;

    *late = false;
    if (node->type != YAML_SCALAR)
        return true;
    if (!planner_template(planner, node, node->text, &parts))
        return false;
    for (size_t i = 0; i < parts.count; i++)
        *late |= parts.items[i].expression && expression_is_late(parts.items[i].expression);
    return true;
}

static bool add_late(Planner *planner, const YamlNode *node, PlanStep *step)
{
    PlanValue value = {.name = node->key};

    if (!planner_settle(planner, node, &value.text))
        return false;
    *arena_push(planner->arena, &step->with) = value;
    return true;
}

static bool add_known(Planner *planner, const YamlNode *node, const PlanBuiltinField *field,
                      PlanStep *step)
{
    const FieldReader reader = {planner->arena, planner->error, planner->file->parts->style, false};
    const ExpressionNames names = planner_names(planner);
    PlanValue value = {.name = node->key};
    TemplatePart part = {.text = node->text};
    const JsonValue *json;

    if (yaml_is_null(node))
        return field->need == JSON_OPTIONAL ||
               yaml_fail(node, planner->arena, planner->error, "\"%s\" has no value", node->key);
    if (!plan_builtin_value_check(&reader, node, field))
        return false;
    if (node->type != YAML_SCALAR) {
        if (!yaml_to_json(node, planner->arena, &json, planner->error))
            return false;
        part.text = json_print(json, planner->arena);
    }
    if (!template_settle(&(TemplatePartList){&part, 1}, &names, &value.text))
        return false;
    *arena_push(planner->arena, &step->with) = value;
    return true;
}

static bool add_with_value(Planner *planner, const YamlNode *node, const PlanBuiltinField *field,
                           PlanStep *step, StepOrigin *origin)
{
    const YamlNode *resolved;
    bool late;

    if (!is_late(planner, node, &late))
        return false;
    if (late && field->use != PLAN_USE_VALUE)
        return yaml_fail(node, planner->arena, planner->error,
                         "\"%s\" is a path, which must be known when the run is planned",
                         node->key);
    if (late)
        return add_late(planner, node, step);
    return planner_resolve(planner, node, &resolved) && add_known(planner, resolved, field, step) &&
           planner_add_with_path(planner, resolved, field->use, step, origin);
}

static bool add_with(Planner *planner, const StageParts *parts, PlanStep *step, StepOrigin *origin)
{
    const PlanBuiltin *builtin;

    if (!parts->with)
        return true;
    builtin = plan_builtin_find(planner->file->parts->builtins, step->uses);
    for (const YamlNode *node = parts->with->first; node; node = node->next)
        if (!add_with_value(planner, node, plan_builtin_field_find(builtin, node->key), step,
                            origin))
            return false;
    return true;
}

/* A step whose condition asks for no status also wants all that it waits for to have succeeded. */
static bool add_when(Planner *planner, const YamlNode *when, PlanStep *step)
{
    const ExpressionNames names = planner_names(planner);
    TextBuilder text = {.arena = planner->arena};
    const Expression *expression;

    if (!when)
        return true;
    if (!when_parse(when, planner->arena, &expression, planner->error))
        return planner_fail_at(planner, when);
    if (!expression_asks_status(expression))
        text_append(&text, "success() && ");
    if (!expression_settle(expression, &names, &text) ||
        !expression_parse(text_built(&text), planner->arena, &expression, planner->error))
        return planner_fail_at(planner, when);
    step->when = text_built(&text);
    return planner_count(planner, when, text.count);
}

/* What the step reads of others: it waits for them, too. */

typedef struct ReadsContext {
    Arena *arena;
    StepOrigin *origin;
} ReadsContext;

static bool note_read(void *context, const TextList *name)
{
    ReadsContext *reads = context;

    if (strcmp(name->items[0], "steps") == 0 && name->count > 1 &&
        !text_list_has(&reads->origin->reads, name->items[1]))
        *arena_push(reads->arena, &reads->origin->reads) = name->items[1];
    return true;
}

static bool note_text(Planner *planner, const char *text, StepOrigin *origin)
{
    ReadsContext reads = {planner->arena, origin};
    TemplatePartList parts;

    if (!template_has_expression(text, TEMPLATE_PLAIN))
        return true;
    if (!template_parse(text, TEMPLATE_PLAIN, planner->arena, &parts, planner->error))
        return planner_fail_at(planner, origin->stage->node);
    for (size_t i = 0; i < parts.count; i++)
        if (parts.items[i].expression)
            expression_each_name(parts.items[i].expression, note_read, &reads);
    return true;
}

static bool note_reads(Planner *planner, const PlanStep *step, StepOrigin *origin)
{
    ReadsContext reads = {planner->arena, origin};
    const PlanValueList *lists[] = {&step->environment, &step->with};
    const Expression *when;

    for (size_t i = 0; i < COUNT(lists); i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            if (!note_text(planner, lists[i]->items[j].text, origin))
                return false;
    for (size_t i = 0; i < step->arguments.count; i++)
        if (!note_text(planner, step->arguments.items[i], origin))
            return false;
    if (!step->when)
        return true;
    if (!expression_parse(step->when, planner->arena, &when, planner->error))
        return false;
    expression_each_name(when, note_read, &reads);
    return true;
}

/* All of it. */

static bool set_folder(Planner *planner, const YamlNode *wdir, PlanStep *step)
{
    const YamlNode *resolved;

    step->folder = ".";
    if (!wdir)
        return true;
    if (!planner_resolve(planner, wdir, &resolved))
        return false;
    if (resolved->type != YAML_SCALAR || yaml_is_null(resolved))
        return yaml_fail(wdir, planner->arena, planner->error, "\"wdir\" is a folder");
    return path_settle(".", resolved->text, planner->arena, &step->folder, planner->error) ||
           planner_fail_at(planner, wdir);
}

/* A stage's own vars come on top of the file's; without files nothing but its maps is known. */
static bool set_vars(Planner *planner, const YamlNode *vars, const PlanStep *step)
{
    const VarsSpec spec = {.node = vars, .folder = step->folder, .before = planner->vars};

    planner->scope.vars = planner->vars;
    return !vars || vars_read(&planner->files, &spec, &planner->scope.vars);
}

static void set_limits(const StageParts *parts, PlanStep *step)
{
    enum { MINUTE_MS = 60 * 1000 };
    const YamlNode *resources = parts->resources;

    step->timeout_ms = field_int(parts->timeout, 0) * MINUTE_MS;
    step->retries = field_int(yaml_member(parts->retries, "max"), 0);
    step->backoff_ms = field_duration_ms(yaml_member(parts->retries, "backoff"), 0);
    step->cpus = field_int(yaml_member(resources, "cpus"), 0);
    step->memory_bytes = field_bytes(yaml_member(resources, "memory"), 0);
    step->gpus = field_int(yaml_member(resources, "gpus"), 0);
    step->files = field_int(yaml_member(resources, "files"), 0);
    step->executor = field_text(parts->executor, NULL);
    step->place = field_text(parts->environment, NULL);
    step->always = field_bool(parts->always_changed, false);
    step->frozen = field_bool(parts->frozen, false);
}

static bool set_action(Planner *planner, const StageParts *parts, PlanStep *step,
                       StepOrigin *origin)
{
    const YamlNode *common = parts->uses ? NULL : planner->file->parts->nodes.env;

    step->uses = field_text(parts->uses, NULL);
    return add_environment(planner, common, parts->env, step) &&
           add_environment(planner, parts->env, NULL, step) &&
           add_commands(planner, parts->cmd, step) && add_arguments(planner, parts->argv, step) &&
           add_with(planner, parts, step, origin) && add_when(planner, parts->when, step);
}

static void set_needs(Planner *planner, const YamlNode *needs, StepOrigin *origin)
{
    origin->needs_node = needs;
    for (const YamlNode *item = field_first(needs); item; item = field_next(needs, item))
        *arena_push(planner->arena, &origin->needs) = item->text;
}

bool planner_add_step(Planner *planner, const PlanItem *item)
{
    const PipelineStage *stage = planner->stage;
    StageParts parts = stage->parts;
    StepOrigin origin = {.stage = stage};
    PlanStep step = {.name = stage->name, .stage = stage->name};

    if (item->suffix)
        step.name = arena_format(planner->arena, "%s@%s", stage->name, item->suffix);
    step.summary = field_text(parts.desc, NULL);
    planner->scope.item = item->item;
    planner->scope.key = item->key;
    planner->scope.is_matrix = !stage->foreach && parts.matrix;
    if (!set_folder(planner, parts.wdir, &step) || !set_vars(planner, parts.vars, &step) ||
        !resolve_parts(planner, &parts) || !planner_add_paths(planner, &parts, &step, &origin) ||
        !set_action(planner, &parts, &step, &origin) || !note_reads(planner, &step, &origin))
        return false;
    set_limits(&parts, &step);
    set_needs(planner, parts.needs, &origin);
    *arena_push(planner->arena, &planner->plan) = step;
    *arena_push(planner->arena, &planner->origins) = origin;
    return true;
}
