/* scheduler_clock.c: the clock on the wall was put back, and what steps wait for is by that clock.
 *
 * How long anything takes is measured by the machine's own clock. What is in the store for later is
 * by the one on the wall: it goes on when that is put right.
 */

#include "pipelines/pipeline_internal.h"
#include "pipelines/scheduler_internal.h"

/* A step that waits for people or for a time of the week (it has a reason) is looked at again, and
 * says anew until when. One that waits to be tried again waits for as long as it was to: at most
 * for what such a wait may be, also when the clock was put back while nobody looked. */
static bool write_times(Scope *scope, void *context)
{
    const Scheduler *scheduler = context;

    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET ready_at ="
                  " CASE WHEN reason IS NULL AND ready_at - $2 <= $1 + $3"
                  " THEN ready_at - $2 ELSE 0 END"
                  " WHERE status = 'ready' AND ready_at > $1",
                  db_int(time_now_ms()), db_int(scheduler->put_back_ms),
                  db_int(STEP_BACKOFF_MS_MAX));
}

bool scheduler_heed_clock(Scheduler *scheduler, Scope *scope)
{
    scheduler->put_back_ms += clock_watch_put_back_ms(&scheduler->clock);
    if (scheduler->has_heeded && !scheduler->put_back_ms)
        return true;
    if (!scope_write(scope, write_times, scheduler))
        return false;
    scheduler->put_back_ms = 0;
    scheduler->has_heeded = true;
    return true;
}
