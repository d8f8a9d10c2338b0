/* release_file.h: the part "release" of slipway.yaml, but for the gate's rule (project_file.h).
 *
 *     release:
 *       endpoint: spam
 *       staging: {smoke: rows.jsonl, benchmark: {p99_ms: 20}}
 *       production:
 *         approvals: 2
 *         traffic: [10, 50]        # percent; then all of it
 *         hold: 10m                # or one for each
 *         wait: 1h
 *         abort: {errors_max: 0.01, p99_ms_max: 50, requests_min: 100}
 *
 * Reading is pure. Whatever is not listed is refused with its line, its column and what is allowed.
 */
#pragma once

#include "base/yaml.h"
#include "serving/canary.h"

enum {
    RELEASE_SHARES_MAX = 10,
    RELEASE_HOLD_MS = 10 * 60 * 1000, /* if nothing is said */
    RELEASE_HOLD_MS_MIN = 1000,
    RELEASE_HOLD_MS_MAX = 30 * 24 * 3600 * 1000LL,
    RELEASE_WAIT_MS_MIN =
        3600 * 1000, /* if nothing is said: ten times the hold, and at least this */
};

/* A part of the traffic that a release stays at for a while. */
typedef struct ReleaseShare {
    int64_t share; /* of SHARE_WHOLE requests */
    int64_t hold_ms;
    int64_t wait_ms;  /* beyond that, for requests to judge by */
    const char *hold; /* as it was written */
} ReleaseShare;

typedef struct ReleaseShareList {
    ReleaseShare *items;
    size_t count;
} ReleaseShareList;

typedef struct ReleaseFile {
    const char *endpoint; /* NULL: the file releases nothing */
    const char *smoke;    /* a path among the project's files, or NULL */
    double p99_ms;        /* of one row at staging; 0: no limit */
    int64_t approvals;    /* before production, if the server does not demand more */
    bool four_eyes;
    ReleaseShareList shares; /* rising, each less than all; none: all at once */
    CanaryRule rule;         /* of each share */
} ReleaseFile;

bool release_file_read(const YamlNode *root, Arena *arena, ReleaseFile *file,
                       Error *error) MUST_CHECK;

/* What the parts may have, for the JSON Schema. */
extern const YamlField release_staging_fields[], release_benchmark_fields[],
    release_production_fields[], release_abort_fields[];
