/* event_subject.h: what an event is about: things by their kind and name, "model" and "spam".
 *
 * They are written beside the event, in the same transaction, so that a page of the events of one
 * project or model is found in an index however long the trail is. They are no part of its hash:
 * they follow from what is. Most follow from its action and object; what a unit of work is for
 * (Scope.topic) is added to all of its events, and event_about() adds what only the caller knows.
 */
#pragma once

#include "access/event.h"

/* Kinds of the trail's own: who did it, and the noun of its action. */
#define SUBJECT_BY   "by"
#define SUBJECT_NOUN "noun"

/* And of an event whose time is before that of the one in front of it. */
#define SUBJECT_CLOCK      "clock"
#define SUBJECT_CLOCK_BACK "back"

/* Inside a write: what the new event is about. */
bool event_subjects_add(Scope *scope, const Event *event) MUST_CHECK;

/* *id: 0 when no event is about it. */
bool event_subject_find(Scope *scope, const char *kind, const char *name, int64_t *id) MUST_CHECK;

/* "model:spam" in its parts. */
typedef struct EventSubject {
    const char *kind, *name;
    bool is_object; /* its events are those of noun "kind" and object "name"; none mentions it */
} EventSubject;

/* ERROR_FIELD when the text is none, or the kind. */
bool event_subject_read(const char *text, Arena *arena, EventSubject *subject,
                        Error *error) MUST_CHECK;

/* "endpoint" of "endpoint.deployed"; NULL when it has no noun that is whole. */
const char *event_noun(const char *action, Arena *arena);
