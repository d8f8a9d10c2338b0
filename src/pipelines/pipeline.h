/* pipeline.h: runs of a pipeline and their steps, as the store keeps them.
 *
 * A run is accepted with its whole plan in one transaction; from then on it comes to an end
 * whatever is killed. Its steps are the durable queue:
 *
 *     waiting -> ready -> running -> succeeded | failed | cancelled
 *                     \-> succeeded (from the cache) | skipped
 *
 * The scheduler (scheduler.h) moves them, one transaction a turn; nobody else does.
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"
#include "pipelines/originator.h"
#include "plan/pipeline_file.h"

typedef struct PipelineRun {
    const char *id; /* 32 hexadecimal digits */
    const char *project;
    int64_t number; /* 1, 2, 3 ... in its project */
    const char *status, *reason;
    const char *file, *tree;
    const char *params, *origin; /* JSON objects */
    const char *trigger_key, *run_id;
    const char
        *follows; /* the run that must have ended before a step of this one begins; or NULL */
    const char *reproduces; /* the run that it does again (reproduction.h); or NULL */
    bool is_forced;
    int64_t open_steps, bad_steps;
    int64_t cancelled_at;
    const char *cancelled_by;
    int64_t created_at;
    const char *created_by;
    const char *originators; /* a JSON list: originator.h */
    int64_t started_at, ended_at;
    int64_t purged_at; /* its steps, logs and outs are gone or about to: retention.h; 0: no */
} PipelineRun;

typedef struct PipelineRunList {
    PipelineRun *items;
    size_t count;
} PipelineRunList;

typedef struct PipelineRunSpec {
    const char *project;
    const char *file;        /* where in the tree the plan came from */
    const char *tree;        /* digest of the listing of the project's files; NULL: none */
    const char *params;      /* a JSON object */
    const char *origin;      /* a JSON object: {"trigger": "manual", "commit": ...} */
    const char *trigger_key; /* NULL, or what this run is for: there is one run of it at most */
    const char *reproduces;  /* the run that it does again, or NULL */
    const char *originators; /* a JSON list */
    bool is_forced;
    PipelineOverlap overlap; /* while another run of the project is open */
    const Plan *plan;
} PipelineRunSpec;

/* Inside a write. *is_new false: the run of that trigger_key was there, or one was open and the
 * rule is to skip; that one is the answer. By the rule to replace, those that are open are
 * cancelled first. Either way a new run's steps begin when no older one of the project is open.
 * Appends pipeline_run.created. */
bool pipeline_run_create(Scope *scope, const PipelineRunSpec *spec, PipelineRun *run,
                         bool *is_new) MUST_CHECK;

bool pipeline_run_find(Scope *scope, const char *id, PipelineRun *run) MUST_CHECK;

/* By its number in a project: "spam", 12. */
bool pipeline_run_find_number(Scope *scope, const char *project, int64_t number,
                              PipelineRun *run) MUST_CHECK;

/* Not found when it was purged. */
bool pipeline_run_check_kept(const PipelineRun *run, Error *error) MUST_CHECK;

/* The newest first; project NULL: of all. */
bool pipeline_run_list(Scope *scope, const char *project, const Page *page,
                       PipelineRunList *list) MUST_CHECK;

/* Inside a write. The wish is kept; the scheduler sees to it. A conflict when the run has ended. */
bool pipeline_run_cancel(Scope *scope, const char *id, PipelineRun *run) MUST_CHECK;

void pipeline_run_write_json(JsonWriter *json, const char *key, const PipelineRun *run);

typedef struct PipelineStep {
    const char *run_id;
    int64_t position;
    const char *name, *spec, *status, *reason;
    int64_t waits_for, bad_needs, attempts, losses, ready_at;
    const char *inputs, *cache_key, *cached_run;
    int64_t cached_position;
    const char *outs, *result, *metrics; /* JSON or NULL */
    int64_t started_at, ended_at;
    const char *executor; /* that it is for */
} PipelineStep;

typedef struct PipelineStepList {
    PipelineStep *items;
    size_t count;
} PipelineStepList;

/* In the plan's order, those behind a position (-1: from the first), at most limit. */
bool pipeline_step_list(Scope *scope, const char *run_id, int64_t after, int64_t limit,
                        PipelineStepList *list) MUST_CHECK;
bool pipeline_step_find(Scope *scope, const char *run_id, const char *name,
                        PipelineStep *step) MUST_CHECK;
void pipeline_step_write_json(JsonWriter *json, const char *key, const PipelineStep *step);

typedef struct StepAttempt {
    const char *run_id;
    int64_t position, attempt;
    const char *key, *status, *reason, *executor, *handle, *boot, *tracked_run;
    int64_t exit_code, signal;
    const char *usage, *log_digest;
    int64_t log_size, created_at, started_at, ended_at;
} StepAttempt;

typedef struct StepAttemptList {
    StepAttempt *items;
    size_t count;
} StepAttemptList;

bool step_attempt_list(Scope *scope, const char *run_id, int64_t position,
                       StepAttemptList *list) MUST_CHECK;
void step_attempt_write_json(JsonWriter *json, const char *key, const StepAttempt *attempt);

/* Where an attempt's files are: a folder below the data folder. */
const char *step_attempt_folder(const Platform *platform, const char *key, Arena *arena);

/* Why a step ran, or did not: against the last time that a step of its name succeeded. A JSON
 * object: {"decision", "reason", "changed": [{"name", "before", "now"}]}. */
bool pipeline_step_explain(Scope *scope, const PipelineStep *step, JsonWriter *json) MUST_CHECK;

/* What a run is asked for with, from outside. */
enum {
    PIPELINE_KEY_BYTES_MAX = 256,
    PIPELINE_COMMIT_BYTES_MAX = 128,
    PIPELINE_BRANCH_BYTES_MAX = 512,
};

typedef struct PipelineOrder {
    const char *project;     /* NULL: the one that the file names */
    const char *file;        /* in the tree; NULL: slipway.yaml, else dvc.yaml */
    Tree files;              /* of the project: blobs that are in the store */
    bool is_stored;          /* they are those of its pipeline (pipeline_source.h) */
    bool queues;             /* whatever the file says of runs at once */
    const JsonValue *params; /* an object, or NULL */
    const char *trigger;     /* "manual", "api", "schedule", "push", "data", "alarm", "backfill" */
    const char *cause;       /* of it, a text for people: the tick, the alarm; or NULL */
    const char *trigger_key; /* that of a person or a program begins like none of a trigger's */
    const char *told_by, *signed_by; /* of a push, as in hook.h; or NULL */
    const char *commit, *branch;     /* or NULL */
    bool is_dirty;                   /* the files are not those of the commit */
    bool is_forced;
    OriginatorList originators; /* beside whoever starts it */
} PipelineOrder;

/* Makes the plan and accepts the run; calls scope_write() itself. */
bool pipeline_start(Scope *scope, const PipelineOrder *order, PipelineRun *run,
                    bool *is_new) MUST_CHECK;
