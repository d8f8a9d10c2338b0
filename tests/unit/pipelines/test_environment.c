/* The rules of environments: which are taken, what a file may do to them, who may go there. */
#include "pipelines/environment.h"

#include "access/event.h"
#include "base/time.h"
#include "tests/scene.h"

typedef struct Mistake {
    EnvironmentRules rules;
    const char *field;
    const char *says; /* a part of it */
} Mistake;

static TextList texts(Arena *arena, const char *text, size_t count)
{
    TextList list = {0};

    for (size_t i = 0; i < count; i++)
        text_list_add(&list, arena, text);
    return list;
}

static void test_rules_that_cannot_hold_are_refused(void)
{
    Arena *arena = arena_create();
    const Mistake mistakes[] = {
        {{.approvals = -1, .expires_seconds = 1}, "approvals", "0 (nobody is asked) to 10"},
        {{.approvals = 11, .expires_seconds = 1}, "approvals", "0 (nobody is asked) to 10"},
        {{.four_eyes = true, .expires_seconds = 1}, "four_eyes", "four eyes need an approval"},
        {{.approvals = 1, .expires_seconds = 0}, "expires_seconds", "1 second to 366 days"},
        {{.approvals = 1, .expires_seconds = 31622401}, "expires_seconds", "1 second to 366 days"},
        {{.expires_seconds = 1, .windows = texts(arena, "mon", 1)}, "windows", "not \"mon\""},
        {{.expires_seconds = 1, .windows = texts(arena, "mon 08:00-09:00", 21)},
         "windows",
         "at most 20 windows"},
        {{.expires_seconds = 1, .branches = texts(arena, "", 1)}, "branches", "1 to 256 bytes"},
        {{.expires_seconds = 1, .branches = texts(arena, "main", 51)},
         "branches",
         "at most 50 patterns"},
    };

    for (size_t i = 0; i < COUNT(mistakes); i++) {
        Error error = {0};

        EXPECT(!environment_rules_check(&mistakes[i].rules, arena, &error));
        EXPECT_TEXT(error.field, mistakes[i].field);
        EXPECT(strstr(error.message, mistakes[i].says));
    }
    arena_destroy(arena);
}

static void test_a_file_may_only_tighten(void)
{
    static const struct {
        int64_t server, file, then;
        bool server_eyes, file_eyes, eyes;
    } rows[] = {
        {0, 0, 0, false, false, false}, {1, 0, 1, false, false, false},
        {1, 2, 2, false, false, false}, {2, 1, 2, true, false, true},
        {0, 0, 1, false, true, true},   {3, 0, 3, false, true, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        EnvironmentRules rules = {.approvals = rows[i].server, .four_eyes = rows[i].server_eyes};

        environment_rules_tighten(&rules, rows[i].file, rows[i].file_eyes);
        EXPECT(rules.approvals == rows[i].then);
        EXPECT(rules.four_eyes == rows[i].eyes);
    }
}

static void test_branches_are_patterns_and_none_of_them_is_any(void)
{
    Arena *arena = arena_create();
    EnvironmentRules rules = {0};

    EXPECT(environment_rules_take_branch(&rules, NULL));
    EXPECT(environment_rules_take_branch(&rules, "any"));
    text_list_add(&rules.branches, arena, "main");
    text_list_add(&rules.branches, arena, "release/*");
    EXPECT(environment_rules_take_branch(&rules, "main"));
    EXPECT(environment_rules_take_branch(&rules, "release/1.2"));
    EXPECT(!environment_rules_take_branch(&rules, "mainly"));
    EXPECT(!environment_rules_take_branch(&rules, "feature/main"));
    EXPECT(!environment_rules_take_branch(&rules, ""));
    EXPECT(!environment_rules_take_branch(&rules, NULL));
    arena_destroy(arena);
}

typedef struct Setting {
    const char *name;
    EnvironmentRules rules;
    Environment environment;
} Setting;

static bool set(Scope *scope, void *context)
{
    Setting *setting = context;

    return environment_set(scope, setting->name, &setting->rules, &setting->environment);
}

static size_t count_events(Scope *scope)
{
    EventFilter filter = {.action = "environment."};
    EventList list = {0};

    EXPECT_OK(event_list(scope, &filter, &list), scope->error);
    return list.count;
}

static void
test_production_demands_an_approval_from_the_start_staging_nothing_and_others_are_not(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Environment environment;

    EXPECT_OK(environment_find(&scene.scope, "production", &environment), scene.scope.error);
    EXPECT(environment.rules.approvals == 1);
    EXPECT(!environment.rules.four_eyes);
    EXPECT(environment.rules.expires_seconds == 30 * 24 * 3600);
    EXPECT_OK(environment_find(&scene.scope, "staging", &environment), scene.scope.error);
    EXPECT(environment.rules.approvals == 0);
    EXPECT(!environment_find(&scene.scope, "qa", &environment));
    EXPECT(scene.scope.error.kind == ERROR_NOT_FOUND);
    EXPECT(strstr(scene.scope.error.message, "slipway environment set qa --approvals 0"));
}

static void test_of_a_new_environment_the_approvals_have_to_be_said(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Setting setting = {.name = "qa"};

    EXPECT_OK(environment_get(&scene.scope, "qa", &setting.environment), scene.scope.error);
    setting.rules = setting.environment.rules;
    EXPECT(!scope_write(&scene.scope, set, &setting));
    EXPECT_TEXT(scene.scope.error.field, "approvals");
    scene.scope.error = (Error){0};
    setting.rules.approvals = 0;
    EXPECT_OK(scope_write(&scene.scope, set, &setting), scene.scope.error);
}

static void test_what_is_set_is_kept_and_noted_once(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Setting setting = {"qa", {.approvals = 2, .four_eyes = true, .expires_seconds = 60}, {0}};

    text_list_add(&setting.rules.windows, scene.arena, "mon-fri 08:00-17:00 Europe/Amsterdam");
    text_list_add(&setting.rules.branches, scene.arena, "a \"b\"");
    for (int i = 0; i < 2; i++) {
        EXPECT_OK(scope_write(&scene.scope, set, &setting), scene.scope.error);
        EXPECT(setting.environment.rules.approvals == 2);
        EXPECT(setting.environment.rules.four_eyes);
        EXPECT(setting.environment.rules.expires_seconds == 60);
        EXPECT_TEXT(setting.environment.rules.windows.items[0],
                    "mon-fri 08:00-17:00 Europe/Amsterdam");
        EXPECT_TEXT(setting.environment.rules.branches.items[0], "a \"b\"");
        EXPECT_TEXT(setting.environment.updated_by, "tester");
    }
    EXPECT(count_events(&scene.scope) == 1);
    setting.rules.approvals = 11;
    EXPECT(!scope_write(&scene.scope, set, &setting));
    scene.scope.error = (Error){0};
    setting.rules.approvals = 3;
    setting.name = "no name";
    EXPECT(!scope_write(&scene.scope, set, &setting));
    EXPECT_TEXT(scene.scope.error.field, "name");
    EXPECT(count_events(&scene.scope) == 1);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_rules_that_cannot_hold_are_refused),
        TEST(test_a_file_may_only_tighten),
        TEST(test_branches_are_patterns_and_none_of_them_is_any),
        TEST(test_production_demands_an_approval_from_the_start_staging_nothing_and_others_are_not),
        TEST(test_of_a_new_environment_the_approvals_have_to_be_said),
        TEST(test_what_is_set_is_kept_and_noted_once),
        {0},
    };

    return test_main(tests, count, names);
}
