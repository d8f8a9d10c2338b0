/* run_batch.h: the body of POST /api/v1/runs/{run_id}/log:
 *
 *     {"params": {"C": 1.0}, "tags": {"note": "first try"}, "metrics": {"f1": 0.93}}
 *     {"metrics": [{"key": "loss", "value": 0.7, "step": 12, "timestamp": 1732118400000}]}
 *
 * A metric's value is a number, or "NaN", "Infinity" or "-Infinity"; its step is 0 and its
 * timestamp now where they are not given.
 */
#pragma once

#include "api/route.h"
#include "tracking/run.h"

extern const JsonField run_batch_fields[];

bool run_batch_read(Scope *scope, const Request *request, RunBatch *batch) MUST_CHECK;
