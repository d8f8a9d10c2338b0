/* executor.h: what starts shims, and where: on this machine, or on others.
 *
 * An executor is asked to start one attempt by its key, and says whether what it started still
 * lives. How an attempt went is never its business: that stands in the attempt's folder. So what an
 * engine loses, repeats or forgets cannot corrupt a run.
 *
 *     submit    starts the shim of one attempt; the handle is how the engine calls it
 *     find      what was started for a key, after a crash between submit and its commit
 *     poll      many at once
 *     cancel    asks it to end; may be repeated
 *     logs      what the engine kept of the shim's own output: why it could not even begin
 *     forget    it will not be asked for again
 *
 * A key is at most ATTEMPT_KEY_MAX bytes of lowercase letters, digits and "-". All functions but
 * executor_wake() are called by one thread, and none of them makes it wait for an engine: what has
 * to be asked of one is asked by a thread of the executor's own.
 *
 * On this machine the lock of a record shows whether its shim lives. Of a shim on another machine
 * nothing may be seen but its record's time, which it touches every few seconds; so the engine's
 * word counts there, but only against a shim that is silent, too: attempt_is_lost(). What starts
 * anew with this machine (a boot) says nothing of the others.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/attempt.h"

typedef struct Executor Executor;

typedef struct ExecutorJob {
    const char *key;
    const char *program;                          /* the path of slipway */
    const char *folder;                           /* of the attempt: there, with its spec.json */
    int64_t cpus, memory_bytes, gpus, timeout_ms; /* 0: the engine's own */
} ExecutorJob;

typedef enum ExecutorState {
    EXECUTOR_UNKNOWN, /* it knows nothing of it: never started, or forgotten */
    EXECUTOR_QUEUED,  /* or nothing else can be said of it now: see the reason */
    EXECUTOR_RUNNING,
    EXECUTOR_GONE, /* it ended, somehow, or was refused */
} ExecutorState;

typedef struct ExecutorProbe {
    const char *key, *handle;
    ExecutorState state; /* out */
    const char *reason;  /* out: the engine's word, or NULL */
} ExecutorProbe;

typedef struct ExecutorKind {
    const char *name;        /* "local", "slurm" */
    bool is_on_this_machine; /* the lock of a record can be seen */
    bool (*submit)(Executor *executor, const ExecutorJob *job, Arena *arena, const char **handle,
                   Error *error);
    /* *handle NULL: nothing was started for the key. */
    bool (*find)(Executor *executor, const char *key, Arena *arena, const char **handle,
                 Error *error);
    bool (*poll)(Executor *executor, ExecutorProbe *probes, size_t count, Arena *arena,
                 Error *error);
    bool (*cancel)(Executor *executor, const char *key, const char *handle, Error *error);
    bool (*logs)(Executor *executor, const char *handle, Arena *arena, const char **text,
                 Error *error);
    void (*forget)(Executor *executor, const char *handle);
    void (*close)(Executor *executor);

    /* Waits at most so long; returns early when something ended, or by executor_wake(). */
    void (*wait)(Executor *executor, unsigned timeout_ms);
    void (*wake)(Executor *executor);
} ExecutorKind;

struct Executor {
    const ExecutorKind *kind;
};

/* Shims on this machine, in process groups of their own; a handle is the number of a process. */
Executor *executor_local_create(Error *error) MUST_CHECK;

/* Ends a wait, from any thread. */
static inline void executor_wake(Executor *executor)
{
    executor->kind->wake(executor);
}

/* Whether the shim of an attempt is gone without an end. silent_ms: since its record was last
 * touched, by attempt_silent_ms(). Of an attempt that nobody has claimed it says nothing: that one
 * is started again when the engine knows nothing of it or says that it is gone. */
bool attempt_is_lost(const AttemptProbe *probe, const ExecutorKind *kind, ExecutorState state,
                     int64_t silent_ms);

enum { ATTEMPT_SILENT_MS_MAX = 60 * 1000 };
