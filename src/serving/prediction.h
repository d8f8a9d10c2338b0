/* prediction.h: an answered request as the log keeps it, and everything that led to it.
 *
 * prediction_log.h writes them; here they are read.
 */
#pragma once

#include "access/scope.h"
#include "serving/endpoint.h"

typedef struct LoggedPrediction {
    int64_t id; /* grows; readers follow by it */
    const char *request_id, *endpoint, *model;
    int64_t version, deployment_id;
    int64_t created_at, duration_us;
    int64_t row_count;
    const char *answers; /* JSON: [{"label", "confidence"}] or [{"value"}] per row */
    const char *inputs;  /* JSON: the rows by column, or as many of the first as were logged */
} LoggedPrediction;

typedef struct LoggedPredictionList {
    LoggedPrediction *items;
    size_t count;
} LoggedPredictionList;

/* The newest with this request id that was answered: what a shadow found is not. */
bool prediction_find(Scope *scope, const char *request_id, LoggedPrediction *prediction) MUST_CHECK;

/* Of this endpoint (NULL: all) with a greater id, in order, at most limit; without shadows'. */
bool prediction_list(Scope *scope, const char *endpoint, int64_t after, int64_t limit,
                     LoggedPredictionList *list) MUST_CHECK;

void logged_prediction_write_json(JsonWriter *json, const char *key,
                                  const LoggedPrediction *prediction);

/* What a served answer comes from, in one object: "prediction"; "deployment": who put the version
 * on the endpoint, when and why; "lineage": the version with its data, code and environment, its
 * run, and the events about both. It is there for good: a version that served cannot be deleted. */
bool prediction_write_lineage(Scope *scope, const LoggedPrediction *prediction,
                              JsonWriter *json) MUST_CHECK;
