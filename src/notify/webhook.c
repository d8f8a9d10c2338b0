#include "notify/webhook.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "notify/target.h"
#include "notify/uuid.h"

enum { NAME_BYTES_MAX = 63, DESCRIPTION_BYTES_MAX = 4000, SECRET_BYTES_MAX = 1024 };

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_WEBHOOK                                                                             \
    "SELECT id, public_id, name, description, url, secret, is_active, created_at, created_by,"     \
    "       updated_at, waiting_count, dropped_count"                                              \
    "  FROM webhooks"

static Webhook from_row(const Query *query, Arena *arena)
{
    return (Webhook){
        .id = query_int(query, 0),
        .public_id = query_text(query, 1, arena),
        .name = query_text(query, 2, arena),
        .description = query_text(query, 3, arena),
        .url = query_text(query, 4, arena),
        .secret = query_text(query, 5, arena),
        .is_active = query_int(query, 6) != 0,
        .created_at = query_int(query, 7),
        .created_by = query_text(query, 8, arena),
        .updated_at = query_int(query, 9),
        .waiting_count = query_int(query, 10),
        .dropped_count = query_int(query, 11),
    };
}

/* A kind that this slipway does not know is left out. */
static bool load_events(Scope *scope, Webhook *webhook)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT event FROM webhook_events WHERE webhook_id = $1",
                           db_int(webhook->id));

    while (query_next(&query)) {
        EventKind kind;

        if (event_kind_find(query_text(&query, 0, scope->arena), &kind))
            webhook->events |= event_kind_bit(kind);
    }
    return query_end(&query, &scope->error);
}

static bool read_list(Scope *scope, Query *query, WebhookList *list)
{
    WebhookList taken = {0};

    while (query_next(query))
        *arena_push(scope->arena, &taken) = from_row(query, scope->arena);
    if (!query_end(query, &scope->error))
        return false;
    for (size_t i = 0; i < taken.count; i++)
        if (!load_events(scope, &taken.items[i]))
            return false;
    *list = taken;
    return true;
}

/* The first of the query, if there is one. */
static bool read_one(Scope *scope, Query *query, Webhook *webhook, bool *found)
{
    WebhookList list = {0};

    if (!read_list(scope, query, &list))
        return false;
    *found = list.count > 0;
    if (*found)
        *webhook = list.items[0];
    return true;
}

static bool find_name(Scope *scope, const char *name, Webhook *webhook, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_WEBHOOK " WHERE name = $1", db_text(name));

    return read_one(scope, &query, webhook, found);
}

bool webhook_find(Scope *scope, const char *name, Webhook *webhook)
{
    bool found = false;

    if (!find_name(scope, name, webhook, &found))
        return false;
    return found || fail(&scope->error, ERROR_NOT_FOUND, "webhook \"%.100s\" does not exist", name);
}

bool webhook_find_public(Scope *scope, const char *public_id, Webhook *webhook)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_WEBHOOK " WHERE public_id = $1", db_text(public_id));
    bool found = false;

    if (!read_one(scope, &query, webhook, &found))
        return false;
    return found ||
           fail(&scope->error, ERROR_NOT_FOUND, "Webhook with ID %.100s not found.", public_id);
}

bool webhook_find_by_id(Scope *scope, int64_t id, Webhook *webhook)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_WEBHOOK " WHERE id = $1", db_int(id));
    bool found = false;

    if (!read_one(scope, &query, webhook, &found))
        return false;
    return found || fail(&scope->error, ERROR_NOT_FOUND, "the webhook does not exist any more");
}

bool webhook_list(Scope *scope, const Page *page, WebhookList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_WEBHOOK " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));

    return read_list(scope, &query, list);
}

bool webhook_list_newest(Scope *scope, EventKinds events, int64_t offset, int64_t limit,
                         WebhookList *list)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, SELECT_WEBHOOK " ORDER BY id DESC");
    WebhookList all = {0}, chosen = {0};

    if (!read_list(scope, &query, &all))
        return false;
    for (size_t i = 0; i < all.count && (int64_t)chosen.count < limit; i++)
        if (all.items[i].events & events && offset-- <= 0)
            *arena_push(scope->arena, &chosen) = all.items[i];
    *list = chosen;
    return true;
}

/* ---- what one has to be ---- */

bool webhook_read_events(const TextList *names, EventKinds *events, Error *error)
{
    EventKinds read = 0;

    for (size_t i = 0; i < names->count; i++) {
        EventKinds named = event_kinds_named(names->items[i]);

        if (!named)
            return fail_field(error, "events",
                              "there is no event \"%.100s\"; docs/reference/webhook.md lists them",
                              names->items[i]);
        read |= named;
    }
    *events = read;
    return true;
}

