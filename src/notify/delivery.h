/* delivery.h: the outbox: what webhooks are to be told, one row for each event and webhook.
 *
 * An event is raised inside the write of what happened: both are in the store, or neither is. It is
 * sent afterwards, at least once, by the same id on each try. The deliveries of a webhook go out in
 * the order of their events: one that has to be tried again holds up those behind it, and nobody
 * else's. Tries are bounded, and so is what waits: an event that finds no room is counted as
 * dropped. Of those that ended, the last ones are kept, without what they said.
 *
 *     return delivery_is_wanted(scope, kind, &is_wanted) &&
 *            (!is_wanted || delivery_raise(scope, kind, json_finish(data)));
 *
 *     return notify(scope, EVENT_RELEASE_REJECTED, "version 3 was rejected", text);
 */
#pragma once

#include "notify/uuid.h"
#include "notify/webhook.h"

enum {
    DELIVERY_DATA_BYTES_MAX = 256 * 1024,
    DELIVERIES_WAITING_MAX = 10000, /* of a webhook */
    DELIVERIES_WAITING_BYTES_MAX = 64 * 1024 * 1024,
    DELIVERIES_KEPT = 100,                  /* of those that ended, of a webhook */
    DELIVERY_TRIES_MAX = 128,               /* two hours, when each fails at once */
    DELIVERY_DAYS_MAX = 3,                  /* that one may wait */
    DELIVERY_PAUSE_MS_MAX = 60 * 60 * 1000, /* between two tries, when the receiver asks for it */
};

typedef struct Delivery {
    int64_t id;
    int64_t webhook_id;
    const char *public_id; /* a UUID */
    const char *event;     /* "model_version.created" */
    const char *body; /* a JSON object: entity, action, timestamp, data; "" once it has ended */
    int64_t created_at;
    int64_t tries;
    int64_t due_at;
    int status;         /* the last answer's, 0: none came */
    const char *reason; /* why the last try failed, or NULL */
    int64_t ended_at;   /* 0: it waits */
    bool is_given_up;
} Delivery;

typedef struct DeliveryList {
    Delivery *items;
    size_t count;
} DeliveryList;

/* Inside a write: whether an active webhook wants this kind. */
bool delivery_is_wanted(Scope *scope, EventKind kind, bool *is_wanted) MUST_CHECK;

/* Inside a write. data: a JSON object of at most DELIVERY_DATA_BYTES_MAX. */
bool delivery_raise(Scope *scope, EventKind kind, const char *data) MUST_CHECK;

/* The same in words, for people: of a mail, its subject and its text. */
bool notify(Scope *scope, EventKind kind, const char *subject, const char *text) MUST_CHECK;

/* The body of an event that is now. */
const char *delivery_body(EventKind kind, const char *data, Arena *arena);

/* Of a webhook, the newest first, without bodies. */
bool delivery_list(Scope *scope, const Webhook *webhook, const Page *page,
                   DeliveryList *list) MUST_CHECK;
void delivery_write_json(JsonWriter *json, const char *key, const Delivery *delivery);

/* ---- for who sends ---- */

/* The first one that waits of each active webhook, without bodies. */
bool delivery_list_heads(Scope *scope, DeliveryList *list) MUST_CHECK;
bool delivery_find(Scope *scope, int64_t id, Delivery *delivery) MUST_CHECK;

/* How a try went. */
typedef struct DeliveryResult {
    int64_t id;
    char public_id[UUID_TEXT_SIZE]; /* numbers come again when a webhook was deleted */
    int status;                     /* 0: no answer came */
    char reason[512];               /* "": it was delivered */
    bool may_try_again;             /* later; else it is given up */
    unsigned retry_after_seconds;   /* at the earliest; 0: as ever */
} DeliveryResult;

/* Inside a write: the clock on the wall was put back by so much since due times were written, or,
 * at a start, nobody knows (0). What waits to be tried again waits no longer for it. */
bool delivery_heed_clock(Scope *scope, int64_t put_back_ms) MUST_CHECK;

/* Inside a write. The next try comes after a second, then after twice as long each time, up to a
 * minute. One that is gone meanwhile is no error. */
bool delivery_record(Scope *scope, const DeliveryResult *result) MUST_CHECK;
