#include "server/lane.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/time.h"

enum { LEARNING_SHARE = 16, RETRY_SECONDS_MAX = 60 };

struct Lane {
    LaneSpec spec;
    ThreadPool *workers;
    _Atomic size_t waiting;
    _Atomic int64_t each_us;
};

Lane *lane_create(LaneSpec spec)
{
    Lane *lane = calloc(1, sizeof(*lane));

    if (!lane)
        out_of_memory();
    lane->spec = spec;
    lane->workers = thread_pool_create(spec.worker_count, spec.waiting_max);
    return lane;
}

void lane_destroy(Lane *lane)
{
    if (!lane)
        return;
    thread_pool_destroy(lane->workers);
    free(lane);
}

int64_t lane_learn_us(int64_t known_us, int64_t newest_us)
{
    return known_us + (newest_us - known_us) / LEARNING_SHARE;
}

int64_t lane_wait_us(size_t waiting, size_t worker_count, int64_t each_us)
{
    return (int64_t)(waiting / worker_count) * each_us +
           (int64_t)(waiting % worker_count) * each_us / (int64_t)worker_count;
}

static void step_back(const Lane *lane)
{
    static _Thread_local bool is_done;

    if (!is_done && lane->spec.nice)
        setpriority(PRIO_PROCESS, (id_t)gettid(), lane->spec.nice);
    is_done = true;
}

/* The ticket goes with its request, which is gone once it is answered. Two workers that end at once
 * may lose one measurement of the two. */
static void run_ticket(void *context)
{
    LaneTicket ticket = *(LaneTicket *)context;
    Lane *lane = ticket.lane;
    int64_t began = time_monotonic_us();

    step_back(lane);
    atomic_fetch_sub(&lane->waiting, 1);
    ticket.run(ticket.context);
    lane->each_us = lane_learn_us(lane->each_us, time_monotonic_us() - began);
}

static unsigned seconds_of(int64_t wait_us)
{
    int64_t seconds = (wait_us + 999999) / 1000000;

    if (seconds < 1)
        return 1;
    return seconds > RETRY_SECONDS_MAX ? RETRY_SECONDS_MAX : (unsigned)seconds;
}

bool lane_submit(Lane *lane, LaneTicket *ticket, unsigned *retry_seconds)
{
    size_t before = atomic_fetch_add(&lane->waiting, 1);
    int64_t wait_us = lane_wait_us(before, lane->spec.worker_count, lane->each_us);

    ticket->lane = lane;
    if (wait_us <= (int64_t)lane->spec.wait_ms_max * 1000 &&
        thread_pool_submit(lane->workers, run_ticket, ticket))
        return true;
    atomic_fetch_sub(&lane->waiting, 1);
    *retry_seconds = seconds_of(wait_us);
    return false;
}
