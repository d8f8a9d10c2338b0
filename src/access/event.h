/* event.h: the audit trail, which is also the event feed.
 *
 * Every change of data, model, alias, endpoint, token or rule appends one event in the transaction
 * that makes the change: who, when, what, to which object, and the details (before and after) as
 * JSON. Events are chained: each holds SHA-256(previous hash + its own content), so that an edited,
 * removed or reordered one is found by event_verify(). Other parts of the product follow the feed
 * by asking for what came after the last number that they saw.
 *
 *     if (!event_append(scope, "endpoint.deployed", "spam", detail) ||
 *         !event_about(scope, EVENT_MODEL, "spam"))
 *         return false;
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
    int64_t next; /* where the next page goes on: its "after", or its "before"; 0: that was all */
} EventList;

/* Kinds of what events are about; event_subject.c has them all. */
#define EVENT_PROJECT      "project"
#define EVENT_PIPELINE_RUN "pipeline_run" /* "spam#3" */
#define EVENT_MODEL        "model"
#define EVENT_ENDPOINT     "endpoint"

/* Inside a write. detail: a finished JSON object, or NULL. It is about what the scope's topic says,
 * and what the object is a name of. */
bool event_append(Scope *scope, const char *action, const char *object,
                  const char *detail) MUST_CHECK;

/* Inside the same write: the event that was just appended is about this, too. name NULL: nothing.
 */
bool event_about(Scope *scope, const char *kind, const char *name) MUST_CHECK;

enum { EVENT_LOOKED_MAX = 10000, EVENT_PAGE_BYTES_MAX = 4 * 1024 * 1024 };

/* What is NULL or 0 leaves nothing out. */
typedef struct EventFilter {
    int64_t after, before; /* events with a greater id, a smaller one */
    const char *action;    /* "endpoint." matches by prefix */
    const char *object;    /* the whole of it */
    const char *project;
    const char *subject; /* "model:spam", "endpoint:spam", "pipeline_run:spam#3" ... */
    const char *by;      /* who did it */
    int64_t from, to;    /* from this moment on, before that one */
    int64_t limit;       /* 0: 1000 */
    bool newest_first;
} EventFilter;

/* One page. It ends with its limit, after so many bytes, or when so many events were looked at;
 * list->next says whether that was all, so an empty page need not be the last. */
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
