/* prediction_record.h: what is kept of one answered request, as it lies in the ring
 * (prediction_ring.h).
 *
 * One block of bytes: the struct, the answers, the inputs as a batch stores them
 * (prediction_batch.h), the request id, the endpoint's name and the model's. It refers to the
 * loaded model, whose names of classes and columns the batch takes over, until record_release().
 */
#pragma once

#include "serving/predict.h"

enum {
    LOGGED_INPUT_BYTES_MAX = 64 * 1024, /* of one request; its later rows are not logged */
    REQUEST_ID_BYTES_MAX = 128,
};

typedef struct PredictionAnswer {
    double number; /* the confidence in the label, or what the model answered with */
    size_t label;  /* an index into the model's classes; 0 of a model of numbers */
} PredictionAnswer;

typedef struct PredictionRecord {
    size_t size; /* of the block: a multiple of its alignment */
    LoadedModel *loaded;
    int64_t version, deployment_id, created_at, duration_us;
    uint32_t row_count, input_row_count, input_size;
    uint32_t id_length, endpoint_length;
} PredictionRecord;

/* What a record of this prediction needs. */
typedef struct RecordSize {
    size_t total, inputs, input_rows, id_length;
} RecordSize;

RecordSize record_measure(const Prediction *prediction);

/* Makes the record of the measured size at this place, with a reference of its own to the model. */
void record_write(void *at, const Prediction *prediction, const RecordSize *size,
                  int64_t created_at, int64_t duration_us);
void record_release(const PredictionRecord *record);

static inline const PredictionAnswer *record_answers(const PredictionRecord *record)
{
    return (const PredictionAnswer *)(const void *)(record + 1);
}

static inline const char *record_inputs(const PredictionRecord *record)
{
    return (const char *)(record_answers(record) + record->row_count);
}

static inline const char *record_request_id(const PredictionRecord *record)
{
    return record_inputs(record) + record->input_size;
}

static inline const char *record_endpoint(const PredictionRecord *record)
{
    return record_request_id(record) + record->id_length + 1;
}

static inline const char *record_model(const PredictionRecord *record)
{
    return record_endpoint(record) + record->endpoint_length + 1;
}
