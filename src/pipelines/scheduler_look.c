/* scheduler_look.c: attempts under way: which have ended, which are to begin or to end. */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "pipelines/release_canary.h"
#include "pipelines/scheduler_internal.h"

enum {
    ERRORS_BYTES_MAX = 65536,
    FAILURES_MAX = 5,
    RELOADS_MAX = 3,
    CANCEL_AGAIN_US = 1000 * 1000,
};

/* ---- ends ---- */

static bool add_end(Scope *scope, const char *key, AttemptEnd end, AttemptEndList *ends)
{
    StepAttempt *attempt = arena_new(scope->arena, StepAttempt);

    if (!step_attempt_find(scope, key, attempt))
        return false;
    end.attempt = attempt;
    *arena_push(scope->arena, ends) = end;
    return true;
}

static bool is_on_this_machine(const Active *active)
{
    return active->engine && active->engine->executor->kind->is_on_this_machine;
}

static bool add_lost(Scope *scope, const Active *active, const char *reason, AttemptEndList *ends)
{
    size_t left = is_on_this_machine(active) ? attempt_kill_processes(active->key) : 0;

    if (left)
        log_event(LOG_WARNING, "attempt_left_processes", log_text("key", active->key),
                  log_int("count", (int64_t)left));
    return add_end(scope, active->key, (AttemptEnd){.status = "lost", .reason = reason}, ends);
}

/* Nobody has claimed it, and nobody is to any more: it is claimed here. Where another one was first
 * after all, it has not ended. */
static bool add_unbegun(Scope *scope, const Active *active, AttemptEnd end, AttemptEndList *ends)
{
    const char *folder = step_attempt_folder(scope->platform, active->key, scope->arena);
    CLEANUP(file_close) int record = -1;

    if (!folder_make(folder, &scope->error) || !attempt_claim(folder, "{}", &record, &scope->error))
        return false;
    return record < 0 || add_end(scope, active->key, end, ends);
}

/* A metrics file that cannot be read is the step's mistake. */
static bool add_ended(Scope *scope, const char *key, const AttemptProbe *probe,
                      AttemptEndList *ends)
{
    AttemptEnd end = {
        .status = json_as_text(json_member(probe->end, "outcome"), "failed"),
        .reason = json_as_text(json_member(probe->end, "reason"), NULL),
        .document = probe->end,
    };

    if (strcmp(end.status, "succeeded") == 0 && !attempt_end_read_metrics(scope, &end)) {
        end.status = "failed";
        end.reason = arena_text(scope->arena, scope->error.message);
        end.metrics = (MetricList){0};
        scope->error = (Error){0};
    }
    return add_end(scope, key, end, ends);
}

/* ---- cancelling ---- */

static bool is_cancelled(Scope *scope, const char *key, bool *cancelled)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT r.cancelled_at FROM step_attempts a"
                           " JOIN pipeline_runs r ON r.id = a.run_id WHERE a.key = $1",
                           db_text(key));

    *cancelled = query_next(&query) && query_int(&query, 0) != 0;
    return query_end(&query, &scope->error);
}

/* What an earlier server started is forgotten by its handle, too. */
static bool find_handle(Scope *scope, Active *active)
{
    Executor *executor = active->engine->executor;
    const char *handle;

    if (active->handle)
        return true;
    if (!executor->kind->find(executor, active->key, scope->arena, &handle, &scope->error))
        return false;
    active->handle = text_duplicate(handle);
    return true;
}

static bool tell_engine(Scope *scope, Active *active)
{
    Executor *executor;

    if (!active->engine)
        return true;
    executor = active->engine->executor;
    if (find_handle(scope, active))
        return executor->kind->cancel(executor, active->key, active->handle, &scope->error);
    scope->error = (Error){0}; /* it is asked again; the file has told the shim meanwhile */
    return true;
}

