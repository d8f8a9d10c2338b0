#include "notify/webhook.h"

#include "access/event.h"
#include "notify/target.h"
#include "tests/unit/tracking/store_fixture.h"

#define CREATED (1u << EVENT_VERSION_CREATED)

static const WebhookSpec ci = {
    .name = "ci",
    .url = "https://ci.example.com/hook/path-is-secret?a=b",
    .secret = "hush",
    .events = CREATED,
};

static const char *json_of(Scope *scope, const Webhook *webhook)
{
    JsonWriter *json = json_writer_create(scope->arena);

    webhook_write_json(json, NULL, webhook);
    return json_finish(json);
}

static void test_a_webhook_is_what_was_said_of_it(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook made, found;

    EXPECT_OK(webhook_create(scope, &ci, &made), scope->error);
    EXPECT_OK(webhook_find(scope, "ci", &found), scope->error);
    EXPECT_OK(webhook_find_public(scope, made.public_id, &found), scope->error);
    EXPECT_TEXT(found.url, ci.url);
    EXPECT_TEXT(found.secret, "hush");
    EXPECT_TEXT(found.created_by, "ada");
    EXPECT(found.events == CREATED && found.is_active && strlen(found.public_id) == 36);
    EXPECT_FAILS(webhook_find(scope, "none", &found), scope, ERROR_NOT_FOUND,
                 "webhook \"none\" does not exist");
}

static void test_no_answer_and_no_event_holds_the_secret(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    EventList events = {0};
    Webhook made;

    EXPECT_OK(webhook_create(scope, &ci, &made), scope->error);
    EXPECT_OK(webhook_change(scope, &made, &(WebhookSpec){.secret = "hushed"}, &made),
              scope->error);
    EXPECT(!strstr(json_of(scope, &made), "hush"));
    EXPECT(strstr(json_of(scope, &made), "\"signed\":true"));
    EXPECT_OK(event_list(scope, &(EventFilter){0}, &events), scope->error);
    EXPECT(events.count == 2);
    for (size_t i = 0; i < events.count; i++)
        EXPECT(!strstr(events.items[i].detail, "hush") &&
               !strstr(events.items[i].detail, "path-is-secret"));
}

static void test_a_star_stands_for_all_that_happens_to_a_thing(void)
{
    static const struct {
        const char *name;
        int count;
    } rows[] = {
        {"approval.asked", 1}, {"approval.*", 6}, {"model_version.*", 1},
        {"release.*", 5},      {"approval", 0},   {"approval.", 0},
        {"approval.**", 0},    {"*", 0},          {".*", 0},
        {"approval.a*", 0},    {"approva.*", 0},  {"", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = rows[i].name;
        TextList names = {&name, 1};
        EventKinds kinds = CREATED;
        Error error = {0};

        EXPECT(webhook_read_events(&names, &kinds, &error) == (rows[i].count > 0));
        EXPECT(__builtin_popcount(kinds) == (rows[i].count ? rows[i].count : 1));
    }
}

static void test_only_owners_see_the_path_of_a_url(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook made;

    EXPECT_OK(webhook_create(scope, &ci, &made), scope->error);
    webhook_hide_path(scope, &made);
    EXPECT_TEXT(made.url, ci.url);
    scope->principal.role = ROLE_APPROVER;
    webhook_hide_path(scope, &made);
    EXPECT_TEXT(made.url, "https://ci.example.com");
}

static void test_the_same_again_is_the_same_webhook_and_another_of_its_name_is_none(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    WebhookSpec other = ci;
    Webhook first, second;

    EXPECT_OK(webhook_create(scope, &ci, &first), scope->error);
    EXPECT_OK(webhook_create(scope, &ci, &second), scope->error);
    EXPECT(first.id == second.id);
    other.secret = "another";
    EXPECT_FAILS(webhook_create(scope, &other, &second), scope, ERROR_EXISTS,
                 "webhook \"ci\" already exists");
}

static void test_what_is_not_said_of_a_change_stays(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook made, changed;

    EXPECT_OK(webhook_create(scope, &ci, &made), scope->error);
    EXPECT_OK(webhook_change(scope, &made, &(WebhookSpec){.status = WEBHOOK_DISABLED, .name = "cd"},
                             &changed),
              scope->error);
    EXPECT(!changed.is_active && changed.events == CREATED && changed.id == made.id);
    EXPECT_TEXT(changed.name, "cd");
    EXPECT_TEXT(changed.url, ci.url);
    EXPECT_TEXT(changed.secret, "hush");
    EXPECT_OK(webhook_change(scope, &changed, &(WebhookSpec){.secret = ""}, &changed),
              scope->error);
    EXPECT(!changed.secret && !changed.is_active);
}

static void test_names_and_texts_are_checked(void)
{
    static const char *const names[] = {"",
                                        "-a",
                                        "a-",
                                        ".a",
                                        "a b",
                                        "a/b",
                                        "\xc3\xa9",
                                        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                         "aaaaaaaa")};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook;

    for (size_t i = 0; i < COUNT(names); i++) {
        WebhookSpec spec = ci;

        spec.name = names[i];
        EXPECT(!webhook_create(scope, &spec, &webhook));
        EXPECT_TEXT(scope->error.field, "name");
    }
    EXPECT_FAILS(webhook_create(scope, &(WebhookSpec){.name = "a", .url = ci.url}, &webhook), scope,
                 ERROR_FIELD, "a webhook wants at least one event");
}

