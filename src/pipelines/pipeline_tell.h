/* pipeline_tell.h: what people and programs are told of runs and of what becomes of their releases,
 * by webhook and mail (docs/reference/webhook.md). All of it is called inside the write of what
 * happened, so it is told if, and only if, that is in the store. */
#pragma once

#include "notify/notice.h"
#include "pipelines/gate.h"
#include "pipelines/pipeline.h"
#include "serving/window.h"

/* What made a run: the trigger, the commit, the branch; origin: of PipelineRun, parsed. */
void pipeline_tell_origin(Notice *notice, const JsonValue *origin);

/* The step that failed first, and the end of its reason. */
bool pipeline_tell_failed(Scope *scope, const PipelineRun *run) MUST_CHECK;

/* By the gate, before anything was deployed; run NULL: it was asked for by hand. */
bool release_tell_declined(Scope *scope, const Gate *gate, const Endpoint *endpoint,
                           const PipelineRun *run) MUST_CHECK;

/* A step has failed. When it is of a release that something else at the endpoint has superseded,
 * that is told, and is in the audit trail; of any other failure nothing. */
bool release_tell_superseded(Scope *scope, const PipelineRun *run, const PipelineStep *step,
                             const char *reason) MUST_CHECK;

typedef struct ReleaseAbort {
    const PipelineRun *run;
    const Endpoint *endpoint; /* with the candidate that was aborted */
    const char *step, *reason;
    const Window *window;
} ReleaseAbort;

/* While it answered a share of the requests. */
bool release_tell_aborted(Scope *scope, const ReleaseAbort *abort) MUST_CHECK;