static bool name_is_fit(const char *name)
{
    size_t length = strlen(name);

    if (length < 1 || length > NAME_BYTES_MAX || !isalnum((unsigned char)name[0]) ||
        !isalnum((unsigned char)name[length - 1]))
        return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("._-", *at))
            return false;
    return true;
}

static bool check_texts(Scope *scope, const WebhookSpec *spec)
{
    if (spec->name && !name_is_fit(spec->name))
        return fail_field(&scope->error, "name",
                          "a webhook's name has 1 to %d letters, digits, \".\", \"_\" and \"-\", "
                          "and begins and ends with a letter or digit",
                          NAME_BYTES_MAX);
    if (spec->description && strlen(spec->description) > DESCRIPTION_BYTES_MAX)
        return fail_field(&scope->error, "description", "a description has at most %d bytes",
                          DESCRIPTION_BYTES_MAX);
    if (spec->secret && strlen(spec->secret) > SECRET_BYTES_MAX)
        return fail_field(&scope->error, "secret", "a secret has at most %d bytes",
                          SECRET_BYTES_MAX);
    return true;
}

static bool check_spec(Scope *scope, const WebhookSpec *spec)
{
    const NotifySettings *settings = outbox_settings(scope->platform->outbox);
    Target target;

    return check_texts(scope, spec) &&
           (!spec->url || target_read(settings, spec->url, scope->arena, &target, &scope->error));
}

/* ---- changes ---- */

static bool put_events(Scope *scope, int64_t id, EventKinds events)
{
    if (!db_run(scope->db, &scope->error, "DELETE FROM webhook_events WHERE webhook_id = $1",
                db_int(id)))
        return false;
    for (EventKind kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (events & event_kind_bit(kind) &&
            !db_run(scope->db, &scope->error,
                    "INSERT INTO webhook_events (event, webhook_id) VALUES ($1, $2)",
                    db_text(event_kind_info(kind)->name), db_int(id)))
            return false;
    return true;
}

static void write_events(JsonWriter *json, EventKinds events)
{
    json_open_array(json, "events");
    for (EventKind kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (events & event_kind_bit(kind))
            json_text(json, NULL, event_kind_info(kind)->name);
    json_close(json);
}

/* Everybody may read the trail, so neither the secret nor the URL's path is in it. */
static bool append_event(Scope *scope, const char *action, const Webhook *webhook)
{
    JsonWriter *json = json_writer_create(scope->arena);

    writer_announce(scope->platform->writer); /* who remembers which events are wanted */
    json_open_object(json, NULL);
    {
        json_text(json, "url", target_origin(webhook->url, scope->arena));
        write_events(json, webhook->events);
        json_bool(json, "active", webhook->is_active);
        json_bool(json, "signed", webhook->secret != NULL);
    }
    json_close(json);
    return event_append(scope, action, webhook->name, json_finish(json));
}

static const char *secret_of(const WebhookSpec *spec)
{
    return spec->secret && *spec->secret ? spec->secret : NULL;
}

static bool is_same(const Webhook *webhook, const WebhookSpec *spec)
{
    return strcmp(webhook->url, spec->url) == 0 && webhook->events == spec->events &&
           webhook->is_active == (spec->status != WEBHOOK_DISABLED) &&
           strcmp(webhook->description, spec->description ? spec->description : "") == 0 &&
           text_equal(webhook->secret, secret_of(spec));
}

static bool check_room(Scope *scope)
{
    int64_t count = 0;

    return db_get_int(scope->db, &scope->error, &count, "SELECT count(*) FROM webhooks") &&
           (count < WEBHOOKS_MAX ||
            fail(&scope->error, ERROR_CONFLICT, "there are %d webhooks, and no more can be",
                 WEBHOOKS_MAX));
}

static bool insert(Scope *scope, const WebhookSpec *spec, int64_t *id)
{
    static const char sql[] =
        "INSERT INTO webhooks (id, public_id, name, description, url, secret, is_active,"
        "  created_at, created_by, updated_at, waiting_count, waiting_bytes, dropped_count)"
        "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM webhooks),"
        "        $1, $2, $3, $4, $5, $6, $7, $8, $7, 0, 0, 0) RETURNING id";
    const char *creator = scope->principal.name ? scope->principal.name : "local";
    char public_id[UUID_TEXT_SIZE];

    return db_get_int(scope->db, &scope->error, id, sql, db_text(uuid_make(public_id)),
                      db_text(spec->name), db_text(spec->description ? spec->description : ""),
                      db_text(spec->url), db_text(secret_of(spec)),
                      db_int(spec->status != WEBHOOK_DISABLED), db_int(time_now_ms()),
                      db_text(creator));
}

bool webhook_create(Scope *scope, const WebhookSpec *spec, Webhook *webhook)
{
    Webhook made, known;
    bool is_known = false;
    int64_t id = 0;

    if (!spec->events)
        return fail_field(&scope->error, "events", "a webhook wants at least one event");
    if (!check_spec(scope, spec) || !find_name(scope, spec->name, &known, &is_known))
        return false;
    if (is_known && is_same(&known, spec)) {
        *webhook = known;
        return true;
    }
    if (is_known)
        return fail(&scope->error, ERROR_EXISTS, "webhook \"%s\" already exists", spec->name);
    if (!check_room(scope) || !insert(scope, spec, &id) || !put_events(scope, id, spec->events) ||
        !webhook_find(scope, spec->name, &made) || !append_event(scope, "webhook.created", &made))
        return false;
    *webhook = made;
    return true;
}

static bool check_new_name(Scope *scope, const Webhook *webhook, const char *name)
{
    Webhook other;
    bool found = false;

    if (!name || strcmp(name, webhook->name) == 0)
        return true;
    if (!find_name(scope, name, &other, &found))
        return false;
    return !found || fail(&scope->error, ERROR_EXISTS, "webhook \"%s\" already exists", name);
}

static bool update(Scope *scope, const Webhook *webhook)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE webhooks SET name = $2, description = $3, url = $4, secret = $5,"
                  "  is_active = $6, updated_at = $7 WHERE id = $1",
                  db_int(webhook->id), db_text(webhook->name), db_text(webhook->description),
                  db_text(webhook->url), db_text(webhook->secret), db_int(webhook->is_active),
                  db_int(time_now_ms()));
}