static void test_a_webhook_leads_where_the_server_lets_it(void)
{
    static const char *const named[] = {"hooks.internal", "127.0.0.1"};
    static const NotifySettings closed = {0};
    const NotifySettings open = {.hosts = {(const char **)named, COUNT(named)},
                                 .mail_server = {.url = "smtp://localhost"},
                                 .mail_sender = "s@example.com"};
    static const struct {
        const char *url, *closed, *open; /* the sentence, or NULL: it may */
    } cases[] = {
        {"https://example.com/a", NULL, NULL},
        {"https://93.184.216.34/", NULL, NULL},
        {"http://example.com/", "http:// is for hosts", "http:// is for hosts"},
        {"http://hooks.internal/x", "--webhook-host hooks.internal", NULL},
        {"http://HOOKS.internal:8080/x", "--webhook-host hooks.internal", NULL},
        {"https://127.0.0.1/", "not a public address", NULL},
        {"https://2130706433/", "not a public address", NULL},
        {"https://10.0.0.1/", "not a public address", "not a public address"},
        {"https://[::1]/", "not a public address", "not a public address"},
        {"https://169.254.169.254/latest", "not a public address", "not a public address"},
        {"https://localhost/", "not a public address", "not a public address"},
        {"https://a.localhost/", "not a public address", "not a public address"},
        {"https://me:word@example.com/", "no user and no password", "no user and no password"},
        {"ftp://example.com/", "begins with https://", "begins with https://"},
        {"file:///etc/passwd", "begins with https://", "begins with https://"},
        {"https://", "has a host", "has a host"},
        {"https://a b/", "without spaces", "without spaces"},
        {"", "1 to 2048 bytes", "1 to 2048 bytes"},
        {"mailto:ops@example.com", "--smtp-url", NULL},
        {"mailto:ops@example.com,b@example.com", "not one mail address", "not one mail address"},
        {"mailto:ops@example.com?bcc=b@example.com", "not one mail", "not one mail"},
        {"mailto:-oX@example.com", "not one mail address", "not one mail address"},
        {"mailto:ops", "not one mail address", "not one mail address"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(cases); i++) {
        const NotifySettings *settings[] = {&closed, &open};
        const char *expected[] = {cases[i].closed, cases[i].open};

        for (size_t j = 0; j < COUNT(settings); j++) {
            Target target;
            Error error = {0};
            bool may = target_read(settings[j], cases[i].url, arena, &target, &error);

            if (!expected[j])
                EXPECT_OK(may, error);
            else if (may || !strstr(error.message, expected[j]) || error.kind != ERROR_FIELD)
                EXPECT_TEXT(error.message, cases[i].url);
        }
    }
}

static void test_a_webhook_goes_with_all_of_it(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    WebhookList list = {0};
    Webhook made;

    EXPECT_OK(webhook_create(scope, &ci, &made), scope->error);
    EXPECT_OK(webhook_delete(scope, &made), scope->error);
    EXPECT_OK(webhook_list(scope, NULL, &list), scope->error);
    EXPECT(list.count == 0);
    EXPECT_OK(webhook_create(scope, &ci, &made), scope->error);
}

static void test_there_is_a_most_of_webhooks(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook made;

    for (int i = 0; i < WEBHOOKS_MAX; i++) {
        WebhookSpec spec = ci;

        spec.name = arena_format(scope->arena, "hook%d", i);
        EXPECT_OK(webhook_create(scope, &spec, &made), scope->error);
    }
    EXPECT_FAILS(webhook_create(scope, &ci, &made), scope, ERROR_CONFLICT,
                 "there are 100 webhooks, and no more can be");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_webhook_is_what_was_said_of_it),
        TEST(test_no_answer_and_no_event_holds_the_secret),
        TEST(test_a_star_stands_for_all_that_happens_to_a_thing),
        TEST(test_only_owners_see_the_path_of_a_url),
        TEST(test_the_same_again_is_the_same_webhook_and_another_of_its_name_is_none),
        TEST(test_what_is_not_said_of_a_change_stays),
        TEST(test_names_and_texts_are_checked),
        TEST(test_a_webhook_leads_where_the_server_lets_it),
        TEST(test_a_webhook_goes_with_all_of_it),
        TEST(test_there_is_a_most_of_webhooks),
        {0},
    };

    return test_main(tests, count, names);
}
