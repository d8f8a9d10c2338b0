/* step_approval.h: what an environment demands of a step before it begins there. */
#pragma once

#include "pipelines/approval.h"
#include "pipelines/pipeline_internal.h"

typedef enum StepPassage {
    STEP_REFUSED, /* never, and reason says why */
    STEP_WAITS, /* until a moment at the latest; it is looked at earlier when people have decided */
    STEP_GOES,
} StepPassage;

typedef struct StepVerdict {
    StepPassage passage;
    int64_t until_ms;    /* of STEP_WAITS */
    const char *reason;  /* NULL: STEP_GOES */
    int64_t approval_id; /* 0: none was needed */
} StepVerdict;

/* What wants to begin in an environment. */
typedef struct StepPassageSpec {
    const PipelineRun *run;
    const PipelineStep *row;
    const char *place;  /* the environment */
    const char *digest; /* of all that it depends on */
    const char *detail; /* a JSON object for those who are asked */
    int64_t approvals;  /* what the file demands beyond the server's rules */
    bool four_eyes;
} StepPassageSpec;

/* Inside a write. Asks for the approval that is needed, once; any other digest needs another. In
 * this order: the branch, the approval, the time of the week. */
bool approval_gate(Scope *scope, const StepPassageSpec *spec, StepVerdict *verdict) MUST_CHECK;

/* Inside a write. The same for a step that is about to start: one that may not go on is held or
 * ended, and *goes is false. */
bool step_approval_pass(Scope *scope, const StepStart *start, bool *goes) MUST_CHECK;
