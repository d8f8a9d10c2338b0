/* stage.h: all that a server has but its port, in a folder of its own, and a scope on it.
 *
 *     CLEANUP(stage_close) Stage stage = stage_open(&(ApplicationSpec){0});
 *     EXPECT_OK(pipeline_put(&stage.scope, ...), stage.scope.error);
 */
#pragma once

#include "base/file.h"
#include "server/application.h"
#include "tests/test.h"

typedef struct Stage {
    Arena *arena;
    const char *folder;
    Application *application;
    Session session;
    Scope scope;
} Stage;

/* The spec's folder is set here. */
static inline Stage stage_open(const ApplicationSpec *spec)
{
    Stage stage = {.arena = arena_create()};
    ApplicationSpec own = *spec;
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", stage.arena, &stage.folder, &error), error);
    own.folder = stage.folder;
    EXPECT_OK(application_open(&own, &stage.application, &error), error);
    EXPECT_OK(session_open(stage.application->platform, &stage.session, &error), error);
    stage.scope = session_scope(&stage.session, stage.application->platform,
                                (Principal){"tester", ROLE_OWNER});
    stage.scope.request_id = "r1";
    return stage;
}

static inline void stage_close(Stage *stage)
{
    Error error = {0};

    session_close(&stage->session);
    application_close(stage->application);
    EXPECT_OK(folder_remove(stage->folder, &error), error);
    arena_destroy(stage->arena);
}
