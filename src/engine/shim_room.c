/* shim_room.c: a disk that is full while a step is under way. The step's work is worth more than
 * the wait: what cannot be written is written when there is room again. */

#include <string.h>

#include "base/time.h"
#include "engine/attempt.h"
#include "engine/shim_internal.h"

enum {
    PAUSE_MS = 1000,
    LOOK_MS = 200,
    WAIT_US_MAX = 10 * 60 * 1000 * 1000, /* for the files of one attempt, in all */
    END_TRIES_MAX = 30,                  /* where it is not for want of room */
};

bool shim_wait_for_room(Shim *shim, Error *error)
{
    int64_t began_us = time_monotonic_us();

    if (error->kind != ERROR_UNAVAILABLE || shim->waited_us >= WAIT_US_MAX)
        return false;
    for (int waited_ms = 0; waited_ms < PAUSE_MS; waited_ms += LOOK_MS) {
        if (shim_look(shim) != SHIM_GOES_ON)
            return false;
        time_sleep_ms(LOOK_MS);
    }
    shim->waited_us += time_monotonic_us() - began_us;
    *error = (Error){0};
    return true;
}

/* Without its end it would count as lost, and be done again: so this waits for room as long as it
 * takes, also when the step is to end. */
bool shim_write_end(Shim *shim, const char *end, int64_t took_ms, Error *error)
{
    for (int tries = 1; !attempt_end(shim->record, end, took_ms, error); tries++) {
        if (error->kind != ERROR_UNAVAILABLE && tries == END_TRIES_MAX)
            return false;
        *error = (Error){0};
        (void)shim_look(shim); /* beats */
        time_sleep_ms(PAUSE_MS);
    }
    return true;
}
