#include "notify/message.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/time.h"
#include "notify/target.h"
#include "notify/uuid.h"

enum { HEADERS_MAX = 4, BASE64_SIZE = 4 * ((HMAC_SIZE + 2) / 3) + 1, TEST_SECONDS = 15 };

const char *message_signature(const char *secret, const char *id, const char *timestamp,
                              const char *body, Arena *arena)
{
    const char *said = arena_format(arena, "%s.%s.%s", id, timestamp, body);
    unsigned char mac[HMAC_SIZE], text[BASE64_SIZE];

    hmac_bytes(secret, strlen(secret), said, strlen(said), mac);
    EVP_EncodeBlock(text, mac, HMAC_SIZE);
    return arena_format(arena, "v1,%s", (const char *)text);
}

/* The time is that of the try: receivers refuse what was signed long ago. */
static void make_post(const Webhook *webhook, const Delivery *delivery, Arena *arena,
                      OutgoingSpec *message)
{
    const char *timestamp = arena_format(arena, "%" PRId64, time_now_ms() / 1000);
    HttpPair *headers = arena_array(arena, HttpPair, HEADERS_MAX);
    size_t count = 0;

    headers[count++] = (HttpPair){"Content-Type", "application/json"};
    headers[count++] = (HttpPair){"X-MLflow-Delivery-Id", delivery->public_id};
    headers[count++] = (HttpPair){"X-MLflow-Timestamp", timestamp};
    if (webhook->secret)
        headers[count++] =
            (HttpPair){"X-MLflow-Signature", message_signature(webhook->secret, delivery->public_id,
                                                               timestamp, delivery->body, arena)};
    message->headers = headers;
    message->header_count = count;
    message->body = delivery->body;
}

bool message_make(Scope *scope, const Webhook *webhook, const Delivery *delivery,
                  OutgoingSpec *message)
{
    const NotifySettings *settings = outbox_settings(scope->platform->outbox);
    OutgoingSpec made = {0};
    Target target;

    if (!target_read(settings, webhook->url, scope->arena, &target, &scope->error))
        return false;
    if (target.url) {
        made.url = target.url;
        made.may_be_private = target.may_be_private;
        make_post(webhook, delivery, scope->arena, &made);
    } else {
        made.mail_server = &settings->mail_server;
        made.sender = settings->mail_sender;
        made.recipient = target.recipient;
        made.body = mail_write(settings, target.recipient, delivery, scope->arena);
    }
    made.body_size = strlen(made.body);
    *message = made;
    return true;
}

/* ---- answers ---- */

static void judge_post(const OutgoingReply *reply, DeliveryResult *result)
{
    int status = reply->status;

    if (status >= 200 && status < 300)
        return;
    result->may_try_again = status == 408 || status == 429 || status >= 500;
    snprintf(result->reason, sizeof(result->reason), "it answered with status %d%s", status,
             status >= 300 && status < 400 ? "; redirects are not followed" : "");
}

/* 5yz is for good, unless it is about who we are, which somebody will mend. */
static bool is_final_mail_status(int status)
{
    return status >= 500 && status < 600 && status != 530 && status != 534 && status != 535 &&
           status != 538;
}

void message_fail(const Error *error, DeliveryResult *result)
{
    result->may_try_again = error->kind != ERROR_FORBIDDEN && error->kind != ERROR_INVALID;
    snprintf(result->reason, sizeof(result->reason), "%s", error->message);
}

void message_judge(const Webhook *webhook, const OutgoingReply *reply, DeliveryResult *result)
{
    bool is_mail = text_has_prefix(webhook->url, "mailto:");

    result->status = reply->status;
    result->reason[0] = '\0';
    result->may_try_again = false;
    result->retry_after_seconds = reply->retry_after_seconds;
    if (reply->error.kind) {
        message_fail(&reply->error, result);
        if (is_mail && is_final_mail_status(reply->status))
            result->may_try_again = false;
    } else if (!is_mail) {
        judge_post(reply, result);
    }
}

/* ---- tests ---- */

static EventKind first_of(EventKinds events)
{
    EventKind kind = 0;

    while (kind < EVENT_KIND_COUNT - 1 && !(events & event_kind_bit(kind)))
        kind++;
    return kind;
}

bool webhook_test(Scope *scope, const Webhook *webhook, EventKinds events, WebhookTest *test)
{
    EventKind kind = first_of(events ? events : webhook->events);
    char public_id[UUID_TEXT_SIZE];
    Delivery delivery = {
        .public_id = uuid_make(public_id),
        .event = event_kind_info(kind)->name,
        .body = delivery_body(kind, event_kind_info(kind)->example, scope->arena),
        .created_at = time_now_ms(),
    };
    DeliveryResult result = {0};
    OutgoingSpec message;
    OutgoingReply reply;

    if (!message_make(scope, webhook, &delivery, &message))
        return false;
    message.timeout_seconds = TEST_SECONDS;
    outgoing_send(&message, scope->arena, &reply);
    message_judge(webhook, &reply, &result);
    *test = (WebhookTest){
        .is_delivered = !*result.reason,
        .status = result.status,
        .reason = *result.reason ? arena_text(scope->arena, result.reason) : NULL,
        .body = reply.body,
        .size = reply.size,
    };
    return true;
}
