#include "pipelines/reproduction.h"

#include <string.h>

#include "pipelines/builtin.h"
#include "plan/plan.h"

/* ---- the steps that there were ---- */

bool reproduction_original(Scope *scope, const StepStart *start, PipelineStep *original)
{
    return pipeline_step_find(scope, start->run->reproduces, start->row->name, original);
}

bool reproduction_original_result(Scope *scope, const StepStart *start, const JsonValue **result)
{
    PipelineStep original;

    if (!reproduction_original(scope, start, &original))
        return false;
    if (!original.result)
        return fail(&scope->error, ERROR_CONFLICT,
                    "the step recorded no result that it could be done again from");
    return json_parse(original.result, strlen(original.result), scope->arena, result,
                      &scope->error);
}

static bool read_plan(Scope *scope, const PipelineStep *step, PlanStep *plan)
{
    const JsonValue *spec;

    return json_parse(step->spec, strlen(step->spec), scope->arena, &spec, &scope->error) &&
           plan_step_read_json(spec, scope->arena, plan, &scope->error);
}

static const char *reason_of(const PipelineStep *step, const PlanStep *plan, Arena *arena)
{
    if (plan->uses && text_has_prefix(plan->uses, "release."))
        return "it releases";
    if (plan->place)
        return arena_format(arena, "it acts on environment \"%s\"", plan->place);
    if (strcmp(step->status, "succeeded") != 0)
        return arena_format(arena, "it was %s", step->status);
    return NULL;
}

bool reproduction_leaves_out(Scope *scope, const PipelineStep *step, const char **reason)
{
    PlanStep plan = {0};

    if (!read_plan(scope, step, &plan))
        return false;
    *reason = reason_of(step, &plan, scope->arena);
    return true;
}

/* ---- the plan ---- */

static bool has_with(const PlanStep *step, const char *name)
{
    for (size_t i = 0; i < step->with.count; i++)
        if (strcmp(step->with.items[i].name, name) == 0)
            return true;
    return false;
}

static void pin(Arena *arena, PlanStep *step, const char *name, const char *text)
{
    for (size_t i = 0; text && i < step->with.count; i++)
        if (strcmp(step->with.items[i].name, name) == 0) {
            step->with.items[i].text = text;
            return;
        }
    if (text)
        *arena_push(arena, &step->with) = (PlanValue){name, text};
}

/* Versions as they were found then: "latest" and an alias may mean another one now. */
static bool pin_versions(Scope *scope, const PipelineStep *row, PlanStep *step)
{
    const JsonValue *result, *version, *data;

    if (!row->result || !step->uses)
        return true;
    if (!json_parse(row->result, strlen(row->result), scope->arena, &result, &scope->error))
        return false;
    version = json_member(result, "version");
    data = json_member(result, "rows_of") ? json_member(result, "rows_of")
                                          : json_member(result, "data");
    if (builtin_takes(step->uses, "version") && json_is_number(version)) {
        pin(scope->arena, step, "model", json_as_text(json_member(result, "model"), NULL));
        pin(scope->arena, step, "version", json_print(version, scope->arena));
    }
    if (has_with(step, "data") && strchr(json_as_text(data, ""), '@'))
        pin(scope->arena, step, "data", json_as_text(data, NULL));
    return true;
}

typedef struct Replan {
    Plan plan;
    int64_t *places; /* of each old position, the new one; -1: left out */
    size_t place_count;
} Replan;

static bool add_needs(Scope *scope, const PipelineStep *row, const Replan *replan, PlanStep *step)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT step FROM pipeline_edges WHERE run_id = $1 AND next = $2"
                           " ORDER BY step",
                           db_text(row->run_id), db_int(row->position));

    step->needs = (PlanNeeds){0};
    while (query_next(&query)) {
        int64_t place = replan->places[query_int(&query, 0)];

        if (place >= 0)
            *arena_push(scope->arena, &step->needs) = (size_t)place;
    }
    return query_end(&query, &scope->error);
}

/* What it was done for has been so: it is done whenever what it needs succeeds. */
static bool add_step(Scope *scope, const PipelineStep *row, Replan *replan)
{
    PlanStep step = {0};

    if (!read_plan(scope, row, &step))
        return false;
    replan->places[row->position] = -1;
    if (reason_of(row, &step, scope->arena))
        return true;
    step.when = NULL;
    if (!pin_versions(scope, row, &step) || !add_needs(scope, row, replan, &step))
        return false;
    replan->places[row->position] = (int64_t)replan->plan.count;
    *arena_push(scope->arena, &replan->plan) = step;
    return true;
}

static bool make_plan(Scope *scope, const PipelineRun *run, Replan *replan)
{
    PipelineStepList rows = {0};

    if (!pipeline_step_list(scope, run->id, -1, PLAN_STEPS_MAX, &rows))
        return false;
    replan->places = arena_array(scope->arena, int64_t, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++)
        if (!add_step(scope, &rows.items[i], replan))
            return false;
    return replan->plan.count ||
           fail(&scope->error, ERROR_CONFLICT,
                "none of its steps can be done again: they did not succeed, or they release");
}

/* ---- starting ---- */

static bool check_files(Scope *scope, const PipelineRun *run)
{
    Tree tree;

    if (!run->tree)
        return true;
    if (tree_read(scope->platform->artifacts, run->tree, scope->arena, &tree, &scope->error) &&
        tree_claim(scope->platform->artifacts, &tree, &scope->error))
        return true;
    return fail_in(&scope->error, "the files of %s#%lld are not there any more", run->project,
                   (long long)run->number);
}

typedef struct Start {
    const PipelineRunSpec *spec;
    PipelineRun *run;
} Start;

static bool write_start(Scope *scope, void *context)
{
    Start *start = context;
    PipelineRun first;
    bool is_new;

    return pipeline_run_find(scope, start->spec->reproduces, &first) &&
           pipeline_run_check_kept(&first, &scope->error) &&
           pipeline_run_create(scope, start->spec, start->run, &is_new);
}

bool reproduction_start(Scope *scope, const char *run_id, PipelineRun *run)
{
    PipelineRun first;
    Replan replan = {0};
    PipelineRunSpec spec = {.is_forced = true, .overlap = PIPELINE_QUEUE, .plan = &replan.plan};
    Start start = {&spec, run};
    OriginatorList originators = {0};

    if (!pipeline_run_find(scope, run_id, &first) ||
        !pipeline_run_check_kept(&first, &scope->error))
        return false;
    if (!first.ended_at)
        return fail(&scope->error, ERROR_CONFLICT,
                    "%s#%lld has not ended, so there is nothing to compare with", first.project,
                    (long long)first.number);
    if (!check_files(scope, &first) || !make_plan(scope, &first, &replan))
        return false;
    spec.project = first.project;
    spec.file = first.file;
    spec.tree = first.tree;
    spec.params = first.params;
    spec.origin = first.origin;
    spec.reproduces = first.id;
    originators_add_caller(&originators, scope, ORIGINATOR_STARTED);
    spec.originators = originators_print(&originators, scope->arena);
    return scope_write(scope, write_start, &start);
}
