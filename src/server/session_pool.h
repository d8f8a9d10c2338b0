/* session_pool.h: connections for reading, lent to one thread at a time. */
#pragma once

#include "access/platform.h"

typedef struct SessionPool SessionPool;

SessionPool *session_pool_create(const Platform *platform);
void session_pool_destroy(SessionPool *pool); /* all were given back */

/* One that is free, else a new one. */
bool session_pool_take(SessionPool *pool, Session *session, Error *error) MUST_CHECK;
void session_pool_give_back(SessionPool *pool, Session *session);
