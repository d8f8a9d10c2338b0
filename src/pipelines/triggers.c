#include "pipelines/triggers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "access/platform.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/time.h"
#include "pipelines/approval.h"
#include "pipelines/hook.h"
#include "pipelines/occasion.h"
#include "pipelines/schedule.h"
#include "pipelines/scheduler.h"

enum { WAIT_MS = 1000, LOOKERS = 2, TURNS_MAX = 3 };

/* One thread. */
typedef struct Looker {
    Triggers *triggers;
    const struct TurnRow *turns;
    pthread_t thread;
    bool is_started;
    bool is_woken; /* guarded by the lock */
} Looker;

struct Triggers {
    const Platform *platform;
    struct Scheduler *scheduler;
    Looker lookers[LOOKERS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_stopping;
    bool has_looked; /* at all repositories, since the start; the pushes' thread's own */
};

/* Whether to go on. The clock that waits is not the one that says which time it is: a time that
 * comes by a jump is seen within WAIT_MS too. */
static bool wait_for_turn(Looker *looker)
{
    Triggers *triggers = looker->triggers;
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&triggers->lock);
    while (!looker->is_woken && !atomic_load(&triggers->is_stopping))
        if (pthread_cond_timedwait(&triggers->changed, &triggers->lock, &until) != 0)
            break;
    looker->is_woken = false;
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

static bool turn_approvals(Scope *scope, Triggers *triggers, size_t *started)
{
    (void)triggers;
    return approvals_settle(scope, started);
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

typedef struct TurnRow {
    const char *name;
    Turn *turn;
} TurnRow;

/* Of each thread; what may wait for others has one to itself. */
static const TurnRow turns[LOOKERS][TURNS_MAX + 1] = {
    {{"schedules", turn_schedules}, {"approvals", turn_approvals}, {"data", turn_data}},
    {{"pushes", turn_pushes}},
};

/* One kind of trigger that fails does not hold up the others. */
static void take_turns(const Looker *looker, const Session *session)
{
    Triggers *triggers = looker->triggers;

    for (const TurnRow *row = looker->turns; row->name; row++) {
        Scope scope =
            session_scope(session, triggers->platform, (Principal){"slipway", ROLE_OWNER});
        size_t started = 0;

        if (!row->turn(&scope, triggers, &started))
            log_event(LOG_ERROR, "trigger", log_text("kind", row->name),
                      log_text("reason", scope.error.message));
        if (started)
            scheduler_wake(triggers->scheduler);
        arena_reset(session->arena);
    }
}

static void *look(void *context)
{
    Looker *looker = context;
    CLEANUP(session_close) Session session = {0};
    Error error = {0};

    do {
        if (session.db || session_open(looker->triggers->platform, &session, &error))
            take_turns(looker, &session);
        else
            log_event(LOG_ERROR, "trigger", log_text("reason", error.message));
    } while (wait_for_turn(looker));
    return NULL;
}

Triggers *triggers_create(const Platform *platform, struct Scheduler *scheduler)
{
    Triggers *triggers = calloc(1, sizeof(*triggers));

    if (!triggers)
        out_of_memory();
    triggers->platform = platform;
    triggers->scheduler = scheduler;
    for (size_t i = 0; i < LOOKERS; i++)
        triggers->lookers[i] = (Looker){.triggers = triggers, .turns = turns[i]};
    pthread_mutex_init(&triggers->lock, NULL);
    condition_init(&triggers->changed);
    return triggers;
}

bool triggers_start(Triggers *triggers, Error *error)
{
    for (size_t i = 0; i < LOOKERS; i++) {
        Looker *looker = &triggers->lookers[i];

        looker->is_started = pthread_create(&looker->thread, NULL, look, looker) == 0;
        if (!looker->is_started)
            return fail(error, ERROR_UNAVAILABLE,
                        "could not start the threads that look for triggers");
    }
    return true;
}

static void tell(Triggers *triggers, bool is_end)
{
    pthread_mutex_lock(&triggers->lock);
    for (size_t i = 0; i < LOOKERS; i++)
        triggers->lookers[i].is_woken = true;
    if (is_end)
        atomic_store(&triggers->is_stopping, true);
    pthread_cond_broadcast(&triggers->changed);
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
    for (size_t i = 0; i < LOOKERS; i++)
        if (triggers->lookers[i].is_started)
            pthread_join(triggers->lookers[i].thread, NULL);
    pthread_cond_destroy(&triggers->changed);
    pthread_mutex_destroy(&triggers->lock);
    free(triggers);
}
