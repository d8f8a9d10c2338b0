/* trace_spans.c: the spans of traces, as they come and as they are read back. */

#include <stdlib.h>
#include <string.h>

#include "tracking/experiment.h"
#include "tracking/step_bounds.h"
#include "tracking/trace_internal.h"

enum { PREVIEW_CHARACTERS = 1000, NS_PER_MS = 1000000 };

/* ---- a batch by its traces; no store ---- */

static int compare_by_trace(const void *left, const void *right)
{
    const OtlpSpan *a = *(OtlpSpan *const *)left, *b = *(OtlpSpan *const *)right;
    int order = strcmp(a->trace_id, b->trace_id);

    return order ? order : (a > b) - (a < b);
}

static OtlpSpan **sort_by_trace(const OtlpBatch *batch, Arena *arena)
{
    OtlpSpan **sorted = arena_array(arena, OtlpSpan *, batch->count + 1);

    for (size_t i = 0; i < batch->count; i++)
        sorted[i] = &batch->items[i];
    if (batch->count)
        qsort(sorted, batch->count, sizeof(OtlpSpan *), compare_by_trace);
    return sorted;
}

/* A note that is too long says nothing; the trace comes without it. */
static void add_note(ParamList *list, Param note, Arena *arena)
{
    Error ignored = {0};

    if (list->count < TRACE_NOTES_MAX && trace_check_note("tag", &note, &ignored))
        *arena_push(arena, list) = note;
}

static void take_notes(TraceSpans *trace, const OtlpSpan *span, Arena *arena)
{
    static const struct {
        const char *attribute, *metadata;
    } known[] = {
        {"session.id", "mlflow.trace.session"},
        {"gen_ai.conversation.id", "mlflow.trace.session"},
        {"user.id", "mlflow.trace.user"},
    };
    static const char tag[] = "mlflow.traceTag.";

    for (size_t i = 0; i < span->notes.count; i++) {
        Param note = span->notes.items[i];

        for (size_t k = 0; k < COUNT(known); k++)
            if (strcmp(known[k].attribute, note.key) == 0 &&
                !param_find(&trace->metadata, known[k].metadata))
                add_note(&trace->metadata, (Param){known[k].metadata, note.value}, arena);
        if (span->is_root && text_has_prefix(note.key, tag))
            add_note(&trace->tags, (Param){note.key + strlen(tag), note.value}, arena);
    }
}

static void take_span(TraceSpans *trace, const OtlpSpan *span, SpanList *spans, Arena *arena)
{
    int64_t started_at = span->started_ns / NS_PER_MS, ended_at = span->ended_ns / NS_PER_MS;
    Span *taken = arena_push(arena, spans);

    *taken = (Span){.is_root = span->is_root, .started_ns = span->started_ns, .json = span->json};
    memcpy(taken->id, span->id, sizeof(taken->id));
    if (spans->count == 1 || started_at < trace->started_at)
        trace->started_at = started_at;
    if (ended_at > trace->ended_at)
        trace->ended_at = ended_at;
    if (span->is_root && !trace->root)
        trace->root = span;
    take_notes(trace, span, arena);
}

static bool take_trace(OtlpSpan *const *spans, size_t count, Arena *arena, TraceSpans *trace,
                       Error *error)
{
    SpanList list = {0};

    *trace = (TraceSpans){
        .id = arena_format(arena, "tr-%s", spans[0]->trace_id),
        .span_count = count,
    };
    add_note(&trace->tags, (Param){TRACE_SPANS_TAG, "TRACKING_STORE"}, arena);
    for (size_t i = 0; i < spans[0]->resource->count; i++)
        add_note(&trace->tags, spans[0]->resource->items[i], arena);
    for (size_t i = 0; i < count; i++)
        take_span(trace, spans[i], &list, arena);
    return span_block_write(&list, arena, &trace->block, error);
}

