/* outgoing.h: notices to other servers, by HTTP or as mail, many of them under way at the same time
 * on one thread.
 *
 * A receiver that is slow keeps nobody waiting but itself. An HTTP notice is a POST; redirects are
 * not followed, no proxy is used, and unless may_be_private is set each connection is checked to be
 * to a public address. Reasons never hold a URL, whose path may be a secret.
 *
 *     Outgoing *outgoing = outgoing_create(done, owner, error);
 *
 *     outgoing_start(outgoing, &spec, letter, error);
 *     while (outgoing_count(outgoing))
 *         outgoing_wait(outgoing, -1, 1000);        calls done(owner, letter, &reply)
 *     outgoing_destroy(outgoing);
 *
 * An Outgoing belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/http.h"

/* How a mail goes out. */
typedef struct MailServer {
    const char *url; /* smtp://host:587, smtps://host:465 */
    const char *user, *secret;
    bool demands_tls; /* rather than to take what the server offers */
} MailServer;

/* All of it is copied. */
typedef struct OutgoingSpec {
    const char *url;         /* http or https; NULL: a mail */
    const HttpPair *headers; /* of HTTP */
    size_t header_count;
    bool may_be_private;
    const MailServer *mail_server;
    const char *sender, *recipient; /* of a mail: addresses alone */
    const char *body;               /* of a mail: its header, too */
    size_t body_size;
    unsigned timeout_seconds; /* for all of it; 0: 30 */
} OutgoingSpec;

typedef struct OutgoingReply {
    int status;  /* HTTP's, or the last one of SMTP; 0: none came */
    Error error; /* of a kind when there is no whole answer: FORBIDDEN for an address that is not
                    public, INVALID for a URL that cannot be one, TIMEOUT, else UNAVAILABLE */
    const char *body; /* how the answer of HTTP begins; lasts until done() returns */
    size_t size;
    unsigned retry_after_seconds; /* as the answer asks for; 0: it does not */
} OutgoingReply;

typedef struct Outgoing Outgoing;
typedef void OutgoingDone(void *owner, void *context, const OutgoingReply *reply);

Outgoing *outgoing_create(OutgoingDone *done, void *owner, Error *error) MUST_CHECK;

/* Breaks off what is under way; nobody is told. */
void outgoing_destroy(Outgoing *outgoing);

/* done() comes from outgoing_wait(), and only when this is true. */
bool outgoing_start(Outgoing *outgoing, const OutgoingSpec *spec, void *context,
                    Error *error) MUST_CHECK;
size_t outgoing_count(const Outgoing *outgoing); /* under way */

/* Goes on with all, and waits until something happens to one of them, until wake_handle can be read
 * (-1: there is none), or until so much time has gone. */
void outgoing_wait(Outgoing *outgoing, int wake_handle, int timeout_ms);

/* One, waiting for its end; the answer is in the arena. */
void outgoing_send(const OutgoingSpec *spec, Arena *arena, OutgoingReply *reply);
