/* event_internal.h: what the files of events share. */
#pragma once

#include "access/event.h"

/* Of "events e", in the order that the rows are read. */
#define EVENT_COLUMNS                                                                              \
    "e.id, e.created_at, e.principal, e.action, e.object, e.detail, e.request_id, e.hash"

Event event_from_row(const Query *query, Arena *arena);

/* Every statement that finds a page, for whoever asks how the store goes about it; NULL behind the
 * last. */
const char *event_list_statement(size_t number);