/* Again until it has ended: a shim that had not begun to listen may have missed it. */
static bool cancel(Scope *scope, Active *active)
{
    const char *folder = step_attempt_folder(scope->platform, active->key, scope->arena);
    int64_t now_us = time_monotonic_us();

    if (active->cancelled_us && now_us - active->cancelled_us < CANCEL_AGAIN_US)
        return true;
    active->cancelled_us = now_us;
    return file_write(arena_format(scope->arena, "%s/cancel", folder), "", 0, &scope->error) &&
           tell_engine(scope, active);
}

/* ---- looking ---- */

static void wake(void *context)
{
    scheduler_wake(context);
}

static void begin_task(Scheduler *scheduler, Active *active, BuiltinPhase phase)
{
    active->task = builtin_task_begin(scheduler->pool,
                                      &(BuiltinTaskSpec){scheduler->platform, scheduler->serving,
                                                         active->key, phase, wake, scheduler});
}

/* Only a built-in step has a result; where its shim has done the work, its end is still to come. */
static bool take_end(Scheduler *scheduler, Scope *scope, Active *active, const AttemptProbe *probe,
                     AttemptEndList *ends)
{
    if (!json_is_object(json_member(probe->end, "result")) ||
        strcmp(json_as_text(json_member(probe->end, "outcome"), ""), "succeeded") != 0)
        return add_ended(scope, active->key, probe, ends);
    begin_task(scheduler, active, BUILTIN_FINISH);
    return true;
}

/* What a task that is done has left; the attempt may have its end by it. */
static bool take_task(Scheduler *scheduler, Scope *scope, Active *active, AttemptEndList *ends)
{
    BuiltinTask *task = active->task;
    bool done = true;

    if (!builtin_task_is_done(task))
        return true;
    active->task = NULL;
    if (builtin_task_has_ended(task))
        done = add_end(scope, active->key, (AttemptEnd){.is_written = true}, ends);
    else if (builtin_task_job(task))
        scheduler_submit(scheduler, scope, active, builtin_task_job(task));
    builtin_task_end(task);
    return done;
}

/* A shim that could not read its folder had nowhere to say so. */
static const char *far_reason(Scope *scope, const Active *active, const ExecutorProbe *engine)
{
    return arena_format(scope->arena,
                        "%s did not begin it: %s; its machines must have the folder \"%s\" and the "
                        "program slipway at the paths of the server's",
                        active->engine->executor->kind->name,
                        engine->reason ? engine->reason : "it does not say why",
                        scope->platform->folder);
}

static const char *unbegun_reason(Scope *scope, const Active *active, const ExecutorProbe *engine)
{
    const char *folder = step_attempt_folder(scope->platform, active->key, scope->arena);
    const char *path = arena_format(scope->arena, "%s/" ATTEMPT_ERRORS, folder);
    const char *text = "";
    Error ignored = {0};
    size_t size;

    if (!file_read(path, ERRORS_BYTES_MAX, scope->arena, &text, &size, &ignored))
        text = "";
    if (!*text && !is_on_this_machine(active))
        return far_reason(scope, active, engine);
    return arena_format(scope->arena, "its shim ended before it began%s%.*s", *text ? ": " : "",
                        (int)strcspn(text, "\n"), text);
}

static bool is_alive(const ExecutorProbe *engine)
{
    return engine->state == EXECUTOR_RUNNING || engine->state == EXECUTOR_QUEUED;
}

/* Nobody has claimed it. It is promised, so it is begun; whatever else was started for it, its
 * claim lets one of them go on. An engine that forgot it has not failed at it. */
static bool look_at_absent(Scheduler *scheduler, Scope *scope, Active *active,
                           const ExecutorProbe *engine, AttemptEndList *ends)
{
    if (!active->engine || is_alive(engine))
        return true;
    if (is_on_this_machine(active) && !active->is_of_boot)
        return add_lost(scope, active, "the machine was started anew", ends);
    active->failures += engine->state == EXECUTOR_GONE;
    if (active->failures >= FAILURES_MAX)
        return add_unbegun(
            scope, active,
            (AttemptEnd){.status = "lost", .reason = unbegun_reason(scope, active, engine)}, ends);
    scheduler_submit(scheduler, scope, active, NULL);
    return true;
}

