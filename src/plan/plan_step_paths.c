/* plan_step_paths.c: what a step reads and makes, and the values of files that it depends on. */

#include <string.h>

#include "plan/path.h"
#include "plan/plan_internal.h"

static bool is_data(Planner *planner, const char *text)
{
    const char *at = strchrnul(text, '@');
    int64_t version;
    size_t place;

    if (*at && (!text_to_int(at + 1, &version) || version < 1))
        return false;
    return name_index_find(&planner->file->parts->data_index,
                           arena_copy(planner->arena, text, (size_t)(at - text)), &place);
}

static bool settle_path(Planner *planner, const YamlNode *node, const char *folder,
                        const char **path)
{
    if (!path_settle(folder, *path, planner->arena, path, planner->error))
        return planner_fail_at(planner, node);
    return strcmp(*path, ".") != 0 ||
           yaml_fail(node, planner->arena, planner->error,
                     "the whole project cannot be what a stage reads or makes: name what it is");
}

static size_t count_of(const YamlNode *list)
{
    return list ? list->count : 0;
}

static bool add_deps(Planner *planner, const StageParts *parts, PlanStep *step, StepOrigin *origin)
{
    size_t count = count_of(parts->deps) + count_of(parts->with);

    origin->dep_nodes = arena_array(planner->arena, const YamlNode *, count + 1);
    for (const YamlNode *node = field_first(parts->deps); node;
         node = field_next(parts->deps, node)) {
        PlanPath path = {.path = node->text, .is_data = is_data(planner, node->text)};

        if (!path.is_data && !settle_path(planner, node, step->folder, &path.path))
            return false;
        origin->dep_nodes[step->deps.count] = node;
        *arena_push(planner->arena, &step->deps) = path;
    }
    return true;
}

typedef struct OutKind {
    const YamlNode *list;
    PlanPathUse use;
} OutKind;

static bool add_out(Planner *planner, const YamlNode *item, PlanPathUse use, PlanStep *step)
{
    const YamlNode *settings = item->type == YAML_MAP ? item->first : NULL;
    PlanPath path = {.path = settings ? settings->key : item->text, .use = use};

    if (!settle_path(planner, item, step->folder, &path.path))
        return false;
    path.persist = field_bool(yaml_member(settings, "persist"), false);
    *arena_push(planner->arena, &step->outs) = path;
    return true;
}

static bool add_outs(Planner *planner, const StageParts *parts, PlanStep *step, StepOrigin *origin)
{
    const OutKind kinds[] = {
        {parts->outs, PLAN_OUT}, {parts->metrics, PLAN_METRICS}, {parts->plots, PLAN_PLOTS}};
    size_t count = count_of(parts->with);

    for (size_t i = 0; i < COUNT(kinds); i++)
        count += count_of(kinds[i].list);
    origin->out_nodes = arena_array(planner->arena, const YamlNode *, count + 1);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (const YamlNode *item = field_first(kinds[i].list); item;
             item = field_next(kinds[i].list, item)) {
            origin->out_nodes[step->outs.count] = item;
            if (!add_out(planner, item, kinds[i].use, step))
                return false;
        }
    }
    return true;
}

static bool has_path(const PlanPathList *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].path, path) == 0)
            return true;
    return false;
}

bool planner_add_with_path(Planner *planner, const YamlNode *node, PlanBuiltinUse use,
                           PlanStep *step, StepOrigin *origin)
{
    PlanPath path = {.path = node->text};

    if (use == PLAN_USE_VALUE || yaml_is_null(node))
        return true;
    if (!settle_path(planner, node, step->folder, &path.path))
        return false;
    if (has_path(use == PLAN_USE_DEP ? &step->deps : &step->outs, path.path))
        return true; /* also listed by the stage itself */
    if (use == PLAN_USE_DEP) {
        origin->dep_nodes[step->deps.count] = node;
        *arena_push(planner->arena, &step->deps) = path;
    } else {
        origin->out_nodes[step->outs.count] = node;
        *arena_push(planner->arena, &step->outs) = path;
    }
    return true;
}

/* Values of files that it depends on. */

static bool add_param(Planner *planner, const YamlNode *node, const char *path, const char *key,
                      PlanStep *step)
{
    TextList parts = text_split(key, '.', planner->arena);
    const JsonValue *file, *value;
    const char *name = arena_format(planner->arena, "%s:%s", path, key);

    for (size_t i = 0; i < step->params.count; i++)
        if (strcmp(step->params.items[i].name, name) == 0)
            return true;
    if (!planner->source)
        return true;
    if (!value_file_read(&planner->files, path, &file))
        return planner_fail_at(planner, node);
    value = json_at(file, &parts, 0);
    if (!value)
        return yaml_fail(node, planner->arena, planner->error, "there is no \"%.100s\" in %s", key,
                         path);
    *arena_push(planner->arena, &step->params) =
        (PlanValue){name, json_print(value, planner->arena)};
    return true;
}

static bool add_params_file(Planner *planner, const YamlNode *node, PlanStep *step)
{
    const char *path;

    if (!path_settle(step->folder, node->key, planner->arena, &path, planner->error))
        return planner_fail_at(planner, node);
    if (yaml_is_null(node))
        return add_param(planner, node, path, "", step);
    for (const YamlNode *key = field_first(node); key; key = field_next(node, key))
        if (!add_param(planner, key, path, key->text, step))
            return false;
    return true;
}

static bool add_params(Planner *planner, const YamlNode *params, PlanStep *step)
{
    const char *usual;

    if (!path_settle(step->folder, "params.yaml", planner->arena, &usual, planner->error))
        return false;
    for (const YamlNode *item = field_first(params); item; item = field_next(params, item)) {
        if (item->type == YAML_SCALAR && !add_param(planner, item, usual, item->text, step))
            return false;
        for (const YamlNode *file = item->first; file; file = file->next)
            if (!add_params_file(planner, file, step))
                return false;
    }
    return true;
}

bool planner_add_paths(Planner *planner, const StageParts *parts, PlanStep *step,
                       StepOrigin *origin)
{
    return add_deps(planner, parts, step, origin) && add_outs(planner, parts, step, origin) &&
           add_params(planner, parts->params, step);
}
