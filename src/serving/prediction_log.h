/* prediction_log.h: every answered request on record, without an answer waiting for the disk.
 *
 * Answers put a record into a ring; a thread of the log makes batches (prediction_batch.h) of what
 * has come, at least every 100 ms, and writes them through the writer. What cannot be written at
 * the moment (a full disk) waits and is tried again. When the ring is full an answer waits for
 * room, LOG_WAIT_MS_MAX at most and not at all while the disk refuses; what then has no room is
 * dropped and counted. A stop writes all; a killed process loses what still waits: while the disk
 * keeps up, the answers of its last 100 ms and of the commit under way.
 */
#pragma once

#include "serving/prediction_record.h"
#include "store/writer.h"

enum {
    LOG_WAIT_MS_MAX = 5,
    LOG_RING_BYTES = 32 * 1024 * 1024, /* of answers that wait for the disk */
};

typedef struct PredictionLog PredictionLog;

PredictionLog *prediction_log_create(Writer *writer);

/* Writes what is left, ends the thread. */
void prediction_log_destroy(PredictionLog *log);

/* From any thread. */
void prediction_log_add(PredictionLog *log, const Prediction *prediction, int64_t created_at,
                        int64_t duration_us);

/* Returns when what was added before the call is durable, or could not be written now. */
void prediction_log_flush(PredictionLog *log);

typedef struct PredictionLogCounts {
    uint64_t written, dropped; /* records */
    uint64_t failed_writes;    /* times that batches had to be tried again */
} PredictionLogCounts;

PredictionLogCounts prediction_log_counts(const PredictionLog *log);
