/* attempt.h: the folder of one attempt, through which the server and the shim that does the work
 * know of each other.
 *
 *     spec.json  what to do, written before the shim starts
 *     record     who does it, and at its end how it went; locked for as long as somebody does
 *     log        what it prints, as it prints it
 *     work/      its own copy of the files it works on
 *     cancel     is there when the attempt is to end
 *     errors     what the shim itself had to say
 *
 * The two may be on different machines that share the folder, and neither must live for the other.
 * The lock may not be seen from there; the time of the record's last change is, and the shim
 * touches it every five seconds. A record comes into its place locked already, by link(): of
 * several shims for one attempt, one goes on. Its end is a line of its own that is written when
 * everything it speaks of is on the disk.
 */
#pragma once

#include <stdint.h>

#include "base/json.h"

#define ATTEMPT_ERRORS "errors"

enum { ATTEMPT_KEY_MAX = 63, ATTEMPT_RECORD_BYTES_MAX = 16 * 1024 * 1024 };

/* The shim's side. claim: a JSON object without a newline. When another one was first, *descriptor
 * is -1. The descriptor is the lock. */
bool attempt_claim(const char *folder, const char *claim, int *descriptor, Error *error) MUST_CHECK;

/* The server takes it over into its store, and what is not there yet was acknowledged to nobody. A
 * power cut before that takes the end of short work, which is done again as if the power had gone
 * that moment earlier: it is on its way to the disk. The end of longer work is flushed. */
bool attempt_end(int descriptor, const char *end, int64_t took_ms, Error *error) MUST_CHECK;

enum { ATTEMPT_SHORT_MS = 5000 };

/* Somebody still works on it; told by the time of the record's last change. */
void attempt_beat(int descriptor);

/* The server's side. */

typedef enum AttemptState {
    ATTEMPT_ABSENT, /* nobody has begun */
    ATTEMPT_HELD,
    ATTEMPT_DEAD, /* somebody began, is gone, and left no end */
    ATTEMPT_ENDED,
} AttemptState;

typedef struct AttemptProbe {
    AttemptState state;
    const JsonValue *claim; /* NULL: absent */
    const JsonValue *end;   /* of ATTEMPT_ENDED */
    int64_t heard_at;       /* 0: absent */
} AttemptProbe;

bool attempt_probe(const char *folder, Arena *arena, AttemptProbe *probe, Error *error) MUST_CHECK;

/* How long nothing was heard of an attempt, by our own steady clock: that of the machine which
 * keeps the record may go differently or jump. One of these an attempt, zero at first, shown every
 * probe; after a start of the server the silence is counted anew. */
typedef struct AttemptHearing {
    int64_t heard_at, since_us;
} AttemptHearing;

int64_t attempt_silent_ms(AttemptHearing *hearing, const AttemptProbe *probe,
                          int64_t now_us /* time_monotonic_us() */);

/* Ends every process of this machine that has SLIPWAY_ATTEMPT_KEY=key in its environment, but for
 * the caller; returns how many there were. What a killed shim left behind would go on for nothing.
 */
size_t attempt_kill_processes(const char *key);
