/* serving_internal.h: the running whole, for the files that make up serving.h. */
#pragma once

#include <pthread.h>

#include "serving/model_cache.h"
#include "serving/serving.h"
#include "serving/shadow.h"

struct Serving {
    const Platform *platform;
    SnapshotHolder snapshots;
    ModelCache *models;
    StatisticsList statistics;
    PredictionLog *log;
    Shadow *shadow;
    pthread_mutex_t reload_lock;
    bool is_whole;      /* the last reload left nothing behind; guarded by reload_lock */
    int64_t deployment; /* the newest that it saw; guarded by reload_lock */
    int64_t endpoints;  /* how many it saw; guarded by reload_lock */
    int64_t candidates; /* the same; guarded by reload_lock */
    atomic_bool is_ready;
};

/* A snapshot for as long as the variable lives. */
typedef struct Hold {
    SnapshotHolder *holder;
    const Snapshot *snapshot;
} Hold;

static inline Hold hold_snapshot(Serving *serving)
{
    return (Hold){&serving->snapshots, snapshot_acquire(&serving->snapshots)};
}

static inline void let_go(Hold *hold)
{
    snapshot_release(hold->holder, hold->snapshot);
}
