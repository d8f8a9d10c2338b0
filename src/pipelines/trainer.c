#include "pipelines/trainer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access/platform.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread.h"
#include "pipelines/training.h"

/* A run that waits or trains. Owned by the queue. */
typedef struct Job {
    char run_id[ID_TEXT_SIZE];
    char *principal_name;
    Role role;
    atomic_bool cancelled, finish;
    bool by_user;   /* guarded by lock: cancelled on request, not because the program ends */
    char *progress; /* guarded by lock */
    struct Job *next;
} Job;

struct Trainer {
    const Platform *platform;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Job *first;    /* guarded by lock: the one that trains, then those that wait */
    bool stopping; /* guarded by lock */
};

static void job_destroy(Job *job)
{
    free(job->principal_name);
    free(job->progress);
    free(job);
}

/* The thread. */

typedef struct Turn {
    Trainer *trainer;
    Job *job;
} Turn;

static void keep_progress(void *context, const JsonValue *progress)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Turn *turn = context;
    char *document = text_duplicate(json_print(progress, arena));

    pthread_mutex_lock(&turn->trainer->lock);
    free(turn->job->progress);
    turn->job->progress = document;
    pthread_mutex_unlock(&turn->trainer->lock);
}

static bool was_cancelled_by_user(Trainer *trainer, const Job *job)
{
    bool by_user;

    pthread_mutex_lock(&trainer->lock);
    by_user = job->by_user;
    pthread_mutex_unlock(&trainer->lock);
    return by_user;
}

/* After a second, or a moment before: whether it is worth another try. */
static bool wait_for_store(Trainer *trainer)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&trainer->lock);
    if (!trainer->stopping)
        pthread_cond_timedwait(&trainer->changed, &trainer->lock, &until);
    goes_on = !trainer->stopping;
    pthread_mutex_unlock(&trainer->lock);
    return goes_on;
}

static void log_lost(const Job *job, const char *event, const Error *error)
{
    log_event(LOG_ERROR, event, log_text("run_id", job->run_id),
              log_text("reason", error->message));
}

static bool may_mend(const Error *error)
{
    return error->kind == ERROR_UNAVAILABLE || error->kind == ERROR_INTERNAL;
}

/* A disk that is full for a while must not leave a run that seems to run for ever: its end is
 * written when the store takes it again, or at the next start. */
static void end_job(Trainer *trainer, const Job *job, Scope *scope, RunStatus status,
                    const char *reason)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *kept = arena_text(arena, reason);

    for (bool is_first = true; !training_end(scope, job->run_id, status, kept); is_first = false) {
        if (is_first)
            log_lost(job, "training_not_ended", &scope->error);
        if (!may_mend(&scope->error) || !wait_for_store(trainer))
            return;
        scope->error = (Error){0};
        arena_reset(scope->arena);
    }
}

static void do_job(Trainer *trainer, Job *job, Scope *scope)
{
    Turn turn = {trainer, job};
    const char *last_lines = NULL, *reason;
    TrainingControl control = {&job->cancelled, &job->finish, keep_progress, &turn, &last_lines};

    if (!atomic_load(&job->cancelled) && training_run(scope, job->run_id, &control))
        return;
    reason = arena_format(scope->arena, "%s%s%s", scope->error.message, last_lines ? "\n" : "",
                          last_lines ? last_lines : "");
    if (!atomic_load(&job->cancelled))
        end_job(trainer, job, scope, RUN_FAILED, reason);
    else if (was_cancelled_by_user(trainer, job))
        end_job(trainer, job, scope, RUN_KILLED, "it was cancelled");
    else
        end_job(trainer, job, scope, RUN_FAILED, "the server stopped while it ran");
}

static void run_job(Trainer *trainer, Job *job)
{
    CLEANUP(session_close) Session session = {0};
    Scope scope;
    Error error = {0};

    while (!session_open(trainer->platform, &session, &error)) {
        log_lost(job, "training_delayed", &error);
        if (!wait_for_store(trainer))
            return;
        error = (Error){0};
    }
    scope = session_scope(&session, trainer->platform, (Principal){job->principal_name, job->role});
    do_job(trainer, job, &scope);
}

/* The next job, which stays first in the queue while it trains; NULL: the program ends. */
static Job *wait_for_job(Trainer *trainer)
{
    Job *job;

    pthread_mutex_lock(&trainer->lock);
    while (!trainer->first && !trainer->stopping)
        pthread_cond_wait(&trainer->changed, &trainer->lock);
    job = trainer->first;
    pthread_mutex_unlock(&trainer->lock);
    return job;
}

static void remove_first(Trainer *trainer)
{
    Job *job;

    pthread_mutex_lock(&trainer->lock);
    job = trainer->first;
    trainer->first = job->next;
    pthread_cond_broadcast(&trainer->changed);
    pthread_mutex_unlock(&trainer->lock);
    job_destroy(job);
}

