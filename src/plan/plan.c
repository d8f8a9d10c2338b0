#include "plan/plan.h"

#include "plan/plan_internal.h"

static bool read_values(Planner *planner, const PlanRequest *request)
{
    const VarsSpec spec = {.node = planner->file->parts->nodes.vars,
                           .folder = ".",
                           .has_default = planner->file->is_dvc};

    return params_take(&planner->file->params, request->values, planner->arena,
                       &planner->scope.params, planner->error) &&
           vars_read(&planner->files, &spec, &planner->vars);
}

static bool spread_stages(Planner *planner)
{
    const struct PipelineParts *parts = planner->file->parts;

    planner->ranges = arena_array(planner->arena, StepRange, parts->stage_count + 1);
    for (size_t i = 0; i < parts->stage_count; i++) {
        PlanItemList items;

        planner->stage = &parts->stages[i];
        planner->scope.item = planner->scope.key = NULL;
        planner->scope.vars = planner->vars;
        planner->ranges[i].first = planner->plan.count;
        if (!planner_items(planner, planner->stage, &items))
            return false;
        for (size_t j = 0; j < items.count; j++)
            if (!planner_add_step(planner, &items.items[j]))
                return false;
        planner->ranges[i].count = items.count;
    }
    return true;
}

bool pipeline_plan(const PipelineFile *file, const PlanRequest *request, Arena *arena, Plan *plan,
                   Error *error)
{
    Planner planner = {.file = file, .source = request->source, .arena = arena, .error = error};

    planner.files = (ValueFiles){.source = request->source, .arena = arena, .error = error};
    return read_values(&planner, request) && spread_stages(&planner) &&
           planner_order(&planner, plan);
}
