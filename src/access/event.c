#include "access/event_internal.h"

#include <stdio.h>
#include <string.h>

#include "access/event_subject.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"

#define SELECT_EVENT "SELECT " EVENT_COLUMNS " FROM events e"

Event event_from_row(const Query *query, Arena *arena)
{
    return (Event){
        .id = query_int(query, 0),
        .created_at = query_int(query, 1),
        .principal = query_text(query, 2, arena),
        .action = query_text(query, 3, arena),
        .object = query_text(query, 4, arena),
        .detail = query_text(query, 5, arena),
        .request_id = query_text(query, 6, arena),
        .hash = query_text(query, 7, arena),
    };
}

/* Lengths go in front of the texts, so that no two different events have the same bytes. A text is
 * missing where there is no request, or where someone made room for that in the file. */
static const char *hash_event(const Event *event, const char *previous, char hash[DIGEST_TEXT_SIZE])
{
    const char *texts[] = {event->principal, event->action, event->object, event->detail,
                           event->request_id};
    Digest *digest = digest_create();
    char head[160];
    int size = snprintf(head, sizeof(head), "%s %lld %lld", previous, (long long)event->id,
                        (long long)event->created_at);

    digest_add(digest, head, (size_t)size);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = texts[i] ? texts[i] : "";

        size = snprintf(head, sizeof(head), " %zu:", strlen(text));
        digest_add(digest, head, (size_t)size);
        digest_add(digest, text, strlen(text));
    }
    return digest_finish(digest, hash);
}

static bool find_last(Scope *scope, Event *last)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_EVENT " ORDER BY id DESC LIMIT 1");

    *last = (Event){.hash = ""};
    if (query_next(&query))
        *last = event_from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool event_append(Scope *scope, const char *action, const char *object, const char *detail)
{
    char hash[DIGEST_TEXT_SIZE];
    Event last, event;

    if (!find_last(scope, &last))
        return false;
    event = (Event){
        .id = last.id + 1,
        .created_at = time_now_ms(),
        .principal = scope->principal.name ? scope->principal.name : "local",
        .action = action,
        .object = object,
        .detail = detail ? detail : "{}",
        .request_id = scope->request_id,
    };
    return db_run(scope->db, &scope->error,
                  "INSERT INTO events"
                  " (id, created_at, principal, action, object, detail, request_id, hash)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                  db_int(event.id), db_int(event.created_at), db_text(event.principal),
                  db_text(event.action), db_text(event.object), db_text(event.detail),
                  db_text(event.request_id), db_text(hash_event(&event, last.hash, hash))) &&
           event_subjects_add(scope, &event) &&
           (event.created_at >= last.created_at ||
            event_about(scope, SUBJECT_CLOCK, SUBJECT_CLOCK_BACK));
}

void event_write_json(JsonWriter *json, const char *key, const Event *event)
{
    json_open_object(json, key);
    {
        json_int(json, "id", event->id);
        json_time(json, "created_at", event->created_at);
        json_text(json, "principal", event->principal);
        json_text(json, "action", event->action);
        json_text(json, "object", event->object);
        json_raw(json, "detail", event->detail);
        json_text(json, "request_id", event->request_id);
        json_text(json, "hash", event->hash);
    }
    json_close(json);
}

/* Is the event that somebody wrote down still there, as it was? */
static bool check_known(Scope *scope, const EventMark *known, int64_t id, const char *hash)
{
    if (!known || known->id != id || text_equal(known->hash, hash))
        return true;
    return fail(&scope->error, ERROR_CONFLICT,
                "the audit trail is broken: event %lld is another one than it was", (long long)id);
}

bool event_verify(Scope *scope, const EventMark *known, EventMark *last)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, SELECT_EVENT " ORDER BY id");
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char previous[DIGEST_TEXT_SIZE] = "", hash[DIGEST_TEXT_SIZE];
    int64_t fitting = 0;

    while (query_next(&query)) {
        Event event;

        arena_reset(arena);
        event = event_from_row(&query, arena);
        hash_event(&event, previous, hash);
        if (event.id != fitting + 1)
            return fail(&scope->error, ERROR_CONFLICT,
                        "the audit trail is broken: event %lld is missing", (long long)fitting + 1);
        if (!text_equal(hash, event.hash))
            return fail(&scope->error, ERROR_CONFLICT,
                        "the audit trail is broken: event %lld was changed", (long long)event.id);
        if (!check_known(scope, known, event.id, hash))
            return false;
        memcpy(previous, hash, sizeof(previous));
        fitting++;
    }
    if (!query_end(&query, &scope->error))
        return false;
    if (known && known->id > fitting)
        return fail(&scope->error, ERROR_CONFLICT,
                    "the audit trail is broken: event %lld is missing", (long long)fitting + 1);
    *last = (EventMark){fitting, arena_text(scope->arena, previous)};
    return true;
}
