/* plan_graph.c: which step waits for which, and an order in which each stands behind those. */

#include <stdlib.h>
#include <string.h>

#include "plan/path.h"
#include "plan/plan_internal.h"

enum { CYCLE_SHOWN_MAX = 8 };

/* An output of a step. */
typedef struct Out {
    const char *path;
    size_t step, position;
} Out;

typedef struct OutList {
    Out *items; /* by path: what is inside a folder right behind it */
    size_t count;
} OutList;

typedef struct Graph {
    Planner *planner;
    OutList outs;
    NameIndex steps;
    PlanNeeds *needs; /* of each step, in the order of the file */
    size_t *seen;     /* of each step, the last one that was found to wait for it, and 1 */
    size_t edge_count;
} Graph;

/* Outputs. */

static int compare_outs(const void *a, const void *b)
{
    const Out *left = a, *right = b;
    int order = path_compare(left->path, right->path);

    return order ? order : (left->step > right->step) - (left->step < right->step);
}

static const char *step_name(const Graph *graph, size_t step)
{
    return graph->planner->plan.items[step].name;
}

static bool fail_outs(Graph *graph, const Out *outer, const Out *inner)
{
    const StepOrigin *origin = &graph->planner->origins.items[inner->step];
    const YamlNode *node = origin->out_nodes[inner->position];
    Planner *planner = graph->planner;

    if (strcmp(outer->path, inner->path) != 0)
        return yaml_fail(node, planner->arena, planner->error,
                         "\"%s\" of step \"%s\" is inside of \"%s\" of step \"%s\": each output is "
                         "made by one step",
                         inner->path, step_name(graph, inner->step), outer->path,
                         step_name(graph, outer->step));
    if (outer->step == inner->step)
        return yaml_fail(node, planner->arena, planner->error,
                         "\"%s\" is an output of step \"%s\" twice", inner->path,
                         step_name(graph, inner->step));
    return yaml_fail(node, planner->arena, planner->error,
                     "\"%s\" is an output of step \"%s\" and of step \"%s\": one makes it",
                     inner->path, step_name(graph, outer->step), step_name(graph, inner->step));
}

static bool gather_outs(Graph *graph)
{
    const Plan *plan = &graph->planner->plan;
    OutList *outs = &graph->outs;

    for (size_t i = 0; i < plan->count; i++)
        for (size_t j = 0; j < plan->items[i].outs.count; j++)
            *arena_push(graph->planner->arena, outs) =
                (Out){plan->items[i].outs.items[j].path, i, j};
    if (outs->count)
        qsort(outs->items, outs->count, sizeof(*outs->items), compare_outs);
    for (size_t i = 1; i < outs->count; i++)
        if (path_is_below(outs->items[i].path, outs->items[i - 1].path))
            return fail_outs(graph, &outs->items[i - 1], &outs->items[i]);
    return true;
}

