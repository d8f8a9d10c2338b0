/* purge.h: what was deleted long ago goes for good, and the bytes that nothing refers to then.
 *
 * What is deleted can be restored until it is purged. A purge plans what is due, then removes it in
 * small units of work, then gathers the digests of all blobs that something still refers to, and
 * has the artifact store remove the others. It may be stopped or killed at any point: what is left
 * is whole, and the next one goes on.
 *
 * Kept, with the reason: a run or logged model that a version came from which was not deleted or
 * was ever in production; a run whose training is not over; an experiment with anything that stays.
 * Runs of pipelines go by the rules of retention.h; without one all are kept.
 * Experiment 0 is never purged. When the listing of a package cannot be read, nobody can tell what
 * it refers to: then nothing at all is removed.
 *
 *     purge_run(scope, &(PurgeSpec){.older_than_days = 30}, &report)
 */
#pragma once

#include <stdatomic.h>

#include "access/scope.h"
#include "store/artifact_purge.h"

enum { PURGE_DAYS_DEFAULT = 30, PURGE_DAYS_MAX = 36500, PURGE_KEPT_MAX = 100 };

typedef struct PurgeSpec {
    int64_t older_than_days;    /* 0: all that is deleted */
    bool is_rehearsal;          /* says what would go, and changes nothing */
    unsigned pause_ms;          /* between units of work */
    const atomic_bool *stopped; /* or NULL */
} PurgeSpec;

typedef struct PurgeKept {
    const char *noun, *name, *reason;
} PurgeKept;

typedef struct PurgeKeptList {
    PurgeKept *items;
    size_t count;
} PurgeKeptList;

typedef struct PurgeReport {
    int64_t until;                     /* what was deleted until then */
    ArtifactTally runs, logged_models; /* bytes: of their files, as often as they are listed */
    ArtifactTally model_versions;      /* the same, of their packages */
    ArtifactTally pipeline_runs;       /* that no rule keeps: the same, of outs and logs */
    ArtifactTally uploads;             /* parts of uploads that nobody ended */
    int64_t experiment_count;
    ArtifactPurged blobs;
    PurgeKeptList kept; /* the first PURGE_KEPT_MAX */
    int64_t kept_count;
} PurgeReport;

/* Slow; writes by itself, one event at the end when anything went. */
bool purge_run(Scope *scope, const PurgeSpec *spec, PurgeReport *report) MUST_CHECK;

/* Whether it removed anything. */
bool purge_report_is_empty(const PurgeReport *report);
void purge_report_write_json(JsonWriter *json, const char *key, const PurgeReport *report);
