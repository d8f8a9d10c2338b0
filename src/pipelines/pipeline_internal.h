/* pipeline_internal.h: what the scheduler's files and those of the rows share. */
#pragma once

#include "pipelines/pipeline.h"
#include "pipelines/release.h"
#include "tracking/run.h"

/* Every select starts with these columns, in the order that the rows are read. */
#define SELECT_STEP                                                                                \
    "SELECT run_id, position, name, spec, status, reason, waits_for, bad_needs, attempts, losses," \
    " ready_at, inputs, cache_key, cached_run, cached_position, outs, result, metrics,"            \
    " started_at, ended_at, executor FROM pipeline_steps"

#define SELECT_ATTEMPT                                                                             \
    "SELECT run_id, position, attempt, key, status, reason, executor, handle, boot, tracked_run,"  \
    " exit_code, signal, usage, log_digest, log_size, created_at, started_at, ended_at"            \
    " FROM step_attempts"

enum { STEP_BACKOFF_MS_MAX = 60 * 60 * 1000 }; /* that a step waits to be tried again */

bool pipeline_steps_take(Scope *scope, Query *query, PipelineStepList *list) MUST_CHECK;
bool pipeline_step_at(Scope *scope, const char *run_id, int64_t position,
                      PipelineStep *step) MUST_CHECK;
bool step_attempt_find(Scope *scope, const char *key, StepAttempt *attempt) MUST_CHECK;
bool step_attempts_take(Scope *scope, Query *query, StepAttemptList *list) MUST_CHECK;

/* "spam#12" */
const char *pipeline_run_title(const PipelineRun *run, Arena *arena);

/* From here on what the scope does is done for this run. */
void pipeline_run_set_topic(Scope *scope, const PipelineRun *run);

/* The commit that the run's files are of, with "-dirty" behind it when files had changed; NULL:
 * none is known. */
const char *pipeline_run_commit(const PipelineRun *run, Arena *arena);

/* Where a step that succeeded was really done: the run, which is another one for a step that came
 * from the cache, as long as that is there; and the tracked run of the attempt, or NULL. */
bool pipeline_step_done_in(Scope *scope, const PipelineStep *step, PipelineRun *run,
                           const char **tracked) MUST_CHECK;

/* The files of an order with the pipeline's among them, read and checked. */
typedef struct OrderRead {
    Tree tree;
    Artifact listing;
    const char *path, *project;
    const char *yaml; /* of the project; NULL: a dvc.yaml */
    size_t yaml_size;
    PipelineFile file;
    ReleaseFile release;
} OrderRead;

bool pipeline_order_read(Scope *scope, const PipelineOrder *order, OrderRead *read) MUST_CHECK;
bool pipeline_order_plan(Scope *scope, const PipelineOrder *order, const OrderRead *read,
                         Plan *plan) MUST_CHECK;

/* Of a run that is asked for while others of its project are open. */
typedef struct Overlap {
    const char *run; /* the newest open one, which the new one follows; NULL: none is */
    bool is_skipped; /* there is no new one: that is the answer */
} Overlap;

/* Inside a write. Cancels those that are replaced. */
bool pipeline_overlap(Scope *scope, const PipelineRunSpec *spec, Overlap *overlap) MUST_CHECK;

/* Inside a write: the steps of a run that were only waiting for its turn are ready. */
bool pipeline_overlap_release(Scope *scope, const char *run_id) MUST_CHECK;

/* Inside a write, of a run that has just ended: the turn of the one that follows it. */
bool pipeline_overlap_end(Scope *scope, const PipelineRun *run) MUST_CHECK;

/* What a step that is about to start stands on. */
typedef struct StepStart {
    const PipelineRun *run;
    const PipelineStep *row;
    PlanStep step;    /* with every expression resolved */
    const Tree *tree; /* of the run, or NULL */
} StepStart;

/* Reads the step's spec and resolves what only a start can know. */
bool step_start_read(Scope *scope, StepStart *start) MUST_CHECK;

/* Whether it is to run at all: its "when", or that all it needs succeeded. */
bool step_start_wanted(Scope *scope, const StepStart *start, bool *wanted) MUST_CHECK;

/* What it depends on as a JSON object of names and digests, and the digest of that. */
bool step_start_inputs(Scope *scope, const StepStart *start, const char **inputs,
                       const char **key) MUST_CHECK;

/* The outs of other steps that it works on: [{"path", "digest", "is_folder"}]. */
bool step_start_files(Scope *scope, const StepStart *start, const char **files) MUST_CHECK;

/* The files at or below a path, relative to it (one file: its name): what earlier steps made, and
 * of the project's what they did not make. Not found when there is none. */
bool step_start_tree(Scope *scope, const StepStart *start, const char *path,
                     Tree *files) MUST_CHECK;

/* Inside a write: a step has ended, and what waits for it hears of it. is_good: it succeeded. */
bool step_end(Scope *scope, const char *run_id, int64_t position, const char *status,
              const char *reason) MUST_CHECK;

/* Claims what a step made, with the files of folders; not found when some of it was purged. */
bool step_outs_claim(Scope *scope, const JsonValue *outs) MUST_CHECK;

/* How an attempt ended, ready to be written. */
typedef struct AttemptEnd {
    const StepAttempt *attempt;
    const char *status; /* succeeded, failed, lost, cancelled, timed_out */
    const char *reason;
    const JsonValue *document;                           /* the shim's, or NULL */
    const char *result;                                  /* of a built-in step, as JSON; or NULL */
    bool (*write)(Scope *scope, struct AttemptEnd *end); /* what else it does, once; or NULL */
    void *context;
    bool reloads; /* what serves is another version then */
    bool holds;   /* the step goes on without an attempt; who ends it is write()'s business */
    bool is_written;
    MetricList metrics;       /* of its metrics files */
    const char *metrics_json; /* the same, by file; or NULL */
} AttemptEnd;

/* Inside a write. An attempt that has an end keeps it. */
bool attempt_end_write(Scope *scope, AttemptEnd *end) MUST_CHECK;

/* Reads the metrics files among the outs of an attempt that succeeded. */
bool attempt_end_read_metrics(Scope *scope, AttemptEnd *end) MUST_CHECK;

/* Prints those that there are as metrics_json. */
void attempt_end_print_metrics(Scope *scope, AttemptEnd *end);

/* Reads one metrics file by its digest. */
bool attempt_end_read_metrics_file(Scope *scope, AttemptEnd *end, const char *path,
                                   const char *digest) MUST_CHECK;
