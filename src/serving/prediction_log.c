#include "serving/prediction_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/crash.h"

enum { DRAIN_EVERY_MS = 100, BATCH_RECORDS = 1000, BATCH_BYTES = 2 * 1024 * 1024 };

/* What the table holds of a record, made before the writer's thread is asked to insert it. */
typedef struct Row {
    PredictionRecord *record;
    const char *answers, *inputs;
} Row;

typedef struct Batch {
    Row rows[BATCH_RECORDS];
    size_t count, bytes;
    Arena *arena; /* of the rows */
} Batch;

struct PredictionLog {
    PredictionRing ring;
    Writer *writer;
    Batch batch; /* taken from the ring and not yet durable; the thread's */
    atomic_uint_fast64_t written, failed_writes;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked, drained;
    uint64_t asked_turns, drained_turns; /* flushes; guarded by lock */
    bool stopping;                       /* guarded by lock */
};

static bool insert_row(Db *db, int64_t id, const Row *row, Error *error)
{
    const PredictionRecord *record = row->record;

    return db_run(db, error,
                  "INSERT INTO predictions"
                  " (id, request_id, endpoint, model, version, deployment_id, created_at,"
                  " duration_us, row_count, answers, inputs)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                  db_int(id), db_text(record->request_id), db_text(record->endpoint),
                  db_text(record->model), db_int(record->version), db_int(record->deployment_id),
                  db_int(record->created_at), db_int(record->duration_us),
                  db_int((int64_t)record->row_count), db_text(row->answers), db_text(row->inputs));
}

static bool insert_batch(Db *db, void *context, Error *error)
{
    const Batch *batch = context;
    int64_t newest;

    CRASH_POINT("prediction log: a batch not written");
    if (!db_get_int(db, error, &newest, "SELECT coalesce(max(id), 0) FROM predictions"))
        return false;
    for (size_t i = 0; i < batch->count; i++)
        if (!insert_row(db, newest + 1 + (int64_t)i, &batch->rows[i], error))
            return false;
    return true;
}

static void fill_batch(PredictionLog *log)
{
    Batch *batch = &log->batch;

    while (batch->count < BATCH_RECORDS && batch->bytes < BATCH_BYTES) {
        PredictionRecord *record = ring_take(&log->ring);

        if (!record)
            return;
        batch->rows[batch->count++] = (Row){
            .record = record,
            .answers = record_answers_json(record, batch->arena),
            .inputs = record_inputs_json(record, batch->arena),
        };
        batch->bytes += record->size;
    }
}

static void empty_batch(PredictionLog *log)
{
    for (size_t i = 0; i < log->batch.count; i++)
        record_destroy(log->batch.rows[i].record);
    log->batch.count = log->batch.bytes = 0;
    arena_reset(log->batch.arena);
}

/* false: it could not be written; the batch is kept for the next try. */
static bool write_batch(PredictionLog *log)
{
    Error error = {0};

    if (!writer_run(log->writer, insert_batch, &log->batch, &error)) {
        atomic_fetch_add(&log->failed_writes, 1);
        return false;
    }
    CRASH_POINT("prediction log: a batch written, not let go");
    atomic_fetch_add(&log->written, log->batch.count);
    empty_batch(log);
    return true;
}

static void drain(PredictionLog *log)
{
    for (;;) {
        fill_batch(log);
        if (!log->batch.count || !write_batch(log))
            return;
    }
}

static void wait_a_turn(PredictionLog *log)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += DRAIN_EVERY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!log->stopping && log->asked_turns == log->drained_turns)
        if (pthread_cond_timedwait(&log->asked, &log->lock, &until) == ETIMEDOUT)
            return;
}

static void *drain_loop(void *context)
{
    PredictionLog *log = context;
    bool stopping;

    do {
        uint64_t turns;

        pthread_mutex_lock(&log->lock);
        wait_a_turn(log);
        turns = log->asked_turns;
        stopping = log->stopping;
        pthread_mutex_unlock(&log->lock);

        drain(log);

        pthread_mutex_lock(&log->lock);
        log->drained_turns = turns;
        pthread_cond_broadcast(&log->drained);
        pthread_mutex_unlock(&log->lock);
    } while (!stopping);
    return NULL;
}

PredictionLog *prediction_log_create(Writer *writer)
{
    PredictionLog *log = calloc(1, sizeof(*log));
    pthread_condattr_t monotonic;

    if (!log)
        abort();
    ring_init(&log->ring);
    log->writer = writer;
    log->batch.arena = arena_create();
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->asked, &monotonic);
    pthread_cond_init(&log->drained, NULL);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&log->thread, NULL, drain_loop, log) != 0)
        abort();
    return log;
}

void prediction_log_destroy(PredictionLog *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_cond_signal(&log->asked);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    pthread_cond_destroy(&log->asked);
    pthread_cond_destroy(&log->drained);
    pthread_mutex_destroy(&log->lock);
    empty_batch(log);
    ring_clear(&log->ring);
    arena_destroy(log->batch.arena);
    free(log);
}

void prediction_log_add(PredictionLog *log, const Prediction *prediction, int64_t created_at,
                        int64_t duration_us)
{
    (void)ring_put(&log->ring, record_create(prediction, created_at, duration_us));
}

void prediction_log_flush(PredictionLog *log)
{
    uint64_t turn;

    pthread_mutex_lock(&log->lock);
    turn = ++log->asked_turns;
    pthread_cond_signal(&log->asked);
    while (log->drained_turns < turn)
        pthread_cond_wait(&log->drained, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

PredictionLogCounts prediction_log_counts(const PredictionLog *log)
{
    return (PredictionLogCounts){
        .written = atomic_load(&log->written),
        .dropped = atomic_load(&log->ring.dropped),
        .failed_writes = atomic_load(&log->failed_writes),
    };
}
