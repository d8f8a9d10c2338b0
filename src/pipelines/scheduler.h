/* scheduler.h: the thread that moves the steps of pipelines.
 *
 * All that it must remember is in the store and in the folders of attempts, so one that is killed
 * is followed by another at the same place: what runs goes on and is found again by its record,
 * what ended meanwhile is taken up, what was promised and not begun is begun. A turn is
 *
 *     look at the attempts under way -> one write: how they ended, what became ready, what begins
 *     now -> start the shims of what begins
 *
 * so that a chain of steps waits for the disk twice a step: the shim's end, and the write.
 *
 * Owned by the server (or the command that runs alone). All functions may be called from any
 * thread.
 */
#pragma once

#include "access/scope.h"
#include "pipelines/executors.h"

typedef struct Scheduler Scheduler;

typedef struct SchedulerSpec {
    const Platform *platform;
    struct Serving *serving; /* for releases */
    size_t slots;            /* steps on this machine at once; 0: its processors, 2 at least */
    const ExecutorSettings *executors; /* NULL: this machine alone */
} SchedulerSpec;

Scheduler *scheduler_create(const SchedulerSpec *spec, Error *error) MUST_CHECK;

/* Begins to look. address: of the server, for the steps: "http://127.0.0.1:5000"; or NULL. */
bool scheduler_start(Scheduler *scheduler, const char *address, Error *error) MUST_CHECK;

/* Stops looking; what runs goes on. */
void scheduler_destroy(Scheduler *scheduler);

/* Something is to be done: a run was accepted, or is to end. */
void scheduler_wake(Scheduler *scheduler);
