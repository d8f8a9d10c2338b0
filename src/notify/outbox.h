/* outbox.h: what the program shares to tell others of what happens: how it may reach them, and the
 * bell that whoever sends waits for.
 *
 * What is to be told is in the store (delivery.h), written in the transaction of what happened; a
 * server sends it afterwards. Owned by server/application.c; a platform without one (a test) sends
 * to public addresses only, and nobody waits.
 */
#pragma once

#include "access/scope.h"
#include "base/text.h"
#include "net/outgoing.h"
#include "notify/event_kind.h"

typedef struct NotifySettings {
    TextList hosts;       /* that may also be called by http and at addresses that are not public */
    bool allows_any_host; /* all of them */
    MailServer mail_server;  /* url NULL: no mail goes out */
    const char *mail_sender; /* its address */
} NotifySettings;

typedef struct Outbox Outbox;

/* Copies the settings; NULL: none. SLIPWAY_ALLOW_PRIVATE_URLS allows any host. */
Outbox *outbox_create(const NotifySettings *settings);
void outbox_destroy(Outbox *outbox);

/* Never NULL, also of no outbox. */
const NotifySettings *outbox_settings(const Outbox *outbox);

/* Within a write: the kinds that active webhooks want, as they were remembered since webhooks last
 * changed (writer_announced_count); so nobody asks the store for each event that nobody wants. */
bool outbox_recall(const Outbox *outbox, const Writer *writer, EventKinds *wanted);
void outbox_remember(Outbox *outbox, const Writer *writer, EventKinds wanted);

/* Within a write: there is something new to send, once it is committed. */
void outbox_mark(Outbox *outbox);

/* A listener of the writer (writer_on_commit): rings when something was marked. */
void outbox_on_commit(void *outbox);

/* The bell: readable after it was rung, until it is silenced. */
int outbox_bell(const Outbox *outbox);
void outbox_ring(Outbox *outbox);
void outbox_silence(Outbox *outbox);
