/* plan_internal.h: a plan while it is made. */
#pragma once

#include "plan/pipeline_internal.h"
#include "plan/pipeline_values.h"

enum { PLAN_TEMPLATE_BUCKETS = 4096 };

/* A text of the file, taken apart once for all steps of its stage. */
typedef struct PlanTemplate {
    const char *text; /* the very one */
    TemplatePartList parts;
    struct PlanTemplate *next;
} PlanTemplate;

/* Where a step comes from, for messages and edges. */
typedef struct StepOrigin {
    const PipelineStage *stage;
    TextList needs;             /* stages and steps that it names */
    const YamlNode *needs_node; /* or NULL */
    TextList reads;             /* of steps.NAME */
    const YamlNode **dep_nodes; /* beside step.deps */
    const YamlNode **out_nodes; /* beside step.outs */
} StepOrigin;

typedef struct PlanItem {
    const char *suffix;          /* behind "@"; NULL: the stage is one step */
    const JsonValue *item, *key; /* or NULL */
} PlanItem;

typedef struct PlanItemList {
    PlanItem *items;
    size_t count;
} PlanItemList;

typedef struct StepRange {
    size_t first, count;
} StepRange;

typedef struct Planner {
    const PipelineFile *file;
    const PipelineStage *stage; /* that is spread at the moment */
    const PlanSource *source;   /* or NULL */
    Arena *arena;
    Error *error;
    ValueFiles files;
    ValueScope scope;
    const JsonValue *vars; /* of the file */
    PlanTemplate *templates[PLAN_TEMPLATE_BUCKETS];
    size_t node_count, byte_count;

    Plan plan; /* in the order of the file */
    struct {
        StepOrigin *items; /* beside plan.items */
        size_t count;
    } origins;
    StepRange *ranges; /* the steps of each stage */
} Planner;

/* The sentence of the error, which has no place yet, at the node; is false. A macro, as fail(). */
#define planner_fail_at(planner, node)                                                             \
    ({                                                                                             \
        planner_set_place((planner), (node));                                                      \
        false;                                                                                     \
    })

void planner_set_place(Planner *planner, const YamlNode *node);

/* Counts one more value with its text against the limits of a plan. */
bool planner_count(Planner *planner, const YamlNode *node, size_t bytes) MUST_CHECK;

/* The names of expressions as they are now. */
ExpressionNames planner_names(Planner *planner);

/* The parts of a text of the file. */
bool planner_template(Planner *planner, const YamlNode *node, const char *text,
                      TemplatePartList *parts) MUST_CHECK;

/* A text with what is known put in; a late name stays. */
bool planner_settle(Planner *planner, const YamlNode *node, const char **text) MUST_CHECK;

/* The tree with every expression in it replaced by its value, which may be a list or a map; itself
 * where there is none. */
bool planner_resolve(Planner *planner, const YamlNode *node, const YamlNode **resolved) MUST_CHECK;

/* What a stage is spread into. */
bool planner_items(Planner *planner, const PipelineStage *stage, PlanItemList *items) MUST_CHECK;

/* deps, outs and params of a step, whose folder is known. */
bool planner_add_paths(Planner *planner, const StageParts *parts, PlanStep *step,
                       StepOrigin *origin) MUST_CHECK;

/* A value of "with" that is a path: one more of the step's deps or outs. */
bool planner_add_with_path(Planner *planner, const YamlNode *node, PlanBuiltinUse use,
                           PlanStep *step, StepOrigin *origin) MUST_CHECK;

/* Adds one step of planner->stage. */
bool planner_add_step(Planner *planner, const PlanItem *item) MUST_CHECK;

/* Edges and order: plan becomes the finished one. */
bool planner_order(Planner *planner, Plan *plan) MUST_CHECK;
