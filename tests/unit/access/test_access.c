/* test_access.c: roles, tokens, the audit trail, scopes and the data folder. */
#include <pthread.h>
#include <unistd.h>

#include "access/event.h"
#include "base/time.h"
#include "token_fixture.h"

static int64_t count_rows(Scene *scene, const char *table)
{
    int64_t count = -1;

    EXPECT_OK(db_get_int_values(scene->scope.db, &scene->scope.error, &count,
                                arena_format(scene->arena, "SELECT count(*) FROM %s", table),
                                DB_VALUES()),
              scene->scope.error);
    return count;
}

static void test_a_token_acts_under_its_name_and_role(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *secret = secret_of_new(&scene, "ci", "contributor");
    Principal principal = {0};

    EXPECT_OK(token_authenticate(&scene.scope, secret, &principal), scene.scope.error);
    EXPECT_TEXT(principal.name, "ci");
    EXPECT(principal.role == ROLE_CONTRIBUTOR);
    EXPECT(text_has_prefix(secret, "slw_") && strlen(secret) == 68);
    EXPECT_OK(token_authenticate(&scene.scope, secret_of_new(&scene, "plain", NULL), &principal),
              scene.scope.error);
    EXPECT(principal.role == ROLE_VIEWER);
}

static void test_a_secret_that_nobody_holds_is_refused(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *secret = secret_of_new(&scene, "ci", "owner");
    const char *const wrong[] = {"",
                                 "slw_",
                                 "ci",
                                 arena_format(scene.arena, "%s0", secret),
                                 arena_format(scene.arena, "%.67s", secret),
                                 "' OR 1=1 --"};
    Principal principal = {"nobody", ROLE_ANYONE};

    for (size_t i = 0; i < COUNT(wrong); i++) {
        EXPECT(!token_authenticate(&scene.scope, wrong[i], &principal));
        EXPECT(scene.scope.error.kind == ERROR_UNAUTHENTICATED);
        EXPECT(principal.role == ROLE_ANYONE);
    }
}

static void test_a_revoked_token_stops_working_with_the_commit(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *secret = secret_of_new(&scene, "ci", "viewer");
    Principal principal;
    int64_t valid;

    EXPECT_OK(scope_write(&scene.scope, revoke_named, (char[]){"ci"}), scene.scope.error);
    EXPECT(!token_authenticate(&scene.scope, secret, &principal));
    EXPECT_TEXT(scene.scope.error.message, "token \"ci\" is revoked");
    EXPECT(!scope_write(&scene.scope, revoke_named, (char[]){"ci"}));
    EXPECT(scene.scope.error.kind == ERROR_CONFLICT);
    EXPECT(!scope_write(&scene.scope, revoke_named, (char[]){"nobody"}));
    EXPECT(scene.scope.error.kind == ERROR_NOT_FOUND);
    EXPECT_OK(token_count_valid(&scene.scope, &valid), scene.scope.error);
    EXPECT(valid == 0 && count_rows(&scene, "events") == 2);
}

static void test_a_page_of_tokens_goes_on_behind_the_last_name(void)
{
    static const char *const names[] = {"ada", "bob", "cyd"};
    CLEANUP(scene_close) Scene scene = scene_open();
    TokenList list;

    for (size_t i = 0; i < COUNT(names); i++)
        secret_of_new(&scene, names[i], NULL);
    EXPECT_OK(token_list(&scene.scope, &(Page){.limit = 2}, &list), scene.scope.error);
    EXPECT(list.count == 2);
    EXPECT_TEXT(list.items[1].name, "bob");
    EXPECT_OK(token_list(&scene.scope, &(Page){.after = "bob"}, &list), scene.scope.error);
    EXPECT(list.count == 1);
    EXPECT_TEXT(list.items[0].name, "cyd");
    EXPECT_OK(token_list(&scene.scope, NULL, &list), scene.scope.error);
    EXPECT(list.count == COUNT(names));
}

static void test_a_page_has_a_hundred_items_unless_another_number_is_asked_for(void)
{
    Error error = {0};

    EXPECT(page_limit(&(Page){0}) == 100 && page_limit(&(Page){.limit = 7}) == 7);
    EXPECT(page_check(&(Page){.limit = 1000}, &error));
    EXPECT(!page_check(&(Page){.limit = 1001}, &error));
    EXPECT_TEXT(error.message, "a limit is 1 to 1000");
}

