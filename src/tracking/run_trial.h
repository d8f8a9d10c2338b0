/* run_trial.h: the trials of a training: runs below the training's run, in its experiment.
 *
 * A trial has ended when it comes. It is no training: lists of runs leave it out unless those below
 * its run are asked for; and it is deleted, restored and purged with its run. One that was deleted
 * before its run was stays deleted when that comes back. MLflow's clients see it as the child that
 * it is, by its tag "mlflow.parentRunId".
 */
#pragma once

#include "tracking/run.h"

#define RUN_PARENT_TAG "mlflow.parentRunId"

typedef struct RunTrial {
    const char *name;
    RunStatus status; /* that of a run that has ended */
    const char *failure;
    int64_t started_at, ended_at;
    ParamList params, tags; /* no key twice; all within the limits of a run's */
    MetricList metrics;     /* with their times */
} RunTrial;

typedef struct RunTrialList {
    RunTrial *items;
    size_t count;
} RunTrialList;

enum { RUN_TRIALS_MAX = 200 }; /* of a run */

/* Inside a write. Without events: what happened is that of the run. */
bool run_add_trials(Scope *scope, const Run *run, const RunTrialList *trials) MUST_CHECK;
