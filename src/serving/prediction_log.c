#include "serving/prediction_log.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zstd.h>

#include "base/crash.h"
#include "base/time.h"
#include "serving/prediction_batch.h"
#include "serving/prediction_ring.h"

enum {
    DRAIN_EVERY_MS = 100,
    QUIET_MS = 5000,
    EARLY_BYTES = 2 * 1024 * 1024, /* so many in the ring are not left waiting for the turn */
    SLICE_BYTES = 1024 * 1024,     /* of records in one transaction: the writer is others', too */
};

/* What one transaction inserts. */
typedef struct Slice {
    struct {
        BatchBuilder *items;
        size_t count;
    } batches;
    BatchBytes *bytes; /* per batch, once it is finished */
    size_t record_count;
    Arena *arena; /* of all of it */
} Slice;

struct PredictionLog {
    PredictionRing ring;
    Writer *writer;
    RingBytes taken; /* from the ring, and how much of it is in a slice or written; the thread's */
    size_t used;
    Slice slice; /* not yet durable; the thread's */
    ZSTD_CCtx *packer;
    atomic_uint_fast64_t written, dropped, failed_writes;
    atomic_bool is_stuck; /* the last write failed */
    int bell;             /* an eventfd: there is work, or the turn comes now */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t drained;
    uint64_t asked_turns, drained_turns; /* flushes; guarded by lock */
    bool stopping;                       /* guarded by lock */
};

/* Of the store's lasting order: what follows the log follows these numbers. */
static bool newest_id(Db *db, int64_t *id, Error *error)
{
    return db_get_int(db, error, id,
                      "SELECT coalesce(max(id), 0)"
                      " FROM (SELECT max(id) AS id FROM predictions"
                      " UNION ALL SELECT max(id) AS id FROM prediction_batches) AS newest");
}