static void test_an_expired_token_stops_working(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Making making = {.spec = {.name = "ci", .role = "viewer", .expires_days = 1}};
    Principal principal;
    int64_t valid;

    EXPECT_OK(scope_write(&scene.scope, make_token, &making), scene.scope.error);
    EXPECT(making.token.expires_at - making.token.created_at == INT64_C(86400000));
    EXPECT_OK(token_authenticate(&scene.scope, making.secret, &principal), scene.scope.error);
    change(&scene, "UPDATE tokens SET expires_at = 1");
    EXPECT(!token_authenticate(&scene.scope, making.secret, &principal));
    EXPECT_TEXT(scene.scope.error.message, "token \"ci\" has expired");
    EXPECT_OK(token_count_valid(&scene.scope, &valid), scene.scope.error);
    EXPECT(valid == 0);
}

static void test_nobody_makes_a_token_that_may_more_than_themselves(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    for (Role maker = ROLE_ANYONE; maker <= ROLE_OWNER; maker++) {
        for (Role role = ROLE_VIEWER; role <= ROLE_OWNER; role++) {
            Making making = {.spec = {.role = role_name(role)}};

            making.spec.name = arena_format(scene.arena, "t%d-%d", (int)maker, (int)role);
            scene.scope.principal.role = maker;
            if (role == ROLE_STEP)
                continue; /* which nobody gives away */
            EXPECT(scope_write(&scene.scope, make_token, &making) == (role <= maker));
            EXPECT(role <= maker || scene.scope.error.kind == ERROR_FORBIDDEN);
        }
    }
}

static void test_a_token_with_a_role_that_is_gone_may_do_nothing(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *secret = secret_of_new(&scene, "ci", "owner");
    Principal principal;

    change(&scene, "UPDATE tokens SET role = 'emperor'");
    EXPECT_OK(token_authenticate(&scene.scope, secret, &principal), scene.scope.error);
    EXPECT(principal.role == ROLE_ANYONE);
}

static void test_what_is_wrong_with_a_token_changes_nothing(void)
{
    static const TokenSpec wrong[] = {
        {.name = ""},
        {.name = "a b"},
        {.name = ".a"},
        {.name = NULL},
        {.name = "a", .role = "king"},
        {.name = "a", .role = "anyone"},
        {.name = "a", .role = "step"},
        {.name = "spam#1/train"},
        {.name = "a", .role = ""},
        {.name = "a", .expires_days = -1},
        {.name = "a", .expires_days = 3651},
        {.name = "a", .expires_days = INT64_MAX},
        {.name = "taken"},
    };
    CLEANUP(scene_close) Scene scene = scene_open();

    secret_of_new(&scene, "taken", "viewer");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        Making making = {.spec = wrong[i]};

        EXPECT(!scope_write(&scene.scope, make_token, &making));
        EXPECT(making.secret == NULL);
    }
    EXPECT_TEXT(scene.scope.error.message, "token \"taken\" already exists");
    EXPECT(count_rows(&scene, "tokens") == 1 && count_rows(&scene, "events") == 1);
}

/* In no file of the data folder, be it the database, its log or anything else. */
static void test_a_secret_is_nowhere_in_the_data_folder(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *secret = secret_of_new(&scene, "ci", "owner");
    char digest[DIGEST_TEXT_SIZE];
    bool has_digest = false;
    Error error = {0};
    TextList paths;

    digest_bytes(secret, strlen(secret), digest);
    EXPECT_OK(folder_walk(scene.folder, scene.arena, &paths, &error), error);
    for (size_t i = 0; i < paths.count; i++) {
        const char *bytes;
        size_t size;

        EXPECT_OK(file_read(arena_format(scene.arena, "%s/%s", scene.folder, paths.items[i]),
                            1 << 28, scene.arena, &bytes, &size, &error),
                  error);
        EXPECT(!memmem(bytes, size, secret + 4, strlen(secret + 4)));
        has_digest = has_digest || memmem(bytes, size, digest, strlen(digest));
    }
    EXPECT(has_digest);
}

static bool append_events(Scope *scope, void *context)
{
    int count = *(int *)context;

    for (int i = 1; i <= count; i++)
        if (!event_append(scope, i % 2 ? "run.created" : "endpoint.changed",
                          arena_format(scope->arena, "thing/%d", i), "{\"before\":1}"))
            return false;
    return true;
}

static Scene scene_with_events(int count)
{
    Scene scene = scene_open();

    scene.scope.request_id = "request-7";
    EXPECT_OK(scope_write(&scene.scope, append_events, &count), scene.scope.error);
    return scene;
}

