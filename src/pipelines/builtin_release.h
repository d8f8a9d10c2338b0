/* builtin_release.h: what the steps of a release have in common. */
#pragma once

#include "pipelines/builtin.h"
#include "registry/model.h"
#include "serving/endpoint.h"

/* The version that the run's last training step registered, or found to be registered already; of a
 * run that trains none, that of its last step that registers one. */
bool release_version(Scope *scope, const StepStart *start, ModelVersion *version) MUST_CHECK;
bool release_endpoint(Scope *scope, const StepStart *start, Endpoint *endpoint) MUST_CHECK;

/* Builtin.inputs of them all: the version and its package. */
bool release_inputs(Scope *scope, const StepStart *start, JsonWriter *json) MUST_CHECK;

/* The gate's verdict is about the champion that served then; any other supersedes the release.
 * verdict: as JSON, or NULL for who needs it not. */
bool release_check_champion(Scope *scope, const StepStart *start, const Endpoint *endpoint,
                            const char **verdict) MUST_CHECK;

/* "pipeline run spam#12": what a deployment of it says. */
const char *release_comment(const PipelineRun *run, Arena *arena);
