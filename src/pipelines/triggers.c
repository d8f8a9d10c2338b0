#include "pipelines/triggers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "access/platform.h"
#include "base/log.h"
#include "base/time.h"
#include "pipelines/hook.h"
#include "pipelines/occasion.h"
#include "pipelines/schedule.h"
#include "pipelines/scheduler.h"

enum { WAIT_MS = 1000 };

struct Triggers {
    const Platform *platform;
    struct Scheduler *scheduler;
    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_woken; /* guarded by lock */
    atomic_bool is_stopping;
    bool has_looked; /* at all repositories, since the start; the thread's own */
};

Triggers *triggers_create(const Platform *platform, struct Scheduler *scheduler)
{
    Triggers *triggers = calloc(1, sizeof(*triggers));
    pthread_condattr_t attributes;

    if (!triggers)
        out_of_memory();
    triggers->platform = platform;
    triggers->scheduler = scheduler;
    pthread_mutex_init(&triggers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&triggers->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return triggers;
}

/* Whether to go on. The clock that waits is not the one that says which time it is: a time that
 * comes by a jump is seen within WAIT_MS too. */
static bool wait_for_turn(Triggers *triggers)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&triggers->lock);
    while (!triggers->is_woken && !atomic_load(&triggers->is_stopping))
        if (pthread_cond_timedwait(&triggers->changed, &triggers->lock, &until) != 0)
            break;
    triggers->is_woken = false;
    goes_on = !atomic_load(&triggers->is_stopping);
    pthread_mutex_unlock(&triggers->lock);
    return goes_on;
}

typedef bool Turn(Scope *scope, Triggers *triggers, size_t *started);

static bool turn_schedules(Scope *scope, Triggers *triggers, size_t *started)
{
    (void)triggers;
    return schedule_turn(scope, time_now_ms(), started);
}

static bool turn_data(Scope *scope, Triggers *triggers, size_t *started)
{
    (void)triggers;
    return data_turn(scope, started);
}

static bool turn_pushes(Scope *scope, Triggers *triggers, size_t *started)
{
    PushTurn turn = {.stopped = &triggers->is_stopping, .looks_at_all = !triggers->has_looked};

    if (!push_turn(scope, &turn))
        return false;
    triggers->has_looked = true;
    *started = turn.started;
    return true;
}

static const struct {
    const char *name;
    Turn *turn;
} turns[] = {
    {"schedules", turn_schedules},
    {"data", turn_data},
    {"pushes", turn_pushes},
};

/* One kind of trigger that fails does not hold up the others. */
static void take_turns(Triggers *triggers, const Session *session)
{
    for (size_t i = 0; i < COUNT(turns); i++) {
        Scope scope =
            session_scope(session, triggers->platform, (Principal){"slipway", ROLE_OWNER});
        size_t started = 0;

        if (!turns[i].turn(&scope, triggers, &started))
            log_event(LOG_ERROR, "trigger", log_text("kind", turns[i].name),
                      log_text("reason", scope.error.message));
        if (started)
            scheduler_wake(triggers->scheduler);
        arena_reset(session->arena);
    }
}

static void *look(void *context)
{
    Triggers *triggers = context;
    CLEANUP(session_close) Session session = {0};
    Error error = {0};

    do {
        if (session.db || session_open(triggers->platform, &session, &error))
            take_turns(triggers, &session);
        else
            log_event(LOG_ERROR, "trigger", log_text("reason", error.message));
    } while (wait_for_turn(triggers));
    return NULL;
}

bool triggers_start(Triggers *triggers, Error *error)
{
    triggers->is_started = pthread_create(&triggers->thread, NULL, look, triggers) == 0;
    return triggers->is_started ||
           fail(error, ERROR_UNAVAILABLE, "could not start the thread that looks for triggers");
}

static void tell(Triggers *triggers, bool is_end)
{
    pthread_mutex_lock(&triggers->lock);
    triggers->is_woken = true;
    if (is_end)
        atomic_store(&triggers->is_stopping, true);
    pthread_cond_signal(&triggers->changed);
    pthread_mutex_unlock(&triggers->lock);
}

void triggers_wake(Triggers *triggers)
{
    if (triggers)
        tell(triggers, false);
}

void triggers_destroy(Triggers *triggers)
{
    if (!triggers)
        return;
    tell(triggers, true);
    if (triggers->is_started)
        pthread_join(triggers->thread, NULL);
    pthread_cond_destroy(&triggers->changed);
    pthread_mutex_destroy(&triggers->lock);
    free(triggers);
}