/* Of a run that is to end. */
static bool look_at_cancelled(Scope *scope, Active *active, const ExecutorProbe *engine,
                              const AttemptProbe *probe, AttemptEndList *ends)
{
    if (probe->state == ATTEMPT_ABSENT && !is_alive(engine))
        return add_unbegun(
            scope, active,
            (AttemptEnd){.status = "cancelled", .reason = "it was cancelled before it began"},
            ends);
    return cancel(scope, active);
}

static bool is_lost(Active *active, const AttemptProbe *probe, const ExecutorProbe *engine)
{
    int64_t silent_ms = attempt_silent_ms(&active->hearing, probe, time_monotonic_us());

    return active->engine &&
           attempt_is_lost(probe, active->engine->executor->kind, engine->state, silent_ms);
}

static const char *lost_reason(Scope *scope, const Active *active, const ExecutorProbe *engine)
{
    if (is_on_this_machine(active))
        return "its shim was killed";
    return arena_format(scope->arena, "nothing was heard of it for %d seconds, and %s",
                        ATTEMPT_SILENT_MS_MAX / 1000,
                        engine->reason ? engine->reason : "its executor knows nothing of it");
}

/* A built-in step that the server does itself has no shim that could be told. */
static bool has_or_had_shim(const Active *active)
{
    return active->submissions > 0 || !is_on_this_machine(active);
}

static bool look_at(Scheduler *scheduler, Scope *scope, Active *active, const ExecutorProbe *engine,
                    AttemptEndList *ends)
{
    const char *folder = step_attempt_folder(scope->platform, active->key, scope->arena);
    AttemptProbe probe;
    bool cancelled;

    if (active->task)
        return take_task(scheduler, scope, active, ends);
    if (!attempt_probe(folder, scope->arena, &probe, &scope->error))
        return false;
    if (probe.state == ATTEMPT_ENDED)
        return take_end(scheduler, scope, active, &probe, ends);
    if (is_lost(active, &probe, engine))
        return add_lost(scope, active, lost_reason(scope, active, engine), ends);
    if (!is_cancelled(scope, active->key, &cancelled))
        return false;
    if (cancelled && (probe.state != ATTEMPT_ABSENT || has_or_had_shim(active)))
        return look_at_cancelled(scope, active, engine, &probe, ends);
    return probe.state != ATTEMPT_ABSENT || look_at_absent(scheduler, scope, active, engine, ends);
}

/* Those of one engine (NULL: of those that are not there), with what it says of all at once. */
static bool look_at_those_of(Scheduler *scheduler, Scope *scope, Engine *engine,
                             AttemptEndList *ends)
{
    size_t count = 0;
    ExecutorProbe *probes = arena_array(scope->arena, ExecutorProbe, scheduler->active_count + 1);

    for (size_t i = 0; i < scheduler->active_count; i++)
        if (scheduler->actives[i].engine == engine)
            probes[count++] = (ExecutorProbe){.key = scheduler->actives[i].key,
                                              .handle = scheduler->actives[i].handle};
    if (engine &&
        !engine->executor->kind->poll(engine->executor, probes, count, scope->arena, &scope->error))
        return false;
    count = 0;
    for (size_t i = 0; i < scheduler->active_count; i++)
        if (scheduler->actives[i].engine == engine &&
            !look_at(scheduler, scope, &scheduler->actives[i], &probes[count++], ends))
            return false;
    return true;
}

/* What the server itself does for an attempt is told of by a wake, not by its engine. */
static bool look_at_tasks(Scheduler *scheduler, Scope *scope, Engine *engine, AttemptEndList *ends)
{
    for (size_t i = 0; i < scheduler->active_count; i++) {
        Active *active = &scheduler->actives[i];

        if (active->engine == engine && active->task && !take_task(scheduler, scope, active, ends))
            return false;
    }
    return true;
}

