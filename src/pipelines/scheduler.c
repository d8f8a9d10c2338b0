#include "pipelines/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/time.h"
#include "pipelines/scheduler_internal.h"

enum { POOL_THREADS = 2, POOL_QUEUE_MAX = 1000, WAIT_MS = 1000, WAIT_AFTER_FAILURE_MS = 1000 };

/* ---- what is under way ---- */

Active *scheduler_add(Scheduler *scheduler, const StepAttempt *attempt)
{
    Active *active;

    if (scheduler->active_count == scheduler->active_capacity) {
        scheduler->active_capacity =
            scheduler->active_capacity ? 2 * scheduler->active_capacity : 16;
        scheduler->actives =
            realloc(scheduler->actives, scheduler->active_capacity * sizeof(*scheduler->actives));
        if (!scheduler->actives)
            out_of_memory();
    }
    active = &scheduler->actives[scheduler->active_count++];
    *active = (Active){.engine = scheduler_engine(scheduler, attempt->executor),
                       .is_of_boot = strcmp(attempt->boot, scheduler->boot) == 0};
    snprintf(active->key, sizeof(active->key), "%s", attempt->key);
    return active;
}

Active *scheduler_find(Scheduler *scheduler, const char *key)
{
    for (size_t i = 0; i < scheduler->active_count; i++)
        if (strcmp(scheduler->actives[i].key, key) == 0)
            return &scheduler->actives[i];
    return NULL;
}

void scheduler_remove(Scheduler *scheduler, const char *key)
{
    Active *active = scheduler_find(scheduler, key);

    if (!active)
        return;
    if (active->task)
        builtin_task_end(active->task);
    if (active->handle)
        active->engine->executor->kind->forget(active->engine->executor, active->handle);
    free(active->handle);
    *active = scheduler->actives[--scheduler->active_count];
}

/* ---- trees ---- */

static RunTree *oldest(Scheduler *scheduler)
{
    RunTree *found = &scheduler->trees[0];

    for (size_t i = 1; i < RUN_TREES; i++)
        if (scheduler->trees[i].used < found->used)
            found = &scheduler->trees[i];
    return found;
}

bool scheduler_tree(Scheduler *scheduler, Scope *scope, const char *digest, const Tree **tree)
{
    RunTree *kept;

    *tree = NULL;
    if (!digest)
        return true;
    for (size_t i = 0; i < RUN_TREES; i++) {
        kept = &scheduler->trees[i];
        if (kept->arena && strcmp(kept->digest, digest) == 0) {
            kept->used = scheduler->turn;
            *tree = &kept->tree;
            return true;
        }
    }
    kept = oldest(scheduler);
    arena_destroy(kept->arena);
    *kept = (RunTree){.arena = arena_create(), .used = scheduler->turn};
    if (!tree_read(scope->platform->artifacts, digest, kept->arena, &kept->tree, &scope->error))
        return false;
    snprintf(kept->digest, sizeof(kept->digest), "%s", digest);
    *tree = &kept->tree;
    return true;
}

/* ---- the thread ---- */

static void log_failure(const char *event, const Error *error)
{
    log_event(LOG_ERROR, event, log_text("reason", error->message));
}

/* The folders of attempts that have their end in the store. */
static void remove_ended(Scheduler *scheduler, Scope *scope, const AttemptEndList *ends)
{
    for (size_t i = 0; i < ends->count; i++) {
        const char *key = ends->items[i].attempt->key;
        Error error = {0};

        scheduler_remove(scheduler, key);
        if (!folder_remove(step_attempt_folder(scope->platform, key, scope->arena), &error))
            log_failure("attempt_folder_left", &error);
    }
}

/* Whether there is more to do at once. */
static bool take_turn(Scheduler *scheduler, Scope *scope)
{
    AttemptEndList ends = {0};
    StepAttemptList began = {0};
    bool more = false;

    scheduler->turn++;
    if (!scheduler_heed_clock(scheduler, scope) || !scheduler_look(scheduler, scope, &ends) ||
        !scheduler_look_at_canaries(scheduler, scope) ||
        !scheduler_advance(scheduler, scope, &ends, &began, &more)) {
        log_failure("scheduler", &scope->error);
        time_sleep_ms(WAIT_AFTER_FAILURE_MS);
        return false;
    }
    for (size_t i = 0; i < began.count; i++)
        scheduler_submit(scheduler, scope, scheduler_find(scheduler, began.items[i].key), NULL);
    remove_ended(scheduler, scope, &ends);
    return more;
}

static unsigned left_ms(int64_t moment, int64_t most_ms)
{
    int64_t left = moment - time_now_ms();

    if (!moment || left > most_ms)
        return (unsigned)most_ms;
    return left > 0 ? (unsigned)left : 1;
}

static unsigned wait_ms(const Scheduler *scheduler)
{
    int64_t most_ms = scheduler_wait_ms(scheduler, WAIT_MS);
    unsigned ready = left_ms(scheduler->next_ready_ms, most_ms);
    unsigned canary = left_ms(scheduler->next_canary_ms, most_ms);

    return ready < canary ? ready : canary;
}

