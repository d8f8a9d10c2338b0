/* step_bounds.h: what a step of a pipeline may change of what is tracked.
 *
 * Its own run, the runs and logged models that it makes, and what belongs to them, in the
 * experiment of its project: what others have logged is evidence that it cannot touch. Runs and
 * logged models that a step makes have a tag with the id of its own run, whatever it sends. These
 * functions let everybody else pass.
 *
 *     if (!step_bounds_check_run(scope, &run))
 *         return false;
 */
#pragma once

#include "tracking/artifact_place.h"
#include "tracking/logged_model.h"
#include "tracking/run.h"

#define STEP_RUN_TAG "slipway.step_run"

bool step_bounds_check_experiment(Scope *scope, int64_t experiment_id) MUST_CHECK;
bool step_bounds_check_run(Scope *scope, const Run *run) MUST_CHECK;
bool step_bounds_check_logged_model(Scope *scope, const LoggedModel *model) MUST_CHECK;

/* Whether a file may be put there. Of no run or logged model: one that is not there yet. */
bool step_bounds_check_place(Scope *scope, const ArtifactPlace *place) MUST_CHECK;

/* The tag of what is made; none for everybody else. */
ParamList step_bounds_tags(const Scope *scope);
