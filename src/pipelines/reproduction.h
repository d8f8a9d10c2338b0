/* reproduction.h: a run done again from what it recorded, to see whether the same comes out.
 *
 * The new run has the files, the params and the steps of the old one as they were planned then,
 * with the versions of data and models that those took; nothing comes from the cache, and nothing
 * goes there. It changes nothing outside of itself: steps that release, or act on an environment,
 * are left out; "register" and "train" register nothing, "check-data" adds nothing. What did not
 * succeed in the old run is left out, too.
 */
#pragma once

#include "pipelines/pipeline_internal.h"

/* Accepts the new run; calls scope_write() itself. A conflict while the old one goes on, or when
 * none of its steps can be done again. */
bool reproduction_start(Scope *scope, const char *run_id, PipelineRun *run) MUST_CHECK;

/* The step that a step of a reproduction does again. */
bool reproduction_original(Scope *scope, const StepStart *start, PipelineStep *original) MUST_CHECK;

/* What it found, as JSON. */
bool reproduction_original_result(Scope *scope, const StepStart *start,
                                  const JsonValue **result) MUST_CHECK;

/* Why a step is not done again; NULL: it is. */
bool reproduction_leaves_out(Scope *scope, const PipelineStep *step,
                             const char **reason) MUST_CHECK;

/* {"run", "of", "verdict": "running" | "same" | "differs", "steps": [{"step", "verdict": "running"
 * | "same" | "differs" | "left out" | "not compared", "before", "now", "differences": ["..."],
 * "note"}]}. A conflict for a run that reproduces none. Reads listings of the store. */
bool reproduction_write_json(Scope *scope, const PipelineRun *run, JsonWriter *json) MUST_CHECK;