bool trace_spans_read(const OtlpBody *body, Arena *arena, TraceSpansList *list, Error *error)
{
    OtlpBatch batch;
    TraceSpansList taken = {0};
    OtlpSpan **sorted;
    size_t next;

    if (!otlp_read(body, arena, &batch, error))
        return false;
    sorted = sort_by_trace(&batch, arena);
    for (size_t i = 0; i < batch.count; i = next) {
        for (next = i + 1; next < batch.count; next++)
            if (strcmp(sorted[next]->trace_id, sorted[i]->trace_id) != 0)
                break;
        if (!take_trace(&sorted[i], next - i, arena, arena_push(arena, &taken), error))
            return false;
    }
    *list = taken;
    return true;
}

/* ---- into the store ---- */

static const char *preview_of(const OtlpSpan *root, const char *attribute, Arena *arena)
{
    const char *text = root ? param_find(&root->notes, attribute) : NULL;
    size_t characters = 0, length = 0;

    for (; text && text[length] && characters <= PREVIEW_CHARACTERS; length++)
        characters += ((unsigned char)text[length] & 0xc0) != 0x80;
    if (!text || characters <= PREVIEW_CHARACTERS)
        return text;
    return arena_copy(arena, text, length - 1);
}

static TraceStatus status_of(const TraceSpans *spans)
{
    if (!spans->root)
        return TRACE_IN_PROGRESS;
    return spans->root->has_failed ? TRACE_ERROR : TRACE_OK;
}

/* What the spans say of a trace that its client has not told of. */
static void learn(Trace *trace, const TraceSpans *spans, bool is_new, Arena *arena)
{
    int64_t ended_at = trace->duration < 0 ? 0 : trace->requested_at + trace->duration;

    if (is_new || spans->started_at < trace->requested_at)
        trace->requested_at = spans->started_at;
    if (spans->ended_at > ended_at)
        ended_at = spans->ended_at;
    trace->duration = ended_at > trace->requested_at ? ended_at - trace->requested_at : -1;
    if (spans->ended_at && ended_at <= trace->requested_at)
        trace->duration = 0;
    if (!trace->request_preview)
        trace->request_preview = preview_of(spans->root, "mlflow.spanInputs", arena);
    if (!trace->response_preview)
        trace->response_preview = preview_of(spans->root, "mlflow.spanOutputs", arena);
}

static bool check_room(Scope *scope, const Trace *trace, const TraceSpans *spans)
{
    if (trace->span_count + (int64_t)spans->span_count > TRACE_SPANS_MAX ||
        trace->span_bytes + (int64_t)spans->block.plain_size > TRACE_BYTES_MAX)
        return fail(&scope->error, ERROR_INVALID, "a trace has at most %d spans and %d bytes",
                    TRACE_SPANS_MAX, TRACE_BYTES_MAX);
    return true;
}

static bool update(Scope *scope, const Trace *trace, const TraceSpans *spans)
{
    static const char sql[] =
        "UPDATE traces SET requested_at = $2, duration = $3, status = $4, request_preview = $5,"
        " response_preview = $6, span_count = span_count + $7, span_bytes = span_bytes + $8"
        " WHERE key = $1";

    return db_run(scope->db, &scope->error, sql, db_int(trace->key), db_int(trace->requested_at),
                  trace->duration < 0 ? (DbValue){.type = DB_NULL} : db_int(trace->duration),
                  db_text(trace_status_name(trace->status)), db_text(trace->request_preview),
                  db_text(trace->response_preview), db_int((int64_t)spans->span_count),
                  db_int((int64_t)spans->block.plain_size));
}

static bool add_block(Scope *scope, const Trace *trace, const TraceSpans *spans)
{
    static const char sql[] =
        "INSERT INTO trace_spans(trace_key, number, bytes) VALUES ($1,"
        " (SELECT coalesce(max(number), 0) + 1 FROM trace_spans WHERE trace_key = $1), $2)";

    return db_run(scope->db, &scope->error, sql, db_int(trace->key),
                  db_blob(spans->block.bytes, spans->block.size));
}

/* The client's own word counts more than what its spans say. */
static bool put_inferred(Scope *scope, int64_t key, const ParamList *metadata)
{
    static const char sql[] = "INSERT INTO trace_metadata(trace_key, key, value)"
                              " VALUES ($1, $2, $3) ON CONFLICT (trace_key, key) DO NOTHING";

    for (size_t i = 0; i < metadata->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(key), db_text(metadata->items[i].key),
                    db_text(metadata->items[i].value)))
            return false;
    return true;
}

