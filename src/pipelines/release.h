/* release.h: the steps that follow a project's stages: from a version to production.
 *
 *     release.gate         the challenger against the champion, on the frozen hold-out
 *     release.staging      after what the environment "staging" demands, it serves at
 *                          ENDPOINT-staging, and answers the smoke test there
 *     release.canary@10    after what the environment "production" demands, it answers 10 % of the
 *     release.canary@50    requests of ENDPOINT for a while, and is judged (release_canary.h); so
 *                          many as the file says, or none
 *     release.production   it serves at ENDPOINT
 *
 * They are steps of the run like any other, so a release is as durable as its run: cancelled with
 * it, continued after a crash, explained and logged alike; and what they change is in the
 * transaction of their end (docs/reference/release.md has the table of states). They are added to
 * the plan of a file that has a release and a stage that trains or registers. What production
 * demands is asked once, before the first of its steps, about what the last of them does
 * (step_approval.c).
 */
#pragma once

#include "pipelines/pipeline.h"
#include "pipelines/release_file.h"

#define RELEASE_STAGING    "release.staging"
#define RELEASE_CANARY     "release.canary"
#define RELEASE_PRODUCTION "release.production"

/* How the reason of a step begins that fails because the endpoint is not as it was when the gate
 * judged, or when the run has set its candidate. */
#define RELEASE_SUPERSEDED "superseded: "

/* Adds the steps, which wait for all that nothing waits for. */
void release_add_steps(const ReleaseFile *file, Arena *arena, Plan *plan);