/* The first output that is not before path. */
static size_t find_out(const OutList *outs, const char *path)
{
    size_t low = 0, high = outs->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (path_compare(outs->items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Edges. */

static bool add_edge(Graph *graph, size_t step, size_t other)
{
    Planner *planner = graph->planner;

    if (graph->seen[other] == step + 1)
        return true;
    graph->seen[other] = step + 1;
    if (graph->edge_count++ == PLAN_EDGES_MAX)
        return yaml_fail(planner->origins.items[step].stage->node, planner->arena, planner->error,
                         "the plan has more than %d pairs of steps that wait for each other",
                         PLAN_EDGES_MAX);
    *arena_push(planner->arena, &graph->needs[step]) = other;
    return true;
}

static bool exists(Graph *graph, const PlanStep *step, const char *path)
{
    const PlanSource *source = graph->planner->source;

    return !source || step->frozen || source->exists(source->context, path);
}

/* What makes the path: an output that it is or is inside of, or outputs inside of it. No two
 * outputs are inside one another, so the one around it stands right before. */
static bool add_dep(Graph *graph, size_t step, size_t position)
{
    Planner *planner = graph->planner;
    const char *path = planner->plan.items[step].deps.items[position].path;
    const OutList *outs = &graph->outs;
    size_t first = find_out(outs, path), at = first;

    for (; at < outs->count && path_is_below(outs->items[at].path, path); at++)
        if (!add_edge(graph, step, outs->items[at].step))
            return false;
    if (at > first)
        return true;
    if (first && path_is_below(path, outs->items[first - 1].path))
        return add_edge(graph, step, outs->items[first - 1].step);
    return exists(graph, &planner->plan.items[step], path) ||
           yaml_fail(planner->origins.items[step].dep_nodes[position], planner->arena,
                     planner->error,
                     "\"%s\" of step \"%s\" is not in the project, and no step makes it", path,
                     step_name(graph, step));
}

static bool add_deps(Graph *graph, size_t step)
{
    const PlanPathList *deps = &graph->planner->plan.items[step].deps;

    for (size_t i = 0; i < deps->count; i++)
        if (!deps->items[i].is_data && !add_dep(graph, step, i))
            return false;
    return true;
}

static bool add_stage(Graph *graph, size_t step, const StepRange *range)
{
    for (size_t i = 0; i < range->count; i++)
        if (!add_edge(graph, step, range->first + i))
            return false;
    return true;
}

/* A stage, which means all its steps, or one step. */
static bool add_needs(Graph *graph, size_t step)
{
    Planner *planner = graph->planner;
    const StepOrigin *origin = &planner->origins.items[step];
    size_t found;

    for (size_t i = 0; i < origin->needs.count; i++) {
        const char *name = origin->needs.items[i];

        if (name_index_find(&planner->file->parts->stage_index, name, &found)) {
            if (!add_stage(graph, step, &planner->ranges[found]))
                return false;
        } else if (!name_index_find(&graph->steps, name, &found)) {
            return yaml_fail(origin->needs_node, planner->arena, planner->error,
                             "step \"%s\" needs \"%.100s\", which is no stage",
                             step_name(graph, step), name);
        } else if (!add_edge(graph, step, found)) {
            return false;
        }
    }
    return true;
}

static bool add_reads(Graph *graph, size_t step)
{
    Planner *planner = graph->planner;
    const StepOrigin *origin = &planner->origins.items[step];
    size_t found;

    for (size_t i = 0; i < origin->reads.count; i++) {
        const char *name = origin->reads.items[i];

        if (!name_index_find(&graph->steps, name, &found))
            return yaml_fail(origin->stage->node, planner->arena, planner->error,
                             "step \"%s\" reads steps['%.100s'], which is no step: a stage with "
                             "foreach or matrix has several, such as steps['train@fast']",
                             step_name(graph, step), name);
        if (!add_edge(graph, step, found))
            return false;
    }
    return true;
}

static bool add_edges(Graph *graph)
{
    for (size_t i = 0; i < graph->planner->plan.count; i++)
        if (!add_deps(graph, i) || !add_needs(graph, i) || !add_reads(graph, i))
            return false;
    return true;
}

/* Order. */

typedef enum Visit { VISIT_NONE, VISIT_OPEN, VISIT_DONE } Visit;

/* A walk from each step to those that it waits for, which come first; in the order of the file
 * where there is a choice. */
typedef struct Walk {
    Visit *visits;
    size_t *stack, *next; /* the open steps, and for each which of its needs is looked at next */
    size_t depth;
    size_t *order, count;
} Walk;

static void open_step(Walk *walk, size_t step)
{
    walk->visits[step] = VISIT_OPEN;
    walk->next[walk->depth] = 0;
    walk->stack[walk->depth++] = step;
}

static bool fail_cycle(Graph *graph, const Walk *walk, size_t step)
{
    Planner *planner = graph->planner;
    TextBuilder text = {.arena = planner->arena};
    size_t first = walk->depth;

    while (walk->stack[--first] != step)
        ;
    for (size_t i = first; i < walk->depth; i++) {
        if (i - first == CYCLE_SHOWN_MAX)
            text_append(&text, "... -> ");
        if (i - first < CYCLE_SHOWN_MAX || i + 1 == walk->depth)
            text_append_format(&text, "%s -> ", step_name(graph, walk->stack[i]));
    }
    text_append(&text, step_name(graph, step));
    return yaml_fail(planner->origins.items[step].stage->node, planner->arena, planner->error,
                     "steps wait for each other in a circle: %s", text_built(&text));
}

static bool walk_on(Graph *graph, Walk *walk)
{
    size_t step = walk->stack[walk->depth - 1];
    const PlanNeeds *needs = &graph->needs[step];
    size_t *next = &walk->next[walk->depth - 1], other;

    if (*next == needs->count) {
        walk->visits[step] = VISIT_DONE;
        walk->order[walk->count++] = step;
        walk->depth--;
        return true;
    }
    other = needs->items[(*next)++];
    if (walk->visits[other] == VISIT_OPEN)
        return fail_cycle(graph, walk, other);
    if (walk->visits[other] == VISIT_NONE)
        open_step(walk, other);
    return true;
}

static bool walk_all(Graph *graph, Walk *walk)
{
    for (size_t i = 0; i < graph->planner->plan.count; i++) {
        if (walk->visits[i] == VISIT_NONE)
            open_step(walk, i);
        while (walk->depth)
            if (!walk_on(graph, walk))
                return false;
    }
    return true;
}

/* Each step's needs by their new positions, ascending, without sorting: steps are taken in the new
 * order and noted at those that wait for them. */
static void place_steps(Graph *graph, const size_t *order, Plan *plan)
{
    Arena *arena = graph->planner->arena;
    size_t count = graph->planner->plan.count;
    PlanNeeds *waiting = arena_array(arena, PlanNeeds, count + 1);

    *plan = (Plan){0}; /* whoever adds steps to it grows it, as this does */
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < graph->needs[i].count; j++)
            *arena_push(arena, &waiting[graph->needs[i].items[j]]) = i;
    for (size_t i = 0; i < count; i++) {
        graph->seen[order[i]] = i; /* its new position */
        *arena_push(arena, plan) = graph->planner->plan.items[order[i]];
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < waiting[order[i]].count; j++) {
            PlanStep *step = &plan->items[graph->seen[waiting[order[i]].items[j]]];

            *arena_push(arena, &step->needs) = i;
        }
}

static bool index_steps(Graph *graph)
{
    Planner *planner = graph->planner;
    size_t first, second;
    TextList names = {0};

    for (size_t i = 0; i < planner->plan.count; i++)
        *arena_push(planner->arena, &names) = planner->plan.items[i].name;
    graph->steps = name_index_create(&names, planner->arena);
    return !name_index_twice(&graph->steps, &first, &second) ||
           yaml_fail(planner->origins.items[second].stage->node, planner->arena, planner->error,
                     "there are two steps \"%s\": an item is there twice",
                     step_name(graph, second));
}

bool planner_order(Planner *planner, Plan *plan)
{
    size_t count = planner->plan.count;
    Graph graph = {.planner = planner};
    Walk walk = {0};

    graph.needs = arena_array(planner->arena, PlanNeeds, count + 1);
    graph.seen = arena_array(planner->arena, size_t, count + 1);
    walk.visits = arena_array(planner->arena, Visit, count + 1);
    walk.stack = arena_array(planner->arena, size_t, count + 1);
    walk.next = arena_array(planner->arena, size_t, count + 1);
    walk.order = arena_array(planner->arena, size_t, count + 1);
    if (!index_steps(&graph) || !gather_outs(&graph) || !add_edges(&graph) ||
        !walk_all(&graph, &walk))
        return false;
    place_steps(&graph, walk.order, plan);
    return true;
}
