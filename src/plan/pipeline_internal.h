/* pipeline_internal.h: what the sources that read a pipeline's file and those that plan it share.
 */
#pragma once

#include "plan/field.h"
#include "plan/name_index.h"
#include "plan/pipeline_file.h"

typedef struct FileParts {
    const YamlNode *project, *data, *release, *monitor, *notify; /* read elsewhere */
    const YamlNode *stages, *params, *vars, *env, *on, *concurrency;
    const YamlNode *metrics, *plots, *artifacts, *datasets; /* of a dvc.yaml, for other programs */
} FileParts;

typedef struct StageParts {
    const YamlNode *cmd, *argv, *uses, *with, *env, *wdir;
    const YamlNode *deps, *outs, *metrics, *plots, *params, *vars;
    const YamlNode *needs, *when, *environment, *executor;
    const YamlNode *timeout, *retries, *resources;
    const YamlNode *frozen, *always_changed, *desc, *meta, *matrix;
    const YamlNode *foreach, *body;
} StageParts;

typedef struct OutParts {
    const YamlNode *cache, *persist, *push, *remote, *desc, *type, *labels, *meta;
    const YamlNode *x, *y, *title, *x_label, *y_label, *header, *template; /* of plots */
} OutParts;

typedef struct RetryParts {
    const YamlNode *max, *backoff;
} RetryParts;

typedef struct ResourceParts {
    const YamlNode *cpus, *memory, *gpus, *files;
} ResourceParts;

typedef struct ParamParts {
    const YamlNode *type, *fallback, *choices, *minimum, *maximum, *description;
} ParamParts;

typedef struct TriggerParts {
    const YamlNode *schedule, *push, *data, *alarm, *api, *manual;
} TriggerParts;

typedef struct ScheduleParts {
    const YamlNode *cron, *timezone, *missed;
} ScheduleParts;

/* The tables: what pipeline_fields.c says is what can be written. */
extern const Field slipway_fields[]; /* FileParts, of slipway.yaml */
extern const Field dvc_fields[];     /* FileParts, of dvc.yaml */
extern const Field stage_fields[];   /* StageParts, of a stage without foreach */
extern const Field foreach_fields[]; /* StageParts, with it */
extern const Field retry_fields[], resource_fields[], out_fields[], plot_fields[];
extern const Field param_fields[], trigger_fields[], schedule_fields[];
extern const char *const param_types[]; /* by PipelineParamType */
extern const char *const overlaps[];    /* by PipelineOverlap */

struct PipelineStage {
    const char *name;
    const YamlNode *node;
    const YamlNode *foreach; /* or NULL */
    StageParts parts;        /* its own, or those of its "do" */
};

struct PipelineParts {
    FileParts nodes;
    TemplateStyle style;
    PipelineStage *stages;
    size_t stage_count;
    NameIndex stage_index, data_index;
    const PlanBuiltin *builtins;
    bool needs_files; /* an expression stands for what a file of values has */
};

/* Everything that reading one file needs. */
typedef struct PipelineReader {
    FieldReader fields;
    PipelineFile *file;
    struct PipelineParts *parts;
} PipelineReader;

/* "line 4, column 7: ..." at a node, as ERROR_FIELD; the macro is false. */
#define fail_node(reader, node, ...)                                                               \
    yaml_fail((node), (reader)->fields.arena, (reader)->fields.error, __VA_ARGS__)

bool params_read(PipelineReader *reader) MUST_CHECK;
bool triggers_read(PipelineReader *reader) MUST_CHECK;
bool stages_read(PipelineReader *reader) MUST_CHECK;

/* All expressions of env and of the stages: their grammar, their names, and whether they may stand
 * where they do. */
bool expressions_check(PipelineReader *reader) MUST_CHECK;

bool when_parse(const YamlNode *node, Arena *arena, const Expression **expression,
                Error *error) MUST_CHECK;

bool env_check(PipelineReader *reader, const YamlNode *env) MUST_CHECK;
bool numbers_check(const FieldReader *reader, const StageParts *parts) MUST_CHECK;

const PlanBuiltin *plan_builtin_find(const PlanBuiltin builtins[], const char *name);
const PlanBuiltinField *plan_builtin_field_find(const PlanBuiltin *builtin, const char *name);
bool plan_builtin_value_check(const FieldReader *reader, const YamlNode *node,
                              const PlanBuiltinField *field) MUST_CHECK;
