/* token_fixture.h: tokens made, revoked and changed, for the tests of access. */
#pragma once

#include "access/token.h"
#include "tests/scene.h"

typedef struct Making {
    TokenSpec spec;
    Token token;
    const char *secret;
} Making;

static inline bool make_token(Scope *scope, void *context)
{
    Making *making = context;

    return token_create(scope, &making->spec, &making->token, &making->secret);
}

static inline const char *secret_of_new(Scene *scene, const char *name, const char *role)
{
    Making making = {.spec = {.name = name, .role = role}};

    EXPECT_OK(scope_write(&scene->scope, make_token, &making), scene->scope.error);
    return making.secret;
}

static inline bool revoke_named(Scope *scope, void *name)
{
    return token_revoke(scope, name);
}

static inline bool run_sql(Scope *scope, void *sql)
{
    writer_announce(scope->platform->writer);
    return db_run_values(scope->db, &scope->error, sql, DB_VALUES());
}

static inline void change(Scene *scene, const char *sql)
{
    EXPECT_OK(scope_write(&scene->scope, run_sql, (void *)(uintptr_t)sql), scene->scope.error);
}
