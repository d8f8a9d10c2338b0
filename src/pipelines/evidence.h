/* evidence.h: what served, and everything that it rests on, in one object.
 *
 * Of a version's time at an endpoint (serving/placement.h): who put it there and what replaced it;
 * the version with its run, params, metrics and events; its data and hold-out; what the gate said
 * last before; the run of a pipeline that released it, and what people said to that. All of it is
 * read from the store, where none of it can be removed once the version has served; what was never
 * recorded is null.
 *
 *     ServedQuery query = {.endpoint = "spam", .at = "2026-05-01T10:00Z"};
 *
 *     return served_write_json(scope, &query, json);
 */
#pragma once

#include "pipelines/pipeline.h"
#include "serving/placement.h"
#include "serving/prediction.h"

typedef struct ServedQuery {
    const char *endpoint;
    const char *at; /* RFC 3339, seconds may be left out; NULL: now */
} ServedQuery;

extern const JsonField served_query_fields[]; /* all but the endpoint */

/* {"endpoint", "at", "live": evidence or null, "candidate": evidence or null} */
bool served_write_json(Scope *scope, const ServedQuery *query, JsonWriter *json) MUST_CHECK;

/* {"prediction", "evidence"}: of the version that gave this answer. */
bool answer_write_json(Scope *scope, const LoggedPrediction *prediction,
                       JsonWriter *json) MUST_CHECK;

/* {"deployment", "lineage", "dataset", "holdout", "gate", "pipeline_run", "approvals"} */
bool evidence_write_json(Scope *scope, const Placement *placement, JsonWriter *json,
                         const char *key) MUST_CHECK;

/* The run of a pipeline that brought this about; of a rollback, the one that had released before
 * what it brought back. found false: none did. */
bool evidence_find_pipeline_run(Scope *scope, const Placement *placement, PipelineRun *run,
                                bool *found) MUST_CHECK;
