/* trace_internal.h: what the files of a trace share. */
#pragma once

#include "tracking/trace.h"

/* Every select starts with these columns, in the order trace_from_row() reads. */
#define TRACE_COLUMNS                                                                              \
    "traces.key, traces.id, traces.experiment_id, traces.requested_at, traces.duration,"           \
    " traces.status, traces.client_request_id, traces.request_preview, traces.response_preview,"   \
    " traces.is_told, traces.span_count, traces.span_bytes"
#define SELECT_TRACE "SELECT " TRACE_COLUMNS " FROM traces"

enum { TRACE_COLUMN_COUNT = 12 };

Trace trace_from_row(const Query *query, Arena *arena);

/* The row alone; *found false: there is none. */
bool trace_find_row(Scope *scope, const char *id, Trace *trace, bool *found) MUST_CHECK;
bool trace_find_key(Scope *scope, const char *id, int64_t *key) MUST_CHECK;

/* Of one that is to be changed: refused to a step of another experiment. */
bool trace_find_writable(Scope *scope, const char *id, int64_t *key) MUST_CHECK;

/* Tags, metadata and assessments of all of them. */
bool trace_load_details(Scope *scope, TraceList *list) MUST_CHECK;

/* A new row, with the tag that says where its files are. */
bool trace_insert(Scope *scope, Trace *trace) MUST_CHECK;
bool trace_put_tags(Scope *scope, int64_t key, const ParamList *tags) MUST_CHECK;
bool trace_put_metadata(Scope *scope, int64_t key, const ParamList *metadata) MUST_CHECK;
bool trace_check_note(const char *what, const Param *note, Error *error) MUST_CHECK;