/* It is off the record already: what failed once is tried again at the next turns. */
static void take_down(Scheduler *scheduler, Scope *scope)
{
    if (serving_reload(scheduler->serving, scope)) {
        scheduler->reloads = 0;
        return;
    }
    scheduler->reloads--;
    log_event(LOG_ERROR, "endpoint not loaded", log_text("reason", scope->error.message));
    scope->error = (Error){0};
}

bool scheduler_look_at_canaries(Scheduler *scheduler, Scope *scope)
{
    CanaryLooks looks;

    if (!release_canaries_look(scope, scheduler->serving, &looks))
        return false;
    if (looks.left < scheduler->canaries || looks.left < looks.seen)
        scheduler->reloads = RELOADS_MAX;
    scheduler->canaries = looks.left;
    scheduler->next_canary_ms = looks.next_ms;
    if (scheduler->reloads)
        take_down(scheduler, scope);
    return true;
}

bool scheduler_look(Scheduler *scheduler, Scope *scope, AttemptEndList *ends)
{
    int64_t now_us = time_monotonic_us();

    for (size_t i = 0; i < scheduler->engine_count; i++) {
        Engine *engine = &scheduler->engines[i];

        if (!(engine_is_due(engine, now_us) ? look_at_those_of(scheduler, scope, engine, ends)
                                            : look_at_tasks(scheduler, scope, engine, ends)))
            return false;
    }
    return look_at_those_of(scheduler, scope, NULL, ends);
}

/* ---- submitting ---- */

enum { GRACE_MS = 2000 };

static void write_environment(const char *address, Scope *scope, const StepStart *start,
                              const StepAttempt *attempt, JsonWriter *json)
{
    json_open_object(json, "environment");
    for (size_t i = 0; i < start->step.environment.count; i++)
        json_text(json, start->step.environment.items[i].name,
                  start->step.environment.items[i].text);
    json_text(json, "SLIPWAY_PROJECT", start->run->project);
    json_text(json, "SLIPWAY_RUN_ID", start->run->id);
    json_text(json, "SLIPWAY_RUN_NUMBER",
              arena_format(scope->arena, "%lld", (long long)start->run->number));
    json_text(json, "SLIPWAY_STEP", start->row->name);
    json_text(json, "SLIPWAY_ATTEMPT",
              arena_format(scope->arena, "%lld", (long long)attempt->attempt));
    if (address) {
        json_text(json, "SLIPWAY_SERVER", address);
        json_text(json, "MLFLOW_TRACKING_URI", address);
    }
    if (attempt->tracked_run)
        json_text(json, "MLFLOW_RUN_ID", attempt->tracked_run);
    json_text(json, "MLFLOW_EXPERIMENT_NAME", start->run->project);
    if (start->run->reproduces)
        json_text(json, "SLIPWAY_REPRODUCES", start->run->reproduces);
    json_close(json);
}

static void write_outs(JsonWriter *json, const PlanPathList *outs)
{
    static const char *const uses[] = {
        [PLAN_OUT] = "out", [PLAN_METRICS] = "metrics", [PLAN_PLOTS] = "plots"};

    json_open_array(json, "outs");
    for (size_t i = 0; i < outs->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "path", outs->items[i].path);
        json_text(json, "use", uses[outs->items[i].use]);
        json_close(json);
    }
    json_close(json);
}

/* Another machine does not know the folder where we were started. */
static const char *whole_path(const char *path, Arena *arena)
{
    char whole[PATH_MAX];

    return *path != '/' && realpath(path, whole) ? arena_text(arena, whole) : path;
}

