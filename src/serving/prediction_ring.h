/* prediction_ring.h: answered requests on their way to the log: a bounded queue without locks.
 *
 * Any number of threads put a record in, one takes them out. When the queue is full in number or in
 * bytes the record is dropped and counted: an answer never waits for the log.
 */
#pragma once

#include <stdatomic.h>

#include "serving/predict.h"

enum {
    RING_RECORDS = 32768, /* a power of two */
    RING_BYTES_MAX = 64 * 1024 * 1024,
    LOGGED_INPUT_BYTES_MAX = 64 * 1024, /* of one request; its later rows are not logged */
    REQUEST_ID_BYTES_MAX = 128,
};

/* What is kept of one answered request; one block of memory. */
typedef struct PredictionRecord {
    char request_id[REQUEST_ID_BYTES_MAX + 1];
    const char *endpoint, *model;
    int64_t version, deployment_id, created_at, duration_us;
    LoadedModel *loaded; /* a reference of its own: names of classes and columns */
    size_t row_count, input_row_count;
    size_t size;         /* of the block */
    double *confidences; /* row_count of them, and so are labels */
    size_t *labels;
    const char *inputs; /* per logged row and column: a double, or a length and its bytes */
} PredictionRecord;

/* Copies all it needs. */
PredictionRecord *record_create(const Prediction *prediction, int64_t created_at,
                                int64_t duration_us);
void record_destroy(PredictionRecord *record);

/* The rows' labels with confidence, and their inputs, as JSON. */
const char *record_answers_json(const PredictionRecord *record, Arena *arena);
const char *record_inputs_json(const PredictionRecord *record, Arena *arena);

typedef struct RingCell {
    atomic_size_t turn; /* equal to the position that may be put here, +1 when it may be taken */
    PredictionRecord *record;
} RingCell;

typedef struct PredictionRing {
    RingCell cells[RING_RECORDS];
    atomic_size_t head; /* the next position to put */
    size_t tail;        /* the next position to take; the taking thread's */
    atomic_size_t bytes;
    atomic_uint_fast64_t dropped;
} PredictionRing;

void ring_init(PredictionRing *ring);
void ring_clear(PredictionRing *ring); /* drops what is in it */

/* Takes the record over, or drops it; false: dropped. */
bool ring_put(PredictionRing *ring, PredictionRecord *record);
PredictionRecord *ring_take(PredictionRing *ring); /* NULL: empty. One thread at a time */
