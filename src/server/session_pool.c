#include "server/session_pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { FREE_MAX = 64 };

struct SessionPool {
    const Platform *platform;
    pthread_mutex_t lock;
    Session free[FREE_MAX]; /* guarded by lock */
    size_t count;           /* guarded by lock */
};

SessionPool *session_pool_create(const Platform *platform)
{
    SessionPool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        out_of_memory();
    pool->platform = platform;
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

void session_pool_destroy(SessionPool *pool)
{
    if (!pool)
        return;
    while (pool->count)
        session_close(&pool->free[--pool->count]);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

bool session_pool_take(SessionPool *pool, Session *session, Error *error)
{
    bool found = false;

    pthread_mutex_lock(&pool->lock);
    if (pool->count) {
        *session = pool->free[--pool->count];
        found = true;
    }
    pthread_mutex_unlock(&pool->lock);
    return found || session_open(pool->platform, session, error);
}

void session_pool_give_back(SessionPool *pool, Session *session)
{
    bool kept = false;

    arena_reset(session->arena);
    pthread_mutex_lock(&pool->lock);
    if (pool->count < FREE_MAX) {
        pool->free[pool->count++] = *session;
        kept = true;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!kept)
        session_close(session);
}
