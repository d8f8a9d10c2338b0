/* worker.h: a step that runs in a child process of its own.
 *
 * Reading data, training, judging and trying a new model never happen inside the server: it starts
 * its own program as `slipway step NAME`, which reads one JSON job from standard input, prints one
 * JSON object a line while it works, and ends with a result or an error:
 *
 *     {"progress":{...}}     any number of times
 *     {"result":{...}}       once, or
 *     {"error":{"code":"invalid","message":"...","field":"..."}}
 *
 * A child that dies without either is an error too. When the parent dies, killed or interrupted,
 * the child is killed with it: its thread that runs the step must live as long as the step.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/* The child's side: does the job, writes the members of the result into json. */
typedef bool WorkerFunction(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);

typedef struct WorkerStep {
    const char *name;
    WorkerFunction *run;
} WorkerStep;

/* Prints {"progress":document}; document is a finished JSON object. For use inside a step. */
void worker_progress(const char *document);

/* Runs the step with this name on the job from standard input; returns the exit status of the
 * process. tables ends with NULL, each table with a row of zeros. */
int worker_main(const WorkerStep *const tables[], const char *name);

typedef struct WorkerSpec {
    const char *step;
    const char *job;     /* a finished JSON object */
    unsigned timeout_ms; /* 0: none */
    bool in_background;  /* takes minutes: at the lowest priority instead of a low one */
    const atomic_bool *cancelled;
    const atomic_bool *finish; /* or NULL: tells a step that listens (pipelines/step_job.h) to end
                                  with what it has; others are ended by it */
    void (*on_progress)(void *context,
                        const JsonValue *progress); /* or NULL; the value lives for the call */
    void *context;
    const char **last_lines; /* or NULL: what a step that ended without a word of its own printed
                                last to standard error; untouched when there is nothing */
} WorkerSpec;

/* The parent's side: blocks until the child has ended. result is the object behind "result". */
bool worker_run(const WorkerSpec *spec, Arena *arena, const JsonValue **result,
                Error *error) MUST_CHECK;