static void test_a_whole_audit_trail_verifies(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_events(10);
    EventMark last, again;

    EXPECT_OK(event_verify(&scene.scope, NULL, &last), scene.scope.error);
    EXPECT(last.id == 10 && digest_is_valid(last.hash));
    EXPECT_OK(event_verify(&scene.scope, &last, &again), scene.scope.error);
}

static void test_an_empty_audit_trail_verifies(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    EventMark last;

    EXPECT_OK(event_verify(&scene.scope, NULL, &last), scene.scope.error);
    EXPECT(last.id == 0);
}

static void test_edited_removed_and_moved_events_are_found(void)
{
    static const struct {
        const char *change, *reason;
    } cases[] = {
        {"UPDATE events SET created_at = created_at + 1 WHERE id = 4", "event 4 was changed"},
        {"UPDATE events SET principal = 'eve' WHERE id = 4", "event 4 was changed"},
        {"UPDATE events SET action = 'run.deleted' WHERE id = 4", "event 4 was changed"},
        {"UPDATE events SET object = 'thing/5' WHERE id = 4", "event 4 was changed"},
        {"UPDATE events SET detail = '{}' WHERE id = 4", "event 4 was changed"},
        {"UPDATE events SET request_id = NULL WHERE id = 4", "event 4 was changed"},
        {"UPDATE events SET hash = 'x' WHERE id = 10", "event 10 was changed"},
        {"UPDATE events SET action = object, object = action WHERE id = 1", "event 1 was changed"},
        {"UPDATE events SET action = 'run.createdt', object = 'hing/1' WHERE id = 1",
         "event 1 was changed"},
        {"DELETE FROM events WHERE id = 1", "event 1 is missing"},
        {"DELETE FROM events WHERE id = 4", "event 4 is missing"},
        {"DELETE FROM events WHERE id = 4; ", "event 4 is missing"},
        {"UPDATE events SET id = CASE id WHEN 4 THEN -5 WHEN 5 THEN -4 ELSE id END",
         "event 1 is missing"},
        {"INSERT INTO events SELECT 12, created_at, principal, action, object, detail, request_id,"
         " hash FROM events WHERE id = 10",
         "event 11 is missing"},
        {"INSERT INTO events SELECT 11, created_at, principal, action, object, detail, request_id,"
         " hash FROM events WHERE id = 10",
         "event 11 was changed"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(scene_close) Scene scene = scene_with_events(10);
        EventMark last = {.id = 42};

        change(&scene, cases[i].change);
        EXPECT(!event_verify(&scene.scope, NULL, &last));
        EXPECT(scene.scope.error.kind == ERROR_CONFLICT && last.id == 42);
        EXPECT_TEXT(scene.scope.error.message,
                    arena_format(scene.arena, "the audit trail is broken: %s", cases[i].reason));
    }
}

static void test_swapped_events_are_found(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_events(10);
    EventMark last;

    change(&scene, "UPDATE events SET id = -4 WHERE id = 4");
    change(&scene, "UPDATE events SET id = 4 WHERE id = 5");
    change(&scene, "UPDATE events SET id = 5 WHERE id = -4");
    EXPECT(!event_verify(&scene.scope, NULL, &last));
    EXPECT(strstr(scene.scope.error.message, "event 4 was changed"));
}

/* The chain cannot know what followed it; a mark kept elsewhere does. */
static void test_a_removed_end_is_found_by_a_mark_kept_elsewhere(void)
{
    CLEANUP(scene_close) Scene scene = scene_with_events(10);
    EventMark mark, last;

    EXPECT_OK(event_verify(&scene.scope, NULL, &mark), scene.scope.error);
    change(&scene, "DELETE FROM events WHERE id > 8");
    EXPECT_OK(event_verify(&scene.scope, NULL, &last), scene.scope.error);
    EXPECT(last.id == 8);
    EXPECT(!event_verify(&scene.scope, &mark, &last));
    EXPECT_TEXT(scene.scope.error.message, "the audit trail is broken: event 9 is missing");
    EXPECT_OK(scope_write(&scene.scope, append_events, &(int){5}), scene.scope.error);
    EXPECT_OK(event_verify(&scene.scope, NULL, &last), scene.scope.error);
    EXPECT(!event_verify(&scene.scope, &mark, &last));
    EXPECT_TEXT(scene.scope.error.message,
                "the audit trail is broken: event 10 is another one than it was");
}

static void test_events_are_filtered_and_limited(void)
{
    static const struct {
        EventFilter filter;
        size_t count;
        int64_t first;
    } cases[] = {
        {{0}, 10, 1},
        {{.after = 7}, 3, 8},
        {{.limit = 2}, 2, 1},
        {{.limit = 2, .newest_first = true}, 2, 10},
        {{.action = "endpoint."}, 5, 2},
        {{.action = "run.created", .after = 1}, 4, 3},
        {{.action = "%"}, 0, 0},
        {{.object = "thing/7"}, 1, 7},
        {{.object = "thing/"}, 0, 0},
    };
    CLEANUP(scene_close) Scene scene = scene_with_events(10);
    EventFilter wrong = {.limit = 10001};
    EventList list;

    for (size_t i = 0; i < COUNT(cases); i++) {
        EXPECT_OK(event_list(&scene.scope, &cases[i].filter, &list), scene.scope.error);
        EXPECT(list.count == cases[i].count);
        EXPECT(!list.count || list.items[0].id == cases[i].first);
    }
    EXPECT(!event_list(&scene.scope, &wrong, &list));
    EXPECT_TEXT(scene.scope.error.field, "limit");
    wrong.limit = -1;
    EXPECT(!event_list(&scene.scope, &wrong, &list));
}

static void test_a_data_folder_has_one_owner_at_a_time(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *address = arena_format(scene.arena, "%s/address", scene.folder);
    Platform *other = NULL;
    Error error = {0};

    EXPECT_OK(file_write(address, "x", 1, &error), error);
    EXPECT(!platform_open(scene.folder, &other, &error));
    EXPECT(error.kind == ERROR_BUSY && other == NULL);
    EXPECT(file_exists(address)); /* it is the owner's */
    session_close(&scene.session);
    platform_close(scene.platform);
    error = (Error){0};
    EXPECT_OK(platform_open(scene.folder, &scene.platform, &error), error);
    EXPECT(!file_exists(address));
    EXPECT_OK(session_open(scene.platform, &scene.session, &error), error);
}

static void test_work_under_way_is_swept_at_the_start_and_results_are_kept(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *left = arena_format(scene.arena, "%s/x/left", scene.platform->temporary);
    const char *half = arena_format(scene.arena, "%s/address.0123.partial", scene.folder);
    const char *blob = arena_format(scene.arena, "%s/artifacts/.0123.partial", scene.folder);
    Error error = {0};
    Artifact artifact;

    EXPECT_OK(folder_make(left, &error), error);
    EXPECT_OK(file_write(half, "h", 1, &error) && file_write(blob, "b", 1, &error), error);
    EXPECT_OK(artifact_add_bytes(scene.platform->artifacts, "x", 1, &artifact, &error), error);
    session_close(&scene.session);
    platform_close(scene.platform);
    EXPECT_OK(platform_open(scene.folder, &scene.platform, &error), error);
    EXPECT_OK(session_open(scene.platform, &scene.session, &error), error);
    EXPECT(!folder_exists(left) && folder_exists(scene.platform->temporary));
    EXPECT(!file_exists(half) && !file_exists(blob));
    EXPECT(artifact_exists(scene.platform->artifacts, artifact.digest));
}

static void test_a_folder_that_cannot_be_made_is_refused(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Platform *other;
    Error error = {0};

    EXPECT(!platform_open(arena_format(scene.arena, "%s/lock", scene.folder), &other, &error));
    EXPECT(!platform_open("", &other, &error));
    EXPECT(error.kind != ERROR_NONE);
}

static bool append_then_fail(Scope *scope, void *context)
{
    (void)context;
    return event_append(scope, "run.created", "never", NULL) &&
           fail(&scope->error, ERROR_CONFLICT, "changed my mind");
}

static bool append_around_a_failure(Scope *scope, void *context)
{
    if (!event_append(scope, "run.created", "before", NULL))
        return false;
    if (scope_write(scope, append_then_fail, NULL))
        return fail(&scope->error, ERROR_INTERNAL, "it should have failed");
    if (*(bool *)context)
        return event_append(scope, "run.created", "after", NULL);
    return false;
}

static void test_a_write_that_fails_changes_nothing(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT(!scope_write(&scene.scope, append_then_fail, NULL));
    EXPECT_TEXT(scene.scope.error.message, "changed my mind");
    EXPECT(count_rows(&scene, "events") == 0);
    EXPECT(!db_can_write(scene.scope.db));
}

static void test_a_write_within_a_write_undoes_itself_alone(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    EventMark last;

    EXPECT_OK(scope_write(&scene.scope, append_around_a_failure, &(bool){true}), scene.scope.error);
    EXPECT(count_rows(&scene, "events") == 2);
    EXPECT(count_rows(&scene, "events WHERE object = 'never'") == 0);
    EXPECT_OK(event_verify(&scene.scope, NULL, &last), scene.scope.error);
}

static void test_a_write_that_fails_takes_the_inner_ones_with_it(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT(!scope_write(&scene.scope, append_around_a_failure, &(bool){false}));
    EXPECT_TEXT(scene.scope.error.message, "changed my mind");
    EXPECT(count_rows(&scene, "events") == 0);
}

static bool append_nested(Scope *scope, void *context)
{
    int *depth = context;

    if (--*depth > 0 && !scope_write(scope, append_nested, depth))
        return false;
    return event_append(scope, "run.created", "nested", NULL);
}

static void test_writes_nest(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();

    EXPECT_OK(scope_write(&scene.scope, append_nested, &(int){5}), scene.scope.error);
    EXPECT(count_rows(&scene, "events") == 5);
}

static void *write_events(void *context)
{
    const Platform *platform = context;
    Session session;
    Error error = {0};
    Scope scope;

    if (!session_open(platform, &session, &error))
        return NULL;
    scope = session_scope(&session, platform, (Principal){"thread", ROLE_OWNER});
    for (int i = 0; i < 10; i++)
        if (!scope_write(&scope, append_events, &(int){3}))
            context = NULL;
    session_close(&session);
    return context;
}

static void test_events_of_many_threads_make_one_chain(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    pthread_t threads[8];
    EventMark last;

    for (size_t i = 0; i < COUNT(threads); i++)
        EXPECT(pthread_create(&threads[i], NULL, write_events, scene.platform) == 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *result;

        pthread_join(threads[i], &result);
        EXPECT(result == scene.platform);
    }
    EXPECT_OK(event_verify(&scene.scope, NULL, &last), scene.scope.error);
    EXPECT(last.id == 8 * 10 * 3);
}

static void test_opening_a_folder_sweeps_what_a_killed_upload_left(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const char *path = arena_format(scene.arena, "%s/artifacts/.1.partial", scene.folder);
    Error error = {0};

    EXPECT_OK(file_write(path, "half", 4, &error), error);
    session_close(&scene.session);
    platform_close(scene.platform);
    EXPECT_OK(platform_open(scene.folder, &scene.platform, &error), error);
    EXPECT(!file_exists(path));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_opening_a_folder_sweeps_what_a_killed_upload_left),
        TEST(test_a_token_acts_under_its_name_and_role),
        TEST(test_a_secret_that_nobody_holds_is_refused),
        TEST(test_a_revoked_token_stops_working_with_the_commit),
        TEST(test_a_page_of_tokens_goes_on_behind_the_last_name),
        TEST(test_a_page_has_a_hundred_items_unless_another_number_is_asked_for),
        TEST(test_an_expired_token_stops_working),
        TEST(test_nobody_makes_a_token_that_may_more_than_themselves),
        TEST(test_a_token_with_a_role_that_is_gone_may_do_nothing),
        TEST(test_what_is_wrong_with_a_token_changes_nothing),
        TEST(test_a_secret_is_nowhere_in_the_data_folder),
        TEST(test_a_whole_audit_trail_verifies),
        TEST(test_an_empty_audit_trail_verifies),
        TEST(test_edited_removed_and_moved_events_are_found),
        TEST(test_swapped_events_are_found),
        TEST(test_a_removed_end_is_found_by_a_mark_kept_elsewhere),
        TEST(test_events_are_filtered_and_limited),
        TEST(test_a_data_folder_has_one_owner_at_a_time),
        TEST(test_work_under_way_is_swept_at_the_start_and_results_are_kept),
        TEST(test_a_folder_that_cannot_be_made_is_refused),
        TEST(test_a_write_that_fails_changes_nothing),
        TEST(test_a_write_within_a_write_undoes_itself_alone),
        TEST(test_a_write_that_fails_takes_the_inner_ones_with_it),
        TEST(test_writes_nest),
        TEST(test_events_of_many_threads_make_one_chain),
        {0},
    };
    return test_main(tests, count, names);
}
