#include "notify/message.h"

#include "tests/test.h"

static const NotifySettings settings = {
    .mail_server = {.url = "smtp://mail.example.com"},
    .mail_sender = "slipway@example.com",
};

static Delivery delivery_of(const char *body)
{
    return (Delivery){.public_id = "4f1c0cde-9d5a-4c62-9e8b-0f6d8c7b1a23",
                      .event = "release.rejected",
                      .body = body};
}

static void test_signatures_are_those_that_mlflows_receivers_compute(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(message_signature("hush", "id-1", "1700000000", "{\"a\":1}", arena),
                "v1,xuBXGhrlMcPgxiv0jEX6mZ6w6Bduqs+1LqEPyAkquoY=");
}

static const char *header_of(const OutgoingSpec *message, const char *name)
{
    for (size_t i = 0; i < message->header_count; i++)
        if (strcmp(message->headers[i].name, name) == 0)
            return message->headers[i].value;
    return NULL;
}

static void test_only_with_a_secret_is_a_message_signed(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Platform platform = {0};
    Scope scope = {.platform = &platform, .arena = arena};
    Webhook webhook = {.url = "https://example.com/a"};
    Delivery delivery = delivery_of("{}");
    OutgoingSpec message;

    EXPECT_OK(message_make(&scope, &webhook, &delivery, &message), scope.error);
    EXPECT(!header_of(&message, "X-MLflow-Signature"));
    EXPECT_TEXT(header_of(&message, "X-MLflow-Delivery-Id"), delivery.public_id);
    webhook.secret = "hush";
    EXPECT_OK(message_make(&scope, &webhook, &delivery, &message), scope.error);
    EXPECT_TEXT(header_of(&message, "X-MLflow-Signature"),
                message_signature("hush", delivery.public_id,
                                  header_of(&message, "X-MLflow-Timestamp"), "{}", arena));
    EXPECT(!message.may_be_private);
}

static void test_each_answer_means_delivered_again_or_never(void)
{
    enum { DELIVERED, AGAIN, NEVER };
    static const struct {
        const char *url;
        int status;
        ErrorKind kind;
        int expected;
    } cases[] = {
        {"https://a", 200, ERROR_NONE, DELIVERED},
        {"https://a", 204, ERROR_NONE, DELIVERED},
        {"https://a", 301, ERROR_NONE, NEVER},
        {"https://a", 400, ERROR_NONE, NEVER},
        {"https://a", 404, ERROR_NONE, NEVER},
        {"https://a", 408, ERROR_NONE, AGAIN},
        {"https://a", 410, ERROR_NONE, NEVER},
        {"https://a", 429, ERROR_NONE, AGAIN},
        {"https://a", 500, ERROR_NONE, AGAIN},
        {"https://a", 503, ERROR_NONE, AGAIN},
        {"https://a", 0, ERROR_UNAVAILABLE, AGAIN},
        {"https://a", 200, ERROR_TIMEOUT, AGAIN},
        {"https://a", 0, ERROR_FORBIDDEN, NEVER},
        {"https://a", 0, ERROR_INVALID, NEVER},
        {"mailto:a@b.c", 250, ERROR_NONE, DELIVERED},
        {"mailto:a@b.c", 0, ERROR_UNAVAILABLE, AGAIN},
        {"mailto:a@b.c", 451, ERROR_UNAVAILABLE, AGAIN},
        {"mailto:a@b.c", 550, ERROR_UNAVAILABLE, NEVER},
        {"mailto:a@b.c", 535, ERROR_UNAVAILABLE, AGAIN},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        Webhook webhook = {.url = cases[i].url};
        OutgoingReply reply = {.status = cases[i].status, .error = {.kind = cases[i].kind}};
        DeliveryResult result = {.may_try_again = true, .reason = "of the last time"};

        if (cases[i].kind)
            snprintf(reply.error.message, sizeof(reply.error.message), "a reason");
        message_judge(&webhook, &reply, &result);
        EXPECT((*result.reason == '\0') == (cases[i].expected == DELIVERED));
        EXPECT(result.may_try_again == (cases[i].expected == AGAIN));
        EXPECT(result.status == cases[i].status);
    }
}

/* Without its date. */
static const char *mail_of(const char *body, Arena *arena)
{
    Delivery delivery = delivery_of(body);
    const char *mail = mail_write(&settings, "ops@example.com", &delivery, arena);
    const char *date = strstr(mail, "Date: "), *rest = strstr(mail, "Message-ID:");

    EXPECT(date && rest &&
           rest - date == (long)strlen("Date: Thu, 27 Nov 2025 00:38:00 +0000\r\n"));
    return arena_format(arena, "%.*s%s", (int)(date - mail), mail, rest);
}

static void test_a_mail_has_header_and_text(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(mail_of("{\"data\":{\"subject\":\"no\",\"text\":\"It was worse.\"}}", arena),
                "From: Slipway <slipway@example.com>\r\n"
                "To: <ops@example.com>\r\n"
                "Subject: no\r\n"
                "Message-ID: <4f1c0cde-9d5a-4c62-9e8b-0f6d8c7b1a23@example.com>\r\n"
                "X-Slipway-Event: release.rejected\r\n"
                "Auto-Submitted: auto-generated\r\n"
                "MIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: base64\r\n"
                "\r\n"
                "SXQgd2FzIHdvcnNlLg==\r\n");
}

static void test_nothing_that_is_told_adds_a_line_to_a_mails_header(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *mail = mail_of(
        "{\"data\":{\"subject\":\"a\\r\\nBcc: eve@example.com\",\"text\":\".\\r\\nQUIT\\r\\n\"}}",
        arena);

    EXPECT(!strstr(mail, "Bcc") && !strstr(mail, "QUIT"));
    EXPECT(strstr(mail, "Subject: =?UTF-8?B?YQ0KQmNjOiBldmVAZXhhbXBsZS5jb20=?=\r\n"));
}

static void test_long_subjects_are_words_that_cut_no_character(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder body = {.arena = arena};
    const char *mail, *at;
    size_t words = 0;

    text_append(&body, "{\"data\":{\"subject\":\"");
    for (int i = 0; i < 150; i++)
        text_append(&body, "\xe2\x86\xaf");
    text_append(&body, "\",\"text\":\"\"}}");
    mail = mail_of(text_built(&body), arena);
    for (at = strstr(mail, "=?UTF-8?B?"); at; at = strstr(at + 1, "=?UTF-8?B?")) {
        size_t length = strcspn(at + 10, "?");

        EXPECT(length + 12 <= 75 && length % 4 == 0 && at[10 + length - 1] != '=');
        words++;
    }
    EXPECT(words == 5); /* 66 characters of three bytes, 15 in a word */
}

static void test_events_of_models_are_mails_too(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT(strstr(mail_of("{\"data\":{\"name\":\"spam\",\"version\":\"3\"}}", arena),
                  "Subject: release.rejected: spam version 3\r\n"));
    EXPECT(strstr(mail_of("{\"data\":{}}", arena), "Subject: release.rejected\r\n"));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_signatures_are_those_that_mlflows_receivers_compute),
        TEST(test_only_with_a_secret_is_a_message_signed),
        TEST(test_each_answer_means_delivered_again_or_never),
        TEST(test_a_mail_has_header_and_text),
        TEST(test_nothing_that_is_told_adds_a_line_to_a_mails_header),
        TEST(test_long_subjects_are_words_that_cut_no_character),
        TEST(test_events_of_models_are_mails_too),
        {0},
    };

    return test_main(tests, count, names);
}
