/* test_token_cache.c: what is remembered of tokens is what the store says. */
#include <pthread.h>
#include <stdatomic.h>

#include "access/event.h"
#include "access/token_cache.h"
#include "base/time.h"
#include "token_fixture.h"

static bool asks(TokenCache *cache, Scene *scene, const char *secret, Principal *principal)
{
    return token_cache_ask(cache, &scene->scope, secret, token_find_holder, principal);
}

static void test_who_was_asked_for_once_is_known(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);
    const char *one = secret_of_new(&scene, "one", "contributor");
    const char *two = secret_of_new(&scene, "two", "viewer");
    Principal principal = {0};

    EXPECT(!token_cache_find(cache, one, scene.arena, &principal));
    EXPECT_OK(asks(cache, &scene, one, &principal), scene.scope.error);
    EXPECT_TEXT(principal.name, "one");
    principal = (Principal){0};
    EXPECT(token_cache_find(cache, one, scene.arena, &principal));
    EXPECT_TEXT(principal.name, "one");
    EXPECT(principal.role == ROLE_CONTRIBUTOR);
    EXPECT(!token_cache_find(cache, two, scene.arena, &principal));
    EXPECT(
        !token_cache_find(cache, arena_format(scene.arena, "%sx", one), scene.arena, &principal));
    EXPECT(!token_cache_find(cache, "", scene.arena, &principal));
    token_cache_destroy(cache);
}

static void test_who_was_refused_is_not_remembered(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);
    Principal principal = {0};

    EXPECT(!asks(cache, &scene, "slw_nobody", &principal));
    EXPECT(scene.scope.error.kind == ERROR_UNAUTHENTICATED);
    EXPECT(!token_cache_find(cache, "slw_nobody", scene.arena, &principal));
    token_cache_destroy(cache);
}

static void test_a_revoked_token_is_forgotten_at_once(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);
    const char *secret = secret_of_new(&scene, "ci", "viewer");
    Principal principal;

    EXPECT_OK(asks(cache, &scene, secret, &principal), scene.scope.error);
    EXPECT_OK(scope_write(&scene.scope, revoke_named, (char[]){"ci"}), scene.scope.error);
    EXPECT(!token_cache_find(cache, secret, scene.arena, &principal));
    EXPECT(!asks(cache, &scene, secret, &principal));
    EXPECT_TEXT(scene.scope.error.message, "token \"ci\" is revoked");
    EXPECT(!token_cache_find(cache, secret, scene.arena, &principal));
    token_cache_destroy(cache);
}

static bool append_one_event(Scope *scope, void *context)
{
    (void)context;
    return event_append(scope, "run.created", "a run", NULL);
}

static void test_other_changes_leave_tokens_known(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);
    const char *secret = secret_of_new(&scene, "ci", "viewer");
    Principal principal;

    EXPECT_OK(asks(cache, &scene, secret, &principal), scene.scope.error);
    EXPECT_OK(scope_write(&scene.scope, append_one_event, NULL), scene.scope.error);
    EXPECT(token_cache_find(cache, secret, scene.arena, &principal));
    token_cache_destroy(cache);
}

static void test_a_changed_role_counts_at_once(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);
    const char *secret = secret_of_new(&scene, "ci", "owner");
    Principal principal;

    EXPECT_OK(asks(cache, &scene, secret, &principal), scene.scope.error);
    EXPECT(principal.role == ROLE_OWNER);
    change(&scene, "UPDATE tokens SET role = 'viewer'");
    EXPECT(!token_cache_find(cache, secret, scene.arena, &principal));
    EXPECT_OK(asks(cache, &scene, secret, &principal), scene.scope.error);
    EXPECT(principal.role == ROLE_VIEWER);
    EXPECT(token_cache_find(cache, secret, scene.arena, &principal));
    EXPECT(principal.role == ROLE_VIEWER);
    token_cache_destroy(cache);
}

static void test_an_expired_token_is_unknown_without_a_commit(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);
    const char *secret = secret_of_new(&scene, "ci", "viewer");
    int64_t expires_at = time_now_ms() + 1500;
    Principal principal;

    change(&scene,
           arena_format(scene.arena, "UPDATE tokens SET expires_at = %lld", (long long)expires_at));
    EXPECT_OK(asks(cache, &scene, secret, &principal), scene.scope.error);
    EXPECT(token_cache_find(cache, secret, scene.arena, &principal));
    while (time_now_ms() <= expires_at)
        time_sleep_ms(50);
    EXPECT(!token_cache_find(cache, secret, scene.arena, &principal));
    EXPECT(!asks(cache, &scene, secret, &principal));
    token_cache_destroy(cache);
}

typedef struct Watch {
    const Platform *platform;
    TokenCache *cache;
    const char *secret;
    atomic_bool is_revoked, is_wrong;
    atomic_size_t known; /* how often it was told from memory */
} Watch;

/* A token that was revoked before it was asked for must not be taken. */
static void watch_once(Watch *watch, Scope *scope)
{
    bool was_revoked = atomic_load(&watch->is_revoked);
    Principal principal;

    if (token_cache_find(watch->cache, watch->secret, scope->arena, &principal))
        atomic_fetch_add(&watch->known, 1);
    else if (!token_cache_ask(watch->cache, scope, watch->secret, token_find_holder, &principal))
        return;
    if (was_revoked)
        atomic_store(&watch->is_wrong, true);
}

static void *watch_token(void *context)
{
    Watch *watch = context;
    Session session;
    Error error = {0};
    bool is_last = false;
    Scope scope;

    if (!session_open(watch->platform, &session, &error)) {
        atomic_store(&watch->is_wrong, true);
        return NULL;
    }
    scope = session_scope(&session, watch->platform, (Principal){0});
    while (!is_last) {
        is_last = atomic_load(&watch->is_revoked); /* once more after it */
        watch_once(watch, &scope);
        arena_reset(scope.arena);
    }
    session_close(&session);
    return NULL;
}

static void test_many_threads_take_no_token_after_its_revocation(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenCache *cache = token_cache_create(scene.platform->writer);

    for (int turn = 0; turn < 10; turn++) {
        const char *name = arena_format(scene.arena, "token-%d", turn);
        Watch watch = {scene.platform, cache, secret_of_new(&scene, name, "viewer")};
        pthread_t threads[4];

        for (size_t i = 0; i < COUNT(threads); i++)
            EXPECT(pthread_create(&threads[i], NULL, watch_token, &watch) == 0);
        while (atomic_load(&watch.known) < 20)
            time_sleep_ms(1);
        EXPECT_OK(scope_write(&scene.scope, revoke_named, (void *)(uintptr_t)name),
                  scene.scope.error);
        atomic_store(&watch.is_revoked, true);
        for (size_t i = 0; i < COUNT(threads); i++)
            pthread_join(threads[i], NULL);
        EXPECT(!atomic_load(&watch.is_wrong));
    }
    token_cache_destroy(cache);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_who_was_asked_for_once_is_known),
        TEST(test_who_was_refused_is_not_remembered),
        TEST(test_a_revoked_token_is_forgotten_at_once),
        TEST(test_other_changes_leave_tokens_known),
        TEST(test_a_changed_role_counts_at_once),
        TEST(test_an_expired_token_is_unknown_without_a_commit),
        TEST(test_many_threads_take_no_token_after_its_revocation),
        {0},
    };
    return test_main(tests, count, names);
}