static bool make_spec(const char *address, Scope *scope, const BuiltinKey *found, const char *job,
                      const char **document)
{
    const StepStart *start = &found->start;
    const StepAttempt *attempt = &found->attempt;
    JsonWriter *json = json_writer_create(scope->arena);
    const char *files;

    if (!step_start_files(scope, start, &files))
        return false;
    json_open_object(json, NULL);
    {
        json_text(json, "key", attempt->key);
        json_text(json, "artifacts",
                  arena_format(scope->arena, "%s/artifacts",
                               whole_path(scope->platform->folder, scope->arena)));
        json_text(json, "tree", start->run->tree);
        json_raw(json, "files", files);
        json_texts(json, "commands", &start->step.commands);
        json_texts(json, "arguments", &start->step.arguments);
        if (job) {
            json_text(json, "step", builtin_of(&found->start.step)->worker);
            json_raw(json, "job", job);
            json_text(json, "made", "made");
        }
        json_text(json, "folder", start->step.folder);
        write_environment(address, scope, start, attempt, json);
        write_outs(json, &start->step.outs);
        json_int(json, "timeout_ms", start->step.timeout_ms);
        json_int(json, "grace_ms", GRACE_MS);
        json_int(json, "memory_bytes", start->step.memory_bytes);
        json_int(json, "files_max", start->step.files);
    }
    json_close(json);
    *document = json_finish(json);
    return true;
}

/* Not flushed: until the shim claims it, it is made again from the store. */
static bool put_spec(const char *folder, const char *document, Arena *arena, Error *error)
{
    const char *path = arena_format(arena, "%s/spec.json", folder);
    FILE *file;
    bool done;

    if (!folder_make(folder, error))
        return false;
    file = fopen(path, "w");
    if (!file)
        return fail_errno(error, "write", path);
    done = fputs(document, file) >= 0;
    done = fclose(file) == 0 && done;
    return done || fail_errno(error, "write", path);
}

static bool submit(Scheduler *scheduler, Scope *scope, const BuiltinKey *found, const char *job,
                   Active *active)
{
    const char *folder = step_attempt_folder(scope->platform, active->key, scope->arena);
    const char *address = active->engine->server ? active->engine->server : scheduler->address;
    const PlanStep *step = &found->start.step;
    Executor *executor = active->engine->executor;
    ExecutorJob order = {.key = active->key,
                         .program = scheduler->program,
                         .cpus = step->cpus,
                         .memory_bytes = step->memory_bytes,
                         .gpus = step->gpus,
                         .timeout_ms = step->timeout_ms};
    const char *document, *handle;

    if (!make_spec(address, scope, found, job, &document) ||
        !put_spec(folder, document, scope->arena, &scope->error))
        return false;
    CRASH_POINT("scheduler: spec written, shim not started");
    active->submissions++;
    order.folder = whole_path(folder, scope->arena);
    if (!executor->kind->submit(executor, &order, scope->arena, &handle, &scope->error)) {
        active->failures++;
        return false;
    }
    CRASH_POINT("scheduler: shim started");
    active->handle = text_duplicate(handle);
    return true;
}

/* A built-in step is prepared first, and one without a shim is done where others are finished. */
static bool submit_or_prepare(Scheduler *scheduler, Scope *scope, Active *active, const char *job)
{
    const Builtin *builtin;
    BuiltinKey found;

    if (!builtin_key_find(scope, active->key, &found))
        return false;
    builtin = builtin_of(&found.start.step);
    if (!found.start.step.uses || (builtin && job))
        return submit(scheduler, scope, &found, job, active);
    begin_task(scheduler, active, builtin && builtin->worker ? BUILTIN_PREPARE : BUILTIN_FINISH);
    return true;
}

void scheduler_submit(Scheduler *scheduler, Scope *scope, Active *active, const char *job)
{
    if (!active->engine) /* it waits for a server that has it */
        return;
    if (active->handle) /* of a shim that ended before it began */
        active->engine->executor->kind->forget(active->engine->executor, active->handle);
    free(active->handle);
    active->handle = NULL;
    if (submit_or_prepare(scheduler, scope, active, job))
        return;
    log_event(LOG_ERROR, "attempt_not_started", log_text("key", active->key),
              log_text("reason", scope->error.message));
    scope->error = (Error){0};
}
