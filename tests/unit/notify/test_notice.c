/* Notices: what others wrote stays within its line, and everything within its bounds. */
#include "notify/notice.h"

#include "tests/unit/tracking/store_fixture.h"

static void test_what_others_wrote_becomes_one_line(void)
{
    static const struct {
        const char *words, *line;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\r\nBcc: eve@example.com", "a  Bcc: eve@example.com"},
        {"\x1b[2J\x7f\t.", " [2J  ."},
        {"caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac"},
        {"a\xc2\x85z", "a  z"},
        {"a\xe2\x80\xa8z\xe2\x80\xae\xe2\x81\xa9.", "a   z      ."},
        {"a\xe2\x80\x94z", "a\xe2\x80\x94z"},
        {"cut \xe2\x80", "cut \xe2\x80"},
        {"cut \xc2", "cut \xc2"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(cases); i++)
        EXPECT_TEXT(notice_plain(cases[i].words, arena), cases[i].line);
}

static void test_a_line_has_a_limit_that_cuts_no_character(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder words = {.arena = arena};
    const char *line;

    text_append(&words, "x");
    for (int i = 0; i < NOTICE_LINE_BYTES_MAX; i++)
        text_append(&words, "\xc3\xa9");
    line = notice_plain(text_built(&words), arena);
    EXPECT(strlen(line) == NOTICE_LINE_BYTES_MAX - 1 + strlen("..."));
    EXPECT(text_is_utf8(line, strlen(line)) && text_has_suffix(line, "\xc3\xa9..."));
}

static void test_of_a_long_reason_its_end_is_told(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(notice_tail("short", 5, arena), "short");
    EXPECT_TEXT(notice_tail("it began well: exit code 3", 11, arena), "...exit code 3");
    EXPECT_TEXT(notice_tail("a\xc3\xa9z", 2, arena), "...z");
}

static Webhook add(Scope *scope, EventKinds events)
{
    const WebhookSpec spec = {.name = "ops", .url = "https://example.com/hook", .events = events};
    Webhook webhook;

    EXPECT_OK(webhook_create(scope, &spec, &webhook), scope->error);
    return webhook;
}

static Notice *begin(Scope *scope, EventKind kind)
{
    Notice *notice;

    EXPECT_OK(notice_begin(scope, kind, &notice), scope->error);
    return notice;
}

/* The data of the only delivery. */
static const JsonValue *told(Scope *scope, const Webhook *webhook)
{
    const JsonValue *body;
    DeliveryList list = {0};
    Delivery delivery;

    EXPECT_OK(delivery_list(scope, webhook, NULL, &list), scope->error);
    EXPECT(list.count == 1);
    EXPECT_OK(delivery_find(scope, list.items[0].id, &delivery), scope->error);
    EXPECT_OK(json_parse(delivery.body, strlen(delivery.body), scope->arena, &body, &scope->error),
              scope->error);
    return json_member(body, "data");
}

static void test_a_notice_is_a_text_and_the_same_as_members(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook = add(scope, event_kind_bit(EVENT_APPROVAL_ASKED));
    Notice *notice = begin(scope, EVENT_APPROVAL_ASKED);
    const JsonValue *data;

    notice->subject = "one\nline";
    notice_say(notice, "Hello %s.\n", notice_plain("a\nb", scope->arena));
    notice_text(notice, "asked_by", "ada\n  approval  8");
    notice_text(notice, "commit", NULL);
    notice_int(notice, "version", 3);
    notice_time(notice, "expires_at", 1700000000000);
    notice_time(notice, "ended_at", 0);
    notice_line(notice, "", "more");
    notice_quote(notice, "first\r\nsecond\n");
    EXPECT_OK(notice_raise(scope, notice), scope->error);
    data = told(scope, &webhook);
    EXPECT_TEXT(json_as_text(json_member(data, "subject"), ""), "one line");
    EXPECT_TEXT(json_as_text(json_member(data, "text"), ""),
                "Hello a b.\n\n"
                "  asked by      ada   approval  8\n"
                "  version       3\n"
                "  expires at    2023-11-14T22:13:20.000Z\n"
                "                more\n"
                "  | first \n"
                "  | second\n");
    EXPECT_TEXT(json_as_text(json_member(data, "asked_by"), ""), "ada\n  approval  8");
    EXPECT(json_is_null(json_member(data, "commit")) && json_member(data, "ended_at"));
    EXPECT(json_as_int(json_member(data, "version"), 0) == 3);
}

static void test_what_is_too_much_is_told_without_its_members(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook = add(scope, event_kind_bit(EVENT_APPROVAL_ASKED));
    Notice *notice = begin(scope, EVENT_APPROVAL_ASKED);
    const JsonValue *data;

    notice->subject = "much";
    for (int i = 0; i < 300; i++) {
        char *words = arena_alloc(scope->arena, NOTICE_LINE_BYTES_MAX, 1);

        memset(words, i % 2 ? '"' : 'x', NOTICE_LINE_BYTES_MAX - 1);
        notice_text(notice, arena_format(scope->arena, "key_%d", i), words);
    }
    EXPECT_OK(notice_raise(scope, notice), scope->error);
    data = told(scope, &webhook);
    EXPECT(json_as_bool(json_member(data, "is_shortened"), false) && !json_member(data, "key_0"));
    EXPECT_TEXT(json_as_text(json_member(data, "subject"), ""), "much");
    EXPECT(json_text_size(json_member(data, "text")) == NOTICE_TEXT_BYTES_MAX);
}

/* The kinds that there were before there was a notice: those until release.rejected. */
static void test_who_wanted_everything_that_there_was_is_told_nothing_new(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Webhook webhook = add(&fixture.scope, event_kind_bit(EVENT_RELEASE_REJECTED + 1) - 1);
    DeliveryList list = {0};

    for (EventKind kind = 0; kind < EVENT_KIND_COUNT; kind++)
        EXPECT((begin(&fixture.scope, kind) != NULL) == (kind <= EVENT_RELEASE_REJECTED));
    EXPECT_OK(delivery_list(&fixture.scope, &webhook, NULL, &list), fixture.scope.error);
    EXPECT(list.count == 0);
}

static void test_each_kind_of_ours_has_an_example_that_reads_as_a_mail(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (EventKind kind = EVENT_RELEASE_REJECTED; kind < EVENT_KIND_COUNT; kind++) {
        const EventKindInfo *info = event_kind_info(kind);
        const JsonValue *data;
        EventKind found;
        Error error = {0};

        EXPECT_OK(json_parse(info->example, strlen(info->example), arena, &data, &error), error);
        EXPECT(text_has_prefix(json_as_text(json_member(data, "subject"), ""), "An example: "));
        EXPECT(json_member(data, "text") && !info->is_mlflow);
        EXPECT(event_kind_find(info->name, &found) && found == kind);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_what_others_wrote_becomes_one_line),
        TEST(test_a_line_has_a_limit_that_cuts_no_character),
        TEST(test_of_a_long_reason_its_end_is_told),
        TEST(test_a_notice_is_a_text_and_the_same_as_members),
        TEST(test_what_is_too_much_is_told_without_its_members),
        TEST(test_who_wanted_everything_that_there_was_is_told_nothing_new),
        TEST(test_each_kind_of_ours_has_an_example_that_reads_as_a_mail),
        {0},
    };

    return test_main(tests, count, names);
}
