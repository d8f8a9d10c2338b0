/* attempt_lost.c: whether somebody still works on an attempt. */

#include "engine/executor.h"

int64_t attempt_silent_ms(AttemptHearing *hearing, const AttemptProbe *probe, int64_t now_us)
{
    if (hearing->since_us == 0 || hearing->heard_at != probe->heard_at) {
        hearing->heard_at = probe->heard_at;
        hearing->since_us = now_us;
    }
    return (now_us - hearing->since_us) / 1000;
}

/* A lock that is seen is held by somebody who lives, wherever. One that is not seen proves nothing
 * elsewhere: the engine may forget what runs, and a shim that runs may be silent for a while when
 * the disk they share is slow; both at once, for so long, is an end. */
bool attempt_is_lost(const AttemptProbe *probe, const ExecutorKind *kind, ExecutorState state,
                     int64_t silent_ms)
{
    if (probe->state != ATTEMPT_DEAD)
        return false;
    if (kind->is_on_this_machine)
        return true;
    return (state == EXECUTOR_GONE || state == EXECUTOR_UNKNOWN) &&
           silent_ms >= ATTEMPT_SILENT_MS_MAX;
}
