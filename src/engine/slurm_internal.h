/* slurm_internal.h: what the two files of the Slurm executor share: executor_slurm.c is the
 * caller's side, slurm_turns.c that of its thread. */
#pragma once

#include <pthread.h>
#include <time.h>

#include "engine/slurm_client.h"
#include "engine/slurm_table.h"

typedef struct SlurmExecutor {
    Executor executor; /* first */
    Arena *arena;
    SlurmSpec spec;
    SlurmClient client; /* the thread's */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;  /* something is to be done */
    pthread_cond_t news;  /* something ended, or wait() is to */
    SlurmTable table;
    bool was_polled; /* since the last listing */
    bool has_work, has_news;
    atomic_bool is_closing;
} SlurmExecutor;

static inline void slurm_lock(SlurmExecutor *slurm)
{
    pthread_mutex_lock(&slurm->lock);
}

static inline void slurm_unlock(SlurmExecutor *slurm)
{
    pthread_mutex_unlock(&slurm->lock);
}

/* Of the steady clock, for waits. */
static inline struct timespec slurm_timespec(int64_t time_us)
{
    return (struct timespec){.tv_sec = time_us / 1000000, .tv_nsec = time_us % 1000000 * 1000};
}

/* What the thread does, until the executor is closing. */
void *slurm_turns(void *executor);
