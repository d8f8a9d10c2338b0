/* prediction_reader.h: the log in bulk: many answered requests, one after the other.
 *
 *     CLEANUP(prediction_reader_close) PredictionReader reader = prediction_read(scope, &filter);
 *
 *     while (prediction_reader_next(&reader))
 *         count(&reader.batch, &reader.record);
 *     return prediction_reader_end(&reader, &scope->error);
 *
 * One batch at a time is in memory. With a filter by time the order is about that of time, to
 * within a batch; else it is exactly that of ids. A damaged batch ends the reading with an error
 * that names its ids; to go on behind it, read after the last of them.
 */
#pragma once

#include "serving/prediction.h"
#include "serving/prediction_batch.h"

typedef struct PredictionFilter {
    const char *endpoint; /* NULL: all */
    int64_t after;        /* ids above this */
    int64_t from, until; /* created_at: from <= it < until, of one endpoint and with no after; until
                            0: any time */
    int64_t deployment_id; /* 0: all that was answered, so that those of shadows are left out; else
                              of this deployment or candidate, also of a shadow */
    bool wants_json;       /* answers and inputs of current */
} PredictionFilter;

typedef struct PredictionReader {
    LoggedPrediction current; /* lives until the next */
    bool is_old;              /* of before there were batches: always as JSON, the rest is empty */
    PredictionBatch batch;
    BatchRecord record;
    /* private */
    Scope *scope;
    PredictionFilter filter;
    Query query;
    Arena *arena;
    int64_t id;
    bool has_batch, has_failed;
    Error error;
} PredictionReader;

/* The scope and the filter's texts must outlive it. */
PredictionReader prediction_read(Scope *scope, const PredictionFilter *filter);
void prediction_reader_close(PredictionReader *reader);
bool prediction_reader_next(PredictionReader *reader);
bool prediction_reader_end(PredictionReader *reader, Error *error) MUST_CHECK;
