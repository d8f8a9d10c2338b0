/* scheduler_engines.c: the executors of a scheduler, and how many attempts each may have. */

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pipelines/scheduler_internal.h"

/* Nothing tells of the end of an attempt on another machine but its record, which is read so often;
 * over a network, for hundreds of attempts. */
enum { REMOTE_LOOK_US = 500 * 1000 };

/* Called by a thread of the executor. */
static void tell_news(void *context)
{
    Engine *engine = context;

    atomic_store(&engine->has_news, true);
    executor_wake(engine->scheduler->engines[0].executor);
}

static bool open_slurm(Scheduler *scheduler, const ExecutorSettings *settings, Error *error)
{
    Engine *engine = &scheduler->engines[scheduler->engine_count];
    SlurmSpec spec = settings->slurm;

    *engine = (Engine){
        .scheduler = scheduler,
        .slots = settings->slurm_slots ? settings->slurm_slots : SLURM_SLOTS_DEFAULT,
        .server = text_duplicate(settings->slurm_server),
    };
    spec.on_end = tell_news;
    spec.context = engine;
    engine->executor = executor_slurm_create(&spec, error);
    if (!engine->executor) {
        free(engine->server);
        return false;
    }
    scheduler->engine_count++;
    return true;
}

bool scheduler_open_engines(Scheduler *scheduler, const SchedulerSpec *spec, Error *error)
{
    Engine *local = &scheduler->engines[0];

    *local = (Engine){.scheduler = scheduler, .slots = spec->slots};
    local->executor = executor_local_create(error);
    if (!local->executor)
        return false;
    scheduler->engine_count = 1;
    return !spec->executors || !spec->executors->slurm.address ||
           open_slurm(scheduler, spec->executors, error);
}

/* The last first: its thread wakes the first. */
void scheduler_close_engines(Scheduler *scheduler)
{
    while (scheduler->engine_count) {
        Engine *engine = &scheduler->engines[--scheduler->engine_count];

        engine->executor->kind->close(engine->executor);
        free(engine->server);
    }
}

Engine *scheduler_engine(Scheduler *scheduler, const char *name)
{
    for (size_t i = 0; i < scheduler->engine_count; i++)
        if (strcmp(scheduler->engines[i].executor->kind->name, name) == 0)
            return &scheduler->engines[i];
    return NULL;
}

void scheduler_count_free(Scheduler *scheduler, const AttemptEndList *ends)
{
    for (size_t i = 0; i < scheduler->engine_count; i++)
        scheduler->engines[i].under_way = 0;
    for (size_t i = 0; scheduler->actives && i < scheduler->active_count; i++)
        if (scheduler->actives[i].engine)
            scheduler->actives[i].engine->under_way++;
    for (size_t i = 0; i < ends->count; i++) {
        Engine *engine = scheduler_engine(scheduler, ends->items[i].attempt->executor);

        if (engine)
            engine->under_way--;
    }
}

bool engine_is_due(Engine *engine, int64_t now_us)
{
    if (engine->executor->kind->is_on_this_machine)
        return true;
    if (!atomic_exchange(&engine->has_news, false) && now_us < engine->looked_us + REMOTE_LOOK_US)
        return false;
    engine->looked_us = now_us;
    return true;
}

int64_t scheduler_wait_ms(const Scheduler *scheduler, int64_t most_ms)
{
    for (size_t i = 0; i < scheduler->active_count; i++) {
        const Engine *engine = scheduler->actives[i].engine;

        if (engine && !engine->executor->kind->is_on_this_machine)
            return most_ms < REMOTE_LOOK_US / 1000 ? most_ms : REMOTE_LOOK_US / 1000;
    }
    return most_ms;
}
