#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

typedef struct Job {
    ThreadJob *run;
    void *context;
} Job;

struct ThreadPool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Job *queue;                 /* a ring; guarded by lock */
    size_t first, count, limit; /* guarded by lock */
    bool stopping;              /* guarded by lock */
    size_t thread_count;
    pthread_t *threads;
};

static bool take_job(ThreadPool *pool, Job *job)
{
    bool taken = false;

    pthread_mutex_lock(&pool->lock);
    while (!pool->count && !pool->stopping)
        pthread_cond_wait(&pool->changed, &pool->lock);
    if (pool->count) {
        *job = pool->queue[pool->first];
        pool->first = (pool->first + 1) % pool->limit;
        pool->count--;
        taken = true;
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

static void *run_jobs(void *context)
{
    Job job;

    while (take_job(context, &job))
        job.run(job.context);
    return NULL;
}

ThreadPool *thread_pool_create(size_t thread_count, size_t queue_max)
{
    ThreadPool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        out_of_memory();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->limit = queue_max;
    pool->queue = calloc(queue_max, sizeof(*pool->queue));
    pool->threads = calloc(thread_count, sizeof(*pool->threads));
    if (!pool->queue || !pool->threads)
        out_of_memory();
    for (; pool->thread_count < thread_count; pool->thread_count++)
        if (pthread_create(&pool->threads[pool->thread_count], NULL, run_jobs, pool) != 0)
            out_of_memory();
    return pool;
}

bool thread_pool_submit(ThreadPool *pool, ThreadJob *job, void *context)
{
    bool accepted;

    pthread_mutex_lock(&pool->lock);
    accepted = !pool->stopping && pool->count < pool->limit;
    if (accepted) {
        pool->queue[(pool->first + pool->count++) % pool->limit] = (Job){job, context};
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    return accepted;
}

void thread_pool_destroy(ThreadPool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->queue);
    free(pool->threads);
    free(pool);
}

void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
