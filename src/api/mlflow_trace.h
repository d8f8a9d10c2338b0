/* mlflow_trace.h: traces and assessments as MLflow's clients send and read them: protobuf's JSON,
 * with times as RFC 3339 and durations as "1.5s". */
#pragma once

#include "api/mlflow.h"
#include "tracking/trace.h"

/* The members of a TraceInfoV3. */
bool mlflow_read_trace_info(Scope *scope, const JsonValue *info, Trace *trace) MUST_CHECK;
void mlflow_write_trace_info(JsonWriter *json, const char *key, const Trace *trace, Arena *arena);

/* {"trace_info", "spans"} */
void mlflow_write_trace(JsonWriter *json, const char *key, const Trace *trace,
                        const SpanList *spans, Arena *arena);

/* The members of an Assessment. */
bool mlflow_read_assessment(Scope *scope, const JsonValue *object,
                            Assessment *assessment) MUST_CHECK;
void mlflow_write_assessment(JsonWriter *json, const char *key, const Assessment *assessment,
                             const char *trace_id);

/* {"a": "b"} as a list; a value that is no text is its JSON. */
bool mlflow_read_map(Scope *scope, const JsonValue *object, const char *field,
                     ParamList *list) MUST_CHECK;
