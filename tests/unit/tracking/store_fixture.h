/* store_fixture.h: a data folder of its own for one test, with a scope that writes as the writer's
 * thread does, and one that reads as a request does. */
#pragma once

#include "access/platform.h"
#include "base/file.h"
#include "tests/test.h"

typedef struct Fixture {
    Platform *platform;
    Session session;
    Db *db;       /* a second writing connection, so that a test calls domain functions directly */
    Scope scope;  /* may write */
    Scope reader; /* its changes go through scope_write() */
    const char *folder;
} Fixture;

static inline void fixture_close(Fixture *fixture)
{
    Error error = {0};

    db_close(fixture->db);
    platform_close(fixture->platform);
    EXPECT_OK(folder_remove(fixture->folder, &error), error);
    session_close(&fixture->session);
}

/* The folder goes when it is closed. */
static inline Fixture fixture_open_folder(const char *folder)
{
    static const Principal ada = {"ada", ROLE_OWNER};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Fixture fixture = {.folder = folder};
    Error error = {0};

    EXPECT_OK(platform_open(fixture.folder, &fixture.platform, &error), error);
    EXPECT_OK(session_open(fixture.platform, &fixture.session, &error), error);
    fixture.db = db_open(platform_database(fixture.platform, arena), DB_WRITE, &error);
    EXPECT_OK(fixture.db, error);
    fixture.reader = session_scope(&fixture.session, fixture.platform, ada);
    fixture.scope = fixture.reader;
    fixture.scope.db = fixture.db;
    fixture.folder = arena_text(fixture.session.arena, fixture.folder);
    return fixture;
}

static inline Fixture fixture_open(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder;
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", arena, &folder, &error), error);
    return fixture_open_folder(folder);
}

/* The call failed, with this kind and message. */
#define EXPECT_FAILS(call, scope, kind_, text)                                                     \
    do {                                                                                           \
        EXPECT(!(call));                                                                           \
        EXPECT_TEXT((scope)->error.message, text);                                                 \
        EXPECT((scope)->error.kind == (kind_));                                                    \
    } while (0)
