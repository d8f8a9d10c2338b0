/* message.h: a delivery as it goes out, by HTTP or as a mail, and what an answer to it means. */
#pragma once

#include "notify/delivery.h"

/* What is to be sent, in the scope's arena. ERROR_FIELD when the settings do not let the webhook
 * lead where it leads. */
bool message_make(Scope *scope, const Webhook *webhook, const Delivery *delivery,
                  OutgoingSpec *message) MUST_CHECK;

/* Status, reason and what comes next; the rest of the result is left alone. */
void message_judge(const Webhook *webhook, const OutgoingReply *reply, DeliveryResult *result);

/* The same for one that could not be made or started. */
void message_fail(const Error *error, DeliveryResult *result);

/* "v1,BASE64(HMAC-SHA256(secret, "ID.TIMESTAMP.BODY"))" */
const char *message_signature(const char *secret, const char *id, const char *timestamp,
                              const char *body, Arena *arena);

/* mail.c: a mail of ours, header and text, with lines as SMTP has them. */
const char *mail_write(const NotifySettings *settings, const char *recipient,
                       const Delivery *delivery, Arena *arena);

/* An example of the event, sent now and not kept. */
typedef struct WebhookTest {
    bool is_delivered;
    int status;         /* 0: no answer came */
    const char *reason; /* NULL: it was delivered */
    const char *body;   /* how the answer begins */
    size_t size;
} WebhookTest;

/* Of the first of the events; 0: of those that the webhook wants. Waits for the answer: never
 * within a write. Fails when the webhook leads nowhere. */
bool webhook_test(Scope *scope, const Webhook *webhook, EventKinds events,
                  WebhookTest *test) MUST_CHECK;
