/* platform.h: opens and closes the long-lived parts below a data folder.
 *
 *     slipway.db     the store                artifacts/   blobs by digest
 *     temporary/     work under way           lock         held by the one process that owns it all
 *     address        where that process serves, while it does
 */
#pragma once

#include "access/scope.h"

/* ERROR_BUSY, and that alone, when another process owns the folder. Makes what is missing. */
bool platform_open(const char *folder, Platform **platform, Error *error) MUST_CHECK;
void platform_close(Platform *platform);

/* A scope of its own connection for reading, for one thread: a worker, a command, a test. */
typedef struct Session {
    Db *db;
    Arena *arena;
} Session;

bool session_open(const Platform *platform, Session *session, Error *error) MUST_CHECK;
void session_close(Session *session); /* for CLEANUP too */
Scope session_scope(const Session *session, const Platform *platform, Principal principal);

const char *platform_database(const Platform *platform, Arena *arena);
