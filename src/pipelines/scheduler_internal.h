/* scheduler_internal.h: what the scheduler's files share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "access/platform.h"
#include "base/time.h"
#include "engine/attempt.h"
#include "engine/executor.h"
#include "pipelines/builtin_task.h"
#include "pipelines/scheduler.h"

enum { BOOT_SIZE = 64, SCHEDULER_STEPS_A_TURN = 500 };

enum { ENGINES_MAX = 2 };

/* An executor with what the scheduler knows of it. */
typedef struct Engine {
    Scheduler *scheduler;
    Executor *executor;
    char *server;     /* where its steps reach the server; NULL: where that listens */
    size_t slots;     /* attempts at once, */
    size_t under_way; /* and how many there are */
    int64_t looked_us;
    atomic_bool has_news; /* something may have ended since */
} Engine;

/* An attempt under way. What is not kept here is in the store. */
typedef struct Active {
    char key[ATTEMPT_KEY_MAX + 1];
    Engine *engine;  /* NULL: this program has none of the attempt's name */
    char *handle;    /* NULL: not started by this program */
    bool is_of_boot; /* it was begun since this machine started */
    int submissions;
    int failures; /* of them: ended before anybody had begun */
    AttemptHearing hearing;
    int64_t cancelled_us; /* when it was last asked to end; 0: never */
    BuiltinTask *task;    /* under way, or NULL */
} Active;

/* The files of a run, which are read once. */
typedef struct RunTree {
    char digest[DIGEST_TEXT_SIZE];
    Arena *arena;
    Tree tree;
    uint64_t used; /* turn */
} RunTree;

enum { RUN_TREES = 8 };

struct Scheduler {
    const Platform *platform;
    struct Serving *serving;
    char *address, *program;
    char boot[BOOT_SIZE];        /* names this start of the machine */
    Engine engines[ENGINES_MAX]; /* the first is that of this machine */
    size_t engine_count;
    ThreadPool *pool; /* of built-in steps */
    pthread_t thread;
    bool is_started;
    atomic_bool is_stopping;
    Active *actives; /* the thread's own, as all below */
    size_t active_count, active_capacity;
    RunTree trees[RUN_TREES];
    uint64_t turn;
    ClockWatch clock;
    int64_t put_back_ms;    /* by so much the clock was, and the times of steps were not yet */
    bool has_heeded;        /* the clock, since the start */
    int64_t next_ready_ms;  /* when a step becomes ready that waits for a time; 0: none does */
    int64_t next_canary_ms; /* when a canary's time is over; 0: there is none */
    size_t canaries;        /* that releases try */
    int reloads;            /* tries that are left to take down what they tried */
};

/* The executors; the first wakes the scheduler for all. */
bool scheduler_open_engines(Scheduler *scheduler, const SchedulerSpec *spec,
                            Error *error) MUST_CHECK;
void scheduler_close_engines(Scheduler *scheduler);
Engine *scheduler_engine(Scheduler *scheduler, const char *name); /* or NULL */

/* Whether to look at its attempts now: far ones are looked at less often. */
bool engine_is_due(Engine *engine, int64_t now_us);
int64_t scheduler_wait_ms(const Scheduler *scheduler, int64_t most_ms);

Active *scheduler_add(Scheduler *scheduler, const StepAttempt *attempt);
void scheduler_remove(Scheduler *scheduler, const char *key);
Active *scheduler_find(Scheduler *scheduler, const char *key);

/* The files of a run; NULL when it has none. Reads a blob the first time. */
bool scheduler_tree(Scheduler *scheduler, Scope *scope, const char *digest,
                    const Tree **tree) MUST_CHECK;

/* Where the clock on the wall was put back, what waits for a time by it waits no longer for that.
 */
bool scheduler_heed_clock(Scheduler *scheduler, Scope *scope) MUST_CHECK;

/* Looks at what is under way: adds to ends what has ended, and starts what is to be started. */
typedef struct AttemptEndList {
    AttemptEnd *items;
    size_t count;
} AttemptEndList;

bool scheduler_look(Scheduler *scheduler, Scope *scope, AttemptEndList *ends) MUST_CHECK;

/* Counts what is under way, but for the ends. */
void scheduler_count_free(Scheduler *scheduler, const AttemptEndList *ends);

/* One write: the ends, then what is ready, as long as there are slots. *more: there is more that
 * could be done at once. Attempts that began are in began. */
bool scheduler_advance(Scheduler *scheduler, Scope *scope, const AttemptEndList *ends,
                       StepAttemptList *began, bool *more) MUST_CHECK;

/* Judges what releases try at endpoints, whatever slots are free, and takes down what has ended. */
bool scheduler_look_at_canaries(Scheduler *scheduler, Scope *scope) MUST_CHECK;

/* Writes the attempt's spec.json and has its shim started, or begins what comes before that; what
 * goes wrong is logged and tried again at the next look. job: of a built-in step that is prepared;
 * else NULL. */
void scheduler_submit(Scheduler *scheduler, Scope *scope, Active *active, const char *job);
