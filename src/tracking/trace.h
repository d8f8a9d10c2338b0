/* trace.h: a trace is one call of an application, span by span, with what others think of it.
 *
 * It comes in two ways that may overtake one another: spans, in batches as they end (OTLP), and
 * what the client says of the whole (its start). Spans alone make a trace, too: its times and its
 * status are then theirs. Once the client has told, spans change nothing of that. Spans are kept in
 * blocks as they came; a span that comes again counts as it came last, so nothing is counted twice.
 *
 * Tags may change, metadata is the client's word. The audit trail has deletions, not the traces
 * themselves, which come by the thousand.
 */
#pragma once

#include "access/scope.h"
#include "tracking/assessment.h"
#include "tracking/otlp.h"
#include "tracking/param.h"
#include "tracking/span_block.h"

enum {
    TRACE_NOTE_CHARACTERS_MAX = 8000, /* of a tag's and of a metadata's value */
    TRACE_NOTES_MAX = 200,
    TRACE_PREVIEW_CHARACTERS_MAX = 10000,
    TRACE_SPANS_MAX = 50000,
    TRACE_BYTES_MAX = 64 * 1024 * 1024, /* of its spans, before they are packed */
    TRACE_PAGE_MAX = 500,
    TRACE_IDS_MAX = 1000, /* in one request */
    TRACE_LINKS_MAX = 100,
    TRACE_EXPERIMENTS_MAX = 1000,
};

/* The end of the year 9999, behind which RFC 3339 has no times. */
#define TRACE_TIME_MAX 253402300799999

#define TRACE_NAME_TAG       "mlflow.traceName"
#define TRACE_LOCATION_TAG   "mlflow.artifactLocation"
#define TRACE_SPANS_TAG      "mlflow.trace.spansLocation"
#define TRACE_RUN_METADATA   "mlflow.sourceRun"
#define TRACE_SIZES_METADATA "mlflow.trace.sizeStats"

typedef enum TraceStatus {
    TRACE_UNSPECIFIED,
    TRACE_OK,
    TRACE_ERROR,
    TRACE_IN_PROGRESS,
} TraceStatus; /* "STATE_UNSPECIFIED", "OK", ... as MLflow writes them */

const char *trace_status_name(TraceStatus status);
bool trace_status_find(const char *name, TraceStatus *status);

typedef struct Trace {
    int64_t key; /* of the row */
    const char *id;
    int64_t experiment_id;
    int64_t requested_at;
    int64_t duration; /* ms; -1: not known yet */
    TraceStatus status;
    const char *client_request_id, *request_preview, *response_preview; /* or NULL */
    bool is_told;                                                       /* by the client */
    int64_t span_count, span_bytes;
    ParamList tags, metadata;
    AssessmentList assessments;
} Trace;

typedef struct TraceList {
    Trace *items;
    size_t count;
} TraceList;

/* The spans of a batch that are of one trace, packed, and what they say of it. */
typedef struct TraceSpans {
    const char *id;
    int64_t started_at, ended_at; /* ms; ended_at 0: none has ended */
    const OtlpSpan *root;         /* or NULL */
    ParamList tags, metadata;
    size_t span_count;
    SpanBlock block;
} TraceSpans;

typedef struct TraceSpansList {
    TraceSpans *items;
    size_t count;
} TraceSpansList;

/* Reads and packs a batch, all that needs no store. */
bool trace_spans_read(const OtlpBody *body, Arena *arena, TraceSpansList *list,
                      Error *error) MUST_CHECK;

/* Inside a write, as all that change something. Spans of a trace that nobody told of yet make it.
 * run_id: traces whose root came are linked to it; or NULL. */
bool trace_log_spans(Scope *scope, int64_t experiment_id, const TraceSpansList *list,
                     const char *run_id) MUST_CHECK;

/* What the client tells of a trace: a new one, or one of which there are spans. */
bool trace_start(Scope *scope, const Trace *told, Trace *trace) MUST_CHECK;

bool trace_find(Scope *scope, const char *id, Trace *trace) MUST_CHECK;

/* Those that are there, in the order of ids. */
bool trace_find_all(Scope *scope, const TextList *ids, TraceList *list) MUST_CHECK;

/* The root first, the others by their starts. */
bool trace_spans(Scope *scope, const Trace *trace, SpanList *spans) MUST_CHECK;

/* Whether there are as many spans as the client said. */
bool trace_is_whole(const Trace *trace, const SpanList *spans, Arena *arena);

typedef struct TraceFilter {
    const int64_t *experiment_ids;
    size_t experiment_count; /* 0: no traces */
    const char *filter;      /* search_filter.h; NULL: all */
    TextList order_by;       /* after these the newest first */
    int64_t limit, offset;   /* limit 1 to TRACE_PAGE_MAX */
} TraceFilter;

bool trace_search(Scope *scope, const TraceFilter *filter, TraceList *list,
                  bool *has_more) MUST_CHECK;

bool trace_set_tag(Scope *scope, const char *id, const Param *tag) MUST_CHECK;
bool trace_delete_tag(Scope *scope, const char *id, const char *key) MUST_CHECK;

typedef struct TraceDeletion {
    int64_t experiment_id;
    TextList ids;      /* these; or, when there are none, ... */
    int64_t until;     /* those that were requested until then; -1: not given */
    int64_t count_max; /* at most so many, the oldest; -1: all */
} TraceDeletion;

bool trace_delete(Scope *scope, const TraceDeletion *deletion, int64_t *count) MUST_CHECK;

/* Traces that are not there are left out. */
bool trace_link_run(Scope *scope, const TextList *ids, const char *run_id) MUST_CHECK;
