/* snapshot.h: what all endpoints serve at one moment: an immutable set of loaded models.
 *
 * A request takes the current snapshot, answers everything from it and gives it back, so no answer
 * mixes two versions. Taking and giving back are one atomic addition each: nobody waits, and a
 * change never waits for requests. A new snapshot is published by exchanging the current one; the
 * old one is freed when the last request that took it gives it back. Models that did not change are
 * shared between snapshots.
 *
 *     const Snapshot *snapshot = snapshot_acquire(holder);
 *     const ServedEndpoint *served = snapshot_find(snapshot, "spam");
 *     ...
 *     snapshot_release(holder, snapshot);
 */
#pragma once

#include <stdatomic.h>

#include "ml/forecast_rows.h"
#include "registry/package.h"
#include "serving/body.h"
#include "serving/statistics.h"

/* A package in memory; lives as long as someone refers to it. */
typedef struct LoadedModel {
    atomic_size_t references;
    Arena *arena;
    Package package;
    char digest[DIGEST_TEXT_SIZE];
    InputList inputs;
    const ClassNames *classes;     /* none of a model that answers with numbers */
    const ForecastModel *forecast; /* NULL: it forecasts nothing */
} LoadedModel;

static inline bool loaded_model_has_numbers(const LoadedModel *loaded)
{
    return loaded->classes->count == 0;
}

/* How many numbers the answer for a row has. */
static inline size_t loaded_model_width(const LoadedModel *loaded)
{
    if (loaded->forecast)
        return FORECAST_ANSWER_WIDTH;
    return loaded->classes->count ? loaded->classes->count : 1;
}

LoadedModel *loaded_model_open(const ArtifactStore *store, const char *digest,
                               Error *error) MUST_CHECK;
LoadedModel *loaded_model_ref(LoadedModel *loaded);
void loaded_model_unref(LoadedModel *loaded); /* NULL is fine */

struct Split;

typedef struct ServedEndpoint {
    const char *name, *project;
    LoadedModel *loaded; /* NULL: nothing is deployed, or it could not be loaded */
    const char *model;   /* of the loaded version */
    int64_t version, deployment_id;
    struct Split *split;        /* with a candidate (split.h); NULL: there is none */
    const char *problem;        /* why the live deployment is not the one loaded; or NULL */
    const char *split_problem;  /* why the candidate that is set is not served; or NULL */
    EndpointStatistics *counts; /* the server's, for as long as it runs */
} ServedEndpoint;

typedef struct Snapshot {
    Arena *arena;
    ServedEndpoint *items; /* sorted by name */
    size_t count;
    size_t slot;                 /* private, as is the next */
    atomic_int_fast64_t balance; /* requests that still hold it, once it is retired */
} Snapshot;

enum { SNAPSHOT_SLOTS = 256 };

/* The current snapshot and the old ones still in use. Zero-initialised is not valid: init. */
typedef struct SnapshotHolder {
    atomic_uint_fast64_t current; /* slot << 56 | how often it was taken */
    _Atomic(Snapshot *) slots[SNAPSHOT_SLOTS];
} SnapshotHolder;

Snapshot *snapshot_create(void);
void snapshot_destroy(Snapshot *snapshot); /* one that was never published */

/* Takes what spec describes; copies its texts and takes references of its own to the model and the
 * split. Names must come in order. */
void snapshot_add(Snapshot *snapshot, const ServedEndpoint *spec);
const ServedEndpoint *snapshot_find(const Snapshot *snapshot, const char *name);

void snapshot_holder_init(SnapshotHolder *holder);  /* with an empty snapshot */
void snapshot_holder_clear(SnapshotHolder *holder); /* when no request runs any more */
const Snapshot *snapshot_acquire(SnapshotHolder *holder);
void snapshot_release(SnapshotHolder *holder, const Snapshot *snapshot);

/* Owns next from then on. One caller at a time. Busy (and next still the caller's) when 255 old
 * snapshots are in use. */
bool snapshot_publish(SnapshotHolder *holder, Snapshot *next, Error *error) MUST_CHECK;
