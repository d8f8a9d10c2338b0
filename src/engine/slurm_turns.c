/* slurm_turns.c: the thread of the Slurm executor: it asks what there is, hands over what is
 * wanted, ends what is to end, and sleeps until there is more. */

#include <stdio.h>

#include "base/time.h"
#include "engine/slurm_internal.h"

enum {
    LIST_US = 1000 * 1000, /* between listings, at least; */
    LIST_SHARE = 4,        /* and so many times as long as the last one took */
    RETRY_US = 1000 * 1000,
    RETRY_US_MAX = 10 * 1000 * 1000,
    IDLE_US = 60 * 1000 * 1000,
};

static void tell_news(SlurmExecutor *slurm)
{
    executor_wake(&slurm->executor);
    if (slurm->spec.on_end)
        slurm->spec.on_end(slurm->spec.context);
}

static bool list(SlurmExecutor *slurm, Error *error)
{
    int64_t began_us = time_monotonic_us();
    Arena *arena = arena_create();
    SlurmJobList jobs;
    bool has_ended;

    slurm_lock(slurm);
    slurm->was_polled = false;
    slurm_unlock(slurm);
    if (!slurm_client_list(&slurm->client, arena, &jobs, error)) {
        arena_destroy(arena);
        return false;
    }
    slurm_lock(slurm);
    has_ended = slurm_table_set(&slurm->table, arena, jobs, began_us);
    slurm_unlock(slurm);
    if (has_ended)
        tell_news(slurm);
    return true;
}

/* One job; false when Slurm could not be asked. */
static bool submit_one(SlurmExecutor *slurm, const ExecutorJob *job, Arena *arena, Error *error)
{
    SlurmOutcome outcome = {0};
    Error reason = {0};

    outcome.verdict = slurm_client_submit(&slurm->client, job, arena, &outcome.id, &reason);
    outcome.reason = outcome.verdict == SLURM_DONE ? NULL : reason.message;
    slurm_lock(slurm);
    slurm_table_settle(&slurm->table, job->key, &outcome, time_monotonic_us());
    slurm_unlock(slurm);
    if (outcome.verdict == SLURM_REFUSED)
        tell_news(slurm);
    if (outcome.verdict == SLURM_AWAY)
        *error = reason;
    return outcome.verdict != SLURM_AWAY;
}

static bool submit_all(SlurmExecutor *slurm, int64_t *next_us, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    while (!atomic_load(&slurm->is_closing)) {
        const ExecutorJob *job;

        arena_reset(arena);
        slurm_lock(slurm);
        job = slurm_table_next(&slurm->table, time_monotonic_us(), next_us, arena);
        slurm_unlock(slurm);
        if (!job)
            return true;
        if (!submit_one(slurm, job, arena, error))
            return false;
    }
    return true;
}

static bool cancel_all(SlurmExecutor *slurm, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SlurmIdList ids;

    slurm_lock(slurm);
    ids = slurm_table_cancels(&slurm->table, arena);
    slurm_unlock(slurm);
    for (size_t i = 0; i < ids.count; i++)
        if (!slurm_client_cancel(&slurm->client, ids.items[i], error))
            return false;
    return true;
}

static bool wants_listing(SlurmExecutor *slurm)
{
    bool wants;

    slurm_lock(slurm);
    wants =
        !slurm->table.listed_us || slurm->was_polled || slurm_table_needs_listing(&slurm->table);
    slurm_unlock(slurm);
    return wants;
}

/* The listings of a large cluster take long; its controller has others to serve. */
static bool list_if_due(SlurmExecutor *slurm, int64_t *next_list_us, Error *error)
{
    int64_t began_us = time_monotonic_us(), ended_us, pause_us;

    if (began_us < *next_list_us || !wants_listing(slurm))
        return true;
    if (!list(slurm, error))
        return false;
    ended_us = time_monotonic_us();
    pause_us = LIST_SHARE * (ended_us - began_us);
    *next_list_us = ended_us + (pause_us > LIST_US ? pause_us : LIST_US);
    return true;
}

/* *wake_us: when there is more to do. */
static bool take_turn(SlurmExecutor *slurm, int64_t *next_list_us, int64_t *wake_us, Error *error)
{
    if (!list_if_due(slurm, next_list_us, error) || !submit_all(slurm, wake_us, error) ||
        !cancel_all(slurm, error))
        return false;
    if (wants_listing(slurm) && *next_list_us < *wake_us)
        *wake_us = *next_list_us;
    return true;
}

static void sleep_until(SlurmExecutor *slurm, int64_t until_us, bool wakes_for_work)
{
    struct timespec until = slurm_timespec(until_us);

    slurm_lock(slurm);
    while (!(wakes_for_work && slurm->has_work) && !atomic_load(&slurm->is_closing) &&
           time_monotonic_us() < until_us)
        pthread_cond_timedwait(&slurm->work, &slurm->lock, &until);
    slurm->has_work = false;
    slurm_unlock(slurm);
}

static void note_trouble(SlurmExecutor *slurm, const Error *error)
{
    slurm_lock(slurm);
    snprintf(slurm->table.trouble, sizeof(slurm->table.trouble), "%s", error->message);
    slurm_unlock(slurm);
}

void *slurm_turns(void *context)
{
    SlurmExecutor *slurm = context;
    int64_t next_list_us = 0, retry_us = RETRY_US;

    while (!atomic_load(&slurm->is_closing)) {
        int64_t wake_us = time_monotonic_us() + IDLE_US;
        Error error = {0};

        if (take_turn(slurm, &next_list_us, &wake_us, &error)) {
            retry_us = RETRY_US;
            sleep_until(slurm, wake_us, true);
            continue;
        }
        note_trouble(slurm, &error);
        sleep_until(slurm, time_monotonic_us() + retry_us, false);
        retry_us = 2 * retry_us < RETRY_US_MAX ? 2 * retry_us : RETRY_US_MAX;
    }
    return NULL;
}