static void *train_all(void *context)
{
    Trainer *trainer = context;

    for (Job *job; (job = wait_for_job(trainer)) != NULL;) {
        run_job(trainer, job);
        remove_first(trainer);
    }
    return NULL;
}

/* The other threads. */

static bool recover(const Platform *platform, Error *error)
{
    CLEANUP(session_close) Session session = {0};
    Scope scope;

    if (!session_open(platform, &session, error))
        return false;
    scope = session_scope(&session, platform, (Principal){"slipway", ROLE_OWNER});
    if (training_recover(&scope))
        return true;
    *error = scope.error;
    return false;
}

Trainer *trainer_create(const Platform *platform, Error *error)
{
    Trainer *trainer;

    if (!recover(platform, error))
        return NULL;
    trainer = calloc(1, sizeof(*trainer));
    if (!trainer)
        out_of_memory();
    trainer->platform = platform;
    pthread_mutex_init(&trainer->lock, NULL);
    condition_init(&trainer->changed);
    if (pthread_create(&trainer->thread, NULL, train_all, trainer) == 0)
        return trainer;
    free(trainer);
    fail(error, ERROR_UNAVAILABLE, "could not start the thread that trains");
    return NULL;
}

void trainer_destroy(Trainer *trainer)
{
    if (!trainer)
        return;
    pthread_mutex_lock(&trainer->lock);
    trainer->stopping = true;
    for (Job *job = trainer->first; job; job = job->next)
        atomic_store(&job->cancelled, true);
    pthread_cond_broadcast(&trainer->changed);
    pthread_mutex_unlock(&trainer->lock);
    pthread_join(trainer->thread, NULL);
    assert(!trainer->first);
    pthread_cond_destroy(&trainer->changed);
    pthread_mutex_destroy(&trainer->lock);
    free(trainer);
}

void trainer_drain(Trainer *trainer)
{
    pthread_mutex_lock(&trainer->lock);
    while (trainer->first)
        pthread_cond_wait(&trainer->changed, &trainer->lock);
    pthread_mutex_unlock(&trainer->lock);
}

static Job *job_create(const char *run_id, const Principal *principal)
{
    Job *job = calloc(1, sizeof(*job));

    if (!job)
        out_of_memory();
    snprintf(job->run_id, sizeof(job->run_id), "%s", run_id);
    job->principal_name = text_duplicate(principal->name);
    job->role = principal->role;
    return job;
}

bool trainer_submit(Trainer *trainer, const char *run_id, const Principal *principal, Error *error)
{
    Job **end = &trainer->first;
    size_t count = 0;
    bool taken;

    pthread_mutex_lock(&trainer->lock);
    for (; *end; end = &(*end)->next)
        count++;
    taken = !trainer->stopping && count <= TRAINER_QUEUE_MAX;
    if (taken)
        *end = job_create(run_id, principal);
    pthread_cond_broadcast(&trainer->changed);
    pthread_mutex_unlock(&trainer->lock);
    return taken || fail(error, ERROR_BUSY, "%d trainings wait already", TRAINER_QUEUE_MAX);
}

/* With the lock held. */
static Job *job_find(Trainer *trainer, const char *run_id, size_t *ahead)
{
    *ahead = 0;
    for (Job *job = trainer->first; job; job = job->next, (*ahead)++)
        if (strcmp(job->run_id, run_id) == 0)
            return job;
    return NULL;
}

bool trainer_cancel(Trainer *trainer, const char *run_id, Error *error)
{
    size_t ahead;
    Job *job;

    pthread_mutex_lock(&trainer->lock);
    job = job_find(trainer, run_id, &ahead);
    if (job) {
        job->by_user = true;
        atomic_store(&job->cancelled, true);
    }
    pthread_mutex_unlock(&trainer->lock);
    return job || fail(error, ERROR_CONFLICT, "run \"%.64s\" is not training", run_id);
}

bool trainer_finish(Trainer *trainer, const char *run_id, Error *error)
{
    size_t ahead;
    Job *job;
    bool has_begun;

    pthread_mutex_lock(&trainer->lock);
    job = job_find(trainer, run_id, &ahead);
    has_begun = job && job->progress;
    if (has_begun)
        atomic_store(&job->finish, true);
    pthread_mutex_unlock(&trainer->lock);
    if (!job)
        return fail(error, ERROR_CONFLICT, "run \"%.64s\" is not training", run_id);
    return has_begun || fail(error, ERROR_CONFLICT,
                             "run \"%.64s\" has not begun to search, so there is nothing to keep: "
                             "wait, or cancel it",
                             run_id);
}

TrainerProgress trainer_progress(Trainer *trainer, const char *run_id, Arena *arena)
{
    TrainerProgress progress = {0};
    Job *job;

    pthread_mutex_lock(&trainer->lock);
    job = job_find(trainer, run_id, &progress.ahead);
    progress.is_here = job != NULL;
    progress.document = job ? arena_text(arena, job->progress) : NULL;
    pthread_mutex_unlock(&trainer->lock);
    return progress;
}