static void *schedule(void *context)
{
    Scheduler *scheduler = context;
    Executor *local = scheduler->engines[0].executor;
    Session session = {0};
    Error error = {0};

    while (!atomic_load(&scheduler->is_stopping)) {
        Scope scope;
        bool more;

        if (!session.db && !session_open(scheduler->platform, &session, &error)) {
            log_failure("scheduler", &error);
            time_sleep_ms(WAIT_AFTER_FAILURE_MS);
            continue;
        }
        scope = session_scope(&session, scheduler->platform, (Principal){"slipway", ROLE_OWNER});
        more = take_turn(scheduler, &scope);
        arena_reset(session.arena);
        if (!more)
            local->kind->wait(local, wait_ms(scheduler));
    }
    session_close(&session);
    return NULL;
}

/* ---- beginning and end ---- */

/* An attempt of an earlier start of the machine has nobody who does it any more, even where its
 * claim was lost with the power. */
static void read_boot(Scheduler *scheduler)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    if (!file || !fgets(scheduler->boot, sizeof(scheduler->boot), file))
        snprintf(scheduler->boot, sizeof(scheduler->boot), "unknown");
    scheduler->boot[strcspn(scheduler->boot, "\n")] = '\0';
    if (file)
        fclose(file);
}

/* Folders of attempts that have their end in the store, and were to be removed. */
static bool sweep(Scheduler *scheduler, Scope *scope)
{
    const char *folder = arena_format(scope->arena, "%s/attempts", scope->platform->folder);
    TextList names = {0};

    if (!folder_exists(folder))
        return true;
    if (!folder_list(folder, scope->arena, &names, &scope->error))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!scheduler_find(scheduler, names.items[i]) &&
            !folder_remove(arena_format(scope->arena, "%s/%s", folder, names.items[i]),
                           &scope->error))
            return false;
    return true;
}

/* They wait for a server that has their executor; how they end is seen all the same. */
static void log_missing(const Scheduler *scheduler)
{
    int64_t count = 0;

    for (size_t i = 0; i < scheduler->active_count; i++)
        count += !scheduler->actives[i].engine;
    if (count)
        log_event(LOG_WARNING, "attempts of an executor that is not there",
                  log_int("count", count));
}

static bool recover(Scheduler *scheduler, Error *error)
{
    CLEANUP(session_close) Session session = {0};
    StepAttemptList open = {0};
    Scope scope;

    if (!session_open(scheduler->platform, &session, error))
        return false;
    scope = session_scope(&session, scheduler->platform, (Principal){"slipway", ROLE_OWNER});
    CLEANUP(query_finalize)
    Query query = db_query(scope.db, SELECT_ATTEMPT " WHERE ended_at IS NULL ORDER BY created_at");
    if (!step_attempts_take(&scope, &query, &open)) {
        *error = scope.error;
        return false;
    }
    for (size_t i = 0; i < open.count; i++)
        scheduler_add(scheduler, &open.items[i]);
    log_missing(scheduler);
    if (sweep(scheduler, &scope))
        return true;
    *error = scope.error;
    return false;
}

static void clear(Scheduler *scheduler)
{
    if (scheduler->pool)
        thread_pool_destroy(scheduler->pool);
    for (size_t i = 0; i < scheduler->active_count; i++)
        if (scheduler->actives[i].task)
            builtin_task_end(scheduler->actives[i].task);
    scheduler_close_engines(scheduler);
    for (size_t i = 0; i < scheduler->active_count; i++)
        free(scheduler->actives[i].handle);
    for (size_t i = 0; i < RUN_TREES; i++)
        arena_destroy(scheduler->trees[i].arena);
    free(scheduler->actives);
    free(scheduler->address);
    free(scheduler->program);
    free(scheduler);
}

static char *own_program(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return text_duplicate(process_worker_path(arena));
}

Scheduler *scheduler_create(const SchedulerSpec *spec, Error *error)
{
    Scheduler *scheduler = calloc(1, sizeof(*scheduler));
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    SchedulerSpec whole = *spec;

    if (!scheduler)
        out_of_memory();
    scheduler->platform = spec->platform;
    scheduler->serving = spec->serving;
    scheduler->program = own_program();
    if (!whole.slots)
        whole.slots = processors > 2 ? (size_t)processors : 2;
    read_boot(scheduler);
    scheduler->pool = thread_pool_create(POOL_THREADS, POOL_QUEUE_MAX);
    if (scheduler_open_engines(scheduler, &whole, error) && recover(scheduler, error))
        return scheduler;
    clear(scheduler);
    return NULL;
}

bool scheduler_start(Scheduler *scheduler, const char *address, Error *error)
{
    scheduler->address = text_duplicate(address);
    scheduler->is_started = pthread_create(&scheduler->thread, NULL, schedule, scheduler) == 0;
    return scheduler->is_started ||
           fail(error, ERROR_UNAVAILABLE, "could not start the thread that schedules");
}

void scheduler_destroy(Scheduler *scheduler)
{
    if (!scheduler)
        return;
    atomic_store(&scheduler->is_stopping, true);
    scheduler_wake(scheduler);
    if (scheduler->is_started)
        pthread_join(scheduler->thread, NULL);
    clear(scheduler);
}

void scheduler_wake(Scheduler *scheduler)
{
    if (scheduler)
        executor_wake(scheduler->engines[0].executor);
}
