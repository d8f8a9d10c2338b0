/* shim_internal.h: what the files of the shim share. */
#pragma once

#include <stdatomic.h>

#include "engine/attempt_token.h"
#include "engine/shim.h"
#include "store/artifact.h"

/* Set by SIGTERM, by the file "cancel", or by the clock. */
typedef enum ShimStop { SHIM_GOES_ON, SHIM_CANCELLED, SHIM_TIMED_OUT } ShimStop;

typedef struct Shim {
    Arena *arena;
    const char *folder; /* of the attempt */
    const char *work;   /* folder/work */
    const char *cancel; /* folder/cancel */
    ShimSpec spec;
    const char *token; /* of the attempt; NULL: no command needs one */
    ArtifactStore *artifacts;
    int record, log;
    int64_t log_size;
    char held[ATTEMPT_TOKEN_BYTES_MAX]; /* of the output: what may be the start of the token */
    size_t held_size;
    int64_t deadline_us; /* 0: none */
    int64_t beaten_us, looked_us;
    int64_t waited_us;  /* for room on the disk */
    int log_gap_number; /* the errno of output that could not be kept, and is not told of yet; 0 */
    atomic_int stop;    /* ShimStop */
    atomic_bool is_done;
} Shim;

/* How the work went. */
typedef struct ShimOutcome {
    const char *outcome, *reason;
    int exit_code, signal;
    const JsonValue *result;
} ShimOutcome;

/* Beats, and looks whether the attempt is to end; call it some times a second, from one thread. */
ShimStop shim_look(Shim *shim);

/* Appends to the log, up to its limit. */
void shim_log(Shim *shim, const char *bytes, size_t size);

/* Appends what a command printed, with its token blotted out: others read the log while it still
 * works. The start of a token at the end waits for what comes, or for shim_log_rest(). */
void shim_log_output(Shim *shim, const char *bytes, size_t size);
void shim_log_rest(Shim *shim);

/* Whether it failed for want of room only, and is to be done again: now, after a pause. Not when
 * the step is to end, nor after ten minutes in all. */
bool shim_wait_for_room(Shim *shim, Error *error);

/* Writes the attempt's end, again and again while there is no room. */
bool shim_write_end(Shim *shim, const char *end, int64_t took_ms, Error *error) MUST_CHECK;

/* Puts the files of the step into the work folder. */
bool shim_stage(Shim *shim, Error *error) MUST_CHECK;

/* Runs a command line, or a program; the processes that it leaves behind are ended. */
void shim_run(Shim *shim, const char *const arguments[], ShimOutcome *outcome);

/* Adds what the step was to make to the artifact store, as the member "outs". */
bool shim_store(Shim *shim, JsonWriter *end, Error *error) MUST_CHECK;
