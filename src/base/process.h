/* process.h: one child process, run to its end.
 *
 * The child gets a process group of its own, the given text on standard input, and nothing else
 * that is open here. Its standard output is handed on line by line while it runs; the last bytes of
 * its standard error are kept.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum ProcessPriority {
    PRIORITY_NORMAL,
    PRIORITY_LOW,    /* steps aside, but somebody waits for it: a tenth of a busy core */
    PRIORITY_LOWEST, /* for minutes of work: gets what others leave, and a seventieth of a busy core
                        at least. Not the system's idle class: on a busy machine it may stand still,
                        and time limits go on */
} ProcessPriority;

typedef struct ProcessSpec {
    const char *const *arguments; /* ends with NULL; [0] is the path of the program */
    const char *input;            /* NULL: none */
    size_t input_size;
    unsigned timeout_ms; /* 0: none; then the whole group is killed */
    ProcessPriority priority;
    void (*on_line)(void *context, const char *line); /* or NULL */
    void *context;
    const atomic_bool
        *cancelled; /* or NULL: set from another thread, it kills the group within a second */
    const atomic_bool *finish; /* or NULL: set from another thread, it sends the child SIGUSR1 */
} ProcessSpec;

typedef struct ProcessResult {
    int exit_code; /* -1 when a signal ended it */
    int signal;    /* 0 when none did */
    bool timed_out, cancelled;
    const char *error_output; /* at most the last 4096 bytes */
} ProcessResult;

/* Fails only when the child could not be started; how it ended is in the result. */
bool process_run(const ProcessSpec *spec, Arena *arena, ProcessResult *result,
                 Error *error) MUST_CHECK;

/* The path of the program that is running. */
const char *process_own_path(Arena *arena);

/* That of slipway, to be started as a worker or a shim: the program that is running, or in programs
 * that are not slipway, which are tests, what SLIPWAY_PROGRAM says. */
const char *process_worker_path(Arena *arena);
