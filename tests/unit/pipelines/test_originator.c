/* Who caused a run: what names mean here, by whose word, and what makes somebody known. */
#include "pipelines/originator.h"

#include "access/event.h"
#include "access/identity.h"
#include "access/token.h"
#include "tests/scene.h"

static bool do_token(Scope *scope, void *name)
{
    TokenSpec spec = {.name = name, .role = "approver"};
    const char *secret;
    Token token;

    return token_create(scope, &spec, &token, &secret);
}

static bool do_revoke(Scope *scope, void *name)
{
    return token_revoke(scope, name);
}

typedef struct Meaning {
    const char *name, *principal;
    Identity identity;
} Meaning;

static bool do_set(Scope *scope, void *context)
{
    Meaning *meaning = context;

    return identity_set(scope, meaning->name, meaning->principal, &meaning->identity);
}

static bool do_remove(Scope *scope, void *name)
{
    return identity_remove(scope, name);
}

static void change(Scene *scene, ScopeWork *work, const char *name)
{
    EXPECT_OK(scope_write(&scene->scope, work, (void *)(uintptr_t)name), scene->scope.error);
}

static void set(Scene *scene, const char *name, const char *principal)
{
    Meaning meaning = {.name = name, .principal = principal};

    EXPECT_OK(scope_write(&scene->scope, do_set, &meaning), scene->scope.error);
}

/* Of one name alone. */
static Originator resolved(Scene *scene, const char *name, const char *did)
{
    OriginatorList list = {0};

    originators_add(&list, scene->arena, (Originator){name, did});
    EXPECT_OK(originators_resolve(&scene->scope, &list), scene->scope.error);
    return list.items[0];
}

static void test_a_principal_is_known_while_its_token_works(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT(!resolved(&scene, "ada", ORIGINATOR_STARTED).is_known);
    change(&scene, do_token, "ada");
    EXPECT(resolved(&scene, "ada", ORIGINATOR_STARTED).is_known);
    change(&scene, do_revoke, "ada");
    EXPECT(!resolved(&scene, "ada", ORIGINATOR_STARTED).is_known);
    EXPECT(resolved(&scene, "local", ORIGINATOR_STARTED).is_known);
    EXPECT(!resolved(&scene, "slipway", ORIGINATOR_STARTED).is_known);
    EXPECT(!resolved(&scene, NULL, ORIGINATOR_PUT).is_known);
}

static void test_a_name_of_another_system_is_known_by_an_owners_word_alone(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Originator pusher;

    change(&scene, do_token, "ada");
    pusher = resolved(&scene, "ada", ORIGINATOR_PUSHED);
    EXPECT_TEXT(pusher.principal, "ada"); /* who is kept out, and not known for that */
    EXPECT(!pusher.is_known);
    EXPECT(!resolved(&scene, "local", ORIGINATOR_PUSHED).principal);
    set(&scene, "OctoCat", "ada");
    pusher = resolved(&scene, "octocat", ORIGINATOR_PUSHED);
    EXPECT_TEXT(pusher.principal, "ada");
    EXPECT(pusher.is_known);
    change(&scene, do_revoke, "ada");
    EXPECT(!resolved(&scene, "octocat", ORIGINATOR_PUSHED).is_known);
    change(&scene, do_remove, "OCTOCAT");
    EXPECT(!resolved(&scene, "octocat", ORIGINATOR_PUSHED).principal);
}

static void test_an_identity_is_of_a_token_that_works_and_leaves_a_trail(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Meaning meaning = {.name = "octocat", .principal = "adda"};
    EventFilter filter = {.action = "identity."};
    EventList events;

    change(&scene, do_token, "ada");
    EXPECT(!scope_write(&scene.scope, do_set, &meaning));
    EXPECT_TEXT(scene.scope.error.message, "no token \"adda\" works here");
    scene.scope.error = (Error){0};
    meaning = (Meaning){.name = "", .principal = "ada"};
    EXPECT(!scope_write(&scene.scope, do_set, &meaning));
    EXPECT_TEXT(scene.scope.error.field, "name");
    scene.scope.error = (Error){0};
    set(&scene, "octocat", "ada");
    set(&scene, "octocat", "ada");
    change(&scene, do_remove, "octocat");
    EXPECT(!scope_write(&scene.scope, do_remove, (char[]){"octocat"}));
    EXPECT(scene.scope.error.kind == ERROR_NOT_FOUND);
    scene.scope.error = (Error){0};
    EXPECT_OK(event_list(&scene.scope, &filter, &events), scene.scope.error);
    EXPECT(events.count == 2);
}

static void test_nobody_gets_the_name_of_who_has_no_token(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT(!scope_write(&scene.scope, do_token, (char[]){"slipway"}));
    EXPECT_TEXT(scene.scope.error.field, "name");
    scene.scope.error = (Error){0};
    EXPECT(!scope_write(&scene.scope, do_token, (char[]){"local"}));
}

static void test_a_list_survives_the_store_and_takes_each_once(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    OriginatorList list = {0}, read = {0};
    char longest[ORIGINATOR_BYTES_MAX + 2];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    originators_add(&list, scene.arena, (Originator){"a \"b\"", ORIGINATOR_WRITTEN});
    originators_add(&list, scene.arena, (Originator){"a \"b\"", ORIGINATOR_WRITTEN});
    originators_add(&list, scene.arena, (Originator){longest, ORIGINATOR_PUSHED});
    originators_add(&list, scene.arena, (Originator){"\xff", ORIGINATOR_PUSHED});
    EXPECT(list.count == 2);
    EXPECT_OK(originators_parse(originators_print(&list, scene.arena), scene.arena, &read,
                                &scene.scope.error),
              scene.scope.error);
    EXPECT(read.count == 2);
    EXPECT_TEXT(read.items[0].name, "a \"b\"");
    EXPECT(!read.items[1].name);
    EXPECT_TEXT(read.items[1].did, ORIGINATOR_PUSHED);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_principal_is_known_while_its_token_works),
        TEST(test_a_name_of_another_system_is_known_by_an_owners_word_alone),
        TEST(test_an_identity_is_of_a_token_that_works_and_leaves_a_trail),
        TEST(test_nobody_gets_the_name_of_who_has_no_token),
        TEST(test_a_list_survives_the_store_and_takes_each_once),
        {0},
    };

    return test_main(tests, count, names);
}
