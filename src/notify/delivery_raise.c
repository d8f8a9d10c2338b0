/* delivery_raise.c: events on their way into the outbox. */

#include <string.h>

#include "base/crash.h"
#include "base/time.h"
#include "notify/delivery.h"
#include "notify/uuid.h"

static bool load_wanted(Scope *scope, EventKinds *wanted)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT DISTINCT e.event FROM webhook_events e"
                            "  JOIN webhooks w ON w.id = e.webhook_id WHERE w.is_active = 1");

    *wanted = 0;
    while (query_next(&query)) {
        EventKind kind;

        if (event_kind_find(query_text(&query, 0, scope->arena), &kind))
            *wanted |= event_kind_bit(kind);
    }
    return query_end(&query, &scope->error);
}

bool delivery_is_wanted(Scope *scope, EventKind kind, bool *is_wanted)
{
    Outbox *outbox = scope->platform->outbox;
    const Writer *writer = scope->platform->writer;
    EventKinds wanted = 0;

    if (!outbox_recall(outbox, writer, &wanted)) {
        if (!load_wanted(scope, &wanted))
            return false;
        outbox_remember(outbox, writer, wanted);
    }
    *is_wanted = (wanted & event_kind_bit(kind)) != 0;
    return true;
}

/* As Python writes it, whose older versions read no "Z" and no milliseconds. */
static const char *timestamp_now(Arena *arena)
{
    char text[TIME_TEXT_SIZE];

    time_format(time_now_ms(), text);
    text[strcspn(text, "Z")] = '\0';
    return arena_format(arena, "%s000+00:00", text);
}

const char *delivery_body(EventKind kind, const char *data, Arena *arena)
{
    const EventKindInfo *info = event_kind_info(kind);
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    {
        json_text(json, "entity", info->entity);
        json_text(json, "action", info->action);
        json_text(json, "timestamp", timestamp_now(arena));
        json_raw(json, "data", data);
    }
    json_close(json);
    return json_finish(json);
}

typedef struct IdList {
    int64_t *items;
    size_t count;
} IdList;

/* What is true of a webhook that wants $1 and has room for $2 more bytes. */
#define WANTS    "is_active = 1 AND id IN (SELECT webhook_id FROM webhook_events WHERE event = $1)"
#define HAS_ROOM "(waiting_count < $3 AND waiting_bytes + $2 <= $4)"

/* Counts one more waiting delivery of each webhook that has room; ids are those webhooks. */
static bool take_room(Scope *scope, const char *event, int64_t size, IdList *ids)
{
    static const char drop[] =
        "UPDATE webhooks SET dropped_count = dropped_count + 1 WHERE " WANTS " AND NOT " HAS_ROOM;
    static const char take[] = "UPDATE webhooks SET waiting_count = waiting_count + 1,"
                               "  waiting_bytes = waiting_bytes + $2"
                               " WHERE " WANTS " AND " HAS_ROOM " RETURNING id";
    const DbValue count_max = db_int(DELIVERIES_WAITING_MAX),
                  bytes_max = db_int(DELIVERIES_WAITING_BYTES_MAX);

    if (!db_run(scope->db, &scope->error, drop, db_text(event), db_int(size), count_max, bytes_max))
        return false;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db, take, db_text(event), db_int(size), count_max, bytes_max);

    while (query_next(&query))
        *arena_push(scope->arena, ids) = query_int(&query, 0);
    return query_end(&query, &scope->error);
}

static bool insert(Scope *scope, int64_t webhook_id, const char *event, const char *body)
{
    char public_id[UUID_TEXT_SIZE];

    return db_run(
        scope->db, &scope->error,
        "INSERT INTO deliveries"
        "  (id, public_id, webhook_id, event, body, created_at, tries, due_at, is_given_up)"
        "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM deliveries),"
        "        $1, $2, $3, $4, $5, 0, $5, 0)",
        db_text(uuid_make(public_id)), db_int(webhook_id), db_text(event), db_text(body),
        db_int(time_now_ms()));
}

bool delivery_raise(Scope *scope, EventKind kind, const char *data)
{
    const char *event = event_kind_info(kind)->name;
    const char *body = delivery_body(kind, data, scope->arena);
    IdList ids = {0};

    if (!take_room(scope, event, (int64_t)strlen(body), &ids))
        return false;
    for (size_t i = 0; i < ids.count; i++)
        if (!insert(scope, ids.items[i], event, body))
            return false;
    if (ids.count)
        outbox_mark(scope->platform->outbox);
    CRASH_POINT("outbox: written, not committed");
    return true;
}

bool notify(Scope *scope, EventKind kind, const char *subject, const char *text)
{
    JsonWriter *json = json_writer_create(scope->arena);
    bool is_wanted = false;

    if (!delivery_is_wanted(scope, kind, &is_wanted))
        return false;
    if (!is_wanted)
        return true;
    json_open_object(json, NULL);
    {
        json_text(json, "subject", subject);
        json_text(json, "text", text);
    }
    json_close(json);
    return delivery_raise(scope, kind, json_finish(json));
}
