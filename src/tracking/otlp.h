/* otlp.h: spans as OpenTelemetry's exporters send them, in protobuf or in its JSON.
 *
 * A batch is read whole or refused. What is read is the same for both: a tree by one table of
 * messages, checked and then written as protobuf's JSON with snake_case names, which is how
 * MLflow's clients read spans back. Fields that nobody knows are left out. Pure: no store, bounded
 * depth and count, fuzzed.
 *
 *     if (!otlp_read(&body, arena, &batch, error))
 *         return false;
 */
#pragma once

#include "tracking/param.h"

enum {
    OTLP_SPANS_MAX = 10000,
    OTLP_NODES_MAX = 1000000, /* fields and values of one batch */
    OTLP_DEPTH_MAX = 100,     /* messages in one another: what protobuf's own readers take */
    OTLP_TRACE_ID_SIZE = 33,
    OTLP_SPAN_ID_SIZE = 17,
};

typedef struct OtlpSpan {
    char trace_id[OTLP_TRACE_ID_SIZE]; /* 32 hexadecimal digits */
    char id[OTLP_SPAN_ID_SIZE];        /* 16 of them */
    bool is_root, has_failed;
    int64_t started_ns, ended_ns; /* since 1970; ended_ns 0: it has not */
    const char *json;             /* the span, on one line */
    ParamList notes;              /* those attributes that say something about the trace */
    const ParamList *resource;    /* what sends it: texts, others as JSON */
} OtlpSpan;

typedef struct OtlpBatch {
    OtlpSpan *items;
    size_t count;
} OtlpBatch;

typedef struct OtlpBody {
    const char *bytes;
    size_t size;
    bool is_json; /* else protobuf */
} OtlpBody;

/* ERROR_INVALID says what is wrong. No spans at all are an error only without resourceSpans. */
bool otlp_read(const OtlpBody *body, Arena *arena, OtlpBatch *batch, Error *error) MUST_CHECK;
