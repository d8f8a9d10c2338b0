/* mlflow_otlp.c: /v1/traces, where OpenTelemetry's exporters and MLflow's clients send spans. A
 * batch is taken whole or not at all. */

#include <string.h>
#include <strings.h>

#include "api/mlflow.h"
#include "net/encoding.h"
#include "tracking/trace.h"

#define EXPERIMENT_HEADER "x-mlflow-experiment-id"
#define RUN_HEADER        "x-mlflow-run-id"

typedef struct Batch {
    int64_t experiment_id;
    const char *run_id; /* or NULL */
    TraceSpansList traces;
} Batch;

static bool is_type(const char *given, const char *type)
{
    size_t length = given ? strcspn(given, "; ") : 0;

    return length == strlen(type) && strncasecmp(given, type, length) == 0;
}

static bool read_experiment(Scope *scope, const Request *request, int64_t *id)
{
    const char *given = request_header(request, EXPERIMENT_HEADER);

    if (!given || !*given)
        return fail(&scope->error, ERROR_INVALID,
                    "the header \"" EXPERIMENT_HEADER "\" has to name the experiment");
    return mlflow_read_experiment_id(scope, given, id);
}

static bool prepare_batch(Scope *scope, Request *request)
{
    Batch *batch = arena_new(scope->arena, Batch);
    bool is_json = is_type(request->content_type, "application/json");
    PackedBody packed = {request_header(request, "Content-Encoding"), request->body,
                         request->body_size};
    PlainBody plain;

    if (!is_json && !is_type(request->content_type, "application/x-protobuf"))
        return fail(&scope->error, ERROR_INVALID,
                    "Invalid Content-Type: %.100s. Expected: application/x-protobuf or "
                    "application/json",
                    request->content_type ? request->content_type : "(none)");
    if (!read_experiment(scope, request, &batch->experiment_id) ||
        !body_decode(&packed, REQUEST_BODY_BYTES_MAX, scope->arena, &plain, &scope->error) ||
        !trace_spans_read(&(OtlpBody){plain.bytes, plain.size, is_json}, scope->arena,
                          &batch->traces, &scope->error))
        return false;
    batch->run_id = request_header(request, RUN_HEADER);
    request->prepared = batch;
    return true;
}

/* Nothing was left out: in protobuf a message without fields, which is no bytes at all. */
static bool log_spans(Scope *scope, const Request *request, Response *response)
{
    const Batch *batch = request->prepared;

    if (!trace_log_spans(scope, batch->experiment_id, &batch->traces, batch->run_id))
        return false;
    if (is_type(request->content_type, "application/json"))
        return mlflow_answer_nothing(response);
    response->content_type = "application/x-protobuf";
    response->body = "";
    response->body_size = 0;
    return true;
}

const Route mlflow_otlp_routes[] = {
    {"POST", "/v1/traces", ROLE_STEP, ROUTE_WRITE, log_spans,
     "Log spans: an ExportTraceServiceRequest of OTLP, in protobuf or JSON, for the experiment of "
     "the header x-mlflow-experiment-id.",
     .body_kind = BODY_TEXT, .takes_encodings = true, .prepare = prepare_batch},
    {0},
};
