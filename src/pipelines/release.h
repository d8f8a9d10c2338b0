/* release.h: the steps that follow a project's stages: from a trained version to production.
 *
 *     release.gate         the challenger against the champion, on the frozen hold-out
 *     release.staging      after what the environment "staging" demands, it serves at
 *                          ENDPOINT-staging, and answers the smoke test there
 *     release.production   after what the environment "production" demands, it serves at ENDPOINT
 *
 * They are steps of the run like any other, so a release is as durable as its run: cancelled with
 * it, continued after a crash, explained and logged alike; and what they change is in the
 * transaction of their end. They are added to the plan of a file that has a release and a stage
 * that trains.
 */
#pragma once

#include "base/yaml.h"
#include "pipelines/pipeline.h"

/* The part "release" of slipway.yaml, but for the gate's rule (project_file.h). */
typedef struct ReleaseFile {
    const char *endpoint; /* NULL: the file releases nothing */
    const char *smoke;    /* a path among the project's files, or NULL */
    double p99_ms;        /* of one row at staging; 0: no limit */
    int64_t approvals;    /* before production, if the server does not demand more */
    bool four_eyes;
} ReleaseFile;

bool release_file_read(const YamlNode *root, Arena *arena, ReleaseFile *file,
                       Error *error) MUST_CHECK;

/* Adds the steps, which wait for all that nothing waits for. */
void release_add_steps(const ReleaseFile *file, Arena *arena, Plan *plan);
