/* trigger_event.h: what the audit trail says of whatever wanted to start a run of a pipeline.
 *
 *     trigger.started   a push, a schedule, new data or an alarm started this run
 *     trigger.skipped   there is no new run: one was open, and the file says concurrency: skip
 *     trigger.refused   it cannot be started: the file is wrong, a param has no value ...
 *     trigger.ignored   the file does not name it
 *
 * Each in the transaction of what it tells. Runs that people and programs ask for have
 * pipeline_run.created, which says who they were.
 */
#pragma once

#include "pipelines/pipeline.h"

typedef struct TriggerEvent {
    const PipelineOrder *order;
    const PipelineRun *run; /* that was started, or was open; or NULL */
    const char *reason;     /* or NULL */
} TriggerEvent;

/* Inside a write. outcome: "started", "skipped" ... */
bool trigger_append(Scope *scope, const char *outcome, const TriggerEvent *event) MUST_CHECK;

/* Inside the write that accepted the run of an order, or did not: what there is to say of it. */
bool trigger_append_start(Scope *scope, const PipelineOrder *order, const PipelineRun *run,
                          bool is_new) MUST_CHECK;

/* Whether the run is that of another start: the order was skipped. */
bool trigger_was_skipped(const PipelineOrder *order, const PipelineRun *run, bool is_new);

/* "spam#3 was open, and the file says concurrency: skip" */
const char *trigger_skip_reason(const PipelineRun *open, Arena *arena);
