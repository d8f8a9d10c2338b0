/* event.h: the audit trail, which is also the event feed.
 *
 * Every change of data, model, alias, endpoint, token or rule appends one event in the transaction
 * that makes the change: who, when, what, to which object, and the details (before and after) as
 * JSON. Events are chained: each holds SHA-256(previous hash + its own content), so that an edited,
 * removed or reordered one is found by event_verify(). Other parts of the product follow the feed
 * by asking for what came after the last number that they saw.
 */
#pragma once

#include "access/scope.h"

typedef struct Event {
    int64_t id; /* 1, 2, 3 ... without a gap */
    int64_t created_at;
    const char *principal;
    const char *action; /* "model_version.created": noun.past-tense verb */
    const char *object; /* "spam@3": what a reader would look up */
    const char *detail; /* a JSON object */
    const char *request_id;
    const char *hash;
} Event;

typedef struct EventList {
    Event *items;
    size_t count;
} EventList;

/* Inside a write. detail: a finished JSON object, or NULL. */
bool event_append(Scope *scope, const char *action, const char *object,
                  const char *detail) MUST_CHECK;

typedef struct EventFilter {
    int64_t after;      /* events with a greater id; 0: from the start */
    const char *action; /* NULL: all; "endpoint." matches by prefix */
    const char *object; /* NULL: all */
    int64_t limit;      /* 0: 1000 */
    bool newest_first;
} EventFilter;

bool event_list(Scope *scope, const EventFilter *filter, EventList *list) MUST_CHECK;
void event_write_json(JsonWriter *json, const char *key, const Event *event);

/* An event by its number and hash; id 0: none yet. */
typedef struct EventMark {
    int64_t id;
    const char *hash;
} EventMark;

/* Recomputes the chain; *last is its end. Fails with ERROR_CONFLICT naming the first event that
 * does not fit.
 *
 * A chain that was cut off at its end, or computed anew from some event on, is whole in itself. Who
 * keeps a mark elsewhere (printed, mailed, on another machine) and gives it as known finds that
 * too: everything up to it is then as it was. known may be NULL. */
bool event_verify(Scope *scope, const EventMark *known, EventMark *last) MUST_CHECK;