static int compare_hashes(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

/* In order, which the index likes better; those that are there twice, once. */
static bool insert_ids(Db *db, const IdHashes *ids, int64_t batch_id, Error *error)
{
    if (ids->count)
        qsort(ids->items, ids->count, sizeof(*ids->items), compare_hashes);
    for (size_t i = 0; i < ids->count; i++)
        if ((!i || ids->items[i] != ids->items[i - 1]) &&
            !db_run(db, error,
                    "INSERT INTO prediction_request_ids (hash, batch_id) VALUES ($1, $2)",
                    db_int(ids->items[i]), db_int(batch_id)))
            return false;
    return true;
}

static bool insert_batch(Db *db, int64_t id, const BatchBuilder *batch, BatchBytes bytes,
                         Error *error)
{
    return db_run(db, error,
                  "INSERT INTO prediction_batches"
                  " (id, record_count, endpoint, model, version, deployment_id, first_at, last_at,"
                  " bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                  db_int(id), db_int((int64_t)batch->record_count), db_text(batch->endpoint),
                  db_text(batch->model), db_int(batch->version), db_int(batch->deployment_id),
                  db_int(batch->first_at), db_int(batch->last_at),
                  db_blob(bytes.bytes, bytes.size)) &&
           insert_ids(db, &batch->ids, id, error);
}

static bool insert_slice(Db *db, void *context, Error *error)
{
    const Slice *slice = context;
    int64_t id;

    CRASH_POINT("prediction log: a batch not written");
    if (!newest_id(db, &id, error))
        return false;
    for (size_t i = 0; i < slice->batches.count; i++) {
        id += (int64_t)slice->batches.items[i].record_count;
        if (!insert_batch(db, id, &slice->batches.items[i], slice->bytes[i], error))
            return false;
    }
    return true;
}

/* NULL: there is none of the record's deployment. */
static BatchBuilder *newest_batch(Slice *slice, const PredictionRecord *record)
{
    for (size_t i = slice->batches.count; i-- > 0;) {
        BatchBuilder *batch = &slice->batches.items[i];

        if (batch->deployment_id == record->deployment_id && batch->loaded == record->loaded)
            return batch;
    }
    return NULL;
}

static void add_record(Slice *slice, const PredictionRecord *record)
{
    BatchBuilder *batch = newest_batch(slice, record);

    while (!batch || !batch_add(batch, record)) {
        batch = arena_push(slice->arena, &slice->batches);
        batch_begin(batch, record, slice->arena);
    }
}

static const PredictionRecord *record_at(const PredictionLog *log, size_t at)
{
    return (const PredictionRecord *)(const void *)(log->taken.bytes + at);
}

/* The models are let go only when all of the slice is in bytes of its own. */
static void fill_slice(PredictionLog *log)
{
    Slice *slice = &log->slice;
    size_t begin = log->used;

    for (; log->used < log->taken.size && log->used - begin < SLICE_BYTES; slice->record_count++) {
        const PredictionRecord *record = record_at(log, log->used);

        add_record(slice, record);
        log->used += record->size;
    }
    slice->bytes = arena_array(slice->arena, BatchBytes, slice->batches.count);
    for (size_t i = 0; i < slice->batches.count; i++)
        slice->bytes[i] = batch_finish(&slice->batches.items[i], log->packer);
    for (size_t at = begin; at < log->used; at += record_at(log, at)->size)
        record_release(record_at(log, at));
}

static void empty_slice(Slice *slice)
{
    Arena *arena = slice->arena;

    arena_reset(arena);
    *slice = (Slice){.arena = arena};
}

/* false: it could not be written; the slice is kept for the next try. */
static bool write_slice(PredictionLog *log)
{
    Error error = {0};
    bool done = writer_run(log->writer, insert_slice, &log->slice, &error);

    atomic_store(&log->is_stuck, !done);
    if (!done) {
        atomic_fetch_add(&log->failed_writes, 1);
        return false;
    }
    CRASH_POINT("prediction log: a batch written, not let go");
    atomic_fetch_add(&log->written, log->slice.record_count);
    empty_slice(&log->slice);
    return true;
}

/* Writes all that is taken; false: not all. */
static bool write_taken(PredictionLog *log)
{
    if (log->slice.record_count && !write_slice(log))
        return false;
    while (log->used < log->taken.size) {
        fill_slice(log);
        if (!write_slice(log))
            return false;
    }
    if (log->taken.bytes)
        ring_give_back(&log->ring, log->taken);
    log->taken = (RingBytes){0};
    log->used = 0;
    return true;
}

/* What an earlier turn left, and then what has come by now. */
static void drain(PredictionLog *log)
{
    if (!write_taken(log))
        return;
    log->taken = ring_take(&log->ring);
    (void)write_taken(log);
}

static void ring_bell(PredictionLog *log)
{
    uint64_t one = 1;
    ssize_t written = write(log->bell, &one, sizeof(one));

    (void)written; /* it fails only when it has been rung 2^64 times */
}

/* false: it did not ring. */
static bool wait_for_bell(PredictionLog *log, int timeout_ms)
{
    struct pollfd bell = {.fd = log->bell, .events = POLLIN};
    uint64_t rung;

    return poll(&bell, 1, timeout_ms) == 1 && read(log->bell, &rung, sizeof(rung)) > 0;
}

static bool is_asked(PredictionLog *log)
{
    bool asked;

    pthread_mutex_lock(&log->lock);
    asked = log->stopping || log->asked_turns != log->drained_turns;
    pthread_mutex_unlock(&log->lock);
    return asked;
}

/* Sleeps while there is nothing to write. This thread knows when a load is over: then it gives back
 * what the load has left free, once. */
static void wait_for_work(PredictionLog *log)
{
    if (wait_for_bell(log, QUIET_MS))
        return;
    memory_give_back();
    (void)wait_for_bell(log, -1);
}

/* The first record that comes rings, and gets some time for others to join it. What a refusing disk
 * has left is tried again each turn. */
static void wait_a_turn(PredictionLog *log)
{
    if (!log->taken.bytes)
        wait_for_work(log);
    if (!is_asked(log))
        (void)wait_for_bell(log, DRAIN_EVERY_MS);
}

static void *drain_loop(void *context)
{
    PredictionLog *log = context;
    bool stopping;

    do {
        uint64_t turns;

        wait_a_turn(log);
        pthread_mutex_lock(&log->lock);
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
    PredictionLog *log = aligned_alloc(_Alignof(PredictionLog), sizeof(*log));

    if (!log)
        out_of_memory();
    *log = (PredictionLog){.writer = writer, .slice = {.arena = arena_create()}};
    ring_init(&log->ring, LOG_RING_BYTES);
    log->packer = ZSTD_createCCtx();
    log->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->drained, NULL);
    if (!log->packer || log->bell < 0 || pthread_create(&log->thread, NULL, drain_loop, log) != 0)
        out_of_memory();
    pthread_setname_np(log->thread, "prediction-log");
    return log;
}

/* What a refusing disk left in memory. */
static void let_go_of_the_rest(PredictionLog *log)
{
    do {
        for (; log->used < log->taken.size; log->used += record_at(log, log->used)->size)
            record_release(record_at(log, log->used));
        if (log->taken.bytes)
            ring_give_back(&log->ring, log->taken);
        log->taken = ring_take(&log->ring);
        log->used = 0;
    } while (log->taken.size);
}

void prediction_log_destroy(PredictionLog *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_mutex_unlock(&log->lock);
    ring_bell(log);
    pthread_join(log->thread, NULL);
    let_go_of_the_rest(log);
    ring_clear(&log->ring);
    pthread_cond_destroy(&log->drained);
    pthread_mutex_destroy(&log->lock);
    arena_destroy(log->slice.arena);
    ZSTD_freeCCtx(log->packer);
    close(log->bell);
    free(log);
}

/* Only when answers come faster than the disk takes them. */
static bool wait_for_room(PredictionLog *log, size_t size, RingPlace *place)
{
    ring_bell(log);
    for (int waited = 0; waited < LOG_WAIT_MS_MAX && !atomic_load(&log->is_stuck); waited++) {
        time_sleep_ms(1);
        if (ring_reserve(&log->ring, size, place))
            return true;
    }
    return false;
}

void prediction_log_add(PredictionLog *log, const Prediction *prediction, int64_t created_at,
                        int64_t duration_us)
{
    RecordSize size = record_measure(prediction);
    RingPlace place;

    if (!ring_reserve(&log->ring, size.total, &place) && !wait_for_room(log, size.total, &place)) {
        atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
        return;
    }
    record_write(place.at, prediction, &size, created_at, duration_us);
    ring_commit(&log->ring, &place);
    if (place.before == 0 ||
        (place.before < EARLY_BYTES && place.before + place.size >= EARLY_BYTES))
        ring_bell(log);
}

void prediction_log_flush(PredictionLog *log)
{
    uint64_t turn;

    pthread_mutex_lock(&log->lock);
    turn = ++log->asked_turns;
    ring_bell(log);
    while (log->drained_turns < turn)
        pthread_cond_wait(&log->drained, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

PredictionLogCounts prediction_log_counts(const PredictionLog *log)
{
    return (PredictionLogCounts){
        .written = atomic_load(&log->written),
        .dropped = atomic_load(&log->dropped),
        .failed_writes = atomic_load(&log->failed_writes),
    };
}
