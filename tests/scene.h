/* scene.h: a platform in a folder of its own, and a scope on it, for tests of domain code.
 *
 *     CLEANUP(scene_close) Scene scene = scene_open();
 *     EXPECT_OK(experiment_create(...), scene.scope.error);
 */
#pragma once

#include "access/platform.h"
#include "base/file.h"
#include "tests/test.h"

typedef struct Scene {
    Arena *arena;
    const char *folder;
    Platform *platform;
    Session session;
    Scope scope;
} Scene;

static inline Scene scene_open(void)
{
    Scene scene = {.arena = arena_create()};
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", scene.arena, &scene.folder, &error), error);
    EXPECT_OK(platform_open(scene.folder, &scene.platform, &error), error);
    EXPECT_OK(session_open(scene.platform, &scene.session, &error), error);
    scene.scope = session_scope(&scene.session, scene.platform, (Principal){"tester", ROLE_OWNER});
    return scene;
}

static inline void scene_close(Scene *scene)
{
    Error error = {0};

    session_close(&scene->session);
    platform_close(scene->platform);
    EXPECT_OK(folder_remove(scene->folder, &error), error);
    arena_destroy(scene->arena);
}
