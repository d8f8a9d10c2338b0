/* thread.h: a pool of worker threads with a bounded queue; conditions that are waited for in time.
 *
 * The pool owns its threads; a job's context belongs to whoever made it and must outlive the job.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ThreadPool ThreadPool;
typedef void ThreadJob(void *context);

ThreadPool *thread_pool_create(size_t thread_count, size_t queue_max);

/* false: the queue is full, or the pool is stopping; the job will not run. */
bool thread_pool_submit(ThreadPool *pool, ThreadJob *job, void *context);

/* Runs what is queued, then ends the threads. */
void thread_pool_destroy(ThreadPool *pool);

/* Its timed waits are by CLOCK_MONOTONIC: nobody waits a year because somebody set the clock. */
void condition_init(pthread_cond_t *condition);
