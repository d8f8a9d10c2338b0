/* prediction_internal.h: rows of the prediction log, for the files that read them. */
#pragma once

#include "serving/prediction.h"
#include "serving/prediction_batch.h"

/* Rows of before there were batches. */
#define SELECT_OLD_PREDICTION                                                                      \
    "SELECT id, request_id, endpoint, model, version, deployment_id, created_at, duration_us,"     \
    " row_count, answers, inputs"                                                                  \
    " FROM predictions"

LoggedPrediction old_prediction_from_row(const Query *query, Arena *arena);

#define SELECT_BATCH                                                                               \
    "SELECT id, record_count, endpoint, model, version, deployment_id, bytes"                      \
    " FROM prediction_batches"

/* A condition: not of a shadow, whose answers nobody got. */
#define WAS_ANSWERED "deployment_id NOT IN (SELECT id FROM candidates WHERE is_shadow = 1)"

typedef struct BatchRow {
    int64_t id, record_count;
    LoggedPrediction head; /* what all its records share */
    const void *bytes;
    size_t size;
} BatchRow;

BatchRow batch_row_from(const Query *query, Arena *arena);

/* Fails with the ids of its predictions and what is wrong. */
bool batch_row_open(const BatchRow *row, Arena *arena, PredictionBatch *batch,
                    Error *error) MUST_CHECK;

/* What a record adds to the head of its batch. The request id is the record's. */
void batch_record_fill(LoggedPrediction *prediction, int64_t id, const BatchRecord *record);
void batch_record_fill_json(LoggedPrediction *prediction, const PredictionBatch *batch,
                            const BatchRecord *record, Arena *arena);
