#include "serving/shadow.h"

#include <poll.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/time.h"
#include "serving/prediction_ring.h"

enum { SHADOW_NICE = 10 };

/* As it lies in the ring; behind it the body, the request id and the content type, each with a NUL.
 */
typedef struct ShadowJob {
    size_t size; /* of all of it: a multiple of its alignment */
    Split *split;
    size_t body_size, id_size;
    size_t rows_max;
    bool has_type, leaves_out_others;
} ShadowJob;

struct Shadow {
    PredictionRing ring;
    PredictionLog *log;
    Arena *arena; /* of one job; the thread's */
    int bell;     /* an eventfd: there is work, or the end */
    atomic_bool stopping;
    pthread_t thread;
};

static void ring_bell(const Shadow *shadow)
{
    uint64_t one = 1;
    ssize_t written = write(shadow->bell, &one, sizeof(one));

    (void)written; /* it fails only when it has been rung 2^64 times */
}

static void wait_for_bell(const Shadow *shadow)
{
    struct pollfd bell = {.fd = shadow->bell, .events = POLLIN};
    uint64_t rung;

    if (poll(&bell, 1, -1) == 1 && read(shadow->bell, &rung, sizeof(rung)) < 0)
        return;
}

static PredictRequest request_of(const ShadowJob *job)
{
    const char *body = (const char *)(job + 1), *id = body + job->body_size + 1;

    return (PredictRequest){
        .endpoint = job->split->candidate.name,
        .request_id = id,
        .body = {.bytes = body,
                 .size = job->body_size,
                 .content_type = job->has_type ? id + job->id_size + 1 : NULL,
                 .rows_max = job->rows_max,
                 .leaves_out_others = job->leaves_out_others},
    };
}

/* All that the live version did, so that their times can be compared. */
static void ask(Shadow *shadow, const ShadowJob *job)
{
    const PredictRequest request = request_of(job);
    SplitAnswer answer = {.began_us = time_monotonic_us()};
    Error error = {0};

    if (!predict_by(&job->split->candidate, &request, shadow->arena, &answer.prediction, &error)) {
        split_fail(job->split, &error);
        return;
    }
    prediction_write_json(json_writer_create(shadow->arena), &answer.prediction);
    split_count(job->split, &answer);
    prediction_log_add(shadow->log, &answer.prediction, time_now_ms(),
                       time_monotonic_us() - answer.began_us);
}

static void do_job(Shadow *shadow, const ShadowJob *job)
{
    if (atomic_load_explicit(&shadow->stopping, memory_order_relaxed))
        counts_drop(&job->split->candidate_counts);
    else
        ask(shadow, job);
    arena_reset(shadow->arena);
    split_unref(job->split);
}

/* Returns how many bytes there were. */
static size_t drain(Shadow *shadow)
{
    RingBytes taken = ring_take(&shadow->ring);

    for (size_t at = 0; at < taken.size;) {
        const ShadowJob *job = (const ShadowJob *)(const void *)(taken.bytes + at);

        at += job->size;
        do_job(shadow, job);
    }
    ring_give_back(&shadow->ring, taken);
    return taken.size;
}

static void *drain_loop(void *context)
{
    Shadow *shadow = context;

    setpriority(PRIO_PROCESS, (id_t)gettid(), SHADOW_NICE); /* of this thread */
    while (!atomic_load(&shadow->stopping)) {
        wait_for_bell(shadow);
        while (drain(shadow))
            continue;
    }
    return NULL;
}

Shadow *shadow_create(PredictionLog *log)
{
    Shadow *shadow = aligned_alloc(_Alignof(Shadow), sizeof(*shadow));

    if (!shadow)
        out_of_memory();
    *shadow = (Shadow){.log = log, .arena = arena_create()};
    ring_init(&shadow->ring, SHADOW_BYTES_MAX);
    shadow->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (shadow->bell < 0 || pthread_create(&shadow->thread, NULL, drain_loop, shadow) != 0)
        out_of_memory();
    pthread_setname_np(shadow->thread, "shadow");
    return shadow;
}

void shadow_destroy(Shadow *shadow)
{
    if (!shadow)
        return;
    atomic_store(&shadow->stopping, true);
    ring_bell(shadow);
    pthread_join(shadow->thread, NULL);
    while (drain(shadow))
        continue;
    ring_clear(&shadow->ring);
    arena_destroy(shadow->arena);
    close(shadow->bell);
    free(shadow);
}

static char *put(char *at, const char *bytes, size_t size)
{
    if (size)
        memcpy(at, bytes, size);
    at[size] = '\0';
    return at + size + 1;
}

void shadow_offer(Shadow *shadow, Split *split, const PredictRequest *request)
{
    const char *type = request->body.content_type;
    size_t type_size = type ? strlen(type) + 1 : 0;
    ShadowJob job = {
        .body_size = request->body.size,
        .id_size = strlen(request->request_id),
        .rows_max = request->body.rows_max,
        .has_type = type != NULL,
        .leaves_out_others = request->body.leaves_out_others,
    };
    RingPlace place;
    char *end;

    job.size = sizeof(job) + job.body_size + 1 + job.id_size + 1 + type_size;
    job.size += -job.size % alignof(ShadowJob);
    if (!ring_reserve(&shadow->ring, job.size, &place)) {
        counts_drop(&split->candidate_counts);
        return;
    }
    job.split = split_ref(split);
    memcpy(place.at, &job, sizeof(job));
    end = put(place.at + sizeof(job), request->body.bytes, job.body_size);
    end = put(end, request->request_id, job.id_size);
    if (type)
        put(end, type, type_size - 1);
    ring_commit(&shadow->ring, &place);
    if (place.before == 0)
        ring_bell(shadow);
}
