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
 * A key is at most ATTEMPT_KEY_MAX bytes of lowercase letters, digits and "-". All functions are
 * called by one thread.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct Executor Executor;

typedef struct ExecutorJob {
    const char *key;
    const char *program;                          /* the path of slipway */
    const char *folder;                           /* of the attempt: there, with its spec.json */
    int64_t cpus, memory_bytes, gpus, timeout_ms; /* 0: the engine's own */
} ExecutorJob;

typedef enum ExecutorState {
    EXECUTOR_UNKNOWN, /* it knows nothing of it: never started, or forgotten */
    EXECUTOR_QUEUED,
    EXECUTOR_RUNNING,
    EXECUTOR_GONE, /* it ended, somehow */
} ExecutorState;

typedef struct ExecutorProbe {
    const char *key, *handle;
    ExecutorState state; /* out */
    const char *reason;  /* out: of the engine, or NULL */
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
} ExecutorKind;

struct Executor {
    const ExecutorKind *kind;
};

/* Shims on this machine, in process groups of their own; a handle is the number of a process. */
Executor *executor_local_create(Error *error) MUST_CHECK;

/* Ends a wait of the local executor, from any thread. */
void executor_wake(Executor *local);