bool webhook_change(Scope *scope, const Webhook *webhook, const WebhookSpec *change,
                    Webhook *changed)
{
    Webhook next = *webhook;

    if (!check_spec(scope, change) || !check_new_name(scope, webhook, change->name))
        return false;
    next.name = change->name ? change->name : webhook->name;
    next.description = change->description ? change->description : webhook->description;
    next.url = change->url ? change->url : webhook->url;
    next.secret = change->secret ? secret_of(change) : webhook->secret;
    next.events = change->events ? change->events : webhook->events;
    if (change->status)
        next.is_active = change->status == WEBHOOK_ACTIVE;
    outbox_mark(scope->platform->outbox); /* what waited may go now */
    return update(scope, &next) &&
           (!change->events || put_events(scope, webhook->id, change->events)) &&
           append_event(scope, "webhook.changed", &next) &&
           webhook_find_by_id(scope, webhook->id, changed);
}

bool webhook_delete(Scope *scope, const Webhook *webhook)
{
    static const char *const steps[] = {
        "DELETE FROM deliveries WHERE webhook_id = $1",
        "DELETE FROM webhook_events WHERE webhook_id = $1",
        "DELETE FROM webhooks WHERE id = $1",
    };

    for (size_t i = 0; i < COUNT(steps); i++)
        if (!db_run(scope->db, &scope->error, steps[i], db_int(webhook->id)))
            return false;
    return append_event(scope, "webhook.deleted", webhook);
}

/* ---- answers ---- */

void webhook_hide_path(Scope *scope, Webhook *webhook)
{
    if (scope->principal.role < ROLE_OWNER)
        webhook->url = target_origin(webhook->url, scope->arena);
}

void webhook_write_json(JsonWriter *json, const char *key, const Webhook *webhook)
{
    json_open_object(json, key);
    {
        json_text(json, "name", webhook->name);
        json_text(json, "id", webhook->public_id);
        json_text(json, "description", webhook->description);
        json_text(json, "url", webhook->url);
        write_events(json, webhook->events);
        json_bool(json, "active", webhook->is_active);
        json_bool(json, "signed", webhook->secret != NULL);
        json_time(json, "created_at", webhook->created_at);
        json_text(json, "created_by", webhook->created_by);
        json_time(json, "updated_at", webhook->updated_at);
        json_int(json, "waiting", webhook->waiting_count);
        json_int(json, "dropped", webhook->dropped_count);
    }
    json_close(json);
}
