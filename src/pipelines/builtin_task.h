/* builtin_task.h: what the server does for built-in steps beside the scheduler's thread: before
 * their work, and after it.
 *
 *     task = builtin_task_begin(pool, &(BuiltinTaskSpec){...});
 *     ... later, by the thread that began it:
 *     if (builtin_task_is_done(task)) { ...; builtin_task_end(task); }
 *
 * A task ends with the job for the shim, or with the end of the attempt written, or with neither:
 * then it is to be begun again. wake() is called from its thread when it is done.
 */
#pragma once

#include "base/thread.h"
#include "pipelines/builtin.h"

typedef enum BuiltinPhase {
    BUILTIN_PREPARE, /* makes the job */
    BUILTIN_FINISH,  /* writes the attempt's end */
} BuiltinPhase;

typedef struct BuiltinTaskSpec {
    const Platform *platform;
    struct Serving *serving;
    const char *key; /* of the attempt */
    BuiltinPhase phase;
    void (*wake)(void *context);
    void *context;
} BuiltinTaskSpec;

typedef struct BuiltinTask BuiltinTask;

/* NULL: the pool takes no more now. */
BuiltinTask *builtin_task_begin(ThreadPool *pool, const BuiltinTaskSpec *spec);
bool builtin_task_is_done(const BuiltinTask *task);

/* Of a task that is done: whether the attempt has its end now. */
bool builtin_task_has_ended(const BuiltinTask *task);

/* Of one that prepared: the job, or NULL. Lives until builtin_task_end(). */
const char *builtin_task_job(const BuiltinTask *task);

/* Waits until it is done where it is not; frees it. */
void builtin_task_end(BuiltinTask *task);

/* The steps that a key leads to, as a task and the scheduler need them. */
typedef struct BuiltinKey {
    StepAttempt attempt;
    PipelineRun run;
    PipelineStep row;
    StepStart start;
} BuiltinKey;

bool builtin_key_find(Scope *scope, const char *key, BuiltinKey *found) MUST_CHECK;
