#include "pipelines/builtin_task.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/platform.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/attempt.h"
#include "serving/serving.h"

struct BuiltinTask {
    BuiltinTaskSpec spec;
    char key[ATTEMPT_KEY_MAX + 1];
    char *job;
    bool has_ended;
    atomic_bool is_done; /* set last; what is above is the owner's from then on */
};

bool builtin_key_find(Scope *scope, const char *key, BuiltinKey *found)
{
    found->start = (StepStart){.run = &found->run, .row = &found->row};
    return step_attempt_find(scope, key, &found->attempt) &&
           pipeline_run_find(scope, found->attempt.run_id, &found->run) &&
           pipeline_step_at(scope, found->attempt.run_id, found->attempt.position, &found->row) &&
           step_start_read(scope, &found->start);
}

/* The files of the run, which only some built-in steps look at. */
static bool read_tree(Scope *scope, BuiltinKey *found)
{
    Tree *tree = arena_new(scope->arena, Tree);

    if (!found->run.tree)
        return true;
    found->start.tree = tree;
    return tree_read(scope->platform->artifacts, found->run.tree, scope->arena, tree,
                     &scope->error);
}

typedef struct Work {
    BuiltinTask *task;
    BuiltinKey found;
    BuiltinStep step;
    AttemptEnd end;
} Work;

static bool write_end(Scope *scope, void *context)
{
    Work *work = context;

    return attempt_end_write(scope, &work->end);
}

/* A mistake is the step's end; a store that cannot be written to now is not. */
static bool may_mend(const Error *error)
{
    return error->kind == ERROR_UNAVAILABLE || error->kind == ERROR_BUSY;
}

static void write_failure(Scope *scope, Work *work)
{
    Error reason = scope->error;

    if (may_mend(&reason)) {
        log_event(LOG_WARNING, "builtin_step_again", log_text("key", work->task->key),
                  log_text("reason", reason.message));
        return;
    }
    scope->error = (Error){0};
    work->end.status = "failed";
    work->end.reason = arena_text(scope->arena, reason.message);
    work->end.write = NULL;
    work->task->has_ended = scope_write(scope, write_end, work);
}

static bool finish(Scope *scope, Work *work, const Builtin *builtin)
{
    AttemptProbe probe = {0};

    if (builtin->worker && !attempt_probe(work->step.folder, scope->arena, &probe, &scope->error))
        return false;
    work->end.status = "succeeded";
    work->end.document = probe.end;
    if (!builtin->finish(scope, &work->step, &work->end))
        return false;
    work->task->has_ended = scope_write(scope, write_end, work);
    if (work->task->has_ended && work->end.reloads && !serving_reload(work->step.serving, scope))
        log_event(LOG_ERROR, "endpoint not loaded", log_text("reason", scope->error.message));
    return work->task->has_ended;
}

static bool prepare(Scope *scope, Work *work, const Builtin *builtin)
{
    const char *job;

    if (!builtin->prepare(scope, &work->step, &job))
        return false;
    work->task->job = text_duplicate(job);
    return true;
}

static void do_work(Scope *scope, BuiltinTask *task)
{
    Work *work = arena_new(scope->arena, Work);
    const Builtin *builtin;
    bool done;

    work->task = task;
    if (!builtin_key_find(scope, task->key, &work->found) || !read_tree(scope, &work->found)) {
        log_event(LOG_ERROR, "builtin_step", log_text("key", task->key),
                  log_text("reason", scope->error.message));
        return;
    }
    scope->principal = (Principal){work->found.run.created_by, ROLE_CONTRIBUTOR};
    pipeline_run_set_topic(scope, &work->found.run);
    work->end.attempt = &work->found.attempt;
    work->step = (BuiltinStep){
        .start = &work->found.start,
        .attempt = &work->found.attempt,
        .folder = step_attempt_folder(scope->platform, task->key, scope->arena),
        .serving = task->spec.serving,
    };
    work->step.made = arena_format(scope->arena, "%s/work/made", work->step.folder);
    builtin = builtin_of(&work->found.start.step);
    if (!builtin)
        done = fail(&scope->error, ERROR_NOT_IMPLEMENTED, "there is no built-in step \"%s\"",
                    work->found.start.step.uses);
    else
        done = task->spec.phase == BUILTIN_PREPARE ? prepare(scope, work, builtin)
                                                   : finish(scope, work, builtin);
    if (!done)
        write_failure(scope, work);
}

static void run(void *context)
{
    CLEANUP(session_close) Session session = {0};
    BuiltinTask *task = context;
    Error error = {0};

    if (session_open(task->spec.platform, &session, &error)) {
        Scope scope =
            session_scope(&session, task->spec.platform, (Principal){"slipway", ROLE_OWNER});

        do_work(&scope, task);
    } else {
        log_event(LOG_ERROR, "builtin_step", log_text("key", task->key),
                  log_text("reason", error.message));
    }
    atomic_store(&task->is_done, true);
    task->spec.wake(task->spec.context);
}

BuiltinTask *builtin_task_begin(ThreadPool *pool, const BuiltinTaskSpec *spec)
{
    BuiltinTask *task = calloc(1, sizeof(*task));

    if (!task)
        out_of_memory();
    task->spec = *spec;
    snprintf(task->key, sizeof(task->key), "%s", spec->key);
    if (thread_pool_submit(pool, run, task))
        return task;
    free(task);
    return NULL;
}

bool builtin_task_is_done(const BuiltinTask *task)
{
    return atomic_load(&task->is_done);
}

bool builtin_task_has_ended(const BuiltinTask *task)
{
    return task->has_ended;
}

const char *builtin_task_job(const BuiltinTask *task)
{
    return task->job;
}

void builtin_task_end(BuiltinTask *task)
{
    while (!builtin_task_is_done(task))
        time_sleep_ms(10);
    free(task->job);
    free(task);
}
