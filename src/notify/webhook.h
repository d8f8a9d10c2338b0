/* webhook.h: a webhook is somebody who wants to be told of some kinds of events: a URL that gets a
 * POST, or a mail address.
 *
 * Its name is its own. A secret signs what is sent; it can be set, never read. What it was told, or
 * will be, are its deliveries (delivery.h), which go with it.
 */
#pragma once

#include "access/page.h"
#include "notify/event_kind.h"
#include "notify/outbox.h"

/* Each is sent to at the same time as the others, so none waits for another. */
enum { WEBHOOKS_MAX = 100 };

typedef struct Webhook {
    int64_t id;
    const char *public_id; /* a UUID, for MLflow's clients */
    const char *name;
    const char *description;
    const char *url;
    const char *secret; /* NULL: what is sent is not signed; no answer may hold it */
    EventKinds events;
    bool is_active; /* false: it is told nothing, and what waits goes on waiting */
    int64_t created_at, updated_at;
    const char *created_by;
    int64_t waiting_count; /* deliveries that were not made yet */
    int64_t dropped_count; /* for which there was no room */
} Webhook;

typedef struct WebhookList {
    Webhook *items;
    size_t count;
} WebhookList;

typedef enum WebhookStatus { WEBHOOK_AS_IT_IS, WEBHOOK_ACTIVE, WEBHOOK_DISABLED } WebhookStatus;

/* Of a new one; or of a change, where NULL, 0 and WEBHOOK_AS_IT_IS leave things as they are, and an
 * empty secret takes the secret away. */
typedef struct WebhookSpec {
    const char *name; /* 1 to 63 letters, digits, ".", "_" and "-", with a letter or digit at both
                         ends */
    const char *description;
    const char *url; /* target.h says which */
    const char *secret;
    EventKinds events;
    WebhookStatus status; /* of a new one WEBHOOK_AS_IT_IS is active */
} WebhookSpec;

/* All that change something are called inside a write. The same webhook again makes no second one.
 */
bool webhook_create(Scope *scope, const WebhookSpec *spec, Webhook *webhook) MUST_CHECK;
bool webhook_change(Scope *scope, const Webhook *webhook, const WebhookSpec *change,
                    Webhook *changed) MUST_CHECK;
bool webhook_delete(Scope *scope, const Webhook *webhook) MUST_CHECK;

bool webhook_find(Scope *scope, const char *name, Webhook *webhook) MUST_CHECK;
bool webhook_find_public(Scope *scope, const char *public_id, Webhook *webhook) MUST_CHECK;
bool webhook_find_by_id(Scope *scope, int64_t id, Webhook *webhook) MUST_CHECK;

/* By name; page NULL: all. */
bool webhook_list(Scope *scope, const Page *page, WebhookList *list) MUST_CHECK;

/* Those that want any of these events, newest first, limit of them from offset on. */
bool webhook_list_newest(Scope *scope, EventKinds events, int64_t offset, int64_t limit,
                         WebhookList *list) MUST_CHECK;

/* The names of events as they came: ERROR_FIELD for one that nobody knows. */
bool webhook_read_events(const TextList *names, EventKinds *events, Error *error) MUST_CHECK;

/* The URL without its path, which may be as good as a password, for who is no owner. */
void webhook_hide_path(Scope *scope, Webhook *webhook);

void webhook_write_json(JsonWriter *json, const char *key, const Webhook *webhook);
