/* pipeline_file.h: the pipeline's part of slipway.yaml, or a dvc.yaml: what there is to run, with
 * which params, and what starts it.
 *
 *     params:
 *       rows: {type: integer, default: 1000, minimum: 1}
 *     stages:
 *       check: {uses: check-data, with: {data: comments}}
 *       train:
 *         cmd: python train.py --rows ${{ params.rows }}
 *         deps: [comments, train.py]
 *         outs: [model/]
 *     on:
 *       schedule: {cron: "0 3 * * 1", timezone: Europe/Amsterdam}
 *
 *     PipelineFile file;
 *     Plan plan;
 *
 *     if (!pipeline_file_read(root, builtins, arena, &file, error) ||
 *         !pipeline_plan(&file, &(PlanRequest){values, source}, arena, &plan, error))
 *         return false;
 *
 * Reading is pure: no file, store or network. Whatever is not allowed is refused with its line, its
 * column and what is. A file without "project" has DVC's shape: there ${x} stands for a value of
 * vars or of params.yaml, as in DVC; elsewhere only ${{ }} means anything.
 *
 * A file that was read refers to the tree that it was read from: keep the arena.
 */
#pragma once

#include "base/yaml.h"
#include "plan/plan.h"

enum {
    PIPELINE_STAGES_MAX = 4096,
    PIPELINE_PATH_MAX = 1024,             /* bytes of a path */
    PIPELINE_NAME_MAX = 256,              /* bytes of a step's name */
    PIPELINE_NODES_MAX = 1000000,         /* values of all steps of one plan */
    PIPELINE_BYTES_MAX = 64 << 20,        /* and their texts */
    PIPELINE_TIMEOUT_MAX = 60 * 24 * 366, /* minutes */
    PIPELINE_RETRIES_MAX = 100,
};

/* What a value under "with" names; a path is known when the run is planned. */
typedef enum PlanBuiltinUse {
    PLAN_USE_VALUE, /* nothing but itself */
    PLAN_USE_DEP,   /* a path that the step reads: a dep of it */
    PLAN_USE_OUT,   /* a path that it makes: an out */
} PlanBuiltinUse;

/* What a built-in step takes under "with". A table ends with a row of zeros. */
typedef struct PlanBuiltinField {
    const char *name;
    JsonType
        type; /* JSON_TEXT takes any scalar; JSON_ANY, JSON_ARRAY and JSON_OBJECT go on as JSON */
    JsonNeed need;
    const char *summary;
    PlanBuiltinUse use;
} PlanBuiltinField;

typedef struct PlanBuiltin {
    const char *name, *summary;
    const PlanBuiltinField *fields;
} PlanBuiltin;

typedef enum PipelineParamType {
    PIPELINE_TEXT,
    PIPELINE_INTEGER,
    PIPELINE_NUMBER,
    PIPELINE_BOOLEAN,
    PIPELINE_DATE, /* "2026-03-29" */
    PIPELINE_CHOICE,
} PipelineParamType;

typedef struct PipelineParam {
    const char *name, *description; /* or NULL */
    PipelineParamType type;
    const char *fallback; /* the default, as JSON; NULL: a run must give it */
    TextList choices;
    double minimum, maximum; /* -INFINITY and INFINITY: none */
} PipelineParam;

typedef struct PipelineParamList {
    PipelineParam *items;
    size_t count;
} PipelineParamList;

typedef struct PipelineSchedule {
    const char *cron;     /* as base/cron.h reads it */
    const char *timezone; /* as in the tz database; "UTC" where the file names none */
    const char *missed;   /* "latest", "skip" or "all" */
} PipelineSchedule;

typedef struct PipelineScheduleList {
    PipelineSchedule *items;
    size_t count;
} PipelineScheduleList;

/* What starts a run. By hand and over the API it starts unless the file says false. */
typedef struct PipelineTriggers {
    PipelineScheduleList schedules;
    TextList push;  /* branches, which may hold "*" */
    TextList data;  /* data sets */
    TextList alarm; /* kinds of alarms */
    bool manual, api;
} PipelineTriggers;

typedef enum PipelineOverlap { PIPELINE_QUEUE, PIPELINE_SKIP, PIPELINE_REPLACE } PipelineOverlap;

typedef struct PipelineStage PipelineStage; /* private */

typedef struct PipelineFile {
    bool is_dvc;
    PipelineParamList params;
    PipelineTriggers on;
    PipelineOverlap overlap;     /* what a start does while a run goes on */
    TextList stages;             /* names, in the order of the file */
    TextList warnings;           /* sentences */
    struct PipelineParts *parts; /* private */
} PipelineFile;

/* Of the document. builtins: ends with a row of zeros. The other parts of slipway.yaml (project,
 * data, release ...) are read elsewhere; of data, the names count here. */
bool pipeline_file_read(const YamlNode *root, const PlanBuiltin builtins[], Arena *arena,
                        PipelineFile *file, Error *error) MUST_CHECK;

typedef struct PlanBytes {
    const char *bytes;
    size_t size;
} PlanBytes;

/* Files of the project; a path is plain and relative to its folder. */
typedef struct PlanSource {
    bool (*exists)(void *context, const char *path);
    /* ERROR_NOT_FOUND when it is not there. */
    bool (*read)(void *context, const char *path, Arena *arena, PlanBytes *bytes, Error *error);
    void *context;
} PlanSource;

typedef struct PlanRequest {
    const JsonValue *values;  /* of params: an object of name -> value; NULL: none. A text is taken
                                 for another type that it reads as: "3" for an integer */
    const PlanSource *source; /* NULL: without files; nothing that depends on them is checked */
} PlanRequest;

/* A value that is wrong is an ERROR_FIELD on its param's name. The plan refers to texts of the
 * file: keep its arena. */
bool pipeline_plan(const PipelineFile *file, const PlanRequest *request, Arena *arena, Plan *plan,
                   Error *error) MUST_CHECK;
