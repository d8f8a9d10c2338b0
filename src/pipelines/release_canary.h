/* release_canary.h: a version that a run tries at an endpoint on its way to production.
 *
 * A canary step sets the candidate with its share (builtin_canary.c) and then holds: no attempt, no
 * thread and no slot is taken, the step is "running", and its row here says until when. The
 * scheduler looks at it at each turn, once a second or more often:
 *
 *     aborted      the rule is broken (serving/canary.h), also between two steps: the candidate is
 *                  cleared, the step fails with the judgement's sentence, and so does the run
 *     passed       its time is over and the rule lets it go on: the next step may begin
 *     waits        its time is over and there are too few requests; in the end it is aborted, too
 *     superseded   somebody has ended the candidate, or deployed what they liked: the step fails
 *     cancelled    with its run, and the candidate is cleared
 *
 * each in one transaction with all that follows. Whatever way a run ends, its candidate is gone
 * with it. A look is written down when errors came up, or every five seconds: so long is what a
 * kill takes from the figures. Time in which nobody looked (a server that was down, a machine that
 * slept, a clock that was set) is no time of the hold.
 */
#pragma once

#include "pipelines/pipeline_internal.h"
#include "serving/canary.h"

typedef struct ReleaseCanary {
    const char *run_id, *endpoint;
    int64_t candidate_id; /* that the run has set last */
    int64_t position;     /* of the step that has set it */
    bool holds;           /* that step is under way; else the next one is to begin */
    int64_t until_at;     /* it holds at least so long */
    int64_t limit_at;     /* and for want of requests no longer */
    int64_t looked_at;    /* when it was last written */
    CanaryRecord record;
} ReleaseCanary;

/* What a look leads to. */
typedef enum CanaryStep {
    CANARY_GOES_ON,
    CANARY_NOTED, /* goes on, and is worth being written down */
    CANARY_PASSED,
    CANARY_ABORTED,
    CANARY_SUPERSEDED,
    CANARY_CANCELLED,
} CanaryStep;

/* Pure: of one that is in its place. shown: its record as it is written. Moves until_at and
 * limit_at by time in which nobody looked. */
CanaryStep release_canary_decide(ReleaseCanary *canary, const CanaryRecord *written,
                                 const CanaryJudgement *judgement, int64_t now_ms);

bool release_canary_find(Scope *scope, const char *run_id, ReleaseCanary *canary,
                         bool *found) MUST_CHECK;

/* Fails with why its candidate is set no more. */
bool release_canary_superseded(Scope *scope, const ReleaseCanary *canary) MUST_CHECK;

/* All that change something are called inside a write. */

/* Sets the candidate with the step's share, which is set only once; the step holds. */
bool release_canary_begin(Scope *scope, const StepStart *start,
                          const ModelVersion *version) MUST_CHECK;

/* The candidate becomes live, if it is still set and the version that is to be deployed. */
bool release_canary_promote(Scope *scope, const char *run_id, const DeploySpec *deploy,
                            Endpoint *endpoint) MUST_CHECK;

/* The run ends: a candidate that it has left is cleared. reason: why it ends, or NULL. */
bool release_canary_end_run(Scope *scope, const PipelineRun *run, const char *reason) MUST_CHECK;

typedef struct CanaryLooks {
    size_t seen, left; /* how many there were, and are afterwards */
    int64_t next_ms;   /* when the time of one is over; 0: of none */
} CanaryLooks;

/* Looks at all of them, and writes what follows; calls scope_write() itself. Where fewer are left
 * than there were, what serves is to be made equal to that: serving_reload(). */
bool release_canaries_look(Scope *scope, Serving *serving, CanaryLooks *looks) MUST_CHECK;