static bool log_trace(Scope *scope, int64_t experiment_id, const TraceSpans *spans)
{
    Trace trace = {.id = spans->id, .experiment_id = experiment_id, .duration = -1};
    bool found = false;

    if (!trace_find_row(scope, spans->id, &trace, &found) ||
        !step_bounds_check_experiment(scope, trace.experiment_id) ||
        !check_room(scope, &trace, spans))
        return false;
    if (!trace.is_told)
        learn(&trace, spans, !found, scope->arena);
    if (!found || trace.status == TRACE_IN_PROGRESS || trace.status == TRACE_UNSPECIFIED)
        trace.status = status_of(spans);
    if (!found && (!experiment_check_active(scope, experiment_id) || !trace_insert(scope, &trace)))
        return false;
    return add_block(scope, &trace, spans) && update(scope, &trace, spans) &&
           trace_put_tags(scope, trace.key, &spans->tags) &&
           put_inferred(scope, trace.key, &spans->metadata);
}

bool trace_log_spans(Scope *scope, int64_t experiment_id, const TraceSpansList *list,
                     const char *run_id)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *id = list->items[i].id;

        if (!log_trace(scope, experiment_id, &list->items[i]))
            return false;
        if (run_id && list->items[i].root && !trace_link_run(scope, &(TextList){&id, 1}, run_id))
            return false;
    }
    return true;
}

/* ---- and back ---- */

/* Of one id the last one that came is at the end. */
static int compare_by_id(const void *left, const void *right)
{
    const Span *a = *(Span *const *)left, *b = *(Span *const *)right;
    int order = strcmp(a->id, b->id);

    return order ? order : (a > b) - (a < b);
}

static int compare_by_start(const void *left, const void *right)
{
    const Span *a = left, *b = right;

    if (a->is_root != b->is_root)
        return a->is_root ? -1 : 1;
    if (a->started_ns != b->started_ns)
        return a->started_ns < b->started_ns ? -1 : 1;
    return strcmp(a->id, b->id);
}

static SpanList without_earlier(const SpanList *all, Arena *arena)
{
    const Span **sorted = arena_array(arena, const Span *, all->count + 1);
    SpanList kept = {arena_array(arena, Span, all->count + 1), 0};

    for (size_t i = 0; i < all->count; i++)
        sorted[i] = &all->items[i];
    if (all->count)
        qsort(sorted, all->count, sizeof(Span *), compare_by_id);
    for (size_t i = 0; i < all->count; i++)
        if (i + 1 == all->count || strcmp(sorted[i]->id, sorted[i + 1]->id) != 0)
            kept.items[kept.count++] = *sorted[i];
    if (kept.count)
        qsort(kept.items, kept.count, sizeof(Span), compare_by_start);
    return kept;
}

bool trace_spans(Scope *scope, const Trace *trace, SpanList *spans)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT bytes FROM trace_spans WHERE trace_key = $1 ORDER BY number",
                 db_int(trace->key));
    SpanList all = {0};

    while (query_next(&query)) {
        size_t size = 0;
        const void *bytes = query_blob(&query, 0, scope->arena, &size);

        if (!span_block_read(bytes, size, scope->arena, &all, &scope->error))
            return fail_in(&scope->error, "trace \"%s\"", trace->id);
    }
    if (!query_end(&query, &scope->error))
        return false;
    *spans = without_earlier(&all, scope->arena);
    return true;
}

bool trace_is_whole(const Trace *trace, const SpanList *spans, Arena *arena)
{
    const char *sizes = param_find(&trace->metadata, TRACE_SIZES_METADATA);
    const JsonValue *object = NULL;
    Error ignored = {0};

    if (!spans->count)
        return false;
    if (!sizes || !json_parse(sizes, strlen(sizes), arena, &object, &ignored))
        return true;
    return (int64_t)spans->count >= json_as_int(json_member(object, "num_spans"), 0);
}
