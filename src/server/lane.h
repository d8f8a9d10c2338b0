/* lane.h: workers for one kind of request, and the queue before them.
 *
 * The rule: a request is taken while those that wait already would keep it waiting no longer than
 * wait_ms_max, judged by how long such requests took lately. Any other is refused at once, and told
 * when to come again. So under overload the workers do what can still be answered in time, and the
 * queue, its memory and everybody's wait stay short. With an empty queue a request is always taken,
 * so that the judgement of a slow hour ends with it.
 *
 *     LaneTicket *ticket = arena_new(arena, LaneTicket);
 *
 *     *ticket = (LaneTicket){.run = run_on_worker, .context = work};
 *     if (!lane_submit(lane, ticket, &retry_seconds))
 *         return refuse(work, retry_seconds);
 */
#pragma once

#include <stdint.h>

#include "base/thread.h"

typedef struct Lane Lane;

typedef struct LaneSpec {
    size_t worker_count;
    size_t waiting_max; /* whatever they take */
    unsigned wait_ms_max;
    int nice; /* above 0: where processors are few, others come first; children inherit it */
} LaneSpec;

/* Of one request; lives until run() was called. */
typedef struct LaneTicket {
    ThreadJob *run;
    void *context;
    Lane *lane;
} LaneTicket;

Lane *lane_create(LaneSpec spec);
void lane_destroy(Lane *lane); /* runs what waits, then ends; NULL is nothing to end */

/* false: it will not run, and retry_seconds says when there may be room. */
bool lane_submit(Lane *lane, LaneTicket *ticket, unsigned *retry_seconds);

/* How long requests take, from their last measurement and the newest one: moves by a sixteenth. */
int64_t lane_learn_us(int64_t known_us, int64_t newest_us);

/* What one more has to wait behind so many. */
int64_t lane_wait_us(size_t waiting, size_t worker_count, int64_t each_us);
